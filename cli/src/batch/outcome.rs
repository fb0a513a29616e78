//! How an item ended, as one line of JSON, and what all of them make the program's exit code.

use super::job::Wrong;
use crate::failure;
use serde_json::{Value, json};
use soundtrack::{Error, ErrorKind};
use std::path::Path;

const SESSION: u8 = 3;
/// The codes of items, what is told first: what may pass by itself, then what a person must mend.
const FIRST: [u8; 5] = [75, 5, 4, 3, 1];

/// How an item ended.
pub struct Outcome {
    pub status: Status,
    pub code: u8,
    /// What else the line says.
    pub about: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Rendered and published; a check may have failed.
    Done,
    /// Done before.
    Skipped,
    Failed,
    /// Interrupted.
    Dropped,
}

impl Outcome {
    pub fn of_error(error: &Error) -> Self {
        if error.kind() == ErrorKind::Cancelled {
            return Self {
                status: Status::Dropped,
                code: 0,
                about: json!({ "what": "interrupted; nothing was written" }),
            };
        }
        let problem = |p: &soundtrack::Problem| {
            let place = p.span.as_ref();
            let place = place.map(
                |p| json!({ "file": p.file.to_string_lossy(), "line": p.line, "column": p.column }),
            );
            json!({ "what": p.sentence(), "kind": failure::word(p.error_kind()), "place": place })
        };
        let problems: Vec<Value> = error.problems().iter().map(problem).collect();
        let kind = failure::word(error.kind());
        let about = json!({ "kind": kind, "what": error.to_string(), "problems": problems });
        Self {
            status: Status::Failed,
            code: failure::exit_code(error),
            about,
        }
    }

    /// A line of the list that is no job.
    pub fn of_wrong(wrong: &Wrong, list: &Path, index: u64) -> Self {
        let what = place(list, index, wrong);
        Self {
            status: Status::Failed,
            code: SESSION,
            about: json!({ "kind": "session", "what": what }),
        }
    }

    /// Something about an item that its session does not say.
    pub fn refused(what: String) -> Self {
        Self {
            status: Status::Failed,
            code: SESSION,
            about: json!({ "kind": "session", "what": what }),
        }
    }

    /// The line that is printed.
    pub fn line(&self, id: Option<&str>, index: u64) -> String {
        let status = match self.status {
            Status::Done => "done",
            Status::Skipped => "skipped",
            Status::Failed => "failed",
            Status::Dropped => "dropped",
        };
        let mut line = json!({ "id": id, "index": index, "status": status, "code": self.code });
        if let (Some(line), Value::Object(about)) = (line.as_object_mut(), &self.about) {
            line.extend(about.clone());
        }
        line.to_string()
    }
}

/// `jobs.jsonl:18:5: what`
pub fn place(list: &Path, index: u64, wrong: &Wrong) -> String {
    format!(
        "{}:{}:{}: {}",
        list.display(),
        index + 1,
        wrong.column,
        wrong.what
    )
}

/// The exit code of several items: of those that failed the one that is to be heard first.
pub fn worst(codes: impl IntoIterator<Item = u8>) -> u8 {
    let rank = |code: u8| FIRST.iter().position(|c| *c == code).unwrap_or(FIRST.len());
    codes
        .into_iter()
        .min_by_key(|code| rank(*code))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_heard_first() {
        assert_eq!(worst([]), 0);
        assert_eq!(worst([0, 1, 0]), 1);
        assert_eq!(worst([1, 3, 4]), 4);
        assert_eq!(worst([5, 4]), 5);
        assert_eq!(worst([3, 75, 5]), 75);
    }

    #[test]
    fn an_item_has_the_codes_of_a_mix() {
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
            of(ErrorKind::NotFound).line(Some("a"), 7),
            r#"{"code":4,"id":"a","index":7,"kind":"not found","problems":[],"status":"failed","what":"x"}"#
        );
    }
}
