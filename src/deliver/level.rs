//! Loudness of deliverables: the one gain that makes a target hold, and whether it does.
//!
//! An album is one programme: its loudness is that of all its cues gated together, its true peak the highest of any, and
//! one gain goes to all of it, so that the cues stay to each other as they were mixed.

use super::report::{LoudnessCheck, PeakCheck};
use crate::{
    measure::{Gating, Measured},
    session::LoudnessTarget,
    units::{Dbtp, Decibels, Lufs},
};

/// How far from its target a loudness may be unless said: what EBU R 128 allows where it cannot be met exactly.
const TOLERANCE: f64 = 1.0;

/// What a measurement keeps: powers of blocks are held to within a millionth of a decibel.
const EXACT: f64 = 1e-6;

/// What was heard of a deliverable: its mix, or all cues of its album.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard {
    pub integrated: Option<Lufs>,
    pub true_peak: Option<Dbtp>,
}

impl Heard {
    pub(super) fn of(parts: &[Measured]) -> Self {
        let peaks = parts.iter().filter_map(|m| m.true_peak).map(|p| p.level.0);
        let integrated = match parts {
            [one] => one.integrated,
            _ => Gating::pooled(parts.iter().map(|m| &m.gating)).integrated(),
        };
        Self { integrated, true_peak: peaks.reduce(f64::max).map(Dbtp) }
    }
}

/// The gain of a deliverable: with `fit` the one that brings its loudness to the target, or less where its true peak would
/// pass the ceiling; without a target it is only lowered to the ceiling. Of silence, and without `fit`, unity.
pub(super) fn gain(target: &LoudnessTarget, heard: &Heard) -> Decibels {
    if !target.fit {
        return Decibels::UNITY;
    }
    let wanted = target.target.zip(heard.integrated).map(|(Lufs(target), Lufs(is))| target - is);
    let room = target.true_peak.zip(heard.true_peak).map(|(Dbtp(ceiling), Dbtp(is))| ceiling - is);
    Decibels(match (wanted, room) {
        (Some(wanted), Some(room)) => wanted.min(room),
        (Some(wanted), None) => wanted,
        (None, Some(room)) => room.min(0.0),
        (None, None) => 0.0,
    })
}

/// Whether what was heard is what must be.
pub(super) fn checks(target: &LoudnessTarget, heard: &Heard) -> (Option<LoudnessCheck>, Option<PeakCheck>) {
    let tolerance = target.tolerance.unwrap_or(TOLERANCE);
    let loudness = target.target.map(|Lufs(wanted)| LoudnessCheck {
        integrated_lufs: heard.integrated.map(|l| l.0),
        target_lufs: wanted,
        tolerance_lu: tolerance,
        passed: heard.integrated.is_some_and(|l| (l.0 - wanted).abs() <= tolerance + EXACT),
    });
    let peak = target.true_peak.map(|Dbtp(ceiling)| PeakCheck {
        true_peak_dbtp: heard.true_peak.map(|p| p.0),
        ceiling_dbtp: ceiling,
        passed: heard.true_peak.is_none_or(|p| p.0 <= ceiling + EXACT),
    });
    (loudness, peak)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(target: Option<f64>, ceiling: Option<f64>, is: Option<f64>, peak: Option<f64>) -> f64 {
        let heard = Heard { integrated: is.map(Lufs), true_peak: peak.map(Dbtp) };
        let target =
            LoudnessTarget { target: target.map(Lufs), tolerance: None, true_peak: ceiling.map(Dbtp), fit: true };
        gain(&target, &heard).0
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
        let target = LoudnessTarget { target: Some(Lufs(-23.0)), true_peak: Some(Dbtp(-1.0)), ..Default::default() };
        let passed = |is: f64, peak: f64| {
            let heard = Heard { integrated: Some(Lufs(is)), true_peak: Some(Dbtp(peak)) };
            let (loudness, peak) = checks(&target, &heard);
            (loudness.unwrap().passed, peak.unwrap().passed)
        };
        assert_eq!(passed(-24.0, -1.0), (true, true));
        assert_eq!(passed(-22.0, -0.999), (true, false));
        assert_eq!(passed(-24.001, -60.0), (false, true));
        let (loudness, peak) = checks(&target, &Heard::default());
        assert_eq!(
            (loudness.unwrap().passed, peak.unwrap().passed),
            (false, true),
            "silence is not loud, and has no peak"
        );
    }
}
