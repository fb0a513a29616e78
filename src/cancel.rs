//! Ends a long operation early: on request, or at a deadline.

use crate::error::{Error, ErrorKind, Result};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Ends operations that were given a clone of it: when [`cancel`](Self::cancel) is called, from any thread, or when its
/// deadline passes. The two give different errors.
///
/// ```
/// use soundtrack::{Bounce, Cancel, ErrorKind, Layout, SampleRate, Session, Spec, Track, media::Memory};
/// use std::time::Duration;
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut mix = Session::new(spec.rate, spec.layout);
/// mix.add_track(Track::new("tone", Memory::new(spec, vec![vec![0.5; 48_000]])?));
/// let late = Cancel::new().after(Duration::ZERO);
/// let error = Bounce::new().cancel(&late).to_bytes(&mix).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::DeadlinePassed);
/// let request = Cancel::new();
/// request.cancel(); // from the thread that watches the connection
/// let error = Bounce::new().cancel(&request).to_bytes(&mix).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Cancelled);
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    requested: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Cancel {
    /// Makes one without a deadline.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a deadline from now on, for this clone and those made of it.
    #[must_use]
    pub fn after(mut self, time: Duration) -> Self {
        // A time that the clock cannot express is no limit.
        self.deadline = Instant::now().checked_add(time);
        self
    }

    /// Ends the operations that were given a clone of this, within about 20 ms.
    pub fn cancel(&self) {
        self.requested.store(true, Ordering::Release);
    }

    /// Returns an error if the operation is to end.
    ///
    /// # Errors
    /// `Cancelled` after [`cancel`](Self::cancel); otherwise `DeadlinePassed` after the deadline.
    pub fn check(&self) -> Result<()> {
        if self.requested.load(Ordering::Acquire) {
            return Err(Error::new(ErrorKind::Cancelled, "cancelled"));
        }
        if self.deadline.is_some_and(|at| Instant::now() >= at) {
            let what = "the deadline has passed: allow more time, or less work";
            return Err(Error::new(ErrorKind::DeadlinePassed, what));
        }
        Ok(())
    }
}
