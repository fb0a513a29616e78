//! The note in a file that says which part of a longer file it is, with the header of the whole file.
//!
//! The note holds the whole's header byte for byte, so joining need not interpret it. Layout, little-endian: version (4 bytes), first frame, frames of the whole, number of the mix (8 bytes each), the header up
//! to and with the first eight bytes of its `data` chunk.

use super::{Broadcast, Options};
use crate::units::Frames;

const VERSION: u32 = 1;

/// Position of a file that is a part of a longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// First frame of the part, in the whole.
    pub start: Frames,
    /// Length of the whole.
    pub whole: Frames,
    /// Number that all parts of one mix share.
    pub mix: u64,
}

impl Slice {
    /// Returns the options of the whole file, from those of the part.
    pub(super) fn of_whole(&self, options: &Options) -> Options {
        let first = |b: &Broadcast| Frames(b.time_reference.0.saturating_sub(self.start.0));
        let broadcast = options.broadcast.as_ref().map(|b| Broadcast {
            time_reference: first(b),
            ..b.clone()
        });
        Options {
            broadcast,
            slice: None,
            ..options.clone()
        }
    }

    /// Returns the note, given the header of the whole file.
    pub(super) fn note(&self, header: &[u8]) -> Vec<u8> {
        let mut note = Vec::from(VERSION.to_le_bytes());
        [self.start.0, self.whole.0, self.mix]
            .iter()
            .for_each(|n| note.extend(n.to_le_bytes()));
        note.extend(header);
        note
    }

    /// Reads a note: the part, and the header of the whole. `None` for a note of another version.
    pub(crate) fn of(note: &[u8]) -> Option<(Self, &[u8])> {
        let (version, rest) = note.split_first_chunk()?;
        let (start, rest) = rest.split_first_chunk()?;
        let (whole, rest) = rest.split_first_chunk()?;
        let (mix, header) = rest.split_first_chunk()?;
        let [start, whole, mix] = [start, whole, mix].map(|bytes| u64::from_le_bytes(*bytes));
        let known = u32::from_le_bytes(*version) == VERSION;
        known.then_some((
            Self {
                start: Frames(start),
                whole: Frames(whole),
                mix,
            },
            header,
        ))
    }
}
