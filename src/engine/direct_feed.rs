//! Mixes tracks straight from the samples of a program, for [crops](super::serial).
//!
//! A track that plays a clip from memory through nothing but a constant fader needs no block of its own, no reader and no pass
//! over its samples for each of conversion, check, fader and sum: one pass does all of them. The bits are those of the general
//! way, which rounds in the same order: the sample is exact as `f64`, the fader multiplies it, the sum adds it.

use super::{clip_mixer::is_flat, node::NodePosition};
use crate::{
    block::Block,
    dsp::pan::PanLaw,
    layout::Side,
    media::Memory,
    plan::{ChannelMap, Node, NodeKind, Plan},
    units::{Pan, saturating_usize},
};

/// Maximum number of channels of a session whose tracks are mixed this way.
const MAX_CHANNELS: usize = 8;

/// The way in which a track of a plan reaches the sums that it feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feed {
    /// Through its block, which [`NodeState::render`](super::node::NodeState::render) fills.
    Rendered,
    /// Through its block, which is filled straight from memory where that is possible.
    Block,
    /// Straight from memory into the only sum that it feeds, where that is possible.
    Sum,
}

/// Samples in memory that become a track's part of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct DirectPart {
    /// Their first frame.
    from: usize,
    /// The fader of each channel.
    gains: [f64; MAX_CHANNELS],
}

/// Returns the way of each node of a plan.
pub(super) fn feeds(plan: &Plan) -> Vec<Feed> {
    let mut feeds: Vec<Feed> = plan.nodes.iter().map(|node| of_node(node, plan)).collect();
    let mut is_read = vec![false; feeds.len()];
    for node in &plan.nodes {
        for (index, feed) in node.feeds().iter().enumerate() {
            let is_plain = feed.gain == 1.0 && node.delays.get(index).is_none_or(|d| *d == 0);
            let is_first = !is_read.get(feed.node).copied().unwrap_or(true);
            if let Some(way) = feeds.get_mut(feed.node)
                && !(is_plain && is_first)
            {
                keep_block(way);
            }
            if let Some(read) = is_read.get_mut(feed.node) {
                *read = true;
            }
        }
        for (key, _) in node.before.sounding_keys() {
            feeds.get_mut(key).into_iter().for_each(keep_block);
        }
    }
    feeds
}

/// Makes a track fill its block, since others than its sum read it.
pub(super) fn keep_block(feed: &mut Feed) {
    if *feed == Feed::Sum {
        *feed = Feed::Block;
    }
}

fn of_node(node: &Node, plan: &Plan) -> Feed {
    let has_processors = !(node.before.is_empty() && node.after.is_empty());
    let [clip] = node.clips() else {
        return Feed::Rendered;
    };
    let is_plain = node.kind == NodeKind::Track
        && node.live
        && !has_processors
        && clip.gain == 1.0
        && matches!(clip.channel_map, ChannelMap::Fold(_))
        && clip.is_straight(plan.spec.layout)
        && plan.spec.layout.channels() <= MAX_CHANNELS;
    match clip.stem.memory() {
        Some(_) if is_plain => Feed::Sum,
        _ => Feed::Rendered,
    }
}

/// Returns a track's part of a step; `None` where the samples need more than a constant fader, where the clip begins or ends in
/// the step, and for samples that are damaged: then the track must be rendered.
pub(super) fn part(
    node: &Node,
    plan: &Plan,
    position: NodePosition,
    frames: usize,
) -> Option<DirectPart> {
    let [clip] = node.clips() else { return None };
    let at = position.input.filter(|at| position.fader == Some(*at))?;
    let (level, pan) = (node.gain.constant()?, node.pan.constant()?);
    let stretch = at..at.checked_add(frames as u64)?;
    let is_inside = clip.range.start <= stretch.start && stretch.end <= clip.range.end;
    if !is_inside || !is_flat(clip, stretch) {
        return None;
    }
    let (in_pass, left) = clip.passes.locate(clip.offset(at));
    if left.min(clip.available.saturating_sub(in_pass)) < frames as u64 {
        return None;
    }
    let from = saturating_usize(clip.from + in_pass);
    let memory = clip.stem.memory()?;
    if !memory.is_plausible(from, frames) {
        return None;
    }
    let (left, right) = PanLaw::Balance.gains(Pan(pan));
    let mut gains = [1.0; MAX_CHANNELS];
    for (gain, speaker) in gains.iter_mut().zip(plan.spec.layout.speakers()) {
        *gain = level
            * match speaker.side() {
                Side::Left => left,
                Side::Right => right,
                Side::Middle => 1.0,
            };
    }
    Some(DirectPart { from, gains })
}

impl DirectPart {
    /// Writes the part into a block, or adds it to what the block holds. The block has the frames of the step.
    pub(super) fn mix(&self, node: &Node, out: &mut Block, adds: bool) {
        let memory: Option<&Memory> = node.clips().first().and_then(|clip| clip.stem.memory());
        if let Some(memory) = memory {
            memory.mix(self.from, &self.gains, out, adds);
        }
    }
}
