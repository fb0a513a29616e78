//! Runs threads that share work, and waits for all of them.

use soundtrack::{Error, ErrorKind, Result};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

/// Returns the number of cores that this process may use.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Runs `work` once for each share, each on its own thread, and returns the results in the order of the shares.
///
/// A panic becomes an error of its share.
pub fn run<S: Send, T: Send>(
    shares: impl IntoIterator<Item = S>,
    work: impl Fn(S) -> Result<T> + Sync,
) -> Vec<Result<T>> {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = shares
            .into_iter()
            .map(|share| scope.spawn(move || work(share)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(panicked())))
            .collect()
    })
}

fn panicked() -> Error {
    Error::new(ErrorKind::Output, "a worker thread panicked")
}

/// Locks a mutex. A worker that panicked leaves what it guards whole, since every step under the lock is.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
