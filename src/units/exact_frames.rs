//! Lengths and positions between two frames.

use super::Frames;

/// An exact number of frames, which need not be whole: a time at a sample rate.
///
/// Sums and multiples stay exact; rounding happens once, at the end. Saturates at [`Frames::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExactFrames {
    whole: u64,
    /// Numerator of the rest, below the denominator; the fraction is in lowest terms.
    part: u128,
    of: u128,
}

impl ExactFrames {
    /// Returns `numerator / denominator` frames; a denominator of 0 counts as 1.
    pub(crate) fn new(numerator: u128, denominator: u128) -> Self {
        let of = denominator.max(1);
        u64::try_from(numerator / of).map_or(Frames::MAX.into(), |whole| {
            Self::reduced(whole, numerator % of, of)
        })
    }

    fn reduced(whole: u64, part: u128, of: u128) -> Self {
        let divisor = gcd(part, of);
        Self {
            whole,
            part: part / divisor,
            of: of / divisor,
        }
    }

    /// Returns whether it lies on a frame.
    pub(crate) fn is_whole(self) -> bool {
        self.part == 0
    }

    /// Returns the part that lies behind the last whole frame.
    pub(crate) fn fraction(self) -> Self {
        Self { whole: 0, ..self }
    }

    /// Returns the frames before it.
    pub(crate) fn floor(self) -> u64 {
        self.whole
    }

    /// Returns the nearest frame, halves up.
    pub(crate) fn nearest(self) -> u64 {
        self.whole
            .saturating_add(u64::from(self.part >= self.of - self.part))
    }

    /// Returns the first frame that does not lie before it.
    pub(crate) fn ceil(self) -> u64 {
        self.whole.saturating_add(u64::from(self.part > 0))
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        // Denominators divide 10^12, the numerator of a frame rate or a sample rate, so that their common multiple and
        // its product with a number of passes fit.
        let of = self.of / gcd(self.of, other.of) * other.of;
        let part = self.part * (of / self.of) + other.part * (of / other.of);
        let whole = self.whole.saturating_add(other.whole);
        if part < of {
            Self::reduced(whole, part, of)
        } else {
            Self::reduced(whole.saturating_add(1), part - of, of)
        }
    }

    /// Returns the difference to a whole number of frames; 0 where that is larger.
    pub(crate) fn minus(self, frames: u64) -> Self {
        match self.whole.checked_sub(frames) {
            Some(whole) => Self { whole, ..self },
            None => Frames::ZERO.into(),
        }
    }

    pub(crate) fn times(self, factor: u32) -> Self {
        let part = self.part * u128::from(factor);
        let carry = u64::try_from(part / self.of).unwrap_or(u64::MAX);
        let whole = self.whole.saturating_mul(u64::from(factor));
        Self::reduced(whole.saturating_add(carry), part % self.of, self.of)
    }

    /// Returns `self * numerator / denominator`, if that is a whole number of 64 bits.
    pub(crate) fn scaled(self, numerator: u128, denominator: u128) -> Option<u64> {
        let exact = u128::from(self.whole)
            .checked_mul(self.of)?
            .checked_add(self.part)?
            .checked_mul(numerator)?;
        let by = self.of.checked_mul(denominator)?;
        (exact.checked_rem(by)? == 0)
            .then(|| u64::try_from(exact / by).ok())
            .flatten()
    }
}

impl From<Frames> for ExactFrames {
    fn from(frames: Frames) -> Self {
        Self {
            whole: frames.0,
            part: 0,
            of: 1,
        }
    }
}

impl std::fmt::Display for ExactFrames {
    /// Up to three digits behind the point, cut off.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{}.{:03}", self.whole, self.part * 1000 / self.of);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
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
