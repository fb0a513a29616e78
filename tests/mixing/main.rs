//! Mixing: levels, clips and cues on the timeline, solo, plans, deliverables and slices.

mod cue_sheet;
mod cues;
mod deliver;
mod delivery_report;
mod exact_time;
mod levels;
mod listing;
mod plans;
mod podcast;
mod slices;
mod solo;
mod splice;
mod versions;
