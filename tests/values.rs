//! Closed-form values of what decides a sample, a position or a verdict, stated independently of the engine.
//!
//! Each module covers one kind of fault that a small change of one line can make: a coefficient, a rounding direction, a
//! limit, the first or last frame, the item that an aggregate is taken from. Limits are stated on both sides.

#[path = "values/album.rs"]
mod album;
#[path = "values/before_start.rs"]
mod before_start;
#[path = "values/clips.rs"]
mod clips;
#[path = "values/delays.rs"]
mod delays;
#[path = "values/edges.rs"]
mod edges;
#[path = "values/folding.rs"]
mod folding;
#[path = "values/moving_pan.rs"]
mod moving_pan;
#[path = "support/mp4.rs"]
mod mp4;
#[path = "values/mp4_edits.rs"]
mod mp4_edits;
#[path = "values/null_tests.rs"]
mod null_tests;
#[path = "values/overview.rs"]
mod overview;
#[path = "values/plans.rs"]
mod plans;
#[path = "values/reports.rs"]
mod reports;
#[path = "values/rounding.rs"]
mod rounding;
#[path = "values/routing.rs"]
mod routing;
#[path = "values/running.rs"]
mod running;
#[path = "values/sessions.rs"]
mod sessions;
#[path = "support/stems.rs"]
mod stems;
#[path = "values/units.rs"]
mod units;
#[path = "values/verdicts.rs"]
mod verdicts;
#[path = "values/warnings.rs"]
mod warnings;
#[path = "values/writing.rs"]
mod writing;
