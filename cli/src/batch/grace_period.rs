//! Interruption of `batch run` by SIGTERM, SIGINT and SIGHUP.
//!
//! After the first signal no item is started. Items that run have the grace period to finish; then each is dropped at its
//! next block and removes its temporary file. A second signal ends the grace period. A render that still hangs two seconds
//! later, for example in a read of a lost disk, is abandoned: nothing it was writing has its final name.

use crate::signals::{self, ReceivedSignals};
use soundtrack::Result;
use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Time that dropped items have to remove their temporary files.
const CLEANUP_TIME: Duration = Duration::from_secs(2);
/// Signals sent to a whole process group arrive more than once; those within this time count as one.
const SAME_SIGNAL: Duration = Duration::from_millis(200);

/// Stops a shard on a signal: first no new items, then none at all.
pub struct GracePeriod {
    signals: ReceivedSignals,
    is_over: AtomicBool,
    length: Duration,
}

impl GracePeriod {
    /// Registers the signal handlers and starts the thread that acts on them.
    ///
    /// # Errors
    /// `Output` if the system refuses them.
    pub fn watch(length: Duration) -> Result<Arc<Self>> {
        let period = Arc::new(Self {
            signals: ReceivedSignals::register()?,
            is_over: AtomicBool::new(false),
            length,
        });
        let watched = Arc::clone(&period);
        let mut first: Option<Instant> = None;
        signals::poll(POLL_INTERVAL, move || watched.check(&mut first))?;
        Ok(period)
    }

    /// Returns whether a signal was received: no item may be started.
    pub fn has_begun(&self) -> bool {
        self.signals.any()
    }

    /// Returns `Break` once the grace period is over: running items must stop.
    pub fn control_flow(&self) -> ControlFlow<()> {
        if self.is_over.load(Ordering::SeqCst) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Returns the exit code of the signal: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP.
    pub fn exit_code(&self) -> u8 {
        self.signals.exit_code()
    }

    fn check(&self, first: &mut Option<Instant>) {
        if !self.signals.any() {
            return;
        }
        let elapsed = first.get_or_insert_with(Instant::now).elapsed();
        let has_new = self.signals.take_new();
        let is_second = has_new && elapsed > SAME_SIGNAL;
        if is_second || elapsed >= self.length {
            self.is_over.store(true, Ordering::SeqCst);
            thread::sleep(CLEANUP_TIME);
            std::process::exit(i32::from(self.exit_code()));
        }
    }
}
