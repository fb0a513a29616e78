//! Loudness according to ITU-R BS.1770-5 and EBU R 128: momentary, short-term, integrated, range.
//!
//! ```text
//! channels ─► K-weighting ─► squares, in bins of 10 ms ─┬─ 40 bins ─► momentary, every 10 ms
//!                                                       │     └─ every 100 ms: a gating block ─► integrated
//!                                                       └─ 300 bins ─► short-term, every 10 ms
//!                                                             └─ every 100 ms ─► range
//! ```
//! Bin `j` starts at frame round(j · rate / 100), whatever the blocks, and every sum runs in a
//! fixed order, so results are bit-equal however the audio is split into blocks. Windows are whole
//! bins; at rates that are not multiples of 10 Hz they differ from their nominal length by up to a
//! frame.

use super::{
    gating::Gating,
    level_curve::{Keep, LevelCurve},
    running::RunningLoudness,
    weighting::{Coefficients, FilterPair, MIN_RATE_HZ, weights},
};
use crate::{
    block::Block,
    layout::Spec,
    units::{Frames, Lufs, saturating_usize},
};
use std::ops::Range;

/// Bins of a momentary window and of a gating block: 0.4 s.
const MOMENTARY_BINS: u64 = 40;
/// Bins of a short-term window: 3 s.
const SHORT_TERM_BINS: u64 = 300;
/// Bins between two gating blocks: 0.1 s.
const HOP_BINS: u64 = 10;
/// Bins of silence appended before the loudness range is computed: 1.5 s.
const TAIL_BINS: u64 = 150;

/// Loudness meter. At sample rates below 8 kHz every result is `None`.
///
/// A bin of 10 ms that contains non-finite samples counts as silence.
///
/// ```
/// use soundtrack::{Block, Layout, SampleRate, Spec, measure::Loudness};
/// let mut meter = Loudness::new(Spec { rate: SampleRate::HZ_48000, layout: Layout::Stereo });
/// let mut block = Block::new(Layout::Stereo, 48_000);
/// block.set_frames(48_000);
/// let tone = |n| 10f64.powf(-23.0 / 20.0) * (std::f64::consts::TAU * 1000.0 * f64::from(n) / 48_000.0).sin();
/// block.channels_mut().for_each(|c| c.iter_mut().zip(0..).for_each(|(s, n)| *s = tone(n)));
/// (0..20).for_each(|_| meter.feed(&block));
/// assert_eq!(format!("{:.1}", meter.integrated().unwrap()), "-23.0 LUFS");
/// assert_eq!(format!("{:.1}", meter.momentary().unwrap()), "-23.0 LUFS");
/// assert_eq!(format!("{:.1}", meter.short_term_max().unwrap().0), "-23.0 LUFS");
/// ```
#[derive(Clone, Debug)]
pub struct Loudness {
    rate: u64,
    coefficients: Coefficients,
    /// Channels with a loudness weight, and the weights. The LFE has none.
    weighted: Vec<(usize, f64)>,
    pairs: Vec<FilterPair>,
    /// Number of frames measured.
    position: u64,
    /// Number of completed bins.
    bins: u64,
    /// Weighted sums of squares of the latest bins.
    ring: Vec<f64>,
    momentary: Option<f64>,
    short_term: Option<f64>,
    momentary_max: Option<(f64, u64)>,
    short_term_max: Option<(f64, u64)>,
    gating: Gating,
    running: RunningLoudness,
    curves: LoudnessCurves,
    finished: bool,
}

/// Curves of a meter in LUFS, one value every 0.1 s.
#[derive(Clone, Debug)]
pub(super) struct LoudnessCurves {
    pub momentary: LevelCurve,
    pub short_term: LevelCurve,
    pub integrated: LevelCurve,
}

