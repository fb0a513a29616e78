//! The command line: what can be asked for, and in which words.

use clap::{Parser, Subcommand};
use soundtrack::Session;
use std::path::PathBuf;

const ABOUT_JOBS: &str = "\
The list: JSON Lines, one line a mix. Paths of sessions are relative to the list, outputs lie under DIR. With the feature
cloud JOBS, DIR, sessions and stems may be s3://bucket/name, gs://, az:// or file://.
  {\"id\":\"e01.de\",\"session\":\"e01/session.toml\",\"deliver\":\"full\",\"set\":{\"lang\":\"de\"},\"out\":\"e01/de.wav\"}
  {\"id\":\"mix-17\",\"session\":\"base.toml\",\"set\":{\"track.vox.gain\":-3.2},\"range\":\"12s..22s\",\"out\":\"000/17.wav\"}
Keys: id, session, out; deliver, set, range, format, rate.

Exit codes:
  0 all done        1 a check failed; collect: something is missing   2 wrong usage
  3 an item's line or session is wrong     4 a stem missing, unreadable or damaged     5 output or disk
  75 an item failed for a reason that may pass: start the shard again with --resume    129, 130, 143 interrupted";

/// Renders long lists of mixes in shards.
#[derive(Debug, Parser)]
#[command(name = "batch", version, after_help = ABOUT_JOBS, disable_help_subcommand = true)]
pub struct Args {
    #[command(subcommand)]
    pub tool: Tool,
}

/// What there is to do.
#[derive(Debug, Subcommand)]
pub enum Tool {
    /// What a list comes to, and everything that is wrong with it; renders nothing
    Plan(PlanArgs),
    /// Renders a shard of a list, or all of it
    Run(RunArgs),
    /// What is missing, as a list of shards, and a summary of what is there
    Collect(CollectArgs),
}

/// The command line of `plan`.
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// The list of jobs
    #[arg(value_name = "JOBS")]
    pub list: PathBuf,
    /// Into how many shards it is divided
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MOST_SHARDS))]
    pub shards: u64,
    /// Let sessions use stems outside their own folders
    #[arg(long)]
    pub outside: bool,
    /// How much memory a mix may take, in MiB
    #[arg(long, value_name = "MIB", default_value_t = Session::MAX_MEMORY >> 20, value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    pub memory: u64,
    /// Print the result as one JSON document
    #[arg(long)]
    pub json: bool,
}

/// The command line of `run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// The list of jobs
    #[arg(value_name = "JOBS")]
    pub list: PathBuf,
    /// The folder that the outputs lie under, made where it is missing; or one of an object store
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Which shard, counted from 0, and of how many: 3/200
    #[arg(long, value_name = "I/N", conflicts_with = "shards")]
    pub shard: Option<String>,
    /// Of how many shards this is one; which one is the scheduler's array index
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_SHARDS))]
    pub shards: Option<u64>,
    /// Skip what is done: the same session, stems and settings, by this version
    #[arg(long)]
    pub resume: bool,
    /// How many mixes at the same time [default: as many as there are cores]; they share the cores
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// How long mixes may go on after SIGTERM before they are dropped
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    pub grace: u32,
    /// Let sessions use stems outside their own folders
    #[arg(long)]
    pub outside: bool,
    /// How much memory each mix may take, in MiB; what needs more by its tracks and placements is refused before it starts
    #[arg(long, value_name = "MIB", default_value_t = Session::MAX_MEMORY >> 20, value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    pub memory: u64,
    /// Print nothing on stderr but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// The command line of `collect`.
#[derive(Debug, clap::Args)]
pub struct CollectArgs {
    /// The list of jobs
    #[arg(value_name = "JOBS")]
    pub list: PathBuf,
    /// The folder that the outputs lie under; or one of an object store
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Into how many shards the list was divided [default: as the outputs say]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_SHARDS))]
    pub shards: Option<u64>,
}

/// More shards than any scheduler starts.
pub const MOST_SHARDS: u64 = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }
}
