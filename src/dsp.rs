//! Signal processing: the processors of strips, and the kernels that they and the engine are built from.
//!
//! Kernels are pure functions of samples: no files, and no state that outlives a call. Processors keep state and declare how
//! much earlier input it depends on: see [`Processor`].

mod decibel;
mod delay;
pub(crate) mod dither;
mod ducker;
mod dynamics;
pub(crate) mod extent;
mod filter;
pub(crate) mod gain;
pub(crate) mod glide;
pub(crate) mod limiter;
pub(crate) mod pan;
pub(crate) mod peak;
mod processor;
pub(crate) mod quantise;
pub(crate) mod rate_conversion;
pub(crate) mod trim;
pub(crate) mod true_peak;

pub use glide::Glide;
pub use processor::{Memory, PROCESSORS, Parameter, Processor, ProcessorKind, Unit};
