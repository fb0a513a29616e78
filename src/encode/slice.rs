//! The note in a file that it is a part of a longer one: which part, and the header that the whole file has.
//!
//! A part keeps the whole's header byte for byte, so joining needs to know nothing of what a header can hold. Layout of the
//! note, little-endian: version (4 bytes), first frame, frames of the whole, number of the mix (8 bytes each), the header up
//! to and with the first eight bytes of its `data` chunk.

use super::{Broadcast, Options};
use crate::units::Frames;

const VERSION: u32 = 1;

/// Which part of a longer file a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Its first frame in the whole.
    pub start: Frames,
    /// Length of the whole.
    pub whole: Frames,
    /// A number that all parts of one mix share.
    pub mix: u64,
}

impl Slice {
    /// What was asked of the part, for the whole.
    pub(super) fn of_whole(&self, options: &Options) -> Options {
        let first = |b: &Broadcast| Frames(b.time_reference.0.saturating_sub(self.start.0));
        let broadcast = options.broadcast.as_ref().map(|b| Broadcast { time_reference: first(b), ..b.clone() });
        Options { broadcast, slice: None, ..options.clone() }
    }

    pub(super) fn note(&self, header: &[u8]) -> Vec<u8> {
        let mut note = Vec::from(VERSION.to_le_bytes());
        [self.start.0, self.whole.0, self.mix].iter().for_each(|n| note.extend(n.to_le_bytes()));
        note.extend(header);
        note
    }

    /// The part, and the header of the whole; `None` for what no version of this crate wrote.
    pub(crate) fn of(note: &[u8]) -> Option<(Self, &[u8])> {
        let (version, rest) = note.split_first_chunk()?;
        let (start, rest) = rest.split_first_chunk()?;
        let (whole, rest) = rest.split_first_chunk()?;
        let (mix, header) = rest.split_first_chunk()?;
        let [start, whole, mix] = [start, whole, mix].map(|bytes| u64::from_le_bytes(*bytes));
        let known = u32::from_le_bytes(*version) == VERSION;
        known.then_some((Self { start: Frames(start), whole: Frames(whole), mix }, header))
    }
}
