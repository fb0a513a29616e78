//! The interpolation filter of the true-peak meter, and bounds on its output.
//!
//! The filter is a Kaiser-windowed sinc of 48 taps in 64 phases; phase n gives the signal at n/64 of the way from one sample to
//! the next. The two middle taps are adjusted in the fifth digit, so that constants and straight lines pass exactly. The
//! difference between the filter's output and the straight line between two samples is then a sum over second differences:
//! where these are small, the signal cannot rise much above its samples, and need not be interpolated.

use std::{f64::consts::PI, sync::LazyLock};

/// Taps on each side.
pub(super) const REACH: usize = 24;
#[expect(clippy::cast_precision_loss, reason = "a small whole number")]
const HALF: f64 = REACH as f64;
pub(super) const TAPS: usize = 2 * REACH;
pub(super) const PHASES: usize = 64;

/// Shape parameter of the window: the filter is flat within 0.005 dB to 0.4535 of the rate, which is 20 kHz at 44.1 kHz.
const BETA: f64 = 7.0;

pub(super) struct Kernel {
    /// For each phase, the factors of the samples from `REACH - 1` before to `REACH` after.
    phases: Vec<[f64; TAPS]>,
    /// The filter of phase ½, and half the sum and half the difference of those of ¼ and ¾, by distance from the middle: `half (x[-j] + x[j+1])`, `sum (..) ± difference (x[-j] - x[j+1])`.
    pub half: [f32; REACH],
    pub sum: [f32; REACH],
    pub difference: [f32; REACH],
    /// Bound of the output relative to the largest sample in reach.
    pub gain: f64,
    /// Bound of the rise above the larger of the two samples, relative to the largest second difference in reach.
    pub bend: f64,
}

pub(super) static KERNEL: LazyLock<Kernel> = LazyLock::new(Kernel::new);

impl Kernel {
    fn new() -> Self {
        let filter = half_filter();
        let phase = |n| phase(n, &filter);
        let phases: Vec<[f64; TAPS]> = (0..PHASES).map(phase).collect();
        let half = phase(PHASES / 2);
        let (quarter, mirrored) = (phase(PHASES / 4), phase(3 * PHASES / 4));
        let pairs = |f: &dyn Fn(usize) -> f64| {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "these find peaks, and do not measure them"
            )]
            std::array::from_fn(|j| f(REACH - 1 - j) as f32)
        };
        let at = |taps: &[f64; TAPS], k: usize| taps.get(k).copied().unwrap_or_default();
        Self {
            half: pairs(&|k| at(&half, k)),
            sum: pairs(&|k| (at(&quarter, k) + at(&mirrored, k)) / 2.0),
            difference: pairs(&|k| (at(&quarter, k) - at(&mirrored, k)) / 2.0),
            gain: phases
                .iter()
                .map(|taps| taps.iter().map(|h| h.abs()).sum())
                .fold(0.0, f64::max),
            bend: phases
                .iter()
                .enumerate()
                .map(|(p, taps)| bend(p, taps))
                .fold(0.0, f64::max),
            phases,
        }
    }

    /// Returns the signal at a phase; `samples` are those in reach.
    #[inline]
    pub(super) fn at(&self, phase: usize, samples: &[f64]) -> f64 {
        let taps = self.phases.get(phase).map(<[f64; TAPS]>::as_slice);
        let taps = taps.unwrap_or_default();
        samples.iter().zip(taps).map(|(x, h)| x * h).sum()
    }
}

/// Returns the distance of a phase from the sample before it, 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a small whole number")]
fn fraction(phase: usize) -> f64 {
    phase as f64 / PHASES as f64
}

/// Returns the position of a tap relative to the sample before the phase.
#[expect(clippy::cast_precision_loss, reason = "a small whole number")]
fn place(tap: usize) -> f64 {
    tap as f64 - (HALF - 1.0)
}

/// Returns the filter's values from its middle to its end, 1/64 of a sample apart. It is symmetric to the bit, so the
/// other half is not computed.
fn half_filter() -> Vec<f64> {
    let peak = bessel(BETA);
    (0..=REACH * PHASES)
        .map(|n| tap(fraction(n), peak))
        .collect()
}

