//! Reads a source in chunks of a given length.

use super::{Source, stem::Stem};
use crate::{block::Block, error::Result};

/// Number of frames read at a time.
pub(crate) const WINDOW: usize = 8192;

/// Source that is read in chunks of a given length.
pub(crate) struct ChunkReader {
    pub source: Box<dyn Source>,
    block: Block,
    /// Frames that were read last.
    pub channels: Vec<Vec<f64>>,
}

impl ChunkReader {
    /// Opens a stem at its first frame.
    pub(crate) fn open(stem: &Stem) -> Result<Self> {
        let source = stem.open()?;
        let layout = source.spec().layout;
        Ok(Self {
            source,
            block: Block::new(layout, WINDOW),
            channels: vec![Vec::new(); layout.channels()],
        })
    }

    /// Reads the next frames. Returns their number.
    pub(crate) fn fill(&mut self, want: usize) -> Result<usize> {
        self.truncate(0);
        let mut done = 0;
        while done < want {
            // The last read must not exceed the number of frames wanted.
            if want - done < self.block.capacity() {
                self.block = Block::new(self.block.layout(), want - done);
            }
            let n = self.source.read(&mut self.block)?;
            if n == 0 {
                break;
            }
            self.channels
                .iter_mut()
                .zip(self.block.channels())
                .for_each(|(to, from)| to.extend_from_slice(from));
            done += n;
        }
        if self.block.capacity() < WINDOW {
            self.block = Block::new(self.block.layout(), WINDOW);
        }
        Ok(done)
    }

    /// Shortens the frames that were read last.
    pub(crate) fn truncate(&mut self, frames: usize) {
        self.channels.iter_mut().for_each(|c| c.truncate(frames));
    }
}
