//! Random sessions with everything that the model covers, made of a list of numbers: fewer and smaller numbers make a
//! plainer session, so that a failure shrinks.

use super::{
    inserts,
    model::{Stem, Stems, speakers, total},
};
use soundtrack::{
    At, Block, Bus, BusId, Clip, Cue, Curve, Dbtp, Decibels, Fade, FadeShape, Format, FrameRate,
    Frames, Insert, Layout, Opener, Pan, PanLaw, SampleRate, Selector, Session, Shape, Sink, Spec,
    Timecode, Track, Use,
    dsp::{self, Processor},
    encode::{self, FileSink, Metadata},
    media::Memory,
};
use soundtrack_test_support::renders::noise;
use std::{collections::VecDeque, f64::consts::PI, path::Path};

/// A session, what its stems hold, and the folder with those that are files.
pub struct Scene {
    pub session: Session,
    pub stems: Stems,
    pub folder: Option<tempfile::TempDir>,
}

/// Numbers that decide, one after the other; 0 once they are used up.
pub struct Dice(std::vec::IntoIter<u32>);

impl Dice {
    pub fn new(draws: Vec<u32>) -> Self {
        Self(draws.into_iter())
    }

    pub fn below(&mut self, n: u64) -> u64 {
        u64::from(self.0.next().unwrap_or(0)) % n.max(1)
    }

    /// True so many times in a hundred, and not once the numbers are used up.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) >= 100 - percent
    }

    pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// In −1 .. 1, in steps of 1/64.
    fn place(&mut self) -> f64 {
        [0.0, -1.0, 1.0]
            .get(self.below(8) as usize)
            .copied()
            .unwrap_or_else(|| self.below(129) as f64 / 64.0 - 1.0)
    }

    fn decibels(&mut self) -> Decibels {
        match self.below(12) {
            0..4 => Decibels(0.0),
            4 => Decibels::SILENCE,
            5 => Decibels(self.below(1200) as f64 / 100.0),
            _ => Decibels(self.below(3000) as f64 / -100.0),
        }
    }

    fn shape(&mut self) -> Shape {
        self.of(&[Shape::Linear, Shape::Sine, Shape::Exp, Shape::Step])
    }

    pub fn fade(&mut self, most: u64) -> Fade {
        let shapes = [
            FadeShape::Linear,
            FadeShape::EqualPower,
            FadeShape::Between,
            FadeShape::RaisedCosine,
            FadeShape::SquareRoot,
            FadeShape::DecibelLinear(60.0),
            FadeShape::DecibelLinear(20.0),
        ];
        let length = if self.chance(50) {
            self.below(most + 1)
        } else {
            0
        };
        Fade {
            length: Frames(length),
            shape: self.of(&shapes),
        }
    }

    /// No points, or a few; points may share a frame.
    fn curve<T: Copy>(&mut self, percent: u64, mut value: impl FnMut(&mut Self) -> T) -> Curve<T> {
        let mut curve = Curve::new();
        if self.chance(percent) {
            let mut at = self.below(200);
            for _ in 0..=self.below(4) {
                curve = curve.point(Frames(at), value(self), self.shape());
                at += if self.chance(30) {
                    0
                } else {
                    1 + self.below(400)
                };
            }
        }
        curve
    }
}

pub const LAYOUTS: [Layout; 11] = [
    Layout::Stereo,
    Layout::Mono,
    Layout::Stereo21,
    Layout::Lcr,
    Layout::Lcrs,
    Layout::Quad,
    Layout::Surround50,
    Layout::Surround51,
    Layout::Surround61,
    Layout::Surround70,
    Layout::Surround71,
];
const LAWS: [PanLaw; 7] = [
    PanLaw::EqualPower,
    PanLaw::Between,
    PanLaw::Linear,
    PanLaw::SquareRoot,
    PanLaw::Balance,
    PanLaw::EqualPowerUnity,
    PanLaw::Ardour,
];
/// Low rates: a picture frame is some hundred audio frames.
const RATES: [u32; 4] = [8_000, 11_025, 9_600, 6_001];

