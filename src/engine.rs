//! Renders a plan block by block. All state that changes while a plan runs is in this module.
//!
//! Worker threads render the plan's nodes in steps of [`STEP`] frames, a node after the nodes that feed it. A node adds its
//! feeds in the order of the plan, sample by sample, so neither the block size nor the number of threads changes a bit of the
//! output.

mod buffer_pool;
mod chain_state;
mod clip_index;
pub(crate) mod clip_log;
mod clip_mixer;
mod clip_reader;
mod delay_line;
mod direct_feed;
pub(crate) mod flaws;
mod live;
pub(crate) mod master_output;
mod node;
pub(crate) mod overload_guard;
mod ramps;
pub(crate) mod read_ahead;
mod reduction_log;
mod running_insert;
mod scheduler;
pub(crate) mod scoped_thread;
pub(crate) mod serial;
mod tap;
mod thread_pool;
mod transport;
pub(crate) mod waveform_builder;

use crate::{
    block::Block,
    dsp::peak::Peak,
    error::{Error, ErrorKind, Result},
    measure::{Measured, Meter, survey::Survey},
    plan::{Lag, NodeKind, Plan},
    session::Insert,
    units::{Frames, saturating_usize},
};
use buffer_pool::BufferPool;
use flaws::FlawLog;
use master_output::{BlockSink, CallerBlocks, MasterOutput};
use node::{NodePosition, NodeState};
use reduction_log::CountedFrames;
pub(crate) use reduction_log::GainReduction;
use scheduler::{Graph, Scheduler};
use std::{fmt, ops::Range};
use tap::Tap;
use thread_pool::Pool;
use transport::Transport;
use waveform_builder::{Grid, WaveformBuilder};

/// Options of a renderer. No option changes a sample.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Threads that decode and mix, 0..=256; 0 means one for each core of the machine.
    pub threads: usize,
}

/// Frames of a node that a thread renders before it takes another node: few enough that the output of a node is still in the
/// cache when it is added, and enough that the tables of a decoder are not evicted after every few frames.
const STEP: usize = 16_384;

/// Renders a plan into blocks: [`seek`](Self::seek) to any frame, then call [`render`](Self::render) until it returns 0.
///
/// ```
/// use soundtrack::{Block, Frames, Layout, Options, Plan, Renderer, SampleRate, Session, Spec, Track, media::Memory};
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
    nodes: Vec<NodeState>,
    buffers: BufferPool,
    graph: Graph,
    pool: Pool,
    options: Options,
    /// Frames of a step.
    step: usize,
    transport: Transport,
    /// The lags of all nodes, ascending, each once.
    lags: Vec<u64>,
    /// The frame that is delivered next.
    position: u64,
    /// Frames still to render before `position`, to bring the processors into the state that they have there.
    warm_up: u64,
    /// The frames whose levels and flaws are reported.
    counted: Range<u64>,
    taps: Vec<Tap>,
    /// Measures levels for a report.
    watched: bool,
    /// Takes the gains of inserts for meters.
    metered: bool,
}

impl Renderer {
    /// Creates a renderer at frame 0. Files are opened when their clips start and closed when they end.
    ///
    /// # Errors
    /// `Resource` where a thread cannot be started.
    pub fn new(plan: Plan, options: &Options) -> Result<Self> {
        let live = plan.nodes.iter().filter(|node| node.live).count() as u64;
        let steps = plan.length.0.div_ceil(STEP as u64);
        let pool = Pool::new(options.threads, live.saturating_mul(steps))?;
        let nodes = plan
            .nodes
            .iter()
            .map(|node| NodeState::new(node, &plan))
            .collect();
        let graph = Graph::new(&plan, std::iter::empty());
        let buffers = BufferPool::new(&plan);
        let mut lags: Vec<u64> = plan
            .nodes
            .iter()
            .flat_map(|node| [node.lag.input, node.lag.fader, node.lag.output])
            .collect();
        lags.push(0);
        lags.sort_unstable();
        lags.dedup();
        let latency = plan.latency().0;
        let mut renderer = Self {
            plan,
            nodes,
            buffers,
            graph,
            pool,
            options: options.clone(),
            step: STEP,
            transport: Transport::new(latency),
            lags,
            position: 0,
            warm_up: latency,
            counted: 0..u64::MAX,
            taps: Vec::new(),
            watched: true,
            metered: false,
        };
        renderer.seek(Frames(0));
        Ok(renderer)
    }

