//! Exact times of a clip or of a placement of a cue, where a session file states times between two frames.

use super::at::At;
use crate::units::{ExactFrames, Frames, SampleRate};

/// Exact values of the times of a stretch. Each applies only while the public field holds the frame nearest to it, so a program
/// that sets the field overrides it with whole frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExactTimes {
    pub at: Option<ExactFrames>,
    pub from: Option<ExactFrames>,
    pub length: Option<ExactFrames>,
    pub crossfade: Option<ExactFrames>,
}

/// Returns the exact value of a time that was rounded to `frames`.
pub(crate) fn exact(frames: Frames, stated: Option<ExactFrames>) -> ExactFrames {
    stated
        .filter(|exact| exact.nearest() == frames.0)
        .unwrap_or(frames.into())
}

/// Returns the fraction of a frame that rounding takes from a position; 0 for a position that comes from the stem. The origin
/// of the position (midnight, or the start of the session or cue) is a whole frame and does not matter.
pub(crate) fn phase(at: At, stated: Option<ExactFrames>, rate: SampleRate) -> ExactFrames {
    match at {
        At::Frames(frames) => exact(frames, stated).fraction(),
        At::Timecode(timecode) => timecode.exact_frames(rate).fraction(),
        At::Origin => Frames::ZERO.into(),
    }
}

/// Returns the frames between two rounded positions: one with a phase, and one `length` after it.
pub(crate) fn rounded_length(phase: ExactFrames, length: ExactFrames) -> u64 {
    phase.plus(length).nearest() - phase.nearest()
}
