//! Gain trim: a constant gain at any position of a chain.

use super::{
    gain::scale,
    glide::{Glide, Gliding},
    processor::{Memory, Parameter, Processor, ProcessorKind, Unit},
};
use crate::{
    block::Block,
    units::{Decibels, Frames},
};

pub(crate) static TRIM: ProcessorKind = ProcessorKind {
    name: "trim",
    summary: "Changes the level by a constant gain.",
    parameters: &[Parameter {
        key: "gain",
        unit: Unit::Decibels,
        default: 0.0,
        range: (f64::NEG_INFINITY, 200.0),
        doc: "Gain in dB.",
        stores_signal: false,
        automatable: true,
    }],
    keyed: false,
    build: |values, _| {
        Box::new(Trim {
            gain: Gliding::new(gain(values)),
        })
    },
};

/// Returns the linear gain.
fn gain(values: &[f64]) -> f64 {
    Decibels(values.first().copied().unwrap_or_default())
        .gain()
        .0
}

struct Trim {
    gain: Gliding<f64>,
}

impl Processor for Trim {
    fn memory(&self) -> Memory {
        Memory::Window(Frames::ZERO)
    }

    fn reset(&mut self) {}

    fn glide(&mut self, glide: Glide<'_>) {
        self.gain.set(glide, gain);
    }

    fn process(&mut self, _: Frames, block: &mut Block, _: Option<&Block>) {
        for samples in block.channels_mut() {
            match self.gain.still() {
                Some(gain) => scale(samples, gain),
                None => (samples.iter_mut().enumerate())
                    .for_each(|(frame, sample)| *sample *= self.gain.at(frame)),
            }
        }
    }
}
