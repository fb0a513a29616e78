//! How locks are taken.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a lock guards. It is poisoned only by a panic elsewhere, which is told where it happened.
pub(crate) fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