    /// Returns the plan that is rendered.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns the frame that the next block starts with.
    #[must_use]
    pub fn position(&self) -> Frames {
        Frames(self.position)
    }

    /// Moves to a frame. The next block has the same bits as if everything before it had been rendered.
    pub fn seek(&mut self, to: Frames) {
        self.seek_range(&(to..Frames(u64::MAX)));
    }

    /// Moves to a frame, so that the next block is there soon: recursive processors get at most `limit` frames to find into
    /// their state. They have it exactly from the first restart ([`GRID`](crate::plan::chain::GRID)) that lies their memory after
    /// the frame, and those that process the output of others from the restart after that.
    pub(crate) fn seek_quickly(&mut self, to: Frames, limit: u64) {
        self.start_at(to.0, self.plan.first_input(to.0, Some(limit)));
        self.counted = to.0..u64::MAX;
    }

    /// Moves to the start of a range. Frames outside it, which processors with look-ahead or memory need, are rendered but not
    /// reported.
    pub(crate) fn seek_range(&mut self, range: &Range<Frames>) {
        let first = self.plan.first_input(range.start.0, None);
        self.start_at(range.start.0, first);
        self.counted = range.start.0..range.end.0;
    }

    /// Continues at a position, with input from `first` on.
    fn start_at(&mut self, position: u64, first: u64) {
        self.transport.seek(first);
        self.nodes.iter_mut().for_each(NodeState::reset);
        self.position = position;
        self.warm_up = position - first + self.plan.latency().0;
    }

    /// Continues with another plan at the current position: from the next block on, the output has the bits of a render of that
    /// plan from its start.
    ///
    /// ```
    /// use soundtrack::{Block, Decibels, Layout, Options, Plan, Renderer, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// let tone = mix.add_track(Track::new("tone", Memory::new(spec, vec![vec![0.5; 4]])?));
    /// let mut renderer = Renderer::new(Plan::compile(&mix)?, &Options::default())?;
    /// let mut block = Block::new(Layout::Mono, 2);
    /// renderer.render(&mut block)?;
    /// mix.track_mut(tone).strip.mute = true;
    /// renderer.replace(Plan::compile(&mix)?)?;
    /// renderer.render(&mut block)?;
    /// assert_eq!(block.channel(0), [0.0, 0.0]);
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    ///
    /// # Errors
    /// `InvalidArgument` for a plan of another rate or layout, and those of [`new`](Self::new); then the old plan stays.
    pub fn replace(&mut self, plan: Plan) -> Result<()> {
        if plan.spec != self.plan.spec {
            let what = format!(
                "a plan of {} Hz {} cannot replace one of {} Hz {}",
                plan.spec.rate, plan.spec.layout, self.plan.spec.rate, self.plan.spec.layout
            );
            return Err(Error::new(ErrorKind::InvalidArgument, what));
        }
        let mut next = Self::new(plan, &self.options)?;
        next.watched = self.watched;
        next.seek(Frames(self.position));
        *self = next;
        Ok(())
    }

    /// Fills the block with the next frames and returns their number: the block's capacity, less at the end, then 0.
    ///
    /// # Errors
    /// `InvalidArgument` for a block of another layout; `Corrupt`, `NotFound` or `Unsupported` for a stem that cannot be
    /// decoded, with its track, file and time.
    pub fn render(&mut self, block: &mut Block) -> Result<usize> {
        self.render_part(block, usize::MAX)
    }

    /// Renders as [`render`](Self::render) does, but at most `most` frames.
    pub(crate) fn render_part(&mut self, block: &mut Block, most: usize) -> Result<usize> {
        self.render_tapped(block, &mut [], most)
    }

    /// Turns off the measurement of levels, for a render without a report. Changes no sample.
    pub(crate) fn unwatched(&mut self) {
        self.watched = false;
    }

    /// Taps these nodes, so that [`render_tapped`](Self::render_tapped) returns their output.
    pub(crate) fn tap(&mut self, nodes: &[usize]) {
        let channels = self.plan.spec.layout.channels();
        self.taps = nodes.iter().map(|&node| Tap::new(node, channels)).collect();
        self.graph = Graph::new(&self.plan, nodes.iter().copied());
    }

