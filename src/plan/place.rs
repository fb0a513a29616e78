//! Places clips: finds their stems, checks them against those, and works out where they sound.

use super::{
    Passes, PlannedClip, Window, clip_check,
    cost::Cost,
    crossfade::{self, Stretch},
    route::Voice,
};
use crate::{
    curve::{Automation, Curve},
    diagnostics::{OffGrid, Subject, Warning, WarningKind, suggest::beside},
    error::{Error, ErrorKind, Problem, Result},
    media::{Input, stem::Stem},
    session::{
        At, Clip, Session, Strip, Track,
        exact_times::{exact, phase, rounded_length},
        validate::{self, Who},
    },
    timecode::Timecode,
    units::{ExactFrames, Frames},
};
use std::{collections::HashMap, path::PathBuf, sync::Arc};

/// Places all clips of a session; every stem is opened once.
pub(super) struct Place<'a> {
    pub(super) session: &'a Session,
    /// The output's first frame, counted from midnight.
    pub(super) start: u64,
    stems: HashMap<StemKey, Option<Arc<Stem>>>,
    problems: Vec<Problem>,
    /// The error of the first stem that could not be opened, whose cause says whether it may pass.
    cause: Option<Error>,
    notes: Vec<Warning>,
    /// What has been placed so far.
    cost: Cost,
}

impl<'a> Place<'a> {
    pub(super) fn new(session: &'a Session, problems: Vec<Problem>) -> Self {
        let start = session.start.map_or(0, |s| s.frames(session.rate).0);
        Self {
            session,
            start,
            stems: HashMap::new(),
            problems,
            cause: None,
            notes: Vec::new(),
            cost: Cost {
                nodes: session.buses().len() as u64 + 1,
                ..Cost::default()
            },
        }
    }

    /// Counts nodes and clips that are about to be made; `more` bytes of them are needed at the same time. Returns whether
    /// there is memory for all so far.
    pub(super) fn count(&mut self, counted: Cost) -> bool {
        let cost = &mut self.cost;
        cost.nodes = cost.nodes.saturating_add(counted.nodes);
        cost.clips = cost.clips.saturating_add(counted.clips);
        // Cues need not sound at the same time, so their bytes do not add up.
        cost.more = cost.more.max(counted.more);
        cost.excess(self.session.max_memory).is_none()
    }

    /// What was noted, or all that is wrong at once.
    pub(super) fn done(mut self) -> Result<Vec<Warning>> {
        if let Some(what) = self.cost.excess(self.session.max_memory) {
            self.say(Problem::new(what));
        }
        self.problems.dedup();
        if self.problems.is_empty() {
            return Ok(self.notes);
        }
        let error = Error::session(self.problems);
        Err(match self.cause {
            Some(cause) => error.because(cause),
            None => error,
        })
    }

