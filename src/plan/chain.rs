//! Chains: the inserts of a strip, and the ranges in which their processors must run so that every frame is exact.
//!
//! A chain sounds where its input sounds and for its tail after that. It is *fed* a little longer, for its look-ahead. Ranges
//! closer to each other than the chain's memory are fed as one, so that a reset at the start of a fed range changes nothing.
//! Inside a fed range recursive chains restart on the grid of [`GRID`] frames.

use super::{
    InCue,
    ranges::{contains, joined, widened},
};
use crate::{
    curve::{Automation, Curve, ParameterCurve},
    dsp::{Memory, Parameter},
    layout::Spec,
    session::{Insert, Selector},
    units::Frames,
};
use std::ops::Range;

/// Frames between the absolute positions at which recursive chains restart: 21.8 s at 48 kHz. A chain with a memory of a
/// twentieth of this costs 5 % more than without restarts.
pub(crate) const GRID: u64 = 1 << 20;

/// Longest memory in frames of a chain that restarts on the grid. Chains with a longer one run from the start of the fed range.
const LONGEST_PRE_ROLL: u64 = GRID / 2;

/// The frame from which a chain must be fed to have its exact state at another frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restart {
    /// This number of frames before the frame.
    Window(u64),
    /// This number of frames before the last grid position at or before the frame.
    Grid(u64),
    /// The start of the fed range.
    Start,
}

/// The side-chain key of an insert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// The node whose output is the key; `None` where that is silent, because it is not heard.
    pub node: Option<usize>,
    /// Look-ahead of the inserts before this one, in frames: its input lags behind that of the chain by as much.
    pub behind: u64,
    /// Delay in frames that brings the key to the frame of the insert's input.
    pub delay: u64,
}

/// The inserts before or after the fader of a strip.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    /// The inserts that are not bypassed.
    pub inserts: Vec<Insert>,
    /// For each insert, its side-chain key.
    pub keys: Vec<Option<Key>>,
    /// For each insert, the parameters that change over time, by index.
    pub curves: Vec<Vec<(usize, ParameterCurve)>>,
    /// Rate and layout that the processors are built for.
    pub spec: Spec,
    /// Look-ahead of all processors together, in frames.
    pub latency: u64,
    pub restart: Restart,
    /// Frames by which the output may sound ahead of the input: the look-ahead of the program's own processors. Built-in ones
    /// are silent there.
    lead: u64,
    /// Frames that sound after the input, and those of them that make the mix longer.
    tail: u64,
    prolongs_by: u64,
    /// Ranges in which the output may differ from silence.
    pub sounding: Vec<Range<u64>>,
    /// Ranges of the input in which the processors run.
    pub fed: Vec<Range<u64>>,
}

