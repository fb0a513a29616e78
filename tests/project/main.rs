//! Facts about the source tree that its documents state.

mod layers;
mod promises;