    /// Renders as [`render_part`](Self::render_part) does, and writes the output of each tapped node into its block of
    /// `tapped`. All blocks must have the same capacity.
    pub(crate) fn render_tapped(
        &mut self,
        block: &mut Block,
        tapped: &mut [Block],
        most: usize,
    ) -> Result<usize> {
        if block.layout() != self.plan.spec.layout {
            let what = format!(
                "a block of {} for a plan of {}",
                block.layout(),
                self.plan.spec.layout
            );
            return Err(Error::new(ErrorKind::InvalidArgument, what));
        }
        let left = saturating_usize(self.plan.length.0.saturating_sub(self.position));
        let total = left.min(block.capacity()).min(most);
        block.set_frames(total);
        tapped.iter_mut().for_each(|t| t.set_frames(total));
        self.render_into(
            total as u64,
            &mut CallerBlocks {
                mix: block,
                taps: tapped,
                done: 0,
            },
        )?;
        Ok(total)
    }

    /// Renders the next `total` frames, less at the end of the mix, into a sink.
    pub(crate) fn render_into(&mut self, total: u64, sink: &mut dyn BlockSink) -> Result<()> {
        let mut left = total.min(self.plan.length.0.saturating_sub(self.position));
        if left == 0 {
            return Ok(());
        }
        self.render_warm_up(sink)?;
        while left > 0 {
            let frames = self.until_change().min(left);
            self.run(frames, true, sink)?;
            left -= frames;
            self.position = self
                .transport
                .position(self.plan.latency().0)
                .unwrap_or(self.position);
        }
        Ok(())
    }

    /// Renders the frames that bring the processors into their state, where any are left.
    fn render_warm_up(&mut self, sink: &mut dyn BlockSink) -> Result<()> {
        while self.warm_up > 0 {
            let frames = self.until_change().min(self.warm_up);
            self.run(frames, false, sink)?;
            self.warm_up -= frames;
        }
        Ok(())
    }

    /// Renders a stretch of the stream in which no node's position jumps.
    fn run(&mut self, frames: u64, delivers: bool, sink: &mut dyn BlockSink) -> Result<()> {
        let positions: Vec<NodePosition> = self
            .plan
            .nodes
            .iter()
            .map(|node| self.node_position(node.lag))
            .collect();
        let Self {
            plan,
            graph,
            nodes,
            buffers,
            pool,
            taps,
            ..
        } = self;
        let mut output = MasterOutput {
            plan,
            taps,
            delivers,
            sink,
        };
        let scheduler = Scheduler {
            plan,
            graph,
            buffers,
            positions: &positions,
            frames,
            step: self.step,
        };
        scheduler.run(nodes, pool, &mut |position, frames, master, node| {
            output.take(position, frames, master, node)
        })?;
        self.transport.advance(frames);
        Ok(())
    }

    /// Returns the position of a node with this lag.
    fn node_position(&self, lag: Lag) -> NodePosition {
        let at = |lag: u64| self.transport.position(lag);
        let counts =
            |at: Option<u64>| self.watched && at.is_some_and(|at| self.counted.contains(&at));
        let counted = CountedFrames {
            start: self.counted.start,
            end: self.counted.end,
            is_metered: self.metered,
        };
        let (input, output) = (at(lag.input), at(lag.output));
        NodePosition {
            input,
            fader: at(lag.fader),
            output,
            counts_input: counts(input),
            counts_output: counts(output),
            counted: if self.watched {
                counted
            } else {
                CountedFrames::default()
            },
        }
    }

    /// Returns the number of frames that can be rendered before any node begins, jumps, or passes an end of the counted range or
    /// of the mix.
    fn until_change(&self) -> u64 {
        let ends = [self.counted.start, self.counted.end, self.plan.length.0];
        let until_end = |at: u64| {
            ends.iter()
                .filter(|end| **end > at)
                .map(|end| end - at)
                .min()
                .unwrap_or(u64::MAX)
        };
        let until = |lag: u64| {
            let end = self.transport.position(lag).map_or(u64::MAX, until_end);
            end.min(self.transport.until_jump(lag))
        };
        self.lags
            .iter()
            .map(|&lag| until(lag))
            .min()
            .unwrap_or(u64::MAX)
    }

    /// Returns each insert of a node that reduces gain with its reduction in the rendered range, in the order of the chain; the
    /// master's limiter is its last. None for a node that is not heard.
    pub(crate) fn reductions(
        &self,
        index: usize,
        range: &Range<u64>,
    ) -> Vec<(&Insert, GainReduction)> {
        let node = self.plan.nodes.get(index).zip(self.nodes.get(index));
        node.map_or(Vec::new(), |(node, state)| state.reductions(node, range))
    }

