//! Writes a session as an archive: `project.xml`, `metadata.xml` and the stems.
//!
//! The plan of the session places the clips, so that crossfades, loops, timecodes and fractions of frames are written as the
//! frames at which they are heard. Times are in seconds.

use super::super::{
    names::Names,
    notes::{Note, Notes, Place},
};
use super::{devices, numbers, xml::Writer};
use crate::{
    curve::{Curve, Fade, FadeShape, Shape},
    error::{Error, ErrorKind, Result},
    layout::Layout,
    media::{Input, stem::Stem},
    plan::{Plan, PlannedClip, PlannedMarker},
    session::{BusId, Insert, Session, Strip, Use},
    storage::{AtomicFile, is_link},
    units::{Decibels, Frames, Pan, SampleRate},
};
use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Writes an archive.
///
/// # Errors
/// Passes on the errors of compiling the session; `Output` where the file exists and `overwrite` is false, or cannot be written.
pub(in crate::interchange) fn write(
    session: &Session,
    path: &Path,
    overwrite: bool,
) -> Result<Vec<Note>> {
    // Only the places of clips are taken from the plan.
    let mut plain = session.clone();
    plain.remove_processing();
    let mut plan = Plan::compile(&plain)?;
    let mut exporter = Exporter {
        session,
        markers: std::mem::take(&mut plan.markers),
        notes: Notes::default(),
        xml: Writer::new(),
        files: Vec::new(),
        entries: HashMap::new(),
        names: Names::default(),
    };
    exporter.session_notes();
    let tracks = exporter.tracks(plan.into_track_clips());
    exporter.project(&tracks);
    let Exporter {
        xml, files, notes, ..
    } = exporter;
    archive(path, overwrite, &xml.finish(), &metadata(session), &files)?;
    Ok(notes.into_vec())
}

fn metadata(session: &Session) -> String {
    let mut xml = Writer::new();
    xml.begin("MetaData", &[]);
    let fields = [
        ("Title", &session.title),
        ("Artist", &session.album.artist),
        ("Album", &session.album.title),
        ("Year", &session.album.date),
    ];
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
        xml.text(name, value);
    }
    xml.finish()
}

/// Writes the entries into a temporary file, and copies it when it is complete: archives need to seek.
fn archive(
    path: &Path,
    overwrite: bool,
    project: &str,
    metadata: &str,
    files: &[(String, PathBuf)],
) -> Result<()> {
    let failed = |e: io::Error| {
        let what = format!("{}: cannot be written: {e}", path.display());
        Error::new(ErrorKind::Output, what)
            .in_file(path.to_string_lossy())
            .because(e)
    };
    let mut target = AtomicFile::create(path, overwrite)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let spool = tempfile::tempfile_in(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    let mut zip = ZipWriter::new(spool);
    let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let stored = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(true);
    for (name, text) in [("metadata.xml", metadata), ("project.xml", project)] {
        zip.start_file(name, deflated)
            .map_err(|e| failed(io::Error::other(e)))?;
        zip.write_all(text.as_bytes()).map_err(failed)?;
    }
    for (name, file) in files {
        let unreadable = |e: io::Error| {
            let what = format!("{}: cannot be read: {e}", file.display());
            Error::new(ErrorKind::NotFound, what)
                .in_file(file.to_string_lossy())
                .because(e)
        };
        let mut source = File::open(file).map_err(unreadable)?;
        zip.start_file(name.as_str(), stored)
            .map_err(|e| failed(io::Error::other(e)))?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            let n = source.read(&mut buffer).map_err(unreadable)?;
            if n == 0 {
                break;
            }
            zip.write_all(buffer.get(..n).unwrap_or_default())
                .map_err(failed)?;
        }
    }
    let mut spool = zip.finish().map_err(|e| failed(io::Error::other(e)))?;
    spool.seek(SeekFrom::Start(0)).map_err(failed)?;
    io::copy(&mut spool, &mut target).map_err(failed)?;
    target.finish().map(drop)
}

/// A track of the project: one of the session, or one of a cue with the placements of the cue.
struct ExportedTrack {
    /// Name of the track in notes.
    part: String,
    strip: Strip,
    invert: bool,
    /// The clips with their names.
    clips: Vec<(String, PlannedClip)>,
}

