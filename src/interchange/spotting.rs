//! Spotting as comma-separated values: a line for each placement of a cue, and for each marker.
//!
//! The columns are found by their headings. `timecode` is the position against picture, and `in` and `out` are then the
//! part of the cue that is played, counted from its start. A list without the column `timecode`, as a spotting session
//! writes it, has `in` and `out` against picture.

use super::{
    MAX_ITEMS, Options, csv, labels,
    names::{Names, cleaned},
    notes::{Note, Notes, Place},
    text_file::TextFile,
};
use crate::{
    curve::Fade,
    error::Result,
    session::{At, Cue, Marker, Session, Track, Use},
    storage::AtomicFile,
    timecode::Timecode,
    units::{Decibels, Frames, SampleRate},
};
use std::{
    collections::{HashMap, HashSet},
    io::Write as _,
    path::Path,
};

const HEAD: [&str; 7] = ["timecode", "cue", "in", "out", "title", "usage", "marker"];

/// Names of each column, ours first.
const COLUMNS: [(&str, &[&str]); 8] = [
    ("timecode", &["timecode", "tc", "position", "at"]),
    ("cue", &["cue", "cue number", "cue no", "m", "m#", "number"]),
    ("in", &["in", "tc in", "timecode in", "start", "start time"]),
    ("out", &["out", "tc out", "timecode out", "end", "end time"]),
    ("duration", &["duration", "length"]),
    ("title", &["title", "cue title", "name"]),
    ("usage", &["usage", "use"]),
    (
        "marker",
        &["marker", "note", "notes", "comment", "description"],
    ),
];

/// The columns that a list has, by number.
struct Columns([Option<usize>; COLUMNS.len()]);

impl Columns {
    fn find(head: &csv::Row) -> Self {
        Self(COLUMNS.map(|(_, names)| {
            names.iter().find_map(|name| {
                let mut cells = head.cells.iter();
                cells.position(|cell| cell.trim().eq_ignore_ascii_case(name))
            })
        }))
    }

    fn number(&self, name: &str) -> Option<usize> {
        let index = COLUMNS.iter().position(|(known, _)| *known == name)?;
        self.0.get(index).copied().flatten()
    }
}

