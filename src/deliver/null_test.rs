//! Null test of a set of stems while they are rendered: measures how far the sum of their files differs
//! from the mix.
//!
//! If the mix is delivered too, the files are read back instead ([`read_back`](super::read_back)). This
//! test is for a mix that is not delivered, and for the mix before a master that changes it. It uses
//! the exact values that the files contain after rounding. Rounding alone accounts for half a quantisation step per stem. A larger difference
//! means that samples were clipped or dithered, or that the mix was scaled or clipped in its own
//! file.

use crate::{
    bounce::pipeline::{Blocks, Signal},
    dsp::{
        gain::add_scaled,
        peak::{Peak, largest},
        quantise::{held, rounding},
    },
    encode::Format,
};

/// Signal that the stems should add up to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reference {
    /// Sum of the stems before rounding, which is the input of the master. Used if the master
    /// changes the mix.
    BeforeMaster,
    /// The mix, with the format of its file if it is delivered.
    Mix(Signal, Option<Format>),
}

/// Null test in progress.
pub(super) struct NullMeter {
    /// Stems, in the order in which they are added.
    stems: Vec<Signal>,
    format: Format,
    reference: Reference,
    position: u64,
    worst: Peak,
    rounding_limit: f64,
    sum: Vec<f64>,
    exact: Vec<f64>,
}

/// Result of a null test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Residue {
    /// Largest difference, with its frame.
    pub worst: Peak,
    /// Largest difference that rounding alone can cause.
    pub rounding_limit: f64,
}

impl Residue {
    /// Returns true if rounding alone explains the difference. The tolerance covers the rounding of
    /// the sums themselves, which is much finer.
    pub(super) fn is_rounding(self) -> bool {
        self.worst.value <= self.rounding_limit * (1.0 + 1e-6)
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
            rounding_limit: 0.0,
            sum,
            exact,
        }
    }

    pub(super) fn measure(&mut self, blocks: &Blocks) {
        let (frames, width) = (blocks.frames(), self.format.width());
        for ch in 0..blocks.get(Signal::Mix).layout().channels() {
            // The additive identity is -0.0: x + -0.0 is bit-equal to x, even for x = -0.0.
            for sum in [&mut self.sum, &mut self.exact] {
                sum.clear();
                sum.resize(frames, -0.0);
            }
            let mut loud = 0.0;
            for &stem in &self.stems {
                let samples = blocks.get(stem).channel(ch);
                self.sum
                    .iter_mut()
                    .zip(samples)
                    .for_each(|(sum, x)| *sum += held(width, *x));
                loud += rounding(width, largest(samples));
                if self.reference == Reference::BeforeMaster {
                    add_scaled(&mut self.exact, samples, 1.0);
                }
            }
            self.rounding_limit = self.rounding_limit.max(loud);
            let (mix, file) = match self.reference {
                Reference::BeforeMaster => (self.exact.as_slice(), None),
                Reference::Mix(mix, file) => (blocks.get(mix).channel(ch), file),
            };
            for (sum, mix) in self.sum.iter_mut().zip(mix) {
                *sum -= file.map_or(*mix, |file| clipped_value(file, *mix));
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
            rounding_limit: self.rounding_limit,
        }
    }
}

/// Returns a sample as its file stores it if it is clipped there; a sample that is only rounded is
/// returned unchanged.
fn clipped_value(format: Format, sample: f64) -> f64 {
    let (width, held) = (format.width(), held(format.width(), sample));
    if (held - sample).abs() > rounding(width, sample.abs()) {
        held
    } else {
        sample
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_that_is_only_rounded_is_compared_exactly() {
        let step = 1.0 / 32_768.0;
        for x in [
            0.0,
            0.3,
            -0.7,
            1.0 - step,
            -1.0,
            0.25 + 0.4 * step,
            0.25 + 0.5 * step,
        ] {
            assert_eq!(clipped_value(Format::WAV_16, x), x);
        }
        assert_eq!(clipped_value(Format::WAV_16, 1.0), 1.0 - step);
        assert_eq!(clipped_value(Format::WAV_16, -1.5), -1.0);
        assert_eq!(clipped_value(Format::WAV_32F, 1.5), 1.5);
    }

    #[test]
    fn a_difference_up_to_that_of_rounding_passes() {
        let residue = |value, rounding_limit| Residue {
            worst: Peak { value, at: 0 },
            rounding_limit,
        };
        assert!(residue(0.0, 0.0).is_rounding());
        assert!(residue(1e-3, 1e-3).is_rounding());
        assert!(residue(1e-3 * (1.0 + 1e-7), 1e-3).is_rounding());
        assert!(!residue(1e-3 * (1.0 + 1e-5), 1e-3).is_rounding());
        assert!(!residue(1e-9, 0.0).is_rounding());
    }
}
