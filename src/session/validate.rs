//! Checks a session without opening a file, and reports all problems at once.

use super::{
    At, Clip, Cue, Deliverable, Insert, Selector, Session, Strip, Track,
    cycle::{cycle, key_cycle},
    release,
    source_text::KeySpans,
};
use crate::{
    curve::{Curve, Fade, FadeShape},
    error::{GainControl, HIGHEST_GAIN_DB, Number, Problem, ProblemKind, Subject},
    units::{Dbtp, Decibels, Frames, Pan, SampleRate},
};
use std::{collections::HashSet, fmt};

/// Largest position on the timeline, 2^53 frames: up to there `f64` holds every frame of a curve exactly.
pub(crate) const FARTHEST: Frames = Frames(1 << 53);

/// The name of a track for messages: `track "drums"`, `cue "storm", track "violins"`.
pub(crate) struct TrackName<'a> {
    pub cue: Option<&'a str>,
    pub track: &'a str,
}

impl TrackName<'_> {
    pub(crate) fn subject(&self) -> Subject {
        Subject::Track {
            cue: self.cue.map(str::to_owned),
            name: self.track.to_owned(),
            file: None,
        }
    }
}

impl fmt::Display for TrackName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cue) = self.cue {
            write!(f, "cue {cue:?}, ")?;
        }
        write!(f, "track {:?}", self.track)
    }
}

/// Collects problems.
struct Problems {
    found: Vec<Problem>,
    /// The session's sample rate.
    rate: SampleRate,
}

impl Problems {
    fn add(&mut self, subject: &Subject, kind: ProblemKind) {
        self.found.push(Problem::with_kind(subject.clone(), kind));
    }

    fn report(&mut self, subject: &Subject, what: String) {
        self.add(subject, ProblemKind::message(what));
    }

    /// Reports a problem at one of these keys of the session file.
    fn report_at(&mut self, written: &KeySpans, keys: &[&str], subject: &Subject, what: String) {
        let problem = Problem::with_kind(subject.clone(), ProblemKind::message(what));
        self.found.push(written.place(problem, keys));
    }
}

