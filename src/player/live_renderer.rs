//! Renders a session for playback, block by block: with seeks, loops, fades at starts and stops, meters, and controls that
//! change.

#[cfg(feature = "meters")]
use super::meter::{LevelDisplay, LevelMeter};
use super::{
    live_mixer::{LiveMixer, Setting, StripNodes},
    loudness::LoudnessDisplay,
};
use crate::{
    block::Block,
    cancel::Cancel,
    diagnostics::{ClockTime, Warning},
    engine::{
        Renderer, overload_guard,
        read_ahead::{PlaybackOrder, ReadAhead},
    },
    error::Result,
    layout::Spec,
    measure::Loudness,
    plan::{Node, Plan, Scope},
    session::{PartName, Session},
    sync::locked,
    units::{Frames, SampleRate, saturating_usize},
};
use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// Largest number of frames that are rendered at a time. A block has a cost of its own for each strip, so it is as large as
/// the latency allows.
pub(super) const LARGEST_BLOCK: usize = 256;
/// Number of frames that are rendered at a time for the shortest latency.
const SMALLEST_BLOCK: usize = 64;
/// Frames between two updates of the displayed loudness: eleven updates per second at 48 kHz.
const FRAMES_PER_LOUDNESS_UPDATE: usize = 4096;
/// Recursive processors find into their state over the inverse of this before a start, a quarter of a second. Of the
/// reduction that a compressor with a release of 120 ms should still have from before that, an eighth is missing.
const STARTS_PER_SECOND: u32 = 4;
/// Fades and ramps last the inverse of this, 8 ms.
pub(super) const FADES_PER_SECOND: u32 = 125;

/// An edit is handed over when the inverse of this is decoded, 100 ms.
const READY_PER_SECOND: u32 = 10;
/// Longest wait for that: a slower stem is waited for when it is played, as others are.
const READY_TIMEOUT: Duration = Duration::from_secs(10);
/// Interval at which to check for it.
const READY_INTERVAL: Duration = Duration::from_micros(500);

/// A jump of the timeline in the rendered frames, as at the end of a loop.
#[derive(Clone, Copy)]
pub(super) struct Jump {
    /// Frames rendered before it, since the start.
    pub rendered: u64,
    /// The position on the timeline after it.
    pub to: u64,
}

/// What handles show and address of the session that is played.
pub(super) struct View {
    /// Length of the session in frames.
    pub length: u64,
    pub nodes: StripNodes,
    /// The markers of the timeline, in order.
    pub markers: Vec<(Frames, String)>,
    /// One meter for each node.
    #[cfg(feature = "meters")]
    pub displays: Box<[LevelDisplay]>,
}

/// A session as it is rendered. A live edit replaces it as a whole.
struct Core {
    renderer: Renderer,
    read_ahead: ReadAhead,
    mixer: LiveMixer,
    /// The loop, within the session.
    loop_range: Option<Range<u64>>,
    /// One meter for each node.
    #[cfg(feature = "meters")]
    meters: Vec<LevelMeter>,
    view: Arc<View>,
}

/// Returns the number of frames that are rendered at a time: a third of the latency, within limits.
pub(super) fn block_frames(latency: Duration, rate: SampleRate) -> usize {
    let third = Frames::from_duration(latency / 3, rate).0;
    saturating_usize(third).clamp(SMALLEST_BLOCK, LARGEST_BLOCK)
}

/// An edited session that is ready to take over.
pub(super) struct Edit {
    /// The frame of the timeline from which on it is played.
    at: u64,
    core: Core,
}

