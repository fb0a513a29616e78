//! Places clips on the timeline: opens their stems, checks each clip against its stem, and resolves its times to frames.

use super::{
    Passes, PlannedClip, Window, clip_check,
    cost::Cost,
    crossfade::{self, FadedSpan},
    route::TrackInput,
};
use crate::{
    cancel::Cancel,
    curve::{Automation, Curve},
    diagnostics::{OffGrid, Subject, Warning, WarningKind, suggest::beside},
    error::{Error, ErrorKind, Problem, Result},
    media::{Input, stem::Stem},
    session::{
        At, Clip, Session, Strip, Track,
        exact_times::{exact, phase, rounded_length},
        validate::{self, TrackName},
    },
    timecode::Timecode,
    units::{ExactFrames, Frames},
};
use std::{collections::HashMap, path::PathBuf, sync::Arc};

/// Number of files from which on they are opened on several threads. Fewer are open before the threads are.
#[cfg(feature = "threads")]
const MANY_FILES: usize = 64;

/// Places the clips of a session and collects problems and warnings. Opens every stem once.
pub(super) struct ClipPlacer<'a> {
    pub(super) session: &'a Session,
    /// The timecode of the output's first frame, in frames since midnight.
    pub(super) start: u64,
    stems: HashMap<StemKey, Option<Arc<Stem>>>,
    /// Files that were opened ahead of their clips.
    opened: HashMap<StemKey, Result<Stem>>,
    problems: Vec<Problem>,
    /// The error of the first stem that could not be opened. As the cause of the plan's error it shows whether trying again may
    /// help.
    cause: Option<Error>,
    notes: Vec<Warning>,
    /// The size of everything placed so far.
    cost: Cost,
    cancel: &'a Cancel,
}

impl<'a> ClipPlacer<'a> {
    pub(super) fn new(session: &'a Session, problems: Vec<Problem>, cancel: &'a Cancel) -> Self {
        let start = session.start.map_or(0, |s| s.frames(session.rate).0);
        Self {
            session,
            start,
            stems: HashMap::new(),
            opened: HashMap::new(),
            problems,
            cause: None,
            notes: Vec::new(),
            cost: Cost {
                nodes: session.buses().len() as u64 + 1,
                ..Cost::default()
            },
            cancel,
        }
    }

    /// Opens the files of all clips on several threads, where there are many. Their errors are reported where the clips are
    /// placed, in the order of those.
    #[cfg(feature = "threads")]
    pub(super) fn open_ahead(&mut self) {
        use rayon::iter::{IntoParallelIterator, ParallelIterator};
        let session = self.session;
        let in_cues = session.cues().iter().flat_map(|cue| &cue.tracks);
        let clips = session.tracks().iter().chain(in_cues);
        let mut files = HashMap::new();
        for clip in clips.flat_map(|track| &track.clips) {
            let chosen = clip.chosen_input();
            let Ok(input) = chosen.spoken(session.lang.as_deref()) else {
                continue;
            };
            if let Input::File { .. } = &*input {
                files.insert(StemKey::of(&input), input.into_owned());
            }
        }
        if files.len() < MANY_FILES {
            return;
        }
        let cancel = self.cancel;
        let probe = |(key, input): (StemKey, Input)| {
            cancel.check().ok()?;
            Some((key, Stem::probe(&input, session.rate, session.damage)))
        };
        let files: Vec<_> = files.into_iter().collect();
        self.opened = files.into_par_iter().filter_map(probe).collect();
    }

    /// Adds nodes and clips that are about to be made to the size of the plan, and reports whether the session's limit of
    /// memory suffices for everything so far.
    pub(super) fn has_memory_for(&mut self, counted: Cost) -> bool {
        let cost = &mut self.cost;
        cost.nodes = cost.nodes.saturating_add(counted.nodes);
        cost.clips = cost.clips.saturating_add(counted.clips);
        // Cues need not sound at the same time, so their bytes do not add up.
        cost.more = cost.more.max(counted.more);
        cost.excess(self.session.max_memory).is_none()
    }

    /// Returns the warnings.
    ///
    /// # Errors
    /// All problems at once.
    pub(super) fn finish(mut self) -> Result<Vec<Warning>> {
        if let Some(what) = self.cost.excess(self.session.max_memory) {
            self.report(Problem::new(what));
        }
        self.problems.dedup();
        if self.problems.is_empty() {
            return Ok(self.notes);
        }
        let is_alone = self.problems.len() == 1;
        let error = Error::session(self.problems);
        Err(match self.cause {
            Some(cause) if is_alone => error.located_as(&cause).because(cause),
            Some(cause) => error.because(cause),
            None => error,
        })
    }

