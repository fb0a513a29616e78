//! Much of everything: thousands of tracks with few descriptors, hours with little memory, and no memory at all.

use crate::{
    outputs::{left, trace},
    table::{Row, Seen, held, missing, skipped, times},
};
use soundtrack_test_support::desk::{Desk, program};
use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
    time::Instant,
};

pub const ROWS: &[Row] = &[
    Row {
        section: "scale",
        fault: "1,000 tracks (full: 10,000), 256 descriptors",
        run: tracks,
    },
    Row {
        section: "scale",
        fault: "300 tracks (full: 1,000) of Ogg Vorbis",
        run: vorbis,
    },
    Row {
        section: "scale",
        fault: "hours: memory, and the last frame",
        run: hours,
    },
    Row {
        section: "scale",
        fault: "a day with a sound each quarter of an hour",
        run: day,
    },
    Row {
        section: "scale",
        fault: "beyond 2^31 frames",
        run: frames,
    },
    Row {
        section: "scale",
        fault: "out of memory: address space",
        run: space,
    },
    Row {
        section: "scale",
        fault: "out of memory: each request fails",
        run: requests,
    },
];

/// Result of a run under limits.
struct Run {
    code: Option<i32>,
    signal: Option<i32>,
    out: String,
    err: String,
    /// The most descriptors seen open.
    open: usize,
    /// Peak of resident memory.
    bytes: u64,
}

/// Runs the program after a shell has set its limits.
fn limited(desk: &Desk, limits: &str, arguments: &[&str]) -> Run {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{limits}; exec \"$0\" \"$@\"")])
        .arg(program())
        .args(arguments);
    // Into files: a pipe that nobody reads yet would stop it.
    let file = |name: &str| fs::File::create(desk.path(name)).unwrap();
    command
        .current_dir(desk.path(""))
        .stdin(Stdio::null())
        .stdout(file("stdout"))
        .stderr(file("stderr"));
    let mut child = command.spawn().unwrap();
    let folder = format!("/proc/{}/fd", child.id());
    let mut open = 0;
    std::thread::scope(|threads| {
        let watch = threads.spawn(|| wait4::Wait4::wait4(&mut child).unwrap());
        while !watch.is_finished() {
            open = fs::read_dir(&folder).map_or(open, |d| open.max(d.count()));
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let ended = watch.join().unwrap();
        let text =
            |name: &str| String::from_utf8_lossy(&fs::read(desk.path(name)).unwrap()).into_owned();
        let (out, err) = (text("stdout"), text("stderr"));
        fs::remove_file(desk.path("stdout")).unwrap();
        fs::remove_file(desk.path("stderr")).unwrap();
        let (code, signal) = (ended.status.code(), ended.status.signal());
        Run {
            code,
            signal,
            out,
            err,
            open,
            bytes: ended.rusage.maxrss,
        }
    })
}

/// Creates a folder of links to five stems in turn.
fn links(desk: &Desk, count: u64, ending: &str) {
    fs::create_dir(desk.path("many")).unwrap();
    for i in 0..count {
        let name = desk.path(format!("many/{i}.{ending}"));
        std::os::unix::fs::symlink(format!("../{}.{ending}", i % 5), name).unwrap();
    }
}

const MIX: [&str; 6] = ["many", "-o", "out.wav", "-q", "--force", "--progress=none"];

fn tracks() -> Seen {
    let desk = Desk::new();
    let count = times(1000, 10_000);
    // Seconds of them, so that all are open at once as far as that is possible.
    (0..5).for_each(|i| desk.wav(format!("{i}.wav"), 1, 48_000, 3 * 48_000, i + 1));
    links(&desk, count, "wav");
    let run = limited(
        &desk,
        "ulimit -n 256",
        &[&MIX[..], &["--layout=mono"]].concat(),
    );
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.open <= 200, "{} open", run.open);
    let mut wav = hound::WavReader::open(desk.path("out.wav")).unwrap();
    // Of five stems 1 to 5 of 2^15, the fifth part of the tracks each.
    let sum = i32::try_from(count / 5 * 15 * 256).unwrap();
    assert_eq!(wav.duration(), 3 * 48_000);
    assert!(
        wav.samples::<i32>()
            .all(|s| s.unwrap() == sum.min((1 << 23) - 1))
    );
    held(
        count,
        format!(
            "the exact sum; at most {} descriptors, {} MiB",
            run.open,
            run.bytes >> 20
        ),
    )
}

