//! Runs the processors of a chain, so that every output frame is a pure function of the absolute frames of its input.
//!
//! Processors run only in the ranges in which the plan feeds them ([`Chain::fed`]). They are reset at the start of each range,
//! which follows silence longer than their memory. A recursive chain also restarts on the grid of the timeline: a second set
//! of processors is reset and fed ahead of each grid position, and takes over there. So no output depends on the frame at which
//! the render started.

use super::{node::ensure_frames, running_insert::RunningInsert};
use crate::{
    block::Block,
    dsp::{
        Reduction,
        peak::{Peak, largest},
    },
    measure::level_curve::{Keep, LevelCurve},
    plan::{
        Chain,
        chain::{GRID, Restart},
        ranges::{contains, next_edge},
    },
    session::Insert,
    units::saturating_usize,
};

/// The processors of a chain.
type Processors = Vec<RunningInsert>;

fn processors(chain: &Chain) -> Processors {
    let build = |insert: &Insert| RunningInsert::new(insert, chain.spec);
    chain.inserts.iter().map(build).collect()
}

/// The running state of a chain.
pub(super) struct ChainState {
    running: Processors,
    /// The processors have been reset for the current fed range.
    is_fed: bool,
    /// Takes over at the next grid position.
    standby: Standby,
    /// Scratch for a part of a block.
    part: Block,
    /// Scratch for the input of the standby processors.
    copy: Block,
    /// For each insert, the part of its key that belongs to a part of a block.
    key_parts: Vec<Block>,
    reductions: ReductionLog,
}

/// The processors that take over at the next grid position; none where the chain never restarts.
#[derive(Default)]
struct Standby {
    processors: Processors,
    is_fed: bool,
}

impl Standby {
    fn new(chain: &Chain) -> Self {
        Self {
            processors: if matches!(chain.restart, Restart::Grid(_)) {
                processors(chain)
            } else {
                Vec::new()
            },
            is_fed: false,
        }
    }
}

/// The positions of a block's first input frame and first output frame on the timeline. Neither jumps within a block.
#[derive(Clone, Copy)]
pub(super) struct ChainPosition {
    pub input: u64,
    /// `None` before the latency of the chain has passed.
    pub output: Option<u64>,
    /// The output is part of the rendered range, so reductions are logged.
    pub counts: bool,
}

impl ChainPosition {
    fn after(self, frames: usize) -> Self {
        let frames = frames as u64;
        Self {
            input: self.input + frames,
            output: self.output.map(|at| at + frames),
            ..self
        }
    }
}

impl ChainState {
    pub(super) fn new(chain: &Chain, rate: u64) -> Self {
        Self {
            running: processors(chain),
            is_fed: false,
            standby: Standby::new(chain),
            part: Block::new(chain.spec.layout, 0),
            copy: Block::new(chain.spec.layout, 0),
            key_parts: Vec::new(),
            reductions: ReductionLog::new(rate),
        }
    }

    /// Forgets the signal, since the next block does not follow the last one.
    pub(super) fn reset(&mut self) {
        (self.is_fed, self.standby.is_fed) = (false, false);
    }

    /// Follows a change of the values of an insert's parameters, in live playback. `old` are those before it.
    pub(super) fn change(&mut self, chain: &Chain, index: usize, old: &[f64]) {
        if let Some(running) = self.running.get_mut(index) {
            running.change(old, self.is_fed);
        }
        if self.standby.processors.is_empty() {
            self.standby = Standby::new(chain);
        } else if let Some(standby) = self.standby.processors.get_mut(index) {
            standby.change(old, false);
        }
    }

    pub(super) fn reductions(&self) -> &ReductionLog {
        &self.reductions
    }

