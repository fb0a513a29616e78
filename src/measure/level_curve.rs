//! Level curve of bounded size, with one value per tenth of a second.
//!
//! Up to 65,536 values (109 minutes) are kept. When they are full, pairs of values are merged and
//! each value covers twice the time, so memory stays bounded and the curve covers the whole length.

use crate::units::saturating_usize;

const MAX_VALUES: usize = 1 << 16;

/// Rule for merging two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Keep the larger.
    Largest,
    /// Keep the later.
    Last,
}

/// Values in order of time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LevelCurve {
    keep: Keep,
    values: Vec<f32>,
    /// Tenths of a second covered by each value.
    per: u32,
    /// Tenths of a second covered by the last value so far.
    covered: u32,
    /// Maximum number of values; even.
    max_values: usize,
}

impl LevelCurve {
    pub(crate) fn new(keep: Keep) -> Self {
        Self::with_max_values(keep, MAX_VALUES)
    }

    /// Creates a curve of at most `max_values` values, an even number.
    pub(crate) fn with_max_values(keep: Keep, max_values: usize) -> Self {
        Self {
            keep,
            values: Vec::new(),
            per: 1,
            covered: 1,
            max_values,
        }
    }

    /// Returns the value for a tenth of a second; 0 if there is none yet.
    pub(crate) fn at(&self, tenth: u64) -> f32 {
        let index = saturating_usize(tenth / u64::from(self.per));
        self.values.get(index).copied().unwrap_or(0.0)
    }

    /// Appends the value of the next tenth of a second.
    pub(crate) fn push(&mut self, value: f32) {
        if self.covered < self.per
            && let Some(last) = self.values.last_mut()
        {
            *last = self.keep.merge(*last, value);
            self.covered += 1;
            return;
        }
        if self.values.len() == self.max_values {
            let keep = self.keep;
            let halved = self
                .values
                .as_chunks::<2>()
                .0
                .iter()
                .map(|[a, b]| keep.merge(*a, *b))
                .collect();
            self.values = halved;
            self.per = self.per.saturating_mul(2);
        }
        self.values.push(value);
        self.covered = 1;
    }

    pub(crate) fn per(&self) -> u32 {
        self.per
    }

    pub(crate) fn into_values(self) -> Vec<f32> {
        self.values
    }
}

impl Keep {
    fn merge(self, before: f32, after: f32) -> f32 {
        match self {
            Self::Largest => before.max(after),
            Self::Last => after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_become_one_when_there_are_too_many() {
        let (mut largest, mut last) = (LevelCurve::new(Keep::Largest), LevelCurve::new(Keep::Last));
        let count = 2 * u16::MAX as usize + 3 + MAX_VALUES;
        for i in 0..count {
            let value = if i % 4 == 1 { 1000.0 } else { (i % 4) as f32 };
            largest.push(value);
            last.push(i as f32);
        }
        assert_eq!((largest.per(), last.per()), (4, 4));
        assert_eq!([0, 7, 8].map(|tenth| last.at(tenth)), [3.0, 7.0, 11.0]);
        let (largest, last) = (largest.into_values(), last.into_values());
        assert_eq!(largest.len(), count.div_ceil(4));
        assert!(largest[..largest.len() - 1].iter().all(|v| *v == 1000.0));
        assert!(
            last.iter()
                .take(last.len() - 1)
                .enumerate()
                .all(|(i, v)| *v == (4 * i + 3) as f32)
        );
    }
}
