//! What is said on stderr: notes, warnings, errors; as text, or as one JSON object a line.
//!
//! A stderr that is closed is no reason to stop: what cannot be said is left unsaid.

use serde_json::{Value, json};
use soundtrack::report::Warning;
use std::{fmt::Write as _, io::Write as _};

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

    /// A warning of the report.
    pub fn warning(self, warning: &Warning) {
        let about = json!({
            "event": "warning", "code": warning.code, "track": warning.track, "file": warning.file, "text": warning.text
        });
        self.say("warning", &warning.to_string(), about);
    }

    /// An error, said whatever was asked.
    pub fn error(self, text: &str, kind: &str) {
        self.say("error", text, json!({ "event": "error", "kind": kind, "text": text }));
    }

    /// What to do about the error before.
    pub fn hint(self, text: &str) {
        self.say("hint", text, json!({ "event": "hint", "text": text }));
    }

    /// A line without a label.
    pub fn line(self, text: &str, about: impl FnOnce() -> Value) {
        let text = if self.json { about().to_string() } else { text.to_owned() };
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    fn say(self, label: &str, text: &str, about: Value) {
        self.line(&format!("{label}: {}", printable(text)), || about);
    }
}

/// The text without characters that would move the cursor or break a line, except for line ends of its own.
pub fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if c.is_control() && c != '\n' {
            // Writing to a string cannot fail.
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
        out
    })
}
