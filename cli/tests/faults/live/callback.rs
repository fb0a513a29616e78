//! The callback calls nothing of the system: seen with `strace`, between two harmless calls that mark each turn.

use crate::table::{Row, Seen, held, missing};
use soundtrack::{
    Decibels, Frames, Layout, Pan, PlayerBuilder, SampleRate, Session, Spec, Track, media::Memory,
};
use std::{
    collections::HashMap,
    env, fs,
    os::unix::process::parent_id,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

pub const ROWS: &[Row] = &[Row {
    section: "live",
    fault: "system calls in the callback",
    run: traced,
}];

/// Set for the process that is traced.
pub const CHILD: &str = "SOUNDTRACK_FAULTS_CALLBACK";
const TURNS: usize = 2_000;
const MARK: &str = "getppid";

/// Runs in the traced process: a callback in a thread of its own, and a storm of commands.
pub fn child() -> std::process::ExitCode {
    let stem = |rate: u32, n: usize| {
        let spec = Spec {
            rate: SampleRate::new(rate).unwrap(),
            layout: Layout::Stereo,
        };
        Memory::new(
            spec,
            vec![
                (0..200_000)
                    .map(|i| ((i * n) as f64 * 0.01).sin() * 0.2)
                    .collect::<Vec<_>>();
                2
            ],
        )
        .unwrap()
    };
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Stereo,
    };
    let mut mix = Session::new(spec.rate, spec.layout);
    let ids = [44_100, 48_000, 96_000]
        .map(|rate| mix.add_track(Track::new(rate.to_string(), stem(rate, 3))));
    let (player, mut callback) = PlayerBuilder::new().own(&mix, spec).unwrap();
    player.set_loop(Some(Frames(1_000)..Frames(90_000)));
    let over = AtomicBool::new(false);
    let sounding = thread::scope(|threads| {
        let device = threads.spawn(|| {
            let (mut out, mut sounding) = (vec![0f32; 2 * 1024], 0);
            for turn in 0..TURNS {
                // Also more than there is: the fades around a gap are part of it.
                let frames = [128, 1, 0, 17, 333, 1024][turn % 6];
                let _ = parent_id();
                callback.fill(&mut out[..2 * frames], Frames(100));
                let _ = parent_id();
                sounding += usize::from(out[..2 * frames].iter().any(|x| *x != 0.0));
                thread::sleep(Duration::from_millis(1));
            }
            over.store(true, Ordering::Release);
            sounding
        });
        for n in 0.. {
            let id = ids[n as usize % 3];
            match n % 8 {
                0 => player.seek(Frames(n * 977 % 80_000)),
                1 => player.set_gain(id, Decibels(-(n as f64 % 30.0))).unwrap(),
                2 => player.set_pan(id, Pan(n as f64 % 3.0 - 1.0)).unwrap(),
                3 => player.set_mute(id, n % 16 == 3).unwrap(),
                4 => player.set_solo(id, n % 24 == 4).unwrap(),
                5 => player.pause(),
                _ => player.play(),
            }
            if over.load(Ordering::Acquire) {
                break;
            }
            thread::sleep(Duration::from_millis(15));
        }
        device.join().unwrap()
    });
    println!("{sounding} {}", player.underruns().count);
    std::process::ExitCode::SUCCESS
}

fn traced() -> Seen {
    let works = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "true"])
        .output();
    if !works.is_ok_and(|o| o.status.success()) {
        return missing("strace is not installed, or may not trace");
    }
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-qq", "-o", log.path().to_str().unwrap()])
        .arg(env::current_exe().unwrap())
        .env(CHILD, "1");
    let done = strace.output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let said = String::from_utf8(done.stdout).unwrap();
    let numbers: Vec<usize> = said
        .split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect();
    let text = fs::read_to_string(log.path()).unwrap();
    let mut threads: HashMap<&str, Vec<&str>> = HashMap::new();
    for (id, call) in text.lines().filter_map(|line| line.split_once(' ')) {
        let call = call.trim_start();
        // The end of a call that another thread came between is no call.
        if !call.starts_with("<...") {
            threads
                .entry(id)
                .or_default()
                .push(call.split('(').next().unwrap());
        }
    }
    let marked: Vec<&Vec<&str>> = threads
        .values()
        .filter(|calls| calls.contains(&MARK))
        .collect();
    let [calls] = marked.as_slice() else {
        panic!("{} threads with marks", marked.len())
    };
    let (mut inside, mut turns, mut outside, mut wrong) = (false, 0, 0, Vec::new());
    for call in *calls {
        match (*call == MARK, inside) {
            (true, _) => {
                inside = !inside;
                turns += usize::from(inside);
            }
            (false, true) => wrong.push(*call),
            (false, false) => outside += 1,
        }
    }
    assert_eq!((turns, wrong), (TURNS, Vec::<&str>::new()));
    // The tracer sees what the thread does around the callback.
    assert!(
        outside >= TURNS && numbers[0] > TURNS / 10,
        "{outside} {numbers:?}"
    );
    let result = format!(
        "0 system calls inside, {outside} outside; sound in {} turns, {} gaps",
        numbers[0], numbers[1]
    );
    held(TURNS as u64, result)
}
