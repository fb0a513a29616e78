//! Reads OpenTimelineIO: the JSON of a timeline with stacks, tracks, clips, gaps and transitions.
//!
//! Positions are the sums of exact `RationalTime`s. Nested compositions become clips of tracks of their own. Transitions
//! become crossfades between two clips, and fades beside a gap.

use super::{
    MAX_ITEMS, Options,
    media_files::MediaFiles,
    notes::{Notes, Place},
    ratio::Ratio,
    text_file::TextFile,
    timeline::{Lane, PlacedClip, TimeBase, add_tracks, frame_rate, ratio_of},
};
use crate::{
    curve::FadeShape,
    error::Result,
    layout::Layout,
    media::Input,
    session::{Marker, Session},
    timecode::{FrameRate, Timecode},
    units::SampleRate,
};
use serde_json::Value;
use std::collections::HashMap;

/// Limit of the text, whose values take many times its size.
const MAX_TEXT_BYTES: usize = 32 << 20;

/// Limit of nested compositions.
const MAX_DEPTH: usize = 24;

/// Reads a timeline.
///
/// # Errors
/// `Session` for a text that is no timeline, with its line or its element.
pub(super) fn read(file: &TextFile, options: &Options) -> Result<(Session, Notes)> {
    if file.text.len() > MAX_TEXT_BYTES {
        let what = format!("is larger than {MAX_TEXT_BYTES} bytes: export a part of the timeline");
        return Err(file.error(&Place::File, what));
    }
    let root: Value = serde_json::from_str(&file.text).map_err(|e| {
        let what = format!("column {}: is no valid JSON: {e}", e.column());
        file.error(&Place::Line(e.line()), what).because(e)
    })?;
    let rate = options.rate.unwrap_or(SampleRate::HZ_48000);
    let mut reader = Reader {
        file,
        notes: Notes::default(),
        files: MediaFiles::default(),
        lanes: Vec::new(),
        lane_index: HashMap::new(),
        markers: Vec::new(),
        items: 0,
        wants_video: false,
        picture_rate: None,
    };
    let stack = match schema(&root) {
        "Timeline" => root.get("tracks").unwrap_or(&Value::Null),
        _ => &root,
    };
    let path = if std::ptr::eq(stack, &root) {
        "the file"
    } else {
        "tracks"
    };
    if !["Stack", "Track"].contains(&schema(stack)) {
        let place = match schema(&root) {
            "Timeline" => Place::Element(path.to_owned()),
            _ => Place::File,
        };
        let what = "is no timeline, stack or track of OpenTimelineIO: export the timeline as .otio";
        return Err(file.error(&place, what));
    }
    reader.wants_video = !has_audio(stack, 0);
    if reader.wants_video {
        let what = "the timeline has no audio track: the sound of its picture tracks is taken";
        reader.notes.add(Place::File, what);
    }
    let top = LaneName {
        key: String::new(),
        name: super::names::cleaned(text(stack, "name")),
    };
    reader.composition(stack, path, Ratio::ZERO, None, &top, 0)?;

    let mut session = Session::new(rate, options.layout.unwrap_or(Layout::Stereo));
    session.title = super::names::cleaned(text(&root, "name"));
    let start = reader.picture(&root, options)?;
    let base = TimeBase {
        rate,
        picture: start,
    };
    if let Some((fps, timecode)) = start {
        session.fps = Some(fps);
        session.start = Some(timecode);
    }
    for (at, name, place) in std::mem::take(&mut reader.markers) {
        match at.frames(rate) {
            Some(at) => session.markers.push(Marker { at, name }),
            None => reader.notes.add(
                Place::Element(place),
                format!("marker {name:?} lies outside the timeline: it is left out"),
            ),
        }
    }
    super::labels::settle(&mut session.markers, &mut reader.notes);
    let lanes = std::mem::take(&mut reader.lanes);
    add_tracks(&mut session, base, lanes, &mut reader.notes).map_err(|clip| {
        let what = format!("clip {clip:?} lies before the start or beyond the longest session");
        file.error(&Place::File, what)
    })?;
    Ok((session, reader.notes))
}

