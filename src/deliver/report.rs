//! The report of a delivery: every file, the render it was taken from, and the checks.
//!
//! Field names carry their units and are the keys of the JSON form, as in [`Report`].

use super::null_test::{NullMeter, Residue};
use crate::{
    diagnostics::Warning,
    dsp::peak::Peak,
    report::Report,
    units::{Dbfs, Dbtp, Decibels, Frames, Lufs, SampleRate},
};
use serde::Serialize;
use std::fmt;

/// Report of a delivery.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Delivered {
    /// The session's title.
    pub title: String,
    /// The deliverables, in the order of the session.
    pub deliverables: Vec<DeliverableReport>,
    /// Number of renders: files of the same timeline, language and mutes share one, and what is
    /// fitted to a loudness is rendered once more.
    pub renders: usize,
    /// Time it took.
    pub wall_s: f64,
}

/// One deliverable.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DeliverableReport {
    /// Its name in the session.
    pub name: String,
    /// The gain that fits it to its loudness; 0 where none was asked for.
    pub gain_db: f64,
    /// Its files, in order.
    pub files: Vec<FileReport>,
    /// Its loudness, where it must have one: that of the mix, or of the whole album.
    pub loudness: Option<LoudnessCheck>,
    /// Its true peak, where there is a ceiling: that of the mix, or the highest of the album.
    pub true_peak: Option<PeakCheck>,
    /// Of stems: whether their files add up to the mix; `null` where some of the mix is in
    /// none or in several of them, and where they are dithered.
    pub null_test: Option<NullTest>,
    /// Warnings about the deliverable as a whole.
    pub warnings: Vec<Warning>,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FileReport {
    /// `mix`, `stem` or `cue`.
    pub content: String,
    /// The bus or the cue.
    pub of: Option<String>,
    /// Render that it was taken from, counted from 0: files of one number share the decoding.
    pub render: usize,
    /// Report of its audio. Of a stem: its own peak and its bus.
    #[serde(flatten)]
    pub report: Report,
}

/// Check of a loudness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LoudnessCheck {
    /// Integrated loudness; `null` where nothing is above −70 LUFS.
    pub integrated_lufs: Option<f64>,
    /// Target.
    pub target_lufs: f64,
    /// Largest distance from the target; `null` where any loudness passes.
    pub tolerance_lu: Option<f64>,
    /// Whether it passes.
    pub passed: bool,
}

/// Check of a true peak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PeakCheck {
    /// True peak; `null` for silence.
    pub true_peak_dbtp: Option<f64>,
    /// Highest true peak that passes.
    pub ceiling_dbtp: f64,
    /// Whether it passes.
    pub passed: bool,
}

/// Check that the files of stems add up to the mix: as it is delivered with them, if it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NullTest {
    /// The largest difference; `null` for none at all.
    pub residue_dbfs: Option<f64>,
    /// When it occurs.
    pub residue_at_s: Option<f64>,
    /// Largest difference that rounding to the format of the files can make; `null` for none.
    pub within_dbfs: Option<f64>,
    /// Whether it is no more than that.
    pub passed: bool,
    /// Whether this is about the mix before the master, which changes it.
    pub before_master: bool,
}

impl NullTest {
    pub(super) fn of(meter: &NullMeter, rate: SampleRate) -> Self {
        let residue = meter.residue();
        let Residue { worst, within } = residue;
        Self {
            residue_dbfs: worst.level().map(|l| l.0),
            residue_at_s: worst
                .level()
                .map(|_| Frames(worst.at).to_duration(rate).as_secs_f64()),
            within_dbfs: Peak {
                value: within,
                at: 0,
            }
            .level()
            .map(|l| l.0),
            passed: residue.holds(),
            before_master: meter.is_before_master(),
        }
    }
}

impl DeliverableReport {
    /// Reports whether every check passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        let loudness =
            self.loudness.is_none_or(|c| c.passed) && self.true_peak.is_none_or(|c| c.passed);
        loudness && self.null_test.is_none_or(|c| c.passed)
    }
}

