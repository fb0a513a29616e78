//! Exact times of a clip or of the use of a cue, where a session file states them between two frames.

use super::at::At;
use crate::units::{ExactFrames, Frames, SampleRate};

/// Exact values of the times of a stretch. Each counts only while its field has the frame nearest to it: a program that
/// sets the field states whole frames.
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

/// Returns how far a position lies behind a whole frame, before it is rounded: 0 for one that only the stem knows. The
/// frames that it counts from, midnight or the start of the session or cue, do not matter.
pub(crate) fn phase(at: At, stated: Option<ExactFrames>, rate: SampleRate) -> ExactFrames {
    match at {
        At::Frames(frames) => exact(frames, stated).fraction(),
        At::Timecode(timecode) => timecode.exact_frames(rate).fraction(),
        At::Origin => Frames::ZERO.into(),
    }
}

/// Returns the frames between two rounded positions, of which the first has a phase and the second lies `length` behind it.
pub(crate) fn rounded_length(phase: ExactFrames, length: ExactFrames) -> u64 {
    phase.plus(length).nearest() - phase.nearest()
}