/// A clip or a placement that is still to be placed.
struct Slot {
    length: u64,
    start: u64,
    end: u64,
    fade_in: Fade,
    fade_out: Fade,
    crossfade: Fade,
}

struct Maker<'a> {
    dice: &'a mut Dice,
    session: Session,
    stems: Stems,
    folder: Option<tempfile::TempDir>,
    fps: FrameRate,
    buses: Vec<BusId>,
    /// Whether buses feed those before them.
    backward: bool,
    soloing: bool,
    stems_are: StemsAre,
    processors: bool,
}

/// Sources of stems. Those with a time reference are always files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StemsAre {
    Memory,
    /// A session file can name them.
    Files,
}

/// Makes a session of numbers, with or without processors.
pub fn scene(draws: Vec<u32>, stems_are: StemsAre, processors: bool) -> Scene {
    let dice = &mut Dice::new(draws);
    let (rate, layout) = (dice.of(&RATES), dice.of(&LAYOUTS));
    let session = Session::new(SampleRate::new(rate).unwrap(), layout);
    let (fps, soloing) = (dice.of(&FrameRate::ALL), dice.chance(50));
    let mut maker = Maker {
        dice,
        session,
        stems: Stems::new(),
        folder: None,
        fps,
        buses: Vec::new(),
        backward: false,
        soloing,
        stems_are,
        processors,
    };
    maker.session();
    Scene {
        session: maker.session,
        stems: maker.stems,
        folder: maker.folder,
    }
}

