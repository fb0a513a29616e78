//! Ducker: turns a signal down by a stated depth while another one, its key, sounds.
//!
//! The gain runs in straight lines of decibels: down over the attack once the key reaches the threshold, up over the release
//! once it has stayed below for the hold. All corners lie on frames that follow from the times alone.

use super::{
    decibel,
    dynamics::{
        LookAhead, apply_gains, decibels, fixed, frames, lookahead, loudest_channel, seconds,
    },
    glide::{Glide, Gliding, Line},
    processor::{Memory, Processor, ProcessorKind},
};
use crate::{
    block::Block,
    units::{Decibels, Frames},
};

pub(super) static DUCKER: ProcessorKind = ProcessorKind {
    name: "ducker",
    summary: "Turns down by a depth while its key sounds; without a key it changes no bit.",
    parameters: &[
        decibels(
            "depth",
            -12.0,
            (-120.0, 0.0),
            "Gain while the key sounds, in dB.",
        ),
        decibels(
            "threshold",
            -36.0,
            (-120.0, 60.0),
            "Level of the key in dBFS from which it sounds.",
        ),
        fixed(seconds("attack", 0.15, 10.0, "Time of the way down.")),
        fixed(seconds(
            "hold",
            0.4,
            10.0,
            "Time that the gain stays down after the key fell silent.",
        )),
        fixed(seconds("release", 0.8, 20.0, "Time of the way up.")),
        lookahead(1.0, "Time by which the gain comes ahead of the signal."),
    ],
    keyed: true,
    build: |values, spec| {
        let &[depth, threshold, attack, hold, release, lookahead] =
            values.first_chunk().unwrap_or(&[0.0; 6]);
        Box::new(Ducker {
            way: Gliding::new(Way::new(depth, threshold)),
            attack: frames(attack, spec),
            hold: frames(hold, spec),
            release: frames(release, spec),
            ahead: LookAhead::new(lookahead, spec),
            state: State::default(),
            gains: Vec::new(),
        })
    },
};

/// Holds the values that follow from the automatable parameters.
#[derive(Clone, Copy)]
struct Way {
    /// Gain in dB while the key sounds.
    depth: f64,
    /// Amplitude of the key from which it sounds.
    threshold: f64,
}

impl Way {
    fn new(depth: f64, threshold: f64) -> Self {
        Self {
            depth,
            threshold: Decibels(threshold).gain().0,
        }
    }
}

impl Line for Way {
    #[inline(always)]
    fn between(from: Self, to: Self, x: f64) -> Self {
        Self {
            depth: f64::between(from.depth, to.depth, x),
            threshold: f64::between(from.threshold, to.threshold, x),
        }
    }
}

struct Ducker {
    way: Gliding<Way>,
    attack: u64,
    hold: u64,
    release: u64,
    ahead: LookAhead,
    state: State,
    /// Gains of the block processed last; empty without reduction.
    gains: Vec<f64>,
}

/// A straight line of the gain, from where it began.
#[derive(Clone, Copy, Default)]
struct State {
    is_down: bool,
    /// Share of the depth where the line began, and frames since.
    start: f64,
    since: u64,
    /// Frames for which the gain stays down without a key.
    hold: u64,
}

impl Ducker {
    /// Returns the share of the depth that is reached.
    fn share(&self) -> f64 {
        let State {
            is_down,
            start,
            since,
            ..
        } = self.state;
        let frames = if is_down { self.attack } else { self.release };
        if since >= frames {
            return if is_down { 1.0 } else { 0.0 };
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 20 s")]
        let way = since as f64 / frames as f64;
        if is_down {
            (start + way).min(1.0)
        } else {
            (start - way).max(0.0)
        }
    }

    /// Takes a frame of the key, and returns the gain in dB.
    fn step(&mut self, amplitude: f64, way: Way) -> f64 {
        let sounds = amplitude >= way.threshold;
        if sounds {
            self.state.hold = self.hold;
        }
        let down = sounds || self.state.hold > 0;
        if !sounds {
            self.state.hold = self.state.hold.saturating_sub(1);
        }
        if down != self.state.is_down {
            self.state = State {
                is_down: down,
                start: self.share(),
                since: 0,
                ..self.state
            };
        }
        self.state.since = self.state.since.saturating_add(1);
        way.depth * self.share()
    }
}

impl Processor for Ducker {
    fn latency(&self) -> Frames {
        Frames(self.ahead.frames())
    }

    fn memory(&self) -> Memory {
        Memory::Fading(Frames(
            self.ahead.frames() + self.attack + self.hold + self.release,
        ))
    }

    fn reset(&mut self) {
        self.ahead.reset();
        self.state = State::default();
    }

