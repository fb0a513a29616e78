//! Reads a stem at any position of its own, in order without seeking, in pieces as they come.

use super::{Flaw, Source, read_ahead::Supply, stem::Stem};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    units::Frames,
};
use std::{ops::Range, sync::Arc};

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

/// How a clip comes by its frames.
pub(crate) enum Reading {
    /// By opening its stem when it starts to sound.
    Late(Option<Reader>),
    /// From what was decoded ahead, and the frames taken last.
    Ahead(Arc<Supply>, Block),
}

impl Reading {
    pub(crate) fn ahead(supply: &Arc<Supply>) -> Self {
        Self::Ahead(Arc::clone(supply), Block::new(supply.layout(), PIECE))
    }

    /// As [`Reader::read`].
    pub(crate) fn read(&mut self, stem: &Stem, at: u64, most: usize) -> Result<(&Block, Range<usize>)> {
        match self {
            Self::Late(Some(open)) => open.read(at, most),
            Self::Late(closed) => closed.insert(Reader::open(stem)?).read(at, most),
            Self::Ahead(supply, block) => {
                let n = supply.take(at, most, block)?;
                Ok((block, 0..n))
            }
        }
    }

    /// Closes a stem that no longer sounds.
    pub(crate) fn close(&mut self) {
        if let Self::Late(reader) = self {
            *reader = None;
        }
    }

    /// Takes the flaws met since the last call, at the session's rate.
    pub(crate) fn flaws(&mut self) -> Vec<Flaw> {
        match self {
            Self::Late(reader) => reader.as_mut().map(Reader::flaws).unwrap_or_default(),
            Self::Ahead(supply, _) => supply.flaws(),
        }
    }
}
