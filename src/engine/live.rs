//! Live playback of a plan: stems are read ahead, and faders, pans and feeds change while it runs.
//!
//! A live plan holds every node and every feed; a gate mutes each feed that is not heard. Once all gates and faders have
//! arrived, the output equals that of a bounce of a session with the same settings, bit for bit.

use super::{CallerBlocks, Renderer, overload_guard::OverloadGuard, ramps::Ramps};
use crate::{
    block::Block,
    curve::Automation,
    engine::{Options, clip_reader::ClipReader, read_ahead::ReadAhead},
    error::Result,
    plan::{Gates, InCue, NodeInput, NodeKind, Plan, place_sounding},
    session::Insert,
    units::saturating_usize,
};
use std::ops::Range;

impl Renderer {
    /// Prepares a plan for live playback, on one thread. Changes of faders and gates ramp over `ramp` frames.
    ///
    /// Stems are decoded directly until [`read_from`](Self::read_from).
    ///
    /// # Errors
    /// Passes on the errors of [`Renderer::new`].
    pub(crate) fn live(plan: Plan, ramp: usize) -> Result<Self> {
        let channels = plan.spec.layout.channels();
        let mut renderer = Self::new(plan, &Options { threads: 1 })?;
        renderer.metered = true;
        for (state, node) in renderer.nodes.iter_mut().zip(&renderer.plan.nodes) {
            let feeds = if let NodeInput::Sum(feeds) = &node.input {
                feeds.len()
            } else {
                0
            };
            state.ramps = Some(Box::new(Ramps::new(feeds, ramp)));
            state.guard =
                (node.kind == NodeKind::Track).then(|| OverloadGuard::new(channels, ramp));
        }
        renderer.buffers.keep();
        Ok(renderer)
    }

    /// Takes the frames of clips from these queues from now on.
    pub(crate) fn read_from(&mut self, ahead: &ReadAhead) {
        for (index, state) in self.nodes.iter_mut().enumerate() {
            let queues = ahead.node(index).iter();
            state.readers = queues.map(ClipReader::read_ahead).collect();
        }
    }

    /// Decodes the stems directly, until [`read_from`](Self::read_from).
    pub(crate) fn read_directly(&mut self) {
        for (state, node) in self.nodes.iter_mut().zip(&self.plan.nodes) {
            let clips = node.clips().iter();
            state.readers = clips.map(|_| ClipReader::Direct(None)).collect();
        }
    }

    /// Renders what brings the processors into the state that they have at the position, so that the next block is delivered at
    /// once.
    pub(crate) fn warm_up(&mut self) -> Result<()> {
        self.render_warm_up(&mut CallerBlocks {
            mix: &mut Block::new(self.plan.spec.layout, 0),
            taps: &mut [],
            done: 0,
        })
    }

    /// Loops over a range of the timeline from the next time its end is reached; `None` stops looping.
    pub(crate) fn set_repeat(&mut self, repeat: Option<Range<u64>>) {
        self.transport.set_repeat(repeat);
    }

    /// Returns the position at which tracks read next.
    pub(crate) fn input_position(&self) -> u64 {
        // Tracks have no lag, so the transport always has a position for them.
        self.transport.position(0).unwrap_or_default()
    }

    /// Returns the number of frames that tracks must read before the mix can deliver `frames` frames.
    pub(crate) fn input_for(&self, frames: u64) -> u64 {
        self.warm_up.saturating_add(frames)
    }

    pub(crate) fn has_processors(&self) -> bool {
        self.plan
            .nodes
            .iter()
            .any(|node| !node.before.is_empty() || !node.after.is_empty())
    }

    /// Renders the next frames, at most `most`, and stops where the position jumps.
    pub(crate) fn render_to_jump(&mut self, block: &mut Block, most: usize) -> Result<usize> {
        self.render_warm_up(&mut CallerBlocks {
            mix: block,
            taps: &mut [],
            done: 0,
        })?;
        let to_jump = self.transport.until_jump(self.plan.latency().0);
        self.render_part(block, most.min(saturating_usize(to_jump)))
    }

