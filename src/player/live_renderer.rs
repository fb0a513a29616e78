//! Renders a session for playback, block by block: with seeks, loops, fades at starts and stops, meters, and controls that
//! change.

use super::{
    live_mixer::{LiveMixer, Setting, StripNodes},
    meter::{LevelDisplay, LevelMeter, LoudnessDisplay},
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
    plan::{Plan, Scope},
    session::{Selector, Session},
    sync::locked,
    units::Frames,
};
use std::{
    ops::Range,
    sync::{Arc, Mutex},
};

/// Frames that are rendered at a time, at most.
pub(super) const BLOCK: usize = 256;
/// Blocks between two updates of the displayed loudness: eleven updates per second at 48 kHz.
const BLOCKS_PER_LOUDNESS_UPDATE: u32 = 16;
/// Recursive processors find into their state over the inverse of this before a start, a quarter of a second. Of the
/// reduction that a compressor with a release of 120 ms should still have from before that, an eighth is missing.
const STARTS_PER_SECOND: u32 = 4;
/// Fades and ramps last the inverse of this, 8 ms.
pub(super) const FADES_PER_SECOND: u32 = 125;

/// A jump of the timeline in the rendered frames, as at the end of a loop.
#[derive(Clone, Copy)]
pub(super) struct Jump {
    /// Frames rendered before it, since the start.
    pub rendered: u64,
    /// The position on the timeline after it.
    pub to: u64,
}

