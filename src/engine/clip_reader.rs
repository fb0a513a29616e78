//! Reads the frames of a clip: straight from its stem, or from what was decoded ahead.

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
    /// Opens the stem when the clip starts to sound.
    Direct(Option<Reader>),
    /// Takes what was decoded ahead; the block holds the frames taken last.
    ReadAhead(Arc<ClipQueue>, Block),
}

impl ClipReader {
    pub(super) fn read_ahead(queue: &Arc<ClipQueue>) -> Self {
        Self::ReadAhead(Arc::clone(queue), Block::new(queue.layout(), READ_FRAMES))
    }

    pub(super) fn is_direct(&self) -> bool {
        matches!(self, Self::Direct(_))
    }

    /// As [`Reader::read`].
    pub(super) fn read(
        &mut self,
        stem: &Stem,
        at: u64,
        most: usize,
        room: usize,
    ) -> Result<(&Block, Range<usize>)> {
        match self {
            Self::Direct(reader) => Reader::opened(reader, stem)?.read(at, most, room),
            Self::ReadAhead(queue, block) => {
                let n = queue.take(at, most, block)?;
                Ok((block, 0..n))
            }
        }
    }

    /// As [`Reader::fill`].
    pub(super) fn fill(&mut self, stem: &Stem, at: u64, out: &mut Block) -> Result<usize> {
        match self {
            Self::Direct(reader) => Reader::opened(reader, stem)?.fill(at, out),
            Self::ReadAhead(..) => Ok(0),
        }
    }

    /// Closes a stem that no longer sounds.
    pub(super) fn close(&mut self) {
        if let Self::Direct(reader) = self {
            *reader = None;
        }
    }

    /// Takes the flaws met since the last call, at the session's rate.
    pub(super) fn flaws(&mut self) -> Vec<Flaw> {
        match self {
            Self::Direct(reader) => reader.as_mut().map(Reader::flaws).unwrap_or_default(),
            Self::ReadAhead(queue, _) => queue.flaws(),
        }
    }
}
