//! Lengths and positions in fractions of a frame.

use super::{Frames, saturating_u64};

/// Exact number of frames, not necessarily whole: a time at a sample rate.
///
/// Sums and multiples are exact; only the conversion to whole frames rounds. Saturates at
/// [`Frames::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExactFrames {
    whole: u64,
    /// Numerator of the fractional part, less than the denominator. The fraction is in lowest
    /// terms.
    numerator: u128,
    denominator: u128,
}

impl ExactFrames {
    /// Returns `numerator / denominator` frames. A denominator of 0 counts as 1.
    pub(crate) fn new(numerator: u128, denominator: u128) -> Self {
        let denominator = denominator.max(1);
        u64::try_from(numerator / denominator).map_or(Frames::MAX.into(), |whole| {
            Self::reduced(whole, numerator % denominator, denominator)
        })
    }

    fn reduced(whole: u64, part: u128, denominator: u128) -> Self {
        let divisor = gcd(part, denominator);
        Self {
            whole,
            numerator: part / divisor,
            denominator: denominator / divisor,
        }
    }

    /// Returns true if the value is a whole number of frames.
    pub(crate) fn is_whole(self) -> bool {
        self.numerator == 0
    }

    /// Returns the fractional part.
    pub(crate) fn fraction(self) -> Self {
        Self { whole: 0, ..self }
    }

    /// Returns the value rounded down.
    pub(crate) fn floor(self) -> u64 {
        self.whole
    }

    /// Returns the nearest whole frame, halves rounded up.
    pub(crate) fn nearest(self) -> u64 {
        self.whole.saturating_add(u64::from(
            self.numerator >= self.denominator - self.numerator,
        ))
    }

    /// Returns the value rounded up.
    pub(crate) fn ceil(self) -> u64 {
        self.whole.saturating_add(u64::from(self.numerator > 0))
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        // All denominators divide 10^12, or the numerator of a frame rate or a sample rate, so
        // their common multiple and its product with a number of passes fit in 128 bits.
        let denominator =
            self.denominator / gcd(self.denominator, other.denominator) * other.denominator;
        let part = self.numerator * (denominator / self.denominator)
            + other.numerator * (denominator / other.denominator);
        let whole = self.whole.saturating_add(other.whole);
        if part < denominator {
            Self::reduced(whole, part, denominator)
        } else {
            Self::reduced(whole.saturating_add(1), part - denominator, denominator)
        }
    }

    /// Subtracts a whole number of frames; returns 0 if it is larger.
    pub(crate) fn minus(self, frames: u64) -> Self {
        match self.whole.checked_sub(frames) {
            Some(whole) => Self { whole, ..self },
            None => Frames::ZERO.into(),
        }
    }

    pub(crate) fn times(self, factor: u32) -> Self {
        let part = self.numerator * u128::from(factor);
        let carry = saturating_u64(part / self.denominator);
        let whole = self.whole.saturating_mul(u64::from(factor));
        Self::reduced(
            whole.saturating_add(carry),
            part % self.denominator,
            self.denominator,
        )
    }

    /// Returns the time at another sample rate, given both in hertz. A time that does not fit in 64 bits becomes the largest.
    pub(crate) fn converted(self, from_hz: u32, to_hz: u32) -> Self {
        let parts = u128::from(self.whole)
            .checked_mul(self.denominator)
            .and_then(|whole| whole.checked_add(self.numerator))
            .and_then(|parts| parts.checked_mul(u128::from(to_hz)));
        match (parts, self.denominator.checked_mul(u128::from(from_hz))) {
            (Some(parts), Some(denominator)) => Self::new(parts, denominator),
            _ => Frames::MAX.into(),
        }
    }

    /// Returns `self * numerator / denominator` if that is a whole number of 64 bits.
    pub(crate) fn scaled(self, numerator: u128, denominator: u128) -> Option<u64> {
        let exact = u128::from(self.whole)
            .checked_mul(self.denominator)?
            .checked_add(self.numerator)?
            .checked_mul(numerator)?;
        let by = self.denominator.checked_mul(denominator)?;
        (exact.checked_rem(by)? == 0)
            .then(|| u64::try_from(exact / by).ok())
            .flatten()
    }
}

impl From<Frames> for ExactFrames {
    fn from(frames: Frames) -> Self {
        Self {
            whole: frames.0,
            numerator: 0,
            denominator: 1,
        }
    }
}

impl std::fmt::Display for ExactFrames {
    /// Formats up to three decimals, rounded down.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!(
            "{}.{:03}",
            self.whole,
            self.numerator * 1000 / self.denominator
        );
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Returns the greatest common divisor, at least 1.
pub(crate) fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_multiples_are_rounded_once() {
        // 10.01 ms at 48 kHz.
        let pass = ExactFrames::new(12_012, 25);
        assert_eq!((pass.nearest(), pass.ceil(), pass.floor()), (480, 481, 480));
        assert_eq!(pass.to_string(), "480.48");
        assert_eq!(pass.times(1000), Frames(480_480).into());
        assert!(pass.times(1000).is_whole());
        assert_eq!(pass.plus(pass).nearest(), 961);
        assert_eq!(pass.plus(pass).minus(960).to_string(), "0.96");
        assert_eq!(ExactFrames::new(1, 2).nearest(), 1);
        assert_eq!(
            ExactFrames::new(1, 3).plus(ExactFrames::new(2, 3)),
            Frames(1).into()
        );
        // 480.48 frames at 48 kHz are 10 010 microseconds.
        assert_eq!(pass.scaled(1_000_000, 48_000), Some(10_010));
        assert_eq!(pass.scaled(1000, 48_000), None);
    }

    #[test]
    fn nothing_wraps() {
        let end = ExactFrames::from(Frames::MAX);
        assert_eq!(end.times(u32::MAX).nearest(), u64::MAX);
        assert_eq!(end.plus(end).ceil(), u64::MAX);
        assert_eq!(ExactFrames::new(u128::MAX, 1).nearest(), u64::MAX);
        assert_eq!(ExactFrames::new(u128::MAX, 0).nearest(), u64::MAX);
        assert_eq!(ExactFrames::new(u128::MAX, u128::MAX).nearest(), 1);
        assert_eq!(ExactFrames::new(u128::MAX - 1, u128::MAX).nearest(), 1);
        assert_eq!(ExactFrames::new(7, 2).minus(9), Frames::ZERO.into());
        assert_eq!(end.scaled(u128::MAX, 1), None);
    }
}