pub(super) struct LiveRenderer {
    renderer: Renderer,
    read_ahead: ReadAhead,
    mixer: LiveMixer,
    /// Frames that recursive processors get at most before a start; `None` for as many as they need.
    pre_roll: Option<u64>,
    loop_range: Option<Range<u64>>,
    /// Length of the session in frames.
    length: u64,
    /// One meter for each node.
    meters: Vec<LevelMeter>,
    displays: Arc<[LevelDisplay]>,
    loudness: Loudness,
    loudness_display: Arc<LoudnessDisplay>,
    blocks_to_loudness_update: u32,
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

impl LiveRenderer {
    /// Compiles the session and starts to read its stems `depth` frames ahead. `is_timed` says that a device waits for sound.
    ///
    /// # Errors
    /// Passes on the errors of compiling.
    pub(super) fn new(session: &Session, depth: u64, is_timed: bool) -> Result<Self> {
        let plan = Plan::compiled(session, Scope::All, &Cancel::new())?;
        let (spec, length, nodes) = (plan.spec, plan.length.0, plan.nodes.len());
        let fade = (spec.rate.hz() / FADES_PER_SECOND).max(1) as usize;
        #[expect(clippy::cast_precision_loss, reason = "a small constant")]
        let blocks_per_second = f64::from(spec.rate.hz()) / BLOCK as f64;
        let mixer = LiveMixer::new(session.clone(), plan.routing.clone());
        let read_ahead = ReadAhead::start(&plan, depth);
        let mut live = Self {
            renderer: Renderer::live(plan, &read_ahead, fade)?,
            read_ahead,
            mixer,
            pre_roll: is_timed.then(|| u64::from(spec.rate.hz() / STARTS_PER_SECOND)),
            loop_range: None,
            length,
            meters: (0..nodes)
                .map(|_| LevelMeter::new(blocks_per_second))
                .collect(),
            displays: (0..nodes).map(|_| LevelDisplay::default()).collect(),
            loudness: Loudness::new(spec),
            loudness_display: Arc::default(),
            blocks_to_loudness_update: 0,
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

    pub(super) fn spec(&self) -> Spec {
        self.renderer.plan().spec
    }

    /// Returns the length of the session in frames.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Returns the meter displays, one for each node.
    pub(super) fn displays(&self) -> Arc<[LevelDisplay]> {
        Arc::clone(&self.displays)
    }

    /// Returns the shared list of warnings about stems.
    pub(super) fn warnings(&self) -> Arc<Mutex<Vec<Warning>>> {
        Arc::clone(&self.warnings)
    }

    pub(super) fn loudness_display(&self) -> Arc<LoudnessDisplay> {
        Arc::clone(&self.loudness_display)
    }

    pub(super) fn strip_nodes(&self) -> StripNodes {
        self.mixer.strip_nodes()
    }

    /// Returns the frame that is rendered next.
    pub(super) fn position(&self) -> u64 {
        self.renderer.position().0
    }

    /// Returns the order in which stems are read from here on.
    fn playback_order(&self) -> PlaybackOrder {
        let start = self.renderer.input_position();
        PlaybackOrder {
            start,
            loop_range: self.loop_range.clone(),
            end: self.length,
        }
    }

    fn seek_renderer(&mut self, to: u64) {
        let to = Frames(to.min(self.length));
        match self.pre_roll {
            Some(limit) => self.renderer.seek_quickly(to, limit),
            None => self.renderer.seek(to),
        }
        self.read_ahead.set_order(self.playback_order());
    }

    /// Prepares playback from a frame on, and starts to read there.
    pub(super) fn seek(&mut self, to: u64) {
        self.seek_renderer(to);
        self.prepare_start();
    }

    /// Prepares playback from the current position.
    pub(super) fn begin(&mut self) {
        if self.renderer.has_processors() {
            // Resets the processors: controls may have changed since they last ran.
            self.seek_renderer(self.position());
        }
        self.prepare_start();
    }

    /// Applies pending changes at once, and fades in from any frame but 0.
    fn prepare_start(&mut self) {
        self.mixer.settle(&mut self.renderer);
        self.faded_in = if self.position() == 0 { self.fade } else { 0 };
        self.faded_out = None;
        self.rendered = 0;
        self.jumps.clear();
        self.meters
            .iter_mut()
            .zip(self.displays.iter())
            .for_each(|(meter, display)| meter.reset(display));
    }

    /// Loops over a range from the next time its end is reached; `None` or an empty range ends looping.
    pub(super) fn set_loop(&mut self, range: Option<Range<u64>>) {
        self.loop_range = range
            .map(|r| r.start..r.end.min(self.length))
            .filter(|r| r.start < r.end);
        self.renderer.set_repeat(self.loop_range.clone());
        self.read_ahead.set_order(self.playback_order());
    }

    /// Changes a control of a strip.
    pub(super) fn set(&mut self, part: Selector, setting: Setting) {
        self.mixer.set(part, &setting);
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
        self.faded_out.is_some_and(|n| n >= self.fade) || self.position() >= self.length
    }

    /// Takes the jumps since the last call.
    pub(super) fn jumps(&mut self) -> Vec<Jump> {
        std::mem::take(&mut self.jumps)
    }

    /// Returns whether the next `frames` frames can be rendered without waiting for a file.
    ///
    /// # Errors
    /// Passes on the errors of a stem that cannot be decoded there.
    pub(super) fn ready(&self, frames: u64) -> Result<bool> {
        self.read_ahead
            .ready(&self.playback_order(), self.renderer.input_for(frames))
    }

    /// Renders the next frames into a block and returns how many: at most [`BLOCK`] and the block's capacity, fewer before a
    /// jump and at the end, 0 when it is over. The frames must be [`ready`](Self::ready).
    pub(super) fn read(&mut self, out: &mut Block) -> Result<usize> {
        if self.is_over() {
            out.set_frames(0);
            return Ok(0);
        }
        self.mixer.apply(&mut self.renderer);
        let at = self.position();
        let to_silence = self.faded_out.map_or(usize::MAX, |n| self.fade - n);
        let warm_up = self.renderer.input_for(0);
        let n = self.renderer.render_to_jump(out, BLOCK.min(to_silence))?;
        self.read_ahead.advance(warm_up + n as u64);
        self.record_overloads(at);
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
        for (node, peak) in self.renderer.overloads() {
            let Some(node) = self.renderer.plan().nodes.get(node) else {
                continue;
            };
            let mut warnings = locked(&self.warnings);
            if !warnings.iter().any(|w| w.track() == Some(&node.name)) {
                let from = ClockTime {
                    frame: Frames(at),
                    rate: self.renderer.plan().spec.rate,
                };
                warnings.push(overload_guard::muted_warning(&node.name, peak, from));
            }
        }
    }

    fn update_meters(&mut self) {
        let split: Vec<(usize, usize)> = self.mixer.split_buses().collect();
        for (node, (meter, display)) in self.meters.iter_mut().zip(self.displays.iter()).enumerate()
        {
            let block = self
                .renderer
                .output(node)
                .filter(|_| self.mixer.is_live(node));
            match split.iter().find(|(first, _)| *first == node) {
                None => meter.take(block, display),
                // A bus that solos split in two is metered as the sum of both nodes.
                Some((_, second)) => {
                    let first = block.cloned();
                    meter.take(sum(first, self.renderer.output(*second)).as_ref(), display);
                }
            }
        }
    }

    fn update_loudness(&mut self, out: &Block) {
        self.loudness.feed(out);
        if self.blocks_to_loudness_update == 0 {
            self.blocks_to_loudness_update = BLOCKS_PER_LOUDNESS_UPDATE;
            self.loudness_display.show(&self.loudness);
        }
        self.blocks_to_loudness_update -= 1;
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
