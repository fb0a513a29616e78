//! The position at which a clip or a placement starts.

use crate::{timecode::Timecode, units::Frames};
use std::cmp::Ordering;

/// A position on the timeline of the output, whose first frame has the session's start timecode.
///
/// ```
/// use soundtrack::{At, Clip, FrameRate, Frames, Timecode};
/// let hit = Timecode::parse("01:00:12:08", FrameRate::FPS_24)?;
/// assert_eq!(Clip::new("hit.wav").at(hit).at, At::Timecode(hit));
/// assert_eq!(Clip::new("hit.wav").at(Frames(480)).at, Frames(480));
/// # Ok::<(), soundtrack::NotATimecode>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum At {
    /// Frames after the start.
    Frames(Frames),
    /// The timecode of a picture frame, not before the session's start.
    Timecode(Timecode),
    /// The stem's own Broadcast-WAV time reference (EBU Tech 3285), which counts from midnight as timecode does.
    Origin,
}

impl Default for At {
    /// Returns frame 0.
    fn default() -> Self {
        Self::Frames(Frames::ZERO)
    }
}

impl From<Frames> for At {
    fn from(frames: Frames) -> Self {
        Self::Frames(frames)
    }
}

impl From<Timecode> for At {
    fn from(timecode: Timecode) -> Self {
        Self::Timecode(timecode)
    }
}

impl PartialOrd for At {
    /// Orders frames by number. Timecodes and origins have no order without the session.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Frames(a), Self::Frames(b)) => a.partial_cmp(b),
            _ => None,
        }
    }
}

impl PartialEq<Frames> for At {
    fn eq(&self, other: &Frames) -> bool {
        *self == Self::Frames(*other)
    }
}
