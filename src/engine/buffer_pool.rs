//! Holds each node's output until every consumer has read it, then recycles the buffer.
//!
//! A recycled buffer goes to the node that begins next, so there are as many as are needed at once, and mostly in the
//! cache.
#![expect(
    clippy::indexing_slicing,
    reason = "nodes are numbered by the plan, and every vector holds one entry for each"
)]

use super::node::Output;
use crate::{block::Block, plan::Plan, sync::locked};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Read access to the output of a node.
pub(super) type NodeOutput<'a> = RwLockReadGuard<'a, Output>;

/// The outputs of all nodes.
pub(super) struct BufferPool {
    outputs: Vec<RwLock<Output>>,
    /// Buffers that no node uses.
    spare: Mutex<Vec<Block>>,
    /// Whether every output is kept until it is written over.
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
            kept: false,
        }
    }

    /// Keeps every output from now on, for [`latest`](Self::latest).
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

    /// Returns the output of a node to those that read it.
    pub(super) fn output(&self, node: usize) -> NodeOutput<'_> {
        self.outputs[node]
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a node's buffer to the pool, after its last reader.
    pub(super) fn release(&self, node: usize) {
        let mut output = self.outputs[node]
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if output.block.capacity() > 0 && !(self.kept && output.active) {
            let empty = Block::new(output.block.layout(), 0);
            locked(&self.spare).push(std::mem::replace(&mut output.block, empty));
        }
    }

    /// Returns the output that a node writes; emptied, and with a buffer if there is a spare one, where the node begins.
    pub(super) fn open(&self, node: usize, begins: bool) -> RwLockWriteGuard<'_, Output> {
        let mut output = self.outputs[node]
            .write()
            .unwrap_or_else(PoisonError::into_inner);
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
