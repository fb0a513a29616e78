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
mod fingerprint;
mod item;
mod job;
mod lines;
mod marker;
mod outcome;
mod place;
mod plan;
mod run;
mod scheduler;
mod setting;
mod shard;
mod stop;
mod twice;

use crate::{signals, voice::Voice};
use args::{Args, Tool};
use clap::Parser as _;
use std::process::ExitCode;

/// Runs the program with the arguments of this process and returns its exit code.
pub fn main() -> ExitCode {
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
