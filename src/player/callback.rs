//! The real-time end: copies frames from the ring to the device, and counts. The only real-time code of the crate.
//!
//! It takes no lock, allocates nothing, frees nothing, calls nothing of the system, and has no way to panic. When the
//! ring runs dry in the middle, the last frame fades to silence; the count of missing frames goes up; and when the ring
//! is full again the sound fades in where it left off. No frame is ever left out, so all stems stay in step.

use super::{ring::Drain, stream_stats::Line};
use crate::units::Frames;
use std::{fmt, sync::Arc};

/// Frames of the fades around an underrun: under 5 ms at 48 kHz.
const FADE: u32 = 192;

/// A sample as a device takes it.
pub(crate) trait Word: Copy {
    /// The nearest value there is, halves to even; what is no finite number is silence in an integer.
    fn of(sample: f64) -> Self;
}

impl Word for f64 {
    fn of(sample: f64) -> Self {
        sample
    }
}

impl Word for f32 {
    #[expect(clippy::cast_possible_truncation, reason = "the nearest f32")]
    fn of(sample: f64) -> Self {
        sample as Self
    }
}

macro_rules! integer {
    ($($word:ty),*) => {$(
        impl Word for $word {
            #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate, and NaN is 0")]
            #[expect(clippy::cast_lossless, reason = "the same for all widths")]
            fn of(sample: f64) -> Self {
                let full = -(<$word>::MIN as f64);
                if sample.is_finite() { (sample * full).round_ties_even() as Self } else { 0 }
            }
        }
    )*};
}
integer!(i8, i16, i32);

#[cfg(feature = "device")]
impl Word for u8 {
    fn of(sample: f64) -> Self {
        i8::of(sample).cast_unsigned() ^ 0x80
    }
}

#[cfg(feature = "device")]
impl Word for u16 {
    fn of(sample: f64) -> Self {
        i16::of(sample).cast_unsigned() ^ 0x8000
    }
}

/// The real-time end of a player, for a program that has an audio callback of its own: see [`Play::own`](crate::Play::own).
///
/// Nothing in it locks, allocates, frees or calls the system, so it may be called wherever audio must not wait.
pub struct Callback {
    ring: Drain,
    line: Arc<Line>,
    channels: usize,
    taken: u64,
    /// Device frames since the last one taken.
    idle: u64,
    /// What was put out last, one sample a channel.
    last: Vec<f64>,
    starved: bool,
    /// Frames since the sound stopped or came back, up to [`FADE`].
    fading: u32,
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Callback({} channels, {} frames taken)", self.channels, self.taken)
    }
}

impl Callback {
    /// The end of a ring, for a device of so many channels.
    pub(super) fn new(ring: Drain, line: Arc<Line>, channels: usize) -> Self {
        let last = vec![0.0; channels];
        Self { ring, line, channels: channels.max(1), taken: 0, idle: 0, last, starved: false, fading: FADE }
    }

    /// Fills a buffer of interleaved frames, of any length, with what comes next; silence where nothing plays. The first
    /// of them is heard in `delay` frames of the device.
    pub fn fill(&mut self, out: &mut [f32], delay: Frames) {
        self.serve(out, delay.0);
    }

    /// The same, in the sample format of any device.
    pub(crate) fn serve<W: Word>(&mut self, out: &mut [W], delay: u64) {
        let frames = (out.len() / self.channels) as u64;
        self.line.asked(frames);
        let allowed = self.line.granted().saturating_sub(self.taken);
        let there = (self.ring.there() / self.channels) as u64;
        if self.starved && there > 0 && there >= allowed.min(self.line.target().max(frames)) {
            (self.starved, self.fading) = (false, 0);
        }
        let wanted = frames.min(allowed);
        let given = if self.starved { 0 } else { wanted.min(there) };
        let samples = usize::try_from(given).unwrap_or(0) * self.channels;
        let (sound, silence) = out.split_at_mut(samples.min(out.len()));
        self.copy(sound);
        if given < wanted {
            self.line.lacked(wanted - given, self.starved);
            if !self.starved {
                (self.starved, self.fading) = (true, 0);
            }
        }
        self.fade_out(silence);
        self.taken += given;
        self.idle = if given > 0 { frames - given } else { self.idle.saturating_add(frames) };
        let ahead = delay.saturating_add(frames).saturating_sub(self.idle);
        self.line.took(self.taken, self.taken.saturating_sub(ahead));
    }

    /// How many frames could be taken now.
    pub(crate) fn available(&self) -> u64 {
        let allowed = self.line.granted().saturating_sub(self.taken);
        let there = (self.ring.there() / self.channels) as u64;
        if self.starved && there < allowed.min(self.line.target()) { 0 } else { allowed.min(there) }
    }

    /// Takes as many samples as there is room for: they are there.
    fn copy<W: Word>(&mut self, out: &mut [W]) {
        let (channels, last, fading) = (self.channels, &mut self.last, &mut self.fading);
        let mut out = out.chunks_exact_mut(channels);
        self.ring.take(out.len() * channels, |samples| {
            for (frame, to) in samples.chunks_exact(channels).zip(&mut out) {
                if *fading < FADE {
                    *fading += 1;
                    let gain = f64::from(*fading) / f64::from(FADE);
                    to.iter_mut().zip(frame).for_each(|(to, x)| *to = W::of(x * gain));
                } else {
                    to.iter_mut().zip(frame).for_each(|(to, x)| *to = W::of(*x));
                }
            }
            if let Some(frame) = samples.chunks_exact(channels).next_back() {
                last.iter_mut().zip(frame).for_each(|(last, x)| *last = *x);
            }
        });
    }

    /// Silence; after an underrun the last frame dies away first.
    fn fade_out<W: Word>(&mut self, out: &mut [W]) {
        for to in out.chunks_mut(self.channels) {
            if self.starved && self.fading < FADE {
                self.fading += 1;
                let gain = 1.0 - f64::from(self.fading) / f64::from(FADE);
                to.iter_mut().zip(&self.last).for_each(|(to, x)| *to = W::of(x * gain));
            } else {
                to.fill(W::of(0.0));
            }
        }
    }
}
