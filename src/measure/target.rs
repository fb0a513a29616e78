//! Loudness targets: published values, checks against them, and the gain that reaches them.
//!
//! The values are as published until November 2026. Services change theirs; values that a service
//! does not publish are not checked.

use super::Measured;
use crate::units::{Dbtp, Decibels, Lufs};
#[cfg(feature = "serde")]
use serde::Serialize;
use std::{borrow::Cow, fmt, str::FromStr};

/// Required loudness and true peak of a programme, set with `--target` or in `[deliver]`.
///
/// # Tolerance
/// The loudness of a programme may differ from the target by [`tolerance`](Self::tolerance) in
/// either direction. The default is 0.2 LU, the quality-control tolerance of EBU R 128 (version 4,
/// 2020) for finished files. R 128 allows ±1.0 LU in production if the target cannot be met
/// exactly, as in live programmes: use `tolerance(1.0)`, or `tolerance = 1.0` in a session file.
/// ATSC A/85 and Netflix specify 2 LU. Services that adjust the level themselves accept any
/// loudness.
///
/// ```
/// use soundtrack::{Dbtp, LoudnessTarget, Lufs};
/// let target: LoudnessTarget = "ebu-r128".parse()?;
/// assert_eq!((target.integrated, target.tolerance, target.true_peak), (Some(Lufs(-23.0)), Some(0.2), Some(Dbtp(-1.0))));
/// let own = LoudnessTarget::new(Lufs(-27.0)).tolerance(1.0);
/// assert!(own.judge(Some(Lufs(-26.1)), None).passed());
/// # Ok::<(), soundtrack::measure::UnknownTarget>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LoudnessTarget {
    /// Name for reports; empty for a target given by its values.
    pub name: Cow<'static, str>,
    /// Integrated loudness of the programme; `None` if it is not checked.
    pub integrated: Option<Lufs>,
    /// Maximum deviation from it in LU, in either direction; `None` if any loudness is accepted.
    pub tolerance: Option<f64>,
    /// Maximum true peak; `None` if it is not checked.
    pub true_peak: Option<Dbtp>,
    /// Maximum true peak of a programme that is louder than `integrated` by 0.05 LU or more, if a
    /// different one applies.
    pub true_peak_if_louder: Option<Dbtp>,
    /// Note about the values.
    pub note: &'static str,
}

/// Row of the table of targets: name, LUFS, tolerance in LU, dBTP, dBTP if louder, note.
type TargetRow = (
    &'static str,
    f64,
    Option<f64>,
    f64,
    Option<f64>,
    &'static str,
);

const EBU_R128_TOLERANCE_LU: f64 = 0.2;

const TABLE: [TargetRow; 6] = [
    (
        "ebu-r128",
        -23.0,
        Some(EBU_R128_TOLERANCE_LU),
        -1.0,
        None,
        "live programmes may be 1 LU off",
    ),
    (
        "atsc-a85",
        -24.0,
        Some(2.0),
        -2.0,
        None,
        "long forms are measured at their anchor, which is mostly dialogue",
    ),
    (
        "netflix",
        -27.0,
        Some(2.0),
        -2.0,
        None,
        "the service gates by dialogue, this measurement by level: measure the dialogue alone",
    ),
    (
        "spotify",
        -14.0,
        None,
        -1.0,
        Some(-2.0),
        "the service turns programmes up or down to this loudness",
    ),
    (
        "apple",
        -16.0,
        None,
        -1.0,
        None,
        "the service turns programmes up or down to this loudness; the figures are not its own",
    ),
    (
        "youtube",
        -14.0,
        None,
        -1.0,
        None,
        "the service turns louder programmes down and no programme up; it publishes no figures",
    ),
];

impl Default for LoudnessTarget {
    /// Returns a target that checks nothing. A loudness set later is checked to 0.2 LU.
    fn default() -> Self {
        Self {
            name: Cow::Borrowed(""),
            integrated: None,
            tolerance: Some(EBU_R128_TOLERANCE_LU),
            true_peak: None,
            true_peak_if_louder: None,
            note: "",
        }
    }
}

impl LoudnessTarget {
    /// Creates a target for an integrated loudness with a tolerance of 0.2 LU.
    #[must_use]
    pub fn new(integrated: Lufs) -> Self {
        Self {
            integrated: Some(integrated),
            ..Self::default()
        }
    }

    /// Sets the name shown in reports.
    #[must_use]
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the maximum deviation from the loudness in LU.
    #[must_use]
    pub fn tolerance(mut self, lu: f64) -> Self {
        self.tolerance = Some(lu);
        self
    }

    /// Sets the maximum true peak.
    #[must_use]
    pub fn true_peak(mut self, ceiling: Dbtp) -> Self {
        self.true_peak = Some(ceiling);
        self
    }

