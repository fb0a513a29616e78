//! Renders many short ranges of one plan on the caller's thread, without the scheduler: nodes run one after the other, in the
//! order of the plan, in steps that stay in the first-level cache.
//!
//! The bits are those of the scheduler, which runs the same tasks. Everything is kept from range to range (readers, buffers,
//! positions), so that after the first ranges nothing is allocated.

use super::{
    Renderer,
    buffer_pool::NodeOutput,
    direct_feed::{self, DirectPart, Feed},
    node::{self, NodePosition, NodeState, NodeTask, OfEachInsert, Output},
};
use crate::{
    block::Block,
    curve::Automation,
    engine::Options,
    error::Result,
    plan::{Node, Plan},
    units::{Frames, saturating_usize},
};
use std::ops::Range;

/// Frames of a step. The outputs of some stereo nodes of this length fit into the first-level cache.
const STEP: usize = 1_024;

/// A renderer of ranges, see the [module](self).
pub(crate) struct SerialRenderer {
    renderer: Renderer,
    /// For each node, whether it is muted.
    muted: Vec<bool>,
    /// The plan has processors, so that frames before a range must be rendered.
    has_processors: bool,
    positions: Vec<NodePosition>,
    /// Scratch for the first frames that the nodes need.
    needed: Vec<Option<u64>>,
    /// For each node, the way in which it reaches the sums that it feeds.
    feeds: Vec<Feed>,
    /// For each node, the samples in memory that are its part of the step, where they reach their sum without its block.
    parts: Vec<Option<DirectPart>>,
    /// A block of silence, in place of the output of a node that does not sound.
    silence: Block,
}

/// The outputs of a step.
pub(crate) struct StepOutputs<'a> {
    /// The number of its first frame in the range.
    pub from: usize,
    /// The first frame of the node outputs that belongs to it.
    skip: usize,
    /// Its frames.
    pub frames: usize,
    mix: &'a Output,
    renderer: &'a SerialRenderer,
}

impl StepOutputs<'_> {
    /// Calls `write` with a block and the range of its frames that is the mix.
    pub(crate) fn mix(&self, write: impl FnOnce(&Block, Range<usize>)) {
        self.write(self.mix, write);
    }

    /// Calls `write` with a block and the range of its frames that is the output of a node.
    pub(crate) fn node(&self, node: usize, write: impl FnOnce(&Block, Range<usize>)) {
        self.write(&self.renderer.renderer.buffers.output(node), write);
    }

    fn write(&self, output: &Output, write: impl FnOnce(&Block, Range<usize>)) {
        let block = if output.active {
            &output.block
        } else {
            &self.renderer.silence
        };
        write(block, self.skip..self.skip + self.frames);
    }
}

impl SerialRenderer {
    /// Makes a renderer that keeps the stems of the plan open, once they have sounded.
    ///
    /// # Errors
    /// Passes on the errors of [`Renderer::new`].
    pub(crate) fn new(plan: Plan) -> Result<Self> {
        let layout = plan.spec.layout;
        let mut renderer = Renderer::new(plan, &Options { threads: 1 })?;
        renderer.unwatched();
        renderer.buffers.keep();
        let feeds = direct_feed::feeds(&renderer.plan);
        let planned = renderer.plan.nodes.iter().zip(&feeds);
        let nodes = renderer.nodes.iter_mut().zip(planned);
        for (index, (state, (node, feed))) in nodes.enumerate() {
            state.keep_everything();
            // It is needed where a clip begins or ends, which may not be in the first ranges.
            if *feed != Feed::Rendered {
                state.open_stems(node)?;
            }
            renderer.buffers.open(index, true).block = Block::new(layout, STEP);
        }
        let mut silence = Block::new(layout, STEP);
        silence.fill(STEP, 0.0);
        Ok(Self {
            muted: vec![false; renderer.nodes.len()],
            has_processors: renderer.has_processors(),
            positions: Vec::with_capacity(renderer.nodes.len()),
            needed: Vec::new(),
            parts: vec![None; feeds.len()],
            feeds,
            silence,
            renderer,
        })
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.renderer.plan
    }

    /// Keeps the output of a node for [`StepOutputs::node`].
    pub(crate) fn keep_output(&mut self, node: usize) {
        self.feeds
            .get_mut(node)
            .into_iter()
            .for_each(direct_feed::keep_block);
    }

    /// Mutes the output of a node, or not.
    pub(crate) fn set_muted(&mut self, node: usize, muted: bool) {
        if let Some(state) = self.muted.get_mut(node) {
            *state = muted;
        }
    }

    /// Returns the gain of a node over time, to change it.
    pub(crate) fn gain_mut(&mut self, node: usize) -> Option<&mut Automation> {
        Some(&mut self.renderer.plan.nodes.get_mut(node)?.gain)
    }

