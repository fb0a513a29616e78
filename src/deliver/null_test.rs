//! The null test of a set of stems: how far the sum of their files is from the mix.
//!
//! Taken while they are written, from the very numbers that the files hold after rounding. What rounding alone can come
//! to is half a step of the format for each stem; what is more was clipped or dithered.

use crate::{
    bounce::pipeline::{Blocks, Signal},
    dsp::{
        gain::add_scaled,
        peak::{Peak, largest},
        quantise::{held, rounding},
    },
    encode::Format,
};

/// A running null test.
pub(super) struct NullMeter {
    /// Stems, in the order of the sum.
    stems: Vec<Signal>,
    format: Format,
    /// Reference: the mix, or where the master changes the mix, `None` for the sum of the stems before rounding.
    mix: Option<Signal>,
    position: u64,
    worst: Peak,
    within: f64,
    sum: Vec<f64>,
    exact: Vec<f64>,
}

/// Result of a null test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Residue {
    /// The largest difference and its frame.
    pub worst: Peak,
    /// Largest difference that rounding alone can make.
    pub within: f64,
}

impl Residue {
    /// Reports whether rounding alone explains the difference. The sums themselves are rounded too, a billion times finer.
    pub(super) fn holds(self) -> bool {
        self.worst.value <= self.within * (1.0 + 1e-6)
    }
}

impl NullMeter {
    pub(super) fn new(stems: Vec<Signal>, format: Format, plain: bool) -> Self {
        let mix = plain.then_some(Signal::Mix);
        let (worst, sum, exact) = (Peak::default(), Vec::new(), Vec::new());
        Self {
            stems,
            format,
            mix,
            position: 0,
            worst,
            within: 0.0,
            sum,
            exact,
        }
    }

    pub(super) fn take(&mut self, blocks: &Blocks) {
        let (frames, width) = (blocks.frames(), self.format.width());
        for ch in 0..blocks.of(Signal::Mix).layout().channels() {
            // -0.0 is the additive identity: x + -0.0 is bit-equal to x, also where x is -0.0.
            for sum in [&mut self.sum, &mut self.exact] {
                sum.clear();
                sum.resize(frames, -0.0);
            }
            let mut loud = 0.0;
            for &stem in &self.stems {
                let samples = blocks.of(stem).channel(ch);
                self.sum
                    .iter_mut()
                    .zip(samples)
                    .for_each(|(sum, x)| *sum += held(width, *x));
                loud += rounding(width, largest(samples));
                if self.mix.is_none() {
                    add_scaled(&mut self.exact, samples, 1.0);
                }
            }
            self.within = self.within.max(loud);
            let mix = self
                .mix
                .map_or(self.exact.as_slice(), |mix| blocks.of(mix).channel(ch));
            self.sum
                .iter_mut()
                .zip(mix)
                .for_each(|(sum, mix)| *sum -= mix);
            self.worst.take(&self.sum, self.position);
        }
        self.position += frames as u64;
    }

    pub(super) fn residue(&self) -> Residue {
        Residue {
            worst: self.worst,
            within: self.within,
        }
    }
}
