//! Delivers the master's output, and the output of tapped nodes beside it, into blocks of any size.

use super::{
    buffer_pool::NodeOutput,
    node::{NodePlace, Output},
    tap::Tap,
};
use crate::{block::Block, error::Result, plan::Plan};

/// Receives rendered frames.
pub(crate) trait BlockSink: Send {
    /// Returns where the next frames go: at least one free frame.
    fn free(&mut self) -> Result<FreeFrames<'_>>;
    /// Is called after frames were written there.
    fn filled(&mut self, frames: usize) -> Result<()>;
}

/// Blocks of one size, and the first of their frames that is free.
pub(crate) struct FreeFrames<'a> {
    pub mix: &'a mut Block,
    /// One for each tapped node.
    pub taps: &'a mut [Block],
    pub from: usize,
}

/// Writes into blocks of the caller.
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

/// Passes on what the master renders.
pub(super) struct MasterOutput<'a> {
    pub plan: &'a Plan,
    pub taps: &'a mut [Tap],
    /// Whether frames are delivered, or only bring processors into their state.
    pub delivers: bool,
    pub sink: &'a mut dyn BlockSink,
}

impl MasterOutput<'_> {
    /// Takes a block of the master, and the outputs of the tapped nodes of the same step.
    pub(super) fn take<'g>(
        &mut self,
        place: NodePlace,
        frames: usize,
        master: &Output,
        node: &dyn Fn(usize) -> (NodePlace, NodeOutput<'g>),
    ) -> Result<()> {
        for tap in &mut *self.taps {
            if tap.node + 1 == self.plan.nodes.len() {
                tap.take(master, self.plan, place.output, frames);
            } else {
                let (place, output) = node(tap.node);
                tap.take(&output, self.plan, place.output, frames);
            }
        }
        let Some(at) = place.output.filter(|_| self.delivers) else {
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
                tap.give(at + done as u64, to, from, n);
            }
            done += n;
            self.sink.filled(n)?;
        }
        Ok(())
    }
}