/// Reads a list.
///
/// # Errors
/// `Session` for headings that name no position, and for times that cannot be read, with the line.
pub(super) fn read(file: &TextFile, options: &Options) -> Result<(Session, Notes)> {
    let (mut session, mut notes) = (labels::empty_session(options), Notes::default());
    let wrong = |(line, what): (usize, String)| file.error(&Place::Line(line), what);
    let rows = csv::rows(&file.text).map_err(wrong)?;
    let Some((head, rows)) = rows.split_first() else {
        let what = "is empty: the first line names the columns, as timecode,cue,in,out";
        return Err(file.error(&Place::File, what));
    };
    let columns = Columns::find(head);
    let has_timecode = columns.number("timecode").is_some();
    let is_placed = has_timecode || columns.number("in").is_some();
    let is_named = columns.number("cue").or(columns.number("marker"));
    if !is_placed || is_named.or(columns.number("title")).is_none() {
        let what =
            "names no columns that are read: it needs timecode or in, and cue, title or marker";
        return Err(file.error(&Place::Line(head.line), what));
    }
    for (number, name) in head.cells.iter().enumerate() {
        if !columns.0.contains(&Some(number)) && !name.trim().is_empty() {
            let what = format!("the column {:?} is not carried", cleaned(name));
            notes.add(Place::Line(head.line), what);
        }
    }
    let mut cues: Vec<Cue> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    if rows.len() > MAX_ITEMS {
        let what = "there are more lines than a session can hold";
        return Err(file.error(&Place::File, what));
    }
    for row in rows {
        let cell = |name: &str| csv::unguarded(row.cell(columns.number(name)));
        let wrong = |what: String| file.error(&Place::Line(row.line), what);
        let clock = Clock { session: &session };
        let key = if has_timecode { "timecode" } else { "in" };
        let (cue, title) = (cleaned(cell("cue")), cleaned(cell("title")));
        let at = match cell(key) {
            "" => {
                return Err(wrong(format!(
                    "has no {key}: state where the cue or the marker is"
                )));
            }
            "origin" if !cue.is_empty() => At::Origin,
            text => clock.position(text).map_err(wrong)?,
        };
        if cue.is_empty() && title.is_empty() {
            let at = clock.frame(at).map_err(wrong)?;
            let name = match cleaned(cell("marker")) {
                name if name.is_empty() => "marker".to_owned(),
                name => name,
            };
            session.markers.push(Marker { at, name });
            continue;
        }
        let mut placement = Use::at(at).usage(cleaned(cell("usage")));
        let (from, to) = if has_timecode {
            let time = |text: &str| clock.length(text).map_err(wrong);
            let from = match cell("in") {
                "" => Frames::ZERO,
                text => time(text)?,
            };
            let to = match cell("out") {
                "" => None,
                text => Some(time(text)?),
            };
            (from, to)
        } else {
            let to = match cell("out") {
                "" => None,
                text => {
                    let out = clock.position(text).and_then(|at| clock.frame(at));
                    Some(out.map_err(wrong)?)
                }
            };
            let from = clock.frame(at).map_err(wrong)?;
            if to.is_some_and(|to| to < from) {
                return Err(wrong(
                    "the cue ends before it begins: swap in and out".to_owned(),
                ));
            }
            (Frames::ZERO, to.map(|to| to - from))
        };
        placement.from = from;
        placement.length = match to {
            Some(to) if to <= from => {
                return Err(wrong(
                    "the cue ends where it begins, or before: swap in and out".to_owned(),
                ));
            }
            Some(to) => Some(to - from),
            None => match cell("duration") {
                "" => None,
                text => Some(clock.length(text).map_err(wrong)?),
            },
        };
        let name = if cue.is_empty() { &title } else { &cue };
        let at = *index.entry(name.clone()).or_insert_with(|| {
            // A list knows no tracks, and a cue of a session file has some.
            let stem = file.folder().join(format!("{}.wav", file_name(name)));
            cues.push(Cue::new(name).track(Track::new("mix", stem)));
            let what = format!(
                "cue {name:?} is taken to be the file {}.wav: state its tracks in the session",
                file_name(name)
            );
            notes.add_to_group("cue", Place::Line(row.line), what);
            cues.len() - 1
        });
        let Some(found) = cues.get_mut(at) else {
            continue;
        };
        if found.title.is_empty() && title != *name {
            found.title.clone_from(&title);
        }
        if !found.uses.is_empty() {
            placement.name = (found.uses.len() + 1).to_string();
        }
        found.uses.push(placement);
        let note = cleaned(cell("marker"));
        if !note.is_empty() {
            let what = format!(
                "the note {note:?} of cue {name:?} is not carried: put it on a line without a cue for a marker"
            );
            notes.add_to_group("note", Place::Line(row.line), what);
        }
    }
    for cue in cues {
        session.add_cue(cue);
    }
    labels::settle(&mut session.markers, &mut notes);
    Ok((session, notes))
}

/// Returns a name that a file can have.
fn file_name(name: &str) -> String {
    let plain = |c: char| if "/\\:*?\"<>|#{}".contains(c) { '_' } else { c };
    let name: String = name.chars().map(plain).collect();
    name.trim_start_matches('.').to_owned()
}

/// Parses the times of a list.
struct Clock<'a> {
    session: &'a Session,
}

impl Clock<'_> {
    fn fps_missing(text: &str) -> String {
        format!("{text:?} is a timecode, and no frame rate is given: give it as fps (--fps 24)")
    }

    fn timecode(&self, text: &str) -> Result<Timecode, String> {
        let fps = self.session.fps.ok_or_else(|| Self::fps_missing(text))?;
        labels::timecode(text, fps)
    }

    /// Parses a position against picture: timecode, or a time after the start.
    fn position(&self, text: &str) -> Result<At, String> {
        if Timecode::looks_like(text) && text.matches([':', ';']).count() == 3 {
            let timecode = self.timecode(text)?;
            self.frame(At::Timecode(timecode))?;
            return Ok(At::Timecode(timecode));
        }
        self.time(text).map(At::Frames)
    }

    /// Parses a length, or a time after the start of a cue.
    fn length(&self, text: &str) -> Result<Frames, String> {
        if Timecode::looks_like(text) && text.matches([':', ';']).count() == 3 {
            return Ok(self.timecode(text)?.frames(self.session.rate));
        }
        self.time(text)
    }

    /// Parses `12.5s`, `12000 frames`, `62.5`, `1:02.5` or `0:01:02.5`.
    fn time(&self, text: &str) -> Result<Frames, String> {
        let rate = self.session.rate;
        let has_unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
        let frames = if has_unit {
            Frames::parse(text, rate).ok()
        } else {
            labels::clock(text).and_then(|seconds| seconds.frames(rate))
        };
        frames.ok_or_else(|| {
            format!("{text:?} is no time, like 01:02:40:00, 1:02.500, 62.5s or 12000 frames")
        })
    }

    /// Returns the frame of a position.
    fn frame(&self, at: At) -> Result<Frames, String> {
        let rate = self.session.rate;
        match at {
            At::Frames(frames) => Ok(frames),
            At::Timecode(timecode) => {
                let start = self
                    .session
                    .start
                    .map_or(Frames::ZERO, |start| start.frames(rate));
                let frames = timecode.frames(rate);
                if frames < start {
                    return Err(format!("{timecode} lies before the start of the session"));
                }
                Ok(frames - start)
            }
            At::Origin => Err("a time reference states no time".to_owned()),
        }
    }
}