/// Returns the kind of an object: `Clip` of `Clip.2`.
fn schema(value: &Value) -> &str {
    let name = text(value, "OTIO_SCHEMA");
    name.split_once('.').map_or(name, |(name, _)| name)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Reports whether any track is an audio track.
fn has_audio(value: &Value, depth: usize) -> bool {
    let is_audio = schema(value) == "Track" && text(value, "kind") == "Audio";
    is_audio
        || (depth < MAX_DEPTH
            && list(value, "children")
                .iter()
                .any(|child| has_audio(child, depth + 1)))
}

/// A span of time in seconds.
#[derive(Clone, Copy)]
struct Span {
    start: Ratio,
    length: Ratio,
}

/// Identifies a track that clips are added to.
#[derive(Clone)]
struct LaneName {
    /// The element that it is made for; empty above the tracks.
    key: String,
    name: String,
}

impl LaneName {
    /// Returns the track for a layer of a nested composition.
    fn nested(&self, layer: usize) -> Self {
        Self {
            key: format!("{}/{layer}", self.key),
            name: format!("{} nested {layer}", self.name),
        }
    }
}

/// A child of a track with its place on the timeline.
struct Child<'v> {
    value: &'v Value,
    path: String,
    /// Start on the timeline.
    start: Ratio,
    length: Ratio,
    /// The transition at its start: how far it begins before and ends after the cut.
    before: Option<(Ratio, Ratio)>,
    /// The transition at its end.
    after: Option<(Ratio, Ratio)>,
    /// The transition at its start is one with a clip.
    is_crossfade: bool,
    /// The transition at its end is one with a clip, which states the fade.
    is_crossfaded: bool,
}

struct Reader<'a> {
    file: &'a TextFile,
    notes: Notes,
    files: MediaFiles,
    lanes: Vec<Lane>,
    /// The number of the track of each key.
    lane_index: HashMap<String, usize>,
    /// Position, name and element.
    markers: Vec<(Ratio, String, String)>,
    items: usize,
    wants_video: bool,
    /// The first rate of a picture that the file states.
    picture_rate: Option<FrameRate>,
}

/// The part of the timeline that nested items are heard in.
type Window = Option<(Ratio, Ratio)>;

