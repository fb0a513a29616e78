//! Positions in the text of a session file, kept with the objects read from it so that later problems can point at them.
//!
//! The text is kept once for the whole session, with a few byte positions for each track, clip or cue. Comparing sessions
//! ignores them: two with the same content are equal.

use crate::error::{Problem, SourceLocation};
use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Largest number of characters of a line that a message shows.
const MAX_LINE_CHARS: usize = 400;

/// The text of a session file, and the overrides that were applied to it.
#[derive(Debug)]
pub(crate) struct SourceText {
    pub path: PathBuf,
    pub text: String,
    /// One line for each override; its byte positions follow those of the text.
    pub overrides: String,
}

impl SourceText {
    /// Returns line, column and text of a byte range.
    pub(crate) fn place(&self, span: &Range<usize>) -> SourceLocation {
        let (file, all, span) = match (
            span.start.checked_sub(self.text.len() + 1),
            self.overrides.is_empty(),
        ) {
            (Some(start), false) => (
                PathBuf::from("set"),
                &self.overrides,
                start..start.saturating_add(span.len()),
            ),
            _ => (self.path.clone(), &self.text, span.clone()),
        };
        let before = all.get(..span.start).unwrap_or(all);
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        let whole = all
            .get(line_start..)
            .unwrap_or("")
            .lines()
            .next()
            .unwrap_or("");
        let column = before.get(line_start..).unwrap_or("").chars().count();
        let covered = all
            .get(span)
            .unwrap_or("")
            .lines()
            .next()
            .unwrap_or("")
            .chars()
            .count();
        let line = before.matches('\n').count() + 1;
        let long = whole.len() > MAX_LINE_CHARS;
        let skipped = if long {
            column.saturating_sub(MAX_LINE_CHARS / 8)
        } else {
            0
        };
        let text: String = whole.chars().skip(skipped).take(MAX_LINE_CHARS).collect();
        let width = covered.clamp(1, MAX_LINE_CHARS);
        SourceLocation {
            file,
            line,
            column: column + 1,
            text,
            skipped,
            width,
        }
    }
}

/// Byte ranges of a table and of its keys; none for an object that the program made.
#[derive(Clone, Default)]
pub(crate) struct KeySpans(Option<Arc<Spans>>);

struct Spans {
    source: Arc<SourceText>,
    whole: Range<usize>,
    keys: Vec<(&'static str, Range<usize>)>,
}

impl KeySpans {
    pub(crate) fn new(
        source: &Arc<SourceText>,
        whole: Range<usize>,
        keys: Vec<(&'static str, Range<usize>)>,
    ) -> Self {
        Self(Some(Arc::new(Spans {
            source: Arc::clone(source),
            whole,
            keys,
        })))
    }

    /// Returns the file that the object was read from.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.0.as_ref().map(|spans| spans.source.path.as_path())
    }

    /// Reports whether the object was read from a file.
    pub(crate) fn is_somewhere(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the line of a key's value, counted from 1.
    pub(crate) fn line(&self, key: &str) -> Option<usize> {
        let spans = self.0.as_ref()?;
        let (_, span) = spans.keys.iter().find(|(known, _)| *known == key)?;
        Some(spans.source.place(span).line)
    }

    /// Places a problem at the value of the first of these keys that is there, or else at the whole table.
    pub(crate) fn place(&self, problem: Problem, keys: &[&str]) -> Problem {
        let Some(spans) = self.0.as_ref().filter(|_| problem.span.is_none()) else {
            return problem;
        };
        let find = |key: &&str| {
            spans
                .keys
                .iter()
                .find(|(k, _)| k == key)
                .map(|(_, span)| span)
        };
        let span = keys.iter().find_map(find).unwrap_or(&spans.whole);
        problem.at(spans.source.place(span))
    }
}

impl PartialEq for KeySpans {
    /// Returns true: places are not content.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl std::fmt::Debug for KeySpans {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            None => f.write_str("-"),
            Some(spans) => write!(f, "{:?}", spans.whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, overrides: &str, span: Range<usize>) -> SourceLocation {
        let source = SourceText {
            path: "s.toml".into(),
            text: text.into(),
            overrides: overrides.into(),
        };
        source.place(&span)
    }

    #[test]
    fn a_place_has_a_line_a_column_and_a_width_in_characters() {
        let at = place("a = 1\nb = \"éx\" # c\n", "", 10..15);
        assert_eq!((at.line, at.column, at.width), (2, 5, 4));
        assert_eq!((at.text.as_str(), at.skipped), ("b = \"éx\" # c", 0));
        assert_eq!(at.file, Path::new("s.toml"));
        let first = place("a = 1\nb", "", 0..7);
        assert_eq!((first.line, first.column, first.width), (1, 1, 5));
        let end = place("a = 1", "", 5..5);
        assert_eq!((end.line, end.column, end.width), (1, 6, 1));
    }

    #[test]
    fn an_override_has_a_line_of_its_own() {
        let at = place("a = 1\n", "b = 2\nc = 3", 17..18);
        assert_eq!((at.line, at.column), (2, 5));
        assert_eq!((at.file, at.text), ("set".into(), "c = 3".to_owned()));
        let in_file = place("a = 1\n", "b = 2", 4..5);
        assert_eq!((in_file.file, in_file.line), ("s.toml".into(), 1));
    }

    #[test]
    fn a_long_line_is_shown_from_an_eighth_of_the_width_before_the_place() {
        let line = |length: usize| "x".repeat(length);
        let shown = |length: usize, at: usize| {
            let place = place(&line(length), "", at..length);
            (place.skipped, place.text.len(), place.width)
        };
        assert_eq!(shown(400, 399), (0, 400, 1));
        assert_eq!(shown(401, 30), (0, 400, 371));
        assert_eq!(shown(1000, 250), (200, 400, 400));
        assert_eq!(shown(1000, 999), (949, 51, 1));
    }
}
