//! The real-time end of a player: copies frames from the ring to the device, and counts them.
//!
//! This is the only real-time code of the crate. It takes no lock, allocates and frees nothing, makes no system call, and
//! cannot panic. When the ring runs empty during playback, the last frame fades to silence and the missing frames are
//! counted; once the ring is full again, the sound fades in at the next frame. No frame is skipped, so all stems stay
//! aligned.

use super::{ring::RingReader, stream_stats::StreamStats};
use crate::units::{Frames, saturating_usize};
use std::{fmt, sync::Arc};

/// Length of the fades around an underrun in frames: 4 ms at 48 kHz.
const FADE: u32 = 192;

/// A sample in a format that a device accepts.
pub(crate) trait DeviceSample: Copy {
    /// Converts a sample of full scale ±1.0 to the nearest value. Integers round halves to even and saturate; values that are
    /// not finite become silence.
    fn from_f64(sample: f64) -> Self;
}

impl DeviceSample for f64 {
    fn from_f64(sample: f64) -> Self {
        sample
    }
}

impl DeviceSample for f32 {
    #[expect(clippy::cast_possible_truncation, reason = "the nearest f32")]
    fn from_f64(sample: f64) -> Self {
        sample as Self
    }
}

macro_rules! signed_integer {
    ($($format:ty),*) => {$(
        impl DeviceSample for $format {
            #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
            #[expect(clippy::cast_lossless, reason = "the same for all widths")]
            fn from_f64(sample: f64) -> Self {
                let full_scale = -(<$format>::MIN as f64);
                if sample.is_finite() { (sample * full_scale).round_ties_even() as Self } else { 0 }
            }
        }
    )*};
}
signed_integer!(i8, i16, i32);

// Unsigned formats are the signed ones with an offset of half the range: the top bit is flipped.
#[cfg(feature = "device")]
impl DeviceSample for u8 {
    fn from_f64(sample: f64) -> Self {
        i8::from_f64(sample).cast_unsigned() ^ 0x80
    }
}

#[cfg(feature = "device")]
impl DeviceSample for u16 {
    fn from_f64(sample: f64) -> Self {
        i16::from_f64(sample).cast_unsigned() ^ 0x8000
    }
}

/// The real-time end of a player, for a program with its own audio callback: see
/// [`PlayerBuilder::own`](crate::PlayerBuilder::own).
///
/// Never locks, allocates, frees or makes a system call, so it may be called from any real-time thread.
pub struct Callback {
    ring: RingReader,
    stats: Arc<StreamStats>,
    channels: usize,
    /// Frames taken from the ring.
    consumed: u64,
    /// Frames of silence given to the device since the last frame of the ring.
    idle: u64,
    /// The last frame of the ring, one sample per channel.
    last: Vec<f64>,
    /// The ring has run empty and is not full again.
    starved: bool,
    /// Frames of the current fade that are done, up to [`FADE`].
    faded: u32,
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Callback({} channels, {} frames taken)",
            self.channels, self.consumed
        )
    }
}

impl Callback {
    /// Makes the callback of a device with this number of channels.
    pub(super) fn new(ring: RingReader, stats: Arc<StreamStats>, channels: usize) -> Self {
        let last = vec![0.0; channels];
        Self {
            ring,
            stats,
            channels: channels.max(1),
            consumed: 0,
            idle: 0,
            last,
            starved: false,
            faded: FADE,
        }
    }

    /// Returns whether the next [`fill`](Self::fill) of up to that many frames has all of its sound: false while nothing plays
    /// and until the first frames are rendered.
    ///
    /// It also tells the player how many frames are requested at a time. Without it the first `fill` does so, and comes before
    /// the first sound.
    ///
    /// ```
    /// use soundtrack::{Frames, Layout, PlayerBuilder, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// mix.add_track(Track::new("steps", Memory::new(spec, vec![(0..9600).map(|n| f64::from(n) / 16384.0).collect()])?));
    /// let (_player, mut callback) = PlayerBuilder::new().own(&mix, spec)?;
    /// while !callback.is_ready(Frames(4)) {
    ///     std::thread::sleep(std::time::Duration::from_millis(1));
    /// }
    /// let mut buffer = [0.0f32; 4];
    /// callback.fill(&mut buffer, Frames(0));
    /// assert_eq!(buffer.map(|x| x * 16384.0), [0.0, 1.0, 2.0, 3.0]);
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    #[must_use]
    pub fn is_ready(&self, frames: Frames) -> bool {
        self.stats.record_request(frames.0);
        let planned = self.planned();
        planned > 0 && self.available() >= frames.0.min(planned)
    }

