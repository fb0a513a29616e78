//! Interruption of `mixdown` by SIGINT, SIGTERM and SIGHUP.
//!
//! While an output is being written, a signal is only recorded: the render checks it after each block, stops, and removes
//! its temporary file. At any other time there is nothing to clean up and the program ends at once. A signal two seconds
//! after the first ends the program even while it writes; the next run removes the temporary file that may be left.

use crate::signals::{self, ReceivedSignals};
use soundtrack::Result;
use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Time that a render has to stop before a second signal ends the program.
const GRACE: Duration = Duration::from_secs(2);

/// Ends the program on a signal, or makes the render stop if one is running.
pub struct Interrupt {
    shared: Arc<Shared>,
}

struct Shared {
    signals: ReceivedSignals,
    phase: AtomicU8,
}

/// Nothing is being written: a signal ends the program.
const BEFORE: u8 = 0;
/// A temporary file may exist: a signal makes the render stop.
const WRITING: u8 = 1;
/// The result is known and only has to be printed: a new signal ends the program.
const AFTER: u8 = 2;

impl Interrupt {
    /// Registers the signal handlers and starts the thread that acts on them.
    ///
    /// # Errors
    /// `Output` if the system refuses them.
    pub fn watch() -> Result<Self> {
        let shared = Arc::new(Shared {
            signals: ReceivedSignals::register()?,
            phase: AtomicU8::new(BEFORE),
        });
        let watched = Arc::clone(&shared);
        let mut first: Option<Instant> = None;
        signals::poll(POLL_INTERVAL, move || watched.check(&mut first))?;
        Ok(Self { shared })
    }

    /// Runs the check of an output, which creates a temporary file for a moment.
    pub fn while_checking<T>(&self, work: impl FnOnce() -> T) -> T {
        self.during(work, BEFORE)
    }

    /// Runs the render that writes an output.
    pub fn while_writing<T>(&self, work: impl FnOnce() -> T) -> T {
        self.during(work, AFTER)
    }

    fn during<T>(&self, work: impl FnOnce() -> T, next_phase: u8) -> T {
        self.shared.phase.store(WRITING, Ordering::SeqCst);
        let done = work();
        // A signal of this phase has been obeyed; only one that comes later may end the program.
        self.shared.signals.take_new();
        self.shared.phase.store(next_phase, Ordering::SeqCst);
        done
    }

    /// Returns whether a signal was received.
    pub fn is_requested(&self) -> bool {
        self.shared.signals.any()
    }

    /// Returns `Break` once a signal was received, for the progress callbacks of the library.
    pub fn control_flow(&self) -> ControlFlow<()> {
        if self.is_requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Returns the exit code of the signal: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP.
    pub fn exit_code(&self) -> u8 {
        self.shared.signals.exit_code()
    }
}

impl Shared {
    fn check(&self, first: &mut Option<Instant>) {
        if !self.signals.any() {
            return;
        }
        let is_late = first.get_or_insert_with(Instant::now).elapsed() > GRACE;
        let ends = match self.phase.load(Ordering::SeqCst) {
            BEFORE => true,
            AFTER => self.signals.has_new(),
            _ => self.signals.take_new() && is_late,
        };
        if ends {
            std::process::exit(i32::from(self.signals.exit_code()));
        }
    }
}
