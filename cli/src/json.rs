//! Prints JSON documents on stdout, each with the version of its form.
//!
//! `cli/output.schema.json` describes all of them.

use crate::{failure::Failure, stdout};
use serde_json::{Map, Value};
use soundtrack::report::JSON_VERSION;

/// Prints a document, an object, with its version.
///
/// # Errors
/// As [`stdout::print`].
pub fn print(document: Value) -> Result<(), Failure> {
    stdout::print(&format!("{:#}", versioned(document)))
}

/// Returns a document, an object, with its version.
pub fn versioned(document: Value) -> Value {
    let mut fields = match document {
        Value::Object(fields) => fields,
        other => Map::from_iter([("value".to_owned(), other)]),
    };
    fields.insert("version".to_owned(), JSON_VERSION.into());
    Value::Object(fields)
}
