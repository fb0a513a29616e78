//! Report of a delivery: every file, the render it comes from, and the checks.
//!
//! Field names carry their units and are the keys of the JSON form, as in [`Report`].

use super::null_test::{NullMeter, Residue};
use crate::{
    diagnostics::Warning,
    dsp::{limiter::LIMITER, peak::Peak},
    report::{Report, Versioned},
    session::{Content, Session},
    text_table::TextTable,
    units::{Dbfs, Dbtp, Decibels, Frames, Lufs, SampleRate},
};
use serde::Serialize;
use std::{collections::HashSet, fmt};

/// Report of a delivery.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Delivered {
    /// Title of the session.
    pub title: String,
    /// Deliverables, in the order of the session.
    pub deliverables: Vec<DeliverableReport>,
    /// Number of renders. Files of the same timeline, language and mutes share one; fitting to a
    /// loudness target takes an additional one.
    pub renders: usize,
    /// Time taken in seconds.
    pub wall_s: f64,
}

/// Report of one deliverable.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DeliverableReport {
    /// Name of the deliverable.
    pub name: String,
    /// Gain of the deliverable: that which fits it to its loudness target, that of another
    /// deliverable, or its own.
    pub gain_db: f64,
    /// Name of the deliverable that the gain was found for, which is its own if it is fitted; `null`
    /// for a gain of its own.
    pub gain_of: Option<String>,
    /// Files, in order.
    pub files: Vec<FileReport>,
    /// Loudness check of the mix, or of the whole album; `null` without a loudness target.
    pub loudness: Option<LoudnessCheck>,
    /// True-peak check of the mix, or of the highest true peak of the album; `null` without a
    /// ceiling.
    pub true_peak: Option<PeakCheck>,
    /// Check that the files of the stems add up to the mix. `null` if this is not a deliverable of
    /// stems, if a part of the mix is in none or in several of them, or if they are dithered and no
    /// mix of the same gain is delivered.
    pub null_test: Option<NullTest>,
    /// Warnings about the deliverable as a whole.
    pub warnings: Vec<Warning>,
}

/// Report of one file.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FileReport {
    /// Kind of content: `mix`, `stem`, `cue`, `cue sheet`, `listing` or `report`.
    pub content: String,
    /// Name of the bus or cue; `null` for a mix, a cue sheet and a listing.
    pub of: Option<String>,
    /// Number of the render that the file comes from, counted from 0. Files with equal numbers
    /// share the decoding. 0 for a cue sheet and a listing.
    pub render: usize,
    /// Start and end of the part that was rendered anew, in seconds of the timeline, if the rest was
    /// taken from the file of the delivery before ([`Delivery::range`](crate::Delivery::range)). Levels of tracks and
    /// buses and warnings are then those of the render.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced_s: Option<[f64; 2]>,
    /// Report of the audio. For a stem, its peak and its bus.
    #[serde(flatten)]
    pub report: Report,
}

/// Result of a loudness check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LoudnessCheck {
    /// Integrated loudness; `null` if no gating block is above −70 LUFS.
    pub integrated_lufs: Option<f64>,
    /// Target loudness.
    pub target_lufs: f64,
    /// Tolerance in either direction; `null` if any loudness passes.
    pub tolerance_lu: Option<f64>,
    /// True if the loudness passes.
    pub passed: bool,
}

/// Result of a true-peak check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PeakCheck {
    /// True peak; `null` for silence.
    pub true_peak_dbtp: Option<f64>,
    /// Maximum true peak.
    pub ceiling_dbtp: f64,
    /// True if the true peak passes.
    pub passed: bool,
}

/// Result of checking that the files of stems add up to the mix, in its delivered form if it is
/// delivered.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NullTest {
    /// Name of the deliverable that contains the mix; `null` if the stems were compared with a signal
    /// that is in no file.
    pub mix: Option<String>,
    /// True if stems and mix were read back from the written files. False if the values that the files
    /// of the stems contain were compared with a signal while it was rendered.
    pub read_back: bool,
    /// Largest difference; `null` if there is none.
    pub residue_dbfs: Option<f64>,
    /// Time of the largest difference in seconds.
    pub residue_at_s: Option<f64>,
    /// Largest difference that rounding and dither of all compared files can cause; `null` if there is
    /// none.
    pub within_dbfs: Option<f64>,
    /// True if the largest difference does not exceed that.
    pub passed: bool,
    /// True if the stems were compared with the mix before the master, because the master changes
    /// it.
    pub before_master: bool,
    /// Names of the compared files with clipped samples, which may be the reason of a difference.
    pub clipped: Vec<String>,
}