pub(super) struct LiveRenderer {
    core: Core,
    /// Frames that are rendered at a time, at most.
    block: usize,
    /// Edited sessions that take over later, by their frames; of two at one frame the later one counts.
    edits: Vec<Edit>,
    /// What handles show; replaced with the session.
    view: SharedView,
    /// Frames that recursive processors get at most before a start; `None` for as many as they need.
    pre_roll: Option<u64>,
    loop_range: Option<Range<u64>>,
    loudness: Loudness,
    loudness_display: Arc<LoudnessDisplay>,
    frames_to_loudness_update: usize,
    warnings: Arc<Mutex<Vec<Warning>>>,
    /// Length of a fade in frames.
    fade: usize,
    /// Frames of the fade-in that are done, up to `fade`.
    faded_in: usize,
    /// Frames of the fade-out that are done, once it has begun.
    faded_out: Option<usize>,
    /// Frames rendered since the start.
    rendered: u64,
    /// Jumps since the last call of [`jumps`](Self::jumps).
    jumps: Vec<Jump>,
}

/// The current [`View`].
pub(super) type SharedView = Arc<Mutex<Arc<View>>>;

/// Returns the part of a loop that lies within a session; `None` if nothing does.
fn within(loop_range: Option<&Range<u64>>, length: u64) -> Option<Range<u64>> {
    loop_range
        .map(|r| r.start..r.end.min(length))
        .filter(|r| r.start < r.end)
}

/// Makes a meter for each node, which takes blocks of `block` frames.
#[cfg(feature = "meters")]
fn level_meters(plan: &Plan, block: usize) -> Vec<LevelMeter> {
    #[expect(clippy::cast_precision_loss, reason = "some hundred frames")]
    let blocks_per_second = f64::from(plan.spec.rate.hz()) / block as f64;
    (plan.nodes.iter())
        .map(|_| LevelMeter::new(blocks_per_second))
        .collect()
}

fn fade_frames(spec: Spec) -> usize {
    (spec.rate.hz() / FADES_PER_SECOND).max(1) as usize
}

impl Core {
    /// Compiles a session, with stems that are not read ahead yet.
    fn compile(session: &Session) -> Result<(Renderer, LiveMixer)> {
        let plan = Plan::compiled(session, Scope::All, &Cancel::new())?;
        let mixer = LiveMixer::new(session.clone(), plan.routing.clone());
        let fade = fade_frames(plan.spec);
        Ok((Renderer::live(plan, fade)?, mixer))
    }

    /// Starts to read stems `depth` frames ahead. The mix is rendered in blocks of `block` frames.
    fn new(mut renderer: Renderer, mixer: LiveMixer, depth: u64, block: usize) -> Self {
        let read_ahead = ReadAhead::start(renderer.plan(), depth);
        renderer.read_from(&read_ahead);
        let plan = renderer.plan();
        let view = View {
            length: plan.length.0,
            nodes: mixer.strip_nodes(),
            markers: (plan.markers.iter())
                .map(|marker| (marker.at, marker.name.clone()))
                .collect(),
            #[cfg(feature = "meters")]
            displays: (plan.nodes.iter())
                .map(|_| LevelDisplay::default())
                .collect(),
        };
        Self {
            #[cfg(feature = "meters")]
            meters: level_meters(plan, block),
            renderer,
            read_ahead,
            mixer,
            loop_range: None,
            view: Arc::new(view),
        }
    }

    /// Returns the order in which stems are read from here on.
    fn playback_order(&self) -> PlaybackOrder {
        PlaybackOrder {
            start: self.renderer.input_position(),
            loop_range: self.loop_range.clone(),
            end: self.view.length,
        }
    }

    /// Sets the loop, and reads stems in its order.
    fn set_loop(&mut self, loop_range: Option<&Range<u64>>) {
        self.loop_range = within(loop_range, self.view.length);
        self.renderer.set_repeat(self.loop_range.clone());
        self.read_ahead.set_order(self.playback_order());
    }

