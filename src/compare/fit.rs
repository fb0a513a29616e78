//! Finds lag and gain between two stems that differ.
//!
//! A window of the shorter stem is located in the other one by the normalised cross-correlation `Σ
//! a·b / √(Σ a² · Σ b²)` of either sign, at all lags within a bound. Each lag found, and lag 0, is
//! checked on the whole overlap, with the gain `Σ a·b / Σ a²`. A fit is accepted if the remainder
//! lies [`FIT_MARGIN_DB`] below the difference.

use super::{
    exact,
    pair::{StemPair, read_padded, start_frames},
};
use crate::{
    error::Result,
    media::{chunk_reader::WINDOW, stem::Stem},
    units::{Dbfs, Decibels, Frames, Gain, saturating_usize},
};
#[cfg(feature = "serde")]
use serde::Serialize;
use std::ops::Range;

/// Maximum lag in frames: one second at 48 kHz.
pub const LAGS: u64 = 48_000;

/// Distance in decibels by which the remainder of a fit must lie below the difference between the
/// files.
pub const FIT_MARGIN_DB: f64 = 20.0;

/// Minimum overlap in frames. With fewer frames, some gain fits arbitrary signals by chance.
const MIN_OVERLAP: u64 = 6;

/// Minimum overlap in frames if the second file is silent outside the overlap, like a file whose
/// content was shifted.
const MIN_OVERLAP_MOVED: u64 = 3;

/// Minimum share of a window's energy that must lie within the other file.
const MIN_SHARE: f64 = 0.1;

/// Transformation from the first file to the second: delay, gain, and a remainder.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct Fit {
    /// Delay of the second file; negative if it is early.
    pub lag_frames: i64,
    /// Delay in seconds.
    pub lag_s: f64,
    /// Gain of the second file relative to the first.
    pub gain_db: f64,
    /// True if the polarity is inverted.
    pub inverted: bool,
    /// Correlation over the whole overlap, 0 to 1.
    pub correlation: f64,
    /// Largest remaining difference; `null` if there is none.
    pub residual_dbfs: Option<f64>,
}

/// Sums over two stems compared without lag.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// First frame of the loudest window of each stem.
    pub loudest: [u64; 2],
    /// Largest difference.
    pub largest: f64,
    /// Sum of the squares of all differences.
    pub energy: f64,
    frames: u64,
    product: f64,
    squares: [f64; 2],
}

impl Sums {
    /// Adds the channels of a window. Returns the energy of each stem in it.
    pub(super) fn add_window(&mut self, a: &[Vec<f64>], b: &[Vec<f64>]) -> [f64; 2] {
        let mut own = [0.0; 2];
        for (a, b) in a.iter().zip(b) {
            self.product += dot(a, b);
            own[0] += dot(a, a);
            own[1] += dot(b, b);
        }
        self.squares[0] += own[0];
        self.squares[1] += own[1];
        self.frames += a.first().map_or(0, |channel| channel.len() as u64);
        own
    }

    /// Returns the gain that brings the first stem closest to the second; `None` if no gain does.
    fn gain(&self) -> Option<f64> {
        let gain = self.product / self.squares[0];
        (gain.is_finite() && gain != 0.0).then_some(gain)
    }

    /// Returns the energy that remains after applying the gain.
    fn remaining_energy(&self) -> f64 {
        let explained = self.product * (self.product / self.squares[0]);
        (self.squares[1] - explained).max(0.0)
    }

    fn correlation(&self) -> f64 {
        let bound = (self.squares[0] * self.squares[1]).sqrt();
        (self.product.abs() / bound).min(1.0)
    }
}

/// Finds the best fit of two stems from frame `from` on; `None` if none explains the difference.
/// `without_lag` holds the sums without lag. There must be no difference before `from`.
pub(super) fn find_fit(a: &Stem, b: &Stem, without_lag: &Sums, from: u64) -> Result<Option<Fit>> {
    let mut best = try_lag(a, b, 0, without_lag, from)?;
    let (length_a, length_b) = (length(a), length(b));
    let swapped = length_b < length_a;
    let (short, long, frames, loudest) = if swapped {
        (b, a, length_b, without_lag.loudest[1])
    } else {
        (a, b, length_a, without_lag.loudest[0])
    };
    let last = frames.saturating_sub(WINDOW as u64).max(from);
    let mut windows = vec![loudest.clamp(from, last), from + (last - from) / 2];
    windows.dedup();
    let mut lags_tried = vec![0];
    for window in windows {
        for lag in candidate_lags(short, long, window)? {
            let lag = if swapped { -lag } else { lag };
            if lags_tried.contains(&lag) {
                continue;
            }
            lags_tried.push(lag);
            if let Some(found) = try_lag(a, b, lag, without_lag, from)? {
                best = Some(match best {
                    Some(best) => best.better(found),
                    None => found,
                });
            }
        }
        if best.is_some() {
            break;
        }
    }
    Ok(best.map(|candidate| candidate.fit))
}

