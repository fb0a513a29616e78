//! Renders the deliverables of a session, prints what was written and returns the exit code.

use super::{
    args::{Args, ProgressMode},
    closing_messages, hints,
    inputs::InputKind,
    interrupt::Interrupt,
    mix, mute_solo, output_path,
    preset::Preset,
    progress::ProgressDisplay,
    session,
};
use crate::{
    exit_code,
    failure::Failure,
    messages::Messages,
    stdout,
    suggest::{self, quoted_list},
    text::{counted, printable},
};
use serde_json::json;
use soundtrack::{
    Deliverable, Delivery, Error, ErrorKind, Frames, Plan, Session,
    deliver::{Delivered, FileReport},
    report::ReportFormat,
};
use std::{
    ops::Range,
    path::{Path, PathBuf},
};

/// Says what the options ask for.
pub enum Outcome {
    /// Deliverables, which have been rendered; the exit code.
    Delivered(u8),
    /// One mix, with its session if that has been built.
    SingleMix(Option<Box<Session>>),
}

/// Renders the deliverables that the options select, if they do not ask for a single mix. `given` are the options without
/// those of a preset.
///
/// # Errors
/// `Usage` for `--deliver` without a session file, with an unknown name, or with an option of a single mix; errors of the
/// library with hints.
pub fn run(
    inputs: &[InputKind],
    args: &Args,
    given: &Args,
    messages: Messages,
    interrupt: &Interrupt,
) -> Result<Outcome, Failure> {
    // A preset is that of the deliverables that are named, or of a single mix.
    let args = if given.deliver.is_empty() {
        args
    } else {
        given
    };
    if args.output.is_some() {
        return Ok(Outcome::SingleMix(None));
    }
    if !matches!(inputs, [InputKind::Session(_) | InputKind::Demo]) {
        return if args.deliver.is_empty() {
            Ok(Outcome::SingleMix(None))
        } else {
            Err(Failure::Usage(
                "--deliver: only a session file has deliverables".to_owned(),
            ))
        };
    }
    let mut session = session::build(inputs, args, messages)?;
    let Some(names) = select(&session, args, messages)? else {
        return Ok(Outcome::SingleMix(Some(Box::new(session))));
    };
    let mut names = names;
    if let Some(preset) = args.preset {
        apply_preset(preset, &mut session, &names, messages);
    }
    names.extend(add_report(&mut session, args));
    session::set_master(&mut session, args);
    mute_solo::apply(&mut session, &args.mute, &args.solo).map_err(Failure::Usage)?;
    let code = render(&session, &names, args, messages, interrupt)?;
    if matches!(inputs, [InputKind::Demo]) {
        closing_messages::print_next_steps(args, messages);
    }
    Ok(Outcome::Delivered(code))
}

/// Returns the names of the deliverables to render; `None` if the session has none or an option asks for a single mix.
fn select(
    session: &Session,
    args: &Args,
    messages: Messages,
) -> Result<Option<Vec<String>>, Failure> {
    let all: Vec<&str> = session
        .deliverables
        .iter()
        .map(|d| d.name.as_str())
        .collect();
    if all.is_empty() {
        return match args.deliver.first() {
            None => Ok(None),
            Some(name) => Err(Failure::Usage(format!(
                "--deliver {name}: the session has no deliverables"
            ))),
        };
    }
    if let Some(option) = option_of_single_mix(args) {
        if !args.deliver.is_empty() {
            return Err(Failure::Usage(format!(
                "{option} cannot be used with --deliver: it applies to a single mix"
            )));
        }
        let (s, is, them) = match all.len() {
            1 => ("", "is", "it"),
            _ => ("s", "are", "them"),
        };
        messages.note(&format!(
            "{option} applies to a single mix: the deliverable{s} {} {is} not written; use --deliver to write {them}",
            quoted_list(&all)
        ));
        return Ok(None);
    }
    if args.deliver.is_empty() || args.deliver.iter().any(|name| name == "all") {
        return Ok(Some(all.into_iter().map(str::to_owned).collect()));
    }
    if let Some(name) = args
        .deliver
        .iter()
        .find(|name| !all.contains(&name.as_str()))
    {
        let hint = suggest::hint(name, all.iter().copied(), || {
            format!("{} and all", quoted_list(&all))
        });
        return Err(Failure::Usage(format!(
            "--deliver {name}: there is no such deliverable; {hint}"
        )));
    }
    Ok(Some(args.deliver.clone()))
}

