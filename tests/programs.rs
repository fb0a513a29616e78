//! The programs' own tests: cargo runs none of an example.
#![allow(
    dead_code,
    clippy::duplicate_mod,
    reason = "their starts are not called, and they share files"
)]

#[path = "../examples/batch/main.rs"]
mod batch;
#[path = "../examples/mixdown/main.rs"]
mod mixdown;
