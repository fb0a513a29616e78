//! True-peak limiter with look-ahead. Passes every sample bit for bit where the signal stays below the ceiling.
//!
//! A reduction is the share of the signal that is taken away, 0 to 1. It is computed for each hop of 16 frames:
//! ```text
//! true peak of the hop, in the loudest channel ─► required reduction (0 below the ceiling)
//!   ─► release: the maximum of the required reduction and earlier ones, which fall over 0.1 s
//!   ─► maximum over the hops ahead ─► weighted mean over as many past hops ─► linear interpolation from hop to hop
//! ```
//! Every value in the mean is at least the reduction that the hop requires, and so is the mean; therefore the ceiling holds at
//! every sample. Between samples the gain changes too slowly to matter. All channels get the same gain.
//!
//! Nothing is recursive: an output frame depends on a window of input, and hops lie at multiples of 16 absolute frames. So a
//! render that starts [`memory`](Processor::memory) frames earlier gives the same bits from any start and with any blocks.

use super::{
    processor::{Memory, Parameter, Processor, ProcessorKind, Unit},
    true_peak,
};
use crate::{
    block::Block,
    layout::Spec,
    units::{Dbtp, Frames, saturating_usize},
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
        stores_signal: false,
        automatable: false,
    }],
    keyed: false,
    build: |values, spec| {
        let ceiling = Dbtp(values.first().copied().unwrap_or_default());
        Box::new(Limiter::new(ceiling.value(), spec))
    },
};

/// Frames in a hop.
const HOP: usize = true_peak::CHUNK;
/// Hops after a hop that its true peak depends on.
const REACH: u64 = 2;
/// Time in seconds in which the gain falls.
const ATTACK: f64 = 0.004;
/// Time in seconds in which the gain rises.
const RELEASE: f64 = 0.1;
/// Target relative to the ceiling, −0.01 dB: leaves room for changes of the gain between samples.
const TARGET: f64 = 0.998_849_370_2;

