//! `batch`: thousands of mixes from a list, in shards that any scheduler starts, on any number of machines.
//!
//! ```text
//! jobs.jsonl ─► plan     what it comes to, and every line that is wrong
//!            ─► run      one shard: line i belongs to shard i mod N; a file and its marker for each item
//!            ─► collect  what is missing, as an --array= list; summary.jsonl, summary.csv
//! ```
//!
//! A mix is a function of its session and its stems, so shards need nothing of each other: there is no server, no port and
//! no lock. What was published is whole; what was not is done again.

mod args;
mod collect;
#[path = "../mixdown/failure.rs"]
#[expect(
    dead_code,
    reason = "what goes wrong when printing and the hints are the other program's"
)]
mod failure;
mod fingerprint;
mod item;
mod job;
mod lines;
mod marker;
#[path = "../mixdown/names.rs"]
#[allow(dead_code, reason = "names of tracks are the other program's")]
mod names;
mod outcome;
mod place;
mod plan;
#[path = "../mixdown/range.rs"]
mod range;
mod run;
mod scheduler;
mod setting;
mod shard;
#[path = "../mixdown/signals.rs"]
mod signals;
mod stop;
mod twice;
#[path = "../mixdown/voice.rs"]
#[expect(dead_code, reason = "warnings and progress are the other program's")]
mod voice;

use args::{Args, Tool};
use clap::Parser as _;
use std::process::ExitCode;
use voice::Voice;

fn main() -> ExitCode {
    signals::survive_large_files();
    let outcome = match &Args::parse().tool {
        Tool::Plan(args) => plan::run(args),
        Tool::Run(args) => run::run(args),
        Tool::Collect(args) => collect::run(args),
    };
    let voice = Voice {
        quiet: false,
        verbose: false,
        json: false,
    };
    ExitCode::from(outcome.unwrap_or_else(|failure| failure.tell(voice)))
}
