//! Injects faults into playback: slow disks, and a callback that must not wait.
//!
//! No device: a thread asks in real time through the public callback, as one would.

#[cfg(unix)]
mod callback;
mod slow;

use super::table::Row;
#[cfg(unix)]
pub use callback::{CHILD, child};

/// All rows, a slice for each file.
#[cfg(unix)]
pub const ROWS: [&[Row]; 2] = [slow::ROWS, callback::ROWS];
#[cfg(not(unix))]
pub const ROWS: [&[Row]; 1] = [slow::ROWS];
