//! Report of a whole delivery as a page or as JSON: every file, the checks, the warnings, and a picture of
//! every mix.
//!
//! Nothing comes from a clock, so that two runs write the same bytes.

use super::report::{CheckLine, DeliverableReport, Delivered, FileReport, HEAD};
use crate::diagnostics::Warning;
use crate::report::{Report, Versioned, address, escaped, html_with_introduction, relative_path};
use serde_json::Value;
use std::path::Path;

const STYLE: &str = include_str!("page.css");

/// Returns the report as one JSON document: that of [`Delivered::to_json`] without the times that the
/// delivery took.
pub(super) fn json(delivered: &Delivered) -> String {
    // Serialization cannot fail: every key is a string and every value has a JSON form.
    let mut value = serde_json::to_value(Versioned::new(delivered)).unwrap_or_default();
    if let Value::Object(delivery) = &mut value {
        delivery.remove("wall_s");
        delivery.insert("passed".to_owned(), delivered.passed().into());
    }
    let files = value
        .get_mut("deliverables")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(|deliverable| deliverable.get_mut("files")?.as_array_mut())
        .flatten();
    for file in files.filter_map(Value::as_object_mut) {
        for key in ["wall_s", "times_real_time", "bytes"] {
            file.remove(key);
        }
    }
    serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
}

/// Returns the report as a page that is written to `path`. Links lead from there to the files.
pub(super) fn html(delivered: &Delivered, path: &Path) -> String {
    let title = match delivered.title.as_str() {
        "" => "Delivery",
        title => title,
    };
    let files = || delivered.deliverables.iter().flat_map(|d| &d.files);
    let mut page = format!(
        "<style>\n{STYLE}</style>\n<header class=\"delivery\">\n<h1>{}</h1>\n<p>{}</p>\n",
        escaped(title),
        summary(delivered, files().count())
    );
    page += &file_table(delivered, path);
    page += &check_list(&delivered.deliverables);
    page += &warning_list(delivered);
    page += "</header>\n";
    let pictures: Vec<(Report, Option<String>)> = files()
        .filter(|file| file.report.overview.is_some())
        .map(|file| {
            let output = file.report.output.as_deref();
            let audio = output.and_then(|output| relative_path(path, output));
            (pictured(file), audio)
        })
        .collect();
    let pictures: Vec<(&Report, Option<&str>)> = pictures
        .iter()
        .map(|(report, audio)| (report, audio.as_deref()))
        .collect();
    html_with_introduction(title, &page, &pictures)
}

/// Returns the report of a file under the name of what it holds.
fn pictured(file: &FileReport) -> Report {
    let mut report = file.report.clone();
    if let Some(of) = &file.of {
        report.title.clone_from(of);
    }
    report
}

/// Returns the numbers of files and of checks that failed.
fn summary(delivered: &Delivered, files: usize) -> String {
    let failed = delivered.deliverables.iter().filter(|d| !d.passed());
    let plural = if files == 1 { "" } else { "s" };
    match failed.count() {
        0 => format!("{files} file{plural}. All checks passed."),
        1 => format!("{files} file{plural}. <b>The checks of one deliverable FAILED.</b>"),
        n => format!("{files} file{plural}. <b>The checks of {n} deliverables FAILED.</b>"),
    }
}

/// Returns the table of all files. Numbers are aligned to the right.
fn file_table(delivered: &Delivered, path: &Path) -> String {
    let mut table = "<table>\n<tr>".to_owned();
    for head in HEAD.iter().chain(&["rate", "layout", "clipped", "picture"]) {
        table += &format!("<th>{head}</th>");
    }
    table += "</tr>\n";
    let mut pictures = 0;
    for deliverable in &delivered.deliverables {
        for file in &deliverable.files {
            let has_picture = file.report.overview.is_some();
            pictures += usize::from(has_picture);
            table += &file_row(deliverable, file, path, has_picture.then_some(pictures));
        }
    }
    table + "</table>\n"
}

