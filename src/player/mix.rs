//! The mix as it is played: one block after the other in the order of playing, with loops, fades and moving strips.

use super::{
    live_mixer::{Desk, Lanes, Setting, StripId},
    meter::{Display, LoudnessDisplay, Meter},
    transport::Transport,
};
use crate::{
    block::Block,
    diagnostics::Warning,
    engine::overload_guard,
    error::Result,
    layout::Spec,
    measure::Loudness,
    plan::{Plan, Scope},
    session::Session,
    units::Frames,
};
use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

/// Frames that are rendered at a time at the most.
pub(super) const BLOCK: usize = 256;
/// Loudness is shown every so many blocks, eleven times a second at 48 kHz.
const SHOWN_EVERY: u32 = 16;
/// Fades at starts and stops and moves of controls take a second divided by this: 8 ms.
const FADES_A_SECOND: u32 = 125;

pub(super) struct Mix {
    transport: Transport,
    desk: Desk,
    meters: Vec<Meter>,
    warnings: Arc<Mutex<Vec<Warning>>>,
    displays: Arc<[Display]>,
    loudness: Loudness,
    loudness_display: Arc<LoudnessDisplay>,
    /// Blocks until the loudness is shown again.
    unshown: u32,
    /// Frames of a fade.
    fade: usize,
    /// Frames since the start that are faded in, up to `fade`.
    risen: usize,
    /// Frames since it was asked to stop, once it was.
    sunk: Option<usize>,
    /// Frames given since the start.
    given: u64,
    /// Where the timeline jumped: frames given, and the frame that came next.
    jumps: Vec<(u64, u64)>,
}

impl Mix {
    /// Checks the session and starts to read it ahead.
    pub(super) fn new(session: &Session, depth: u64) -> Result<Self> {
        let plan = Plan::compiled(session, Scope::All)?;
        let spec = plan.spec;
        let (rate, lanes) = (plan.spec.rate.hz(), plan.lanes.len());
        let fade = (rate / FADES_A_SECOND).max(1) as usize;
        #[expect(clippy::cast_precision_loss, reason = "a small constant")]
        let blocks_a_second = f64::from(rate) / BLOCK as f64;
        let desk = Desk::new(session.clone(), plan.routing.clone());
        Ok(Self {
            transport: Transport::new(plan, depth, fade)?,
            desk,
            meters: (0..lanes).map(|_| Meter::new(blocks_a_second)).collect(),
            warnings: Arc::default(),
            displays: (0..lanes).map(|_| Display::default()).collect(),
            loudness: Loudness::new(spec),
            loudness_display: Arc::default(),
            unshown: 0,
            fade,
            risen: fade,
            sunk: None,
            given: 0,
            jumps: Vec::new(),
        })
    }

    pub(super) fn spec(&self) -> Spec {
        self.transport.renderer.plan().spec
    }

    pub(super) fn length(&self) -> u64 {
        self.transport.length()
    }

    pub(super) fn displays(&self) -> Arc<[Display]> {
        Arc::clone(&self.displays)
    }

    /// What is told of stems while they are played.
    pub(super) fn warnings(&self) -> Arc<Mutex<Vec<Warning>>> {
        Arc::clone(&self.warnings)
    }

    pub(super) fn loudness_display(&self) -> Arc<LoudnessDisplay> {
        Arc::clone(&self.loudness_display)
    }

    /// Measures loudness anew from here on.
    pub(super) fn forget(&mut self) {
        self.loudness = Loudness::new(self.spec());
        self.loudness_display.show(&self.loudness);
    }

    /// Where the strips are among the displays.
    pub(super) fn lanes(&self) -> Lanes {
        self.desk.lanes()
    }

    /// The frame that comes next.
    pub(super) fn position(&self) -> u64 {
        self.transport.position()
    }

    /// Gets ready to play from a frame on: reading starts.
    pub(super) fn seek(&mut self, to: u64) {
        self.transport.seek(to);
        self.start();
    }

    /// A start from where it is.
    pub(super) fn begin(&mut self) {
        self.transport.begin();
        self.start();
    }

    /// From the first frame as it is, from anywhere else faded in.
    fn start(&mut self) {
        self.desk.settle(&mut self.transport.renderer);
        self.risen = if self.position() == 0 { self.fade } else { 0 };
        self.sunk = None;
        self.given = 0;
        self.jumps.clear();
        let displays = self.displays.iter();
        self.meters.iter_mut().zip(displays).for_each(|(meter, display)| meter.reset(display));
    }

