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
mod demo;
mod explain;
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
mod signals;
mod silence;
mod stop;
mod strips;
mod tips;
mod tour;
mod voice;

use args::{Args, Progress, Tool};
use clap::Parser as _;
use soundtrack::{Error, ErrorKind};
use std::{env, process::ExitCode};
use voice::Voice;

fn main() -> ExitCode {
    start(|_| ())
}

/// Does what the command line says, after a last change to it.
pub fn start(change: impl FnOnce(&mut Args)) -> ExitCode {
    signals::survive_large_files();
    let given = env::args_os().skip(1).collect::<Vec<_>>();
    let mut args = Args::try_parse().unwrap_or_else(|e| tips::advised(e, &given).exit());
    change(&mut args);
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
