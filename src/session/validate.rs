//! Checks a session without opening a file, and reports everything that is wrong at once.

use super::{At, BusId, Clip, Cue, Part, Session, Strip, Track, cycle::cycle, written::Written};
use crate::{
    curve::{Curve, Fade, FadeShape},
    error::{Problem, Subject},
    units::{Dbtp, Decibels, Frames, Pan},
};
use std::{collections::HashSet, fmt};

/// The highest gain that is no mistake.
const LOUDEST: f64 = 200.0;

/// Two to the 53rd: positions beyond are no time a session can mean, and would not be exact in a curve.
pub(crate) const FARTHEST: Frames = Frames(1 << 53);

/// A track, by name: `track "drums"`, `cue "storm", track "violins"`.
pub(crate) struct Who<'a> {
    pub cue: Option<&'a str>,
    pub track: &'a str,
}

impl Who<'_> {
    pub(crate) fn subject(&self) -> Subject {
        Subject::Track { cue: self.cue.map(str::to_owned), name: self.track.to_owned(), file: None }
    }
}

impl fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cue) = self.cue {
            write!(f, "cue {cue:?}, ")?;
        }
        write!(f, "track {:?}", self.track)
    }
}

/// One thing that is wrong with a session.
pub(crate) struct Finding {
    pub problem: Problem,
    /// Whether something is merely empty: a session without tracks, a cue without tracks, a track without clips. A session
    /// file may be so, since the program that loads it may still add them.
    pub is_empty: bool,
}

/// Collects findings.
#[derive(Default)]
struct Wrong(Vec<Finding>);

impl Wrong {
    fn say(&mut self, what: String) {
        self.0.push(Finding { problem: Problem::new(what), is_empty: false });
    }

    fn say_empty(&mut self, what: String) {
        self.0.push(Finding { problem: Problem::new(what), is_empty: true });
    }

    /// Reports a problem at one of these keys of the session file.
    fn say_at(&mut self, written: &Written, keys: &[&str], what: String) {
        let problem = written.place(Problem::new(what), keys);
        self.0.push(Finding { problem, is_empty: false });
    }
}

/// Returns everything that is wrong with a session, as far as it shows without opening a file.
pub(crate) fn session(session: &Session) -> Vec<Finding> {
    let mut wrong = Wrong::default();
    if session.layout.speakers().is_empty() {
        wrong.say(format!("the session's layout has no positions: {}", session.layout));
    }
    if session.tracks().is_empty() && session.cues().iter().all(|c| c.tracks.is_empty()) {
        wrong.say_empty("the session has no tracks".to_owned());
    }
    if session.length.is_some_and(|l| l > FARTHEST) {
        wrong.say("the session's length is beyond 2^53 frames".to_owned());
    }
    gain("the master", "gain", session.master.gain, &mut wrong);
    gain_curve("the master", &session.master.gain_curve, &mut wrong);
    if let Some(Dbtp(limit)) = session.master.limit.filter(|l| !(-60.0..=0.0).contains(&l.0)) {
        wrong.say(format!("the master: limit of {limit} dBTP is outside -60 to 0 dBTP"));
    }
    let buses = session.buses().len();
    let mut names = HashSet::new();
    for track in session.tracks() {
        let who = Who { cue: None, track: &track.strip.name };
        unique(&mut names, "track", &who, &track.strip.name, &mut wrong);
        self::strip(&who, &track.strip, buses, &mut wrong);
    }
    for bus in session.buses() {
        let who = format!("bus {:?}", bus.strip.name);
        unique(&mut names, "bus", &who, &bus.strip.name, &mut wrong);
        self::strip(&who, &bus.strip, buses, &mut wrong);
    }
    if let Some(path) = cycle(session) {
        wrong.say(format!("buses feed each other in a circle: {path}"));
    }
    for track in session.tracks() {
        clips(&Who { cue: None, track: &track.strip.name }, track, &mut wrong);
    }
    for cue in session.cues() {
        unique(&mut names, "cue", &format!("cue {:?}", cue.name), &cue.name, &mut wrong);
        self::cue(cue, buses, &mut wrong);
    }
    for deliverable in &session.deliverables {
        let who = format!("deliverable {:?}", deliverable.name);
        unique(&mut names, "deliverable", &who, &deliverable.name, &mut wrong);
        let lost = |part: &&Part| session.lacks(**part);
        if deliverable.mute.iter().any(|p| lost(&p)) || deliverable.stems.iter().any(|b| lost(&&Part::Bus(*b))) {
            wrong.say(format!("{who}: names a part that is not in this session"));
        }
    }
    wrong.0
}

