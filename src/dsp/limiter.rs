//! True-peak limiter with look-ahead: holds a ceiling, and passes every sample bit for bit where nothing exceeds it.
//!
//! ```text
//! true peak of each hop of 16 frames, the loudest channel ─► needed: share that must go (0 below the ceiling)
//!   ─► release: the largest of what is needed and what is left of earlier needs, falling over 0.1 s
//!   ─► the largest of the hops ahead ─► weighted mean over as many hops behind ─► straight lines from hop to hop
//! ```
//! The mean of values none of which is below what a hop needs is not below it either, so the ceiling holds at every
//! sample; between samples the gain is too smooth to matter. All channels get one gain.
//!
//! Nothing is recursive: an output frame depends on a window of input, and hops lie at multiples of 16 absolute frames. So
//! a render that starts [`memory`](Processor::memory) earlier gives the same bits wherever it starts and however it is cut.

use super::{
    processor::{Memory, Parameter, Processor, ProcessorKind, Reduction, Unit},
    true_peak,
};
use crate::{
    block::Block,
    layout::Spec,
    units::{Dbtp, Frames},
};
use std::{collections::VecDeque, f64::consts::PI};

pub(crate) static LIMITER: ProcessorKind = ProcessorKind {
    name: "limiter",
    summary: "Holds the true peak at a ceiling: looks 4 ms ahead and releases over 0.1 s.",
    parameters: &[Parameter {
        key: "ceiling",
        unit: Unit::TruePeak,
        default: -1.0,
        range: (-60.0, 0.0),
        doc: "The highest true peak, in dBTP.",
    }],
    keyed: false,
    build: |values, spec| {
        let ceiling = Dbtp(values.first().copied().unwrap_or_default());
        Box::new(Limiter::new(ceiling.value(), spec))
    },
};

/// Frames of a hop.
const HOP: usize = true_peak::CHUNK;
/// Hops that the true peak of a hop reaches beyond it.
const REACH: u64 = 2;
/// Seconds that the gain takes to fall.
const ATTACK: f64 = 0.004;
/// Seconds that it takes to rise.
const RELEASE: f64 = 0.1;
/// How far below the ceiling it aims, for what lies between samples: 0.01 dB.
const AIM: f64 = 0.998_849_370_2;

/// A running limiter.
struct Limiter {
    ceiling: f64,
    /// Weights of the hops behind, the nearest first; their sum is 1.
    weights: Vec<f64>,
    /// How much of a reduction is left, hop by hop.
    release: Vec<f64>,
    /// The input that is still needed, after a margin, and the frame it starts with: the first of a hop.
    ///
    /// Frames are counted as the timeline does from the first block after a reset; round a live loop the count goes on.
    input: Vec<Vec<f64>>,
    start: u64,
    /// Whether the next block is the first after a reset.
    fresh: bool,
    /// The share that must go in the latest hops, the latest first.
    needed: VecDeque<f64>,
    /// How many of these are 0 since one was not.
    quiet: usize,
    /// The hop to be analysed next.
    next: u64,
    /// What is needed and what is left of earlier needs, hop by hop. Silent hops come before the first that was analysed:
    /// the entry for hop h has the number h + [`before`](Self::before).
    released: VecDeque<f64>,
    first: u64,
    /// The means of the latest two hops.
    means: [(u64, f64); 2],
    reductions: Vec<Reduction>,
}