impl Loudness {
    /// Creates a meter for audio of this rate and layout.
    #[must_use]
    pub fn new(spec: Spec) -> Self {
        let weighted: Vec<(usize, f64)> = match spec.rate.hz() {
            ..MIN_RATE_HZ => Vec::new(),
            _ => weights(spec.layout)
                .into_iter()
                .enumerate()
                .filter_map(|(ch, w)| Some((ch, w?)))
                .collect(),
        };
        Self {
            rate: u64::from(spec.rate.hz()),
            coefficients: Coefficients::new(spec.rate),
            pairs: vec![FilterPair::default(); weighted.len().div_ceil(2)],
            weighted,
            position: 0,
            bins: 0,
            ring: vec![0.0; saturating_usize(SHORT_TERM_BINS)],
            momentary: None,
            short_term: None,
            momentary_max: None,
            short_term_max: None,
            gating: Gating::default(),
            running: RunningLoudness::default(),
            curves: LoudnessCurves {
                momentary: LevelCurve::new(Keep::Largest),
                short_term: LevelCurve::new(Keep::Last),
                integrated: LevelCurve::new(Keep::Last),
            },
            finished: false,
        }
    }

    /// Measures the next frames. Surplus channels are ignored, missing channels are silent.
    pub fn feed(&mut self, block: &Block) {
        if !self.finished {
            self.process(block);
        }
    }