impl Delivered {
    /// Reports whether every check passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.deliverables.iter().all(DeliverableReport::passed)
    }

    /// Returns all warnings, each once: those of deliverables, then those of their files.
    #[must_use]
    pub fn warnings(&self) -> Vec<&Warning> {
        let mut all: Vec<&Warning> = Vec::new();
        for deliverable in &self.deliverables {
            let files = deliverable.files.iter().flat_map(|f| &f.report.warnings);
            for warning in deliverable.warnings.iter().chain(files) {
                if !all.contains(&warning) {
                    all.push(warning);
                }
            }
        }
        all
    }

    /// Returns the report as one JSON document. Keys are only ever added.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Every key is text and every value has a JSON form, so this cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl fmt::Display for Delivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = [
            "deliverable",
            "holds",
            "file",
            "format",
            "length",
            "loudness",
            "true peak",
            "peak dBFS",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        for deliverable in &self.deliverables {
            for (number, file) in deliverable.files.iter().enumerate() {
                let name = if number == 0 {
                    deliverable.name.clone()
                } else {
                    String::new()
                };
                rows.push(file.row(name));
            }
        }
        crate::report::table::table(f, &rows, &[5, 6, 7])?;
        writeln!(f)?;
        for deliverable in &self.deliverables {
            deliverable.write_checks(f)?;
        }
        let files = self
            .deliverables
            .iter()
            .map(|d| d.files.len())
            .sum::<usize>();
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let renders = self.renders;
        let (f1, f2) = (plural(files), plural(renders));
        write!(
            f,
            "  took {:.2} s: {files} file{f1} of {renders} render{f2}",
            self.wall_s
        )
    }
}

impl FileReport {
    fn row(&self, name: String) -> [String; 8] {
        let report = &self.report;
        let holds = self
            .of
            .as_ref()
            .map_or(self.content.clone(), |of| format!("{} {of}", self.content));
        let rate = SampleRate::new(report.rate_hz).unwrap_or(SampleRate::HZ_48000);
        let level =
            |level: Option<f64>, text: fn(f64) -> String| level.map_or("-".to_owned(), text);
        [
            name,
            holds,
            report.output.clone().unwrap_or_default(),
            report.format.clone().unwrap_or_default(),
            Frames(report.frames).clock(rate),
            level(report.mix.integrated_lufs, |l| format!("{:.1}", Lufs(l))),
            level(report.mix.true_peak_dbtp, |p| format!("{:.1}", Dbtp(p))),
            report
                .mix
                .peak_dbfs
                .map_or("-inf".to_owned(), |p| format!("{p:+.1}")),
        ]
    }
}

impl DeliverableReport {
    /// Writes the gain and the checks, a line each.
    fn write_checks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = crate::error::one_line(self.name.clone());
        let verdict = |passed| if passed { "passed" } else { "FAILED" };
        if self.gain_db != 0.0 {
            writeln!(
                f,
                "  {name}: gain {:.2} fits it to its loudness",
                Decibels(self.gain_db)
            )?;
        }
        if let Some(c) = self.loudness {
            let is = c
                .integrated_lufs
                .map_or("silence".to_owned(), |l| format!("{:.1}", Lufs(l)));
            let target = Lufs(c.target_lufs);
            match c.tolerance_lu {
                Some(lu) => writeln!(
                    f,
                    "  {name}: loudness {is}, {target:.1} within {lu:.1} LU: {}",
                    verdict(c.passed)
                )?,
                None => writeln!(f, "  {name}: loudness {is}, {target:.1} not judged")?,
            }
        }
        if let Some(c) = self.true_peak {
            let is = c
                .true_peak_dbtp
                .map_or("silence".to_owned(), |p| format!("{:.1}", Dbtp(p)));
            writeln!(
                f,
                "  {name}: true peak {is}, at most {:.1}: {}",
                Dbtp(c.ceiling_dbtp),
                verdict(c.passed)
            )?;
        }
        if let Some(c) = self.null_test {
            let level = |l: Option<f64>| {
                l.map_or("nothing at all".to_owned(), |l| format!("{:.1}", Dbfs(l)))
            };
            let (residue, within) = (level(c.residue_dbfs), level(c.within_dbfs));
            let verdict = verdict(c.passed);
            let mix = if c.before_master {
                "the mix before the master"
            } else {
                "the mix"
            };
            writeln!(
                f,
                "  {name}: the files add up to {mix} but for {residue}, rounding is {within}: {verdict}"
            )?;
        }
        Ok(())
    }
}
