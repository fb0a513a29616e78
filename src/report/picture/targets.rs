//! Targets shown in the picture: loudness from the loudness target, true peak from the target or
//! the limiter.

use crate::report::Report;

/// Target values, and whether the mix meets them; `None` where there is no requirement.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Targets {
    /// Name of the target; empty for none.
    pub name: String,
    pub target_lufs: Option<f64>,
    pub tolerance_lu: Option<f64>,
    pub loudness_passed: Option<bool>,
    pub ceiling_dbtp: Option<f64>,
    pub true_peak_passed: Option<bool>,
}

impl Targets {
    pub(super) fn new(report: &Report) -> Self {
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
        // A limiter's ceiling is a setting, not a check: there is no pass or fail.
        Self {
            ceiling_dbtp: report.mix.limiter.as_ref().map(|l| l.ceiling_dbtp),
            ..Self::default()
        }
    }
}
