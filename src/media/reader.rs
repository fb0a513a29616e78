//! Reads a stem at any position, without seeking where reads follow one another.

use super::{Flaw, Source, stem::Stem};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    units::Frames,
};
use std::ops::Range;

/// Frames read from a source at a time: few enough to stay in the first-level cache.
pub(crate) const READ_FRAMES: usize = 4096;

/// An open stem with a buffer.
pub(crate) struct Reader {
    source: Box<dyn Source>,
    name: String,
    buffer: Block,
    /// First frame in the buffer.
    buffer_start: u64,
}

impl Reader {
    pub(crate) fn open(stem: &Stem) -> Result<Self> {
        let source = stem.open()?;
        let buffer = Block::new(source.spec().layout, READ_FRAMES);
        Ok(Self {
            source,
            name: stem.name.clone(),
            buffer,
            buffer_start: 0,
        })
    }

    /// Returns the reader of a stem, after opening it if it is not open.
    pub(crate) fn opened<'a>(reader: &'a mut Option<Self>, stem: &Stem) -> Result<&'a mut Self> {
        match reader {
            Some(open) => Ok(open),
            closed => Ok(closed.insert(Self::open(stem)?)),
        }
    }

    /// Returns frames from `at` on, at least one and at most `max_frames`, as a block and a range of it. Reads at most
    /// `read_ahead` frames from the source, so that the next read can start at the start of a block.
    ///
    /// # Errors
    /// `Corrupt` if the stem ends at or before `at`, and those of the source.
    pub(crate) fn read(
        &mut self,
        at: u64,
        max_frames: usize,
        read_ahead: usize,
    ) -> Result<(&Block, Range<usize>)> {
        let end = self.buffer_start + self.buffer.frames() as u64;
        if !(self.buffer_start..end).contains(&at) {
            if at != end {
                self.source.seek(Frames(at))?;
            }
            self.buffer_start = at;
            self.buffer.set_frames(0);
            self.buffer.set_capacity(read_ahead.min(READ_FRAMES));
            if self.source.read(&mut self.buffer)? == 0 {
                self.buffer.set_frames(0);
                return Err(self.ended(at));
            }
        }
        let first = usize::try_from(at - self.buffer_start).unwrap_or(usize::MAX);
        Ok((
            &self.buffer,
            first..self.buffer.frames().min(first.saturating_add(max_frames)),
        ))
    }

    /// Reads frames from `at` on directly into the start of a block and returns their number. Returns 0 if this needs a
    /// seek or some of the frames are already buffered: then call [`read`](Self::read).
    ///
    /// # Errors
    /// `Corrupt` if the stem ends at `at`, and those of the source.
    pub(crate) fn fill(&mut self, at: u64, out: &mut Block) -> Result<usize> {
        if at != self.buffer_start + self.buffer.frames() as u64 {
            return Ok(0);
        }
        let shape = (out.layout(), out.capacity());
        let n = self.source.read(out)?;
        if n == 0 {
            return Err(self.ended(at));
        }
        if (out.layout(), out.capacity()) != shape || n > shape.1 {
            let what = format!("{}: its reader gave a block of another shape", self.name);
            return Err(Error::new(ErrorKind::Corrupt, what));
        }
        self.buffer_start = at + n as u64;
        self.buffer.set_frames(0);
        Ok(n)
    }

    fn ended(&self, at: u64) -> Error {
        Error::new(
            ErrorKind::Corrupt,
            format!("{}: ends at frame {at}, before it should", self.name),
        )
    }

    /// Takes the flaws found since the last call, at the session's rate.
    pub(crate) fn flaws(&mut self) -> Vec<Flaw> {
        self.source.flaws()
    }
}
