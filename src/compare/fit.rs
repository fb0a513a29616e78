//! The lag and the gain between two stems that differ.
//!
//! The loudest stretch of the first is looked for in the second, at every lag within a bound, by the normalised cross
//! correlation `Σ a·b / √(Σ a² · Σ b²)`, of either sign; of equal ones the smallest lag counts. Then the gain
//! `Σ a·b / Σ a²` over all that overlaps, and the difference that is left with both.

use super::pair::{Pair, WINDOW, stretch};
use crate::{
    error::Result,
    media::stem::Stem,
    units::{Dbfs, Frames, Gain},
};
use serde::Serialize;

/// The largest lag that is looked for, in frames: one second at 48 kHz.
pub const LAGS: u64 = 48_000;

/// Correlation below which two signals are strangers.
const STRANGERS: f64 = 0.3;

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
    /// Correlation of the loudest stretch, 0 to 1.
    pub correlation: f64,
    /// The largest difference that is left; `null` where none is.
    pub residual_dbfs: Option<f64>,
}

/// The best fit; `loudest` is where the first is loudest. `None` where nothing fits.
pub(super) fn find(a: &Stem, b: &Stem, loudest: u64) -> Result<Option<Fit>> {
    let from = i64::try_from(loudest).unwrap_or(i64::MAX);
    let pattern = stretch(a, from, WINDOW)?;
    let reach = i64::try_from(LAGS).unwrap_or(i64::MAX);
    let frames = pattern.first().map_or(0, Vec::len);
    let around = stretch(
        b,
        from.saturating_sub(reach),
        frames + 2 * usize::try_from(LAGS).unwrap_or(0),
    )?;
    let power = |samples: &Vec<f64>| dot(samples, samples);
    // The channel that is loudest in both.
    let both = pattern
        .iter()
        .zip(&around)
        .max_by(|x, y| (power(x.0) * power(x.1)).total_cmp(&(power(y.0) * power(y.1))));
    let Some((pattern, around)) = both else {
        return Ok(None);
    };
    let Some((lag, correlation)) = best(pattern, around, reach) else {
        return Ok(None);
    };
    if correlation.abs() < STRANGERS {
        return Ok(None);
    }
    let (mut product, mut square) = (0.0, 0.0);
    let mut pair = Pair::open(a, b, lag)?;
    while let Some((_, a, b)) = pair.next()? {
        for (a, b) in a.iter().zip(b) {
            product += dot(a, b);
            square += dot(a, a);
        }
    }
    let gain = product / square;
    if !gain.is_finite() || gain == 0.0 {
        return Ok(None);
    }
    let mut residual = 0.0f64;
    let mut pair = Pair::open(a, b, lag)?;
    while let Some((_, a, b)) = pair.next()? {
        let left = a
            .iter()
            .flatten()
            .zip(b.iter().flatten())
            .map(|(a, b)| (b - gain * a).abs());
        residual = left.fold(residual, f64::max);
    }
    let time = Frames(lag.unsigned_abs()).to_duration(a.rate).as_secs_f64();
    Ok(Some(Fit {
        lag_frames: lag,
        lag_s: if lag < 0 { -time } else { time },
        gain_db: Gain(gain.abs()).decibels().0,
        inverted: gain < 0.0,
        correlation: correlation.abs(),
        residual_dbfs: (residual > 0.0).then(|| Dbfs::of(residual).0),
    }))
}

/// The lag with the largest correlation of either sign, and that correlation.
fn best(pattern: &[f64], around: &[f64], reach: i64) -> Option<(i64, f64)> {
    let own = dot(pattern, pattern);
    let mut found: Option<(i64, f64)> = None;
    // The energy under the pattern, kept up from lag to lag; its sums are of squares, so nothing cancels for long.
    let mut under = around.get(..pattern.len()).map(|w| dot(w, w))?;
    let mut moves = around.iter().zip(around.iter().skip(pattern.len()));
    for (lag, window) in (-reach..).zip(around.windows(pattern.len())) {
        if lag % 4096 == 0 {
            under = dot(window, window);
        }
        let bound = (own * under.max(0.0)).sqrt();
        let correlation = if bound > 1e-12 * own {
            dot(pattern, window) / bound
        } else {
            0.0
        };
        let better = found.is_none_or(|(old, most)| {
            let (more, less) = (most.abs() * (1.0 + 1e-6), most.abs() * (1.0 - 1e-6));
            correlation.abs() > more || (correlation.abs() > less && lag.abs() < old.abs())
        });
        if better {
            found = Some((lag, correlation));
        }
        if let Some((leaves, comes)) = moves.next() {
            under += comes * comes - leaves * leaves;
        }
    }
    found.filter(|(_, correlation)| *correlation != 0.0)
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
            let (found, correlation) = best(&noise[at..at + 1000], around, reach).unwrap();
            assert_eq!(found, lag);
            assert!((correlation - 1.0).abs() < 1e-12);
        }
        let tone: Vec<f64> = (0..2000)
            .map(|n| (f64::from(n) * std::f64::consts::TAU / 50.0).sin())
            .collect();
        assert_eq!(best(&tone[500..1000], &tone[..1500], 500).unwrap().0, 0);
        assert_eq!(best(&[0.0; 100], &[0.0; 300], 100), None);
    }
}
