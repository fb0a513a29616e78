//! The problems found in a session file, each with its place in the text.

use crate::{
    diagnostics::suggest::hint,
    error::{Place, Problem},
    session::source_text::{KeySpans, SourceText},
};
use std::{collections::HashMap, ops::Range, sync::Arc};

/// Byte ranges of the table of a track, bus or cue, and of the keys that problems of the whole session may name.
#[derive(Clone)]
pub(super) struct Owner {
    pub span: Range<usize>,
    pub keys: Vec<(&'static str, Range<usize>)>,
}

/// Number of problems that are reported one by one; more are counted.
const MAX_REPORTED: usize = 100;

/// Collects problems.
pub(super) struct Problems {
    source: Arc<SourceText>,
    problems: Vec<Problem>,
    /// Number of problems beyond [`MAX_REPORTED`].
    unreported: usize,
    /// Tables by the name that messages give them.
    owners: HashMap<String, Owner>,
    /// Keys that each kind of table was asked for.
    #[cfg(test)]
    pub(super) asked: std::collections::BTreeMap<&'static str, std::collections::BTreeSet<&'static str>>,
}

impl Problems {
    pub(super) fn new(source: &Arc<SourceText>) -> Self {
        Self {
            source: Arc::clone(source),
            problems: Vec::new(),
            unreported: 0,
            owners: HashMap::new(),
            #[cfg(test)]
            asked: std::collections::BTreeMap::new(),
        }
    }

    /// Adds a problem at a place.
    pub(super) fn report(&mut self, span: Range<usize>, what: impl Into<String>) {
        if self.problems.len() == MAX_REPORTED {
            self.unreported += 1;
        } else {
            self.problems.push(Problem::new(what).at(self.source.place(&span)));
        }
    }

    /// Adds a problem of the whole session, at its own place or at that of the table it names.
    pub(super) fn pass_on(&mut self, problem: Problem) {
        let ring = problem.what.strip_prefix("buses feed each other in a circle: ");
        let named = ring.and_then(|ring| ring.split(" -> ").next()).map(|bus| format!("bus {bus:?}: "));
        let span = self.owner(named.as_ref().unwrap_or(&problem.what));
        match problem.place {
            Some(_) if self.problems.len() < MAX_REPORTED => self.problems.push(problem),
            _ => self.report(span, problem.what),
        }
    }

    /// Returns a suggestion, unless there are too many problems already to be worth the search.
    pub(super) fn hint<'a>(&self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
        let worth = self.problems.len() < MAX_REPORTED && name.len() < 100;
        if worth { hint(name, candidates) } else { String::new() }
    }

    /// Remembers the place of a table that later problems may name.
    pub(super) fn own(&mut self, subject: &str, owner: Owner) {
        self.owners.insert(subject.to_owned(), owner);
    }

    /// Returns the place of the table that a message names first, or of the key that follows the name; the start of the
    /// text where it names none.
    fn owner(&self, what: &str) -> Range<usize> {
        let named = what.match_indices(": ").filter_map(|(end, _)| {
            let owner = self.owners.get(what.get(..end)?)?;
            let word = what.get(end + 2..)?.split(' ').next()?;
            let key = owner.keys.iter().find(|(key, _)| *key == word).map(|(_, span)| span);
            Some(key.unwrap_or(&owner.span).clone())
        });
        named.last().unwrap_or(0..0)
    }

    /// Returns the place of a table and of its keys, to be kept with the object that it describes.
    pub(super) fn key_spans(&self, whole: &Range<usize>, keys: Vec<(&'static str, Range<usize>)>) -> KeySpans {
        KeySpans::new(&self.source, whole.clone(), keys)
    }

    /// Returns all problems in the order of the text.
    pub(super) fn into_vec(mut self) -> Vec<Problem> {
        let set = |place: &Place| place.file != self.source.path;
        self.problems.sort_by_key(|p| p.place.as_ref().map(|place| (set(place), place.line, place.column)));
        let more = (self.unreported > 0).then(|| Problem::new(format!("and {} more problems", self.unreported)));
        self.problems.into_iter().chain(more).collect()
    }
}
