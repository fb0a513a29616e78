//! Being interrupted: SIGINT, SIGTERM and SIGHUP.
//!
//! While an output is being written the signal is only noted: the render sees it after its next block, stops, and
//! takes its temporary file away. At any other time there is nothing to tidy up and the program ends at once. A signal
//! two seconds after the first ends it anyway; the temporary that may then stay is removed by the next run.

use crate::signals;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const POLL: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(2);
/// What shells add to a signal's number in exit codes.
const SIGNALLED: usize = 128;

/// Knows whether a signal came.
pub struct Stop {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// The number of the last signal, 0 before the first.
    signal: Arc<AtomicUsize>,
    /// Set by every signal.
    again: Arc<AtomicBool>,
    phase: AtomicU8,
}

/// Nothing is written yet: a signal ends the program.
const BEFORE: u8 = 0;
/// A temporary file may be there: a signal asks the render to stop.
const WRITING: u8 = 1;
/// The outcome is certain, and only to be told: a new signal ends the program.
const AFTER: u8 = 2;

impl Stop {
    /// Takes over the signals.
    pub fn watch() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        for number in signals::that_end() {
            let value = usize::try_from(number).unwrap_or_default();
            signal_hook::flag::register_usize(number, Arc::clone(&shared.signal), value)?;
            signal_hook::flag::register(number, Arc::clone(&shared.again))?;
        }
        let for_thread = Arc::clone(&shared);
        thread::Builder::new()
            .name("signals".into())
            .spawn(move || attend(&for_thread))?;
        Ok(Self { shared })
    }

    /// Looks whether an output can be written, which starts one for a moment.
    pub fn while_checking<T>(&self, work: impl FnOnce() -> T) -> T {
        self.during(work, BEFORE)
    }

    /// Writes the output.
    pub fn while_writing<T>(&self, work: impl FnOnce() -> T) -> T {
        self.during(work, AFTER)
    }

    fn during<T>(&self, work: impl FnOnce() -> T, then: u8) -> T {
        self.shared.phase.store(WRITING, Ordering::SeqCst);
        let done = work();
        self.shared.again.store(false, Ordering::SeqCst);
        self.shared.phase.store(then, Ordering::SeqCst);
        done
    }

    /// Whether a signal came.
    pub fn asked(&self) -> bool {
        self.shared.signal.load(Ordering::SeqCst) != 0
    }

    /// The exit code that tells which: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP.
    pub fn exit_code(&self) -> u8 {
        u8::try_from(SIGNALLED + self.shared.signal.load(Ordering::SeqCst)).unwrap_or(u8::MAX)
    }
}

fn attend(shared: &Shared) {
    let mut first: Option<Instant> = None;
    loop {
        thread::sleep(POLL);
        let number = shared.signal.load(Ordering::SeqCst);
        if number == 0 {
            continue;
        }
        let late = first.get_or_insert_with(Instant::now).elapsed() > PATIENCE;
        let ends = match shared.phase.load(Ordering::SeqCst) {
            BEFORE => true,
            AFTER => shared.again.load(Ordering::SeqCst),
            _ => shared.again.swap(false, Ordering::SeqCst) && late,
        };
        if ends {
            std::process::exit(i32::try_from(SIGNALLED + number).unwrap_or(1));
        }
    }
}
