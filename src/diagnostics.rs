//! Describes what is worth knowing about a mix: warnings with stable codes, and suggestions for mistyped names.

pub(crate) mod suggest;
mod warning;

pub use warning::{Warning, WarningKind};