/// Returns the row of a file. `picture` is the number of its picture on the page, counted from 1.
fn file_row(
    deliverable: &DeliverableReport,
    file: &FileReport,
    path: &Path,
    picture: Option<usize>,
) -> String {
    let report = &file.report;
    let mut row = "<tr>".to_owned();
    for (column, cell) in file.row(deliverable.name.clone()).into_iter().enumerate() {
        row += &match column {
            2 => format!("<td>{}</td>", link(&cell, path)),
            4.. => format!("<td class=\"n\">{}</td>", escaped(&cell)),
            _ => format!("<td>{}</td>", escaped(&cell)),
        };
    }
    let (rate, layout, clipped) = if file.is_audio() {
        (
            format!("{} Hz", report.rate_hz),
            report.layout.clone(),
            report.mix.clipped_samples.to_string(),
        )
    } else {
        ("-".to_owned(), "-".to_owned(), "-".to_owned())
    };
    let picture = picture.map_or("-".to_owned(), |number| {
        format!("<a href=\"#report-{number}\">below</a>")
    });
    row + &format!(
        "<td class=\"n\">{rate}</td><td>{}</td><td class=\"n\">{clipped}</td><td>{picture}</td></tr>\n",
        escaped(&layout)
    )
}

/// Returns the name of a file as a link from the page, if a relative path leads to it.
fn link(output: &str, page: &Path) -> String {
    let name = Path::new(output).file_name().map(|n| n.to_string_lossy());
    let name = escaped(&name.unwrap_or_default());
    match relative_path(page, output) {
        Some(relative) => format!("<a href=\"{}\">{name}</a>", escaped(&address(&relative))),
        None => name,
    }
}

/// Returns the gains and checks of all deliverables.
fn check_list(deliverables: &[DeliverableReport]) -> String {
    let lines = deliverables.iter().flat_map(|d| d.check_lines());
    let lines: Vec<CheckLine> = lines.collect();
    let marked = lines
        .iter()
        .map(|line| (line.text.as_str(), line.has_failed));
    list("Checks", marked)
}

/// Returns the warnings: one of each code, with the number of the others.
fn warning_list(delivered: &Delivered) -> String {
    let warnings = delivered.warnings();
    let mut groups: Vec<(&Warning, usize)> = Vec::new();
    for warning in warnings
        .into_iter()
        .filter(|warning| !warning.kind.is_note())
    {
        let code = warning.kind.code();
        match groups
            .iter_mut()
            .find(|(first, _)| first.kind.code() == code)
        {
            Some((_, count)) => *count += 1,
            None => groups.push((warning, 1)),
        }
    }
    let texts: Vec<String> = groups
        .iter()
        .map(|(warning, count)| match count {
            1 => warning.to_string(),
            _ => format!("{warning} (and {} more)", count - 1),
        })
        .collect();
    list("Warnings", texts.iter().map(|text| (text.as_str(), false)))
}

/// Returns a list with a heading; nothing for an empty one.
fn list<'a>(heading: &str, lines: impl Iterator<Item = (&'a str, bool)>) -> String {
    let mut items = String::new();
    for (line, is_bad) in lines {
        let class = if is_bad { " class=\"failed\"" } else { "" };
        items += &format!("<li{class}>{}</li>\n", escaped(line));
    }
    match items.as_str() {
        "" => String::new(),
        items => format!("<h2>{heading}</h2>\n<ul>\n{items}</ul>\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::PeakCheck;
    use super::*;

    #[test]
    fn a_summary_counts_files_and_failed_checks() {
        let delivered = |passed: &[bool]| {
            let deliverable = |passed: &bool| DeliverableReport {
                true_peak: Some(PeakCheck {
                    true_peak_dbtp: None,
                    ceiling_dbtp: -1.0,
                    passed: *passed,
                }),
                ..DeliverableReport::default()
            };
            Delivered {
                deliverables: passed.iter().map(deliverable).collect(),
                ..Delivered::default()
            }
        };
        let of = |passed: &[bool], files| summary(&delivered(passed), files);
        assert_eq!(of(&[true, true], 1), "1 file. All checks passed.");
        assert_eq!(of(&[], 0), "0 files. All checks passed.");
        assert_eq!(
            of(&[true, false], 2),
            "2 files. <b>The checks of one deliverable FAILED.</b>"
        );
        assert_eq!(
            of(&[false, true, false], 3),
            "3 files. <b>The checks of 2 deliverables FAILED.</b>"
        );
    }
}
