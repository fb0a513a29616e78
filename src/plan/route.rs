//! Puts lanes in stages, and finds out what is heard.

use super::{Feed, Lane, LaneInput, LaneKind, Plan, PlannedClip};
use crate::{
    curve::{Automation, Curve},
    session::{Session, Strip},
    source::Spec,
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
}

/// A strip of the session as a place in the graph: tracks, then those of cues, then buses, then the master.
struct Graph<'a> {
    strips: Vec<&'a Strip>,
    muted: Vec<bool>,
    tracks: usize,
    /// The feeds out of each strip: target and gain. Empty for the master.
    out: Vec<Vec<(usize, Decibels)>>,
}

/// The plan of a checked session; `voices` are its tracks, then those of its cues.
pub(super) fn lanes(session: &Session, voices: Vec<Voice<'_>>) -> Plan {
    let graph = Graph::of(session, &voices);
    let heard = graph.heard();
    let stage = graph.stages();
    let master = graph.strips.len();

    // The order of lanes: by stage, then in the order of the session.
    let mut order: Vec<usize> = (0..=master).collect();
    order.sort_by_key(|&node| stage.get(node).copied());
    let mut lane_of = vec![0; order.len()];
    for (lane, &node) in order.iter().enumerate() {
        lane_of.iter_mut().skip(node).take(1).for_each(|l| *l = lane);
    }
    let lane_of = |node: usize| lane_of.get(node).copied().unwrap_or_default();

    let mut voices: Vec<Option<Voice<'_>>> = voices.into_iter().map(Some).collect();
    let mut lanes: Vec<Lane> = Vec::with_capacity(order.len());
    for &node in &order {
        let feeds = || {
            let incoming = |from: usize| {
                let out = graph.out.get(from).into_iter().flatten();
                let live = heard.get(from).into_iter().flatten();
                out.zip(live).filter(|((to, _), live)| *to == node && **live).map(move |((_, g), _)| (from, *g))
            };
            let feed = |(from, gain): (usize, Decibels)| Feed { lane: lane_of(from), gain: gain.gain().0 };
            LaneInput::Sum((0..master).flat_map(incoming).map(feed).collect())
        };
        let (kind, name, input, gain, pan) = match (graph.strips.get(node), voices.get_mut(node).and_then(Option::take))
        {
            (_, Some(voice)) => (LaneKind::Track, voice.name, LaneInput::Clips(voice.clips), voice.gain, voice.pan),
            (Some(strip), None) => {
                let gain = Automation::gain(&strip.gain_curve, strip.gain);
                let pan = Automation::pan(&strip.pan_curve, strip.pan);
                (LaneKind::Bus, strip.name.clone(), feeds(), gain, pan)
            }
            (None, None) => {
                let gain = Automation::gain(&session.master.gain_curve, session.master.gain);
                (LaneKind::Master, String::new(), feeds(), gain, Automation::pan(&Curve::new(), Pan::CENTRE))
            }
        };
        let live = node == master || heard.get(node).is_some_and(|edges| edges.contains(&true));
        let out = graph.out.get(node).into_iter().flatten().map(|&(to, gain)| (lane_of(to), gain)).collect();
        lanes.push(Lane { kind, name, input, gain, pan, live, out });
    }

    let stage_of = |lane: usize| order.get(lane).and_then(|&node| stage.get(node)).copied();
    let mut stages: Vec<Range<usize>> = Vec::new();
    for lane in 0..lanes.len() {
        match stages.last_mut() {
            Some(last) if stage_of(last.start) == stage_of(lane) => last.end = lane + 1,
            _ => stages.push(lane..lane + 1),
        }
    }

    let all = lanes.iter().flat_map(Lane::clips).map(|c| c.range.end).max().unwrap_or(0);
    let audible = |c: &&PlannedClip| c.gain != 0.0;
    let heard = lanes.iter().filter(|l| l.live).flat_map(Lane::clips).filter(audible).map(|c| c.range.clone());
    Plan {
        spec: Spec { rate: session.rate, layout: session.layout },
        pan_law: session.pan_law,
        length: session.length.unwrap_or(Frames(all)),
        limit: session.master.limit,
        dither: session.master.dither,
        sounding: merged(heard.collect()),
        lanes,
        stages,
        cues: Vec::new(),
        picture: session.picture(),
        notes: Vec::new(),
    }
}

