//! What the resampler does to sines: a least-squares fit of the closed form to the middle of the output.

use super::signal::{blocks, mono, sine};
use std::f64::consts::TAU;

/// A fitted sine.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// Amplitude, for an input of 1.
    pub gain: f64,
    /// What is left besides the sine, RMS relative to the input's: noise, images, aliases.
    pub residue: f64,
    /// Frames of the output by which the sine is late.
    pub late: f64,
}

impl Fit {
    pub fn snr(&self) -> f64 {
        db(self.gain / self.residue)
    }
}

pub fn db(ratio: f64) -> f64 {
    20.0 * ratio.log10()
}

/// The middle of a resampled unit sine, and the output frame where it starts.
fn middle(from: u32, to: u32, hz: u32) -> (u64, Vec<f64>) {
    let (block_in, block_out) = blocks(from, to);
    let spare = 6000u64.div_ceil(block_out).max(2);
    let out = mono(from, to, (4 + spare) * block_in, move |at| {
        sine(hz, at, from).0
    });
    let (start, end) = (2 * block_out, (2 + spare) * block_out);
    (start, out[start as usize..end as usize].to_vec())
}

/// A unit sine of the passband.
pub fn fit(from: u32, to: u32, hz: u32) -> Fit {
    let (start, out) = middle(from, to, hz);
    let wave = || (start..).map(|at| sine(hz, at, to));
    let (mut ss, mut cc, mut sc, mut ys, mut yc) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (y, (s, c)) in out.iter().zip(wave()) {
        (ss, cc, sc) = (ss + s * s, cc + c * c, sc + s * c);
        (ys, yc) = (ys + y * s, yc + y * c);
    }
    let det = ss * cc - sc * sc;
    let (a, b) = ((ys * cc - yc * sc) / det, (yc * ss - ys * sc) / det);
    let left: f64 = out
        .iter()
        .zip(wave())
        .map(|(y, (s, c))| (y - a * s - b * c).powi(2))
        .sum();
    Fit {
        gain: a.hypot(b),
        residue: (left / out.len() as f64 / 0.5).sqrt(),
        late: -b.atan2(a) / (TAU * f64::from(hz)) * f64::from(to),
    }
}

/// All that is left of a unit sine above the target's Nyquist frequency, RMS relative to the input's.
pub fn alias(from: u32, to: u32, hz: u32) -> f64 {
    let (_, out) = middle(from, to, hz);
    (out.iter().map(|y| y * y).sum::<f64>() / out.len() as f64 / 0.5).sqrt()
}

/// The figures of a rate pair.
#[derive(Debug)]
pub struct Quality {
    pub snr_1k: f64,
    /// Least SNR of all tones to 0.9 of the lower Nyquist frequency.
    pub snr: f64,
    /// Largest deviation of their gain from 1, in dB.
    pub ripple: f64,
    /// Largest time error of theirs, in output frames.
    pub late: f64,
    /// Hz where the gain is -0.1 dB and -3 dB.
    pub edges: (u32, u32),
    /// The loudest remainder, in dB. Downwards: of the tones from the mirrored -3 dB point (`to` less that point) to the
    /// input's Nyquist frequency. Upwards: images of the tones to 0.9 of the input's Nyquist frequency.
    pub alias: f64,
    /// The same next to Nyquist, where the filter falls. Downwards: of the tones from the target's Nyquist frequency to
    /// the mirrored -3 dB point. Upwards: images of the tones from 0.9 to 1 of the input's Nyquist frequency.
    pub near: f64,
}

/// Measures with `n` tones a band.
pub fn measure(from: u32, to: u32, n: u32) -> Quality {
    let nyquist = from.min(to) / 2;
    let edge = |level: f64| {
        let (mut low, mut high) = (nyquist / 10 * 9, nyquist);
        while high - low > 1 {
            let mid = low.midpoint(high);
            if db(fit(from, to, mid).gain) > level {
                low = mid
            } else {
                high = mid
            }
        }
        low
    };
    let edges = (edge(-0.1), edge(-3.0));
    // The tones avoid simple fractions of the rates.
    let tones = |low: u32, high: u32| (0..=n).map(move |i| low + (high - low) * i / n);
    let pass: Vec<Fit> = tones(17, nyquist / 10 * 9)
        .map(|hz| fit(from, to, hz))
        .collect();
    let worst = |figures: Vec<f64>| figures.into_iter().fold(f64::NEG_INFINITY, f64::max);
    Quality {
        snr_1k: fit(from, to, 1000).snr(),
        snr: -worst(pass.iter().map(|f| -f.snr()).collect()),
        ripple: worst(pass.iter().map(|f| db(f.gain).abs()).collect()),
        late: worst(pass.iter().map(|f| f.late.abs()).collect()),
        edges,
        alias: if from > to {
            worst(
                tones(to - edges.1, from / 2 - 1)
                    .map(|hz| db(alias(from, to, hz)))
                    .collect(),
            )
        } else {
            worst(pass.iter().map(|f| db(f.residue)).collect())
        },
        near: if from > to {
            worst(
                tones(to / 2 + 1, to - edges.1)
                    .map(|hz| db(alias(from, to, hz)))
                    .collect(),
            )
        } else {
            worst(
                tones(nyquist / 10 * 9, nyquist - 1)
                    .map(|hz| db(fit(from, to, hz).residue))
                    .collect(),
            )
        },
    }
}
