//! What went wrong: one opaque error, cut by what the caller can do about it.
//!
//! End of media, clipped samples and lenient repairs are values in the report, not errors.

mod subject;

pub use subject::Subject;

use std::{error::Error as StdError, fmt, path::PathBuf};

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
    /// A file is of a kind this crate does not read: convert it.
    Unsupported,
    /// A file is damaged: replace it, or render leniently.
    Corrupt,
    /// The output device is missing, busy or gone.
    Device,
    /// The output cannot be written: disk full, path refused.
    Output,
    /// The caller asked to stop.
    Cancelled,
}

/// Where in a session file a [`Problem`] lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The session file.
    pub file: PathBuf,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// The text of that line, or of a very long one the part around the place.
    pub text: String,
    /// How many characters of the line were left out before that part.
    pub skipped: usize,
    /// How many characters of the text the problem covers, at least 1.
    pub width: usize,
}

/// The text with escapes for control characters, so that no name can break a line or command a terminal.
pub(crate) fn one_line(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}

/// One thing that is wrong with a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in one sentence that names the strip or the file.
    pub what: String,
    /// What kind of error this alone would be.
    pub kind: ErrorKind,
    /// Where it stands, when the session came from a file.
    pub place: Option<Place>,
}

impl Problem {
    /// A problem of the session itself, without a place. Control characters in the text become escapes.
    pub fn new(what: impl Into<String>) -> Self {
        Self::of(ErrorKind::Session, what)
    }

    /// A problem of any kind.
    pub(crate) fn of(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { what: one_line(what.into()), kind, place: None }
    }

    /// The same problem, at a place in a session file.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(p) = &self.place else { return f.write_str(&self.what) };
        let number = p.line.to_string();
        let margin = " ".repeat(number.len());
        let file = one_line(p.file.display().to_string());
        writeln!(f, "{file}:{}:{}: {}", p.line, p.column, self.what)?;
        writeln!(f, "{margin} |\n{number} | {}", p.text)?;
        let lead: String = p
            .text
            .chars()
            .take((p.column - 1).saturating_sub(p.skipped))
            .map(|c| if c == '\t' { c } else { ' ' })
            .collect();
        write!(f, "{margin} | {lead}{}", "^".repeat(p.width.max(1)))
    }
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
        Self { kind, what: one_line(what.into()), problems: Vec::new(), source: None }
    }

    /// The same error, with its cause. The message should already say what the cause says.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(cause.into());
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
            Some((first, rest)) if rest.iter().all(|p| p.kind == first.kind) => first.kind,
            _ => ErrorKind::Session,
        };
        let what = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        Self { kind, what, problems, source: None }
    }

    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Everything that is wrong with the session; empty for errors of other origin.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The same error as one of a session's problems.
    pub(crate) fn as_problem(&self) -> Problem {
        Problem { what: self.what.clone(), kind: self.kind, place: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|e| e.as_ref() as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_whatever_a_file_is_called() {
        let error = Error::new(ErrorKind::NotFound, "a\nb\u{1b}[2J\u{7f}é🎺.wav: gone").in_track("x\ny");
        assert_eq!(error.to_string(), "track \"x\\ny\": a\\nb\\u{1b}[2J\\u{7f}é🎺.wav: gone");
        assert_eq!(Problem::new("\r").what, "\\r");
    }
}
