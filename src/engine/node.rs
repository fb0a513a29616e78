//! Renders one node of the graph: its input, inserts, gain, pan and meters.
//!
//! A silent signal is −0.0, the additive identity: `x + -0.0` is bit-equal to `x`, including `-0.0`. So a track that is silent
//! changes no bit of the sum. The master replaces the samples outside all clips by 0.0.

use super::{
    buffer_pool::NodeOutput,
    chain_state::{ChainPosition, ChainState},
    clip_index::ClipIndex,
    clip_mixer::mix_clip,
    clip_reader::{ClipReader, SpareReader},
    delay_line::DelayLine,
    flaws::FlawLog,
    overload_guard::{InputPeak, OverloadGuard},
    ramps::Ramps,
    reduction_log::{CountedFrames, GainReduction},
    waveform_builder::WaveformBuilder,
};
use crate::{
    block::Block,
    dsp::{
        gain::{add_scaled, add_shaped, put_scaled, scale, shape},
        pan::PanLaw,
    },
    error::Result,
    layout::{Layout, Side},
    measure::{Measured, Meter, survey::Survey},
    plan::{Chain, ChannelMap, Node, NodeInput, NodeKind, Plan, PlannedClip, ranges::overlap},
    session::Insert,
    units::{Pan, saturating_usize},
};
use smallvec::SmallVec;
use std::ops::Range;

/// The additive identity: the sample of a signal that does not sound.
pub(super) const SILENCE: f64 = -0.0;

/// One value for each insert of a strip that has one, such as its side-chain key; those of long chains are allocated.
pub(super) type OfEachInsert<T> = SmallVec<[Option<T>; 8]>;

/// The output of a node in a block.
pub(super) struct Output {
    pub block: Block,
    /// The block holds a signal; otherwise the output is silent, whatever the block holds.
    pub active: bool,
}

impl Output {
    pub(super) fn new(layout: Layout) -> Self {
        Self {
            block: Block::new(layout, 0),
            active: false,
        }
    }
}

/// The positions of a node on the timeline: of the next frame at its input, its fader and its output. `None` before the first
/// frame has arrived there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NodePosition {
    pub input: Option<u64>,
    pub fader: Option<u64>,
    pub output: Option<u64>,
    /// The input or output is part of the rendered range, so flaws are logged or levels measured.
    pub counts_input: bool,
    pub counts_output: bool,
    /// The rendered range.
    pub counted: CountedFrames,
}

impl NodePosition {
    /// Returns the positions some frames later.
    pub(super) fn after(self, frames: u64) -> Self {
        let after = |at: Option<u64>| at.map(|at| at + frames);
        Self {
            input: after(self.input),
            fader: after(self.fader),
            output: after(self.output),
            ..self
        }
    }
}

/// The part of a step that one node renders.
#[derive(Clone, Copy)]
pub(super) struct NodeTask<'a> {
    pub plan: &'a Plan,
    /// The outputs of the node's feeds, in their order, for live playback. Offline they are summed already.
    pub fed: &'a [NodeOutput<'a>],
    /// The output of each insert's side-chain key; `None` for an insert without one, and for a silent key.
    pub keys: &'a [Option<NodeOutput<'a>>],
    pub position: NodePosition,
    pub frames: usize,
}

/// Holds the signals that a node needs only while it renders a block. One is enough for each thread.
pub(super) struct Scratch {
    /// The sum of a track's mono clips, until the pan law places it.
    mono: Block,
    /// Gain, pan, and their product for one channel, frame by frame.
    levels: Vec<f64>,
    pans: Vec<f64>,
    factor: Vec<f64>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            mono: Block::new(Layout::Mono, 0),
            levels: Vec::new(),
            pans: Vec::new(),
            factor: Vec::new(),
        }
    }
}

