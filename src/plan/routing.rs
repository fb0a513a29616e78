//! Finds which strip feeds which, and which feeds are heard with the current mutes, solos and faders.

mod solo;

use super::{
    InCue, Node, Scope,
    id_vec::{Id, IdVec},
    route::TrackInput,
};
use crate::{
    diagnostics::Unheard,
    session::{BusId, CueId, Insert, Selector, Session, TrackId},
    units::{Decibels, Frames},
};

/// Numbers the strips of a session: tracks of the timeline, tracks of cues, buses, and last the master.
///
/// A track of a cue is as many strips as it needs nodes: see [`InCue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StripIndex(usize);

/// Numbers the nodes of a routing: one of each strip but the master, in the order of [`StripIndex`], then the second nodes
/// of buses, and last the master. A plan holds the same nodes sorted by stage: see [`Routing::order`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeIndex(usize);

impl Id for StripIndex {
    fn new(index: usize) -> Self {
        Self(index)
    }

    fn index(self) -> usize {
        self.0
    }
}

impl Id for NodeIndex {
    fn new(index: usize) -> Self {
        Self(index)
    }

    fn index(self) -> usize {
        self.0
    }
}

/// Outputs of strips or nodes: for each the targets with their gains, main output first, then sends.
type Outputs<I> = IdVec<I, Vec<(I, Decibels)>>;

/// The strips of a session as the nodes of a graph.
#[derive(Clone, Debug)]
pub(crate) struct Routing {
    strips: IdVec<StripIndex, Switches>,
    /// Number of tracks, those of cues included.
    tracks: usize,
    /// The cues of the last tracks; the first tracks are those of the timeline.
    in_cues: Vec<InCue>,
    /// Targets of each strip. Empty for the master.
    outputs: Outputs<StripIndex>,
    /// The second node of each bus that has one.
    second: IdVec<StripIndex, Option<NodeIndex>>,
    /// The strip of each node, and whether the node is the strip's second one.
    nodes: IdVec<NodeIndex, (StripIndex, bool)>,
    /// Targets of each node: for each output the first node of the target, then its second one.
    out: Outputs<NodeIndex>,
    /// Nodes whose inserts each node is a side-chain key of.
    keyed: IdVec<NodeIndex, Vec<NodeIndex>>,
    /// Keys of the inserts of each strip.
    keys: IdVec<StripIndex, Vec<Selector>>,
}

/// The controls that decide whether a strip is heard. Those of the master are always off.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Switches {
    /// The strip or its cue is muted.
    pub mute: bool,
    pub solo: bool,
    /// The fader stands at −∞ dB.
    pub silent: bool,
}

/// The audible part of a plan that holds all nodes and feeds. All vectors are in the order of the plan.
#[derive(Debug)]
pub(crate) struct Gates {
    /// For each node, which of its feeds are heard, in the order of summing.
    pub feeds: Vec<Vec<bool>>,
    /// For each node, whether any of its output is heard.
    pub live: Vec<bool>,
}

/// A feed into a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feed {
    pub from: NodeIndex,
    /// Its place among the outputs of `from`.
    pub output: usize,
    pub gain: Decibels,
}

/// Sorts the items of a graph without cycles so that each comes before those that it feeds; the master comes last.
fn downstream<I: Id>(out: &Outputs<I>) -> Vec<I> {
    let mut awaited: IdVec<I, usize> = IdVec::filled(0, out.len());
    for &(to, _) in out.items().iter().flatten() {
        awaited[to] += 1;
    }
    let mut order: Vec<I> = out.ids().filter(|&id| awaited[id] == 0).collect();
    let mut done = 0;
    while let Some(&from) = order.get(done) {
        done += 1;
        for &(to, _) in &out[from] {
            awaited[to] -= 1;
            if awaited[to] == 0 {
                order.push(to);
            }
        }
    }
    order
}

/// Returns the side-chain keys of inserts that are not bypassed.
fn keys(inserts: &[Insert]) -> Vec<Selector> {
    let active = inserts.iter().filter(|insert| !insert.bypass);
    active.filter_map(|insert| insert.key).collect()
}

