//! Collects the gain reduction of an insert over a rendered range, for the report.

use crate::{
    measure::level_curve::{Keep, LevelCurve},
    plan::ranges::overlap,
    units::saturating_usize,
};
use std::{f64::consts::LOG10_2, ops::Range};

/// The smallest gain that is told apart, −300 dB. A processor that mutes has a gain of 0, whose reduction would be infinite.
const MIN_GAIN: f64 = 1e-15;

/// Gains that are multiplied before the product is scaled. The product of as many of the smallest gains is a normal number.
const FACTORS: u64 = 16;

/// Values of the curve at most: 13.6 minutes at a tenth of a second each, and one value for each column of a picture at any
/// length. A session may have thousands of inserts.
const MAX_VALUES: usize = 1 << 13;

/// The frames whose reductions are logged: those of the rendered range, and none where nothing is reported.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CountedFrames {
    pub start: u64,
    pub end: u64,
    /// Gains are also taken for meters, as in live playback.
    pub is_metered: bool,
}

/// Gain reduction of one insert over the frames of a range in which its strip sounds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GainReduction {
    /// The largest reduction in dB, and the first frame that has it; `None` without reduction.
    pub most: Option<(f64, u64)>,
    /// Mean in dB.
    pub mean_db: f64,
    /// Largest reduction in dB of each step from the start of the range.
    pub curve: Vec<f32>,
    /// Seconds of one step.
    pub step_s: f64,
}

/// The gain reduction of one insert so far.
pub(super) struct ReductionLog {
    rate: u64,
    /// The smallest gain since it was taken last, for meters.
    recent: f64,
    /// The smallest gain and its first frame.
    least: (f64, u64),
    /// The curve of the tenths of a second before `tenth`, and the smallest gain in that one.
    curve: LevelCurve,
    tenth: u64,
    least_of_tenth: f64,
    /// The product of all gains is `product` / 2^`halvings`: the sum of the decibels with one logarithm at the end.
    product: f64,
    halvings: u64,
    /// The frames whose gains were multiplied last, `group` × `FACTORS` and up to `FACTORS` frames on.
    group: u64,
}

impl ReductionLog {
    pub(super) fn new(rate: u64) -> Self {
        Self {
            rate,
            recent: 1.0,
            least: (1.0, 0),
            curve: LevelCurve::with_max_values(Keep::Largest, MAX_VALUES),
            tenth: 0,
            least_of_tenth: 1.0,
            product: 1.0,
            halvings: 0,
            group: 0,
        }
    }

    /// Takes gains for meters, wherever their frames lie.
    pub(super) fn meter(&mut self, gains: &[f64]) {
        self.recent = self.recent.min(smallest(gains));
    }

    /// Returns the smallest gain since the last call; 1 without any.
    pub(super) fn take_recent(&mut self) -> f64 {
        std::mem::replace(&mut self.recent, 1.0)
    }

    /// Logs the gains of frames from `at` on, those that count and in which the strip sounds.
    pub(super) fn note(
        &mut self,
        at: u64,
        gains: &[f64],
        counted: CountedFrames,
        sounding: &[Range<u64>],
    ) {
        let end = counted.end.min(at.saturating_add(gains.len() as u64));
        let start = counted.start.max(at);
        let first = sounding.partition_point(|range| range.end <= start);
        for range in sounding.iter().skip(first) {
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from >= to {
                break;
            }
            let here = saturating_usize(from - at)..saturating_usize(to - at);
            self.add(from, gains.get(here).unwrap_or(&[]), counted.start);
        }
    }

    /// Adds the gains of frames from `at` on. The curve begins at frame `origin`.
    fn add(&mut self, mut at: u64, mut gains: &[f64], origin: u64) {
        while !gains.is_empty() {
            let tenth = (at - origin) * 10 / self.rate;
            while self.tenth < tenth {
                self.curve.push(decibels(self.least_of_tenth));
                (self.tenth, self.least_of_tenth) = (self.tenth + 1, 1.0);
            }
            let next_tenth = origin + ((tenth + 1) * self.rate).div_ceil(10);
            let n = saturating_usize(next_tenth - at).min(gains.len());
            let (here, rest) = gains.split_at(n);
            self.add_within_tenth(at, here);
            (at, gains) = (at + n as u64, rest);
        }
    }

    fn add_within_tenth(&mut self, at: u64, gains: &[f64]) {
        let least = smallest(gains);
        if least >= 1.0 {
            return;
        }
        self.least_of_tenth = self.least_of_tenth.min(least);
        if least < self.least.0 {
            let first = gains.iter().position(|gain| *gain == least);
            self.least = (least, at + first.unwrap_or_default() as u64);
        }
        // The groups are those of the timeline, so that the product does not depend on how the signal was cut into blocks.
        let (mut at, mut gains) = (at, gains);
        while !gains.is_empty() {
            let group = at / FACTORS;
            if group != self.group {
                self.scale();
                self.group = group;
            }
            let n = saturating_usize(FACTORS - at % FACTORS).min(gains.len());
            let (here, rest) = gains.split_at(n);
            for gain in here.iter().filter(|gain| !gain.is_nan()) {
                self.product *= gain.clamp(MIN_GAIN, 1.0);
            }
            (at, gains) = (at + n as u64, rest);
        }
    }

    /// Brings the product, which is at most below 2, to 1 or more. Changes its exponent alone, so nothing is rounded.
    fn scale(&mut self) {
        const ONE: u64 = 1.0f64.to_bits();
        const MANTISSA: u64 = (1 << 52) - 1;
        let bits = self.product.to_bits();
        self.halvings += (ONE >> 52).saturating_sub(bits >> 52);
        self.product = f64::from_bits(ONE | (bits & MANTISSA));
    }

