//! The programs around the [`soundtrack`] library: `mixdown` mixes stems, folders of stems and session files; `batch`
//! renders long lists of mixes on any number of machines.
//!
//! ```text
//! bin/mixdown ─► mixdown ─┐     failure, exit_code, messages, json, stdout   how a program reports and ends
//! bin/batch ───► batch ───┼───► signals                                how a program is interrupted
//!                         │     range, suggest, text, file_store       what both read and write
//!                         └───► soundtrack, the library
//! demo: the stems and the session of the demo, which tests and benchmarks use as well
//! ```
//!
//! Each program is a module whose `main` parses the arguments of the process, and a binary that calls it.
#![forbid(unsafe_code)]
#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test that goes wrong should panic"
    )
)]

pub mod batch;
pub mod demo;
mod exit_code;
mod failure;
mod file_store;
mod json;
mod messages;
pub mod mixdown;
mod range;
mod signals;
mod stdout;
mod suggest;
mod text;
