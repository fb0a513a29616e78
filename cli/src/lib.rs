//! The programs around the [`soundtrack`] library: `mixdown`, which mixes stems, folders of stems and session files, and
//! `batch`, which makes thousands of mixes from a list on any number of machines.
//!
//! Each program is a module whose `main` parses the arguments of the process, and a binary that calls it. The [`demo`] makes
//! a short piece of music by code, which tests and benchmarks use as well.

pub mod batch;
pub mod demo;
mod failure;
pub mod mixdown;
mod names;
mod range;
mod signals;
mod voice;
