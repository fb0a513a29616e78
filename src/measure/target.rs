//! What a mix is delivered for: loudness, true peak, and whether a measurement meets them.
//!
//! The figures are data, as published until November 2026. Services change theirs; what they do not publish is not judged.

use super::Measured;
use crate::units::{Dbtp, Decibels, Lufs};
use serde::Serialize;
use std::{fmt, str::FromStr};

/// Loudness and true peak that are asked for.
///
/// ```
/// use soundtrack::{Dbtp, Lufs, measure::Target};
/// let target: Target = "ebu-r128".parse()?;
/// assert_eq!((target.integrated, target.tolerance, target.true_peak), (Lufs(-23.0), Some(0.2), Dbtp(-1.0)));
/// # Ok::<(), soundtrack::measure::UnknownTarget>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// What it is called.
    pub name: String,
    /// Integrated loudness of the programme.
    pub integrated: Lufs,
    /// How far from it a programme may be, in LU either way; `None` where any loudness is taken, since the service turns
    /// it up or down itself.
    pub tolerance: Option<f64>,
    /// The true peak that may not be exceeded.
    pub true_peak: Dbtp,
    /// The same for a programme that is louder than `integrated` by 0.05 LU or more, where that is another.
    pub true_peak_if_louder: Option<Dbtp>,
    /// What else there is to know.
    pub note: &'static str,
}

/// One figure of a target: name, LUFS, tolerance, dBTP, dBTP if louder, note.
type Row = (&'static str, f64, Option<f64>, f64, Option<f64>, &'static str);

const TABLE: [Row; 6] = [
    ("ebu-r128", -23.0, Some(0.2), -1.0, None, "live programmes may be 1 LU off"),
    ("atsc-a85", -24.0, Some(2.0), -2.0, None, "long forms are measured at their anchor, which is mostly dialogue"),
    ("netflix", -27.0, Some(2.0), -2.0, None, "gated by dialogue there, by level here: measure the dialogue alone"),
    ("spotify", -14.0, None, -1.0, Some(-2.0), "turned up or down there"),
    ("apple", -16.0, None, -1.0, None, "turned up or down there; the figures are not the service's own"),
    ("youtube", -14.0, None, -1.0, None, "turned down there, never up; the service publishes no figures"),
];

impl Target {
    /// A target of one's own.
    pub fn new(name: impl Into<String>, integrated: Lufs, tolerance: Option<f64>, true_peak: Dbtp) -> Self {
        Self { name: name.into(), integrated, tolerance, true_peak, true_peak_if_louder: None, note: "" }
    }

    /// The names of the targets that are known.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.0)
    }

    /// Whether a programme of this loudness and true peak meets it. What has no loudness does not; what has no true peak is
    /// silent and has none to exceed.
    #[must_use]
    pub fn judge(&self, integrated: Option<Lufs>, true_peak: Option<Dbtp>) -> Verdict {
        // What a gain was computed for is met but for the last digits.
        const LAST_DIGITS: f64 = 1e-6;
        // Half of the last digit that loudness is shown with.
        const LOUDER: f64 = 0.05;
        let off = integrated.map(|l| l.0 - self.integrated.0);
        let louder = off.is_some_and(|off| off > LOUDER);
        let ceiling = self.true_peak_if_louder.filter(|_| louder).unwrap_or(self.true_peak);
        Verdict {
            target: self.name.clone(),
            target_lufs: self.integrated.0,
            tolerance_lu: self.tolerance,
            off_lu: off,
            loudness_passed: self.tolerance.map(|t| off.is_some_and(|off| off.abs() <= t + LAST_DIGITS)),
            ceiling_dbtp: ceiling.0,
            true_peak_passed: true_peak.is_none_or(|p| p.0 <= ceiling.0 + LAST_DIGITS),
            note: self.note,
            fit: None,
        }
    }

    /// The same of a measurement.
    #[must_use]
    pub fn judge_measured(&self, measured: &Measured) -> Verdict {
        self.judge(measured.integrated, measured.true_peak.map(|p| p.level))
    }

    /// The one gain that brings a programme to the target, or as near as the true peak allows. For an album, the loudness
    /// of the pooled [`Gating`](super::Gating) and the largest true peak give one gain for all of it. `None` for silence.
    ///
    /// ```
    /// use soundtrack::{Dbtp, Decibels, Lufs, measure::{Fit, Target}};
    /// let target = Target::new("mine", Lufs(-16.0), Some(1.0), Dbtp(-1.0));
    /// let fit = |level, peak| target.fit(Some(Lufs(level)), Some(Dbtp(peak))).unwrap();
    /// assert_eq!(fit(-20.0, -9.0), Fit { gain: Decibels(4.0), short_by: 0.0 });
    /// assert_eq!(fit(-20.0, -3.0), Fit { gain: Decibels(2.0), short_by: 2.0 }); // the ceiling binds
    /// ```
    #[must_use]
    pub fn fit(&self, integrated: Option<Lufs>, true_peak: Option<Dbtp>) -> Option<Fit> {
        let wanted = self.integrated.0 - integrated?.0;
        let gain = wanted.min(self.true_peak.0 - true_peak?.0);
        Some(Fit { gain: Decibels(gain), short_by: wanted - gain })
    }
}

impl FromStr for Target {
    type Err = UnknownTarget;

    fn from_str(name: &str) -> Result<Self, UnknownTarget> {
        let row = TABLE.iter().find(|row| row.0 == name).ok_or(UnknownTarget)?;
        let (name, lufs, tolerance, peak, louder, note) = *row;
        let own = Self::new(name, Lufs(lufs), tolerance, Dbtp(peak));
        Ok(Self { true_peak_if_louder: louder.map(Dbtp), note, ..own })
    }
}

/// A name that is none of the targets known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTarget;

impl fmt::Display for UnknownTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such target; there are ebu-r128, atsc-a85, netflix, spotify, apple and youtube")
    }
}

impl std::error::Error for UnknownTarget {}

/// A gain for a target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// The gain.
    pub gain: Decibels,
    /// How many LU the programme stays below the target, because its true peak reaches the ceiling first; else 0.
    pub short_by: f64,
}

/// Whether a target is met.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// The target's name.
    pub target: String,
    /// Its loudness.
    pub target_lufs: f64,
    /// How far off it a programme may be; `null` where any loudness is taken.
    pub tolerance_lu: Option<f64>,
    /// How far off it this one is: positive for too loud; `null` where it has no loudness.
    pub off_lu: Option<f64>,
    /// Whether that is near enough; `null` where any loudness is taken.
    pub loudness_passed: Option<bool>,
    /// The true peak that may not be exceeded.
    pub ceiling_dbtp: f64,
    /// Whether it is not.
    pub true_peak_passed: bool,
    /// What else there is to know of the target.
    pub note: &'static str,
    /// What was done to meet it, if it was asked for.
    pub fit: Option<FitReport>,
}

/// The gain that was applied for a target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FitReport {
    /// The gain, on top of the master's own.
    pub gain_db: f64,
    /// How many LU the programme stays below the target because its true peak reaches the ceiling first.
    pub short_by_lu: f64,
}

impl From<Fit> for FitReport {
    fn from(fit: Fit) -> Self {
        Self { gain_db: fit.gain.0, short_by_lu: fit.short_by }
    }
}

impl Verdict {
    /// Whether all of it is met.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.true_peak_passed && self.loudness_passed != Some(false)
    }
}