    pub(super) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Places a track of the timeline.
    pub(super) fn track(&mut self, track: &'a Track) -> TrackInput<'a> {
        let name = TrackName {
            cue: None,
            track: &track.strip.name,
        };
        let (gain, pan) = automation(&track.strip);
        TrackInput {
            name: track.strip.name.clone(),
            strip: &track.strip,
            mute: track.strip.mute,
            clips: self.clips(&name, track),
            gain,
            pan,
            in_cue: None,
        }
    }

    /// Places the clips of a track in its own time: that of the timeline, or of its cue. Leaves out those with a problem.
    pub(super) fn clips(&mut self, name: &TrackName<'_>, track: &Track) -> Vec<PlannedClip> {
        let mut placed: Vec<(&Clip, PlannedClip)> = Vec::with_capacity(track.clips.len());
        for clip in &track.clips {
            let Some(stem) = self.stem(name, clip) else {
                continue;
            };
            let channel_map = clip_check::channel_map(self.session, name, clip, &stem);
            let at = self.at(name, clip, &stem);
            match (channel_map, at) {
                (Ok(channel_map), Some(at)) => {
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
                        channel_map,
                        layout,
                        window: Window::default(),
                    };
                    placed.push((clip, planned));
                }
                (Err(problems), _) => self.problems.extend(problems),
                (Ok(_), None) => {}
            }
        }
        self.crossfades(name, &mut placed);
        placed.into_iter().map(|(_, planned)| planned).collect()
    }

    fn crossfades(&mut self, name: &TrackName<'_>, placed: &mut [(&Clip, PlannedClip)]) {
        let span = |(clip, p): &(&Clip, PlannedClip)| {
            let length = exact(clip.crossfade.length, clip.exact.crossfade);
            let faded = rounded_length(self.phase(clip), length);
            FadedSpan {
                start: p.range.start,
                end: p.range.end,
                fade_in: p.fade_in,
                fade_out: p.fade_out,
                crossfade: clip.crossfade,
                crossfade_end: p.range.start.saturating_add(faded),
            }
        };
        let mut spans: Vec<FadedSpan> = placed.iter().map(span).collect();
        for (index, what) in crossfade::apply(&mut spans, "clip") {
            let Some((clip, planned)) = placed.get(index) else {
                continue;
            };
            let subject = name.subject().with_file(&planned.stem.name);
            let problem = Problem::about(subject, ErrorKind::Session, what);
            self.problems
                .push(clip.written.place(problem, &["crossfade"]));
        }
        for ((_, p), s) in placed.iter_mut().zip(spans) {
            (p.range.end, p.total, p.fade_in, p.fade_out) =
                (s.end, s.end - s.start, s.fade_in, s.fade_out);
        }
    }

    /// Returns the stem of a clip, which is opened once for all of its clips; `None` where it cannot be opened, which is a
    /// problem.
    fn stem(&mut self, name: &TrackName<'_>, clip: &Clip) -> Option<Arc<Stem>> {
        let (session, problems, cause) = (self.session, &mut self.problems, &mut self.cause);
        let mut report = |problem: Problem| problems.push(clip.written.place(problem, &["file"]));
        let chosen = clip.chosen_input();
        let input = match chosen.spoken(session.lang.as_deref()) {
            Ok(input) => input,
            Err(what) => {
                report(Problem::about(name.subject(), ErrorKind::Session, what));
                return None;
            }
        };
        // The plan is given up, whatever the stem.
        if self.cancel.check().is_err() {
            return None;
        }
        let key = StemKey::of(&input);
        let opened = self.opened.remove(&key);
        let known = self.stems.entry(key).or_insert_with(|| {
            let probed =
                opened.unwrap_or_else(|| Stem::probe(&input, session.rate, session.damage));
            let report = |e: Error| {
                let e = e.within(name).about_track(name.track);
                let problem = e.as_problem();
                if clip.written.is_somewhere() && e.kind() == ErrorKind::NotFound {
                    report(problem.with_hint(&beside(&input.located().unwrap_or_default().0)));
                } else {
                    report(problem);
                }
                cause.get_or_insert(e);
            };
            probed.map_err(report).ok().map(Arc::new)
        });
        known.clone()
    }

    /// Returns the fraction of a frame that rounding takes from the start of a clip.
    fn phase(&self, clip: &Clip) -> ExactFrames {
        phase(clip.at, clip.exact.at, self.session.rate)
    }