    /// Returns the product of the smallest gains of the inserts of a node since the last call, at most 1, in live playback.
    pub(crate) fn take_recent_gain(&mut self, index: usize) -> f64 {
        self.nodes
            .get_mut(index)
            .map_or(1.0, NodeState::take_recent_gain)
    }

    /// Starts a new waveform of every node on a grid.
    pub(crate) fn build_waveforms(&mut self, grid: Grid) {
        let channels = self.plan.spec.layout.channels();
        for (state, node) in self.nodes.iter_mut().zip(&self.plan.nodes) {
            state.waveform = Some(WaveformBuilder::new(grid, channels, node.kind));
        }
    }

    /// Returns the waveform of a node; `None` without [`build_waveforms`](Self::build_waveforms).
    pub(crate) fn waveform(&self, node: usize) -> Option<&WaveformBuilder> {
        self.nodes.get(node).and_then(|l| l.waveform.as_ref())
    }

    /// Turns the loudness measurement of all tracks and buses on or off. Changes no sample.
    pub(crate) fn measure(&mut self, measure: bool) {
        let spec = self.plan.spec;
        for (node, state) in self.plan.nodes.iter().zip(&mut self.nodes) {
            state.measure(
                (measure && node.live && node.kind != NodeKind::Master).then(|| Meter::new(spec)),
            );
        }
    }

    /// Returns the loudness of a node; `None` where none is measured.
    pub(crate) fn measured(&self, node: usize) -> Option<Measured> {
        self.nodes.get(node).and_then(NodeState::measured)
    }

    /// Returns the peak of each channel of a node so far, after gain and pan.
    pub(crate) fn peaks(&self, node: usize) -> &[Peak] {
        self.survey(node).map_or(&[], |survey| &survey.peaks)
    }

    /// Returns the largest magnitude at the input of a track's strip so far, before its gain and pan.
    pub(crate) fn input_peak(&self, node: usize) -> f64 {
        self.nodes.get(node).map_or(0.0, NodeState::largest_input)
    }

    /// Returns the levels of a node so far.
    pub(crate) fn survey(&self, node: usize) -> Option<&Survey> {
        self.nodes.get(node).map(NodeState::survey)
    }

    /// Returns the level of the first and of the last sample of each clip of a node; 0 where the clip was not rendered.
    pub(crate) fn edges(&self, node: usize) -> &[[f64; 2]] {
        self.nodes.get(node).map_or(&[], NodeState::edges)
    }

    /// Returns the name of the loudest audible track at a frame, counted from the first rendered one.
    pub(crate) fn loudest(&self, frame: u64) -> Option<&str> {
        let tracks = self
            .plan
            .nodes
            .iter()
            .zip(&self.nodes)
            .filter(|(l, _)| l.live && l.kind == NodeKind::Track);
        let heights =
            tracks.map(|(node, state)| (node.name.as_str(), state.survey().height(frame)));
        heights
            .filter(|(_, height)| *height > 0.0)
            .reduce(|a, b| if b.1 > a.1 { b } else { a })
            .map(|(name, _)| name)
    }

