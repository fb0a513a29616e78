//! A plan that is played live: read ahead, with strips that move while it runs.
//!
//! The plan holds every lane and feed; what is not heard is behind a closed gate. Where all gates and faders have arrived,
//! the output is that of a bounce of a session with the same settings, bit for bit.

use super::{Renderer, overload_guard::Guard, ramps::Moves};
use crate::{
    block::Block,
    curve::Automation,
    engine::{Options, clip_reader::ClipReader, read_ahead::ReadAhead},
    error::Result,
    plan::{Gates, LaneInput, LaneKind, Plan, sounding},
};

impl Renderer {
    /// A plan of everything, on one thread, with its stems read ahead. Changes take `length` frames to arrive.
    pub(crate) fn live(plan: Plan, ahead: &ReadAhead, length: usize) -> Result<Self> {
        let channels = plan.spec.layout.channels();
        let mut renderer = Self::new(plan, &Options { threads: 1 })?;
        for (index, (state, lane)) in renderer.nodes.iter_mut().zip(&renderer.plan.lanes).enumerate() {
            let feeds = if let LaneInput::Sum(feeds) = &lane.input { feeds.len() } else { 0 };
            state.moves = Some(Box::new(Moves::new(feeds, length)));
            state.guard = (lane.kind == LaneKind::Track).then(|| Guard::new(channels, length));
            state.readers = ahead.lane(index).iter().map(ClipReader::read_ahead).collect();
        }
        renderer.buffers.keep();
        Ok(renderer)
    }

    /// Repeats a stretch of the timeline once its end is met, or does not any more.
    pub(crate) fn set_repeat(&mut self, repeat: Option<std::ops::Range<u64>>) {
        self.transport.set_repeat(repeat);
    }

    /// Returns the position at which tracks read next.
    pub(crate) fn input_position(&self) -> u64 {
        self.transport.position(0).unwrap_or_default()
    }

    /// Returns the frames that tracks must read to deliver so many.
    pub(crate) fn input_for(&self, frames: u64) -> u64 {
        self.warm_up.saturating_add(frames)
    }

    pub(crate) fn has_processors(&self) -> bool {
        self.plan.lanes.iter().any(|lane| !lane.before.is_empty() || !lane.after.is_empty())
    }

    /// Renders the next frames, at most `most`, and none after the position jumps.
    pub(crate) fn render_to_jump(&mut self, block: &mut Block, most: usize) -> Result<usize> {
        self.render_warm_up(&mut super::CallerBlocks { mix: block, taps: &mut [], done: 0 })?;
        let to_jump = self.transport.until_jump(self.plan.latency().0);
        self.render_part(block, most.min(usize::try_from(to_jump).unwrap_or(usize::MAX)))
    }

    /// Opens and closes feeds.
    pub(crate) fn set_gates(&mut self, gates: &Gates) {
        for (state, open) in self.nodes.iter_mut().zip(&gates.feeds) {
            let Some(moves) = &mut state.moves else { continue };
            moves.gates.iter_mut().zip(open).for_each(|(gate, open)| gate.open = *open);
        }
        // What closes still sounds for a while.
        self.plan.sounding = sounding(&self.plan.lanes, |_| true);
    }

    /// Whether any feed is opening or closing.
    pub(crate) fn gating(&self) -> bool {
        self.nodes.iter().filter_map(|l| l.moves.as_ref()).any(|m| m.gating())
    }

    /// All gates have arrived: what is outside the clips that are heard is silence again.
    pub(crate) fn gated(&mut self, gates: &Gates) {
        let will = |lane: usize| gates.live.get(lane).copied().unwrap_or(false);
        self.plan.sounding = sounding(&self.plan.lanes, will);
    }

    /// Moves a lane's gain and pan; false where they are still on their way.
    pub(crate) fn set_fader(&mut self, lane: usize, gain: Automation, pan: Automation) -> bool {
        let (Some(state), Some(lane)) = (self.nodes.get_mut(lane), self.plan.lanes.get_mut(lane)) else { return true };
        let Some(moves) = state.moves.as_mut().filter(|m| m.fader.is_none()) else { return false };
        moves.start(std::mem::replace(&mut lane.gain, gain), std::mem::replace(&mut lane.pan, pan));
        true
    }

    /// Ends all changes at once, and lets what blew up be heard again: before anything is heard.
    pub(crate) fn settle(&mut self) {
        self.nodes.iter_mut().filter_map(|l| l.guard.as_mut()).for_each(Guard::forgive);
        self.nodes.iter_mut().filter_map(|l| l.moves.as_mut()).for_each(|m| m.settle());
    }

    /// The lanes that blew up since the last start, and how high each went.
    pub(crate) fn blown(&self) -> impl Iterator<Item = (usize, f64)> {
        self.nodes.iter().enumerate().filter_map(|(lane, state)| Some((lane, state.guard.as_ref()?.gone()?)))
    }

    /// What a lane gave in the last run; `None` for nothing.
    pub(crate) fn output(&mut self, lane: usize) -> Option<&Block> {
        self.buffers.latest(lane).filter(|o| o.active).map(|o| &o.block)
    }
}
