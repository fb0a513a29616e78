//! Reads CMX 3600 edit decision lists: one line for each event, and comments that name its file.
//!
//! An event on several audio channels is one clip that plays its whole file. The record times place it; the source times
//! count from the time reference of the file (EBU Tech 3285), or from 0 where the file has none.

use super::{
    MAX_ITEMS, Options, labels,
    media_files::MediaFiles,
    notes::{Notes, Place},
    ratio::Ratio,
    text_file::TextFile,
    timeline::{Lane, PlacedClip, TimeBase, add_tracks, ratio_of},
};
use crate::{
    curve::FadeShape,
    error::{Error, Result},
    layout::Layout,
    media::{self, Input},
    session::Session,
    timecode::{FrameRate, Timecode},
    units::SampleRate,
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// How an event begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transition {
    Cut,
    /// A dissolve of so many picture frames.
    Dissolve(u32),
}

/// A line of an event.
#[derive(Debug)]
struct Event {
    line: usize,
    number: String,
    reel: String,
    /// Audio channels, counted from 1.
    channels: Vec<u32>,
    transition: Transition,
    source: [Timecode; 2],
    record: [Timecode; 2],
    /// Names in the comments after the event; empty if there are none.
    from_name: String,
    to_name: String,
    source_file: String,
    is_other_speed: bool,
}

impl Event {
    /// Reports whether the event shows black, which is silence.
    fn is_black(&self) -> bool {
        ["BL", "BLACK"].contains(&self.reel.to_ascii_uppercase().as_str())
    }

    /// Returns the name of the track of its channels: `A1`, `A1+A2`.
    fn track(&self) -> String {
        let names: Vec<_> = self.channels.iter().map(|n| format!("A{n}")).collect();
        names.join("+")
    }
}

/// Reads a list.
///
/// # Errors
/// `Session` for a line that is no line of an EDL, a timecode that does not exist, and a list without a frame rate.
pub(super) fn read(file: &TextFile, options: &Options) -> Result<(Session, Notes)> {
    let rate = options.rate.unwrap_or(SampleRate::HZ_48000);
    let mut list = List::parse(file, options)?;
    let mut session = Session::new(rate, options.layout.unwrap_or(Layout::Stereo));
    session.title = super::names::cleaned(&list.title);
    let Some(fps) = list.fps else {
        return Ok((session, list.notes));
    };
    let first = list
        .events
        .iter()
        .map(|event| event.record[0].number())
        .min();
    let start = options
        .start
        .or(first.map(|number| Timecode::of_number(number, fps)));
    let start = start.unwrap_or(Timecode::midnight(fps));
    (session.fps, session.start) = (Some(fps), Some(start));
    let base = TimeBase {
        rate,
        picture: Some((fps, start)),
    };
    let lanes = list.lanes(file, start, fps)?;
    add_tracks(&mut session, base, lanes, &mut list.notes).map_err(|clip| {
        let what = format!("clip {clip:?} lies before the start {start} of the session");
        file.error(&Place::File, what)
    })?;
    Ok((session, list.notes))
}

struct List {
    title: String,
    fps: Option<FrameRate>,
    events: Vec<Event>,
    /// The time references of the files, in seconds since midnight.
    references: HashMap<PathBuf, Option<Ratio>>,
    notes: Notes,
}

/// Returns the value of a line `KEY: value`, or of a comment `* KEY: value`.
fn value<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    let line = line.trim_start_matches('*').trim_start();
    let head = line.get(..key.len())?;
    head.eq_ignore_ascii_case(key)
        .then(|| line.get(key.len()..))?
        .map(str::trim)
}

impl List {
    fn parse(file: &TextFile, options: &Options) -> Result<Self> {
        let mut list = Self {
            title: String::new(),
            fps: options.fps.or(options.start.map(Timecode::rate)),
            events: Vec::new(),
            references: HashMap::new(),
            notes: Notes::default(),
        };
        let states_fps = list.fps.is_some();
        let mut is_list = false;
        for (number, line) in (1..).zip(file.text.lines()) {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            if let Some(title) = value(line, "TITLE:") {
                title.clone_into(&mut list.title);
                is_list = true;
            } else if let Some(mode) = value(line, "FCM:") {
                is_list = true;
                list.counting(mode, states_fps, number);
            } else if line.starts_with(|c: char| c.is_ascii_digit()) {
                is_list = true;
                list.event(line, number, file)?;
            } else if value(line, "M2 ").is_some() {
                list.speed(line, number, file)?;
            } else if let Some(channels) = value(line, "AUD ") {
                list.more_channels(channels, number, file)?;
            } else {
                list.comment(line, number);
            }
        }
        if !is_list {
            let what = "has no TITLE, no FCM and no event: it is no CMX 3600 EDL";
            return Err(file.error(&Place::File, what));
        }
        Ok(list)
    }

