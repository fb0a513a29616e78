//! The whole run: from the command line to the file, the table and the exit code.

use super::{
    args::{Args, Progress},
    build, deliver,
    inputs::{self, Kind},
    join, judge, listen, output, paper, plan,
    progress::Meter,
    silence,
    stop::Stop,
    strips,
};
use crate::{
    failure::{Failure, too_many_files},
    range,
    voice::{Voice, printable, printable_lines},
};
use serde_json::json;
use soundtrack::{
    Bounce, Error, ErrorKind, Frames, Plan, Problem, Report, Session,
    diagnostics::{Warning, WarningKind},
    error::ProblemKind,
    report,
};
use std::{
    fs,
    io::{self, Write as _},
    ops::ControlFlow,
    path::PathBuf,
};

pub const CHECK_FAILED: u8 = 1;
/// How one mix may have another output.
pub const ANOTHER: &str = ", -o names another";

/// Does what was asked; the exit code.
///
/// # Errors
/// Why there is no mix, or no table.
pub fn run(args: &Args, voice: Voice, stop: &Stop) -> Result<u8, Failure> {
    if let Some(inputs) = plan::asked(&args.inputs) {
        return show_plan(inputs, args, voice);
    }
    if args.play.is_some() {
        return aloud(args, voice, stop);
    }
    let kinds = inputs::kinds(&args.inputs).map_err(|f| missing(f, args))?;
    let path = output::path(args.output.as_deref(), &kinds).map_err(Failure::Usage)?;
    let demo = matches!(kinds.first(), Some(Kind::Demo));
    if demo {
        let made = fs::create_dir_all(output::DEMO);
        made.map_err(|e| {
            Error::new(ErrorKind::Output, format!("{}: {e}", output::DEMO)).because(e)
        })?;
    }
    if let Some(code) = delivered(&kinds, args, voice, stop)? {
        return Ok(code);
    }
    let overwrite = args.force || output::in_demo(&path);
    let threads = args.threads.unwrap_or(0).into();
    let bounce = || {
        let bounce = Bounce::new()
            .format(args.format.unwrap_or_default())
            .overwrite(overwrite)
            .threads(threads);
        bounce.measure_strips(args.measure_strips)
    };
    let advised = |e| {
        let (e, hints) = advice(e, ANOTHER, args);
        Failure::Audio(e, hints)
    };
    if !args.check {
        stop.while_checking(|| bounce().check(&path))
            .map_err(advised)?;
    }
    if !args.check && output::among_stems(&path, &kinds) {
        voice.note(&format!(
            "{} lies among the stems: the next mix of that folder takes it in",
            path.display()
        ));
    }

    if let Some(report) = &args.report {
        paper::check(report, overwrite || output::in_demo(report), &path)?;
        paper::spare(report, &args.inputs)?;
    }
    let (mut session, mut plan) = compiled(&kinds, args, voice)?;
    if voice.verbose {
        voice.line(
            printable_lines(plan.to_string().trim_end()).as_str(),
            || json!({ "event": "plan", "text": plan.to_string() }),
        );
    }
    let part = match &args.range {
        None => None,
        Some(text) => {
            let (part, cut) = range::parse(text, &session, plan.length())
                .map_err(|e| Failure::Usage(format!("--range {text}: {e}")))?;
            if cut {
                voice.note(&format!(
                    "--range {text}: ends with the mix, at {}",
                    part.end.clock(session.rate)
                ));
            }
            Some(part)
        }
    };
    let joinable = part.is_some() && !args.check && join::joinable(&session, voice);
    let bounce = || {
        part.clone()
            .map_or_else(bounce, |part| bounce().range(part).joinable(joinable))
    };

    if let Some(report) = &args.report {
        paper::spare(report, plan.named_files())?;
    }
    let drawn = |bounce: Bounce<'static>| match &args.report {
        None => bounce,
        Some(_) => bounce.overview(usize::try_from(args.bins).unwrap_or(usize::MAX)),
    };

    let mut meter = Meter::new(args.progress(), voice, session.rate);
    let mut watch = |progress| {
        meter.tell(progress);
        if stop.asked() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let mut fit = None;
    let written = stop.while_writing(|| {
        if let Some((_, found)) = judge::fitted(&mut session, args, bounce, &mut watch)? {
            fit = Some(found);
            plan = Plan::compile(&session)?;
        }
        let bounce = drawn(bounce()).progress(&mut watch);
        if args.check {
            bounce.dry_run(plan)
        } else {
            bounce.write(plan, &path)
        }
    });
    meter.end();
    let mut report = match written {
        Ok(report) => report,
        Err(e) if e.kind() == ErrorKind::Cancelled => {
            voice.error("interrupted; nothing was written", "cancelled");
            return Ok(stop.exit_code());
        }
        Err(e) => return Err(advised(e)),
    };
    report.title.clone_from(&session.title);
    let wrong = judge::judged(&mut report, args, fit);
    if let Some(to) = &args.report {
        report::save(
            std::slice::from_ref(&report),
            to,
            overwrite || output::in_demo(to),
        )?;
        voice.note(&format!("the report is in {}", to.display()));
    }
    let silence = silence::told(&report, &session);
    let code = tell(&report, silence.as_deref(), args, voice, demo)?;
    wrong.iter().for_each(|what| voice.error(what, "check"));
    Ok(if wrong.is_empty() { code } else { CHECK_FAILED })
}

