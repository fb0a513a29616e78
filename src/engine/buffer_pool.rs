//! Holds each node's output until every consumer has read it, then recycles the buffer.
//!
//! A recycled buffer goes to the node that begins next, so only as many buffers exist as nodes need at the same time, and most
//! of them are still in the cache.
#![expect(
    clippy::indexing_slicing,
    reason = "nodes are numbered by the plan, and every vector holds one entry for each"
)]

use super::node::{Output, Scratch};
use crate::{
    block::Block,
    plan::Plan,
    sync::{locked, read_locked, write_locked},
};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Read access to the output of a node.
pub(super) type NodeOutput<'a> = RwLockReadGuard<'a, Output>;

/// The outputs of all nodes.
///
/// Lock order: an output before the spare buffers. A node holds its own output for writing while it reads those of its feeds;
/// none of these is written again before all of its readers have taken it.
pub(super) struct BufferPool {
    outputs: Vec<RwLock<Output>>,
    /// Buffers that no node uses.
    spare: Mutex<Vec<Block>>,
    /// Scratch that no thread uses.
    scratch: Mutex<Vec<Scratch>>,
    /// Outputs are kept until they are overwritten.
    kept: bool,
}

impl BufferPool {
    pub(super) fn new(plan: &Plan) -> Self {
        let outputs = plan
            .nodes
            .iter()
            .map(|_| RwLock::new(Output::new(plan.spec.layout)))
            .collect();
        Self {
            outputs,
            spare: Mutex::default(),
            scratch: Mutex::default(),
            kept: false,
        }
    }

    /// Returns scratch for a node, to be put back afterwards.
    pub(super) fn take_scratch(&self) -> Scratch {
        locked(&self.scratch).pop().unwrap_or_default()
    }

    /// Keeps scratch for the next node.
    pub(super) fn put_back(&self, scratch: Scratch) {
        locked(&self.scratch).push(scratch);
    }

    /// Keeps every output until it is overwritten, so that [`latest`](Self::latest) can return it.
    pub(super) fn keep(&mut self) {
        self.kept = true;
    }

    pub(super) fn is_kept(&self) -> bool {
        self.kept
    }

    /// Returns the output of a node in the latest step.
    pub(super) fn latest(&mut self, node: usize) -> Option<&Output> {
        Some(
            self.outputs
                .get_mut(node)?
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Returns the output of a node for reading.
    pub(super) fn output(&self, node: usize) -> NodeOutput<'_> {
        read_locked(&self.outputs[node])
    }

    /// Returns a node's buffer to the pool, after its last reader.
    pub(super) fn release(&self, node: usize) {
        let mut output = write_locked(&self.outputs[node]);
        if !(self.kept && output.active) {
            self.recycle(&mut output);
        }
    }

    /// Returns the buffer of an output to the pool.
    fn recycle(&self, output: &mut Output) {
        if output.block.capacity() > 0 {
            let empty = Block::new(output.block.layout(), 0);
            locked(&self.spare).push(std::mem::replace(&mut output.block, empty));
        }
    }

    /// Returns the buffer of an output to the pool if it is silent, since its readers do not need it then: hundreds of silent
    /// buses may wait for the master.
    pub(super) fn recycle_silent(&self, output: &mut Output) {
        if !output.active {
            self.recycle(output);
        }
    }

    /// Returns the number of buffers, used and spare.
    #[cfg(test)]
    pub(super) fn buffers(&self) -> usize {
        let is_used = |output: &&RwLock<Output>| read_locked(output).block.capacity() > 0;
        self.outputs.iter().filter(is_used).count() + locked(&self.spare).len()
    }

    /// Returns the output of a node for writing. Where the node begins a step, the output is silent, with a spare buffer if there
    /// is one.
    pub(super) fn open(&self, node: usize, begins: bool) -> RwLockWriteGuard<'_, Output> {
        let mut output = write_locked(&self.outputs[node]);
        if begins {
            output.active = false;
            if output.block.capacity() == 0
                && let Some(block) = locked(&self.spare).pop()
            {
                output.block = block;
            }
        }
        output
    }
}
