//! Where something starts: at a frame, at a timecode, or where its recorder says.

use crate::{timecode::Timecode, units::Frames};
use std::cmp::Ordering;

/// A place on the timeline of the output, whose first frame has the session's start timecode.
///
/// ```
/// use soundtrack::{At, Clip, FrameRate, Frames, Timecode};
/// let hit = Timecode::parse("01:00:12:08", FrameRate::FPS_24)?;
/// assert_eq!(Clip::new("hit.wav").at(hit).at, At::Timecode(hit));
/// assert_eq!(Clip::new("hit.wav").at(Frames(480)).at, Frames(480));
/// # Ok::<(), soundtrack::NotATimecode>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum At {
    /// So many frames after the start.
    Frames(Frames),
    /// At a picture frame; must not lie before the session's start.
    Timecode(Timecode),
    /// Where the stem's Broadcast-WAV time reference puts it, counted from midnight as timecode is.
    Origin,
}

impl Default for At {
    /// The start.
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
    /// Frames by number; all others are without order.
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
