//! From a session to the tree of a session file, in one form for every session: what has its default is left out.

use super::document::{Key, Node, Table, Value};
use crate::{
    curve::{Curve, Fade, Shape},
    encode::Format,
    error::{Error, ErrorKind, Result},
    measure::LoudnessTarget,
    media::Input,
    session::{At, BusId, Clip, Cue, CueKind, Deliverable, Marker, Session, Strip, Track, Use},
    units::{Decibels, Frames, Pan, SampleRate},
};
use std::path::{Component, Path};

/// Writes the values of a session.
struct Writer<'a> {
    session: &'a Session,
    /// The folder of the session file.
    folder: &'a Path,
}

/// The tree of a session whose file lies in a folder.
///
/// # Errors
/// `Session` for what no file can say: a program's own source, two sends of a strip to one bus, a path that is no text.
pub(super) fn tree(session: &Session, folder: &Path) -> Result<Table> {
    Writer { session, folder }.session()
}

impl Table {
    pub(super) fn put(&mut self, key: &str, value: Value) {
        self.entries.push((Key { name: key.to_owned(), span: 0..0 }, node(value)));
    }

    fn put_text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.put(key, Value::Text(text.to_owned()));
        }
    }

    fn put_switch(&mut self, key: &str, on: bool) {
        if on {
            self.put(key, Value::Switch(true));
        }
    }

    fn put_table(&mut self, key: &str, table: Table) {
        if !table.entries.is_empty() {
            self.put(key, Value::Table(table));
        }
    }
}

fn node(value: Value) -> Node {
    Node { value, span: 0..0 }
}

fn refuse<T>(what: String) -> Result<T> {
    Err(Error::new(ErrorKind::Session, what))
}

/// Returns the table of a loudness target: its name and the figures that differ from those of the name, or its figures.
fn loudness(target: &LoudnessTarget, deliverable: &str) -> Result<Table> {
    let named: Option<LoudnessTarget> = target.name.parse().ok();
    let base = named.filter(|known| known.integrated == target.integrated).unwrap_or_default();
    let lost = (target.tolerance.is_none() && base.tolerance.is_some())
        || (target.true_peak.is_none() && base.true_peak.is_some())
        || target.true_peak_if_louder != base.true_peak_if_louder;
    if lost {
        return refuse(format!("deliverable {deliverable:?}: its loudness target has no form in a session file"));
    }
    let mut own = Table::default();
    match target.integrated {
        _ if !base.name.is_empty() => own.put("target", Value::Text(base.name.to_string())),
        Some(integrated) => own.put("target", number(integrated.0)),
        None => {}
    }
    if let Some(tolerance) = target.tolerance.filter(|_| target.tolerance != base.tolerance) {
        own.put("tolerance", number(tolerance));
    }
    if let Some(ceiling) = target.true_peak.filter(|_| target.true_peak != base.true_peak) {
        own.put("true_peak", number(ceiling.0));
    }
    Ok(own)
}

