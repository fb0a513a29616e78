//! Why the program ends without a mix, and the exit code that says so.

use super::voice::Voice;
use soundtrack::{Error, ErrorKind, Problem};
use std::{error::Error as _, io, iter};

pub const USAGE: u8 = 2;
const SESSION: u8 = 3;
const STEM: u8 = 4;
pub const OUTPUT: u8 = 5;
pub const TEMPORARY: u8 = 75;

/// Why there is no mix, or no table.
pub enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// The library refuses; with what to do about it.
    Audio(Error, Vec<String>),
    /// The result cannot be printed.
    Print(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Audio(error, Vec::new())
    }
}

impl Failure {
    /// Says what went wrong, and gives the exit code.
    pub fn tell(&self, voice: Voice) -> u8 {
        match self {
            Self::Usage(what) => {
                voice.error(what, "usage");
                USAGE
            }
            Self::Print(e) => {
                voice.error(&format!("the result cannot be printed: {e}"), "output");
                OUTPUT
            }
            Self::Audio(error, hints) => {
                if error.problems().is_empty() {
                    voice.error(&error.to_string(), word(error.kind()));
                }
                for problem in error.problems() {
                    voice.problem(problem, word(problem.error_kind()));
                }
                hints.iter().for_each(|h| voice.hint(h));
                exit_code(error)
            }
        }
    }
}

/// The exit code of an error.
pub fn exit_code(error: &Error) -> u8 {
    let kinds = || iter::once(error.kind()).chain(error.problems().iter().map(Problem::error_kind));
    if kinds().any(|k| k == ErrorKind::Transient) {
        return TEMPORARY;
    }
    // The problems of a session say more than the kind they have together.
    let own = error.problems().is_empty().then(|| error.kind());
    let kinds = || {
        own.into_iter()
            .chain(error.problems().iter().map(Problem::error_kind))
    };
    if kinds().any(|k| matches!(k, ErrorKind::Session | ErrorKind::InvalidArgument)) {
        SESSION
    } else if kinds().any(|k| {
        matches!(
            k,
            ErrorKind::Output | ErrorKind::Device | ErrorKind::Resource
        )
    }) {
        OUTPUT
    } else {
        STEM
    }
}

/// Whether this process had as many files open as its limit allows.
pub fn too_many_files(error: &Error) -> bool {
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

/// What an error of a kind is called.
pub fn word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Session => "session",
        ErrorKind::NotFound => "not found",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::Corrupt => "corrupt",
        ErrorKind::Device => "device",
        ErrorKind::Output => "output",
        ErrorKind::InvalidArgument => "invalid argument",
        ErrorKind::Resource => "resource",
        ErrorKind::Transient => "transient",
        ErrorKind::Cancelled => "cancelled",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_code() {
        let code = |kind| exit_code(&Error::new(kind, ""));
        use ErrorKind::*;
        let codes = [Session, NotFound, Unsupported, Corrupt, Device, Output].map(code);
        assert_eq!(codes, [3, 4, 4, 4, 5, 5]);
        assert_eq!([InvalidArgument, Resource, Transient].map(code), [3, 5, 75]);
        let busy = Error::new(Output, "").because(io::Error::from(io::ErrorKind::ResourceBusy));
        assert_eq!(exit_code(&busy), 75);
        let full = Error::new(Output, "").because(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(exit_code(&full), 5);
    }
}
