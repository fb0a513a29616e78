#[cfg(feature = "serde")]
use serde::Serialize;
use std::fmt;

/// Kind of fault in a region of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum FlawKind {
    /// The data cannot be decoded.
    Damaged,
    /// The stream was cut out of a longer one, or put together from several, and a packet refers to data before the cut. The
    /// audio is as whole as the file, so this is never refused.
    CutBefore,
    /// The file is truncated before this region.
    EndedEarly,
    /// The samples are infinite, not a number, or beyond 10³⁰ (+600 dBFS), which no real recording
    /// reaches.
    NonFinite,
}

impl fmt::Display for FlawKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Damaged => "damaged",
            Self::CutBefore => "cut out of a longer stream",
            Self::EndedEarly => "ended early",
            Self::NonFinite => "not finite",
        })
    }
}
