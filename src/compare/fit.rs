//! The lag and the gain between two stems that differ.
//!
//! A stretch of the shorter stem is looked for in the other, at every lag within a bound, by the normalised cross
//! correlation `Σ a·b / √(Σ a² · Σ b²)`, of either sign. Each lag that it finds, and lag 0, is tried on all that overlaps,
//! with the gain `Σ a·b / Σ a²`. A fit is one whose remainder lies [`FIT_MARGIN_DB`] below the difference.

use super::{
    exact,
    pair::{Pair, WINDOW, starts, stretch},
};
use crate::{
    error::Result,
    media::stem::Stem,
    units::{Dbfs, Decibels, Frames, Gain},
};
use serde::Serialize;
use std::ops::Range;

/// The largest lag that is looked for, in frames: one second at 48 kHz.
pub const LAGS: u64 = 48_000;

/// How far below the difference between two files the remainder of a fit must lie, in decibels.
pub const FIT_MARGIN_DB: f64 = 20.0;

/// Frames that must overlap for any signals; of fewer, a gain fits some pair by chance.
const MIN_OVERLAP: u64 = 6;

/// Frames that must overlap where the second file is silent outside the overlap, as a moved file is.
const MIN_OVERLAP_MOVED: u64 = 3;

/// Share of the energy of a stretch that must lie within the other file.
const MIN_SHARE: f64 = 0.1;

/// How to make the second file out of the first: delay, scale, and add what remains.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Fit {
    /// How much later the second is; negative where it is earlier.
    pub lag_frames: i64,
    /// The same in time.
    pub lag_s: f64,
    /// How much louder the second is.
    pub gain_db: f64,
    /// Whether its polarity is turned over.
    pub inverted: bool,
    /// Correlation of all that overlaps, 0 to 1.
    pub correlation: f64,
    /// The largest difference that is left; `null` where none is.
    pub residual_dbfs: Option<f64>,
}

/// Result of comparing two stems without lag.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// The first frame of the loudest window of each stem.
    pub loudest: [u64; 2],
    /// The largest difference.
    pub largest: f64,
    /// The squares of all differences.
    pub energy: f64,
    frames: u64,
    product: f64,
    squares: [f64; 2],
}

