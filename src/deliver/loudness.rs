//! Loudness checks of deliverables.
//!
//! An album is one programme. Its loudness comes from gating all cues together, its true peak is
//! the highest of any cue, and one gain applies to the whole album, so that the relative levels of
//! the cues stay as mixed.

use super::report::{LoudnessCheck, PeakCheck};
use crate::{
    encode::AlbumLoudness,
    measure::{Gating, LoudnessTarget, Measured},
    units::{Dbtp, Lufs},
};

/// Loudness and true peak of a deliverable: of its mix, or of all cues of its album.
#[derive(Clone, Debug, Default)]
pub(super) struct DeliverableLoudness {
    pub integrated: Option<Lufs>,
    pub true_peak: Option<Dbtp>,
}

impl DeliverableLoudness {
    pub(super) fn new(parts: &[Measured]) -> Self {
        let peaks = parts.iter().filter_map(|m| m.true_peak).map(|p| p.level.0);
        Self {
            integrated: Gating::pooled(parts.iter().map(|m| &m.gating)).integrated(),
            true_peak: peaks.reduce(f64::max).map(Dbtp),
        }
    }
}

impl DeliverableLoudness {
    /// Returns the loudness of an album for the metadata of its pieces; `None` for silence.
    pub(super) fn of_album(&self) -> Option<AlbumLoudness> {
        Some(AlbumLoudness {
            integrated: self.integrated?.0,
            true_peak: self.true_peak?.0,
        })
    }
}

/// Checks a deliverable against its target. Returns the two checks for its report.
pub(super) fn checks(
    target: &LoudnessTarget,
    measured: &DeliverableLoudness,
) -> (Option<LoudnessCheck>, Option<PeakCheck>) {
    let verdict = target.judge(measured.integrated, measured.true_peak);
    let loudness = verdict.target_lufs.map(|target_lufs| LoudnessCheck {
        integrated_lufs: measured.integrated.map(|l| l.0),
        target_lufs,
        tolerance_lu: verdict.tolerance_lu,
        passed: verdict.loudness_passed != Some(false),
    });
    let peak = verdict.ceiling_dbtp.map(|ceiling_dbtp| PeakCheck {
        true_peak_dbtp: measured.true_peak.map(|p| p.0),
        ceiling_dbtp,
        passed: verdict.true_peak_passed,
    });
    (loudness, peak)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(target: Option<f64>, ceiling: Option<f64>, is: Option<f64>, peak: Option<f64>) -> f64 {
        let loudness = DeliverableLoudness {
            integrated: is.map(Lufs),
            true_peak: peak.map(Dbtp),
        };
        let mut own = LoudnessTarget::default();
        (own.integrated, own.true_peak) = (target.map(Lufs), ceiling.map(Dbtp));
        own.fit(loudness.integrated, loudness.true_peak)
            .map_or(0.0, |fit| fit.gain.0)
    }

    #[test]
    fn one_gain_makes_target_and_ceiling_hold() {
        assert_eq!(fit(Some(-14.0), None, Some(-20.0), Some(-3.0)), 6.0);
        assert_eq!(fit(Some(-14.0), Some(-1.0), Some(-20.0), Some(-3.0)), 2.0);
        assert_eq!(fit(Some(-27.0), Some(-2.0), Some(-20.0), Some(-3.0)), -7.0);
        assert_eq!(fit(None, Some(-2.0), Some(-20.0), Some(-0.5)), -1.5);
        assert_eq!(fit(None, Some(-2.0), Some(-20.0), Some(-9.0)), 0.0);
        assert_eq!(fit(Some(-14.0), Some(-2.0), None, None), 0.0);
    }

    #[test]
    fn checks_count_the_bounds_in() {
        let target = LoudnessTarget::new(Lufs(-23.0)).true_peak(Dbtp(-1.0));
        let passed = |is: f64, peak: f64| {
            let loudness = DeliverableLoudness {
                integrated: Some(Lufs(is)),
                true_peak: Some(Dbtp(peak)),
            };
            let (loudness, peak) = checks(&target, &loudness);
            (loudness.unwrap().passed, peak.unwrap().passed)
        };
        assert_eq!(passed(-23.2, -1.0), (true, true));
        assert_eq!(passed(-22.8, -0.999), (true, false));
        assert_eq!(passed(-23.201, -60.0), (false, true));
        let (loudness, peak) = checks(&target, &DeliverableLoudness::default());
        assert_eq!(
            (loudness.unwrap().passed, peak.unwrap().passed),
            (false, true),
            "silence is not loud, and has no peak"
        );
    }
}
