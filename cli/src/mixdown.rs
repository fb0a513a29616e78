//! `mixdown`: mixes stems, folders of stems and session files into one soundtrack.
//!
//! ```text
//! args ─► inputs ─► session ─► Plan ─┬─► mix ──────► one file, a report      mute_solo, loudness_target,
//!         stem_folder  track_names   ├─► deliver ──► the deliverables        range, output_path, report_file
//!         level_suffix               ├─► play ─────► a sound device          progress, interrupt
//!                                    └─► plan ─────► the plan, printed
//! args ─► compare, report, join, explain ──────────► lines on stdout
//! args ─► batch ───────────────────────────────────► the program `batch`
//! args ─► completions, man ────────────────────────► manual
//! args ─► init, save, import ──────────────────────► a session file         balance
//! args ─► export ──────────────────────────────────► a file of another program
//!
//! hints, usage_errors, misplaced     what the user can do about an error
//! closing_messages        warnings and the verdict after a result
//! ```

mod args;
mod balance;
mod closing_messages;
mod compare;
mod deliver;
mod explain;
mod export;
mod hints;
mod import;
mod init;
mod inputs;
mod interrupt;
mod join;
mod level_suffix;
mod loudness_target;
mod manual;
mod misplaced;
mod mix;
mod mute_solo;
mod output_path;
mod pattern;
mod plan;
mod play;
mod preset;
mod progress;
mod report;
mod report_file;
mod save;
mod session;
mod silent_mix;
mod stem_folder;
mod track_names;
mod usage_errors;

use crate::{batch, failure::Failure, messages::Messages, signals};
use args::{Args, Command, CommandLine, ProgressMode};
use clap::Parser as _;
use deliver::Outcome;
use inputs::InputKind;
use interrupt::Interrupt;
use soundtrack::{Error, ErrorKind};
use std::{env, fs, process::ExitCode};

/// Runs the program with the arguments of this process and returns its exit code.
pub fn main() -> ExitCode {
    signals::survive_large_files();
    let given = env::args_os().skip(1).collect::<Vec<_>>();
    let CommandLine {
        mut command,
        mut args,
    } = CommandLine::try_parse().unwrap_or_else(|e| usage_errors::end(e, &given));
    if let Some(Command::Plan(args)) = &mut command {
        args.apply_preset();
    }
    let given = args.clone();
    args.apply_preset();
    let args = match &command {
        Some(Command::Plan(args)) => args,
        _ => &args,
    };
    let messages = Messages {
        quiet: args.quiet,
        verbose: args.verbose,
        json: args.progress() == ProgressMode::Json,
    };
    let outcome = match &command {
        Some(Command::Plan(args)) => plan::run(&args.inputs, args, messages),
        Some(Command::Compare(args)) => compare::run(args),
        Some(Command::Report(args)) => report::run(args),
        Some(Command::Join(args)) => join::run(args, messages),
        Some(Command::Init(args)) => init::run(args),
        Some(Command::Import(args)) => import::run(args),
        Some(Command::Export(args)) => export::run(args),
        Some(Command::Explain(args)) => explain::run(args),
        Some(Command::Batch { command }) => batch::run(command),
        Some(Command::Completions(args)) => manual::completions(args),
        Some(Command::Man(args)) => manual::man(args),
        None => Interrupt::watch()
            .map_err(Failure::from)
            .and_then(|interrupt| render(args, &given, messages, &interrupt)),
    };
    ExitCode::from(outcome.unwrap_or_else(|failure| {
        if prints_json(command.as_ref(), args) {
            failure.print_document();
        }
        failure.print(messages)
    }))
}

/// Returns whether the result of a command is one JSON document.
fn prints_json(command: Option<&Command>, args: &Args) -> bool {
    match command {
        Some(Command::Compare(args)) => args.json,
        Some(Command::Report(args)) => args.json,
        Some(Command::Join(args)) => args.json,
        Some(Command::Explain(args)) => args.json,
        Some(Command::Batch {
            command: batch::Command::Plan(args),
        }) => args.json,
        Some(Command::Plan(_)) | None => args.json,
        Some(_) => false,
    }
}

/// Plans, plays, delivers or mixes the inputs and returns the exit code. `given` are the options without those of a preset.
fn render(
    args: &Args,
    given: &Args,
    messages: Messages,
    interrupt: &Interrupt,
) -> Result<u8, Failure> {
    if let Some(inputs) = plan::inputs_to_plan(&args.inputs) {
        return plan::run(inputs, args, messages);
    }
    misplaced::check(args)?;
    let inputs = inputs::parse(&args.inputs).map_err(|f| hints::for_inputs(f, args))?;
    if let Some(path) = &args.save {
        save::run(path, &inputs, args, messages)?;
    }
    if let Some(device) = &args.play {
        return play::run(device, &inputs, args, messages, interrupt);
    }
    let path = output_path::choose(args.output.as_deref(), &inputs, args.format)
        .map_err(Failure::Usage)?;
    if matches!(inputs.as_slice(), [InputKind::Demo]) {
        fs::create_dir_all(output_path::DEMO).map_err(|e| {
            Error::new(ErrorKind::Output, format!("{}: {e}", output_path::DEMO)).because(e)
        })?;
    }
    match deliver::run(&inputs, args, given, messages, interrupt)? {
        Outcome::Delivered(code) => Ok(code),
        Outcome::SingleMix(session) => mix::run(
            &inputs,
            session.map(|session| *session),
            &path,
            args,
            messages,
            interrupt,
        ),
    }
}
