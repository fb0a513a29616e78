//! Audio into memory.

use super::{Sink, Written};
use crate::{block::Block, error::Result, units::Frames};

/// Collects what is rendered: one `Vec<f64>` a channel, nothing clipped or rounded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    channels: Vec<Vec<f64>>,
}

impl Memory {
    /// With room for so many frames, where there is as much: growing by and by copies and touches twice as much memory.
    pub(crate) fn with_room(channels: usize, frames: Frames) -> Self {
        let room = |_| {
            let mut samples = Vec::new();
            // What cannot be reserved is asked for again when it is needed.
            let _ = samples.try_reserve_exact(usize::try_from(frames.0).unwrap_or(usize::MAX));
            samples
        };
        Self { channels: (0..channels).map(room).collect() }
    }

    /// The samples of every channel; no channels where nothing was written.
    #[must_use]
    pub fn into_channels(self) -> Vec<Vec<f64>> {
        self.channels
    }
}

impl Sink for Memory {
    fn write(&mut self, block: &Block) -> Result<()> {
        self.channels.resize(block.layout().channels(), Vec::new());
        self.channels.iter_mut().zip(block.channels()).for_each(|(to, from)| to.extend_from_slice(from));
        Ok(())
    }

    fn finish(&mut self) -> Result<Written> {
        Ok(Written { frames: Frames(self.channels.first().map_or(0, Vec::len) as u64), ..Written::default() })
    }
}