    pub(super) fn say(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// A track of the timeline.
    pub(super) fn track(&mut self, track: &'a Track) -> Voice<'a> {
        let who = Who {
            cue: None,
            track: &track.strip.name,
        };
        let (gain, pan) = automation(&track.strip);
        Voice {
            name: track.strip.name.clone(),
            strip: &track.strip,
            mute: track.strip.mute,
            clips: self.clips(&who, track),
            gain,
            pan,
            in_cue: None,
        }
    }

    /// The clips of a track, in its own time: that of the timeline, or of its cue.
    pub(super) fn clips(&mut self, who: &Who<'_>, track: &Track) -> Vec<PlannedClip> {
        let mut placed: Vec<(&Clip, PlannedClip)> = Vec::with_capacity(track.clips.len());
        for clip in &track.clips {
            let Some(stem) = self.stem(who, clip) else {
                continue;
            };
            let place = clip_check::channel_map(self.session, who, clip, &stem);
            let at = self.at(who, clip, &stem);
            match (place, at) {
                (Ok(place), Some(at)) => {
                    let passes = passes(clip, &stem, self.phase(clip));
                    let total = passes.total();
                    let level = clip.gain.gain().0;
                    let layout = clip.layout.unwrap_or(stem.spec.layout);
                    let available = stem.frames.map_or(u64::MAX, |n| (n - clip.from).0);
                    let planned = PlannedClip {
                        stem,
                        range: at..at.saturating_add(total),
                        lead: 0,
                        total,
                        from: clip.from.0,
                        available,
                        passes,
                        gain: if track.invert { -level } else { level },
                        fade_in: clip.fade_in.within(total),
                        fade_out: clip.fade_out.within(total),
                        place,
                        layout,
                        window: Window::default(),
                    };
                    placed.push((clip, planned));
                }
                (Err(found), _) => self.problems.extend(found),
                (Ok(_), None) => {}
            }
        }
        self.crossfades(who, &mut placed);
        placed.into_iter().map(|(_, planned)| planned).collect()
    }

    fn crossfades(&mut self, who: &Who<'_>, placed: &mut [(&Clip, PlannedClip)]) {
        let stretch = |(clip, p): &(&Clip, PlannedClip)| {
            let length = exact(clip.crossfade.length, clip.exact.crossfade);
            let faded = rounded_length(self.phase(clip), length);
            Stretch {
                start: p.range.start,
                end: p.range.end,
                fade_in: p.fade_in,
                fade_out: p.fade_out,
                crossfade: clip.crossfade,
                crossfade_end: p.range.start.saturating_add(faded),
            }
        };
        let mut stretches: Vec<Stretch> = placed.iter().map(stretch).collect();
        for (index, what) in crossfade::apply(&mut stretches, "clip") {
            let Some((clip, planned)) = placed.get(index) else {
                continue;
            };
            let subject = who.subject().with_file(&planned.stem.name);
            let problem = Problem::about(subject, ErrorKind::Session, what);
            self.problems
                .push(clip.written.place(problem, &["crossfade"]));
        }
        for ((_, p), s) in placed.iter_mut().zip(stretches) {
            (p.range.end, p.total, p.fade_in, p.fade_out) =
                (s.end, s.end - s.start, s.fade_in, s.fade_out);
        }
    }

    /// The stem of a clip; looked at once for all clips of it.
    fn stem(&mut self, who: &Who<'_>, clip: &Clip) -> Option<Arc<Stem>> {
        let (session, problems, cause) = (self.session, &mut self.problems, &mut self.cause);
        let mut say = |problem: Problem| problems.push(clip.written.place(problem, &["file"]));
        let chosen = clip.chosen_input();
        let input = match chosen.spoken(session.lang.as_deref()) {
            Ok(input) => input,
            Err(what) => {
                say(Problem::about(who.subject(), ErrorKind::Session, what));
                return None;
            }
        };
        let known = self.stems.entry(StemKey::of(&input)).or_insert_with(|| {
            let probed = Stem::probe(&input, session.rate, session.damage);
            let told = |e: Error| {
                let e = e.within(who);
                let problem = e.as_problem();
                if clip.written.is_somewhere() && e.kind() == ErrorKind::NotFound {
                    say(problem.with_hint(&beside(&input.located().unwrap_or_default().0)));
                } else {
                    say(problem);
                }
                cause.get_or_insert(e);
            };
            probed.map_err(told).ok().map(Arc::new)
        });
        known.clone()
    }

    /// Returns how far the start of a clip lies behind a whole frame, before it is rounded.
    fn phase(&self, clip: &Clip) -> ExactFrames {
        phase(clip.at, clip.exact.at, self.session.rate)
    }

    /// The frame of its own time that a clip starts at.
    fn at(&mut self, who: &Who<'_>, clip: &Clip, stem: &Stem) -> Option<u64> {
        let subject = who.subject().with_file(&stem.name);
        let place = |what| {
            clip.written
                .place(Problem::about(subject, ErrorKind::Session, what), &["at"])
        };
        let found = match clip.at {
            At::Frames(at) => Ok(at.0),
            // Told when the session was checked.
            _ if who.cue.is_some() => return None,
            At::Timecode(at) => self.timecode(&who.subject(), at),
            // A stem stays on the frame that its reference rounds to, however much of its start is left out.
            At::Origin => match self.origin(&who.subject(), stem) {
                Some(zero) => self.after_start(zero + i128::from(clip.from.0)),
                None => {
                    Err("it has no time reference to place it by: state at as a time".to_owned())
                }
            },
        };
        found.map_err(|what| self.problems.push(place(what))).ok()
    }

    /// Notes what a report should tell.
    pub(super) fn note(&mut self, kind: WarningKind, subject: Subject) {
        self.notes.push(Warning::new(kind, subject));
    }

    /// The frame of the timeline that a timecode means.
    pub(super) fn timecode(&mut self, who: &Subject, at: Timecode) -> Result<u64, String> {
        let rate = self.session.rate;
        let offset = at.rounding(rate);
        if offset != 0.0 {
            let position = OffGrid::Timecode {
                timecode: at,
                offset,
            };
            self.note(WarningKind::RoundedTimecode { position, rate }, who.clone());
        }
        let from_midnight = at.frames(rate).0;
        match from_midnight.checked_sub(self.start) {
            Some(frame) => Ok(frame),
            None => {
                let start = self
                    .session
                    .start
                    .map(|s| s.to_string())
                    .unwrap_or_default();
                Err(format!(
                    "{at} lies before the start of the session, {start}"
                ))
            }
        }
    }

    /// Where on the timeline the first frame of a stem lies by its time reference; may lie before the start.
    pub(super) fn origin(&mut self, who: &Subject, stem: &Stem) -> Option<i128> {
        let reference = stem.info.as_ref()?.time_reference?;
        let (from, to) = (
            u128::from(stem.spec.rate.hz()),
            u128::from(self.session.rate.hz()),
        );
        let exact = u128::from(reference.0) * to;
        let at = (2 * exact + from) / (2 * from);
        if exact % from != 0 {
            let position = OffGrid::TimeReference { reference };
            let kind = WarningKind::RoundedTimecode {
                position,
                rate: self.session.rate,
            };
            self.note(kind, who.clone().with_file(&stem.name));
        }
        i128::try_from(at)
            .ok()
            .map(|at| at - i128::from(self.start))
    }

    /// Returns the frame of the timeline at `frame`, where a time reference put it; an error where that is before the
    /// start of the session or too far behind it.
    pub(super) fn after_start(&self, frame: i128) -> Result<u64, String> {
        let rate = self.session.rate;
        match u64::try_from(frame) {
            Ok(at) if at <= validate::FARTHEST.0 => Ok(at),
            Ok(_) => {
                Err("its time reference lies beyond 2^53 frames: state at as a time".to_owned())
            }
            Err(_) => {
                let start = self
                    .session
                    .start
                    .map_or_else(|| "00:00:00:00".to_owned(), |s| s.to_string());
                // References have 64 bits and the start is within a day, so that the difference fits.
                let early = u64::try_from(frame.unsigned_abs()).unwrap_or(u64::MAX);
                let early = Frames(early).clock(rate);
                Err(format!(
                    "its time reference lies {early} before the start of the session, {start}"
                ))
            }
        }
    }
}

/// Returns the passes of a clip whose start lies `phase` behind a whole frame.
pub(super) fn passes(clip: &Clip, stem: &Stem, phase: ExactFrames) -> Passes {
    match clip.length {
        Some(length) => Passes::new(phase, exact(length, clip.exact.length), clip.loops),
        None => {
            let rest = stem.exact_frames().unwrap_or(Frames::ZERO.into());
            Passes::of_rest(rest.minus(clip.from.0), clip.loops)
        }
    }
}

/// Gain and pan over time. Points that are out of order, which was told when the session was checked, draw no curve.
pub(super) fn automation(strip: &Strip) -> (Automation, Automation) {
    let (none, nowhere) = (Curve::new(), Curve::new());
    let gain = if strip.gain_curve.in_order() {
        &strip.gain_curve
    } else {
        &none
    };
    let pan = if strip.pan_curve.in_order() {
        &strip.pan_curve
    } else {
        &nowhere
    };
    (
        Automation::gain(gain, strip.gain),
        Automation::pan(pan, strip.pan),
    )
}

/// Files are known by path, stream and channel, a program's sources by identity.
#[derive(PartialEq, Eq, Hash)]
enum StemKey {
    File(Option<(PathBuf, Option<usize>, Option<usize>)>),
    Opener(usize),
}

impl StemKey {
    fn of(input: &Input) -> Self {
        match input {
            Input::Open(opener) => Self::Opener(opener.identity()),
            file => Self::File(file.located()),
        }
    }
}
