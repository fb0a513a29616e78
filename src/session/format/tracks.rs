//! Reads tracks and their clips.

use super::{
    bindings, keys,
    problems::Problems,
    table_reader::TableReader,
    tree::{Key, Table},
    values::Scope,
};
use crate::{
    media::Input,
    session::{BusId, Clip, Track},
};
use std::{ops::Range, path::PathBuf};

/// The settings that the tracks of one timeline share: that of the session, or of a cue.
pub(super) struct TrackScope<'a> {
    /// Prefix of the names of the tracks in messages: `cue "storm", `.
    pub prefix: String,
    /// The bus that the tracks feed by default.
    pub bus: Option<BusId>,
    pub values: Scope<'a>,
}

/// Reads a track. `found` is the clip of a file that a pattern found for it.
pub(super) fn track(
    key: &Key,
    table: &Table,
    scope: &TrackScope<'_>,
    found: Option<Clip>,
    problems: &mut Problems,
) -> Track {
    let subject = format!("{}track {:?}", scope.prefix, key.name);
    let mut reader = TableReader::new(
        &keys::TRACK,
        subject.as_str(),
        table,
        scope.values,
        problems,
    );
    reader.own(&subject, &key.span);
    let mut track = Track::of(&key.name);
    track.strip.to = scope.bus;
    bindings::track(&mut reader, &mut track);
    // A track with one clip has the clip's keys in its own table.
    track
        .clips
        .extend(clip(&mut reader, &key.span, found, bindings::stem));
    for (key, table) in reader.tables("clip") {
        let mut inner = reader.inner("clip", key, table);
        match clip(&mut inner, &key.span, None, bindings::clip) {
            Some(clip) => track.clips.push(clip.named(&key.name)),
            None if inner.has("file") || inner.has_misspelt("file") => {}
            None => inner.report(key.span.clone(), "it has no file"),
        }
        inner.finish();
    }
    let is_misspelt = reader.has_misspelt("file") || reader.has_misspelt("clip");
    if track.clips.is_empty() && !reader.has("file") && reader.lacks("clip") && !is_misspelt {
        reader.report(key.span.clone(), "it has neither a file nor a clip");
    }
    reader.finish();
    track
}

/// Reads the clip that a table describes, if the table names a file or one was found.
fn clip<'t, 'a>(
    reader: &mut TableReader<'t, 'a>,
    whole: &Range<usize>,
    found: Option<Clip>,
    bind: impl FnOnce(&mut TableReader<'t, 'a>, &mut Option<Input>, &mut Clip),
) -> Option<Clip> {
    let is_found = found.is_some();
    let mut clip = found.unwrap_or_else(|| Clip::new(Input::file(PathBuf::new())));
    let mut file = None;
    bind(reader, &mut file, &mut clip);
    if let Some(file) = file {
        clip.input = file;
        clip.written = reader.key_spans(whole);
        return Some(clip);
    }
    is_found.then_some(clip)
}

/// Returns every file that a track names.
pub(super) fn files_of_track(track: &Table) -> Vec<&str> {
    track
        .text("file")
        .into_iter()
        .chain(
            track
                .tables("clip")
                .filter_map(|(_, clip)| clip.text("file")),
        )
        .collect()
}
