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

impl ClipReader {
    pub(super) fn read_ahead(queue: &Arc<ClipQueue>) -> Self {
        Self::ReadAhead(Arc::clone(queue), Block::new(queue.layout(), READ_FRAMES))
    }

    pub(super) fn is_direct(&self) -> bool {
        matches!(self, Self::Direct(_))
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

    /// Reads frames as [`Reader::fill`] does. Returns `None` for a read-ahead queue.
    pub(super) fn fill(&mut self, stem: &Stem, at: u64, out: &mut Block) -> Result<Option<usize>> {
        match self {
            Self::Direct(reader) => Reader::get_or_open(reader, stem)?.fill(at, out),
            Self::ReadAhead(..) => Ok(None),
        }
    }

    /// Closes a stem that no longer sounds.
    pub(super) fn close(&mut self) {
        if let Self::Direct(reader) = self {
            *reader = None;
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
