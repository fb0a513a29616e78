//! The passes of a looped clip through its stretch of the stem.

use crate::{
    session::exact_times::rounded_length,
    units::{ExactFrames, Frames},
};

/// The passes of a clip: pass k begins at the exact start plus k exact lengths, rounded once.
///
/// Where the length of a pass lies between two frames, some passes are one frame longer than others, and the loop does not
/// drift.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passes {
    /// The fraction of a frame that rounding takes from the clip's start.
    phase: ExactFrames,
    length: ExactFrames,
    count: u32,
    total: u64,
}

impl Passes {
    /// Makes passes of a stated length for a clip that starts at an exact position; only the fraction of the position matters.
    pub(super) fn new(at: ExactFrames, length: ExactFrames, count: u32) -> Self {
        let mut passes = Self {
            phase: at.fraction(),
            length,
            count,
            total: 0,
        };
        passes.total = passes.start(count);
        passes
    }

    /// Makes passes through the rest of a stem, for a clip that starts at a whole frame. The last pass is rounded up, so that
    /// the end of the stem is not cut off.
    pub(super) fn of_rest(length: ExactFrames, count: u32) -> Self {
        let mut passes = Self::new(Frames::ZERO.into(), length, count);
        if let Some(before) = count.checked_sub(1) {
            passes.total = passes.start(before).saturating_add(length.ceil());
        }
        passes
    }

    /// Returns the frame of the clip at which a pass begins.
    fn start(&self, pass: u32) -> u64 {
        rounded_length(self.phase, self.length.times(pass))
    }

    /// Returns the length of all passes.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Returns the number of passes.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Returns the exact length of one pass.
    pub(crate) fn length(&self) -> ExactFrames {
        self.length
    }

    /// Returns the length of every pass in frames; `None` where they differ.
    pub(crate) fn even(&self) -> Option<u64> {
        if self.count == 1 {
            return Some(self.total);
        }
        (self.length.is_whole()).then_some(self.length.floor())
    }

    /// Converts a frame of the clip to the frame of its pass. Returns it with the number of frames left in the pass, that frame
    /// included.
    pub(crate) fn locate(&self, offset: u64) -> (u64, u64) {
        if let Some(pass) = self.even() {
            let pass = pass.max(1);
            return (offset % pass, pass - offset % pass);
        }
        // The last pass that begins at or before the frame.
        let (mut low, mut high) = (0, self.count);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.start(middle) <= offset {
                low = middle;
            } else {
                high = middle;
            }
        }
        let end = if high < self.count {
            self.start(high)
        } else {
            u64::MAX
        };
        (
            offset.saturating_sub(self.start(low)),
            end - offset.min(end),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_between_two_frames_do_not_drift() {
        let length = ExactFrames::new(12_012, 25);
        let passes = Passes::new(Frames(7).into(), length, 1000);
        assert_eq!((passes.total(), passes.even()), (480_480, None));
        let mut at = 0;
        for pass in 0u64..1000 {
            let (in_pass, left) = passes.locate(at);
            assert_eq!(in_pass, 0, "pass {pass}");
            assert_eq!(passes.locate(at + 479), (479, left.saturating_sub(479)));
            at = (2 * 12_012 * (pass + 1) + 25) / 50;
        }
        assert_eq!(at, 480_480);
    }

    #[test]
    fn the_start_counts_too() {
        // 960.96 - 480.48, both rounded: 961 - 480.
        let at = ExactFrames::new(12_012, 25);
        assert_eq!(Passes::new(at, at, 1).total(), 481);
        assert_eq!(Passes::new(Frames(480).into(), at, 1).total(), 480);
    }

    #[test]
    fn a_stem_of_another_rate_is_repeated_at_its_exact_length_and_ends_whole() {
        // 100 frames at 44.1 kHz are 108.84 at 48 kHz.
        let length = ExactFrames::new(100 * 48_000, 44_100);
        assert_eq!(Passes::of_rest(length, 1).total(), 109);
        assert_eq!(Passes::of_rest(length, 1000).total(), 108_735 + 109);
        assert_eq!(Passes::of_rest(Frames(480).into(), 3).total(), 1440);
    }

    #[test]
    fn passes_shorter_than_a_frame_and_none_end() {
        let passes = Passes::new(Frames::ZERO.into(), ExactFrames::new(3, 10), 10);
        assert_eq!(passes.total(), 3);
        assert_eq!([0, 1, 2].map(|at| passes.locate(at).0), [0, 0, 0]);
        let none = Passes::new(Frames::ZERO.into(), Frames::ZERO.into(), u32::MAX);
        assert_eq!((none.total(), none.locate(0)), (0, (0, 1)));
        assert_eq!(
            Passes::of_rest(Frames::MAX.into(), u32::MAX).total(),
            u64::MAX
        );
        assert_eq!(
            Passes::new(Frames::MAX.into(), Frames(1).into(), 0).total(),
            0
        );
    }
}
