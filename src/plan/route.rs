//! Arranges the strips of a session as nodes in stages, and marks those that are heard.

use super::{
    ChannelMap, Edge, InCue, Lag, Node, NodeInput, NodeKind, Plan, PlannedClip, align,
    chain::Chain,
    id_vec::IdVec,
    routing::{Feed, NodeIndex, Routing},
};
use crate::{
    curve::{Automation, Curve},
    layout::{Layout, Spec},
    session::{Insert, Selector, Session, Strip},
    units::{Decibels, Frames, Pan},
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
    let routing = Routing::of(session, &tracks, scope);
    let heard = match scope {
        Scope::Heard => routing.heard(),
        Scope::All => routing.all_outputs(),
    };
    let incoming = routing.incoming();
    let (order, index_of) = routing.order();
    let soloing = routing.soloing();

    let mut tracks: Vec<Option<TrackInput<'_>>> = tracks.into_iter().map(Some).collect();
    let mut nodes: Vec<Node> = Vec::with_capacity(order.len());
    for &node in &order {
        let sum = sum(&incoming[node], &heard, &index_of);
        let (strip, is_second) = routing.strip_of(node);
        let bus = routing
            .bus_of(strip)
            .and_then(|bus| session.strip(bus.into()));
        let track = routing.track_of(strip).and_then(|n| tracks.get_mut(n));
        let keys = |key: Selector| {
            let source = routing.key(key)?;
            heard[source].contains(&true).then_some(index_of[source])
        };
        let mut planned = if let Some(strip) = bus {
            self::bus(session, strip, is_second, sum, keys)
        } else if let Some(track) = track.and_then(Option::take) {
            self::track(session, track, keys)
        } else {
            self::master(session, sum, keys)
        };
        planned.muted = routing.is_muted(strip);
        planned.live = node == routing.master() || heard[node].contains(&true);
        let printed = routing.printed(node, &heard[node]).into_iter();
        planned.out = printed.map(|(to, gain)| (index_of[to], gain)).collect();
        if !soloing {
            planned.unused = routing.unused(node, &planned, session.length);
        }
        nodes.push(planned);
    }
    // A plan that also holds what is not heard must sound like one that does not.
    let gates = (scope == Scope::All).then(|| routing.gates());
    align::align(&mut nodes, gates.as_ref());

    let end = align::end(&nodes, gates.as_ref());
    let master = nodes.last();
    let sounding = master.map_or_else(Vec::new, |node| node.before.sounding.clone());
    Plan {
        spec: session_spec(session),
        pan_law: session.pan_law,
        length: session.length.unwrap_or(Frames(end)),
        dither: session.master.dither,
        sounding,
        nodes,
        stages: stages(&routing, &order),
        cues: Vec::new(),
        markers: Vec::new(),
        metadata: crate::encode::Metadata::default(),
        picture: session.picture(),
        notes: Vec::new(),
        routing,
        named_files: Vec::new(),
        max_memory: session.max_memory,
    }
}

/// Returns the input of a node that sums its heard feeds.
fn sum(
    feeds: &[Feed],
    heard: &IdVec<NodeIndex, Vec<bool>>,
    index_of: &IdVec<NodeIndex, usize>,
) -> NodeInput {
    let is_heard = |feed: &&Feed| heard[feed.from].get(feed.output) == Some(&true);
    let edges = feeds.iter().filter(is_heard).map(|feed| Edge {
        node: index_of[feed.from],
        gain: feed.gain.gain().0,
    });
    NodeInput::Sum(edges.collect())
}

/// Returns the nodes of each stage, as ranges of the plan's order.
fn stages(routing: &Routing, order: &[NodeIndex]) -> Vec<Range<usize>> {
    let stage = routing.stages();
    let mut stages: Vec<Range<usize>> = Vec::new();
    for nodes in order.chunk_by(|a, b| stage[*a] == stage[*b]) {
        let start = stages.last().map_or(0, |last| last.end);
        stages.push(start..start + nodes.len());
    }
    stages
}

fn track(
    session: &Session,
    track: TrackInput<'_>,
    keys: impl Fn(Selector) -> Option<usize>,
) -> Node {
    let input = NodeInput::Clips(track.clips);
    let before = Chain::new(
        track.strip.inserts.iter(),
        chain_spec(session, &input),
        keys,
        track.in_cue.as_ref(),
    );
    Node {
        gain: track.gain,
        pan: track.pan,
        ..node(session, NodeKind::Track, track.name, input, before)
    }
}

/// Returns the node of a bus, or the second one that it needs for solos.
fn bus(
    session: &Session,
    strip: &Strip,
    is_second: bool,
    sum: NodeInput,
    keys: impl Fn(Selector) -> Option<usize>,
) -> Node {
    let name = if is_second {
        format!("{} (to solo)", strip.name)
    } else {
        strip.name.clone()
    };
    let before = Chain::new(strip.inserts.iter(), chain_spec(session, &sum), keys, None);
    Node {
        is_second,
        gain: Automation::gain(&strip.gain_curve, strip.gain),
        pan: Automation::pan(&strip.pan_curve, strip.pan),
        ..node(session, NodeKind::Bus, name, sum, before)
    }
}

fn master(session: &Session, sum: NodeInput, keys: impl Fn(Selector) -> Option<usize>) -> Node {
    let master = &session.master;
    let before = Chain::new(master.inserts.iter(), session_spec(session), keys, None);
    let limiter = master.limit.map(Insert::limiter);
    Node {
        after: Chain::new(limiter.iter(), session_spec(session), |_| None, None),
        gain: Automation::gain(&master.gain_curve, master.gain),
        ..node(session, NodeKind::Master, String::new(), sum, before)
    }
}

/// Returns a node at unity gain, centred, without routing.
fn node(session: &Session, kind: NodeKind, name: String, input: NodeInput, before: Chain) -> Node {
    Node {
        kind,
        name,
        is_second: false,
        input,
        delays: Vec::new(),
        before,
        after: Chain::new(std::iter::empty(), session_spec(session), |_| None, None),
        lag: Lag::default(),
        gain: Automation::gain(&Curve::new(), Decibels::UNITY),
        pan: Automation::pan(&Curve::new(), Pan::CENTRE),
        live: false,
        muted: false,
        unused: None,
        out: Vec::new(),
    }
}

/// Returns the spec in which the inserts of a node run: mono for a track of mono clips only, which the pan law places after
/// them; otherwise that of the session.
fn chain_spec(session: &Session, input: &NodeInput) -> Spec {
    let is_mono = match input {
        NodeInput::Clips(clips) => {
            !clips.is_empty() && clips.iter().all(|c| c.channel_map == ChannelMap::Pan)
        }
        NodeInput::Sum(_) => false,
    };
    Spec {
        rate: session.rate,
        layout: if is_mono {
            Layout::Mono
        } else {
            session.layout
        },
    }
}

fn session_spec(session: &Session) -> Spec {
    Spec {
        rate: session.rate,
        layout: session.layout,
    }
}