impl Routing {
    /// Makes the graph of a session. With [`Scope::All`] every bus gets a second node that some combination of solos needs.
    pub(super) fn of(session: &Session, inputs: &[TrackInput<'_>], scope: Scope) -> Self {
        let tracks = inputs.len();
        let buses = || session.buses().iter().map(|b| (&b.strip, b.strip.mute));
        let all = || inputs.iter().map(|t| (t.strip, t.mute)).chain(buses());
        let switches = all().map(|(strip, mute)| Switches {
            mute,
            solo: strip.solo,
            silent: strip.gain == Decibels::SILENCE,
        });
        let strips: IdVec<StripIndex, _> = switches.chain([Switches::default()]).collect();
        let bus = |id: BusId| StripIndex(tracks + id.0);
        let master = StripIndex(strips.len() - 1);
        let outputs = all().map(|(strip, _)| {
            let main = (strip.to.map_or(master, bus), Decibels::UNITY);
            let sends = strip.sends.iter().map(|send| (bus(send.to), send.gain));
            std::iter::once(main).chain(sends).collect()
        });
        let mut routing = Self {
            tracks,
            in_cues: inputs.iter().filter_map(|t| t.in_cue.clone()).collect(),
            outputs: outputs.chain([Vec::new()]).collect(),
            second: IdVec::filled(None, strips.len()),
            strips,
            nodes: Vec::new().into(),
            out: Vec::new().into(),
            keyed: Vec::new().into(),
            keys: all()
                .map(|(strip, _)| keys(&strip.inserts))
                .chain([keys(&session.master.inserts)])
                .collect(),
        };
        let twice = match scope {
            Scope::Heard => routing.solo().map(|solo| solo.twice),
            Scope::All => Some(routing.may_run_twice()),
        };
        routing.make_nodes(twice.as_ref());
        routing
    }

    /// Makes the nodes, a second one for each strip of `twice`, and their outputs.
    fn make_nodes(&mut self, twice: Option<&IdVec<StripIndex, bool>>) {
        let master = self.master_strip();
        let strips = || self.strips.ids().filter(move |strip| *strip != master);
        self.nodes = strips().map(|strip| (strip, false)).collect();
        for strip in strips().filter(|&strip| twice.is_some_and(|twice| twice[strip])) {
            self.second[strip] = Some(self.nodes.push((strip, true)));
        }
        self.nodes.push((master, false));
        let nodes = self.nodes.items().iter();
        self.out = nodes
            .map(|&(strip, is_second)| self.node_outputs(strip, is_second))
            .collect();
        let mut keyed = IdVec::filled(Vec::new(), self.nodes.len());
        for (node, &(strip, _)) in self.nodes.iter() {
            for key in self.keys[strip].iter().filter_map(|key| self.key(*key)) {
                keyed[key].push(node);
            }
        }
        self.keyed = keyed;
    }

    /// Returns the outputs of a node of a strip.
    fn node_outputs(&self, strip: StripIndex, is_second: bool) -> Vec<(NodeIndex, Decibels)> {
        let mut targets = Vec::with_capacity(self.outputs[strip].len());
        for &(to, gain) in &self.outputs[strip] {
            if to != self.master_strip() {
                targets.push((self.first_of(to), gain));
                targets.extend(self.second[to].map(|node| (node, gain)));
            } else if !is_second {
                // A second node takes signals that have passed no soloed strip, which never go to the master.
                targets.push((self.master(), gain));
            }
        }
        targets
    }

    /// Returns the first node of a strip other than the master.
    fn first_of(&self, strip: StripIndex) -> NodeIndex {
        // The nodes begin with one of each strip, in the same order.
        NodeIndex(strip.0)
    }

    /// Returns the strip of a node, and whether the node is the strip's second one.
    pub(crate) fn strip_of(&self, node: NodeIndex) -> (StripIndex, bool) {
        self.nodes[node]
    }

    /// Returns the number of the track that a strip is, those of cues after those of the timeline; `None` for buses and the
    /// master.
    pub(super) fn track_of(&self, strip: StripIndex) -> Option<usize> {
        self.is_track(strip).then_some(strip.0)
    }

    /// Reports whether a strip is a track, of the timeline or of a cue.
    fn is_track(&self, strip: StripIndex) -> bool {
        strip.0 < self.tracks
    }

    /// Returns the bus that a strip is; `None` for tracks and the master.
    pub(super) fn bus_of(&self, strip: StripIndex) -> Option<BusId> {
        let bus = strip.0.checked_sub(self.tracks)?;
        (strip != self.master_strip()).then_some(BusId::at(bus))
    }

    /// Reports whether any strip is soloed.
    pub(super) fn soloing(&self) -> bool {
        self.strips.items().iter().any(|s| s.solo)
    }

    /// Reports whether a strip, or the cue that it belongs to, is muted.
    pub(super) fn is_muted(&self, strip: StripIndex) -> bool {
        self.strips[strip].mute
    }

    /// Returns the reason why a track is not heard, where it is neither a mute of its own nor a solo of another strip.
    pub(super) fn unused(
        &self,
        node: NodeIndex,
        planned: &Node,
        length: Option<Frames>,
    ) -> Option<Unheard> {
        let (strip, _) = self.strip_of(node);
        let switches = self.strips[strip];
        if !self.is_track(strip) || switches.mute {
            return None;
        }
        let starts_after = |end: Frames| planned.clips().iter().all(|c| c.range.start >= end.0);
        match planned.live {
            true => length
                .filter(|end| starts_after(*end))
                .map(|_| Unheard::AfterEnd),
            false if switches.silent => Some(Unheard::FaderDown),
            false => Some(Unheard::OutputsMuted),
        }
    }

    fn master_strip(&self) -> StripIndex {
        StripIndex(self.strips.len() - 1)
    }

    /// Returns the master's node, after all others.
    pub(crate) fn master(&self) -> NodeIndex {
        NodeIndex(self.nodes.len() - 1)
    }

    /// Returns the node whose output is a side-chain key; `None` for what cannot be one, which the validation reports.
    pub(super) fn key(&self, key: Selector) -> Option<NodeIndex> {
        match key {
            Selector::Track(track) => Some(self.track(track)),
            Selector::Bus(bus) => Some(self.bus(bus).0),
            _ => None,
        }
    }

    /// Returns the node of a track of the timeline.
    pub(crate) fn track(&self, track: TrackId) -> NodeIndex {
        NodeIndex(track.0)
    }

    /// Returns the first node of a bus, and the second where it has one.
    pub(crate) fn bus(&self, bus: BusId) -> (NodeIndex, Option<NodeIndex>) {
        let strip = StripIndex(self.tracks + bus.0);
        (self.first_of(strip), self.second[strip])
    }

    /// Returns the nodes of a track of a cue, counted from 0: several where placements overlap and its controls move in
    /// time, none where the cue has no placement.
    pub(crate) fn cue_track(&self, cue: CueId, track: usize) -> impl Iterator<Item = NodeIndex> {
        let own = self.in_cues.iter().enumerate();
        own.filter(move |(_, i)| (i.cue, i.track) == (cue, track))
            .map(|(n, _)| NodeIndex(self.tracks - self.in_cues.len() + n))
    }

    /// Returns the cue that a node belongs to; `None` outside cues.
    pub(crate) fn cue_of(&self, node: NodeIndex) -> Option<&InCue> {
        let first = self.tracks - self.in_cues.len();
        self.in_cues.get(node.0.checked_sub(first)?)
    }

    /// Returns the switches of a strip, to change them. Those of the master must stay off.
    pub(crate) fn switches_mut(&mut self, strip: StripIndex) -> &mut Switches {
        &mut self.strips[strip]
    }

    /// Returns the nodes in the order of the plan, by stage and then as in the session; and for each node its index in
    /// the plan.
    pub(crate) fn order(&self) -> (Vec<NodeIndex>, IdVec<NodeIndex, usize>) {
        let stage = self.stages();
        let mut order: Vec<NodeIndex> = self.nodes.ids().collect();
        order.sort_by_key(|&node| stage[node]);
        let mut index_of = IdVec::filled(0, order.len());
        for (index, &node) in order.iter().enumerate() {
            index_of[node] = index;
        }
        (order, index_of)
    }

    /// Returns the audible part of a plan that holds all nodes and feeds.
    pub(crate) fn gates(&self) -> Gates {
        let (heard, (order, _), incoming) = (self.heard(), self.order(), self.incoming());
        let is_live = |node| node == self.master() || heard[node].contains(&true);
        let open = |feed: &Feed| is_set(&heard[feed.from], feed.output);
        Gates {
            feeds: order
                .iter()
                .map(|&node| incoming[node].iter().map(open).collect())
                .collect(),
            live: order.iter().map(|&node| is_live(node)).collect(),
        }
    }

    /// Returns the feeds into each node, in the order of summing.
    pub(super) fn incoming(&self) -> IdVec<NodeIndex, Vec<Feed>> {
        let mut feeds = IdVec::filled(Vec::new(), self.nodes.len());
        for (from, outputs) in self.out.iter() {
            for (output, &(to, gain)) in outputs.iter().enumerate() {
                feeds[to].push(Feed { from, output, gain });
            }
        }
        feeds
    }

    /// Returns the stage of each node: the number of nodes on the longest path into it.
    pub(super) fn stages(&self) -> IdVec<NodeIndex, usize> {
        // Buses are never in the stage of tracks, even those that nothing feeds.
        let first = |&(strip, _): &(StripIndex, bool)| usize::from(!self.is_track(strip));
        let mut stage: IdVec<NodeIndex, usize> = self.nodes.items().iter().map(first).collect();
        // A key must be rendered before what it steers, as a feed must.
        let with_keys = self.out.iter().map(|(from, outputs)| {
            let keyed = self.keyed[from].iter().map(|&to| (to, Decibels::UNITY));
            outputs.iter().copied().chain(keyed).collect()
        });
        let with_keys: Outputs<NodeIndex> = with_keys.collect();
        for from in downstream(&with_keys) {
            for &(to, _) in &with_keys[from] {
                stage[to] = stage[to].max(stage[from] + 1);
            }
        }
        // The master comes after all others, also after buses that lead nowhere.
        let master = self.master();
        let others = self.nodes.ids().filter(|&node| node != master);
        stage[master] = others.map(|node| stage[node] + 1).max().unwrap_or(0);
        stage
    }

    /// Reports whether a strip is muted, or as good as muted by its fader; the master never is.
    fn closed(&self, strip: StripIndex) -> bool {
        self.strips[strip].mute || self.strips[strip].silent
    }

    fn soloed(&self, strip: StripIndex) -> bool {
        self.strips[strip].solo
    }

    /// Returns the targets of a strip's outputs.
    fn targets(&self, strip: StripIndex) -> impl Iterator<Item = StripIndex> {
        self.outputs[strip].iter().map(|&(to, _)| to)
    }

    /// Returns the targets of a strip's outputs, without those at −∞ dB.
    fn sounding_targets(&self, strip: StripIndex) -> impl Iterator<Item = StripIndex> {
        let outputs = self.outputs[strip].iter();
        outputs
            .filter(|(_, gain)| *gain != Decibels::SILENCE)
            .map(|&(to, _)| to)
    }

    /// Returns the flags of [`heard`](Self::heard) as if every output were heard.
    pub(super) fn all_outputs(&self) -> IdVec<NodeIndex, Vec<bool>> {
        let outputs = self.out.items().iter();
        outputs.map(|edges| vec![true; edges.len()]).collect()
    }

    /// Returns, for each output of each node, whether it is heard.
    pub(super) fn heard(&self) -> IdVec<NodeIndex, Vec<bool>> {
        let solo = self.solo();
        let open = |from: NodeIndex, (to, gain): (NodeIndex, Decibels)| {
            let (from, to) = (self.strip_of(from), self.strip_of(to));
            let usable = !self.closed(from.0) && !self.closed(to.0) && gain != Decibels::SILENCE;
            usable
                && solo
                    .as_ref()
                    .map_or(!from.1 && !to.1, |solo| solo.opens(from, to))
        };
        // An output that leads nowhere is not heard either.
        let mut arrives = IdVec::filled(false, self.nodes.len());
        arrives[self.master()] = true;
        for &from in downstream(&self.out).iter().rev() {
            if self.out[from]
                .iter()
                .any(|&edge| arrives[edge.0] && open(from, edge))
            {
                arrives[from] = true;
            }
        }
        let heard = |(from, edges): (NodeIndex, &Vec<(NodeIndex, Decibels)>)| {
            let heard = edges
                .iter()
                .map(|&edge| arrives[edge.0] && open(from, edge));
            heard.collect()
        };
        self.out.iter().map(heard).collect()
    }

    /// Returns the outputs of a node as a plan prints them.
    ///
    /// A strip with one node prints all of its outputs, each to the node of the target that hears it. A strip that runs
    /// twice prints those that are heard.
    pub(super) fn printed(&self, node: NodeIndex, heard: &[bool]) -> Vec<(NodeIndex, Decibels)> {
        let (strip, is_second) = self.strip_of(node);
        let alone = !is_second && self.second[strip].is_none();
        let mut printed = Vec::new();
        for (number, &(to, gain)) in self.out[node].iter().enumerate() {
            let (target, to_second) = self.strip_of(to);
            // The output to the target's second node follows the one to its first.
            let heard_by_second = self.second[target].is_some() && is_set(heard, number + 1);
            if is_set(heard, number) || (alone && !to_second && !heard_by_second) {
                printed.push((to, gain));
            }
        }
        printed
    }
}

/// Reads a flag; those beyond the end are off.
fn is_set(flags: &[bool], index: usize) -> bool {
    flags.get(index) == Some(&true)
}
