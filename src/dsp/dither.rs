//! TPDF dither: noise that makes the error of rounding to fewer bits independent of the signal.
//!
//! Two uniform random numbers of ±½ step each are added before rounding; the error has mean 0 and variance ¼ step squared
//! (−93.32 dB of a full-scale sine at 16 bits). Each number is a pure function of (seed, channel, frame), so neither blocks
//! nor ranges nor threads change it. Samples that are exactly 0 stay 0: digital silence is silent.
//!
//! Shaping moves the noise to frequencies at which the ear is less sensitive. High-pass dither is the difference of successive
//! numbers and needs no memory. Weighted shaping feeds back the error of earlier samples, so its noise, and nothing else,
//! depends on the frame at which a render starts.

use std::{fmt, str::FromStr};

/// The spectrum of the dither noise.
///
/// ```
/// use soundtrack::encode::Shaping;
/// assert_eq!("high-pass".parse(), Ok(Shaping::HighPass));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shaping {
    /// Equal power at all frequencies.
    #[default]
    White,
    /// Less power at low frequencies and more at high ones; the same total power.
    HighPass,
    /// Weighted by the sensitivity of the ear, with nine taps of error feedback: 24 dB less at 3.5 kHz, 22 dB more at 20 kHz.
    /// Suits 44.1 and 48 kHz, and only files that are not processed again.
    Weighted,
}

impl Shaping {
    const NAMED: [(Self, &'static str); 3] = [
        (Self::White, "white"),
        (Self::HighPass, "high-pass"),
        (Self::Weighted, "weighted"),
    ];
}

impl fmt::Display for Shaping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(
            Self::NAMED
                .iter()
                .find(|(s, _)| s == self)
                .map_or("", |(_, name)| name),
        )
    }
}

impl FromStr for Shaping {
    type Err = UnknownShaping;

    fn from_str(name: &str) -> Result<Self, UnknownShaping> {
        Self::NAMED
            .iter()
            .find(|(_, n)| *n == name)
            .map(|(s, _)| *s)
            .ok_or(UnknownShaping)
    }
}

/// The error for a name that is none of `white`, `high-pass` and `weighted`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownShaping;

impl fmt::Display for UnknownShaping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such dither; there are white, high-pass and weighted")
    }
}

impl std::error::Error for UnknownShaping {}

/// F-weighted error feedback (Lipshitz, Vanderkooy and Wannamaker, 1991).
const WEIGHTED: [f64; 9] = [
    2.412, -3.370, 3.937, -4.174, 3.353, -2.205, 1.281, -0.569, 0.0847,
];

impl Shaping {
    /// Returns the largest difference, in quantisation steps, that dither and rounding together make of a sample: one step of
    /// noise and half a step of rounding, which weighted shaping feeds back through its filter.
    pub(crate) fn largest_error(self) -> f64 {
        let error = 1.5;
        match self {
            Self::White | Self::HighPass => error,
            Self::Weighted => error * (1.0 + WEIGHTED.iter().map(|c| c.abs()).sum::<f64>()),
        }
    }
}

/// The dither of one channel.
#[derive(Clone, Debug)]
pub(crate) struct ChannelDither {
    key: u64,
    shaping: Shaping,
    /// Number of steps from 0.0 to 1.0.
    scale: f64,
    /// Errors of the last nine samples of weighted shaping, in steps, the latest first.
    errors: [f64; 9],
}

impl ChannelDither {
    /// Makes the dither of a channel for integers of `bits` bits.
    pub(crate) fn new(seed: u64, channel: usize, shaping: Shaping, bits: u16) -> Self {
        let key = mixed(seed ^ mixed(channel as u64 + 1));
        Self {
            key,
            shaping,
            scale: libm::exp2(f64::from(bits) - 1.0),
            errors: [0.0; 9],
        }
    }

    /// Adds the noise to samples, of which the first is frame `at`. Weighted shaping also rounds them to whole steps.
    pub(crate) fn add(&mut self, samples: &mut [f64], at: u64) {
        let frames = (0..).map(|n| at.wrapping_add(n)).zip(samples.iter_mut());
        let (key, step) = (self.key, 1.0 / self.scale);
        match self.shaping {
            Shaping::White => frames.for_each(|(frame, s)| {
                if *s != 0.0 {
                    let (a, b) = uniform(key, frame);
                    *s += (a + b) * step;
                }
            }),
            Shaping::HighPass => frames.for_each(|(frame, s)| {
                if *s != 0.0 {
                    *s += (uniform(key, frame).0 - uniform(key, frame.wrapping_sub(1)).0) * step;
                }
            }),
            Shaping::Weighted => frames.for_each(|(frame, s)| *s = self.weighted(*s, frame)),
        }
    }

