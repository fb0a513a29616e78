//! What can be wrong with a session, all of it at once.

use super::Placing;
use crate::{
    curve::{Curve, FadeShape},
    error::{ErrorKind, Problem},
    layout::Layout,
    session::{BusId, Clip, Session, Strip},
    source::stem::Stem,
    units::{Dbtp, Decibels, Frames, Pan},
};
use std::collections::HashSet;

/// The highest gain that is no mistake.
const LOUDEST: f64 = 200.0;

/// Two to the 53rd: positions beyond are no time a session can mean, and would not be exact in a curve.
const FARTHEST: Frames = Frames(1 << 53);

/// Everything that can be seen without opening a file.
pub(crate) fn session(session: &Session) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |what: String| problems.push(Problem::new(what));
    if session.layout.speakers().is_empty() {
        say(format!("the session's layout has no positions: {}", session.layout));
    }
    if session.tracks().is_empty() {
        say("the session has no tracks".to_owned());
    }
    if session.length.is_some_and(|l| l > FARTHEST) {
        say("the session's length is beyond 2^53 frames".to_owned());
    }
    gain("the master", "gain", session.master.gain, &mut say);
    gain_curve("the master", &session.master.gain_curve, &mut say);
    if let Some(Dbtp(limit)) = session.master.limit.filter(|l| !(-60.0..=24.0).contains(&l.0)) {
        say(format!("the master: a limit of {limit} dBTP is outside -60 to 24"));
    }
    let tracks = session.tracks().iter().map(|t| ("track", &t.strip));
    let buses = session.buses().iter().map(|b| ("bus", &b.strip));
    let mut names = HashSet::new();
    for (kind, strip) in tracks.chain(buses) {
        let who = format!("{kind} {:?}", strip.name);
        if strip.name.is_empty() {
            say(format!("a {kind} has no name"));
        } else if !names.insert((kind, &strip.name)) {
            say(format!("{who}: there are two of this name"));
        }
        self::strip(&who, strip, session.buses().len(), &mut say);
    }
    if let Some(path) = cycle(session) {
        say(format!("buses feed each other in a circle: {path}"));
    }
    for track in session.tracks() {
        let who = format!("track {:?}", track.strip.name);
        if track.clips.is_empty() {
            say(format!("{who}: it has no clip"));
        }
        track.clips.iter().for_each(|c| self::clip_alone(&who, c, &mut say));
    }
    problems
}

fn strip(who: &str, strip: &Strip, buses: usize, say: &mut impl FnMut(String)) {
    gain(who, "gain", strip.gain, say);
    gain_curve(who, &strip.gain_curve, say);
    let pans = strip.pan_curve.points.iter().map(|p| p.value).chain([strip.pan]);
    for Pan(pan) in pans.filter(|p| !(-1.0..=1.0).contains(&p.0)) {
        say(format!("{who}: pan {pan} is outside -1 (left) to 1 (right)"));
    }
    curve_order(who, "pan", &strip.pan_curve, say);
    let targets = strip.sends.iter().map(|s| s.to).chain(strip.to);
    for BusId(bus) in targets.filter(|b| b.0 >= buses) {
        say(format!("{who}: goes to bus number {} of {buses}, which is not in this session", bus.saturating_add(1)));
    }
    strip.sends.iter().for_each(|s| gain(who, "send", s.gain, say));
}

fn gain(who: &str, what: &str, gain: Decibels, say: &mut impl FnMut(String)) {
    if gain.0.is_nan() {
        say(format!("{who}: {what} is not a number"));
    } else if gain.0 > LOUDEST {
        // Absurd numbers in few digits.
        let level = if gain.0 < 1e6 { format!("{:+}", gain.0) } else { format!("{:+e}", gain.0) };
        say(format!("{who}: {what} of {level} dB is above +{LOUDEST} dB"));
    }
}

fn gain_curve(who: &str, curve: &Curve<Decibels>, say: &mut impl FnMut(String)) {
    curve.points.iter().for_each(|p| gain(who, "a point of the gain curve", p.value, say));
    curve_order(who, "gain", curve, say);
}

fn curve_order<T>(who: &str, what: &str, curve: &Curve<T>, say: &mut impl FnMut(String)) {
    if !curve.in_order() {
        say(format!("{who}: the points of the {what} curve are not in order of time"));
    }
    if curve.points.iter().any(|p| p.at > FARTHEST) {
        say(format!("{who}: a point of the {what} curve lies beyond 2^53 frames"));
    }
}