impl Sums {
    /// Adds the channels of a window, and returns the squares of each stem in it.
    pub(super) fn add(&mut self, a: &[Vec<f64>], b: &[Vec<f64>]) -> [f64; 2] {
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

    /// Returns the gain that brings the first stem closest to the second; `None` where no gain does.
    fn gain(&self) -> Option<f64> {
        let gain = self.product / self.squares[0];
        (gain.is_finite() && gain != 0.0).then_some(gain)
    }

    /// Returns the squares that the gain leaves.
    fn left(&self) -> f64 {
        let explained = self.product * (self.product / self.squares[0]);
        (self.squares[1] - explained).max(0.0)
    }

    fn correlation(&self) -> f64 {
        let bound = (self.squares[0] * self.squares[1]).sqrt();
        (self.product.abs() / bound).min(1.0)
    }
}

/// Finds the best fit of stems that differ by `plain` without lag, of all that lies at or behind frame `from`; `None` where
/// none explains the difference. Before that frame, there must be no difference.
pub(super) fn find(a: &Stem, b: &Stem, plain: &Sums, from: u64) -> Result<Option<Fit>> {
    let mut best = try_lag(a, b, 0, plain, from)?;
    let (length_a, length_b) = (length(a), length(b));
    let swapped = length_b < length_a;
    let (short, long, frames, loudest) = if swapped {
        (b, a, length_b, plain.loudest[1])
    } else {
        (a, b, length_a, plain.loudest[0])
    };
    let last = frames.saturating_sub(WINDOW as u64).max(from);
    let mut windows = vec![loudest.clamp(from, last), from + (last - from) / 2];
    windows.dedup();
    let mut tried = vec![0];
    for window in windows {
        for lag in likely_lags(short, long, window)? {
            let lag = if swapped { -lag } else { lag };
            if tried.contains(&lag) {
                continue;
            }
            tried.push(lag);
            if let Some(found) = try_lag(a, b, lag, plain, from)? {
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
    Ok(best.map(|tried| tried.fit))
}

/// A fit and the mean square that it leaves.
struct Tried {
    fit: Fit,
    mean_square: f64,
}

impl Tried {
    /// Returns the fit that leaves less; of two that leave about as much, the one of the smaller lag.
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

/// Measures what a lag and the best gain for it leave at or behind frame `from`; `None` where that does not explain the
/// difference.
fn try_lag(a: &Stem, b: &Stem, lag: i64, plain: &Sums, from: u64) -> Result<Option<Tried>> {
    let [start_a, start_b] = starts(lag, from);
    let left_a = length(a).saturating_sub(start_a);
    let overlap = length(b).saturating_sub(start_b).min(left_a);
    if overlap == 0 || (from > 0 && overlap < MIN_OVERLAP) {
        return Ok(None);
    }
    let margin = Decibels(-FIT_MARGIN_DB).gain().0;
    let compared = plain.frames.saturating_sub(from);
    let most_square = plain.energy / exact(compared) * margin * margin;
    let sums = if lag == 0 && from == 0 {
        None
    } else {
        let (mut sums, mut pair) = (Sums::default(), Pair::open(a, b, lag, from)?);
        while let Some((_, a, b)) = pair.next()? {
            sums.add(a, b);
        }
        Some(sums)
    };
    let sums = sums.as_ref().unwrap_or(plain);
    let Some(gain) = sums.gain() else {
        return Ok(None);
    };
    // The sums lose digits, so that this bound is twice as wide as the one below.
    if sums.left() / exact(sums.frames) > 2.0 * most_square {
        return Ok(None);
    }
    let (mut residual, mut energy) = (0.0f64, 0.0);
    let mut pair = Pair::open(a, b, lag, from)?;
    while let Some((_, a, b)) = pair.next()? {
        for (a, b) in a.iter().flatten().zip(b.iter().flatten()) {
            let left = (b - gain * a).abs();
            residual = residual.max(left);
            energy += left * left;
        }
    }
    let mean_square = energy / exact(overlap);
    let most = plain.largest * margin;
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
        residual_dbfs: (residual > 0.0).then(|| Dbfs::of(residual).0),
    };
    Ok(Some(Tried { fit, mean_square }))
}

/// Reports whether a stem has no sample above `most` outside the `overlap` frames that begin at `lag`.
fn silent_outside(stem: &Stem, lag: i64, overlap: u64, most: f64) -> Result<bool> {
    let start = lag.max(0).unsigned_abs();
    let frames = usize::try_from(length(stem)).unwrap_or(usize::MAX);
    let all = stretch(stem, 0, frames)?;
    let inside = start..start + overlap;
    Ok(all.iter().all(|channel| {
        (0..)
            .zip(channel)
            .all(|(frame, sample)| inside.contains(&frame) || sample.abs() <= most)
    }))
}

fn length(stem: &Stem) -> u64 {
    stem.frames.map_or(0, |frames| frames.0)
}

/// Returns the lags at which the window of `short` that begins at a frame most resembles `long`.
fn likely_lags(short: &Stem, long: &Stem, start: u64) -> Result<Vec<i64>> {
    // At a lag of its length or more, neither stem overlaps the other.
    let most_lag = LAGS.min(length(long));
    let reach = i64::try_from(most_lag).unwrap_or(i64::MAX);
    let frames = length(short).saturating_sub(start).min(WINDOW as u64);
    let (frames, lags) = (
        usize::try_from(frames).unwrap_or(WINDOW),
        usize::try_from(2 * most_lag).unwrap_or(0),
    );
    let from = i64::try_from(start).unwrap_or(i64::MAX);
    let pattern = stretch(short, from, frames)?;
    let around = stretch(long, from.saturating_sub(reach), frames + lags)?;
    let power = |samples: &Vec<f64>| dot(samples, samples);
    // The channel that is loudest in both.
    let both = pattern
        .iter()
        .zip(&around)
        .max_by(|x, y| (power(x.0) * power(x.1)).total_cmp(&(power(y.0) * power(y.1))));
    let Some((pattern, around)) = both else {
        return Ok(Vec::new());
    };
    // The part of `around` that the longer stem has.
    let before = usize::try_from(reach.saturating_sub(from)).unwrap_or(0);
    let there = length(long).saturating_sub(start.saturating_sub(most_lag));
    let end = before.saturating_add(usize::try_from(there).unwrap_or(usize::MAX));
    Ok(best(pattern, around, reach, before..end))
}

/// Returns the lag with the largest correlation of either sign, and the one where that of the frames within `inside`
/// alone is largest. Of equal correlations the smallest lag counts.
fn best(pattern: &[f64], around: &[f64], reach: i64, inside: Range<usize>) -> Vec<i64> {
    let own = dot(pattern, pattern);
    // The energy of the first n samples of the pattern.
    let mut energies = vec![0.0];
    energies.extend(pattern.iter().scan(0.0, |sum, x| {
        *sum += x * x;
        Some(*sum)
    }));
    let energy = |n: usize| energies.get(n.min(pattern.len())).copied().unwrap_or(own);
    let mut found = [Peak::default(); 2];
    // The energy under the pattern, kept up from lag to lag; its sums are of squares, so nothing cancels for long.
    let Some(mut under) = around.get(..pattern.len()).map(|w| dot(w, w)) else {
        return Vec::new();
    };
    let mut moves = around.iter().zip(around.iter().skip(pattern.len()));
    for ((lag, window), start) in (-reach..)
        .zip(around.windows(pattern.len().max(1)))
        .zip(0..)
    {
        if lag % 4096 == 0 {
            under = dot(window, window);
        }
        let within =
            energy(inside.end.saturating_sub(start)) - energy(inside.start.saturating_sub(start));
        let product = dot(pattern, window).abs();
        for (peak, own_part) in found.iter_mut().zip([own, within]) {
            let bound = (own_part * under.max(0.0)).sqrt();
            if bound > 1e-12 * own && own_part >= MIN_SHARE * own {
                peak.take(lag, product / bound);
            }
        }
        if let Some((leaves, comes)) = moves.next() {
            under += comes * comes - leaves * leaves;
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

/// The highest correlation so far and its lag.
#[derive(Clone, Copy, Default)]
struct Peak {
    height: f64,
    lag: i64,
}

impl Peak {
    fn take(&mut self, lag: i64, height: f64) {
        let higher = height > self.height * (1.0 + 1e-6);
        let as_high = height > self.height * (1.0 - 1e-6);
        if higher || (as_high && lag.abs() < self.lag.abs()) {
            *self = Self { height, lag };
        }
    }
}

/// The sum of products, in eight lanes.
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
            let found = best(&noise[at..at + 1000], around, reach, 0..around.len());
            assert_eq!(found, [lag]);
        }
        let tone: Vec<f64> = (0..2000)
            .map(|n| (f64::from(n) * std::f64::consts::TAU / 50.0).sin())
            .collect();
        assert_eq!(best(&tone[500..1000], &tone[..1500], 500, 0..1500), [0]);
        assert!(best(&[0.0; 100], &[0.0; 300], 100, 0..300).is_empty());
        assert!(best(&[], &[0.0; 200], 100, 0..200).is_empty());
    }
}
