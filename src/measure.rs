//! Meters for loudness (BS.1770-5, EBU R 128, Tech 3342), true peak (BS.1770-5 Annex 2) and sample
//! peak.
//!
//! A [`Meter`] takes blocks of any size; its results are bit-equal however the audio is split into
//! blocks. [`Loudness`] and [`TruePeak`] are its parts. A bounce measures its mix with a `Meter`
//! ([`MixReport`](crate::report::MixReport)). Memory use is 8 bytes and four curve values per tenth
//! of a second; the length of the curves is bounded.

mod gating;
pub(crate) mod level_curve;
mod loudness;
mod running;
pub(crate) mod survey;
mod target;
mod true_peak;
mod weighting;

pub use gating::Gating;
pub use loudness::Loudness;
pub use target::{Fit, FitReport, LoudnessTarget, UnknownTarget, Verdict};
pub use true_peak::TruePeak;

use crate::{
    block::Block,
    dsp::peak::Peak,
    layout::Spec,
    units::{Dbfs, Dbtp, Frames, Lufs},
};

/// Measures loudness, true peak and sample peak.
///
/// ```
/// use soundtrack::{Block, Frames, Layout, SampleRate, Spec, measure::Meter};
/// let mut meter = Meter::new(Spec { rate: SampleRate::HZ_48000, layout: Layout::Stereo });
/// let mut block = Block::new(Layout::Stereo, 48_000);
/// block.set_frames(48_000);
/// let tone = |n| 0.5 * (std::f64::consts::TAU * 997.0 * f64::from(n) / 48_000.0).sin();
/// block.channel_mut(0).iter_mut().zip(0..).for_each(|(s, n)| *s = tone(n));
/// (0..5).for_each(|_| meter.feed(&block));
/// let measured = meter.finish();
/// assert_eq!(format!("{:.2}", measured.integrated.unwrap()), "-9.03 LUFS"); // a sine in one channel reads 3.01 below its peak
/// assert_eq!(format!("{:.2}", measured.true_peak.unwrap().level), "-6.02 dBTP");
/// assert_eq!(measured.curves.momentary.len(), 50);
/// ```
#[derive(Clone, Debug)]
pub struct Meter {
    spec: Spec,
    loudness: Loudness,
    true_peak: TruePeak,
    peaks: Vec<Peak>,
    position: u64,
}

/// Level with its position.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LevelAt<T> {
    /// Level.
    pub level: T,
    /// Frame, counted from the first frame fed; for a window, its first frame.
    pub at: Frames,
    /// Channel, counted from 0 in WAVE order; 0 for loudness, which covers all channels.
    pub channel: usize,
}

/// Result of a [`Meter`]. Undefined values, such as the loudness of silence, are `None`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Measured {
    /// Sample rate and layout of the audio.
    pub spec: Spec,
    /// Length of the audio.
    pub frames: Frames,
    /// Integrated loudness; `None` for audio shorter than 0.4 s.
    pub integrated: Option<Lufs>,
    /// Loudness range in LU; `None` for audio shorter than 3 s. Not meaningful for audio shorter
    /// than a minute.
    pub range: Option<f64>,
    /// Maximum momentary loudness (0.4 s window).
    pub momentary_max: Option<LevelAt<Lufs>>,
    /// Maximum short-term loudness (3 s window).
    pub short_term_max: Option<LevelAt<Lufs>>,
    /// True peak. Its position is the frame preceding it.
    pub true_peak: Option<LevelAt<Dbtp>>,
    /// Sample peak.
    pub sample_peak: Option<LevelAt<Dbfs>>,
    /// Block powers, which can be pooled with other measurements to get the loudness of an album.
    pub gating: Gating,
    /// Levels over time.
    pub curves: Curves,
}

/// Levels over time. Value `i` covers the time from `i` to `i + 1` times [`step_s`](Self::step_s).
/// −∞ stands for silence and for values that are not yet defined.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Curves {
    /// Duration of one step in seconds: 0.1, doubled for each doubling of the length beyond 109
    /// minutes.
    pub step_s: f64,
    /// Momentary loudness in LUFS at the end of each tenth of a second; the maximum within a longer
    /// step.
    pub momentary: Vec<f32>,
    /// Short-term loudness in LUFS at the end of each step.
    pub short_term: Vec<f32>,
    /// Integrated loudness in LUFS from the start to the end of each step. Near the gate it may
    /// differ from the exact value by 0.1 LU.
    pub integrated: Vec<f32>,
    /// Maximum true peak in dBTP of each step, with boundaries accurate to 512 frames. Has one
    /// value more than the other curves if the last step is incomplete.
    pub true_peak: Vec<f32>,
}

impl Meter {
    /// Creates a meter for audio of this rate and layout.
    #[must_use]
    pub fn new(spec: Spec) -> Self {
        Self {
            spec,
            loudness: Loudness::new(spec),
            true_peak: TruePeak::new(spec),
            peaks: vec![Peak::default(); spec.layout.channels()],
            position: 0,
        }
    }

    /// Measures the next frames.
    pub fn feed(&mut self, block: &Block) {
        self.loudness.feed(block);
        self.true_peak.feed(block);
        self.peaks
            .iter_mut()
            .zip(block.channels())
            .for_each(|(peak, samples)| peak.take(samples, self.position));
        self.position += block.frames() as u64;
    }

    /// Measures `frames` frames of silence.
    pub fn skip(&mut self, frames: usize) {
        const MAX_BLOCK: usize = 4096;
        let mut silence = Block::new(self.spec.layout, frames.min(MAX_BLOCK));
        let mut left = frames;
        while left > 0 {
            let n = left.min(MAX_BLOCK);
            silence.set_frames(n);
            self.feed(&silence);
            left -= n;
        }
    }

    /// Returns the loudness meter with the results so far.
    #[must_use]
    pub fn loudness(&self) -> &Loudness {
        &self.loudness
    }

    /// Returns the true-peak meter with the results so far.
    #[must_use]
    pub fn true_peak(&self) -> &TruePeak {
        &self.true_peak
    }

    /// Ends the programme and returns the results.
    #[must_use]
    pub fn finish(mut self) -> Measured {
        self.loudness.finish();
        self.true_peak.finish();
        let window = |(level, at)| LevelAt {
            level,
            at,
            channel: 0,
        };
        let (channel, peak) = Peak::loudest(&self.peaks);
        let sample_peak = peak.level().map(|level| LevelAt {
            level,
            at: Frames(peak.at),
            channel,
        });
        let loudness = &self.loudness;
        let (integrated, range) = (loudness.integrated(), loudness.range());
        let (momentary_max, short_term_max) = (loudness.momentary_max(), loudness.short_term_max());
        let true_peak =
            self.true_peak
                .peak()
                .map(|(level, at, channel)| LevelAt { level, at, channel });
        let (gating, curves) = self.loudness.into_parts();
        Measured {
            spec: self.spec,
            frames: Frames(self.position),
            integrated,
            range,
            momentary_max: momentary_max.map(window),
            short_term_max: short_term_max.map(window),
            true_peak,
            sample_peak,
            gating,
            curves: Curves {
                step_s: f64::from(curves.momentary.per()) / 10.0,
                momentary: curves.momentary.into_values(),
                short_term: curves.short_term.into_values(),
                integrated: curves.integrated.into_values(),
                true_peak: self.true_peak.into_curve().into_values(),
            },
        }
    }
}
