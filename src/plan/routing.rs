//! Who feeds whom, and what of it is heard while mutes, solos and faders stand as they do.

use super::{InCue, Lane, route::Voice};
use crate::{
    diagnostics::Unheard,
    session::Session,
    units::{Decibels, Frames},
};
use std::ops::Range;

/// The strips of a session as places in a graph: tracks, then those of cues, then buses, then the master.
#[derive(Clone, Debug)]
pub(crate) struct Routing {
    /// All but the master.
    strips: Vec<Switches>,
    /// Tracks, those of cues too.
    pub(super) tracks: usize,
    /// What the lanes of cues are, which come after the tracks of the timeline.
    in_cues: Vec<InCue>,
    /// The feeds out of each strip: target and gain. Empty for the master.
    pub(super) out: Vec<Vec<(usize, Decibels)>>,
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
    /// For every lane, which of its feeds are heard, in their order.
    pub feeds: Vec<Vec<bool>>,
    /// For every lane, whether anything of it is heard.
    pub live: Vec<bool>,
}

impl Routing {
    pub(super) fn of(session: &Session, voices: &[Voice<'_>]) -> Self {
        let tracks = voices.len();
        let buses = || session.buses().iter().map(|b| (&b.strip, b.strip.mute));
        let all = || voices.iter().map(|v| (v.strip, v.mute)).chain(buses());
        let switches = all().map(|(s, mute)| Switches { mute, solo: s.solo, silent: s.gain == Decibels::SILENCE });
        let strips: Vec<Switches> = switches.collect();
        let in_cues = voices.iter().filter_map(|v| v.in_cue.clone()).collect();
        let master = strips.len();
        let out = all().map(|(s, _)| {
            let main = (s.to.map_or(master, |b| tracks + b.0), Decibels::UNITY);
            std::iter::once(main).chain(s.sends.iter().map(|s| (tracks + s.to.0, s.gain))).collect()
        });
        Self { out: out.chain([Vec::new()]).collect(), strips, tracks, in_cues }
    }

    /// Whether any strip is soloed.
    pub(super) fn soloing(&self) -> bool {
        self.strips.iter().any(|s| s.solo)
    }

    /// Why a track is not heard, where nobody muted or soloed anything to that end.
    pub(super) fn unused(&self, node: usize, lane: &Lane, length: Option<Frames>) -> Option<Unheard> {
        let strip = self.strips.get(node).filter(|_| node < self.tracks)?;
        if strip.mute {
            return None;
        }
        let later = |end: Frames| lane.clips().iter().all(|c| c.range.start >= end.0);
        match lane.live {
            true => length.filter(|end| later(*end)).map(|_| Unheard::AfterEnd),
            false if strip.silent => Some(Unheard::FaderDown),
            false => Some(Unheard::OutputsMuted),
        }
    }

    /// The master's place, after all others.
    pub(crate) fn master(&self) -> usize {
        self.strips.len()
    }

    /// The place of a bus, counted from 0.
    pub(crate) fn bus(&self, bus: usize) -> usize {
        self.tracks + bus
    }

    /// The places of a track of a cue, counted from 0: one, or more where its uses overlap and it moves in time.
    pub(crate) fn in_cue(&self, cue: usize, track: usize) -> impl Iterator<Item = usize> {
        let first = self.tracks - self.in_cues.len();
        let own = self.in_cues.iter().enumerate().filter(move |(_, i)| (i.cue, i.track) == (cue, track));
        own.map(move |(n, _)| first + n)
    }

    /// What a place is in a cue, if it is in one.
    pub(crate) fn cue_of(&self, node: usize) -> Option<&InCue> {
        self.in_cues.get(node.checked_sub(self.tracks - self.in_cues.len())?)
    }

    /// The switches of a strip; the master has none.
    pub(crate) fn switches(&mut self, node: usize) -> Option<&mut Switches> {
        self.strips.get_mut(node)
    }

    /// The nodes in the order of lanes, by stage and then as in the session; and for each node its lane.
    pub(crate) fn order(&self) -> (Vec<usize>, Vec<usize>) {
        let stage = self.stages();
        let mut order: Vec<usize> = (0..=self.strips.len()).collect();
        order.sort_by_key(|&node| stage.get(node).copied());
        let mut lane_of = vec![0; order.len()];
        for (lane, &node) in order.iter().enumerate() {
            lane_of.iter_mut().skip(node).take(1).for_each(|l| *l = lane);
        }
        (order, lane_of)
    }

    /// What is heard of a plan that holds all lanes and feeds.
    pub(crate) fn gates(&self) -> Gates {
        let (heard, (order, _), master) = (self.heard(), self.order(), self.master());
        let incoming = self.incoming();
        let open = |from: usize, number: usize| heard.get(from).and_then(|e| e.get(number)).copied().unwrap_or(false);
        let into = |node: usize| {
            incoming.get(node).into_iter().flatten().map(|&(from, number, _)| open(from, number)).collect()
        };
        let live = |node: usize| node == master || heard.get(node).is_some_and(|edges| edges.contains(&true));
        Gates {
            feeds: order.iter().map(|&node| into(node)).collect(),
            live: order.iter().map(|&node| live(node)).collect(),
        }
    }

    /// The nodes, each before those that it feeds; the master is the last. There is no circle.
    fn downstream(&self) -> Vec<usize> {
        let mut awaited = vec![0usize; self.out.len()];
        for &(to, _) in self.out.iter().flatten() {
            awaited.iter_mut().skip(to).take(1).for_each(|n| *n += 1);
        }
        let mut order: Vec<usize> = (0..self.out.len()).filter(|&node| awaited.get(node) == Some(&0)).collect();
        let mut done = 0;
        while let Some(&node) = order.get(done) {
            done += 1;
            for &(to, _) in self.out.get(node).into_iter().flatten() {
                let Some(left) = awaited.get_mut(to) else { continue };
                *left -= 1;
                if *left == 0 {
                    order.push(to);
                }
            }
        }
        order
    }

    /// The feeds into each node, in the order of summing: where each comes from, its number among those out of there, and
    /// its gain.
    pub(super) fn incoming(&self) -> Vec<Vec<(usize, usize, Decibels)>> {
        let mut into = vec![Vec::new(); self.out.len()];
        for (from, edges) in self.out.iter().enumerate() {
            for (number, &(to, gain)) in edges.iter().enumerate() {
                into.iter_mut().skip(to).take(1).for_each(|feeds| feeds.push((from, number, gain)));
            }
        }
        into
    }

    /// How many lanes must be done before each one, at the least: the longest way into it.
    pub(super) fn stages(&self) -> Vec<usize> {
        let master = self.strips.len();
        let mut stage = vec![0; master + 1];
        // Buses are never in the stage of tracks, and the master comes after all.
        stage.iter_mut().skip(self.tracks).for_each(|s| *s = 1);
        for from in self.downstream() {
            let next = stage.get(from).map_or(0, |s| s + 1);
            for &(to, _) in self.out.get(from).into_iter().flatten() {
                stage.iter_mut().skip(to).take(1).for_each(|s| *s = next.max(*s));
            }
        }
        let last = stage.iter().take(master).max().map_or(0, |s| s + 1);
        stage.iter_mut().skip(master).for_each(|s| *s = last);
        stage
    }

    /// For every feed of every strip: is it heard? Not out of or into a muted strip. Where any strip is soloed, only what
    /// passes through a soloed one: its feed comes from one, or from one further up, or leads to one further down.
    pub(super) fn heard(&self) -> Vec<Vec<bool>> {
        let n = self.strips.len() + 1;
        let muted = |node: usize| self.strips.get(node).is_some_and(|s| s.mute || s.silent);
        let soloed = |node: usize| self.strips.get(node).is_some_and(|s| s.solo);
        let any = self.soloing();
        let mut from_solo: Vec<bool> = (0..n).map(soloed).collect();
        let mut to_solo = from_solo.clone();
        let get = |flags: &[bool], node: usize| flags.get(node).copied().unwrap_or(false);
        let set = |flags: &mut [bool], node: usize| flags.iter_mut().skip(node).take(1).for_each(|f| *f = true);
        let edges = |from: usize| self.out.get(from).into_iter().flatten();
        let order = self.downstream();
        for &from in order.iter().filter(|_| any) {
            if get(&from_solo, from) {
                edges(from).for_each(|edge| set(&mut from_solo, edge.0));
            }
        }
        for &from in order.iter().rev().filter(|_| any) {
            if edges(from).any(|edge| get(&to_solo, edge.0)) {
                set(&mut to_solo, from);
            }
        }
        let open = |from: usize, (to, gain): (usize, Decibels)| {
            let soloed = !any || get(&from_solo, from) || get(&to_solo, to);
            soloed && !muted(from) && !muted(to) && gain != Decibels::SILENCE
        };
        // What leads nowhere is not heard either.
        let mut arrives: Vec<bool> = (0..n).map(|node| node + 1 == n).collect();
        for &from in order.iter().rev() {
            if edges(from).any(|&edge| open(from, edge) && get(&arrives, edge.0)) {
                set(&mut arrives, from);
            }
        }
        let live = |from: usize, edge: (usize, Decibels)| open(from, edge) && get(&arrives, edge.0);
        self.out.iter().enumerate().map(|(from, e)| e.iter().map(|&edge| live(from, edge)).collect()).collect()
    }
}

/// Where clips of lanes that are heard sound: sorted, apart from each other.
pub(crate) fn sounding(lanes: &[Lane], live: impl Fn(usize) -> bool) -> Vec<Range<u64>> {
    let heard = lanes.iter().enumerate().filter(|(lane, _)| live(*lane)).flat_map(|(_, lane)| lane.clips());
    merged(heard.filter(|c| c.gain != 0.0).map(|c| c.range.clone()).collect())
}

/// Sorted and joined where they touch; without the empty ones.
fn merged(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.retain(|r| !r.is_empty());
    ranges.sort_by_key(|r| r.start);
    let mut out: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}
