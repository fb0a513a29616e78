//! Gating: computes integrated loudness and loudness range from the powers of windows.
//!
//! Integrated loudness (BS.1770-5) uses blocks of 0.4 s, one every 0.1 s. Blocks at or below −70
//! LUFS are removed, then those at or below the mean of the rest minus 10 LU. Means are taken over
//! powers, never over decibels. Loudness range (EBU Tech 3342) uses short-term values, one every
//! 0.1 s. Values below −70 LUFS are removed, then those below the mean of the rest minus 20 LU; the
//! range is the distance from the 10th to the 95th percentile.
//!
//! The powers of several measurements can be pooled. The loudness of an album comes from gating all
//! of its blocks together; averaging the loudness of its tracks would be wrong.

use crate::units::Lufs;

const ABSOLUTE_GATE: Lufs = Lufs(-70.0);

/// Powers of all windows of one or several measurements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gating {
    /// Power of each gating block of 0.4 s.
    blocks: Vec<f32>,
    /// Power of each short-term window of 3 s, one every 0.1 s.
    short_term: Vec<f32>,
}

impl Gating {
    /// Pools several measurements, such as the tracks of an album or the reels of a film, to gate
    /// them together.
    ///
    /// ```
    /// use soundtrack::{Block, Layout, SampleRate, Spec, measure::{Gating, Loudness}};
    /// let part = |level: f64, seconds: u32| {
    ///     let mut meter = Loudness::new(Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono });
    ///     let mut block = Block::new(Layout::Mono, 48_000);
    ///     block.set_frames(48_000);
    ///     let tone = |n| level * (std::f64::consts::TAU * 997.0 * f64::from(n) / 48_000.0).sin();
    ///     block.channel_mut(0).iter_mut().zip(0..).for_each(|(s, n)| *s = tone(n));
    ///     (0..seconds).for_each(|_| meter.feed(&block));
    ///     meter.gating().clone()
    /// };
    /// let (loud, soft) = (part(1.0, 10), part(0.5, 10));
    /// assert_eq!(format!("{:.2} {:.2}", loud.integrated().unwrap(), soft.integrated().unwrap()), "-3.01 LUFS -9.03 LUFS");
    /// // The mean of the powers: 10 log10((1 + 1/4) / 2) below the louder half.
    /// assert_eq!(format!("{:.2}", Gating::pooled([&loud, &soft]).integrated().unwrap()), "-5.05 LUFS");
    /// ```
    #[must_use]
    pub fn pooled<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for part in parts {
            all.blocks.extend_from_slice(&part.blocks);
            all.short_term.extend_from_slice(&part.short_term);
        }
        all
    }

    /// Returns the integrated loudness; `None` if no block passes the gates.
    #[must_use]
    pub fn integrated(&self) -> Option<Lufs> {
        let absolute = ABSOLUTE_GATE.power();
        let relative = self.mean_above(absolute)? / 10.0;
        let power = self.mean_above(relative.max(absolute))?;
        Some(Lufs::of_power(power))
    }

    /// Returns the mean power of the blocks above a gate; `None` if there are none.
    fn mean_above(&self, gate: f64) -> Option<f64> {
        mean(powers(&self.blocks).filter(|power| *power > gate))
    }

    /// Returns the loudness range in LU; `None` if no short-term value reaches −70 LUFS. Not
    /// meaningful for less than a minute of audio.
    #[must_use]
    pub fn range(&self) -> Option<f64> {
        let mut loud: Vec<f64> = powers(&self.short_term)
            .filter(|p| *p >= ABSOLUTE_GATE.power())
            .collect();
        let relative = mean(loud.iter().copied())? / 100.0;
        loud.retain(|p| *p >= relative);
        loud.sort_by(f64::total_cmp);
        Some(percentile(&loud, 95)?.0 - percentile(&loud, 10)?.0)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "accurate to a millionth of a decibel, in half the memory"
    )]
    pub(super) fn push_block(&mut self, power: f64) {
        self.blocks.push(power as f32);
    }

    #[expect(clippy::cast_possible_truncation, reason = "as above")]
    pub(super) fn push_short_term(&mut self, power: f64) {
        self.short_term.push(power as f32);
    }
}

/// Returns the nearest-rank percentile of sorted powers, halves rounded up; `None` for an empty slice.
fn percentile(sorted: &[f64], percent: usize) -> Option<Lufs> {
    let last = sorted.len().checked_sub(1)?;
    let power = sorted.get((last * percent + 50) / 100)?;
    Some(Lufs::of_power(*power))
}

fn powers(stored: &[f32]) -> impl Iterator<Item = f64> {
    stored.iter().copied().map(f64::from)
}

/// Returns the mean of powers; `None` if there are none.
fn mean(powers: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0u32);
    for power in powers {
        sum += power;
        count = count.saturating_add(1);
    }
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(levels: &[f64]) -> Gating {
        let powers: Vec<f32> = levels.iter().map(|l| Lufs(*l).power() as f32).collect();
        Gating {
            blocks: powers.clone(),
            short_term: powers,
        }
    }

    #[test]
    fn both_gates_are_strict() {
        assert_eq!(blocks(&[]).integrated(), None);
        assert_eq!(
            Gating {
                blocks: vec![ABSOLUTE_GATE.power() as f32],
                short_term: Vec::new()
            }
            .integrated(),
            None
        );
        assert_eq!(blocks(&[-71.0, -80.0]).integrated(), None);
        // The mean of -20 and -40 is -22.97, so what is below -32.97 does not count.
        assert!((blocks(&[-20.0, -40.0]).integrated().unwrap().0 + 20.0).abs() < 1e-6);
        assert!((blocks(&[-20.0, -32.0]).integrated().unwrap().0 + 22.744).abs() < 1e-3);
    }

    #[test]
    fn a_value_20_lu_below_the_mean_of_the_powers_counts_in_the_range() {
        // (199 + 1) / 2 / 100 = 1.
        let gating = Gating {
            blocks: Vec::new(),
            short_term: [199.0, 1.0].map(|power| power / 1024.0).to_vec(),
        };
        let range = gating.range().unwrap();
        assert!((range - 10.0 * f64::log10(199.0)).abs() < 1e-9, "{range}");
    }

    #[test]
    fn range_goes_from_the_10th_to_the_95th_percentile() {
        let even: Vec<f64> = (0..=100).map(|i| -30.0 + f64::from(i) / 10.0).collect();
        assert!((blocks(&even).range().unwrap() - 8.5).abs() < 1e-6);
        assert!(blocks(&[-23.0]).range().unwrap().abs() < 1e-6);
        assert_eq!(blocks(&[-75.0]).range(), None);
    }
}
