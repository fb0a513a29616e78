//! `mixdown plan INPUT`: prints the plan and the deliverables. Opens the stems, renders nothing.

use super::{args::Args, closing_messages, hints, inputs, mix, session};
use crate::{
    failure::Failure,
    json,
    messages::Messages,
    stdout,
    text::{cells, padded, printable, printable_lines},
};
use serde_json::{Value, json};
use soundtrack::{Content, Deliverable, Output, Plan, Session};
use std::{
    fmt::{self, Display},
    path::{Path, PathBuf},
};

/// Returns the inputs after the word `plan`, unless a file or a folder has that name.
///
/// After an option, as in `mixdown --json plan song.toml`, the parser takes the command for an input.
pub fn inputs_to_plan(inputs: &[PathBuf]) -> Option<&[PathBuf]> {
    let (first, rest) = inputs.split_first()?;
    (first == Path::new("plan") && !first.exists()).then_some(rest)
}

/// Prints the plan of the inputs and returns the exit code.
pub fn run(inputs: &[PathBuf], args: &Args, messages: Messages) -> Result<u8, Failure> {
    if inputs.is_empty() {
        return Err(Failure::Usage(
            "plan: no input is given; name a session, a folder or stems".to_owned(),
        ));
    }
    let inputs = inputs::parse(inputs).map_err(|f| hints::for_inputs(f, args))?;
    let (session, plan) = mix::compile(session::build(&inputs, args, messages)?, args)?;
    closing_messages::print_warnings(plan.warnings(), args, messages);
    if args.json {
        json::print(to_json(&plan, &session))?;
    } else {
        stdout::print_fitting(&PlanText {
            plan: &plan,
            session: &session,
        })?;
        if args.verbose {
            stdout::print(&printable_lines(&format!(
                "\n{}",
                plan.to_string().trim_end()
            )))?;
        }
    }
    Ok(0)
}

/// The plan and the deliverables of a session as text for people.
struct PlanText<'a> {
    plan: &'a Plan,
    session: &'a Session,
}

impl Display for PlanText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.session.title.is_empty() {
            writeln!(f, "  {}", printable(&self.session.title))?;
        }
        let summary = self.plan.summary();
        let summary = match f.width() {
            Some(columns) => format!("{summary:columns$}"),
            None => summary.to_string(),
        };
        f.write_str(summary.trim_end())?;
        let rows: Vec<[String; 4]> = self.deliverables().collect();
        if rows.is_empty() {
            return Ok(());
        }
        writeln!(f)?;
        let headings = ["deliverable", "file", "format", "holds"].map(str::to_owned);
        let width = |column: usize| {
            let rows = rows.iter().chain([&headings]);
            let cells = rows
                .filter_map(|row| row.get(column))
                .map(|cell| cells(cell));
            cells.max().unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2)];
        for [name, file, format, holds] in std::iter::once(&headings).chain(&rows) {
            write!(
                f,
                "\n  {}  {}  {}  {holds}",
                padded(name, widths[0]),
                padded(file, widths[1]),
                padded(format, widths[2])
            )?;
        }
        Ok(())
    }
}

impl PlanText<'_> {
    /// Returns name, file, format and content of every file that the session delivers.
    fn deliverables(&self) -> impl Iterator<Item = [String; 4]> {
        self.session.deliverables.iter().flat_map(|deliverable| {
            let outputs = self.session.outputs(deliverable).into_iter();
            outputs.map(|output| {
                [
                    printable(&deliverable.name),
                    printable(&output.file.display().to_string()),
                    format_name(deliverable, &output),
                    printable(&content_name(output.content, self.session)),
                ]
            })
        })
    }
}

/// Returns the format of a file: that of the audio, or the extension of a document.
fn format_name(deliverable: &Deliverable, output: &Output) -> String {
    match output.content {
        content if !content.is_audio() => {
            let extension = output.file.extension().unwrap_or_default();
            extension.to_string_lossy().to_lowercase()
        }
        _ => deliverable.format.to_string(),
    }
}

/// Formats the plan, the cues and the deliverables of the session as JSON.
fn to_json(plan: &Plan, session: &Session) -> Value {
    let deliverables = session.deliverables.iter().flat_map(|deliverable| {
        session.outputs(deliverable).into_iter().map(|output| {
            json!({
                "deliverable": deliverable.name, "file": output.file.to_string_lossy(),
                "format": format_name(deliverable, &output), "content": content_name(output.content, session)
            })
        })
    });
    let cues = plan.cues().iter().map(|cue| {
        let uses = cue.uses.iter().map(|u| {
            json!({
                "name": u.name, "at_frame": u.range.start.0, "frames": (u.range.end - u.range.start).0,
                "from_frame": u.from.0, "usage": u.usage
            })
        });
        json!({ "name": cue.name, "title": cue.title, "frames": cue.length.0, "uses": uses.collect::<Vec<_>>() })
    });
    json!({
        "title": session.title, "rate_hz": plan.spec().rate.hz(), "layout": plan.spec().layout.to_string(),
        "frames": plan.length().0, "plan": plan.to_string(), "summary": plan.summary().to_string(),
        "cues": cues.collect::<Vec<_>>(),
        "files": plan.files().iter().map(|f| f.to_string_lossy().into_owned()).collect::<Vec<_>>(),
        "deliverables": deliverables.collect::<Vec<_>>()
    })
}

/// Returns the name of the bus or the cue that a file holds, `mix`, `cue sheet`, `listing` or `report`.
fn content_name(content: Content, session: &Session) -> String {
    match content {
        Content::Stem(bus) => session.part_name(bus.into()).unwrap_or_default(),
        Content::Cue(cue) => session.part_name(cue.into()).unwrap_or_default(),
        Content::CueSheet => "cue sheet".to_owned(),
        Content::AlbumCue | Content::AlbumJson => "listing".to_owned(),
        Content::Report => "report".to_owned(),
        _ => "mix".to_owned(),
    }
}
