//! Where in a session file something was written, so that what is found later can be shown there.
//!
//! Keeps the text once for the whole session and a few byte positions for each thing. Plays no part in comparing
//! sessions: two that mean the same are equal, wherever they were written.

use crate::error::{Problem, SourceLocation};
use std::{ops::Range, path::PathBuf, sync::Arc};

/// Of a line that is longer, a part is shown.
const LONGEST_LINE: usize = 400;

/// The text of a session file, and behind it what was set in place of it.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub path: PathBuf,
    pub text: String,
    /// One line for each value that was set from outside; byte positions in it follow those of the text.
    pub set: String,
}

impl Sheet {
    /// Line, column and text of a stretch of bytes.
    pub(crate) fn place(&self, span: &Range<usize>) -> SourceLocation {
        let (file, all, span) = match (span.start.checked_sub(self.text.len() + 1), self.set.is_empty()) {
            (Some(start), false) => (PathBuf::from("set"), &self.set, start..start.saturating_add(span.len())),
            _ => (self.path.clone(), &self.text, span.clone()),
        };
        let before = all.get(..span.start).unwrap_or(all);
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        let whole = all.get(line_start..).unwrap_or("").lines().next().unwrap_or("");
        let column = before.get(line_start..).unwrap_or("").chars().count();
        let covered = all.get(span).unwrap_or("").lines().next().unwrap_or("").chars().count();
        let line = before.matches('\n').count() + 1;
        let long = whole.len() > LONGEST_LINE;
        let skipped = if long { column.saturating_sub(LONGEST_LINE / 8) } else { 0 };
        let text: String = whole.chars().skip(skipped).take(LONGEST_LINE).collect();
        let width = covered.clamp(1, LONGEST_LINE);
        SourceLocation { file, line, column: column + 1, text, skipped, width }
    }
}

/// The places of a thing and of its keys; nothing for what a program made.
#[derive(Clone, Default)]
pub(crate) struct Written(Option<Arc<Spans>>);

struct Spans {
    sheet: Arc<Sheet>,
    whole: Range<usize>,
    keys: Vec<(&'static str, Range<usize>)>,
}

impl Written {
    pub(crate) fn new(sheet: &Arc<Sheet>, whole: Range<usize>, keys: Vec<(&'static str, Range<usize>)>) -> Self {
        Self(Some(Arc::new(Spans { sheet: Arc::clone(sheet), whole, keys })))
    }

    /// Whether it was written in a file.
    pub(crate) fn is_somewhere(&self) -> bool {
        self.0.is_some()
    }

    /// The problem at the value of one of these keys, the first that is there, or else at the whole thing.
    pub(crate) fn place(&self, problem: Problem, keys: &[&str]) -> Problem {
        let Some(spans) = self.0.as_ref().filter(|_| problem.span.is_none()) else { return problem };
        let find = |key: &&str| spans.keys.iter().find(|(k, _)| k == key).map(|(_, span)| span);
        let span = keys.iter().find_map(find).unwrap_or(&spans.whole);
        problem.at(spans.sheet.place(span))
    }
}

impl PartialEq for Written {
    /// Always: where something is written is not what it is.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            None => f.write_str("-"),
            Some(spans) => write!(f, "{:?}", spans.whole),
        }
    }
}