fn vorbis() -> Seen {
    let desk = Desk::new();
    // Each decoder that is open has its tables: 1.8 MiB.
    let count = times(300, 1000);
    for i in 0..5 {
        let (wav, peak) = (format!("{i}.wav"), f64::from(1000 + i));
        desk.tone(&wav, 1, 48_000, peak);
        let made = Command::new("oggenc")
            .arg("-Q")
            .arg(desk.path(&wav))
            .status();
        if !made.is_ok_and(|s| s.success()) {
            return missing("oggenc is not installed");
        }
    }
    links(&desk, count, "ogg");
    let run = limited(
        &desk,
        "ulimit -n 256",
        &[&MIX[..], &["--format=wav32f"]].concat(),
    );
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.open <= 200, "{} open", run.open);
    assert_eq!(
        hound::WavReader::open(desk.path("out.wav"))
            .unwrap()
            .duration(),
        48_000
    );
    held(
        count,
        format!(
            "whole; at most {} descriptors, {} MiB",
            run.open,
            run.bytes >> 20
        ),
    )
}

/// Writes a sparse mono stem of 16 bits at 48 kHz: silence, and half of full scale in the last frame.
fn sparse(desk: &Desk, name: &str, frames: u64) -> bool {
    desk.wav(name, 1, 48_000, 0, 0);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .open(desk.path(name))
        .unwrap();
    // Beyond 4 GiB the placeholder of writers that do not know the length.
    let data = u32::try_from(frames * 2).unwrap_or(u32::MAX);
    for (at, size) in [(4, data.saturating_add(36)), (40, data)] {
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(&size.to_le_bytes()).unwrap();
    }
    let end = 44 + frames * 2;
    let done = file
        .set_len(end)
        .and_then(|()| file.seek(SeekFrom::Start(end - 2)))
        .map(drop);
    done.and_then(|()| file.write_all(&[0, 0x40])).is_ok()
}

const HOURS: u64 = 10 * 3600 * 48_000;

fn hours() -> Seen {
    let desk = Desk::new();
    if !sparse(&desk, "long.wav", HOURS) {
        return skipped("no sparse files here");
    }
    let run = |range: &str| {
        let run = limited(
            &desk,
            ":",
            &[
                "long.wav",
                "--check",
                "--json",
                "--progress=none",
                "--range",
                range,
            ],
        );
        assert_eq!(run.code, Some(0), "{}", run.err);
        let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        (run.bytes >> 10, report)
    };
    let (minute, _) = run("0s..60s");
    let minutes = times(10, 600);
    let (long, report) = run(&format!("{}s..36000s", 36_000 - minutes * 60));
    assert_eq!(report["frames"].as_u64(), Some(minutes * 60 * 48_000));
    assert_eq!(
        report["mix"]["peak_at_frame"].as_u64(),
        Some(HOURS - 1),
        "{}",
        report["mix"]
    );
    let grown = long as i64 - minute as i64;
    assert!(grown < 5 << 10, "{grown} KiB more");
    held(
        minutes,
        format!(
            "minutes of a 10-hour stem: {grown:+} KiB beside one minute, the impulse on the last frame"
        ),
    )
}

const QUARTERS: u64 = 24 * 4;

/// Writes a session of 24 hours at 48 kHz. In each quarter of an hour a stem of one frame, of a level of its own, sounds in the
/// last frame; the clips come from one stem of the levels in turn.
fn sparse_day(desk: &Desk) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(desk.path("levels.wav"), spec).unwrap();
    let levels = i16::try_from(QUARTERS).unwrap();
    (1..=levels).for_each(|level| wav.write_sample(level * 256).unwrap());
    wav.finalize().unwrap();
    let mut session = "rate = 48000\nlayout = \"mono\"\n[track.sounds.clip]\n".to_owned();
    for quarter in 0..QUARTERS {
        let at = (quarter + 1) * 900 * 48_000 - 1;
        session += &format!(
            "{quarter} = {{ file = \"levels.wav\", at = \"{at} frames\", from = \"{quarter} frames\", length = \"1 frames\" }}\n"
        );
    }
    fs::write(desk.path("day.toml"), session).unwrap();
}

fn day() -> Seen {
    let desk = Desk::new();
    sparse_day(&desk);
    let run = |range: &str| {
        let arguments = [
            "day.toml",
            "--check",
            "--json",
            "--progress=none",
            "--range",
        ];
        let start = Instant::now();
        let run = limited(&desk, ":", &[&arguments[..], &[range]].concat());
        assert_eq!(run.code, Some(0), "{}", run.err);
        let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
        (run.bytes >> 10, start.elapsed().as_secs_f64(), report)
    };
    // The loudest frame of a range is the last of its quarter, on its frame.
    let peak = |report: &serde_json::Value, quarter: u64| {
        let peak = 20.0 * (f64::from(u16::try_from(quarter).unwrap()) / 128.0).log10();
        let stated = report["mix"]["peak_dbfs"].as_f64().unwrap();
        assert!((stated - peak).abs() < 1e-6, "{stated}, not {peak}");
        assert_eq!(
            report["mix"]["peak_at_frame"].as_u64(),
            Some(quarter * 900 * 48_000 - 1),
            "{}",
            report["mix"]
        );
    };
    let (minute, _, first) = run("840s..900s");
    peak(&first, 1);
    // The last minute of the day, and then as much before it as is asked for.
    let (last, seconds, report) = run("86340s..86400s");
    peak(&report, QUARTERS);
    assert!(seconds < 10.0, "{seconds} s for the last minute of a day");
    let hours = times(1, 24);
    let (long, _, report) = run(&format!("{}s..86400s", 86_400 - hours * 3600));
    peak(&report, QUARTERS);
    assert_eq!(report["frames"].as_u64(), Some(hours * 3600 * 48_000));
    let grown = last.max(long) as i64 - minute as i64;
    assert!(grown < 5 << 10, "{grown} KiB more");
    held(
        hours * 4,
        format!(
            "sounds in {hours} h on their frames: {grown:+} KiB beside one minute; the last minute in {seconds:.1} s"
        ),
    )
}

