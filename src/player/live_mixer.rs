//! The strip controls of a session that is being played.
//!
//! A change is stored in the session at once and handed to the renderer before its next block, where it ramps for some
//! milliseconds. A fader that changes again during its ramp starts the next ramp when that one has ended.

use crate::{
    curve::{Automation, Curve},
    engine::Renderer,
    plan::{Gates, IdVec, NodeIndex, Routing},
    session::{CueId, Insert, PartName, Selector, Session},
    units::{Decibels, Frames, Pan},
};

/// A new value for one control of a strip.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Setting {
    Gain(Decibels),
    /// A gain that is reached by a straight line in decibels.
    Ramp {
        to: Decibels,
        at: Frames,
        over: Frames,
    },
    Pan(Pan),
    Mute(bool),
    Solo(bool),
    Parameter {
        /// The name of the insert.
        insert: String,
        /// The key of its parameter.
        parameter: String,
        value: f64,
    },
}

impl Setting {
    /// Returns the name of the control.
    pub(super) fn control(&self) -> &'static str {
        match self {
            Self::Gain(_) => "fader",
            Self::Ramp { .. } => "fader that a ramp can move",
            Self::Pan(_) => "pan",
            Self::Mute(_) => "mute",
            Self::Solo(_) => "solo",
            Self::Parameter { .. } => "inserts",
        }
    }
}

/// The nodes of the session's strips, by their index in the plan.
pub(super) struct StripNodes {
    pub tracks: Vec<usize>,
    pub buses: Vec<usize>,
    /// For each cue, for each of its tracks, one node for each placement.
    pub cues: Vec<Vec<Vec<usize>>>,
    pub master: usize,
}

