//! Being asked to stop: SIGTERM, SIGINT and SIGHUP.
//!
//! From the first signal on no item is begun. Those that run may go on for the time of grace, then each is dropped at its
//! next block and takes its temporary file away. A second signal ends the grace. What still hangs two seconds later (in a
//! read of a lost disk) is left behind: nothing it was writing has its final name.

use crate::signals;
use soundtrack::{Error, ErrorKind, Result};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const POLL: Duration = Duration::from_millis(10);
const HANGING: Duration = Duration::from_secs(2);
/// What shells add to a signal's number in exit codes.
const SIGNALLED: usize = 128;

/// Knows whether a signal came, and how long ago.
pub struct Stop {
    /// The number of the last signal, 0 before the first.
    signal: Arc<AtomicUsize>,
    /// Set by every signal.
    again: Arc<AtomicBool>,
    /// Whether the time of grace is over.
    over: AtomicBool,
    since: OnceLock<Instant>,
    grace: Duration,
}

impl Stop {
    /// Takes over the signals.
    pub fn watch(grace: Duration) -> Result<Arc<Self>> {
        let stop = Arc::new(Self {
            signal: Arc::default(),
            again: Arc::default(),
            over: AtomicBool::new(false),
            since: OnceLock::new(),
            grace,
        });
        let taken = || {
            for number in signals::that_end() {
                let value = usize::try_from(number).unwrap_or_default();
                signal_hook::flag::register_usize(number, Arc::clone(&stop.signal), value)?;
                signal_hook::flag::register(number, Arc::clone(&stop.again))?;
            }
            let for_thread = Arc::clone(&stop);
            thread::Builder::new()
                .name("signals".into())
                .spawn(move || for_thread.attend())
                .map(drop)
        };
        taken().map_err(|e| Error::new(ErrorKind::Output, format!("signals: {e}")).because(e))?;
        Ok(stop)
    }

    /// Whether a signal came: nothing new is begun.
    pub fn asked(&self) -> bool {
        self.signal.load(Ordering::SeqCst) != 0
    }

    /// Whether what runs is to be dropped.
    pub fn over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// The exit code that tells which signal: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP.
    pub fn exit_code(&self) -> u8 {
        u8::try_from(SIGNALLED + self.signal.load(Ordering::SeqCst)).unwrap_or(u8::MAX)
    }

    fn attend(&self) {
        loop {
            thread::sleep(POLL);
            if !self.asked() {
                continue;
            }
            let first = self.since.get().is_none();
            let since = *self.since.get_or_init(Instant::now);
            // The signals of a whole process group come more than once.
            let settled = since.elapsed() > Duration::from_millis(200);
            let again = !first && settled && self.again.swap(false, Ordering::SeqCst);
            if !settled {
                self.again.store(false, Ordering::SeqCst);
            }
            if again || since.elapsed() >= self.grace {
                self.over.store(true, Ordering::SeqCst);
                thread::sleep(HANGING);
                std::process::exit(i32::from(self.exit_code()));
            }
        }
    }
}
