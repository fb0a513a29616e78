use super::{ErrorKind, Subject, one_line};
use std::{cmp::Ordering, fmt, path::PathBuf};

/// The highest gain that is accepted, in dB: more is a mistake.
pub(crate) const HIGHEST_GAIN_DB: f64 = 200.0;

/// A place in a session file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLocation {
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

/// One thing that is wrong with a session.
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
    /// What it concerns.
    pub subject: Subject,
    /// What is wrong.
    pub kind: ProblemKind,
    /// Where it stands, when the session came from a file.
    pub span: Option<SourceLocation>,
}

/// What is wrong with a session, or with something in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A session or a cue has no tracks, or a track has no clip. A session file may be so: the program that loads it may
    /// add them.
    Empty,
    /// Buses feed each other.
    BusCycle {
        /// Their names, in order; the first is repeated at the end.
        buses: Vec<String>,
    },
    /// A gain is not a number, or above +200 dB.
    Gain {
        /// Which gain.
        control: GainControl,
        /// Its value in dB.
        gain_db: Number,
    },
    /// A pan position is outside −1 to 1.
    Pan {
        /// Its value.
        pan: Number,
    },
    /// The ceiling of the master's limiter is outside −60 to 0 dBTP.
    Limit {
        /// Its value in dBTP.
        limit_dbtp: Number,
    },
    /// A file lies outside the folder of the session file, which [`Load::outside`](crate::Load::outside) did not allow.
    OutsideFolder {
        /// What plays or writes the file, as messages name it.
        owner: String,
        /// The file, as written.
        file: String,
    },
    /// Anything that nothing but a reader needs to tell apart.
    Other {
        /// The kind of error it is alone.
        error: ErrorKind,
        /// One sentence.
        message: String,
    },
}

/// A gain of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GainControl {
    /// That of a strip or of a placement.
    Fader,
    /// That of a send.
    Send,
    /// A point of a gain curve.
    CurvePoint,
    /// That of a clip.
    Clip,
}

/// A value as a session states it. Unlike for `f64`, NaN equals itself, so that problems can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Number(pub f64);

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0.total_cmp(&other.0) == Ordering::Equal
    }
}

impl Eq for Number {}

impl Problem {
    /// Makes a problem of the session itself, in words. Control characters in the message become escapes.
    pub fn new(message: impl Into<String>) -> Self {
        Self::about(Subject::Session, ErrorKind::Session, message)
    }

    /// Makes a problem of a subject, in words that do not repeat it.
    pub(crate) fn about(subject: Subject, error: ErrorKind, message: impl Into<String>) -> Self {
        Self::of(
            subject,
            ProblemKind::Other {
                error,
                message: message.into(),
            },
        )
    }

    /// Makes a problem of a subject.
    pub(crate) fn of(subject: Subject, kind: ProblemKind) -> Self {
        Self {
            subject,
            kind,
            span: None,
        }
    }

    /// Sets the place in a session file.
    #[must_use]
    pub fn at(mut self, span: SourceLocation) -> Self {
        self.span = Some(span);
        self
    }

    /// Adds to the message of a problem that is in words.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: &str) -> Self {
        if let ProblemKind::Other { message, .. } = &mut self.kind {
            message.push_str(hint);
        }
        self
    }

    /// Returns the kind of error that this problem is alone.
    #[must_use]
    pub fn error_kind(&self) -> ErrorKind {
        match self.kind {
            ProblemKind::Other { error, .. } => error,
            _ => ErrorKind::Session,
        }
    }

    /// Returns the problem as one line, without its place.
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
    /// Makes a problem of the session in words.
    pub(crate) fn message(message: String) -> Self {
        Self::Other {
            error: ErrorKind::Session,
            message,
        }
    }

    /// Returns the key of the session file that holds the value, where it is one value.
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

/// The sentence, without what it concerns.
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
                    // Absurd numbers in few digits.
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
                    "{owner}: {file} is outside the session's folder, which was not allowed"
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