/// Returns all problems of a session that can be found without opening a file.
pub(crate) fn session(session: &Session) -> Vec<Problem> {
    let mut problems = Problems {
        found: Vec::new(),
        rate: session.rate,
    };
    if session.layout.speakers().is_empty() {
        problems.report(
            &Subject::Session,
            format!("the session's layout has no positions: {}", session.layout),
        );
    }
    if !session.rate.is_whole() {
        let what = format!(
            "the session's rate of {} Hz is not whole: only that of a stem need not be",
            session.rate
        );
        problems.report(&Subject::Session, what);
    }
    if session.tracks().is_empty() && session.cues().iter().all(|c| c.tracks.is_empty()) {
        problems.add(&Subject::Session, ProblemKind::Empty);
    }
    if session.length.is_some_and(|l| l > FARTHEST) {
        problems.report(
            &Subject::Session,
            "the session's length is beyond 2^53 frames".to_owned(),
        );
    }
    inserts(&Subject::Master, &session.master.inserts, &mut problems);
    gain(
        &Subject::Master,
        GainControl::Fader,
        session.master.gain,
        &mut problems,
    );
    gain_curve(&Subject::Master, &session.master.gain_curve, &mut problems);
    if let Some(Dbtp(limit)) = session
        .master
        .limit
        .filter(|l| !(-60.0..=0.0).contains(&l.0))
    {
        problems.add(
            &Subject::Master,
            ProblemKind::Limit {
                limit_dbtp: Number(limit),
            },
        );
    }
    let mut names = HashSet::new();
    for track in session.tracks() {
        let subject = TrackName {
            cue: None,
            track: &track.strip.name,
        }
        .subject();
        unique(
            &mut names,
            "track",
            &subject,
            &track.strip.name,
            &mut problems,
        );
        self::strip(&subject, &track.strip, session, &mut problems);
    }
    for bus in session.buses() {
        let subject = Subject::Bus {
            name: bus.strip.name.clone(),
        };
        unique(&mut names, "bus", &subject, &bus.strip.name, &mut problems);
        self::strip(&subject, &bus.strip, session, &mut problems);
    }
    if let Some(buses) = cycle(session) {
        problems.add(&Subject::Session, ProblemKind::BusCycle { buses });
    } else if let Some(circle) = key_cycle(session) {
        let what = format!(
            "side-chain keys close a circle: {}; a strip cannot be steered by what it feeds",
            circle.join(" -> ")
        );
        problems.report(&Subject::Session, what);
    }
    keys(session, &mut problems);
    for track in session.tracks() {
        clips(
            &TrackName {
                cue: None,
                track: &track.strip.name,
            }
            .subject(),
            track,
            &mut problems,
        );
    }
    for cue in session.cues() {
        let subject = Subject::Cue {
            name: cue.name.clone(),
            placement: None,
            file: None,
        };
        unique(&mut names, "cue", &subject, &cue.name, &mut problems);
        self::cue(cue, session, &mut problems);
    }
    for found in release::problems(session) {
        problems.report_at(found.written, &[found.key], &found.subject, found.what);
    }
    for deliverable in &session.deliverables {
        let subject = Subject::Deliverable {
            name: deliverable.name.clone(),
        };
        unique(
            &mut names,
            "deliverable",
            &subject,
            &deliverable.name,
            &mut problems,
        );
        problems.found.extend(session.foreign_part_of(deliverable));
        if deliverable.mute.contains(&Selector::Master) {
            problems.report(
                &subject,
                "mutes the master, which has no mute: mute tracks, buses or cues".to_owned(),
            );
        }
        for (key, what) in session.deliverable_faults(deliverable) {
            problems.report_at(&deliverable.written, &[key], &subject, what);
        }
    }
    problems.found
}

/// Returns all problems that keep a session from being rendered, though its file is right: those of [`session`], and processors
/// that the program has not supplied.
pub(crate) fn for_render(session: &Session) -> Vec<Problem> {
    let mut problems = Problems {
        found: self::session(session),
        rate: session.rate,
    };
    let mut check = |subject: Subject, inserts: &[Insert]| {
        for insert in inserts {
            if let Some(what) = insert.lacks_processor() {
                problems.report(&subject, format!("insert {:?}: {what}", insert.called()));
            }
        }
    };
    check(Subject::Master, &session.master.inserts);
    for bus in session.buses() {
        let name = bus.strip.name.clone();
        check(Subject::Bus { name }, &bus.strip.inserts);
    }
    let in_cues = session.cues().iter().flat_map(|cue| {
        let tracks = cue.tracks.iter();
        tracks.map(|track| (Some(cue.name.as_str()), track))
    });
    for (cue, track) in session
        .tracks()
        .iter()
        .map(|track| (None, track))
        .chain(in_cues)
    {
        let track_name = TrackName {
            cue,
            track: &track.strip.name,
        };
        check(track_name.subject(), &track.strip.inserts);
    }
    problems.found
}

