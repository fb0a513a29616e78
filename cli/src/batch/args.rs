//! Command line of `batch`.

use clap::{Parser, Subcommand};
use soundtrack::Session;
use std::path::PathBuf;

const JOB_HELP: &str = "\
JOBS is a file of JSON Lines, one mix per line. Sessions are relative to it, outputs to DIR.
With the feature cloud, all of these and stems may be s3://bucket/name, gs://, az:// or file://.
  {\"id\":\"e01.de\",\"session\":\"e01/session.toml\",\"deliver\":\"full\",\"out\":\"e01/de.wav\"}
  {\"id\":\"17\",\"session\":\"base.toml\",\"set\":{\"track.vox.gain\":-3.2},\"out\":\"000/17.wav\"}
Required keys: id, session, out. Optional keys: deliver, set, range, format, rate.

Exit codes:
  0 success                          1 a check failed; collect: items are missing
  2 wrong usage                      3 the line or the session of an item is wrong
  4 a stem is missing or damaged     5 output or disk failed
  75 temporary failure: run the shard again with --resume
  129, 130, 143 interrupted";

/// Renders long lists of mixes in shards.
#[derive(Debug, Parser)]
#[command(name = "batch", version, propagate_version = true, max_term_width = 100, after_help = JOB_HELP)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

/// Commands of the program.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Checks a list and prints its size; renders nothing
    Plan(PlanArgs),
    /// Renders a shard of a list, or the whole list
    Run(RunArgs),
    /// Lists the shards of missing items and writes a summary of the others
    Collect(CollectArgs),
}

/// Arguments of `plan`.
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// List of jobs, as JSON Lines
    #[arg(value_name = "JOBS")]
    pub list: PathBuf,
    /// Divide the list into N shards
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MAX_SHARDS))]
    pub shards: u64,
    /// Allow stems outside the folders of the sessions
    #[arg(long)]
    pub outside: bool,
    /// Refuse a mix that needs more memory than this
    #[arg(long, value_name = "MIB", default_value_t = Session::MAX_MEMORY >> 20, value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    pub memory: u64,
    /// Print the result as one JSON document
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// List of jobs, as JSON Lines
    #[arg(value_name = "JOBS")]
    pub list: PathBuf,
    /// Write outputs to this folder, or folder of an object store
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Render shard I of N, counted from 0: 3/200
    #[arg(long, value_name = "I/N", conflicts_with = "shards")]
    pub shard: Option<String>,
    /// Render the shard of the scheduler's array index, of N
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_SHARDS))]
    pub shards: Option<u64>,
    /// Skip items done with the same session, stems, settings and version
    #[arg(long)]
    pub resume: bool,
    /// Render N mixes at the same time [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// Let running mixes finish for this time after SIGTERM
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    pub grace: u32,
    /// Allow stems outside the folders of the sessions
    #[arg(long)]
    pub outside: bool,
    /// Refuse a mix that needs more memory than this
    #[arg(long, value_name = "MIB", default_value_t = Session::MAX_MEMORY >> 20, value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    pub memory: u64,
    /// Print JSON lines on a terminal too, as into a pipe or file
    #[arg(long)]
    pub json: bool,
    /// Print only errors on stderr
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `collect`.
#[derive(Debug, clap::Args)]
pub struct CollectArgs {
    /// List of jobs, as JSON Lines
    #[arg(value_name = "JOBS")]
    pub list: PathBuf,
    /// Read outputs from this folder, or folder of an object store
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Write a page with a table of all items, .html
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Replace an existing report
    #[arg(long)]
    pub force: bool,
    /// Assume N shards [default: the number in the markers]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MAX_SHARDS))]
    pub shards: Option<u64>,
}

/// Maximum number of shards, more than any scheduler starts.
pub const MAX_SHARDS: u64 = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn help_fits_a_terminal_of_100_columns() {
        let mut command = <Args as clap::CommandFactory>::command();
        command.build();
        let mut texts = vec![command.render_help().to_string()];
        for subcommand in command.get_subcommands_mut() {
            texts.push(subcommand.render_help().to_string());
        }
        for line in texts.iter().flat_map(|text| text.lines()) {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}
