//! Error type of the crate, and the problems of a session as data.
//!
//! End of media, clipped samples and tolerated faults are values in the report, not errors.

mod problem;
mod subject;

pub(crate) use problem::HIGHEST_GAIN_DB;
pub use problem::{GainControl, Number, Problem, ProblemKind, SourceLocation};
pub use subject::Subject;

use std::{error::Error as StdError, fmt, io};

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Class of an [`Error`], by what the caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The session is invalid: correct it. [`Error::problems`] lists all problems.
    Session,
    /// A file does not exist: correct the path.
    NotFound,
    /// The format of a file is not supported: convert the file, or choose another name.
    Unsupported,
    /// A file is damaged: replace it, or render with tolerance of faults.
    Corrupt,
    /// The output device is missing, busy or disconnected.
    Device,
    /// The output cannot be written, for example because the disk is full or the path is refused.
    Output,
    /// An argument is invalid, for example a range that ends before it starts, or a block of
    /// another layout.
    InvalidArgument,
    /// Not enough memory, file descriptors or threads: reduce the demand, or raise the limit.
    Resource,
    /// A store or file system does not answer or is busy: try again later.
    Transient,
    /// The operation was cancelled by the caller.
    Cancelled,
    /// The deadline that the caller set has passed: allow more time.
    DeadlinePassed,
}

impl fmt::Display for ErrorKind {
    /// Formats the kind in one or two words, such as `not found`; JSON output states the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Session => "session",
            Self::NotFound => "not found",
            Self::Unsupported => "unsupported",
            Self::Corrupt => "corrupt",
            Self::Device => "device",
            Self::Output => "output",
            Self::InvalidArgument => "invalid argument",
            Self::Resource => "resource",
            Self::Transient => "transient",
            Self::Cancelled => "cancelled",
            Self::DeadlinePassed => "deadline passed",
        })
    }
}

impl ErrorKind {
    /// Returns the kind that a cause determines by itself, if any does.
    fn from_cause(cause: &(dyn StdError + 'static)) -> Option<Self> {
        let mut next = Some(cause);
        while let Some(cause) = next {
            if let Some(kind) = cause.downcast_ref::<io::Error>().and_then(Self::of_io) {
                return Some(kind);
            }
            next = cause.source();
        }
        None
    }

    /// Returns the kind that a system error determines by itself, if it does.
    pub(crate) fn of_io(error: &io::Error) -> Option<Self> {
        use io::ErrorKind::{
            ConnectionReset, HostUnreachable, Interrupted, NotConnected, OutOfMemory, ResourceBusy,
            TimedOut, WouldBlock,
        };
        // ENFILE (file table of the system full) and EMFILE (that of the process) have no
        // `io::ErrorKind`.
        match error.raw_os_error().filter(|_| cfg!(unix)) {
            Some(23) => return Some(Self::Transient),
            Some(24) => return Some(Self::Resource),
            _ => {}
        }
        match error.kind() {
            Interrupted | ResourceBusy | TimedOut | WouldBlock => Some(Self::Transient),
            // Errors of an object store that is unreachable.
            ConnectionReset | HostUnreachable | NotConnected => Some(Self::Transient),
            OutOfMemory => Some(Self::Resource),
            _ => None,
        }
    }
}

/// Maximum width to which table columns are padded, in characters. Wider columns help no reader and
/// cost memory for every row, and the formatter panics beyond 65,535.
pub(crate) const MAX_WIDTH: usize = 120;

/// Formats a count: `1 frame`, `2 frames`.
pub(crate) fn counted(count: impl Into<u128>, noun: &str) -> String {
    let count = count.into();
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}

/// Escapes control characters, so that a name cannot break a line or send commands to a terminal.
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

/// The place that an error names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// Name of the file, as the message shows it.
    file: Option<String>,
    /// Frame of the file at its own rate. Its public methods are in `units`, which imports this module.
    pub frame: Option<u64>,
    /// The track.
    track: Option<String>,
    /// The message begins with the track.
    leads_with_track: bool,
}

