//! K-weighting: the filters and channel weights of ITU-R BS.1770-5, for sample rates from 8 kHz.
//!
//! The standard gives coefficients for 48 kHz and requires the same response at other rates. Both
//! filters are bilinear transforms of one analogue design, which reproduces the coefficients of the
//! standard to 14 digits. The numerator of the high-pass is scaled so that its gain at high
//! frequencies equals that at 48 kHz, which keeps the response within 0.01 dB from 44.1 to 384 kHz.

use crate::{
    layout::{Layout, Speaker},
    units::SampleRate,
};
use std::f64::consts::PI;

/// Minimum sample rate in hertz. Below it the filters would leave the audible band, and loudness is
/// undefined.
pub(crate) const MIN_RATE_HZ: u32 = 8000;

/// Filter states below this are set to 0: they are inaudible, and denormal numbers would be slow.
const MIN_STATE: f64 = 1e-60;

/// Coefficients at one rate: shelf `b0 b1 b2 a1 a2`, high-pass `g (1 -2 1) a1 a2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Coefficients {
    shelf: [f64; 5],
    high_pass: [f64; 2],
    /// Square of the high-pass scale `g`, applied to the power instead of to every sample.
    pub(crate) power: f64,
}

impl Coefficients {
    pub(crate) fn new(rate: SampleRate) -> Self {
        let hz = f64::from(rate.hz());
        let (k, a0, [a1, a2]) = denominator(1_681.974_450_955_533, SHELF_Q, hz);
        let kq = k / SHELF_Q;
        let vh = libm::pow(10.0, 3.999_843_853_973_347 / 20.0);
        let vb = libm::pow(vh, 0.499_666_774_154_541_6);
        let b = [
            vh + vb * kq + k * k,
            2.0 * (k * k - vh),
            vh - vb * kq + k * k,
        ]
        .map(|b| b / a0);
        let (at_rate, at_48_khz) = (high_pass(hz), high_pass(48_000.0));
        let g = inverse_gain_at_nyquist(at_rate) / inverse_gain_at_nyquist(at_48_khz);
        Self {
            shelf: [b[0], b[1], b[2], a1, a2],
            high_pass: at_rate,
            power: g * g,
        }
    }
}

/// Quality factor of the shelf.
const SHELF_Q: f64 = 0.707_175_236_955_419_6;

/// Returns `tan(π f0 / hz)`, the unnormalised `a0`, and `a1` and `a2` of a second-order filter.
fn denominator(f0: f64, q: f64, hz: f64) -> (f64, f64, [f64; 2]) {
    let k = libm::tan(PI * f0 / hz);
    let a0 = 1.0 + k / q + k * k;
    (
        k,
        a0,
        [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0],
    )
}

/// Returns `a1` and `a2` of the high-pass at a sample rate.
fn high_pass(hz: f64) -> [f64; 2] {
    denominator(38.135_470_876_024_44, 0.500_327_037_323_877_3, hz).2
}

/// Returns four times the inverse of the gain of `(1 -2 1) a1 a2` at half the sample rate.
fn inverse_gain_at_nyquist([a1, a2]: [f64; 2]) -> f64 {
    1.0 - a1 + a2
}

/// Filter states of two channels, which are processed together, and the sums of squares of their
/// outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct FilterPair {
    state: [[f64; 2]; 4],
    squares: [f64; 2],
}

impl FilterPair {
    /// Filters the next samples of both channels.
    #[expect(clippy::indexing_slicing, reason = "the index is 0 or 1")]
    pub(crate) fn process(&mut self, c: &Coefficients, left: &[f64], right: &[f64]) {
        let ([b0, b1, b2, a1, a2], [c1, c2]) = (c.shelf, c.high_pass);
        let ([mut s1, mut s2, mut r1, mut r2], mut squares) = (self.state, self.squares);
        for (l, r) in left.iter().zip(right) {
            let x = [*l, *r];
            // Transposed direct form II, once per filter.
            let y = for_both(|i| b0 * x[i] + s1[i]);
            s1 = for_both(|i| (b1 * x[i] + s2[i]) - a1 * y[i]);
            s2 = for_both(|i| b2 * x[i] - a2 * y[i]);
            let z = for_both(|i| y[i] + r1[i]);
            r1 = for_both(|i| (r2[i] - 2.0 * y[i]) - c1 * z[i]);
            r2 = for_both(|i| y[i] - c2 * z[i]);
            squares = for_both(|i| squares[i] + z[i] * z[i]);
        }
        (self.state, self.squares) = ([s1, s2, r1, r2], squares);
    }

