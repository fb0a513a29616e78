//! The error of the programs: printed with hints, and turned into an exit code.

use crate::{exit_code, json, messages::Messages};
use serde_json::{Value, json};
use soundtrack::{Error, ErrorKind, Problem};
use std::{error::Error as _, io};

/// Reason why a program ends without its result.
pub enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// The library returned an error; the hints say what the user can do about it.
    Library(Error, Vec<String>),
    /// The result could not be printed on stdout.
    Print(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error, Vec::new())
    }
}

impl Failure {
    /// Prints the failure on stderr and returns the exit code.
    pub fn print(&self, messages: Messages) -> u8 {
        match self {
            Self::Usage(text) => {
                messages.error(text, "usage");
                exit_code::USAGE
            }
            Self::Print(e) => {
                messages.error(&format!("the result cannot be printed: {e}"), "output");
                exit_code::OUTPUT
            }
            Self::Library(error, hints) => {
                if error.problems().is_empty() {
                    messages.error(&error.to_string(), &error.kind().to_string());
                }
                for problem in error.problems() {
                    messages.problem(problem, &problem.error_kind().to_string());
                }
                for hint in hints {
                    messages.hint(hint);
                }
                exit_code::of_error(error)
            }
        }
    }
}

impl Failure {
    /// Prints the failure as one JSON document on stdout, where a result would be.
    ///
    /// Nothing is printed if stdout is what failed.
    pub fn print_document(&self) {
        if !matches!(self, Self::Print(_)) {
            // The messages on stderr say the same.
            let _ = json::print(self.to_json());
        }
    }

    fn to_json(&self) -> Value {
        let (kind, text, code) = match self {
            Self::Usage(text) => ("usage".to_owned(), text.clone(), exit_code::USAGE),
            Self::Print(e) => (
                ErrorKind::Output.to_string(),
                e.to_string(),
                exit_code::OUTPUT,
            ),
            Self::Library(error, _) => (
                error.kind().to_string(),
                error.to_string(),
                exit_code::of_error(error),
            ),
        };
        let (problems, hints): (Vec<Value>, &[String]) = match self {
            Self::Library(error, hints) => (
                error.problems().iter().map(problem_to_json).collect(),
                hints,
            ),
            _ => (Vec::new(), &[]),
        };
        json!({
            "error": { "kind": kind, "text": text, "problems": problems, "hints": hints },
            "exit_code": code
        })
    }
}

/// Returns a problem of a session with its place in the file, if it has one.
pub fn problem_to_json(problem: &Problem) -> Value {
    let place = problem.span.as_ref().map(|place| {
        json!({ "file": place.file.to_string_lossy(), "line": place.line, "column": place.column })
    });
    json!({
        "kind": problem.error_kind().to_string(), "text": problem.sentence(), "place": place
    })
}

/// Returns whether an error was caused by the limit of open files of this process.
pub fn is_out_of_file_handles(error: &Error) -> bool {
    const EMFILE: i32 = 24;
    let mut cause = error.source();
    while let Some(e) = cause {
        if e.downcast_ref::<io::Error>()
            .is_some_and(|e| cfg!(unix) && e.raw_os_error() == Some(EMFILE))
        {
            return true;
        }
        cause = e.source();
    }
    false
}