/// Applies changes of strip controls to a renderer.
pub(super) struct LiveMixer {
    session: Session,
    routing: Routing,
    /// The index in the plan of each node of the routing.
    index_of: IdVec<NodeIndex, usize>,
    gates: Gates,
    /// Strips, with one of their nodes each, whose gain or pan the renderer has not taken over yet.
    pending_faders: Vec<(Selector, NodeIndex)>,
    /// Nodes with an insert whose parameters have changed.
    pending_inserts: Vec<(NodeIndex, Insert)>,
    /// Gates may still be opening or closing.
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
            pending_inserts: Vec::new(),
            gates_moving: true,
        }
    }

    /// Returns the nodes of the session's tracks, of its buses, and of the master, by their index in the plan.
    pub(super) fn strip_nodes(&self) -> StripNodes {
        let tracks = self.session.track_ids();
        let buses = self.session.bus_ids();
        StripNodes {
            tracks: tracks
                .map(|track| self.index_of[self.routing.track(track)])
                .collect(),
            buses: buses
                .map(|bus| self.index_of[self.routing.bus(bus).0])
                .collect(),
            cues: (self.session.cue_ids().zip(self.session.cues()))
                .map(|(id, cue)| {
                    let nodes = |track| self.routing.cue_track(id, track);
                    (0..cue.tracks.len())
                        .map(|track| nodes(track).map(|node| self.index_of[node]).collect())
                        .collect()
                })
                .collect(),
            master: self.index_of[self.routing.master()],
        }
    }

    /// Returns the two nodes, by their index in the plan, of each bus that the current solos split in two.
    pub(super) fn split_buses(&self) -> impl Iterator<Item = (usize, usize)> {
        let nodes = self.session.bus_ids().map(|bus| self.routing.bus(bus));
        let split = nodes
            .filter_map(|(first, second)| Some((self.index_of[first], self.index_of[second?])));
        split.filter(|(_, second)| self.is_live(*second))
    }

    /// Returns whether any output of a node of the plan is heard.
    pub(super) fn is_live(&self, index: usize) -> bool {
        self.gates.live.get(index).copied().unwrap_or(false)
    }

    /// Returns the strips of a part, each with one of its nodes: one; several for a bus, a cue or a track of a cue; none for
    /// an id of another session.
    fn strips(&self, part: Selector) -> Vec<(Selector, NodeIndex)> {
        let in_cue = |cue: CueId, track: usize| {
            let nodes = self.routing.cue_track(cue, track);
            nodes.map(move |node| (Selector::CueTrack(cue, track), node))
        };
        match part {
            _ if self.session.part_name(part).is_none() => Vec::new(),
            Selector::Track(id) => vec![(part, self.routing.track(id))],
            Selector::Bus(id) => {
                let (first, second) = self.routing.bus(id);
                let nodes = std::iter::once(first).chain(second);
                nodes.map(|node| (part, node)).collect()
            }
            Selector::Cue(cue) => {
                let tracks = self.session.cues().get(cue.0).map_or(0, |c| c.tracks.len());
                (0..tracks).flat_map(|track| in_cue(cue, track)).collect()
            }
            Selector::CueTrack(cue, track) => in_cue(cue, track).collect(),
            Selector::Master => vec![(part, self.routing.master())],
        }
    }

    /// Changes a control. Ignores a part that the session does not have, and controls that the part does not have.
    pub(super) fn set(&mut self, part: &PartName, setting: &Setting) {
        let Some(part) = self.session.find(part) else {
            return;
        };
        match (part, setting) {
            (
                _,
                Setting::Parameter {
                    insert,
                    parameter,
                    value,
                },
            ) => return self.set_parameter(part, insert, parameter, *value),
            (_, Setting::Ramp { to, at, over }) => {
                if !self.session.ramp_gain(part, *to, *at, *over) {
                    return;
                }
            }
            (Selector::Master, Setting::Gain(gain)) => self.session.master.gain = *gain,
            (Selector::Cue(id), Setting::Mute(mute)) => {
                if let Some(cue) = self.session.cues_mut().get_mut(id.0) {
                    cue.mute = *mute;
                }
            }
            _ => {
                let Some(strip) = self.session.strip_mut(part) else {
                    return;
                };
                match setting {
                    Setting::Gain(gain) => strip.gain = *gain,
                    Setting::Pan(pan) => {
                        strip.pan = *pan;
                        strip.pan_curve = Curve::new();
                    }
                    Setting::Mute(mute) => strip.mute = *mute,
                    Setting::Solo(solo) => strip.solo = *solo,
                    Setting::Ramp { .. } | Setting::Parameter { .. } => {}
                }
            }
        }
        for (part, node) in self.strips(part) {
            if matches!(
                setting,
                Setting::Gain(_) | Setting::Pan(_) | Setting::Ramp { .. }
            ) && !self.pending_faders.contains(&(part, node))
            {
                self.pending_faders.push((part, node));
            }
            self.update_switches(part, node);
        }
        self.gates = self.routing.gates();
        self.gates_moving = true;
    }

    /// Changes a parameter of an insert, which keeps the value from now on.
    fn set_parameter(&mut self, part: Selector, insert: &str, parameter: &str, value: f64) {
        let rate = self.session.rate;
        let inserts = self.session.inserts_mut(part);
        let mut inserts = inserts.into_iter().flatten();
        let Some(insert) = inserts.find(|known| known.called() == insert) else {
            return;
        };
        if insert.move_to(parameter, value, rate).is_some() {
            return;
        }
        let insert = insert.clone();
        for (_, node) in self.strips(part) {
            self.pending_inserts.push((node, insert.clone()));
        }
        // Its tail may be longer or shorter now, so what sounds is placed anew.
        self.gates_moving = true;
    }

    /// Takes the switches of a node's strip from the session.
    fn update_switches(&mut self, part: Selector, node: NodeIndex) {
        let Some(strip) = self.session.strip(part) else {
            return;
        };
        let cue = self.routing.cue_of(node).map(|in_cue| in_cue.cue.0);
        let cue = cue.and_then(|cue| self.session.cues().get(cue));
        let switches = self.routing.switches_mut(self.routing.strip_of(node).0);
        switches.mute = strip.mute || cue.is_some_and(|cue| cue.mute);
        switches.solo = strip.solo;
        // A fader at −∞ dB closes the strip's gates like a mute.
        switches.silent = strip.gain == Decibels::SILENCE;
    }

    /// Hands pending changes to the renderer. Call before each block.
    pub(super) fn apply(&mut self, renderer: &mut Renderer) {
        for (node, insert) in std::mem::take(&mut self.pending_inserts) {
            let in_cue = self.routing.cue_of(node);
            renderer.set_insert(self.index_of[node], &insert, in_cue);
        }
        if self.gates_moving {
            renderer.set_gates(&self.gates);
            self.gates_moving = renderer.gates_moving();
            if !self.gates_moving {
                renderer.finish_gates(&self.gates);
            }
        }
        for (part, node) in std::mem::take(&mut self.pending_faders) {
            let (gain, pan) = self.automation(part, node);
            if !renderer.set_fader(self.index_of[node], gain, pan) {
                self.pending_faders.push((part, node));
            }
        }
    }

    /// Returns gain and pan of a strip's node with the current controls.
    fn automation(&self, part: Selector, node: NodeIndex) -> (Automation, Automation) {
        match (self.session.strip(part), self.routing.cue_of(node)) {
            (Some(strip), Some(in_cue)) => in_cue.automation(strip),
            (Some(strip), None) => (
                Automation::gain(&strip.gain_curve, strip.gain),
                Automation::pan(&strip.pan_curve, strip.pan),
            ),
            (None, _) => {
                let master = &self.session.master;
                (
                    Automation::gain(&master.gain_curve, master.gain),
                    Automation::pan(&Curve::new(), Pan::CENTRE),
                )
            }
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