    /// Replaces the input by output, with `silence` where the chain does not sound, and reports whether it sounds anywhere.
    ///
    /// Cuts a block where a fed or a sounding range begins or ends, and at grid positions.
    pub(super) fn process(
        &mut self,
        chain: &Chain,
        mut position: ChainPosition,
        block: &mut Block,
        silence: f64,
        keys: &[Option<&Block>],
    ) -> bool {
        let frames = block.frames();
        let (mut done, mut sounds) = (0, false);
        while done < frames {
            let n = saturating_usize(until_edge(chain, position)).min(frames - done);
            let sounds_here = position
                .output
                .is_some_and(|at| contains(&chain.sounding, at).is_some());
            let fed = contains(&chain.fed, position.input);
            if fed.is_none() && !sounds_here {
                self.reset();
            } else {
                let begins = fed.is_some_and(|fed| fed.start == position.input);
                self.switch(chain, position, begins);
                if n == frames {
                    self.run(chain, position, block, keys);
                } else {
                    let mut part = std::mem::replace(&mut self.part, Block::new(block.layout(), 0));
                    ensure_frames(&mut part, n);
                    copy(&mut part, 0, block, done, n);
                    let mut parts = std::mem::take(&mut self.key_parts);
                    let keys = cut(&mut parts, keys, done, n);
                    self.run(chain, position, &mut part, &keys);
                    self.key_parts = parts;
                    copy(block, done, &part, 0, n);
                    self.part = part;
                }
            }
            if !sounds_here {
                let rest = block
                    .channels_mut()
                    .filter_map(|samples| samples.get_mut(done..done + n));
                rest.for_each(|samples| samples.fill(silence));
            }
            sounds |= sounds_here;
            done += n;
            position = position.after(n);
        }
        sounds
    }

    /// Resets the processors that begin here, and lets the standby processors take over at a grid position.
    fn switch(&mut self, chain: &Chain, position: ChainPosition, begins: bool) {
        if begins || !self.is_fed {
            self.running
                .iter_mut()
                .for_each(|processor| processor.reset());
            self.is_fed = true;
            self.standby.is_fed = false;
        }
        let Restart::Grid(pre_roll) = chain.restart else {
            return;
        };
        if position.output.is_some_and(|at| at.is_multiple_of(GRID)) && self.standby.is_fed {
            std::mem::swap(&mut self.running, &mut self.standby.processors);
            self.standby.is_fed = false;
        }
        if !begins && (position.input + pre_roll).is_multiple_of(GRID) {
            self.standby
                .processors
                .iter_mut()
                .for_each(|processor| processor.reset());
            self.standby.is_fed = true;
        }
    }

    fn run(
        &mut self,
        chain: &Chain,
        position: ChainPosition,
        block: &mut Block,
        keys: &[Option<&Block>],
    ) {
        if self.standby.is_fed {
            ensure_frames(&mut self.copy, block.frames());
            copy(&mut self.copy, 0, block, 0, block.frames());
            let standby = &mut self.standby.processors;
            run_all(standby, chain, position.input, &mut self.copy, keys, None);
        }
        let log = position.counts.then_some(&mut self.reductions);
        run_all(&mut self.running, chain, position.input, block, keys, log);
    }
}

/// Runs the processors of a chain one after the other; `at` is the position of the first frame at its input.
fn run_all(
    processors: &mut [RunningInsert],
    chain: &Chain,
    mut at: u64,
    block: &mut Block,
    keys: &[Option<&Block>],
    mut log: Option<&mut ReductionLog>,
) {
    let stated = chain.inserts.iter().zip(&chain.curves);
    for ((running, (insert, curves)), key) in
        processors.iter_mut().zip(stated).zip(key_of_each(keys))
    {
        let latency = running.latency();
        running.process(insert, curves, at, block, key, |from, reduction| {
            if let Some(log) = &mut log {
                log.note(from.saturating_sub(latency), reduction);
            }
        });
        at = at.saturating_sub(latency);
    }
}

/// Returns the number of frames before a fed or sounding range begins or ends, or the processors restart.
fn until_edge(chain: &Chain, position: ChainPosition) -> u64 {
    let fed = next_edge(&chain.fed, position.input) - position.input;
    let sounding = position
        .output
        .map_or(u64::MAX, |at| next_edge(&chain.sounding, at) - at);
    let Restart::Grid(pre_roll) = chain.restart else {
        return fed.min(sounding);
    };
    let to_grid = |at: u64| GRID - at % GRID;
    let switch = position.output.map_or(u64::MAX, to_grid);
    fed.min(sounding)
        .min(switch)
        .min(to_grid(position.input + pre_roll))
}

