//! Reads a stem at any position of its own, in order without seeking, in pieces as they come.

use super::{Flaw, Source, stem::Stem};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    units::Frames,
};
use std::ops::Range;

/// Frames asked of a source at a time: few enough to stay in the first-level cache.
pub(crate) const PIECE: usize = 4096;

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

    /// The same, where it is not open yet.
    pub(crate) fn opened<'a>(reader: &'a mut Option<Self>, stem: &Stem) -> Result<&'a mut Self> {
        match reader {
            Some(open) => Ok(open),
            closed => Ok(closed.insert(Self::open(stem)?)),
        }
    }

    /// The next frames from `at` on: a block and the range of it that holds them, at least one and at most `most`. No more
    /// than `room` are read, so that what is read next can begin where a block does.
    pub(crate) fn read(&mut self, at: u64, most: usize, room: usize) -> Result<(&Block, Range<usize>)> {
        let end = self.start + self.piece.frames() as u64;
        if !(self.start..end).contains(&at) {
            if at != end {
                self.source.seek(Frames(at))?;
            }
            self.start = at;
            self.piece.set_frames(0);
            self.piece.set_capacity(room.min(PIECE));
            if self.source.read(&mut self.piece)? == 0 {
                self.piece.set_frames(0);
                return Err(self.over(at));
            }
        }
        let first = usize::try_from(at - self.start).unwrap_or(usize::MAX);
        Ok((&self.piece, first..self.piece.frames().min(first.saturating_add(most))))
    }

    /// Reads straight into a block, from its start, as many frames from `at` on as come at once, and says how many; 0 where
    /// [`read`](Self::read) has to go somewhere first, or still holds some of them.
    pub(crate) fn fill(&mut self, at: u64, out: &mut Block) -> Result<usize> {
        if at != self.start + self.piece.frames() as u64 {
            return Ok(0);
        }
        let shape = (out.layout(), out.capacity());
        let n = self.source.read(out)?;
        if n == 0 {
            return Err(self.over(at));
        }
        if (out.layout(), out.capacity()) != shape || n > shape.1 {
            let what = format!("{}: its reader gave a block of another shape", self.name);
            return Err(Error::new(ErrorKind::Corrupt, what));
        }
        self.start = at + n as u64;
        self.piece.set_frames(0);
        Ok(n)
    }

    fn over(&self, at: u64) -> Error {
        Error::new(ErrorKind::Corrupt, format!("{}: ends at frame {at}, before it should", self.name))
    }

    /// Takes the flaws met since the last call, at the session's rate.
    pub(crate) fn flaws(&mut self) -> Vec<Flaw> {
        self.source.flaws()
    }
}
