//! What happens during playback, as it is heard.

use crate::{error::ErrorKind, units::Frames};

/// Something that happened during playback: see [`Player::events`](crate::Player::events).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The last frame was heard.
    Ended,
    /// The end of a loop was heard, and playback went on at its start.
    Looped {
        /// The frame at which it went on.
        at: Frames,
    },
    /// A marker of the session, or of a placement of a cue, was heard.
    Marker {
        /// Its frame of the timeline.
        at: Frames,
        /// Its name.
        name: String,
    },
    /// The device or a stem failed; [`Player::fault`](crate::Player::fault) returns the error.
    Failed {
        /// The kind of the error.
        kind: ErrorKind,
        /// Its message.
        message: String,
    },
}
