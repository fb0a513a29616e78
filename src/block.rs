//! A planar block of f64: what flows between all parts.

use crate::layout::Layout;

/// Up to `capacity` frames of every channel of a layout, one slice of `f64` a channel, full scale ±1.0.
///
/// ```
/// use soundtrack::{Block, Layout};
/// let mut block = Block::new(Layout::Stereo, 64);
/// block.set_frames(2);
/// block.channel_mut(1).copy_from_slice(&[0.25, -0.25]);
/// assert_eq!(block.channel(0), [0.0, 0.0]);
/// assert_eq!(block.channel(1), [0.25, -0.25]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    layout: Layout,
    capacity: usize,
    frames: usize,
    data: Vec<f64>,
}

/// Samples of a block, at most: 2 GiB, far beyond any block that is rendered or decoded at a time.
const MAX_SAMPLES: usize = 1 << 28;

impl Block {
    /// An empty block with room for `capacity` frames, at most for 2^28 samples of all channels together:
    /// [`capacity`](Self::capacity) returns how many frames those are.
    #[must_use]
    pub fn new(layout: Layout, capacity: usize) -> Self {
        let capacity = capacity.min(MAX_SAMPLES / layout.channels().max(1));
        Self {
            layout,
            capacity,
            frames: 0,
            data: vec![0.0; layout.channels() * capacity],
        }
    }

    /// The layout of its channels.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// How many frames it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many frames it holds.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Says how many frames it holds, at most the capacity; the samples are what they were.
    pub fn set_frames(&mut self, frames: usize) {
        self.frames = frames.min(self.capacity);
    }

    /// Makes room for so many frames and no more; what it holds is lost.
    pub(crate) fn set_capacity(&mut self, capacity: usize) {
        if capacity != self.capacity {
            (self.capacity, self.frames) = (capacity, 0);
            self.data.resize(self.layout.channels() * capacity, 0.0);
        }
    }

    /// The samples of a channel, `frames()` long; empty for a channel that the layout does not have.
    #[must_use]
    pub fn channel(&self, ch: usize) -> &[f64] {
        self.channels().nth(ch).unwrap_or(&[])
    }

    /// The samples of a channel, `frames()` long; empty for a channel that the layout does not have.
    pub fn channel_mut(&mut self, ch: usize) -> &mut [f64] {
        self.channels_mut().nth(ch).unwrap_or(&mut [])
    }

    /// All channels in the order of the layout.
    pub fn channels(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        let frames = self.frames;
        self.data
            .chunks_exact(self.capacity.max(1))
            .map(move |c| c.get(..frames).unwrap_or(c))
    }

    /// All channels in the order of the layout.
    pub fn channels_mut(&mut self) -> impl ExactSizeIterator<Item = &mut [f64]> {
        let frames = self.frames;
        self.data
            .chunks_exact_mut(self.capacity.max(1))
            .map(move |c| c.get_mut(..frames).unwrap_or(&mut []))
    }

    /// The room of all channels, one behind the other, `capacity()` samples each, whatever they hold.
    pub(crate) fn room_mut(&mut self) -> &mut [f64] {
        &mut self.data
    }

    /// Sets `frames` frames of every channel to `value`.
    pub fn fill(&mut self, frames: usize, value: f64) {
        self.set_frames(frames);
        self.channels_mut().for_each(|c| c.fill(value));
    }
}
