//! From session to plan: everything is checked, stems are looked at, lanes are put in order.
//!
//! A plan is immutable and prints as text. Tracks, buses and the master are one thing in it: a lane, which is an input
//! (clips, or an ordered sum of feeds), a gain and a pan. Lanes stand in stages; those of one stage do not need each
//! other, and a sum always runs in the order of the session: tracks first, then buses.

mod check;
mod depth;
mod print;
mod route;

pub(crate) use check::session as check;

use crate::{
    curve::{Automation, Fade},
    dsp::{limiter::Limiter, pan::PanLaw},
    error::{Error, Result},
    layout::Layout,
    session::{Clip, Input, Session, Strip},
    source::{Spec, stem::Stem},
    units::{Dbtp, Decibels, Frames},
};
use std::{collections::HashMap, ops::Range, path::PathBuf, sync::Arc};

/// A session made ready to render: checked, ordered, printable.
///
/// ```
/// use soundtrack::{Layout, Plan, SampleRate, Session, Spec, Track, source::Memory};
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
/// mix.add_track(Track::new("click", Memory::new(spec, vec![vec![1.0; 480]])?));
/// assert_eq!(
///     Plan::compile(&mix)?.to_string(),
///     "plan  48000 Hz stereo, 2 lanes in 2 stages, 480 frames\n \
///      0 track   click   memory 48000 mono @0  gain 0.0 dB  pan C  -> 1\n \
///      1 master          sum 0                 gain 0.0 dB\n"
/// );
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Debug)]
pub struct Plan {
    pub(crate) spec: Spec,
    pub(crate) pan_law: PanLaw,
    pub(crate) length: Frames,
    /// The ceiling of the master's limiter, where it has one.
    pub(crate) limit: Option<Dbtp>,
    /// By stage; within a stage tracks before buses, in the order of the session. The last is the master.
    pub(crate) lanes: Vec<Lane>,
    /// The lanes of each stage.
    pub(crate) stages: Vec<Range<usize>>,
    /// Where any clip is heard: sorted, apart from each other. Outside these the output is exactly 0.0.
    pub(crate) sounding: Vec<Range<u64>>,
}

#[derive(Debug)]
pub(crate) struct Lane {
    pub kind: LaneKind,
    pub name: String,
    pub input: LaneInput,
    pub gain: Automation,
    pub pan: Automation,
    /// Whether anything of it is heard; others are not rendered.
    pub live: bool,
    /// Why a track is not heard that nobody muted.
    pub unused: Option<String>,
    /// The lanes it feeds, and how strong, for people.
    pub out: Vec<(usize, Decibels)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LaneKind {
    Track,
    Bus,
    Master,
}

#[derive(Debug)]
pub(crate) enum LaneInput {
    Clips(Vec<PlannedClip>),
    /// In the order of summing.
    Sum(Vec<Feed>),
}

/// One lane's signal into another's sum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Feed {
    pub lane: usize,
    pub gain: f64,
}

#[derive(Debug)]
pub(crate) struct PlannedClip {
    pub stem: Arc<Stem>,
    /// Where it sounds on the timeline.
    pub range: Range<u64>,
    /// The first frame of the stretch, in the stem.
    pub from: u64,
    /// The length of one pass.
    pub pass: u64,
    /// Level and polarity.
    pub gain: f64,
    pub fade_in: Fade,
    pub fade_out: Fade,
    pub place: Placing,
    /// The stem's layout, as the clip states it or as the file does.
    pub layout: Layout,
}

/// How a stem's channels come into the session's layout.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Placing {
    /// One channel, placed between left and right by the pan law.
    Pan,
    /// One row a channel of the session, one column a channel of the stem.
    Fold(Vec<Vec<f64>>),
}

