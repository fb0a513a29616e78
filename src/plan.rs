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
mod metadata;
mod passes;
mod place;
mod print;
pub(crate) mod ranges;
mod route;
mod routing;
#[cfg(feature = "report")]
mod summary;

pub(crate) use align::{Lag, place_sounding};
pub(crate) use chain::Chain;
pub(crate) use cue::InCue;
pub use cue::{PlannedCue, PlannedUse};
pub(crate) use id_vec::IdVec;
#[cfg(feature = "dawproject")]
pub(crate) use markers::PlannedMarker;
pub(crate) use metadata::channel_names;
pub(crate) use passes::Passes;
pub(crate) use route::Scope;
pub(crate) use routing::{Gates, NodeIndex, Routing};
#[cfg(feature = "report")]
pub use summary::PlanSummary;

use crate::{
    cancel::Cancel,
    curve::{Automation, Fade},
    diagnostics::{ClockTime, DistinctWarnings, Subject, Unheard, Warning, WarningKind},
    dsp::pan::PanLaw,
    encode::{Dither, Metadata},
    error::{Error, ErrorKind, Result},
    layout::Layout,
    layout::Spec,
    media::stem::Stem,
    session::{CueId, Session, validate},
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
    /// Dither of files with fewer bits than the mix.
    pub(crate) dither: Option<Dither>,
    /// All nodes by stage; within a stage tracks before buses, in the order of the session. The last is the master.
    pub(crate) nodes: Vec<Node>,
    /// The nodes of each stage, as ranges of `nodes`.
    pub(crate) stages: Vec<Range<usize>>,
    /// Ranges of the timeline in which clips or tails sound, sorted and disjoint. Outside them the output is exactly 0.0.
    pub(crate) sounding: Vec<Range<u64>>,
    pub(crate) cues: Vec<PlannedCue>,
    pub(crate) markers: Vec<markers::PlannedMarker>,
    /// Metadata of a file of the whole mix.
    metadata: Metadata,
    /// The frame rate of the picture and the timecode of the first frame, where the session states any.
    pub(crate) picture: Option<(FrameRate, Timecode)>,
    /// Warnings about rounded positions (W105) and cues without a placement (W114), and those of reading the session.
    pub(crate) notes: Vec<Warning>,
    pub(crate) routing: Routing,
    /// The files of [`Plan::named_files`].
    pub(crate) named_files: Vec<PathBuf>,
    /// Limit of [`Session::max_memory`], in bytes.
    pub(crate) max_memory: u64,
}

/// A track, a bus or the master, as the engine runs it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub kind: NodeKind,
    pub name: String,
    /// The node is the second of a bus: it sums signals that have not passed a soloed strip yet and lead to one.
    pub is_second: bool,
    pub input: NodeInput,
    /// Delay in frames of each edge into a sum, so that all edges meet at the same frame.
    pub delays: Vec<u64>,
    /// The inserts, before the fader.
    pub before: Chain,
    /// The processors after the fader: the limiter of the master.
    pub after: Chain,
    pub lag: Lag,
    pub gain: Automation,
    pub pan: Automation,
    /// Any of the node's output is heard. Other nodes are not rendered.
    pub live: bool,
    /// The strip, or the cue that it belongs to, is muted.
    pub muted: bool,
    /// The reason why a track that is not muted is not heard.
    pub unused: Option<Unheard>,
    /// The nodes that this one feeds, with the gains, for printing.
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
    /// The feeds in the order of summing.
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
    /// The frames of the timeline in which it sounds.
    pub range: Range<u64>,
    /// Frames that the placement of its cue leaves out at its start.
    pub lead: u64,
    /// Length of the whole clip: all passes, up to a crossfade.
    pub total: u64,
    /// The first frame of the stretch, in the stem.
    pub from: u64,
    /// Frames of the stem from there on. A longer pass ends with silence.
    pub available: u64,
    pub passes: Passes,
    /// Level and polarity.
    pub gain: f64,
    pub fade_in: Fade,
    pub fade_out: Fade,
    pub channel_map: ChannelMap,
    /// The stem's layout, as the clip states it or as the file does.
    pub layout: Layout,
    /// The placement of its cue through which it is heard.
    pub window: Window,
}

impl PlannedClip {
    /// Returns the frame of the whole clip, all passes, that sounds at a frame of the timeline.
    pub(crate) fn offset(&self, frame: u64) -> u64 {
        frame - self.range.start + self.lead
    }

    /// Returns the factors with which the channels of the stem are added to a channel of the session. A mono stem that is
    /// panned has one row that passes it unchanged, since the pan follows later.
    pub(crate) fn matrix_row(&self, channel: usize) -> &[f64] {
        match &self.channel_map {
            ChannelMap::Pan => &[1.0],
            ChannelMap::Fold(rows) => rows.get(channel).map_or(&[], Vec::as_slice),
        }
    }

