//! Planar block of f64 samples, the unit of audio passed between all parts of the crate.

use crate::layout::Layout;

/// Holds up to `capacity` frames in one slice of `f64` samples per channel; full scale is ±1.0.
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

/// Maximum number of samples in a block: 2 GiB, far more than any block rendered or decoded at
/// once.
const MAX_SAMPLES: usize = 1 << 28;

impl Block {
    /// Creates an empty block for `capacity` frames, limited to 2^28 samples in all channels
    /// together; [`capacity`](Self::capacity) returns the actual value.
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

    /// Returns the channel layout.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns the maximum number of frames.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the number of frames.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Sets the number of frames, at most the capacity. The samples stay unchanged.
    pub fn set_frames(&mut self, frames: usize) {
        self.frames = frames.min(self.capacity);
    }

    /// Changes the capacity. The contents are lost if it differs.
    pub(crate) fn set_capacity(&mut self, capacity: usize) {
        if capacity != self.capacity {
            (self.capacity, self.frames) = (capacity, 0);
            self.data.resize(self.layout.channels() * capacity, 0.0);
        }
    }

    /// Allocates for a capacity that [`set_capacity`](Self::set_capacity) may set later. The contents stay.
    pub(crate) fn reserve(&mut self, capacity: usize) {
        let samples = self.layout.channels() * capacity;
        self.data
            .reserve_exact(samples.saturating_sub(self.data.len()));
    }

    /// Returns the samples of a channel, `frames()` long; empty if the layout has no such channel.
    #[must_use]
    pub fn channel(&self, ch: usize) -> &[f64] {
        self.channels().nth(ch).unwrap_or(&[])
    }

    /// Returns the samples of a channel, `frames()` long; empty if the layout has no such channel.
    pub fn channel_mut(&mut self, ch: usize) -> &mut [f64] {
        self.channels_mut().nth(ch).unwrap_or(&mut [])
    }

    /// Returns all channels in the order of the layout.
    pub fn channels(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        let frames = self.frames;
        self.data
            .chunks_exact(self.capacity.max(1))
            .map(move |c| c.get(..frames).unwrap_or(c))
    }

    /// Returns all channels in the order of the layout.
    pub fn channels_mut(&mut self) -> impl ExactSizeIterator<Item = &mut [f64]> {
        let frames = self.frames;
        self.data
            .chunks_exact_mut(self.capacity.max(1))
            .map(move |c| c.get_mut(..frames).unwrap_or(&mut []))
    }

    /// Sets `frames` frames of every channel to `value`.
    pub fn fill(&mut self, frames: usize, value: f64) {
        self.set_frames(frames);
        self.channels_mut().for_each(|c| c.fill(value));
    }
}
