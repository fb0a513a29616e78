//! `mixdown report FILE...`: describes audio files in a table, as JSON and as a report file.

use super::{args::ReportArgs, closing_messages, hints, report_file, stem_folder};
use crate::{
    failure::Failure,
    messages::Messages,
    stdout,
    text::{cells, clock, printable, shortened},
};
use soundtrack::{
    Damage, Report,
    report::{self, ClipReport},
};
use std::{
    fmt::{self, Display},
    path::PathBuf,
};

/// Describes every file and returns the exit code.
///
/// # Errors
/// Passes on the errors of a single file; if several files are given, errors are printed after the description of the others.
pub fn run(args: &ReportArgs) -> Result<u8, Failure> {
    let messages = Messages {
        verbose: args.verbose,
        ..Messages::default()
    };
    let mut files: Vec<PathBuf> = Vec::new();
    for input in &args.files {
        if input.is_dir() {
            let stems = stem_folder::find_stems(input, false, args.recursive, messages)?;
            files.extend(stems.into_iter().map(|stem| stem.file));
        } else {
            files.push(input.clone());
        }
    }
    if let Some(to) = &args.report {
        report_file::check_not_input(to, &files)?;
        report_file::check(to, args.force, to.with_extension("wav").as_path())?;
    }
    let bins = usize::try_from(args.bins).unwrap_or(usize::MAX);
    let (mut reports, mut failures) = (Vec::new(), Vec::new());
    for file in &files {
        match Report::of_audio(file, bins, Damage::Silence) {
            Ok(report) => reports.push(report),
            Err(e) => failures.push(Failure::from(e)),
        }
    }
    if reports.is_empty() && !failures.is_empty() {
        return Err(failures.swap_remove(0));
    }
    if let Some(to) = &args.report {
        report::save(&reports, to, args.force).map_err(|e| {
            let hints = hints::of_output(&e, ", or another --report");
            Failure::Library(e, hints)
        })?;
    }
    if args.json {
        stdout::print(&to_json(&reports))?;
    } else {
        stdout::print_fitting(&Table::of(&reports))?;
    }
    let warnings = reports.iter().flat_map(|report| &report.warnings);
    closing_messages::print_grouped(warnings, args.verbose, messages);
    if let Some(to) = &args.report {
        messages.note(&format!("the report is in {}", to.display()));
    }
    Ok(failures
        .iter()
        .map(|failure| failure.print(messages))
        .fold(0, u8::max))
}

/// Formats reports without their waveforms: one as an object, several as an array.
fn to_json(reports: &[Report]) -> String {
    let documents: Vec<String> = reports
        .iter()
        .map(|report| {
            let mut report = report.clone();
            report.overview = None;
            report.to_json()
        })
        .collect();
    match documents.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(",\n")),
    }
}

const COLUMNS: usize = 9;

/// Alignment and heading of each column.
const HEADINGS: [(Align, &str); COLUMNS] = [
    (Align::Left, "file"),
    (Align::Right, "rate"),
    (Align::Left, "layout"),
    (Align::Left, "coding"),
    (Align::Left, "length"),
    (Align::Right, "peak dBFS"),
    (Align::Right, "true dBTP"),
    (Align::Right, "LUFS"),
    (Align::Right, "LU"),
];

/// A wider cell runs over its column, and does not widen the others.
const MAX_WIDTH: usize = 120;

#[derive(Clone, Copy)]
enum Align {
    Left,
    Right,
}

/// A row per file, under headings.
struct Table {
    rows: Vec<[String; COLUMNS]>,
}

impl Table {
    fn of(reports: &[Report]) -> Self {
        let headings = HEADINGS.map(|(_, heading)| heading.to_owned());
        Self {
            rows: std::iter::once(headings)
                .chain(reports.iter().map(row))
                .collect(),
        }
    }
}

impl Display for Table {
    /// Writes the table. With a width, `{table:80}`, names and codings lose their middle until the rows fit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = [0; COLUMNS];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                let own = cells(cell);
                if own <= MAX_WIDTH {
                    *width = own.max(*width);
                }
            }
        }
        let limit = f.width();
        if let Some(columns) = limit {
            narrow(&mut widths, columns);
        }
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, width), (align, _)) in row.iter().zip(widths).zip(HEADINGS) {
                let cell = match limit {
                    Some(_) => shortened(cell, width),
                    None => cell.clone(),
                };
                let missing = " ".repeat(width.saturating_sub(cells(&cell)));
                line += &match align {
                    Align::Left => format!("  {cell}{missing}"),
                    Align::Right => format!("  {missing}{cell}"),
                };
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Smallest width that a column is shortened to.
const MIN_WIDTH: usize = 8;

/// Narrows the widest column of text until a row takes at most this many cells.
fn narrow(widths: &mut [usize; COLUMNS], columns: usize) {
    while widths.iter().map(|width| width + 2).sum::<usize>() > columns {
        let texts = widths.iter_mut().zip(HEADINGS);
        let texts =
            texts.filter(|(width, (align, _))| matches!(align, Align::Left) && **width > MIN_WIDTH);
        match texts.max_by_key(|(width, _)| **width) {
            Some((width, _)) => *width -= 1,
            None => return,
        }
    }
}

fn row(report: &Report) -> [String; COLUMNS] {
    let clip = report.tracks.first().and_then(|t| t.clips.first());
    let level = |level: Option<f64>| level.map_or("-".to_owned(), |l| format!("{l:+.1}"));
    [
        printable(&report.title),
        report.rate_hz.to_string(),
        report.layout.clone(),
        clip.map(coding).unwrap_or_default(),
        clock(report.frames, report.rate_hz),
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

/// Formats codec and sample format: `FLAC, 24 bits`.
fn coding(clip: &ClipReport) -> String {
    match clip.bits {
        Some(bits) => format!(
            "{}, {bits} bits{}",
            clip.codec,
            if clip.float { " float" } else { "" }
        ),
        None => clip.codec.clone(),
    }
}