    /// Repeats a range once its end is met, or does not any more.
    pub(super) fn set_loop(&mut self, round: Option<Range<u64>>) {
        self.transport.set_loop(round);
    }

    pub(super) fn set(&mut self, id: StripId, setting: Setting) {
        self.desk.set(id, setting);
    }

    /// Lets the next frames fade out; then nothing comes any more, until the next start.
    pub(super) fn leave(&mut self) {
        self.sunk.get_or_insert(0);
    }

    /// Whether the end is reached, or the fade at a stop done.
    pub(super) fn is_over(&self) -> bool {
        self.sunk.is_some_and(|n| n >= self.fade) || self.transport.is_over()
    }

    /// Takes the jumps made since the last call.
    pub(super) fn jumps(&mut self) -> Vec<(u64, u64)> {
        std::mem::take(&mut self.jumps)
    }

    /// Whether the next `frames` frames can be rendered without waiting for a file.
    ///
    /// # Errors
    /// Those of a stem that cannot be delivered.
    pub(super) fn ready(&self, frames: u64) -> Result<bool> {
        self.transport.ready(frames)
    }

    /// Renders the next frames, up to [`BLOCK`] and the room there is; 0 when it is over. They must be ready.
    pub(super) fn read(&mut self, out: &mut Block) -> Result<usize> {
        if self.is_over() {
            out.set_frames(0);
            return Ok(0);
        }
        self.desk.apply(&mut self.transport.renderer);
        let at = self.position();
        let to_silence = self.sunk.map_or(usize::MAX, |n| self.fade - n);
        let n = self.transport.read(out, BLOCK.min(to_silence))?;
        for (lane, height) in self.transport.renderer.overloads() {
            let Some(name) = self.transport.renderer.plan().lanes.get(lane).map(|l| l.name.as_str()) else { continue };
            let mut told = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            if !told.iter().any(|w| w.track.as_deref() == Some(name)) {
                told.push(overload_guard::muted_warning(name, height, Frames(at).clock(self.spec().rate)));
            }
        }
        let twice: Vec<(usize, usize)> = self.desk.twice().collect();
        for (lane, (meter, display)) in self.meters.iter_mut().zip(self.displays.iter()).enumerate() {
            // A bus that runs twice is metered as the sum of both.
            let again = twice.iter().find(|(first, _)| *first == lane);
            let block = self.transport.renderer.output(lane).filter(|_| self.desk.live(lane));
            let Some(&(_, second)) = again else {
                meter.take(block, display);
                continue;
            };
            let both = sum(block.cloned(), self.transport.renderer.output(second));
            meter.take(both.as_ref(), display);
        }
        self.loudness.feed(out);
        if self.unshown == 0 {
            self.unshown = SHOWN_EVERY;
            self.loudness_display.show(&self.loudness);
        }
        self.unshown -= 1;
        self.fade(out);
        self.given += n as u64;
        if self.position() != at + n as u64 {
            self.jumps.push((self.given, self.position()));
        }
        Ok(n)
    }

    /// Fades in after a start, and out before a stop.
    #[expect(clippy::cast_precision_loss, reason = "some hundred frames")]
    fn fade(&mut self, out: &mut Block) {
        let (n, length) = (out.frames(), self.fade as f64);
        if self.risen < self.fade {
            let risen = self.risen;
            let gain = |i: usize| ((risen + i + 1) as f64 / length).min(1.0);
            out.channels_mut().for_each(|c| c.iter_mut().enumerate().for_each(|(i, x)| *x *= gain(i)));
            self.risen = (self.risen + n).min(self.fade);
        }
        if let Some(sunk) = &mut self.sunk {
            let before = *sunk;
            let gain = |i: usize| (1.0 - (before + i + 1) as f64 / length).max(0.0);
            out.channels_mut().for_each(|c| c.iter_mut().enumerate().for_each(|(i, x)| *x *= gain(i)));
            *sunk += n;
        }
    }
}

/// The sum of two blocks of one size; `None` is silence.
fn sum(first: Option<Block>, second: Option<&Block>) -> Option<Block> {
    let (Some(mut sum), Some(other)) = (first.clone(), second) else { return first.or(second.cloned()) };
    for (to, from) in sum.channels_mut().zip(other.channels()) {
        to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
    }
    Some(sum)
}
