//! Whole mixdowns, head to head: the `mixdown` example against every ffmpeg and SoX found, on the same stems in one run.
//!
//! ```sh
//! cargo bench --bench peers                      # a minute of W1 and W2
//! cargo bench --bench peers -- --full            # W1 to W4, stems of four minutes
//! cargo bench --bench peers -- --film            # W5: 64 stems of an hour
//! cargo bench --bench peers -- --scale           # many stems, many hours, jumps
//! cargo bench --bench peers -- --help            # the rest
//! ```
//!
//! Programs take turns (A B C A B C ...), each in a process of its own, from a warm cache. What counts is the whole
//! process: wall time, processor time of all its threads, the most memory it held. Ours also waits for the disk to have
//! the file (fsync), which the others do not; `--out` with a folder in memory shows the difference. All sums are compared
//! with ours, and the run fails where they differ by more than the work's bound.
//!
//! The stems are made by code on the first run, in `target/bench-work`: 2 GB for `--full`, 2 GB more for `--scale`, which
//! also writes 4 GB while it runs.

mod ask;
mod compare;
mod limits;
mod measure;
mod peer;
mod race;
mod scale;
mod sparse;
mod works;

use ask::Ask;
use peer::Tools;
use scale::Scale;
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::SystemTime,
};

fn main() -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some((mode, rest)) = given.split_first() {
        match mode.to_str() {
            Some(measure::MEASURE) => return measure::child(rest),
            Some(limits::LOOPS) => return limits::loops(rest),
            Some(limits::DECODE) => return limits::decode(rest),
            _ => {}
        }
    }
    if given.iter().any(|a| a == "--help" || a == "-h") {
        println!("{}", ask::HELP);
        return ExitCode::SUCCESS;
    }
    if given.iter().all(|a| a != "--bench") {
        println!("peers: nothing to test; it measures under `cargo bench`");
        return ExitCode::SUCCESS;
    }
    let asked = Ask::parse(given.into_iter().map(|a| a.to_string_lossy().into_owned()));
    match asked.and_then(|ask| compete(&ask)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

/// Runs every requested comparison and returns whether all sums agree.
fn compete(ask: &Ask) -> Result<bool, String> {
    if ask.works.is_empty() && !ask.scale {
        return Ok(true);
    }
    let target = target()?;
    let ours = mixdown(&target)?;
    let tools = Tools::find();
    let folder = target.join("bench-work");
    let out = ask.out.clone().unwrap_or_else(|| folder.join("out"));
    fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    println!("{}", machine());
    let peers: Vec<_> = tools
        .ffmpegs
        .iter()
        .chain(&tools.sox)
        .map(|p| p.name.as_str())
        .collect();
    println!("mixdown: {}", ours.display());
    println!(
        "peers: {}",
        if peers.is_empty() {
            "none; mixdown runs alone".to_owned()
        } else {
            peers.join(", ")
        }
    );
    tools
        .missing()
        .iter()
        .for_each(|missing| println!("not here: {missing}"));

    let (mut agree, mut at_one_rate) = (true, None);
    for name in &ask.works {
        let work = match works::make(name, ask.seconds, &folder, &tools) {
            Ok(work) => work,
            Err(why) => {
                println!("\n{name} left out: {why}");
                continue;
            }
        };
        let shown = race::race(&work, ask, &tools, &ours, &out)?;
        agree &= shown.agree;
        if *name == "W1" {
            at_one_rate = Some(shown.cpu);
        }
        if let (true, Some(w1)) = (work.slower > 0, at_one_rate) {
            // What a stem at the session's rate costs is W1 shared by its 16.
            let more = (shown.cpu - w1) / work.slower as f64 - w1 / 16.0;
            let of = more * 240.0 / ask.seconds as f64;
            println!(
                "  CPU s of a 44.1 kHz stem of 240 s, more than at 48 kHz: {of:.3}  aim <= 0.25"
            );
        }
    }
    if ask.scale {
        let folder = folder.join("scale-v1");
        Scale {
            ours: &ours,
            folder: &folder,
            out: &out,
            tools: &tools,
            runs: ask.runs.unwrap_or(3),
        }
        .run()?;
    }
    Ok(agree)
}

/// Returns the folder that cargo builds into: this program is in `release/deps` of it.
fn target() -> Result<PathBuf, String> {
    let me = std::env::current_exe().map_err(|e| e.to_string())?;
    me.ancestors()
        .nth(3)
        .map(Path::to_owned)
        .ok_or_else(|| format!("{} is in no target folder", me.display()))
}

/// Builds the example in release mode, so that no old build is measured, and returns its path.
fn mixdown(target: &Path) -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os("MIXDOWN") {
        return Ok(named.into());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .args([
            "build",
            "--release",
            "--quiet",
            "--example",
            "mixdown",
            "--target-dir",
        ])
        .arg(target);
    build.current_dir(env!("CARGO_MANIFEST_DIR"));
    let built = build.status().map_err(|e| format!("cargo: {e}"))?;
    let program = target
        .join("release/examples/mixdown")
        .with_extension(std::env::consts::EXE_EXTENSION);
    if built.success() {
        Ok(program)
    } else {
        Err("the mixdown example does not build".to_owned())
    }
}

/// Returns day, processor and compiler.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find(|l| l.starts_with("model name"))
        .and_then(|l| l.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc
        .map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
        .unwrap_or_default();
    let seconds = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |d| d.as_secs());
    let model = model.unwrap_or(std::env::consts::ARCH);
    format!(
        "{}, {model}, {cores} cores, {}, {rustc}",
        date(seconds / 86_400),
        std::env::consts::OS
    )
}

/// Returns the date of a day counted from 1970, by the proleptic Gregorian calendar.
fn date(days: u64) -> String {
    // Years begin in March, so that the leap day is the last.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    format!(
        "{:04}-{month:02}-{date:02}",
        era * 400 + year + u64::from(month <= 2)
    )
}