/// What is wrong with a clip whatever its stem is.
fn clip_alone(who: &str, clip: &Clip, say: &mut impl FnMut(String)) {
    gain(who, "a clip's gain", clip.gain, say);
    if clip.loops == 0 {
        say(format!("{who}: a clip of {} is played 0 times; loops starts at 1", clip.input));
    }
    if clip.at > FARTHEST || clip.from > FARTHEST || clip.length.is_some_and(|l| l > FARTHEST) {
        say(format!("{who}: a clip of {} lies beyond 2^53 frames", clip.input));
    }
    for fade in [clip.fade_in, clip.fade_out] {
        if let FadeShape::DecibelLinear(range) = fade.shape
            && !(range.is_finite() && range > 0.0)
        {
            say(format!("{who}: a fade's range of {range} dB is no positive number"));
        }
    }
}

/// What is wrong with a clip of this stem; or how its channels are placed.
pub(super) fn clip(session: &Session, track: &str, clip: &Clip, stem: &Stem) -> Result<Placing, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut say = |kind, what: String| {
        let what = format!("track {track:?}: {}: {what}", stem.name);
        problems.push(Problem::of(kind, what));
    };
    let length = stem.frames.map(|n| n.0);
    let wanted = clip.length.map(|l| clip.from + l);
    match (length, wanted) {
        (None, None) => say(ErrorKind::Session, "its length is not known, so the clip must state one".to_owned()),
        (Some(n), Some(end)) if end.0 > n => {
            let clock = |f: u64| Frames(f).clock(session.rate);
            let what =
                format!("the clip ends at {} ({end} frames), the file at {} ({n} frames)", clock(end.0), clock(n));
            say(ErrorKind::Session, what);
        }
        (Some(n), None) if clip.from.0 > n => {
            say(ErrorKind::Session, format!("the clip starts at frame {}, the file ends at {n}", clip.from));
        }
        _ => {}
    }
    let total = clip.length.map(|l| l.0).or(length.map(|n| n.saturating_sub(clip.from.0)));
    let total = total.map_or(0, |pass| pass.saturating_mul(u64::from(clip.loops)));
    for (fade, name) in [(clip.fade_in, "fade-in"), (clip.fade_out, "fade-out")] {
        if fade.length.0 > total {
            let what = format!("the {name} of {} frames is longer than the clip of {total}", fade.length);
            say(ErrorKind::Session, what);
        }
    }
    let layout = clip.layout.unwrap_or(stem.spec.layout);
    if layout.channels() != stem.spec.layout.channels() {
        let (stated, there) = (layout, stem.spec.layout.channels());
        let what = format!("the clip's layout {stated} has {} channels, the file {there}", layout.channels());
        say(ErrorKind::Session, what);
        return Err(problems);
    }
    let place = match layout.fold(session.layout) {
        Some(_) if layout == Layout::Mono && session.layout != Layout::Mono => Placing::Pan,
        Some(rows) => Placing::Fold(rows),
        None => {
            let what = format!("it has {layout}; say which layout they are, e.g. layout = \"5.1\"");
            say(ErrorKind::Unsupported, what);
            return Err(problems);
        }
    };
    if problems.is_empty() { Ok(place) } else { Err(problems) }
}

/// The names of buses that feed each other in a circle.
fn cycle(session: &Session) -> Option<String> {
    let buses = session.buses();
    let next = |bus: usize| {
        let strip = buses.get(bus).map(|b| &b.strip);
        strip.into_iter().flat_map(|s| s.to.into_iter().chain(s.sends.iter().map(|s| s.to))).map(|b| b.0)
    };
    // Depth first, without recursion: the path so far, and what is still to be tried from each bus on it.
    let mut done = vec![false; buses.len()];
    for root in 0..buses.len() {
        let mut path = vec![(root, next(root).collect::<Vec<_>>())];
        while let Some((bus, ways)) = path.last_mut() {
            let bus = *bus;
            let Some(way) = ways.pop() else {
                done.iter_mut().skip(bus).take(1).for_each(|d| *d = true);
                path.pop();
                continue;
            };
            if let Some(first) = path.iter().position(|(b, _)| *b == way) {
                let ring = path.iter().skip(first).map(|(b, _)| *b).chain([way]);
                let names = ring.filter_map(|b| buses.get(b)).map(|b| b.strip.name.as_str());
                return Some(names.collect::<Vec<_>>().join(" -> "));
            }
            if done.get(way) == Some(&false) {
                path.push((way, next(way).collect()));
            }
        }
    }
    None
}
