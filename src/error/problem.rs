use super::{ErrorKind, Subject, one_line};
use std::{cmp::Ordering, fmt, path::PathBuf};

/// Maximum gain in dB. A higher one is taken for a mistake.
pub(crate) const HIGHEST_GAIN_DB: f64 = 200.0;

/// Position in a session file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceLocation {
    /// Path of the session file.
    pub file: PathBuf,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// Text of the line; for a very long line, the part around the position.
    pub text: String,
    /// Number of characters of the line omitted before `text`.
    pub skipped: usize,
    /// Number of characters that the problem covers, at least 1.
    pub width: usize,
}

/// Problem of a session.
///
/// ```
/// use soundtrack::{Decibels, ErrorKind, Layout, Plan, SampleRate, Session, error::ProblemKind};
/// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
/// mix.master.gain = Decibels(300.0);
/// let error = Plan::compile(&mix).unwrap_err();
/// let [empty, loud] = error.problems() else { panic!() };
/// assert_eq!((&empty.kind, empty.error_kind()), (&ProblemKind::Empty, ErrorKind::Session));
/// assert_eq!(loud.sentence(), "the master: gain of +300 dB is above +200 dB");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Part of the session that has the problem.
    pub subject: Subject,
    /// Kind of problem.
    pub kind: ProblemKind,
    /// Position in the session file, if the session was read from one.
    pub span: Option<SourceLocation>,
}

/// Kind of problem of a session or one of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A session or a cue has no tracks, or a track has no clips. A session file may lack them,
    /// since the program that loads it may add them.
    Empty,
    /// Buses feed each other in a cycle.
    BusCycle {
        /// Names of the buses, in order; the first is repeated at the end.
        buses: Vec<String>,
    },
    /// A gain is not a number, or above +200 dB.
    Gain {
        /// Kind of gain.
        control: GainControl,
        /// Gain in dB.
        gain_db: Number,
    },
    /// A pan position is outside −1 to 1.
    Pan {
        /// Pan position.
        pan: Number,
    },
    /// The ceiling of the master's limiter is outside −60 to 0 dBTP.
    Limit {
        /// Ceiling in dBTP.
        limit_dbtp: Number,
    },
    /// A file lies outside the folder of the session file, which
    /// [`Load::outside`](crate::Load::outside) did not allow.
    OutsideFolder {
        /// Part of the session that reads or writes the file, as named in messages.
        owner: String,
        /// Path of the file, as written.
        file: String,
    },
    /// Any problem that programs need not distinguish.
    Other {
        /// Kind of the error that consists of this problem alone.
        error: ErrorKind,
        /// Description in one sentence.
        message: String,
    },
}

/// Gain control of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GainControl {
    /// Gain of a strip or of a placement.
    Fader,
    /// Gain of a send.
    Send,
    /// Point of a gain curve.
    CurvePoint,
    /// Gain of a clip.
    Clip,
}

/// Value as stated by a session. In contrast to `f64`, NaN equals itself, so that problems can be
/// compared.
#[derive(Clone, Copy, Debug)]
pub struct Number(pub f64);

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0.total_cmp(&other.0) == Ordering::Equal
    }
}

impl Eq for Number {}

impl Problem {
    /// Creates a problem of the session itself from a message. Control characters are escaped.
    pub fn new(message: impl Into<String>) -> Self {
        Self::about(Subject::Session, ErrorKind::Session, message)
    }

    /// Creates a problem of a subject from a message, which should not repeat the subject.
    pub(crate) fn about(subject: Subject, error: ErrorKind, message: impl Into<String>) -> Self {
        Self::with_kind(
            subject,
            ProblemKind::Other {
                error,
                message: message.into(),
            },
        )
    }

    /// Creates a problem of a subject, of any kind.
    pub(crate) fn with_kind(subject: Subject, kind: ProblemKind) -> Self {
        Self {
            subject,
            kind,
            span: None,
        }
    }

    /// Sets the position in a session file.
    #[must_use]
    pub fn at(mut self, span: SourceLocation) -> Self {
        self.span = Some(span);
        self
    }

    /// Appends a hint to the message of a [`ProblemKind::Other`].
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: &str) -> Self {
        if let ProblemKind::Other { message, .. } = &mut self.kind {
            message.push_str(hint);
        }
        self
    }

    /// Returns the kind of the error that consists of this problem alone.
    #[must_use]
    pub fn error_kind(&self) -> ErrorKind {
        match self.kind {
            ProblemKind::Other { error, .. } => error,
            _ => ErrorKind::Session,
        }
    }

    /// Returns the problem as one line, without its position.
    #[must_use]
    pub fn sentence(&self) -> String {
        one_line(match (&self.kind, &self.subject) {
            (ProblemKind::Empty, Subject::Session) => "the session has no tracks".to_owned(),
            (ProblemKind::Empty, Subject::Track { .. }) => {
                format!("{}: it has no clip", self.subject)
            }
            (kind, Subject::Session) => kind.to_string(),
            (kind, subject) => format!("{subject}: {kind}"),
        })
    }
}

impl ProblemKind {
    /// Creates a problem of the session from a message.
    pub(crate) fn message(message: String) -> Self {
        Self::Other {
            error: ErrorKind::Session,
            message,
        }
    }

    /// Returns the key of the session file that holds the invalid value, if there is one such key.
    pub(crate) fn key(&self) -> Option<&'static str> {
        match self {
            Self::Gain {
                control: GainControl::Fader,
                ..
            } => Some("gain"),
            Self::Pan { .. } => Some("pan"),
            Self::Limit { .. } => Some("limit"),
            _ => None,
        }
    }
}

/// Formats the problem as one sentence without its subject.
impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it has no tracks"),
            Self::BusCycle { buses } => write!(
                f,
                "buses feed each other in a circle: {}",
                buses.join(" -> ")
            ),
            Self::Gain {
                control,
                gain_db: Number(gain),
            } => {
                let control = match control {
                    GainControl::Fader => "gain",
                    GainControl::Send => "send",
                    GainControl::CurvePoint => "a point of the gain curve",
                    GainControl::Clip => "a clip's gain",
                };
                if gain.is_nan() {
                    write!(f, "{control} is not a number")
                } else if *gain < 1e6 {
                    write!(f, "{control} of {gain:+} dB is above +{HIGHEST_GAIN_DB} dB")
                } else {
                    // Exponent notation keeps absurd values short.
                    write!(
                        f,
                        "{control} of {gain:+e} dB is above +{HIGHEST_GAIN_DB} dB"
                    )
                }
            }
            Self::Pan { pan: Number(pan) } => {
                write!(f, "pan {pan} is outside -1 (left) to 1 (right)")
            }
            Self::Limit {
                limit_dbtp: Number(limit),
            } => {
                write!(f, "limit of {limit} dBTP is outside -60 to 0 dBTP")
            }
            Self::OutsideFolder { owner, file } => {
                write!(
                    f,
                    "{owner}: {file} is outside the session's folder: move it there, or set `outside`"
                )
            }
            Self::Other { message, .. } => f.write_str(message),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(p) = &self.span else {
            return f.write_str(&self.sentence());
        };
        let number = p.line.to_string();
        let margin = " ".repeat(number.len());
        let file = one_line(p.file.display().to_string());
        writeln!(f, "{file}:{}:{}: {}", p.line, p.column, self.sentence())?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_equals_itself_and_no_other() {
        assert_eq!(Number(f64::NAN), Number(f64::NAN));
        assert_eq!(Number(1.5), Number(1.5));
        assert_ne!(Number(1.5), Number(2.5));
        assert_ne!(Number(0.0), Number(-0.0));
    }
}