    /// Returns and resets the sums of squares. If they are not finite, the bin counts as silence
    /// and the filters are reset.
    pub(crate) fn squares(&mut self) -> [f64; 2] {
        let squares = std::mem::take(&mut self.squares);
        if squares.iter().all(|s| s.is_finite()) {
            self.state
                .as_flattened_mut()
                .iter_mut()
                .filter(|s| s.abs() < MIN_STATE)
                .for_each(|s| *s = 0.0);
            return squares;
        }
        *self = Self::default();
        squares.map(|s| if s.is_finite() { s } else { 0.0 })
    }
}

#[inline(always)]
fn for_both(f: impl Fn(usize) -> f64) -> [f64; 2] {
    [f(0), f(1)]
}

/// Returns the weight of each channel; `None` for the LFE, which does not count.
///
/// The surround pair of 5.x and the side pair of 7.x, between 60 and 120 degrees, weigh 1.41; all
/// other channels, including those without a position, weigh 1. The rear pairs of quad and 6.1,
/// which the standard does not list, count as surrounds.
pub(crate) fn weights(layout: Layout) -> Vec<Option<f64>> {
    let weight = |speaker: &Speaker| match speaker {
        Speaker::Lfe => None,
        Speaker::LeftSurround | Speaker::RightSurround => Some(1.41),
        _ => Some(1.0),
    };
    match layout {
        Layout::Discrete(n) => vec![Some(1.0); usize::from(n)],
        named => named.speakers().iter().map(weight).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hz(rate: u32) -> SampleRate {
        SampleRate::new(rate).unwrap()
    }

    #[test]
    fn gives_back_the_standards_numbers() {
        let c = Coefficients::new(SampleRate::HZ_48000);
        let shelf = [
            1.535_124_859_586_97,
            -2.691_696_189_406_38,
            1.198_392_810_852_85,
            -1.690_659_293_182_41,
            0.732_480_774_215_85,
        ];
        let high_pass = [-1.990_047_454_833_98, 0.990_072_250_366_21];
        assert!(
            c.shelf
                .iter()
                .zip(shelf)
                .all(|(a, b)| (a - b).abs() < 1e-13),
            "{c:?}"
        );
        assert!(
            c.high_pass
                .iter()
                .zip(high_pass)
                .all(|(a, b)| (a - b).abs() < 1e-13),
            "{c:?}"
        );
        assert_eq!(c.power, 1.0);
    }

    /// The response in dB at a frequency.
    fn response(c: &Coefficients, f: f64, rate: u32) -> f64 {
        let w = 2.0 * PI * f / f64::from(rate);
        let poly = |[p0, p1, p2]: [f64; 3]| {
            let re = p0 + p1 * w.cos() + p2 * (2.0 * w).cos();
            let im = p1 * w.sin() + p2 * (2.0 * w).sin();
            re * re + im * im
        };
        let [b0, b1, b2, a1, a2] = c.shelf;
        let [c1, c2] = c.high_pass;
        let shelf = poly([b0, b1, b2]) / poly([1.0, a1, a2]);
        10.0 * (c.power * shelf * poly([1.0, -2.0, 1.0]) / poly([1.0, c1, c2])).log10()
    }

    #[test]
    fn every_rate_responds_as_48_khz_does() {
        let standard = Coefficients::new(SampleRate::HZ_48000);
        for (rate, most) in [
            (16_000, 0.07),
            (22_050, 0.032),
            (32_000, 0.011),
            (44_100, 0.01),
            (88_200, 0.01),
            (96_000, 0.01),
            (192_000, 0.01),
            (384_000, 0.01),
        ] {
            let c = Coefficients::new(hz(rate));
            let top = 20_000f64.min(0.45 * f64::from(rate));
            let steps = (0..=400).map(|i| 10.0 * (top / 10.0).powf(f64::from(i) / 400.0));
            let worst = steps
                .map(|f| (response(&c, f, rate) - response(&standard, f, 48_000)).abs())
                .fold(0.0, f64::max);
            assert!(worst <= most, "{rate} Hz: {worst:.4} dB");
        }
        assert!((response(&standard, 997.0, 48_000) - 0.6910).abs() < 1e-4);
    }

    #[test]
    fn weights_go_by_layout() {
        let s = Some(1.41);
        let one = Some(1.0);
        assert_eq!(weights(Layout::Surround51), [one, one, one, None, s, s]);
        assert_eq!(
            weights(Layout::Surround71),
            [one, one, one, None, one, one, s, s]
        );
        assert_eq!(weights(Layout::Stereo21), [one, one, None]);
        assert_eq!(weights(Layout::Discrete(2)), [one, one]);
    }
}
