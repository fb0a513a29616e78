//! What one lane gives, beside the mix and at the same frames.
//!
//! Lanes may run ahead of what the renderer gives out, so what they gave is kept until its frames come. Where the lane
//! gives nothing while others sound it holds −0.0, which adds up to nothing; where nothing of the mix sounds, 0.0. So the
//! taps of everything that feeds the master, added in order, are the master's sum, bit for bit.

use super::node::{NOTHING, Output, quiet};
use crate::{block::Block, plan::Plan};

/// A lane that is listened to.
pub(super) struct Tap {
    pub lane: usize,
    /// The first frame that is kept.
    start: u64,
    channels: Vec<Vec<f64>>,
}

impl Tap {
    pub(super) fn new(lane: usize, channels: usize) -> Self {
        Self { lane, start: 0, channels: vec![Vec::new(); channels] }
    }

    /// Keeps what the lane gave from a frame on.
    pub(super) fn take(&mut self, out: &Output, plan: &Plan, at: u64, frames: usize) {
        let kept = self.channels.first().map_or(0, Vec::len);
        let follows = self.start + kept as u64 == at;
        if !follows {
            self.channels.iter_mut().for_each(Vec::clear);
            self.start = at;
        }
        let kept = if follows { kept } else { 0 };
        if out.active {
            self.channels.iter_mut().zip(out.block.channels()).for_each(|(to, from)| to.extend_from_slice(from));
        } else {
            self.channels.iter_mut().for_each(|to| to.resize(kept + frames, NOTHING));
        }
        for quiet in quiet(plan, at, frames) {
            let quiet = quiet.start + kept..quiet.end + kept;
            self.channels.iter_mut().filter_map(|c| c.get_mut(quiet.clone())).for_each(|c| c.fill(0.0));
        }
    }

    /// Gives out frames from `at` on, behind the first `offset` of a block, and lets go of all before their end.
    pub(super) fn give(&mut self, at: u64, out: &mut Block, offset: usize, frames: usize) {
        let before = usize::try_from(at.saturating_sub(self.start)).unwrap_or(usize::MAX);
        for (to, kept) in out.channels_mut().zip(&mut self.channels) {
            let from = before.min(kept.len());
            let end = from.saturating_add(frames).min(kept.len());
            let (to, from) = (to.get_mut(offset..offset + frames), kept.get(from..end));
            to.into_iter().flatten().zip(from.into_iter().flatten()).for_each(|(to, from)| *to = *from);
            kept.drain(..end);
        }
        self.start = at + frames as u64;
    }
}
