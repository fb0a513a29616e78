//! Helpers of the tests of this workspace: stems and ways to render them, folders with the programs in them, inputs for
//! fuzzing, and skipping of tests whose requirements are missing.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::new_without_default,
    reason = "helpers of tests panic where something is wrong"
)]

pub mod batch_desk;
pub mod data;
pub mod desk;
pub mod fuzzing;
pub mod json_schema;
pub mod memory;
pub mod program;
pub mod renders;
pub mod requirement;
pub mod signals;
