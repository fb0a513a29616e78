//! The problems found in a session file, each with its place in the text.

use crate::{
    diagnostics::suggest::{hint, hint_or_all},
    error::{Problem, ProblemKind, SourceLocation, Subject},
    session::source_text::{KeySpans, SourceText},
    timecode::Timecode,
};
use std::{collections::HashMap, ops::Range, sync::Arc};

/// Byte ranges of the table of a track, bus or cue, and of the keys that problems of the whole session may name.
#[derive(Clone)]
pub(super) struct Owner {
    pub span: Range<usize>,
    pub keys: Vec<(&'static str, Range<usize>)>,
}

/// Number of problems that are reported one by one; further ones are only counted.
const MAX_REPORTED: usize = 100;

/// Collects problems.
pub(super) struct Problems {
    source: Arc<SourceText>,
    problems: Vec<Problem>,
    /// Number of problems beyond [`MAX_REPORTED`].
    unreported: usize,
    /// Places of syntax errors.
    syntax: Vec<SourceLocation>,
    /// The frame rate is stated, but wrong, so no timecode can be read.
    pub(super) is_frame_rate_wrong: bool,
    /// Tables by the name that messages give them.
    owners: HashMap<String, Owner>,
    /// The keys that the reader has asked each kind of table for.
    #[cfg(test)]
    pub(super) asked:
        std::collections::BTreeMap<&'static str, std::collections::BTreeSet<&'static str>>,
}

impl Problems {
    pub(super) fn new(source: &Arc<SourceText>) -> Self {
        Self {
            source: Arc::clone(source),
            problems: Vec::new(),
            unreported: 0,
            syntax: Vec::new(),
            is_frame_rate_wrong: false,
            owners: HashMap::new(),
            #[cfg(test)]
            asked: std::collections::BTreeMap::new(),
        }
    }

    /// Reports whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Reports whether the text has syntax errors. A value that one hides may decide what others mean.
    pub(super) fn has_syntax_errors(&self) -> bool {
        !self.syntax.is_empty()
    }

    /// Reports whether further problems are only counted.
    pub(super) fn is_full(&self) -> bool {
        self.problems.len() >= MAX_REPORTED
    }

    /// Adds a problem at a place, in words.
    pub(super) fn report(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.add(&span, Problem::new(message));
    }

    /// Adds a syntax error at a place. What follows from it is left out.
    pub(super) fn report_syntax(&mut self, span: Range<usize>, message: impl Into<String>) {
        let place = self.source.place(&span);
        // One line may have several syntax errors, and a table with a wrong header too; the first explains the others.
        if !self
            .syntax
            .iter()
            .any(|known| self.is_covered(known, &place))
        {
            self.report(span, message);
            self.syntax.push(place);
        }
    }

    /// Reports whether a problem follows from a syntax error: it is in the same line, or in a table whose header has one.
    fn follows_from_syntax(&self, problem: &Problem) -> bool {
        let Some(place) = &problem.span else {
            return false;
        };
        let is_itself = |error: &SourceLocation| {
            is_same_line(error, place)
                && error.column == place.column
                && is_first_of(problem, error, &self.problems)
        };
        if self.syntax.iter().any(is_itself) {
            return false;
        }
        self.syntax
            .iter()
            .any(|error| self.is_covered(error, place))
    }

    /// Reports whether a place is in the line of a syntax error, or in the table of a wrong header.
    fn is_covered(&self, error: &SourceLocation, place: &SourceLocation) -> bool {
        if error.file != place.file || place.line < error.line {
            return false;
        }
        // The text after a wrong header belongs to no table, up to the next header.
        let lines_between = self.source.text.lines().skip(error.line);
        let mut lines_between = lines_between.take(place.line - error.line);
        place.line == error.line
            || (error.text.trim_start().starts_with('[')
                && !lines_between.any(|line| line.trim_start().starts_with('[')))
    }

    /// Adds a problem at a place. What follows from a wrong frame rate is left out: problems of timecodes.
    pub(super) fn add(&mut self, span: &Range<usize>, problem: Problem) {
        if self.is_frame_rate_wrong && holds_timecode(&self.source.place(span)) {
            return;
        }
        if self.problems.len() == MAX_REPORTED {
            self.unreported += 1;
        } else {
            self.problems.push(problem.at(self.source.place(span)));
        }
    }