    /// Returns whether the next `frames` frames can be rendered without waiting for a file.
    ///
    /// # Errors
    /// Passes on the errors of a stem that cannot be decoded there.
    fn ready(&mut self, frames: u64) -> Result<bool> {
        // A restart of recursive processors can lie further back than stems are read ahead. What leads up to the position is
        // decoded here then, since the queues would never hold it.
        if self.renderer.input_for(0) > self.read_ahead.depth() {
            self.renderer.read_directly();
            let warmed_up = self.renderer.warm_up();
            self.renderer.read_from(&self.read_ahead);
            self.read_ahead.set_order(self.playback_order());
            warmed_up?;
        }
        self.read_ahead
            .ready(&self.playback_order(), self.renderer.input_for(frames))
    }

    /// Takes over the meters of the strips of the same kind and name, which go on falling.
    #[cfg(feature = "meters")]
    fn continue_meters(mut self, from: &mut Self) -> Self {
        let from_displays = Arc::clone(&from.view);
        let strip = |node: &Node| (node.kind as u8, node.is_second, node.name.clone());
        let plan = from.renderer.plan();
        let mut old: HashMap<_, _> = plan
            .nodes
            .iter()
            .map(strip)
            .zip(from.meters.drain(..).zip(&from_displays.displays))
            .collect();
        let meters = self.meters.iter_mut().zip(&self.view.displays);
        for ((meter, display), node) in meters.zip(&self.renderer.plan().nodes) {
            if let Some((known, known_display)) = old.remove(&strip(node)) {
                *meter = known;
                display.hold_from(known_display);
            }
        }
        self
    }
}

impl Edit {
    /// Makes a session ready to take over at a frame: compiles it, brings its processors into the state that they have there in
    /// a bounce, and reads its stems `depth` frames ahead. Takes its time, on the thread of the caller.
    ///
    /// # Errors
    /// Passes on the errors of compiling, and of stems that cannot be decoded there; `InvalidArgument` for another rate or
    /// layout than `spec`.
    pub(super) fn prepare(
        session: &Session,
        at: u64,
        depth: u64,
        block: usize,
        loop_range: Option<&Range<u64>>,
    ) -> Result<Self> {
        let (mut renderer, mut mixer) = Core::compile(session)?;
        // The input may run past the end of the loop before `at` is reached.
        renderer.set_repeat(within(loop_range, renderer.plan().length.0));
        renderer.seek(Frames(at));
        mixer.settle(&mut renderer);
        renderer.warm_up()?;
        let mut core = Core::new(renderer, mixer, depth, block);
        core.set_loop(loop_range);
        let enough = depth.min(u64::from(session.rate.hz() / READY_PER_SECOND));
        let deadline = Instant::now() + READY_TIMEOUT;
        while !core.ready(enough)? && Instant::now() < deadline {
            thread::sleep(READY_INTERVAL);
        }
        Ok(Self { at, core })
    }
}

impl LiveRenderer {
    /// Compiles the session and starts to read its stems `depth` frames ahead. Renders at most `block` frames at a time.
    /// `is_timed` says that a device waits for sound.
    ///
    /// # Errors
    /// Passes on the errors of compiling.
    pub(super) fn new(session: &Session, depth: u64, block: usize, is_timed: bool) -> Result<Self> {
        let (renderer, mixer) = Core::compile(session)?;
        let core = Core::new(renderer, mixer, depth, block);
        let spec = core.renderer.plan().spec;
        let fade = fade_frames(spec);
        let mut live = Self {
            view: Arc::new(Mutex::new(Arc::clone(&core.view))),
            core,
            block,
            edits: Vec::new(),
            pre_roll: is_timed.then(|| u64::from(spec.rate.hz() / STARTS_PER_SECOND)),
            loop_range: None,
            loudness: Loudness::new(spec),
            loudness_display: Arc::default(),
            frames_to_loudness_update: 0,
            warnings: Arc::default(),
            fade,
            faded_in: fade,
            faded_out: None,
            rendered: 0,
            jumps: Vec::new(),
        };
        live.seek_renderer(0);
        Ok(live)
    }

    /// Returns the number of frames that are rendered at a time, at most.
    pub(super) fn block(&self) -> usize {
        self.block
    }