impl Reader<'_> {
    fn wrong(&self, path: &str, what: &str) -> crate::error::Error {
        self.file.error(&Place::Element(path.to_owned()), what)
    }

    fn too_large(&self, path: &str) -> crate::error::Error {
        self.wrong(path, "has a time that is too large to be computed exactly")
    }

    fn note(&mut self, path: &str, what: impl Into<String>) {
        self.notes.add(Place::Element(path.to_owned()), what);
    }

    /// Returns the frame rate and the start of the picture.
    fn picture(
        &mut self,
        root: &Value,
        options: &Options,
    ) -> Result<Option<(FrameRate, Timecode)>> {
        let stated = match root.get("global_start_time") {
            Some(time) if !time.is_null() => {
                let at = self.time(time, "global_start_time")?;
                let rate = self.rate(time, "global_start_time")?;
                Some((at, frame_rate(rate)))
            }
            _ => None,
        };
        let own = stated.and_then(|(_, fps)| fps).or(self.picture_rate);
        let Some(fps) = options.fps.or(options.start.map(Timecode::rate)).or(own) else {
            return Ok(None);
        };
        if let Some(start) = options.start {
            return Ok(Some((fps, start)));
        }
        let Some((at, _)) = stated else {
            return Ok(Some((fps, Timecode::midnight(fps))));
        };
        let number = ratio_of(fps).and_then(|rate| at.times(rate)?.whole());
        match number.filter(|number| *number < fps.day()) {
            Some(number) => Ok(Some((fps, Timecode::of_number(number, fps)))),
            None => {
                let what = "is no start of a picture frame: state `start` in the session";
                self.note("global_start_time", what);
                Ok(Some((fps, Timecode::midnight(fps))))
            }
        }
    }

    /// Returns the rate of a `RationalTime` in 1/s. 23.98 and 29.97 stand for 24000/1001 and 30000/1001.
    fn rate(&self, value: &Value, path: &str) -> Result<Ratio> {
        let hz = value.get("rate").and_then(Value::as_f64);
        let hz = hz.filter(|hz| *hz > 0.0 && *hz <= 1e6);
        let Some(hz) = hz else {
            return Err(self.wrong(path, "states no rate above 0, as a RationalTime has"));
        };
        let nominal = (hz * 1.001).round();
        let is_ntsc = hz.fract() != 0.0 && hz < 240.0 && (nominal / 1.001 - hz).abs() < 0.006;
        let rate = if is_ntsc {
            #[expect(clippy::cast_possible_truncation, reason = "less than 241")]
            Ratio::new(nominal as i128 * 1000, 1001)
        } else {
            Ratio::of_f64(hz)
        };
        rate.ok_or_else(|| self.too_large(path))
    }

    /// Returns a `RationalTime` in seconds.
    fn time(&mut self, value: &Value, path: &str) -> Result<Ratio> {
        if schema(value) != "RationalTime" {
            return Err(self.wrong(path, "is no RationalTime"));
        }
        let Some(number) = value.get("value").filter(|v| v.is_number()) else {
            return Err(self.wrong(path, "is a RationalTime whose value is no number"));
        };
        let ticks = match number.as_i64() {
            Some(whole) => Ratio::new(i128::from(whole), 1),
            None => number.as_f64().and_then(Ratio::of_f64),
        };
        let rate = self.rate(value, path)?;
        self.picture_rate = self.picture_rate.or(frame_rate(rate));
        ticks
            .and_then(|ticks| ticks.over(rate))
            .ok_or_else(|| self.too_large(path))
    }

    /// Returns a `TimeRange` under a key; `None` where it is absent or null.
    fn span(&mut self, value: &Value, key: &str, path: &str) -> Result<Option<Span>> {
        let range = match value.get(key) {
            None | Some(Value::Null) => return Ok(None),
            Some(range) => range,
        };
        let path = format!("{path}.{key}");
        let field = |name| range.get(name).unwrap_or(&Value::Null);
        let start = self.time(field("start_time"), &format!("{path}.start_time"))?;
        let length = self.time(field("duration"), &format!("{path}.duration"))?;
        if length.is_negative() {
            return Err(self.wrong(&path, "has a negative duration"));
        }
        Ok(Some(Span { start, length }))
    }

    /// Returns the media reference of a clip, and its element.
    fn reference<'v>(&self, clip: &'v Value, path: &str) -> (&'v Value, String) {
        if let Some(all) = clip.get("media_references") {
            let key = match text(clip, "active_media_reference_key") {
                "" => "DEFAULT_MEDIA",
                key => key,
            };
            let reference = all.get(key).unwrap_or(&Value::Null);
            return (reference, format!("{path}.media_references.{key}"));
        }
        let reference = clip.get("media_reference").unwrap_or(&Value::Null);
        (reference, format!("{path}.media_reference"))
    }

    /// Returns the part of its media, or of its children, that an item plays, and its length.
    fn extent(&mut self, item: &Value, path: &str, depth: usize) -> Result<Span> {
        if depth > MAX_DEPTH {
            return Err(self.wrong(path, "is nested too deep"));
        }
        if let Some(range) = self.span(item, "source_range", path)? {
            return Ok(range);
        }
        match schema(item) {
            "Clip" => {
                let (reference, reference_path) = self.reference(item, path);
                let range = self.span(reference, "available_range", &reference_path)?;
                range.ok_or_else(|| {
                    let what = "states neither a source_range nor an available_range of its media, so its length is not known";
                    self.wrong(path, what)
                })
            }
            "Stack" => {
                let mut length = Ratio::ZERO;
                for (number, child) in list(item, "children").iter().enumerate() {
                    let own = self
                        .extent(child, &format!("{path}.children[{number}]"), depth + 1)?
                        .length;
                    if own > length {
                        length = own;
                    }
                }
                Ok(Span {
                    start: Ratio::ZERO,
                    length,
                })
            }
            "Track" => {
                let mut length = Ratio::ZERO;
                for (number, child) in list(item, "children").iter().enumerate() {
                    if schema(child) == "Transition" {
                        continue;
                    }
                    let path = format!("{path}.children[{number}]");
                    let own = self.extent(child, &path, depth + 1)?.length;
                    length = length.plus(own).ok_or_else(|| self.too_large(&path))?;
                }
                Ok(Span {
                    start: Ratio::ZERO,
                    length,
                })
            }
            "Gap" => Err(self.wrong(
                path,
                "is a gap without a source_range, so its length is not known",
            )),
            other => Err(self.wrong(
                path,
                &format!("is a {other:?} and no clip, gap, stack, track or transition"),
            )),
        }
    }

    /// Reads a stack or a track whose part begins at `at` of the timeline. `lane` is the name of the track that its clips are
    /// added to.
    fn composition(
        &mut self,
        item: &Value,
        path: &str,
        at: Ratio,
        window: Window,
        lane: &LaneName,
        depth: usize,
    ) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(self.wrong(path, "is nested too deep"));
        }
        if self.leaves_out(item, path) {
            return Ok(());
        }
        let range = self.span(item, "source_range", path)?;
        // Where the first frame of the children would be.
        let origin = match range {
            Some(range) => at.minus(range.start),
            None => Some(at),
        };
        let origin = origin.ok_or_else(|| self.too_large(path))?;
        let window = match range {
            Some(range) => {
                let end = at.plus(range.length).ok_or_else(|| self.too_large(path))?;
                match window {
                    Some((from, to)) => Some((
                        if at > from { at } else { from },
                        if end < to { end } else { to },
                    )),
                    None => Some((at, end)),
                }
            }
            None => window,
        };
        self.markers_of(item, path, origin, window)?;
        if schema(item) == "Track" {
            return self.track(item, path, origin, window, lane, depth);
        }
        for (number, child) in list(item, "children").iter().enumerate() {
            let path = format!("{path}.children[{number}]");
            // Layers sound together, so that each needs a track.
            let name = if lane.key.is_empty() {
                LaneName {
                    key: path.clone(),
                    name: super::names::cleaned(text(child, "name")),
                }
            } else {
                lane.nested(number + 1)
            };
            match schema(child) {
                "Stack" | "Track" => {
                    self.composition(child, &path, origin, window, &name, depth + 1)?;
                }
                _ => {
                    let length = self.extent(child, &path, depth + 1)?.length;
                    let child = Child {
                        value: child,
                        path,
                        start: origin,
                        length,
                        before: None,
                        after: None,
                        is_crossfade: false,
                        is_crossfaded: false,
                    };
                    self.clip(&child, window, &name, false)?;
                }
            }
        }
        Ok(())
    }

    fn track(
        &mut self,
        track: &Value,
        path: &str,
        origin: Ratio,
        window: Window,
        lane: &LaneName,
        depth: usize,
    ) -> Result<()> {
        let is_audio = text(track, "kind") == "Audio";
        if !is_audio && !self.wants_video {
            let what = format!(
                "track {:?} is of kind {:?} and no audio track: it is left out",
                text(track, "name"),
                text(track, "kind")
            );
            self.notes
                .add_to_group("video", Place::Element(path.to_owned()), what);
            return Ok(());
        }
        let is_muted = track.get("enabled").and_then(Value::as_bool) == Some(false);
        let children = self.children(track, path, origin, depth)?;
        for child in &children {
            match schema(child.value) {
                "Clip" => self.clip(child, window, lane, is_muted)?,
                "Gap" => self.markers_of(child.value, &child.path, child.start, window)?,
                _ => {
                    let end = child.start.plus(child.length);
                    let end = end.ok_or_else(|| self.too_large(&child.path))?;
                    let inner = match window {
                        Some((from, to)) => (
                            if child.start > from {
                                child.start
                            } else {
                                from
                            },
                            if end < to { end } else { to },
                        ),
                        None => (child.start, end),
                    };
                    // The layers of a stack have tracks of their own.
                    let nested = if schema(child.value) == "Stack" {
                        lane.clone()
                    } else {
                        lane.nested(1)
                    };
                    self.composition(
                        child.value,
                        &child.path,
                        child.start,
                        Some(inner),
                        &nested,
                        depth + 1,
                    )?;
                }
            }
        }
        Ok(())
    }

    /// Places the children of a track one after the other, with the transitions between them.
    fn children<'v>(
        &mut self,
        track: &'v Value,
        path: &str,
        origin: Ratio,
        depth: usize,
    ) -> Result<Vec<Child<'v>>> {
        let mut children: Vec<Child<'v>> = Vec::new();
        // A transition between the last child and the next one, with its element.
        let mut open: Option<(Ratio, Ratio, String)> = None;
        let mut at = origin;
        for (number, value) in list(track, "children").iter().enumerate() {
            let path = format!("{path}.children[{number}]");
            self.items += 1;
            if self.items > MAX_ITEMS {
                return Err(self.wrong(&path, "is one clip more than a session can hold"));
            }
            if schema(value) == "Transition" {
                let offset = |key| value.get(key).unwrap_or(&Value::Null);
                let into = self.time(offset("in_offset"), &format!("{path}.in_offset"))?;
                let out = self.time(offset("out_offset"), &format!("{path}.out_offset"))?;
                if into.is_negative() || out.is_negative() {
                    return Err(self.wrong(&path, "has a negative offset"));
                }
                let kind = text(value, "transition_type");
                if kind != "SMPTE_Dissolve" {
                    let what = format!("transition {kind:?} is carried as a crossfade");
                    self.note(&path, what);
                }
                open = Some((into, out, path));
                continue;
            }
            let length = self.extent(value, &path, depth + 1)?.length;
            let mut child = Child {
                value,
                path,
                start: at,
                length,
                before: None,
                after: None,
                is_crossfade: false,
                is_crossfaded: false,
            };
            if let Some((into, out, place)) = open.take() {
                self.transition((into, out), &place, children.last_mut(), &mut child)?;
            }
            at = at.plus(length).ok_or_else(|| self.too_large(&child.path))?;
            children.push(child);
        }
        if let Some((into, out, place)) = open {
            // The last clip fades out.
            let gap = Value::Null;
            let mut end = Child {
                value: &gap,
                path: place.clone(),
                start: at,
                length: Ratio::ZERO,
                before: None,
                after: None,
                is_crossfade: false,
                is_crossfaded: false,
            };
            self.transition((into, out), &place, children.last_mut(), &mut end)?;
        }
        Ok(children)
    }

    /// Applies a transition to the items on both sides of a cut, where their media reach far enough.
    fn transition(
        &mut self,
        (into, out): (Ratio, Ratio),
        place: &str,
        before: Option<&mut Child<'_>>,
        after: &mut Child<'_>,
    ) -> Result<()> {
        let is_clip = |child: &Child<'_>| schema(child.value) == "Clip";
        let is_silence = |child: &Child<'_>| ["Gap", ""].contains(&schema(child.value));
        let before = before.filter(|child| !is_silence(child));
        let sides = [before.as_deref(), (!is_silence(after)).then_some(&*after)];
        if sides.into_iter().flatten().any(|child| !is_clip(child)) {
            let what = "is a transition with a nested composition, which is carried as a cut";
            self.note(place, what);
            return Ok(());
        }
        if let Some(child) = before.as_deref()
            && !self.reaches(child, None, Some(out))?
        {
            let what = "is a transition for which the media of the clip before it are too short: it is carried as a cut";
            self.note(place, what);
            return Ok(());
        }
        if is_clip(after) && !self.reaches(after, Some(into), None)? {
            let what = "is a transition for which the media of the clip after it begin too late: it is carried as a cut";
            self.note(place, what);
            return Ok(());
        }
        let is_between = before.is_some() && is_clip(after);
        if let Some(child) = before {
            child.after = Some((into, out));
            child.is_crossfaded = is_between;
        }
        if is_clip(after) {
            after.before = Some((into, out));
            after.is_crossfade = is_between;
        }
        Ok(())
    }

    /// Reports whether the media of a clip go on for some time before its start or after its end.
    fn reaches(
        &mut self,
        child: &Child<'_>,
        before: Option<Ratio>,
        after: Option<Ratio>,
    ) -> Result<bool> {
        let extent = self.extent(child.value, &child.path, 0)?;
        let (reference, path) = self.reference(child.value, &child.path);
        let available = self.span(reference, "available_range", &path)?;
        let first = available.map_or(Ratio::ZERO, |range| range.start);
        if let Some(before) = before {
            let room = extent.start.minus(first);
            return Ok(room.is_some_and(|room| room >= before));
        }
        if let (Some(after), Some(range)) = (after, available) {
            let end = range.start.plus(range.length);
            let needed = extent
                .start
                .plus(extent.length)
                .and_then(|end| end.plus(after));
            return Ok(matches!((end, needed), (Some(end), Some(needed)) if needed <= end));
        }
        Ok(true)
    }

    /// Reports whether an item cannot be carried, after a note about it; notes effects that are not carried.
    fn leaves_out(&mut self, item: &Value, path: &str) -> bool {
        let name = text(item, "name");
        for effect in list(item, "effects") {
            let scalar = effect.get("time_scalar").and_then(Value::as_f64);
            let kind = schema(effect);
            match (kind, scalar) {
                ("LinearTimeWarp" | "FreezeFrame" | "TimeEffect", scalar)
                    if scalar != Some(1.0) =>
                {
                    let speed = match (kind, scalar) {
                        ("FreezeFrame", _) => "is a freeze frame".to_owned(),
                        (_, Some(speed)) => format!("plays at {speed} times the speed"),
                        (_, None) => "plays at another speed".to_owned(),
                    };
                    let what = format!(
                        "{name:?} {speed}, which is not supported: it is left out; render it in the editor, and place the result"
                    );
                    self.note(path, what);
                    return true;
                }
                ("LinearTimeWarp" | "TimeEffect", _) => {}
                _ => {
                    let what = format!("effect {:?} is not carried", text(effect, "effect_name"));
                    self.notes
                        .add_to_group("effect", Place::Element(path.to_owned()), what);
                }
            }
        }
        if schema(item) != "Track" && item.get("enabled").and_then(Value::as_bool) == Some(false) {
            self.note(path, format!("{name:?} is disabled: it is left out"));
            return true;
        }
        false
    }

    /// Adds the markers of an item whose own time 0 is at `origin`, as far as they lie in the window.
    fn markers_of(
        &mut self,
        item: &Value,
        path: &str,
        origin: Ratio,
        window: Window,
    ) -> Result<()> {
        for (number, marker) in list(item, "markers").iter().enumerate() {
            let path = format!("{path}.markers[{number}]");
            let Some(range) = self.span(marker, "marked_range", &path)? else {
                self.note(&path, "has no marked_range: it is left out");
                continue;
            };
            if self.markers.len() >= MAX_ITEMS {
                return Err(self.wrong(&path, "is one marker more than a session can hold"));
            }
            let at = origin
                .plus(range.start)
                .ok_or_else(|| self.too_large(&path))?;
            if window.is_some_and(|(from, to)| at < from || at > to) {
                continue;
            }
            let name = match super::names::cleaned(text(marker, "name")) {
                name if name.is_empty() => "marker".to_owned(),
                name => name,
            };
            self.markers.push((at, name, path));
        }
        Ok(())
    }

    /// Adds a clip to its track.
    fn clip(
        &mut self,
        child: &Child<'_>,
        window: Window,
        lane: &LaneName,
        mute: bool,
    ) -> Result<()> {
        let (clip, path) = (child.value, child.path.as_str());
        if schema(clip) != "Clip" || self.leaves_out(clip, path) {
            return Ok(());
        }
        let extent = self.extent(clip, path, 0)?;
        let origin = child.start.minus(extent.start);
        let origin = origin.ok_or_else(|| self.too_large(path))?;
        let Some(input) = self.input(clip, path)? else {
            return Ok(());
        };
        let (reference, reference_path) = self.reference(clip, path);
        let available = self.span(reference, "available_range", &reference_path)?;
        let first = available.map_or(Ratio::ZERO, |range| range.start);
        let large = || self.too_large(path);
        let from = extent.start.minus(first).ok_or_else(large)?;
        let mut placed = PlacedClip::new(
            text(clip, "name").to_owned(),
            input,
            child.start,
            from,
            child.length,
        );
        if let Some((into, out)) = child.before {
            let length = into.plus(out).ok_or_else(large)?;
            placed.start = placed.start.minus(into).ok_or_else(large)?;
            placed.from = placed.from.minus(into).ok_or_else(large)?;
            placed.length = placed.length.and_then(|length| length.plus(into));
            if child.is_crossfade {
                placed.crossfade = (length, FadeShape::EqualPower);
            } else {
                placed.fade_in = (length, FadeShape::Linear);
            }
        }
        if let Some((into, out)) = child.after {
            placed.length = placed.length.and_then(|length| length.plus(out));
            if !child.is_crossfaded {
                placed.fade_out = (into.plus(out).ok_or_else(large)?, FadeShape::Linear);
            }
        }
        if let Some((start, end)) = window
            && !self.cut(&mut placed, start, end, path)?
        {
            return Ok(());
        }
        if placed.from.is_negative() {
            let what = format!(
                "clip {:?} begins before its media: make its source_range begin in the available_range",
                placed.name
            );
            return Err(self.wrong(path, &what));
        }
        self.markers_of(clip, path, origin, window)?;
        self.lane(lane, mute).clips.push(placed);
        Ok(())
    }

    /// Cuts a clip to the part of the timeline in which its composition is heard. Returns false where nothing is left.
    fn cut(
        &mut self,
        placed: &mut PlacedClip,
        start: Ratio,
        end: Ratio,
        path: &str,
    ) -> Result<bool> {
        let large = || self.too_large(path);
        let length = placed.length.ok_or_else(large)?;
        let own_end = placed.start.plus(length).ok_or_else(large)?;
        if placed.start >= end || own_end <= start {
            return Ok(false);
        }
        let none = (Ratio::ZERO, FadeShape::Linear);
        if placed.start < start {
            let less = start.minus(placed.start).ok_or_else(large)?;
            placed.start = start;
            placed.from = placed.from.plus(less).ok_or_else(large)?;
            placed.length = length.minus(less);
            (placed.fade_in, placed.crossfade) = (none, none);
        }
        if own_end > end {
            placed.length = end.minus(placed.start);
            placed.fade_out = none;
        }
        Ok(true)
    }

    /// Returns the file of a clip; `None` after a note where it has none.
    fn input(&mut self, clip: &Value, path: &str) -> Result<Option<Input>> {
        let (reference, reference_path) = self.reference(clip, path);
        let name = text(clip, "name");
        let file = match schema(reference) {
            "ExternalReference" => text(reference, "target_url"),
            "MissingReference" | "" if !name.is_empty() => {
                let what = format!(
                    "clip {name:?} has no media: the file is taken to have its name; state `file` in the session"
                );
                self.note(&reference_path, what);
                name
            }
            kind => {
                let what =
                    format!("clip {name:?} plays a {kind:?}, which has no sound: it is left out");
                self.note(&reference_path, what);
                return Ok(None);
            }
        };
        if file.is_empty() {
            let what = format!("clip {name:?} has a media reference without a target_url");
            return Err(self.wrong(&reference_path, &what));
        }
        let folder = self.file.folder();
        let place = || Place::Element(reference_path.clone());
        let path = self.files.locate(folder, file, place, &mut self.notes);
        Ok(Some(Input::file(path)))
    }

    /// Returns the lane of a name, which is made where there is none.
    fn lane(&mut self, name: &LaneName, mute: bool) -> &mut Lane {
        let next = self.lanes.len();
        let index = *self.lane_index.entry(name.key.clone()).or_insert(next);
        if index == next {
            self.lanes.push(Lane {
                name: name.name.trim().to_owned(),
                mute,
                clips: Vec::new(),
            });
        }
        #[expect(clippy::indexing_slicing, reason = "found, or pushed just now")]
        &mut self.lanes[index]
    }
}
