//! Loudness and true peak against the cases of EBU Tech 3341 and 3342, and against other meters.
//!
//! `cargo test --release --test measuring loudness -- --nocapture` prints the tables.

mod blocks;
mod ebu;
mod reference;
mod true_peak;
