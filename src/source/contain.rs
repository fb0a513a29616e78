//! Contains panics: one bad stem must not bring down the program.
//!
//! A panic is printed by the panic hook of the program before it is caught here: silencing that would change the program
//! around this crate.

use crate::error::{Error, ErrorKind, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does the work; a panic becomes its text. What was worked on is not to be used again then.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
        let text = text.unwrap_or("no reason given").to_owned();
        // Dropping what was thrown may panic once more.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(panic)));
        text
    })
}

/// Does the work of a source; a panic becomes a `Corrupt` error that names it.
pub(crate) fn contained<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    caught(work).unwrap_or_else(|why| Err(Error::new(ErrorKind::Corrupt, format!("{name}: its reader failed: {why}"))))
}
