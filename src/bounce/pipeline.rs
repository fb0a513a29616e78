//! Renders a plan block by block to several signals at once: the mix, the mix at other levels, and
//! tapped nodes.
//!
//! Rendering, measuring and writing run on separate threads, which pass the blocks on in order.

use crate::{
    block::Block,
    dsp::gain::put_scaled,
    engine::{
        Renderer,
        master_output::{BlockSink, FreeFrames},
        scoped_thread,
    },
    error::{Error, ErrorKind, Result},
    layout::Layout,
    measure::Meter,
    units::{Frames, saturating_usize},
};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Default number of frames per block.
pub(crate) const DEFAULT_BLOCK: usize = 16_384;

/// Number of blocks in circulation: one being rendered, one measured, one written, one waiting.
const BLOCKS_IN_FLIGHT: usize = 4;

/// Signal of a render.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Mix at its own level.
    Mix,
    /// Mix scaled by the gain with this index.
    Level(usize),
    /// Tapped node with this index.
    Tap(usize),
}

/// Blocks of all signals for the same frames.
pub(crate) struct Blocks {
    mix: Block,
    levels: Vec<Block>,
    taps: Vec<Block>,
}

impl Blocks {
    fn new(layout: Layout, size: usize, levels: usize, taps: usize) -> Self {
        let blocks = |n: usize| (0..n).map(|_| Block::new(layout, size)).collect();
        Self {
            mix: Block::new(layout, size),
            levels: blocks(levels),
            taps: blocks(taps),
        }
    }

    pub(crate) fn frames(&self) -> usize {
        self.mix.frames()
    }

    pub(crate) fn get(&self, signal: Signal) -> &Block {
        let found = match signal {
            Signal::Mix => Some(&self.mix),
            Signal::Level(i) => self.levels.get(i),
            Signal::Tap(i) => self.taps.get(i),
        };
        found.unwrap_or(&self.mix)
    }

    /// Computes the other levels of the mix.
    fn compute_levels(&mut self, gains: &[f64]) {
        for (level, gain) in self.levels.iter_mut().zip(gains) {
            level.set_frames(self.mix.frames());
            level
                .channels_mut()
                .zip(self.mix.channels())
                .for_each(|(to, from)| put_scaled(to, from, *gain));
        }
    }
}

/// Renderer's end of the pipeline: receives empty blocks and passes them on when they are full.
struct RenderEnd<'a> {
    to_fill: Receiver<Blocks>,
    filled: SyncSender<Result<Blocks>>,
    gains: &'a [f64],
    /// Blocks being filled, and the number of frames filled so far.
    current: Option<(Blocks, usize)>,
    /// Number of frames still to render.
    left: u64,
}

/// Returns the error of a render whose writer has stopped. The error of the writer is the one that
/// gets reported.
fn disconnected() -> Error {
    Error::new(ErrorKind::Cancelled, "the writer has stopped")
}

impl BlockSink for RenderEnd<'_> {
    fn free(&mut self) -> Result<FreeFrames<'_>> {
        let (blocks, from) = match self.current.take() {
            Some(current) => current,
            None => {
                let mut blocks = self.to_fill.recv().map_err(|_| disconnected())?;
                let frames = saturating_usize(self.left).min(blocks.mix.capacity());
                [&mut blocks.mix]
                    .into_iter()
                    .chain(&mut blocks.taps)
                    .for_each(|b| b.set_frames(frames));
                (blocks, 0)
            }
        };
        let (Blocks { mix, taps, .. }, from) = self.current.insert((blocks, from));
        Ok(FreeFrames {
            mix,
            taps,
            from: *from,
        })
    }

    fn filled(&mut self, frames: usize) -> Result<()> {
        self.left -= frames as u64;
        let Some((mut blocks, from)) = self.current.take() else {
            return Ok(());
        };
        if from + frames < blocks.frames() {
            self.current = Some((blocks, from + frames));
            return Ok(());
        }
        blocks.compute_levels(self.gains);
        self.filled.send(Ok(blocks)).map_err(|_| disconnected())
    }
}