/// Checks a cue, its tracks and its placements.
fn cue(cue: &Cue, session: &Session, problems: &mut Problems) {
    if cue.tracks.is_empty() {
        let subject = Subject::Cue {
            name: cue.name.clone(),
            placement: None,
            file: None,
        };
        problems.add(&subject, ProblemKind::Empty);
    }
    let mut names = HashSet::new();
    for track in &cue.tracks {
        let subject = TrackName {
            cue: Some(&cue.name),
            track: &track.strip.name,
        }
        .subject();
        unique(&mut names, "track", &subject, &track.strip.name, problems);
        strip(&subject, &track.strip, session, problems);
        clips(&subject, track, problems);
        for clip in &track.clips {
            match clip.at {
                At::Frames(_) => {}
                At::Timecode(at) => {
                    let what =
                        format!("{at} is a place against picture; in a cue, count from its start");
                    problems.report_at(&clip.written, &["at"], &subject, what);
                }
                At::Origin => {
                    let what = "in a cue, count from its start; at = \"origin\" is for its uses"
                        .to_owned();
                    problems.report_at(&clip.written, &["at"], &subject, what);
                }
            }
        }
    }
    let mut names = HashSet::new();
    for place in &cue.uses {
        let subject = Subject::Cue {
            name: cue.name.clone(),
            placement: Some(place.name.clone()),
            file: None,
        };
        if !names.insert(&place.name) {
            problems.report(&subject, "there are two of this name".to_owned());
        }
        gain(&subject, GainControl::Fader, place.gain, problems);
        let far = |f: Frames| f > FARTHEST;
        if place.at > At::Frames(FARTHEST) || far(place.from) || place.length.is_some_and(far) {
            problems.report_at(
                &place.written,
                &["at", "from", "length"],
                &subject,
                "it lies beyond 2^53 frames".to_owned(),
            );
        }
        [place.fade_in, place.fade_out, place.crossfade]
            .into_iter()
            .for_each(|f| fade(&subject, f, problems));
    }
}

/// Checks that a name is not empty and unique among its kind.
fn unique<'n>(
    names: &mut HashSet<(&'static str, &'n str)>,
    kind: &'static str,
    subject: &Subject,
    name: &'n str,
    problems: &mut Problems,
) {
    if name.is_empty() {
        problems.report(&Subject::Session, format!("a {kind} has no name"));
    } else if !names.insert((kind, name)) {
        problems.report(subject, "there are two of this name".to_owned());
    }
}

fn clips(subject: &Subject, track: &Track, problems: &mut Problems) {
    if track.clips.is_empty() {
        problems.add(subject, ProblemKind::Empty);
    }
    track
        .clips
        .iter()
        .for_each(|c| clip_alone(subject, c, problems));
}

/// Checks the side-chain keys of all inserts.
fn keys(session: &Session, problems: &mut Problems) {
    let buses = session.buses().iter().map(|bus| {
        let name = bus.strip.name.clone();
        (Subject::Bus { name }, &bus.strip.inserts)
    });
    let tracks = session.tracks().iter().map(|track| (None, track));
    let in_cues = session.cues().iter().flat_map(|cue| {
        let tracks = cue.tracks.iter();
        tracks.map(|track| (Some(cue.name.as_str()), track))
    });
    let tracks = tracks.chain(in_cues).map(|(cue, track)| {
        let name = TrackName {
            cue,
            track: &track.strip.name,
        };
        (name.subject(), &track.strip.inserts)
    });
    let master = [(Subject::Master, &session.master.inserts)];
    for (subject, inserts) in tracks.chain(buses).chain(master) {
        for insert in inserts {
            let Some(key) = insert.key else { continue };
            let (called, kind) = (insert.called(), insert.kind_name());
            let what = match key {
                _ if !insert.takes_key() => format!("insert {called:?}: a {kind} takes no key"),
                Selector::Track(_) | Selector::Bus(_) if session.lacks(key) => {
                    format!("insert {called:?}: its key is not in this session")
                }
                Selector::Track(_) | Selector::Bus(_) => continue,
                _ => format!("insert {called:?}: only a track outside cues or a bus can be a key"),
            };
            problems.report(&subject, what);
        }
    }
}

fn inserts(subject: &Subject, inserts: &[Insert], problems: &mut Problems) {
    for insert in inserts {
        let called = insert.called();
        insert
            .problems(problems.rate)
            .into_iter()
            .for_each(|what| problems.report(subject, format!("insert {called:?}: {what}")));
    }
}

