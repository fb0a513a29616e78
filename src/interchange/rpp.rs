//! Reads projects of REAPER: a text of nested elements, `<TRACK` to `>`, with a line for each value.
//!
//! A track that receives others, as a folder or through sends, becomes a bus; its own items are a track that feeds the bus.
//! Positions are seconds, rounded to the nearest frame as REAPER does when it plays.

use super::{
    MAX_ITEMS, Options,
    media_files::MediaFiles,
    names::Names,
    notes::{Notes, Place},
    ratio::Ratio,
    stem_lengths::StemLengths,
    text_file::TextFile,
    timeline::unname_single,
};
use crate::{
    curve::{Curve, Fade, FadeShape, Shape},
    dsp::pan::PanLaw,
    error::{Error, Result},
    layout::Layout,
    media::Input,
    session::{Bus, BusId, BusSend, Clip, Marker, Session, Strip, Track},
    units::{Decibels, Frames, Gain, Pan, SampleRate},
};
use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};

/// Limit of the number of values of a project, those of plug-ins not counted.
const MAX_VALUES: usize = 2_000_000;

/// Elements of plug-ins.
const PLUGINS: [&str; 7] = ["VST", "AU", "JS", "CLAP", "LV2", "DX", "VIDEO_EFFECT"];

/// Limit of nested elements.
const MAX_DEPTH: usize = 64;

/// Limit of the passes of a looped item that become clips.
const MAX_PASSES: u64 = 1000;

/// An element with its values and inner elements, each with its line.
#[derive(Debug, Default)]
struct Element {
    line: usize,
    words: Vec<String>,
    values: Vec<(usize, Vec<String>)>,
    inner: Vec<Element>,
}

impl Element {
    fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Returns the first value of a name with its line.
    fn value(&self, name: &str) -> Option<(usize, &[String])> {
        self.all(name).next()
    }

    fn all<'e>(&'e self, name: &str) -> impl Iterator<Item = (usize, &'e [String])> {
        self.values.iter().filter_map(move |(line, words)| {
            let (first, rest) = words.split_first()?;
            (first == name).then_some((*line, rest))
        })
    }

    fn child(&self, name: &str) -> Option<&Self> {
        self.inner.iter().find(|element| element.name() == name)
    }
}

/// Splits a line into words. A word in quotes (`"`, `'` or `` ` ``) may hold spaces.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = if ['"', '\'', '`'].contains(&first) {
            let inner = rest.get(1..).unwrap_or("");
            inner.split_once(first).unwrap_or((inner, ""))
        } else {
            rest.split_once(char::is_whitespace).unwrap_or((rest, ""))
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

/// Returns the element of the project.
fn parse(file: &TextFile) -> Result<Element> {
    let mut open: Vec<Element> = Vec::new();
    let (mut project, mut count) = (None, 0usize);
    for (number, line) in (1..).zip(file.text.lines()) {
        let line = line.trim();
        let wrong = |what: &str| Err(file.error(&Place::Line(number), what));
        if let Some(head) = line.strip_prefix('<') {
            if project.is_some() {
                break;
            }
            if open.is_empty() && !head.starts_with("REAPER_PROJECT") {
                return wrong("is no REAPER project: it begins with <REAPER_PROJECT");
            }
            if open.len() >= MAX_DEPTH {
                return wrong("is nested too deep");
            }
            open.push(Element {
                line: number,
                words: words(head),
                ..Element::default()
            });
        } else if line == ">" {
            let Some(done) = open.pop() else {
                return wrong("a > closes nothing");
            };
            match open.last_mut() {
                Some(outer) => outer.inner.push(done),
                None => project = Some(done),
            }
        } else if let Some(element) = open.last_mut() {
            // The state of plug-ins is many lines of base64, which are not needed.
            if !line.is_empty() && !PLUGINS.contains(&element.name()) {
                element.values.push((number, words(line)));
                count += 1;
                if count > MAX_VALUES {
                    return wrong("is one line more than a project can have");
                }
            }
        } else if !line.is_empty() && project.is_none() {
            return wrong("is no REAPER project: it begins with <REAPER_PROJECT");
        }
    }
    project.ok_or_else(|| match open.last() {
        Some(element) => {
            let what = format!("<{} is not closed: the file is cut off", element.name());
            file.error(&Place::Line(element.line), what)
        }
        None => file.error(&Place::File, "is empty: it is no REAPER project"),
    })
}

/// Reads a project.
///
/// # Errors
/// `Session` for a text that is no project, and for numbers that cannot be read, with the line.
pub(super) fn read(file: &TextFile, options: &Options) -> Result<(Session, Notes)> {
    let project = parse(file)?;
    let mut reader = Reader {
        file,
        notes: Notes::default(),
        files: MediaFiles::default(),
        lengths: StemLengths::default(),
        rate: SampleRate::HZ_48000,
        clips: 0,
    };
    let session = reader.project(&project, options)?;
    Ok((session, reader.notes))
}

/// A track of the project before it is a track or a bus.
struct Channel<'e> {
    element: &'e Element,
    name: String,
    /// Index of the folder that it is in.
    parent: Option<usize>,
    /// The clips of its items.
    clips: Vec<Clip>,
    clip_names: Names,
    /// Sends to it: index of the source, level, line.
    receives: Vec<(usize, Decibels)>,
    /// It feeds its folder or the master.
    feeds_parent: bool,
}