    /// Adds an edit. Refuses one for a frame that is rendered already, and returns the frame that is rendered next.
    pub(super) fn add_edit(&mut self, mut edit: Edit) -> Result<(), (Box<Edit>, u64)> {
        let position = self.position();
        if edit.at < position && !self.comes_again(edit.at) {
            return Err((Box::new(edit), position));
        }
        let place = self.edits.partition_point(|other| other.at <= edit.at);
        edit.core.set_loop(self.loop_range.as_ref());
        self.edits.insert(place, edit);
        self.take_over(false);
        Ok(())
    }

    /// Returns whether playback comes to a frame, straight on or around the loop.
    fn comes_again(&self, frame: u64) -> bool {
        let position = self.position();
        let entered = self.core.loop_range.as_ref();
        let entered = entered.filter(|r| position < r.end);
        frame >= position || entered.is_some_and(|r| r.contains(&frame))
    }

    /// Returns the frame of the timeline that is rendered after some frames, around the loop; at most the end.
    pub(super) fn frame_after(&self, frames: u64) -> u64 {
        let position = self.position();
        let at = position.saturating_add(frames);
        let entered = self.core.loop_range.as_ref();
        match entered.filter(|r| position < r.end && r.end <= at) {
            Some(r) => r.start + (at - r.end) % (r.end - r.start),
            None => at.min(self.length().max(position)),
        }
    }

    /// Returns the loop, as it was set.
    pub(super) fn loop_range(&self) -> Option<Range<u64>> {
        self.loop_range.clone()
    }

    /// Lets the edits of the current position take over; with `passed` also those of earlier ones.
    fn take_over(&mut self, passed: bool) {
        let position = self.position();
        let is_due = |edit: &Edit| edit.at == position || (passed && edit.at < position);
        while let Some(index) = self.edits.iter().position(is_due) {
            let edit = self.edits.remove(index);
            let is_late = edit.at < position;
            let mut core = edit.core;
            // Controls that were changed since the edit do not move back to where the session has them.
            core.mixer.settle(&mut core.renderer);
            #[cfg(feature = "meters")]
            let core = core.continue_meters(&mut self.core);
            *locked(&self.view) = Arc::clone(&core.view);
            let old = std::mem::replace(&mut self.core, core);
            // Freeing the memory of a large session takes longer than a block lasts. If no thread can be started, it is freed
            // here.
            let _ = thread::Builder::new()
                .name("soundtrack-drop".to_owned())
                .spawn(move || drop(old));
            if is_late {
                self.seek_renderer(position);
            }
        }
    }

    /// Returns the frames until the next edit takes over.
    fn until_edit(&self) -> u64 {
        let position = self.position();
        let mut ahead = self.edits.iter().filter(|edit| edit.at >= position);
        ahead.next().map_or(u64::MAX, |edit| edit.at - position)
    }

    pub(super) fn spec(&self) -> Spec {
        self.core.renderer.plan().spec
    }

    /// Returns the length of the session in frames.
    pub(super) fn length(&self) -> u64 {
        self.core.view.length
    }

    /// Returns what handles show.
    pub(super) fn view(&self) -> SharedView {
        Arc::clone(&self.view)
    }

    /// Returns the shared list of warnings about stems.
    pub(super) fn warnings(&self) -> Arc<Mutex<Vec<Warning>>> {
        Arc::clone(&self.warnings)
    }

    pub(super) fn loudness_display(&self) -> Arc<LoudnessDisplay> {
        Arc::clone(&self.loudness_display)
    }

    /// Returns the frame that is rendered next.
    pub(super) fn position(&self) -> u64 {
        self.core.renderer.position().0
    }

    fn seek_renderer(&mut self, to: u64) {
        let to = Frames(to.min(self.core.view.length));
        match self.pre_roll {
            Some(limit) => self.core.renderer.seek_quickly(to, limit),
            None => self.core.renderer.seek(to),
        }
        self.core.set_loop(self.loop_range.as_ref());
    }

