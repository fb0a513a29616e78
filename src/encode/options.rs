//! Options of new audio files.

use super::Slice;
use crate::units::Frames;

/// Metadata of a Broadcast WAVE file (`bext` version 1, EBU Tech 3285).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broadcast {
    /// Number of frames from midnight to the first frame, at the file's rate.
    pub time_reference: Frames,
    /// Description: ASCII, truncated to 256 characters; other characters become `?`.
    pub description: String,
    /// Originator: ASCII, truncated to 32 characters; other characters become `?`.
    pub originator: String,
}

/// Options of a new audio file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Allows replacing an existing file, whose permissions are kept.
    pub overwrite: bool,
    /// Writes a `bext` chunk before the audio.
    pub broadcast: Option<Broadcast>,
    /// Marks the file as a slice of a longer one, with a chunk before the audio that also holds the
    /// header of the longer file.
    pub slice: Option<Slice>,
}
