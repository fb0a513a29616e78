//! The program `mixdown`, run as people run it: what goes in, what comes out, and how it ends.

#[path = "mixdown/deliver.rs"]
mod deliver;
#[path = "mixdown/hostile.rs"]
mod hostile;
#[path = "mixdown/inputs.rs"]
mod inputs;
#[path = "mixdown/join.rs"]
mod join;
#[path = "mixdown/judge.rs"]
mod judge;
#[path = "mixdown/limits.rs"]
mod limits;
#[path = "common/memory.rs"]
mod memory;
#[path = "mixdown/options.rs"]
mod options;
#[path = "mixdown/output.rs"]
mod output;
#[path = "mixdown/papers.rs"]
mod papers;
#[path = "mixdown/program.rs"]
mod program;
#[path = "mixdown/sessions.rs"]
mod sessions;
#[path = "mixdown/signals.rs"]
mod signals;
#[path = "mixdown/words.rs"]
mod words;
