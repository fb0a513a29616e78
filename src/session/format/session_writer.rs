//! Writes a session as the tree of its file in canonical form: keys in the order of their table, without those that have their
//! default.

use super::{
    bindings::{self, Header, Visitor},
    inserts,
    keys::{self, Kind, TableSpec},
    tree::{Table, Value},
    values::{FieldValue, FieldWriter},
};
use crate::{
    curve::Fade,
    error::{Error, ErrorKind, Result},
    session::{Clip, Cue, Insert, Session, Track},
    units::Decibels,
};
use std::{mem, path::Path};

/// Returns the tree of a session whose file lies in a folder.
///
/// # Errors
/// `Session` for content that a file cannot state: a source of the program, two sends of a strip to one bus, a path that is not
/// UTF-8.
pub(super) fn tree(session: &Session, folder: &Path) -> Result<Table> {
    let mut refused = None;
    // Bindings serve reading too, so they need fields that can change; a copy provides them.
    let mut fields = session.clone();
    let scope = Scope { session, folder };
    let mut root = TableWriter::new(&keys::SESSION, "", scope, &mut refused);
    let mut header = Header {
        rate: Some(session.rate),
        layout: Some(session.layout),
        fps: session.fps.or(session.start.map(|start| start.rate())),
        lang: session.lang.clone(),
    };
    bindings::header(&mut root, &mut header);
    bindings::start(&mut root, &mut fields.start);
    bindings::session(&mut root, &mut fields);
    let album = root.inner("album", "", |writer| {
        bindings::album(writer, &mut fields.album)
    });
    root.put_table("album", album);
    let master = root.inner("master", "", |writer| {
        bindings::master(writer, &mut fields.master)
    });
    root.put_table("master", master);
    root.put_named(
        "bus",
        fields.buses_mut(),
        |bus, _| bus.strip.name.clone(),
        |writer, bus| {
            bindings::strip(writer, "to", &mut bus.strip);
        },
    );
    tracks(&mut root, fields.tracks_mut());
    root.put_named("cue", fields.cues_mut(), |cue, _| cue.name.clone(), cue);
    root.put_named(
        "deliver",
        &mut fields.deliverables,
        |deliverable, _| deliverable.name.clone(),
        |writer, deliverable| bindings::deliverable(writer, deliverable),
    );
    let tree = root.finish();
    refused.map_or(Ok(tree), |message| {
        Err(Error::new(ErrorKind::Session, message))
    })
}

fn tracks(writer: &mut TableWriter<'_>, tracks: &mut [Track]) {
    writer.put_named("track", tracks, |track, _| track.strip.name.clone(), track);
}

fn track(writer: &mut TableWriter<'_>, track: &mut Track) {
    bindings::track(writer, track);
    if let [clip] = track.clips.as_mut_slice()
        && fits_in_track(clip)
    {
        bindings::stem(writer, &mut Some(clip.input.clone()), clip);
        return;
    }
    writer.put_named(
        "clip",
        &mut track.clips,
        |clip, index| numbered(&clip.name, index + 1),
        |inner, clip| {
            inner.name.clone_from(&track.strip.name);
            bindings::clip(inner, &mut Some(clip.input.clone()), clip);
        },
    );
}

/// Reports whether the table of a track can state its only clip.
fn fits_in_track(clip: &Clip) -> bool {
    clip.name.is_empty() && clip.gain == Decibels::UNITY && clip.crossfade == Fade::default()
}

fn cue(writer: &mut TableWriter<'_>, cue: &mut Cue) {
    bindings::cue(writer, cue);
    let has_plain_use = cue.uses.first().is_some_and(|first| first.name.is_empty());
    let (plain, named) = cue.uses.split_at_mut(usize::from(has_plain_use));
    for placement in plain {
        bindings::placement(writer, placement);
    }
    tracks(writer, &mut cue.tracks);
    writer.put_named(
        "use",
        named,
        |place, index| numbered(&place.name, index + 2),
        |writer, place| {
            bindings::placement(writer, place);
        },
    );
}

/// Returns a name, or a number in place of an empty one.
fn numbered(name: &str, number: usize) -> String {
    if name.is_empty() {
        number.to_string()
    } else {
        name.to_owned()
    }
}

