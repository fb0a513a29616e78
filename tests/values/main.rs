//! Closed-form values of what decides a sample, a position or a verdict, stated independently of the engine.
//!
//! Each module covers one kind of fault that a small change of one line can make: a coefficient, a rounding direction, a
//! limit, the first or last frame, the item that an aggregate is taken from. Limits are stated on both sides.

mod album;
mod before_start;
mod bytes;
mod clips;
mod cue_notes;
mod delays;
mod delivery;
mod edges;
mod folding;
mod gain_reduction;
mod meters;
mod moving_pan;
mod mp4;
mod mp4_edits;
mod null_tests;
mod overview;
mod plans;
mod reports;
mod rounding;
mod routing;
mod running;
mod sessions;
mod stems;
mod units;
mod verdicts;
mod warnings;
mod writing;
