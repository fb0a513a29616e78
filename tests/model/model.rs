//! A slow, plain reference renderer, written from the documents. It shares no code with the engine: it reads sessions as
//! data and has every formula again. Whole clips lie in memory, one strip is worked out after another, in `f64`.
//!
//! A stem of another rate than the session's is not resampled here: hand in what it is at the session's rate.

use super::inserts;
use soundtrack::{
    At, BusId, Clip, Cue, Curve, Decibels, Fade, FadeShape, Frames, Insert, Layout, Pan, PanLaw,
    Selector, Session, Shape, Strip, Timecode, Track, Use,
};
use std::{
    collections::HashMap,
    f64::consts::{FRAC_PI_2, PI, SQRT_2},
    rc::Rc,
};

/// Samples by channel, then frame.
pub type Signal = Vec<Vec<f64>>;

/// A stem as the model knows it.
#[derive(Clone, Debug)]
pub struct Stem {
    pub layout: Layout,
    /// At the session's rate.
    pub channels: Signal,
    /// Its exact length at the session's rate, as a fraction of frames; the channels have all frames that it reaches.
    pub exact: (u128, u128),
    /// Frames after midnight, and the rate in Hz that they are counted at.
    pub reference: Option<(u64, u32)>,
    /// Its own rate is another one.
    pub is_resampled: bool,
}

/// Stems by the name that their input prints.
pub type Stems = HashMap<String, Stem>;

/// What a session sounds like.
pub struct Mix {
    pub channels: Signal,
    /// What of each bus is heard, before the master.
    pub buses: Vec<Signal>,
    /// The largest absolute value of any term on the way, at least 1.
    pub scale: f64,
    /// The largest absolute value ahead of the fader of a track.
    pub loudest_input: f64,
}

/// The whole mix, from its first to its last frame.
pub fn mix(session: &Session, stems: &Stems) -> Mix {
    let model = Model { session, stems };
    let tracks = model.tracks();
    let clips_end = tracks
        .iter()
        .flat_map(|t| &t.showings)
        .map(Showing::end)
        .max()
        .unwrap_or(0);
    let rate = session.rate.hz();
    let inserts = || {
        let strips = model.strips().map(|strip| &strip.inserts);
        strips.chain([&session.master.inserts])
    };
    // Long enough for all that echoes, and for what is looked at ahead of the end.
    let echoes: u64 = inserts().map(|inserts| inserts::echo(inserts, rate)).sum();
    let ahead: u64 = inserts()
        .map(|inserts| inserts::lookahead(inserts, rate))
        .sum();
    let read = session.length.map_or(clips_end, |l| l.0);
    let soloing =
        tracks.iter().any(|t| t.strip.solo) || session.buses().iter().any(|b| b.strip.solo);
    let (mut scale, mut loudest_input) = (1.0, 0.0);
    let mut desk = Desk {
        model: &model,
        frames: (session.length.map_or(read + echoes, |l| l.0) + ahead) as usize,
        read: read as usize,
        soloing,
        scale: &mut scale,
        loudest_input: &mut loudest_input,
    };
    let outputs = desk.strips(&tracks);
    let mut channels = desk.silence();
    let mut end = 0;
    for (strip, output) in model.strips().zip(outputs.iter().flatten()) {
        // A strip goes to the master where its main output names no bus.
        if strip.to.is_none() {
            desk.add(&mut channels, &output.passed, 1.0);
            end = end.max(output.ends[0]);
        }
    }
    let master = &session.master;
    if inserts::active(&master.inserts).next().is_some() {
        let keys = desk.keys(&master.inserts, &outputs);
        inserts::process(
            &master.inserts,
            &keys,
            &inserts::timeline,
            &mut channels,
            rate,
        );
    }
    for samples in &mut channels {
        for (t, sample) in samples.iter_mut().enumerate() {
            *sample = desk.term(*sample);
            *sample *= gain_at(master.gain, &master.gain_curve, t as u64);
        }
    }
    if let Some(limit) = master.limit {
        let limiter = [Insert::limiter(limit)];
        inserts::process(&limiter, &[None], &inserts::timeline, &mut channels, rate);
    }
    if end > 0 {
        end += inserts::echo(&master.inserts, rate);
    }
    let frames = session.length.map_or(clips_end.max(end), |l| l.0) as usize;
    let cut = |mut signal: Signal| {
        signal
            .iter_mut()
            .for_each(|samples| samples.truncate(frames));
        signal
    };
    let first_bus = tracks.len();
    let buses = (first_bus..outputs.len())
        .map(|bus| cut(desk.heard_of(bus, outputs[bus].as_ref().unwrap())))
        .collect();
    Mix {
        channels: cut(channels),
        buses,
        scale,
        loudest_input,
    }
}

