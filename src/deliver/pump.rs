//! Runs a plan once and hands out all that was asked for of it, block by block: the mix, the mix at other levels, lanes.
//!
//! As in a bounce, rendering, measuring and writing go on side by side; blocks come in order, whoever is faster.

use crate::{
    block::Block,
    dsp::gain::put_scaled,
    error::{Error, ErrorKind, Result},
    layout::Layout,
    measure::Meter,
    render::{Renderer, beside},
    units::Frames,
};
use std::sync::mpsc::sync_channel;

/// Frames in a block.
const BLOCK: usize = 16_384;

/// Blocks on their way: one being rendered, one measured, one written, one waiting.
const BLOCKS: usize = 4;

/// Which of the signals of a render.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// The mix as it is.
    Mix,
    /// The mix at one of the gains.
    Level(usize),
    /// One of the tapped lanes.
    Tap(usize),
}

/// The same frames of all signals.
pub(super) struct Blocks {
    mix: Block,
    levels: Vec<Block>,
    taps: Vec<Block>,
}

impl Blocks {
    fn new(layout: Layout, levels: usize, taps: usize) -> Self {
        let blocks = |n: usize| (0..n).map(|_| Block::new(layout, BLOCK)).collect();
        Self { mix: Block::new(layout, BLOCK), levels: blocks(levels), taps: blocks(taps) }
    }

    pub(super) fn frames(&self) -> usize {
        self.mix.frames()
    }

    pub(super) fn taps(&self) -> &[Block] {
        &self.taps
    }

    pub(super) fn of(&self, signal: Signal) -> &Block {
        let found = match signal {
            Signal::Mix => Some(&self.mix),
            Signal::Level(i) => self.levels.get(i),
            Signal::Tap(i) => self.taps.get(i),
        };
        found.unwrap_or(&self.mix)
    }

    /// Renders the next frames, at most `left`; silence past the end of the plan.
    fn fill(&mut self, renderer: &mut Renderer, gains: &[f64], left: Frames) -> Result<()> {
        let want = usize::try_from(left.0).unwrap_or(usize::MAX).min(BLOCK);
        if renderer.render_tapped(&mut self.mix, &mut self.taps, want)? == 0 {
            self.mix.fill(want, 0.0);
            self.taps.iter_mut().for_each(|t| t.fill(want, 0.0));
        }
        let frames = self.mix.frames();
        for (level, gain) in self.levels.iter_mut().zip(gains) {
            level.set_frames(frames);
            level.channels_mut().zip(self.mix.channels()).for_each(|(to, from)| put_scaled(to, from, *gain));
        }
        Ok(())
    }
}

/// What is asked of a render.
pub(super) struct Pump<'r> {
    pub renderer: &'r mut Renderer,
    /// How many lanes the renderer taps.
    pub taps: usize,
    /// The other levels of the mix, as factors.
    pub gains: Vec<f64>,
    /// What is measured.
    pub meters: Vec<(Signal, Meter)>,
    /// Whether all is done on the caller's thread.
    pub alone: bool,
}

impl Pump<'_> {
    /// Renders so many frames from where the renderer stands. `each` gets every block, on the caller's thread. Returns the
    /// meters.
    pub(super) fn run(
        self,
        total: Frames,
        mut each: impl FnMut(&Blocks) -> Result<()>,
    ) -> Result<Vec<(Signal, Meter)>> {
        let Self { renderer, taps, gains, mut meters, alone } = self;
        let layout = renderer.plan().spec().layout;
        let new = || Blocks::new(layout, gains.len(), taps);
        let mut left = total;
        if alone {
            let mut blocks = new();
            while left > Frames::ZERO {
                blocks.fill(renderer, &gains, left)?;
                meters.iter_mut().for_each(|(signal, meter)| meter.feed(blocks.of(*signal)));
                each(&blocks)?;
                left = left - Frames(blocks.frames() as u64);
            }
            return Ok(meters);
        }
        let (free, to_fill) = sync_channel(BLOCKS);
        let (filled, to_measure) = sync_channel::<Result<Blocks>>(BLOCKS);
        let (measured, to_write) = sync_channel(BLOCKS);
        for _ in 0..BLOCKS {
            // There is room for all of them.
            let _ = free.send(new());
        }
        std::thread::scope(|threads| {
            // Ends when everything is rendered, or when the caller's side is gone.
            let gains = &gains;
            beside::start(threads, "render", move || {
                let mut left = total;
                while left > Frames::ZERO {
                    let Ok(mut blocks) = to_fill.recv() else { return };
                    let rendered = blocks.fill(renderer, gains, left).map(|()| blocks);
                    left = left - rendered.as_ref().map_or(left, |b| Frames(b.frames() as u64));
                    if filled.send(rendered).is_err() {
                        return;
                    }
                }
            })?;
            let meters = &mut meters;
            beside::start(threads, "measure", move || {
                for rendered in to_measure {
                    for blocks in rendered.iter() {
                        meters.iter_mut().for_each(|(signal, meter)| meter.feed(blocks.of(*signal)));
                    }
                    if measured.send(rendered).is_err() {
                        return;
                    }
                }
            })?;
            // Owned here, so that leaving early lets the other threads go.
            let (free, to_write) = (free, to_write);
            while left > Frames::ZERO {
                let Ok(rendered) = to_write.recv() else {
                    return Err(Error::new(ErrorKind::Corrupt, "rendering stopped without saying why"));
                };
                let blocks = rendered?;
                each(&blocks)?;
                left = left - Frames(blocks.frames() as u64);
                // After the last block nobody waits for it.
                let _ = free.send(blocks);
            }
            Ok(())
        })?;
        Ok(meters)
    }
}