/// Sets the values of a preset in the deliverables of these names.
fn apply_preset(preset: Preset, session: &mut Session, names: &[String], messages: Messages) {
    for deliverable in &mut session.deliverables {
        if names.contains(&deliverable.name) && !deliverable.report && !deliverable.cue_sheet {
            preset.apply_to(deliverable);
            let replaced = match preset.target() {
                Some(_) => "format, rate, dither, limit and loudness",
                None => "format, rate, dither and limit; its loudness stays",
            };
            messages.note(&format!(
                "{} is delivered with the preset {}, in place of its own {replaced}",
                deliverable.name,
                preset.name()
            ));
        }
    }
}

/// Reports whether a report of this name is of a single mix: a delivery has a page or JSON.
fn is_report_of_mix(path: &Path) -> bool {
    !matches!(
        ReportFormat::from_path(path),
        Ok(ReportFormat::Html | ReportFormat::Json)
    )
}

/// Adds the report that `--report` asks for to the deliverables of the session, and returns its name.
fn add_report(session: &mut Session, args: &Args) -> Option<String> {
    let path = args.report.as_ref()?;
    let mut name = "--report".to_owned();
    while session.deliverable(&name).is_some() {
        name.push('-');
    }
    let report = Deliverable::new(&name, path).report(true);
    session.deliverables.push(report);
    Some(name)
}

/// Returns the first given option that applies to a single mix, because a deliverable has its own value.
fn option_of_single_mix(args: &Args) -> Option<&'static str> {
    [
        ("--preset", args.preset.is_some() && args.deliver.is_empty()),
        ("--format", args.format.is_some()),
        (
            "--report",
            args.report.as_deref().is_some_and(is_report_of_mix),
        ),
        ("--target", args.target.is_some()),
        ("--check", args.check),
    ]
    .into_iter()
    .find_map(|(option, is_given)| is_given.then_some(option))
}

/// Renders the deliverables of these names, prints the result and returns the exit code.
fn render(
    session: &Session,
    names: &[String],
    args: &Args,
    messages: Messages,
    interrupt: &Interrupt,
) -> Result<u8, Failure> {
    let selected: Vec<&Deliverable> = session
        .deliverables
        .iter()
        .filter(|d| names.contains(&d.name))
        .collect();
    warn_of_languages(&selected, args, messages);
    warn_of_master_options(&selected, args, messages);
    let paths: Vec<PathBuf> = selected
        .iter()
        .flat_map(|deliverable| session.outputs(deliverable))
        .map(|output| output.file)
        .collect();
    let overwrite = args.force || paths.iter().all(|p| output_path::will_be_in_demo(p));
    let range = parse_range(session, &selected, args, messages)?;
    let delivery = || {
        let delivery = Delivery::new()
            .only(names.iter().cloned())
            .overwrite(overwrite)
            .threads(args.threads.unwrap_or(0).into())
            .bins(usize::try_from(args.bins).unwrap_or(usize::MAX));
        match range.clone() {
            Some(range) => delivery.range(range),
            None => delivery,
        }
    };
    let with_hints = |e| with_hints(e, args);
    interrupt
        .while_checking(|| delivery().check(session))
        .map_err(with_hints)?;
    let mut progress = ProgressDisplay::new(args.progress(), messages, session.rate);
    let watch = |done| {
        progress.show(done);
        interrupt.control_flow()
    };
    let written = interrupt.while_writing(|| delivery().progress(watch).run(session));
    progress.clear();
    match written {
        Ok(delivered) => print_result(&delivered, args, messages),
        Err(e) if e.kind() == ErrorKind::Cancelled => {
            messages.error("interrupted; nothing was written", "cancelled");
            Ok(interrupt.exit_code())
        }
        Err(e) => Err(with_hints(e)),
    }
}

/// Alternative to replacing a part of the files of a delivery.
const PART_AS_A_MIX: &str = "use -o FILE to write the part as a mix of its own";

/// Returns an error of a delivery as a failure with hints.
fn with_hints(error: Error, args: &Args) -> Failure {
    let mut hints = hints::of_error(&error, "", args);
    if args.range.is_some() && error.kind() == ErrorKind::Output {
        hints.push(PART_AS_A_MIX.to_owned());
    }
    Failure::Library(error, hints)
}

/// Parses `--range`, and notes if the timeline ends before it.
fn parse_range(
    session: &Session,
    selected: &[&Deliverable],
    args: &Args,
    messages: Messages,
) -> Result<Option<Range<Frames>>, Failure> {
    if args.range.is_none() {
        return Ok(None);
    }
    let mut spoken = session.clone();
    if spoken.lang.is_none() {
        spoken.lang = selected.iter().find_map(|d| d.lang.clone());
    }
    let plan = Plan::compile(&spoken).map_err(|e| hints::for_error(e, "", args))?;
    mix::stated_range(session, plan.length(), args, messages)
}