impl Maker<'_> {
    fn session(&mut self) {
        self.session.pan_law = self.dice.of(&LAWS);
        if self.dice.chance(60) {
            self.session.start = Some(self.label());
        }
        self.add_buses();
        for n in 0..1 + self.dice.below(4) {
            let track = self.track(&format!("track{n}"), true).0;
            self.session.add_track(track);
        }
        for n in 0..self.dice.below(4) {
            self.add_cue(n);
        }
        self.part_ways();
        let master = &mut self.session.master;
        if self.dice.chance(40) {
            master.gain = self.dice.decibels();
        }
        master.gain_curve = self.dice.curve(40, Dice::decibels);
        if self.processors {
            self.add_inserts();
        }
        if self.processors && self.dice.chance(10) {
            // So soft that nothing is limited.
            let master = &mut self.session.master;
            (master.gain, master.gain_curve) = (Decibels(-90.0), Curve::new());
            master.limit = Some(Dbtp(-(self.dice.below(7) as f64)));
        }
        if self.stems_are == StemsAre::Files {
            self.single_sends();
        }
        if self.dice.chance(40) {
            self.session.length = Some(Frames(1 + self.dice.below(2500)));
        }
    }

    /// Leaves one send to each bus: a session file cannot state two.
    fn single_sends(&mut self) {
        let single = |strip: &mut soundtrack::Strip| {
            let mut seen = Vec::new();
            strip.sends.retain(|send| {
                let is_new = !seen.contains(&send.to);
                seen.push(send.to);
                is_new
            });
        };
        let session = &mut self.session;
        let buses = session.buses_mut().iter_mut();
        buses.for_each(|bus| single(&mut bus.strip));
        let tracks = session.tracks_mut().iter_mut();
        tracks.for_each(|track| single(&mut track.strip));
        let cues = session.cues_mut().iter_mut();
        cues.flat_map(|cue| &mut cue.tracks)
            .for_each(|track| single(&mut track.strip));
    }

    /// Puts processors on some strips. Their keys come from strips that they do not lead to.
    fn add_inserts(&mut self) {
        let tracks: Vec<Selector> = self.session.track_ids().map(Selector::Track).collect();
        for (n, id) in self.session.track_ids().enumerate() {
            self.session.track_mut(id).strip.inserts = self.inserts(&tracks[..n]);
        }
        for number in 0..self.session.cues().len() {
            for n in 0..self.session.cues()[number].tracks.len() {
                let inserts = self.inserts(&tracks);
                self.session.cues_mut()[number].tracks[n].strip.inserts = inserts;
            }
        }
        for (n, id) in self.buses.clone().into_iter().enumerate() {
            let before = if self.backward {
                &self.buses[n + 1..]
            } else {
                &self.buses[..n]
            };
            let mut keys = tracks.clone();
            keys.extend(before.iter().copied().map(Selector::Bus));
            self.session.bus_mut(id).strip.inserts = self.inserts(&keys);
        }
        let mut keys = tracks;
        keys.extend(self.buses.iter().copied().map(Selector::Bus));
        self.session.master.inserts = self.inserts(&keys);
    }

    /// Some processors, of which some move.
    fn inserts(&mut self, keys: &[Selector]) -> Vec<Insert> {
        let count = if self.dice.chance(40) {
            1 + self.dice.below(3)
        } else {
            0
        };
        let mut all: Vec<Insert> = Vec::new();
        for _ in 0..count {
            if self.stems_are == StemsAre::Memory && self.dice.chance(12) {
                all.push(self.custom(keys));
                continue;
            }
            let made = self.insert(keys);
            // A limiter needs the trims around it as they are.
            let moves = made.len() == 1 && self.dice.chance(40);
            for insert in made {
                all.push(if moves { self.automate(insert) } else { insert });
            }
        }
        // What comes ahead of the timeline out of a processor that looks both ways would reach those after it, which the model
        // does not know: one stands last.
        let both_ways = |insert: &Insert| insert.kind_name() == inserts::REVERSED;
        let last = all.iter().find(|insert| both_ways(insert)).cloned();
        all.retain(|insert| !both_ways(insert));
        all.extend(last);
        for (n, insert) in all.iter_mut().enumerate() {
            insert.name = format!("insert{n}");
            insert.bypass = self.dice.chance(8);
        }
        // A limiter needs the trims around it.
        if all.iter().any(|insert| insert.kind_name() == "limiter") {
            all.iter_mut().for_each(|insert| insert.bypass = false);
        }
        all
    }

    /// A processor; several where one alone would do more than the model knows.
    fn insert(&mut self, keys: &[Selector]) -> Vec<Insert> {
        let rate = f64::from(self.session.rate.hz());
        let dice = &mut *self.dice;
        // Frequencies from a fiftieth of the rate to 0.48 of it.
        let freq = rate * (2 + dice.below(47)) as f64 / 100.0;
        let frames = |n: u64| n as f64 / rate;
        let kind = dice.of(&[
            "trim",
            "highpass",
            "lowpass",
            "bell",
            "low-shelf",
            "high-shelf",
            "notch",
            "compressor",
            "expander",
            "gate",
            "ducker",
            "delay",
            "limiter",
            "compressor",
            "ducker",
        ]);
        let values: Vec<(&str, f64)> = match kind {
            "trim" => vec![("gain", dice.decibels().0)],
            "highpass" | "lowpass" => {
                vec![("freq", freq), ("slope", 6.0 * (1 + dice.below(8)) as f64)]
            }
            "notch" => vec![("freq", freq), ("q", 0.25 * (1 + dice.below(20)) as f64)],
            "bell" | "low-shelf" | "high-shelf" => vec![
                ("freq", freq),
                ("gain", dice.below(37) as f64 - 18.0),
                ("q", 0.25 * (1 + dice.below(12)) as f64),
            ],
            "delay" => vec![
                ("time", frames(dice.below(90))),
                (
                    "feedback",
                    dice.of(&[f64::NEG_INFINITY, -15.0, -20.0, -31.5]),
                ),
                ("mix", dice.below(5) as f64 / 4.0),
            ],
            "limiter" => {
                let limiter = Insert::limiter(Dbtp(-(dice.below(7) as f64)));
                return vec![
                    Insert::trim(Decibels(-120.0)),
                    limiter,
                    Insert::trim(Decibels(120.0)),
                ];
            }
            "ducker" => vec![
                ("depth", -(dice.below(30) as f64)),
                ("threshold", -(dice.below(60) as f64)),
                ("attack", frames(dice.below(80))),
                ("hold", frames(dice.below(100))),
                ("release", frames(dice.below(200))),
                ("lookahead", frames(dice.below(100))),
            ],
            _ => {
                // So slow that processors forget nothing while a session lasts.
                let (fast, slow) = (frames(dice.below(60)), frames(600 + dice.below(600)));
                let mut values = vec![
                    ("threshold", -(dice.below(60) as f64)),
                    ("attack", fast),
                    ("release", slow),
                    ("lookahead", frames(dice.below(100))),
                ];
                if dice.chance(40) {
                    values.push(("rms", frames(dice.below(100))));
                }
                if dice.chance(30) {
                    values.push((dice.of(&["key_highpass", "key_lowpass"]), freq));
                }
                if kind == "gate" {
                    values.push(("hysteresis", dice.below(12) as f64));
                } else {
                    values.push(("ratio", 1.0 + dice.below(17) as f64 / 4.0));
                    values.push(("knee", dice.below(3) as f64 * 4.0));
                }
                if kind == "compressor" {
                    values.push(("makeup", dice.below(13) as f64));
                } else {
                    values.push(("range", -(dice.below(80) as f64)));
                    values.push(("hold", frames(dice.below(100))));
                }
                values
            }
        };
        let set = |insert: Insert, (key, value): (&str, f64)| insert.set(key, value).unwrap();
        let mut insert = values.into_iter().fold(Insert::new(kind).unwrap(), set);
        let keyed = ["compressor", "expander", "gate", "ducker"].contains(&kind);
        if keyed && !keys.is_empty() && (kind == "ducker" || dice.chance(40)) {
            insert = insert.key(dice.of(keys));
        }
        vec![insert]
    }

    /// A processor of a program, which a session file cannot name.
    fn custom(&mut self, keys: &[Selector]) -> Insert {
        if !keys.is_empty() && self.dice.chance(50) {
            let insert = Insert::custom(inserts::SCALED_BY_KEY, |_| Box::new(ScaledByKey));
            return insert.key(self.dice.of(keys));
        }
        Insert::custom(inserts::REVERSED, |spec| {
            let channels = spec.layout.channels();
            Box::new(BothWays(vec![VecDeque::new(); channels]))
        })
    }

    /// Moves parameters of an insert over time.
    fn automate(&mut self, mut insert: Insert) -> Insert {
        let rate = f64::from(self.session.rate.hz());
        let kind = insert.kind_name().to_owned();
        let dice = &mut *self.dice;
        let mut move_to = |insert: Insert, key: &str, value: &mut dyn FnMut(&mut Dice) -> f64| {
            if insert.value(key).is_none() {
                return insert;
            }
            let curve = dice.curve(40, |dice| value(dice));
            if curve.points.is_empty() {
                return insert;
            }
            insert.automate(key, curve).unwrap()
        };
        // An expander begins at what silence comes to when its sound begins, the model when the timeline does. Both are the
        // range where silence, which is -150 dB for a mean square, reaches it whatever the threshold.
        if kind == "expander" {
            let range = insert.value("range").unwrap().max(-22.0);
            insert = insert.set("range", range).unwrap();
        }
        let is_filter = insert.value("freq").is_some();
        if kind == "trim" {
            insert = move_to(insert, "gain", &mut |dice| dice.decibels().0);
        }
        if is_filter {
            insert = move_to(insert, "freq", &mut |dice| {
                rate * (2 + dice.below(47)) as f64 / 100.0
            });
            insert = move_to(insert, "gain", &mut |dice| dice.below(37) as f64 - 18.0);
            insert = move_to(insert, "q", &mut |dice| 0.25 * (1 + dice.below(12)) as f64);
        }
        insert = move_to(insert, "threshold", &mut |dice| -(dice.below(60) as f64));
        insert = move_to(insert, "depth", &mut |dice| -(dice.below(30) as f64));
        insert = move_to(insert, "mix", &mut |dice| dice.below(5) as f64 / 4.0);
        if ["compressor", "expander", "gate"].contains(&kind.as_str()) {
            // An expander turns silence down by its whole range all the time, so that it forgets nothing that moves.
            insert = move_to(insert, "ratio", &mut |dice| {
                1.5 + dice.below(15) as f64 / 4.0
            });
            insert = move_to(insert, "knee", &mut |dice| dice.below(3) as f64 * 4.0);
            insert = move_to(insert, "hysteresis", &mut |dice| dice.below(12) as f64);
            insert = move_to(insert, "makeup", &mut |dice| dice.below(13) as f64);
            insert = move_to(insert, "attack", &mut |dice| dice.below(60) as f64 / rate);
            insert = move_to(insert, "release", &mut |dice| {
                (600 + dice.below(600)) as f64 / rate
            });
        }
        insert
    }

    /// Makes a bus that sums a soloed and another track, and that feeds a soloed bus beside where it goes anyway.
    fn part_ways(&mut self) {
        let (buses, tracks) = (self.buses.len(), self.session.tracks().len());
        if !self.soloing || buses < 2 || tracks < 2 || !self.dice.chance(70) {
            return;
        }
        let first = self.dice.below(buses as u64 - 1) as usize;
        let (shared, soloed) = if self.backward {
            (first + 1, first)
        } else {
            (first, first + 1)
        };
        let (shared, soloed) = (self.buses[shared], self.buses[soloed]);
        let strip = &mut self.session.bus_mut(shared).strip;
        strip.sends.push(soundtrack::BusSend {
            to: soloed,
            gain: self.dice.decibels(),
        });
        strip.solo = self.dice.chance(10);
        self.session.bus_mut(soloed).strip.solo = true;
        for track in 0..2 {
            let strip = &mut self.session.tracks_mut()[track].strip;
            (strip.to, strip.solo) = (Some(shared), track == 0);
        }
    }

    /// A timecode, often just before a minute that drop-frame begins with another label.
    fn label(&mut self) -> Timecode {
        let (hour, minute) = (self.dice.below(20) as u32, self.dice.below(60) as u32);
        let nominal = self.fps.numerator().div_ceil(self.fps.denominator());
        let (second, frame) = if self.dice.chance(50) {
            (59, nominal - 1)
        } else {
            (self.dice.below(59) as u32 + 1, 5)
        };
        Timecode::new(hour, minute, second, frame, self.fps).unwrap()
    }

    fn start(&self) -> u64 {
        self.session
            .start
            .map_or(0, |s| s.frames(self.session.rate).0)
    }

    /// A timecode some picture frames after the start.
    fn later(&mut self) -> Timecode {
        let start = self.session.start.map_or(0, Timecode::number);
        Timecode::of_number(start + self.dice.below(4), self.fps)
    }

    fn add_buses(&mut self) {
        // Buses feed those after them, or those before them.
        let (count, backward) = (self.dice.below(6), self.dice.chance(50));
        self.backward = backward;
        self.buses = (0..count)
            .map(|n| self.session.add_bus(Bus::new(format!("bus{n}"))))
            .collect();
        for n in 0..self.buses.len() {
            let others = if backward {
                self.buses[..n].to_vec()
            } else {
                self.buses[n + 1..].to_vec()
            };
            let mut bus = Bus::new(format!("bus{n}"));
            self.strip(&mut bus.strip, &others, 60);
            *self.session.bus_mut(self.buses[n]) = bus;
        }
    }

    fn strip(&mut self, strip: &mut soundtrack::Strip, buses: &[BusId], percent: u64) {
        strip.gain = self.dice.decibels();
        strip.pan = Pan(self.dice.place());
        strip.mute = self.dice.chance(8);
        strip.solo = self.soloing && self.dice.chance(20);
        strip.gain_curve = self.dice.curve(35, Dice::decibels);
        strip.pan_curve = self.dice.curve(35, |dice| Pan(dice.place()));
        if !buses.is_empty() {
            if self.dice.chance(percent) {
                strip.to = Some(self.dice.of(buses));
            }
            for _ in 0..self.dice.below(3) {
                strip.sends.push(soundtrack::BusSend {
                    to: self.dice.of(buses),
                    gain: self.dice.decibels(),
                });
            }
        }
    }

    /// A stem of noise; a file where it must have a time reference: a frame of the session counted from its start.
    fn stem(&mut self, reference: Option<u64>) -> (Clip, u64) {
        let name = format!("stem{}", self.stems.len());
        let seed = self.stems.len() as u64 + 1;
        let stated = match self.dice.below(8) {
            0..3 => Layout::Mono,
            3..5 => Layout::Stereo,
            5 => self.session.layout,
            _ => self.dice.of(&LAYOUTS),
        };
        let mut frames = 1 + self.dice.below(500);
        let own_rate = self.session.rate.hz();
        // A file of another rate is silent and only places what is beside it.
        let other = reference.is_some() && self.dice.chance(70);
        // A stem of another rate in memory is a tone, which has a formula at any rate.
        let is_plain = self.stems_are == StemsAre::Memory && !self.processors;
        let tone = reference.is_none() && is_plain && self.dice.chance(15);
        let rate = if other {
            self.dice.of(&[3_000, 7_919, 5_000])
        } else if tone {
            self.dice
                .of(&[12_000, 44_100, 16_000, 7_919, 6_000, 22_050])
        } else {
            own_rate
        };
        if tone {
            // As many more as the rate is higher; enough for a tone.
            frames = (frames + 300) * u64::from(rate) / u64::from(own_rate);
        }
        let width = speakers(stated).len();
        let length = frames as f64 / f64::from(rate);
        let pitch = 0.1 * f64::from(rate.min(own_rate));
        // The samples at a rate.
        let channels = |frames: u64, hz: u32| -> Vec<Vec<f64>> {
            let sample = |ch, n: u64| match (other, tone) {
                (true, _) => 0.0,
                (_, true) => swell(pitch, length, ch as f64, n as f64 / f64::from(hz)),
                _ => noise(seed, ch, n) / 2.0,
            };
            (0..width as u64)
                .map(|ch| (0..frames).map(|n| sample(ch, n)).collect())
                .collect()
        };
        let reference = reference.map(|at| {
            let exact = u128::from(self.start() + at) * u128::from(rate);
            (exact.div_ceil(u128::from(own_rate)) as u64, rate)
        });
        let exact = (u128::from(frames) * u128::from(own_rate), u128::from(rate));
        let is_file = reference.is_some() || self.stems_are == StemsAre::Files;
        let (input, held): (soundtrack::Input, _) = if is_file {
            let folder = self
                .folder
                .get_or_insert_with(|| tempfile::tempdir().unwrap());
            let path = folder.path().join(format!("{name}.wav"));
            let reference = reference.map(|(at, _)| at);
            write(&path, rate, stated, &channels(frames, rate), reference);
            frames = (u128::from(frames) * u128::from(own_rate)).div_ceil(u128::from(rate)) as u64;
            (path.as_path().into(), stated)
        } else {
            // Some sources do not know where their channels belong; the clip states it.
            let held = if self.dice.chance(10) {
                Layout::Discrete(width as u8)
            } else {
                stated
            };
            let memory = Memory::new(
                Spec {
                    rate: SampleRate::new(rate).unwrap(),
                    layout: held,
                },
                channels(frames, rate),
            )
            .unwrap();
            frames = (u128::from(frames) * u128::from(own_rate)).div_ceil(u128::from(rate)) as u64;
            (
                Opener::new(&name, move || Ok(Box::new(memory.clone()))).into(),
                held,
            )
        };
        self.stems.insert(
            input.to_string(),
            Stem {
                layout: stated,
                channels: channels(frames, own_rate),
                exact,
                reference,
                is_resampled: rate != own_rate,
            },
        );
        let clip = Clip::new(input);
        let clip = if width > 1 && self.dice.chance(15) {
            clip.channel(1 + self.dice.below(width as u64) as u32)
        } else if held == stated {
            clip
        } else {
            clip.layout(stated)
        };
        (clip, frames)
    }

    /// A part of a stem with its level, not yet placed; and how long it sounds.
    fn clip(&mut self, reference: Option<u64>) -> (Clip, u64) {
        let (mut clip, frames) = self.stem(reference);
        let mut pass = frames;
        if self.dice.chance(50) {
            clip.from = Frames(self.dice.below(frames));
            pass = frames - clip.from.0;
        }
        if self.dice.chance(50) {
            pass = 1 + self.dice.below(pass);
            clip.length = Some(Frames(pass));
        }
        clip.loops = if self.dice.chance(30) {
            2 + self.dice.below(3) as u32
        } else {
            1
        };
        clip.gain = self.dice.decibels();
        let total = total(&clip, &self.stems[&clip.input.to_string()]);
        (clip, total)
    }

    /// Places stretches of these lengths: anywhere, or in order with crossfades.
    fn slots(&mut self, lengths: &[u64], crossfades: u64) -> (Vec<Slot>, bool) {
        let blend = self.dice.chance(crossfades);
        let mut slots: Vec<Slot> = Vec::new();
        for &length in lengths {
            let none = Fade::default();
            let mut slot = Slot {
                length,
                start: self.dice.below(700),
                end: 0,
                fade_in: none,
                fade_out: none,
                crossfade: none,
            };
            slot.fade_in = self.dice.fade(length);
            slot.fade_out = self.dice.fade(length);
            if let Some(before) = slots.last_mut().filter(|_| blend) {
                let within = if self.dice.chance(70) {
                    before.length
                } else {
                    400
                };
                slot.start = before.start + 1 + self.dice.below(within);
                let most = before.end.saturating_sub(slot.start).min(length);
                let mut fade = self.dice.fade(most);
                fade.length = Frames(
                    fade.length
                        .0
                        .max(u64::from(most > 0 && self.dice.chance(70))),
                );
                let left = slot.start + fade.length.0 - before.start;
                let crossed = before.crossfade.length.0 <= left;
                if fade.length.0 > 0 && crossed {
                    before.end = slot.start + fade.length.0;
                    before.fade_out = none;
                    before.fade_in.length = before.fade_in.length.min(Frames(left));
                    (slot.fade_in, slot.crossfade) = (none, fade);
                }
            }
            slot.end = slot.start + length;
            slots.push(slot);
        }
        (slots, blend)
    }

    /// A track, and the end of its last clip.
    fn track(&mut self, name: &str, on_timeline: bool) -> (Track, u64) {
        let mut track = Track::of(name).invert(self.dice.chance(25));
        let buses = self.buses.clone();
        self.strip(&mut track.strip, &buses, 60);
        let count = 1 + self.dice.below(3);
        let by_origin = on_timeline && self.dice.chance(30);
        let place = 2 + self.dice.below(600);
        let mut clips: Vec<(Clip, u64)> = (0..count)
            .map(|n| self.clip((by_origin && n == 0).then_some(place)))
            .collect();
        let lengths: Vec<u64> = clips.iter().map(|(_, length)| *length).collect();
        let (slots, blend) = self.slots(&lengths, 50);
        for (n, ((clip, _), slot)) in clips.iter_mut().zip(&slots).enumerate() {
            (clip.fade_in, clip.fade_out, clip.crossfade) =
                (slot.fade_in, slot.fade_out, slot.crossfade);
            clip.at = At::Frames(Frames(slot.start));
            if on_timeline && !blend {
                if by_origin && n == 0 {
                    clip.at = At::Origin;
                } else if self.dice.chance(40) {
                    clip.at = At::Timecode(self.later());
                }
            }
        }
        track.clips = clips.into_iter().map(|(clip, _)| clip).collect();
        (track, slots.iter().map(|s| s.end).max().unwrap_or(0))
    }

    fn add_cue(&mut self, number: u64) {
        let mut cue = Cue::new(format!("cue{number}")).mute(self.dice.chance(8));
        let mut length = 0;
        for n in 0..1 + self.dice.below(3) {
            let (track, end) = self.track(&format!("part{n}"), false);
            cue.tracks.push(track);
            length = length.max(end);
        }
        let by_origin = self.dice.chance(50);
        if by_origin {
            // One stem says where the cue lies: that of a track of its own.
            let place = 600 + self.dice.below(300);
            let (clip, own) = self.clip(Some(place));
            let at = self.dice.below(500);
            length = length.max(at + own);
            cue.tracks
                .push(Track::of("placed").clip(clip.at(Frames(at))));
        }
        let count = if self.dice.chance(85) {
            1 + self.dice.below(3)
        } else {
            0
        };
        let mut uses = Vec::new();
        for n in 0..count {
            let mut place = Use::default()
                .named(format!("use{n}"))
                .gain(self.dice.decibels());
            if self.dice.chance(50) {
                place.from = Frames(self.dice.below(length));
            }
            let mut own = length - place.from.0;
            if self.dice.chance(50) {
                own = 1 + self.dice.below(own);
                place.length = Some(Frames(own));
            }
            uses.push((place, own));
        }
        let lengths: Vec<u64> = uses.iter().map(|(_, own)| *own).collect();
        let (slots, blend) = self.slots(&lengths, if by_origin { 25 } else { 50 });
        for ((mut place, _), slot) in uses.into_iter().zip(slots) {
            (place.fade_in, place.fade_out, place.crossfade) =
                (slot.fade_in, slot.fade_out, slot.crossfade);
            place.at = At::Frames(Frames(slot.start));
            if !blend {
                if by_origin && self.dice.chance(75) {
                    place.at = At::Origin;
                } else if self.dice.chance(40) {
                    place.at = At::Timecode(self.later());
                }
            }
            cue.uses.push(place);
        }
        if cue.uses.is_empty() {
            // A solo that cannot be heard is refused.
            cue.tracks.iter_mut().for_each(|t| t.strip.solo = false);
        }
        self.session.add_cue(cue);
    }
}

