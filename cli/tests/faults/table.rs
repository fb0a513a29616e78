//! Runs rows and prints them as a table. A row that panics has failed; nothing else can make it pass or fail.

use soundtrack_test_support::requirement;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    time::Instant,
};

/// Result of a row that held.
pub enum Seen {
    /// The fault was injected so many times, and what came of it.
    Held { injected: u64, result: String },
    /// The machine cannot inject this fault, and why.
    Skipped(String),
}

/// Returns the figures of a row that held.
pub fn held(injected: u64, result: impl Into<String>) -> Seen {
    Seen::Held {
        injected,
        result: result.into(),
    }
}

/// Returns a row that this machine cannot run.
pub fn skipped(why: impl Into<String>) -> Seen {
    Seen::Skipped(why.into())
}

/// Returns a row whose program or data is missing, which fails if `SOUNDTRACK_REQUIRE=1` is set.
pub fn missing(what: impl Into<String>) -> Seen {
    let what = what.into();
    requirement::missing(&what);
    Seen::Skipped(what)
}

/// One fault.
pub struct Row {
    /// `inputs`, `outputs`, `live`, `scale`, `sessions` or `determinism`.
    pub section: &'static str,
    /// The fault, in a few words.
    pub fault: &'static str,
    /// Injects it and asserts what must hold.
    pub run: fn() -> Seen,
}

/// Returns the number of injections: the everyday one, or that of a release.
pub fn times(everyday: u64, full: u64) -> u64 {
    if std::env::var("SOUNDTRACK_FAULTS").is_ok_and(|v| v == "full") {
        full
    } else {
        everyday
    }
}

/// Runs the rows of some modules, those that the command line asks for.
pub fn run(modules: &[&[Row]]) -> ExitCode {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let listing = std::env::args().any(|a| a == "--list");
    let (mut failed, mut ran) = (0, 0);
    if !listing {
        println!(
            "{:<12} {:<44} {:>9} {:>7}  result",
            "section", "fault", "injected", "s"
        );
    }
    for row in modules.iter().flat_map(|m| m.iter()) {
        if !wanted.is_empty()
            && !wanted
                .iter()
                .any(|w| row.section.contains(w.as_str()) || row.fault.contains(w.as_str()))
        {
            continue;
        }
        if listing {
            println!("{}: {}: test", row.section, row.fault);
            continue;
        }
        let start = Instant::now();
        let seen = catch_unwind(AssertUnwindSafe(row.run));
        let seconds = start.elapsed().as_secs_f64();
        ran += 1;
        let (injected, result) = match seen {
            Ok(Seen::Held { injected, result }) => (injected.to_string(), result),
            Ok(Seen::Skipped(why)) => ("skipped".to_owned(), why),
            Err(_) => {
                failed += 1;
                ("FAILED".to_owned(), "see the message above".to_owned())
            }
        };
        println!(
            "{:<12} {:<44} {injected:>9} {seconds:>7.2}  {result}",
            row.section, row.fault
        );
    }
    if !listing {
        println!("{ran} rows, {failed} failed");
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
