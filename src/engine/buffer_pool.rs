//! Where what lanes give lies until all who read it have taken it. Room that is free again goes to whoever begins next, so
//! it is as much as is needed at once, and mostly in the cache.
#![expect(clippy::indexing_slicing, reason = "lanes are numbered by the plan, and there is one of everything for each")]

use super::node::Output;
use crate::{block::Block, plan::Plan, sync::locked};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// What a lane gave that is read.
pub(super) type Given<'a> = RwLockReadGuard<'a, Output>;

/// Where what lanes give is kept until all have taken it.
pub(super) struct Shelf {
    outputs: Vec<RwLock<Output>>,
    /// Room that is not used.
    spare: Mutex<Vec<Block>>,
    /// Whether everything is kept until it is written over.
    kept: bool,
}

impl Shelf {
    pub(super) fn new(plan: &Plan) -> Self {
        let outputs = plan.lanes.iter().map(|_| RwLock::new(Output::new(plan.spec.layout))).collect();
        Self { outputs, spare: Mutex::default(), kept: false }
    }

    /// From here on keeps what lanes give, for [`latest`](Self::latest).
    pub(super) fn keep(&mut self) {
        self.kept = true;
    }

    /// What a lane gave in the latest step.
    pub(super) fn latest(&mut self, lane: usize) -> Option<&Output> {
        Some(self.outputs.get_mut(lane)?.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a lane gave, for those that read it.
    pub(super) fn given(&self, lane: usize) -> Given<'_> {
        self.outputs[lane].read().unwrap_or_else(PoisonError::into_inner)
    }

    /// All have taken what a lane gave: its room is for others.
    pub(super) fn release(&self, lane: usize) {
        let mut output = self.outputs[lane].write().unwrap_or_else(PoisonError::into_inner);
        if output.block.capacity() > 0 && !(self.kept && output.active) {
            let empty = Block::new(output.block.layout(), 0);
            locked(&self.spare).push(std::mem::replace(&mut output.block, empty));
        }
    }

    /// Where a lane puts what it gives; with room and nothing in it where it begins.
    pub(super) fn begun(&self, lane: usize, begins: bool) -> RwLockWriteGuard<'_, Output> {
        let mut output = self.outputs[lane].write().unwrap_or_else(PoisonError::into_inner);
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

    pub(super) fn is_kept(&self) -> bool {
        self.kept
    }
}
