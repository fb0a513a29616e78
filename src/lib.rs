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
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a test that goes wrong should panic"
    )
)]

mod riff;
mod nearest;
mod units;
mod layout;
mod block;
mod curve;
mod session;
mod plan;
mod render;
mod bounce;
pub mod source;
pub mod sink;
mod dsp;
pub mod report;
mod error;

pub use block::Block;
pub use bounce::{Bounce, Progress};
pub use curve::{Curve, Fade, FadeShape, Point, Shape, UnknownShape};
pub use dsp::pan::{PanLaw, UnknownPanLaw};
pub use error::{Error, ErrorKind, Place, Problem, Result};
pub use layout::{Layout, UnknownLayout};
pub use plan::Plan;
pub use render::{Options, Renderer};
pub use report::Report;
pub use session::{Bus, BusId, Clip, Damage, Input, Load, Master, Opener, Send, Session, Strip, Track, TrackId};
pub use sink::{Format, Sink};
pub use source::{Source, Spec};
pub use units::{Dbfs, Decibels, Frames, Gain, NotANumber, Pan, SampleRate};
