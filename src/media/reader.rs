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
    /// of its clip: then nothing is left in the buffer when the next block begins, and [`append`](Self::append) can decode
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
        if !self.is_buffered(at) {
            self.go_to(at)?;
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

    /// Appends frames from `at` on to a block, at most `max_frames`, and returns their number, at least 1. They are decoded into
    /// the block directly.
    ///
    /// Returns `None` and reads nothing if frame `at` is buffered: then call [`read`](Self::read).
    ///
    /// # Errors
    /// `Corrupt` if the stem ends at `at`, and those of the source.
    pub(crate) fn append(
        &mut self,
        at: u64,
        max_frames: usize,
        out: &mut Block,
    ) -> Result<Option<usize>> {
        if self.is_buffered(at) {
            return Ok(None);
        }
        self.go_to(at)?;
        let source = self.source.as_mut();
        let appended = out.append(max_frames, |part| {
            let shape = (part.layout(), part.capacity());
            let n = source.read(part)?;
            let is_same = (part.layout(), part.capacity()) == shape && n <= shape.1;
            part.set_frames(n);
            Ok(is_same.then_some(n))
        });
        let Some(n) = appended.transpose()?.flatten() else {
            let what = format!("{}: its reader gave a block of another shape", self.name);
            return Err(Error::new(ErrorKind::Corrupt, what));
        };
        if n == 0 {
            return Err(self.ended(at));
        }
        self.buffer_start = at + n as u64;
        Ok(Some(n))
    }

    /// Reports whether the buffer holds a frame.
    fn is_buffered(&self, at: u64) -> bool {
        (self.buffer_start..self.buffer_start + self.buffer.frames() as u64).contains(&at)
    }

    /// Empties the buffer and goes to the frame that is read next, with a seek only where it does not follow the last one.
    fn go_to(&mut self, at: u64) -> Result<()> {
        let next = self.buffer_start + self.buffer.frames() as u64;
        if at != next {
            self.source.seek(Frames(at))?;
        }
        self.buffer_start = at;
        self.buffer.set_frames(0);
        Ok(())
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