fn frames() -> Seen {
    let desk = Desk::new();
    let frames = (1u64 << 31) + 4_800_000;
    if !sparse(&desk, "long.wav", frames) {
        return skipped("no sparse files here");
    }
    let from = if times(0, 1) == 0 {
        (1u64 << 31) - 4_800_000
    } else {
        0
    };
    let range = format!("{from} frames..{frames} frames");
    let run = limited(
        &desk,
        ":",
        &[
            "long.wav",
            "--check",
            "--json",
            "--progress=none",
            "--range",
            &range,
        ],
    );
    assert_eq!(run.code, Some(0), "{}", run.err);
    let report: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(
        report["mix"]["peak_at_frame"].as_u64(),
        Some(frames - 1),
        "{}",
        report["mix"]
    );
    assert_eq!(report["frames"].as_u64(), Some(frames - from));
    held(
        1,
        format!(
            "the impulse at frame {}; {} MiB",
            frames - 1,
            run.bytes >> 20
        ),
    )
}

/// Runs the program without memory over an old output, and checks the output afterwards.
fn starved(
    desk: &Desk,
    whole: &[u8],
    what: &str,
    code: Option<i32>,
    signal: Option<i32>,
    err: &str,
) -> bool {
    let now = fs::read(desk.path("out.wav")).unwrap();
    // No panic ends the program; the runtime has one of its own while it starts a thread, and aborts with it.
    assert!(code != Some(101), "{what}: {code:?} {err}");
    // SIGABRT is how Rust says that there is no memory; SIGSEGV how the system says that there is no stack.
    assert!(
        code.is_some() || matches!(signal, Some(6 | 11)),
        "{what}: {signal:?} {err}"
    );
    assert!(
        if code == Some(0) {
            now == whole
        } else {
            now == b"precious"
        },
        "{what}: {code:?} {err}"
    );
    let left = left(&desk.path(""));
    assert!(
        left.len() <= 1 && (left.is_empty() || code.is_none()),
        "{what}: {left:?} {err}"
    );
    // The next run may fail before it begins and clean nothing, so one that goes well comes between.
    if !left.is_empty() {
        desk.run(&SMALL).expect(0, "");
        assert!(
            self::left(&desk.path("")).is_empty(),
            "{what}: the next run leaves it"
        );
    }
    code == Some(0)
}

const SMALL: [&str; 7] = [
    "a.wav",
    "b.wav",
    "-o",
    "out.wav",
    "--force",
    "-q",
    "--threads=2",
];

fn space() -> Seen {
    let desk = Desk::with_tones();
    desk.run(&SMALL).expect(0, "");
    let whole = fs::read(desk.path("out.wav")).unwrap();
    let (mut injected, mut held_out) = (0, 0);
    for mib in (1..=times(32, 200)).step_by(times(2, 1) as usize) {
        desk.write("out.wav", "precious");
        let run = limited(&desk, &format!("ulimit -v {}", mib << 10), &SMALL);
        held_out += u64::from(starved(
            &desk,
            &whole,
            &format!("{mib} MiB"),
            run.code,
            run.signal,
            &run.err,
        ));
        injected += 1;
    }
    held(
        injected,
        format!("from 1 MiB up: {held_out} whole, else an error or an abort with the old file"),
    )
}

fn requests() -> Seen {
    if let Some(why) = trace::missing() {
        return missing(why);
    }
    let desk = Desk::with_tones();
    desk.run(&SMALL).expect(0, "");
    let whole = fs::read(desk.path("out.wav")).unwrap();
    let (mut injected, mut whole_runs) = (0, 0);
    for call in ["mmap", "brk", "mprotect", "/^clone"] {
        let count = trace::calls(&desk, call, &SMALL).len();
        for nth in (1..=count).step_by(times(3, 1) as usize) {
            desk.write("out.wav", "precious");
            let (code, signal, err) = trace::ended(&desk, call, "error=ENOMEM", nth, &SMALL);
            let what = format!("{call} {nth}");
            whole_runs += u64::from(starved(&desk, &whole, &what, code, signal, &err));
            injected += 1;
        }
    }
    held(
        injected,
        format!(
            "{whole_runs} whole, else an error or an abort with the old file; the next run cleans"
        ),
    )
}