/// Plays instead of writing.
fn aloud(args: &Args, voice: Voice, stop: &Stop) -> Result<u8, Failure> {
    let kinds = inputs::kinds(&args.inputs).map_err(|f| missing(f, args))?;
    let mut session = build::session(&kinds, args, voice).map_err(|f| missing(f, args))?;
    strips::apply(&mut session, &args.mute, &args.solo).map_err(Failure::Usage)?;
    let plan = Plan::compile(&session).map_err(|e| Failure::Audio(e, build::guesses(&session)))?;
    let mut at = Frames::ZERO;
    if let Some(text) = &args.range {
        let (part, _) = range::parse(text, &session, plan.length())
            .map_err(|e| Failure::Usage(format!("--range {text}: {e}")))?;
        (at, session.length) = (part.start, Some(part.end));
    }
    listen::listen(args, &session, at, voice, stop)
}

/// Writes the deliverables, where there are any and no other output is named; the exit code.
fn delivered(
    kinds: &[Kind],
    args: &Args,
    voice: Voice,
    stop: &Stop,
) -> Result<Option<u8>, Failure> {
    let promises = matches!(kinds, [Kind::Session(_) | Kind::Demo]);
    if args.output.is_some() || (!promises && args.deliver.is_empty()) {
        return Ok(None);
    }
    if !promises {
        return Err(Failure::Usage(
            "--deliver: only a session file has deliverables".to_owned(),
        ));
    }
    let mut session = build::session(kinds, args, voice).map_err(|f| missing(f, args))?;
    let Some(names) = deliver::asked(&session, args, voice)? else {
        return Ok(None);
    };
    strips::apply(&mut session, &args.mute, &args.solo).map_err(Failure::Usage)?;
    let code = deliver::run(&session, &names, args, voice, stop)?;
    if matches!(kinds, [Kind::Demo])
        && !args.quiet
        && !args.json
        && args.progress() != Progress::Json
    {
        voice.line(&next_steps(), || json!({}));
    }
    Ok(Some(code))
}

/// The session that is asked for, and its plan.
fn compiled(kinds: &[Kind], args: &Args, voice: Voice) -> Result<(Session, Plan), Failure> {
    let mut session = build::session(kinds, args, voice).map_err(|f| missing(f, args))?;
    strips::apply(&mut session, &args.mute, &args.solo).map_err(Failure::Usage)?;
    judge::master(&mut session, args);
    match Plan::compile(&session) {
        Ok(plan) => Ok((session, plan)),
        Err(e) => {
            // A session file's problems say themselves what may have been meant.
            let placed = e.problems().iter().any(|p| p.span.is_some());
            let guesses = if placed {
                Vec::new()
            } else {
                build::guesses(&session)
            };
            let (e, hints) = advice(e, ANOTHER, args);
            Err(Failure::Audio(
                e,
                guesses.into_iter().chain(hints).collect(),
            ))
        }
    }
}

/// Prints what would be done.
fn show_plan(inputs: &[PathBuf], args: &Args, voice: Voice) -> Result<u8, Failure> {
    if inputs.is_empty() {
        return Err(Failure::Usage(
            "plan: of what? Name a session, a folder or stems".to_owned(),
        ));
    }
    let kinds = inputs::kinds(inputs).map_err(|f| missing(f, args))?;
    let (session, plan) = compiled(&kinds, args, voice)?;
    plan.warnings()
        .iter()
        .for_each(|warning| said(warning, args, voice));
    print(&if args.json {
        format!("{:#}", plan::document(&plan, &session))
    } else {
        plan::text(&plan, &session)
    })?;
    Ok(0)
}

