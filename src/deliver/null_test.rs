//! The null test of a set of stems: how far the sum of their files is from the mix.
//!
//! Taken while they are written, from the very numbers that the files hold after rounding. What rounding alone can come
//! to is half a step of the format for each stem; what is more was clipped, dithered, or comes from a mix that was turned
//! or clipped on its way to its own file.

use crate::{
    bounce::pipeline::{Blocks, Signal},
    dsp::{
        gain::add_scaled,
        peak::{Peak, largest},
        quantise::{held, rounding},
    },
    encode::Format,
};

/// The mix that the stems should add up to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reference {
    /// Their own sum before rounding: what the master gets, where it changes the mix.
    BeforeMaster,
    /// The mix, and the format of the file that it is delivered in, if it is.
    Mix(Signal, Option<Format>),
}

/// A running null test.
pub(super) struct NullMeter {
    /// Stems, in the order of the sum.
    stems: Vec<Signal>,
    format: Format,
    reference: Reference,
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
    pub(super) fn new(stems: Vec<Signal>, format: Format, reference: Reference) -> Self {
        let (worst, sum, exact) = (Peak::default(), Vec::new(), Vec::new());
        Self {
            stems,
            format,
            reference,
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
                if self.reference == Reference::BeforeMaster {
                    add_scaled(&mut self.exact, samples, 1.0);
                }
            }
            self.within = self.within.max(loud);
            let (mix, file) = match self.reference {
                Reference::BeforeMaster => (self.exact.as_slice(), None),
                Reference::Mix(mix, file) => (blocks.of(mix).channel(ch), file),
            };
            for (sum, mix) in self.sum.iter_mut().zip(mix) {
                *sum -= file.map_or(*mix, |file| unless_rounded(file, *mix));
            }
            self.worst.take(&self.sum, self.position);
        }
        self.position += frames as u64;
    }

    pub(super) fn is_before_master(&self) -> bool {
        self.reference == Reference::BeforeMaster
    }

    pub(super) fn residue(&self) -> Residue {
        Residue {
            worst: self.worst,
            within: self.within,
        }
    }
}

/// Returns a sample as its file holds it where that is clipped; one that is only rounded stays as it is.
fn unless_rounded(format: Format, sample: f64) -> f64 {
    let (width, held) = (format.width(), held(format.width(), sample));
    if (held - sample).abs() > rounding(width, sample.abs()) {
        held
    } else {
        sample
    }
}
