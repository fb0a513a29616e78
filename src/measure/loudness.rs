//! Loudness by ITU-R BS.1770-5 and EBU R 128: momentary, short-term, integrated, range.
//!
//! ```text
//! channels ─► K-weighting ─► squares, in bins of 10 ms ─┬─ 40 bins ─► momentary, every 10 ms
//!                                                       │     └─ every 100 ms: a gating block ─► integrated
//!                                                       └─ 300 bins ─► short-term, every 10 ms
//!                                                             └─ every 100 ms ─► range
//! ```
//! The edges of bins are absolute: bin j starts at frame round(j · rate / 100), and every sum runs in one order, so no bit
//! depends on how the audio was cut into blocks. Windows are whole bins, which at rates that are no multiple of 10 Hz makes
//! them longer or shorter than their nominal length by up to a frame.

use super::{
    gating::Gating,
    level_curve::{Keep, LevelCurve},
    running::Running,
    weighting::{Coefficients, LOWEST, Pair, weights},
};
use crate::{
    block::Block,
    layout::Spec,
    units::{Frames, Lufs},
};

/// Bins of a momentary window and of a gating block: 0.4 s.
const MOMENTARY: u64 = 40;
/// Bins of a short-term window: 3 s.
const SHORT_TERM: u64 = 300;
/// Bins between two gating blocks: 0.1 s.
const HOP: u64 = 10;
/// Bins of silence that follow a programme before its range is taken: 1.5 s.
const TAIL: u64 = 150;

/// A loudness meter. What is below 8 kHz in rate has no loudness: every value is then `None`.
///
/// A stretch of 10 ms with samples that are not finite counts as silence.
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
    /// The channels that are heard, with their weights.
    heard: Vec<(usize, f64)>,
    pairs: Vec<Pair>,
    /// Frames taken.
    position: u64,
    /// Bins closed.
    bins: u64,
    /// The weighted sums of squares of the latest bins.
    ring: Vec<f64>,
    momentary: Option<f64>,
    short_term: Option<f64>,
    momentary_max: Option<(f64, u64)>,
    short_term_max: Option<(f64, u64)>,
    gating: Gating,
    running: Running,
    lanes: Lanes,
    finished: bool,
}

/// The curves of a meter, one value every 0.1 s, in LUFS.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    pub momentary: LevelCurve,
    pub short_term: LevelCurve,
    pub integrated: LevelCurve,
}

impl Loudness {
    /// A meter for audio of this rate and layout.
    #[must_use]
    pub fn new(spec: Spec) -> Self {
        let heard: Vec<(usize, f64)> = match spec.rate.hz() {
            ..LOWEST => Vec::new(),
            _ => weights(spec.layout)
                .into_iter()
                .enumerate()
                .filter_map(|(ch, w)| Some((ch, w?)))
                .collect(),
        };
        Self {
            rate: u64::from(spec.rate.hz()),
            coefficients: Coefficients::new(spec.rate),
            pairs: vec![Pair::default(); heard.len().div_ceil(2)],
            heard,
            position: 0,
            bins: 0,
            ring: vec![0.0; usize::try_from(SHORT_TERM).unwrap_or_default()],
            momentary: None,
            short_term: None,
            momentary_max: None,
            short_term_max: None,
            gating: Gating::default(),
            running: Running::default(),
            lanes: Lanes {
                momentary: LevelCurve::new(Keep::Largest),
                short_term: LevelCurve::new(Keep::Last),
                integrated: LevelCurve::new(Keep::Last),
            },
            finished: false,
        }
    }

    /// Takes the next frames. Channels that the layout does not have are passed over, missing ones are silent.
    pub fn feed(&mut self, block: &Block) {
        if !self.finished {
            self.take(block);
        }
    }

