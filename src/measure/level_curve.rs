//! One value every tenth of a second, for as long as it takes.
//!
//! Up to 65 536 values are kept, 109 minutes of them. Beyond, two become one, so memory stays bounded and the whole
//! length stays in sight.

const MOST: usize = 1 << 16;

/// What two values become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// The larger.
    Largest,
    /// The later.
    Last,
}

/// Values in order of time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LevelCurve {
    keep: Keep,
    values: Vec<f32>,
    /// How many tenths of a second a value stands for.
    per: u32,
    /// How many the last one has so far.
    filled: u32,
    /// How many values are kept at the most, an even number.
    most: usize,
}

impl LevelCurve {
    pub(crate) fn new(keep: Keep) -> Self {
        Self::keeping(keep, MOST)
    }

    /// The same with fewer values: an even number.
    pub(crate) fn keeping(keep: Keep, most: usize) -> Self {
        Self {
            keep,
            values: Vec::new(),
            per: 1,
            filled: 1,
            most,
        }
    }

    /// The value of a tenth of a second; 0 where there is none yet.
    pub(crate) fn at(&self, tenth: u64) -> f32 {
        let index = usize::try_from(tenth / u64::from(self.per)).unwrap_or(usize::MAX);
        self.values.get(index).copied().unwrap_or(0.0)
    }

    /// The value of the next tenth of a second.
    pub(crate) fn push(&mut self, value: f32) {
        if self.filled < self.per
            && let Some(last) = self.values.last_mut()
        {
            *last = self.keep.of(*last, value);
            self.filled += 1;
            return;
        }
        if self.values.len() == self.most {
            let keep = self.keep;
            let halved = self
                .values
                .as_chunks::<2>()
                .0
                .iter()
                .map(|[a, b]| keep.of(*a, *b))
                .collect();
            self.values = halved;
            self.per = self.per.saturating_mul(2);
        }
        self.values.push(value);
        self.filled = 1;
    }

    pub(crate) fn per(&self) -> u32 {
        self.per
    }

    pub(crate) fn into_values(self) -> Vec<f32> {
        self.values
    }
}

impl Keep {
    fn of(self, before: f32, after: f32) -> f32 {
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
        let count = 2 * u16::MAX as usize + 3 + MOST;
        for i in 0..count {
            let value = if i % 4 == 1 { 1000.0 } else { (i % 4) as f32 };
            largest.push(value);
            last.push(i as f32);
        }
        assert_eq!((largest.per(), last.per()), (4, 4));
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