    /// Returns the reduction in a range, the one that was counted, of a strip that sounds in these ranges.
    pub(super) fn total(&self, range: Range<u64>, sounding: &[Range<u64>]) -> GainReduction {
        let frames = overlap(sounding, range.clone());
        let mut curve = self.curve.clone();
        curve.push(decibels(self.least_of_tenth));
        let tenths = ((range.end - range.start) * 10).div_ceil(self.rate);
        for _ in self.tenth + 1..tenths {
            curve.push(0.0);
        }
        #[expect(clippy::cast_precision_loss, reason = "a mix is not that long")]
        let mean_db = if frames > 0 {
            let logarithm = libm::log10(self.product) - self.halvings as f64 * LOG10_2;
            -20.0 * logarithm / frames as f64
        } else {
            0.0
        };
        GainReduction {
            most: (self.least.0 < 1.0).then(|| {
                let (gain, frame) = self.least;
                (-20.0 * libm::log10(gain.max(MIN_GAIN)), frame)
            }),
            // Not −0.0.
            mean_db: mean_db + 0.0,
            step_s: f64::from(curve.per()) / 10.0,
            curve: curve.into_values(),
        }
    }
}

/// Returns the smallest gain, 1 at most. Ignores NaN.
fn smallest(gains: &[f64]) -> f64 {
    // Eight independent minima, so that the compiler vectorises the loop.
    let (eights, rest) = gains.as_chunks::<8>();
    let mut lanes = [1.0f64; 8];
    for eight in eights {
        for (least, gain) in lanes.iter_mut().zip(eight) {
            *least = if gain < least { *gain } else { *least };
        }
    }
    lanes.iter().chain(rest).copied().fold(1.0, f64::min)
}

/// Converts a gain to a reduction in dB.
#[expect(
    clippy::cast_possible_truncation,
    reason = "seven digits are enough for a curve"
)]
fn decibels(gain: f64) -> f32 {
    if gain < 1.0 {
        (-20.0 * libm::log10(gain.max(MIN_GAIN))) as f32
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: CountedFrames = CountedFrames {
        start: 0,
        end: u64::MAX,
        is_metered: false,
    };

    #[test]
    fn the_mean_is_that_of_the_decibels_however_the_signal_is_cut() {
        // −0, −1 … −9 dB, over and over: 4.5 dB in the mean, 9 at most, at frame 9 first.
        let gains: Vec<f64> = (0..48_000)
            .map(|n| 10f64.powf(-f64::from(n % 10) / 20.0))
            .collect();
        let sounding = [Range {
            start: 0,
            end: 48_000,
        }];
        let mut whole = ReductionLog::new(48_000);
        whole.note(0, &gains, ALL, &sounding);
        let whole = whole.total(0..48_000, &sounding);
        assert!((whole.mean_db - 4.5).abs() < 1e-9, "{}", whole.mean_db);
        let (most, frame) = whole.most.unwrap();
        assert!((most - 9.0).abs() < 1e-9 && frame == 9, "{most} at {frame}");
        assert_eq!((whole.curve.len(), whole.step_s), (10, 0.1));
        for block in [1usize, 7, 4801] {
            let mut log = ReductionLog::new(48_000);
            for (k, part) in gains.chunks(block).enumerate() {
                log.note((k * block) as u64, part, ALL, &sounding);
            }
            assert_eq!(log.total(0..48_000, &sounding), whole, "{block}");
        }
    }

    #[test]
    fn only_frames_that_count_and_sound_are_logged() {
        // The strip sounds in half of the range, half of it at −6 dB; outside both everything is shut.
        let half = 0.5f64;
        let mut gains = vec![0.0; 4000];
        gains[1000..1500].fill(half);
        gains[1500..2000].fill(1.0);
        let sounding = [500..2000, 3000..4000];
        let counted = CountedFrames {
            start: 1000,
            end: 3000,
            is_metered: false,
        };
        let mut log = ReductionLog::new(1000);
        log.note(0, &gains, counted, &sounding);
        let total = log.total(1000..3000, &sounding);
        let db = -20.0 * half.log10();
        assert!(
            (total.mean_db - db / 2.0).abs() < 1e-12,
            "{}",
            total.mean_db
        );
        let (most, frame) = total.most.unwrap();
        assert!((most - db).abs() < 1e-12 && frame == 1000);
        let want: Vec<f32> = (0..20)
            .map(|k| if k < 5 { db as f32 } else { 0.0 })
            .collect();
        assert_eq!(total.curve, want);
    }

    #[test]
    fn a_gain_of_nothing_counts_as_300_db_and_none_that_is_no_number() {
        let mut log = ReductionLog::new(48_000);
        let sounding = [Range { start: 0, end: 480 }];
        log.note(0, &[0.0; 480], ALL, &sounding);
        let total = log.total(0..480, &sounding);
        let (most, frame) = total.most.unwrap();
        assert!((most - 300.0).abs() < 1e-9 && frame == 0, "{most}");
        assert!((total.mean_db - 300.0).abs() < 1e-9, "{}", total.mean_db);
        let mut log = ReductionLog::new(48_000);
        log.note(0, &[f64::NAN, 0.1, f64::NAN, 1.0], ALL, &sounding);
        let total = log.total(0..4, &sounding);
        let (most, frame) = total.most.unwrap();
        assert!((most - 20.0).abs() < 1e-12 && frame == 1, "{most}");
        assert!((total.mean_db - 5.0).abs() < 1e-12, "{}", total.mean_db);
    }
}
