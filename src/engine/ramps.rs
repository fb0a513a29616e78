//! Linear ramps of a node's gain, pan and feeds during live playback, a few milliseconds each, so that no change clicks.
//!
//! Once a ramp has ended, the node renders the same bits as a bounce of a session with the new settings. Ramps advance with
//! the frames played, not with the position on the timeline; offline renders have none.

use super::node::{Output, add_feed, fill_silence};
use crate::{curve::Automation, dsp::gain::add_shaped, plan::Edge};

/// The ramps of one node.
pub(super) struct Ramps {
    /// Gain and pan, while they change.
    pub fader: Option<FaderRamp>,
    /// One gate for each feed.
    pub gates: Vec<GateRamp>,
    /// Length of a ramp in frames.
    length: usize,
}

/// A change of gain and pan in progress.
pub(super) struct FaderRamp {
    /// The gain before the change.
    gain: Automation,
    /// The pan before the change.
    pan: Automation,
    /// Frames rendered since the change.
    done: usize,
    length: usize,
}

/// Opens or closes a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GateRamp {
    /// The feed is to be heard.
    pub open: bool,
    /// Opening of the gate, from 0 to the length of a ramp.
    level: usize,
}

/// Returns the progress of a ramp of `length` frames after `done` frames, from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a few thousand frames at most")]
fn progress(done: usize, length: usize) -> f64 {
    done.min(length) as f64 / length.max(1) as f64
}

impl Ramps {
    /// Starts with all gates open and no ramp in progress.
    pub(super) fn new(feeds: usize, length: usize) -> Self {
        Self {
            fader: None,
            gates: vec![
                GateRamp {
                    open: true,
                    level: length
                };
                feeds
            ],
            length,
        }
    }

    /// Starts a ramp away from this gain and pan.
    pub(super) fn start_fader(&mut self, gain: Automation, pan: Automation) {
        self.fader = Some(FaderRamp {
            gain,
            pan,
            done: 0,
            length: self.length,
        });
    }

    /// Reports whether any gate is neither open nor closed.
    pub(super) fn gates_moving(&self) -> bool {
        self.gates.iter().any(|gate| !gate.is_settled(self.length))
    }

    /// Ends all ramps at once.
    pub(super) fn settle(&mut self) {
        self.fader = None;
        self.gates
            .iter_mut()
            .for_each(|gate| gate.level = if gate.open { self.length } else { 0 });
    }

    /// Advances all ramps by `frames`.
    pub(super) fn advance(&mut self, frames: usize) {
        self.gates
            .iter_mut()
            .for_each(|gate| gate.level = gate.level_after(frames, self.length));
        if let Some(fader) = &mut self.fader {
            fader.done += frames;
        }
        self.fader.take_if(|fader| fader.done >= fader.length);
    }

    /// Adds the feeds to `out`: first the open ones, then those that open or close, with their ramps.
    pub(super) fn sum(&self, out: &mut Output, feeds: &[Edge], inputs: &[&Output], frames: usize) {
        let all = || feeds.iter().zip(inputs).zip(&self.gates);
        // Open feeds come first, in the order of an offline render, so that their sum has the same bits.
        for ((feed, input), _) in
            all().filter(|(_, gate)| gate.open && gate.is_settled(self.length))
        {
            add_feed(out, input, feed.gain, frames);
        }
        for ((feed, input), gate) in
            all().filter(|((_, input), gate)| input.active && !gate.is_settled(self.length))
        {
            if !out.active {
                fill_silence(&mut out.block, frames);
            }
            out.active = true;
            let ramp: Vec<f64> = (1..=frames)
                .map(|n| progress(gate.level_after(n, self.length), self.length))
                .collect();
            let channels = out.block.channels_mut().zip(input.block.channels());
            channels.for_each(|(to, from)| add_shaped(to, from, &ramp, feed.gain));
        }
    }
}

impl GateRamp {
    fn is_settled(self, length: usize) -> bool {
        self.level == if self.open { length } else { 0 }
    }

    fn level_after(self, frames: usize, length: usize) -> usize {
        if self.open {
            (self.level + frames).min(length)
        } else {
            self.level.saturating_sub(frames)
        }
    }
}

impl FaderRamp {
    /// Blends the new gain and pan in the slices with those before the change. `at` is the position of their first frame.
    pub(super) fn blend(&self, at: u64, gain: &mut [f64], pan: &mut [f64]) {
        let left = self.length.saturating_sub(self.done).min(gain.len());
        let mut old = vec![0.0; left];
        for (automation, values) in [(&self.gain, gain), (&self.pan, pan)] {
            automation.fill(at, &mut old);
            for (n, (new, old)) in values.iter_mut().zip(&old).enumerate() {
                *new = old + (*new - old) * progress(self.done + n + 1, self.length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_that_turns_back_starts_from_where_it_is() {
        let mut ramps = Ramps::new(1, 100);
        ramps.gates[0].open = false;
        ramps.advance(30);
        assert_eq!((ramps.gates[0].level, ramps.gates_moving()), (70, true));
        ramps.gates[0].open = true;
        ramps.advance(10);
        assert_eq!(ramps.gates[0].level, 80);
        ramps.advance(1000);
        assert_eq!((ramps.gates[0].level, ramps.gates_moving()), (100, false));
    }
}
