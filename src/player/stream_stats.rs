//! Atomic counters that connect the callback with the playback thread.
//!
//! All of them count frames at the device's rate, or events, since the device was opened.

use crate::sync::locked;
use std::sync::{
    Mutex,
    atomic::{AtomicU8, AtomicU64, Ordering},
};

/// Counters and fault of one device stream.
#[derive(Debug, Default)]
pub(crate) struct StreamStats {
    /// The frame up to which playback is planned. Before it, an empty ring is an underrun; from it on, silence is correct.
    play_until: AtomicU64,
    /// Frames that the callback has taken from the ring.
    consumed: AtomicU64,
    /// Frames that have been heard: consumed, less the device's delay.
    heard: AtomicU64,
    /// Frames that the ring must hold before the callback resumes after an underrun.
    target: AtomicU64,
    underruns: AtomicU64,
    /// Frames that the device requested and did not get.
    missing: AtomicU64,
    /// Underruns that the device itself has reported.
    xruns: AtomicU64,
    /// The largest number of frames requested at once.
    largest_request: AtomicU64,
    /// Number of requests.
    calls: AtomicU64,
    /// The [`DeviceFault`] as a number; 0 for none.
    fault: AtomicU8,
    /// Errors that the device has reported since it last called, and went on after.
    passing_errors: AtomicU64,
    /// The last error, passing or not.
    last_error: Mutex<Option<DeviceError>>,
}

/// An error that a device reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeviceError {
    /// The fault that it becomes if the device no longer plays.
    pub fault: DeviceFault,
    /// The message of the sound system.
    pub cause: String,
}

/// The reason why a device no longer plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceFault {
    /// It was disconnected.
    Disconnected = 1,
    /// Another program has taken it.
    Busy,
    /// Its configuration changed, so frames would be played wrongly.
    Invalidated,
    /// The system denied access.
    PermissionDenied,
    /// It failed for an unknown reason.
    Failed,
    /// It stopped requesting frames.
    Unresponsive,
}

impl DeviceFault {
    const ALL: [Self; 6] = [
        Self::Disconnected,
        Self::Busy,
        Self::Invalidated,
        Self::PermissionDenied,
        Self::Failed,
        Self::Unresponsive,
    ];

    /// Returns the message with its advice, as the rest of a sentence that starts with the device's name.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Disconnected => "is gone: connect it again, or choose another, then play on",
            Self::Busy => "was taken by another program: close that one, then play on",
            Self::Invalidated => "has changed its settings: play on to open it anew",
            Self::PermissionDenied => "may not be used: allow this program to play sound",
            Self::Failed => "failed: play on to try again, or choose another device",
            Self::Unresponsive => {
                "stopped asking for sound: play on to open it anew, or choose another device"
            }
        }
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Acquire)
}

impl StreamStats {
    pub(super) fn play_until(&self) -> u64 {
        load(&self.play_until)
    }
    pub(super) fn set_play_until(&self, frame: u64) {
        self.play_until.store(frame, Ordering::Release);
    }
    pub(super) fn consumed(&self) -> u64 {
        load(&self.consumed)
    }
    pub(super) fn heard(&self) -> u64 {
        load(&self.heard)
    }
    pub(super) fn target(&self) -> u64 {
        load(&self.target)
    }
    pub(super) fn set_target(&self, frames: u64) {
        self.target.store(frames, Ordering::Release);
    }
    /// Returns the underruns of the ring and those that the device reported.
    pub(super) fn underruns(&self) -> u64 {
        load(&self.underruns).saturating_add(load(&self.xruns))
    }
    pub(super) fn missing(&self) -> u64 {
        load(&self.missing)
    }
    pub(super) fn largest_request(&self) -> u64 {
        load(&self.largest_request)
    }
    pub(super) fn calls(&self) -> u64 {
        load(&self.calls)
    }

    /// Records a request of the device.
    pub(super) fn record_request(&self, frames: u64) {
        self.calls.fetch_add(1, Ordering::AcqRel);
        self.passing_errors.store(0, Ordering::Release);
        self.largest_request.fetch_max(frames, Ordering::AcqRel);
    }
    /// Records the totals of frames consumed and heard.
    pub(super) fn record_consumed(&self, consumed: u64, heard: u64) {
        self.consumed.store(consumed, Ordering::Release);
        // The device's delay varies; the position must not run backwards.
        self.heard.fetch_max(heard, Ordering::AcqRel);
    }
    /// Records frames that were missing, in a new underrun or in the one that already lasts.
    pub(super) fn record_missing(&self, frames: u64, is_new: bool) {
        self.missing.fetch_add(frames, Ordering::AcqRel);
        self.underruns
            .fetch_add(u64::from(is_new), Ordering::AcqRel);
    }

    /// Records silence that the device played between two requests, after it reported an underrun.
    #[cfg_attr(
        not(any(test, feature = "device")),
        expect(dead_code, reason = "only devices report underruns of their own")
    )]
    pub(crate) fn record_gap(&self, frames: u64) {
        self.missing.fetch_add(frames, Ordering::AcqRel);
    }

    /// Returns the underruns that the device reported.
    #[cfg_attr(
        not(feature = "device"),
        expect(dead_code, reason = "only devices report underruns of their own")
    )]
    pub(crate) fn xruns(&self) -> u64 {
        load(&self.xruns)
    }

    /// Records an underrun that the device reported.
    #[cfg_attr(
        not(any(test, feature = "device")),
        expect(dead_code, reason = "only devices report underruns of their own")
    )]
    pub(crate) fn record_xrun(&self) {
        self.xruns.fetch_add(1, Ordering::AcqRel);
    }

    /// Records an error after which the device goes on, if it does.
    #[cfg_attr(
        not(any(test, feature = "device")),
        expect(dead_code, reason = "only devices report errors")
    )]
    pub(crate) fn record_passing_error(&self, error: DeviceError) {
        self.passing_errors.fetch_add(1, Ordering::AcqRel);
        self.keep(error);
    }

    /// Records an error that ends the stream. The first one is kept.
    #[cfg_attr(
        not(any(test, feature = "device")),
        expect(dead_code, reason = "only devices report errors")
    )]
    pub(crate) fn record_fatal_error(&self, error: DeviceError) {
        let fault = error.fault;
        if self.fault().is_none() {
            self.keep(error);
        }
        self.record_fault(fault);
    }

    /// Keeps an error for messages, unless it is being read: the thread of the device must not wait.
    fn keep(&self, error: DeviceError) {
        if let Ok(mut last) = self.last_error.try_lock() {
            *last = Some(error);
        }
    }

    /// Returns the number of errors that the device has reported since it last called.
    pub(super) fn passing_errors(&self) -> u64 {
        load(&self.passing_errors)
    }

    /// Returns the last error that the device reported.
    pub(super) fn last_error(&self) -> Option<DeviceError> {
        locked(&self.last_error).clone()
    }

    /// Records a fault. The first one is kept.
    pub(crate) fn record_fault(&self, fault: DeviceFault) {
        let _ = self
            .fault
            .compare_exchange(0, fault as u8, Ordering::AcqRel, Ordering::Acquire);
    }
    pub(super) fn fault(&self) -> Option<DeviceFault> {
        let code = self.fault.load(Ordering::Acquire);
        DeviceFault::ALL
            .into_iter()
            .find(|fault| *fault as u8 == code)
    }
}
