//! Measures one run of a program: wall time, processor time and peak memory of the whole process, as the system counts.
//!
//! A process starts with the peak memory of the one that started it, so programs are started by a small child of
//! this bench, not by the bench itself, which may hold stems.

use std::{
    ffi::OsString,
    process::{Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};
use wait4::Wait4 as _;

/// The mode of the child.
pub const MEASURE: &str = "--child-measure";

#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Seconds from start to end.
    pub wall: f64,
    /// Seconds of all cores, the system's work for the process included.
    pub cpu: f64,
    /// The most memory it held, in MiB.
    pub peak: f64,
}

/// Runs a program once.
pub fn measure(command: &[OsString]) -> Result<Cost, String> {
    let me = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new(me)
        .arg(MEASURE)
        .args(command)
        .output()
        .map_err(|e| e.to_string())?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let last: Vec<_> = errors.lines().rev().take(3).collect();
        let last: Vec<_> = last.into_iter().rev().collect();
        return Err(format!(
            "{} failed: {}",
            command[0].display(),
            last.join(" / ")
        ));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text
        .split_whitespace()
        .map(|n| n.parse().map_err(|_| format!("not a figure: {n}")));
    let mut next = || {
        numbers
            .next()
            .unwrap_or(Err("a figure is missing".to_owned()))
    };
    Ok(Cost {
        wall: next()?,
        cpu: next()?,
        peak: next()?,
    })
}

/// Runs a command in the child process and prints the figures.
pub fn child(command: &[OsString]) -> ExitCode {
    let clock = Instant::now();
    let started = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn();
    let ended = started.and_then(|mut child| child.wait4());
    let wall = clock.elapsed().as_secs_f64();
    match ended {
        Ok(ended) if ended.status.success() => {
            let cpu = ended.rusage.utime + ended.rusage.stime;
            println!(
                "{wall} {} {}",
                cpu.as_secs_f64(),
                ended.rusage.maxrss as f64 / (1 << 20) as f64
            );
            ExitCode::SUCCESS
        }
        Ok(ended) => {
            eprintln!("{}", ended.status);
            ExitCode::FAILURE
        }
        Err(e) => {
            eprintln!("{}: {e}", command[0].display());
            ExitCode::FAILURE
        }
    }
}

/// Returns the middle of some figures; of an even number the mean of the two in the middle.
pub fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<_> = figures.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[half]
    } else {
        (sorted[half - 1] + sorted[half]) / 2.0
    }
}

/// Returns the number of free cores: the work of one busy thread on each core, divided by the work of one alone in the same
/// time. Below the number of cores something else is running, or they share what they compute with.
pub fn cores_free() -> f64 {
    let spin = || {
        let (clock, mut turns, mut state) = (Instant::now(), 0u64, 1u64);
        while clock.elapsed() < Duration::from_millis(300) {
            for _ in 0..1000 {
                state = std::hint::black_box(
                    state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1),
                );
            }
            turns += 1;
        }
        turns as f64
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let together = || {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..cores).map(|_| scope.spawn(spin)).collect();
            threads
                .into_iter()
                .filter_map(|t| t.join().ok())
                .sum::<f64>()
        })
    };
    // The best of three for one thread, as that is what a core can do.
    let one = (0..3).map(|_| spin()).fold(0.0, f64::max);
    median((0..3).map(|_| together())) / one
}
