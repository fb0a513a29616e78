use serde::Serialize;
use std::fmt;

/// Kinds of fault in a stretch of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FlawKind {
    /// Its data cannot be decoded.
    Damaged,
    /// The source ends before it: the file is cut off.
    EndedEarly,
    /// It holds infinities, values that are not numbers, or numbers beyond 10³⁰ (+600 dBFS), which no stem means.
    NonFinite,
}

impl fmt::Display for FlawKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Damaged => "damaged",
            Self::EndedEarly => "ended early",
            Self::NonFinite => "not finite",
        })
    }
}