    /// Ends the programme: 1.5 s of silence that count for the range alone. What is fed later is not heard.
    pub fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) || self.short_term_max.is_none() {
            return;
        }
        let to = self.edge(self.bins + TAIL);
        let mut silence = Block::new(crate::layout::Layout::Mono, 4096);
        while self.position < to {
            let n = usize::try_from(to - self.position)
                .unwrap_or(usize::MAX)
                .min(silence.capacity());
            silence.fill(n, 0.0);
            self.take(&silence);
        }
    }

    /// Loudness of the latest 0.4 s, renewed every 10 ms; `None` before, and where they are silent.
    #[must_use]
    pub fn momentary(&self) -> Option<Lufs> {
        self.momentary.filter(|p| *p > 0.0).map(Lufs::of_power)
    }

    /// Loudness of the latest 3 s, renewed every 10 ms; `None` before, and where they are silent.
    #[must_use]
    pub fn short_term(&self) -> Option<Lufs> {
        self.short_term.filter(|p| *p > 0.0).map(Lufs::of_power)
    }

    /// The largest momentary loudness so far, and the first frame of its 0.4 s.
    #[must_use]
    pub fn momentary_max(&self) -> Option<(Lufs, Frames)> {
        self.largest(self.momentary_max)
    }

    /// The largest short-term loudness so far, and the first frame of its 3 s.
    #[must_use]
    pub fn short_term_max(&self) -> Option<(Lufs, Frames)> {
        self.largest(self.short_term_max)
    }

    /// Integrated loudness so far; `None` where nothing is above the gates.
    #[must_use]
    pub fn integrated(&self) -> Option<Lufs> {
        self.gating.integrated()
    }

    /// Loudness range so far in LU; `None` where nothing is above −70 LUFS. That of a whole programme after
    /// [`finish`](Self::finish).
    #[must_use]
    pub fn range(&self) -> Option<f64> {
        self.gating.range()
    }

    /// What can be pooled with that of other measurements.
    #[must_use]
    pub fn gating(&self) -> &Gating {
        &self.gating
    }

    pub(super) fn into_parts(self) -> (Gating, Lanes) {
        (self.gating, self.lanes)
    }

    /// The first frame of a bin.
    fn edge(&self, bin: u64) -> u64 {
        (bin * self.rate + 50) / 100
    }

    fn largest(&self, of: Option<(f64, u64)>) -> Option<(Lufs, Frames)> {
        of.filter(|(p, _)| *p > 0.0)
            .map(|(p, bin)| (Lufs::of_power(p), Frames(self.edge(bin))))
    }

    fn take(&mut self, block: &Block) {
        if self.heard.is_empty() {
            return;
        }
        let channels: Vec<&[f64]> = block.channels().collect();
        let mut done = 0;
        while done < block.frames() {
            let edge = self.edge(self.bins + 1);
            let n = usize::try_from(edge - self.position)
                .unwrap_or(usize::MAX)
                .min(block.frames() - done);
            let piece = |(ch, _): &(usize, f64)| {
                channels
                    .get(*ch)
                    .and_then(|c| c.get(done..done + n))
                    .unwrap_or(&[])
            };
            for (pair, heard) in self.pairs.iter_mut().zip(self.heard.chunks(2)) {
                if let Some(left) = heard.first() {
                    // An odd channel runs beside itself.
                    let (left, right) = (piece(left), piece(heard.last().unwrap_or(left)));
                    pair.take(&self.coefficients, left, right);
                }
            }
            done += n;
            self.position += n as u64;
            if self.position == edge {
                self.close();
            }
        }
    }

    /// Ends a bin, and with it a momentary and a short-term window.
    fn close(&mut self) {
        let mut sum = 0.0;
        for (pair, heard) in self.pairs.iter_mut().zip(self.heard.chunks(2)) {
            heard
                .iter()
                .zip(pair.squares())
                .for_each(|((_, weight), squares)| sum += weight * squares);
        }
        let slot = usize::try_from(self.bins % SHORT_TERM).unwrap_or_default();
        if let Some(slot) = self.ring.get_mut(slot) {
            *slot = sum * self.coefficients.power;
        }
        self.bins += 1;
        self.momentary = self.window(MOMENTARY);
        self.short_term = self.window(SHORT_TERM);
        let hop = self.bins.is_multiple_of(HOP);
        if self.finished {
            self.short_term
                .filter(|_| hop)
                .into_iter()
                .for_each(|p| self.gating.short(p));
            return;
        }
        let later = |max: &mut Option<(f64, u64)>, power: Option<f64>, bins: u64| {
            if let Some(power) = power
                && max.is_none_or(|(most, _)| power > most)
            {
                *max = Some((power, bins));
            }
        };
        later(
            &mut self.momentary_max,
            self.momentary,
            self.bins.saturating_sub(MOMENTARY),
        );
        later(
            &mut self.short_term_max,
            self.short_term,
            self.bins.saturating_sub(SHORT_TERM),
        );
        if !hop {
            return;
        }
        if let Some(power) = self.momentary {
            self.gating.block(power);
            self.running.block(power);
        }
        self.short_term
            .into_iter()
            .for_each(|p| self.gating.short(p));
        #[expect(
            clippy::cast_possible_truncation,
            reason = "seven digits are enough for a curve"
        )]
        let level = |power: Option<f64>| Lufs::of_power(power.unwrap_or(0.0)).0 as f32;
        self.lanes.momentary.push(level(self.momentary));
        self.lanes.short_term.push(level(self.short_term));
        self.lanes.integrated.push(level(self.running.power()));
    }

    /// The mean power of the latest bins; `None` before there are so many.
    fn window(&self, bins: u64) -> Option<f64> {
        let start = self.bins.checked_sub(bins)?;
        let cut = usize::try_from(self.bins % SHORT_TERM).unwrap_or_default();
        let (newer, older) = self.ring.split_at_checked(cut)?;
        let skip = self.ring.len() - usize::try_from(bins).unwrap_or_default();
        let sum: f64 = older.iter().chain(newer).skip(skip).sum();
        #[expect(
            clippy::cast_precision_loss,
            reason = "a window is far shorter than 2^53 frames"
        )]
        let frames = (self.edge(self.bins) - self.edge(start)) as f64;
        Some(sum / frames)
    }
}
