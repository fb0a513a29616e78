//! Buses and the master: sums with a strip.

use super::strip::{BusId, Send, Strip, strip_setters};
use crate::{
    curve::Curve,
    dsp::dither::Dither,
    units::{Dbtp, Decibels, Pan},
};

/// A sum of tracks and other buses, with gain, pan and a way out.
#[derive(Clone, Debug, PartialEq)]
pub struct Bus {
    /// Fader, pan, mute, solo, automation, routing.
    pub strip: Strip,
}

impl Bus {
    /// A bus that goes to the master.
    pub fn new(name: impl Into<String>) -> Self {
        Self { strip: Strip { name: name.into(), ..Strip::default() } }
    }

    strip_setters!();
}

/// The sum of everything that goes to no bus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Master {
    /// The fader. −∞ is exact silence; at most +200 dB.
    pub gain: Decibels,
    /// Gain over time, in decibels added to `gain`.
    pub gain_curve: Curve<Decibels>,
    /// The ceiling of the limiter, −60 to 0 dBTP: the mix is turned down where its true peak would be above, 4 ms ahead and
    /// for 0.1 s; what is below passes bit for bit. Without one nothing is limited.
    pub limit: Option<Dbtp>,
    /// How what is written with less depth is dithered; not at all unless asked.
    pub dither: Dither,
}
