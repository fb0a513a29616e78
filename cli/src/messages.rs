//! Messages on stderr: notes, warnings, errors and hints, as text or as one JSON object per line.
//!
//! A closed stderr does not stop the program: messages that cannot be written are dropped.

use crate::text::{printable, printable_lines};
use serde_json::{Value, json};
use soundtrack::{Problem, diagnostics::Warning};
use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    sync::OnceLock,
};

/// Writes messages in one form and at one verbosity.
#[derive(Clone, Copy, Default)]
pub struct Messages {
    /// Drops notes.
    pub quiet: bool,
    /// Writes details.
    pub verbose: bool,
    /// Writes JSON objects instead of text.
    pub json: bool,
}

impl Messages {
    /// Writes a note: something worth a line that went as asked. Dropped if quiet.
    pub fn note(self, text: &str) {
        if !self.quiet {
            self.write("note", text, || json!({ "event": "note", "text": text }));
        }
    }

    /// Writes a note if verbose.
    pub fn detail(self, text: &str) {
        if self.verbose {
            self.note(text);
        }
    }

    /// Writes a warning, or a note, of a report of the library.
    pub fn report_warning(self, warning: &Warning) {
        let label = if warning.kind.is_note() {
            "note"
        } else {
            "warning"
        };
        self.write(label, &warning.to_string(), || {
            json!({
                "event": label, "code": warning.kind.code(), "track": warning.track(), "file": warning.file(),
                "text": warning.text()
            })
        });
    }

    /// Writes a warning of the program.
    pub fn warning(self, text: &str) {
        self.write(
            "warning",
            text,
            || json!({ "event": "warning", "text": text }),
        );
    }

    /// Writes an error. `kind` is its name in JSON.
    pub fn error(self, text: &str, kind: &str) {
        self.write(
            "error",
            text,
            || json!({ "event": "error", "kind": kind, "text": text }),
        );
    }

    /// Writes a problem of a session as an error, with the line of the file that it is in.
    pub fn problem(self, problem: &Problem, kind: &str) {
        if self.json {
            let place = problem.span.as_ref().map(
                |p| json!({ "file": p.file.to_string_lossy(), "line": p.line, "column": p.column, "width": p.width, "line_text": p.text }),
            );
            self.event(
                &json!({ "event": "error", "kind": kind, "text": problem.sentence(), "place": place }),
            );
        } else {
            let text = printable_lines(&problem.to_string());
            write_line(&format!("{} {text}", coloured("error")));
        }
    }

    /// Writes what to do about the error before.
    pub fn hint(self, text: &str) {
        self.write("hint", text, || json!({ "event": "hint", "text": text }));
    }

    /// Writes a line without a label. Dropped in JSON.
    pub fn line(self, text: &str) {
        if !self.json {
            write_line(&printable(text));
        }
    }

    /// Writes text of one or more lines without a label. Dropped in JSON.
    pub fn lines(self, text: &str) {
        if !self.json {
            write_line(&printable_lines(text));
        }
    }

    /// Writes a JSON object. Dropped in text.
    pub fn event(self, event: &Value) {
        if self.json {
            write_line(&event.to_string());
        }
    }

    fn write(self, label: &str, text: &str, event: impl FnOnce() -> Value) {
        if self.json {
            self.event(&event());
        } else {
            write_line(&format!("{} {}", coloured(label), printable(text)));
        }
    }
}

/// Returns a label with its colon, in colour if stderr is a terminal and `NO_COLOR` is not set.
fn coloured(label: &str) -> String {
    static HAS_COLOUR: OnceLock<bool> = OnceLock::new();
    let has_colour = HAS_COLOUR.get_or_init(|| {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        io::stderr().is_terminal() && !is_set("NO_COLOR") && !is_dumb
    });
    let colour = match label {
        _ if !has_colour => return format!("{label}:"),
        "error" => "1;31",
        "warning" => "1;33",
        _ => "1;36",
    };
    format!("\u{1b}[{colour}m{label}:\u{1b}[0m")
}

fn write_line(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
