//! The strip controls of a session that is being played.
//!
//! A change is stored in the session at once and handed to the renderer before its next block, where it ramps for some
//! milliseconds. A fader that changes again during its ramp starts the next ramp when that one has ended.

use crate::{
    curve::{Automation, Curve},
    engine::Renderer,
    plan::{Gates, Routing},
    session::{BusId, CueId, Session, Strip, TrackId},
    units::{Decibels, Pan},
};

/// Identifies a strip whose controls can change during playback: a track, a bus or the master.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StripId {
    /// A track of the timeline.
    Track(TrackId),
    /// A track of a cue, counted from 0, in all uses of the cue.
    InCue(CueId, usize),
    /// A bus.
    Bus(BusId),
    /// The master, which has a fader but no pan, mute or solo.
    Master,
}

impl From<TrackId> for StripId {
    fn from(id: TrackId) -> Self {
        Self::Track(id)
    }
}

impl From<(CueId, usize)> for StripId {
    fn from((cue, track): (CueId, usize)) -> Self {
        Self::InCue(cue, track)
    }
}

impl From<BusId> for StripId {
    fn from(id: BusId) -> Self {
        Self::Bus(id)
    }
}

/// A new value for one control of a strip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Setting {
    Gain(Decibels),
    Pan(Pan),
    Mute(bool),
    Solo(bool),
}

/// The nodes of the session's strips, by their index in the plan.
pub(super) struct StripNodes {
    pub tracks: Vec<usize>,
    pub buses: Vec<usize>,
    pub master: usize,
}

/// Applies changes of strip controls to a renderer.
pub(super) struct LiveMixer {
    session: Session,
    routing: Routing,
    /// The index in the plan of each node of the routing.
    index_of: Vec<usize>,
    gates: Gates,
    /// Strips, with one of their nodes each, whose gain or pan the renderer has not taken over yet.
    pending_faders: Vec<(StripId, usize)>,
    /// Whether gates may still be opening or closing.
    gates_moving: bool,
}

impl LiveMixer {
    /// Starts with the controls of the session, for a plan that holds all nodes and feeds.
    pub(super) fn new(session: Session, routing: Routing) -> Self {
        let (gates, (_, index_of)) = (routing.gates(), routing.order());
        Self {
            session,
            routing,
            index_of,
            gates,
            pending_faders: Vec::new(),
            gates_moving: true,
        }
    }

    /// Returns the index in the plan of a node of the routing.
    fn planned(&self, node: usize) -> usize {
        // The plan holds every node of the routing.
        self.index_of.get(node).copied().unwrap_or_default()
    }

    /// Returns the nodes of the session's tracks, of its buses, and of the master, by their index in the plan.
    pub(super) fn strip_nodes(&self) -> StripNodes {
        let buses = 0..self.session.buses().len();
        StripNodes {
            tracks: (0..self.session.tracks().len())
                .map(|node| self.planned(node))
                .collect(),
            buses: buses
                .map(|bus| self.planned(self.routing.bus(bus).0))
                .collect(),
            master: self.planned(self.routing.master()),
        }
    }

    /// Returns the two nodes, by their index in the plan, of each bus that the current solos split in two.
    pub(super) fn split_buses(&self) -> impl Iterator<Item = (usize, usize)> {
        let nodes = (0..self.session.buses().len()).map(|bus| self.routing.bus(bus));
        let split =
            nodes.filter_map(|(first, second)| Some((self.planned(first), self.planned(second?))));
        split.filter(|(_, second)| self.is_live(*second))
    }

    /// Returns whether anything of a node of the plan is heard.
    pub(super) fn is_live(&self, index: usize) -> bool {
        self.gates.live.get(index).copied().unwrap_or(false)
    }

    /// Returns the nodes of a strip: one; several for a bus, or a track of a cue; none for an id of another session.
    fn nodes(&self, id: StripId) -> Vec<usize> {
        let (tracks, buses) = (self.session.tracks().len(), self.session.buses().len());
        match id {
            StripId::Track(id) => Some(id.0).filter(|n| *n < tracks).into_iter().collect(),
            StripId::InCue(cue, track) => self.routing.in_cue(cue.0, track).collect(),
            StripId::Bus(id) if id.0 >= buses => Vec::new(),
            StripId::Bus(id) => {
                let (first, second) = self.routing.bus(id.0);
                std::iter::once(first).chain(second).collect()
            }
            StripId::Master => vec![self.routing.master()],
        }
    }