/// A cue, its tracks and its uses.
fn cue(cue: &Cue, buses: usize, wrong: &mut Wrong) {
    if cue.tracks.is_empty() {
        wrong.say_empty(format!("cue {:?}: it has no tracks", cue.name));
    }
    let mut names = HashSet::new();
    for track in &cue.tracks {
        let who = Who { cue: Some(&cue.name), track: &track.strip.name };
        unique(&mut names, "track", &who, &track.strip.name, wrong);
        strip(&who, &track.strip, buses, wrong);
        clips(&who, track, wrong);
        for clip in &track.clips {
            match clip.at {
                At::Frames(_) => {}
                At::Timecode(at) => {
                    let what = format!("{who}: {at} is a place against picture; in a cue, count from its start");
                    wrong.say_at(&clip.written, &["at"], what);
                }
                At::Origin => {
                    let what = format!("{who}: in a cue, count from its start; at = \"origin\" is for its uses");
                    wrong.say_at(&clip.written, &["at"], what);
                }
            }
        }
    }
    let mut names = HashSet::new();
    for place in &cue.uses {
        let who = format!("cue {:?}, use {:?}", cue.name, place.name);
        if !names.insert(&place.name) {
            wrong.say(format!("{who}: there are two of this name"));
        }
        gain(&who, "gain", place.gain, wrong);
        let far = |f: Frames| f > FARTHEST;
        if place.at > At::Frames(FARTHEST) || far(place.from) || place.length.is_some_and(far) {
            wrong.say_at(&place.written, &["at", "from", "length"], format!("{who}: it lies beyond 2^53 frames"));
        }
        [place.fade_in, place.fade_out, place.crossfade].into_iter().for_each(|f| fade(&who, f, wrong));
    }
}

/// Whether a name is missing, or one of its kind is there twice.
fn unique<'n>(
    names: &mut HashSet<(&'static str, &'n str)>,
    kind: &'static str,
    who: &impl fmt::Display,
    name: &'n str,
    wrong: &mut Wrong,
) {
    if name.is_empty() {
        wrong.say(format!("a {kind} has no name"));
    } else if !names.insert((kind, name)) {
        wrong.say(format!("{who}: there are two of this name"));
    }
}

fn clips(who: &Who<'_>, track: &Track, wrong: &mut Wrong) {
    if track.clips.is_empty() {
        wrong.say_empty(format!("{who}: it has no clip"));
    }
    track.clips.iter().for_each(|c| clip_alone(who, c, wrong));
}

fn strip(who: &impl fmt::Display, strip: &Strip, buses: usize, wrong: &mut Wrong) {
    gain(who, "gain", strip.gain, wrong);
    gain_curve(who, &strip.gain_curve, wrong);
    let pans = strip.pan_curve.points.iter().map(|p| p.value).chain([strip.pan]);
    for Pan(pan) in pans.filter(|p| !(-1.0..=1.0).contains(&p.0)) {
        wrong.say(format!("{who}: pan {pan} is outside -1 (left) to 1 (right)"));
    }
    curve_order(who, "pan", &strip.pan_curve, wrong);
    let targets = strip.sends.iter().map(|s| s.to).chain(strip.to);
    for BusId(bus) in targets.filter(|b| b.0 >= buses) {
        wrong.say(format!(
            "{who}: goes to bus number {} of {buses}, which is not in this session",
            bus.saturating_add(1)
        ));
    }
    strip.sends.iter().for_each(|s| gain(who, "send", s.gain, wrong));
}

fn gain(who: &(impl fmt::Display + ?Sized), what: &str, gain: Decibels, wrong: &mut Wrong) {
    if gain.0.is_nan() {
        wrong.say(format!("{who}: {what} is not a number"));
    } else if gain.0 > LOUDEST {
        // Absurd numbers in few digits.
        let level = if gain.0 < 1e6 { format!("{:+}", gain.0) } else { format!("{:+e}", gain.0) };
        wrong.say(format!("{who}: {what} of {level} dB is above +{LOUDEST} dB"));
    }
}

fn gain_curve(who: &(impl fmt::Display + ?Sized), curve: &Curve<Decibels>, wrong: &mut Wrong) {
    curve.points.iter().for_each(|p| gain(who, "a point of the gain curve", p.value, wrong));
    curve_order(who, "gain", curve, wrong);
}

fn curve_order<T>(who: &(impl fmt::Display + ?Sized), what: &str, curve: &Curve<T>, wrong: &mut Wrong) {
    if !curve.in_order() {
        wrong.say(format!("{who}: the points of the {what} curve are not in order of time"));
    }
    if curve.points.iter().any(|p| p.at > FARTHEST) {
        wrong.say(format!("{who}: a point of the {what} curve lies beyond 2^53 frames"));
    }
}

/// What is wrong with a clip whatever its stem is.
fn clip_alone(who: &Who<'_>, clip: &Clip, wrong: &mut Wrong) {
    gain(who, "a clip's gain", clip.gain, wrong);
    if clip.loops == 0 {
        let what = format!("{who}: a clip of {} is played 0 times; loops starts at 1", clip.input);
        wrong.say_at(&clip.written, &["loop"], what);
    }
    if clip.at > At::Frames(FARTHEST) || clip.from > FARTHEST || clip.length.is_some_and(|l| l > FARTHEST) {
        let what = format!("{who}: a clip of {} lies beyond 2^53 frames", clip.input);
        wrong.say_at(&clip.written, &["at", "from", "length"], what);
    }
    [clip.fade_in, clip.fade_out, clip.crossfade].into_iter().for_each(|f| fade(who, f, wrong));
}

fn fade(who: &impl fmt::Display, fade: Fade, wrong: &mut Wrong) {
    if let FadeShape::DecibelLinear(range) = fade.shape
        && !(range.is_finite() && range > 0.0)
    {
        wrong.say(format!("{who}: a fade's range of {range} dB is no positive number"));
    }
}