    /// Reports whether the stem goes into a block of this layout bit for bit where no fade touches it.
    pub(crate) fn is_straight(&self, layout: Layout) -> bool {
        let same = match &self.channel_map {
            ChannelMap::Pan => true,
            ChannelMap::Fold(rows) => rows.iter().enumerate().all(|(row, columns)| {
                columns
                    .iter()
                    .enumerate()
                    .all(|(column, f)| *f == if row == column { 1.0 } else { 0.0 })
            }),
        };
        self.gain == 1.0 && same && self.stem.spec.layout == layout
    }
}

/// The fades of a placement of a cue, over all clips of the cue.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    pub range: Range<u64>,
    pub fade_in: Fade,
    pub fade_out: Fade,
}

impl Window {
    /// Reports whether a fade touches any frame of a stretch within the window.
    pub(crate) fn fades(&self, stretch: Range<u64>) -> bool {
        let fades_in = stretch.start.saturating_sub(self.range.start) < self.fade_in.length.0;
        fades_in || self.range.end.saturating_sub(stretch.end) < self.fade_out.length.0
    }

    /// Returns the gain at a frame of the timeline within the window.
    pub(crate) fn gain(&self, frame: u64) -> f64 {
        let (after, before) = (
            frame.saturating_sub(self.range.start),
            self.range.end.saturating_sub(frame),
        );
        self.fade_in.gain(after) * self.fade_out.gain(before)
    }
}

/// Maps the channels of a stem to those of the session.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ChannelMap {
    /// The stem is mono, and the pan law places it between left and right.
    Pan,
    /// A matrix with one row for each channel of the session and one column for each channel of the stem.
    Fold(Vec<Vec<f64>>),
}

impl Plan {
    /// Returns the clips of each track and its name, in order: those of the timeline, then those of cues.
    #[cfg(feature = "dawproject")]
    pub(crate) fn into_track_clips(self) -> Vec<(String, Vec<PlannedClip>)> {
        let tracks = self.nodes.into_iter();
        let tracks = tracks.filter(|node| node.kind == NodeKind::Track);
        tracks
            .filter_map(|node| match node.input {
                NodeInput::Clips(clips) => Some((node.name, clips)),
                NodeInput::Sum(_) => None,
            })
            .collect()
    }

    /// Checks the session, opens every stem once to read its format and length, and arranges the strips as a graph.
    ///
    /// # Errors
    /// All problems of the session at once, in [`Error::problems`](crate::Error::problems): kind `Session`, or the kind that
    /// all problems share (`NotFound`, `Unsupported`, `Corrupt`).
    pub fn compile(session: &Session) -> Result<Self> {
        Self::compiled(session, Scope::Heard, &Cancel::new())
    }

    /// Compiles a session as [`compile`](Self::compile) does, and ends early when `cancel` says so, at the latest when the
    /// stem that is being opened is measured.
    ///
    /// ```
    /// use soundtrack::{Cancel, ErrorKind, Layout, Plan, SampleRate, Session, Track};
    /// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    /// mix.add_track(Track::new("vox", "there is no such file.wav"));
    /// let cancel = Cancel::new();
    /// cancel.cancel();
    /// assert_eq!(Plan::compile_with(&mix, &cancel).unwrap_err().kind(), ErrorKind::Cancelled);
    /// ```
    ///
    /// # Errors
    /// Those of [`compile`](Self::compile), and `Cancelled` or `DeadlinePassed`.
    pub fn compile_with(session: &Session, cancel: &Cancel) -> Result<Self> {
        Self::compiled(session, Scope::Heard, cancel)
    }

    /// Compiles a session as [`compile`](Self::compile) does, with the strips and feeds of a scope.
    pub(crate) fn compiled(session: &Session, scope: Scope, cancel: &Cancel) -> Result<Self> {
        cancel.check()?;
        let mut placer = place::ClipPlacer::new(session, validate::for_render(session), cancel);
        #[cfg(feature = "threads")]
        placer.open_ahead();
        let clips = session.tracks().iter().map(|t| t.clips.len() as u64).sum();
        let mut tracks: Vec<route::TrackInput<'_>> =
            session.tracks().iter().map(|t| placer.track(t)).collect();
        placer.has_memory_for(cost::Cost {
            nodes: tracks.len() as u64,
            clips,
            more: 0,
        });
        let mut cues = Vec::new();
        for (index, cue) in session.cues().iter().enumerate() {
            let (planned, own) = placer.cue(CueId::at(index), cue);
            tracks.extend(own);
            cues.push(planned);
        }
        placer.note_unplaced_cues();
        placer.note_shares();
        cancel.check()?;
        let mut notes = placer.finish()?;
        let is_here = |warning: &&Warning| match &warning.subject {
            Subject::Cue { name, .. } => session.cues().iter().any(|cue| cue.name == *name),
            _ => true,
        };
        notes.extend(session.load_warnings.0.iter().filter(is_here).cloned());
        let mut plan = route::arrange(session, tracks, scope);
        plan.markers = markers::planned(session, &cues);
        plan.metadata = metadata::of_mix(session, &plan.markers);
        plan.cues = cues;
        notes.extend(markers::after_end(session, plan.length));
        notes.extend(plan.cut_tracks());
        plan.notes = notes;
        plan.named_files = session.named_files();
        plan.check_memory()?;
        Ok(plan)
    }