/// A running limiter.
struct Limiter {
    ceiling: f64,
    /// Weights of the past hops in the mean, the latest first; their sum is 1.
    weights: Vec<f64>,
    /// Share of a reduction that remains after each hop of the release.
    release: Vec<f64>,
    /// The input that is still needed, one vector for each channel: a margin, then the frames from `start` on.
    input: Vec<Vec<f64>>,
    /// The first frame of a hop. Frames count as on the timeline from the first block after a reset; they do not jump at the end
    /// of a live loop.
    start: u64,
    /// The next block is the first after a reset.
    is_reset: bool,
    /// Reductions required by the latest hops, the latest first.
    required: VecDeque<f64>,
    /// Number of hops since one required a reduction.
    idle: usize,
    /// The hop to be analysed next.
    next: u64,
    /// Reductions after the release, hop by hop. [`before`](Self::before) silent hops precede the first analysed one, so the
    /// entry of hop h has the index h + `before` − `first`.
    released: VecDeque<f64>,
    first: u64,
    /// The means of the latest two hops, each with its hop.
    means: [(u64, f64); 2],
    /// Gains of the block processed last.
    gains: Vec<f64>,
    /// Some of these gains are below 1.
    reduces: bool,
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
            is_reset: true,
            required: VecDeque::new(),
            idle: 0,
            next: 0,
            released: VecDeque::new(),
            first: 0,
            means: [(u64::MAX, 0.0); 2],
            gains: Vec::new(),
            reduces: false,
        };
        limiter.restart(0);
        limiter
    }

    /// Restarts at a frame, as if all input before it were silence.
    fn restart(&mut self, frame: u64) {
        let hop = frame / HOP as u64;
        let into_hop = saturating_usize(frame % HOP as u64);
        self.input.iter_mut().for_each(|c| {
            c.clear();
            c.resize(true_peak::MARGIN + into_hop, 0.0);
        });
        self.start = hop * HOP as u64;
        self.required.clear();
        (self.idle, self.next) = (self.release.len(), hop);
        self.released.clear();
        self.released.resize(saturating_usize(self.before()), 0.0);
        self.first = hop;
        self.means = [(u64::MAX, 0.0); 2];
    }

    /// Returns the frame after the last frame of the input.
    fn end(&self) -> u64 {
        self.start + (self.input.first().map_or(0, Vec::len) - true_peak::MARGIN) as u64
    }

    /// Writes limited frames, of which the first is frame `from`, into a block from `offset` to its end. Drops the input before
    /// them.
    fn pull(&mut self, from: u64, out: &mut Block, offset: usize) {
        self.analyse();
        let end = from + (out.frames() - offset) as u64;
        let mut at = from;
        while at < end {
            let hop = at / HOP as u64;
            let n = saturating_usize(((hop + 1) * HOP as u64).min(end) - at);
            let (before, after) = match self.means {
                [(h, before), (next, after)] if h == hop && next == hop + 1 => (before, after),
                _ => (self.mean(hop), self.mean(hop + 1)),
            };
            let to = offset + saturating_usize(at - from);
            let index = saturating_usize(at - self.start) + true_peak::MARGIN;
            let in_hop = saturating_usize(at % HOP as u64);
            let reduces = before > 0.0 || after > 0.0;
            let gains = self.gains.get_mut(to..to + n).unwrap_or_default();
            if reduces {
                for (k, gain) in gains.iter_mut().enumerate() {
                    *gain = 1.0 - (before + (after - before) * progress(in_hop + k));
                }
                self.reduces = true;
            }
            for (samples, input) in out.channels_mut().zip(&self.input) {
                let (Some(samples), Some(input)) =
                    (samples.get_mut(to..to + n), input.get(index..index + n))
                else {
                    continue;
                };
                samples.copy_from_slice(input);
                if reduces {
                    for (sample, gain) in samples.iter_mut().zip(gains.iter()) {
                        *sample *= gain;
                    }
                }
            }
            at += n as u64;
        }
        self.forget(end);
    }

    /// Returns the number of hops of the look-ahead.
    fn ahead(&self) -> u64 {
        self.weights.len() as u64 - 1
    }

    /// Computes the reduction of every hop of which all input that its true peak depends on has arrived.
    fn analyse(&mut self) {
        let known = (self.end() / HOP as u64).saturating_sub(REACH);
        while self.next < known {
            let at = saturating_usize(self.next * HOP as u64 - self.start) + true_peak::MARGIN;
            let mut height = self.ceiling;
            for samples in &self.input {
                height = true_peak::height(samples, at, height);
            }
            let excess = if height > self.ceiling {
                1.0 - self.ceiling * TARGET / height
            } else {
                0.0
            };
            self.idle = if excess > 0.0 {
                0
            } else {
                self.idle.saturating_add(1)
            };
            self.required.push_front(excess);
            self.required.truncate(self.release.len());
            let remaining = || {
                self.required
                    .iter()
                    .zip(&self.release)
                    .fold(0.0, |m: f64, (d, fall)| m.max(d * fall))
            };
            self.released.push_back(if self.idle < self.release.len() {
                remaining()
            } else {
                0.0
            });
            self.next += 1;
        }
    }

    /// Returns the weighted mean over the past hops of the maximum over the hops ahead of each.
    fn mean(&mut self, hop: u64) -> f64 {
        let [_, (known, mean)] = self.means;
        if known == hop {
            return mean;
        }
        let reach = self.weights.len() + 1;
        // The index in `released` of the hop before the one `behind` hops ago.
        let newest = saturating_usize(hop + self.before() - self.first);
        let index = |behind: usize| newest - behind - 1;
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

    /// Returns the number of silent hops before the first one.
    fn before(&self) -> u64 {
        self.ahead() + 1
    }

    /// Drops the input and reductions that no frame from `end` on depends on.
    fn forget(&mut self, end: u64) {
        let hop = end / HOP as u64;
        let frames = saturating_usize((hop * HOP as u64).saturating_sub(self.start));
        self.input
            .iter_mut()
            .for_each(|input| drop(input.drain(..frames.min(input.len()))));
        self.start += frames as u64;
        let old = saturating_usize(hop.saturating_sub(self.first));
        self.released.drain(..old.min(self.released.len()));
        self.first += old as u64;
    }
}

