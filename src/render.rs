//! Runs a plan block by block: the only running state.
//!
//! Every lane of a stage is rendered before the next stage starts, on as many threads as the options say; each lane's sum
//! runs in the order of the plan. So neither block size nor threads can change a bit.

pub(crate) mod beside;
pub(crate) mod blowup;
pub(crate) mod flaws;
mod lane;
mod limited;
mod live;
mod moves;
pub(crate) mod overs;
mod pool;
pub(crate) mod sketch;
mod tap;

use crate::{
    block::Block,
    dsp::peak::Peak,
    error::{Error, ErrorKind, Result},
    measure::{Measured, Meter, survey::Survey},
    plan::{LaneKind, Plan},
    source::MOST_OPEN,
    units::Frames,
};
use flaws::FlawLog;
use lane::{LaneState, Output, Turn};
use limited::Limited;
pub(crate) use limited::Reduction;
use pool::Pool;
use sketch::{Grid, Sketch};
use std::ops::Range;
use tap::Tap;

/// How a plan is run. Nothing here changes a sample.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How many threads decode and mix, at most 256; 0 is as many as the machine has cores.
    pub threads: usize,
}

/// Frames that are rendered together on one thread.
const BLOCK: usize = 4_096;
/// The same on several, which meet after each stage of a block, and where files are opened again for each block.
const LARGE_BLOCK: usize = 16_384;
/// Frames that all clips may give together in a block of several threads: about what the caches hold.
const AT_ONCE: usize = 1 << 19;

/// How many frames are rendered together, where so many clips sound at once.
fn block(clips: usize, threads_meet: bool) -> usize {
    if clips > MOST_OPEN {
        LARGE_BLOCK
    } else if threads_meet {
        (AT_ONCE / clips.max(1)).min(LARGE_BLOCK)
    } else {
        BLOCK
    }
}

/// A plan, running. Start anywhere with [`seek`](Self::seek), then [`render`](Self::render) until it returns 0.
///
/// ```
/// use soundtrack::{Block, Frames, Layout, Options, Plan, Renderer, SampleRate, Session, Spec, Track, source::Memory};
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Mono);
/// mix.add_track(Track::new("ramp", Memory::new(spec, vec![vec![0.1, 0.2, 0.3]])?));
/// let mut renderer = Renderer::new(Plan::compile(&mix)?, &Options::default())?;
/// let mut block = Block::new(Layout::Mono, 2);
/// renderer.seek(Frames(1));
/// assert_eq!(renderer.render(&mut block)?, 2);
/// assert_eq!(block.channel(0), [0.2, 0.3]);
/// assert_eq!(renderer.render(&mut block)?, 0);
/// # Ok::<(), soundtrack::Error>(())
/// ```
pub struct Renderer {
    plan: Plan,
    lanes: Vec<LaneState>,
    /// What each lane gives in the current block.
    outputs: Vec<Output>,
    pool: Pool,
    /// Frames that are rendered together, at the most.
    block: usize,
    position: u64,
    /// Nothing from here on counts.
    end: u64,
    /// Where the master has a limiter.
    limited: Option<Limited>,
    taps: Vec<Tap>,
    /// Whether levels are watched for a report.
    watched: bool,
}

impl Renderer {
    /// Makes a plan ready to run. Files are opened when their clips start, and closed when they end.
    ///
    /// # Errors
    /// `Session` where the threads cannot be started.
    pub fn new(plan: Plan, options: &Options) -> Result<Self> {
        let pool = Pool::new(options.threads)?;
        let layout = plan.spec.layout;
        let lanes = plan.lanes.iter().map(|lane| LaneState::new(lane, &plan)).collect();
        let outputs = plan.lanes.iter().map(|_| Output::new(layout)).collect();
        let limited = plan.limit.map(|ceiling| Limited::new(ceiling, plan.spec.rate, layout.channels()));
        let block = block(plan.most_at_once(), pool.is_shared());
        Ok(Self {
            plan,
            lanes,
            outputs,
            pool,
            block,
            position: 0,
            end: u64::MAX,
            limited,
            taps: Vec::new(),
            watched: true,
        })
    }

    /// The plan that is run.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The frame that the next block starts with.
    #[must_use]
    pub fn position(&self) -> Frames {
        Frames(self.position)
    }

    /// Goes to a frame: the next block is the same, bit for bit, as if everything before had been rendered.
    pub fn seek(&mut self, to: Frames) {
        (self.position, self.end) = (to.0, u64::MAX);
    }

    /// Goes to the start of a range. What a limiter looks at behind its end does not count.
    pub(crate) fn go(&mut self, range: &Range<Frames>) {
        (self.position, self.end) = (range.start.0, range.end.0);
    }