/// Returns the key of each processor of a chain; none beyond those that are stated.
fn key_of_each<'a>(keys: &'a [Option<&'a Block>]) -> impl Iterator<Item = Option<&'a Block>> {
    keys.iter().copied().chain(std::iter::repeat(None))
}

/// Copies some frames of each key into a block of its own, and returns those.
fn cut<'a>(
    parts: &'a mut Vec<Block>,
    keys: &[Option<&Block>],
    from: usize,
    frames: usize,
) -> Vec<Option<&'a Block>> {
    let layout = keys.iter().flatten().next().map(|key| key.layout());
    if let Some(layout) = layout {
        parts.resize_with(keys.len(), || Block::new(layout, 0));
    }
    for (part, key) in parts.iter_mut().zip(keys) {
        if let Some(key) = key {
            ensure_frames(part, frames);
            copy(part, 0, key, from, frames);
        }
    }
    let parts = parts.iter().map(Some).chain(std::iter::repeat(None));
    keys.iter()
        .zip(parts)
        .map(|(key, part)| key.and(part))
        .collect()
}

/// Copies frames from one block to another of the same layout.
pub(super) fn copy(
    to: &mut Block,
    to_index: usize,
    from: &Block,
    from_index: usize,
    frames: usize,
) {
    for (to, from) in to.channels_mut().zip(from.channels()) {
        let (to, from) = (
            to.get_mut(to_index..to_index + frames),
            from.get(from_index..from_index + frames),
        );
        to.into_iter()
            .zip(from)
            .for_each(|(to, from)| to.copy_from_slice(from));
    }
}

/// Collects the gain reduction of a chain over time, for the report.
pub(super) struct ReductionLog {
    rate: u64,
    /// The first logged frame, and the number of tenths of a second from there to the current value of the curve.
    origin: Option<u64>,
    tenth: u64,
    strongest: f64,
    curve: LevelCurve,
    most: Peak,
}

/// The gain reduction of a chain.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GainReduction {
    /// The largest share of the signal that was taken away, and its frame; `None` without reduction.
    pub most: Option<Peak>,
    /// In dB, for each tenth of a second.
    pub curve: Vec<f32>,
    /// Seconds from one value to the next.
    pub step_s: f64,
}

impl ReductionLog {
    fn new(rate: u64) -> Self {
        let curve = LevelCurve::new(Keep::Largest);
        Self {
            rate,
            origin: None,
            tenth: 0,
            strongest: 0.0,
            curve,
            most: Peak::default(),
        }
    }

    /// Logs a reduction in a block that starts at frame `at`.
    fn note(&mut self, at: u64, reduction: &Reduction) {
        let frame = at + reduction.offset as u64;
        let origin = *self.origin.get_or_insert(frame);
        let now = frame.saturating_sub(origin) * 10 / self.rate;
        while self.tenth < now {
            self.curve.push(decibels(self.strongest));
            (self.tenth, self.strongest) = (self.tenth + 1, 0.0);
        }
        self.strongest = self.strongest.max(largest(&reduction.shares));
        let [first, last] = reduction.shares;
        self.most.take(&[first], frame);
        let end = frame + reduction.frames.saturating_sub(1) as u64;
        self.most.take(&[last], end);
    }

    pub(super) fn total(&self) -> GainReduction {
        let mut curve = self.curve.clone();
        curve.push(decibels(self.strongest));
        GainReduction {
            most: (self.most.value > 0.0).then_some(self.most),
            step_s: f64::from(curve.per()) / 10.0,
            curve: curve.into_values(),
        }
    }
}

/// Converts the share that is taken away to a reduction in dB.
#[expect(
    clippy::cast_possible_truncation,
    reason = "seven digits are enough for a curve"
)]
fn decibels(share: f64) -> f32 {
    if share > 0.0 {
        (-20.0 * libm::log10(1.0 - share)) as f32
    } else {
        0.0
    }
}
