//! Renders a plan block by block to several signals at once: the mix, the mix at other levels, and
//! tapped nodes.
//!
//! Rendering, measuring and writing run on separate threads, which pass the blocks on in order; a short render runs on the
//! caller's thread.

use crate::{
    block::Block,
    curve::Fade,
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
    /// Signal at another level: that of [`ScaledSignal`] with this index.
    Level(usize),
    /// Tapped node with this index.
    Tap(usize),
}

/// The mix or a tapped node, scaled by a gain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ScaledSignal {
    pub of: Signal,
    pub gain: f64,
}

/// Fades at both ends of all signals of a range.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct OutputFades {
    pub fade_in: Fade,
    pub fade_out: Fade,
}

impl OutputFades {
    /// Returns the gain at a frame of a range of `total` frames.
    pub(crate) fn gain(&self, at: u64, total: u64) -> f64 {
        self.fade_in.gain(at) * self.fade_out.gain(total.saturating_sub(at))
    }

    /// Scales blocks that begin at a position of a range of `total` frames. Frames outside the fades are left alone.
    fn apply(&self, blocks: &mut Blocks, position: u64, total: u64) {
        let frames = blocks.frames() as u64;
        let end = position + frames;
        let is_plain = position >= self.fade_in.length.0
            && end <= total.saturating_sub(self.fade_out.length.0);
        if is_plain {
            return;
        }
        let gains: Vec<f64> = (position..end).map(|at| self.gain(at, total)).collect();
        for block in [&mut blocks.mix].into_iter().chain(&mut blocks.taps) {
            for channel in block.channels_mut() {
                for (sample, gain) in channel.iter_mut().zip(&gains) {
                    *sample *= gain;
                }
            }
        }
    }
}

/// Place of a render within a longer range, whose ends are faded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RenderPlace {
    /// First frame of the render, counted from the start of the range.
    pub offset: u64,
    /// Number of frames of the range.
    pub whole: u64,
}

/// Processing of the blocks after they are rendered.
struct Finish<'a> {
    fades: OutputFades,
    levels: &'a [ScaledSignal],
    /// Number of frames of the render.
    total: u64,
    /// Place of the render within the range that is faded.
    place: RenderPlace,
}

impl Finish<'_> {
    /// Fades blocks that begin at a position of the render, and computes the other levels.
    fn apply(&self, blocks: &mut Blocks, position: u64) {
        let RenderPlace { offset, whole } = self.place;
        self.fades.apply(blocks, position + offset, whole);
        blocks.compute_levels(self.levels);
    }
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

    /// Computes the signals at other levels.
    fn compute_levels(&mut self, levels: &[ScaledSignal]) {
        for (level, ScaledSignal { of, gain }) in self.levels.iter_mut().zip(levels) {
            let source = match of {
                Signal::Tap(i) => self.taps.get(*i).unwrap_or(&self.mix),
                Signal::Mix | Signal::Level(_) => &self.mix,
            };
            level.set_frames(source.frames());
            level
                .channels_mut()
                .zip(source.channels())
                .for_each(|(to, from)| put_scaled(to, from, *gain));
        }
    }
}

/// Renderer's end of the pipeline: receives empty blocks and passes them on when they are full.
struct RenderEnd<'a> {
    to_fill: Receiver<Blocks>,
    filled: SyncSender<Result<Blocks>>,
    finish: Finish<'a>,
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
        let start = self.finish.total - self.left - blocks.frames() as u64;
        self.finish.apply(&mut blocks, start);
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
    /// Signals at other levels.
    pub levels: Vec<ScaledSignal>,
    pub fades: OutputFades,
    /// Place of the render within the range that is faded.
    pub place: RenderPlace,
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
            levels,
            fades,
            place,
            mut meters,
            single_threaded,
        } = self;
        let layout = renderer.plan().spec().layout;
        let new = || Blocks::new(layout, block, levels.len(), taps);
        let finish = Finish {
            fades,
            levels: &levels,
            total: total.0,
            place,
        };
        let mut left = total;
        // Threads gain nothing where all blocks are in circulation at once, unless there are many signals to write.
        let is_short =
            taps == 0 && total.0.div_ceil(block.max(1) as u64) <= BLOCKS_IN_FLIGHT as u64;
        if single_threaded || is_short {
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
                finish.apply(&mut blocks, (total - left).0);
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
        let needed = total.0.div_ceil(block.max(1) as u64);
        for _ in 0..saturating_usize(needed).clamp(1, BLOCKS_IN_FLIGHT) {
            // Cannot block: the channel has room for all of them.
            let _ = free.send(new());
        }
        std::thread::scope(|threads| {
            let mut end = RenderEnd {
                to_fill,
                filled,
                finish,
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
