//! Threads that work beside the caller's for as long as a scope lasts. One that the system refuses is an error, where
//! the standard library's own way panics.

use crate::error::{Error, ErrorKind, Result};
use std::thread::{Builder, Scope};

/// Starts a thread of this name that ends with the scope.
pub(crate) fn start<'scope>(
    threads: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() + Send + 'scope,
) -> Result<()> {
    let started = Builder::new()
        .name(format!("soundtrack-{name}"))
        .spawn_scoped(threads, work);
    let refused = |e| {
        Error::new(
            ErrorKind::Resource,
            format!("cannot start a thread: {e}; ask for 1 thread"),
        )
        .because(e)
    };
    started.map(drop).map_err(refused)
}