    /// Returns the frame of the track's time at which a clip starts; `None` where its position is a problem.
    fn at(&mut self, name: &TrackName<'_>, clip: &Clip, stem: &Stem) -> Option<u64> {
        let subject = name.subject().with_file(&stem.name);
        let place = |what| {
            clip.written
                .place(Problem::about(subject, ErrorKind::Session, what), &["at"])
        };
        let found = match clip.at {
            At::Frames(at) => Ok(at.0),
            // In a cue only frames are valid, which the validation has reported.
            _ if name.cue.is_some() => return None,
            At::Timecode(at) => self.timecode(&name.subject(), at),
            // The reference is rounded before `from` is added, so that stems recorded together stay aligned to the frame.
            At::Origin => match self.origin(&name.subject(), stem) {
                Some(zero) => self.after_start(zero + i128::from(clip.from.0)),
                None => {
                    Err("it has no time reference to place it by: state at as a time".to_owned())
                }
            },
        };
        found.map_err(|what| self.problems.push(place(what))).ok()
    }

    /// Adds a warning.
    pub(super) fn note(&mut self, kind: WarningKind, subject: Subject) {
        self.notes.push(Warning::new(kind, subject));
    }

    /// Returns the frame of the timeline that a timecode means; warns where it lies between two frames.
    ///
    /// # Errors
    /// A message where it lies before the start of the session.
    pub(super) fn timecode(&mut self, subject: &Subject, at: Timecode) -> Result<u64, String> {
        let rate = self.session.rate;
        let offset = at.rounding(rate);
        if offset != 0.0 {
            let position = OffGrid::Timecode {
                timecode: at,
                offset,
            };
            self.note(
                WarningKind::RoundedTimecode { position, rate },
                subject.clone(),
            );
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

    /// Returns the frame at which the time reference of a stem puts its first frame, relative to the start of the session;
    /// `None` without a reference. Warns where the reference lies between two frames.
    pub(super) fn origin(&mut self, subject: &Subject, stem: &Stem) -> Option<i128> {
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
            self.note(kind, subject.clone().with_file(&stem.name));
        }
        i128::try_from(at)
            .ok()
            .map(|at| at - i128::from(self.start))
    }

    /// Converts a frame that comes from a time reference to a frame of the timeline.
    ///
    /// # Errors
    /// A message where it lies before the start of the session or beyond 2^53 frames.
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
                // The start lies within a day of midnight, so the difference always fits.
                let early = u64::try_from(frame.unsigned_abs()).unwrap_or(u64::MAX);
                let early = Frames(early).clock(rate);
                Err(format!(
                    "its time reference lies {early} before the start of the session, {start}"
                ))
            }
        }
    }
}

/// Returns the passes of a clip whose start lies the fraction `phase` of a frame after a whole frame.
pub(super) fn passes(clip: &Clip, stem: &Stem, phase: ExactFrames) -> Passes {
    match clip.length {
        Some(length) => Passes::new(phase, exact(length, clip.exact.length), clip.loops),
        None => {
            let rest = stem.exact_frames().unwrap_or(Frames::ZERO.into());
            Passes::of_rest(rest.minus(clip.from.0), clip.loops)
        }
    }
}

/// Returns the gain and pan of a strip over time. A curve whose points are out of order, which the validation has reported, is
/// left out.
pub(super) fn automation(strip: &Strip) -> (Automation, Automation) {
    let (no_gain, no_pan) = (Curve::new(), Curve::new());
    let gain = if strip.gain_curve.in_order() {
        &strip.gain_curve
    } else {
        &no_gain
    };
    let pan = if strip.pan_curve.in_order() {
        &strip.pan_curve
    } else {
        &no_pan
    };
    (
        Automation::gain(gain, strip.gain),
        Automation::pan(pan, strip.pan),
    )
}

/// Identifies a stem: a file by path, stream and channel, a source of the program by its identity.
#[derive(PartialEq, Eq, Hash)]
enum StemKey {
    File(Option<(PathBuf, Option<usize>, Option<usize>)>),
    Program(String, usize, Option<usize>, Option<usize>),
    Opener(usize),
}

impl StemKey {
    fn of(input: &Input) -> Self {
        match input {
            Input::Open(opener) => Self::Opener(opener.identity()),
            Input::Program {
                file,
                stream,
                channel,
            } => Self::Program(file.name().to_owned(), file.identity(), *stream, *channel),
            file => Self::File(file.located()),
        }
    }
}
