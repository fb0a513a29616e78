//! Buses and the master: sums with a strip.

use super::insert::Insert;
use super::strip::{BusId, Send, Strip, strip_setters};
use crate::{
    curve::Curve,
    encode::Dither,
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
        Self {
            strip: Strip {
                name: name.into(),
                ..Strip::default()
            },
        }
    }

    strip_setters!();
}

/// The sum of everything that goes to no bus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Master {
    /// Processors of the sum, before its fader, in order.
    pub inserts: Vec<Insert>,
    /// The fader. −∞ is exact silence; at most +200 dB.
    pub gain: Decibels,
    /// Gain over time, in decibels added to `gain`.
    pub gain_curve: Curve<Decibels>,
    /// Holds the true peak of the mix at this level, −60 to 0 dBTP: shorthand for a limiter behind the fader. It looks 4 ms
    /// ahead and releases over 0.1 s; what is below passes bit for bit. Without it nothing is limited.
    pub limit: Option<Dbtp>,
    /// How files of fewer bits than the mix are dithered; not at all unless said.
    pub dither: Option<Dither>,
}
