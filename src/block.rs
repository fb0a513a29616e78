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
    /// Samples from one channel to the next in `data`. It is the capacity, and `start` is 0, except inside
    /// [`append`](Self::append): there the block is the free part of itself.
    stride: usize,
    /// The first sample of each channel that belongs to the block.
    start: usize,
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
            stride: capacity,
            start: 0,
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
            (self.stride, self.capacity, self.frames) = (capacity, capacity, 0);
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
        let used = self.start..self.start + self.frames;
        self.data
            .chunks_exact(self.stride.max(1))
            .map(move |c| c.get(used.clone()).unwrap_or(&[]))
    }

    /// Returns all channels in the order of the layout.
    pub fn channels_mut(&mut self) -> impl ExactSizeIterator<Item = &mut [f64]> {
        let used = self.start..self.start + self.frames;
        self.data
            .chunks_exact_mut(self.stride.max(1))
            .map(move |c| c.get_mut(used.clone()).unwrap_or(&mut []))
    }

    /// Sets `frames` frames of every channel to `value`.
    pub fn fill(&mut self, frames: usize, value: f64) {
        self.set_frames(frames);
        self.channels_mut().for_each(|c| c.fill(value));
    }

    /// Appends frames of `value` until there are `frames`; nothing where there are as many already.
    pub(crate) fn extend(&mut self, frames: usize, value: f64) {
        let new = self.frames..frames.min(self.capacity);
        if new.is_empty() {
            return;
        }
        self.frames = new.end;
        let added = self.channels_mut().filter_map(|c| c.get_mut(new.clone()));
        added.for_each(|samples| samples.fill(value));
    }

    /// Appends up to `frames` frames without a copy: `fill` is handed the free part of this block as an empty block. Returns
    /// the value of `fill`; `None` if it replaced the block, whose samples are lost.
    pub(crate) fn append<T>(
        &mut self,
        frames: usize,
        fill: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        let (layout, stride, start) = (self.layout, self.stride, self.start);
        let (capacity, before) = (self.capacity, self.frames);
        self.start += before;
        self.capacity = frames.min(capacity - before);
        self.frames = 0;
        let value = fill(self);
        if (self.layout, self.stride, self.start) != (layout, stride, start + before) {
            *self = Self::new(layout, capacity);
            return None;
        }
        self.frames += before;
        (self.start, self.capacity) = (start, capacity);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appended_frames_follow_those_there_are() {
        let mut block = Block::new(Layout::Stereo, 8);
        block.extend(2, 1.0);
        let seen = block.append(3, |part| {
            assert_eq!((part.capacity(), part.frames()), (3, 0));
            part.fill(9, 2.0);
            part.set_frames(2);
            part.channel_mut(1).copy_from_slice(&[3.0, 4.0]);
            part.append(1, |inner| inner.fill(1, 5.0)).unwrap();
            part.frames()
        });
        assert_eq!(seen, Some(3));
        block.extend(4, 7.0);
        block.extend(6, 7.0);
        assert_eq!(block.channel(0), [1.0, 1.0, 2.0, 2.0, 5.0, 7.0]);
        assert_eq!(block.channel(1), [1.0, 1.0, 3.0, 4.0, 5.0, 7.0]);
        assert_eq!((block.capacity(), block.frames()), (8, 6));
    }

    #[test]
    fn a_part_that_was_replaced_is_noticed() {
        let mut block = Block::new(Layout::Mono, 8);
        block.extend(2, 1.0);
        let replaced = block.append(3, |part| *part = Block::new(Layout::Mono, 3));
        assert_eq!((replaced, block.frames(), block.capacity()), (None, 0, 8));
    }
}
