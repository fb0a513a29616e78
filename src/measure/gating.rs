//! From the powers of windows to one number: the two gates of integrated loudness, and loudness range.
//!
//! Integrated loudness (BS.1770-5): blocks of 0.4 s every 0.1 s; those above −70 LUFS, then of those the ones above their
//! mean less 10 LU; powers are averaged, never decibels. Range (EBU Tech 3342): short-term values every 0.1 s, those of
//! −70 LUFS and more, then those not below their mean less 20 LU; the distance of the 95th from the 10th percentile.
//!
//! The powers of several measurements can be pooled: an album's loudness is that of all its blocks, gated together, and
//! no average of the loudness of its parts.

use crate::units::Lufs;

const ABSOLUTE: Lufs = Lufs(-70.0);

/// The powers of all windows of one or several measurements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gating {
    /// Of every gating block of 0.4 s.
    blocks: Vec<f32>,
    /// Of every short-term window of 3 s, each 0.1 s.
    short_term: Vec<f32>,
}

impl Gating {
    /// The powers of several measurements, to be gated together: an album, the reels of a film.
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

    /// Integrated loudness; `None` where no block is above the gates.
    #[must_use]
    pub fn integrated(&self) -> Option<Lufs> {
        let mean = |gate: f64| mean(powers(&self.blocks).filter(|p| *p > gate));
        let absolute = ABSOLUTE.power();
        let relative = mean(absolute)? / 10.0;
        mean(relative.max(absolute)).map(Lufs::of_power)
    }

    /// Loudness range in LU; `None` where there is no short-term value of −70 LUFS or more. Under a minute of sound it
    /// says little.
    #[must_use]
    pub fn range(&self) -> Option<f64> {
        let mut loud: Vec<f64> = powers(&self.short_term)
            .filter(|p| *p >= ABSOLUTE.power())
            .collect();
        let relative = mean(loud.iter().copied())? / 100.0;
        loud.retain(|p| *p >= relative);
        loud.sort_by(f64::total_cmp);
        // The one nearest to a share of the way from the lowest to the highest, halves up.
        let percentile = |percent: usize| {
            loud.get(((loud.len() - 1) * percent + 50) / 100)
                .map(|p| Lufs::of_power(*p).0)
        };
        Some(percentile(95)? - percentile(10)?)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "within a millionth of a decibel, in half the room"
    )]
    pub(super) fn block(&mut self, power: f64) {
        self.blocks.push(power as f32);
    }

    #[expect(clippy::cast_possible_truncation, reason = "as above")]
    pub(super) fn short(&mut self, power: f64) {
        self.short_term.push(power as f32);
    }
}

fn powers(kept: &[f32]) -> impl Iterator<Item = f64> {
    kept.iter().copied().map(f64::from)
}

/// The mean of powers; `None` of none.
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
                blocks: vec![ABSOLUTE.power() as f32],
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
    fn range_goes_from_the_10th_to_the_95th_percentile() {
        let even: Vec<f64> = (0..=100).map(|i| -30.0 + f64::from(i) / 10.0).collect();
        assert!((blocks(&even).range().unwrap() - 8.5).abs() < 1e-6);
        assert!(blocks(&[-23.0]).range().unwrap().abs() < 1e-6);
        assert_eq!(blocks(&[-75.0]).range(), None);
    }
}