    /// Rounds one sample after subtracting the weighted errors of the samples before it.
    fn weighted(&mut self, sample: f64, frame: u64) -> f64 {
        let silent = sample == 0.0 || !sample.is_finite();
        let (a, b) = uniform(self.key, frame);
        let fed: f64 = WEIGHTED.iter().zip(&self.errors).map(|(c, e)| c * e).sum();
        let wanted = sample * self.scale - fed;
        let rounded = (wanted + a + b).round_ties_even();
        self.errors.rotate_right(1);
        if let Some(latest) = self.errors.first_mut() {
            *latest = if silent { 0.0 } else { rounded - wanted };
        }
        if silent { sample } else { rounded / self.scale }
    }
}

/// Returns two independent uniform numbers from −½ to ½.
#[inline(always)]
fn uniform(key: u64, frame: u64) -> (f64, f64) {
    const ALL: f64 = 4_294_967_296.0;
    let bits = mixed(key.wrapping_add(frame.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    let (low, high) = (bits as u32, (bits >> 32) as u32);
    let centred = |half: u32| (f64::from(half) + 0.5) / ALL - 0.5;
    (centred(low), centred(high))
}

/// Mixes the bits of a number with the finaliser of SplitMix64: each bit of the result depends on all of them.
#[inline(always)]
fn mixed(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: f64 = 1.0 / 32_768.0;

    /// Dither of 16 bits whose random numbers are those of SplitMix64 with seed 0.
    fn dither(shaping: Shaping) -> ChannelDither {
        let made = ChannelDither::new(0, 0, shaping, 16);
        assert_eq!(made.scale, 32_768.0);
        ChannelDither { key: 0, ..made }
    }

    /// The first numbers of SplitMix64 (Steele, Lea and Flood, 2014) with seed 0, as halves from −½ to ½.
    fn halves(number: u64) -> (f64, f64) {
        let all = 4_294_967_296.0;
        let (high, low) = [
            (0xE220_A839_u32, 0x7B1D_CDAF_u32),
            (0x6E78_9E6A, 0xA1B9_65F4),
            (0x06C4_5D18, 0x8009_454F),
        ][number as usize - 1];
        let centred = |half: u32| (f64::from(half) + 0.5) / all - 0.5;
        (centred(low), centred(high))
    }

    #[test]
    fn white_noise_is_the_sum_of_two_numbers_of_its_frame() {
        let mut samples = [0.25, 0.0, -0.5];
        dither(Shaping::White).add(&mut samples, 1);
        let noise = |number| halves(number).0 + halves(number).1;
        assert_eq!(
            samples,
            [0.25 + noise(1) * STEP, 0.0, -0.5 + noise(3) * STEP]
        );
    }

    #[test]
    fn high_pass_noise_is_the_difference_to_the_frame_before() {
        let mut samples = [0.25, 0.25];
        dither(Shaping::HighPass).add(&mut samples, 2);
        let noise = |number| halves(number).0 - halves(number - 1).0;
        assert_eq!(samples, [0.25 + noise(2) * STEP, 0.25 + noise(3) * STEP]);
    }

    #[test]
    fn weighted_noise_feeds_its_errors_back() {
        let mut samples = [1000.3 * STEP; 12];
        samples[4] = 0.0;
        dither(Shaping::Weighted).add(&mut samples, 7);
        // Of an implementation in another language.
        let steps = [
            1000.0, 1002.0, 996.0, 1007.0, 0.0, 1009.0, 993.0, 1005.0, 998.0, 1001.0, 1000.0,
            1001.0,
        ];
        assert_eq!(samples.map(|x| x / STEP), steps);
        let mut odd = [f64::NAN, f64::INFINITY];
        dither(Shaping::Weighted).add(&mut odd, 0);
        assert!(odd[0].is_nan() && odd[1] == f64::INFINITY);
    }

    #[test]
    fn seed_and_channel_choose_the_noise() {
        let key = |seed, channel| ChannelDither::new(seed, channel, Shaping::White, 16).key;
        assert_eq!(key(5, 3), 0x9BAE_44E0_D400_BF87);
        assert_eq!(mixed(0x9E37_79B9_7F4A_7C15), 0xE220_A839_7B1D_CDAF);
    }

    #[test]
    fn an_error_is_at_most_that_of_noise_and_rounding() {
        assert_eq!(Shaping::White.largest_error(), 1.5);
        assert_eq!(Shaping::HighPass.largest_error(), 1.5);
        assert!((Shaping::Weighted.largest_error() - 33.578_55).abs() < 1e-12);
        for (shaping, name) in Shaping::NAMED {
            assert_eq!(
                (shaping.to_string().as_str(), name.parse()),
                (name, Ok(shaping))
            );
        }
        assert_eq!("pink".parse::<Shaping>(), Err(UnknownShaping));
    }
}
