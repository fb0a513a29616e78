//! Reads cues, their placements and the files that their patterns find.

use super::{
    bindings,
    clock::TimeOrigin,
    files::{self, confined},
    keys,
    problems::Problems,
    session_reader::Context,
    table_reader::TableReader,
    tracks::{TrackScope, files_of_track, track},
    tree::{Key, Table, Value},
    values::Scope,
};
use crate::{
    diagnostics::{Warning, WarningKind, suggest::beside},
    error::{Problem, Subject},
    media::Input,
    session::{Clip, Cue, Session, Use},
    storage::{is_link, joined},
};
use std::{
    collections::HashSet,
    ops::Range,
    path::{Path, PathBuf},
};

pub(super) fn cue(key: &Key, table: &Table, context: &Context<'_>, problems: &mut Problems) -> Cue {
    let subject = format!("cue {:?}", key.name);
    let in_cue = Scope {
        origin: TimeOrigin::Cue,
        ..context.scope()
    };
    let mut reader = TableReader::new(&keys::CUE, subject.as_str(), table, in_cue, problems);
    reader.own(&subject, &key.span);
    let mut cue = Cue::new(&key.name);
    bindings::cue(&mut reader, &mut cue);
    cue.written = reader.key_spans(&key.span);

    // A folder that is not allowed is reported once, and not again for every file in it.
    let folder = match reader.get::<PathBuf>("folder") {
        Some(_) => Path::new(table.text("folder").unwrap_or_default()),
        None => Path::new(""),
    };
    let bus = reader.get("bus");
    let scope = TrackScope {
        prefix: format!("{subject}, "),
        bus,
        values: Scope { folder, ..in_cue },
    };
    tracks(&mut cue, &mut reader, &scope);
    let is_misspelt = reader.has_misspelt("files") || reader.has_misspelt("track");
    if cue.tracks.is_empty() && reader.lacks("files") && reader.lacks("track") && !is_misspelt {
        reader.report(key.span.clone(), "it has no tracks");
    }

    // The table of the cue also has the keys of its first placement.
    if reader.has("at") {
        cue.uses.push(placement(&mut reader, &key.span));
    } else {
        let keys = keys::USE.keys().map(|key| key.name);
        for extra in keys.filter(|key| *key != "at" && table.get(key).is_some()) {
            let message = format!("{extra} is of its use against picture, and it has no at");
            reader.report(reader.span(extra), message);
        }
    }
    for (key, table) in reader.tables("use") {
        let mut inner = reader.inner("use", key, table);
        let subject = inner.subject().to_owned();
        inner.own(&subject, &key.span);
        if !inner.has("at") && !inner.has_misspelt("at") {
            inner.report(key.span.clone(), "it has no at");
        }
        cue.uses
            .push(placement(&mut inner, &key.span).named(&key.name));
        inner.finish();
    }
    reader.finish();
    cue
}

/// Reads a placement, whose times count from the start of the picture.
fn placement(reader: &mut TableReader<'_, '_>, whole: &Range<usize>) -> Use {
    let mut placement = Use::default();
    let in_cue = reader.scope.origin;
    reader.scope.origin = TimeOrigin::Picture;
    bindings::placement(reader, &mut placement);
    reader.scope.origin = in_cue;
    placement.written = reader.key_spans(whole);
    placement
}

/// Reads the tracks of a cue: those that patterns find, in the order of their names, then those that have tables. A table
/// without a file adds keys to the track that a pattern found under its name.
fn tracks(cue: &mut Cue, reader: &mut TableReader<'_, '_>, scope: &TrackScope<'_>) {
    let tables = reader.tables("track");
    let mut names = HashSet::new();
    for (pattern, span) in reader.texts("files") {
        for file in found(pattern, &span, reader, scope) {
            let name = track_name(&file, &names);
            let own = tables
                .iter()
                .find(|(key, table)| key.name == name && table.get("file").is_none());
            let has_other_table = tables.iter().any(|(key, table)| {
                let names_file = table.text("file").is_some_and(|own| Path::new(own) == file);
                names_file || (key.name == name && own.is_none())
            });
            if has_other_table || !names.insert(name.clone()) {
                continue;
            }
            let inner = scope.values.folder.join(&file);
            let path = confined(
                &inner.to_string_lossy(),
                Path::new(""),
                scope.values.context,
                reader.subject(),
            );
            let path = path.unwrap_or_else(|kind| {
                reader
                    .problems
                    .add(&span, Problem::with_kind(Subject::Session, kind));
                PathBuf::new()
            });
            let mut clip = Clip::new(Input::file(path));
            clip.written = reader.problems.key_spans(&span, Vec::new());
            let bare = (
                Key {
                    name,
                    span: span.clone(),
                },
                Table::default(),
            );
            let (key, table) = own.copied().unwrap_or((&bare.0, &bare.1));
            cue.tracks
                .push(track(key, table, scope, Some(clip), reader.problems));
        }
    }
    for (key, table) in tables {
        if !(names.contains(&key.name) && table.get("file").is_none()) {
            cue.tracks
                .push(track(key, table, scope, None, reader.problems));
        }
    }
}

