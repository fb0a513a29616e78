//! Which strip feeds which, and which feeds are heard with the current mutes, solos and faders.

mod solo;

use super::{InCue, Node, Scope, route::Voice};
use crate::{
    diagnostics::Unheard,
    session::Session,
    units::{Decibels, Frames},
};

/// Outputs with their gains: for each strip or node, the targets in the order of the strip's main output and sends.
type Outputs = Vec<Vec<(usize, Decibels)>>;

/// The strips of a session as nodes of a graph: tracks, then those of cues, then buses, then the second nodes of buses,
/// then the master. Strips are numbered in the same way, without the second nodes.
#[derive(Clone, Debug)]
pub(crate) struct Routing {
    /// All but the master.
    strips: Vec<Switches>,
    /// Tracks, those of cues too.
    pub(super) tracks: usize,
    /// What the tracks of cues are, which come after those of the timeline.
    in_cues: Vec<InCue>,
    /// Targets of each strip, as strips. Empty for the master.
    outputs: Outputs,
    /// The second node of each strip, where it has one.
    second: Vec<Option<usize>>,
    /// The strip of each node, and whether it is the second node of it.
    nodes: Vec<(usize, bool)>,
    /// Targets of each node, as nodes: for each output the first node of the target, then its second one.
    pub(super) out: Outputs,
}

/// What decides whether a strip is heard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switches {
    /// Whether it or its cue is muted.
    pub mute: bool,
    pub solo: bool,
    /// Whether its fader stands at minus infinity.
    pub silent: bool,
}

/// What of a plan of everything is heard.
#[derive(Debug)]
pub(crate) struct Gates {
    /// For each node of the plan, which of its feeds are heard, in their order.
    pub feeds: Vec<Vec<bool>>,
    /// For each node of the plan, whether anything of it is heard.
    pub live: Vec<bool>,
}

/// The flag of a strip or node; false for one that there is not.
fn is(flags: &[bool], node: usize) -> bool {
    flags.get(node).copied().unwrap_or(false)
}

fn set(flags: &mut [bool], node: usize) {
    if let Some(flag) = flags.get_mut(node) {
        *flag = true;
    }
}

/// The nodes of a graph without circles, each before those that it feeds; the master is the last.
fn downstream(out: &Outputs) -> Vec<usize> {
    let mut awaited = vec![0usize; out.len()];
    for &(to, _) in out.iter().flatten() {
        if let Some(count) = awaited.get_mut(to) {
            *count += 1;
        }
    }
    let mut order: Vec<usize> = (0..out.len())
        .filter(|&node| awaited.get(node) == Some(&0))
        .collect();
    let mut done = 0;
    while let Some(&node) = order.get(done) {
        done += 1;
        for &(to, _) in out.get(node).into_iter().flatten() {
            let Some(left) = awaited.get_mut(to) else {
                continue;
            };
            *left -= 1;
            if *left == 0 {
                order.push(to);
            }
        }
    }
    order
}