impl Writer<'_> {
    fn session(&self) -> Result<Table> {
        let (session, mut root) = (self.session, Table::default());
        root.put_text("title", &session.title);
        root.put("rate", Value::Integer(session.rate.hz().into()));
        root.put("layout", text(session.layout));
        if let Some(fps) = session.fps.or(session.start.map(|s| s.rate())) {
            root.put("fps", text(fps));
        }
        if let Some(start) = session.start {
            root.put("start", text(start));
        }
        if let Some(length) = session.length {
            root.put("length", self.time(length));
        }
        if session.pan_law != Default::default() {
            root.put("pan_law", text(session.pan_law));
        }
        root.put_text("lang", session.lang.as_deref().unwrap_or_default());
        root.put_table("marker", self.markers(&session.markers));
        let mut master = Table::default();
        level(&mut master, "gain", session.master.gain);
        if let Some(limit) = session.master.limit {
            master.put("limit", number(limit.0));
        }
        if let Some(dither) = session.master.dither {
            master.put("dither", text(dither));
        }
        self.automation(&mut master, &session.master.gain_curve, &Curve::new());
        root.put_table("master", master);

        let mut buses = Table::default();
        for bus in session.buses() {
            let mut table = Table::default();
            self.strip(&mut table, "to", &bus.strip)?;
            buses.put(&bus.strip.name, Value::Table(table));
        }
        root.put_table("bus", buses);
        root.put_table("track", self.tracks(session.tracks())?);
        let mut cues = Table::default();
        for cue in session.cues() {
            cues.put(&cue.name, Value::Table(self.cue(cue)?));
        }
        root.put_table("cue", cues);
        let mut promises = Table::default();
        for promise in &session.deliverables {
            promises.put(&promise.name, Value::Table(self.deliverable(promise)?));
        }
        root.put_table("deliver", promises);
        Ok(root)
    }

    fn strip(&self, table: &mut Table, to: &str, strip: &Strip) -> Result<()> {
        if let Some(bus) = strip.to {
            table.put_text(to, self.bus(bus));
        }
        level(table, "gain", strip.gain);
        if strip.pan.0 != 0.0 {
            table.put("pan", pan(strip.pan));
        }
        table.put_switch("mute", strip.mute);
        table.put_switch("solo", strip.solo);
        let mut sends = Table::default();
        for send in &strip.sends {
            let name = self.bus(send.to);
            if sends.get(name).is_some() {
                return refuse(format!("{:?} has two sends to {name:?}, which a session file cannot say", strip.name));
            }
            sends.put(name, number(send.gain.0));
        }
        table.put_table("send", sends);
        self.automation(table, &strip.gain_curve, &strip.pan_curve);
        Ok(())
    }

    fn bus(&self, id: BusId) -> &str {
        self.session.buses().get(id.0).map_or("", |b| &b.strip.name)
    }

    fn automation(&self, table: &mut Table, gain: &Curve<Decibels>, pans: &Curve<Pan>) {
        let mut curves = Table::default();
        let gains = gain.points.iter().map(|p| (p.at, p.value.0.to_string(), p.shape));
        let pans = pans.points.iter().map(|p| (p.at, word(&pan(p.value)), p.shape));
        let points = |points: Vec<_>| {
            let point = |(at, value, shape): (Frames, String, Shape)| {
                let shape = if shape == Shape::default() { String::new() } else { format!(" {shape}") };
                node(Value::Text(format!("{} {value}{shape}", word(&self.time(at)))))
            };
            Value::List(points.into_iter().map(point).collect())
        };
        for (key, found) in [("gain", gains.collect::<Vec<_>>()), ("pan", pans.collect())] {
            if !found.is_empty() {
                curves.put(key, points(found));
            }
        }
        table.put_table("automation", curves);
    }

    fn tracks(&self, tracks: &[Track]) -> Result<Table> {
        let mut all = Table::default();
        for track in tracks {
            let mut table = Table::default();
            match track.clips.as_slice() {
                [clip] if clip.name.is_empty() && clip.gain == Decibels::UNITY && clip.crossfade == Fade::default() => {
                    self.clip(&mut table, clip, &track.strip.name)?;
                    self.strip(&mut table, "bus", &track.strip)?;
                }
                clips => {
                    self.strip(&mut table, "bus", &track.strip)?;
                    let mut inner = Table::default();
                    for (clip, number) in clips.iter().zip(1..) {
                        let mut own = Table::default();
                        self.clip(&mut own, clip, &track.strip.name)?;
                        level(&mut own, "gain", clip.gain);
                        self.fade(&mut own, "crossfade", clip.crossfade);
                        let name = if clip.name.is_empty() { format!("{number}") } else { clip.name.clone() };
                        inner.put(&name, Value::Table(own));
                    }
                    table.put_table("clip", inner);
                }
            }
            table.put_switch("invert", track.invert);
            all.put(&track.strip.name, Value::Table(table));
        }
        Ok(all)
    }

    fn clip(&self, table: &mut Table, clip: &Clip, track: &str) -> Result<()> {
        let Input::File { path, stream } = &clip.input else {
            return refuse(format!(
                "track {track:?}: {} comes from the program; a session file names files",
                clip.input
            ));
        };
        let mut file = self.path(path)?;
        if let Some(stream) = stream {
            file += &format!("#{stream}");
        }
        table.put("file", Value::Text(file));
        if clip.at != Frames::ZERO {
            table.put("at", self.at(clip.at));
        }
        if clip.from != Frames::ZERO {
            table.put("from", self.time(clip.from));
        }
        if let Some(length) = clip.length {
            table.put("length", self.time(length));
        }
        if clip.loops != 1 {
            table.put("loop", Value::Integer(clip.loops.into()));
        }
        self.fade(table, "fade_in", clip.fade_in);
        self.fade(table, "fade_out", clip.fade_out);
        if let Some(layout) = clip.layout {
            table.put("layout", text(layout));
        }
        Ok(())
    }

    fn cue(&self, cue: &Cue) -> Result<Table> {
        let mut table = Table::default();
        table.put_text("title", &cue.title);
        if cue.kind != CueKind::Score {
            table.put("kind", text(cue.kind));
        }
        for (key, names) in [("composer", &cue.composer), ("publisher", &cue.publisher)] {
            if !names.is_empty() {
                table.put(key, texts(names));
            }
        }
        table.put_switch("mute", cue.mute);
        let (plain, named): (&[Use], &[Use]) = match cue.uses.split_first() {
            Some((first, rest)) if first.name.is_empty() => (std::slice::from_ref(first), rest),
            _ => (&[], &cue.uses),
        };
        plain.iter().for_each(|place| self.place(&mut table, place));
        table.put_table("marker", self.markers(&cue.markers));
        table.put_table("track", self.tracks(&cue.tracks)?);
        let mut uses = Table::default();
        for (place, number) in named.iter().zip(2..) {
            let mut own = Table::default();
            self.place(&mut own, place);
            let name = if place.name.is_empty() { format!("{number}") } else { place.name.clone() };
            uses.put(&name, Value::Table(own));
        }
        table.put_table("use", uses);
        Ok(table)
    }

    fn place(&self, table: &mut Table, place: &Use) {
        table.put("at", self.at(place.at));
        if place.from != Frames::ZERO {
            table.put("from", self.time(place.from));
        }
        if let Some(length) = place.length {
            table.put("length", self.time(length));
        }
        self.fade(table, "fade_in", place.fade_in);
        self.fade(table, "fade_out", place.fade_out);
        self.fade(table, "crossfade", place.crossfade);
        level(table, "gain", place.gain);
        table.put_text("usage", &place.usage);
    }

    fn deliverable(&self, promise: &Deliverable) -> Result<Table> {
        let mut table = Table::default();
        table.put("file", Value::Text(self.path(&promise.file)?));
        if promise.format != Format::default() {
            table.put("format", text(promise.format));
        }
        table.put_text("lang", promise.lang.as_deref().unwrap_or_default());
        let muted: Vec<String> = promise.mute.iter().filter_map(|p| self.session.part_name(*p)).collect();
        let stems: Vec<String> = promise.stems.iter().map(|b| self.bus(*b).to_owned()).collect();
        for (key, names) in [("mute", muted), ("stems", stems)] {
            if !names.is_empty() {
                table.put(key, texts(&names));
            }
        }
        table.put_switch("album", promise.album);
        if let Some(target) = &promise.loudness {
            let mut own = loudness(target, &promise.name)?;
            own.put_switch("fit", promise.fit);
            table.put("loudness", Value::Table(own));
        }
        if let Some(dither) = promise.dither {
            table.put("dither", text(dither));
        }
        Ok(table)
    }

    fn markers(&self, markers: &[Marker]) -> Table {
        let mut table = Table::default();
        for marker in markers {
            table.put(&word(&self.time(marker.at)), Value::Text(marker.name.clone()));
        }
        table
    }

    fn fade(&self, table: &mut Table, key: &str, fade: Fade) {
        if fade.length == Frames::ZERO {
            return;
        }
        let length = self.time(fade.length);
        if fade.shape == Default::default() {
            table.put(key, length);
        } else {
            table.put(key, Value::Text(format!("{} {}", word(&length), fade.shape)));
        }
    }

    fn at(&self, at: At) -> Value {
        match at {
            At::Frames(frames) => self.time(frames),
            At::Timecode(timecode) => text(timecode),
            At::Origin => Value::Text("origin".to_owned()),
        }
    }

    fn time(&self, frames: Frames) -> Value {
        seconds(frames, self.session.rate).map_or_else(
            // More than 2^63 frames is refused when a session is compiled.
            || Value::Integer(i64::try_from(frames.0).unwrap_or(i64::MAX)),
            Value::Text,
        )
    }

    /// A path from the folder of the session file, with `/` between its steps.
    fn path(&self, path: &Path) -> Result<String> {
        let inner = path.strip_prefix(self.folder).unwrap_or(path);
        let Some(text) = inner.to_str() else {
            return refuse(format!("{}: the name is no text that a session file can hold", inner.display()));
        };
        if inner.components().all(|c| matches!(c, Component::Normal(_))) {
            let steps: Vec<&str> = inner.components().filter_map(|c| c.as_os_str().to_str()).collect();
            return Ok(steps.join("/"));
        }
        Ok(text.to_owned())
    }
}