    /// Returns a strip of the session; `None` for the master and for an id of another session.
    fn strip(&mut self, id: StripId) -> Option<&mut Strip> {
        match id {
            StripId::Track(id) => self
                .session
                .tracks_mut()
                .get_mut(id.0)
                .map(|t| &mut t.strip),
            StripId::InCue(cue, track) => self
                .session
                .cues_mut()
                .get_mut(cue.0)
                .and_then(|c| c.tracks.get_mut(track))
                .map(|t| &mut t.strip),
            StripId::Bus(id) => self.session.buses_mut().get_mut(id.0).map(|b| &mut b.strip),
            StripId::Master => None,
        }
    }

    /// Changes a control. Ignores an id of another session, and controls that the master does not have.
    pub(super) fn set(&mut self, id: StripId, setting: Setting) {
        match (id, setting, self.strip(id)) {
            (StripId::Master, Setting::Gain(gain), _) => self.session.master.gain = gain,
            (_, Setting::Gain(gain), Some(strip)) => strip.gain = gain,
            (_, Setting::Pan(pan), Some(strip)) => {
                strip.pan = pan;
                strip.pan_curve = Curve::new();
            }
            (_, Setting::Mute(mute), Some(strip)) => strip.mute = mute,
            (_, Setting::Solo(solo), Some(strip)) => strip.solo = solo,
            (_, _, None) => return,
        }
        for node in self.nodes(id) {
            if matches!(setting, Setting::Gain(_) | Setting::Pan(_))
                && !self.pending_faders.contains(&(id, node))
            {
                self.pending_faders.push((id, node));
            }
            let muted_by_cue = self.routing.cue_of(node).is_some_and(|in_cue| in_cue.muted);
            let Some(switches) = self.routing.switches(node) else {
                continue;
            };
            match setting {
                // A fader at −∞ dB closes the strip's gates like a mute.
                Setting::Gain(gain) => switches.silent = gain == Decibels::SILENCE,
                Setting::Pan(_) => {}
                Setting::Mute(mute) => switches.mute = mute || muted_by_cue,
                Setting::Solo(solo) => switches.solo = solo,
            }
        }
        self.gates = self.routing.gates();
        self.gates_moving = true;
    }

    /// Hands pending changes to the renderer. Call before each block.
    pub(super) fn apply(&mut self, renderer: &mut Renderer) {
        if self.gates_moving {
            renderer.set_gates(&self.gates);
            self.gates_moving = renderer.gates_moving();
            if !self.gates_moving {
                renderer.finish_gates(&self.gates);
            }
        }
        for (id, node) in std::mem::take(&mut self.pending_faders) {
            let Some(index) = self.index_of.get(node).copied() else {
                continue;
            };
            let (gain, pan) = self.automation(id, node);
            if !renderer.set_fader(index, gain, pan) {
                self.pending_faders.push((id, node));
            }
        }
    }

    /// Returns gain and pan of a strip's node with the current controls.
    fn automation(&mut self, id: StripId, node: usize) -> (Automation, Automation) {
        let in_cue = self.routing.cue_of(node).cloned();
        let master = Automation::gain(&self.session.master.gain_curve, self.session.master.gain);
        match (self.strip(id), in_cue) {
            (None, _) => (master, Automation::pan(&Curve::new(), Pan::CENTRE)),
            (Some(strip), Some(in_cue)) => in_cue.automation(strip),
            (Some(strip), None) => (
                Automation::gain(&strip.gain_curve, strip.gain),
                Automation::pan(&strip.pan_curve, strip.pan),
            ),
        }
    }

    /// Applies all changes without ramps. Call while nothing is heard.
    pub(super) fn settle(&mut self, renderer: &mut Renderer) {
        // The first pass ends the ramp of a fader that has another change pending; the second applies that change.
        for _ in 0..2 {
            renderer.settle();
            self.gates_moving = true;
            self.apply(renderer);
        }
        renderer.settle();
        renderer.finish_gates(&self.gates);
        self.gates_moving = false;
    }
}
