//! `batch`: renders thousands of mixes from a list, in shards that any scheduler starts, on any number of machines.
//!
//! ```text
//! jobs.jsonl ─► plan     number of items, hours, bytes, and every line that is wrong
//!            ─► run      one shard: line i belongs to shard i mod N; writes a file and its marker for each item
//!            ─► collect  missing items as an --array= list; summary.jsonl, summary.csv, overview_page
//!
//! job_list ─► job ─► item ─► file, marker ─► outcome ─► display: a line of JSON, or for people on a terminal
//!    shard, scheduler_variables: which lines      fingerprint: whether an item is done      duplicates: ids, outputs
//! ```
//!
//! A mix is a function of its session and its stems, so shards do not communicate: there is no server, no port and no lock.
//! A published file is complete; an item without one is rendered again.

mod args;
mod collect;
mod display;
mod duplicates;
mod fingerprint;
mod grace_period;
mod index_ranges;
mod item;
mod job;
mod job_list;
mod marker;
mod outcome;
mod overview_page;
mod plan;
mod run;
mod scheduler_variables;
mod shard;
mod summary;
mod toml_value;
mod workers;

use crate::{failure::Failure, messages::Messages, signals};
use args::Args;
pub use args::Command;
use clap::Parser as _;
use std::process::ExitCode;

/// Runs the program with the arguments of this process and returns its exit code.
pub fn main() -> ExitCode {
    signals::survive_large_files();
    let command = Args::parse().command;
    ExitCode::from(run(&command).unwrap_or_else(|failure| {
        if matches!(&command, Command::Plan(args) if args.json) {
            failure.print_document();
        }
        failure.print(Messages::default())
    }))
}

/// Executes a command and returns the exit code.
pub(crate) fn run(command: &Command) -> Result<u8, Failure> {
    match command {
        Command::Plan(args) => plan::run(args),
        Command::Run(args) => run::run(args),
        Command::Collect(args) => collect::run(args),
    }
}
