//! An exact audio stem mixing engine.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod block;
mod dsp;
mod error;
mod layout;
mod riff;
pub mod sink;
pub mod source;
mod units;

pub use block::Block;
pub use error::{Error, ErrorKind, Place, Problem, Result};
pub use layout::{Layout, UnknownLayout};
pub use sink::Sink;
pub use source::{Source, Spec};
pub use units::{Dbfs, Decibels, Frames, Gain, Pan, SampleRate};
