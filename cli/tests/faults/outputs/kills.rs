//! Ends that come from outside: kills, signals, and a caller that has enough.

use super::{film, left};
use crate::table::{Row, Seen, held, skipped, times};
use soundtrack::{Bounce, Delivery, ErrorKind, Format, Session, Track};
use soundtrack_test_support::desk::{Desk, program};
use std::{
    fs,
    ops::ControlFlow,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

pub const ROWS: &[Row] = &[
    Row {
        section: "outputs",
        fault: "SIGKILL at random times",
        run: killed,
    },
    Row {
        section: "outputs",
        fault: "SIGINT, SIGTERM, once and twice",
        run: signalled,
    },
    Row {
        section: "scale",
        fault: "cancelled at random points",
        run: cancelled,
    },
];

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn upto(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most.max(1)
    }
}

const FILES: [&str; 4] = ["out.wav", "out/Reel.wav", "out/music.wav", "out/speech.wav"];
const RUNS: [&[&str]; 2] = [
    &["film.toml", "-o", "out.wav", "--force", "-q"],
    &["film.toml", "--deliver=all", "--force", "-q"],
];

/// Files that hold something old, what they hold when they are whole, and how long each run takes.
struct Stage {
    desk: Desk,
    whole: [Vec<u8>; 4],
    takes: [Duration; 2],
}

impl Stage {
    fn new() -> Self {
        let desk = film();
        // Long enough to be met in the middle: some seconds of stems, and a rate that must be converted.
        let tones = Desk::with_tones();
        let second = fs::read(tones.path("a.wav")).unwrap()[44..].repeat(20);
        desk.wav("a.wav", 2, 44_100, 0, 0);
        let mut header = fs::read(desk.path("a.wav")).unwrap();
        let size = second.len() as u32;
        header[4..8].copy_from_slice(&(size + 36).to_le_bytes());
        header[40..44].copy_from_slice(&size.to_le_bytes());
        fs::write(desk.path("a.wav"), [header, second].concat()).unwrap();
        let takes = RUNS.map(|run| {
            let clock = Instant::now();
            desk.run(run).expect(0, "");
            clock.elapsed()
        });
        let whole = FILES.map(|f| fs::read(desk.path(f)).unwrap());
        Self { desk, whole, takes }
    }

    fn old(&self) {
        fs::create_dir_all(self.desk.path("out")).unwrap();
        FILES.iter().for_each(|f| self.desk.write(f, "precious"));
    }

    /// Starts a run, and does something to it after a while; how it ended.
    fn struck(
        &self,
        run: usize,
        after: Duration,
        strike: impl FnOnce(&mut std::process::Child),
    ) -> ExitStatus {
        let mut command = Command::new(program());
        command
            .args(RUNS[run])
            .current_dir(self.desk.path(""))
            .stderr(Stdio::null())
            .stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        sleep(after);
        strike(&mut child);
        child.wait().unwrap()
    }

    /// Returns the number of files that are new; all others are old.
    fn new_files(&self) -> usize {
        let new = FILES.iter().zip(&self.whole).filter(|(file, whole)| {
            let now = fs::read(self.desk.path(file)).unwrap_or_default();
            assert!(
                now == b"precious" || now == **whole,
                "{file}: {} bytes of neither",
                now.len()
            );
            now == **whole
        });
        new.count()
    }

    fn left(&self) -> Vec<String> {
        left(&self.desk.path(""))
    }
}

fn killed() -> Seen {
    let stage = Stage::new();
    let mut dice = Dice(1);
    let (mut whole, mut most, mut stray) = (0, 0, 0);
    let injected = times(40, 1000);
    for i in 0..injected {
        let run = usize::from(i % 3 == 0);
        stage.old();
        let after = dice.upto(stage.takes[run].as_micros() as u64 * 11 / 10);
        stage.struck(run, Duration::from_micros(after), |child| {
            child.kill().unwrap()
        });
        // One for each file at the most, whatever was left before: every start sweeps. Where files were about to appear, a
        // journal and what they replace.
        let names = stage.left();
        let of_mix = names.iter().filter(|n| !n.starts_with("out/")).count();
        assert!(of_mix <= 1 && names.len() <= 8, "{names:?}");
        most = most.max(names.len());
        stray += usize::from(!names.is_empty());
        if run == 1 {
            // The next run, which is refused because the files exist, completes or undoes what this one left.
            stage
                .desk
                .run(&["film.toml", "-q"])
                .expect(5, "exists already");
            let new = stage.new_files();
            assert!(new == 0 || new == 3, "{new}");
        }
        whole += usize::from(stage.new_files() > 0);
    }
    for run in RUNS {
        stage.desk.run(run).expect(0, "");
    }
    assert!(
        stage.left().is_empty() && stage.new_files() == 4,
        "the next run cleans: {:?}",
        stage.left()
    );
    let counts = format!(
        "{whole} times new, else old; temporaries left {stray} times, of {most} files at most"
    );
    held(
        injected,
        format!("{counts}, all taken away by the next run"),
    )
}

