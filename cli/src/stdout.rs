//! Prints results on stdout.

use crate::failure::Failure;
use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

/// Prints a result and a line break.
///
/// # Errors
/// `Print`, also for a closed pipe: a reader must not take a part of the result for the whole.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(Failure::Print)
}

/// Prints a table that shortens long names to the width of a terminal, and prints them whole elsewhere.
///
/// # Errors
/// As [`print`].
pub fn print_fitting(table: &impl Display) -> Result<(), Failure> {
    let columns = io::stdout()
        .is_terminal()
        .then(|| crossterm::terminal::size().ok())
        .flatten()
        .map(|(columns, _)| usize::from(columns))
        .filter(|columns| *columns > 0);
    let text = match columns {
        Some(columns) => format!("{table:columns$}"),
        None => table.to_string(),
    };
    print(text.trim_end())
}

/// Prints a line of a run. Its loss is no error, because the markers that the run writes hold the same.
pub fn print_if_read(line: &str) {
    // A closed pipe means that nobody reads on.
    let _ = writeln!(io::stdout().lock(), "{line}");
}
