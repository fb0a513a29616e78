//! Approximate running integrated loudness for curves: block powers in a histogram with steps of
//! 0.1 LU.
//!
//! The relative gate is rounded to a step, so a value may differ from the exact one if blocks lie
//! within 0.1 LU of the gate. Final results never use this histogram.

use crate::units::Lufs;

const LOWEST_LUFS: f64 = -70.0;
const STEPS: usize = 1000;

/// Sum of powers and number of blocks for each step of loudness above −70 LUFS.
#[derive(Clone, Debug)]
pub(super) struct RunningLoudness {
    steps: Vec<(f64, u32)>,
}

impl Default for RunningLoudness {
    fn default() -> Self {
        Self {
            steps: vec![(0.0, 0); STEPS],
        }
    }
}

impl RunningLoudness {
    /// Adds the power of a gating block.
    pub(super) fn push_block(&mut self, power: f64) {
        if power > Lufs(LOWEST_LUFS).power()
            && let Some((sum, count)) = self.steps.get_mut(step(power))
        {
            *sum += power;
            *count = count.saturating_add(1);
        }
    }

    /// Returns the mean power of the blocks that pass the gates; `None` if none do.
    pub(super) fn power(&self) -> Option<f64> {
        let all = self.mean_from(0)?;
        self.mean_from(step(all / 10.0))
    }

    /// Returns the mean power of the blocks from a step up; `None` if there are none.
    fn mean_from(&self, first: usize) -> Option<f64> {
        let (mut power, mut blocks) = (0.0, 0u32);
        for (sum, count) in self.steps.iter().skip(first) {
            power += sum;
            blocks = blocks.saturating_add(*count);
        }
        (blocks > 0).then(|| power / f64::from(blocks))
    }
}

/// Returns the step of a power, clamped to the first and last step.
fn step(power: f64) -> usize {
    let at = ((Lufs::of_power(power).0 - LOWEST_LUFS) * 10.0).max(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not below 0; clamped to the last step"
    )]
    let at = at as usize;
    at.min(STEPS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_gated_mean() {
        let mut running = RunningLoudness::default();
        assert_eq!(running.power(), None);
        for level in [-71.0, -40.0, -20.0, -20.0] {
            running.push_block(Lufs(level).power());
        }
        assert!((Lufs::of_power(running.power().unwrap()).0 + 20.0).abs() < 1e-9);
    }

    #[test]
    fn blocks_more_than_10_lu_below_the_mean_are_left_out() {
        let mean = |levels: &[f64]| {
            let mut running = RunningLoudness::default();
            for level in levels {
                running.push_block(Lufs(*level).power());
            }
            running.power().unwrap()
        };
        let power = |levels: &[f64]| {
            let sum: f64 = levels.iter().map(|level| Lufs(*level).power()).sum();
            sum / levels.len() as f64
        };
        for (levels, counted) in [
            (&[-20.0, -25.0, -29.0][..], 3),
            (&[-20.0, -20.0, -29.0, -34.0], 3),
            (&[5.0, 5.0, 0.0, -40.0], 3),
        ] {
            let wanted = power(&levels[..counted]);
            assert!((mean(levels) / wanted - 1.0).abs() < 1e-12, "{levels:?}");
        }
    }

    #[test]
    fn a_step_is_a_tenth_above_minus_70() {
        let at = |level: f64| step(Lufs(level).power());
        assert_eq!((at(-69.95), at(-60.05), at(-23.05)), (0, 99, 469));
        assert_eq!((at(-80.0), at(29.95), at(40.0)), (0, 999, 999));
    }
}