fn signalled() -> Seen {
    let stage = Stage::new();
    let mut dice = Dice(2);
    let (mut worst, mut ends) = (Duration::ZERO, [0; 3]);
    let injected = times(16, 400);
    for i in 0..injected {
        let run = usize::from(i % 4 >= 2);
        let (name, number) = [("INT", 2), ("TERM", 15)][usize::from(i % 2 == 1)];
        let twice = i % 8 >= 4;
        stage.old();
        let after = Duration::from_micros(dice.upto(stage.takes[run].as_micros() as u64));
        let mut sent = Instant::now();
        let status = stage.struck(run, after, |child| {
            for _ in 0..if twice { 2 } else { 1 } {
                let kill = Command::new("kill")
                    .args([&format!("-{name}"), &child.id().to_string()])
                    .status();
                assert!(kill.unwrap().success());
            }
            sent = Instant::now();
        });
        // What was done already only brings its files to the disk, however long that takes.
        if status.code() != Some(0) {
            worst = worst.max(sent.elapsed());
        }
        let new = stage.new_files();
        assert!(stage.left().is_empty(), "{:?}", stage.left());
        // Before the program looks for signals, the system ends it; after its last file, it is done.
        match (status.code(), status.signal()) {
            (None, Some(by)) => assert!(by == number && new == 0, "{status}"),
            (Some(0), _) => assert_eq!(new, [1, 3][run]),
            // It may be done, and only be telling so.
            (code, _) => assert!(
                code == Some(128 + number) && (new == 0 || new == [1, 3][run]),
                "{status} {new}"
            ),
        }
        let end = if status.code() == Some(0) {
            2
        } else {
            usize::from(status.code().is_none())
        };
        ends[end] += 1;
    }
    // The promise is 500 ms; the rest is for busy machines.
    assert!(worst < Duration::from_secs(3), "{worst:?}");
    let [stopped, early, late] = ends;
    let counts = format!(
        "{stopped} with 130 or 143, {early} before the program began, {late} after its end"
    );
    held(
        injected,
        format!("stopped after at most {} ms; {counts}", worst.as_millis()),
    )
}

/// Threads and open descriptors of this process.
fn held_now() -> Option<(usize, usize)> {
    let count = |of: &str| Some(fs::read_dir(Path::new("/proc/self").join(of)).ok()?.count());
    Some((count("task")?, count("fd")?))
}

fn cancelled() -> Seen {
    let stage = Stage::new();
    let session = Session::load(stage.desk.path("film.toml")).unwrap();
    let mut dice = Dice(3);
    let out = stage.desk.path("out.wav");
    // Over 16 MiB a thread of its own sends the file to the disk while it grows.
    stage.desk.wav("long.wav", 2, 48_000, 48_000 * 90, 100);
    let mut long = Session::new(session.rate, session.layout);
    long.add_track(Track::new("long", stage.desk.path("long.wav")));
    let run = |stop: u64, what: usize, threads: usize| {
        let mut blocks = 0;
        let mut asked = Instant::now();
        let watch = |_| {
            blocks += 1;
            if blocks >= stop {
                asked = Instant::now();
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        };
        let bounce = || Bounce::new().overwrite(true).threads(threads);
        let ended = match what {
            0 => bounce().progress(watch).run(&session, &out).map(drop),
            1 => Delivery::new()
                .overwrite(true)
                .threads(threads)
                .progress(watch)
                .run(&session)
                .map(drop),
            _ => bounce()
                .format(Format::WAV_32F)
                .progress(watch)
                .run(&long, &out)
                .map(drop),
        };
        let kind = ended.err().map(|e| e.kind());
        (blocks, asked.elapsed(), kind)
    };
    let all = [0, 1, 2].map(|what| run(u64::MAX, what, 2).0);
    let Some(before) = held_now() else {
        return skipped("no /proc");
    };
    let (mut worst, mut settled) = (Duration::ZERO, Duration::ZERO);
    let injected = times(36, 1000);
    for i in 0..injected {
        let what = i as usize % 3;
        stage.old();
        let stop = 1 + dice.upto(all[what]);
        let (_, took, kind) = run(stop, what, [1, 2, 8][i as usize / 3 % 3]);
        worst = worst.max(took);
        assert_eq!(kind, Some(ErrorKind::Cancelled), "at block {stop}");
        assert_eq!(
            (stage.new_files(), stage.left()),
            (0, Vec::new()),
            "at block {stop}"
        );
        // A thread that was joined may be listed for a moment more.
        let clock = Instant::now();
        let mut now = held_now().unwrap();
        while (now.0 > before.0 || now.1 > before.1) && clock.elapsed() < Duration::from_secs(5) {
            sleep(Duration::from_micros(200));
            now = held_now().unwrap();
        }
        settled = settled.max(clock.elapsed());
        assert!(
            now.0 <= before.0 && now.1 <= before.1,
            "threads and descriptors: {before:?}, then {now:?}"
        );
    }
    assert!(worst < Duration::from_secs(3), "{worst:?}");
    let (worst, settled) = (worst.as_millis(), settled.as_millis());
    held(
        injected,
        format!(
            "returned after at most {worst} ms; no temporary, thread or descriptor left ({settled} ms)"
        ),
    )
}
