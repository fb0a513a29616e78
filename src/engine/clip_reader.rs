//! Reads the frames of a clip, directly from its stem or from its read-ahead queue.

use super::read_ahead::ClipQueue;
use crate::{
    block::Block,
    error::Result,
    media::{
        Flaw,
        reader::{READ_FRAMES, Reader},
        stem::Stem,
    },
};
use std::{ops::Range, sync::Arc};

/// Reads the frames of one clip.
pub(super) enum ClipReader {
    /// Decodes the stem, which is opened when the clip starts to sound.
    Direct(Option<Reader>),
    /// Takes frames from a read-ahead queue; the block holds those taken last.
    ReadAhead(Arc<ClipQueue>, Block),
}

/// The reader of a clip that has ended.
pub(super) struct SpareReader {
    stem: Arc<Stem>,
    reader: Reader,
}

impl SpareReader {
    /// Frees the buffer of the reader.
    pub(super) fn release(&mut self) {
        self.reader.release();
    }
}

impl ClipReader {
    pub(super) fn read_ahead(queue: &Arc<ClipQueue>) -> Self {
        Self::ReadAhead(Arc::clone(queue), Block::new(queue.layout(), READ_FRAMES))
    }

    pub(super) fn is_direct(&self) -> bool {
        matches!(self, Self::Direct(_))
    }

    /// Opens the stem and allocates its buffer, unless that is done or it is read ahead.
    pub(super) fn hold_open(&mut self, stem: &Stem) -> Result<()> {
        if let Self::Direct(reader) = self {
            Reader::get_or_open(reader, stem)?.reserve();
        }
        Ok(())
    }

    /// Reads frames as [`Reader::read`] does.
    pub(super) fn read(
        &mut self,
        stem: &Stem,
        at: u64,
        max_frames: usize,
        max_read: usize,
    ) -> Result<(&Block, Range<usize>)> {
        match self {
            Self::Direct(reader) => {
                Reader::get_or_open(reader, stem)?.read(at, max_frames, max_read)
            }
            Self::ReadAhead(queue, block) => {
                let n = queue.take(at, max_frames, block)?;
                Ok((block, 0..n))
            }
        }
    }

    /// Appends frames as [`Reader::append`] does. Returns `None` for a read-ahead queue.
    pub(super) fn append(
        &mut self,
        stem: &Stem,
        at: u64,
        max_frames: usize,
        out: &mut Block,
    ) -> Result<Option<usize>> {
        match self {
            Self::Direct(reader) => Reader::get_or_open(reader, stem)?.append(at, max_frames, out),
            Self::ReadAhead(..) => Ok(None),
        }
    }

    /// Closes a stem that no longer sounds. Returns its reader for a further clip of the stem, unless it found flaws: it
    /// would not report those again that it found ahead of that clip.
    pub(super) fn close(&mut self, stem: &Arc<Stem>) -> Option<SpareReader> {
        let Self::Direct(reader) = self else {
            return None;
        };
        let reader = reader.take().filter(|reader| !reader.found_flaws())?;
        let stem = Arc::clone(stem);
        Some(SpareReader { stem, reader })
    }

    /// Takes a spare reader in place of opening the stem, if it is one of the same stem and none is open.
    pub(super) fn reuse(&mut self, spare: &mut Option<SpareReader>, stem: &Arc<Stem>) {
        if let Self::Direct(reader @ None) = self
            && let Some(found) = spare.take_if(|spare| Arc::ptr_eq(&spare.stem, stem))
        {
            *reader = Some(found.reader);
        }
    }

    /// Takes the flaws found since the last call, at the session's rate.
    pub(super) fn flaws(&mut self) -> Vec<Flaw> {
        match self {
            Self::Direct(reader) => reader.as_mut().map(Reader::flaws).unwrap_or_default(),
            Self::ReadAhead(queue, _) => queue.flaws(),
        }
    }
}
