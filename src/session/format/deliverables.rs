//! Reads deliverables and checks the names of their files.

use super::{
    bindings,
    clock::TimeOrigin,
    files::check_output,
    keys,
    problems::Problems,
    session_reader::Context,
    table_reader::TableReader,
    tree::{Key, Table, Value},
    values::Scope,
};
use crate::{
    encode::Format,
    error::{Problem, Subject},
    session::{Deliverable, Session},
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// Reads a deliverable. Deliverables come last, since they name tracks, buses and cues of the session.
pub(super) fn deliverable(
    key: &Key,
    table: &Table,
    session: &Session,
    context: &Context<'_>,
    problems: &mut Problems,
) -> Deliverable {
    let mut scope = Scope {
        session: Some(session),
        ..context.scope()
    };
    if table.get("cue").is_some() {
        scope.origin = TimeOrigin::Cue;
    }
    let subject = format!("deliverable {:?}", key.name);
    let mut reader = TableReader::new(&keys::DELIVER, subject.as_str(), table, scope, problems);
    reader.own(&subject, &key.span);
    let mut deliverable = Deliverable::new(&key.name, "");
    deliverable.written = reader.key_spans(&key.span);
    if !reader.has("file") {
        reader.report(key.span.clone(), "it has no file");
    }
    bindings::deliverable(&mut reader, &mut deliverable);
    if !reader.has("format")
        && let Some(format) = Format::of_file_name(&deliverable.file)
    {
        deliverable.format = format;
    }
    check_extension(&deliverable, table, &mut reader);
    let faults = session.pattern_faults(&deliverable, table.text("file").unwrap_or_default());
    for message in faults {
        reader.report(reader.span("file"), format!("file: {message}"));
    }
    if deliverable.album && !deliverable.stems.is_empty() {
        reader.report(
            reader.span("album"),
            "it is an album and stems: make two deliverables of it",
        );
    }
    if let Some((key, document)) = deliverable.document()
        && (deliverable.album || !deliverable.stems.is_empty())
    {
        reader.report(
            reader.span(key),
            format!("it is {document} and audio: make two deliverables of it"),
        );
    }
    if deliverable.listing && !deliverable.album {
        reader.report(
            reader.span("listing"),
            "a listing is for an album, as in album = true",
        );
    }
    check_place(&deliverable, &mut reader, session);
    reader.finish();
    deliverable
}

/// Checks that the extension of the file fits its format. Skips a deliverable of which the file or a key that decides on the
/// format is wrong, which is reported already.
fn check_extension(deliverable: &Deliverable, table: &Table, reader: &mut TableReader<'_, '_>) {
    let is_format_known = table
        .get("format")
        .is_none_or(|node| node.value.inline().parse::<Format>().is_ok());
    let mut documents = ["cue_sheet", "report"]
        .into_iter()
        .filter_map(|key| table.get(key));
    let is_known = is_format_known
        && documents.all(|node| matches!(node.value, Value::Switch(_)))
        && !deliverable.file.as_os_str().is_empty()
        && !reader.problems.has_syntax_errors();
    if let Some(fault) = deliverable
        .name_fault(&deliverable.file)
        .filter(|_| is_known)
    {
        reader.report(reader.span("file"), format!("file: {fault}"));
    }
}

/// Checks that every file lies in the session's folder once its name is filled in.
fn check_place(deliverable: &Deliverable, reader: &mut TableReader<'_, '_>, session: &Session) {
    if deliverable.file.as_os_str().is_empty() {
        return;
    }
    let refused = session.outputs(deliverable).iter().find_map(|output| {
        check_output(&output.file, reader.scope.context, reader.subject()).err()
    });
    if let Some(kind) = refused {
        let problem = Problem::with_kind(Subject::Session, kind);
        reader.problems.add(&reader.span("file"), problem);
    }
}

/// Reports two files of one name, of one deliverable or of two.
pub(super) fn collisions(
    session: &Session,
    folder: &Path,
    tables: &[(&Key, &Table)],
    problems: &mut Problems,
) {
    let mut taken: HashMap<PathBuf, &str> = HashMap::new();
    for (deliverable, (key, table)) in session.deliverables.iter().zip(tables) {
        let outputs = if deliverable.file.as_os_str().is_empty() {
            Vec::new()
        } else {
            session.outputs(deliverable)
        };
        let span = table.get("file").map_or(&key.span, |node| &node.span);
        for output in outputs {
            let file = output
                .file
                .strip_prefix(folder)
                .unwrap_or(&output.file)
                .display()
                .to_string();
            let Some(other) = taken.insert(output.file, &deliverable.name) else {
                continue;
            };
            let advice = match (deliverable.album, deliverable.stems.is_empty()) {
                (true, _) => ": put {cue} or {nn} in it",
                (_, false) => ": put {bus} or {nn} in it",
                _ => "",
            };
            let message = if other == deliverable.name {
                format!("deliverable {other:?}: file: would write {file} twice{advice}")
            } else {
                format!(
                    "deliverable {:?}: file: would write {file}, as deliverable {other:?} does",
                    deliverable.name
                )
            };
            problems.report(span.clone(), message);
            break;
        }
    }
}