    /// Returns the flaws of each clip of a node so far.
    pub(crate) fn flaws(&self, node: usize) -> &[FlawLog] {
        self.nodes.get(node).map_or(&[], NodeState::flaws)
    }
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nodes, length) = (self.nodes.len(), self.plan.length);
        write!(
            f,
            "Renderer({nodes} nodes, at {} of {length})",
            self.position
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bus, Clip, Decibels, Layout, SampleRate, Session, Spec, Track, media::Memory};

    /// Tracks of different lengths in buses in a bus, with sends, through a limiter.
    fn busy_session() -> Session {
        let spec = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Stereo,
        };
        let mut mix = Session::new(spec.rate, spec.layout);
        let all = mix.add_bus(Bus::new("all"));
        let buses =
            ["a", "b", "c"].map(|name| mix.add_bus(Bus::new(name).gain(Decibels(-1.0)).to(all)));
        for n in 0..13u64 {
            let wave = |ch: u64| {
                (0..900 + 37 * n)
                    .map(|i| libm::sin((i * (n + 3) + ch) as f64 * 0.01))
                    .collect()
            };
            let stem = Memory::new(spec, vec![wave(0), wave(1)]).unwrap();
            let track = Track::of(format!("t{n}")).clip(Clip::new(stem).at(Frames(n * 11)));
            let track = if n % 5 == 4 {
                track
            } else {
                track.to(buses[n as usize % 3])
            };
            mix.add_track(track.send(all, Decibels(-6.0)));
        }
        mix.master.limit = Some(crate::Dbtp(-1.0));
        mix
    }

    #[test]
    fn neither_the_size_of_a_step_nor_who_does_what_changes_a_bit() {
        for limited in [false, true] {
            let mut mix = busy_session();
            mix.master.limit = mix.master.limit.filter(|_| limited);
            let render = |threads, step, size| {
                let mut renderer =
                    Renderer::new(Plan::compile(&mix).unwrap(), &Options { threads }).unwrap();
                renderer.step = step;
                let tapped = [0, 14, 16];
                renderer.tap(&tapped);
                let mut out = vec![Vec::new(); 2 * (1 + tapped.len())];
                let mut block = Block::new(Layout::Stereo, size);
                let mut taps = vec![block.clone(); tapped.len()];
                while renderer
                    .render_tapped(&mut block, &mut taps, usize::MAX)
                    .unwrap()
                    > 0
                {
                    let channels = [&block].into_iter().chain(&taps).flat_map(|b| b.channels());
                    out.iter_mut()
                        .zip(channels)
                        .for_each(|(to, from)| to.extend(from.iter().map(|x| x.to_bits())));
                }
                let peaks: Vec<_> = (0..17).map(|node| renderer.peaks(node).to_vec()).collect();
                (out, peaks)
            };
            let one = render(1, 4096, 4096);
            assert_eq!(one.0[0].len(), 900 + 37 * 12 + 11 * 12);
            for (threads, step, size) in [
                (1, 1, 300),
                (2, 7, 2000),
                (3, 64, 2000),
                (8, 7, 2000),
                (8, 1, 2000),
                (2, 500, 33),
            ] {
                assert!(
                    render(threads, step, size) == one,
                    "{limited}, {threads} threads, steps of {step}, {size}"
                );
            }
        }
    }

    #[test]
    fn silent_buses_that_wait_for_the_master_hold_no_buffers() {
        let spec = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Stereo,
        };
        let mut mix = Session::new(spec.rate, spec.layout);
        for n in 0..100 {
            mix.add_bus(Bus::new(format!("b{n}")));
        }
        let wave = vec![0.5; 2000];
        let stem = Memory::new(spec, vec![wave.clone(), wave]).unwrap();
        mix.add_track(Track::new("t", stem));
        let options = Options { threads: 1 };
        let mut renderer = Renderer::new(Plan::compile(&mix).unwrap(), &options).unwrap();
        renderer.step = 100;
        let mut block = Block::new(Layout::Stereo, 2000);
        assert_eq!(renderer.render(&mut block).unwrap(), 2000);
        // That of the track, and that of the master.
        assert_eq!(renderer.buffers.buffers(), 2);
    }

    #[test]
    fn a_panic_on_its_way_out_goes_on_to_the_caller_and_leaves_no_thread_waiting() {
        struct Hole;
        impl BlockSink for Hole {
            fn free(&mut self) -> Result<master_output::FreeFrames<'_>> {
                panic!("no room");
            }
            fn filled(&mut self, _: usize) -> Result<()> {
                Ok(())
            }
        }
        for threads in [1, 2, 8] {
            let mut renderer = Renderer::new(
                Plan::compile(&busy_session()).unwrap(),
                &Options { threads },
            )
            .unwrap();
            renderer.step = 10;
            let rendered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                renderer.render_into(500, &mut Hole)
            }));
            assert_eq!(rendered.unwrap_err().downcast_ref(), Some(&"no room"));
        }
    }

    #[test]
    fn the_first_error_in_the_order_of_the_plan_is_reported_whichever_thread_finds_it() {
        let spec = Spec {
            rate: SampleRate::HZ_48000,
            layout: Layout::Mono,
        };
        let mut mix = Session::new(spec.rate, spec.layout);
        for n in 0..9 {
            // The fourth and all behind it fail in the third step.
            let wave = (0..100)
                .map(|i| if n >= 3 && i == 25 + n { f64::NAN } else { 0.1 })
                .collect();
            mix.add_track(Track::new(
                format!("t{n}"),
                Memory::new(spec, vec![wave]).unwrap(),
            ));
        }
        for threads in [1, 2, 8] {
            let mut renderer =
                Renderer::new(Plan::compile(&mix).unwrap(), &Options { threads }).unwrap();
            renderer.step = 10;
            let error = renderer
                .render(&mut Block::new(Layout::Mono, 100))
                .unwrap_err();
            assert!(error.to_string().starts_with("track \"t3\": "), "{error}");
        }
    }
}