impl Chain {
    /// Builds each processor once to learn its latency, memory and tail.
    ///
    /// `key_of` returns the node of a key, or `None` for one that is silent; `in_cue` is the cue whose time curves follow.
    pub(super) fn new<'a>(
        inserts: impl Iterator<Item = &'a Insert>,
        spec: Spec,
        key_of: impl Fn(Selector) -> Option<usize>,
        in_cue: Option<&InCue>,
    ) -> Self {
        let inserts: Vec<Insert> = inserts.filter(|insert| !insert.bypass).cloned().collect();
        let mut chain = Self {
            curves: inserts
                .iter()
                .map(|insert| curves(insert, in_cue))
                .collect(),
            keys: Vec::with_capacity(inserts.len()),
            inserts,
            spec,
            latency: 0,
            restart: Restart::Window(0),
            lead: 0,
            tail: 0,
            prolongs_by: 0,
            sounding: Vec::new(),
            fed: Vec::new(),
        };
        let extents = chain.inspect();
        for (insert, extent) in chain.inserts.iter().zip(extents) {
            let is_keyed = insert.key.is_some() || insert.is_key_left_out;
            chain.keys.push(is_keyed.then(|| Key {
                node: insert.key.and_then(&key_of),
                behind: chain.latency,
                delay: 0,
            }));
            chain.latency += extent.latency;
        }
        chain
    }

    /// Builds each processor to learn memory and tail of the chain; returns the extent of each.
    fn inspect(&mut self) -> Vec<Extent> {
        let extent = |insert: &Insert| Extent::of(insert, self.spec);
        let extents: Vec<Extent> = self.inserts.iter().map(extent).collect();
        let own = self.inserts.iter().zip(&extents);
        let own = own.filter(|(insert, _)| insert.is_custom());
        self.lead = own.map(|(_, extent)| extent.latency).sum();
        self.tail = extents.iter().map(|extent| extent.tail).sum();
        self.prolongs_by = extents.iter().map(|extent| extent.prolongs_by).sum();
        let restart = extents.iter().fold(Restart::Window(0), |restart, extent| {
            restart.and(extent.memory)
        });
        self.restart = restart.bounded();
        extents
    }

    /// Replaces an insert by one with other values of its parameters, which take as much look-ahead.
    pub(crate) fn replace(&mut self, index: usize, insert: Insert, in_cue: Option<&InCue>) {
        let slots = self.inserts.get_mut(index).zip(self.curves.get_mut(index));
        if let Some((slot, moving)) = slots {
            *moving = curves(&insert, in_cue);
            *slot = insert;
            self.inspect();
        }
    }

    /// Estimates the bytes of the processors: for those with a memory, all samples of it.
    pub(super) fn bytes(&self) -> u64 {
        let sets = if matches!(self.restart, Restart::Grid(_)) {
            2
        } else {
            1
        };
        let of_each = self.inserts.iter().map(|insert| insert.bytes(self.spec));
        of_each.fold(0u64, u64::saturating_add).saturating_mul(sets)
    }

    /// Returns the keys that sound.
    pub(crate) fn sounding_keys(&self) -> impl Iterator<Item = (usize, &Key)> {
        let keys = self.keys.iter().flatten();
        keys.filter_map(|key| Some((key.node?, key)))
    }

    /// Returns the frames of its tail that make the mix longer.
    pub(crate) fn prolongs_by(&self) -> u64 {
        self.prolongs_by
    }

    /// Returns the frames by which its processors run ahead of where their state is needed; `None` where they run from the
    /// start of the sound.
    pub(super) fn pre_roll(&self) -> Option<u64> {
        match self.restart {
            Restart::Window(frames) | Restart::Grid(frames) => Some(frames),
            Restart::Start => None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.inserts.is_empty()
    }

    /// Sets the ranges in which the chain sounds and is fed, from those in which its input sounds. Returns those in which it
    /// sounds.
    pub(super) fn place(&mut self, input: Vec<Range<u64>>) -> &[Range<u64>] {
        self.sounding = self.sounding_of(input);
        if !self.is_empty() {
            let apart = self.latency.saturating_add(self.restart.frames());
            let fed = joined(self.sounding.iter().cloned(), apart);
            // A key that sounds before the strip does has moved the gain by then.
            let ahead = match self.sounding_keys().next() {
                Some(_) => self.restart.frames(),
                None => 0,
            };
            self.fed = fed
                .into_iter()
                .map(|r| r.start.saturating_sub(ahead)..r.end.saturating_add(self.latency))
                .collect();
        }
        &self.sounding
    }

    /// Returns the ranges in which the output sounds for an input that sounds in these.
    pub(super) fn sounding_of(&self, input: Vec<Range<u64>>) -> Vec<Range<u64>> {
        if (self.lead, self.tail) == (0, 0) {
            return input;
        }
        let earlier = |r: &Range<u64>| r.start.saturating_sub(self.lead)..r.end;
        widened(&input.iter().map(earlier).collect::<Vec<_>>(), self.tail)
    }

    /// Returns the first frame of the input that the chain needs so that its output is exact from a frame on; with a `limit`,
    /// fewer frames before it where the state is recursive.
    pub(super) fn first_input(&self, output: u64, limit: Option<u64>) -> u64 {
        let Some(fed) = contains(&self.fed, output) else {
            return output;
        };
        let start = match self.restart {
            Restart::Window(n) => output.saturating_sub(n),
            Restart::Grid(n) => (output / GRID * GRID).saturating_sub(n),
            Restart::Start => 0,
        };
        let start = match (limit, self.restart) {
            (Some(limit), Restart::Grid(_) | Restart::Start) => {
                start.max(output.saturating_sub(limit))
            }
            _ => start,
        };
        start.max(fed.start)
    }

    /// Returns the largest number of frames before a frame that the chain needs to be exact at the frame; `None` where it needs
    /// the whole fed range.
    pub(super) fn warm_up(&self) -> Option<u64> {
        match self.restart {
            Restart::Window(n) => Some(n),
            Restart::Grid(n) => Some(GRID - 1 + n),
            Restart::Start => None,
        }
    }
}

/// Returns the parameters of an insert that change over time, on the timeline.
fn curves(insert: &Insert, in_cue: Option<&InCue>) -> Vec<(usize, ParameterCurve)> {
    let compiled = |(index, parameter, curve): (usize, &'static Parameter, &Curve<f64>)| {
        let compiled = Automation::parameter(curve, parameter.range.0 == f64::NEG_INFINITY);
        let placed = match in_cue {
            Some(in_cue) => in_cue.parameter(compiled),
            None => compiled,
        };
        (index, placed)
    };
    insert.curves().map(compiled).collect()
}

/// How far the output of a processor reaches in time, in frames.
struct Extent {
    latency: u64,
    memory: Memory,
    tail: u64,
    prolongs_by: u64,
}

impl Extent {
    /// Builds the processor of an insert, at all extremes of its parameters.
    fn of(insert: &Insert, spec: Spec) -> Self {
        let mut extent = Self {
            latency: 0,
            memory: Memory::Window(Frames::ZERO),
            tail: 0,
            prolongs_by: 0,
        };
        for insert in insert.extremes() {
            let processor = insert.build(spec);
            let tail = processor.tail().0;
            extent.latency = processor.latency().0;
            extent.memory = longer(extent.memory, processor.memory());
            extent.tail = extent.tail.max(tail);
            if processor.prolongs_mix() {
                extent.prolongs_by = extent.prolongs_by.max(tail);
            }
        }
        extent
    }
}