struct Exporter<'s> {
    session: &'s Session,
    /// The markers of the session, and those of its cues in each placement.
    markers: Vec<PlannedMarker>,
    notes: Notes,
    xml: Writer,
    /// Entries of audio with the files that they are copied from.
    files: Vec<(String, PathBuf)>,
    entries: HashMap<PathBuf, String>,
    names: Names,
}

/// Returns a time in seconds.
fn seconds(frames: u64, rate: SampleRate) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "timelines end before 2^53 frames"
    )]
    let seconds = frames as f64 / f64::from(rate.hz());
    seconds.to_string()
}

/// Returns the identifier of a bus's channel.
fn bus_channel(bus: BusId) -> String {
    format!("bus-{}-channel", bus.0 + 1)
}

impl Exporter<'_> {
    fn note(&mut self, part: impl Into<String>, what: impl Into<String>) {
        self.notes.add(Place::Part(part.into()), what);
    }

    /// Notes what of the session as a whole is not carried.
    fn session_notes(&mut self) {
        let session = self.session;
        let mut note = |what: String| self.notes.add(Place::File, what);
        for cue in session.cues().iter().filter(|cue| cue.uses.is_empty()) {
            note(format!(
                "cue {:?} is not carried: it has no placement",
                cue.name
            ));
        }
        if session.start.is_some() || session.fps.is_some() {
            note(
                "frame rate and start timecode are not carried: times count from the start"
                    .to_owned(),
            );
        }
        if session.length.is_some() {
            note("the length is not carried: the project ends with its last clip".to_owned());
        }
        if session.pan_law != crate::dsp::pan::PanLaw::default() {
            note(format!("the pan law {} is not carried", session.pan_law));
        }
        if !session.deliverables.is_empty() {
            note("deliverables are not carried".to_owned());
        }
        if !known_layouts().contains(&session.layout) {
            note(format!(
                "the layout {} is not carried: only its number of channels is",
                session.layout
            ));
        }
        if session.master.dither.is_some() {
            note("the dither is not carried".to_owned());
        }
        if session.master.limit.is_some()
            && (session.master.gain != Decibels::UNITY
                || !session.master.gain_curve.points.is_empty())
        {
            note(
                "the limit of the master is written as a limiter before its fader, not after it"
                    .to_owned(),
            );
        }
    }

    /// Returns the tracks of the session, and those of its cues, with the places of their clips.
    fn tracks(&mut self, nodes: Vec<(String, Vec<PlannedClip>)>) -> Vec<ExportedTrack> {
        let session = self.session;
        let mut nodes = nodes.into_iter().peekable();
        let mut tracks = Vec::new();
        let mut names = Names::default();
        for track in session.tracks() {
            let placed = nodes.next().map_or_else(Vec::new, |(_, clips)| clips);
            let mut strip = track.strip.clone();
            strip.name = names.unique(&strip.name, "track");
            let clip_names = track.clips.iter().map(|clip| clip.name.clone());
            tracks.push(ExportedTrack {
                part: format!("track {:?}", track.strip.name),
                strip,
                invert: track.invert,
                clips: clip_names.zip(placed).collect(),
            });
        }
        for cue in session.cues().iter().filter(|cue| !cue.uses.is_empty()) {
            for track in &cue.tracks {
                let name = format!("{}.{}", cue.name, track.strip.name);
                let part = format!("cue {:?}, track {:?}", cue.name, track.strip.name);
                let is_own = |(node, _): &(String, _)| {
                    let rest = node.strip_prefix(&name);
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
                };
                while let Some((node, placed)) = nodes.next_if(is_own) {
                    let mut strip = track.strip.clone();
                    strip.name = names.unique(&node, "track");
                    strip.mute |= cue.mute;
                    self.shift_curves(&mut strip, &placed, &cue.uses, &part);
                    let placed = placed.into_iter().map(|clip| (String::new(), clip));
                    tracks.push(ExportedTrack {
                        part: part.clone(),
                        strip,
                        invert: track.invert,
                        clips: placed.collect(),
                    });
                }
            }
        }
        tracks
    }

    /// Moves the automation of a cue's track to where the cue is placed. Several placements, and one that begins later in the
    /// cue, cannot be stated by one curve.
    fn shift_curves(
        &mut self,
        strip: &mut Strip,
        placed: &[PlannedClip],
        uses: &[Use],
        part: &str,
    ) {
        if strip.gain_curve.points.is_empty() && strip.pan_curve.points.is_empty() {
            return;
        }
        let is_simple = matches!(uses, [only] if only.from == Frames::ZERO);
        let origin = placed.first().filter(|_| is_simple);
        let origin = origin.map(|clip| clip.window.range.start);
        let Some(origin) = origin else {
            strip.gain_curve = Curve::new();
            strip.pan_curve = Curve::new();
            let what = "the automation of a cue with several placements, or of a part of it, is not carried";
            self.note(part, what);
            return;
        };
        let points = strip
            .gain_curve
            .points
            .iter_mut()
            .map(|point| &mut point.at);
        let points = points.chain(strip.pan_curve.points.iter_mut().map(|point| &mut point.at));
        for at in points {
            *at += Frames(origin);
        }
    }

    fn project(&mut self, tracks: &[ExportedTrack]) {
        let session = self.session;
        self.xml.begin("Project", &[("version", "1.0")]);
        let application = [
            ("name", "soundtrack"),
            ("version", env!("CARGO_PKG_VERSION")),
        ];
        self.xml.element("Application", &application);
        self.xml.begin("Transport", &[]);
        self.xml.element(
            "Tempo",
            &[("unit", "bpm"), ("value", "120"), ("id", "tempo")],
        );
        self.xml.end();
        self.xml.begin("Structure", &[]);
        for (number, track) in (1..).zip(tracks) {
            if track.invert {
                self.note(&track.part, "the inverted polarity is not carried");
            }
            self.strip(
                &format!("track-{number}"),
                &track.part,
                "regular",
                &track.strip,
            );
        }
        for (number, bus) in (1..).zip(session.buses()) {
            let part = format!("bus {:?}", bus.strip.name);
            self.strip(&format!("bus-{number}"), &part, "submix", &bus.strip);
        }
        self.master();
        self.xml.end();
        self.arrangement(tracks);
        self.xml.end();
    }

    /// Writes a track with its channel.
    fn strip(&mut self, id: &str, part: &str, role: &str, strip: &Strip) {
        let track = [
            ("contentType", "audio"),
            ("loaded", "true"),
            ("id", id),
            ("name", strip.name.as_str()),
        ];
        self.xml.begin("Track", &track);
        let channels = self.session.layout.channels().to_string();
        let destination = strip.to.map_or("master-channel".to_owned(), bus_channel);
        let own = format!("{id}-channel");
        let channel = [
            ("audioChannels", channels.as_str()),
            ("destination", destination.as_str()),
            ("role", role),
            ("solo", if strip.solo { "true" } else { "false" }),
            ("id", own.as_str()),
        ];
        self.xml.begin("Channel", &channel);
        self.devices(part, &strip.inserts);
        let mute = if strip.mute { "true" } else { "false" };
        self.xml
            .element("Mute", &[("value", mute), ("id", &format!("{id}-mute"))]);
        self.pan(id, strip.pan);
        if !strip.sends.is_empty() {
            self.xml.begin("Sends", &[]);
            for send in &strip.sends {
                let to = bus_channel(send.to);
                self.xml
                    .begin("Send", &[("destination", &to), ("type", "post")]);
                let level = send.gain.gain().0.to_string();
                self.xml
                    .element("Volume", &[("unit", "linear"), ("value", &level)]);
                self.xml.end();
            }
            self.xml.end();
        }
        self.volume(id, strip.gain);
        self.xml.end();
        self.xml.end();
    }

    fn pan(&mut self, id: &str, pan: Pan) {
        let value = numbers::normalized(pan).to_string();
        let pan = [
            ("max", "1"),
            ("min", "0"),
            ("unit", "normalized"),
            ("value", value.as_str()),
            ("id", &format!("{id}-pan")),
        ];
        self.xml.element("Pan", &pan);
    }

    fn volume(&mut self, id: &str, gain: Decibels) {
        let value = gain.gain().0.to_string();
        let volume = [
            ("min", "0"),
            ("unit", "linear"),
            ("value", value.as_str()),
            ("id", &format!("{id}-volume")),
        ];
        self.xml.element("Volume", &volume);
    }

    fn devices(&mut self, part: &str, inserts: &[Insert]) {
        if inserts.is_empty() {
            return;
        }
        self.xml.begin("Devices", &[]);
        for insert in inserts {
            if let Some(what) = devices::write(&mut self.xml, insert) {
                self.notes.add(Place::Part(part.to_owned()), what);
            }
        }
        self.xml.end();
    }

    fn master(&mut self) {
        let master = &self.session.master;
        let track = [
            ("contentType", "audio"),
            ("loaded", "true"),
            ("id", "master"),
            ("name", "Master"),
        ];
        self.xml.begin("Track", &track);
        let channels = self.session.layout.channels().to_string();
        let channel = [
            ("audioChannels", channels.as_str()),
            ("role", "master"),
            ("solo", "false"),
            ("id", "master-channel"),
        ];
        self.xml.begin("Channel", &channel);
        let mut inserts = master.inserts.clone();
        inserts.extend(
            master
                .limit
                .map(|ceiling| Insert::limiter(ceiling).named("limit")),
        );
        self.devices("the master", &inserts);
        self.pan("master", Pan::CENTRE);
        self.volume("master", master.gain);
        self.xml.end();
        self.xml.end();
    }

    fn arrangement(&mut self, tracks: &[ExportedTrack]) {
        let session = self.session;
        self.xml.begin("Arrangement", &[("id", "arrangement")]);
        self.xml
            .begin("Lanes", &[("timeUnit", "seconds"), ("id", "lanes")]);
        for (number, track) in (1..).zip(tracks) {
            let id = format!("track-{number}");
            self.xml.begin("Lanes", &[("track", &id)]);
            self.xml.begin("Clips", &[]);
            for (name, planned) in &track.clips {
                self.clip(planned, name, &track.part);
            }
            self.xml.end();
            let strip = &track.strip;
            self.curves(
                &id,
                &track.part,
                strip.gain,
                &strip.gain_curve,
                &strip.pan_curve,
            );
            self.xml.end();
        }
        for (number, bus) in (1..).zip(session.buses()) {
            let strip = &bus.strip;
            if strip.gain_curve.points.is_empty() && strip.pan_curve.points.is_empty() {
                continue;
            }
            let id = format!("bus-{number}");
            self.xml.begin("Lanes", &[("track", &id)]);
            let part = format!("bus {:?}", strip.name);
            self.curves(&id, &part, strip.gain, &strip.gain_curve, &strip.pan_curve);
            self.xml.end();
        }
        if !session.master.gain_curve.points.is_empty() {
            self.xml.begin("Lanes", &[("track", "master")]);
            let curve = &session.master.gain_curve;
            self.curves(
                "master",
                "the master",
                session.master.gain,
                curve,
                &Curve::new(),
            );
            self.xml.end();
        }
        self.xml.end();
        if !self.markers.is_empty() {
            self.xml.begin("Markers", &[("timeUnit", "seconds")]);
            for marker in &self.markers {
                let time = seconds(marker.at.0, session.rate);
                self.xml
                    .element("Marker", &[("time", &time), ("name", &marker.name)]);
            }
            self.xml.end();
        }
        self.xml.end();
    }

    /// Returns the fades of a clip as it is heard, with those of the placement of its cue.
    fn fades(&mut self, planned: &PlannedClip, part: &str) -> (Fade, Fade) {
        let (range, window) = (&planned.range, &planned.window);
        let length = range.end - range.start;
        let is_whole = planned.lead == 0;
        let is_to_end = planned.lead + length >= planned.total;
        let mut fades = (
            if is_whole {
                planned.fade_in
            } else {
                Fade::default()
            },
            if is_to_end {
                planned.fade_out
            } else {
                Fade::default()
            },
        );
        let none = Frames::ZERO;
        let is_cut = (!is_whole && planned.fade_in.length.0 > planned.lead)
            || (!is_to_end && planned.total - planned.lead - length < planned.fade_out.length.0);
        let mut is_left_out = is_cut;
        if window.range.end > window.range.start && window.fades(range.clone()) {
            if window.fade_in.length > none
                && fades.0.length == none
                && range.start == window.range.start
            {
                fades.0 = window.fade_in;
            } else {
                is_left_out |= range.start - window.range.start < window.fade_in.length.0;
            }
            if window.fade_out.length > none
                && fades.1.length == none
                && range.end == window.range.end
            {
                fades.1 = window.fade_out;
            } else {
                is_left_out |= window.range.end - range.end < window.fade_out.length.0;
            }
        }
        if is_left_out {
            let what = "a fade that begins in another clip, or in a part that is not heard, is not carried";
            let place = Place::Part(part.to_owned());
            self.notes.add_to_group("fade", place, what);
        }
        (fades.0.within(length), fades.1.within(length))
    }

    /// Writes a clip. Passes of a loop that differ in length are a clip each.
    fn clip(&mut self, planned: &PlannedClip, name: &str, part: &str) {
        let rate = self.session.rate;
        let Some(entry) = self.entry(&planned.stem, part) else {
            return;
        };
        if planned.layout != planned.stem.spec.layout {
            self.note(
                part,
                "the layout of a stem is not carried: the file states its own",
            );
        }
        let (fade_in, fade_out) = self.fades(planned, part);
        for fade in [fade_in, fade_out] {
            self.shape(fade, part);
        }
        // The polarity is that of the track.
        let gain = planned.gain.abs();
        let end = planned.lead + (planned.range.end - planned.range.start);
        // Equal passes are one clip with a loop, so that fades may be longer than a pass.
        let pass = (planned.passes.even()).filter(|pass| {
            planned.lead == 0 && *pass > 0 && end > *pass && end.is_multiple_of(*pass)
        });
        let mut offset = planned.lead;
        while offset < end {
            let (position, left) = planned.passes.locate(offset);
            let length = match pass {
                Some(_) => end,
                None => left.min(end - offset).max(1),
            };
            let mut fade = |fade: Fade, is_here: bool| {
                let own = if is_here { fade.length } else { Frames::ZERO };
                if own > Frames(length) {
                    let what = "a fade that is longer than a pass of a loop is shortened";
                    let place = Place::Part(part.to_owned());
                    self.notes.add_to_group("pass", place, what);
                }
                seconds(own.0.min(length), rate)
            };
            let times = [
                seconds(planned.range.start + (offset - planned.lead), rate),
                seconds(length, rate),
                seconds(planned.from + position, rate),
                fade(fade_in, offset == planned.lead),
                fade(fade_out, offset + length >= end),
            ];
            let [time, duration, play_start, fade_in, fade_out] = &times;
            let loop_end = pass.map(|pass| seconds(planned.from + pass, rate));
            let mut clip = vec![
                ("time", time.as_str()),
                ("duration", duration),
                ("contentTimeUnit", "seconds"),
                ("playStart", play_start),
                ("fadeTimeUnit", "seconds"),
                ("fadeInTime", fade_in),
                ("fadeOutTime", fade_out),
            ];
            if let Some(loop_end) = &loop_end {
                clip.extend([("loopStart", play_start.as_str()), ("loopEnd", loop_end)]);
            }
            if !name.is_empty() {
                clip.push(("name", name));
            }
            self.xml.begin("Clip", &clip);
            if gain == 1.0 {
                self.audio(&planned.stem, &entry);
            } else {
                self.xml.begin("Lanes", &[("timeUnit", "seconds")]);
                self.audio(&planned.stem, &entry);
                self.xml.begin("Points", &[("unit", "linear")]);
                self.xml.element("Target", &[("expression", "gain")]);
                let value = gain.to_string();
                self.xml
                    .element("RealPoint", &[("time", "0"), ("value", &value)]);
                self.xml.end();
                self.xml.end();
            }
            self.xml.end();
            offset += length;
        }
    }

    fn shape(&mut self, fade: Fade, part: &str) {
        if fade.length > Frames::ZERO && fade.shape != FadeShape::Linear {
            let what = "shapes of fades are not carried: a DAWproject states their lengths only";
            let place = Place::Part(part.to_owned());
            self.notes.add_to_group("shape", place, what);
        }
    }

    fn audio(&mut self, stem: &Stem, entry: &str) {
        let frames = stem.info.as_ref().map_or(Frames::ZERO, |info| info.frames);
        #[expect(clippy::cast_precision_loss, reason = "for information only")]
        let duration = (frames.0 as f64 / stem.spec.rate.as_f64()).to_string();
        let (channels, hz) = (
            stem.spec.layout.channels().to_string(),
            stem.spec.rate.hz().to_string(),
        );
        let audio = [
            ("algorithm", "raw"),
            ("channels", channels.as_str()),
            ("duration", duration.as_str()),
            ("sampleRate", hz.as_str()),
        ];
        self.xml.begin("Audio", &audio);
        self.xml.element("File", &[("path", entry)]);
        self.xml.end();
    }

    /// Returns the entry of a stem; `None` after a note for one that no entry can hold.
    fn entry(&mut self, stem: &Stem, part: &str) -> Option<String> {
        let located = match &stem.input {
            Input::File { .. } => stem.input.located(),
            _ => None,
        };
        let path = match located {
            Some((path, None | Some(1), None)) if !path.to_str().is_some_and(is_link) => path,
            Some((path, ..)) => {
                let what = format!(
                    "{}: one stream or channel of a file, or an object of a store, is not carried: its clips are left out; mix it into a file",
                    path.display()
                );
                self.note(part, what);
                return None;
            }
            None => {
                self.note(
                    part,
                    "a source of the program is not carried: its clips are left out",
                );
                return None;
            }
        };
        if let Some(entry) = self.entries.get(&path) {
            return Some(entry.clone());
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        let base = name.strip_suffix(&format!(".{extension}")).unwrap_or(&name);
        let plain = |c: char| if "/\\:".contains(c) { '_' } else { c };
        let base: String = base.chars().map(plain).collect();
        let unique = self.names.unique(&base, "stem");
        let entry = if extension.is_empty() {
            format!("audio/{unique}")
        } else {
            format!("audio/{unique}.{extension}")
        };
        self.files.push((entry.clone(), path.clone()));
        self.entries.insert(path, entry.clone());
        Some(entry)
    }

    /// Writes the automation of a strip.
    fn curves(
        &mut self,
        id: &str,
        part: &str,
        fader: Decibels,
        gain: &Curve<Decibels>,
        pan: &Curve<Pan>,
    ) {
        // A curve under a closed fader would come back as a strip that sounds, with silence: its processors would run.
        let is_closed = fader == Decibels::SILENCE;
        if is_closed && !gain.points.is_empty() {
            let what =
                "the fader is at -inf dB, so its automation has no effect and is not carried";
            let place = Place::Part(part.to_owned());
            self.notes.add_to_group("closed fader", place, what);
        }
        let gain: Vec<_> = (gain.points.iter())
            .filter(|_| !is_closed)
            .map(|point| (point.at, (fader.0 + point.value.0).to_string(), point.shape))
            .collect();
        let pan: Vec<_> = (pan.points.iter())
            .map(|point| {
                (
                    point.at,
                    numbers::normalized(point.value).to_string(),
                    point.shape,
                )
            })
            .collect();
        self.points(&format!("{id}-volume"), "decibel", part, &gain);
        self.points(&format!("{id}-pan"), "normalized", part, &pan);
    }

    fn points(&mut self, target: &str, unit: &str, part: &str, points: &[(Frames, String, Shape)]) {
        if points.is_empty() {
            return;
        }
        self.xml
            .begin("Points", &[("unit", unit), ("timeUnit", "seconds")]);
        self.xml.element("Target", &[("parameter", target)]);
        for (index, (at, value, _)) in points.iter().enumerate() {
            // The interpolation is that of the way to the next point.
            let next = points.get(index + 1).map(|(.., shape)| *shape);
            let is_step = next == Some(Shape::Step);
            if matches!(next, Some(Shape::Sine | Shape::Exp)) {
                let what = "curves of automation are not carried: they become straight lines";
                let place = Place::Part(part.to_owned());
                self.notes.add_to_group("curves", place, what);
            }
            let time = seconds(at.0, self.session.rate);
            let point = [
                ("time", time.as_str()),
                ("value", value),
                ("interpolation", if is_step { "hold" } else { "linear" }),
            ];
            self.xml.element("RealPoint", &point);
        }
        self.xml.end();
    }
}

/// Layouts that follow from their number of channels.
pub(super) fn known_layouts() -> [Layout; 4] {
    [
        Layout::Mono,
        Layout::Stereo,
        Layout::Surround51,
        Layout::Surround71,
    ]
}
