//! Makes a session of `project.xml`.

use super::super::{
    MAX_ITEMS, Options,
    media_files::MediaFiles,
    names::{Names, cleaned},
    notes::{Notes, Place},
    ratio::Ratio,
    stem_lengths::StemLengths,
    text_file::TextFile,
    timeline::unname_single,
};
use super::{
    archive::Archive,
    devices, numbers,
    tempo::{TempoMap, TimeUnit},
    xml,
};
use crate::{
    curve::{Curve, Fade, Shape},
    error::{Error, Result},
    layout::Layout,
    media::Input,
    session::{Bus, BusId, BusSend, Clip, Insert, Marker, Session, Strip, Track},
    units::{Decibels, Pan, SampleRate},
};
use roxmltree::Node;
use std::{
    collections::{HashMap, HashSet},
    io::{Read, Seek},
};

/// Limit of nested lanes and clips.
const MAX_DEPTH: usize = 32;

/// Limit of the passes of a looped clip.
const MAX_PASSES: usize = 10_000;

/// Reads a project.
///
/// # Errors
/// `Session` for a document that is no project, and for numbers that cannot be read, with the line.
pub(super) fn read<R: Read + Seek>(
    file: &TextFile,
    metadata: Option<&TextFile>,
    archive: &mut Archive<'_, R>,
    options: &Options,
) -> Result<(Session, Notes)> {
    let document = xml::parse(file, "project.xml")?;
    let project = document.root_element();
    if !project.has_tag_name("Project") {
        return Err(xml::wrong(file, project, "is no <Project> of DAWproject"));
    }
    let rate = options.rate.unwrap_or_else(|| highest_rate(project));
    let layout = options.layout.unwrap_or_else(|| layout(project));
    let mut session = Session::new(rate, layout);
    session.fps = options.fps.or(options.start.map(crate::Timecode::rate));
    session.start = options.start;
    if let Some(metadata) = metadata {
        let document = xml::parse(metadata, "metadata.xml")?;
        let root = document.root_element();
        let text = |name| {
            xml::child(root, name)
                .and_then(|n| n.text())
                .map_or_else(String::new, cleaned)
        };
        session.title = text("Title");
        session.album.artist = text("Artist");
        session.album.title = text("Album");
    }
    let mut reader = Reader {
        file,
        archive,
        options,
        notes: Notes::default(),
        files: MediaFiles::default(),
        lengths: StemLengths::default(),
        channels: Vec::new(),
        tempo: tempo(file, project)?,
        has_ramps: false,
        lines: memchr::memchr_iter(b'\n', file.text.as_bytes()).collect(),
        tracks: HashMap::new(),
        parameters: HashMap::new(),
        items: 0,
        rate,
    };
    reader.tempo_steps(project)?;
    if let Some(structure) = xml::child(project, "Structure") {
        reader.structure(structure, 0)?;
    }
    if let Some(arrangement) = xml::child(project, "Arrangement") {
        let unit = unit_of(arrangement, TimeUnit::Beats);
        if let Some(lanes) = xml::child(arrangement, "Lanes") {
            reader.lanes(lanes, unit_of(lanes, unit), None, 0)?;
        }
        if let Some(markers) = xml::child(arrangement, "Markers") {
            reader.markers(markers, unit_of(markers, unit), &mut session)?;
        }
    }
    if let Some(scenes) = xml::child(project, "Scenes")
        && scenes.descendants().any(|node| node.has_tag_name("Clip"))
    {
        let what = "clips of scenes are not carried: only the arrangement is";
        let place = reader.place(scenes);
        reader.notes.add(place, what);
    }
    reader.route(&mut session)?;
    Ok((session, reader.notes))
}

/// Returns the highest rate of the audio files: a project states none.
fn highest_rate(project: Node<'_, '_>) -> SampleRate {
    let audio = project
        .descendants()
        .filter(|node| node.has_tag_name("Audio"));
    let rates = audio.filter_map(|audio| {
        let hz = audio.attribute("sampleRate")?.trim().parse::<u32>().ok()?;
        SampleRate::new(hz).ok()
    });
    rates.max().unwrap_or(SampleRate::HZ_48000)
}

/// Returns the layout by the number of channels of the master.
fn layout(project: Node<'_, '_>) -> Layout {
    let mut channels = project.descendants().filter(|node| {
        node.has_tag_name("Channel")
            && node.attribute("role") == Some("master")
            && !node.has_attribute("destination")
    });
    let count = channels
        .next()
        .and_then(|master| master.attribute("audioChannels"));
    let count = count.and_then(|text| text.trim().parse::<usize>().ok());
    let found = super::writer::known_layouts()
        .into_iter()
        .find(|layout| Some(layout.channels()) == count);
    found.unwrap_or(Layout::Stereo)
}

