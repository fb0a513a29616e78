//! `mixdown plan INPUT`: prints what would be done. Opens the stems, renders nothing.

use crate::voice::{printable, printable_lines};
use serde_json::{Value, json};
use soundtrack::{Content, Plan, Session};
use std::path::{Path, PathBuf};

/// The inputs after the word `plan`, if it leads them and is no file or folder itself.
pub fn asked(inputs: &[PathBuf]) -> Option<&[PathBuf]> {
    let (first, rest) = inputs.split_first()?;
    (first == Path::new("plan") && !first.exists()).then_some(rest)
}

/// The plan, and the files that the session promises, for people.
pub fn text(plan: &Plan, session: &Session) -> String {
    let mut text = printable_lines(plan.to_string().trim_end());
    for promise in &session.deliverables {
        for output in session.outputs(promise) {
            let file = output.file.display().to_string();
            let line = format!(
                "\n deliver  {}  {}  {}  {}",
                promise.name,
                printable(&file),
                promise.format,
                content(output.content, session)
            );
            text += &line;
        }
    }
    text
}

/// The same as data.
pub fn document(plan: &Plan, session: &Session) -> Value {
    let outputs = session.deliverables.iter().flat_map(|promise| {
        session.outputs(promise).into_iter().map(|output| {
            json!({
                "deliverable": promise.name, "file": output.file.to_string_lossy(),
                "format": promise.format.to_string(), "content": content(output.content, session)
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
        "frames": plan.length().0, "plan": plan.to_string(), "cues": cues.collect::<Vec<_>>(),
        "files": plan.files().iter().map(|f| f.to_string_lossy().into_owned()).collect::<Vec<_>>(),
        "deliverables": outputs.collect::<Vec<_>>()
    })
}

fn content(content: Content, session: &Session) -> String {
    match content {
        Content::Stem(bus) => session.part_name(bus.into()).unwrap_or_default(),
        Content::Cue(cue) => session.part_name(cue.into()).unwrap_or_default(),
        _ => "mix".to_owned(),
    }
}
