//! Delay: repeats the signal after a time, with feedback.

use super::{
    glide::{Glide, Gliding, Line},
    processor::{Memory, Parameter, Processor, ProcessorKind, Unit},
};
use crate::{
    block::Block,
    layout::Spec,
    units::{Decibels, Frames},
};

pub(super) static DELAY: ProcessorKind = ProcessorKind {
    name: "delay",
    summary: "Repeats the signal after a time, and the repeats again with feedback.",
    parameters: &[
        Parameter {
            key: "time",
            unit: Unit::Seconds,
            default: 0.25,
            range: (0.0, 10.0),
            doc: "Time to the first repeat, rounded to whole frames.",
            stores_signal: true,
            automatable: false,
        },
        Parameter {
            key: "feedback",
            unit: Unit::Decibels,
            default: f64::NEG_INFINITY,
            range: (f64::NEG_INFINITY, -0.1),
            doc: "Level of each repeat relative to the one before it, in dB.",
            stores_signal: false,
            automatable: true,
        },
        Parameter {
            key: "mix",
            unit: Unit::Share,
            default: 0.5,
            range: (0.0, 1.0),
            doc: "Share of the repeats in the output; the rest is the signal itself.",
            stores_signal: false,
            automatable: true,
        },
    ],
    keyed: false,
    build: |values, spec| {
        let &[seconds, feedback, mix] =
            values
                .first_chunk()
                .unwrap_or(&[0.0, f64::NEG_INFINITY, 0.0]);
        Box::new(Delay::new(seconds, feedback, mix, spec))
    },
};

/// Level in dB below which repeats no longer count as part of the tail.
const INAUDIBLE_DB: f64 = -200.0;
/// Level in dB below which a repeat no longer changes the last bit of an `f64`.
const SETTLED_DB: f64 = -320.0;

/// Levels of the repeats.
#[derive(Clone, Copy)]
struct Levels {
    /// Linear gain from one repeat to the next.
    feedback: f64,
    /// Share of the repeats in the output.
    mix: f64,
}

impl Levels {
    fn new(feedback: f64, mix: f64) -> Self {
        Self {
            feedback: Decibels(feedback).gain().0,
            mix,
        }
    }
}

impl Line for Levels {
    #[inline(always)]
    fn between(from: Self, to: Self, x: f64) -> Self {
        Self {
            feedback: f64::between(from.feedback, to.feedback, x),
            mix: f64::between(from.mix, to.mix, x),
        }
    }
}

struct Delay {
    /// Length of the delay in frames.
    time: usize,
    levels: Gliding<Levels>,
    /// The latest `time` frames of every channel's delay line, as a ring.
    lines: Vec<Vec<f64>>,
    /// Index of the oldest frame in the rings.
    next: usize,
    /// Number of repeats until the tail ends, and until the recursion has settled.
    tail_repeats: u64,
    settled_repeats: u64,
}

impl Delay {
    fn new(seconds: f64, feedback: f64, mix: f64, spec: Spec) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most 10 s"
        )]
        let time = (seconds * f64::from(spec.rate.hz())).round() as usize;
        Self {
            time,
            levels: Gliding::new(Levels::new(feedback, mix)),
            lines: vec![vec![0.0; time]; spec.layout.channels()],
            next: 0,
            tail_repeats: repeats(feedback, INAUDIBLE_DB),
            settled_repeats: repeats(feedback, SETTLED_DB),
        }
    }

    fn frames(&self, repeats: u64) -> Frames {
        Frames(self.time as u64 * repeats)
    }
}

/// Counts the repeats until one falls below a level; 1 without feedback.
fn repeats(feedback: f64, level: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 3,200: feedback is below −0.1 dB"
    )]
    let further = (level / feedback).ceil() as u64;
    1 + further
}

impl Processor for Delay {
    fn memory(&self) -> Memory {
        if self.levels.at(0).feedback == 0.0 {
            Memory::Window(self.frames(1))
        } else {
            Memory::Fading(self.frames(self.settled_repeats))
        }
    }

    fn tail(&self) -> Frames {
        self.frames(self.tail_repeats)
    }

    fn reset(&mut self) {
        self.lines.iter_mut().for_each(|line| line.fill(0.0));
        self.next = 0;
    }

    fn glide(&mut self, glide: Glide<'_>) {
        self.levels.set(glide, |values| {
            let &[_, feedback, mix] =
                values
                    .first_chunk()
                    .unwrap_or(&[0.0, f64::NEG_INFINITY, 0.0]);
            Levels::new(feedback, mix)
        });
    }

    fn process(&mut self, _: Frames, block: &mut Block, _: Option<&Block>) {
        if self.time == 0 {
            return;
        }
        let start = self.next;
        for (samples, line) in block.channels_mut().zip(&mut self.lines) {
            let ring = (0..line.len()).cycle().skip(start);
            for ((frame, sample), at) in samples.iter_mut().enumerate().zip(ring) {
                let Levels { feedback, mix } = self.levels.at(frame);
                let Some(slot) = line.get_mut(at) else {
                    continue;
                };
                let repeat = *slot;
                // Adding a repeat times 0 would turn −0.0 into 0.0, and so depend on a frame beyond `memory`.
                *slot = if feedback == 0.0 {
                    *sample
                } else {
                    *sample + repeat * feedback
                };
                *sample = *sample * (1.0 - mix) + repeat * mix;
            }
        }
        self.next = (start + block.frames()) % self.time;
    }
}
