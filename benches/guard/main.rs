//! Counts the instructions of ten fixed works, and compares them with the counts that are kept in `counts.tsv`.
//!
//! ```sh
//! cargo bench --bench guard               # needs valgrind
//! cargo bench --bench guard -- --update   # keeps the new counts
//! ```
//!
//! Instructions do not depend on what else the machine does, so a change of a few percent shows, which no clock would.
//! They depend on the compiler and on the vector instructions of the processor: update the counts before a change, and
//! compare after it, on one machine. A work runs once and three times in processes of its own, on one thread; half the
//! difference is the count.

mod works;

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};
use works::WORKS;

/// Difference from the kept count above which a work is marked, in percent.
const NOTABLE_PERCENT: f64 = 2.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [flag, name, times] = &arguments[..]
        && flag == "--work"
    {
        works::run(name, times.parse().expect("a number of times"));
        return ExitCode::SUCCESS;
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("guard: nothing to test; it measures under `cargo bench`");
        return ExitCode::SUCCESS;
    }
    let update = arguments.iter().any(|argument| argument == "--update");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/guard/counts.tsv");
    let kept = read(&path);
    let mut counts = Vec::new();
    println!("work                      million instructions    kept  change");
    for (name, _) in WORKS {
        let Some(count) = count(name) else {
            eprintln!(
                "guard: valgrind is missing or cannot run here: install the package valgrind"
            );
            return ExitCode::FAILURE;
        };
        let million = count as f64 / 1e6;
        match kept.get(name) {
            Some(kept) => {
                let change = 100.0 * (million / kept - 1.0);
                let mark = if change.abs() > NOTABLE_PERCENT {
                    "  <"
                } else {
                    ""
                };
                println!("{name:<25} {million:>20.2} {kept:>7.2} {change:>+6.1}%{mark}");
            }
            None => println!("{name:<25} {million:>20.2}       -"),
        }
        counts.push(format!("{name}\t{million:.2}\n"));
    }
    if update {
        std::fs::write(&path, counts.concat()).expect("room for the counts");
    }
    ExitCode::SUCCESS
}

/// Reads the kept counts, in millions.
fn read(path: &PathBuf) -> BTreeMap<String, f64> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = |line: &str| {
        let (name, count) = line.split_once('\t')?;
        Some((name.to_owned(), count.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

/// Returns the instructions of one run of a work; `None` where they cannot be counted.
fn count(name: &str) -> Option<u64> {
    let total = |times: &str| {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(env::current_exe().ok()?)
            .args(["--work", name, times])
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let line = text.lines().find(|line| line.contains("Collected :"))?;
        line.rsplit(' ').next()?.parse::<u64>().ok()
    };
    let (one, three) = (total("1")?, total("3")?);
    Some(three.saturating_sub(one) / 2)
}
