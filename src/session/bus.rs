//! Buses and the master: sums with a strip.

use super::insert::Insert;
use super::{
    id::BusId,
    strip::{BusSend, Strip, strip_setters},
};
use crate::{
    curve::Curve,
    encode::Dither,
    units::{Dbtp, Decibels, Pan},
};

/// A sum of tracks and other buses, with gain, pan and routing.
#[derive(Clone, Debug, PartialEq)]
pub struct Bus {
    /// Fader, pan, mute, solo, automation, routing.
    pub strip: Strip,
}

impl Bus {
    /// Creates a bus that feeds the master.
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

/// The sum of all tracks and buses that feed no other bus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Master {
    /// Processors before the fader, in order.
    pub inserts: Vec<Insert>,
    /// The fader. −∞ is exact silence; at most +200 dB.
    pub gain: Decibels,
    /// Gain over time, in decibels added to `gain`.
    pub gain_curve: Curve<Decibels>,
    /// Limits the true peak of the mix to this level, −60 to 0 dBTP: shorthand for a limiter after the fader, with 4 ms of
    /// look-ahead and a release of 0.1 s. A signal below the level passes bit for bit. `None` limits nothing.
    pub limit: Option<Dbtp>,
    /// The dither of files with fewer bits than the mix; `None` adds no dither.
    pub dither: Option<Dither>,
}
