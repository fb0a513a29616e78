//! Buses without end and in every tangle.

use super::super::{
    inputs::stems::{Random, heard},
    table::{Seen, held, times},
};
use soundtrack::{
    Bus, BusId, Decibels, Layout, Plan, SampleRate, Session, Spec, Track, media::Memory,
};
use std::time::Instant;

const SPEC: Spec = Spec {
    rate: SampleRate::HZ_48000,
    layout: Layout::Mono,
};

pub fn chain() -> Seen {
    const BUSES: usize = 10_000;
    let mut session = Session::new(SPEC.rate, SPEC.layout);
    // Each feeds the one added after it, and the last the master: against the order of the session, and along it.
    let mut count = 0;
    let mut took = Vec::new();
    for along in [true, false] {
        session = Session::new(session.rate, session.layout);
        let ids: Vec<BusId> = (0..BUSES)
            .map(|i| session.add_bus(Bus::new(format!("b{i}"))))
            .collect();
        for i in 1..BUSES {
            let (from, to) = if along {
                (ids[i - 1], ids[i])
            } else {
                (ids[i], ids[i - 1])
            };
            session.bus_mut(from).strip.to = Some(to);
        }
        let first = if along { ids[0] } else { ids[BUSES - 1] };
        let samples: Vec<f64> = (0..480).map(|n| f64::from(n) / 512.0).collect();
        session.add_track(
            Track::new("x", Memory::new(SPEC, vec![samples.clone()]).unwrap()).to(first),
        );
        for solo in [None, Some(BUSES / 2)] {
            if let Some(bus) = solo {
                session.bus_mut(ids[bus]).strip.solo = true;
            }
            let clock = Instant::now();
            let plan = Plan::compile(&session).unwrap();
            let planned = clock.elapsed().as_secs_f64();
            assert!(
                plan.to_string()
                    .starts_with("plan  48000 Hz mono, 10002 nodes in 10002 stages, 480 frames\n")
            );
            let clock = Instant::now();
            let got = heard(&session).unwrap().1;
            let rendered = clock.elapsed().as_secs_f64();
            assert!(
                got[0]
                    .iter()
                    .zip(&samples)
                    .all(|(a, b)| a.to_bits() == b.to_bits()),
                "bit-equal at the far end"
            );
            assert!(
                planned < 5.0 && rendered < 5.0,
                "{planned} s and {rendered} s"
            );
            took.push((planned, rendered));
            count += 1;
        }
    }
    let most = |f: fn(&(f64, f64)) -> f64| took.iter().map(f).fold(0.0, f64::max);
    let (planned, rendered) = (most(|t| t.0), most(|t| t.1));
    held(
        count,
        format!(
            "planned in {planned:.2} s, planned and rendered in {rendered:.2} s, bit-equal at the far end"
        ),
    )
}

/// A session as a graph: strips by number, tracks first, the master last.
struct Graph {
    out: Vec<Vec<(usize, f64)>>,
    mute: Vec<bool>,
    solo: Vec<bool>,
}

impl Graph {
    /// Returns the gain of a strip at the master over all audible routes: those without a muted strip, and with a soloed one
    /// if any strip is soloed. `passed` is set if the route so far has one.
    fn arrives(&self, from: usize, passed: bool) -> f64 {
        let passed = passed || self.solo[from] || !self.solo.contains(&true);
        if from + 1 == self.out.len() {
            return f64::from(u8::from(passed));
        }
        if self.mute[from] {
            return 0.0;
        }
        self.out[from]
            .iter()
            .map(|&(to, gain)| gain * self.arrives(to, passed))
            .sum()
    }
}

/// Checks random graphs of buses: every track is an impulse in its own frame, so that its route is measured alone.
pub fn graphs() -> Seen {
    const TRACKS: usize = 6;
    const BUSES: usize = 12;
    // A level that is a power of two to within rounding: 20 log10(1/2).
    let half = Decibels(20.0 * 0.5f64.log10());
    let rounds = times(150, 3000);
    let (mut silent, mut heard_ways) = (0, 0);
    for round in 0..rounds {
        let mut random = Random(round * 7919 + 1);
        let master = TRACKS + BUSES;
        let mut graph = Graph {
            out: vec![Vec::new(); master + 1],
            mute: vec![false; master + 1],
            solo: vec![false; master + 1],
        };
        // A bus feeds only those behind it in a shuffled order, so that no circle is made.
        let mut order: Vec<usize> = (0..BUSES).collect();
        (1..BUSES)
            .rev()
            .for_each(|i| order.swap(i, random.below(i + 1)));
        let rank = |bus: usize| order.iter().position(|b| *b == bus).unwrap();
        let mut session = Session::new(SPEC.rate, SPEC.layout);
        let ids: Vec<BusId> = (0..BUSES)
            .map(|i| session.add_bus(Bus::new(format!("b{i}"))))
            .collect();
        for strip in 0..master {
            let next = if strip < TRACKS {
                0
            } else {
                rank(strip - TRACKS) + 1
            };
            let main = (next < BUSES && random.below(3) > 0)
                .then(|| order[next + random.below(BUSES - next)]);
            let sends = if next < BUSES { random.below(3) } else { 0 };
            let sends: Vec<usize> = (0..sends)
                .map(|_| order[next + random.below(BUSES - next)])
                .collect();
            let (mute, solo) = (
                random.below(12) == 0,
                round % 2 == 0 && random.below(10) == 0,
            );
            graph.out[strip] = std::iter::once((main.map_or(master, |b| TRACKS + b), 1.0))
                .chain(sends.iter().map(|b| (TRACKS + b, 0.5)))
                .collect();
            (graph.mute[strip], graph.solo[strip]) = (mute, solo);
            if strip < TRACKS {
                let impulse = (0..TRACKS)
                    .map(|n| if n == strip { 1.0 } else { 0.0 })
                    .collect();
                let mut track = Track::new(
                    format!("t{strip}"),
                    Memory::new(SPEC, vec![impulse]).unwrap(),
                );
                track.strip.to = main.map(|b| ids[b]);
                track = sends.iter().fold(track, |t, b| t.send(ids[*b], half));
                session.add_track(track.mute(mute).solo(solo));
            } else {
                let bus = session.bus_mut(ids[strip - TRACKS]);
                bus.strip.to = main.map(|b| ids[b]);
                *bus = sends
                    .iter()
                    .fold(bus.clone(), |b, to| b.send(ids[*to], half))
                    .mute(mute)
                    .solo(solo);
            }
        }
        let got = heard(&session).unwrap().1;
        for (track, got) in got[0].iter().enumerate() {
            let want = graph.arrives(track, false);
            assert!(
                (got - want).abs() <= want * 1e-12,
                "round {round}, track {track}: {got} for {want}"
            );
            silent += u64::from(want == 0.0);
            heard_ways += u64::from(want != 0.0);
        }
    }
    held(
        rounds,
        format!("{heard_ways} tracks heard and {silent} silent, as a search of every way says"),
    )
}
