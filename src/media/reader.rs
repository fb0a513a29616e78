//! Reads a stem at any position. Consecutive reads need no seek.

use super::{Flaw, Source, stem::Stem};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    units::Frames,
};
use std::ops::Range;

/// Frames read from a source at a time: few enough to stay in the first-level cache.
pub(crate) const READ_FRAMES: usize = 2048;

/// An open stem and the frames decoded last.
pub(crate) struct Reader {
    source: Box<dyn Source>,
    name: String,
    buffer: Block,
    /// First frame in the buffer.
    buffer_start: u64,
    found_flaws: bool,
}

impl Reader {
    pub(crate) fn open(stem: &Stem) -> Result<Self> {
        let source = stem.open()?;
        // Most stems are decoded into the blocks of the mixer, so most readers need no buffer.
        let buffer = Block::new(source.spec().layout, 0);
        Ok(Self {
            source,
            name: stem.name.clone(),
            buffer,
            buffer_start: 0,
            found_flaws: false,
        })
    }

    /// Allocates the buffer, which otherwise is made when it is first needed.
    pub(crate) fn reserve(&mut self) {
        self.buffer.reserve(READ_FRAMES);
    }

    /// Frees the buffer. Frames in it that were not used are decoded again if they are needed.
    pub(crate) fn release(&mut self) {
        self.buffer_start += self.buffer.frames() as u64;
        self.buffer = Block::new(self.buffer.layout(), 0);
    }

    /// Returns the reader, or opens the stem if there is none yet.
    pub(crate) fn get_or_open<'a>(
        reader: &'a mut Option<Self>,
        stem: &Stem,
    ) -> Result<&'a mut Self> {
        match reader {
            Some(open) => Ok(open),
            closed => Ok(closed.insert(Self::open(stem)?)),
        }
    }

    /// Returns frames from `at` on, at least one and at most `max_frames`, as a block and the range of it that holds them.
    ///
    /// Where the buffer does not hold frame `at`, at most `max_read` frames are decoded into it. A mixer passes the frames left
    /// in its own block: then nothing is left in the buffer when the next block begins, and [`fill`](Self::fill) can decode
    /// into that block directly.
    ///
    /// # Errors
    /// `Corrupt` if the stem ends at or before `at`, and those of the source.
    pub(crate) fn read(
        &mut self,
        at: u64,
        max_frames: usize,
        max_read: usize,
    ) -> Result<(&Block, Range<usize>)> {
        let end = self.buffer_start + self.buffer.frames() as u64;
        if !(self.buffer_start..end).contains(&at) {
            if at != end {
                self.source.seek(Frames(at))?;
            }
            self.buffer_start = at;
            self.buffer.set_frames(0);
            self.buffer.set_capacity(max_read.min(READ_FRAMES));
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

    /// Decodes frames from `at` on directly into the start of a block and returns their number, at least 1.
    ///
    /// Returns `None` and reads nothing if frame `at` is buffered or needs a seek: then call [`read`](Self::read).
    ///
    /// # Errors
    /// `Corrupt` if the stem ends at `at`, and those of the source.
    pub(crate) fn fill(&mut self, at: u64, out: &mut Block) -> Result<Option<usize>> {
        if at != self.buffer_start + self.buffer.frames() as u64 {
            return Ok(None);
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
        Ok(Some(n))
    }

    /// Makes the error of a stem that is shorter than the plan found it to be.
    fn ended(&self, at: u64) -> Error {
        Error::new(
            ErrorKind::Corrupt,
            format!("{}: ends at frame {at}, before it should", self.name),
        )
    }

    /// Takes the flaws found since the last call, at the session's rate.
    pub(crate) fn flaws(&mut self) -> Vec<Flaw> {
        let found = self.source.flaws();
        self.found_flaws |= !found.is_empty();
        found
    }

    /// Reports whether any flaws were found.
    pub(crate) fn found_flaws(&self) -> bool {
        self.found_flaws
    }
}