/// Returns the tempo of the transport.
fn tempo(file: &TextFile, project: Node<'_, '_>) -> Result<TempoMap> {
    let tempo = xml::child(project, "Transport").and_then(|t| xml::child(t, "Tempo"));
    let Some(tempo) = tempo else {
        return TempoMap::constant(Ratio::new(120, 1).unwrap_or(Ratio::ZERO))
            .ok_or_else(|| xml::wrong(file, project, "has no tempo"));
    };
    let bpm = xml::time(file, tempo, "value")?.and_then(TempoMap::constant);
    bpm.ok_or_else(|| xml::wrong(file, tempo, "states no tempo above 0 beats per minute"))
}

/// Returns the unit of an element's times, or that of what is around it.
fn unit_of(node: Node<'_, '_>, outer: TimeUnit) -> TimeUnit {
    unit(node.attribute("timeUnit"), outer)
}

fn unit(name: Option<&str>, outer: TimeUnit) -> TimeUnit {
    match name {
        Some("seconds") => TimeUnit::Seconds,
        Some("beats") => TimeUnit::Beats,
        _ => outer,
    }
}

/// A channel of the mixer, with what the arrangement adds.
struct Channel<'x> {
    node: Node<'x, 'x>,
    name: String,
    clips: Vec<Clip>,
    clip_names: Names,
    gain_curve: Option<Curve<Decibels>>,
    pan_curve: Option<Curve<Pan>>,
}

/// Reports whether a clip holds one audio file, with or without a gain.
fn is_plain_audio(clip: Node<'_, '_>) -> bool {
    let holder = xml::child(clip, "Lanes").unwrap_or(clip);
    let audio = xml::children(holder, "Audio").count();
    audio == 1 && !holder.children().any(|child| child.has_tag_name("Clips"))
}

/// A control that automation moves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    Volume,
    Pan,
}

/// Window, fades and gain that a clip gets from the clips around it.
#[derive(Clone, Copy)]
struct Heard {
    /// The first second, and the one after the last.
    start: Ratio,
    end: Ratio,
    fade_in: Ratio,
    fade_out: Ratio,
    gain: Decibels,
    /// The length of a pass in seconds, where the whole is passes of one part.
    pass: Option<Ratio>,
}

struct Reader<'a, 'p, 'x, R> {
    file: &'a TextFile,
    archive: &'a mut Archive<'p, R>,
    options: &'a Options,
    notes: Notes,
    files: MediaFiles,
    lengths: StemLengths,
    channels: Vec<Channel<'x>>,
    tempo: TempoMap,
    /// The tempo moves in lines, which makes beats inexact.
    has_ramps: bool,
    /// The ends of the lines.
    lines: Vec<usize>,
    /// The channel of each track's identifier.
    tracks: HashMap<&'x str, usize>,
    /// The channel of each volume's identifier, and of each pan's.
    parameters: HashMap<&'x str, (usize, Control)>,
    items: usize,
    rate: SampleRate,
}

impl<'x, R: Read + Seek> Reader<'_, '_, 'x, R> {
    fn wrong(&self, node: Node<'_, '_>, what: &str) -> Error {
        xml::wrong(self.file, node, what)
    }

    /// Returns the place of an element. Lines are found by search, as a document may have many notes.
    fn place(&self, node: Node<'_, '_>) -> Place {
        let line = 1 + self.lines.partition_point(|end| *end < node.range().start);
        let name = node.tag_name().name();
        Place::Element(format!("project.xml, line {line}, <{name}>"))
    }

    fn large(&self, node: Node<'_, '_>) -> Error {
        self.wrong(
            node,
            "has a time that is negative or too large to be computed exactly",
        )
    }

    fn note(&mut self, group: &str, node: Node<'_, '_>, what: impl Into<String>) {
        let place = self.place(node);
        self.notes.add_to_group(group, place, what);
    }

    fn count(&mut self, node: Node<'_, '_>) -> Result<()> {
        self.items += 1;
        if self.items > MAX_ITEMS {
            return Err(self.wrong(node, "is more than a session can hold"));
        }
        Ok(())
    }

    /// Adds the changes of the tempo map.
    fn tempo_steps(&mut self, project: Node<'x, 'x>) -> Result<()> {
        let arrangement = xml::child(project, "Arrangement");
        let Some(points) = arrangement.and_then(|a| xml::child(a, "TempoAutomation")) else {
            return Ok(());
        };
        let outer = arrangement.map_or(TimeUnit::Beats, |a| unit_of(a, TimeUnit::Beats));
        let unit = unit_of(points, outer);
        let all: Vec<_> = xml::children(points, "RealPoint").collect();
        for (index, point) in all.iter().enumerate() {
            let at = xml::time(self.file, *point, "time")?.unwrap_or(Ratio::ZERO);
            let bpm = xml::time(self.file, *point, "value")?;
            let next = all.get(index + 1).and_then(|next| next.attribute("value"));
            let moves = next.is_some_and(|next| Some(next) != point.attribute("value"));
            self.has_ramps |= moves && point.attribute("interpolation") == Some("linear");
            let added = bpm.and_then(|bpm| self.tempo.change(at, unit, bpm));
            if added.is_none() {
                return Err(self.wrong(*point, "is no tempo above 0 after the point before it"));
            }
        }
        Ok(())
    }