impl Processor for Limiter {
    fn latency(&self) -> Frames {
        // The gain of a frame is interpolated to the mean of the next hop, which depends on the true peaks of the hops ahead.
        Frames((self.ahead() + 2 + REACH) * HOP as u64)
    }

    fn memory(&self) -> Memory {
        Memory::Window(Frames(
            (self.release.len() as u64 + self.ahead() + 2 + REACH) * HOP as u64,
        ))
    }

    fn reset(&mut self) {
        self.is_reset = true;
    }

    fn process(&mut self, at: Frames, block: &mut Block, _: Option<&Block>) {
        if std::mem::take(&mut self.is_reset) {
            self.restart(at.0);
        }
        self.gains.clear();
        self.gains.resize(block.frames(), 1.0);
        self.reduces = false;
        for (input, samples) in self.input.iter_mut().zip(block.channels()) {
            input.extend_from_slice(samples);
        }
        let end = self.end().saturating_sub(self.latency().0);
        // Output before the first input frame is silence.
        let from = end.saturating_sub(block.frames() as u64).max(self.start);
        let silent = block.frames() - saturating_usize(end.saturating_sub(from));
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

    fn gains(&self) -> Option<&[f64]> {
        Some(if self.reduces { &self.gains } else { &[] })
    }
}

/// Returns a time in hops, at least one.
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

/// Returns the position of a frame within a hop, 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "at most 16")]
fn progress(in_hop: usize) -> f64 {
    in_hop as f64 / HOP as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{layout::Layout, units::SampleRate};

    #[test]
    fn the_gain_falls_by_squared_sines_and_rises_by_squared_cosines() {
        let spec = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Mono,
        };
        let limiter = Limiter::new(1.0, spec);
        // 4 and 100 ms in hops of 16 frames. The sum of the squares is half of their number.
        assert_eq!((limiter.weights.len(), limiter.release.len()), (13, 300));
        for (k, weight) in (1..).zip(&limiter.weights) {
            let sine = (PI * f64::from(k) / 14.0).sin();
            assert!((weight - sine * sine / 7.0).abs() < 1e-15, "{k}");
        }
        for (k, share) in (0..).zip(&limiter.release) {
            let cosine = (PI * f64::from(k) / 600.0).cos();
            assert!((share - cosine * cosine).abs() < 1e-15, "{k}");
        }
    }

