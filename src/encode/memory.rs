//! Sink that stores audio in memory.

use super::{Sink, Written};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    units::{Frames, saturating_usize},
};

/// Collects blocks in one `Vec<f64>` per channel, without clipping or rounding.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemorySink {
    channels: Vec<Vec<f64>>,
}

impl MemorySink {
    /// Reserves memory for `frames` frames. Growing on demand would copy the samples and need twice
    /// the memory.
    ///
    /// # Errors
    /// `Resource` if there is not enough memory.
    pub(crate) fn with_capacity(channels: usize, frames: Frames) -> Result<Self> {
        let length = saturating_usize(frames.0);
        let mut memory = Self {
            channels: vec![Vec::new(); channels],
        };
        for samples in &mut memory.channels {
            samples.try_reserve_exact(length).map_err(|e| {
                let what = format!("{frames} frames of {channels} channels are more than fit in memory: ask for less");
                Error::new(ErrorKind::Resource, what).because(e)
            })?;
        }
        Ok(memory)
    }

    /// Returns the samples of every channel; empty if no block was written.
    #[must_use]
    pub fn into_channels(self) -> Vec<Vec<f64>> {
        self.channels
    }
}

impl Sink for MemorySink {
    fn write(&mut self, block: &Block) -> Result<()> {
        self.channels.resize(block.layout().channels(), Vec::new());
        self.channels
            .iter_mut()
            .zip(block.channels())
            .for_each(|(to, from)| to.extend_from_slice(from));
        Ok(())
    }

    fn finish(&mut self) -> Result<Written> {
        Ok(Written {
            frames: Frames(self.channels.first().map_or(0, Vec::len) as u64),
            ..Written::default()
        })
    }
}
