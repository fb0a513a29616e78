//! Puts lanes in stages, and finds out what is heard.

use super::{
    Edge, InCue, Lag, Node, NodeInput, NodeKind, Placing, Plan, PlannedClip, align, chain::Chain,
    routing::Routing,
};
use crate::{
    curve::{Automation, Curve},
    layout::{Layout, Spec},
    session::{Insert, Session, Strip},
    units::{Decibels, Frames, Pan},
};
use std::ops::Range;

/// A track on its way into a lane: of the timeline, or of a cue at all its uses.
pub(super) struct Voice<'a> {
    pub name: String,
    pub strip: &'a Strip,
    /// Whether it or its cue is muted.
    pub mute: bool,
    pub clips: Vec<PlannedClip>,
    pub gain: Automation,
    pub pan: Automation,
    /// Where it is from, if not the timeline.
    pub in_cue: Option<InCue>,
}

/// Which strips and feeds a plan holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// What is heard.
    Heard,
    /// All, so that mute and solo can change while it runs: see [`Routing::gates`].
    All,
}

/// The plan of a checked session; `voices` are its tracks, then those of its cues.
pub(super) fn lanes(session: &Session, voices: Vec<Voice<'_>>, scope: Scope) -> Plan {
    let graph = Routing::of(session, &voices, scope);
    let heard = match scope {
        Scope::Heard => graph.heard(),
        Scope::All => graph
            .out
            .iter()
            .map(|edges| vec![true; edges.len()])
            .collect(),
    };
    let (stage, feeders) = (graph.stages(), graph.incoming());
    let master = graph.master();
    let (order, lane_of) = graph.order();
    let soloing = graph.soloing();
    let lane_of = |node: usize| lane_of.get(node).copied().unwrap_or_default();

    let mut voices: Vec<Option<Voice<'_>>> = voices.into_iter().map(Some).collect();
    let mut lanes: Vec<Node> = Vec::with_capacity(order.len());
    for &node in &order {
        let feeds = || {
            let live = |from: usize, number| {
                heard.get(from).and_then(|edges| edges.get(number)) == Some(&true)
            };
            let incoming = feeders
                .get(node)
                .into_iter()
                .flatten()
                .filter(|(from, number, _)| live(*from, *number));
            let feed = |&(from, _, gain): &(usize, usize, Decibels)| Edge {
                node: lane_of(from),
                gain: gain.gain().0,
            };
            NodeInput::Sum(incoming.map(feed).collect())
        };
        let (strip, again) = graph.strip_of(node);
        let bus = strip
            .checked_sub(graph.tracks)
            .and_then(|n| session.buses().get(n))
            .map(|b| &b.strip);
        let (kind, name, input, gain, pan, strip_inserts) =
            match (bus, voices.get_mut(node).and_then(Option::take)) {
                (_, Some(voice)) => (
                    NodeKind::Track,
                    voice.name,
                    NodeInput::Clips(voice.clips),
                    voice.gain,
                    voice.pan,
                    &voice.strip.inserts,
                ),
                (Some(strip), None) => {
                    let gain = Automation::gain(&strip.gain_curve, strip.gain);
                    let pan = Automation::pan(&strip.pan_curve, strip.pan);
                    let name = if again {
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
        let live = node == master || heard.get(node).is_some_and(|edges| edges.contains(&true));
        let outputs = graph.printed(node, heard.get(node).map_or(&[], Vec::as_slice));
        let out = outputs
            .into_iter()
            .map(|(to, gain)| (lane_of(to), gain))
            .collect();
        let (before, after) = chains(session, kind, strip_inserts, &input);
        let (delays, lag) = (Vec::new(), Lag::default());
        let mut lane = Node {
            kind,
            name,
            again,
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
        lane.unused = if soloing {
            None
        } else {
            graph.unused(node, &lane, session.length)
        };
        lanes.push(lane);
    }

    let stage_of = |lane: usize| order.get(lane).and_then(|&node| stage.get(node)).copied();
    let mut stages: Vec<Range<usize>> = Vec::new();
    for lane in 0..lanes.len() {
        match stages.last_mut() {
            Some(last) if stage_of(last.start) == stage_of(lane) => last.end = lane + 1,
            _ => stages.push(lane..lane + 1),
        }
    }

    align::align(&mut lanes);
    let clips = lanes.iter().flat_map(Node::clips).map(|c| c.range.end);
    let tails = lanes
        .last()
        .into_iter()
        .flat_map(|master| &master.after.sounding)
        .map(|r| r.end);
    let end = clips.chain(tails).max().unwrap_or(0);
    let sounding = lanes
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
        nodes: lanes,
        stages,
        cues: Vec::new(),
        markers: Vec::new(),
        picture: session.picture(),
        notes: Vec::new(),
        routing: graph,
    }
}

/// The chains before and behind a lane's fader.
fn chains(
    session: &Session,
    kind: NodeKind,
    inserts: &[Insert],
    input: &NodeInput,
) -> (Chain, Chain) {
    let wide = Spec {
        rate: session.rate,
        layout: session.layout,
    };
    // Mono clips alone are processed in mono, before the pan law places them.
    let mono = match input {
        NodeInput::Clips(clips) => {
            !clips.is_empty() && clips.iter().all(|c| c.place == Placing::Pan)
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
        Chain::new(inserts.iter(), spec),
        Chain::new(limiter.iter(), wide),
    )
}
