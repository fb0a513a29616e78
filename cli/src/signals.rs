//! Signals that end a program, and the one that must not.

use crate::exit_code;
use signal_hook::consts::{SIGINT, SIGTERM};
use soundtrack::{Error, ErrorKind, Result};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// The ending signals that this process has received. Once registered, they no longer end the process by themselves.
pub struct ReceivedSignals {
    /// Number of the last signal, 0 before the first.
    last: Arc<AtomicUsize>,
    /// Set by every signal, cleared by [`Self::take_new`].
    is_new: Arc<AtomicBool>,
}

impl ReceivedSignals {
    /// Registers handlers of the signals that ask a program to end: SIGINT, SIGTERM, and SIGHUP unless the program was
    /// started so that it survives the end of its terminal (`nohup`).
    ///
    /// # Errors
    /// `Output` if the system refuses a handler.
    pub fn register() -> Result<Self> {
        let received = Self {
            last: Arc::default(),
            is_new: Arc::default(),
        };
        for number in ending_signals() {
            // Signal numbers are small and positive.
            let value = usize::try_from(number).unwrap_or_default();
            signal_hook::flag::register_usize(number, Arc::clone(&received.last), value)
                .and_then(|_| signal_hook::flag::register(number, Arc::clone(&received.is_new)))
                .map_err(refused)?;
        }
        Ok(received)
    }

    /// Returns whether a signal was received.
    pub fn any(&self) -> bool {
        self.last.load(Ordering::SeqCst) != 0
    }

    /// Returns whether a signal was received since the last call of [`Self::take_new`].
    pub fn has_new(&self) -> bool {
        self.is_new.load(Ordering::SeqCst)
    }

    /// Returns whether a signal was received since the last call.
    pub fn take_new(&self) -> bool {
        self.is_new.swap(false, Ordering::SeqCst)
    }

    /// Returns the exit code of the last signal: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP.
    pub fn exit_code(&self) -> u8 {
        exit_code::of_signal(self.last.load(Ordering::SeqCst))
    }
}

/// Starts a thread that calls `check` at this interval for as long as the process runs.
///
/// # Errors
/// `Output` if the system refuses the thread.
pub fn poll(interval: Duration, mut check: impl FnMut() + Send + 'static) -> Result<()> {
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            loop {
                thread::sleep(interval);
                check();
            }
        })
        .map(drop)
        .map_err(refused)
}

fn refused(e: io::Error) -> Error {
    Error::new(ErrorKind::Output, format!("signals: {e}")).because(e)
}

fn ending_signals() -> Vec<i32> {
    let mut signals = vec![SIGINT, SIGTERM];
    #[cfg(unix)]
    if !is_ignored(signal_hook::consts::SIGHUP) {
        signals.push(signal_hook::consts::SIGHUP);
    }
    signals
}

/// Makes a write beyond the largest size of a file (`ulimit -f`) fail. Without a handler its signal would end the program,
/// which would leave its temporary file behind.
pub fn survive_large_files() {
    // If the handler is refused, the program still works below that limit.
    #[cfg(unix)]
    drop(signal_hook::flag::register(
        signal_hook::consts::SIGXFSZ,
        Arc::default(),
    ));
}

/// Returns whether a signal was ignored when the program was started. Only Linux says so.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
