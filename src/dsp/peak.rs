//! Finds the largest absolute sample and its frame.

use crate::units::Dbfs;

/// Returns the largest absolute value; 0 for an empty slice. Ignores NaN.
pub(crate) fn largest(samples: &[f64]) -> f64 {
    // Eight independent maxima, so that the compiler vectorises the loop.
    let mut lanes = [0.0f64; 8];
    let (eights, rest) = samples.as_chunks::<8>();
    for eight in eights {
        for (m, s) in lanes.iter_mut().zip(eight) {
            let a = s.abs();
            *m = if a > *m { a } else { *m };
        }
    }
    lanes
        .iter()
        .chain(rest)
        .fold(0.0, |m, s| if s.abs() > m { s.abs() } else { m })
}

/// Returns the largest absolute value, as [`largest`] does, and the sum of all values.
pub(crate) fn largest_and_sum(samples: &[f64]) -> (f64, f64) {
    let (mut lanes, mut sums) = ([0.0f64; 8], [0.0f64; 8]);
    let (eights, rest) = samples.as_chunks::<8>();
    for eight in eights {
        for ((m, sum), s) in lanes.iter_mut().zip(&mut sums).zip(eight) {
            let a = s.abs();
            *m = if a > *m { a } else { *m };
            *sum += s;
        }
    }
    let largest = lanes
        .iter()
        .chain(rest)
        .fold(0.0, |m, s| if s.abs() > m { s.abs() } else { m });
    (largest, sums.iter().chain(rest).sum())
}

/// The largest absolute sample so far, and the first frame that has it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Peak {
    pub value: f64,
    pub at: u64,
}

impl Peak {
    /// Returns the channel with the largest peak, the first one of several, and that peak.
    pub(crate) fn loudest(peaks: &[Self]) -> (usize, Self) {
        let larger = |a: (usize, Self), b: (usize, Self)| if b.1.value > a.1.value { b } else { a };
        peaks
            .iter()
            .copied()
            .enumerate()
            .reduce(larger)
            .unwrap_or_default()
    }

    /// Returns the level; `None` for silence.
    pub(crate) fn level(self) -> Option<Dbfs> {
        // An infinite sum is a level too, and not silence.
        (self.value > 0.0).then(|| Dbfs::from_amplitude(self.value.min(f64::MAX)))
    }

    /// Takes the samples of a channel, of which the first is frame `start`.
    pub(crate) fn take(&mut self, samples: &[f64], start: u64) {
        self.note(largest(samples), samples, start);
    }

    /// Takes the samples of a channel, of which the largest absolute one is known to be `peak`.
    pub(crate) fn note(&mut self, peak: f64, samples: &[f64], start: u64) {
        if peak > self.value {
            let first = samples
                .iter()
                .position(|s| s.abs() == peak)
                .unwrap_or_default();
            *self = Self {
                value: peak,
                at: start + first as u64,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_largest_whatever_the_length() {
        for n in 1..40 {
            for at in 0..n {
                let mut samples = vec![0.25; n];
                samples[at] = -0.75;
                let mut peak = Peak::default();
                peak.take(&samples, 100);
                assert_eq!(
                    peak,
                    Peak {
                        value: 0.75,
                        at: 100 + at as u64
                    }
                );
                peak.take(&samples, 500);
                assert_eq!(peak.at, 100 + at as u64);
            }
        }
        assert_eq!(largest(&[]), 0.0);
        let samples: Vec<f64> = (0..13).map(|n| f64::from(n) - 9.0).collect();
        assert_eq!(largest_and_sum(&samples), (9.0, -39.0));
    }
}