/// A fit and the mean square of its remainder.
struct Candidate {
    fit: Fit,
    mean_square: f64,
}

impl Candidate {
    /// Returns the fit with the smaller remainder, or the one with the smaller lag if the
    /// remainders are similar.
    fn better(self, other: Self) -> Self {
        let (near, far) = if self.fit.lag_frames.abs() <= other.fit.lag_frames.abs() {
            (self, other)
        } else {
            (other, self)
        };
        if far.mean_square < near.mean_square / 4.0 {
            far
        } else {
            near
        }
    }
}

/// Measures the remainder of a lag with its best gain, from frame `from` on; `None` if they do not
/// explain the difference.
fn try_lag(
    a: &Stem,
    b: &Stem,
    lag: i64,
    without_lag: &Sums,
    from: u64,
) -> Result<Option<Candidate>> {
    let [start_a, start_b] = start_frames(lag, from);
    let left_a = length(a).saturating_sub(start_a);
    let overlap = length(b).saturating_sub(start_b).min(left_a);
    if overlap == 0 || (from > 0 && overlap < MIN_OVERLAP) {
        return Ok(None);
    }
    let margin = Decibels(-FIT_MARGIN_DB).gain().0;
    let compared = without_lag.frames.saturating_sub(from);
    let most_square = without_lag.energy / exact(compared) * margin * margin;
    let sums = if lag == 0 && from == 0 {
        None
    } else {
        let (mut sums, mut pair) = (Sums::default(), StemPair::open(a, b, lag, from)?);
        while let Some((_, a, b)) = pair.next()? {
            sums.add_window(a, b);
        }
        Some(sums)
    };
    let sums = sums.as_ref().unwrap_or(without_lag);
    let Some(gain) = sums.gain() else {
        return Ok(None);
    };
    // The sums lose digits, so this bound is twice as wide as the one below.
    if sums.remaining_energy() / exact(sums.frames) > 2.0 * most_square {
        return Ok(None);
    }
    let (mut residual, mut energy) = (0.0f64, 0.0);
    let mut pair = StemPair::open(a, b, lag, from)?;
    while let Some((_, a, b)) = pair.next()? {
        for (a, b) in a.iter().flatten().zip(b.iter().flatten()) {
            let left = (b - gain * a).abs();
            residual = residual.max(left);
            energy += left * left;
        }
    }
    let mean_square = energy / exact(overlap);
    let most = without_lag.largest * margin;
    if residual > most || mean_square > most_square {
        return Ok(None);
    }
    if lag != 0 && from == 0 && overlap < MIN_OVERLAP {
        let moved = silent_outside(b, lag, overlap, most)?;
        let kept = silent_outside(a, -lag, overlap, most / gain.abs())?;
        if !moved || (overlap < MIN_OVERLAP_MOVED && !kept) {
            return Ok(None);
        }
    }
    let time = Frames(lag.unsigned_abs()).to_duration(a.rate).as_secs_f64();
    let fit = Fit {
        lag_frames: lag,
        lag_s: if lag < 0 { -time } else { time },
        gain_db: Gain(gain.abs()).decibels().0,
        inverted: gain < 0.0,
        correlation: sums.correlation(),
        residual_dbfs: (residual > 0.0).then(|| Dbfs::from_amplitude(residual).0),
    };
    Ok(Some(Candidate { fit, mean_square }))
}

/// Returns true if no sample of a stem exceeds `most` outside the `overlap` frames from `lag` on.
fn silent_outside(stem: &Stem, lag: i64, overlap: u64, most: f64) -> Result<bool> {
    let start = lag.max(0).unsigned_abs();
    let frames = saturating_usize(length(stem));
    let all = read_padded(stem, 0, frames)?;
    let inside = start..start + overlap;
    Ok(all.iter().all(|channel| {
        (0..)
            .zip(channel)
            .all(|(frame, sample)| inside.contains(&frame) || sample.abs() <= most)
    }))
}

/// Converts a position to a signed one for differences. No stem has 2^63 frames, so this never saturates in practice.
fn saturating_i64(frames: u64) -> i64 {
    i64::try_from(frames).unwrap_or(i64::MAX)
}

fn length(stem: &Stem) -> u64 {
    stem.frames.map_or(0, |frames| frames.0)
}