    /// Returns the names of the predefined targets.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.0)
    }

    /// Checks a programme with this loudness and true peak. A programme without loudness fails. One
    /// without true peak is silent and passes.
    #[must_use]
    pub fn judge(&self, integrated: Option<Lufs>, true_peak: Option<Dbtp>) -> Verdict {
        // Levels are computed to six digits: a programme adjusted by `fit` meets its target to
        // within this.
        const TOLERANCE_DB: f64 = 1e-6;
        // Half of the last digit with which loudness is displayed.
        const LOUDER_LU: f64 = 0.05;
        let off = self
            .integrated
            .zip(integrated)
            .map(|(target, is)| is.0 - target.0);
        let louder = off.is_some_and(|off| off > LOUDER_LU);
        let ceiling = self
            .true_peak_if_louder
            .filter(|_| louder)
            .or(self.true_peak);
        let judged = self.tolerance.filter(|_| self.integrated.is_some());
        Verdict {
            target: self.name.to_string(),
            target_lufs: self.integrated.map(|l| l.0),
            tolerance_lu: judged,
            off_lu: off,
            loudness_passed: judged.map(|t| off.is_some_and(|off| off.abs() <= t + TOLERANCE_DB)),
            ceiling_dbtp: ceiling.map(|c| c.0),
            true_peak_passed: ceiling
                .zip(true_peak)
                .is_none_or(|(c, p)| p.0 <= c.0 + TOLERANCE_DB),
            note: self.note,
            fit: None,
        }
    }

    /// Checks a measurement.
    #[must_use]
    pub fn judge_measured(&self, measured: &Measured) -> Verdict {
        self.judge(measured.integrated, measured.true_peak.map(|p| p.level))
    }

    /// Returns the gain that brings a programme to the target, or as close to it as the true-peak
    /// ceiling allows. `None` for silence.
    ///
    /// Without a target loudness, or for a programme without loudness, the gain only lowers the
    /// true peak to the ceiling. For an album, pass the loudness of the pooled
    /// [`Gating`](super::Gating) and the largest true peak to get one gain for all tracks.
    ///
    /// ```
    /// use soundtrack::{Dbtp, Decibels, LoudnessTarget, Lufs};
    /// let target = LoudnessTarget::new(Lufs(-16.0)).true_peak(Dbtp(-1.0));
    /// let fit = |level, peak| target.fit(Some(Lufs(level)), Some(Dbtp(peak))).unwrap();
    /// assert_eq!(fit(-20.0, -9.0).gain, Decibels(4.0));
    /// let bound_by_peak = fit(-20.0, -3.0);
    /// assert_eq!((bound_by_peak.gain, bound_by_peak.short_by), (Decibels(2.0), 2.0));
    /// ```
    #[must_use]
    pub fn fit(&self, integrated: Option<Lufs>, true_peak: Option<Dbtp>) -> Option<Fit> {
        let wanted = self
            .integrated
            .zip(integrated)
            .map(|(target, is)| target.0 - is.0);
        let headroom = self
            .true_peak
            .zip(true_peak)
            .map(|(ceiling, is)| ceiling.0 - is.0);
        let gain = match (wanted, headroom) {
            (Some(wanted), Some(headroom)) => wanted.min(headroom),
            (Some(wanted), None) => wanted,
            (None, Some(headroom)) => headroom.min(0.0),
            (None, None) => return None,
        };
        Some(Fit {
            gain: Decibels(gain),
            short_by: wanted.map_or(0.0, |wanted| wanted - gain),
        })
    }
}

impl FromStr for LoudnessTarget {
    type Err = UnknownTarget;

    fn from_str(name: &str) -> Result<Self, UnknownTarget> {
        let row = TABLE
            .iter()
            .find(|row| row.0 == name)
            .ok_or(UnknownTarget)?;
        let (name, lufs, tolerance, peak, louder, note) = *row;
        Ok(Self {
            name: Cow::Borrowed(name),
            integrated: Some(Lufs(lufs)),
            tolerance,
            true_peak: Some(Dbtp(peak)),
            true_peak_if_louder: louder.map(Dbtp),
            note,
        })
    }
}

impl fmt::Display for LoudnessTarget {
    /// Formats the name, or without one the loudness or else the true peak: `ebu-r128`, `-27.00 LUFS`, `-1.00 dBTP`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name.as_ref(), self.integrated, self.true_peak) {
            ("", Some(loudness), _) => loudness.fmt(f),
            ("", None, Some(peak)) => peak.fmt(f),
            ("", None, None) => f.pad("no target"),
            (name, ..) => f.pad(name),
        }
    }
}

/// Error: the name is not that of a predefined target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTarget;

impl fmt::Display for UnknownTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no such target; there are ebu-r128, atsc-a85, netflix, spotify, apple and youtube, or a level in LUFS, like -14",
        )
    }
}

impl std::error::Error for UnknownTarget {}

/// Gain that brings a programme to a target.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Fit {
    /// Gain to apply.
    pub gain: Decibels,
    /// LU by which the programme remains below the target because its true peak reaches the ceiling
    /// first; 0 otherwise.
    pub short_by: f64,
}

/// Result of checking a programme against a target.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct Verdict {
    /// Name of the target.
    pub target: String,
    /// Target loudness; `null` if the target has none.
    pub target_lufs: Option<f64>,
    /// Tolerance; `null` if any loudness is accepted.
    pub tolerance_lu: Option<f64>,
    /// Deviation of the programme from the target, positive if it is too loud; `null` if it has no
    /// loudness.
    pub off_lu: Option<f64>,
    /// True if the deviation is within the tolerance; `null` if any loudness is accepted.
    pub loudness_passed: Option<bool>,
    /// Maximum true peak; `null` if it is not checked.
    pub ceiling_dbtp: Option<f64>,
    /// True if the true peak does not exceed the maximum.
    pub true_peak_passed: bool,
    /// Note about the target.
    pub note: &'static str,
    /// Gain that was applied to reach the target, if requested.
    pub fit: Option<FitReport>,
}

/// Gain that was applied to reach a target.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct FitReport {
    /// Gain in addition to the master's own.
    pub gain_db: f64,
    /// LU by which the programme remains below the target because its true peak reaches the ceiling
    /// first.
    pub short_by_lu: f64,
}

impl From<Fit> for FitReport {
    fn from(fit: Fit) -> Self {
        Self {
            gain_db: fit.gain.0,
            short_by_lu: fit.short_by,
        }
    }
}

impl Verdict {
    /// Returns true if both loudness and true peak meet the target.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.true_peak_passed && self.loudness_passed != Some(false)
    }
}