impl NullTest {
    /// Returns the result of a test during a render that begins at frame `start` of the timeline.
    pub(super) fn of_render(meter: &NullMeter, start: Frames, rate: SampleRate) -> Self {
        Self {
            before_master: meter.is_before_master(),
            ..Self::new(meter.residue(), start, rate)
        }
    }

    /// Returns the result of reading back files that begin at frame `start` of the timeline.
    pub(super) fn of_files(residue: Residue, mix: String, start: Frames, rate: SampleRate) -> Self {
        Self {
            mix: Some(mix),
            read_back: true,
            ..Self::new(residue, start, rate)
        }
    }

    fn new(residue: Residue, start: Frames, rate: SampleRate) -> Self {
        let Residue {
            worst,
            rounding_limit,
        } = residue;
        let limit = Peak {
            value: rounding_limit,
            at: 0,
        };
        let at = start + Frames(worst.at);
        Self {
            residue_dbfs: worst.level().map(|l| l.0),
            residue_at_s: worst.level().map(|_| at.to_duration(rate).as_secs_f64()),
            within_dbfs: limit.level().map(|l| l.0),
            passed: residue.is_rounding(),
            ..Self::default()
        }
    }
}

impl DeliverableReport {
    /// Returns true if every check passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        let loudness =
            self.loudness.is_none_or(|c| c.passed) && self.true_peak.is_none_or(|c| c.passed);
        loudness && self.null_test.as_ref().is_none_or(|c| c.passed)
    }
}

impl Delivered {
    /// Returns true if every check passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.deliverables.iter().all(DeliverableReport::passed)
    }

    /// Returns all warnings without duplicates: those of each deliverable, followed by those of its
    /// files.
    #[must_use]
    pub fn warnings(&self) -> Vec<&Warning> {
        let each = self.deliverables.iter().flat_map(|deliverable| {
            let files = deliverable.files.iter().flat_map(|f| &f.report.warnings);
            deliverable.warnings.iter().chain(files)
        });
        // The debug form of each: warnings hold levels, which cannot be hashed.
        let mut known = HashSet::new();
        each.filter(|warning| known.insert(format!("{warning:?}")))
            .collect()
    }

    /// Returns the report as one JSON document. Its first key is `version`,
    /// [`JSON_VERSION`](crate::report::JSON_VERSION).
    #[must_use]
    pub fn to_json(&self) -> String {
        // Serialization cannot fail: every key is a string and every value has a JSON form.
        serde_json::to_string_pretty(&Versioned::new(self)).unwrap_or_default()
    }
}

/// Heads of the columns of [`FileReport::row`].
pub(super) const HEAD: [&str; 8] = [
    "deliverable",
    "holds",
    "file",
    "format",
    "length",
    "loudness",
    "true peak",
    "peak dBFS",
];

impl fmt::Display for Delivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = TextTable::new(HEAD, &[5, 6, 7])
            .fixed(&[4])
            .droppable(&[3, 1, 4]);
        for deliverable in &self.deliverables {
            for (number, file) in deliverable.files.iter().enumerate() {
                let name = if number == 0 {
                    deliverable.name.clone()
                } else {
                    String::new()
                };
                table.push(file.row(name));
            }
        }
        table.write(f)?;
        writeln!(f)?;
        for deliverable in &self.deliverables {
            for line in deliverable.check_lines() {
                writeln!(f, "  {}", line.text)?;
            }
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
    /// Creates the report of a cue sheet, a listing or a report in this format.
    pub(super) fn of_document(content: Content, format: &str, session: &Session) -> Self {
        Self {
            content: super::content_name(content).to_owned(),
            report: Report {
                title: session.title.clone(),
                format: Some(format.to_owned()),
                rate_hz: session.rate.hz(),
                layout: session.layout.to_string(),
                ..Report::default()
            },
            ..Self::default()
        }
    }

    /// Returns false for a cue sheet, a listing and a report.
    #[must_use]
    pub fn is_audio(&self) -> bool {
        !matches!(self.content.as_str(), "cue sheet" | "listing" | "report")
    }

    /// Returns the cells of the file in the table of a delivery; `name` is the first one.
    pub(super) fn row(&self, name: String) -> [String; 8] {
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
            if self.is_audio() {
                Frames(report.frames).clock(rate)
            } else {
                "-".to_owned()
            },
            level(report.mix.integrated_lufs, |l| format!("{:.1}", Lufs(l))),
            level(report.mix.true_peak_dbtp, |p| format!("{:.1}", Dbtp(p))),
            match report.mix.peak_dbfs {
                Some(peak) => format!("{peak:+.1}"),
                None if self.is_audio() => "-inf".to_owned(),
                None => "-".to_owned(),
            },
        ]
    }
}

