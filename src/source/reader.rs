//! Reads a stem at any position of its own, in order without seeking, in pieces as they come.

use super::{Flaw, Source, stem::Stem};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    units::Frames,
};
use std::ops::Range;

/// How many frames are asked of a source at a time: small enough to stay in the processor's near cache.
const PIECE: usize = 4096;

pub(crate) struct Reader {
    source: Box<dyn Source>,
    name: String,
    piece: Block,
    /// The frame that the piece starts with.
    start: u64,
}

impl Reader {
    pub(crate) fn open(stem: &Stem) -> Result<Self> {
        let source = stem.open()?;
        let piece = Block::new(source.spec().layout, PIECE);
        Ok(Self { source, name: stem.name.clone(), piece, start: 0 })
    }

    /// The next frames from `at` on: a block and the range of it that holds them, at least one and at most `most`.
    pub(crate) fn read(&mut self, at: u64, most: usize) -> Result<(&Block, Range<usize>)> {
        let end = self.start + self.piece.frames() as u64;
        if !(self.start..end).contains(&at) {
            if at != end {
                self.source.seek(Frames(at))?;
            }
            self.start = at;
            if self.source.read(&mut self.piece)? == 0 {
                self.piece.set_frames(0);
                let what = format!("{}: ends at frame {at}, before it should", self.name);
                return Err(Error::new(ErrorKind::Corrupt, what));
            }
        }
        let first = usize::try_from(at - self.start).unwrap_or(usize::MAX);
        Ok((&self.piece, first..self.piece.frames().min(first.saturating_add(most))))
    }

    /// Takes the flaws met since the last call, at the session's rate.
    pub(crate) fn flaws(&mut self) -> Vec<Flaw> {
        self.source.flaws()
    }
}
