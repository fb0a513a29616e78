//! Draws the index of several reports: a row for each, with what people look for first.

use super::{
    DrawnReport, MARGIN, PAGE,
    head::{self, CardState, grouped, mark, signed},
    hover::HoverData,
    notes::CodeGroup,
    svg::{Anchor, Svg, TextFit, escaped},
    time,
};
use crate::report::Report;

/// Headings of the columns after the name.
const HEADINGS: [&str; 5] = ["length", "LUFS", "dBTP", "clipped", "warnings"];
/// Right ends of these columns in the picture.
const COLUMN_ENDS: [f64; 5] = [830.0, 930.0, 1030.0, 1140.0, PAGE - MARGIN];
/// Width of the name in the picture.
const NAME_WIDTH: f64 = 640.0;
const ROW_HEIGHT: f64 = 22.0;

/// Row of one report.
struct IndexRow {
    name: String,
    cells: [String; 5],
    state: CardState,
}

impl IndexRow {
    fn of(report: &Report) -> Self {
        let title = head::title(report);
        let name = match &report.output {
            // The title of a described file is its name.
            Some(output) if output.ends_with(&title) => crate::error::one_line(output.clone()),
            Some(output) => format!("{title} · {}", crate::error::one_line(output.clone())),
            None => title,
        };
        let level = |level: Option<f64>| level.map_or("–".to_owned(), |l| signed(l, 1));
        let warnings = report.warnings.iter().filter(|w| !w.kind.is_note()).count();
        let groups = CodeGroup::of(report);
        let is_bad = groups.iter().any(|group| group.state == CardState::Bad)
            || report.verdict.as_ref().is_some_and(|v| !v.passed());
        Self {
            name,
            cells: [
                time(report.duration_s),
                level(report.mix.integrated_lufs),
                level(report.mix.true_peak_dbtp),
                grouped(report.mix.clipped_samples),
                warnings.to_string(),
            ],
            state: match warnings {
                _ if is_bad => CardState::Bad,
                0 => CardState::Good,
                _ => CardState::Attention,
            },
        }
    }
}

/// Draws the index as a picture; `None` for a single report.
pub(super) fn draw(reports: &[Report]) -> Option<DrawnReport> {
    if reports.len() < 2 {
        return None;
    }
    let mut svg = Svg::default();
    let mut y = 46.0;
    let text = format!("{} reports", reports.len());
    svg.text("title", (MARGIN, y), Anchor::Start, &text, None);
    y += 30.0;
    for (heading, x) in HEADINGS.iter().zip(COLUMN_ENDS) {
        svg.text("tick", (x, y), Anchor::End, heading, None);
    }
    for report in reports {
        y += ROW_HEIGHT;
        let row = IndexRow::of(report);
        svg.group(row.state.class());
        mark(&mut svg, row.state, MARGIN + 6.0, y - 4.0);
        let fit = TextFit {
            max_width: NAME_WIDTH,
            size: 13.0 * 1.1,
        };
        let place = (MARGIN + 20.0, y);
        svg.text("name", place, Anchor::Start, &row.name, Some(fit));
        for (cell, x) in row.cells.iter().zip(COLUMN_ENDS) {
            svg.text("level", (x, y), Anchor::End, cell, None);
        }
        svg.close();
    }
    Some(DrawnReport {
        body: svg.into_text(),
        height: y + 24.0,
        bottom: 0.0,
        hover: HoverData::default(),
    })
}

/// Returns the index as HTML with links to the reports; empty for a single report.
pub(super) fn html<'a>(reports: impl ExactSizeIterator<Item = &'a Report>) -> String {
    if reports.len() < 2 {
        return String::new();
    }
    let mut out = format!(
        "<nav class=\"index\">\n<h1>{} reports</h1>\n<div class=\"scroll\"><table>\n<tr><th></th><th></th>",
        reports.len()
    );
    for heading in HEADINGS {
        out += &format!("<th class=\"n\">{heading}</th>");
    }
    out += "</tr>\n";
    for (number, report) in (1..).zip(reports) {
        let row = IndexRow::of(report);
        out += &format!(
            "<tr class=\"{}\"><td>{}</td><td><a href=\"#report-{number}\">{}</a></td>",
            row.state.class(),
            super::html::sign(row.state),
            escaped(&row.name)
        );
        for cell in &row.cells {
            out += &format!("<td class=\"n\">{}</td>", escaped(cell));
        }
        out += "</tr>\n";
    }
    out + "</table></div>\n</nav>\n"
}
