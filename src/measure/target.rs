//! Loudness targets: the figures, judging a programme by them, and the gain that meets them.
//!
//! The figures are data, as published until November 2026. Services change theirs; what they do not publish is not judged.

use super::Measured;
use crate::units::{Dbtp, Decibels, Lufs};
use serde::Serialize;
use std::{borrow::Cow, fmt, str::FromStr};

/// Loudness and true peak that a programme must have, by `--target` and by `[deliver]` alike.
///
/// # Tolerance
/// A programme meets a target within its [`tolerance`](Self::tolerance) either way. Where none is given it is 0.2 LU, which
/// EBU R 128 (version 4, 2020) allows a finished file in quality control. R 128 allows ±1.0 LU in production where the
/// target cannot be met exactly, as live: `tolerance(1.0)`, or `tolerance = 1.0` in a session file. ATSC A/85 and Netflix
/// have their own 2 LU. Services that turn programmes up or down themselves take any loudness.
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
    /// Name in reports; empty for a target that is given by its figures.
    pub name: Cow<'static, str>,
    /// Integrated loudness of the programme; `None` where it is not judged.
    pub integrated: Option<Lufs>,
    /// Largest distance from it in LU, either way; `None` where any loudness is taken.
    pub tolerance: Option<f64>,
    /// Highest true peak; `None` where it is not judged.
    pub true_peak: Option<Dbtp>,
    /// Highest true peak of a programme that is louder than `integrated` by 0.05 LU or more, where that is another.
    pub true_peak_if_louder: Option<Dbtp>,
    /// Remark on the figures.
    pub note: &'static str,
}

/// One named target: name, LUFS, tolerance in LU, dBTP, dBTP if louder, note.
type Row = (
    &'static str,
    f64,
    Option<f64>,
    f64,
    Option<f64>,
    &'static str,
);

const EBU_R128_TOLERANCE_LU: f64 = 0.2;

const TABLE: [Row; 6] = [
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
        "gated by dialogue there, by level here: measure the dialogue alone",
    ),
    (
        "spotify",
        -14.0,
        None,
        -1.0,
        Some(-2.0),
        "turned up or down there",
    ),
    (
        "apple",
        -16.0,
        None,
        -1.0,
        None,
        "turned up or down there; the figures are not the service's own",
    ),
    (
        "youtube",
        -14.0,
        None,
        -1.0,
        None,
        "turned down there, never up; the service publishes no figures",
    ),
];

impl Default for LoudnessTarget {
    /// Judges nothing yet; a loudness that is set later is judged within 0.2 LU.
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
    /// Creates a target of an integrated loudness, within 0.2 LU.
    #[must_use]
    pub fn new(integrated: Lufs) -> Self {
        Self {
            integrated: Some(integrated),
            ..Self::default()
        }
    }

    /// Sets the name that reports show.
    #[must_use]
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets how many LU a programme may be off.
    #[must_use]
    pub fn tolerance(mut self, lu: f64) -> Self {
        self.tolerance = Some(lu);
        self
    }

    /// Sets the highest true peak.
    #[must_use]
    pub fn true_peak(mut self, ceiling: Dbtp) -> Self {
        self.true_peak = Some(ceiling);
        self
    }

    /// Returns the names of the known targets.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|row| row.0)
    }

    /// Judges a programme of this loudness and true peak. A programme without loudness fails; one without true peak is
    /// silent and passes its ceiling.
    #[must_use]
    pub fn judge(&self, integrated: Option<Lufs>, true_peak: Option<Dbtp>) -> Verdict {
        // Levels keep six digits: a programme that was fitted by a gain meets its target to within this.
        const LAST_DIGITS: f64 = 1e-6;
        // Half of the last digit that loudness is shown with.
        const LOUDER: f64 = 0.05;
        let off = self
            .integrated
            .zip(integrated)
            .map(|(target, is)| is.0 - target.0);
        let louder = off.is_some_and(|off| off > LOUDER);
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
            loudness_passed: judged.map(|t| off.is_some_and(|off| off.abs() <= t + LAST_DIGITS)),
            ceiling_dbtp: ceiling.map(|c| c.0),
            true_peak_passed: ceiling
                .zip(true_peak)
                .is_none_or(|(c, p)| p.0 <= c.0 + LAST_DIGITS),
            note: self.note,
            fit: None,
        }
    }

    /// Judges a measurement.
    #[must_use]
    pub fn judge_measured(&self, measured: &Measured) -> Verdict {
        self.judge(measured.integrated, measured.true_peak.map(|p| p.level))
    }

    /// Returns the one gain that brings a programme to the target, or as near as the true peak allows. Without a target
    /// loudness, or for a programme without loudness, it is only lowered to the ceiling. For an album, the loudness
    /// of the pooled [`Gating`](super::Gating) and the largest true peak give one gain for all of it. `None` for silence.
    ///
    /// ```
    /// use soundtrack::{Dbtp, Decibels, LoudnessTarget, Lufs, measure::Fit};
    /// let target = LoudnessTarget::new(Lufs(-16.0)).true_peak(Dbtp(-1.0));
    /// let fit = |level, peak| target.fit(Some(Lufs(level)), Some(Dbtp(peak))).unwrap();
    /// assert_eq!(fit(-20.0, -9.0), Fit { gain: Decibels(4.0), short_by: 0.0 });
    /// assert_eq!(fit(-20.0, -3.0), Fit { gain: Decibels(2.0), short_by: 2.0 }); // the ceiling binds
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

/// A name that is none of the targets known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTarget;

impl fmt::Display for UnknownTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no such target; there are ebu-r128, atsc-a85, netflix, spotify, apple and youtube",
        )
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

/// Judgement of a programme by a target.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// The target's name.
    pub target: String,
    /// Its loudness; `null` where it has none.
    pub target_lufs: Option<f64>,
    /// How far off it a programme may be; `null` where any loudness is taken.
    pub tolerance_lu: Option<f64>,
    /// How far off it this one is: positive for too loud; `null` where it has no loudness.
    pub off_lu: Option<f64>,
    /// Whether that is near enough; `null` where any loudness is taken.
    pub loudness_passed: Option<bool>,
    /// The highest true peak that is allowed; `null` where it is not judged.
    pub ceiling_dbtp: Option<f64>,
    /// Whether the true peak is no higher.
    pub true_peak_passed: bool,
    /// Remark on the target.
    pub note: &'static str,
    /// The gain that was applied to meet it, if that was asked for.
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
        Self {
            gain_db: fit.gain.0,
            short_by_lu: fit.short_by,
        }
    }
}

impl Verdict {
    /// Reports whether loudness and true peak are met.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.true_peak_passed && self.loudness_passed != Some(false)
    }
}
