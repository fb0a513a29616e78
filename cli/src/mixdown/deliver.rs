//! The deliverables of a session: which are asked for, writing them, and telling of them.

use super::{
    args::{Args, Progress},
    output,
    progress::Meter,
    run::{CHECK_FAILED, advice, print, said},
    stop::Stop,
    strips::listed,
};
use crate::{
    failure::Failure,
    names::similar,
    voice::{Voice, printable},
};
use serde_json::json;
use soundtrack::{Delivery, ErrorKind, Session, deliver::Delivered};
use std::{ops::ControlFlow, path::PathBuf};

/// The names of the deliverables to write; `None` where one mix is meant: a part of it, in a format of its own, or to be judged.
pub fn asked(session: &Session, args: &Args, voice: Voice) -> Result<Option<Vec<String>>, Failure> {
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
    let one = [
        ("--range", args.range.is_some()),
        ("--format", args.format.is_some()),
        ("--report", args.report.is_some()),
        ("--target", args.target.is_some()),
        ("--check", args.check),
    ];
    match (
        one.iter().find(|(_, given)| *given),
        args.deliver.is_empty(),
    ) {
        (Some((option, _)), true) => {
            voice.note(&format!(
                "{option} is for one mix: {} not written, --deliver writes them",
                are(&all)
            ));
            return Ok(None);
        }
        (Some((option, _)), false) => {
            let what = format!("{option} is for one mix: a deliverable says itself what it is");
            return Err(Failure::Usage(what));
        }
        (None, _) => {}
    }
    if args.deliver.is_empty() || args.deliver.iter().any(|name| name == "all") {
        return Ok(Some(all.into_iter().map(str::to_owned).collect()));
    }
    if let Some(name) = args
        .deliver
        .iter()
        .find(|name| !all.contains(&name.as_str()))
    {
        let hint = similar(name, all.iter().copied()).map_or_else(
            || format!("there are {} and all", listed(&all)),
            |near| format!("did you mean {near:?}?"),
        );
        return Err(Failure::Usage(format!(
            "--deliver {name}: there is no such deliverable; {hint}"
        )));
    }
    Ok(Some(args.deliver.clone()))
}

/// `the deliverable "full" is`, `the deliverables "full" and "stems" are`
fn are(names: &[&str]) -> String {
    let (s, are) = if names.len() == 1 {
        ("", "is")
    } else {
        ("s", "are")
    };
    format!("the deliverable{s} {} {are}", listed(names))
}

/// Writes the deliverables of these names; the exit code.
pub fn run(
    session: &Session,
    names: &[String],
    args: &Args,
    voice: Voice,
    stop: &Stop,
) -> Result<u8, Failure> {
    let promised = session
        .deliverables
        .iter()
        .filter(|d| names.contains(&d.name));
    for promise in promised.clone().filter(|d| d.lang.is_some()) {
        if let Some(set) = args.set.iter().find(|set| set.starts_with("lang=")) {
            let name = &promise.name;
            voice.caution(&format!(
                "--set {set} changes nothing in {name:?}, which has a lang: --set deliver.{name}.{set} does"
            ));
        }
    }
    let paths: Vec<PathBuf> = promised
        .flat_map(|d| session.outputs(d))
        .map(|o| o.file)
        .collect();
    let overwrite = args.force || paths.iter().all(|p| output::under_demo(p));
    let delivery = || {
        let delivery = Delivery::new()
            .only(names.iter().cloned())
            .overwrite(overwrite);
        delivery.threads(args.threads.unwrap_or(0).into())
    };
    let advised = |e| {
        let (e, hints) = advice(e, "", args);
        Failure::Audio(e, hints)
    };
    stop.while_checking(|| delivery().check(session))
        .map_err(advised)?;
    let mut meter = Meter::new(args.progress(), voice, session.rate);
    let watch = |progress| {
        meter.tell(progress);
        if stop.asked() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let done = stop.while_writing(|| delivery().progress(watch).run(session));
    meter.end();
    match done {
        Ok(done) => tell(&done, args, voice),
        Err(e) if e.kind() == ErrorKind::Cancelled => {
            voice.error("interrupted; nothing was written", "cancelled");
            Ok(stop.exit_code())
        }
        Err(e) => Err(advised(e)),
    }
}

/// Prints the result, then what the user should know; the exit code.
fn tell(done: &Delivered, args: &Args, voice: Voice) -> Result<u8, Failure> {
    // What cannot be printed keeps nothing else from being told.
    let printed = if args.quiet && !args.json {
        Ok(())
    } else {
        print(&text(done, args))
    };
    let warnings = done.warnings();
    warnings
        .iter()
        .for_each(|warning| said(warning, args, voice));
    let mut warned = warnings.iter().filter(|w| !w.kind.is_note()).count();
    let files = || done.deliverables.iter().flat_map(|d| &d.files);
    for file in files().filter(|f| f.report.mix.peak_dbfs.is_none()) {
        let path = printable(file.report.output.as_deref().unwrap_or_default());
        warned += 1;
        if args.strict || !args.quiet {
            voice.caution(&format!("{path} is silent"));
        }
    }
    let outputs: Vec<&str> = files().filter_map(|f| f.report.output.as_deref()).collect();
    let passed = done.passed();
    if args.progress() == Progress::Json {
        let event = json!({
            "event": "done", "outputs": outputs, "renders": done.renders, "wall_s": done.wall_s,
            "warnings": warned, "passed": passed
        });
        voice.line("", || event);
    } else if matches!(args.progress(), Progress::Auto | Progress::Plain) {
        let s = if outputs.len() == 1 { "" } else { "s" };
        voice.line(
            &format!("wrote {} file{s} in {:.2} s", outputs.len(), done.wall_s),
            || json!({}),
        );
    }
    printed?;
    let failed: Vec<&str> = done
        .deliverables
        .iter()
        .filter(|d| !d.passed())
        .map(|d| d.name.as_str())
        .collect();
    if !failed.is_empty() {
        voice.error(
            &format!("written, but a check failed: {}", listed(&failed)),
            "check",
        );
        return Ok(CHECK_FAILED);
    }
    if args.strict && warned > 0 {
        let warnings = if warned == 1 {
            "1 warning".to_owned()
        } else {
            format!("{warned} warnings")
        };
        voice.error(&format!("written, with {warnings} under --strict"), "check");
        return Ok(CHECK_FAILED);
    }
    Ok(0)
}

/// The result as it is printed.
fn text(done: &Delivered, args: &Args) -> String {
    if args.json {
        return done.to_json();
    }
    let whole = done
        .deliverables
        .iter()
        .flat_map(|d| &d.files)
        .filter(|f| args.verbose && f.content != "stem");
    whole
        .map(|f| format!("{}\n\n", f.report))
        .chain([done.to_string()])
        .collect()
}