    /// Returns the pan of a node over time, to change it.
    pub(crate) fn pan_mut(&mut self, node: usize) -> Option<&mut Automation> {
        Some(&mut self.renderer.plan.nodes.get_mut(node)?.pan)
    }

    /// Renders `frames` frames from `at` on, fewer at the end of the mix, and calls `take` with the outputs of each step. Returns
    /// their number.
    ///
    /// Nodes run ahead of the mix by the latency between them, so the outputs of nodes are those of the same frames only in a
    /// plan without latency.
    ///
    /// # Errors
    /// Passes on the errors of stems that cannot be decoded.
    pub(crate) fn render(
        &mut self,
        at: Frames,
        frames: usize,
        mut take: impl FnMut(StepOutputs<'_>),
    ) -> Result<usize> {
        let left = self.plan().length.0.saturating_sub(at.0);
        let frames = frames.min(saturating_usize(left));
        let latency = self.plan().latency().0;
        let first = if self.has_processors {
            let needed = &mut self.needed;
            self.renderer.plan.first_input_in(at.0, None, needed)
        } else {
            at.0
        };
        self.renderer.start_at(at.0, first);
        let mut warm_up = at.0 - first + latency;
        let mut done = 0;
        while done < frames {
            let wanted = warm_up.saturating_add((frames - done) as u64);
            let n = wanted.min(self.renderer.until_change()).min(STEP as u64);
            self.step(saturating_usize(n))?;
            let skip = warm_up.min(n);
            warm_up -= skip;
            let (skip, n) = (saturating_usize(skip), saturating_usize(n));
            if n > skip {
                let master = self.renderer.nodes.len() - 1;
                let mix = self.renderer.buffers.output(master);
                take(StepOutputs {
                    from: done,
                    skip,
                    frames: n - skip,
                    mix: &mix,
                    renderer: self,
                });
                done += n - skip;
            }
        }
        Ok(frames)
    }

    /// Renders the next frames of every node.
    fn step(&mut self, frames: usize) -> Result<()> {
        let mut positions = std::mem::take(&mut self.positions);
        let mut parts = std::mem::take(&mut self.parts);
        parts.clear();
        parts.resize(self.feeds.len(), None);
        positions.clear();
        let lags = self.renderer.plan.nodes.iter().map(|node| node.lag);
        positions.extend(lags.map(|lag| self.renderer.node_position(lag)));
        let Renderer {
            plan,
            nodes,
            buffers,
            ..
        } = &mut self.renderer;
        let states = nodes.iter_mut().zip(&plan.nodes);
        for (index, ((state, node), position)) in states.zip(&positions).enumerate() {
            let mut out = buffers.open(index, true);
            if !node.live || self.muted.get(index) == Some(&true) {
                continue;
            }
            let feed = self.feeds.get(index).copied().unwrap_or(Feed::Rendered);
            if feed != Feed::Rendered
                && let Some(part) = direct_feed::part(node, plan, *position, frames)
            {
                if feed == Feed::Block {
                    node::ensure_frames(&mut out.block, frames);
                    out.active = true;
                    part.mix(node, &mut out.block, false);
                } else if let Some(own) = parts.get_mut(index) {
                    *own = Some(part);
                }
                continue;
            }
            for (number, feed) in node.feeds().iter().enumerate() {
                if let Some(part) = parts.get(feed.node).copied().flatten()
                    && let Some(track) = plan.nodes.get(feed.node)
                {
                    let adds = out.active;
                    if !adds {
                        node::ensure_frames(&mut out.block, frames);
                        out.active = true;
                    }
                    part.mix(track, &mut out.block, adds);
                    continue;
                }
                let input = buffers.output(feed.node);
                let input = state.delayed(number, &input, frames);
                node::add_feed(&mut out, input, feed.gain, frames);
            }
            let keys = node.before.keys.iter();
            let keys: OfEachInsert<NodeOutput<'_>> = keys
                .map(|key| Some(buffers.output(key.as_ref()?.node?)))
                .collect();
            let mut scratch = buffers.take_scratch();
            state.render(
                &mut out,
                node,
                NodeTask {
                    plan,
                    fed: &[],
                    keys: &keys,
                    position: *position,
                    frames,
                },
                &mut scratch,
            )?;
            buffers.put_back(scratch);
        }
        (self.positions, self.parts) = (positions, parts);
        self.renderer.transport.advance(frames as u64);
        Ok(())
    }
}

impl NodeState {
    /// Keeps stems open and buffers allocated that do not sound.
    fn keep_everything(&mut self) {
        self.keeps = true;
    }

    /// Opens the stems of all clips.
    fn open_stems(&mut self, node: &Node) -> Result<()> {
        for (reader, clip) in self.readers.iter_mut().zip(node.clips()) {
            reader
                .hold_open(&clip.stem)
                .map_err(|e| e.in_track(&node.name))?;
        }
        Ok(())
    }
}
