//! Renders one mix into a file, prints its report and returns the exit code.

use super::{
    args::{Args, ProgressMode},
    closing_messages, hints,
    inputs::InputKind,
    interrupt::Interrupt,
    join, loudness_target, mute_solo, output_path,
    progress::ProgressDisplay,
    report_file, session, silent_mix,
};
use crate::{exit_code, failure::Failure, messages::Messages, range, stdout};
use serde_json::json;
use soundtrack::{Bounce, ErrorKind, Frames, Plan, Report, Session, encode::Metadata, report};
use std::{ops::Range, path::Path};

/// Renders the mix of the inputs and returns the exit code. `session` is that of the inputs if it has been built.
///
/// # Errors
/// `Usage` for options that do not fit the inputs, `Library` for errors of the library, `Print` if the report cannot be
/// printed.
pub fn run(
    inputs: &[InputKind],
    session: Option<Session>,
    path: &Path,
    args: &Args,
    messages: Messages,
    interrupt: &Interrupt,
) -> Result<u8, Failure> {
    let with_hints = |e| hints::for_error(e, hints::OR_OTHER_OUTPUT, args);
    if !args.check {
        interrupt
            .while_checking(|| bounce(args, path, None).check(path))
            .map_err(with_hints)?;
        if output_path::is_among_stems(path, inputs) {
            messages.note(&format!(
                "{} is inside the folder of stems: the next mix of that folder would include it",
                path.display()
            ));
        }
    }
    if let Some(report) = &args.report {
        report_file::check(report, may_replace(report, path, args), path)?;
        report_file::check_not_input(report, &args.inputs)?;
    }

    let session = match session {
        Some(session) => session,
        None => session::build(inputs, args, messages)?,
    };
    let (mut session, mut plan) = compile(session, args)?;
    if messages.verbose {
        messages.lines(plan.to_string().trim_end());
        messages.event(&json!({ "event": "plan", "text": plan.to_string() }));
    }
    let part = parse_part(&session, &plan, path, args, messages)?;
    // The title of a mix without a session file is the name of its folder, which no file should state.
    let is_stated = inputs
        .iter()
        .any(|input| matches!(input, InputKind::Session(_) | InputKind::Demo));
    let bounce = || {
        let bounce = bounce(args, path, part.as_ref());
        if is_stated {
            bounce
        } else {
            bounce.metadata(Metadata::default())
        }
    };
    if let Some(report) = &args.report {
        report_file::check_not_input(report, plan.named_files())?;
    }

    let mut progress = ProgressDisplay::new(args.progress(), messages, session.rate);
    let mut watch = |done| {
        progress.show(done);
        interrupt.control_flow()
    };
    let mut fit = None;
    let written = interrupt.while_writing(|| {
        fit = loudness_target::fit(&mut session, args, bounce, &mut watch)?;
        if fit.is_some() {
            plan = Plan::compile(&session)?;
        }
        let bounce = match &args.report {
            None => bounce(),
            Some(_) => bounce().overview(usize::try_from(args.bins).unwrap_or(usize::MAX)),
        };
        let bounce = bounce.progress(&mut watch);
        if args.check {
            bounce.dry_run(plan)
        } else {
            bounce.write(plan, path)
        }
    });
    progress.clear();
    let mut report = match written {
        Ok(report) => report,
        Err(e) if e.kind() == ErrorKind::Cancelled => {
            messages.error("interrupted; nothing was written", "cancelled");
            return Ok(interrupt.exit_code());
        }
        Err(e) => return Err(with_hints(e)),
    };
    report.title.clone_from(&session.title);
    let failed_checks = loudness_target::judge(&mut report, args, fit);
    if let Some(to) = &args.report {
        report::save(
            std::slice::from_ref(&report),
            to,
            may_replace(to, path, args),
        )?;
        messages.note(&format!("the report is in {}", to.display()));
    }
    let is_demo = matches!(inputs, [InputKind::Demo]);
    let code = print_result(&report, &session, args, messages, is_demo)?;
    for check in &failed_checks {
        messages.error(check, "check");
    }
    Ok(if failed_checks.is_empty() {
        code
    } else {
        exit_code::CHECK_FAILED
    })
}

/// Returns whether a report may replace an existing file: like the mix, or anything in the demo's folder.
fn may_replace(report: &Path, mix: &Path, args: &Args) -> bool {
    args.force || output_path::is_in_demo(mix) || output_path::is_in_demo(report)
}

