//! A source that plays samples from memory.

use super::Source;
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Spec,
    units::Frames,
};
use std::sync::Arc;

/// A source of samples that are in memory. Clones share the samples.
///
/// ```
/// use soundtrack::{Frames, Layout, SampleRate, Session, Spec, Track, media::Memory};
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let click = Memory::new(spec, vec![vec![1.0, -0.5]])?;
/// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Mono);
/// mix.add_track(Track::new("click", click));
/// assert_eq!(mix.render(Frames(0)..Frames(3))?, [[1.0, -0.5, 0.0]]);
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Memory {
    spec: Spec,
    channels: Arc<[Vec<f64>]>,
    position: usize,
}

impl Memory {
    /// Makes a source from one vector of samples per channel, full scale ±1.0.
    ///
    /// # Errors
    /// `InvalidArgument` if the number of channels is not the layout's, or their lengths differ.
    pub fn new(spec: Spec, channels: Vec<Vec<f64>>) -> Result<Self> {
        let frames = channels.first().map_or(0, Vec::len);
        if channels.len() != spec.layout.channels() || channels.iter().any(|c| c.len() != frames) {
            let lengths: Vec<_> = channels.iter().map(Vec::len).collect();
            let what = format!(
                "memory for {} needs {} equal channels, not of {lengths:?} frames",
                spec.layout,
                spec.layout.channels()
            );
            return Err(Error::new(ErrorKind::InvalidArgument, what));
        }
        Ok(Self {
            spec,
            channels: channels.into(),
            position: 0,
        })
    }
}

impl Source for Memory {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn length(&self) -> Option<Frames> {
        Some(Frames(self.channels.first().map_or(0, Vec::len) as u64))
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        let frames = self.channels.first().map_or(0, Vec::len);
        let n = frames.saturating_sub(self.position).min(out.capacity());
        out.set_frames(n);
        for (to, from) in out.channels_mut().zip(self.channels.iter()) {
            if let Some(samples) = from.get(self.position..self.position + n) {
                to.copy_from_slice(samples);
            }
        }
        self.position += n;
        Ok(n)
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        // Past the end of any vector: the next read returns 0.
        self.position = usize::try_from(to.0).unwrap_or(usize::MAX);
        Ok(())
    }
}
