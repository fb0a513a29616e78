//! Starts threads that end with a scope.

use crate::error::{Error, ErrorKind, Result};
use std::thread::{Builder, Scope};

/// Starts a named thread that ends with the scope.
///
/// # Errors
/// `Resource` where the system refuses the thread; the standard library's `Scope::spawn` would panic.
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