/// Warns of `--set lang=...`, which a deliverable with its own language ignores.
fn warn_of_languages(deliverables: &[&Deliverable], args: &Args, messages: Messages) {
    let Some(setting) = args.set.iter().find(|set| set.starts_with("lang=")) else {
        return;
    };
    for deliverable in deliverables.iter().filter(|d| d.lang.is_some()) {
        let name = &deliverable.name;
        messages.warning(&format!(
            "--set {setting} has no effect on the deliverable {name:?}, which has its own lang; use --set deliver.{name}.{setting}"
        ));
    }
}

/// Warns of deliverables that `--limit` and `--dither` leave as they are: stems are taken before the limiter, and stems and
/// deliverables with a dither of their own do not have that of the master.
fn warn_of_master_options(deliverables: &[&Deliverable], args: &Args, messages: Messages) {
    for deliverable in deliverables {
        let name = &deliverable.name;
        let is_of_stems = !deliverable.stems.is_empty();
        if args.limit.is_some() && is_of_stems {
            messages.warning(&format!(
                "--limit has no effect on the deliverable {name:?}: stems are taken before the limiter"
            ));
        }
        if args.limit.is_some() && deliverable.limit.is_some() {
            messages.warning(&format!(
                "--limit has no effect on the deliverable {name:?}, which has its own limit; use --set deliver.{name}.limit=..."
            ));
        }
        let reason = match deliverable.dither {
            Some(_) => "has its own dither",
            None if is_of_stems => "is of stems, which have no dither unless it is their own",
            None => continue,
        };
        if let Some(dither) = args.dither {
            messages.warning(&format!(
                "--dither has no effect on the deliverable {name:?}, which {reason}; \
                 use --set \"deliver.{name}.dither={dither}\""
            ));
        }
    }
}

/// Prints the result, then warnings and the number of files, and returns the exit code.
fn print_result(delivered: &Delivered, args: &Args, messages: Messages) -> Result<u8, Failure> {
    // Warnings are printed even if the result cannot be.
    let printed = match (args.json, args.quiet) {
        (true, _) => stdout::print(&delivered.to_json()),
        (false, false) => print_table(delivered, args),
        (false, true) => Ok(()),
    };
    let warnings = delivered.warnings();
    closing_messages::print_warnings(warnings.iter().copied(), args, messages);
    let files: Vec<&FileReport> = delivered
        .deliverables
        .iter()
        .flat_map(|d| &d.files)
        .collect();
    let mut warning_count = warnings.iter().filter(|w| !w.kind.is_note()).count();
    let is_silent = |file: &&&FileReport| file.is_audio() && file.report.mix.peak_dbfs.is_none();
    for file in files.iter().filter(is_silent) {
        warning_count += 1;
        if closing_messages::are_warnings_shown(args) {
            let path = printable(file.report.output.as_deref().unwrap_or_default());
            messages.warning(&format!("{path} is silent"));
        }
    }
    let outputs: Vec<&str> = files
        .iter()
        .filter_map(|f| f.report.output.as_deref())
        .collect();
    messages.event(&json!({
        "event": "done", "outputs": outputs, "renders": delivered.renders, "wall_s": delivered.wall_s,
        "warnings": warning_count, "passed": delivered.passed()
    }));
    if matches!(args.progress(), ProgressMode::Auto | ProgressMode::Plain) {
        messages.line(&format!(
            "wrote {} in {:.2} s",
            counted(outputs.len() as u64, "file"),
            delivered.wall_s
        ));
    }
    printed?;
    let failed: Vec<&str> = delivered
        .deliverables
        .iter()
        .filter(|d| !d.passed())
        .map(|d| d.name.as_str())
        .collect();
    if !failed.is_empty() {
        let text = format!("written, but a check failed: {}", quoted_list(&failed));
        messages.error(&text, "check");
        return Ok(exit_code::CHECK_FAILED);
    }
    Ok(closing_messages::strict_exit_code(
        "written",
        warning_count,
        args,
        messages,
    ))
}

/// Prints the result: with `--verbose` the report of every file that is not a stem, then the table.
fn print_table(delivered: &Delivered, args: &Args) -> Result<(), Failure> {
    if args.verbose {
        let files = delivered.deliverables.iter().flat_map(|d| &d.files);
        for file in files.filter(|f| f.is_audio() && f.content != "stem") {
            stdout::print_fitting(&file.report)?;
            stdout::print("")?;
        }
    }
    stdout::print_fitting(delivered)
}