/// Returns the files that a pattern finds in the chosen language, as paths from the cue's folder.
fn found(
    pattern: &str,
    span: &Range<usize>,
    reader: &mut TableReader<'_, '_>,
    scope: &TrackScope<'_>,
) -> Vec<PathBuf> {
    let context = scope.values.context;
    let parent = pattern.rsplit_once('/').map_or("", |(folder, _)| folder);
    if let Err(kind) = confined(parent, scope.values.folder, context, reader.subject()) {
        reader
            .problems
            .add(span, Problem::with_kind(Subject::Session, kind));
        return Vec::new();
    }
    if parent.contains(['*', '?']) {
        reader.report(
            span.clone(),
            "files: * and ? stand in the name of a file, not in that of a folder",
        );
        return Vec::new();
    }
    let folder = context.in_language(&joined(&context.folder, scope.values.folder));
    let folder = if folder.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        folder
    };
    let folder_exists = folder.exists();
    match files::matching(&folder, pattern) {
        Ok(files) => {
            if files.is_empty() {
                reader.report(
                    span.clone(),
                    format!("no file of {} matches {pattern:?}", folder.display()),
                );
            }
            files
        }
        Err(e) => {
            let wanted = if parent.is_empty() || !folder_exists {
                folder
            } else {
                folder.join(parent)
            };
            let name = wanted.display();
            let message = if wanted.exists() || wanted.to_str().is_some_and(is_link) {
                format!("the folder {name} cannot be read: {e}")
            } else {
                format!("there is no folder {name}{}", beside(&wanted))
            };
            // A wrong folder of the cue is reported where the file states it.
            let is_own = reader.has("folder") && !folder_exists;
            let place = if is_own {
                reader.span("folder")
            } else {
                span.clone()
            };
            reader.report(place, message);
            Vec::new()
        }
    }
}

/// Warns of folders with audio next to the files that the patterns of cues find: a forgotten take or reel. Folders that the
/// session reads from or writes to are left out.
pub(super) fn passed_over(
    session: &Session,
    tables: &[(&Key, &Table)],
    context: &Context<'_>,
) -> Vec<Warning> {
    let of_cues = session.cues().iter().flat_map(|cue| &cue.tracks);
    let clips = session
        .tracks()
        .iter()
        .chain(of_cues)
        .flat_map(|t| &t.clips);
    let read = clips.filter_map(|clip| match &clip.input {
        Input::File { path, .. } => Some(context.in_languages(path)),
        Input::Open(_) | Input::Program { .. } => None,
    });
    let written = session.deliverables.iter().flat_map(|d| session.outputs(d));
    let known: HashSet<PathBuf> = read
        .flatten()
        .chain(written.map(|output| output.file))
        .flat_map(|file| {
            file.ancestors()
                .skip(1)
                .map(Path::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    let mut warnings = Vec::new();
    for (key, table) in tables {
        let patterns = patterns(table);
        let within = Path::new(table.text("folder").unwrap_or_default());
        let mut folders = Vec::new();
        for pattern in &patterns {
            let parent = pattern.rsplit_once('/').map_or("", |(folder, _)| folder);
            let inner = joined(within, Path::new(parent));
            if inner.to_str().is_some_and(is_link)
                || !(context.outside || files::is_inside(&inner, context))
            {
                continue;
            }
            let folder = context.in_language(&joined(&context.folder, &inner));
            let found = files::folders_with_audio(&folder, &patterns, &known);
            folders.extend(found.iter().map(|f| inner.join(f).display().to_string()));
        }
        folders.sort();
        folders.dedup();
        if !folders.is_empty() {
            let subject = Subject::Cue {
                name: key.name.clone(),
                placement: None,
                file: None,
            };
            warnings.push(Warning::new(WarningKind::PassedOver { folders }, subject));
        }
    }
    warnings
}

/// Returns the patterns of a cue's files.
fn patterns(cue: &Table) -> Vec<&str> {
    match cue.get("files").map(|node| &node.value) {
        Some(Value::Text(pattern)) => vec![pattern],
        Some(Value::List(list)) => list
            .iter()
            .filter_map(|node| node.value.as_text())
            .collect(),
        _ => Vec::new(),
    }
}

/// Returns the name of the track of a file: `violins` for `violins.wav`, or the whole file name where that is taken.
fn track_name(file: &Path, taken: &HashSet<String>) -> String {
    let text =
        |name: Option<&std::ffi::OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
    let stem = text(file.file_stem());
    if taken.contains(&stem) {
        text(file.file_name())
    } else {
        stem
    }
}

/// Returns every file that a cue names or finds, as paths from the session's folder.
pub(super) fn files_of_cue(cue: &Table, context: &Context<'_>) -> Vec<PathBuf> {
    let folder = Path::new(cue.text("folder").unwrap_or_default());
    let mut found = Vec::new();
    for pattern in patterns(cue) {
        found.extend(
            files::matching(
                &context.in_language(&joined(&context.folder, folder)),
                pattern,
            )
            .unwrap_or_default(),
        );
    }
    for (_, track) in cue.tables("track") {
        found.extend(files_of_track(track).into_iter().map(PathBuf::from));
    }
    found.iter().map(|file| joined(folder, file)).collect()
}