    /// Starts to open and close feeds.
    pub(crate) fn set_gates(&mut self, gates: &Gates) {
        for (state, open) in self.nodes.iter_mut().zip(&gates.feeds) {
            let Some(ramps) = &mut state.ramps else {
                continue;
            };
            ramps
                .gates
                .iter_mut()
                .zip(open)
                .for_each(|(gate, open)| gate.open = *open);
        }
        for (state, node) in self.nodes.iter_mut().zip(&self.plan.nodes) {
            state.open_keys(node, &gates.live);
        }
        // A closing feed still sounds until its ramp ends.
        self.place_sounding(None);
    }

    /// Reports whether any feed is opening or closing.
    pub(crate) fn gates_moving(&self) -> bool {
        self.nodes
            .iter()
            .filter_map(|node| node.ramps.as_ref())
            .any(|ramps| ramps.gates_moving())
    }

    /// Places what sounds, with these gates or with all of them open.
    fn place_sounding(&mut self, gates: Option<&Gates>) {
        place_sounding(&mut self.plan.nodes, gates);
        let master = self.plan.nodes.last();
        self.plan.sounding = master.map_or_else(Vec::new, |node| node.before.sounding.clone());
    }

    /// Makes everything outside the clips of live nodes exact silence again. Call when all gates have arrived.
    pub(crate) fn finish_gates(&mut self, gates: &Gates) {
        self.place_sounding(Some(gates));
    }

    /// Ramps a node to a new gain and pan. Returns false, and changes nothing, while an earlier ramp is in progress.
    pub(crate) fn set_fader(&mut self, node: usize, gain: Automation, pan: Automation) -> bool {
        let (Some(state), Some(node)) = (self.nodes.get_mut(node), self.plan.nodes.get_mut(node))
        else {
            return true;
        };
        let Some(ramps) = state.ramps.as_mut().filter(|ramps| ramps.fader.is_none()) else {
            return false;
        };
        ramps.start_fader(
            std::mem::replace(&mut node.gain, gain),
            std::mem::replace(&mut node.pan, pan),
        );
        true
    }

    /// Moves the parameters of an insert before the fader of a node to those of `insert`, found by its name. The curves of a
    /// track of a cue follow the time of `in_cue`.
    pub(crate) fn set_insert(&mut self, node: usize, insert: &Insert, in_cue: Option<&InCue>) {
        let (Some(state), Some(node)) = (self.nodes.get_mut(node), self.plan.nodes.get_mut(node))
        else {
            return;
        };
        let name = insert.called();
        let mut inserts = node.before.inserts.iter();
        let Some(index) = inserts.position(|known| known.called() == name) else {
            return;
        };
        let old = node.before.inserts.get(index).map(Insert::values);
        let old = old.unwrap_or_default().to_vec();
        node.before.replace(index, insert.clone(), in_cue);
        state.change_insert(node, index, &old);
    }

    /// Ends all ramps at once and unmutes overloaded stems. Call while nothing is heard.
    pub(crate) fn settle(&mut self) {
        self.nodes
            .iter_mut()
            .filter_map(|node| node.guard.as_mut())
            .for_each(OverloadGuard::reset);
        self.nodes
            .iter_mut()
            .filter_map(|node| node.ramps.as_mut())
            .for_each(|ramps| ramps.settle());
    }

    /// Returns each node that the overload guard has muted since the last start, with the peak that caused it.
    pub(crate) fn overloads(&self) -> impl Iterator<Item = (usize, f64)> {
        self.nodes
            .iter()
            .enumerate()
            .filter_map(|(index, node)| Some((index, node.guard.as_ref()?.overload()?)))
    }

    /// Returns a node's output in the last run; `None` for silence.
    pub(crate) fn output(&mut self, node: usize) -> Option<&Block> {
        self.buffers
            .latest(node)
            .filter(|o| o.active)
            .map(|o| &o.block)
    }
}
