//! Runs the processors of a chain, so that every output frame is a pure function of the absolute frames of its input.
//!
//! Processors run only in the ranges in which the plan feeds them ([`Chain::fed`]). They are reset at the start of each range,
//! which follows silence longer than their memory. A recursive chain also restarts on the grid of the timeline: a second set
//! of processors is reset and fed ahead of each grid position, and takes over there. So no output depends on the frame at which
//! the render started.

use super::{
    node::{OfEachInsert, ensure_frames},
    reduction_log::{CountedFrames, GainReduction, ReductionLog},
    running_insert::{InsertPosition, RunningInsert},
};
use crate::{
    block::Block,
    plan::{
        Chain,
        chain::{GRID, Restart},
        ranges::{contains, next_edge},
    },
    session::Insert,
    units::saturating_usize,
};
use std::ops::Range;

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
    /// For each insert that reduces gain, its log.
    reductions: Vec<Option<ReductionLog>>,
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
    /// Frames whose reductions are logged.
    pub counted: CountedFrames,
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
        let running = processors(chain);
        let log = |insert: &RunningInsert| insert.reduces_gain().then(|| ReductionLog::new(rate));
        Self {
            reductions: running.iter().map(log).collect(),
            running,
            is_fed: false,
            standby: Standby::new(chain),
            part: Block::new(chain.spec.layout, 0),
            copy: Block::new(chain.spec.layout, 0),
            key_parts: Vec::new(),
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

    /// Returns the product of the smallest gains of all inserts since the last call, in live playback.
    pub(super) fn take_recent_gain(&mut self) -> f64 {
        let logs = self.reductions.iter_mut().flatten();
        logs.map(ReductionLog::take_recent).product()
    }

    /// Returns the gain reduction of each insert in a range, the one that was counted; `None` for inserts that do not reduce
    /// gain.
    pub(super) fn reductions(
        &self,
        chain: &Chain,
        range: &Range<u64>,
    ) -> impl Iterator<Item = Option<GainReduction>> {
        let total = |log: &ReductionLog| log.total(range.clone(), &chain.sounding);
        self.reductions
            .iter()
            .map(move |log| log.as_ref().map(total))
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
                    drop(keys);
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
            let counted = CountedFrames::default();
            let position = ChainPosition {
                counted,
                ..position
            };
            run_all(standby, chain, position, &mut self.copy, keys, &mut []);
        }
        let logs = &mut self.reductions;
        run_all(&mut self.running, chain, position, block, keys, logs);
    }
}

/// Runs the processors of a chain one after the other, and logs their gain reductions.
fn run_all(
    processors: &mut [RunningInsert],
    chain: &Chain,
    position: ChainPosition,
    block: &mut Block,
    keys: &[Option<&Block>],
    logs: &mut [Option<ReductionLog>],
) {
    let mut logs = logs.iter_mut();
    // The look-ahead of the processors up to the output of one.
    let mut lag = 0u64;
    let stated = chain.inserts.iter().zip(&chain.curves);
    for ((running, (insert, curves)), key) in
        processors.iter_mut().zip(stated).zip(key_of_each(keys))
    {
        let mut log = logs.next().and_then(Option::as_mut);
        let start = InsertPosition {
            ahead: saturating_usize(lag.saturating_sub(position.input)),
            at: position.input.saturating_sub(lag),
        };
        lag += running.latency();
        running.process(insert, curves, start, block, key, |from, gains| {
            let Some(log) = &mut log else { return };
            if position.counted.is_metered {
                log.meter(gains);
            }
            let input = position.input + from as u64;
            // While the look-ahead fills, frames come out that lie before the start of the timeline.
            let early = lag.saturating_sub(input);
            let gains = gains.get(saturating_usize(early)..).unwrap_or_default();
            let start = input + early - lag;
            log.note(start, gains, position.counted, &chain.sounding);
        });
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
) -> OfEachInsert<&'a Block> {
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