/// Returns the lags at which the window of `short` at frame `start` most resembles `long`.
fn candidate_lags(short: &Stem, long: &Stem, start: u64) -> Result<Vec<i64>> {
    // With a lag of its length or more, the stems do not overlap.
    let max_lag = LAGS.min(length(long));
    let frames = saturating_usize(length(short).saturating_sub(start).min(WINDOW as u64));
    let lags = saturating_usize(2 * max_lag);
    let (from, reach) = (saturating_i64(start), saturating_i64(max_lag));
    let pattern = read_padded(short, from, frames)?;
    let around = read_padded(long, from.saturating_sub(reach), frames + lags)?;
    let power = |samples: &Vec<f64>| dot(samples, samples);
    // The channel with the most energy in both stems.
    let loudest_channel = pattern
        .iter()
        .zip(&around)
        .max_by(|x, y| (power(x.0) * power(x.1)).total_cmp(&(power(y.0) * power(y.1))));
    let Some((pattern, around)) = loudest_channel else {
        return Ok(Vec::new());
    };
    // The part of `around` inside the longer stem; the rest is padding.
    let before = saturating_usize(reach.saturating_sub(from).max(0).unsigned_abs());
    let present = length(long).saturating_sub(start.saturating_sub(max_lag));
    let end = before.saturating_add(saturating_usize(present));
    Ok(best_lags(pattern, around, reach, before..end))
}

/// Returns the lag with the largest correlation of either sign, and the lag where the correlation
/// of the frames within `inside` is largest. Of equal correlations the smallest lag counts.
fn best_lags(pattern: &[f64], around: &[f64], reach: i64, inside: Range<usize>) -> Vec<i64> {
    let own = dot(pattern, pattern);
    // Energy of the first n samples of the pattern.
    let mut energies = vec![0.0];
    energies.extend(pattern.iter().scan(0.0, |sum, x| {
        *sum += x * x;
        Some(*sum)
    }));
    let energy = |n: usize| energies.get(n.min(pattern.len())).copied().unwrap_or(own);
    let mut found = [CorrelationPeak::default(); 2];
    // Energy under the pattern, updated from lag to lag. It is recomputed now and then, because the
    // updates accumulate rounding errors.
    let Some(mut window_energy) = around.get(..pattern.len()).map(|w| dot(w, w)) else {
        return Vec::new();
    };
    let mut steps = around.iter().zip(around.iter().skip(pattern.len()));
    for ((lag, window), start) in (-reach..)
        .zip(around.windows(pattern.len().max(1)))
        .zip(0..)
    {
        if lag % 4096 == 0 {
            window_energy = dot(window, window);
        }
        let within =
            energy(inside.end.saturating_sub(start)) - energy(inside.start.saturating_sub(start));
        let product = dot(pattern, window).abs();
        for (peak, pattern_energy) in found.iter_mut().zip([own, within]) {
            let bound = (pattern_energy * window_energy.max(0.0)).sqrt();
            if bound > 1e-12 * own && pattern_energy >= MIN_SHARE * own {
                peak.update(lag, product / bound);
            }
        }
        if let Some((leaving, entering)) = steps.next() {
            window_energy += entering * entering - leaving * leaving;
        }
    }
    let mut lags: Vec<i64> = found
        .iter()
        .filter(|peak| peak.height > 0.0)
        .map(|peak| peak.lag)
        .collect();
    lags.dedup();
    lags
}

/// Highest correlation so far, with its lag.
#[derive(Clone, Copy, Default)]
struct CorrelationPeak {
    height: f64,
    lag: i64,
}

impl CorrelationPeak {
    fn update(&mut self, lag: i64, height: f64) {
        let higher = height > self.height * (1.0 + 1e-6);
        let as_high = height > self.height * (1.0 - 1e-6);
        if higher || (as_high && lag.abs() < self.lag.abs()) {
            *self = Self { height, lag };
        }
    }
}

/// Returns the sum of products, in eight lanes so that it can be vectorised.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((x, x_rest), (y, y_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut lanes = [0.0; 8];
    for (x, y) in x.iter().zip(y) {
        lanes
            .iter_mut()
            .zip(x.iter().zip(y))
            .for_each(|(sum, (x, y))| *sum += x * y);
    }
    lanes.iter().sum::<f64>() + x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_of_noise_is_found_to_the_frame_and_of_a_tone_the_nearest() {
        let noise: Vec<f64> = (0..5000u64)
            .map(|n| ((n * n * 7919 + n * 31) % 10_007) as f64 / 5003.0 - 1.0)
            .collect();
        for (lag, at) in [
            (-400i64, 1600usize),
            (-1, 1999),
            (0, 2000),
            (3, 2003),
            (400, 2400),
        ] {
            let (from, reach) = (2000 - 500, 500);
            let around = &noise[from..from + 1000 + 1000];
            let found = best_lags(&noise[at..at + 1000], around, reach, 0..around.len());
            assert_eq!(found, [lag]);
        }
        let tone: Vec<f64> = (0..2000)
            .map(|n| (f64::from(n) * std::f64::consts::TAU / 50.0).sin())
            .collect();
        assert_eq!(
            best_lags(&tone[500..1000], &tone[..1500], 500, 0..1500),
            [0]
        );
        assert!(best_lags(&[0.0; 100], &[0.0; 300], 100, 0..300).is_empty());
        assert!(best_lags(&[], &[0.0; 200], 100, 0..200).is_empty());
    }
}
