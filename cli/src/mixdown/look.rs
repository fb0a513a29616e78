//! `report FILE...`: what audio files hold, as a table and as pictures.

use super::{args::ReportArgs, folder, paper, run};
use crate::{
    failure::Failure,
    voice::{Voice, printable},
};
use soundtrack::{
    Damage, Frames, Report, SampleRate,
    report::{self, ClipReport},
};
use std::path::PathBuf;

/// Looks at every file; the exit code.
pub fn run(args: &ReportArgs) -> Result<u8, Failure> {
    let voice = Voice {
        quiet: false,
        verbose: args.verbose,
        json: false,
    };
    let mut files: Vec<PathBuf> = Vec::new();
    for input in &args.files {
        if input.is_dir() {
            files.extend(
                folder::stems(input, false, voice)?
                    .into_iter()
                    .map(|found| found.file),
            );
        } else {
            files.push(input.clone());
        }
    }
    if let Some(to) = &args.report {
        paper::spare(to, &files)?;
        paper::check(to, args.force, to.with_extension("wav").as_path())?;
    }
    let bins = usize::try_from(args.bins).unwrap_or(usize::MAX);
    let (mut reports, mut failed) = (Vec::new(), Vec::new());
    for file in &files {
        match Report::of_audio(file, bins, Damage::Silence) {
            Ok(report) => reports.push(report),
            Err(e) => failed.push(Failure::from(e)),
        }
    }
    if reports.is_empty() && !failed.is_empty() {
        return Err(failed.swap_remove(0));
    }
    if let Some(to) = &args.report {
        report::save(&reports, to, args.force)?;
    }
    if args.json {
        let bare = |report: &Report| {
            let mut report = report.clone();
            report.overview = None;
            report.to_json()
        };
        let all: Vec<String> = reports.iter().map(bare).collect();
        run::print(&if let [one] = all.as_slice() {
            one.clone()
        } else {
            format!("[{}]", all.join(",\n"))
        })?;
    } else {
        run::print(table(&reports).trim_end())?;
    }
    for report in &reports {
        report
            .warnings
            .iter()
            .filter(|w| !w.kind.is_note())
            .for_each(|w| voice.warning(w));
    }
    if let Some(to) = &args.report {
        voice.note(&format!("the report is in {}", to.display()));
    }
    // What cannot be read takes nothing away from the others.
    Ok(failed
        .iter()
        .map(|failure| failure.tell(voice))
        .fold(0, u8::max))
}

/// A wider cell runs over, and makes no other wider.
const WIDEST: usize = 120;

/// A row a file, columns as wide as they need to be.
fn table(reports: &[Report]) -> String {
    let mut rows = vec![
        [
            "file",
            "rate",
            "layout",
            "kept as",
            "length",
            "peak dBFS",
            "true dBTP",
            "LUFS",
            "LU",
        ]
        .map(str::to_owned),
    ];
    rows.extend(reports.iter().map(row));
    let width = |column: usize| {
        rows.iter()
            .map(|r| r[column].chars().count())
            .filter(|width| *width <= WIDEST)
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..9).map(width).collect();
    let line = |row: &[String; 9]| {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &w))| match column {
                1 | 5.. => format!("{cell:>w$}"),
                _ => format!("{cell:w$}"),
            });
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn row(report: &Report) -> [String; 9] {
    let rate = SampleRate::new(report.rate_hz).unwrap_or(SampleRate::HZ_48000);
    let clip = report.tracks.first().and_then(|t| t.clips.first());
    let level = |level: Option<f64>| level.map_or("-".to_owned(), |l| format!("{l:+.1}"));
    [
        printable(&report.title),
        report.rate_hz.to_string(),
        report.layout.clone(),
        clip.map(kept_as).unwrap_or_default(),
        Frames(report.frames).clock(rate),
        report
            .mix
            .peak_dbfs
            .map_or("-inf".to_owned(), |p| format!("{p:+.2}")),
        level(report.mix.true_peak_dbtp),
        level(report.mix.integrated_lufs),
        report
            .mix
            .loudness_range_lu
            .map_or("-".to_owned(), |r| format!("{r:.1}")),
    ]
}

/// `FLAC, 24 bits`
fn kept_as(clip: &ClipReport) -> String {
    match clip.bits {
        Some(bits) => format!(
            "{}, {bits} bits{}",
            clip.codec,
            if clip.float { " float" } else { "" }
        ),
        None => clip.codec.clone(),
    }
}
