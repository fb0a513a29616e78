//! Warnings found while loading a session file, kept for the report.

use crate::diagnostics::Warning;

/// Warnings about the session file and the files around it.
///
/// All values are equal, so that sessions are equal if their content is, however they were loaded.
#[derive(Clone, Debug, Default)]
pub(crate) struct LoadWarnings(pub Vec<Warning>);

impl PartialEq for LoadWarnings {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