impl<'a> Graph<'a> {
    fn of(session: &'a Session, voices: &[Voice<'a>]) -> Self {
        let tracks = voices.len();
        let buses = || session.buses().iter().map(|b| &b.strip);
        let strips: Vec<&Strip> = voices.iter().map(|v| v.strip).chain(buses()).collect();
        let muted = voices.iter().map(|v| v.mute).chain(buses().map(|b| b.mute)).collect();
        let master = strips.len();
        let out = strips.iter().map(|s| {
            let main = (s.to.map_or(master, |b| tracks + b.0), Decibels::UNITY);
            std::iter::once(main).chain(s.sends.iter().map(|s| (tracks + s.to.0, s.gain))).collect()
        });
        Self { out: out.chain([Vec::new()]).collect(), strips, muted, tracks }
    }

    /// How many lanes must be done before each one, at the least: the longest way into it. Never more rounds than
    /// strips, since there is no circle.
    fn stages(&self) -> Vec<usize> {
        let master = self.strips.len();
        let mut stage = vec![0; master + 1];
        // Buses are never in the stage of tracks, and the master comes after all.
        stage.iter_mut().skip(self.tracks).for_each(|s| *s = 1);
        loop {
            let before = stage.clone();
            for (from, edges) in self.out.iter().enumerate() {
                let next = stage.get(from).map_or(0, |s| s + 1);
                for &(to, _) in edges {
                    stage.iter_mut().skip(to).take(1).for_each(|s| *s = next.max(*s));
                }
            }
            if stage == before {
                let last = stage.iter().take(master).max().map_or(0, |s| s + 1);
                stage.iter_mut().skip(master).for_each(|s| *s = last);
                return stage;
            }
        }
    }

    /// For every feed of every strip: is it heard? Not out of or into a muted strip. Where any strip is soloed, only what
    /// passes through a soloed one: its feed comes from one, or from one further up, or leads to one further down.
    fn heard(&self) -> Vec<Vec<bool>> {
        let n = self.strips.len() + 1;
        let muted = |node: usize| {
            self.muted.get(node) == Some(&true) || self.strips.get(node).is_some_and(|s| s.gain == Decibels::SILENCE)
        };
        let soloed = |node: usize| self.strips.get(node).is_some_and(|s| s.solo);
        let any = self.strips.iter().any(|s| s.solo);
        let mut from_solo: Vec<bool> = (0..n).map(soloed).collect();
        let mut to_solo = from_solo.clone();
        let get = |flags: &[bool], node: usize| flags.get(node).copied().unwrap_or(false);
        loop {
            let before = (from_solo.clone(), to_solo.clone());
            for (from, edges) in self.out.iter().enumerate() {
                for &(to, _) in edges {
                    if get(&from_solo, from) {
                        from_solo.iter_mut().skip(to).take(1).for_each(|f| *f = true);
                    }
                    if get(&to_solo, to) {
                        to_solo.iter_mut().skip(from).take(1).for_each(|f| *f = true);
                    }
                }
            }
            if (&from_solo, &to_solo) == (&before.0, &before.1) {
                break;
            }
        }
        let open = |from: usize, (to, gain): (usize, Decibels)| {
            let soloed = !any || get(&from_solo, from) || get(&to_solo, to);
            soloed && !muted(from) && !muted(to) && gain != Decibels::SILENCE
        };
        // What leads nowhere is not heard either.
        let mut arrives: Vec<bool> = (0..n).map(|node| node + 1 == n).collect();
        loop {
            let before = arrives.clone();
            for (from, edges) in self.out.iter().enumerate() {
                if edges.iter().any(|&edge| open(from, edge) && get(&before, edge.0)) {
                    arrives.iter_mut().skip(from).take(1).for_each(|a| *a = true);
                }
            }
            if arrives == before {
                break;
            }
        }
        let live = |from: usize, edge: (usize, Decibels)| open(from, edge) && get(&arrives, edge.0);
        self.out.iter().enumerate().map(|(from, e)| e.iter().map(|&edge| live(from, edge)).collect()).collect()
    }
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
