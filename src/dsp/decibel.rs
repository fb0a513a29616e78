//! Decibels of many samples at once: logarithm and exponential without branches or tables, which compilers turn into vector
//! instructions and which give the same bits on every machine.

use std::f64::consts::{LN_2, LOG2_10};

/// Decibels of a doubling of amplitude: 20 log10(2).
const PER_OCTAVE: f64 = 20.0 / LOG2_10;

/// Added to a number below 2^51, it leaves the nearest whole number in the lowest bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// Returns 20 log10 of an amplitude within 1e-11 dB; −300 for 1e-15 and less. Exactly 0 for 1.
#[inline(always)]
pub(super) fn of_amplitude(amplitude: f64) -> f64 {
    const ONE: u64 = 0x3FF0_0000_0000_0000;
    // √½: mantissas are taken from there to √2, so that the series converges as fast on both sides of 1.
    const ROOT_HALF: u64 = 0x3FE6_A09E_667F_3BCD;
    const WHOLE: u64 = 0x4330_0000_0000_0000;
    let bits = amplitude.max(1e-15).to_bits();
    let exponent = (bits + (ONE - ROOT_HALF)) >> 52;
    let mantissa = f64::from_bits(bits.wrapping_sub(exponent << 52).wrapping_add(ONE));
    // The exponent as the lowest bits of a float between 2^52 and 2^53.
    let octaves = f64::from_bits(WHOLE | exponent) - (4_503_599_627_370_496.0 + 1023.0);
    // log2(m) = 2 / ln 2 · (s + s³/3 + s⁵/5 + …), with s = (m − 1) / (m + 1), at most 0.172.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let z = s * s;
    let series = 1.0
        + z * (1.0 / 3.0
            + z * (1.0 / 5.0
                + z * (1.0 / 7.0
                    + z * (1.0 / 9.0 + z * (1.0 / 11.0 + z * (1.0 / 13.0 + z * (1.0 / 15.0)))))));
    PER_OCTAVE * (octaves + (2.0 / LN_2) * s * series)
}

/// Returns the amplitude of a level in dB, from −300 to 300, within 1e-12 of itself. Exactly 1 for 0.
#[inline(always)]
pub(super) fn to_amplitude(level: f64) -> f64 {
    let octaves = level * (1.0 / PER_OCTAVE);
    let rounded = octaves + ROUNDER;
    let part = (octaves - (rounded - ROUNDER)) * LN_2;
    // e^x to x¹¹, for x within ±0.347.
    let mut power = 1.0 + part / 11.0;
    for n in [10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0] {
        power = 1.0 + part * (1.0 / n) * power;
    }
    // The whole octaves go into the exponent.
    f64::from_bits(power.to_bits().wrapping_add(rounded.to_bits() << 52))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_the_standard_library() {
        let mut worst = (0.0f64, 0.0f64);
        for n in -30_000i32..30_000 {
            let level = f64::from(n) / 101.0;
            let amplitude = 10f64.powf(level / 20.0);
            worst.0 = worst
                .0
                .max((of_amplitude(amplitude) - 20.0 * amplitude.log10()).abs());
            worst.1 = worst.1.max((to_amplitude(level) / amplitude - 1.0).abs());
        }
        println!("{worst:?}");
        assert!(worst.0 < 1e-10 && worst.1 < 1e-12, "{worst:?}");
        assert_eq!(
            (of_amplitude(1.0), to_amplitude(0.0), to_amplitude(-0.0)),
            (0.0, 1.0, 1.0)
        );
        assert!((of_amplitude(0.0) + 300.0).abs() < 1e-9);
        assert!((of_amplitude(1e-200) + 300.0).abs() < 1e-9);
    }
}
