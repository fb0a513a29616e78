//! Options of new audio files.

use super::{Metadata, Slice};

/// Options of a new audio file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Allows replacing an existing file, whose permissions are kept.
    pub overwrite: bool,
    /// Metadata, which stands before the audio. For a slice, that of the longer file.
    pub metadata: Metadata,
    /// Lets the metadata state the loudness of the audio, in `bext` or as ReplayGain, once
    /// [`FileSink::set_loudness`](super::FileSink::set_loudness) gives it. Not possible in a slice.
    pub states_loudness: bool,
    /// Marks the file as a slice of a longer one, with a chunk before the audio that also holds the
    /// header of the longer file.
    pub slice: Option<Slice>,
}
