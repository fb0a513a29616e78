//! Loudness and true peak against the cases of EBU Tech 3341 and 3342, and against other meters.
//!
//! `cargo test --release --test loudness -- --nocapture` prints the tables.

#[path = "loudness/blocks.rs"]
mod blocks;
#[path = "loudness/ebu.rs"]
mod ebu;
#[path = "loudness/reference.rs"]
mod reference;
#[path = "loudness/signal.rs"]
mod signal;
#[path = "loudness/true_peak.rs"]
mod true_peak;