    /// Returns a note for each track that is heard and plays on when the mix ends.
    fn cut_tracks(&self) -> Vec<Warning> {
        let at = ClockTime {
            frame: self.length,
            rate: self.spec.rate,
        };
        // A track of a cue that is placed twice has two nodes of one name.
        let mut notes = DistinctWarnings::default();
        for node in self.nodes.iter().filter(|node| node.live) {
            let end = node.clips().iter().map(|clip| clip.range.end).max();
            let frames = Frames(end.unwrap_or_default().saturating_sub(self.length.0));
            if frames > Frames::ZERO {
                let kind = WarningKind::CutByLength { at, frames };
                notes.add(Warning::new(kind, Subject::track(&node.name)));
            }
        }
        notes.into_list()
    }

    /// Returns the metadata of a file of the whole mix, from the session's title, album, picture and
    /// markers; empty if it states none of them.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    /// Returns the rate and layout of the output.
    #[must_use]
    pub fn spec(&self) -> Spec {
        self.spec
    }

    /// Returns the length of the output.
    #[must_use]
    pub fn length(&self) -> Frames {
        self.length
    }

    /// Returns the look-ahead in frames of the processors along the longest path to the output; 0 without processors. It is
    /// compensated: the output starts and ends at the same frames as without processors.
    #[must_use]
    pub fn latency(&self) -> Frames {
        Frames(self.nodes.last().map_or(0, |master| master.lag.output))
    }

    /// Returns the largest number of frames that a render starting in the middle of the timeline processes before its first
    /// frame, to bring the processors into the state that they have there in a render from the start; 0 without processors,
    /// and the length of the mix where the state depends on all earlier frames.
    #[must_use]
    pub fn warm_up(&self) -> Frames {
        let mut most: Vec<Option<u64>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let keys = node.before.sounding_keys().map(|(key, _)| key);
            let mut feeders = node
                .feeds()
                .iter()
                .map(|feed| feed.node)
                .chain(keys)
                .map(|feeder| most.get(feeder).copied().flatten());
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

    /// Returns the ceiling of the limiter after the master's fader; `None` without a limiter.
    pub(crate) fn ceiling(&self) -> Option<Dbtp> {
        self.nodes
            .last()?
            .after
            .inserts
            .first()?
            .value("ceiling")
            .map(Dbtp)
    }

    /// Returns every file that is read, once, sorted by name.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = self.stems().filter_map(|s| s.path()).collect();
        files.sort();
        files.dedup();
        files
    }

    /// Returns every file that the session names, once: also those of muted tracks and of cues without a placement, and the
    /// session file itself. No bounce replaces one of them.
    #[must_use]
    pub fn named_files(&self) -> &[PathBuf] {
        &self.named_files
    }

    /// Returns the warnings that are known before rendering. They are also in the report of a render.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.notes
    }

    /// Checks that the mix contains anything to render.
    ///
    /// # Errors
    /// `Session` where the session has no track outside cues, and none of its cues has a placement.
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

    /// Returns the cues of the session, in order, each with its placements.
    #[must_use]
    pub fn cues(&self) -> &[PlannedCue] {
        &self.cues
    }

    /// Returns the stem of every clip; a stem that several clips play comes several times.
    fn stems(&self) -> impl Iterator<Item = &Stem> {
        self.nodes.iter().flat_map(Node::clips).map(|c| &*c.stem)
    }
}

impl Node {
    /// Returns the feeds of a sum, in the order of summing; none for a track.
    pub(crate) fn feeds(&self) -> &[Edge] {
        match &self.input {
            NodeInput::Clips(_) => &[],
            NodeInput::Sum(feeds) => feeds,
        }
    }

    /// Returns the clips of a track; none for a sum.
    pub(crate) fn clips(&self) -> &[PlannedClip] {
        match &self.input {
            NodeInput::Clips(clips) => clips,
            NodeInput::Sum(_) => &[],
        }
    }
}
