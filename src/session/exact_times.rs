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

/// Returns the exact value of a position: from midnight for a timecode, or else after the start. `None` for one that only
/// the stem knows.
pub(crate) fn exact_position(
    at: At,
    stated: Option<ExactFrames>,
    rate: SampleRate,
) -> Option<ExactFrames> {
    match at {
        At::Frames(frames) => Some(exact(frames, stated)),
        At::Timecode(timecode) => Some(timecode.exact_frames(rate)),
        At::Origin => None,
    }
}
