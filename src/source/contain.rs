//! Turns a panic of a source into an error: one bad stem must not bring down the program.

use crate::error::{Error, ErrorKind, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does the work; a panic becomes a `Corrupt` error that names the source. After one, the source is not to be used again.
pub(crate) fn contained<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
        let what = format!("{name}: its reader failed: {}", text.unwrap_or("without saying why"));
        Err(Error::new(ErrorKind::Corrupt, what))
    })
}
