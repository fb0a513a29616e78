//! Compiles a session into a plan: checks everything, probes the stems, and arranges the strips as a graph.
//!
//! A plan is immutable and prints as text. Tracks, buses and the master are nodes of one kind: an input (clips, or an
//! ordered sum of edges), inserts, a gain and a pan. Nodes stand in stages. The nodes of one stage do not need each other,
//! and a sum always runs in the order of the session: tracks first, then buses.

mod align;
pub(crate) mod chain;
mod clip_check;
mod cost;
mod crossfade;
mod cue;
mod depth;
mod fingerprint;
mod id_vec;
mod markers;
mod passes;
mod place;
mod print;
pub(crate) mod ranges;
mod route;
mod routing;

pub(crate) use align::{Lag, sounding};
pub(crate) use chain::Chain;
pub(crate) use cue::InCue;
pub use cue::{PlannedCue, PlannedUse};
pub(crate) use id_vec::IdVec;
pub(crate) use passes::Passes;
pub(crate) use route::Scope;
pub(crate) use routing::{Gates, NodeIndex, Routing};

use crate::{
    curve::{Automation, Fade},
    diagnostics::{Subject, Unheard, Warning},
    dsp::pan::PanLaw,
    encode::Dither,
    error::{Error, ErrorKind, Result},
    layout::Layout,
    layout::Spec,
    media::stem::Stem,
    session::{Session, validate},
    timecode::{FrameRate, Timecode},
    units::{Dbtp, Decibels, Frames},
};
use std::{ops::Range, path::PathBuf, sync::Arc};

/// A session made ready to render: checked, ordered, printable.
///
/// ```
/// use soundtrack::{Layout, Plan, SampleRate, Session, Spec, Track, media::Memory};
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
/// mix.add_track(Track::new("click", Memory::new(spec, vec![vec![1.0; 480]])?));
/// assert_eq!(
///     Plan::compile(&mix)?.to_string(),
///     "plan  48000 Hz stereo, 2 nodes in 2 stages, 480 frames\n \
///      0 track   click   memory 48000 mono @0  gain 0.0 dB  pan C  -> 1\n \
///      1 master          sum 0                 gain 0.0 dB\n"
/// );
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) spec: Spec,
    pub(crate) pan_law: PanLaw,
    pub(crate) length: Frames,
    /// How files of fewer bits are dithered.
    pub(crate) dither: Option<Dither>,
    /// By stage; within a stage tracks before buses, in the order of the session. The last is the master.
    pub(crate) nodes: Vec<Node>,
    /// The nodes of each stage.
    pub(crate) stages: Vec<Range<usize>>,
    /// Where the mix sounds, clips and tails: sorted, apart from each other. Outside these the output is exactly 0.0.
    pub(crate) sounding: Vec<Range<u64>>,
    pub(crate) cues: Vec<PlannedCue>,
    pub(crate) markers: Vec<markers::PlannedMarker>,
    /// The frame rate of the picture and the timecode of the first frame, where the session states any.
    pub(crate) picture: Option<(FrameRate, Timecode)>,
    /// The warnings about how things were placed: W105 and W114.
    pub(crate) notes: Vec<Warning>,
    pub(crate) routing: Routing,
    /// The files of [`Plan::named_files`].
    pub(crate) named_files: Vec<PathBuf>,
    /// Bytes that a render may take.
    pub(crate) max_memory: u64,
}

/// A track, a bus or the master, as the engine runs it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub kind: NodeKind,
    pub name: String,
    /// Whether it is the second node of a bus: for signals that have not passed a soloed strip yet and lead to one.
    pub again: bool,
    pub input: NodeInput,
    /// For each edge into a sum, the frames by which it is delayed to meet the others.
    pub delays: Vec<u64>,
    /// The inserts, before the fader.
    pub before: Chain,
    /// The processors behind the fader: the limiter of the master.
    pub after: Chain,
    pub lag: Lag,
    pub gain: Automation,
    pub pan: Automation,
    /// Whether any of its output is heard; nodes that are not are not rendered.
    pub live: bool,
    /// Why a track is not heard that is not muted.
    pub unused: Option<Unheard>,
    /// The nodes it feeds and the gains, for printing.
    pub out: Vec<(usize, Decibels)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NodeKind {
    Track,
    Bus,
    Master,
}

