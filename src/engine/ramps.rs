//! Changes of a lane on their way while it is played: each a straight line of a few milliseconds, so that nothing clicks.
//!
//! Once a change has arrived the lane is rendered as if it had always been so: the same bits as a bounce of a session with
//! these settings. Lines run in the time of playing, not of the timeline; nothing of this exists offline.

use super::node::{Output, add, nothing};
use crate::{curve::Automation, dsp::gain::add_shaped, plan::Feed};

/// The changes of one lane.
pub(super) struct Moves {
    /// Gain and pan.
    pub fader: Option<Fader>,
    /// For each feed, whether it is heard.
    pub gates: Vec<Gate>,
    /// Frames from one end to the other.
    length: usize,
}

/// Gain and pan on their way from what they were.
pub(super) struct Fader {
    gain: Automation,
    pan: Automation,
    done: usize,
    length: usize,
}

/// A feed that opens or closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gate {
    pub open: bool,
    /// How far it is open, 0 to the length.
    count: usize,
}

/// How far a line of `length` frames is after `done` of them, 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a few thousand frames at the most")]
fn part(done: usize, length: usize) -> f64 {
    done.min(length) as f64 / length.max(1) as f64
}

impl Moves {
    /// No changes, all feeds heard.
    pub(super) fn new(feeds: usize, length: usize) -> Self {
        Self { fader: None, gates: vec![Gate { open: true, count: length }; feeds], length }
    }

    /// Starts from gain and pan as they were.
    pub(super) fn start(&mut self, gain: Automation, pan: Automation) {
        self.fader = Some(Fader { gain, pan, done: 0, length: self.length });
    }

    /// Whether any gate is neither open nor closed.
    pub(super) fn gating(&self) -> bool {
        self.gates.iter().any(|g| !g.settled(self.length))
    }

    /// Ends all changes at once.
    pub(super) fn settle(&mut self) {
        self.fader = None;
        self.gates.iter_mut().for_each(|g| g.count = if g.open { self.length } else { 0 });
    }

    /// Time goes on.
    pub(super) fn advance(&mut self, frames: usize) {
        self.gates.iter_mut().for_each(|g| g.count = g.after(frames, self.length));
        if let Some(fader) = &mut self.fader {
            fader.done += frames;
        }
        self.fader.take_if(|f| f.done >= f.length);
    }

    /// Adds up the open feeds as offline, and those that open or close after them.
    pub(super) fn sum(&self, out: &mut Output, feeds: &[Feed], fed: &[&Output], frames: usize) {
        let open = |gate: &Gate| gate.open && gate.settled(self.length);
        let all = || feeds.iter().zip(fed).zip(&self.gates);
        for ((feed, from), _) in all().filter(|(_, gate)| open(gate)) {
            add(out, from, feed.gain, frames);
        }
        for ((feed, from), gate) in all().filter(|((_, from), gate)| from.active && !gate.settled(self.length)) {
            if !out.active {
                nothing(&mut out.block, frames);
            }
            out.active = true;
            let line: Vec<f64> = (1..=frames).map(|n| part(gate.after(n, self.length), self.length)).collect();
            let channels = out.block.channels_mut().zip(from.block.channels());
            channels.for_each(|(to, from)| add_shaped(to, from, &line, feed.gain));
        }
    }
}

impl Gate {
    fn settled(self, length: usize) -> bool {
        self.count == if self.open { length } else { 0 }
    }

    fn after(self, frames: usize, length: usize) -> usize {
        if self.open { (self.count + frames).min(length) } else { self.count.saturating_sub(frames) }
    }
}

impl Fader {
    /// Leads from what gain and pan were to what is in the slices.
    pub(super) fn blend(&self, at: u64, level: &mut [f64], pan: &mut [f64]) {
        let left = self.length.saturating_sub(self.done).min(level.len());
        let mut old = vec![0.0; left];
        for (automation, values) in [(&self.gain, level), (&self.pan, pan)] {
            automation.fill(at, &mut old);
            for (n, (new, old)) in values.iter_mut().zip(&old).enumerate() {
                *new = old + (*new - old) * part(self.done + n + 1, self.length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_that_turns_back_starts_from_where_it_is() {
        let mut moves = Moves::new(1, 100);
        moves.gates[0].open = false;
        moves.advance(30);
        assert_eq!((moves.gates[0].count, moves.gating()), (70, true));
        moves.gates[0].open = true;
        moves.advance(10);
        assert_eq!(moves.gates[0].count, 80);
        moves.advance(1000);
        assert_eq!((moves.gates[0].count, moves.gating()), (100, false));
    }
}
