//! Mixing: levels, clips and cues on the timeline, solo, plans, deliverables and slices.

mod cues;
mod deliver;
mod exact_time;
mod levels;
mod plans;
mod slices;
mod solo;
