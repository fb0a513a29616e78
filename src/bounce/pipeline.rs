//! Runs a plan once and hands out all that was asked for of it, block by block: the mix, the mix at other levels, lanes.
//!
//! Rendering, measuring and writing go on side by side; blocks come in order, whoever is faster.

use crate::{
    block::Block,
    dsp::gain::put_scaled,
    engine::{
        Renderer,
        master_output::{BlockSink, FreeFrames},
        thread_budget,
    },
    error::{Error, ErrorKind, Result},
    layout::Layout,
    measure::Meter,
    units::Frames,
};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Frames in a block, where nobody asks for others.
pub(crate) const BLOCK: usize = 16_384;

/// Blocks on their way: one being rendered, one measured, one written, one waiting.
const BLOCKS: usize = 4;

/// Which of the signals of a render.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// The mix as it is.
    Mix,
    /// The mix at one of the gains.
    Level(usize),
    /// One of the tapped lanes.
    Tap(usize),
}

/// The same frames of all signals.
pub(crate) struct Blocks {
    mix: Block,
    levels: Vec<Block>,
    taps: Vec<Block>,
}

impl Blocks {
    fn new(layout: Layout, size: usize, levels: usize, taps: usize) -> Self {
        let blocks = |n: usize| (0..n).map(|_| Block::new(layout, size)).collect();
        Self { mix: Block::new(layout, size), levels: blocks(levels), taps: blocks(taps) }
    }

    pub(crate) fn frames(&self) -> usize {
        self.mix.frames()
    }

    pub(crate) fn taps(&self) -> &[Block] {
        &self.taps
    }

    pub(crate) fn of(&self, signal: Signal) -> &Block {
        let found = match signal {
            Signal::Mix => Some(&self.mix),
            Signal::Level(i) => self.levels.get(i),
            Signal::Tap(i) => self.taps.get(i),
        };
        found.unwrap_or(&self.mix)
    }

    /// Makes the other levels of the mix.
    fn level(&mut self, gains: &[f64]) {
        for (level, gain) in self.levels.iter_mut().zip(gains) {
            level.set_frames(self.mix.frames());
            level.channels_mut().zip(self.mix.channels()).for_each(|(to, from)| put_scaled(to, from, *gain));
        }
    }
}

/// Blocks on their way from the renderer to who measures and writes them, and back.
struct Pipe<'a> {
    to_fill: Receiver<Blocks>,
    filled: SyncSender<Result<Blocks>>,
    gains: &'a [f64],
    /// The blocks that are being filled, and how many frames they have.
    now: Option<(Blocks, usize)>,
    /// Frames that are still to come.
    left: u64,
}

/// Why a render ends whose other side is gone: nobody is there to read it.
fn gone() -> Error {
    Error::new(ErrorKind::Cancelled, "nobody takes the blocks")
}

impl BlockSink for Pipe<'_> {
    fn free(&mut self) -> Result<FreeFrames<'_>> {
        let (blocks, from) = match self.now.take() {
            Some(now) => now,
            None => {
                let mut blocks = self.to_fill.recv().map_err(|_| gone())?;
                let frames = usize::try_from(self.left).unwrap_or(usize::MAX).min(blocks.mix.capacity());
                [&mut blocks.mix].into_iter().chain(&mut blocks.taps).for_each(|b| b.set_frames(frames));
                (blocks, 0)
            }
        };
        let (Blocks { mix, taps, .. }, from) = self.now.insert((blocks, from));
        Ok(FreeFrames { mix, taps, from: *from })
    }

    fn filled(&mut self, frames: usize) -> Result<()> {
        self.left -= frames as u64;
        let Some((mut blocks, from)) = self.now.take() else { return Ok(()) };
        if from + frames < blocks.frames() {
            self.now = Some((blocks, from + frames));
            return Ok(());
        }
        blocks.level(self.gains);
        self.filled.send(Ok(blocks)).map_err(|_| gone())
    }
}

impl Pipe<'_> {
    /// Renders all that is to come; silence past the end of the plan.
    fn run(&mut self, renderer: &mut Renderer) -> Result<()> {
        renderer.render_into(self.left, self)?;
        while self.left > 0 {
            let FreeFrames { mix, taps, from } = self.free()?;
            let n = mix.frames() - from;
            for block in [mix].into_iter().chain(taps) {
                block.channels_mut().flat_map(|c| c.iter_mut().skip(from)).for_each(|sample| *sample = 0.0);
            }
            self.filled(n)?;
        }
        Ok(())
    }
}

/// What is asked of a render.
pub(crate) struct Pump<'r> {
    pub renderer: &'r mut Renderer,
    /// Frames in a block.
    pub size: usize,
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
    pub(crate) fn run(
        self,
        total: Frames,
        mut each: impl FnMut(&Blocks) -> Result<()>,
    ) -> Result<Vec<(Signal, Meter)>> {
        let Self { renderer, size, taps, gains, mut meters, alone } = self;
        let layout = renderer.plan().spec().layout;
        let new = || Blocks::new(layout, size, gains.len(), taps);
        let mut left = total;
        if alone {
            let mut blocks = new();
            while left > Frames::ZERO {
                let want = usize::try_from(left.0).unwrap_or(usize::MAX).min(size);
                // What comes after the range is not rendered, so that it neither counts nor fails.
                if renderer.render_tapped(&mut blocks.mix, &mut blocks.taps, want)? == 0 {
                    [&mut blocks.mix].into_iter().chain(&mut blocks.taps).for_each(|b| b.fill(want, 0.0));
                }
                blocks.level(&gains);
                meters.iter_mut().for_each(|(signal, meter)| meter.feed(blocks.of(*signal)));
                each(&blocks)?;
                left = left - Frames(blocks.frames() as u64);
            }
            return Ok(meters);
        }
        let (free, to_fill) = sync_channel(BLOCKS);
        let (filled, mut to_write) = sync_channel(BLOCKS);
        for _ in 0..BLOCKS {
            // There is room for all of them.
            let _ = free.send(new());
        }
        std::thread::scope(|threads| {
            let mut pipe = Pipe { to_fill, filled, gains: &gains, now: None, left: total.0 };
            // Ends when everything is rendered, or when the caller's side is gone.
            thread_budget::start(threads, "render", move || {
                if let Err(error) = pipe.run(renderer) {
                    let _ = pipe.filled.send(Err(error));
                }
            })?;
            if !meters.is_empty() {
                let (measured, after) = sync_channel(BLOCKS);
                let to_measure = std::mem::replace(&mut to_write, after);
                let meters = &mut meters;
                thread_budget::start(threads, "measure", move || {
                    for rendered in to_measure {
                        for blocks in rendered.iter() {
                            meters.iter_mut().for_each(|(signal, meter)| meter.feed(blocks.of(*signal)));
                        }
                        if measured.send(rendered).is_err() {
                            return;
                        }
                    }
                })?;
            }
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
