//! Reads markers: labels of Audacity, and regions and markers of REAPER.

use super::{
    MAX_ITEMS, Options, csv, names,
    notes::{Notes, Place},
    ratio::Ratio,
    text_file::TextFile,
};
use crate::{
    error::Result,
    layout::Layout,
    session::{Marker, Session},
    timecode::{FrameRate, Timecode},
    units::{Frames, SampleRate},
};

/// Makes a session without tracks of the settings.
pub(super) fn empty_session(options: &Options) -> Session {
    let rate = options.rate.unwrap_or(SampleRate::HZ_48000);
    let mut session = Session::new(rate, options.layout.unwrap_or(Layout::Stereo));
    session.fps = options.fps.or(options.start.map(Timecode::rate));
    session.start = options.start;
    session
}

/// Adds the marker of a label, and one at its end where it is a region.
fn add(session: &mut Session, name: &str, from: Frames, to: Option<Frames>) {
    let name = match names::cleaned(name) {
        name if name.is_empty() => "marker".to_owned(),
        name => name,
    };
    let end = to.filter(|to| *to > from).map(|at| Marker {
        at,
        name: format!("{name} (end)"),
    });
    session.markers.push(Marker { at: from, name });
    session.markers.extend(end);
}

/// Sorts the markers. A session file states one marker for each time, so that those at one frame become one with all names.
pub(super) fn settle(markers: &mut Vec<Marker>, notes: &mut Notes) {
    markers.sort_by_key(|marker| marker.at);
    let all = std::mem::take(markers);
    for marker in all {
        match markers.last_mut().filter(|last| last.at == marker.at) {
            Some(last) if last.name.split(" / ").any(|name| name == marker.name) => {}
            Some(last) => {
                let what = format!(
                    "markers {:?} and {:?} are at one frame: they become one",
                    last.name, marker.name
                );
                notes.add_to_group("one frame", Place::File, what);
                // What a file with many markers at one place would make too long, ends.
                if last.name.len() < MAX_NAME_BYTES {
                    last.name = format!("{} / {}", last.name, marker.name);
                }
            }
            None => markers.push(marker),
        }
    }
}

/// Length of a marker's name from which no other name is added.
const MAX_NAME_BYTES: usize = 1000;

/// Reads labels of Audacity: start and end in seconds and the label, with tabs between.
///
/// # Errors
/// `Session` for a line that is no label.
pub(super) fn read_audacity(file: &TextFile, options: &Options) -> Result<(Session, Notes)> {
    let (mut session, mut notes) = (empty_session(options), Notes::default());
    for (number, line) in (1..).zip(file.text.lines()) {
        let place = Place::Line(number);
        if line.trim().is_empty() {
            continue;
        }
        // A second line states the frequencies of a spectral selection.
        if line.starts_with('\\') {
            let what = "frequencies of labels are not carried";
            notes.add_to_group("frequencies", place, what);
            continue;
        }
        let mut cells = line.splitn(3, '\t');
        let mut seconds = || {
            let text = cells.next().unwrap_or("").trim();
            // Some languages write a comma.
            Ratio::parse(&text.replace(',', "."))?.frames(session.rate)
        };
        let (Some(from), Some(to)) = (seconds(), seconds()) else {
            let what =
                "is no label: it has a start and an end in seconds and a name, with tabs between";
            return Err(file.error(&place, what));
        };
        if to < from {
            return Err(file.error(&place, "the label ends before it begins"));
        }
        if session.markers.len() >= MAX_ITEMS {
            return Err(file.error(&place, "there are more labels than a session can hold"));
        }
        add(&mut session, cells.next().unwrap_or(""), from, Some(to));
    }
    settle(&mut session.markers, &mut notes);
    Ok((session, notes))
}

/// Reports whether a text is a list of REAPER's regions and markers, by its headings.
pub(super) fn is_reaper(text: &str) -> bool {
    let head = text.lines().next().unwrap_or("").to_ascii_lowercase();
    head.starts_with("#,name,start")
}

