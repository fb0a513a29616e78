//! What a new audio file holds beside its audio.

use super::Slice;
use crate::units::Frames;

/// What a Broadcast WAVE file says about itself (`bext` version 1, EBU Tech 3285).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broadcast {
    /// Frames from midnight to the first frame, at the file's rate.
    pub time_reference: Frames,
    /// Description of the file: ASCII, cut at 256 characters; others become `?`.
    pub description: String,
    /// Name of the maker: ASCII, cut at 32 characters; others become `?`.
    pub originator: String,
}

/// Options of a new audio file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether an existing file may be replaced. It keeps its permissions.
    pub overwrite: bool,
    /// A `bext` chunk before the audio.
    pub broadcast: Option<Broadcast>,
    /// A chunk before the audio that says which part of a longer file this is, and how that file begins.
    pub slice: Option<Slice>,
}