impl Limiter {
    fn new(ceiling: f64, spec: Spec) -> Self {
        let ahead = hops(ATTACK, spec);
        let bump = |k: u32| libm::sin(PI * f64::from(k + 1) / f64::from(ahead + 2));
        let weights: Vec<f64> = (0..=ahead).map(|k| bump(k) * bump(k)).collect();
        let all: f64 = weights.iter().sum();
        let release = hops(RELEASE, spec);
        let fall = |k: u32| (1.0 + libm::cos(PI * f64::from(k) / f64::from(release))) / 2.0;
        let mut limiter = Self {
            ceiling,
            weights: weights.iter().map(|w| w / all).collect(),
            release: (0..release).map(fall).collect(),
            input: vec![Vec::new(); spec.layout.channels()],
            start: 0,
            fresh: true,
            needed: VecDeque::new(),
            quiet: 0,
            next: 0,
            released: VecDeque::new(),
            first: 0,
            means: [(u64::MAX, 0.0); 2],
            reductions: Vec::new(),
        };
        limiter.restart(0);
        limiter
    }

    /// Begins anew at a frame; before it there is silence.
    fn restart(&mut self, frame: u64) {
        let hop = frame / HOP as u64;
        let into_hop = usize::try_from(frame % HOP as u64).unwrap_or_default();
        self.input.iter_mut().for_each(|c| {
            c.clear();
            c.resize(true_peak::MARGIN + into_hop, 0.0);
        });
        self.start = hop * HOP as u64;
        self.needed.clear();
        (self.quiet, self.next) = (self.release.len(), hop);
        self.released.clear();
        self.released
            .resize(usize::try_from(self.before()).unwrap_or_default(), 0.0);
        self.first = hop;
        self.means = [(u64::MAX, 0.0); 2];
    }

    /// The frame after the input.
    fn end(&self) -> u64 {
        self.start + (self.input.first().map_or(0, Vec::len) - true_peak::MARGIN) as u64
    }

    /// Puts limited frames into a block from `offset` to its end, and forgets the input before them.
    fn pull(&mut self, from: u64, out: &mut Block, offset: usize) {
        self.analyse();
        let end = from + (out.frames() - offset) as u64;
        let mut at = from;
        while at < end {
            let hop = at / HOP as u64;
            let n = usize::try_from(((hop + 1) * HOP as u64).min(end) - at).unwrap_or(HOP);
            let (before, after) = match self.means {
                [(h, before), (next, after)] if h == hop && next == hop + 1 => (before, after),
                _ => (self.mean(hop), self.mean(hop + 1)),
            };
            let to = offset + usize::try_from(at - from).unwrap_or(usize::MAX);
            let place = usize::try_from(at - self.start)
                .unwrap_or(usize::MAX)
                .saturating_add(true_peak::MARGIN);
            let within = usize::try_from(at % HOP as u64).unwrap_or_default();
            for (samples, input) in out.channels_mut().zip(&self.input) {
                let (Some(samples), Some(input)) =
                    (samples.get_mut(to..to + n), input.get(place..place + n))
                else {
                    continue;
                };
                samples.copy_from_slice(input);
                if before > 0.0 || after > 0.0 {
                    for (k, sample) in samples.iter_mut().enumerate() {
                        *sample *= 1.0 - (before + (after - before) * share(within + k));
                    }
                }
            }
            let shares = [within, within + n - 1].map(|k| before + (after - before) * share(k));
            self.reductions.push(Reduction {
                offset: to,
                frames: n,
                shares,
            });
            at += n as u64;
        }
        self.forget(end);
    }

    fn ahead(&self) -> u64 {
        self.weights.len() as u64 - 1
    }

    /// Finds what must go in every hop whose surroundings are there.
    fn analyse(&mut self) {
        let known = (self.end() / HOP as u64).saturating_sub(REACH);
        while self.next < known {
            let at = usize::try_from(self.next * HOP as u64 - self.start).unwrap_or(usize::MAX)
                + true_peak::MARGIN;
            let mut height = self.ceiling;
            for samples in &self.input {
                height = true_peak::height(samples, at, height);
            }
            let excess = if height > self.ceiling {
                1.0 - self.ceiling * AIM / height
            } else {
                0.0
            };
            self.quiet = if excess > 0.0 {
                0
            } else {
                self.quiet.saturating_add(1)
            };
            self.needed.push_front(excess);
            self.needed.truncate(self.release.len());
            let left = || {
                self.needed
                    .iter()
                    .zip(&self.release)
                    .fold(0.0, |m: f64, (d, fall)| m.max(d * fall))
            };
            self.released.push_back(if self.quiet < self.release.len() {
                left()
            } else {
                0.0
            });
            self.next += 1;
        }
    }

