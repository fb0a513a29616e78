//! Takes one channel out of a source, as mono.

use super::{Flaw, Source};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::{Layout, Spec},
    units::Frames,
};

/// Maximum number of frames per read of the source.
const MAX_READ_FRAMES: usize = 4096;

/// One channel of a source.
pub(crate) struct OneChannel {
    source: Box<dyn Source>,
    /// Index of the channel.
    index: usize,
    /// All channels, as they were read.
    all: Block,
}

impl OneChannel {
    /// Selects channel `number` of a source, counted from 1. `name` is that of the file, for messages.
    ///
    /// # Errors
    /// `NotFound` if the source has fewer channels.
    pub(crate) fn new(source: Box<dyn Source>, number: usize, name: &str) -> Result<Self> {
        let layout = source.spec().layout;
        let count = layout.channels();
        if !(1..=count).contains(&number) {
            let what = format!("{name}: channel {number} is not there; the file has {count}");
            return Err(Error::new(ErrorKind::NotFound, what));
        }
        Ok(Self {
            source,
            index: number - 1,
            all: Block::new(layout, MAX_READ_FRAMES),
        })
    }
}

impl Source for OneChannel {
    fn spec(&self) -> Spec {
        Spec {
            layout: Layout::Mono,
            ..self.source.spec()
        }
    }

    fn length(&self) -> Option<Frames> {
        self.source.length()
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        let most = out.capacity().min(MAX_READ_FRAMES);
        self.all.set_capacity(most);
        let frames = self.source.read(&mut self.all)?;
        out.set_frames(frames);
        let from = self.all.channel(self.index);
        let to = out.channel_mut(0);
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        Ok(frames)
    }

    fn seek(&mut self, to: Frames) -> Result<()> {
        self.source.seek(to)
    }

    fn flaws(&mut self) -> Vec<Flaw> {
        self.source.flaws()
    }
}