    /// Prepares playback from a frame on, and starts to read there.
    pub(super) fn seek(&mut self, to: u64) {
        self.seek_renderer(to);
        self.take_over(true);
        self.prepare_start();
    }

    /// Prepares playback from the current position.
    pub(super) fn begin(&mut self) {
        self.take_over(false);
        if self.core.renderer.has_processors() {
            // Resets the processors: controls may have changed since they last ran.
            self.seek_renderer(self.position());
        }
        self.prepare_start();
    }

    /// Applies pending changes at once, and fades in from any frame but 0.
    fn prepare_start(&mut self) {
        self.core.mixer.settle(&mut self.core.renderer);
        self.faded_in = if self.position() == 0 { self.fade } else { 0 };
        self.faded_out = None;
        self.rendered = 0;
        self.jumps.clear();
        #[cfg(feature = "meters")]
        self.core
            .meters
            .iter_mut()
            .zip(&self.core.view.displays)
            .for_each(|(meter, display)| meter.reset(display));
    }

    /// Loops over a range from the next time its end is reached; `None` or an empty range ends looping.
    pub(super) fn set_loop(&mut self, range: Option<Range<u64>>) {
        self.loop_range = range.filter(|r| r.start < r.end);
        let cores = [&mut self.core]
            .into_iter()
            .chain(self.edits.iter_mut().map(|edit| &mut edit.core));
        for core in cores {
            core.set_loop(self.loop_range.as_ref());
        }
    }

    /// Changes a control of a strip, in every version of the session that has it.
    pub(super) fn set(&mut self, part: &PartName, setting: &Setting) {
        self.core.mixer.set(part, setting);
        for edit in &mut self.edits {
            edit.core.mixer.set(part, setting);
        }
    }

    /// Restarts the loudness measurement.
    pub(super) fn reset_loudness(&mut self) {
        self.loudness = Loudness::new(self.spec());
        self.loudness_display.show(&self.loudness);
    }

    /// Begins to fade out. After the fade nothing is rendered until the next start.
    pub(super) fn fade_out(&mut self) {
        self.faded_out.get_or_insert(0);
    }

    /// Returns whether the end of the session or of the fade-out is reached.
    pub(super) fn is_over(&self) -> bool {
        let ended = || self.position() >= self.core.view.length && self.until_edit() > 0;
        self.faded_out.is_some_and(|n| n >= self.fade) || ended()
    }

    /// Takes the jumps since the last call.
    pub(super) fn jumps(&mut self) -> Vec<Jump> {
        std::mem::take(&mut self.jumps)
    }

    /// Returns whether the next `frames` frames can be rendered without waiting for a file.
    ///
    /// # Errors
    /// Passes on the errors of a stem that cannot be decoded there.
    pub(super) fn ready(&mut self, frames: u64) -> Result<bool> {
        let position = self.position();
        let mut ready = self.core.ready(frames.min(self.until_edit()))?;
        for edit in &mut self.edits {
            let until = edit.at.checked_sub(position);
            if let Some(after) = until.and_then(|until| frames.checked_sub(until)) {
                ready = ready && edit.core.ready(after)?;
            }
        }
        Ok(ready)
    }

    /// Renders the next frames into a block and returns how many: at most as many as [`block`](Self::block) and the capacity of `out`, fewer before a
    /// jump and at the end, 0 when it is over. The frames must be [`ready`](Self::ready).
    pub(super) fn read(&mut self, out: &mut Block) -> Result<usize> {
        self.take_over(false);
        if self.is_over() {
            out.set_frames(0);
            return Ok(0);
        }
        self.core.mixer.apply(&mut self.core.renderer);
        let at = self.position();
        let to_silence = self.faded_out.map_or(usize::MAX, |n| self.fade - n);
        let warm_up = self.core.renderer.input_for(0);
        let most = self
            .block
            .min(to_silence)
            .min(saturating_usize(self.until_edit()));
        let n = self.core.renderer.render_to_jump(out, most)?;
        self.core.read_ahead.advance(warm_up + n as u64);
        self.record_overloads(at);
        #[cfg(feature = "meters")]
        self.update_meters();
        self.update_loudness(out);
        self.apply_fades(out);
        self.rendered += n as u64;
        if self.position() != at + n as u64 {
            self.jumps.push(Jump {
                rendered: self.rendered,
                to: self.position(),
            });
        }
        Ok(n)
    }

