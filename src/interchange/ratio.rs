//! Exact fractions of seconds.

use crate::units::{ExactFrames, Frames, SampleRate, gcd};
use std::cmp::Ordering;

/// Largest number of digits of a decimal number that are kept after the point. Less than this is no time.
const MAX_DECIMALS: usize = 18;

/// A fraction with a positive denominator, in lowest terms. Arithmetic is exact, and `None` where the result does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ratio {
    numerator: i128,
    denominator: i128,
}

impl Ratio {
    pub(super) const ZERO: Self = Self {
        numerator: 0,
        denominator: 1,
    };

    /// Returns a fraction; `None` for a denominator of 0.
    pub(super) fn new(numerator: i128, denominator: i128) -> Option<Self> {
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs());
        let divisor = i128::try_from(divisor).ok().filter(|_| denominator != 0)?;
        let sign = if denominator < 0 { -1 } else { 1 };
        Some(Self {
            numerator: (numerator / divisor).checked_mul(sign)?,
            denominator: (denominator / divisor).checked_mul(sign)?,
        })
    }

    /// Returns the time of a frame.
    pub(super) fn of_frames(frames: Frames, rate: SampleRate) -> Option<Self> {
        Self::new(i128::from(frames.0), i128::from(rate.hz()))
    }

    /// Parses a decimal number such as `-12.5` or `1e-3`. Digits after the 18th decimal are dropped.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (sign, digits) = match mantissa.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, mantissa.strip_prefix('+').unwrap_or(mantissa)),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && decimals.is_empty()) || !are_digits(whole) || !are_digits(decimals)
        {
            return None;
        }
        let decimals = decimals.get(..MAX_DECIMALS).unwrap_or(decimals);
        let mut numerator: i128 = 0;
        for digit in whole.bytes().chain(decimals.bytes()) {
            numerator = numerator
                .checked_mul(10)?
                .checked_add(i128::from(digit - b'0'))?;
        }
        if numerator == 0 {
            return Some(Self::ZERO);
        }
        let power = exponent.checked_sub(i32::try_from(decimals.len()).ok()?)?;
        let scale = 10i128.checked_pow(power.unsigned_abs())?;
        if power < 0 {
            Self::new(sign * numerator, scale)
        } else {
            Self::new((sign * numerator).checked_mul(scale)?, 1)
        }
    }

    /// Returns the shortest decimal number that is this `f64`; `None` for NaN and infinity.
    pub(super) fn of_f64(value: f64) -> Option<Self> {
        value.is_finite().then(|| format!("{value:e}"))?;
        Self::parse(&format!("{value:e}"))
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        let left = self.numerator.checked_mul(other.denominator)?;
        let right = other.numerator.checked_mul(self.denominator)?;
        Self::new(
            left.checked_add(right)?,
            self.denominator.checked_mul(other.denominator)?,
        )
    }

    pub(super) fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self {
            numerator: other.numerator.checked_neg()?,
            ..other
        })
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        Self::new(
            self.numerator.checked_mul(other.numerator)?,
            self.denominator.checked_mul(other.denominator)?,
        )
    }

    pub(super) fn over(self, other: Self) -> Option<Self> {
        Self::new(
            self.numerator.checked_mul(other.denominator)?,
            self.denominator.checked_mul(other.numerator)?,
        )
    }

    pub(super) fn is_negative(self) -> bool {
        self.numerator < 0
    }

    pub(super) fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// Returns the value if it is a whole number of 64 bits, not negative.
    pub(super) fn whole(self) -> Option<u64> {
        (self.denominator == 1).then(|| u64::try_from(self.numerator).ok())?
    }

    /// Returns the numerator and the denominator.
    pub(super) fn parts(self) -> (i128, i128) {
        (self.numerator, self.denominator)
    }

    /// Returns this many seconds in frames, exactly; `None` for negative times and for those beyond 2⁵³ frames.
    pub(super) fn exact_frames(self, rate: SampleRate) -> Option<ExactFrames> {
        let numerator = u128::try_from(self.numerator).ok()?;
        let scaled = numerator.checked_mul(u128::from(rate.hz()))?;
        let denominator = u128::try_from(self.denominator).ok()?;
        let exact = ExactFrames::new(scaled, denominator);
        (exact.nearest() <= crate::session::validate::FARTHEST.0).then_some(exact)
    }

    /// Returns the frame nearest to this many seconds, halves rounded up.
    pub(super) fn frames(self, rate: SampleRate) -> Option<Frames> {
        self.exact_frames(rate).map(|exact| Frames(exact.nearest()))
    }
}

impl PartialOrd for Ratio {
    /// Compares exactly; fractions whose cross products do not fit are unordered.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let left = self.numerator.checked_mul(other.denominator)?;
        Some(left.cmp(&other.numerator.checked_mul(self.denominator)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_numbers_are_exact() {
        let ratio = |n, d| Ratio::new(n, d);
        for (text, value) in [
            ("12.5", ratio(25, 2)),
            ("-0.1", ratio(-1, 10)),
            ("+3", ratio(3, 1)),
            (".5", ratio(1, 2)),
            ("1e-3", ratio(1, 1000)),
            ("2.5E2", ratio(250, 1)),
            ("0e999999", Some(Ratio::ZERO)),
            ("", None),
            ("-", None),
            (".", None),
            ("nan", None),
            ("inf", None),
            ("1e40", None),
            ("1_000", None),
            ("0x10", None),
            ("99999999999999999999999999999999999999999", None),
        ] {
            assert_eq!(Ratio::parse(text), value, "{text}");
        }
        assert_eq!(Ratio::of_f64(0.1), ratio(1, 10));
        assert_eq!(Ratio::of_f64(f64::NAN), None);
        assert_eq!(Ratio::new(1, 0), None);
    }

    #[test]
    fn frames_are_rounded_once() {
        let third = Ratio::new(1, 3).unwrap();
        let sum = third.plus(third).unwrap().plus(third).unwrap();
        assert_eq!(sum.whole(), Some(1));
        assert_eq!(third.frames(SampleRate::HZ_44100), Some(Frames(14_700)));
        // 100 frames at 24000/1001 per second.
        let picture = Ratio::new(100 * 1001, 24_000).unwrap();
        assert_eq!(picture.frames(SampleRate::HZ_48000), Some(Frames(200_200)));
        assert_eq!(
            Ratio::new(-1, 3).unwrap().frames(SampleRate::HZ_48000),
            None
        );
        assert_eq!(
            Ratio::parse("1e30").unwrap().frames(SampleRate::HZ_48000),
            None
        );
    }
}
