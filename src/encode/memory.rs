//! Audio into memory.

use super::{Sink, Written};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    units::Frames,
};

/// Collects what is rendered: one `Vec<f64>` a channel, nothing clipped or rounded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    channels: Vec<Vec<f64>>,
}

impl Memory {
    /// With room for so many frames: growing by and by copies and touches twice as much memory.
    ///
    /// # Errors
    /// `Resource` where there is not as much memory.
    pub(crate) fn with_room(channels: usize, frames: Frames) -> Result<Self> {
        let room = |_| {
            let mut samples = Vec::new();
            let reserved = samples.try_reserve_exact(usize::try_from(frames.0).unwrap_or(usize::MAX));
            let much = |e| {
                let what = format!("{frames} frames of {channels} channels are more than fit in memory: ask for less");
                Error::new(ErrorKind::Resource, what).because(e)
            };
            reserved.map(|()| samples).map_err(much)
        };
        Ok(Self { channels: (0..channels).map(room).collect::<Result<_>>()? })
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
