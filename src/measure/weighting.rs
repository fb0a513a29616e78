//! K-weighting: the two filters and the channel weights of ITU-R BS.1770-5, at any rate from 8 kHz on.
//!
//! The standard gives coefficients for 48 kHz and asks for the same response elsewhere. Both filters are bilinear
//! transforms of one analogue design, which gives back the standard's numbers to 14 digits; the numerator of the
//! high-pass is scaled so that its gain at high frequencies stays that of 48 kHz, which holds the response within
//! 0.01 dB from 44.1 to 384 kHz.

use crate::{
    layout::{Layout, Speaker},
    units::SampleRate,
};
use std::f64::consts::PI;

/// Below this rate the filters would leave the audible band: loudness is not defined.
pub(crate) const LOWEST: u32 = 8000;

/// What is too small to be heard and would slow the machine down as it fades away.
const NOTHING: f64 = 1e-60;

/// The coefficients at one rate: the shelf `b0 b1 b2 a1 a2`, the high-pass `g (1 -2 1) a1 a2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Coefficients {
    shelf: [f64; 5],
    high_pass: [f64; 2],
    /// The square of the high-pass numerator's scale: taken into the power, not into every sample.
    pub(crate) power: f64,
}

impl Coefficients {
    pub(crate) fn new(rate: SampleRate) -> Self {
        let at = |f0: f64, q: f64, hz: f64| {
            let k = libm::tan(PI * f0 / hz);
            let a0 = 1.0 + k / q + k * k;
            (
                k,
                k / q,
                a0,
                [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0],
            )
        };
        let hz = f64::from(rate.hz());
        let (k, kq, a0, [a1, a2]) = at(1_681.974_450_955_533, 0.707_175_236_955_419_6, hz);
        let vh = libm::pow(10.0, 3.999_843_853_973_347 / 20.0);
        let vb = libm::pow(vh, 0.499_666_774_154_541_6);
        let b = [
            vh + vb * kq + k * k,
            2.0 * (k * k - vh),
            vh - vb * kq + k * k,
        ]
        .map(|b| b / a0);
        let high_pass = |hz| at(38.135_470_876_024_44, 0.500_327_037_323_877_3, hz).3;
        let scale = |[a1, a2]: [f64; 2]| 1.0 - a1 + a2;
        let g = scale(high_pass(hz)) / scale(high_pass(48_000.0));
        Self {
            shelf: [b[0], b[1], b[2], a1, a2],
            high_pass: high_pass(hz),
            power: g * g,
        }
    }
}

/// The filters of two channels side by side, and the sum of the squares of what came out of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pair {
    state: [[f64; 2]; 4],
    squares: [f64; 2],
}

impl Pair {
    /// Takes the next samples of both channels, frame by frame.
    #[expect(clippy::indexing_slicing, reason = "the index is 0 or 1")]
    pub(crate) fn take(&mut self, c: &Coefficients, left: &[f64], right: &[f64]) {
        let ([b0, b1, b2, a1, a2], [c1, c2]) = (c.shelf, c.high_pass);
        let ([mut s1, mut s2, mut r1, mut r2], mut squares) = (self.state, self.squares);
        for (l, r) in left.iter().zip(right) {
            let x = [*l, *r];
            // Transposed direct form II, twice.
            let y = both(|i| b0 * x[i] + s1[i]);
            s1 = both(|i| (b1 * x[i] + s2[i]) - a1 * y[i]);
            s2 = both(|i| b2 * x[i] - a2 * y[i]);
            let z = both(|i| y[i] + r1[i]);
            r1 = both(|i| (r2[i] - 2.0 * y[i]) - c1 * z[i]);
            r2 = both(|i| y[i] - c2 * z[i]);
            squares = both(|i| squares[i] + z[i] * z[i]);
        }
        (self.state, self.squares) = ([s1, s2, r1, r2], squares);
    }

    /// The sums of squares since the last call. Where they are not finite, the stretch counts as silence.
    pub(crate) fn squares(&mut self) -> [f64; 2] {
        let squares = std::mem::take(&mut self.squares);
        if squares.iter().all(|s| s.is_finite()) {
            self.state
                .as_flattened_mut()
                .iter_mut()
                .filter(|s| s.abs() < NOTHING)
                .for_each(|s| *s = 0.0);
            return squares;
        }
        *self = Self::default();
        squares.map(|s| if s.is_finite() { s } else { 0.0 })
    }
}

#[inline(always)]
fn both(f: impl Fn(usize) -> f64) -> [f64; 2] {
    [f(0), f(1)]
}

/// The weight of each channel; `None` for the LFE, which is not heard. Channels without a place count once.
///
/// The pair of 5.x and the side pair of 7.x stand between 60 and 120 degrees and weigh 1.41, all else 1. Quad's and
/// 6.1's pairs, which the standard does not list, are taken for surrounds.
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