impl Plan {
    /// Checks the whole session, opens every stem once to learn what it is, and puts everything in order.
    ///
    /// # Errors
    /// Everything that is wrong at once, in [`Error::problems`]: kind `Session`, or the kind that all problems share
    /// (`NotFound`, `Unsupported`, `Corrupt`).
    pub fn compile(session: &Session) -> Result<Self> {
        let mut problems = check::session(session);
        let mut stems: HashMap<StemKey, Option<Arc<Stem>>> = HashMap::new();
        let mut tracks = Vec::new();
        for track in session.tracks() {
            let mut clips = Vec::new();
            for clip in &track.clips {
                let known = stems.entry(StemKey::of(&clip.input)).or_insert_with(|| {
                    let probed = Stem::probe(&clip.input, session.rate, session.damage);
                    probed.map_err(|e| problems.push(e.in_track(&track.strip.name).into_problem())).ok().map(Arc::new)
                });
                if let Some(stem) = known {
                    match check::clip(session, &track.strip.name, clip, stem) {
                        Ok(place) => clips.push(planned(clip, stem, place, track.invert)),
                        Err(found) => problems.extend(found),
                    }
                }
            }
            tracks.push(clips);
        }
        if problems.is_empty() {
            Ok(route::lanes(session, tracks))
        } else {
            problems.dedup();
            Err(Error::session(problems))
        }
    }

    /// Rate and layout of the output.
    #[must_use]
    pub fn spec(&self) -> Spec {
        self.spec
    }

    /// Length of the output.
    #[must_use]
    pub fn length(&self) -> Frames {
        self.length
    }

    /// Frames that the master's limiter looks ahead; 0 where there is none. The output is not late by them: it starts and
    /// ends where it does without.
    #[must_use]
    pub fn latency(&self) -> Frames {
        self.limiter().map_or(Frames::ZERO, |limiter| Frames(limiter.latency()))
    }

    /// Frames before a place of the timeline that are rendered too when a render starts there, for the limiter to know
    /// what it knows in a render of everything; 0 where there is none.
    #[must_use]
    pub fn warm_up(&self) -> Frames {
        self.limiter().map_or(Frames::ZERO, |limiter| Frames(limiter.warm_up()))
    }

    fn limiter(&self) -> Option<Limiter> {
        self.limit.map(|ceiling| Limiter::new(ceiling.value(), self.spec.rate, 0))
    }

    /// Every file that is read, once.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = self.stems().filter_map(|s| s.path()).collect();
        files.sort();
        files.dedup();
        files
    }

    /// The stems of all clips, as often as they are used.
    fn stems(&self) -> impl Iterator<Item = &Stem> {
        self.lanes.iter().flat_map(Lane::clips).map(|c| &*c.stem)
    }
}

impl Lane {
    /// The clips of a track; none for a sum.
    pub(crate) fn clips(&self) -> &[PlannedClip] {
        match &self.input {
            LaneInput::Clips(clips) => clips,
            LaneInput::Sum(_) => &[],
        }
    }

    fn new(kind: LaneKind, strip: &Strip, input: LaneInput) -> Self {
        Self {
            kind,
            name: strip.name.clone(),
            input,
            gain: Automation::gain(&strip.gain_curve, strip.gain),
            pan: Automation::pan(&strip.pan_curve, strip.pan),
            live: true,
            unused: None,
            out: Vec::new(),
        }
    }
}

/// Files are known by path and stream, a program's sources by identity.
#[derive(PartialEq, Eq, Hash)]
enum StemKey {
    File(Option<(PathBuf, Option<usize>)>),
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

/// A checked clip with its numbers filled in.
fn planned(clip: &Clip, stem: &Arc<Stem>, place: Placing, invert: bool) -> PlannedClip {
    let pass = clip.length.or(stem.frames.map(|n| n - clip.from)).unwrap_or_default();
    let total = pass.0.saturating_mul(u64::from(clip.loops));
    let level = clip.gain.gain().0;
    PlannedClip {
        stem: Arc::clone(stem),
        range: clip.at.0..clip.at.0.saturating_add(total),
        from: clip.from.0,
        pass: pass.0,
        gain: if invert { -level } else { level },
        fade_in: clip.fade_in,
        fade_out: clip.fade_out,
        place,
        layout: clip.layout.unwrap_or(stem.spec.layout),
    }
}