fn strip(subject: &Subject, strip: &Strip, session: &Session, problems: &mut Problems) {
    inserts(subject, &strip.inserts, problems);
    gain(subject, GainControl::Fader, strip.gain, problems);
    gain_curve(subject, &strip.gain_curve, problems);
    let pans = strip
        .pan_curve
        .points
        .iter()
        .map(|p| p.value)
        .chain([strip.pan]);
    for Pan(pan) in pans.filter(|p| !(-1.0..=1.0).contains(&p.0)) {
        problems.add(subject, ProblemKind::Pan { pan: Number(pan) });
    }
    curve_order(subject, "pan", &strip.pan_curve, problems);
    let targets = strip.sends.iter().map(|s| s.to).chain(strip.to);
    for bus in targets.filter(|bus| session.lacks((*bus).into())) {
        let (number, buses) = (bus.0.saturating_add(1), session.buses().len());
        let what = if session.owns(bus.into()) {
            format!("goes to bus number {number} of {buses}, which is not in this session")
        } else {
            format!(
                "goes to bus number {number} of another session: use the id that this session's add_bus returned"
            )
        };
        problems.report(subject, what);
    }
    strip
        .sends
        .iter()
        .for_each(|s| gain(subject, GainControl::Send, s.gain, problems));
}

fn gain(subject: &Subject, control: GainControl, gain: Decibels, problems: &mut Problems) {
    if gain.0.is_nan() || gain.0 > HIGHEST_GAIN_DB {
        problems.add(
            subject,
            ProblemKind::Gain {
                control,
                gain_db: Number(gain.0),
            },
        );
    }
}

fn gain_curve(subject: &Subject, curve: &Curve<Decibels>, problems: &mut Problems) {
    curve
        .points
        .iter()
        .for_each(|p| gain(subject, GainControl::CurvePoint, p.value, problems));
    curve_order(subject, "gain", curve, problems);
}

fn curve_order<T>(subject: &Subject, what: &str, curve: &Curve<T>, problems: &mut Problems) {
    if !curve.in_order() {
        problems.report(
            subject,
            format!("the points of the {what} curve are not in order of time"),
        );
    }
    if curve.points.iter().any(|p| p.at > FARTHEST) {
        problems.report(
            subject,
            format!("a point of the {what} curve lies beyond 2^53 frames"),
        );
    }
}

/// Checks a clip without regard to its stem.
fn clip_alone(subject: &Subject, clip: &Clip, problems: &mut Problems) {
    gain(subject, GainControl::Clip, clip.gain, problems);
    if clip.loops == 0 {
        let what = format!(
            "a clip of {} is played 0 times; loops starts at 1",
            clip.input
        );
        problems.report_at(&clip.written, &["loop"], subject, what);
    }
    if clip.at > At::Frames(FARTHEST)
        || clip.from > FARTHEST
        || clip.length.is_some_and(|l| l > FARTHEST)
    {
        let what = format!("a clip of {} lies beyond 2^53 frames", clip.input);
        problems.report_at(&clip.written, &["at", "from", "length"], subject, what);
    }
    [clip.fade_in, clip.fade_out, clip.crossfade]
        .into_iter()
        .for_each(|f| fade(subject, f, problems));
}

fn fade(subject: &Subject, fade: Fade, problems: &mut Problems) {
    if let FadeShape::DecibelLinear(range) = fade.shape
        && !(range.is_finite() && range > 0.0)
    {
        problems.report(
            subject,
            format!("a fade's range of {range} dB is no positive number"),
        );
    }
}

impl Session {
    /// Returns the problem of a deliverable that names a part which is not in the session.
    pub(crate) fn foreign_part_of(&self, deliverable: &Deliverable) -> Option<Problem> {
        let stems = deliverable.stems.iter().map(|&bus| Selector::Bus(bus));
        let mut parts = stems
            .chain(deliverable.mute.iter().copied())
            .chain(deliverable.solo.iter().copied())
            .chain(deliverable.cue.map(Selector::Cue));
        let subject = Subject::Deliverable {
            name: deliverable.name.clone(),
        };
        let what = "names a part that is not in this session";
        parts
            .any(|part| self.lacks(part))
            .then(|| Problem::with_kind(subject, ProblemKind::message(what.to_owned())))
    }
}