impl Routing {
    /// The graph of a session. With [`Scope::All`] every bus has a second node that might need one with other solos.
    pub(super) fn of(session: &Session, voices: &[Voice<'_>], scope: Scope) -> Self {
        let tracks = voices.len();
        let buses = || session.buses().iter().map(|b| (&b.strip, b.strip.mute));
        let all = || voices.iter().map(|v| (v.strip, v.mute)).chain(buses());
        let switches = all().map(|(s, mute)| Switches {
            mute,
            solo: s.solo,
            silent: s.gain == Decibels::SILENCE,
        });
        let strips: Vec<Switches> = switches.collect();
        let in_cues = voices.iter().filter_map(|v| v.in_cue.clone()).collect();
        let master = strips.len();
        let outputs = all().map(|(s, _)| {
            let main = (s.to.map_or(master, |b| tracks + b.0), Decibels::UNITY);
            std::iter::once(main)
                .chain(s.sends.iter().map(|s| (tracks + s.to.0, s.gain)))
                .collect()
        });
        let outputs: Outputs = outputs.chain([Vec::new()]).collect();
        let mut routing = Self {
            strips,
            tracks,
            in_cues,
            outputs,
            second: Vec::new(),
            nodes: Vec::new(),
            out: Vec::new(),
        };
        let twice = match scope {
            Scope::Heard => routing.solo().map(|solo| solo.twice),
            Scope::All => Some(routing.may_run_twice()),
        };
        routing.expand(&twice.unwrap_or_default());
        routing
    }

    /// Gives these strips a second node, and makes the outputs of all nodes.
    fn expand(&mut self, twice: &[bool]) {
        let count = self.strips.len();
        self.second = vec![None; count];
        self.nodes = (0..count).map(|strip| (strip, false)).collect();
        for (strip, second) in self
            .second
            .iter_mut()
            .enumerate()
            .filter(|(strip, _)| is(twice, *strip))
        {
            *second = Some(self.nodes.len());
            self.nodes.push((strip, true));
        }
        let master = self.nodes.len();
        self.nodes.push((count, false));
        let to_nodes = |outputs: &Vec<(usize, Decibels)>, again: bool| {
            let mut targets = Vec::with_capacity(outputs.len());
            for &(to, gain) in outputs {
                if to < count {
                    targets.push((to, gain));
                    targets.extend(self.second_of(to).map(|node| (node, gain)));
                } else if !again {
                    // What has passed no soloed strip never goes to the master.
                    targets.push((master, gain));
                }
            }
            targets
        };
        let outputs =
            |&(strip, again): &(usize, bool)| self.outputs.get(strip).map(|o| to_nodes(o, again));
        self.out = self.nodes.iter().filter_map(outputs).collect();
    }

    /// The second node of a strip.
    fn second_of(&self, strip: usize) -> Option<usize> {
        self.second.get(strip).copied().flatten()
    }

    /// The strip of a node, and whether it is its second node. The master is the strip after all others.
    pub(crate) fn strip_of(&self, node: usize) -> (usize, bool) {
        self.nodes
            .get(node)
            .copied()
            .unwrap_or((self.strips.len(), false))
    }

    /// Whether any strip is soloed.
    pub(super) fn soloing(&self) -> bool {
        self.strips.iter().any(|s| s.solo)
    }

    /// Why a track is not heard, where nobody muted or soloed anything to that end.
    pub(super) fn unused(
        &self,
        node: usize,
        planned: &Node,
        length: Option<Frames>,
    ) -> Option<Unheard> {
        let strip = self.strips.get(node).filter(|_| node < self.tracks)?;
        if strip.mute {
            return None;
        }
        let later = |end: Frames| planned.clips().iter().all(|c| c.range.start >= end.0);
        match planned.live {
            true => length.filter(|end| later(*end)).map(|_| Unheard::AfterEnd),
            false if strip.silent => Some(Unheard::FaderDown),
            false => Some(Unheard::OutputsMuted),
        }
    }

    /// The master's node, after all others.
    pub(crate) fn master(&self) -> usize {
        self.out.len() - 1
    }

    /// The nodes of a bus, counted from 0: the first, and the second where it has one.
    pub(crate) fn bus(&self, bus: usize) -> (usize, Option<usize>) {
        (self.tracks + bus, self.second_of(self.tracks + bus))
    }

    /// The places of a track of a cue, counted from 0: one, or more where its uses overlap and it moves in time.
    pub(crate) fn in_cue(&self, cue: usize, track: usize) -> impl Iterator<Item = usize> {
        let first = self.tracks - self.in_cues.len();
        let own = self
            .in_cues
            .iter()
            .enumerate()
            .filter(move |(_, i)| (i.cue, i.track) == (cue, track));
        own.map(move |(n, _)| first + n)
    }

    /// What a place is in a cue, if it is in one.
    pub(crate) fn cue_of(&self, node: usize) -> Option<&InCue> {
        self.in_cues
            .get(node.checked_sub(self.tracks - self.in_cues.len())?)
    }

    /// The switches of a strip; the master has none.
    pub(crate) fn switches(&mut self, node: usize) -> Option<&mut Switches> {
        self.strips.get_mut(node)
    }

    /// Returns the nodes in the order of the plan, by stage and then as in the session; and for each node its index in
    /// the plan.
    pub(crate) fn order(&self) -> (Vec<usize>, Vec<usize>) {
        let stage = self.stages();
        let mut order: Vec<usize> = (0..self.out.len()).collect();
        order.sort_by_key(|&node| stage.get(node).copied());
        let mut index_of = vec![0; order.len()];
        for (index, &node) in order.iter().enumerate() {
            index_of
                .iter_mut()
                .skip(node)
                .take(1)
                .for_each(|at| *at = index);
        }
        (order, index_of)
    }

    /// Returns what is heard of a plan that holds all nodes and feeds.
    pub(crate) fn gates(&self) -> Gates {
        let (heard, (order, _), master) = (self.heard(), self.order(), self.master());
        let incoming = self.incoming();
        let open = |from: usize, number: usize| {
            heard
                .get(from)
                .and_then(|e| e.get(number))
                .copied()
                .unwrap_or(false)
        };
        let into = |node: usize| {
            incoming
                .get(node)
                .into_iter()
                .flatten()
                .map(|&(from, number, _)| open(from, number))
                .collect()
        };
        let live = |node: usize| {
            node == master || heard.get(node).is_some_and(|edges| edges.contains(&true))
        };
        Gates {
            feeds: order.iter().map(|&node| into(node)).collect(),
            live: order.iter().map(|&node| live(node)).collect(),
        }
    }

    /// The feeds into each node, in the order of summing: where each comes from, its number among those out of there, and
    /// its gain.
    pub(super) fn incoming(&self) -> Vec<Vec<(usize, usize, Decibels)>> {
        let mut into = vec![Vec::new(); self.out.len()];
        for (from, edges) in self.out.iter().enumerate() {
            for (number, &(to, gain)) in edges.iter().enumerate() {
                into.iter_mut()
                    .skip(to)
                    .take(1)
                    .for_each(|feeds| feeds.push((from, number, gain)));
            }
        }
        into
    }

    /// Returns the stage of each node: how many nodes lie on the longest way into it.
    pub(super) fn stages(&self) -> Vec<usize> {
        let master = self.master();
        let mut stage = vec![0; master + 1];
        // Buses are never in the stage of tracks, and the master comes after all.
        stage.iter_mut().skip(self.tracks).for_each(|s| *s = 1);
        for from in downstream(&self.out) {
            let next = stage.get(from).map_or(0, |s| s + 1);
            for &(to, _) in self.out.get(from).into_iter().flatten() {
                stage
                    .iter_mut()
                    .skip(to)
                    .take(1)
                    .for_each(|s| *s = next.max(*s));
            }
        }
        let last = stage.iter().take(master).max().map_or(0, |s| s + 1);
        stage.iter_mut().skip(master).for_each(|s| *s = last);
        stage
    }

    /// Whether a strip is muted, or as good as muted by its fader; the master never is.
    fn closed(&self, strip: usize) -> bool {
        self.strips.get(strip).is_some_and(|s| s.mute || s.silent)
    }

    fn soloed(&self, strip: usize) -> bool {
        self.strips.get(strip).is_some_and(|s| s.solo)
    }

    /// The outputs of a strip that are not turned all the way down.
    fn sounding_outputs(&self, strip: usize) -> impl Iterator<Item = usize> {
        let outputs = self.outputs.get(strip).into_iter().flatten();
        outputs
            .filter(|(_, gain)| *gain != Decibels::SILENCE)
            .map(|(to, _)| *to)
    }

    /// For every feed out of every node, whether it is heard.
    pub(super) fn heard(&self) -> Vec<Vec<bool>> {
        let solo = self.solo();
        let open = |from: usize, (to, gain): (usize, Decibels)| {
            let (from, to) = (self.strip_of(from), self.strip_of(to));
            let usable = !self.closed(from.0) && !self.closed(to.0) && gain != Decibels::SILENCE;
            usable
                && solo
                    .as_ref()
                    .map_or(!from.1 && !to.1, |solo| solo.opens(from, to))
        };
        // What leads nowhere is not heard either.
        let mut arrives: Vec<bool> = (0..self.out.len())
            .map(|node| node == self.master())
            .collect();
        let edges = |from: usize| self.out.get(from).into_iter().flatten();
        for &from in downstream(&self.out).iter().rev() {
            if edges(from).any(|&edge| open(from, edge) && is(&arrives, edge.0)) {
                set(&mut arrives, from);
            }
        }
        let live = |from: usize, edge: (usize, Decibels)| open(from, edge) && is(&arrives, edge.0);
        self.out
            .iter()
            .enumerate()
            .map(|(from, e)| e.iter().map(|&edge| live(from, edge)).collect())
            .collect()
    }

    /// The outputs of a node as a plan prints them: all of its strip's, or those that are heard where the strip runs twice;
    /// into a strip that runs twice, to the node that hears it.
    pub(super) fn printed(&self, node: usize, heard: &[bool]) -> Vec<(usize, Decibels)> {
        let all = || self.out.get(node).into_iter().flatten().enumerate();
        let (strip, again) = self.strip_of(node);
        let alone = !again && self.second_of(strip).is_none();
        let shown = |(number, (to, _)): &(usize, &(usize, Decibels))| {
            let (target, second) = self.strip_of(*to);
            let other = !second && self.second_of(target).is_some() && is(heard, number + 1);
            is(heard, *number) || (alone && !second && !other)
        };
        all().filter(shown).map(|(_, output)| *output).collect()
    }
}