#[derive(Clone, Debug)]
pub(crate) enum NodeInput {
    Clips(Vec<PlannedClip>),
    /// In the order of summing.
    Sum(Vec<Edge>),
}

/// The output of one node in the sum of another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub node: usize,
    pub gain: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct PlannedClip {
    pub stem: Arc<Stem>,
    /// Where it sounds on the timeline.
    pub range: Range<u64>,
    /// How many frames of its start a use of its cue leaves out.
    pub lead: u64,
    /// Length of the whole clip: all passes, up to a crossfade.
    pub total: u64,
    /// The first frame of the stretch, in the stem.
    pub from: u64,
    /// Frames of the stem from there on; a pass that is longer is silent behind them.
    pub available: u64,
    pub passes: Passes,
    /// Level and polarity.
    pub gain: f64,
    pub fade_in: Fade,
    pub fade_out: Fade,
    pub place: Placing,
    /// The stem's layout, as the clip states it or as the file does.
    pub layout: Layout,
    /// The use of its cue that it is heard through.
    pub window: Window,
}

impl PlannedClip {
    /// Returns the frame of the whole clip, all passes, that sounds at a frame of the timeline.
    pub(crate) fn offset(&self, frame: u64) -> u64 {
        frame - self.range.start + self.lead
    }

    /// Returns the factors by which the channels of the stem are added to a channel. Panning follows later, so a panned
    /// stem has one row that passes it.
    pub(crate) fn matrix_row(&self, channel: usize) -> &[f64] {
        match &self.place {
            Placing::Pan => &[1.0],
            Placing::Fold(rows) => rows.get(channel).map_or(&[], Vec::as_slice),
        }
    }

    /// Whether, where it is not faded, its stem goes as it is into a block of this layout.
    pub(crate) fn is_straight(&self, layout: Layout) -> bool {
        let same = match &self.place {
            Placing::Pan => true,
            Placing::Fold(rows) => rows.iter().enumerate().all(|(row, columns)| {
                columns
                    .iter()
                    .enumerate()
                    .all(|(column, f)| *f == if row == column { 1.0 } else { 0.0 })
            }),
        };
        self.gain == 1.0 && same && self.stem.spec.layout == layout
    }
}

/// The fades of a use of a cue, over everything in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    pub range: Range<u64>,
    pub fade_in: Fade,
    pub fade_out: Fade,
}

impl Window {
    /// Whether any frame of a stretch within it is faded.
    pub(crate) fn fades(&self, part: Range<u64>) -> bool {
        let inwards = part.start.saturating_sub(self.range.start) < self.fade_in.length.0;
        inwards || self.range.end.saturating_sub(part.end) < self.fade_out.length.0
    }

    /// The gain at a frame of the timeline within it.
    pub(crate) fn gain(&self, frame: u64) -> f64 {
        let (after, before) = (
            frame.saturating_sub(self.range.start),
            self.range.end.saturating_sub(frame),
        );
        self.fade_in.gain(after) * self.fade_out.gain(before)
    }
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
    /// Everything that is wrong at once, in [`Error::problems`](crate::Error::problems): kind `Session`, or the kind that all problems share
    /// (`NotFound`, `Unsupported`, `Corrupt`).
    pub fn compile(session: &Session) -> Result<Self> {
        Self::compiled(session, Scope::Heard)
    }

