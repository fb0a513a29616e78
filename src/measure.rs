//! What was heard: loudness (BS.1770-5, EBU R 128, Tech 3342), true peak (Annex 2) and sample peak of any audio.
//!
//! A [`Meter`] takes blocks of any size and gives the same bits for any way of cutting; [`Loudness`] and [`TruePeak`] are
//! its parts. A bounce measures its mix with one ([`MixReport`](crate::report::MixReport)). Memory: 8 bytes and four
//! values of a curve for each tenth of a second, the curves bounded.

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

/// Measures all there is to measure of what it is fed.
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

/// A level, and where it was met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Met<T> {
    /// The level.
    pub level: T,
    /// The frame, counted from the first that was fed; of a window, its first frame.
    pub at: Frames,
    /// The channel, counted from 0 in WAVE order; 0 for loudness, which is that of all channels.
    pub channel: usize,
}

/// What a meter has heard. What is not defined, as the loudness of silence, is `None`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Measured {
    /// Rate and layout of the audio.
    pub spec: Spec,
    /// Its length.
    pub frames: Frames,
    /// Integrated loudness; `None` under 0.4 s.
    pub integrated: Option<Lufs>,
    /// Loudness range in LU; `None` under 3 s, and of little meaning under a minute.
    pub range: Option<f64>,
    /// The largest loudness of 0.4 s, and the start of these.
    pub momentary_max: Option<Met<Lufs>>,
    /// The largest loudness of 3 s, and the start of these.
    pub short_term_max: Option<Met<Lufs>>,
    /// The true peak, and the frame before it.
    pub true_peak: Option<Met<Dbtp>>,
    /// The largest sample, and its frame.
    pub sample_peak: Option<Met<Dbfs>>,
    /// What can be pooled with other measurements into one loudness.
    pub gating: Gating,
    /// The levels over time.
    pub curves: Curves,
}

/// Levels over time. Value i is that of the time from i to i + 1 times [`step_s`](Self::step_s), −∞ where it is silent
/// or not defined yet.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Curves {
    /// Seconds from a value to the next: 0.1, and twice as much for each doubling beyond 109 minutes.
    pub step_s: f64,
    /// Momentary loudness in LUFS at the end of the step; where steps are joined, the largest.
    pub momentary: Vec<f32>,
    /// Short-term loudness in LUFS at the end of the step.
    pub short_term: Vec<f32>,
    /// Integrated loudness of all that came before the end of the step, in LUFS; exact to 0.1 LU near the gate.
    pub integrated: Vec<f32>,
    /// The largest true peak in dBTP, to within 512 frames of the step. One value longer than the others where the last
    /// step is not whole.
    pub true_peak: Vec<f32>,
}

impl Meter {
    /// A meter for audio of this rate and layout.
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

    /// Takes the next frames.
    pub fn feed(&mut self, block: &Block) {
        self.loudness.feed(block);
        self.true_peak.feed(block);
        self.peaks
            .iter_mut()
            .zip(block.channels())
            .for_each(|(peak, samples)| peak.take(samples, self.position));
        self.position += block.frames() as u64;
    }

    /// Takes so many frames of silence.
    pub fn skip(&mut self, frames: usize) {
        const MOST: usize = 4096;
        let mut silence = Block::new(self.spec.layout, frames.min(MOST));
        let mut left = frames;
        while left > 0 {
            let n = left.min(MOST);
            silence.set_frames(n);
            self.feed(&silence);
            left -= n;
        }
    }

    /// Loudness so far.
    #[must_use]
    pub fn loudness(&self) -> &Loudness {
        &self.loudness
    }

    /// True peak so far.
    #[must_use]
    pub fn true_peak(&self) -> &TruePeak {
        &self.true_peak
    }

    /// Ends the programme, and tells what was heard.
    #[must_use]
    pub fn finish(mut self) -> Measured {
        self.loudness.finish();
        self.true_peak.finish();
        let window = |(level, at)| Met {
            level,
            at,
            channel: 0,
        };
        let (channel, peak) = Peak::loudest(&self.peaks);
        let sample_peak = peak.level().map(|level| Met {
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
                .map(|(level, at, channel)| Met { level, at, channel });
        let (gating, lanes) = self.loudness.into_parts();
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
                step_s: f64::from(lanes.momentary.per()) / 10.0,
                momentary: lanes.momentary.into_values(),
                short_term: lanes.short_term.into_values(),
                integrated: lanes.integrated.into_values(),
                true_peak: self.true_peak.into_lane().into_values(),
            },
        }
    }
}
