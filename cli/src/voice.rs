//! What is said on stderr: notes, warnings, errors; as text, or as one JSON object a line.
//!
//! A stderr that is closed is no reason to stop: what cannot be said is left unsaid.

use serde_json::{Value, json};
use soundtrack::{Problem, diagnostics::Warning};
use std::io::Write as _;

/// How much is said, and in which form.
#[derive(Clone, Copy)]
pub struct Voice {
    pub quiet: bool,
    pub verbose: bool,
    pub json: bool,
}

impl Voice {
    /// Something that went as asked, worth a line.
    pub fn note(self, text: &str) {
        if !self.quiet {
            self.say("note", text, json!({ "event": "note", "text": text }));
        }
    }

    /// The same, for those who want to know more.
    pub fn detail(self, text: &str) {
        if self.verbose {
            self.note(text);
        }
    }

    /// A warning of the report, or a note of it.
    pub fn warning(self, warning: &Warning) {
        let label = if warning.kind.is_note() {
            "note"
        } else {
            "warning"
        };
        let about = json!({
            "event": label, "code": warning.kind.code(), "track": warning.track(), "file": warning.file(),
            "text": warning.text()
        });
        self.say(label, &warning.to_string(), about);
    }

    /// A warning that is this program's own.
    pub fn caution(self, text: &str) {
        self.say("warning", text, json!({ "event": "warning", "text": text }));
    }

    /// An error, said whatever was asked.
    pub fn error(self, text: &str, kind: &str) {
        self.say(
            "error",
            text,
            json!({ "event": "error", "kind": kind, "text": text }),
        );
    }

    /// One of a session's problems, which may show the line of the file it is in.
    pub fn problem(self, problem: &Problem, kind: &str) {
        let text = problem.to_string();
        let place = problem.span.as_ref().map(
            |p| json!({ "file": p.file.to_string_lossy(), "line": p.line, "column": p.column, "width": p.width, "line_text": p.text }),
        );
        self.line(
            &format!("error: {}", printable_lines(&text)),
            || json!({ "event": "error", "kind": kind, "text": problem.sentence(), "place": place }),
        );
    }

    /// What to do about the error before.
    pub fn hint(self, text: &str) {
        self.say("hint", text, json!({ "event": "hint", "text": text }));
    }

    /// A line without a label.
    pub fn line(self, text: &str, about: impl FnOnce() -> Value) {
        let text = if self.json {
            about().to_string()
        } else {
            text.to_owned()
        };
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    fn say(self, label: &str, text: &str, about: Value) {
        self.line(&format!("{label}: {}", printable(text)), || about);
    }
}

/// The text with escapes for characters that would move the cursor or break the line.
pub fn printable(text: &str) -> String {
    escaped(text, |_| false)
}

/// The same for a text of several lines.
pub fn printable_lines(text: &str) -> String {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

fn escaped(text: &str, plain: impl Fn(char) -> bool) -> String {
    let escape = |c: char| {
        if c.is_control() && !plain(c) {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    };
    text.chars().map(escape).collect()
}