    /// Fills a buffer of interleaved frames, of any length, with the next frames, and with silence where nothing plays. The
    /// buffer's first frame will be heard `delay` frames from now.
    ///
    /// Frames that are due and not rendered yet are played later and counted by [`Player::underruns`](crate::Player::underruns);
    /// the silence before playback starts is not counted, and [`is_ready`](Self::is_ready) says when it ends.
    pub fn fill(&mut self, out: &mut [f32], delay: Frames) {
        self.serve(out, delay.0);
    }

    /// Fills a buffer as [`fill`](Self::fill) does, in any sample format.
    pub(crate) fn serve<S: DeviceSample>(&mut self, out: &mut [S], delay: u64) {
        let frames = (out.len() / self.channels) as u64;
        self.stats.record_request(frames);
        let planned = self.planned();
        let queued = self.queued();
        if self.starved && queued > 0 && queued >= planned.min(self.stats.target().max(frames)) {
            (self.starved, self.faded) = (false, 0);
        }
        let wanted = frames.min(planned);
        let given = if self.starved { 0 } else { wanted.min(queued) };
        let samples = saturating_usize(given) * self.channels;
        let (sound, silence) = out.split_at_mut(samples.min(out.len()));
        self.copy(sound);
        if given < wanted {
            self.stats.record_missing(wanted - given, !self.starved);
            if !self.starved {
                (self.starved, self.faded) = (true, 0);
            }
        }
        self.fill_silence(silence);
        self.consumed += given;
        self.idle = if given > 0 {
            frames - given
        } else {
            self.idle.saturating_add(frames)
        };
        // Frames of the ring that are still on their way to the loudspeaker, once this buffer is handed over.
        let unheard = delay.saturating_add(frames).saturating_sub(self.idle);
        self.stats
            .record_consumed(self.consumed, self.consumed.saturating_sub(unheard));
    }

    /// Returns the number of frames that can be taken now without an underrun.
    pub(crate) fn available(&self) -> u64 {
        let (planned, queued) = (self.planned(), self.queued());
        if self.starved && queued < planned.min(self.stats.target()) {
            0
        } else {
            planned.min(queued)
        }
    }

    /// Returns the number of frames still to be played before silence is correct.
    fn planned(&self) -> u64 {
        self.stats.play_until().saturating_sub(self.consumed)
    }

    /// Returns the number of frames in the ring.
    fn queued(&self) -> u64 {
        (self.ring.available() / self.channels) as u64
    }

    /// Fills a buffer from the ring, which holds enough frames.
    fn copy<S: DeviceSample>(&mut self, out: &mut [S]) {
        let (channels, last, faded) = (self.channels, &mut self.last, &mut self.faded);
        let mut out = out.chunks_exact_mut(channels);
        self.ring.read(out.len() * channels, |samples| {
            for (frame, to) in samples.chunks_exact(channels).zip(&mut out) {
                if *faded < FADE {
                    *faded += 1;
                    let gain = f64::from(*faded) / f64::from(FADE);
                    to.iter_mut()
                        .zip(frame)
                        .for_each(|(to, x)| *to = S::from_f64(x * gain));
                } else {
                    to.iter_mut()
                        .zip(frame)
                        .for_each(|(to, x)| *to = S::from_f64(*x));
                }
            }
            if let Some(frame) = samples.chunks_exact(channels).next_back() {
                last.iter_mut().zip(frame).for_each(|(last, x)| *last = *x);
            }
        });
    }

    /// Fills a buffer with silence; after an underrun the last frame fades out first.
    fn fill_silence<S: DeviceSample>(&mut self, out: &mut [S]) {
        for to in out.chunks_mut(self.channels) {
            if self.starved && self.faded < FADE {
                self.faded += 1;
                let gain = 1.0 - f64::from(self.faded) / f64::from(FADE);
                to.iter_mut()
                    .zip(&self.last)
                    .for_each(|(to, x)| *to = S::from_f64(x * gain));
            } else {
                to.fill(S::from_f64(0.0));
            }
        }
    }
}
