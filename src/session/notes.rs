//! Findings of reading a session file that a report should tell.

use crate::diagnostics::Warning;

/// Warnings about the files around a session. They are not content: two sessions with other notes are equal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(pub Vec<Warning>);

impl PartialEq for Notes {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
