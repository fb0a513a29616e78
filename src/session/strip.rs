//! The strip that tracks and buses share: name, inserts, fader, pan, mute, solo, automation and routing.

use super::{id::BusId, insert::Insert};
use crate::{
    curve::Curve,
    units::{Decibels, Pan},
};

/// An extra feed into a bus, taken after the strip's own gain and pan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BusSend {
    /// The bus that is fed.
    pub to: BusId,
    /// The level of the send.
    pub gain: Decibels,
}

/// The controls of a track or a bus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Strip {
    /// Its name, unique among tracks or among buses.
    pub name: String,
    /// Processors between the input and the fader, in order.
    pub inserts: Vec<Insert>,
    /// The fader. −∞ is exact silence; at most +200 dB.
    pub gain: Decibels,
    /// The pan control: mono signals are placed by the session's pan law, all others balanced.
    pub pan: Pan,
    /// Silences the strip, and everything that only it lets through.
    pub mute: bool,
    /// While any strip is soloed, only signals that pass through a soloed strip are heard. A route is a sequence of main
    /// outputs and sends from a track to the master; the heard routes are those with at least one soloed strip and no muted
    /// one. So the buses after a soloed strip stay audible, a soloed bus is heard with everything that feeds it, several solos
    /// add up, and a mute always wins.
    ///
    /// A solo in a cue without a placement is refused when the session is compiled.
    pub solo: bool,
    /// Gain over time, in decibels added to `gain`.
    pub gain_curve: Curve<Decibels>,
    /// Pan over time; replaces `pan` where it has points.
    pub pan_curve: Curve<Pan>,
    /// The bus that the strip feeds; `None` feeds the master.
    pub to: Option<BusId>,
    /// Extra feeds into other buses.
    pub sends: Vec<BusSend>,
}

/// Defines the consuming setters of a type that has a `strip`.
macro_rules! strip_setters {
    () => {
        /// Adds a processor after the others.
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

        /// Sets the pan over time, which replaces the pan control.
        #[must_use]
        pub fn pan_curve(mut self, curve: Curve<Pan>) -> Self {
            self.strip.pan_curve = curve;
            self
        }

        /// Feeds a bus instead of the master.
        #[must_use]
        pub fn to(mut self, bus: BusId) -> Self {
            self.strip.to = Some(bus);
            self
        }

        /// Adds an extra feed into a bus, after gain and pan.
        #[must_use]
        pub fn send(mut self, to: BusId, gain: Decibels) -> Self {
            self.strip.sends.push(BusSend { to, gain });
            self
        }
    };
}
pub(super) use strip_setters;