impl DeliverableReport {
    /// Returns the LU by which the loudness stays below its target, if it does by a tenth.
    fn short_by(&self) -> Option<f64> {
        let check = self.loudness?;
        let by = check.target_lufs - check.integrated_lufs?;
        (by >= 0.05).then_some(by)
    }

    /// Returns the dB that a limiter of the master takes away at most from any mix or cue; `None` below a tenth.
    fn limited_by(&self) -> Option<f64> {
        let mixes = self.files.iter().filter(|file| file.content != "stem");
        let inserts = mixes.flat_map(|file| &file.report.mix.inserts);
        let limiters = inserts.filter(|insert| insert.kind == LIMITER.name);
        let most = limiters
            .filter_map(|limiter| limiter.reduction_db)
            .fold(0.0, f64::max);
        (most >= 0.05).then_some(most)
    }

    /// Returns the gain, the work of the limiter and the checks, one line each.
    pub(super) fn check_lines(&self) -> Vec<CheckLine> {
        let name = crate::error::one_line(self.name.clone());
        let gain = Decibels(self.gain_db);
        let mut lines = Vec::new();
        let mut add = |text: String, has_failed: bool| {
            lines.push(CheckLine {
                text: format!("{name}: {text}"),
                has_failed,
            });
        };
        match &self.gain_of {
            _ if self.gain_db == 0.0 => {}
            Some(of) if *of == self.name => {
                let text = match self.short_by() {
                    Some(lu) => format!(
                        "gain {gain:.2}; the true peak allows no more, so it is {lu:.1} LU below its loudness"
                    ),
                    None => format!("gain {gain:.2} fits it to its loudness"),
                };
                add(text, false);
            }
            Some(of) => {
                let of = crate::error::one_line(of.clone());
                add(format!("gain {gain:.2}, as {of} has"), false);
            }
            None => add(format!("gain {gain:.2}"), false),
        }
        if let Some(most) = self.limited_by() {
            add(format!("the limiter takes {most:.1} dB at most"), false);
        }
        if let Some(c) = self.loudness {
            let is = c
                .integrated_lufs
                .map_or("silence".to_owned(), |l| format!("{:.1}", Lufs(l)));
            let target = Lufs(c.target_lufs);
            let verdict = match c.tolerance_lu {
                Some(lu) => format!("{target:.1} within {lu:.1} LU: {}", verdict(c.passed)),
                None => format!("{target:.1} not judged"),
            };
            add(format!("loudness {is}, {verdict}"), !c.passed);
        }
        if let Some(c) = self.true_peak {
            let is = c
                .true_peak_dbtp
                .map_or("silence".to_owned(), |p| format!("{:.1}", Dbtp(p)));
            let ceiling = Dbtp(c.ceiling_dbtp);
            let verdict = verdict(c.passed);
            add(
                format!("true peak {is}, at most {ceiling:.1}: {verdict}"),
                !c.passed,
            );
        }
        if let Some(test) = &self.null_test {
            add(test.to_line(), !test.passed);
        }
        lines
    }
}

/// Line about the gain or a check of a deliverable.
pub(super) struct CheckLine {
    pub text: String,
    /// True if it states a check that failed.
    pub has_failed: bool,
}

fn verdict(passed: bool) -> &'static str {
    if passed { "passed" } else { "FAILED" }
}