/// The state that a node keeps from block to block.
pub(super) struct NodeState {
    /// One for each clip.
    pub(super) readers: Vec<ClipReader>,
    clip_index: ClipIndex,
    /// The reader of a clip that ended in the latest block, for one of the same stem that begins then.
    spare: Option<SpareReader>,
    /// For each feed, the delay that aligns it with the others, if it needs one.
    delays: Vec<Option<DelayLine>>,
    /// The side-chain keys of the inserts.
    keys: Vec<KeyInput>,
    /// The inserts, and the processors after the fader.
    before: Option<Box<ChainState>>,
    after: Option<Box<ChainState>>,
    /// Ramps in progress, in live playback.
    pub(super) ramps: Option<Box<Ramps>>,
    /// Mutes an overloaded stem, in live playback.
    pub(super) guard: Option<OverloadGuard>,
    input_peak: InputPeak,
    flaws: Vec<FlawLog>,
    survey: Survey,
    /// The level of the first and of the last sample of each clip, in its loudest channel, with gain and fade.
    edges: Vec<[f64; 2]>,
    /// The waveform for the picture of a report, if there is to be one.
    pub(super) waveform: Option<WaveformBuilder>,
    /// The loudness meter, if loudness is measured.
    meter: Option<Box<Meter>>,
    /// Stems stay open and buffers allocated while they do not sound.
    pub(super) keeps: bool,
}

/// The side-chain key of an insert, as it arrives.
struct KeyInput {
    is_keyed: bool,
    /// False while a plan is played live and the strip of the key is not heard.
    is_open: bool,
    delay: Option<DelayLine>,
    /// A block of silence, in place of a key that does not sound.
    silence: Block,
}

impl KeyInput {
    /// Returns the key at the frames of the insert's input; `None` for an insert without one.
    fn take<'a>(&'a mut self, output: Option<&'a Output>, frames: usize) -> Option<&'a Block> {
        if !self.is_keyed {
            return None;
        }
        let output = match (&mut self.delay, output) {
            (Some(delay), Some(output)) => Some(delay.pass(output, frames)),
            (_, output) => output,
        };
        Some(
            match output.filter(|output| output.active && self.is_open) {
                Some(output) => &output.block,
                None => {
                    fill_silence(&mut self.silence, frames);
                    &self.silence
                }
            },
        )
    }
}

impl NodeState {
    pub(super) fn new(node: &Node, plan: &Plan) -> Self {
        let (clips, rate) = (node.clips().len(), u64::from(plan.spec.rate.hz()));
        // A node that is not heard never runs, so its processors and delays are not made; they can be large.
        let runs = node.live || node.kind == NodeKind::Master;
        let delay =
            |frames: &u64| (runs && *frames > 0).then(|| DelayLine::new(plan.spec.layout, *frames));
        let chain = |chain: &Chain| {
            (runs && !chain.is_empty()).then(|| Box::new(ChainState::new(chain, rate)))
        };
        let readers = if runs { clips } else { 0 };
        let audible = (node.clips().iter().enumerate()).filter(|(_, clip)| clip.gain != 0.0);
        Self {
            readers: (0..readers).map(|_| ClipReader::Direct(None)).collect(),
            spare: None,
            clip_index: ClipIndex::new(audible.map(|(n, clip)| (n, clip.range.clone()))),
            delays: node.delays.iter().map(delay).collect(),
            keys: (node.before.keys.iter())
                .map(|key| KeyInput {
                    is_keyed: key.is_some(),
                    is_open: true,
                    delay: key.and_then(|key| delay(&key.delay)),
                    silence: Block::new(plan.spec.layout, 0),
                })
                .collect(),
            before: chain(&node.before),
            after: chain(&node.after),
            ramps: None,
            guard: None,
            input_peak: InputPeak::new(node, plan),
            flaws: vec![FlawLog::default(); clips],
            survey: Survey::new(plan.spec.layout.channels(), plan.spec.rate),
            edges: vec![[0.0; 2]; clips],
            waveform: None,
            meter: None,
            keeps: false,
        }
    }