    fn glide(&mut self, glide: Glide<'_>) {
        self.way.set(glide, |values| {
            let &[depth, threshold] = values.first_chunk().unwrap_or(&[0.0; 2]);
            Way::new(depth, threshold)
        });
    }

    fn process(&mut self, _: Frames, block: &mut Block, key: Option<&Block>) {
        let is_neutral = self.way.is_fixed() && self.way.at(0).depth == 0.0;
        let Some(key) = key.filter(|_| !is_neutral) else {
            self.gains.clear();
            self.ahead.pass(block);
            return;
        };
        let mut gains = std::mem::take(&mut self.gains);
        loudest_channel(key, &mut gains);
        for (frame, gain) in gains.iter_mut().enumerate() {
            let way = self.way.at(frame);
            *gain = decibel::to_amplitude(self.step(*gain, way));
        }
        self.ahead.pass(block);
        apply_gains(block, &gains, |_| 1.0);
        self.gains = gains;
    }

    fn gains(&self) -> Option<&[f64]> {
        Some(&self.gains)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layout::{Layout, Spec},
        units::SampleRate,
    };

    const SPEC: Spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Mono,
    };

    fn ducked(values: [f64; 6], key: &[f64], cut: usize) -> Vec<f64> {
        let mut ducker = (DUCKER.build)(&values, SPEC);
        let mut out = Vec::new();
        for part in key.chunks(cut) {
            let (mut block, mut keys) = (
                Block::new(Layout::Mono, part.len()),
                Block::new(Layout::Mono, part.len()),
            );
            block.fill(part.len(), 1.0);
            keys.fill(part.len(), 0.0);
            keys.channel_mut(0).copy_from_slice(part);
            ducker.process(Frames(out.len() as u64), &mut block, Some(&keys));
            out.extend_from_slice(block.channel(0));
        }
        out
    }

    #[test]
    fn the_plateau_is_the_depth_and_the_corners_are_at_their_frames() {
        let mut key = vec![0.0; 20_000];
        key[5000..8000].fill(0.1);
        // Attack 10 ms, hold 20 ms, release 50 ms: 480, 960 and 2,400 frames.
        let values = [-12.0, -36.0, 0.01, 0.02, 0.05, 0.0];
        let gain: Vec<f64> = ducked(values, &key, 777)
            .iter()
            .map(|g| 20.0 * g.log10())
            .collect();
        for (frame, gain) in gain.iter().enumerate() {
            let f = frame as f64 + 1.0;
            let expected = match frame {
                0..5000 => 0.0,
                5000..5480 => -12.0 * (f - 5000.0) / 480.0,
                5480..8960 => -12.0,
                8960..11_360 => -12.0 * (1.0 - (f - 8960.0) / 2400.0),
                _ => 0.0,
            };
            assert!(
                (gain - expected).abs() < 1e-9,
                "frame {frame}: {gain} for {expected}"
            );
        }
        for cut in [1, 64, 1000, 20_000] {
            assert!(ducked(values, &key, cut) == ducked(values, &key, 777));
        }
    }

    #[test]
    fn a_key_that_returns_goes_on_from_where_the_gain_is() {
        let mut key = vec![0.0; 6000];
        key[0..100].fill(1.0);
        key[300..400].fill(1.0);
        let values = [-20.0, -36.0, 0.0, 0.0, 0.01, 0.0];
        let out = ducked(values, &key, 6000);
        assert!((20.0 * out[99].log10() + 20.0).abs() < 1e-9);
        // 200 of 480 frames up, then at once down, and up again.
        assert!((20.0 * out[299].log10() + 20.0 * (1.0 - 200.0 / 480.0)).abs() < 1e-9);
        assert!((20.0 * out[399].log10() + 20.0).abs() < 1e-9);
        assert_eq!(out[400 + 480..], [1.0; 6000 - 880]);
    }

    #[test]
    fn without_a_key_and_at_0_db_no_bit_changes() {
        let mut ducker = (DUCKER.build)(&[-12.0, -36.0, 0.1, 0.1, 0.1, 0.001], SPEC);
        let mut block = Block::new(Layout::Mono, 100);
        block.fill(100, -0.0);
        block.channel_mut(0)[0] = 0.3;
        ducker.process(Frames(0), &mut block, None);
        assert_eq!(block.channel(0)[48], 0.3);
        assert_eq!(block.channel(0)[49].to_bits(), (-0.0f64).to_bits());
    }

    #[test]
    fn a_ducker_remembers_its_times_and_its_look_ahead() {
        let ducker = (DUCKER.build)(&[-12.0, -30.0, 0.01, 0.02, 0.03, 0.005], SPEC);
        assert_eq!(ducker.latency(), Frames(240));
        assert!(matches!(ducker.memory(), Memory::Fading(Frames(3120))));
    }
}
