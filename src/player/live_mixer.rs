//! The strips while they are played: a session whose faders, pans, mutes and solos move.
//!
//! A change goes into the session at once, and from there to the renderer, where it takes some milliseconds to arrive. A
//! fader that is moved again on its way goes on from where it is when it has arrived.

use crate::{
    curve::{Automation, Curve},
    engine::Renderer,
    plan::{Gates, Routing},
    session::{BusId, CueId, Session, Strip, TrackId},
    units::{Decibels, Pan},
};

/// A track, a bus or the master, to move its strip while it is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StripId {
    /// A track of the timeline.
    Track(TrackId),
    /// A track of a cue, counted from 0, in all uses of the cue.
    InCue(CueId, usize),
    /// A bus.
    Bus(BusId),
    /// The master: it has a fader, and no pan, mute or solo.
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

/// One control of a strip, and where it is moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Setting {
    Gain(Decibels),
    Pan(Pan),
    Mute(bool),
    Solo(bool),
}

/// Where strips are among the lanes.
pub(super) struct Lanes {
    pub tracks: Vec<usize>,
    pub buses: Vec<usize>,
    pub master: usize,
}

pub(super) struct Desk {
    session: Session,
    routing: Routing,
    /// The lane of each node of the routing.
    lane_of: Vec<usize>,
    gates: Gates,
    /// Lanes whose faders are to be moved as soon as they stand still.
    moved: Vec<(StripId, usize)>,
    /// Whether gates have been moved and may not have arrived.
    gating: bool,
}

impl Desk {
    /// The desk of a plan of everything.
    pub(super) fn new(session: Session, routing: Routing) -> Self {
        let (gates, (_, lane_of)) = (routing.gates(), routing.order());
        Self { session, routing, lane_of, gates, moved: Vec::new(), gating: true }
    }

    /// The lane of a node.
    fn lane(&self, node: usize) -> usize {
        self.lane_of.get(node).copied().unwrap_or_default()
    }

    /// The lanes of the session's tracks, of its buses, and of the master.
    pub(super) fn lanes(&self) -> Lanes {
        let buses = 0..self.session.buses().len();
        Lanes {
            tracks: (0..self.session.tracks().len()).map(|node| self.lane(node)).collect(),
            buses: buses.map(|n| self.lane(self.routing.bus(n).0)).collect(),
            master: self.lane(self.routing.master()),
        }
    }

    /// The lanes of buses that run twice with the solos as they are: the first, then the second.
    pub(super) fn twice(&self) -> impl Iterator<Item = (usize, usize)> {
        let nodes = (0..self.session.buses().len()).map(|n| self.routing.bus(n));
        let lanes = nodes.filter_map(|(first, second)| Some((self.lane(first), self.lane(second?))));
        lanes.filter(|(_, second)| self.live(*second))
    }

    /// The nodes of a strip: one, none for an id of another session, or several for a track of a cue or a bus.
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

    /// For every lane, whether anything of it is heard.
    pub(super) fn live(&self, lane: usize) -> bool {
        self.gates.live.get(lane).copied().unwrap_or(false)
    }

    fn strip(&mut self, id: StripId) -> Option<&mut Strip> {
        match id {
            StripId::Track(id) => self.session.tracks_mut().get_mut(id.0).map(|t| &mut t.strip),
            StripId::InCue(cue, track) => {
                self.session.cues_mut().get_mut(cue.0).and_then(|c| c.tracks.get_mut(track)).map(|t| &mut t.strip)
            }
            StripId::Bus(id) => self.session.buses_mut().get_mut(id.0).map(|b| &mut b.strip),
            StripId::Master => None,
        }
    }

    /// Moves a control. An id of another session moves nothing.
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
            if matches!(setting, Setting::Gain(_) | Setting::Pan(_)) && !self.moved.contains(&(id, node)) {
                self.moved.push((id, node));
            }
            let muted = self.routing.cue_of(node).is_some_and(|i| i.muted);
            let Some(switches) = self.routing.switches(node) else { continue };
            match setting {
                // As good as a mute.
                Setting::Gain(gain) => switches.silent = gain == Decibels::SILENCE,
                Setting::Pan(_) => {}
                Setting::Mute(mute) => switches.mute = mute || muted,
                Setting::Solo(solo) => switches.solo = solo,
            }
        }
        self.gates = self.routing.gates();
        self.gating = true;
    }

    /// Hands the changes on to the renderer, before its next block.
    pub(super) fn apply(&mut self, renderer: &mut Renderer) {
        if self.gating {
            renderer.set_gates(&self.gates);
            self.gating = renderer.gates_moving();
            if !self.gating {
                renderer.finish_gates(&self.gates);
            }
        }
        for (id, node) in std::mem::take(&mut self.moved) {
            let Some(lane) = self.lane_of.get(node).copied() else { continue };
            let (gain, pan) = self.automation(id, node);
            if !renderer.set_fader(lane, gain, pan) {
                self.moved.push((id, node));
            }
        }
    }

    /// Gain and pan of a strip as they are to be.
    fn automation(&mut self, id: StripId, node: usize) -> (Automation, Automation) {
        let in_cue = self.routing.cue_of(node).cloned();
        let master = Automation::gain(&self.session.master.gain_curve, self.session.master.gain);
        match (self.strip(id), in_cue) {
            (None, _) => (master, Automation::pan(&Curve::new(), Pan::CENTRE)),
            (Some(s), Some(in_cue)) => in_cue.automation(s),
            (Some(s), None) => (Automation::gain(&s.gain_curve, s.gain), Automation::pan(&s.pan_curve, s.pan)),
        }
    }

    /// Lets all changes arrive at once: nothing is heard yet.
    pub(super) fn settle(&mut self, renderer: &mut Renderer) {
        // A fader on its way is asked again once it has been made to arrive.
        for _ in 0..2 {
            renderer.settle();
            self.gating = true;
            self.apply(renderer);
        }
        renderer.settle();
        renderer.finish_gates(&self.gates);
        self.gating = false;
    }
}
