//! What the engine and the callback tell each other, without locks.
//!
//! All counts are frames at the device's rate since it was opened.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// Counters of one opening of a device.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// The callback may take frames up to here. Short of it, an empty ring is an underrun; from it on, silence is meant.
    granted: AtomicU64,
    /// Frames taken.
    taken: AtomicU64,
    /// Frames that have left the loudspeaker.
    heard: AtomicU64,
    /// After an underrun the callback waits for so many frames.
    target: AtomicU64,
    /// Times the ring ran dry.
    underruns: AtomicU64,
    /// Frames that the device wanted and did not get.
    missing: AtomicU64,
    /// Underruns that the device itself has told.
    xruns: AtomicU64,
    /// The most frames asked for at once.
    largest: AtomicU64,
    /// How often frames were asked for.
    calls: AtomicU64,
    trouble: AtomicU8,
}

/// Why a device gives no sound any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It is not there any more.
    Gone = 1,
    /// Another program has taken it.
    Busy,
    /// Its settings changed: what is sent would be heard wrong.
    Invalidated,
    /// It may not be used.
    Denied,
    /// It failed without saying how.
    Failed,
    /// It stopped asking for sound.
    Silent,
}

impl Trouble {
    const ALL: [Self; 6] = [Self::Gone, Self::Busy, Self::Invalidated, Self::Denied, Self::Failed, Self::Silent];

    /// What happened, and what to do.
    pub(crate) fn what(self) -> &'static str {
        match self {
            Self::Gone => "is gone: connect it again, or choose another, then play on",
            Self::Busy => "was taken by another program: close that one, then play on",
            Self::Invalidated => "has changed its settings: play on to open it anew",
            Self::Denied => "may not be used: allow this program to play sound",
            Self::Failed => "failed: play on to try again, or choose another device",
            Self::Silent => "stopped asking for sound: play on to open it anew, or choose another device",
        }
    }
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Acquire)
}

impl Line {
    pub(super) fn granted(&self) -> u64 {
        get(&self.granted)
    }
    pub(super) fn grant(&self, to: u64) {
        self.granted.store(to, Ordering::Release);
    }
    pub(super) fn taken(&self) -> u64 {
        get(&self.taken)
    }
    pub(super) fn heard(&self) -> u64 {
        get(&self.heard)
    }
    pub(super) fn target(&self) -> u64 {
        get(&self.target)
    }
    pub(super) fn aim(&self, target: u64) {
        self.target.store(target, Ordering::Release);
    }
    pub(super) fn underruns(&self) -> u64 {
        get(&self.underruns).saturating_add(get(&self.xruns))
    }
    pub(super) fn missing(&self) -> u64 {
        get(&self.missing)
    }
    pub(super) fn largest(&self) -> u64 {
        get(&self.largest)
    }
    pub(super) fn calls(&self) -> u64 {
        get(&self.calls)
    }

    /// The callback took frames and knows how many were heard.
    pub(super) fn took(&self, taken: u64, heard: u64) {
        self.taken.store(taken, Ordering::Release);
        self.heard.fetch_max(heard, Ordering::AcqRel);
    }
    pub(super) fn asked(&self, frames: u64) {
        self.calls.fetch_add(1, Ordering::AcqRel);
        self.largest.fetch_max(frames, Ordering::AcqRel);
    }
    pub(super) fn lacked(&self, frames: u64, again: bool) {
        self.missing.fetch_add(frames, Ordering::AcqRel);
        self.underruns.fetch_add(u64::from(!again), Ordering::AcqRel);
    }

    /// The device tells an underrun of its own.
    #[cfg_attr(
        not(any(test, feature = "device")),
        expect(dead_code, reason = "only devices have underruns of their own")
    )]
    pub(crate) fn xrun(&self) {
        self.xruns.fetch_add(1, Ordering::AcqRel);
    }

    /// The device gives no sound any more. The first reason stays.
    pub(crate) fn fail(&self, trouble: Trouble) {
        let _ = self.trouble.compare_exchange(0, trouble as u8, Ordering::AcqRel, Ordering::Acquire);
    }
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let code = self.trouble.load(Ordering::Acquire);
        Trouble::ALL.into_iter().find(|t| *t as u8 == code)
    }
}