#[derive(Clone, Copy)]
struct Scope<'a> {
    session: &'a Session,
    /// The folder of the session file.
    folder: &'a Path,
}

/// A table that is being written.
struct TableWriter<'a> {
    spec: &'static TableSpec,
    /// The track, bus, cue or deliverable, for messages.
    name: String,
    scope: Scope<'a>,
    table: Table,
    /// The first content that a session file cannot state.
    refused: &'a mut Option<String>,
}

impl<'a> TableWriter<'a> {
    fn new(
        spec: &'static TableSpec,
        name: &str,
        scope: Scope<'a>,
        refused: &'a mut Option<String>,
    ) -> Self {
        Self {
            spec,
            name: name.to_owned(),
            scope,
            table: Table::default(),
            refused,
        }
    }

    fn inner_spec(&self, key: &str) -> &'static TableSpec {
        match self.spec.key(key).map(|key| &key.kind) {
            Some(Kind::Table(spec) | Kind::Tables(spec)) => spec,
            _ => self.spec,
        }
    }

    /// Writes the table of another object.
    fn inner(&mut self, key: &str, name: &str, write: impl FnOnce(&mut TableWriter<'_>)) -> Table {
        let mut inner = TableWriter::new(self.inner_spec(key), name, self.scope, self.refused);
        write(&mut inner);
        inner.finish()
    }

    /// Puts a table under a key, unless it is empty.
    fn put_table(&mut self, key: &str, table: Table) {
        if !table.entries.is_empty() {
            self.table.put(key, Value::Table(table));
        }
    }

    /// Writes a table for each of several objects, by their names, under a key.
    fn put_named<T>(
        &mut self,
        key: &str,
        objects: &mut [T],
        name: impl Fn(&T, usize) -> String,
        write: impl Fn(&mut TableWriter<'_>, &mut T),
    ) {
        let mut all = Table::default();
        for (index, object) in objects.iter_mut().enumerate() {
            let name = name(object, index);
            let table = self.inner(key, &name, |writer| write(writer, object));
            all.put(&name, Value::Table(table));
        }
        self.put_table(key, all);
    }

    /// Visits the table under a key as part of this one, and returns it.
    fn visit_inner(&mut self, key: &str, bind: impl FnOnce(&mut Self)) -> Table {
        let inner = self.inner_spec(key);
        let outer = (
            mem::replace(&mut self.spec, inner),
            mem::take(&mut self.table),
        );
        bind(self);
        self.sort();
        let inner = mem::take(&mut self.table);
        (self.spec, self.table) = outer;
        inner
    }

    fn sort(&mut self) {
        let spec = self.spec;
        self.table
            .entries
            .sort_by_key(|(key, _)| spec.keys().position(|known| known.name == key.name));
    }

    fn finish(mut self) -> Table {
        self.sort();
        self.table
    }
}

impl Visitor for TableWriter<'_> {
    fn field<T: FieldValue>(&mut self, key: &'static str, value: &mut T) {
        let (session, folder) = (self.scope.session, self.scope.folder);
        let mut field = FieldWriter {
            name: &self.name,
            session,
            folder,
            refused: self.refused,
        };
        let Some(value) = value.write(&mut field) else {
            return;
        };
        let default = self.spec.key(key).and_then(|key| key.default);
        if default != Some(&value.inline()) {
            self.table.put(key, value);
        }
    }

    fn insert_curves(&mut self, key: &'static str, inserts: &mut [Insert]) {
        let field = FieldWriter {
            name: &self.name,
            session: self.scope.session,
            folder: self.scope.folder,
            refused: self.refused,
        };
        let curves = inserts::written_curves(inserts, &field);
        self.put_table(key, curves);
    }

    fn section(&mut self, key: &'static str, bind: impl FnOnce(&mut Self)) {
        let table = self.visit_inner(key, bind);
        self.put_table(key, table);
    }

    fn optional_section<T: Default>(
        &mut self,
        key: &'static str,
        value: &mut Option<T>,
        bind: impl FnOnce(&mut Self, &mut T),
    ) {
        if let Some(value) = value {
            let table = self.visit_inner(key, |writer| bind(writer, value));
            self.table.put(key, Value::Table(table));
        }
    }
}
