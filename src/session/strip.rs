//! What tracks and buses have in common: name, fader, pan, mute, solo, automation, and where the signal goes.

use super::insert::Insert;
use crate::{
    curve::Curve,
    units::{Decibels, Pan},
};

/// Identifies a track of the session that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId(pub(crate) usize);

/// Identifies a bus of the session that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BusId(pub(crate) usize);

/// An extra feed into a bus, taken after the strip's own gain and pan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Send {
    /// The bus that is fed.
    pub to: BusId,
    /// How strong.
    pub gain: Decibels,
}

/// The controls of a track or a bus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Strip {
    /// What it is called; unique among its kind.
    pub name: String,
    /// Processors between the input and the fader, in order.
    pub inserts: Vec<Insert>,
    /// The fader. −∞ is exact silence; at most +200 dB.
    pub gain: Decibels,
    /// The pan control: mono signals are placed by the session's pan law, all others balanced.
    pub pan: Pan,
    /// Silent, as if it were not there.
    pub mute: bool,
    /// Where any strip is soloed, only what passes through a soloed strip is heard. Precisely: a route is a sequence of
    /// main outputs and sends from a track to the master, and the routes that are heard are those with at least one soloed
    /// strip and no muted one. So the buses on the way of a soloed strip stay audible, a soloed bus is heard with all that
    /// feeds it, several solos add up, and a mute always wins.
    ///
    /// The solo of a track in a cue that has no placement is refused when the session is compiled.
    pub solo: bool,
    /// Gain over time, in decibels added to `gain`.
    pub gain_curve: Curve<Decibels>,
    /// Pan over time; in place of `pan` where it has points.
    pub pan_curve: Curve<Pan>,
    /// The bus it goes to; without one, the master.
    pub to: Option<BusId>,
    /// Extra feeds into other buses.
    pub sends: Vec<Send>,
}

/// The consuming setters of a type that has a `strip`.
macro_rules! strip_setters {
    () => {
        /// Adds a processor, after those already there.
        #[must_use]
        pub fn insert(mut self, insert: $crate::Insert) -> Self {
            self.strip.inserts.push(insert);
            self
        }

        /// Sets the fader.
        #[must_use]
        pub fn gain(mut self, gain: Decibels) -> Self {
            self.strip.gain = gain;
            self
        }

        /// Sets the pan control.
        #[must_use]
        pub fn pan(mut self, pan: Pan) -> Self {
            self.strip.pan = pan;
            self
        }

        /// Mutes it, or not.
        #[must_use]
        pub fn mute(mut self, mute: bool) -> Self {
            self.strip.mute = mute;
            self
        }

        /// Solos it, or not.
        #[must_use]
        pub fn solo(mut self, solo: bool) -> Self {
            self.strip.solo = solo;
            self
        }

        /// Sets the gain over time, added to the fader.
        #[must_use]
        pub fn gain_curve(mut self, curve: Curve<Decibels>) -> Self {
            self.strip.gain_curve = curve;
            self
        }

        /// Sets the pan over time, in place of the pan control.
        #[must_use]
        pub fn pan_curve(mut self, curve: Curve<Pan>) -> Self {
            self.strip.pan_curve = curve;
            self
        }

        /// Sends the signal to a bus instead of the master.
        #[must_use]
        pub fn to(mut self, bus: BusId) -> Self {
            self.strip.to = Some(bus);
            self
        }

        /// Adds an extra feed into a bus, after gain and pan.
        #[must_use]
        pub fn send(mut self, to: BusId, gain: Decibels) -> Self {
            self.strip.sends.push(Send { to, gain });
            self
        }
    };
}
pub(super) use strip_setters;