    const STEREO: Spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Stereo,
    };

    /// Noise with bursts above the ceiling: next to each other, and one after the release of those before has ended.
    fn bursts(frames: usize) -> Vec<Vec<f64>> {
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 24) - 0.5
        };
        let level = |frame: usize| match frame {
            1003 => 5.0,
            1200..1210 => 3.0,
            1650..1900 => 4.0,
            9000..9003 => 6.0,
            _ => 0.4,
        };
        let channel = |frames| (0..frames).map(|frame| noise() * level(frame)).collect();
        [frames, frames].map(channel).into()
    }

    /// Returns the gain of each frame as the head of this file defines it, from all input at once.
    fn gains_by_definition(limiter: &Limiter, input: &[Vec<f64>]) -> Vec<f64> {
        let (hops, ahead) = (input[0].len() / HOP, limiter.weights.len() - 1);
        let padded = input.iter().map(|channel| {
            let margin = vec![0.0; true_peak::MARGIN + HOP];
            [&margin[HOP..], channel, &margin].concat()
        });
        let padded: Vec<Vec<f64>> = padded.collect();
        let required = |hop: usize| {
            let at = true_peak::MARGIN + hop * HOP;
            let height = padded
                .iter()
                .map(|channel| true_peak::height(channel, at, 0.0))
                .fold(limiter.ceiling, f64::max);
            if height > limiter.ceiling {
                1.0 - limiter.ceiling * TARGET / height
            } else {
                0.0
            }
        };
        let required: Vec<f64> = (0..hops).map(required).collect();
        let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
        let released = |hop: usize| {
            let fallen = required[..=hop].iter().rev().zip(&limiter.release);
            most(&mut fallen.map(|(reduction, share)| reduction * share))
        };
        let released: Vec<f64> = (0..hops).map(released).collect();
        let mean = |hop: usize| -> f64 {
            let largest = |behind: usize| {
                let range = (hop + ahead + 1).saturating_sub(behind);
                let first = (hop.saturating_sub(behind + 1)).min(hops);
                most(&mut released[first..range.clamp(first, hops)].iter().copied())
            };
            let weighted = limiter.weights.iter().enumerate();
            weighted
                .map(|(behind, weight)| weight * largest(behind))
                .sum()
        };
        let means: Vec<f64> = (0..=hops).map(mean).collect();
        let gain = |frame: usize| {
            let (before, after) = (means[frame / HOP], means[frame / HOP + 1]);
            1.0 - (before + (after - before) * (frame % HOP) as f64 / HOP as f64)
        };
        (0..hops * HOP).map(gain).collect()
    }

    /// Passes input from a frame on in blocks of several sizes. Returns the output with the gain of each frame.
    fn run(limiter: &mut Limiter, input: &[Vec<f64>], from: usize) -> Vec<[f64; 3]> {
        let mut out = Vec::new();
        let mut at = from;
        for size in [1, 7, 160, 16, 500, 33].into_iter().cycle() {
            let frames = size.min(input[0].len() - at);
            if frames == 0 {
                break;
            }
            let mut block = Block::new(Layout::Stereo, frames);
            block.set_frames(frames);
            for (to, samples) in block.channels_mut().zip(input) {
                to.copy_from_slice(&samples[at..at + frames]);
            }
            limiter.process(Frames(at as u64), &mut block, None);
            let gains = limiter.gains().unwrap();
            let gain = |i: usize| gains.get(i).copied().unwrap_or(1.0);
            out.extend((0..frames).map(|i| [block.channel(0)[i], block.channel(1)[i], gain(i)]));
            at += frames;
        }
        out
    }

    #[test]
    fn the_output_is_the_input_times_the_gain_of_the_definition() {
        let input = bursts(16_000);
        let mut limiter = Limiter::new(0.8, STEREO);
        let gains = gains_by_definition(&limiter, &input);
        let out = run(&mut limiter, &input, 0);
        let late = 256;
        assert_eq!(limiter.latency().0, late as u64);
        assert!(out[..late].iter().all(|frame| *frame == [0.0, 0.0, 1.0]));
        for (frame, out) in out[late..].iter().enumerate() {
            let gain = gains[frame];
            assert!((out[2] - gain).abs() < 1e-15, "{frame}: {} {gain}", out[2]);
            assert_eq!(out[0], input[0][frame] * out[2], "{frame}");
            assert_eq!(out[1], input[1][frame] * out[2], "{frame}");
        }
        let changed = gains.iter().filter(|gain| **gain < 1.0).count();
        assert!((9_000..13_000).contains(&changed), "{changed}");
    }

    #[test]
    fn a_render_that_starts_later_continues_bit_for_bit_after_its_memory() {
        let input = bursts(12_000);
        let mut limiter = Limiter::new(0.8, STEREO);
        let whole = run(&mut limiter, &input, 0);
        let Memory::Window(memory) = limiter.memory() else {
            panic!("{:?}", limiter.memory());
        };
        assert_eq!(memory.0, (300 + 12 + 2 + 2) * 16);
        for from in [16, 1_001, 1_700] {
            limiter.reset();
            let part = run(&mut limiter, &input, from);
            let settled = memory.0 as usize + 256;
            assert_eq!(part[settled..], whole[from + settled..], "{from}");
        }
    }
}