    /// Forgets the signal, since the next block does not follow the last one.
    pub(super) fn reset(&mut self) {
        let keys = self.keys.iter_mut().map(|key| &mut key.delay);
        keys.chain(&mut self.delays)
            .flatten()
            .for_each(DelayLine::reset);
        [&mut self.before, &mut self.after]
            .into_iter()
            .flatten()
            .for_each(|chain| chain.reset());
    }

    /// Returns each insert that reduces gain with its reduction in a range, the one that was counted; first those before the
    /// fader.
    pub(super) fn reductions<'a>(
        &self,
        node: &'a Node,
        range: &Range<u64>,
    ) -> Vec<(&'a Insert, GainReduction)> {
        let mut found = Vec::new();
        for (state, chain) in [(&self.before, &node.before), (&self.after, &node.after)] {
            let Some(state) = state else { continue };
            let reductions = chain.inserts.iter().zip(state.reductions(chain, range));
            found.extend(reductions.filter_map(|(insert, reduction)| Some((insert, reduction?))));
        }
        found
    }

    /// Returns the product of the smallest gains of all inserts since the last call, in live playback.
    pub(super) fn take_recent_gain(&mut self) -> f64 {
        let chains = [&mut self.before, &mut self.after].into_iter().flatten();
        chains.map(|chain| chain.take_recent_gain()).product()
    }

    /// Passes the output of a feed through its delay, where it has one.
    pub(super) fn delayed<'a>(
        &'a mut self,
        feed: usize,
        output: &'a Output,
        frames: usize,
    ) -> &'a Output {
        match self.delays.get_mut(feed).and_then(Option::as_mut) {
            Some(delay) => delay.pass(output, frames),
            None => output,
        }
    }

    /// Opens the keys whose strips are heard, and silences the others.
    pub(super) fn open_keys(&mut self, node: &Node, live: &[bool]) {
        for (input, key) in self.keys.iter_mut().zip(&node.before.keys) {
            let source = key.and_then(|key| key.node);
            input.is_open = source.is_some_and(|node| live.get(node) == Some(&true));
        }
    }

    /// Follows a change of the values of an insert's parameters. `old` are those before it.
    pub(super) fn change_insert(&mut self, node: &Node, index: usize, old: &[f64]) {
        if let Some(chain) = &mut self.before {
            chain.change(&node.before, index, old);
        }
    }

    pub(super) fn measure(&mut self, meter: Option<Meter>) {
        self.meter = meter.map(Box::new);
    }

    pub(super) fn measured(&self) -> Option<Measured> {
        self.meter.as_deref().cloned().map(Meter::finish)
    }

    /// Returns the largest magnitude before gain and pan.
    pub(super) fn largest_input(&self) -> f64 {
        self.input_peak.largest(&self.survey.peaks)
    }

    pub(super) fn survey(&self) -> &Survey {
        &self.survey
    }

    pub(super) fn edges(&self) -> &[[f64; 2]] {
        &self.edges
    }

    pub(super) fn flaws(&self) -> &[FlawLog] {
        &self.flaws
    }

    /// Renders the node's part of a step.
    pub(super) fn render(
        &mut self,
        out: &mut Output,
        node: &Node,
        task: NodeTask<'_>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let NodeTask {
            plan,
            keys,
            position,
            frames,
            ..
        } = task;
        // It still holds the sum of another node.
        scratch.mono.set_frames(0);
        self.render_input(out, node, task, scratch)
            .map_err(|e| e.in_track(&node.name))?;
        // Keys pass their delays also before the inserts begin, so that they are aligned from the first frame on.
        let keys: OfEachInsert<&Block> = (self.keys.iter_mut().zip(keys))
            .map(|(input, key)| input.take(key.as_deref(), frames))
            .collect();
        if let (Some(chain), Some(input)) = (&mut self.before, position.input) {
            if !out.active {
                fill_silence(&mut out.block, frames);
            }
            let at = ChainPosition {
                input,
                output: position.fader,
                counted: position.counted,
            };
            run_inserts(
                chain,
                &node.before,
                at,
                &keys,
                out,
                &mut scratch.mono,
                plan.pan_law,
            );
        }
        drop(keys);
        let at = position.fader.unwrap_or_default();
        if position.fader.is_none() {
            out.active = false;
        }
        if let Some(guard) = &mut self.guard {
            guard.take(out, &mut scratch.mono, frames);
        } else if out.active && position.counts_output && node.kind == NodeKind::Track {
            self.input_peak.take(&out.block, &scratch.mono);
        }
        if out.active {
            self.apply_fader(&mut out.block, node, plan, at, frames, scratch);
        }
        if let Some(ramps) = &mut self.ramps {
            ramps.advance(frames);
        }
        if node.kind == NodeKind::Master {
            if !out.active {
                fill_silence(&mut out.block, frames);
            }
            clear_outside_clips(&mut out.block, plan, at, frames);
        }
        if let (Some(chain), Some(input)) = (&mut self.after, position.fader) {
            let at = ChainPosition {
                input,
                output: position.output,
                counted: position.counted,
            };
            out.active = chain.process(&node.after, at, &mut out.block, 0.0, &[]);
        }
        if let Some(at) = position.output.filter(|_| position.counts_output) {
            self.measure_output(out, node, at, frames);
        }
        Ok(())
    }

    /// Fills the output with the node's input: its clips, or the sum of its feeds.
    fn render_input(
        &mut self,
        out: &mut Output,
        node: &Node,
        task: NodeTask<'_>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let NodeTask {
            plan,
            fed,
            position,
            frames,
            ..
        } = task;
        match &node.input {
            // Clips are not read before the node's first frame, nor past the end of the mix.
            NodeInput::Clips(clips) => match position.input.filter(|at| *at < plan.length.0) {
                Some(at) => {
                    self.mix_clips(out, clips, at, frames, position.counts_input, scratch)?
                }
                None => self.mix_clips(out, clips, 0, 0, false, scratch)?,
            },
            NodeInput::Sum(feeds) => {
                if let Some(ramps) = &self.ramps {
                    let delays = self.delays.iter_mut();
                    let inputs: Vec<&Output> = fed
                        .iter()
                        .zip(delays)
                        .map(|(output, delay)| match delay {
                            Some(delay) => delay.pass(output, frames),
                            None => output,
                        })
                        .collect();
                    ramps.sum(out, feeds, &inputs, frames);
                }
            }
        }
        Ok(())
    }

    /// Measures the output, of which the first frame is `at`.
    fn measure_output(&mut self, out: &Output, node: &Node, at: u64, frames: usize) {
        if out.active {
            let sounding = overlap(&node.after.sounding, at..at + frames as u64);
            self.survey.take(&out.block, at, sounding);
            if let Some(waveform) = &mut self.waveform {
                waveform.take(self.survey.peaks.iter_mut().zip(out.block.channels()), at);
            }
        } else {
            self.survey.skip(frames);
        }
        if let Some(meter) = &mut self.meter {
            if out.active {
                meter.feed(&out.block)
            } else {
                meter.skip(frames)
            }
        }
    }

    /// Sums the clips that sound in a block, and closes the stems of the others.
    fn mix_clips(
        &mut self,
        out: &mut Output,
        clips: &[PlannedClip],
        at: u64,
        frames: usize,
        counts: bool,
        scratch: &mut Scratch,
    ) -> Result<()> {
        out.active = self.clip_index.find(&(at..at + frames as u64));
        out.block.set_frames(0);
        let (mut spare, mut is_recent) = (self.spare.take(), false);
        let mut keep = |spare: &mut Option<SpareReader>, closed: Option<SpareReader>| {
            if closed.is_some() {
                (*spare, is_recent) = (closed, true);
            }
        };
        for ended in self.clip_index.ended().iter().filter(|_| !self.keeps) {
            if let (Some(clip), Some(reader)) = (clips.get(*ended), self.readers.get_mut(*ended)) {
                keep(&mut spare, reader.close(&clip.stem));
            }
        }
        for sounding in self.clip_index.sounding() {
            let (Some(clip), Some(reader), Some(flaws), Some(edges)) = (
                clips.get(*sounding),
                self.readers.get_mut(*sounding),
                self.flaws.get_mut(*sounding),
                self.edges.get_mut(*sounding),
            ) else {
                continue;
            };
            let to = match clip.channel_map {
                ChannelMap::Pan => &mut scratch.mono,
                ChannelMap::Fold(_) => &mut out.block,
            };
            reader.reuse(&mut spare, &clip.stem);
            if self.keeps {
                reader.hold_open(&clip.stem)?;
            }
            mix_clip(clip, reader, to, at, frames, &mut scratch.factor, edges)?;
            reader
                .flaws()
                .into_iter()
                .filter(|_| counts)
                .for_each(|flaw| flaws.take(flaw));
            if !self.keeps && clip.range.end <= at + frames as u64 {
                keep(&mut spare, reader.close(&clip.stem));
            }
        }
        self.spare = spare.filter(|_| is_recent);
        // All clips of a session often end in the same block, with a spare reader each.
        self.spare.iter_mut().for_each(SpareReader::release);
        if scratch.mono.frames() > 0 {
            scratch.mono.extend(frames, SILENCE);
        }
        if out.active && out.block.frames() == 0 {
            fill_silence(&mut out.block, frames);
        }
        out.block.extend(frames, SILENCE);
        Ok(())
    }

    /// Applies gain and pan: a balance to the channels, and the pan law to the mono clips, which are placed there.
    fn apply_fader(
        &self,
        out: &mut Block,
        node: &Node,
        plan: &Plan,
        at: u64,
        frames: usize,
        scratch: &mut Scratch,
    ) {
        let Scratch {
            mono,
            levels,
            pans,
            factor,
        } = scratch;
        let mono = mono.channels().next().filter(|m| !m.is_empty());
        let fader_ramp = self.ramps.as_ref().and_then(|r| r.fader.as_ref());
        if let (Some(level), Some(pan), None) =
            (node.gain.constant(), node.pan.constant(), fader_ramp)
        {
            let (left, right) = plan.pan_law.gains(Pan(pan));
            let (to_left, to_right) = PanLaw::Balance.gains(Pan(pan));
            for (samples, speaker) in out.channels_mut().zip(plan.spec.layout.speakers()) {
                let side = |l, r| match speaker.side() {
                    Side::Left => l,
                    Side::Right => r,
                    Side::Middle => 1.0,
                };
                scale(samples, level * side(to_left, to_right));
                if let Some(mono) = mono {
                    add_mono(
                        samples,
                        mono,
                        level * speaker.pan(left, right).unwrap_or(0.0),
                    );
                }
            }
            return;
        }
        levels.resize(frames, 0.0);
        pans.resize(frames, 0.0);
        node.gain.fill(at, levels);
        node.pan.fill(at, pans);
        if let Some(ramp) = fader_ramp {
            ramp.blend(at, levels, pans);
        }
        for (samples, speaker) in out.channels_mut().zip(plan.spec.layout.speakers()) {
            let factors = |gains: &dyn Fn(Pan) -> f64, out: &mut Vec<f64>| {
                out.clear();
                out.extend(
                    levels
                        .iter()
                        .zip(pans.iter())
                        .map(|(l, p)| l * gains(Pan(*p))),
                );
            };
            match speaker.side() {
                Side::Left => factors(&|p| PanLaw::Balance.gains(p).0, factor),
                Side::Right => factors(&|p| PanLaw::Balance.gains(p).1, factor),
                Side::Middle => factors(&|_| 1.0, factor),
            }
            shape(samples, factor);
            let Some(mono) = mono else { continue };
            if speaker.pan(1.0, 1.0).is_none() {
                add_mono(samples, mono, 0.0);
                continue;
            }
            match speaker.side() {
                Side::Left => factors(&|p| plan.pan_law.gains(p).0, factor),
                _ => factors(&|p| plan.pan_law.gains(p).1, factor),
            }
            add_shaped(samples, mono, factor, 1.0);
        }
    }
}