    /// Reads whether the list counts in drop-frame.
    fn counting(&mut self, mode: &str, states_fps: bool, line: usize) {
        let is_drop = mode.to_ascii_uppercase().starts_with("DROP");
        if states_fps {
            if self.fps.is_some_and(|fps| fps.is_drop_frame() != is_drop) {
                let what = format!(
                    "the list says {mode:?}, and the frame rate that was given says otherwise: the given one counts"
                );
                self.notes.add_to_group("counting", Place::Line(line), what);
            }
        } else if self.fps.is_none() && is_drop {
            self.fps = Some(FrameRate::FPS_29_97_DF);
            let what = "drop-frame is taken for 29.97 frames per second: state another rate if it is 59.94";
            self.notes.add(Place::Line(line), what);
        }
    }

    /// Reads the line of an event: number, reel, channels, transition, and four timecodes.
    fn event(&mut self, line: &str, number: usize, file: &TextFile) -> Result<()> {
        let place = Place::Line(number);
        let wrong = |what: &str| file.error(&place, what);
        let words: Vec<&str> = line.split_whitespace().collect();
        let [id, reel, channels, kind, rest @ ..] = words.as_slice() else {
            return Err(wrong(
                "an event has a number, a reel, channels, a transition and four timecodes",
            ));
        };
        let (head, times) = rest.split_at(rest.len().saturating_sub(4));
        if times.len() < 4 {
            return Err(wrong(
                "an event ends in four timecodes: source in and out, record in and out",
            ));
        }
        let length = || {
            let length = head.first().and_then(|text| text.parse::<u32>().ok());
            length.ok_or_else(|| wrong("a dissolve states its length in frames, as in D 024"))
        };
        let transition = match kind.to_ascii_uppercase().as_str() {
            "C" => Transition::Cut,
            "D" => Transition::Dissolve(length()?),
            wipe if wipe.starts_with('W') => {
                let what = format!("wipe {kind} of event {id} is carried as a dissolve");
                self.notes.add_to_group("wipe", place.clone(), what);
                Transition::Dissolve(length()?)
            }
            key if key.starts_with('K') => {
                let what = format!("event {id} is a key, which has no sound: it is left out");
                self.notes.add_to_group("key", place, what);
                return Ok(());
            }
            _ => {
                let what = format!("{kind:?} is no transition: there are C, D and W");
                return Err(wrong(&what));
            }
        };
        let fps = self.frame_rate(times, file, number)?;
        let mut codes = [Timecode::midnight(fps); 4];
        for (code, text) in codes.iter_mut().zip(times) {
            *code = labels::timecode(text, fps).map_err(|e| wrong(&e))?;
        }
        let [source_in, source_out, record_in, record_out] = codes;
        if record_out.number() < record_in.number() || source_out.number() < source_in.number() {
            return Err(wrong(
                "the event ends before it begins: swap the two timecodes",
            ));
        }
        if self.events.len() >= MAX_ITEMS {
            return Err(wrong("there are more events than a session can hold"));
        }
        self.events.push(Event {
            line: number,
            number: (*id).to_owned(),
            reel: (*reel).to_owned(),
            channels: audio_channels(channels).map_err(|e| wrong(&e))?,
            transition,
            source: [source_in, source_out],
            record: [record_in, record_out],
            from_name: String::new(),
            to_name: String::new(),
            source_file: String::new(),
            is_other_speed: false,
        });
        Ok(())
    }

    /// Returns the frame rate. A list does not state it unless it counts in drop-frame.
    fn frame_rate(&mut self, times: &[&str], file: &TextFile, line: usize) -> Result<FrameRate> {
        if self.fps.is_none() && times.iter().any(|text| text.contains(';')) {
            self.fps = Some(FrameRate::FPS_29_97_DF);
            let what = "drop-frame is taken for 29.97 frames per second: state another rate if it is 59.94";
            self.notes.add(Place::Line(line), what);
        }
        self.fps.ok_or_else(|| {
            let what = "an EDL does not state its frame rate: give it as fps (--fps 24)";
            file.error(&Place::Line(line), what)
        })
    }

