//! What was silenced in a clip: the first places of each kind, and how much in all.
//!
//! Bounded, however damaged a stem is.

use crate::media::{Flaw, FlawKind};

/// Places of a kind that are kept.
const KEPT: usize = 32;

/// The flaws of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Flaws {
    /// The first places, in order of time.
    pub first: Vec<Flaw>,
    /// How many places.
    pub places: u64,
    /// How many frames of the session in all.
    pub frames: u64,
    /// The end of what was told. A stretch that is read again, for a loop or by the resampler, is not told twice.
    told: u64,
}

/// The flaws of a clip, by kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FlawLog {
    kinds: Vec<(FlawKind, Flaws)>,
}

impl FlawLog {
    pub(crate) fn take(&mut self, flaw: Flaw) {
        if !self.kinds.iter().any(|(kind, _)| *kind == flaw.kind) {
            self.kinds.push((flaw.kind, Flaws::default()));
        }
        let Some((_, flaws)) = self.kinds.iter_mut().find(|(kind, _)| *kind == flaw.kind) else {
            return;
        };
        let (start, end) = (flaw.at.0, flaw.at.0.saturating_add(flaw.len.0));
        if end <= flaws.told {
            return;
        }
        // Two stretches that touch after resampling overlap by a frame.
        flaws.frames += end - start.max(flaws.told);
        flaws.places += 1;
        flaws.told = end;
        if flaws.first.len() < KEPT {
            flaws.first.push(flaw);
        }
    }

    /// The kinds met, in the order of meeting.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &(FlawKind, Flaws)> {
        self.kinds.iter()
    }
}
