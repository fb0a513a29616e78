//! Collects warnings without repeating any.

use super::Warning;
use std::collections::HashSet;

/// Warnings in the order in which they were first added, each once.
///
/// A stem that several clips play would raise the same warning for each of them.
#[derive(Debug, Default)]
pub(crate) struct DistinctWarnings {
    list: Vec<Warning>,
    /// The debug form of each: warnings hold levels, which cannot be hashed.
    known: HashSet<String>,
}

impl DistinctWarnings {
    /// Adds a warning unless it is already there.
    pub(crate) fn add(&mut self, warning: Warning) {
        if self.known.insert(format!("{warning:?}")) {
            self.list.push(warning);
        }
    }

    /// Returns the warnings.
    pub(crate) fn into_list(self) -> Vec<Warning> {
        self.list
    }
}

impl Extend<Warning> for DistinctWarnings {
    fn extend<I: IntoIterator<Item = Warning>>(&mut self, warnings: I) {
        warnings.into_iter().for_each(|warning| self.add(warning));
    }
}