    /// Reads `M2 REEL 012.5 00:00:00:00`, the speed of the event before.
    fn speed(&mut self, line: &str, number: usize, file: &TextFile) -> Result<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let speed = words.get(2).and_then(|text| Ratio::parse(text));
        let (Some(speed), Some(fps)) = (speed, self.fps) else {
            let what = "M2 states a reel and a speed in frames per second after an event, as in M2 AX 024.0 01:00:00:00";
            return Err(file.error(&Place::Line(number), what));
        };
        let nominal = ratio_of(fps);
        // Lists round 23.976 to 24 and the like.
        let rounded = Ratio::new(i128::from(fps.numerator().div_ceil(fps.denominator())), 1);
        let is_same = [nominal, rounded].contains(&Some(speed));
        if !is_same
            && let Some(event) = self.events.last_mut()
            && !event.channels.is_empty()
        {
            event.is_other_speed = true;
            let what = format!(
                "event {} plays at {} frames per second, which is not supported: it is left out; render it in the editor, and place the result",
                event.number,
                words.get(2).copied().unwrap_or_default()
            );
            self.notes.add(Place::Line(number), what);
        }
        Ok(())
    }

    /// Reads `AUD 3 4`, further channels of the event before.
    fn more_channels(&mut self, channels: &str, line: usize, file: &TextFile) -> Result<()> {
        for word in channels.split_whitespace() {
            let channel = word.parse::<u32>().ok().filter(|n| (1..=64).contains(n));
            let Some(channel) = channel else {
                let what = format!("{word:?} is no audio channel from 1 to 64, as in AUD 3 4");
                return Err(file.error(&Place::Line(line), what));
            };
            if let Some(event) = self.events.last_mut()
                && !event.channels.contains(&channel)
            {
                event.channels.push(channel);
            }
        }
        Ok(())
    }

    /// Reads what a comment says about the event before.
    fn comment(&mut self, line: &str, number: usize) {
        let Some(event) = self.events.last_mut() else {
            return;
        };
        if let Some(name) = value(line, "FROM CLIP NAME:") {
            name.clone_into(&mut event.from_name);
        } else if let Some(name) = value(line, "TO CLIP NAME:") {
            name.clone_into(&mut event.to_name);
        } else if let Some(name) = value(line, "SOURCE FILE:") {
            name.clone_into(&mut event.source_file);
        } else if value(line, "AUDIO LEVEL").is_some() {
            let what = format!("the audio level of event {} is not carried", event.number);
            self.notes.add_to_group("level", Place::Line(number), what);
        }
    }

    /// Returns the tracks of the events, one for each set of channels.
    fn lanes(&mut self, file: &TextFile, start: Timecode, fps: FrameRate) -> Result<Vec<Lane>> {
        let mut lanes: Vec<Lane> = Vec::new();
        // The end of each lane's last clip on the timeline, in picture frames from midnight.
        let mut ends: Vec<u64> = Vec::new();
        let mut index: HashMap<String, usize> = HashMap::new();
        let mut files = MediaFiles::default();
        let events = std::mem::take(&mut self.events);
        for event in &events {
            if event.channels.is_empty() {
                let what = format!("event {} has picture only: it is left out", event.number);
                self.notes
                    .add_to_group("picture", Place::Line(event.line), what);
                continue;
            }
            let next = lanes.len();
            let lane = *index.entry(event.track()).or_insert(next);
            if lane == next {
                lanes.push(Lane {
                    name: event.track(),
                    mute: false,
                    clips: Vec::new(),
                });
                ends.push(0);
            }
            let (Some(lane), Some(end)) = (lanes.get_mut(lane), ends.get_mut(lane)) else {
                continue;
            };
            let [record_in, record_out] = event.record.map(Timecode::number);
            if let Transition::Dissolve(frames) = event.transition {
                self.dissolve(event, frames, lane, *end, fps)?;
            }
            // The outgoing clip of a dissolve is stated again with no length.
            if record_out == record_in || event.is_black() || event.is_other_speed {
                *end = record_out;
                continue;
            }
            let name = match (&event.transition, event.to_name.as_str()) {
                (Transition::Dissolve(_), name) if !name.is_empty() => name,
                _ => &event.from_name,
            };
            let stated = [event.source_file.as_str(), name, event.reel.as_str()];
            let stated = stated.into_iter().find(|text| !text.is_empty());
            let stated = stated.unwrap_or_default();
            let place = || Place::Line(event.line);
            let path = files.locate(file.folder(), stated, place, &mut self.notes);
            let from = self.source_start(event, &path, fps)?;
            let time = |number: u64| self::time(number, fps);
            let begin = time(record_in).and_then(|at| at.minus(time(start.number())?));
            let length = time(record_out - record_in);
            let (Some(begin), Some(length)) = (begin, length) else {
                return Err(large(file, event.line));
            };
            if begin.is_negative() {
                let what = format!("event {} lies before the start {start}", event.number);
                return Err(file.error(&Place::Line(event.line), what));
            }
            let label = if name.is_empty() { &event.reel } else { name };
            let mut placed = PlacedClip::new(
                label.trim().to_owned(),
                Input::file(path),
                begin,
                from,
                length,
            );
            if let Transition::Dissolve(frames) = event.transition {
                let length = time(u64::from(
                    frames.min(u32::try_from(record_out - record_in).unwrap_or(u32::MAX)),
                ));
                let length = length.ok_or_else(|| large(file, event.line))?;
                if *end == record_in
                    && lane
                        .clips
                        .last()
                        .is_some_and(|last| last.fade_out.0.is_zero())
                    && !lane.clips.is_empty()
                {
                    placed.crossfade = (length, FadeShape::EqualPower);
                } else {
                    placed.fade_in = (length, FadeShape::Linear);
                }
            }
            lane.clips.push(placed);
            *end = record_out;
        }
        Ok(lanes)
    }

    /// Lets the clip before a dissolve go on until its end. A dissolve to black is a fade-out.
    fn dissolve(
        &mut self,
        event: &Event,
        frames: u32,
        lane: &mut Lane,
        end: u64,
        fps: FrameRate,
    ) -> Result<()> {
        let length = event.record[1].number() - event.record[0].number();
        if u64::from(frames) > length {
            let what = format!(
                "the dissolve of event {} lasts {frames} frames, and the event {length}: it is shortened",
                event.number
            );
            self.notes.add(Place::Line(event.line), what);
        }
        if end != event.record[0].number() {
            return Ok(());
        }
        let Some(before) = lane.clips.last_mut() else {
            return Ok(());
        };
        let more = time(u64::from(frames).min(length), fps);
        if let (Some(more), Some(own)) = (more, before.length) {
            before.length = own.plus(more);
            if event.is_black() {
                before.fade_out = (more, FadeShape::Linear);
            }
        }
        Ok(())
    }

    /// Returns how far from its file's start an event begins.
    fn source_start(&mut self, event: &Event, path: &Path, fps: FrameRate) -> Result<Ratio> {
        let label = event.source[0];
        let seconds = time(label.number(), fps).unwrap_or(Ratio::ZERO);
        // The file may not be there yet.
        let reference = self.references.entry(path.to_owned()).or_insert_with(|| {
            let (_, info) = media::open(path, None).ok()?;
            Ratio::of_frames(info.time_reference?, info.spec.rate)
        });
        let from = reference.and_then(|reference| seconds.minus(reference));
        Ok(from.filter(|from| !from.is_negative()).unwrap_or(seconds))
    }
}