    /// The same, with what is heard or with everything.
    pub(crate) fn compiled(session: &Session, scope: Scope) -> Result<Self> {
        let mut place = place::Place::new(session, validate::session(session));
        let clips = session.tracks().iter().map(|t| t.clips.len() as u64).sum();
        let mut voices: Vec<route::Voice<'_>> =
            session.tracks().iter().map(|t| place.track(t)).collect();
        place.count(cost::Cost {
            nodes: voices.len() as u64,
            clips,
            more: 0,
        });
        let mut cues = Vec::new();
        for (index, cue) in session.cues().iter().enumerate() {
            let (planned, own) = place.cue(index, cue);
            voices.extend(own);
            cues.push(planned);
        }
        place.unplaced();
        let mut notes = place.done()?;
        let is_here = |warning: &&Warning| match &warning.subject {
            Subject::Cue { name, .. } => session.cues().iter().any(|cue| cue.name == *name),
            _ => true,
        };
        notes.extend(session.notes.0.iter().filter(is_here).cloned());
        let mut plan = route::arrange(session, voices, scope);
        plan.markers = markers::of(session, &cues);
        plan.cues = cues;
        plan.notes = notes;
        plan.named_files = session.named_files();
        Ok(plan)
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

    /// Returns the frames that processors look ahead along the longest path to the output; 0 without processors. The
    /// output is not late by them: it starts and ends where it does without.
    #[must_use]
    pub fn latency(&self) -> Frames {
        Frames(self.nodes.last().map_or(0, |master| master.lag.output))
    }

    /// Returns the most frames before a place of the timeline that are rendered too when a render starts there, for
    /// processors to be in the state they have in a render of everything; 0 without processors, and the length of the mix
    /// where one must have heard all that came before.
    #[must_use]
    pub fn warm_up(&self) -> Frames {
        let mut most: Vec<Option<u64>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let mut feeders = node
                .feeds()
                .iter()
                .map(|feed| most.get(feed.node).copied().flatten());
            let before = feeders.try_fold(0, |most: u64, feeder| Some(most.max(feeder?)));
            let own = node.before.warm_up().zip(node.after.warm_up());
            most.push(
                before
                    .zip(own)
                    .map(|(before, (own, after))| before + own + after),
            );
        }
        most.pop().flatten().map_or(self.length, Frames)
    }

    /// Returns the ceiling of the limiter behind the master's fader, where there is one.
    pub(crate) fn ceiling(&self) -> Option<Dbtp> {
        self.nodes
            .last()?
            .after
            .inserts
            .first()?
            .value("ceiling")
            .map(Dbtp)
    }

    /// Every file that is read, once.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = self.stems().filter_map(|s| s.path()).collect();
        files.sort();
        files.dedup();
        files
    }

    /// Every file that the session names, once: also those of muted tracks and of cues that are not used, and the session
    /// file itself. No bounce replaces one of them.
    #[must_use]
    pub fn named_files(&self) -> &[PathBuf] {
        &self.named_files
    }

    /// The warnings that are known before anything is rendered; a report has them too.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.notes
    }

    /// Refuses to render a mix in which nothing is placed.
    ///
    /// # Errors
    /// `Session` where there are cues but no track, and no cue has a placement.
    pub(crate) fn check_content(&self) -> Result<()> {
        let has_tracks = self.nodes.iter().any(|node| node.kind == NodeKind::Track);
        match self.cues.first() {
            Some(first) if !has_tracks && self.cues.iter().all(|cue| cue.uses.is_empty()) => {
                let what = format!(
                    "the mix is empty: cue {:?} has no placement{}: place it with at or a use, or deliver it as an album",
                    first.name,
                    match self.cues.len() {
                        1 => String::new(),
                        n => format!(", and {} more cues neither", n - 1),
                    }
                );
                Err(Error::new(ErrorKind::Session, what))
            }
            _ => Ok(()),
        }
    }

    /// The cues of the session, in order, and where each is used.
    #[must_use]
    pub fn cues(&self) -> &[PlannedCue] {
        &self.cues
    }

    /// The stems of all clips, as often as they are used.
    fn stems(&self) -> impl Iterator<Item = &Stem> {
        self.nodes.iter().flat_map(Node::clips).map(|c| &*c.stem)
    }
}

impl Node {
    /// The feeds of a sum, in the order of summing; none for a track.
    pub(crate) fn feeds(&self) -> &[Edge] {
        match &self.input {
            NodeInput::Clips(_) => &[],
            NodeInput::Sum(feeds) => feeds,
        }
    }

    /// The clips of a track; none for a sum.
    pub(crate) fn clips(&self) -> &[PlannedClip] {
        match &self.input {
            NodeInput::Clips(clips) => clips,
            NodeInput::Sum(_) => &[],
        }
    }
}