struct Reader<'a> {
    file: &'a TextFile,
    notes: Notes,
    files: MediaFiles,
    lengths: StemLengths,
    rate: SampleRate,
    clips: usize,
}

impl Reader<'_> {
    fn wrong(&self, line: usize, what: &str) -> Error {
        self.file.error(&Place::Line(line), what)
    }

    fn note(&mut self, group: &str, line: usize, what: impl Into<String>) {
        self.notes.add_to_group(group, Place::Line(line), what);
    }

    /// Returns a number of a value; `default` where the line is shorter.
    fn number(&self, (line, words): (usize, &[String]), at: usize, default: f64) -> Result<f64> {
        let Some(word) = words.get(at) else {
            return Ok(default);
        };
        let number = word.parse::<f64>().ok().filter(|x| x.is_finite());
        number.ok_or_else(|| self.wrong(line, &format!("{word:?} is no number")))
    }

    /// Returns a time in seconds as the nearest frame.
    fn frames(&self, (line, words): (usize, &[String]), at: usize) -> Result<Frames> {
        let Some(word) = words.get(at) else {
            return Ok(Frames::ZERO);
        };
        let frames = Ratio::parse(word).and_then(|seconds| seconds.frames(self.rate));
        frames.ok_or_else(|| {
            let what = format!("{word:?} is no time in seconds from 0 to the longest session");
            self.wrong(line, &what)
        })
    }

    /// Returns a linear level of a value in decibels.
    fn level(&self, value: (usize, &[String]), at: usize) -> Result<Decibels> {
        let factor = self.number(value, at, 1.0)?;
        if factor < 0.0 {
            return Err(self.wrong(value.0, "a level is below 0"));
        }
        Ok(level(factor))
    }

    fn project(&mut self, project: &Element, options: &Options) -> Result<Session> {
        let stated = project.value("SAMPLERATE").map(|value| {
            let hz = self.number(value, 0, 48_000.0)?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates, and the rate is checked"
            )]
            SampleRate::new(hz as u32).map_err(|e| self.wrong(value.0, &e.to_string()))
        });
        let stated = stated.transpose()?.unwrap_or(SampleRate::HZ_48000);
        self.rate = options.rate.unwrap_or(stated);
        let mut session = Session::new(self.rate, options.layout.unwrap_or(Layout::Stereo));
        if let Some((_, words)) = project.value("TITLE") {
            session.title = super::names::cleaned(words.first().map_or("", String::as_str));
        }
        session.fps = options.fps.or(options.start.map(crate::Timecode::rate));
        session.start = options.start;
        self.pan_law(project, &mut session)?;
        self.master(project, &mut session)?;
        self.markers(project, &mut session)?;
        self.tempo(project);
        let mut channels = self.channels(project)?;
        self.sends(&mut channels)?;
        self.route(channels, &mut session)?;
        Ok(session)
    }

    /// REAPER's default law lowers the far side and leaves the near one: balance.
    fn pan_law(&mut self, project: &Element, session: &mut Session) -> Result<()> {
        session.pan_law = PanLaw::Balance;
        if let Some(value) = project.value("PANLAW") {
            let law = self.number(value, 0, 1.0)?;
            if (law - 1.0).abs() > 1e-6 {
                let what = format!(
                    "the pan law of {:+.1} dB is not carried: pans are those of REAPER's default law of 0 dB",
                    level(law).0
                );
                self.note("pan law", value.0, what);
            }
        }
        Ok(())
    }

    fn master(&mut self, project: &Element, session: &mut Session) -> Result<()> {
        if let Some(value) = project.value("MASTER_VOLUME") {
            session.master.gain = self.level(value, 0)?;
            if self.number(value, 1, 0.0)? != 0.0 {
                self.note(
                    "master pan",
                    value.0,
                    "the pan of the master is not carried",
                );
            }
        }
        for name in ["MASTERFXLIST", "MASTERVOLENV2", "MASTERPANENV2"] {
            if let Some(element) = project.child(name).filter(|e| is_in_use(e) || is_active(e)) {
                let what = format!("<{name} of the master is not carried");
                self.note(name, element.line, what);
            }
        }
        Ok(())
    }

    fn tempo(&mut self, project: &Element) {
        if let Some(map) = project.child("TEMPOENVEX")
            && map.all("PT").count() > 1
        {
            let what =
                "the tempo map is not carried: all positions are in seconds and stay as they are";
            self.note("tempo", map.line, what);
        }
    }

    fn markers(&mut self, project: &Element, session: &mut Session) -> Result<()> {
        // Names of the regions that are open, by number.
        let mut regions: HashMap<&str, String> = HashMap::new();
        for value in project.all("MARKER") {
            let at = self.frames(value, 1)?;
            let (_, words) = value;
            let number = words.first().map_or("", String::as_str);
            let name = super::names::cleaned(words.get(2).map_or("", String::as_str));
            // The lowest bit marks a region, which a second line of its number ends.
            let is_region = words
                .get(3)
                .and_then(|flags| flags.parse::<u32>().ok())
                .is_some_and(|flags| flags % 2 == 1);
            let name = match regions.remove(number).filter(|_| is_region) {
                Some(open) => format!("{open} (end)"),
                None => {
                    let name = if name.is_empty() {
                        format!("marker {number}")
                    } else {
                        name
                    };
                    if is_region {
                        regions.insert(number, name.clone());
                    }
                    name
                }
            };
            if session.markers.len() >= MAX_ITEMS {
                return Err(self.wrong(value.0, "there are more markers than a session can hold"));
            }
            session.markers.push(Marker { at, name });
        }
        super::labels::settle(&mut session.markers, &mut self.notes);
        Ok(())
    }

    /// Reads all tracks with their folders and items.
    fn channels<'e>(&mut self, project: &'e Element) -> Result<Vec<Channel<'e>>> {
        let (mut channels, mut folders): (Vec<Channel<'e>>, Vec<usize>) = (Vec::new(), Vec::new());
        let elements = project.inner.iter().filter(|e| e.name() == "TRACK");
        for (index, element) in elements.enumerate() {
            let name = element.value("NAME").and_then(|(_, words)| words.first());
            let name = super::names::cleaned(name.map_or("", String::as_str));
            let name = if name.is_empty() {
                format!("track {}", index + 1)
            } else {
                name
            };
            let feeds_parent = match element.value("MAINSEND") {
                Some(value) => self.number(value, 0, 1.0)? != 0.0,
                None => true,
            };
            let mut channel = Channel {
                element,
                parent: folders.last().copied(),
                clips: Vec::new(),
                clip_names: Names::default(),
                receives: Vec::new(),
                feeds_parent,
                name,
            };
            for item in element.inner.iter().filter(|e| e.name() == "ITEM") {
                self.item(item, &mut channel)?;
            }
            channels.push(channel);
            if let Some(value) = element.value("ISBUS") {
                match self.number(value, 0, 0.0)? {
                    1.0 => folders.push(index),
                    // The last track of so many folders.
                    2.0 => {
                        let mut levels = -self.number(value, 1, -1.0)?;
                        while levels >= 1.0 && folders.pop().is_some() {
                            levels -= 1.0;
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(channels)
    }

    /// Reads the sends, which REAPER keeps with the track that receives them.
    fn sends(&mut self, channels: &mut [Channel<'_>]) -> Result<()> {
        let count = channels.len();
        for index in 0..count {
            let Some(element) = channels.get(index).map(|channel| channel.element) else {
                continue;
            };
            for value in element.all("AUXRECV") {
                let (line, _) = value;
                let from = self.number(value, 0, -1.0)?;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "saturates, and the index is checked"
                )]
                let source = from as usize;
                let from_name = channels.get(source).map(|channel| channel.name.clone());
                let Some(from_name) = from_name.filter(|_| from >= 0.0 && source != index) else {
                    let what = "a receive names a track that is not there";
                    return Err(self.wrong(line, what));
                };
                if self.number(value, 1, 0.0)? != 0.0 {
                    let what = format!(
                        "the send of track {from_name:?} is taken before its fader, which is not supported: it is left out"
                    );
                    self.note("pre-fader", line, what);
                    continue;
                }
                if self.number(value, 4, 0.0)? != 0.0 {
                    let what = format!("a send of track {from_name:?} is muted: it is left out");
                    self.note("muted send", line, what);
                    continue;
                }
                let others = [
                    (3, "pan"),
                    (5, "mono"),
                    (6, "polarity"),
                    (7, "channel"),
                    (8, "channel"),
                ];
                for (at, what) in others {
                    if self.number(value, at, 0.0)? != 0.0 {
                        let what =
                            format!("the {what} of a send of track {from_name:?} is not carried");
                        self.note("send", line, what);
                    }
                }
                let level = self.level(value, 2)?;
                let channel = channels.get_mut(index);
                if let Some(channel) = channel {
                    match channel
                        .receives
                        .iter()
                        .position(|(known, _)| *known == source)
                    {
                        Some(_) => {
                            let what = format!(
                                "track {from_name:?} sends twice to one track: the second send is left out"
                            );
                            self.note("twice", line, what);
                        }
                        None => channel.receives.push((source, level)),
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes tracks and buses of the channels.
    fn route(&mut self, channels: Vec<Channel<'_>>, session: &mut Session) -> Result<()> {
        let parents: BTreeSet<usize> = channels.iter().filter_map(|c| c.parent).collect();
        let is_bus: Vec<bool> = channels
            .iter()
            .enumerate()
            .map(|(index, c)| parents.contains(&index) || !c.receives.is_empty())
            .collect();
        let (mut track_names, mut bus_names) = (Names::default(), Names::default());
        let mut strips: Vec<Strip> = Vec::new();
        for channel in &channels {
            strips.push(self.strip(channel)?);
        }
        // Buses first, so that tracks and other buses can name them.
        let mut ids: Vec<Option<BusId>> = Vec::new();
        for (channel, is_bus) in channels.iter().zip(&is_bus) {
            ids.push(
                is_bus.then(|| session.add_bus(Bus::new(bus_names.unique(&channel.name, "bus")))),
            );
        }
        let id = |index: usize| ids.get(index).copied().flatten();
        // What feeds nothing but sends, feeds a bus that is not heard.
        let is_apart = |c: &Channel<'_>| !c.feeds_parent;
        let unheard = channels.iter().any(is_apart).then(|| {
            let name = bus_names.unique("unheard", "unheard");
            session.add_bus(Bus::new(name).gain(Decibels::SILENCE))
        });
        for (channel, strip) in channels.iter().zip(&mut strips) {
            strip.to = if channel.feeds_parent {
                channel.parent.and_then(id)
            } else {
                unheard
            };
        }
        for (target, receiver) in channels.iter().enumerate() {
            for (source, gain) in &receiver.receives {
                if let (Some(strip), Some(to)) = (strips.get_mut(*source), id(target)) {
                    strip.sends.push(BusSend { to, gain: *gain });
                }
            }
        }
        for (index, (mut channel, mut strip)) in channels.into_iter().zip(strips).enumerate() {
            unname_single(&mut channel.clips);
            let invert = self.is_inverted(channel.element)?;
            match id(index) {
                Some(bus) => {
                    let target = &mut session.bus_mut(bus).strip;
                    strip.name.clone_from(&target.name);
                    *target = strip;
                    if invert {
                        let what = format!(
                            "the polarity of {:?} is not carried: it is a bus",
                            channel.name
                        );
                        self.note("polarity", channel.element.line, what);
                    }
                    if !channel.clips.is_empty() {
                        let name = track_names.unique(&channel.name, "track");
                        let mut track = Track::of(name).to(bus);
                        track.clips = channel.clips;
                        session.add_track(track);
                    }
                }
                None if channel.clips.is_empty() => {
                    let what =
                        format!("track {:?} has no audio item: it is left out", channel.name);
                    self.note("empty", channel.element.line, what);
                }
                None => {
                    strip.name = track_names.unique(&channel.name, "track");
                    let mut track = Track::of("");
                    track.clips = channel.clips;
                    track.strip = strip;
                    track.invert = invert;
                    session.add_track(track);
                }
            }
        }
        Ok(())
    }

    fn is_inverted(&self, element: &Element) -> Result<bool> {
        match element.value("IPHASE") {
            Some(value) => Ok(self.number(value, 0, 0.0)? != 0.0),
            None => Ok(false),
        }
    }

    /// Reads fader, pan, mute, solo and envelopes of a track.
    fn strip(&mut self, channel: &Channel<'_>) -> Result<Strip> {
        let (element, name) = (channel.element, &channel.name);
        let mut strip = Strip::default();
        if let Some(value) = element.value("VOLPAN") {
            strip.gain = self.level(value, 0)?;
            strip.pan = Pan(self.number(value, 1, 0.0)?.clamp(-1.0, 1.0));
        }
        if let Some(value) = element.value("MUTESOLO") {
            strip.mute = self.number(value, 0, 0.0)? != 0.0;
            strip.solo = self.number(value, 1, 0.0)? != 0.0;
        }
        if let Some(value) = element.value("PANMODE")
            && ![0.0, 3.0].contains(&self.number(value, 0, 3.0)?)
        {
            let what =
                format!("the pan mode of track {name:?} is not carried: its pan is a balance");
            self.note("pan mode", value.0, what);
        }
        for child in &element.inner {
            match child.name() {
                "ITEM" => {}
                "VOLENV2" if is_active(child) => {
                    strip.gain_curve = self.volume(child, name)?;
                }
                "FXCHAIN" | "FXCHAIN_REC" if !is_in_use(child) => {}
                "FXCHAIN" => {
                    let plugins = child.inner.iter().filter(|e| PLUGINS.contains(&e.name()));
                    let plugins: Vec<&str> = plugins
                        .filter_map(|e| e.words.get(1).map(String::as_str))
                        .collect();
                    let what = format!(
                        "the plug-ins of track {name:?} are not carried ({}): render them into the stem, or set inserts in the session",
                        plugins.join(", ")
                    );
                    self.notes.add(Place::Line(child.line), what);
                }
                "FXCHAIN_REC" | "MIDINOTENAMES" | "EXT" | "AUXENV" => {}
                other if other.ends_with("ENV") || other.ends_with("ENV2") => {
                    if is_active(child) {
                        let what =
                            format!("<{other} of track {name:?}, an envelope, is not carried");
                        self.notes.add(Place::Line(child.line), what);
                    }
                }
                other => {
                    let what = format!("<{other} of a track is not carried");
                    self.note(other, child.line, what);
                }
            }
        }
        Ok(strip)
    }

    /// Reads a volume envelope. Its values are linear, and so are its lines unless they are steps.
    fn volume(&mut self, envelope: &Element, name: &str) -> Result<Curve<Decibels>> {
        let mut curve = Curve::new();
        let mut before: Option<(f64, f64)> = None;
        let mut is_approximate = false;
        for value in envelope.all("PT") {
            let at = self.frames(value, 0)?;
            let (factor, kind) = (self.number(value, 1, 1.0)?, self.number(value, 2, 0.0)?);
            if factor < 0.0 {
                return Err(self.wrong(value.0, "a level is below 0"));
            }
            // The shape is that of the way to the next point.
            let shape = match before {
                Some((from, 1.0)) if from != factor => Shape::Step,
                Some((from, kind)) => {
                    let is_exact =
                        from == factor || (kind == 0.0 && (from == 0.0 || factor == 0.0));
                    is_approximate |= !is_exact;
                    Shape::Linear
                }
                None => Shape::Linear,
            };
            if curve.points.len() >= MAX_ITEMS {
                return Err(self.wrong(
                    value.0,
                    "the envelope has more points than a session can hold",
                ));
            }
            curve = curve.point(at, level(factor), shape);
            before = Some((factor, kind));
        }
        if !curve.in_order() {
            return Err(self.wrong(envelope.line, "the points of the envelope are out of order"));
        }
        if is_approximate {
            let what = format!(
                "the volume envelope of track {name:?} has other shapes than a session: between the same points its level moves in straight lines of dB"
            );
            self.notes.add(Place::Line(envelope.line), what);
        }
        Ok(curve)
    }

    /// Adds the clips of an item to its track.
    fn item(&mut self, item: &Element, channel: &mut Channel<'_>) -> Result<()> {
        let name = item.value("NAME").and_then(|(_, words)| words.first());
        let name = super::names::cleaned(name.map_or("", String::as_str));
        let label = format!("item {name:?} of track {:?}", channel.name);
        let leave_out = |what: &str| {
            format!("{label} {what}: it is left out; render it in REAPER, and place the result")
        };
        if item
            .values
            .iter()
            .any(|(_, words)| words.first().is_some_and(|w| w == "TAKE"))
        {
            let what = format!("{label} has several takes: the first is taken");
            self.note("takes", item.line, what);
        }
        // Values of the first take stand before the line that begins the second.
        let rate = item.value("PLAYRATE");
        if let Some(value) = rate {
            if self.number(value, 0, 1.0)? != 1.0 {
                let speed = value.1.first().map_or("", String::as_str);
                let what = leave_out(&format!("plays at {speed} times the speed"));
                self.notes.add(Place::Line(value.0), what);
                return Ok(());
            }
            if self.number(value, 2, 0.0)? != 0.0 {
                let what = leave_out("is transposed");
                self.notes.add(Place::Line(value.0), what);
                return Ok(());
            }
        }
        let Some(source) = item.child("SOURCE") else {
            let what = format!("{label} is empty: it is left out");
            self.note("empty item", item.line, what);
            return Ok(());
        };
        let (source, section) = match source.words.get(1).map(String::as_str) {
            Some("SECTION") => (source.child("SOURCE").unwrap_or(source), Some(source)),
            _ => (source, None),
        };
        let kind = source.words.get(1).map_or("", String::as_str);
        let Some((line, words)) = source.value("FILE") else {
            let what = format!("{label} is {kind:?} and no audio file: it is left out");
            self.note(&format!("source {kind}"), source.line, what);
            return Ok(());
        };
        let Some(path) = words.first().filter(|path| !path.is_empty()) else {
            return Err(self.wrong(line, "the source names no file"));
        };
        let folder = self.file.folder();
        let path = self
            .files
            .locate(folder, path, || Place::Line(line), &mut self.notes);
        for fx in item
            .inner
            .iter()
            .filter(|e| e.name() == "TAKEFX" && is_in_use(e))
        {
            let what = format!("the plug-ins of {label} are not carried");
            self.notes.add(Place::Line(fx.line), what);
        }
        for envelope in item
            .inner
            .iter()
            .filter(|e| e.name().ends_with("ENV") && is_active(e))
        {
            let what = format!(
                "<{} of {label}, an envelope, is not carried",
                envelope.name()
            );
            self.notes.add(Place::Line(envelope.line), what);
        }
        let zero: (usize, &[String]) = (item.line, &[]);
        let at = self.frames(item.value("POSITION").unwrap_or(zero), 0)?;
        let Some(length) = item.value("LENGTH") else {
            return Err(self.wrong(item.line, "an item has no LENGTH"));
        };
        // Both ends are rounded from their times.
        let end = self.end(item.value("POSITION").unwrap_or(zero), length)?;
        let mut from = self.frames(item.value("SOFFS").unwrap_or(zero), 0)?;
        if let Some(section) = section {
            from += self.frames(section.value("STARTPOS").unwrap_or(zero), 0)?;
            if section.value("MODE").is_some() {
                self.note(
                    "section",
                    section.line,
                    format!("{label} plays a section reversed or looped, which is not carried"),
                );
            }
        }
        if end <= at {
            self.note(
                "no length",
                item.line,
                format!("{label} has no length: it is left out"),
            );
            return Ok(());
        }
        let mut clip = Clip::new(Input::file(path.clone()))
            .named(name)
            .at(at)
            .from(from);
        clip.length = Some(end - at);
        if let Some(value) = item.value("VOLPAN") {
            // The item and its take have a level each; the take's is negative where its polarity is inverted.
            let (own, take) = (self.number(value, 0, 1.0)?, self.number(value, 2, 1.0)?);
            if own < 0.0 || take < 0.0 {
                self.note(
                    "take polarity",
                    value.0,
                    format!("the polarity of {label} is not carried"),
                );
            }
            clip.gain = level((own * take).abs());
            if self.number(value, 1, 0.0)? != 0.0 {
                self.note(
                    "take pan",
                    value.0,
                    format!("the pan of {label} is not carried"),
                );
            }
        }
        if let Some(value) = item.value("MUTE")
            && self.number(value, 0, 0.0)? != 0.0
        {
            clip.gain = Decibels::SILENCE;
        }
        if let Some(value) = item.value("CHANMODE") {
            match self.number(value, 0, 0.0)? {
                0.0 => {}
                3.0 => clip.channel = Some(1),
                4.0 => clip.channel = Some(2),
                _ => self.note(
                    "channel mode",
                    value.0,
                    format!("the channel mode of {label} is not carried"),
                ),
            }
        }
        clip.fade_in = self.fade(item, "FADEIN", &label)?;
        clip.fade_out = self.fade(item, "FADEOUT", &label)?;
        let does_loop = match item.value("LOOP") {
            Some(value) => self.number(value, 0, 0.0)? != 0.0,
            None => false,
        };
        self.clips += 1;
        if self.clips > MAX_ITEMS {
            return Err(self.wrong(item.line, "there are more items than a session can hold"));
        }
        self.passes(
            clip,
            &path,
            does_loop && section.is_none(),
            item.line,
            &label,
            channel,
        );
        Ok(())
    }

    /// Returns the end of an item, rounded once from position and length.
    fn end(&self, position: (usize, &[String]), length: (usize, &[String])) -> Result<Frames> {
        let seconds = |(line, words): (usize, &[String])| {
            let word = words.first().map_or("0", String::as_str);
            let what = format!("{word:?} is no time in seconds from 0 to the longest session");
            Ratio::parse(word)
                .filter(|time| !time.is_negative())
                .ok_or_else(|| self.wrong(line, &what))
        };
        let sum = seconds(position)?.plus(seconds(length)?);
        sum.and_then(|end| end.frames(self.rate))
            .ok_or_else(|| self.wrong(length.0, "the item ends beyond the longest session"))
    }

    /// Adds an item as one clip; where it loops beyond its source, as a clip for each pass.
    fn passes(
        &mut self,
        clip: Clip,
        path: &Path,
        does_loop: bool,
        line: usize,
        label: &str,
        channel: &mut Channel<'_>,
    ) {
        let length = clip.length.unwrap_or(Frames::ZERO);
        let source = self
            .lengths
            .of_file(path, self.rate)
            .filter(|n| *n > Frames::ZERO);
        let Some(source) = source.filter(|source| clip.from + length > *source) else {
            push(channel, clip);
            return;
        };
        if !does_loop {
            // What lies after the end of the source is silence.
            let mut clip = clip;
            if clip.from >= source {
                let what = format!("{label} begins after the end of its file: it is left out");
                self.note("after the end", line, what);
                return;
            }
            let silent = clip.from + length - source;
            clip.length = Some(source - clip.from);
            if clip.fade_out.length > Frames::ZERO {
                if clip.fade_out.length > silent {
                    self.note("late fade", line, format!("{label} fades out after the end of its file: the fade is moved to the end of the file"));
                } else {
                    clip.fade_out = Fade::default();
                }
            }
            push(channel, clip);
            return;
        }
        let (mut at, mut from) = (clip.at, Frames(clip.from.0 % source.0));
        let passes = (from.0 + length.0).div_ceil(source.0);
        if passes > MAX_PASSES {
            let what = format!("{label} loops {passes} times: {MAX_PASSES} are carried");
            self.note("loops", line, what);
        }
        let mut left = length;
        for pass in 1..=passes.min(MAX_PASSES) {
            let part = (source - from).min(left);
            let mut one = clip.clone().at(at).from(from).length(part);
            if pass > 1 {
                one.fade_in = Fade::default();
            }
            if part < left {
                one.fade_out = Fade::default();
            }
            push(channel, one);
            if let crate::session::At::Frames(start) = at {
                at = (start + part).into();
            }
            left = left - part;
            from = Frames::ZERO;
        }
    }

    /// Returns a fade of an item. The automatic one of overlapping items takes the place of the item's own.
    fn fade(&mut self, item: &Element, key: &str, label: &str) -> Result<Fade> {
        let Some(value) = item.value(key) else {
            return Ok(Fade::default());
        };
        let own = self.number(value, 1, 0.0)?;
        let automatic = self.number(value, 2, 0.0)?;
        let length = if automatic > 0.0 {
            self.frames(value, 2)?
        } else if own > 0.0 {
            self.frames(value, 1)?
        } else {
            Frames::ZERO
        };
        if length == Frames::ZERO {
            return Ok(Fade::default());
        }
        let (shape, name) = match self.number(value, 0, 0.0)? {
            0.0 => return Ok(Fade::linear(length)),
            1.0 | 3.0 => (FadeShape::EqualPower, "equal-power"),
            2.0 | 4.0 => (FadeShape::DecibelLinear(24.0), "decibel-linear(24)"),
            _ => (FadeShape::RaisedCosine, "raised-cosine"),
        };
        let what = format!(
            "the fade of {label} has shape {} of REAPER, which is carried as {name}",
            value.1.first().map_or("", String::as_str)
        );
        self.note(name, value.0, what);
        Ok(Fade { length, shape })
    }
}

/// Adds a clip under a name that no other clip of the track has.
fn push(channel: &mut Channel<'_>, mut clip: Clip) {
    let total = clip.length.unwrap_or(Frames::MAX);
    clip.fade_in = clip.fade_in.within(total.0);
    clip.fade_out = clip.fade_out.within(total.0);
    let fallback = format!("item {}", channel.clips.len() + 1);
    clip.name = channel.clip_names.unique(&clip.name, &fallback);
    channel.clips.push(clip);
}

/// Returns a linear factor in decibels. Numbers of a fader are rounded to a millionth of a decibel, as people set them.
fn level(factor: f64) -> Decibels {
    let exact = Gain(factor).decibels();
    let rounded = (exact.0 * 1e6).round() / 1e6;
    if rounded.is_finite() {
        Decibels(if rounded == 0.0 { 0.0 } else { rounded })
    } else {
        exact
    }
}

/// Reports whether a chain of plug-ins has one.
fn is_in_use(chain: &Element) -> bool {
    chain.inner.iter().any(|e| PLUGINS.contains(&e.name()))
}

/// Reports whether an envelope is active and has a point.
fn is_active(envelope: &Element) -> bool {
    let is_on = envelope
        .value("ACT")
        .is_none_or(|(_, words)| words.first().is_none_or(|word| word != "0"));
    is_on && envelope.value("PT").is_some()
}