    /// Converts a time to seconds.
    fn seconds(&self, node: Node<'_, '_>, time: Ratio, unit: TimeUnit) -> Result<Ratio> {
        self.converted(node, time, unit, TimeUnit::Seconds)
    }

    fn converted(
        &self,
        node: Node<'_, '_>,
        time: Ratio,
        from: TimeUnit,
        to: TimeUnit,
    ) -> Result<Ratio> {
        if self.has_ramps && from != to {
            let what = "is in beats, and the tempo moves in lines: let the tempo change in steps, or export times in seconds";
            return Err(self.wrong(node, what));
        }
        (self.tempo.convert(time, from, to)).ok_or_else(|| self.large(node))
    }

    /// Collects the channels of tracks, in order.
    fn structure(&mut self, node: Node<'x, 'x>, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(self.wrong(node, "is nested too deep"));
        }
        for child in node.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "Track" => {
                    self.count(child)?;
                    if let Some(channel) = xml::child(child, "Channel") {
                        self.channel(channel, Some(child));
                    }
                    self.structure(child, depth + 1)?;
                }
                "Channel" if node.has_tag_name("Structure") => {
                    self.count(child)?;
                    self.channel(child, None);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn channel(&mut self, node: Node<'x, 'x>, track: Option<Node<'x, 'x>>) {
        let name = track.and_then(|track| track.attribute("name"));
        let name = name.or(node.attribute("name")).unwrap_or("");
        let index = self.channels.len();
        if let Some(id) = track.and_then(|track| track.attribute("id")) {
            self.tracks.insert(id, index);
        }
        for (name, control) in [("Volume", Control::Volume), ("Pan", Control::Pan)] {
            if let Some(id) = xml::child(node, name).and_then(|p| p.attribute("id")) {
                self.parameters.insert(id, (index, control));
            }
        }
        self.channels.push(Channel {
            node,
            name: cleaned(name),
            clips: Vec::new(),
            clip_names: Names::default(),
            gain_curve: None,
            pan_curve: None,
        });
    }

    /// Reads lanes: those of the arrangement, of a track, or of a clip.
    fn lanes(
        &mut self,
        lanes: Node<'x, 'x>,
        outer: TimeUnit,
        track: Option<usize>,
        depth: usize,
    ) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(self.wrong(lanes, "is nested too deep"));
        }
        for child in lanes.children().filter(Node::is_element) {
            let unit = unit_of(child, outer);
            let track = match child.attribute("track") {
                Some(id) => self.tracks.get(id).copied(),
                None => track,
            };
            match child.tag_name().name() {
                "Lanes" => self.lanes(child, unit, track, depth + 1)?,
                "Clips" => self.clips(child, unit, track)?,
                "Points" => self.points(child, unit)?,
                "ClipSlot" => {
                    let what = "clip slots of the launcher are not carried";
                    self.note("slot", child, what);
                }
                name => {
                    let what = format!("<{name}> of the arrangement is not carried");
                    self.note(name, child, what);
                }
            }
        }
        Ok(())
    }

    fn clips(&mut self, clips: Node<'x, 'x>, unit: TimeUnit, track: Option<usize>) -> Result<()> {
        for clip in xml::children(clips, "Clip") {
            let Some(track) = track else {
                let what = "a clip is on no track with a channel: it is left out";
                self.note("no track", clip, what);
                continue;
            };
            self.clip(clip, unit, Ratio::ZERO, None, track, 0)?;
        }
        Ok(())
    }

    /// Reads a clip whose time counts from `origin`, both in `unit`.
    fn clip(
        &mut self,
        clip: Node<'x, 'x>,
        unit: TimeUnit,
        origin: Ratio,
        heard: Option<Heard>,
        track: usize,
        depth: usize,
    ) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(self.wrong(clip, "is nested too deep"));
        }
        self.count(clip)?;
        if clip.attribute("enable") == Some("false") {
            let what = format!(
                "clip {:?} is disabled: it is left out",
                clip.attribute("name").unwrap_or("")
            );
            self.note("disabled", clip, what);
            return Ok(());
        }
        if clip.has_attribute("reference") {
            let what = "an alias of another clip is not carried: make it a clip of its own";
            self.note("alias", clip, what);
            return Ok(());
        }
        let file = self.file;
        let attribute = |name| xml::time(file, clip, name);
        let large = |reader: &Self| reader.large(clip);
        let time = attribute("time")?.unwrap_or(Ratio::ZERO);
        let at = origin.plus(time).ok_or_else(|| large(self))?;
        let content_unit = super::reader::unit(clip.attribute("contentTimeUnit"), unit);
        let play_start = attribute("playStart")?.unwrap_or(Ratio::ZERO);
        let duration = match attribute("duration")? {
            Some(duration) => duration,
            None => match attribute("playStop")? {
                Some(stop) => {
                    let start = self.converted(clip, at, unit, content_unit)?;
                    let end = start.plus(stop.minus(play_start).ok_or_else(|| large(self))?);
                    let end =
                        self.converted(clip, end.ok_or_else(|| large(self))?, content_unit, unit)?;
                    end.minus(at).ok_or_else(|| large(self))?
                }
                None => return Err(self.wrong(clip, "has no duration")),
            },
        };
        let end = at.plus(duration).ok_or_else(|| large(self))?;
        let (mut start_s, mut end_s) = (
            self.seconds(clip, at, unit)?,
            self.seconds(clip, end, unit)?,
        );
        if end_s <= start_s {
            let what = "a clip has no length: it is left out";
            self.note("no length", clip, what);
            return Ok(());
        }
        let fade_unit = super::reader::unit(clip.attribute("fadeTimeUnit"), unit);
        let fade_in = self.fade(clip, "fadeInTime", fade_unit, start_s, false)?;
        let fade_out = self.fade(clip, "fadeOutTime", fade_unit, end_s, true)?;
        let gain = self.clip_gain(clip)?;
        let mut inner = Heard {
            start: start_s,
            end: end_s,
            fade_in,
            fade_out,
            gain,
            pass: None,
        };
        if let Some(outer) = heard {
            if outer.start > start_s {
                (start_s, inner.fade_in) = (outer.start, outer.fade_in);
            } else if outer.start == start_s && inner.fade_in.is_zero() {
                inner.fade_in = outer.fade_in;
            }
            if outer.end < end_s {
                (end_s, inner.fade_out) = (outer.end, outer.fade_out);
            } else if outer.end == end_s && inner.fade_out.is_zero() {
                inner.fade_out = outer.fade_out;
            }
            (inner.start, inner.end) = (start_s, end_s);
            inner.gain = Decibels(inner.gain.0 + outer.gain.0);
            if end_s <= start_s {
                return Ok(());
            }
        }
        let content_at = self.converted(clip, at, unit, content_unit)?;
        let loop_start = attribute("loopStart")?;
        let loop_end = attribute("loopEnd")?;
        let (Some(loop_start), Some(loop_end)) = (loop_start, loop_end) else {
            let origin = content_at.minus(play_start).ok_or_else(|| large(self))?;
            return self.content(clip, content_unit, origin, inner, track, depth);
        };
        if loop_end <= loop_start {
            return Err(self.wrong(clip, "has a loop that ends before it begins"));
        }
        if loop_start == play_start
            && heard.is_none()
            && (content_unit == TimeUnit::Seconds || self.tempo.is_constant())
            && is_plain_audio(clip)
        {
            let end = content_at.plus(loop_end.minus(loop_start).ok_or_else(|| large(self))?);
            let end = self.seconds(clip, end.ok_or_else(|| large(self))?, content_unit)?;
            let pass = end.minus(start_s).ok_or_else(|| large(self))?;
            let frames = |time: Ratio| time.frames(self.rate).map_or(0, |frames| frames.0);
            let total = frames(inner.end).saturating_sub(frames(inner.start));
            if total.checked_rem(frames(pass)) == Some(0) {
                inner.pass = Some(pass);
                let origin = content_at.minus(play_start).ok_or_else(|| large(self))?;
                return self.content(clip, content_unit, origin, inner, track, depth);
            }
        }
        // The first pass begins at playStart, all others at loopStart.
        let (mut pass_at, mut from) = (content_at, play_start);
        for pass in 0.. {
            if pass >= MAX_PASSES {
                let what = format!("loops more than {MAX_PASSES} times");
                return Err(self.wrong(clip, &what));
            }
            let length = loop_end.minus(from).ok_or_else(|| large(self))?;
            if length.is_negative() || length.is_zero() {
                return Err(self.wrong(clip, "has a playStart after its loop"));
            }
            let pass_end = pass_at.plus(length).ok_or_else(|| large(self))?;
            let own_start = self.seconds(clip, pass_at, content_unit)?;
            let own_end = self.seconds(clip, pass_end, content_unit)?;
            if own_start >= inner.end {
                break;
            }
            let mut one = inner;
            if own_start > inner.start {
                (one.start, one.fade_in) = (own_start, Ratio::ZERO);
            }
            if own_end < inner.end {
                (one.end, one.fade_out) = (own_end, Ratio::ZERO);
            }
            if one.end > one.start {
                let origin = pass_at.minus(from).ok_or_else(|| large(self))?;
                self.content(clip, content_unit, origin, one, track, depth)?;
            }
            (pass_at, from) = (pass_end, loop_start);
        }
        Ok(())
    }

    /// Returns a fade in seconds, before or after a time.
    fn fade(
        &self,
        clip: Node<'_, '_>,
        name: &str,
        unit: TimeUnit,
        beside: Ratio,
        is_before: bool,
    ) -> Result<Ratio> {
        let Some(length) = xml::time(self.file, clip, name)? else {
            return Ok(Ratio::ZERO);
        };
        if length.is_negative() || length.is_zero() {
            return Ok(Ratio::ZERO);
        }
        if unit == TimeUnit::Seconds {
            return Ok(length);
        }
        let large = || self.large(clip);
        let at = self.converted(clip, beside, TimeUnit::Seconds, unit)?;
        let other = if is_before {
            at.minus(length)
        } else {
            at.plus(length)
        };
        let other = self.seconds(clip, other.ok_or_else(large)?, unit)?;
        let seconds = if is_before {
            beside.minus(other)
        } else {
            other.minus(beside)
        };
        seconds.ok_or_else(large)
    }

    /// Returns the gain of a clip that states one value for it.
    fn clip_gain(&mut self, clip: Node<'x, 'x>) -> Result<Decibels> {
        let lanes = xml::child(clip, "Lanes");
        let points = lanes
            .into_iter()
            .flat_map(|lanes| xml::children(lanes, "Points"));
        let mut gain = Decibels::UNITY;
        for points in points {
            let expression = xml::child(points, "Target").and_then(|t| t.attribute("expression"));
            let mut all = xml::children(points, "RealPoint");
            match (expression, all.next(), all.next()) {
                (Some("gain"), Some(point), None) => {
                    let value = xml::number(self.file, point, "value")?.unwrap_or(1.0);
                    gain = self.level(points, value)?;
                }
                (expression, ..) => {
                    let what = format!(
                        "automation of {} inside a clip is not carried",
                        expression.unwrap_or("a parameter")
                    );
                    self.note("expression", points, what);
                }
            }
        }
        Ok(gain)
    }

    /// Converts a level in the unit of its element to decibels.
    fn level(&self, node: Node<'_, '_>, value: f64) -> Result<Decibels> {
        let level = match node.attribute("unit") {
            Some("decibel") => Decibels(value),
            _ if value < 0.0 => return Err(self.wrong(node, "has a level below 0")),
            _ => numbers::decibels(value),
        };
        if level.0 > crate::error::HIGHEST_GAIN_DB {
            return Err(self.wrong(node, "has a level above +200 dB"));
        }
        Ok(level)
    }

    /// Reads what is inside a clip, whose time 0 is at `origin`.
    fn content(
        &mut self,
        clip: Node<'x, 'x>,
        unit: TimeUnit,
        origin: Ratio,
        heard: Heard,
        track: usize,
        depth: usize,
    ) -> Result<()> {
        let inner = clip.children().filter(Node::is_element);
        let inner = inner.flat_map(|child| match child.tag_name().name() {
            "Lanes" => child.children().filter(Node::is_element).collect(),
            _ => vec![child],
        });
        for child in inner {
            let own = unit_of(child, unit);
            match child.tag_name().name() {
                "Audio" => {
                    let start = self.seconds(child, origin, unit)?;
                    self.audio(child, clip, start, heard, track)?;
                }
                "Warps" => self.warps(child, clip, own, origin, heard, track)?,
                "Clips" => {
                    for nested in xml::children(child, "Clip") {
                        self.clip(nested, own, origin, Some(heard), track, depth + 1)?;
                    }
                }
                "Points" => {}
                name => {
                    let what = format!("<{name}> of a clip has no audio: it is left out");
                    self.note(name, child, what);
                }
            }
        }
        Ok(())
    }

    /// Reads audio that is warped. Only warps that leave the speed as it is are carried.
    fn warps(
        &mut self,
        warps: Node<'x, 'x>,
        clip: Node<'x, 'x>,
        unit: TimeUnit,
        origin: Ratio,
        heard: Heard,
        track: usize,
    ) -> Result<()> {
        let Some(audio) = xml::child(warps, "Audio") else {
            let what = "warps of what is no audio are not carried";
            self.note("warps", warps, what);
            return Ok(());
        };
        let mut first: Option<(Ratio, Ratio)> = None;
        // What rounding to the decimals of a file may make of equal lengths.
        let tolerance = Ratio::new(1, i128::from(self.rate.hz()));
        let mut is_stretched = warps.attribute("contentTimeUnit") == Some("beats");
        for warp in xml::children(warps, "Warp") {
            let time = xml::time(self.file, warp, "time")?.unwrap_or(Ratio::ZERO);
            let content = xml::time(self.file, warp, "contentTime")?.unwrap_or(Ratio::ZERO);
            let at = origin.plus(time).ok_or_else(|| self.large(warp))?;
            let at = self.seconds(warp, at, unit)?;
            match first {
                None => first = Some((at, content)),
                Some((first_at, first_content)) => {
                    let lengths = at.minus(first_at).zip(content.minus(first_content));
                    let difference = lengths.and_then(|(a, b)| a.minus(b));
                    let difference = difference.ok_or_else(|| self.large(warp))?;
                    let size = if difference.is_negative() {
                        Ratio::ZERO.minus(difference)
                    } else {
                        Some(difference)
                    };
                    is_stretched |= size > tolerance;
                }
            }
        }
        if is_stretched {
            let what = format!(
                "clip {:?} is stretched, which is not supported: it is left out; render it in place, and export the project again",
                clip.attribute("name").unwrap_or("")
            );
            let place = self.place(warps);
            self.notes.add(place, what);
            return Ok(());
        }
        let (at, content) = first.unwrap_or((heard.start, Ratio::ZERO));
        let start = at.minus(content).ok_or_else(|| self.large(warps))?;
        self.audio(audio, clip, start, heard, track)
    }

    /// Adds a clip of audio whose first frame would be at `start`.
    fn audio(
        &mut self,
        audio: Node<'x, 'x>,
        clip: Node<'x, 'x>,
        start: Ratio,
        heard: Heard,
        track: usize,
    ) -> Result<()> {
        let Some(input) = self.input(audio)? else {
            return Ok(());
        };
        let (mut begin, mut fade_in) = (heard.start, heard.fade_in);
        if start > begin {
            if !fade_in.is_zero() {
                let what = "a fade begins before the audio of its clip: it is not carried";
                self.note("early fade", clip, what);
            }
            (begin, fade_in) = (start, Ratio::ZERO);
        }
        if heard.end <= begin {
            return Ok(());
        }
        let from = begin.minus(start).ok_or_else(|| self.large(audio))?;
        let rate = self.rate;
        let frames = |time: Ratio| time.frames(rate);
        let times = (frames(begin), frames(heard.end), frames(from));
        let (Some(at), Some(end), Some(from)) = times else {
            return Err(self.large(audio));
        };
        if end <= at {
            return Ok(());
        }
        if [fade_in, heard.fade_out]
            .into_iter()
            .any(|time| frames(time) > Some(end - at))
        {
            let what = "a fade is longer than its clip or than a pass of its loop: it is shortened";
            self.note("long fade", clip, what);
        }
        let fade = |time: Ratio| frames(time).map(|n| Fade::linear(n.min(end - at)));
        let (Some(fade_in), Some(fade_out)) = (fade(fade_in), fade(heard.fade_out)) else {
            return Err(self.large(clip));
        };
        let mut made = Clip::new(input).at(at).from(from).length(end - at);
        if let Some(pass) = heard.pass.and_then(frames)
            && let Some(loops) = (end - at).0.checked_div(pass.0)
            && let Ok(loops) = u32::try_from(loops)
        {
            made = made.length(pass).loops(loops.max(1));
        }
        (made.fade_in, made.fade_out, made.gain) = (fade_in, fade_out, heard.gain);
        let name = clip.attribute("name").unwrap_or("");
        let place = self.place(clip);
        if let Some(channel) = self.channels.get_mut(track) {
            let fallback = format!("clip {}", channel.clips.len() + 1);
            made.name = channel.clip_names.unique(name, &fallback);
            let is_heard = (self.lengths).fit(&mut made, rate, || place, &mut self.notes);
            if is_heard {
                channel.clips.push(made);
            }
        }
        Ok(())
    }

    /// Returns the file of an audio element.
    fn input(&mut self, audio: Node<'x, 'x>) -> Result<Option<Input>> {
        let Some(file) = xml::child(audio, "File") else {
            return Err(self.wrong(audio, "names no <File>"));
        };
        let path = file.attribute("path").unwrap_or("");
        if path.is_empty() {
            return Err(self.wrong(file, "has no path"));
        }
        if file.attribute("external") == Some("true") {
            let folder = self.archive.folder();
            let place = self.place(file);
            let path = self.files.locate(folder, path, || place, &mut self.notes);
            return Ok(Some(Input::file(path)));
        }
        let media = self.options.media.as_deref();
        let input = self.archive.audio(path, media, self.options.overwrite)?;
        if input.is_none() {
            let what = format!("the archive has no {path:?}: its clips are left out");
            self.note(path, file, what);
        }
        Ok(input)
    }

    /// Reads the automation of a parameter.
    fn points(&mut self, points: Node<'x, 'x>, unit: TimeUnit) -> Result<()> {
        let Some(target) = xml::child(points, "Target").and_then(|t| t.attribute("parameter"))
        else {
            self.note(
                "points",
                points,
                "automation of no parameter is not carried",
            );
            return Ok(());
        };
        let Some((index, control)) = self.parameters.get(target).copied() else {
            let what = format!("automation of the parameter {target:?} is not carried");
            let place = self.place(points);
            self.notes.add(place, what);
            return Ok(());
        };
        let is_volume = control == Control::Volume;
        let is_decibel = points.attribute("unit") == Some("decibel");
        let (mut gain, mut position) = (Curve::new(), Curve::new());
        let mut before: Option<(f64, bool)> = None;
        let mut is_approximate = false;
        for point in xml::children(points, "RealPoint") {
            self.count(point)?;
            let time = xml::time(self.file, point, "time")?.unwrap_or(Ratio::ZERO);
            let at = self.seconds(point, time, unit)?;
            let at = at.frames(self.rate).ok_or_else(|| self.large(point))?;
            let Some(value) = xml::number(self.file, point, "value")? else {
                return Err(self.wrong(point, "has no value"));
            };
            let is_line = point.attribute("interpolation") == Some("linear");
            let shape = match before {
                Some((from, false)) if from != value => Shape::Step,
                Some((from, true)) => {
                    let silence = [from, value].contains(&0.0);
                    is_approximate |= is_volume && !is_decibel && from != value && !silence;
                    Shape::Linear
                }
                _ => Shape::Linear,
            };
            before = Some((value, is_line));
            if is_volume {
                gain = gain.point(at, self.level(points, value)?, shape);
            } else {
                let pan = self.pan(points, value)?;
                position = position.point(at, pan, shape);
            }
        }
        if !gain.in_order() || !position.in_order() {
            return Err(self.wrong(points, "has points out of order"));
        }
        if is_approximate {
            let what = "the automation of a volume moves in straight lines of amplitude: here it moves in straight lines of dB between the same points";
            self.note("lines", points, what);
        }
        if let Some(channel) = self.channels.get_mut(index) {
            if is_volume {
                channel.gain_curve = Some(gain).filter(|curve| !curve.points.is_empty());
            } else {
                channel.pan_curve = Some(position).filter(|curve| !curve.points.is_empty());
            }
        }
        Ok(())
    }

    /// Converts a pan position in the unit of its element.
    fn pan(&self, node: Node<'_, '_>, value: f64) -> Result<Pan> {
        let is_signed = xml::number(self.file, node, "min")?.is_some_and(|min| min < 0.0);
        let pan = match node.attribute("unit") {
            Some("percent") => numbers::pan(value / 100.0),
            _ if is_signed => Pan(value),
            _ => numbers::pan(value),
        };
        if !(-1.0..=1.0).contains(&pan.0) {
            return Err(self.wrong(node, "has a pan outside left and right"));
        }
        Ok(pan)
    }

    fn markers(
        &mut self,
        markers: Node<'x, 'x>,
        unit: TimeUnit,
        session: &mut Session,
    ) -> Result<()> {
        for marker in xml::children(markers, "Marker") {
            self.count(marker)?;
            let time = xml::time(self.file, marker, "time")?.unwrap_or(Ratio::ZERO);
            let at = self.seconds(marker, time, unit)?;
            let at = at.frames(self.rate).ok_or_else(|| self.large(marker))?;
            let name = match cleaned(marker.attribute("name").unwrap_or("")) {
                name if name.is_empty() => "marker".to_owned(),
                name => name,
            };
            session.markers.push(Marker { at, name });
        }
        super::super::labels::settle(&mut session.markers, &mut self.notes);
        Ok(())
    }

    /// Makes tracks and buses of the channels.
    fn route(&mut self, session: &mut Session) -> Result<()> {
        let channels = std::mem::take(&mut self.channels);
        let role = |c: &Channel<'_>| c.node.attribute("role").unwrap_or("regular").to_owned();
        let master = channels
            .iter()
            .position(|c| role(c) == "master" && !c.node.has_attribute("destination"));
        let master_id = master.and_then(|at| channels.get(at)?.node.attribute("id"));
        // A channel that others feed is a bus, whatever its role.
        let mut fed: HashSet<&str> = HashSet::new();
        for channel in &channels {
            fed.extend(channel.node.attribute("destination"));
            let sends = xml::child(channel.node, "Sends");
            let sends = sends
                .into_iter()
                .flat_map(|sends| xml::children(sends, "Send"));
            fed.extend(sends.filter_map(|send| send.attribute("destination")));
        }
        let is_bus = |channel: &Channel<'_>| {
            let id = channel.node.attribute("id");
            ["effect", "submix"].contains(&role(channel).as_str())
                || id.is_some_and(|id| fed.contains(id))
                || (role(channel) == "master")
        };
        let (mut track_names, mut bus_names) = (Names::default(), Names::default());
        let mut buses: HashMap<&str, BusId> = HashMap::new();
        let mut ids: Vec<Option<BusId>> = Vec::new();
        for (index, channel) in channels.iter().enumerate() {
            if Some(index) == master || !is_bus(channel) {
                ids.push(None);
                continue;
            }
            let name = bus_names.unique(&channel.name, &format!("bus {}", index + 1));
            let id = session.add_bus(Bus::new(name));
            if let Some(own) = channel.node.attribute("id") {
                buses.insert(own, id);
            }
            ids.push(Some(id));
        }
        for (index, (mut channel, bus)) in channels.into_iter().zip(ids).enumerate() {
            let (mut strip, inserts) = self.strip(&channel, &buses, master_id)?;
            unname_single(&mut channel.clips);
            if Some(index) == master {
                session.master.gain = strip.gain;
                session.master.gain_curve = strip.gain_curve;
                session.master.inserts = inserts;
                if strip.pan != Pan::CENTRE || !strip.pan_curve.points.is_empty() || strip.mute {
                    let what = "pan and mute of the master are not carried";
                    self.note("master", channel.node, what);
                }
                continue;
            }
            strip.inserts = inserts;
            if let Some(bus) = bus {
                let target = &mut session.bus_mut(bus).strip;
                strip.name.clone_from(&target.name);
                *target = strip;
                if !channel.clips.is_empty() {
                    let mut track = Track::of(track_names.unique(&channel.name, "track")).to(bus);
                    track.clips = channel.clips;
                    session.add_track(track);
                }
            } else if channel.clips.is_empty() {
                let what = format!("track {:?} has no audio: it is left out", channel.name);
                self.note("empty", channel.node, what);
            } else {
                strip.name = track_names.unique(&channel.name, &format!("track {}", index + 1));
                let mut track = Track::of("");
                track.strip = strip;
                track.clips = channel.clips;
                session.add_track(track);
            }
        }
        Ok(())
    }

    /// Reads the controls of a channel. Its inserts are apart, as the master has no strip.
    fn strip(
        &mut self,
        channel: &Channel<'x>,
        buses: &HashMap<&str, BusId>,
        master: Option<&str>,
    ) -> Result<(Strip, Vec<Insert>)> {
        let (node, file) = (channel.node, self.file);
        let mut strip = Strip::default();
        if let Some(volume) = xml::child(node, "Volume") {
            let value = xml::number(file, volume, "value")?.unwrap_or(1.0);
            strip.gain = self.level(volume, value)?;
        }
        if let Some(curve) = &channel.gain_curve {
            // Points state the level as it is.
            (strip.gain, strip.gain_curve) = (Decibels::UNITY, curve.clone());
        }
        if let Some(pan) = xml::child(node, "Pan")
            && let Some(value) = xml::number(file, pan, "value")?
        {
            strip.pan = self.pan(pan, value)?;
        }
        if let Some(curve) = &channel.pan_curve {
            strip.pan_curve = curve.clone();
        }
        let is_true = |text: Option<&str>| text.is_some_and(|text| ["true", "1"].contains(&text));
        strip.mute = is_true(xml::child(node, "Mute").and_then(|m| m.attribute("value")));
        strip.solo = is_true(node.attribute("solo"));
        match node.attribute("destination") {
            Some(id) if Some(id) == master => {}
            Some(id) => match buses.get(id) {
                Some(bus) => strip.to = Some(*bus),
                None => return Err(self.wrong(node, &format!("feeds {id:?}, which is no channel"))),
            },
            None => {}
        }
        let sends = xml::child(node, "Sends");
        for send in sends
            .into_iter()
            .flat_map(|sends| xml::children(sends, "Send"))
        {
            self.send(send, buses, &channel.name, &mut strip)?;
        }
        let mut inserts: Vec<Insert> = Vec::new();
        let mut names = Names::default();
        let devices = xml::child(node, "Devices");
        let devices = devices.into_iter().flat_map(|devices| devices.children());
        for device in devices.filter(Node::is_element) {
            let mapped = devices::read(file, device)?;
            for mut insert in mapped.inserts {
                let kind = insert.kind_name().to_owned();
                insert.name = names.unique(&insert.name, &kind);
                // An insert of the kind's own name is one without a name.
                inserts.push(insert);
            }
            for what in mapped.left_out {
                let place = self.place(device);
                self.notes.add(place, format!("{:?}: {what}", channel.name));
            }
        }
        Ok((strip, inserts))
    }

    fn send(
        &mut self,
        send: Node<'x, 'x>,
        buses: &HashMap<&str, BusId>,
        name: &str,
        strip: &mut Strip,
    ) -> Result<()> {
        let to = send.attribute("destination").and_then(|id| buses.get(id));
        let is_off = xml::child(send, "Enable").and_then(|e| e.attribute("value")) == Some("false");
        let problem = match to {
            None => Some("feeds no bus"),
            Some(_) if send.attribute("type") == Some("pre") => {
                Some("is taken before the fader, which is not supported")
            }
            Some(_) if is_off => Some("is disabled"),
            Some(to) if strip.sends.iter().any(|known| known.to == *to) => {
                Some("is the second to one bus")
            }
            Some(_) => None,
        };
        if let Some(problem) = problem {
            let what = format!("a send of {name:?} {problem}: it is left out");
            let place = self.place(send);
            self.notes.add(place, what);
            return Ok(());
        }
        let Some(to) = to.copied() else {
            return Ok(());
        };
        let volume = xml::child(send, "Volume");
        let gain = match volume {
            Some(volume) => {
                let value = xml::number(self.file, volume, "value")?.unwrap_or(1.0);
                self.level(volume, value)?
            }
            None => Decibels::UNITY,
        };
        if let Some(pan) = xml::child(send, "Pan")
            && let Some(value) = xml::number(self.file, pan, "value")?
            && self.pan(pan, value)? != Pan::CENTRE
        {
            let what = format!("the pan of a send of {name:?} is not carried");
            let place = self.place(pan);
            self.notes.add(place, what);
        }
        strip.sends.push(BusSend { to, gain });
        Ok(())
    }
}