/// Returns what covers the memory of both.
fn longer(a: Memory, b: Memory) -> Memory {
    match (a, b) {
        (Memory::Unbounded, _) | (_, Memory::Unbounded) => Memory::Unbounded,
        (Memory::Window(a), Memory::Window(b)) => Memory::Window(a.max(b)),
        (Memory::Window(a) | Memory::Fading(a), Memory::Window(b) | Memory::Fading(b)) => {
            Memory::Fading(a.max(b))
        }
    }
}

impl Restart {
    /// Adds the next processor of a chain.
    fn and(self, memory: Memory) -> Self {
        match (self, memory) {
            (Self::Start, _) | (_, Memory::Unbounded) => Self::Start,
            (Self::Window(a), Memory::Window(Frames(b))) => Self::Window(a.saturating_add(b)),
            (
                Self::Window(a) | Self::Grid(a),
                Memory::Window(Frames(b)) | Memory::Fading(Frames(b)),
            ) => Self::Grid(a.saturating_add(b)),
        }
    }

    /// Gives up the grid where the memory is too long for it.
    fn bounded(self) -> Self {
        match self {
            Self::Grid(n) if n > LONGEST_PRE_ROLL => Self::Start,
            other => other,
        }
    }

    /// Returns the frames of silence after which a reset changes nothing.
    fn frames(self) -> u64 {
        match self {
            Self::Window(n) | Self::Grid(n) => n,
            Self::Start => u64::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{layout::Layout, units::SampleRate};

    const SPEC: Spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Mono,
    };

    fn delay(seconds: f64, feedback: f64) -> Insert {
        Insert::new("delay")
            .unwrap()
            .set("time", seconds)
            .unwrap()
            .set("feedback", feedback)
            .unwrap()
    }

    #[test]
    fn chains_add_up_latency_memory_and_tail() {
        let limiter = Insert::limiter(crate::Dbtp(-1.0));
        let mut chain = Chain::new(
            [limiter.clone(), delay(0.01, f64::NEG_INFINITY)].iter(),
            SPEC,
            |_| None,
            None,
        );
        assert_eq!(
            (chain.latency, chain.restart),
            (256, Restart::Window(5056 + 480))
        );
        assert_eq!(
            chain.place(vec![1000..2000, 9000..9100]),
            [1000..2480, 9000..9580]
        );
        // 6,520 frames apart is more than latency and memory: each is fed by itself.
        assert_eq!(chain.fed, [1000..2736, 9000..9836]);
        assert_eq!(
            (
                chain.first_input(0, None),
                chain.first_input(1500, None),
                chain.first_input(9500, None)
            ),
            (0, 1000, 9000)
        );
        chain.place(vec![1000..2000, 8000..8100]);
        assert_eq!(chain.fed.first(), Some(&(1000..8836)));
        assert_eq!(chain.fed.len(), 1);
        assert_eq!(chain.first_input(8000, None), 8000 - 5536);
        let fading = Chain::new([delay(0.01, -6.0)].iter(), SPEC, |_| None, None);
        assert_eq!(
            (fading.restart, fading.tail),
            (Restart::Grid(55 * 480), 35 * 480)
        );
        let long = Chain::new([delay(10.0, -0.1), limiter].iter(), SPEC, |_| None, None);
        assert_eq!(long.restart, Restart::Start);
    }

    #[test]
    fn a_pre_roll_takes_half_a_grid_cell_at_most() {
        let half = GRID / 2;
        for (memory, restart) in [
            (Memory::Fading(Frames(half)), Restart::Grid(half)),
            (Memory::Fading(Frames(half + 1)), Restart::Start),
            (Memory::Window(Frames(half + 1)), Restart::Window(half + 1)),
        ] {
            assert_eq!(Restart::Window(0).and(memory).bounded(), restart);
        }
    }

    #[test]
    fn a_fading_chain_starts_ahead_of_its_grid_position() {
        let mut chain = Chain::new([delay(0.01, -6.0)].iter(), SPEC, |_| None, None);
        chain.place(Vec::from([(100..3 * GRID); 1]));
        let pre_roll = 55 * 480;
        assert_eq!(chain.first_input(GRID - 1, None), 100);
        assert_eq!(chain.first_input(GRID, None), GRID - pre_roll);
        assert_eq!(chain.first_input(2 * GRID + 5, None), 2 * GRID - pre_roll);
        // For a quick start fewer frames are read, but never more than the exact ones.
        assert_eq!(
            chain.first_input(2 * GRID + 50_000, Some(24_000)),
            2 * GRID + 26_000
        );
        assert_eq!(
            chain.first_input(2 * GRID, Some(48_000)),
            2 * GRID - pre_roll
        );
        assert_eq!(
            chain.first_input(3 * GRID + 35 * 480, None),
            3 * GRID + 35 * 480,
            "after the tail nothing is needed"
        );
    }
}
