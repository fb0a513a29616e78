//! Errors: one opaque type whose kind says what the caller can do, and the problems of a session as data.
//!
//! End of media, clipped samples and lenient repairs are values in the report, not errors.

mod problem;
mod subject;

pub(crate) use problem::HIGHEST_GAIN_DB;
pub use problem::{GainControl, Number, Problem, ProblemKind, SourceLocation};
pub use subject::Subject;

use std::{error::Error as StdError, fmt, io};

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The session is wrong: fix it; [`Error::problems`] lists everything found.
    Session,
    /// A file is not there: correct the path.
    NotFound,
    /// A file is of a kind this crate does not read or write: convert it, or name it otherwise.
    Unsupported,
    /// A file is damaged: replace it, or render leniently.
    Corrupt,
    /// The output device is missing, busy or gone.
    Device,
    /// The output cannot be written: disk full, path refused.
    Output,
    /// An argument of the call is wrong: a range that ends before it starts, a block of another layout.
    InvalidArgument,
    /// Memory, file descriptors or threads do not suffice: ask for less, or raise the limit.
    Resource,
    /// A store or a file system does not answer or is busy: try again later.
    Transient,
    /// The caller asked to stop.
    Cancelled,
}

impl ErrorKind {
    /// Returns the kind that follows from a cause alone, where the cause decides it.
    fn of_cause(cause: &(dyn StdError + 'static)) -> Option<Self> {
        let mut next = Some(cause);
        while let Some(cause) = next {
            if let Some(kind) = cause.downcast_ref::<io::Error>().and_then(Self::of_io) {
                return Some(kind);
            }
            next = cause.source();
        }
        None
    }

    /// Returns the kind that follows from a system error alone, where it decides it.
    pub(crate) fn of_io(error: &io::Error) -> Option<Self> {
        use io::ErrorKind::{
            ConnectionReset, HostUnreachable, Interrupted, NotConnected, OutOfMemory, ResourceBusy,
            TimedOut, WouldBlock,
        };
        // ENFILE (all files of the system) and EMFILE (those of this process) have no kind of their own.
        match error.raw_os_error().filter(|_| cfg!(unix)) {
            Some(23) => return Some(Self::Transient),
            Some(24) => return Some(Self::Resource),
            _ => {}
        }
        match error.kind() {
            Interrupted | ResourceBusy | TimedOut | WouldBlock => Some(Self::Transient),
            // The errors of an object store that was lost or never reached.
            ConnectionReset | HostUnreachable | NotConnected => Some(Self::Transient),
            OutOfMemory => Some(Self::Resource),
            _ => None,
        }
    }
}

/// Characters that a column of a table is padded to at most. Wider columns help no reader, cost memory for every row, and
/// the formatter panics beyond 65,535.
pub(crate) const MAX_WIDTH: usize = 120;

/// The text with escapes for control characters, so that no name can break a line or command a terminal.
pub(crate) fn one_line(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let escaped = |c: char| {
        if c.is_control() {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(escaped).collect()
}

/// The error of every fallible call: a kind, a message that names the track, the file and the place, and a cause.
///
/// ```
/// use soundtrack::{Error, ErrorKind};
/// let e = Error::new(ErrorKind::Corrupt, "vox.mp3: damaged at 00:01:02.345").in_track("vox");
/// assert_eq!(e.to_string(), "track \"vox\": vox.mp3: damaged at 00:01:02.345");
/// assert_eq!(e.kind(), ErrorKind::Corrupt);
/// ```
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    what: String,
    problems: Vec<Problem>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of a kind, with a message. Programs that bring their own source or sink make theirs so. A message is one
    /// line: control characters in it, as file names can have them, become escapes.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: one_line(what.into()),
            problems: Vec::new(),
            source: None,
        }
    }

    /// Sets the cause. The message should already say what the cause says.
    ///
    /// A system error among the causes that may pass makes the error [`Transient`](ErrorKind::Transient), and one that
    /// lacks memory or descriptors makes it [`Resource`](ErrorKind::Resource).
    ///
    /// ```
    /// use soundtrack::{Error, ErrorKind};
    /// let busy = std::io::Error::from(std::io::ErrorKind::ResourceBusy);
    /// assert_eq!(Error::new(ErrorKind::Output, "busy").because(busy).kind(), ErrorKind::Transient);
    /// ```
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let cause = cause.into();
        // A thread that cannot be started fails with EAGAIN, which says nothing about later.
        if !matches!(self.kind, ErrorKind::Resource | ErrorKind::Cancelled) {
            self.kind = ErrorKind::of_cause(cause.as_ref()).unwrap_or(self.kind);
        }
        self.source = Some(cause);
        self
    }

    /// The same error, its message led by the name of the track it happened in.
    #[must_use]
    pub fn in_track(mut self, name: &str) -> Self {
        self.what = format!("track {name:?}: {}", self.what);
        self
    }

    /// The same error, its message led by what it happened in.
    pub(crate) fn within(mut self, who: impl fmt::Display) -> Self {
        self.what = format!("{who}: {}", self.what);
        self
    }

    /// All problems of a session at once. The kind is that of the problems if they share one, else `Session`.
    pub(crate) fn session(problems: Vec<Problem>) -> Self {
        let kind = match problems.split_first() {
            Some((first, rest)) if rest.iter().all(|p| p.error_kind() == first.error_kind()) => {
                first.error_kind()
            }
            _ => ErrorKind::Session,
        };
        let what = problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n");
        Self {
            kind,
            what,
            problems,
            source: None,
        }
    }

    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the kind of the system error that is its cause, such as `AlreadyExists` for an output that exists.
    #[must_use]
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        let mut next = StdError::source(self);
        while let Some(cause) = next {
            if let Some(e) = cause.downcast_ref::<io::Error>() {
                return Some(e.kind());
            }
            next = cause.source();
        }
        None
    }

    /// Everything that is wrong with the session; empty for errors of other origin.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The same error as one of a session's problems.
    pub(crate) fn as_problem(&self) -> Problem {
        Problem::about(Subject::Session, self.kind, self.what.clone())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_ref()
            .map(|e| e.as_ref() as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_whatever_a_file_is_called() {
        let error =
            Error::new(ErrorKind::NotFound, "a\nb\u{1b}[2J\u{7f}é🎺.wav: gone").in_track("x\ny");
        assert_eq!(
            error.to_string(),
            "track \"x\\ny\": a\\nb\\u{1b}[2J\\u{7f}é🎺.wav: gone"
        );
        assert_eq!(Problem::new("\r").sentence(), "\\r");
    }
}