/// Returns the taps of a phase of the filter.
fn phase(phase: usize, filter: &[f64]) -> [f64; TAPS] {
    let offset = fraction(phase);
    let middle = (REACH - 1) * PHASES + phase;
    let mut taps: [f64; TAPS] = std::array::from_fn(|k| {
        let distance = (k * PHASES).abs_diff(middle);
        filter.get(distance).copied().unwrap_or_default()
    });
    let moments = |(sum, first): (f64, f64), (k, h): (usize, &f64)| {
        (sum + h, first + h * (place(k) - offset))
    };
    let (sum, first) = taps.iter().enumerate().fold((0.0, 0.0), moments);
    let after = offset * (1.0 - sum) - first;
    let corrections = [1.0 - sum - after, after];
    taps.iter_mut()
        .skip(REACH - 1)
        .zip(corrections)
        .for_each(|(h, c)| *h += c);
    taps
}

/// Returns the filter's value at a distance from its middle, in samples. `peak` is the Bessel function of [`BETA`].
fn tap(t: f64, peak: f64) -> f64 {
    let sinc = if t == 0.0 {
        1.0
    } else {
        libm::sin(PI * t) / (PI * t)
    };
    let edge = t / HALF;
    sinc * bessel(BETA * (1.0 - edge * edge).max(0.0).sqrt()) / peak
}

/// Returns the modified Bessel function of order 0, by its series.
fn bessel(x: f64) -> f64 {
    let term = |term: &mut f64, k: u32| {
        *term *= (x / 2.0 / f64::from(k)) * (x / 2.0 / f64::from(k));
        Some(*term)
    };
    // The terms fall once `2 k > x`: those that follow one too small for the sum do not change it either.
    let mut sum = 0.0;
    for (k, term) in (1..60).zip((1..60).scan(1.0, term)) {
        let before = sum;
        sum += term;
        if sum == before && 2.0 * f64::from(k) > x {
            break;
        }
    }
    1.0 + sum
}

/// Returns the sum of the absolute factors of second differences, which are the twice cumulated sums of the taps.
fn bend(phase: usize, taps: &[f64; TAPS]) -> f64 {
    let offset = fraction(phase);
    let line = |k: usize| match k {
        _ if k == REACH - 1 => 1.0 - offset,
        _ if k == REACH => offset,
        _ => 0.0,
    };
    let (mut once, mut twice, mut all) = (0.0, 0.0f64, 0.0);
    for (k, h) in taps.iter().enumerate() {
        once += h - line(k);
        twice += once;
        all += twice.abs();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_and_straight_lines_pass() {
        for phase in 0..PHASES {
            let line: Vec<f64> = (0..TAPS).map(|k| 3.0 - 0.5 * place(k)).collect();
            let want = 3.0 - 0.5 * fraction(phase);
            assert!(
                (KERNEL.at(phase, &line) - want).abs() < 1e-12,
                "phase {phase}"
            );
        }
        assert!((2.0..3.0).contains(&KERNEL.gain), "{}", KERNEL.gain);
        assert!(KERNEL.bend < 1.0, "{}", KERNEL.bend);
    }

    #[test]
    fn the_filter_is_symmetric_to_the_bit() {
        let peak = bessel(BETA);
        for n in 0..=REACH * PHASES {
            let (after, before) = (tap(fraction(n), peak), tap(-fraction(n), peak));
            assert_eq!(after.to_bits(), before.to_bits(), "{n}");
        }
    }

    #[test]
    fn the_bessel_function_has_its_values() {
        // Abramowitz and Stegun, table 9.8 and 9.11.
        for (x, want) in [
            (0.0, 1.0),
            (1.0, 1.266_065_877_752_008_4),
            (10.0, 2_815.716_628_466_254),
        ] {
            assert!((bessel(x) / want - 1.0).abs() < 1e-14, "{x}: {}", bessel(x));
        }
    }

    #[test]
    fn is_flat_where_music_is() {
        for (f, most) in [
            (0.1, 0.0013),
            (0.3, 0.0031),
            (0.4167, 0.005),
            (0.4535, 0.005),
        ] {
            for phase in 0..PHASES {
                let (mut re, mut im) = (0.0, 0.0);
                for k in 0..TAPS {
                    let w = 2.0 * PI * f * (place(k) - fraction(phase));
                    re += KERNEL.phases[phase][k] * w.cos();
                    im += KERNEL.phases[phase][k] * w.sin();
                }
                let level = 20.0 * f64::hypot(re, im).log10();
                assert!(
                    level.abs() < most,
                    "{f}: phase {phase} is {level:.4} dB off"
                );
            }
        }
    }
}