/// Applies the options of the mix to a session and compiles it.
pub fn compile(mut session: Session, args: &Args) -> Result<(Session, Plan), Failure> {
    mute_solo::apply(&mut session, &args.mute, &args.solo).map_err(Failure::Usage)?;
    session::set_master(&mut session, args);
    match Plan::compile(&session) {
        Ok(plan) => Ok((session, plan)),
        Err(e) => {
            // The problems of a session file suggest names themselves.
            let is_in_file = e.problems().iter().any(|p| p.span.is_some());
            let mut hints = if is_in_file {
                Vec::new()
            } else {
                let mut hints = hints::for_tracks(&session);
                hints.extend(hints::for_channels(&e, &session));
                hints
            };
            hints.extend(hints::of_error(&e, hints::OR_OTHER_OUTPUT, args));
            Err(Failure::Library(e, hints))
        }
    }
}

/// Part of the mix that `--range` asks for.
struct Part {
    range: Range<Frames>,
    /// Set if the output can be joined to other parts.
    is_joinable: bool,
}

/// Returns the range of `--range` on a timeline of a length, and notes if the timeline ends before it.
///
/// # Errors
/// `Usage` for a range that cannot be parsed or is not on the timeline.
pub fn stated_range(
    session: &Session,
    length: Frames,
    args: &Args,
    messages: Messages,
) -> Result<Option<Range<Frames>>, Failure> {
    let Some(text) = &args.range else {
        return Ok(None);
    };
    let (range, is_cut) = range::parse(text, session, length)
        .map_err(|e| Failure::Usage(format!("--range {text}: {e}")))?;
    if is_cut {
        messages.note(&format!(
            "--range {text}: ends with the mix, at {}",
            range.end.clock(session.rate)
        ));
    }
    Ok(Some(range))
}

/// Parses `--range`, and notes if the mix ends before it.
fn parse_part(
    session: &Session,
    plan: &Plan,
    path: &Path,
    args: &Args,
    messages: Messages,
) -> Result<Option<Part>, Failure> {
    let Some(range) = stated_range(session, plan.length(), args, messages)? else {
        return Ok(None);
    };
    let format = output_path::format(args.format, path);
    let is_joinable = !args.check && join::is_joinable(session, format, messages);
    Ok(Some(Part { range, is_joinable }))
}

/// Sets up a bounce of the mix. A fit to a loudness target bounces more than once.
fn bounce(args: &Args, path: &Path, part: Option<&Part>) -> Bounce<'static> {
    let bounce = Bounce::new()
        .format(output_path::format(args.format, path))
        .overwrite(args.force || output_path::is_in_demo(path))
        .threads(args.threads.unwrap_or(0).into())
        .measure_strips(args.measure_strips);
    match part {
        None => bounce,
        Some(part) => bounce.range(part.range.clone()).joinable(part.is_joinable),
    }
}

/// Prints the report, then warnings and the line that names the output, and returns the exit code.
fn print_result(
    report: &Report,
    session: &Session,
    args: &Args,
    messages: Messages,
    is_demo: bool,
) -> Result<u8, Failure> {
    // Warnings are printed even if the report cannot be.
    let printed = match (args.json, args.quiet) {
        (true, _) => stdout::print(&report.to_json()),
        (false, false) => stdout::print_fitting(&report),
        (false, true) => Ok(()),
    };
    closing_messages::print_warnings(&report.warnings, args, messages);
    let silence = silent_mix::describe(report, session);
    if let Some(silence) = &silence
        && closing_messages::are_warnings_shown(args)
    {
        messages.warning(silence);
    }
    let warnings = report.warnings.iter().filter(|w| !w.kind.is_note()).count()
        + usize::from(silence.is_some());

    let path = report.output.as_deref().unwrap_or_default();
    messages.event(&json!({
        "event": "done", "output": path, "bytes": report.bytes, "frames": report.frames,
        "duration_s": report.duration_s, "wall_s": report.wall_s, "warnings": warnings
    }));
    // After a bar the table is enough.
    if matches!(args.progress(), ProgressMode::Auto | ProgressMode::Plain) {
        let done = if args.check {
            "checked".to_owned()
        } else {
            format!("wrote {path}")
        };
        messages.line(&format!(
            "{done}, {:.1} s in {:.2} s",
            report.duration_s, report.wall_s
        ));
    }
    if is_demo {
        closing_messages::print_next_steps(args, messages);
    }
    printed?;
    let done = if args.check {
        "checked".to_owned()
    } else {
        format!("{path} was written")
    };
    Ok(closing_messages::strict_exit_code(
        &done, warnings, args, messages,
    ))
}