fn large(file: &TextFile, line: usize) -> Error {
    let what = "a time is too large to be computed exactly";
    file.error(&Place::Line(line), what)
}

/// Returns the time of a picture frame in seconds.
fn time(number: u64, fps: FrameRate) -> Option<Ratio> {
    Ratio::new(i128::from(number), 1)?.over(ratio_of(fps)?)
}

/// Returns the audio channels of a field such as `V`, `A`, `A2`, `AA/V`, `B` or `NONE`.
fn audio_channels(field: &str) -> Result<Vec<u32>, String> {
    let mut channels = Vec::new();
    for part in field.to_ascii_uppercase().split('/') {
        let number = part.strip_prefix('A').map(str::parse::<u32>);
        match part {
            "V" | "NONE" => {}
            "VA1" | "A" | "B" => channels.push(1),
            "VA2" => channels.push(2),
            "AA" | "VAA" | "VA1A2" | "A1A2" => channels.extend([1, 2]),
            _ if part.starts_with('V')
                && part
                    .get(1..)
                    .is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())) => {}
            _ => match number {
                Some(Ok(number)) if (1..=64).contains(&number) => channels.push(number),
                _ => {
                    return Err(format!(
                        "{field:?} names no channels: there are V, A, A2, AA, B, AA/V and NONE"
                    ));
                }
            },
        }
    }
    Ok(channels)
}
