//! Arranges the strips of a session as nodes in stages, and marks those that are heard.

use super::{
    ChannelMap, Edge, InCue, Lag, Node, NodeInput, NodeKind, Plan, PlannedClip, align,
    chain::Chain,
    routing::{Feed, Routing},
};
use crate::{
    curve::{Automation, Curve},
    layout::{Layout, Spec},
    session::{Insert, Selector, Session, Strip},
    units::{Frames, Pan},
};
use std::ops::Range;

/// A track that becomes a node: one of the timeline, or one of a cue with the clips of all placements that the node plays.
pub(super) struct TrackInput<'a> {
    pub name: String,
    pub strip: &'a Strip,
    /// The track or its cue is muted.
    pub mute: bool,
    pub clips: Vec<PlannedClip>,
    pub gain: Automation,
    pub pan: Automation,
    /// The cue of the track; `None` for a track of the timeline.
    pub in_cue: Option<InCue>,
}

/// Selects the strips and feeds of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those that are heard.
    Heard,
    /// All of them, so that mute and solo can change while the plan runs: see [`Routing::gates`].
    All,
}

/// Returns the plan of a checked session. `tracks` are those of the timeline, then those of cues.
pub(super) fn arrange(session: &Session, tracks: Vec<TrackInput<'_>>, scope: Scope) -> Plan {
    let graph = Routing::of(session, &tracks, scope);
    let heard = match scope {
        Scope::Heard => graph.heard(),
        Scope::All => {
            let outputs = graph.out.items().iter();
            outputs.map(|edges| vec![true; edges.len()]).collect()
        }
    };
    let (stage, incoming) = (graph.stages(), graph.incoming());
    let master = graph.master();
    let (order, index_of) = graph.order();
    let soloing = graph.soloing();

    let mut tracks: Vec<Option<TrackInput<'_>>> = tracks.into_iter().map(Some).collect();
    let mut nodes: Vec<Node> = Vec::with_capacity(order.len());
    for &node in &order {
        let feeds = || {
            let is_heard = |feed: &&Feed| heard[feed.from].get(feed.output) == Some(&true);
            let edge = |feed: &Feed| Edge {
                node: index_of[feed.from],
                gain: feed.gain.gain().0,
            };
            NodeInput::Sum(incoming[node].iter().filter(is_heard).map(edge).collect())
        };
        let (strip, is_second) = graph.strip_of(node);
        let track = graph.track_of(strip).and_then(|n| tracks.get_mut(n));
        let track = track.and_then(Option::take);
        let bus = graph.bus_of(strip).and_then(|id| session.strip(id.into()));
        let (kind, name, input, gain, pan, strip_inserts) = match (bus, track) {
            (_, Some(track)) => (
                NodeKind::Track,
                track.name,
                NodeInput::Clips(track.clips),
                track.gain,
                track.pan,
                &track.strip.inserts,
            ),
            (Some(strip), None) => {
                let gain = Automation::gain(&strip.gain_curve, strip.gain);
                let pan = Automation::pan(&strip.pan_curve, strip.pan);
                let name = if is_second {
                    format!("{} (to solo)", strip.name)
                } else {
                    strip.name.clone()
                };
                (NodeKind::Bus, name, feeds(), gain, pan, &strip.inserts)
            }
            (None, None) => {
                let gain = Automation::gain(&session.master.gain_curve, session.master.gain);
                let pan = Automation::pan(&Curve::new(), Pan::CENTRE);
                (
                    NodeKind::Master,
                    String::new(),
                    feeds(),
                    gain,
                    pan,
                    &session.master.inserts,
                )
            }
        };
        let live = node == master || heard[node].contains(&true);
        let printed = graph.printed(node, &heard[node]).into_iter();
        let out = printed.map(|(to, gain)| (index_of[to], gain)).collect();
        let key_of = |key| {
            let node = graph.key(key)?;
            let is_heard = node == master || heard[node].contains(&true);
            is_heard.then_some(index_of[node])
        };
        let (before, after) = chains(session, kind, strip_inserts, &input, key_of);
        let (delays, lag) = (Vec::new(), Lag::default());
        let mut planned = Node {
            kind,
            name,
            is_second,
            input,
            delays,
            before,
            after,
            lag,
            gain,
            pan,
            live,
            unused: None,
            out,
        };
        planned.unused = if soloing {
            None
        } else {
            graph.unused(node, &planned, session.length)
        };
        nodes.push(planned);
    }

    let stage_of = |index: usize| order.get(index).map(|&node| stage[node]);
    let mut stages: Vec<Range<usize>> = Vec::new();
    for index in 0..nodes.len() {
        match stages.last_mut() {
            Some(last) if stage_of(last.start) == stage_of(index) => last.end = index + 1,
            _ => stages.push(index..index + 1),
        }
    }

    align::align(&mut nodes);
    let clips = nodes.iter().flat_map(Node::clips).map(|c| c.range.end);
    let tails = nodes
        .last()
        .into_iter()
        .flat_map(|master| &master.after.sounding)
        .map(|r| r.end);
    let end = clips.chain(tails).max().unwrap_or(0);
    let sounding = nodes
        .last()
        .map(|master| master.before.sounding.clone())
        .unwrap_or_default();
    Plan {
        spec: Spec {
            rate: session.rate,
            layout: session.layout,
        },
        pan_law: session.pan_law,
        length: session.length.unwrap_or(Frames(end)),
        dither: session.master.dither,
        sounding,
        nodes,
        stages,
        cues: Vec::new(),
        markers: Vec::new(),
        picture: session.picture(),
        notes: Vec::new(),
        routing: graph,
        named_files: Vec::new(),
        max_memory: session.max_memory,
    }
}

/// Returns the chains before and after a node's fader.
fn chains(
    session: &Session,
    kind: NodeKind,
    inserts: &[Insert],
    input: &NodeInput,
    key_of: impl Fn(Selector) -> Option<usize>,
) -> (Chain, Chain) {
    let wide = Spec {
        rate: session.rate,
        layout: session.layout,
    };
    // A track of mono clips only is processed in mono, before the pan law places it.
    let mono = match input {
        NodeInput::Clips(clips) => {
            !clips.is_empty() && clips.iter().all(|c| c.channel_map == ChannelMap::Pan)
        }
        NodeInput::Sum(_) => false,
    };
    let spec = if mono {
        Spec {
            layout: Layout::Mono,
            ..wide
        }
    } else {
        wide
    };
    let limiter = session
        .master
        .limit
        .filter(|_| kind == NodeKind::Master)
        .map(Insert::limiter);
    (
        Chain::new(inserts.iter(), spec, key_of),
        Chain::new(limiter.iter(), wide, |_| None),
    )
}
