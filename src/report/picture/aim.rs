//! What the mix was meant to reach: the loudness of a target, and the true peak of a target or a limiter.

use crate::report::Report;

/// What was asked for, and whether it was met; nothing where nothing was.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Aim {
    /// The target's name; empty for none.
    pub name: String,
    pub target_lufs: Option<f64>,
    pub tolerance_lu: Option<f64>,
    pub loudness_passed: Option<bool>,
    pub ceiling_dbtp: Option<f64>,
    pub true_peak_passed: Option<bool>,
}

impl Aim {
    pub(super) fn of(report: &Report) -> Self {
        if let Some(verdict) = &report.verdict {
            return Self {
                name: verdict.target.clone(),
                target_lufs: verdict.target_lufs,
                tolerance_lu: verdict.tolerance_lu,
                loudness_passed: verdict.loudness_passed,
                ceiling_dbtp: verdict.ceiling_dbtp,
                true_peak_passed: verdict.ceiling_dbtp.map(|_| verdict.true_peak_passed),
            };
        }
        // A limiter that holds is no test of it, so nothing is passed.
        Self {
            ceiling_dbtp: report.mix.limiter.as_ref().map(|l| l.ceiling_dbtp),
            ..Self::default()
        }
    }
}
