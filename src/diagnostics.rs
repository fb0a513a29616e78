//! Warnings with stable codes, and suggestions for mistyped names.
//!
//! [`WarningKind`] defines every warning with its code, explanation and remedy; [`WarningInfo`]
//! holds the same as data.

mod distinct_warnings;
mod flaw;
pub(crate) mod suggest;
mod warning;

pub use crate::error::Subject;
pub(crate) use distinct_warnings::DistinctWarnings;
pub use flaw::FlawKind;
pub use warning::{
    ClockTime, MasterStage, NestedStem, NonFinite, OffGrid, OverloadStage, Severity, Sharers,
    Silence, SilencedStretch, StemEnd, StemMismatch, Unheard, Warning, WarningInfo, WarningKind,
};
