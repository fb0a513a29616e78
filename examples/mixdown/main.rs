//! `mixdown`: mixes stems, folders of stems and session files into one WAV file.
//!
//! ```text
//! args ─► inputs ─► build ─► Session ─► Plan ─► Bounce ─► file, table or JSON, exit code
//!                                  strips ┘  range ┘  └ progress, stop
//!                           └─► deliver ─► its deliverables, table or JSON, exit code
//! args ─► compare, look, join ─► lines, exit code
//! ```

mod args;
mod build;
mod compare;
mod deliver;
mod demo;
mod failure;
mod folder;
mod inputs;
mod join;
mod judge;
mod level;
mod listen;
mod look;
mod names;
mod output;
mod paper;
mod plan;
mod progress;
mod range;
mod run;
mod silence;
mod stop;
mod strips;
mod tips;
mod tour;
mod voice;

use args::{Args, Progress, Tool};
use clap::Parser as _;
use std::{env, process::ExitCode};
use voice::Voice;

fn main() -> ExitCode {
    let given = env::args_os().skip(1).collect::<Vec<_>>();
    let args = Args::try_parse().unwrap_or_else(|e| tips::advised(e, &given).exit());
    let voice = Voice { quiet: args.quiet, verbose: args.verbose, json: args.progress() == Progress::Json };
    let tool = match &args.tool {
        Some(Tool::Compare(args)) => Some(compare::run(args)),
        Some(Tool::Report(args)) => Some(look::run(args)),
        Some(Tool::Join(args)) => Some(join::run(args, voice)),
        None => None,
    };
    if let Some(outcome) = tool {
        return ExitCode::from(outcome.unwrap_or_else(|failure| failure.tell(voice)));
    }
    let outcome = match stop::Stop::watch() {
        Ok(stop) => run::run(&args, voice, &stop),
        Err(e) => Err(soundtrack::Error::new(soundtrack::ErrorKind::Output, format!("signals: {e}")).because(e).into()),
    };
    ExitCode::from(outcome.unwrap_or_else(|failure| failure.tell(voice)))
}