/// Adds the next feed of a sum, if it sounds.
pub(super) fn add_feed(out: &mut Output, input: &Output, gain: f64, frames: usize) {
    if !input.active {
        return;
    }
    let add = if out.active { add_scaled } else { put_scaled };
    if !out.active {
        ensure_frames(&mut out.block, frames);
        out.active = true;
    }
    out.block
        .channels_mut()
        .zip(input.block.channels())
        .for_each(|(to, from)| add(to, from, gain));
}

/// Sets everything outside the clips to exactly 0.0.
fn clear_outside_clips(out: &mut Block, plan: &Plan, at: u64, frames: usize) {
    for quiet in silent_ranges(plan, at, frames) {
        out.channels_mut()
            .filter_map(|samples| samples.get_mut(quiet.clone()))
            .for_each(|quiet| quiet.fill(0.0));
    }
}

/// Returns the ranges in which nothing of the mix sounds, of the `frames` frames from `at` on, relative to `at`.
pub(super) fn silent_ranges(
    plan: &Plan,
    at: u64,
    frames: usize,
) -> impl Iterator<Item = Range<usize>> {
    let end = at + frames as u64;
    let index = move |frame: u64| saturating_usize(frame.clamp(at, end) - at);
    let first = plan.sounding.partition_point(|r| r.end <= at);
    let ranges = plan
        .sounding
        .iter()
        .skip(first)
        .take_while(move |r| r.start < end);
    let edges = ranges
        .map(move |r| (index(r.start), index(r.end)))
        .chain([(frames, frames)]);
    edges.scan(0, |from, (start, stop)| {
        Some(std::mem::replace(from, stop)..start)
    })
}

