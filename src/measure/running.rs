//! Integrated loudness so far, cheap enough for a curve: the powers of gating blocks, sorted into steps of 0.1 LU.
//!
//! The relative gate falls on the edge of a step, so a value may differ from the exact one where blocks lie within 0.1 LU
//! of the gate. Results are never taken from here.

use crate::units::Lufs;

const LOWEST: f64 = -70.0;
const STEPS: usize = 1000;

/// Sums of powers and numbers of blocks, by loudness from −70 LUFS on.
#[derive(Clone, Debug)]
pub(super) struct Running {
    steps: Vec<(f64, u32)>,
}

impl Default for Running {
    fn default() -> Self {
        Self {
            steps: vec![(0.0, 0); STEPS],
        }
    }
}

impl Running {
    /// Takes the power of a gating block.
    pub(super) fn block(&mut self, power: f64) {
        if power > Lufs(LOWEST).power()
            && let Some((sum, count)) = self.steps.get_mut(step(power))
        {
            *sum += power;
            *count = count.saturating_add(1);
        }
    }

    /// The power of all blocks above the gates; `None` where there is none.
    pub(super) fn power(&self) -> Option<f64> {
        let mean = |from: usize| {
            let add =
                |(sum, count): (f64, u32), (s, c): &(f64, u32)| (sum + s, count.saturating_add(*c));
            let (sum, count) = self.steps.iter().skip(from).fold((0.0, 0), add);
            (count > 0).then(|| sum / f64::from(count))
        };
        mean(0).and_then(|all| mean(step(all / 10.0)))
    }
}

/// The step of a power; the first for those below, the last for those above.
fn step(power: f64) -> usize {
    let at = ((Lufs::of_power(power).0 - LOWEST) * 10.0).max(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not below 0, and held below the last step"
    )]
    let at = at as usize;
    at.min(STEPS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_gated_mean() {
        let mut running = Running::default();
        assert_eq!(running.power(), None);
        for level in [-71.0, -40.0, -20.0, -20.0] {
            running.block(Lufs(level).power());
        }
        assert!((Lufs::of_power(running.power().unwrap()).0 + 20.0).abs() < 1e-9);
    }
}