/// A cue of a session, whole, from its own start: through the buses and the master, with nothing else.
pub fn whole_cue(session: &Session, cue: usize) -> Session {
    let mut alone = session.clone();
    (alone.start, alone.length) = (None, None);
    for track in alone.tracks_mut() {
        track.clips.clear();
        (track.strip.mute, track.strip.solo) = (true, false);
    }
    for (n, other) in alone.cues_mut().iter_mut().enumerate() {
        other.uses = if n == cue {
            vec![Use::default()]
        } else {
            Vec::new()
        };
    }
    alone
}

/// A clip, or a placement of a cue, in its own time.
#[derive(Clone, Copy)]
struct Stretch {
    start: u64,
    end: u64,
    fade_in: Fade,
    fade_out: Fade,
    crossfade: Fade,
}

/// A clip that is placed.
struct Placed<'a> {
    clip: &'a Clip,
    stem: &'a Stem,
    at: Stretch,
}

impl<'a> Placed<'a> {
    /// The channels that are played, each with its speaker.
    fn channels(&self) -> Vec<(&'a [f64], &'static str)> {
        if let Some(number) = self.clip.channel {
            return vec![(&self.stem.channels[number as usize - 1], "M")];
        }
        let names = speakers(self.clip.layout.unwrap_or(self.stem.layout));
        let channels = self.stem.channels.iter().map(Vec::as_slice);
        channels.zip(names.iter().copied()).collect()
    }

    fn is_mono(&self) -> bool {
        self.channels().iter().all(|(_, name)| *name == "M")
    }
}

/// What the timeline sees of a track: all of it, or the stretch of one placement of its cue.
struct Showing<'a> {
    clips: Rc<Vec<Placed<'a>>>,
    /// Where it lies on the timeline.
    at: Stretch,
    /// The frame of the track's own time that it begins with.
    from: u64,
    gain: Decibels,
}

impl<'a> Showing<'a> {
    /// The clips of which it shows anything.
    fn shown(&self) -> impl Iterator<Item = &Placed<'a>> {
        let own = self.from..self.from + (self.at.end - self.at.start);
        let clips = self.clips.iter();
        clips.filter(move |c| c.at.start.max(own.start) < c.at.end.min(own.end))
    }

    /// The end of the last clip that sounds, on the timeline.
    fn audible_end(&self) -> Option<u64> {
        let sounds = |c: &&Placed<'_>| amplitude(c.clip.gain) * amplitude(self.gain) > 0.0;
        let clips = self.shown().filter(sounds);
        clips.map(|c| self.on_timeline(c.at.end)).max()
    }

    /// The end of the last clip that it shows, on the timeline.
    fn end(&self) -> u64 {
        let ends = self.shown().map(|c| self.on_timeline(c.at.end));
        ends.max().unwrap_or(0)
    }

    /// A frame of the track's own time on the timeline, at most the end of what is shown.
    fn on_timeline(&self, own: u64) -> u64 {
        (own - self.from + self.at.start).min(self.at.end)
    }
}

struct Channel<'a> {
    strip: &'a Strip,
    muted: bool,
    invert: bool,
    showings: Vec<Showing<'a>>,
}

impl<'a> Channel<'a> {
    /// The placements that go through inserts together: all of them, or those that do not overlap where controls move. Each
    /// takes the first inserts that are free. Without inserts each is alone.
    fn apart(&self) -> Vec<Vec<&Showing<'a>>> {
        let strip = self.strip;
        if inserts::active(&strip.inserts).next().is_none() {
            return self.showings.iter().map(|showing| vec![showing]).collect();
        }
        let curves = !strip.gain_curve.points.is_empty() || !strip.pan_curve.points.is_empty();
        if !curves && !inserts::active(&strip.inserts).any(inserts::moves) {
            return vec![self.showings.iter().collect()];
        }
        let mut order: Vec<&Showing<'a>> = self.showings.iter().collect();
        order.sort_by_key(|showing| showing.at.start);
        let mut groups: Vec<Vec<&Showing<'a>>> = Vec::new();
        for showing in order {
            let is_free = |group: &&mut Vec<&Showing<'a>>| {
                group
                    .last()
                    .is_some_and(|last| last.at.end <= showing.at.start)
            };
            match groups.iter_mut().find(is_free) {
                Some(group) => group.push(showing),
                None => groups.push(vec![showing]),
            }
        }
        groups
    }
}

