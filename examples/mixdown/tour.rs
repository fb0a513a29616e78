//! The demo's mix: its stems on three buses.

use crate::demo::Stem;
use soundtrack::{Bus, Decibels, Layout, Pan, SampleRate, Session, Track};

/// The stems, each through the bus it names, in the order in which they are given.
pub fn session(stems: &[Stem], rate: SampleRate, layout: Layout) -> Session {
    let mut session = Session::new(rate, layout);
    "The demo".clone_into(&mut session.title);
    let mut buses = Vec::new();
    for stem in stems {
        let known = buses.iter().find(|(name, _)| *name == stem.bus).map(|(_, bus)| *bus);
        let bus = known.unwrap_or_else(|| session.add_bus(Bus::new(stem.bus)));
        if known.is_none() {
            buses.push((stem.bus, bus));
        }
        let track = Track::new(stem.name, stem.file.clone()).gain(Decibels(stem.gain_db)).pan(Pan(stem.pan));
        session.add_track(track.to(bus));
    }
    session
}