    /// Adds a problem of the whole session, at its own place or at that of its subject.
    pub(super) fn pass_on(&mut self, problem: Problem) {
        match problem.span {
            Some(_) if self.problems.len() < MAX_REPORTED => self.problems.push(problem),
            _ => self.add(&self.owner(&problem), problem),
        }
    }

    /// Returns a suggestion, unless there are too many problems already to be worth the search.
    pub(super) fn hint<'a>(
        &self,
        name: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> String {
        if self.is_worth_a_hint(name) {
            hint(name, candidates)
        } else {
            String::new()
        }
    }

    /// Returns a suggestion, or all candidates where none is similar, under the conditions of [`hint`](Self::hint).
    pub(super) fn hint_or_all<'a>(
        &self,
        name: &str,
        candidates: impl IntoIterator<Item = &'a str> + Clone,
    ) -> String {
        if self.is_worth_a_hint(name) {
            hint_or_all(name, candidates)
        } else {
            String::new()
        }
    }

    fn is_worth_a_hint(&self, name: &str) -> bool {
        self.problems.len() < MAX_REPORTED && name.len() < 100
    }

    /// Remembers the place of a table that later problems may name.
    pub(super) fn own(&mut self, subject: &str, owner: Owner) {
        self.owners.insert(subject.to_owned(), owner);
    }

    /// Returns the place of the subject of a problem, or of the key that holds the wrong value; the start of the text for
    /// others.
    fn owner(&self, problem: &Problem) -> Range<usize> {
        let subject = match &problem.kind {
            ProblemKind::BusCycle { buses } => buses
                .first()
                .map(|name| Subject::Bus { name: name.clone() }),
            _ => Some(problem.subject.clone()),
        };
        let Some(owner) = subject.and_then(|subject| self.owners.get(&subject.to_string())) else {
            return 0..0;
        };
        let key = problem
            .kind
            .key()
            .and_then(|key| owner.keys.iter().find(|(k, _)| *k == key));
        key.map_or(&owner.span, |(_, span)| span).clone()
    }

    /// Returns the place of a table and of its keys, to be kept with the object that it describes.
    pub(super) fn key_spans(
        &self,
        whole: &Range<usize>,
        keys: Vec<(&'static str, Range<usize>)>,
    ) -> KeySpans {
        KeySpans::new(&self.source, whole.clone(), keys)
    }

    /// Returns all problems in the order of the text.
    pub(super) fn into_vec(mut self) -> Vec<Problem> {
        if !self.syntax.is_empty() {
            let follows: Vec<bool> = self
                .problems
                .iter()
                .map(|p| self.follows_from_syntax(p))
                .collect();
            let mut follows = follows.into_iter();
            self.problems.retain(|_| !follows.next().unwrap_or(false));
        }
        let set = |place: &SourceLocation| place.file != self.source.path;
        self.problems.sort_by_key(|p| {
            p.span
                .as_ref()
                .map(|place| (set(place), place.line, place.column))
        });
        let more = (self.unreported > 0)
            .then(|| Problem::new(format!("and {} more problems", self.unreported)));
        self.problems.into_iter().chain(more).collect()
    }
}

/// Reports whether the text at a place holds a timecode, such as `"01:00:02:00 -6 sine"`.
fn holds_timecode(place: &SourceLocation) -> bool {
    let before = (place.column - 1).saturating_sub(place.skipped);
    let covered: String = place.text.chars().skip(before).take(place.width).collect();
    covered
        .split(['"', '\'', ' ', '.'])
        .any(Timecode::looks_like)
}

fn is_same_line(a: &SourceLocation, b: &SourceLocation) -> bool {
    a.file == b.file && a.line == b.line
}

/// Reports whether a problem is the first one at the place of a syntax error, which is the error itself.
fn is_first_of(problem: &Problem, error: &SourceLocation, problems: &[Problem]) -> bool {
    let first = problems.iter().find(|p| {
        p.span
            .as_ref()
            .is_some_and(|place| is_same_line(place, error))
    });
    first.is_some_and(|first| std::ptr::eq(first, problem))
}
