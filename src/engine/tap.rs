//! Taps: the output of one node, delivered together with the mix and at the same frames.
//!
//! A node may run ahead of the master by the latency of processors between them, so its output is kept until the master
//! reaches its frames. Where the node is silent while others sound, a tap holds −0.0, the additive identity; where nothing
//! of the mix sounds, 0.0. So the taps of all nodes that feed the master, added in order, are its sum, bit for bit.

use super::node::{Output, SILENCE, silent_ranges};
use crate::{block::Block, plan::Plan, units::saturating_usize};

/// Queue of a tapped node's output: [`push`](Self::push) appends what the node rendered, [`pop_into`](Self::pop_into)
/// removes the frames that the master has reached.
pub(super) struct Tap {
    /// Index of the node.
    pub node: usize,
    /// Position of the first queued frame on the timeline.
    start: u64,
    /// Queued frames of each channel.
    channels: Vec<Vec<f64>>,
}

impl Tap {
    /// Creates an empty queue.
    pub(super) fn new(node: usize, channels: usize) -> Self {
        Self {
            node,
            start: 0,
            channels: vec![Vec::new(); channels],
        }
    }

    /// Appends `frames` frames of the node's output, of which the first is frame `at` of the timeline. Drops what is queued
    /// if it does not end there, as after a seek. Does nothing for `None`: the node has not reached the start of the timeline.
    pub(super) fn push(&mut self, out: &Output, plan: &Plan, at: Option<u64>, frames: usize) {
        let Some(at) = at else { return };
        let mut queued = self.channels.first().map_or(0, Vec::len);
        if self.start + queued as u64 != at {
            self.channels.iter_mut().for_each(Vec::clear);
            self.start = at;
            queued = 0;
        }
        if out.active {
            self.channels
                .iter_mut()
                .zip(out.block.channels())
                .for_each(|(to, from)| to.extend_from_slice(from));
        } else {
            self.channels
                .iter_mut()
                .for_each(|to| to.resize(queued + frames, SILENCE));
        }
        for quiet in silent_ranges(plan, at, frames) {
            let quiet = quiet.start + queued..quiet.end + queued;
            self.channels
                .iter_mut()
                .filter_map(|c| c.get_mut(quiet.clone()))
                .for_each(|c| c.fill(0.0));
        }
    }

    /// Copies the `frames` frames from frame `at` of the timeline on into a block, after its first `offset` frames. Removes
    /// them and all earlier ones from the queue.
    pub(super) fn pop_into(&mut self, at: u64, out: &mut Block, offset: usize, frames: usize) {
        let before = saturating_usize(at.saturating_sub(self.start));
        for (to, queued) in out.channels_mut().zip(&mut self.channels) {
            let from = before.min(queued.len());
            let end = from.saturating_add(frames).min(queued.len());
            let (to, from) = (to.get_mut(offset..offset + frames), queued.get(from..end));
            to.into_iter()
                .flatten()
                .zip(from.into_iter().flatten())
                .for_each(|(to, from)| *to = *from);
            queued.drain(..end);
        }
        self.start = at + frames as u64;
    }
}
