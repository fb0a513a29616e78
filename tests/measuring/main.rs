//! What is measured of a mix and made of the figures: loudness, true peak, targets, dither, comparisons and pictures.
//!
//! `cargo test --release --test measuring loudness -- --nocapture` prints the tables of loudness, `dither` those of dither.

mod compare;
mod dither;
mod loudness;
mod picture;
mod picture_geometry;
mod targets;