/// Prints the result, then what the user should know; the exit code.
fn tell(
    report: &Report,
    silence: Option<&str>,
    args: &Args,
    voice: Voice,
    demo: bool,
) -> Result<u8, Failure> {
    // What cannot be printed keeps nothing else from being told.
    let printed = match (args.json, args.quiet) {
        (true, _) => print(&report.to_json()),
        (false, false) => print(&report.to_string()),
        (false, true) => Ok(()),
    };
    let failed = report.warnings.iter().filter(|w| !w.kind.is_note()).count()
        + usize::from(silence.is_some());
    for warning in &report.warnings {
        said(warning, args, voice);
        if matches!(warning.kind, WarningKind::ClippedOutput { .. }) && (!args.quiet || args.strict)
        {
            voice.hint("--format wav32f keeps what is above full scale");
        }
    }
    if let Some(silence) = silence.filter(|_| args.strict || !args.quiet) {
        voice.caution(silence);
    }
    let path = report.output.as_deref().unwrap_or_default();
    if args.progress() == Progress::Json {
        voice.line("", || {
            json!({
                "event": "done", "output": path, "bytes": report.bytes, "frames": report.frames,
                "duration_s": report.duration_s, "wall_s": report.wall_s, "warnings": failed
            })
        });
    } else if matches!(args.progress, Progress::Auto | Progress::Plain)
        && args.progress() != Progress::Bar
        && !args.quiet
    {
        let done = if args.check {
            "checked".to_owned()
        } else {
            format!("wrote {path}")
        };
        voice.line(
            &printable(&format!(
                "{done}, {:.1} s in {:.2} s",
                report.duration_s, report.wall_s
            )),
            || json!({}),
        );
    }
    if demo && !args.quiet && !args.json && args.progress() != Progress::Json {
        voice.line(&next_steps(), || json!({}));
    }
    printed?;
    if args.strict && failed > 0 {
        let warnings = if failed == 1 {
            "1 warning".to_owned()
        } else {
            format!("{failed} warnings")
        };
        let done = if args.check {
            "checked".to_owned()
        } else {
            format!("{path} was written")
        };
        voice.error(&format!("{done}, with {warnings} under --strict"), "check");
        return Ok(CHECK_FAILED);
    }
    Ok(0)
}

/// Says a warning, if it is asked for.
pub fn said(warning: &Warning, args: &Args, voice: Voice) {
    let said = if args.quiet {
        args.strict && !warning.kind.is_note()
    } else {
        !warning.kind.is_note()
    };
    if said || args.verbose {
        voice.warning(warning);
    }
}

/// What to try after the demo.
fn next_steps() -> String {
    let program = std::env::args_os()
        .next()
        .map(PathBuf::from)
        .unwrap_or_default();
    let here = std::env::current_dir().unwrap_or_default();
    let program = program.strip_prefix(&here).unwrap_or(&program).display();
    format!(
        "\nListen to it, then try:\n  \
         {program} --deliver stems --solo rhythm    # one of the deliverables, one bus alone\n  \
         {program} --range 10s..20s                 # a part of the mix, into target/demo/soundtrack.wav\n  \
         {program} --json                           # the same as data\n  \
         {program} target/demo/stems                # a folder of stems as they are, into stems.wav\n  \
         {program} kick.wav@-3 bass.flac@-2:L20     # your own stems, into mix.wav\n  \
         {program} --help                           # all there is"
    )
}

/// A closed pipe is an error too: who reads the result must not take a part of it for the whole.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(Failure::Print)
}

/// What to do about an output that exists, where that is the error; `other` says how to have another.
pub fn replaced(error: &Error, other: &str) -> Vec<String> {
    let exists =
        error.kind() == ErrorKind::Output && error.io_kind() == Some(io::ErrorKind::AlreadyExists);
    if exists {
        vec![format!("--force replaces it{other}")]
    } else {
        Vec::new()
    }
}

/// An error, and what to do about it in this program's words; of an output that exists, `other` says how to have another.
pub fn advice(error: Error, other: &str, args: &Args) -> (Error, Vec<String>) {
    let kinds: Vec<ErrorKind> = match error.problems() {
        [] => vec![error.kind()],
        problems => problems.iter().map(Problem::error_kind).collect(),
    };
    let mut hints = replaced(&error, other);
    if too_many_files(&error) {
        hints.push(
            "this shell allows too few open files: allow more with `ulimit -n 256`".to_owned(),
        );
    } else if kinds.contains(&ErrorKind::Corrupt) && !args.keep_going {
        hints.push("--keep-going puts silence where a stem is damaged, and says where".to_owned());
    }
    (error, hints)
}

/// For an input that is not there, the one that may have been meant.
fn missing(failure: Failure, args: &Args) -> Failure {
    match failure {
        Failure::Audio(e, mut hints) => {
            if e.kind() == ErrorKind::NotFound {
                hints.extend(args.inputs.iter().filter_map(|i| build::guess(i)));
            }
            if e.problems()
                .iter()
                .any(|p| matches!(p.kind, ProblemKind::OutsideFolder { .. }))
            {
                hints.push("--outside allows it".to_owned());
            }
            Failure::Audio(e, hints)
        }
        other => other,
    }
}
