//! Warnings found while reading a session file, kept for the report.

use crate::diagnostics::Warning;

/// Warnings about the files around a session. They are not content: sessions that differ in nothing else are equal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(pub Vec<Warning>);

impl PartialEq for Notes {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
