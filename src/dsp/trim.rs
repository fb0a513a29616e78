//! Gain trim: a constant gain at any position of a chain.

use super::{
    gain::scale,
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
    }],
    keyed: false,
    build: |values, _| {
        Box::new(Trim {
            gain: Decibels(values.first().copied().unwrap_or_default())
                .gain()
                .0,
        })
    },
};

struct Trim {
    gain: f64,
}

impl Processor for Trim {
    fn memory(&self) -> Memory {
        Memory::Window(Frames::ZERO)
    }

    fn reset(&mut self) {}

    fn process(&mut self, _: Frames, block: &mut Block, _: Option<&Block>) {
        block
            .channels_mut()
            .for_each(|samples| scale(samples, self.gain));
    }
}
