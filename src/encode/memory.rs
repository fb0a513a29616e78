//! A sink that keeps audio in memory.

use super::{Sink, Written};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    units::Frames,
};

/// Collects blocks: one `Vec<f64>` a channel, nothing clipped or rounded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    channels: Vec<Vec<f64>>,
}

impl Memory {
    /// Reserves memory for `frames` frames: a vector that grows copies its samples and needs twice the memory.
    ///
    /// # Errors
    /// `Resource` where there is not enough memory.
    pub(crate) fn with_capacity(channels: usize, frames: Frames) -> Result<Self> {
        let length = usize::try_from(frames.0).unwrap_or(usize::MAX);
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

    /// Returns the samples of every channel; no channels where nothing was written.
    #[must_use]
    pub fn into_channels(self) -> Vec<Vec<f64>> {
        self.channels
    }
}

impl Sink for Memory {
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
