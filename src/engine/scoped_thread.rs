//! Starts named threads within a scope, which waits for their end.

use crate::error::{Error, ErrorKind, Result};
use std::thread::{Builder, Scope};

/// Starts the thread `soundtrack-NAME` in a scope. In contrast to the standard library's `Scope::spawn`, does not panic if the
/// system has no thread left.
///
/// # Errors
/// `Resource` if the system refuses the thread.
pub(crate) fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() + Send + 'scope,
) -> Result<()> {
    let started = Builder::new()
        .name(format!("soundtrack-{name}"))
        .spawn_scoped(scope, work);
    let refused = |e| {
        Error::new(
            ErrorKind::Resource,
            format!("cannot start a thread: {e}; ask for 1 thread"),
        )
        .because(e)
    };
    started.map(drop).map_err(refused)
}