/// Reads the list that REAPER's Region/Marker Manager exports. Its times are seconds, minutes and seconds, timecode or
/// samples, as the ruler of the project is set. Times in beats are refused.
///
/// # Errors
/// `Session` for a time that cannot be read, and for a list without its headings.
pub(super) fn read_reaper(file: &TextFile, options: &Options) -> Result<(Session, Notes)> {
    let (mut session, mut notes) = (empty_session(options), Notes::default());
    let wrong = |(line, what): (usize, String)| file.error(&Place::Line(line), what);
    let rows = csv::rows(&file.text).map_err(wrong)?;
    let Some((head, rows)) = rows.split_first() else {
        let what = "is empty: export the list from the Region/Marker Manager of REAPER";
        return Err(file.error(&Place::File, what));
    };
    let column = |name: &str| {
        let mut cells = head.cells.iter();
        cells.position(|cell| cell.trim().eq_ignore_ascii_case(name))
    };
    let (number, name, start, end) = (column("#"), column("Name"), column("Start"), column("End"));
    if start.is_none() {
        let what = "has no column Start: export the list from the Region/Marker Manager of REAPER";
        return Err(file.error(&Place::Line(head.line), what));
    }
    for row in rows {
        let time = |text: &str| {
            time(text, &session).map_err(|what| file.error(&Place::Line(row.line), what))
        };
        let from = time(row.cell(start))?;
        let to = match row.cell(end) {
            "" => None,
            text => Some(time(text)?),
        };
        if session.markers.len() >= MAX_ITEMS {
            let what = "there are more markers than a session can hold";
            return Err(file.error(&Place::Line(row.line), what));
        }
        // A marker without a name is known by its number.
        let name = match row.cell(name) {
            "" => row.cell(number),
            name => csv::unguarded(name),
        };
        add(&mut session, name, from, to);
    }
    settle(&mut session.markers, &mut notes);
    Ok((session, notes))
}

/// Parses a timecode. Lists write `:`, `;` or `.` before the frames, whatever the frame rate.
pub(super) fn timecode(text: &str, fps: FrameRate) -> Result<Timecode, String> {
    let text = match text.rsplit_once([':', ';', '.']) {
        Some((label, frames)) => {
            let separator = if fps.is_drop_frame() { ';' } else { ':' };
            format!("{}{separator}{frames}", label.replace(';', ":"))
        }
        None => text.to_owned(),
    };
    Timecode::parse(&text, fps).map_err(|e| e.to_string())
}

/// Parses a time: `12.5`, `1:02.500`, `1:02:03.500`, timecode with the session's frame rate, or samples.
fn time(text: &str, session: &Session) -> Result<Frames, String> {
    let text = text.trim();
    if Timecode::looks_like(text) && text.matches([':', ';']).count() == 3 {
        let Some(fps) = session.fps else {
            return Err(format!(
                "{text:?} is a timecode, and no frame rate is given: give it as fps (--fps 24)"
            ));
        };
        let timecode = timecode(text, fps)?;
        let start = session
            .start
            .map_or(Frames::ZERO, |start| start.frames(session.rate));
        let at = timecode.frames(session.rate);
        if at < start {
            return Err(format!("{timecode} lies before the start of the session"));
        }
        return Ok(at - start);
    }
    if text.matches('.').count() > 1 {
        return Err(format!(
            "{text:?} is in bars and beats: set the ruler of REAPER to seconds, and export the list again"
        ));
    }
    clock(text)
        .and_then(|seconds| seconds.frames(session.rate))
        .ok_or_else(|| format!("{text:?} is no time, like 62.5 or 1:02.500"))
}

/// Parses `62.5`, `1:02.5` or `0:01:02.5` in seconds.
pub(super) fn clock(text: &str) -> Option<Ratio> {
    let sixty = Ratio::new(60, 1)?;
    let mut parts = text.split(':');
    let mut sum = Ratio::parse(parts.next()?).filter(|first| !first.is_negative())?;
    let mut count = 1;
    for part in parts {
        count += 1;
        let part = Ratio::parse(part).filter(|part| !part.is_negative() && *part < sixty)?;
        sum = sum.times(sixty)?.plus(part)?;
    }
    (count <= 3).then_some(sum)
}
