//! `mixdown`: mixes stems, folders of stems and session files into one WAV file.
//!
//! ```text
//! args ─► inputs ─► build ─► Session ─► Plan ─► Bounce ─► file, table or JSON, exit code
//!                                  strips ┘  range ┘  └ progress, stop
//!                           └─► deliver ─► its deliverables, table or JSON, exit code
//! args ─► compare, look, join, explain ─► lines, exit code
//! ```

mod args;
mod build;
mod compare;
mod deliver;
mod explain;
mod folder;
mod inputs;
mod join;
mod judge;
mod level;
mod listen;
mod look;
mod output;
mod paper;
mod plan;
mod progress;
mod run;
mod silence;
mod stop;
mod strips;
mod tips;

use crate::{signals, voice::Voice};
use args::{Args, Progress, Tool};
use clap::Parser as _;
use soundtrack::{Error, ErrorKind};
use std::{env, process::ExitCode};

/// Runs the program with the arguments of this process and returns its exit code.
pub fn main() -> ExitCode {
    signals::survive_large_files();
    let given = env::args_os().skip(1).collect::<Vec<_>>();
    let args = Args::try_parse().unwrap_or_else(|e| tips::advised(e, &given).exit());
    let voice = Voice {
        quiet: args.quiet,
        verbose: args.verbose,
        json: args.progress() == Progress::Json,
    };
    let outcome = match &args.tool {
        Some(Tool::Compare(args)) => compare::run(args),
        Some(Tool::Report(args)) => look::run(args),
        Some(Tool::Join(args)) => join::run(args, voice),
        Some(Tool::Explain(args)) => explain::run(args),
        None => match stop::Stop::watch() {
            Ok(stop) => run::run(&args, voice, &stop),
            Err(e) => Err(Error::new(ErrorKind::Output, format!("signals: {e}"))
                .because(e)
                .into()),
        },
    };
    ExitCode::from(outcome.unwrap_or_else(|failure| failure.tell(voice)))
}