    /// The weighted mean, over the hops behind, of the largest of the hops ahead of each.
    fn mean(&mut self, hop: u64) -> f64 {
        let [_, (known, mean)] = self.means;
        if known == hop {
            return mean;
        }
        let reach = self.weights.len() + 1;
        // The hop before the one that lies behind, counted from the first that is kept.
        let index = |behind: usize| {
            usize::try_from(hop + self.before() - self.first).unwrap_or(usize::MAX) - behind - 1
        };
        let largest = |behind| {
            self.released
                .iter()
                .skip(index(behind))
                .take(reach)
                .fold(0.0, |m: f64, d| m.max(*d))
        };
        let mean = if self
            .released
            .iter()
            .skip(index(reach - 2))
            .take(2 * reach)
            .all(|d| *d == 0.0)
        {
            0.0
        } else {
            self.weights
                .iter()
                .enumerate()
                .map(|(behind, weight)| weight * largest(behind))
                .sum()
        };
        let [_, latest] = self.means;
        self.means = [latest, (hop, mean)];
        mean
    }

    /// Hops of silence before the first.
    fn before(&self) -> u64 {
        self.ahead() + 1
    }

    /// Drops what no frame from `end` on needs.
    fn forget(&mut self, end: u64) {
        let hop = end / HOP as u64;
        let frames =
            usize::try_from((hop * HOP as u64).saturating_sub(self.start)).unwrap_or_default();
        self.input
            .iter_mut()
            .for_each(|input| drop(input.drain(..frames.min(input.len()))));
        self.start += frames as u64;
        let old = usize::try_from(hop.saturating_sub(self.first)).unwrap_or_default();
        self.released.drain(..old.min(self.released.len()));
        self.first += old as u64;
    }
}

impl Processor for Limiter {
    fn latency(&self) -> Frames {
        // The gain of a frame is a line to the mean of the next hop, which needs the true peaks of the hops ahead of it.
        Frames((self.ahead() + 2 + REACH) * HOP as u64)
    }

    fn memory(&self) -> Memory {
        Memory::Window(Frames(
            (self.release.len() as u64 + self.ahead() + 2 + REACH) * HOP as u64,
        ))
    }

    fn reset(&mut self) {
        self.fresh = true;
    }

    fn process(&mut self, at: Frames, block: &mut Block, _: Option<&Block>) {
        if std::mem::take(&mut self.fresh) {
            self.restart(at.0);
        }
        self.reductions.clear();
        for (input, samples) in self.input.iter_mut().zip(block.channels()) {
            input.extend_from_slice(samples);
        }
        let end = self.end().saturating_sub(self.latency().0);
        // What lies before the first input frame is silence.
        let from = end.saturating_sub(block.frames() as u64).max(self.start);
        let silent = block.frames() - usize::try_from(end.saturating_sub(from)).unwrap_or_default();
        for samples in block.channels_mut() {
            samples
                .iter_mut()
                .take(silent)
                .for_each(|sample| *sample = 0.0);
        }
        if from < end {
            self.pull(from, block, silent);
        }
    }

    fn reductions(&self) -> &[Reduction] {
        &self.reductions
    }
}

/// The hops of a time, at least one.
fn hops(seconds: f64, spec: Spec) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a few thousand at most"
    )]
    let hops = (seconds * f64::from(spec.rate.hz()) / HOP as f64).round() as u32;
    hops.max(1)
}

/// How far into a hop a frame lies, 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "16 at the most")]
fn share(within: usize) -> f64 {
    within as f64 / HOP as f64
}