impl NullTest {
    /// Returns the result in one line.
    fn to_line(&self) -> String {
        let one_line = |text: &String| crate::error::one_line(text.clone());
        let level = |level: Option<f64>| {
            level.map_or("nothing at all".to_owned(), |l| format!("{:.1}", Dbfs(l)))
        };
        let mix = match &self.mix {
            Some(mix) if self.read_back => format!("{}, read back", one_line(mix)),
            Some(mix) => one_line(mix),
            None if self.before_master => "the mix before the master".to_owned(),
            None => "the mix".to_owned(),
        };
        let mut line = format!(
            "the files add up to {mix} but for {}, rounding is {}: {}",
            level(self.residue_dbfs),
            level(self.within_dbfs),
            verdict(self.passed)
        );
        if !self.clipped.is_empty() {
            let files: Vec<String> = self.clipped.iter().map(one_line).collect();
            line += &format!("; samples are clipped in {}", files.join(", "));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_states_what_a_file_holds_how_long_it_is_and_how_loud() {
        let row = |content: &str, peak_dbfs: Option<f64>, integrated_lufs: Option<f64>| {
            let mut file = FileReport {
                content: content.to_owned(),
                of: Some("storm".to_owned()),
                ..FileReport::default()
            };
            (file.report.rate_hz, file.report.frames) = (48_000, 72_000);
            (file.report.mix.peak_dbfs, file.report.mix.integrated_lufs) =
                (peak_dbfs, integrated_lufs);
            file.row("album".to_owned()).join("|")
        };
        assert_eq!(
            row("cue", Some(-0.5), Some(-14.04)),
            "album|cue storm|||00:00:01.500|-14.0 LUFS|-|-0.5"
        );
        assert_eq!(
            row("cue", None, None),
            "album|cue storm|||00:00:01.500|-|-|-inf"
        );
        assert_eq!(row("listing", None, None), "album|listing storm|||-|-|-|-");
    }

    #[test]
    fn lines_state_where_a_gain_comes_from_and_which_checks_failed() {
        let lines = |gain_db: f64, gain_of: Option<&str>, passed: bool| {
            let report = DeliverableReport {
                name: "web".to_owned(),
                gain_db,
                gain_of: gain_of.map(str::to_owned),
                loudness: Some(LoudnessCheck {
                    integrated_lufs: Some(-14.0),
                    target_lufs: -14.0,
                    tolerance_lu: Some(1.0),
                    passed,
                }),
                true_peak: Some(PeakCheck {
                    true_peak_dbtp: None,
                    ceiling_dbtp: -1.0,
                    passed,
                }),
                ..DeliverableReport::default()
            };
            let lines = report.check_lines().into_iter();
            lines
                .map(|line| (line.text, line.has_failed))
                .collect::<Vec<_>>()
        };
        let line = |text: &str, has_failed| (text.to_owned(), has_failed);
        for (gain, of, text) in [
            (2.0, None, "web: gain +2.00 dB"),
            (
                2.0,
                Some("web"),
                "web: gain +2.00 dB fits it to its loudness",
            ),
            (-2.0, Some("full"), "web: gain -2.00 dB, as full has"),
        ] {
            assert_eq!(lines(gain, of, true)[0], line(text, false));
        }
        assert_eq!(
            lines(0.0, Some("web"), true),
            [
                line(
                    "web: loudness -14.0 LUFS, -14.0 LUFS within 1.0 LU: passed",
                    false
                ),
                line("web: true peak silence, at most -1.0 dBTP: passed", false),
            ]
        );
        assert!(lines(0.0, None, false).iter().all(|line| line.1));
    }

    #[test]
    fn the_line_of_a_null_test_names_the_mix_it_was_made_with() {
        let start = |mix: Option<&str>, read_back, before_master| {
            let test = NullTest {
                mix: mix.map(str::to_owned),
                read_back,
                before_master,
                residue_dbfs: None,
                residue_at_s: None,
                within_dbfs: Some(-90.3),
                passed: true,
                clipped: vec!["a.wav".to_owned(), "b.wav".to_owned()],
            };
            test.to_line()
        };
        let line = |mix: &str| {
            format!(
                "the files add up to {mix} but for nothing at all, rounding is -90.3 dBFS: passed; \
                 samples are clipped in a.wav, b.wav"
            )
        };
        assert_eq!(start(Some("full"), true, false), line("full, read back"));
        assert_eq!(start(Some("full"), false, false), line("full"));
        assert_eq!(start(None, false, true), line("the mix before the master"));
        assert_eq!(start(None, false, false), line("the mix"));
    }
}