/// Error type of this crate: a kind, a message that names track, file and position, and a cause.
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
    /// The place as data. In a box, so that results stay small.
    pub(crate) place: Box<Place>,
    what: String,
    problems: Vec<Problem>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Creates an error with a kind and a message. Sources and sinks of a program use it for their
    /// errors.
    ///
    /// A message is one line: control characters, which file names may contain, are escaped.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            place: Box::default(),
            what: one_line(what.into()),
            problems: Vec::new(),
            source: None,
        }
    }

    /// States the file that the error is about, for [`file`](Self::file). The message should name it already.
    #[must_use]
    pub fn in_file(mut self, name: impl Into<String>) -> Self {
        self.place.file = Some(name.into());
        self
    }

    /// Sets the cause. The message should already include what the cause says.
    ///
    /// If the causes include a system error that may pass, the kind becomes
    /// [`Transient`](ErrorKind::Transient); if one reports missing memory or descriptors, it
    /// becomes [`Resource`](ErrorKind::Resource).
    ///
    /// ```
    /// use soundtrack::{Error, ErrorKind};
    /// let busy = std::io::Error::from(std::io::ErrorKind::ResourceBusy);
    /// assert_eq!(Error::new(ErrorKind::Output, "busy").because(busy).kind(), ErrorKind::Transient);
    /// ```
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let cause = cause.into();
        // A thread that cannot be started fails with EAGAIN, which does not mean that it will
        // succeed later.
        if !matches!(
            self.kind,
            ErrorKind::Resource | ErrorKind::Cancelled | ErrorKind::DeadlinePassed
        ) {
            self.kind = ErrorKind::from_cause(cause.as_ref()).unwrap_or(self.kind);
        }
        self.source = Some(cause);
        self
    }

    /// Prefixes the message with the name of the track.
    #[must_use]
    pub fn in_track(mut self, name: &str) -> Self {
        self.what = self.to_string();
        (self.place.track, self.place.leads_with_track) = (Some(name.to_owned()), true);
        self
    }

    /// Removes the name of the track from the message, for a track that the user does not know.
    pub(crate) fn out_of_track(mut self) -> Self {
        (self.place.track, self.place.leads_with_track) = (None, false);
        self
    }

    /// Prefixes the message with the subject of the error.
    pub(crate) fn within(mut self, who: impl fmt::Display) -> Self {
        self.what = format!("{who}: {self}");
        (self.place.track, self.place.leads_with_track) = (None, false);
        self
    }

    /// States the track for [`track`](Self::track), where the message names it already.
    pub(crate) fn about_track(mut self, name: &str) -> Self {
        self.place.track = Some(name.to_owned());
        self
    }

    /// States the file in which the error occurred, unless it states one; the message names it already.
    pub(crate) fn about_file(mut self, name: &str) -> Self {
        self.place.file.get_or_insert_with(|| name.to_owned());
        self
    }

    /// Takes over track, file and frame of the error that is the only reason for this one.
    pub(crate) fn located_as(mut self, reason: &Self) -> Self {
        *self.place = Place {
            leads_with_track: false,
            ..Place::clone(&reason.place)
        };
        self
    }

    /// Combines the problems of a session. The kind is that of the problems if they share one, and
    /// `Session` otherwise.
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
            place: Box::default(),
            what,
            problems,
            source: None,
        }
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the name of the track in which the error occurred; `None` where no single track is concerned.
    ///
    /// ```
    /// use soundtrack::{Input, Layout, Plan, SampleRate, Session, Track};
    /// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    /// mix.add_track(Track::new("vox", Input::bytes("upload 17", *b"no audio")));
    /// let error = Plan::compile(&mix).unwrap_err();
    /// assert_eq!((error.track(), error.file()), (Some("vox"), Some("upload 17")));
    /// ```
    #[must_use]
    pub fn track(&self) -> Option<&str> {
        self.place.track.as_deref()
    }

    /// Returns the name of the file that the error is about, as the program or the session names it; `None` where no single
    /// file is concerned.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.place.file.as_deref()
    }

    /// Returns the kind of the system error among the causes, such as `AlreadyExists` for an output
    /// that exists.
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

    /// Returns all problems of the session; empty for other errors.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Converts the error to a problem of a session.
    pub(crate) fn as_problem(&self) -> Problem {
        Problem::about(Subject::Session, self.kind, self.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(track) = self
            .place
            .track
            .as_ref()
            .filter(|_| self.place.leads_with_track)
        {
            write!(f, "track {track:?}: ")?;
        }
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

    #[test]
    fn a_kind_is_named_in_words() {
        assert_eq!(ErrorKind::NotFound.to_string(), "not found");
        assert_eq!(format!("{:>8}", ErrorKind::Device), "  device");
    }
}