/// Writes the placements of all cues and the markers of a session.
///
/// # Errors
/// `Output` where the file cannot be written.
pub(super) fn write(session: &Session, path: &Path, overwrite: bool) -> Result<Vec<Note>> {
    let (text, notes) = text(session);
    let mut file = AtomicFile::create(path, overwrite)?;
    file.write_all(text.as_bytes())
        .map_err(|e| file.failed(e))?;
    file.finish()?;
    Ok(notes.into_vec())
}

/// A line of the list, to sort by its position.
struct Line {
    at: Frames,
    cells: [String; HEAD.len()],
}

fn text(session: &Session) -> (String, Notes) {
    let mut notes = Notes::default();
    let mut lines = Vec::new();
    let clock = Clock { session };
    for track in session.tracks() {
        let place = Place::Part(format!("track {:?}", track.strip.name));
        let what = "spotting has cues and markers only: tracks are not carried";
        notes.add_to_group("track", place, what);
    }
    let mut names = Names::default();
    for cue in session.cues() {
        let cue_name = names.unique(&cue.name, "cue");
        let place = || Place::Part(format!("cue {:?}", cue.name));
        if cue.uses.is_empty() {
            notes.add(place(), "it has no placement, and so no line");
        }
        if cue.mute {
            notes.add(place(), "it is muted, which is not carried");
        }
        if !cue.markers.is_empty() {
            let what = "markers of cues are not carried: the list has those of the session";
            notes.add_to_group("cue marker", place(), what);
        }
        let mut seen = HashSet::new();
        for (number, placement) in cue.uses.iter().enumerate() {
            let is_plain = placement.gain == Decibels::UNITY
                && [placement.fade_in, placement.fade_out, placement.crossfade]
                    .iter()
                    .all(|fade| *fade == Fade::default());
            if !is_plain && seen.insert("fades") {
                let what = "gain, fades and crossfades of placements are not carried";
                notes.add_to_group("fades", place(), what);
            }
            let at = clock.frame(placement.at).unwrap_or(Frames::ZERO);
            let end = placement.length.map(|length| placement.from + length);
            lines.push(Line {
                at,
                cells: [
                    position(placement.at, session),
                    csv::guarded(&cue_name),
                    duration(placement.from, session.rate),
                    end.map_or_else(String::new, |end| duration(end, session.rate)),
                    if number == 0 {
                        csv::guarded(&cue.title)
                    } else {
                        String::new()
                    },
                    csv::guarded(&placement.usage),
                    String::new(),
                ],
            });
        }
    }
    for marker in &session.markers {
        let mut cells: [String; HEAD.len()] = Default::default();
        let [timecode, .., name] = &mut cells;
        *timecode = position(At::Frames(marker.at), session);
        *name = csv::guarded(&marker.name);
        lines.push(Line {
            at: marker.at,
            cells,
        });
    }
    lines.sort_by_key(|line| line.at);
    let mut csv = String::new();
    csv::push_line(&mut csv, &HEAD.map(str::to_owned));
    for line in lines {
        csv::push_line(&mut csv, &line.cells);
    }
    (csv, notes)
}

/// Returns a position: timecode where it is one exactly, or else a time after the start.
fn position(at: At, session: &Session) -> String {
    let frames = match at {
        At::Timecode(timecode) => return timecode.to_string(),
        At::Origin => return "origin".to_owned(),
        At::Frames(frames) => frames,
    };
    if let Some((fps, start)) = session.picture() {
        let since_midnight = start.frames(session.rate) + frames;
        let (timecode, after) = Timecode::seen_at(since_midnight, session.rate, fps);
        if after == Frames::ZERO && timecode.frames(session.rate) == since_midnight {
            return timecode.to_string();
        }
    }
    duration(frames, session.rate)
}

/// Returns a time in seconds where those are exact in milliseconds, or else in frames.
fn duration(frames: Frames, rate: SampleRate) -> String {
    let (millis, hz) = (u128::from(frames.0) * 1000, u128::from(rate.hz()));
    if !millis.is_multiple_of(hz) {
        return format!("{frames} frames");
    }
    let millis = millis / hz;
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}