/// See [`inserts::SCALED_BY_KEY`].
struct ScaledByKey;

impl Processor for ScaledByKey {
    fn memory(&self) -> dsp::Memory {
        dsp::Memory::Window(Frames(0))
    }

    fn reset(&mut self) {}

    fn process(&mut self, _: Frames, block: &mut Block, key: Option<&Block>) {
        let Some(key) = key else { return };
        for samples in block.channels_mut() {
            for (n, x) in samples.iter_mut().enumerate() {
                let loudest = key.channels().fold(0.0f64, |m, key| m.max(key[n].abs()));
                *x *= 1.0 - loudest;
            }
        }
    }
}

/// See [`inserts::REVERSED`]. Holds the latest frames of each channel, the oldest first.
struct BothWays(Vec<VecDeque<f64>>);

impl Processor for BothWays {
    fn latency(&self) -> Frames {
        Frames(inserts::REACH as u64)
    }

    fn memory(&self) -> dsp::Memory {
        dsp::Memory::Window(Frames(2 * inserts::REACH as u64))
    }

    fn tail(&self) -> Frames {
        Frames(inserts::REACH as u64)
    }

    fn prolongs_mix(&self) -> bool {
        false
    }

    fn reset(&mut self) {
        self.0.iter_mut().for_each(VecDeque::clear);
    }