    /// Adds a warning for each track that was muted for the first time, in the block that starts at `at`.
    fn record_overloads(&mut self, at: u64) {
        for (node, peak) in self.core.renderer.overloads() {
            let Some(node) = self.core.renderer.plan().nodes.get(node) else {
                continue;
            };
            let mut warnings = locked(&self.warnings);
            if !warnings.iter().any(|w| w.track() == Some(&node.name)) {
                let from = ClockTime {
                    frame: Frames(at),
                    rate: self.core.renderer.plan().spec.rate,
                };
                warnings.push(overload_guard::muted_warning(&node.name, peak, from));
            }
        }
    }

    #[cfg(feature = "meters")]
    fn update_meters(&mut self) {
        let split: Vec<(usize, usize)> = self.core.mixer.split_buses().collect();
        for (node, (meter, display)) in self
            .core
            .meters
            .iter_mut()
            .zip(&self.core.view.displays)
            .enumerate()
        {
            let second = split.iter().find(|(first, _)| *first == node);
            let mut gain = self.core.renderer.take_recent_gain(node);
            if let Some((_, second)) = second {
                gain = gain.min(self.core.renderer.take_recent_gain(*second));
            }
            let block = self
                .core
                .renderer
                .output(node)
                .filter(|_| self.core.mixer.is_live(node));
            match second {
                None => meter.take(block, gain, display),
                // A bus that solos split in two is metered as the sum of both nodes.
                Some((_, second)) => {
                    let first = block.cloned();
                    meter.take(
                        sum(first, self.core.renderer.output(*second)).as_ref(),
                        gain,
                        display,
                    );
                }
            }
        }
    }

    fn update_loudness(&mut self, out: &Block) {
        self.loudness.feed(out);
        if self.frames_to_loudness_update == 0 {
            self.frames_to_loudness_update = FRAMES_PER_LOUDNESS_UPDATE;
            self.loudness_display.show(&self.loudness);
        }
        self.frames_to_loudness_update =
            self.frames_to_loudness_update.saturating_sub(out.frames());
    }

    /// Fades in after a start and out before a stop.
    #[expect(clippy::cast_precision_loss, reason = "some hundred frames")]
    fn apply_fades(&mut self, out: &mut Block) {
        let (n, length) = (out.frames(), self.fade as f64);
        if self.faded_in < self.fade {
            let before = self.faded_in;
            scale_frames(out, |i| ((before + i + 1) as f64 / length).min(1.0));
            self.faded_in = (before + n).min(self.fade);
        }
        if let Some(before) = self.faded_out {
            scale_frames(out, |i| (1.0 - (before + i + 1) as f64 / length).max(0.0));
            self.faded_out = Some(before + n);
        }
    }
}

/// Multiplies each frame by a gain.
fn scale_frames(block: &mut Block, gain: impl Fn(usize) -> f64) {
    for channel in block.channels_mut() {
        channel
            .iter_mut()
            .enumerate()
            .for_each(|(i, x)| *x *= gain(i));
    }
}

/// Adds two blocks of equal size; `None` is silence.
fn sum(first: Option<Block>, second: Option<&Block>) -> Option<Block> {
    let (Some(mut sum), Some(other)) = (first.clone(), second) else {
        return first.or(second.cloned());
    };
    for (to, from) in sum.channels_mut().zip(other.channels()) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
    }
    Some(sum)
}
