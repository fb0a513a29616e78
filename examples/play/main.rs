//! `play`: the mix aloud, with meters and keys; `mixdown --play` as a program of its own.
//!
//! ```text
//! cargo run --release --features device --example play -- stems/
//! ```
#![allow(dead_code, reason = "writing files is the other program's")]

#[path = "../mixdown/args.rs"]
mod args;
#[path = "../mixdown/build.rs"]
mod build;
#[path = "../mixdown/compare.rs"]
mod compare;
#[path = "../mixdown/deliver.rs"]
mod deliver;
#[path = "../mixdown/demo.rs"]
mod demo;
#[path = "../mixdown/failure.rs"]
mod failure;
#[path = "../mixdown/folder.rs"]
mod folder;
#[path = "../mixdown/inputs.rs"]
mod inputs;
#[path = "../mixdown/join.rs"]
mod join;
#[path = "../mixdown/judge.rs"]
mod judge;
#[path = "../mixdown/level.rs"]
mod level;
#[path = "../mixdown/listen.rs"]
mod listen;
#[path = "../mixdown/look.rs"]
mod look;
#[path = "../mixdown/names.rs"]
mod names;
#[path = "../mixdown/output.rs"]
mod output;
#[path = "../mixdown/paper.rs"]
mod paper;
#[path = "../mixdown/plan.rs"]
mod plan;
#[path = "../mixdown/progress.rs"]
mod progress;
#[path = "../mixdown/range.rs"]
mod range;
#[path = "../mixdown/run.rs"]
mod run;
#[path = "../mixdown/silence.rs"]
mod silence;
#[path = "../mixdown/stop.rs"]
mod stop;
#[path = "../mixdown/strips.rs"]
mod strips;
#[path = "../mixdown/tips.rs"]
mod tips;
#[path = "../mixdown/tour.rs"]
mod tour;
#[path = "../mixdown/voice.rs"]
mod voice;

use args::{Args, Progress};
use clap::Parser as _;
use std::{env, process::ExitCode};
use voice::Voice;

fn main() -> ExitCode {
    let given = env::args_os().skip(1).collect::<Vec<_>>();
    let mut args = Args::try_parse().unwrap_or_else(|e| tips::advised(e, &given).exit());
    args.play.get_or_insert_default();
    let voice = Voice { quiet: args.quiet, verbose: args.verbose, json: args.progress() == Progress::Json };
    let outcome = match stop::Stop::watch() {
        Ok(stop) => run::run(&args, voice, &stop),
        Err(e) => Err(soundtrack::Error::new(soundtrack::ErrorKind::Output, format!("signals: {e}")).because(e).into()),
    };
    ExitCode::from(outcome.unwrap_or_else(|failure| failure.tell(voice)))
}
