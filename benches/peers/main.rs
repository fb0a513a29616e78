//! Compares whole mixdowns: the `mixdown` example and every other program found, on the same stems in one run.
//!
//! ```sh
//! cargo bench --bench peers                      # a minute of W1 and W2
//! cargo bench --bench peers -- --full            # W1 to W4, stems of four minutes
//! cargo bench --bench peers -- --film            # W5: 64 stems of an hour
//! cargo bench --bench peers -- --scale           # many stems, many hours, jumps
//! cargo bench --bench peers -- --help            # the rest
//! ```
//!
//! Programs take turns (A B C A B C ...), each in its own process, with a warm cache. Measured is the whole process: wall
//! time, processor time of all threads, peak memory. Ours also waits until the file is on the disk (fsync), which the others
//! do not; `--out` with a folder in memory shows the difference. All sums are compared with ours, and the run fails if they
//! differ by more than the bound of the workload.
//!
//! The stems are made by code on the first run, in `target/bench-work`: 2 GB for `--full`, 2 GB more for `--scale`, which
//! also writes 4 GB while it runs.

mod difference;
mod lower_bounds;
mod measure;
mod options;
mod peer;
mod rounds;
mod scale;
mod sparse;
mod workloads;

use options::Options;
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
            Some(lower_bounds::LOOPS) => return lower_bounds::loops(rest),
            Some(lower_bounds::COPY) => return lower_bounds::copy(rest),
            Some(lower_bounds::DECODE) => return lower_bounds::decode(rest),
            _ => {}
        }
    }
    if given.iter().any(|a| a == "--help" || a == "-h") {
        println!("{}", options::HELP);
        return ExitCode::SUCCESS;
    }
    if given.iter().all(|a| a != "--bench") {
        println!("peers: nothing to test; it measures under `cargo bench`");
        return ExitCode::SUCCESS;
    }
    let asked = Options::parse(given.into_iter().map(|a| a.to_string_lossy().into_owned()));
    match asked.and_then(|options| compete(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

/// Runs every requested comparison and returns whether all sums agree.
fn compete(options: &Options) -> Result<bool, String> {
    if options.workloads.is_empty() && !options.scale {
        return Ok(true);
    }
    let target = target()?;
    let ours = mixdown(&target)?;
    let tools = Tools::find(&target);
    let folder = target.join("bench-work");
    let out = options.out.clone().unwrap_or_else(|| folder.join("out"));
    fs::create_dir_all(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    println!("{}", machine());
    println!(
        "memory: copies {:.1} GB/s",
        lower_bounds::memory_bandwidth()
    );
    let peers: Vec<_> = tools.peers().map(|(p, _)| p.name.as_str()).collect();
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
        .for_each(|missing| println!("not installed: {missing}"));

    let (mut agree, mut at_one_rate) = (true, None);
    for name in &options.workloads {
        let work = match workloads::make(name, options.seconds, &folder, &tools) {
            Ok(work) => work,
            Err(why) => {
                println!("\n{name} skipped: {why}");
                continue;
            }
        };
        let result = rounds::run(&work, options, &tools, &ours, &out)?;
        agree &= result.agree;
        if *name == "W1" {
            at_one_rate = Some(result.cpu);
        }
        if let (true, Some(w1)) = (work.slower > 0, at_one_rate) {
            // A stem at the session's rate costs a 16th of W1.
            let more = (result.cpu - w1) / work.slower as f64 - w1 / 16.0;
            let of = more * 240.0 / options.seconds as f64;
            println!(
                "  CPU s of a 44.1 kHz stem of 240 s, more than at 48 kHz: {of:.3}  aim <= 0.25"
            );
        }
    }
    if options.scale {
        let folder = folder.join("scale-v1");
        Scale {
            ours: &ours,
            folder: &folder,
            out: &out,
            tools: &tools,
            runs: options.runs.unwrap_or(3),
        }
        .run()?;
    }
    Ok(agree)
}

/// Returns the target folder of cargo: this program is in its `release/deps`.
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
