//! Logs the damage of a clip that was replaced by silence: the first stretches of each kind, and the total.
//!
//! The log is bounded, however damaged a stem is.

use crate::media::{Flaw, FlawKind};

/// Largest number of stretches that are kept for each kind.
const KEPT: usize = 32;

/// The flaws of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Flaws {
    /// The first stretches, in order of time.
    pub first: Vec<Flaw>,
    /// Number of stretches.
    pub places: u64,
    /// Total length in frames of the session.
    pub frames: u64,
    /// The end of the last logged stretch. A stretch that is read again, for a loop or by the resampler, is not logged twice.
    end: u64,
}

/// The flaws of a clip, by kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FlawLog {
    kinds: Vec<(FlawKind, Flaws)>,
}

impl FlawLog {
    /// Logs a flaw.
    pub(crate) fn take(&mut self, flaw: Flaw) {
        if !self.kinds.iter().any(|(kind, _)| *kind == flaw.kind) {
            self.kinds.push((flaw.kind, Flaws::default()));
        }
        let Some((_, flaws)) = self.kinds.iter_mut().find(|(kind, _)| *kind == flaw.kind) else {
            return;
        };
        let (start, end) = (flaw.at.0, flaw.at.0.saturating_add(flaw.len.0));
        if end <= flaws.end {
            return;
        }
        // Two stretches that touch after resampling overlap by a frame.
        flaws.frames += end - start.max(flaws.end);
        flaws.places += 1;
        flaws.end = end;
        if flaws.first.len() < KEPT {
            flaws.first.push(flaw);
        }
    }

    /// Returns the flaws of each kind, in the order in which the kinds were found.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &(FlawKind, Flaws)> {
        self.kinds.iter()
    }
}
