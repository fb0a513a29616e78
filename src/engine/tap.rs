//! Taps: the output of one node, delivered together with the mix and at the same frames.
//!
//! A node may run ahead of the master by the latency of processors between them, so its output is kept until the master
//! reaches its frames. Where the node is silent while others sound, a tap holds −0.0, the additive identity; where nothing
//! of the mix sounds, 0.0. So the taps of all nodes that feed the master, added in order, are its sum, bit for bit.

use super::node::{Output, SILENCE, silent_ranges};
use crate::{block::Block, plan::Plan, units::saturating_usize};

/// A tapped node.
pub(super) struct Tap {
    pub node: usize,
    /// The first frame that is kept.
    start: u64,
    channels: Vec<Vec<f64>>,
}

impl Tap {
    pub(super) fn new(node: usize, channels: usize) -> Self {
        Self {
            node,
            start: 0,
            channels: vec![Vec::new(); channels],
        }
    }

    /// Keeps the node's output, which starts at a frame of the timeline; `None` before it starts.
    pub(super) fn take(&mut self, out: &Output, plan: &Plan, at: Option<u64>, frames: usize) {
        let Some(at) = at else { return };
        let kept = self.channels.first().map_or(0, Vec::len);
        let follows = self.start + kept as u64 == at;
        if !follows {
            self.channels.iter_mut().for_each(Vec::clear);
            self.start = at;
        }
        let kept = if follows { kept } else { 0 };
        if out.active {
            self.channels
                .iter_mut()
                .zip(out.block.channels())
                .for_each(|(to, from)| to.extend_from_slice(from));
        } else {
            self.channels
                .iter_mut()
                .for_each(|to| to.resize(kept + frames, SILENCE));
        }
        for quiet in silent_ranges(plan, at, frames) {
            let quiet = quiet.start + kept..quiet.end + kept;
            self.channels
                .iter_mut()
                .filter_map(|c| c.get_mut(quiet.clone()))
                .for_each(|c| c.fill(0.0));
        }
    }

    /// Copies frames from `at` on into a block after its first `offset` frames, and drops them and all earlier ones.
    pub(super) fn deliver(&mut self, at: u64, out: &mut Block, offset: usize, frames: usize) {
        let before = saturating_usize(at.saturating_sub(self.start));
        for (to, kept) in out.channels_mut().zip(&mut self.channels) {
            let from = before.min(kept.len());
            let end = from.saturating_add(frames).min(kept.len());
            let (to, from) = (to.get_mut(offset..offset + frames), kept.get(from..end));
            to.into_iter()
                .flatten()
                .zip(from.into_iter().flatten())
                .for_each(|(to, from)| *to = *from);
            kept.drain(..end);
        }
        self.start = at + frames as u64;
    }
}