/// The frame of a track's own time at a frame of the timeline: after a placement it goes on, up to 64 frames ahead of the next
/// one, and ahead of the first one it goes back to 0. Placements are in order and do not overlap, or nothing moves.
fn own_time(showings: &[&Showing<'_>], frame: u64) -> u64 {
    let mut now = showings[0];
    for pair in showings.windows(2) {
        let (before, next) = (pair[0].at.end, pair[1]);
        let lead = next.at.start.saturating_sub(before).min(64).min(next.from);
        if frame >= next.at.start - lead {
            now = next;
        }
    }
    (now.from + frame).saturating_sub(now.at.start)
}

/// What comes out of a strip: what has passed a soloed strip, and what has not. Where nothing is soloed, all has passed.
#[derive(Clone)]
struct Output {
    passed: Signal,
    unpassed: Signal,
    /// Whether any route that is not muted leads here, of either kind.
    routes: [bool; 2],
    /// The frame at which each of them has ended, with its echoes.
    ends: [u64; 2],
}

struct Model<'a> {
    session: &'a Session,
    stems: &'a Stems,
}

impl<'a> Model<'a> {
    fn stem(&self, clip: &Clip) -> &'a Stem {
        &self.stems[&clip.input.to_string()]
    }

    /// The strips of tracks, of cue tracks that are placed, and of buses, in the order of the outputs.
    fn strips(&self) -> impl Iterator<Item = &'a Strip> {
        let cues = self
            .session
            .cues()
            .iter()
            .filter(|c| !c.uses.is_empty())
            .flat_map(|c| &c.tracks);
        let tracks = self.session.tracks().iter().chain(cues).map(|t| &t.strip);
        tracks.chain(self.session.buses().iter().map(|b| &b.strip))
    }

    fn tracks(&self) -> Vec<Channel<'a>> {
        let mut all = Vec::new();
        for track in self.session.tracks() {
            let at = Stretch {
                start: 0,
                end: 1 << 40,
                ..NO_FADES
            };
            let showing = Showing {
                clips: Rc::new(self.placed(track)),
                at,
                from: 0,
                gain: Decibels(0.0),
            };
            let (strip, muted) = (&track.strip, track.strip.mute);
            all.push(Channel {
                strip,
                muted,
                invert: track.invert,
                showings: vec![showing],
            });
        }
        for cue in self.session.cues().iter().filter(|c| !c.uses.is_empty()) {
            let tracks: Vec<(&Track, Rc<Vec<Placed<'_>>>)> = cue
                .tracks
                .iter()
                .map(|t| (t, Rc::new(self.placed(t))))
                .collect();
            let uses = self.uses(cue, &tracks);
            for (track, clips) in tracks {
                let showing = |(place, at): &(&Use, Stretch)| Showing {
                    clips: Rc::clone(&clips),
                    at: *at,
                    from: place.from.0,
                    gain: place.gain,
                };
                let (strip, muted) = (&track.strip, cue.mute || track.strip.mute);
                all.push(Channel {
                    strip,
                    muted,
                    invert: track.invert,
                    showings: uses.iter().map(showing).collect(),
                });
            }
        }
        all
    }

    /// The clips of a track in its own time.
    fn placed(&self, track: &'a Track) -> Vec<Placed<'a>> {
        let mut stretches: Vec<Stretch> = Vec::new();
        for clip in &track.clips {
            let stem = self.stem(clip);
            let start = match clip.at {
                At::Frames(at) => at.0,
                At::Timecode(at) => self.timecode(at),
                At::Origin => (self.reference(stem).unwrap() + clip.from.0 as i64) as u64,
                other => panic!("the model does not know {other:?}"),
            };
            let total = total(clip, stem);
            let (fade_in, fade_out, crossfade) = (clip.fade_in, clip.fade_out, clip.crossfade);
            stretches.push(Stretch {
                start,
                end: start + total,
                fade_in,
                fade_out,
                crossfade,
            });
        }
        crossfaded(&mut stretches);
        let placed = track.clips.iter().zip(stretches);
        placed
            .map(|(clip, at)| Placed {
                clip,
                stem: self.stem(clip),
                at,
            })
            .collect()
    }

    /// The placements of a cue, on the timeline.
    fn uses(
        &self,
        cue: &'a Cue,
        tracks: &[(&Track, Rc<Vec<Placed<'_>>>)],
    ) -> Vec<(&'a Use, Stretch)> {
        let clips = || tracks.iter().flat_map(|(_, clips)| clips.iter());
        let length = clips().map(|c| c.at.end).max().unwrap_or(0);
        // Where the cue starts by the time references of its stems.
        let origin = clips().find_map(|c| {
            let stem_starts = self.reference(c.stem)?;
            Some(stem_starts + c.clip.from.0 as i64 - c.at.start as i64)
        });
        let stretch = |place: &Use| {
            let start = match place.at {
                At::Frames(at) => at.0,
                At::Timecode(at) => self.timecode(at),
                At::Origin => (origin.unwrap() + place.from.0 as i64) as u64,
                other => panic!("the model does not know {other:?}"),
            };
            let own = place.length.map_or(length - place.from.0, |l| l.0);
            let (fade_in, fade_out, crossfade) = (place.fade_in, place.fade_out, place.crossfade);
            Stretch {
                start,
                end: start + own,
                fade_in,
                fade_out,
                crossfade,
            }
        };
        let mut stretches: Vec<Stretch> = cue.uses.iter().map(stretch).collect();
        crossfaded(&mut stretches);
        cue.uses.iter().zip(stretches).collect()
    }

    /// The frame of the timeline at which a picture frame begins.
    fn timecode(&self, at: Timecode) -> u64 {
        let start = self
            .session
            .start
            .map_or(0, |start| from_midnight(start, self.session.rate.hz()));
        from_midnight(at, self.session.rate.hz()) - start
    }

    /// The frame of the timeline at which a stem begins by its time reference: the nearest, halves up.
    fn reference(&self, stem: &Stem) -> Option<i64> {
        let (reference, rate) = stem.reference?;
        let start = self
            .session
            .start
            .map_or(0, |start| from_midnight(start, self.session.rate.hz()));
        let exact = u128::from(reference) * u128::from(self.session.rate.hz());
        Some(nearest(exact, u128::from(rate)) as i64 - start as i64)
    }
}

const NO_FADE: Fade = Fade {
    length: Frames(0),
    shape: FadeShape::Linear,
};
const NO_FADES: Stretch = Stretch {
    start: 0,
    end: 0,
    fade_in: NO_FADE,
    fade_out: NO_FADE,
    crossfade: NO_FADE,
};

/// `ceil(a / b - 1/2)` for whole halves up: the whole number nearest to a fraction.
fn nearest(a: u128, b: u128) -> u64 {
    let (whole, rest) = (a / b, a % b);
    (whole + u128::from(rest * 2 >= b)) as u64
}

/// The audio frame at which a picture frame begins, counted from midnight (ST 12-1).
fn from_midnight(at: Timecode, hz: u32) -> u64 {
    let (fps, [h, m, s, f]) = (at.rate(), at.parts());
    let nominal = u64::from(fps.numerator().div_ceil(fps.denominator()));
    let minutes = 60 * h + m;
    let labels = (60 * minutes + s) * nominal + f;
    // Drop-frame leaves out 2 labels of 30 at the start of each minute but every tenth.
    let left_out = if fps.is_drop_frame() {
        nominal / 15 * (minutes - minutes / 10)
    } else {
        0
    };
    let exact = u128::from(labels - left_out) * u128::from(fps.denominator()) * u128::from(hz);
    nearest(exact, u128::from(fps.numerator()))
}

/// The frame of a clip at which a pass begins: so many exact lengths after its start, to the nearest frame, halves up.
fn pass_start(clip: &Clip, stem: &Stem, pass: u32) -> u64 {
    let (frames, of) = match clip.length {
        Some(length) => (u128::from(length.0), 1),
        None => (
            stem.exact
                .0
                .saturating_sub(u128::from(clip.from.0) * stem.exact.1),
            stem.exact.1,
        ),
    };
    nearest(frames * u128::from(pass), of)
}

/// Frames of all passes of a clip; the last pass through a stem has all frames that the stem reaches.
pub fn total(clip: &Clip, stem: &Stem) -> u64 {
    let last = clip
        .length
        .map_or(stem.channels[0].len() as u64 - clip.from.0, |l| l.0);
    pass_start(clip, stem, clip.loops - 1) + last
}

/// A crossfade ends the stretch that starts before where the fade ends, and fades both by one shape.
fn crossfaded(stretches: &mut [Stretch]) {
    let mut order: Vec<usize> = (0..stretches.len()).collect();
    order.sort_by_key(|&i| stretches[i].start);
    for pair in order.windows(2) {
        let (earlier, later) = (pair[0], pair[1]);
        let fade = stretches[later].crossfade;
        if fade.length.0 > 0 {
            stretches[earlier].end = stretches[later].start + fade.length.0;
            stretches[earlier].fade_out = fade;
            stretches[later].fade_in = fade;
        }
    }
}

impl Stretch {
    /// The gain of both fades at a frame within.
    fn fades(&self, frame: u64) -> f64 {
        fade_gain(self.fade_in, frame - self.start) * fade_gain(self.fade_out, self.end - frame)
    }
}

/// The gain of a fade, `k` frames from its silent end.
pub fn fade_gain(fade: Fade, k: u64) -> f64 {
    if k >= fade.length.0 {
        return 1.0;
    }
    let x = k as f64 / fade.length.0 as f64;
    match fade.shape {
        FadeShape::Linear => x,
        FadeShape::EqualPower => (PI * x / 2.0).sin(),
        FadeShape::Between => (x * (PI * x / 2.0).sin()).sqrt(),
        FadeShape::RaisedCosine => (1.0 - (PI * x).cos()) / 2.0,
        FadeShape::SquareRoot => x.sqrt(),
        FadeShape::DecibelLinear(_) if k == 0 => 0.0,
        FadeShape::DecibelLinear(range) => 10f64.powf(range * (x - 1.0) / 20.0),
        other => panic!("no such fade: {other:?}"),
    }
}

/// How far a curve has come from one point to the next.
fn progress(shape: Shape, x: f64) -> f64 {
    match shape {
        Shape::Linear => x,
        Shape::Sine => (1.0 - (PI * x).cos()) / 2.0,
        Shape::Exp => (1000f64.powf(x) - 1.0) / 999.0,
        Shape::Step => 0.0,
        other => panic!("no such shape: {other:?}"),
    }
}

/// The value of a curve: `between` leads from one value to the next. Of points on one frame the last holds.
pub fn value_at<T: Copy>(
    curve: &Curve<T>,
    t: u64,
    between: impl Fn(T, T, f64) -> f64,
) -> Option<f64> {
    let points = &curve.points;
    let first = points.first()?;
    let Some(here) = points.iter().rposition(|p| p.at.0 <= t) else {
        return Some(between(first.value, first.value, 0.0));
    };
    let a = points[here];
    Some(match points.get(here + 1) {
        None => between(a.value, a.value, 0.0),
        Some(b) => {
            let x = (t - a.at.0) as f64 / (b.at.0 - a.at.0) as f64;
            between(a.value, b.value, progress(b.shape, x))
        }
    })
}

pub fn amplitude(Decibels(level): Decibels) -> f64 {
    10f64.powf(level / 20.0)
}

/// Fader and curve together: decibels add up; a line is straight in decibels, or in amplitude where an end is silence.
fn gain_at(fader: Decibels, curve: &Curve<Decibels>, t: u64) -> f64 {
    let between = |a: Decibels, b: Decibels, s: f64| {
        let (a, b) = (Decibels(fader.0 + a.0), Decibels(fader.0 + b.0));
        if a.0.is_infinite() || b.0.is_infinite() {
            return amplitude(a) + (amplitude(b) - amplitude(a)) * s;
        }
        amplitude(Decibels(a.0 + (b.0 - a.0) * s))
    };
    value_at(curve, t, between).unwrap_or_else(|| amplitude(fader))
}

fn pan_at(strip: &Strip, t: u64) -> f64 {
    value_at(&strip.pan_curve, t, |a: Pan, b: Pan, s| {
        a.0 + (b.0 - a.0) * s
    })
    .unwrap_or(strip.pan.0)
}

/// The gains of left and right for a mono signal; p runs from 0 at the silent side to 1.
fn pan_gains(law: PanLaw, pan: f64) -> [f64; 2] {
    let side = |p: f64| match law {
        PanLaw::EqualPower => (p * FRAC_PI_2).sin(),
        PanLaw::Between => (p * (p * FRAC_PI_2).sin()).sqrt(),
        PanLaw::Linear => p,
        PanLaw::SquareRoot => p.sqrt(),
        PanLaw::Balance => (2.0 * p).min(1.0),
        PanLaw::EqualPowerUnity => SQRT_2 * (p * FRAC_PI_2).sin(),
        PanLaw::Ardour => {
            let s = 2.0 - 4.0 * 10f64.powf(-3.0 / 20.0);
            p * (s * p + 1.0 - s)
        }
        other => panic!("no such law: {other:?}"),
    };
    [side((1.0 - pan) / 2.0), side((1.0 + pan) / 2.0)]
}

/// The speakers of a layout in WAVE order: by name, a side last, `M` for mono and `T` for the LFE.
pub fn speakers(layout: Layout) -> &'static [&'static str] {
    match layout {
        Layout::Mono => &["M"],
        Layout::Stereo => &["L", "R"],
        Layout::Stereo21 => &["L", "R", "T"],
        Layout::Lcr => &["L", "R", "C"],
        Layout::Lcrs => &["L", "R", "C", "Cs"],
        Layout::Quad => &["L", "R", "Ls", "Rs"],
        Layout::Surround50 => &["L", "R", "C", "Ls", "Rs"],
        Layout::Surround51 => &["L", "R", "C", "T", "Ls", "Rs"],
        Layout::Surround61 => &["L", "R", "C", "T", "Cs", "Ls", "Rs"],
        Layout::Surround70 => &["L", "R", "C", "Lb", "Rb", "Ls", "Rs"],
        Layout::Surround71 => &["L", "R", "C", "T", "Lb", "Rb", "Ls", "Rs"],
        other => panic!("no positions: {other:?}"),
    }
}

/// How strong a speaker's signal goes to one of the speakers of a layout (BS.775).
fn folded(from: &str, to: &str, layout: &[&str]) -> f64 {
    let k = 0.5f64.sqrt();
    let has = |name: &str| layout.contains(&name);
    if has(from) {
        return f64::from(from == to);
    }
    let front = if from.starts_with('L') { "L" } else { "R" };
    match from {
        "T" => 0.0,
        _ if to == "M" => match from {
            "C" => 1.0,
            "L" | "R" | "Cs" => k,
            _ => 0.5,
        },
        "C" if to == "L" || to == "R" => k,
        "Ls" | "Rs" if has("Cs") => k * f64::from(to == "Cs"),
        "Ls" | "Rs" => k * f64::from(to == front),
        "Lb" | "Rb" => {
            let side = if front == "L" { "Ls" } else { "Rs" };
            folded(side, to, layout)
        }
        // The back centre goes to the pair that is farthest back.
        "Cs" => match (has("Lb"), has("Ls")) {
            (true, _) => k * f64::from(to == "Lb" || to == "Rb"),
            (false, true) => k * f64::from(to == "Ls" || to == "Rs"),
            (false, false) => 0.5 * f64::from(to == "L" || to == "R"),
        },
        _ => 0.0,
    }
}

/// Works the strips.
struct Desk<'a, 'b> {
    model: &'b Model<'a>,
    /// The length of all signals, and the frame up to which clips are played.
    frames: usize,
    read: usize,
    soloing: bool,
    scale: &'b mut f64,
    loudest_input: &'b mut f64,
}

impl<'a> Desk<'a, '_> {
    fn silence(&self) -> Signal {
        vec![vec![0.0; self.frames]; speakers(self.model.session.layout).len()]
    }

    /// A strip of which nothing is heard.
    fn nothing(&self) -> Output {
        Output {
            passed: self.silence(),
            unpassed: self.silence(),
            routes: [false; 2],
            ends: [0; 2],
        }
    }

    fn term(&mut self, value: f64) -> f64 {
        *self.scale = self.scale.max(value.abs());
        value
    }

    fn add(&mut self, to: &mut Signal, from: &Signal, gain: f64) {
        for (to, from) in to.iter_mut().zip(from) {
            for (to, from) in to.iter_mut().zip(from) {
                *to += self.term(from * gain);
            }
        }
    }

    /// Whether nothing comes out of a strip: it is muted, or its fader is all the way down.
    fn closed(strip: &Strip, muted: bool) -> bool {
        muted || strip.gain.0 == f64::NEG_INFINITY
    }

    /// The number of a bus among the strips.
    fn bus_number(&self, id: BusId) -> usize {
        let session = self.model.session;
        let tracks = self.model.strips().count() - session.buses().len();
        tracks + session.bus_ids().position(|other| other == id).unwrap()
    }

    /// The number of the strip that a key names.
    fn key_number(&self, key: Selector) -> usize {
        match key {
            Selector::Bus(id) => self.bus_number(id),
            Selector::Track(id) => {
                let mut ids = self.model.session.track_ids();
                ids.position(|other| other == id).unwrap()
            }
            other => panic!("not a key: {other:?}"),
        }
    }

    /// The side-chain signals of inserts, from the outputs of all strips before them.
    fn keys(&mut self, inserts: &[Insert], outputs: &[Option<Output>]) -> Vec<Option<Signal>> {
        let key = |insert: &Insert| {
            let number = self.key_number(insert.key?);
            Some(self.heard_of(number, outputs[number].as_ref().unwrap()))
        };
        inserts::active(inserts).map(key).collect()
    }

    /// Outputs of all strips. Each strip is worked after all that feed it, and after its keys.
    fn strips(&mut self, tracks: &[Channel<'a>]) -> Vec<Option<Output>> {
        let strips: Vec<&Strip> = self.model.strips().collect();
        let mut done: Vec<Option<Output>> = vec![None; strips.len()];
        let feeds = |strip: &Strip| -> Vec<(usize, f64)> {
            let main = strip.to.map(|to| (self.bus_number(to), 1.0));
            let sends = strip.sends.iter();
            main.into_iter()
                .chain(sends.map(|s| (self.bus_number(s.to), amplitude(s.gain))))
                .collect()
        };
        let feeds: Vec<Vec<(usize, f64)>> = strips.iter().map(|strip| feeds(strip)).collect();
        for _ in 0..strips.len() {
            let is_ready = |strip: &usize| {
                let mut feeders = feeds.iter().zip(&done);
                let keys = inserts::active(&strips[*strip].inserts).filter_map(|i| i.key);
                done[*strip].is_none()
                    && feeders.all(|(feeds, output)| {
                        output.is_some() || feeds.iter().all(|feed| feed.0 != *strip)
                    })
                    && keys
                        .map(|key| self.key_number(key))
                        .all(|key| done[key].is_some())
            };
            let next = (0..strips.len())
                .find(is_ready)
                .expect("strips feed each other in a circle");
            let keys = self.keys(&strips[next].inserts, &done);
            let output = match tracks.get(next) {
                Some(track) => self.track(track, &keys),
                None => {
                    let mut sum = self.nothing();
                    for (feeds, output) in feeds.iter().zip(&done) {
                        for (_, gain) in
                            feeds.iter().filter(|(to, gain)| *to == next && *gain > 0.0)
                        {
                            let output = output.as_ref().unwrap();
                            self.add(&mut sum.passed, &output.passed, *gain);
                            self.add(&mut sum.unpassed, &output.unpassed, *gain);
                            sum.routes = [0, 1].map(|kind| sum.routes[kind] || output.routes[kind]);
                            sum.ends = [0, 1].map(|kind| sum.ends[kind].max(output.ends[kind]));
                        }
                    }
                    self.bus(strips[next], sum, &keys)
                }
            };
            done[next] = Some(output);
        }
        done
    }

    fn track(&mut self, track: &Channel<'a>, keys: &[Option<Signal>]) -> Output {
        if Self::closed(track.strip, track.muted) {
            return self.nothing();
        }
        let mut signal = self.silence();
        for showings in track.apart() {
            self.show(track, &showings, keys, &mut signal);
        }
        let end = track.showings.iter().filter_map(Showing::audible_end).max();
        let end = end.map_or(0, |end| {
            end + inserts::echo(&track.strip.inserts, self.model.session.rate.hz())
        });
        let passed = track.strip.solo || !self.soloing;
        let silence = self.silence();
        if passed {
            Output {
                passed: signal,
                unpassed: silence,
                routes: [true, false],
                ends: [end, 0],
            }
        } else {
            Output {
                passed: silence,
                unpassed: signal,
                routes: [false, true],
                ends: [0, end],
            }
        }
    }

    /// Adds what is shown of a track, after its strip.
    fn show(
        &mut self,
        track: &Channel<'a>,
        showings: &[&Showing<'a>],
        keys: &[Option<Signal>],
        out: &mut Signal,
    ) {
        let clock = |frame| own_time(showings, frame);
        let session = self.model.session;
        let names = speakers(session.layout);
        // What has sides already, and what is mono until the pan law places it.
        let (mut wide, mut mono) = (self.silence(), vec![vec![0.0; self.frames]]);
        for showing in showings {
            self.clips(track, showing, &mut wide, &mut mono[0]);
        }
        let inserts = &track.strip.inserts;
        if inserts::active(inserts).next().is_some() {
            let mut clips = showings.iter().flat_map(|s| s.shown()).peekable();
            let plays = clips.peek().is_some();
            let all_mono = session.layout != Layout::Mono && clips.all(Placed::is_mono);
            if plays && all_mono {
                inserts::process(inserts, keys, &clock, &mut mono, session.rate.hz());
            } else {
                // Beside others mono clips are placed in the centre, ahead of the inserts.
                let centre = pan_gains(session.pan_law, 0.0);
                for (wide, name) in wide.iter_mut().zip(names) {
                    let share = of_pan(name, centre);
                    for (wide, mono) in wide.iter_mut().zip(&mono[0]) {
                        *wide += mono * share;
                    }
                }
                mono[0].fill(0.0);
                inserts::process(inserts, keys, &clock, &mut wide, session.rate.hz());
            }
        }
        let largest = wide.iter().chain(&mono).flatten();
        let largest = largest.fold(0.0f64, |m, x| m.max(x.abs()));
        *self.loudest_input = self.loudest_input.max(largest);
        self.term(largest);
        for t in 0..self.frames {
            let own = clock(t as u64);
            let (level, pan) = (
                gain_at(track.strip.gain, &track.strip.gain_curve, own),
                pan_at(track.strip, own),
            );
            let sides = pan_gains(session.pan_law, pan);
            for ((out, wide), name) in out.iter_mut().zip(&wide).zip(names) {
                let signal = wide[t] * balance(name, pan) + mono[0][t] * of_pan(name, sides);
                out[t] += self.term(level * signal);
            }
        }
    }

    /// Adds the clips that are shown of a track, as they are ahead of its inserts.
    fn clips(
        &mut self,
        track: &Channel<'a>,
        showing: &Showing<'a>,
        wide: &mut Signal,
        mono: &mut [f64],
    ) {
        let layout = self.model.session.layout;
        let names = speakers(layout);
        let end = showing.end().min(self.read as u64);
        for t in showing.at.start..end {
            let own = showing.from + (t - showing.at.start);
            let outer = amplitude(showing.gain) * showing.at.fades(t);
            for placed in showing
                .clips
                .iter()
                .filter(|c| c.at.start <= own && own < c.at.end)
            {
                let (clip, stem) = (placed.clip, placed.stem);
                let offset = own - placed.at.start;
                let start = (0..clip.loops)
                    .map(|pass| pass_start(clip, stem, pass))
                    .filter(|start| *start <= offset)
                    .max()
                    .unwrap();
                let at = clip.from.0 + offset - start;
                let polarity = if track.invert { -1.0 } else { 1.0 };
                let gain = polarity * amplitude(clip.gain) * placed.at.fades(own) * outer;
                for (channel, from) in placed.channels() {
                    let sample = self.term(channel[at as usize] * gain);
                    if from == "M" && layout != Layout::Mono {
                        mono[t as usize] += sample;
                        continue;
                    }
                    for (wide, to) in wide.iter_mut().zip(names) {
                        wide[t as usize] += sample * folded(from, to, names);
                    }
                }
            }
        }
    }

    /// What a bus makes of its sum.
    fn bus(&mut self, strip: &Strip, mut sum: Output, keys: &[Option<Signal>]) -> Output {
        if Self::closed(strip, strip.mute) {
            return self.nothing();
        }
        // Both kinds are one signal from here on where both are heard the same ways: of a soloed bus, and of one from which
        // every way to the master leads through a soloed one.
        if strip.solo || (self.soloing && self.is_before_solo(strip)) {
            let unpassed = std::mem::replace(&mut sum.unpassed, self.silence());
            self.add(&mut sum.passed, &unpassed, 1.0);
            sum.routes = [sum.routes[0] || sum.routes[1], false];
            sum.ends = [sum.ends[0].max(sum.ends[1]), 0];
        }
        let session = self.model.session;
        let names = speakers(session.layout);
        for signal in [&mut sum.passed, &mut sum.unpassed] {
            if inserts::active(&strip.inserts).next().is_some() {
                inserts::process(
                    &strip.inserts,
                    keys,
                    &inserts::timeline,
                    signal,
                    session.rate.hz(),
                );
            }
            for (samples, name) in signal.iter_mut().zip(names) {
                for (t, sample) in samples.iter_mut().enumerate() {
                    let pan = pan_at(strip, t as u64);
                    *sample = self.term(*sample);
                    *sample = self.term(
                        *sample
                            * gain_at(strip.gain, &strip.gain_curve, t as u64)
                            * balance(name, pan),
                    );
                }
            }
        }
        let echo = inserts::echo(&strip.inserts, session.rate.hz());
        sum.ends = sum.ends.map(|end| if end > 0 { end + echo } else { 0 });
        sum
    }

    /// Whether a bus is heard, and through soloed buses alone.
    fn is_before_solo(&self, strip: &Strip) -> bool {
        self.leads_on(strip, false, &|_| true) && !self.leads_on(strip, false, &|soloed| !soloed)
    }

    /// Whether a route leads on from a strip to the master, through strips of which `fits` is told whether any is soloed.
    fn leads_on(&self, strip: &Strip, soloed: bool, fits: &dyn Fn(bool) -> bool) -> bool {
        let session = self.model.session;
        let sends = strip
            .sends
            .iter()
            .filter(|s| s.gain.0 != f64::NEG_INFINITY)
            .map(|s| s.to);
        let next = |id: BusId| {
            let to =
                &session.buses()[session.bus_ids().position(|other| other == id).unwrap()].strip;
            !Self::closed(to, to.mute) && self.leads_on(to, soloed || to.solo, fits)
        };
        (strip.to.is_none() && fits(soloed)) || strip.to.into_iter().chain(sends).any(next)
    }

    /// Audible part of a strip. Where what has passed a soloed strip and what has not go different ways from here, it is the
    /// first: the other is in what is heard of a soloed bus.
    fn heard_of(&mut self, number: usize, output: &Output) -> Signal {
        let strip = self.model.strips().nth(number).unwrap();
        let passed = output.routes[0] && self.leads_on(strip, false, &|_| true);
        let unpassed = output.routes[1] && self.leads_on(strip, false, &|soloed| soloed);
        let together = !self.leads_on(strip, false, &|soloed| !soloed);
        let mut heard = self.silence();
        if passed {
            self.add(&mut heard, &output.passed, 1.0);
        }
        if unpassed && (together || !passed) {
            self.add(&mut heard, &output.unpassed, 1.0);
        }
        heard
    }
}

/// The share of a mono signal that a speaker gets from the pan law, given its gains of left and right.
fn of_pan(name: &str, [left, right]: [f64; 2]) -> f64 {
    match name {
        "L" => left,
        "R" => right,
        _ => 0.0,
    }
}

/// What a balance does to a speaker: the far side is turned down, the middle stays.
fn balance(name: &str, pan: f64) -> f64 {
    match name.as_bytes()[0] {
        b'L' => (1.0 - pan).min(1.0),
        b'R' => (1.0 + pan).min(1.0),
        _ => 1.0,
    }
}