/// Sets the number of frames of a block, and allocates where its capacity is too small. The samples are undefined.
pub(super) fn ensure_frames(block: &mut Block, frames: usize) {
    if block.capacity() < frames {
        *block = Block::new(block.layout(), frames);
    }
    block.set_frames(frames);
}

/// Fills a block with `frames` frames of silence.
pub(super) fn fill_silence(block: &mut Block, frames: usize) {
    ensure_frames(block, frames);
    block.fill(frames, SILENCE);
}

/// Adds a mono signal to a channel. With a gain of 0 a sounding sample adds 0.0, so that the sum is never −0.0.
fn add_mono(to: &mut [f64], mono: &[f64], gain: f64) {
    if gain == 0.0 {
        to.iter_mut()
            .zip(mono)
            .filter(|(_, m)| m.to_bits() != SILENCE.to_bits())
            .for_each(|(t, _)| *t += 0.0);
    } else {
        add_scaled(to, mono, gain);
    }
}

/// Runs the inserts of a strip: in mono for a track that has only mono clips, otherwise on the channels of the session. Mono
/// clips among others are placed in the centre before the inserts.
fn run_inserts(
    state: &mut ChainState,
    chain: &Chain,
    position: ChainPosition,
    keys: &[Option<&Block>],
    out: &mut Output,
    mono: &mut Block,
    law: PanLaw,
) {
    let frames = out.block.frames();
    let is_mono = chain.spec.layout == Layout::Mono && out.block.layout() != Layout::Mono;
    if is_mono {
        if mono.frames() == 0 {
            fill_silence(mono, frames);
        }
        out.active = state.process(chain, position, mono, SILENCE, keys);
        return;
    }
    let (left, right) = law.gains(Pan::CENTRE);
    let speakers = out.block.layout().speakers();
    for (to, speaker) in out.block.channels_mut().zip(speakers) {
        add_mono(to, mono.channel(0), speaker.pan(left, right).unwrap_or(0.0));
    }
    mono.set_frames(0);
    out.active = state.process(chain, position, &mut out.block, SILENCE, keys);
}
