//! The largest absolute sample, and where it is.

use crate::units::Dbfs;

/// The largest absolute value; 0 for an empty slice. Values that are not numbers are passed over.
pub(crate) fn largest(samples: &[f64]) -> f64 {
    // Eight maxima side by side, which the compiler puts into vectors.
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

/// The largest absolute value as [`largest`] finds it, and the sum of all values.
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

/// The largest absolute sample met so far, and the first frame it was met in.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Peak {
    pub value: f64,
    pub at: u64,
}

impl Peak {
    /// The channel with the largest peak, the first where several have it.
    pub(crate) fn loudest(peaks: &[Self]) -> (usize, Self) {
        let larger = |a: (usize, Self), b: (usize, Self)| if b.1.value > a.1.value { b } else { a };
        peaks
            .iter()
            .copied()
            .enumerate()
            .reduce(larger)
            .unwrap_or_default()
    }

    /// The level; `None` for silence.
    pub(crate) fn level(self) -> Option<Dbfs> {
        // A sum beyond the range of f64 still is a level, and not silence.
        (self.value > 0.0).then(|| Dbfs::of(self.value.min(f64::MAX)))
    }

    /// Takes the samples of a channel, the first of which is frame `start`.
    pub(crate) fn take(&mut self, samples: &[f64], start: u64) {
        self.note(largest(samples), samples, start);
    }

    /// The same, where the largest absolute sample among them is known.
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