    fn process(&mut self, _: Frames, block: &mut Block, _: Option<&Block>) {
        for (samples, past) in block.channels_mut().zip(&mut self.0) {
            past.resize(past.len().max(2 * inserts::REACH), 0.0);
            for x in samples {
                past.push_back(*x);
                *x = 0.5 * *x + 0.25 * past.pop_front().unwrap();
            }
        }
    }
}

/// A tone of a pitch in Hz at a time in seconds, which swells and fades over its length so smoothly that its spectrum ends
/// some 6 / length beside the pitch: below the Nyquist frequency of every rate here.
fn swell(pitch: f64, length: f64, phase: f64, time: f64) -> f64 {
    let envelope = if time < length {
        (PI * time / length).sin().powi(10)
    } else {
        0.0
    };
    0.5 * envelope * (2.0 * PI * pitch * time + phase).sin()
}

/// Writes a Broadcast WAV of 32-bit floats.
fn write(path: &Path, rate: u32, layout: Layout, channels: &[Vec<f64>], reference: Option<u64>) {
    let spec = Spec {
        rate: SampleRate::new(rate).unwrap(),
        layout,
    };
    let metadata = Metadata {
        time_reference: reference.map(Frames),
        ..Metadata::default()
    };
    let options = encode::Options {
        metadata,
        ..encode::Options::default()
    };
    let frames = channels[0].len();
    let mut wav =
        FileSink::create_with(path, Format::WAV_32F, spec, Frames(frames as u64), &options)
            .unwrap();
    let mut block = Block::new(layout, frames);
    block.set_frames(frames);
    for (to, from) in block.channels_mut().zip(channels) {
        to.copy_from_slice(from);
    }
    wav.write(&block).unwrap();
    wav.finish().unwrap();
}
