//! The outcome of an item, printed as one line of JSON.

use super::job::LineError;
use crate::exit_code;
use serde_json::{Value, json};
use soundtrack::{Error, ErrorKind};
use std::path::Path;

/// Outcome of an item.
pub struct Outcome {
    pub status: Status,
    /// Exit code of the item.
    pub code: u8,
    /// Other fields of the line, as an object.
    pub fields: Value,
}

/// Status of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Rendered and published; a check may have failed.
    Done,
    /// Done by an earlier run.
    Skipped,
    /// Not rendered because of an error.
    Failed,
    /// Interrupted by a signal.
    Dropped,
}

impl Outcome {
    /// Returns the outcome of an item that ended with an error of the library.
    pub fn of_error(error: &Error) -> Self {
        if error.kind() == ErrorKind::Cancelled {
            return Self {
                status: Status::Dropped,
                code: 0,
                fields: json!({ "what": "interrupted; nothing was written" }),
            };
        }
        let problem = |p: &soundtrack::Problem| {
            let place = p.span.as_ref();
            let place = place.map(
                |p| json!({ "file": p.file.to_string_lossy(), "line": p.line, "column": p.column }),
            );
            json!({ "what": p.sentence(), "kind": p.error_kind().to_string(), "place": place })
        };
        let problems: Vec<Value> = error.problems().iter().map(problem).collect();
        let kind = error.kind().to_string();
        let fields = json!({ "kind": kind, "what": error.to_string(), "problems": problems });
        Self {
            status: Status::Failed,
            code: exit_code::of_error(error),
            fields,
        }
    }

    /// Returns the outcome of a line of the list that is wrong.
    pub fn of_line_error(error: &LineError, list: &Path, index: u64) -> Self {
        Self::refused(error.at(list, index))
    }

    /// Returns the outcome of an item that is wrong, though its session is not.
    pub fn refused(text: String) -> Self {
        Self {
            status: Status::Failed,
            code: exit_code::SESSION,
            fields: json!({ "kind": "session", "what": text }),
        }
    }

    /// Formats the line that is printed.
    pub fn to_json_line(&self, id: Option<&str>, index: u64) -> String {
        let status = match self.status {
            Status::Done => "done",
            Status::Skipped => "skipped",
            Status::Failed => "failed",
            Status::Dropped => "dropped",
        };
        let mut line = json!({ "id": id, "index": index, "status": status, "code": self.code });
        if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), &self.fields) {
            line.extend(fields.clone());
        }
        line.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_has_the_exit_codes_of_a_mix() {
        let busy = std::io::Error::from(std::io::ErrorKind::TimedOut);
        let of = |kind| Outcome::of_error(&Error::new(kind, "x"));
        assert_eq!(
            [ErrorKind::Session, ErrorKind::NotFound, ErrorKind::Output].map(|k| of(k).code),
            [3, 4, 5]
        );
        assert_eq!(
            Outcome::of_error(&Error::new(ErrorKind::Output, "x").because(busy)).code,
            75
        );
        assert_eq!(of(ErrorKind::Cancelled).status, Status::Dropped);
        assert_eq!(
            of(ErrorKind::NotFound).to_json_line(Some("a"), 7),
            r#"{"code":4,"id":"a","index":7,"kind":"not found","problems":[],"status":"failed","what":"x"}"#
        );
    }
}
