//! Delivers the master's output, and the output of tapped nodes beside it, into blocks of any size.

use super::{
    buffer_pool::NodeOutput,
    node::{NodePosition, Output},
    tap::Tap,
};
use crate::{block::Block, error::Result, plan::Plan};

/// Receives rendered frames.
pub(crate) trait BlockSink: Send {
    /// Returns the blocks for the next frames, with at least one free frame.
    fn free(&mut self) -> Result<FreeFrames<'_>>;
    /// Called after frames were written to those blocks.
    fn filled(&mut self, frames: usize) -> Result<()>;
}

/// Blocks of one size, and the first of their frames that is free.
pub(crate) struct FreeFrames<'a> {
    pub mix: &'a mut Block,
    /// One for each tapped node.
    pub taps: &'a mut [Block],
    pub from: usize,
}

/// Writes rendered frames into blocks of the caller.
pub(super) struct CallerBlocks<'a> {
    pub mix: &'a mut Block,
    pub taps: &'a mut [Block],
    pub done: usize,
}

impl BlockSink for CallerBlocks<'_> {
    fn free(&mut self) -> Result<FreeFrames<'_>> {
        Ok(FreeFrames {
            mix: self.mix,
            taps: self.taps,
            from: self.done,
        })
    }

    fn filled(&mut self, frames: usize) -> Result<()> {
        self.done += frames;
        Ok(())
    }
}

/// Passes the master's output to a sink.
pub(super) struct MasterOutput<'a> {
    pub plan: &'a Plan,
    pub taps: &'a mut [Tap],
    /// Frames are delivered; otherwise they only bring processors into their state.
    pub delivers: bool,
    pub sink: &'a mut dyn BlockSink,
}

impl MasterOutput<'_> {
    /// Takes a block of the master, and the outputs of the tapped nodes of the same step.
    pub(super) fn take<'g>(
        &mut self,
        position: NodePosition,
        frames: usize,
        master: &Output,
        node: &dyn Fn(usize) -> (NodePosition, NodeOutput<'g>),
    ) -> Result<()> {
        for tap in &mut *self.taps {
            if tap.node + 1 == self.plan.nodes.len() {
                tap.push(master, self.plan, position.output, frames);
            } else {
                let (position, output) = node(tap.node);
                tap.push(&output, self.plan, position.output, frames);
            }
        }
        let Some(at) = position.output.filter(|_| self.delivers) else {
            return Ok(());
        };
        let mut done = 0;
        while done < frames {
            let FreeFrames { mix, taps, from } = self.sink.free()?;
            let n = (frames - done).min(mix.frames() - from);
            for (to, samples) in mix.channels_mut().zip(master.block.channels()) {
                let (to, samples) = (to.get_mut(from..from + n), samples.get(done..done + n));
                to.into_iter()
                    .zip(samples)
                    .for_each(|(to, samples)| to.copy_from_slice(samples));
            }
            for (tap, to) in self.taps.iter_mut().zip(taps) {
                tap.pop_into(at + done as u64, to, from, n);
            }
            done += n;
            self.sink.filled(n)?;
        }
        Ok(())
    }
}