impl RenderEnd<'_> {
    /// Renders the remaining frames; silence past the end of the plan.
    fn run(&mut self, renderer: &mut Renderer) -> Result<()> {
        renderer.render_into(self.left, self)?;
        while self.left > 0 {
            let FreeFrames { mix, taps, from } = self.free()?;
            let n = mix.frames() - from;
            for block in [mix].into_iter().chain(taps) {
                block
                    .channels_mut()
                    .flat_map(|c| c.iter_mut().skip(from))
                    .for_each(|sample| *sample = 0.0);
            }
            self.filled(n)?;
        }
        Ok(())
    }
}

/// Renders, measures and passes on blocks.
pub(crate) struct Pipeline<'r> {
    pub renderer: &'r mut Renderer,
    /// Frames per block.
    pub block: usize,
    /// Number of nodes that the renderer taps.
    pub taps: usize,
    /// Gains of the other levels of the mix.
    pub gains: Vec<f64>,
    /// Meters of the signals to measure.
    pub meters: Vec<(Signal, Meter)>,
    /// True if everything runs on the caller's thread.
    pub single_threaded: bool,
}

impl Pipeline<'_> {
    /// Renders `total` frames from the renderer's position. Calls `each` with every block on the
    /// caller's thread. Returns the meters.
    pub(crate) fn run(
        self,
        total: Frames,
        mut each: impl FnMut(&Blocks) -> Result<()>,
    ) -> Result<Vec<(Signal, Meter)>> {
        let Self {
            renderer,
            block,
            taps,
            gains,
            mut meters,
            single_threaded,
        } = self;
        let layout = renderer.plan().spec().layout;
        let new = || Blocks::new(layout, block, gains.len(), taps);
        let mut left = total;
        if single_threaded {
            let mut blocks = new();
            while left > Frames::ZERO {
                let want = saturating_usize(left.0).min(block);
                // Frames past the range must not be rendered: they would count in the report, and
                // might fail.
                if renderer.render_tapped(&mut blocks.mix, &mut blocks.taps, want)? == 0 {
                    [&mut blocks.mix]
                        .into_iter()
                        .chain(&mut blocks.taps)
                        .for_each(|b| b.fill(want, 0.0));
                }
                blocks.compute_levels(&gains);
                meters
                    .iter_mut()
                    .for_each(|(signal, meter)| meter.feed(blocks.get(*signal)));
                each(&blocks)?;
                left = left - Frames(blocks.frames() as u64);
            }
            return Ok(meters);
        }
        let (free, to_fill) = sync_channel(BLOCKS_IN_FLIGHT);
        let (filled, mut to_write) = sync_channel(BLOCKS_IN_FLIGHT);
        for _ in 0..BLOCKS_IN_FLIGHT {
            // Cannot block: the channel has room for all of them.
            let _ = free.send(new());
        }
        std::thread::scope(|threads| {
            let mut end = RenderEnd {
                to_fill,
                filled,
                gains: &gains,
                current: None,
                left: total.0,
            };
            // Ends when everything is rendered, or when the receiver of the blocks is dropped.
            scoped_thread::spawn(threads, "render", move || {
                if let Err(error) = end.run(renderer) {
                    let _ = end.filled.send(Err(error));
                }
            })?;
            if !meters.is_empty() {
                let (measured, after) = sync_channel(BLOCKS_IN_FLIGHT);
                let to_measure = std::mem::replace(&mut to_write, after);
                let meters = &mut meters;
                scoped_thread::spawn(threads, "measure", move || {
                    for rendered in to_measure {
                        for blocks in rendered.iter() {
                            meters
                                .iter_mut()
                                .for_each(|(signal, meter)| meter.feed(blocks.get(*signal)));
                        }
                        if measured.send(rendered).is_err() {
                            return;
                        }
                    }
                })?;
            }
            // Moved in here, so that an early return drops them and thereby ends the other threads.
            let (free, to_write) = (free, to_write);
            while left > Frames::ZERO {
                let Ok(rendered) = to_write.recv() else {
                    return Err(Error::new(
                        ErrorKind::Corrupt,
                        "rendering stopped without saying why",
                    ));
                };
                let blocks = rendered?;
                each(&blocks)?;
                left = left - Frames(blocks.frames() as u64);
                // Fails after the last block, when the render thread has ended.
                let _ = free.send(blocks);
            }
            Ok(())
        })?;
        Ok(meters)
    }
}