    /// Ends the programme. Later frames are ignored. The range is computed with 1.5 s of silence
    /// appended.
    pub fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) || self.short_term_max.is_none() {
            return;
        }
        let to = self.bin_start(self.bins + TAIL_BINS);
        let mut silence = Block::new(crate::layout::Layout::Mono, 4096);
        while self.position < to {
            let n = saturating_usize(to - self.position).min(silence.capacity());
            silence.fill(n, 0.0);
            self.process(&silence);
        }
    }

    /// Returns the loudness of the latest 0.4 s, updated every 10 ms; `None` for silence and in the
    /// first 0.4 s.
    #[must_use]
    pub fn momentary(&self) -> Option<Lufs> {
        self.momentary.filter(|p| *p > 0.0).map(Lufs::of_power)
    }

    /// Returns the loudness of the latest 3 s, updated every 10 ms; `None` for silence and in the
    /// first 3 s.
    #[must_use]
    pub fn short_term(&self) -> Option<Lufs> {
        self.short_term.filter(|p| *p > 0.0).map(Lufs::of_power)
    }

    /// Returns the maximum momentary loudness so far, and the first frame of its window.
    #[must_use]
    pub fn momentary_max(&self) -> Option<(Lufs, Frames)> {
        self.level_and_frame(self.momentary_max)
    }

    /// Returns the maximum short-term loudness so far, and the first frame of its window.
    #[must_use]
    pub fn short_term_max(&self) -> Option<(Lufs, Frames)> {
        self.level_and_frame(self.short_term_max)
    }

    /// Returns the integrated loudness so far; `None` if no block passes the gates.
    #[must_use]
    pub fn integrated(&self) -> Option<Lufs> {
        self.gating.integrated()
    }

    /// Returns the loudness range so far in LU; `None` if no value reaches −70 LUFS. Call
    /// [`finish`](Self::finish) first to get the range of a whole programme.
    #[must_use]
    pub fn range(&self) -> Option<f64> {
        self.gating.range()
    }

    /// Returns the block powers, which can be pooled with other measurements.
    #[must_use]
    pub fn gating(&self) -> &Gating {
        &self.gating
    }

    pub(super) fn into_parts(self) -> (Gating, LoudnessCurves) {
        (self.gating, self.curves)
    }

    /// Returns the first frame of a bin.
    fn bin_start(&self, bin: u64) -> u64 {
        (bin * self.rate + 50) / 100
    }

    fn level_and_frame(&self, of: Option<(f64, u64)>) -> Option<(Lufs, Frames)> {
        of.filter(|(p, _)| *p > 0.0)
            .map(|(p, bin)| (Lufs::of_power(p), Frames(self.bin_start(bin))))
    }

    fn process(&mut self, block: &Block) {
        if self.weighted.is_empty() {
            return;
        }
        let channels: Vec<&[f64]> = block.channels().collect();
        let mut done = 0;
        while done < block.frames() {
            let bin_end = self.bin_start(self.bins + 1);
            let n = saturating_usize(bin_end - self.position).min(block.frames() - done);
            for (pair, weighted) in self.pairs.iter_mut().zip(self.weighted.chunks(2)) {
                if let Some(left) = weighted.first() {
                    // With an odd number of channels the last one fills both lanes of its pair.
                    let right = weighted.last().unwrap_or(left);
                    let left = part_of_channel(&channels, left.0, done..done + n);
                    let right = part_of_channel(&channels, right.0, done..done + n);
                    pair.process(&self.coefficients, left, right);
                }
            }
            done += n;
            self.position += n as u64;
            if self.position == bin_end {
                self.complete_bin();
            }
        }
    }

    /// Completes a bin, which also completes a momentary and a short-term window.
    fn complete_bin(&mut self) {
        let mut sum = 0.0;
        for (pair, weighted) in self.pairs.iter_mut().zip(self.weighted.chunks(2)) {
            for ((_, weight), squares) in weighted.iter().zip(pair.squares()) {
                sum += weight * squares;
            }
        }
        let slot = saturating_usize(self.bins % SHORT_TERM_BINS);
        if let Some(slot) = self.ring.get_mut(slot) {
            *slot = sum * self.coefficients.power;
        }
        self.bins += 1;
        self.momentary = self.window(MOMENTARY_BINS);
        self.short_term = self.window(SHORT_TERM_BINS);
        let hop = self.bins.is_multiple_of(HOP_BINS);
        if self.finished {
            // Only the range takes the silence after the end into account.
            if let Some(power) = self.short_term.filter(|_| hop) {
                self.gating.push_short_term(power);
            }
            return;
        }
        let momentary_start = self.bins.saturating_sub(MOMENTARY_BINS);
        let short_term_start = self.bins.saturating_sub(SHORT_TERM_BINS);
        keep_maximum(&mut self.momentary_max, self.momentary, momentary_start);
        keep_maximum(&mut self.short_term_max, self.short_term, short_term_start);
        if !hop {
            return;
        }
        if let Some(power) = self.momentary {
            self.gating.push_block(power);
            self.running.push_block(power);
        }
        if let Some(power) = self.short_term {
            self.gating.push_short_term(power);
        }
        self.curves.momentary.push(curve_level(self.momentary));
        self.curves.short_term.push(curve_level(self.short_term));
        self.curves
            .integrated
            .push(curve_level(self.running.power()));
    }

    /// Returns the mean power of the latest `bins` bins; `None` before there are that many.
    fn window(&self, bins: u64) -> Option<f64> {
        let start = self.bins.checked_sub(bins)?;
        let cut = saturating_usize(self.bins % SHORT_TERM_BINS);
        let (newer, older) = self.ring.split_at_checked(cut)?;
        let skip = self.ring.len() - saturating_usize(bins);
        let sum: f64 = older.iter().chain(newer).skip(skip).sum();
        #[expect(
            clippy::cast_precision_loss,
            reason = "a window is far shorter than 2^53 frames"
        )]
        let frames = (self.bin_start(self.bins) - self.bin_start(start)) as f64;
        Some(sum / frames)
    }
}

/// Returns part of a channel; empty, and therefore silent, if the block lacks the channel.
fn part_of_channel<'a>(channels: &[&'a [f64]], channel: usize, part: Range<usize>) -> &'a [f64] {
    channels
        .get(channel)
        .and_then(|samples| samples.get(part))
        .unwrap_or(&[])
}

/// Replaces a maximum by a larger power and the first bin of its window. The first of equal maxima stays.
fn keep_maximum(maximum: &mut Option<(f64, u64)>, power: Option<f64>, first_bin: u64) {
    if let Some(power) = power
        && maximum.is_none_or(|(most, _)| power > most)
    {
        *maximum = Some((power, first_bin));
    }
}

/// Returns a power as a curve value in LUFS.
#[expect(
    clippy::cast_possible_truncation,
    reason = "seven digits are enough for a curve"
)]
fn curve_level(power: Option<f64>) -> f32 {
    Lufs::of_power(power.unwrap_or(0.0)).0 as f32
}