/// Seconds from which on a time is written in frames: reading it as seconds may not be exact.
const LONG: u128 = 1 << 32;

/// Milliseconds as `12.5s`, where they are exact.
fn seconds(frames: Frames, rate: SampleRate) -> Option<String> {
    let (millis, hz) = (u128::from(frames.0) * 1000, u128::from(rate.hz()));
    if frames == Frames::ZERO || !millis.is_multiple_of(hz) {
        return None;
    }
    let millis = millis / hz;
    if millis / 1000 >= LONG {
        return None;
    }
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    Some(format!("{}s", text.trim_end_matches('0').trim_end_matches('.')))
}

fn level(table: &mut Table, key: &str, gain: Decibels) {
    if gain != Decibels::UNITY {
        table.put(key, number(gain.0));
    }
}

/// A whole number where it is one.
fn number(x: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "only whole numbers of few digits are cast")]
    if x.fract() == 0.0 && x.abs() < 1e9 { Value::Integer(x as i64) } else { Value::Number(x) }
}

/// `L30` where that is exact, or else the number.
fn pan(place: Pan) -> Value {
    let named = place.to_string();
    if named.parse() == Ok(place) { Value::Text(named) } else { Value::Number(place.0) }
}

/// A value within a text.
fn word(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(n) => n.to_string(),
        Value::Number(x) => x.to_string(),
        _ => String::new(),
    }
}

fn text(value: impl ToString) -> Value {
    Value::Text(value.to_string())
}

fn texts(values: &[String]) -> Value {
    Value::List(values.iter().map(|v| node(Value::Text(v.clone()))).collect())
}