    /// Fills the block with the next frames and returns how many: the block's capacity, less at the end, then 0.
    ///
    /// # Errors
    /// `Session` for a block of another layout; `Corrupt`, `NotFound` or `Unsupported` for stems that cannot be
    /// delivered, with track, file and place.
    pub fn render(&mut self, block: &mut Block) -> Result<usize> {
        self.render_part(block, usize::MAX)
    }

    /// The same, at most `most` frames.
    pub(crate) fn render_part(&mut self, block: &mut Block, most: usize) -> Result<usize> {
        self.render_tapped(block, &mut [], most)
    }

    /// From here on watches no levels, for a render that nobody reports on. Changes no sample.
    pub(crate) fn unwatched(&mut self) {
        self.watched = false;
        self.lanes.iter_mut().for_each(|lane| lane.count(false));
    }

    /// From here on keeps what these lanes give, for [`render_tapped`](Self::render_tapped).
    pub(crate) fn tap(&mut self, lanes: &[usize]) {
        let channels = self.plan.spec.layout.channels();
        self.taps = lanes.iter().map(|&lane| Tap::new(lane, channels)).collect();
    }

    /// The same, and into a block for each tapped lane, as large as the first, what it gave.
    pub(crate) fn render_tapped(&mut self, block: &mut Block, tapped: &mut [Block], most: usize) -> Result<usize> {
        if block.layout() != self.plan.spec.layout {
            let what = format!("a block of {} for a plan of {}", block.layout(), self.plan.spec.layout);
            return Err(Error::new(ErrorKind::Session, what));
        }
        let left = usize::try_from(self.plan.length.0.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let total = left.min(block.capacity()).min(most);
        block.set_frames(total);
        tapped.iter_mut().for_each(|t| t.set_frames(total));
        let mut done = 0;
        while done < total {
            let n = self.block.min(total - done);
            if let Some(mut limited) = self.limited.take() {
                let given = self.limit(&mut limited, n);
                if given.is_ok() {
                    let sketch = self.lanes.last_mut().and_then(|master| master.sketch.as_mut());
                    limited.give(self.position, block, done..done + n, sketch);
                }
                self.limited = Some(limited);
                given?;
            } else {
                self.run(self.position, n)?;
                let master = self.outputs.last().into_iter().flat_map(|o| o.block.channels());
                for (to, from) in block.channels_mut().zip(master) {
                    if let Some(to) = to.get_mut(done..done + n) {
                        to.copy_from_slice(from);
                    }
                }
            }
            for (tap, to) in self.taps.iter_mut().zip(&mut *tapped) {
                tap.give(self.position, to, done, n);
            }
            done += n;
            self.position += n as u64;
        }
        Ok(total)
    }

    /// Renders what the limiter wants for its next `frames` frames; silence after the end.
    fn limit(&mut self, limited: &mut Limited, frames: usize) -> Result<()> {
        if let Some(start) = limited.begin(self.position) {
            self.feed_uncounted(limited, start, self.position)?;
        }
        let (from, to) = (limited.limiter.end(), limited.limiter.wanted(self.position + frames as u64));
        let counted = to.min(self.end).max(from);
        self.feed(limited, from, counted)?;
        self.feed_uncounted(limited, counted, to)
    }

    /// The same as [`feed`](Self::feed) with what is not part of the output.
    fn feed_uncounted(&mut self, limited: &mut Limited, from: u64, to: u64) -> Result<()> {
        if from >= to {
            return Ok(());
        }
        self.lanes.iter_mut().for_each(|lane| lane.count(false));
        let fed = self.feed(limited, from, to);
        self.lanes.iter_mut().for_each(|lane| lane.count(self.watched));
        fed
    }

    /// Renders into the limiter, from one frame to another.
    fn feed(&mut self, limited: &mut Limited, from: u64, to: u64) -> Result<()> {
        let mut at = from;
        while at < to {
            let n = usize::try_from(to - at).unwrap_or(usize::MAX).min(self.block);
            let sounding = usize::try_from(self.plan.length.0.saturating_sub(at)).unwrap_or(usize::MAX).min(n);
            if sounding > 0 {
                self.run(at, sounding)?;
                let master = self.outputs.last().into_iter().flat_map(|o| o.block.channels());
                limited.limiter.push(master, sounding);
            }
            limited.limiter.push(std::iter::empty(), n - sounding);
            at += n as u64;
        }
        Ok(())
    }

    /// What the limiter of the master did, where there is one.
    pub(crate) fn reduction(&self) -> Option<Reduction> {
        self.limited.as_ref().map(Limited::reduction)
    }

    /// Renders `frames` frames of every lane, from `at` on.
    fn run(&mut self, at: u64, frames: usize) -> Result<()> {
        let plan = &self.plan;
        for stage in &plan.stages {
            let (before, from_here) = self.outputs.split_at_mut(stage.start);
            let turn = Turn { plan, before, at, frames, pool: &self.pool };
            let lanes = self.lanes.iter_mut().zip(&plan.lanes).skip(stage.start).zip(from_here).take(stage.len());
            let live: Vec<_> = lanes.filter(|((_, lane), _)| lane.live).collect();
            let results: Vec<Result<()>> = self.pool.each(live, |((state, lane), out)| state.render(out, lane, turn));
            // The first in the order of the plan, whichever thread met one first.
            results.into_iter().collect::<Result<()>>()?;
        }
        self.taps.iter_mut().for_each(|tap| tap.take(&self.outputs, plan, at, frames));
        Ok(())
    }

    /// From here on draws what every lane gives onto a grid, from a clean sheet.
    pub(crate) fn sketch(&mut self, grid: Grid) {
        let channels = self.plan.spec.layout.channels();
        for (state, lane) in self.lanes.iter_mut().zip(&self.plan.lanes) {
            state.sketch = Some(Sketch::new(grid, channels, lane.kind));
        }
    }

    /// What was drawn of a lane, if anything was asked for.
    pub(crate) fn sketched(&self, lane: usize) -> Option<&Sketch> {
        self.lanes.get(lane).and_then(|l| l.sketch.as_ref())
    }

    /// Measures every track and bus from here on, or none. Changes no sample.
    pub(crate) fn measure(&mut self, measure: bool) {
        let spec = self.plan.spec;
        for (lane, state) in self.plan.lanes.iter().zip(&mut self.lanes) {
            state.measure((measure && lane.live && lane.kind != LaneKind::Master).then(|| Meter::new(spec)));
        }
    }

    /// What was measured of a lane.
    pub(crate) fn measured(&self, lane: usize) -> Option<Measured> {
        self.lanes.get(lane).and_then(LaneState::measured)
    }

    /// The peaks of a lane so far, one a channel, after its gain and pan.
    pub(crate) fn peaks(&self, lane: usize) -> &[Peak] {
        match &self.limited {
            Some(limited) if lane + 1 == self.lanes.len() => &limited.peaks,
            _ => self.survey(lane).map_or(&[], |survey| &survey.peaks),
        }
    }

    /// The largest sample that came into a track's strip so far, before its gain and pan.
    pub(crate) fn before(&self, lane: usize) -> f64 {
        self.lanes.get(lane).map_or(0.0, LaneState::before)
    }

    /// What was watched of a lane so far.
    pub(crate) fn survey(&self, lane: usize) -> Option<&Survey> {
        self.lanes.get(lane).map(LaneState::survey)
    }

    /// The first and the last sample of each clip of a lane; 0 where it was not rendered.
    pub(crate) fn edges(&self, lane: usize) -> &[[f64; 2]] {
        self.lanes.get(lane).map_or(&[], LaneState::edges)
    }

    /// The heard track that is loudest at a frame, counted from the first that was rendered.
    pub(crate) fn loudest(&self, frame: u64) -> Option<&str> {
        let tracks = self.plan.lanes.iter().zip(&self.lanes).filter(|(l, _)| l.live && l.kind == LaneKind::Track);
        let heights = tracks.map(|(lane, state)| (lane.name.as_str(), state.survey().height(frame)));
        heights.filter(|(_, height)| *height > 0.0).reduce(|a, b| if b.1 > a.1 { b } else { a }).map(|(name, _)| name)
    }

    /// The flaws met in each clip of a lane so far.
    pub(crate) fn flaws(&self, lane: usize) -> &[FlawLog] {
        self.lanes.get(lane).map_or(&[], LaneState::flaws)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clip, Layout, SampleRate, Session, Spec, Track, source::Memory};

    #[test]
    fn blocks_are_small_where_much_sounds_at_once() {
        let chosen = |tracks: u64, apart: u64, threads| {
            let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
            let mut mix = Session::new(spec.rate, spec.layout);
            for n in 0..tracks {
                let stem = Memory::new(spec, vec![vec![0.5; 10]]).unwrap();
                mix.add_track(Track::of(format!("t{n}")).clip(Clip::new(stem).at(Frames(n * apart))));
            }
            Renderer::new(Plan::compile(&mix).unwrap(), &Options { threads }).unwrap().block
        };
        let of = |tracks, apart| [1, 2].map(|threads| chosen(tracks, apart, threads));
        assert_eq!(of(1, 0), [4_096, 16_384]);
        assert_eq!(of(32, 0), [4_096, 16_384]);
        assert_eq!(of(64, 0), [4_096, 8_192]);
        assert_eq!(of(128, 0), [4_096, 4_096]);
        // One ends where the next starts, or the one after it does.
        assert_eq!(of(600, 10), [4_096, 16_384]);
        assert_eq!(of(600, 5), [4_096, 16_384]);
    }

    #[test]
    fn blocks_are_large_where_files_are_opened_for_each() {
        assert_eq!([129, 10_000].map(|clips| [true, false].map(|meet| block(clips, meet))), [[16_384; 2]; 2]);
    }
}
