//! Draws the warnings with their codes and marks.

use super::{
    MARGIN, PAGE,
    head::{CardState, mark},
    svg::{Anchor, Svg, TextFit},
};
use crate::diagnostics::WarningKind;
use crate::report::Report;

/// Maximum number of warnings drawn. The JSON form holds all.
const MAX_WARNINGS: usize = 16;
/// Maximum number of lines per warning.
const MAX_LINES: usize = 3;
const LINE_HEIGHT: f64 = 18.0;

/// Draws warnings, then notes, from `y` down. Returns the position of their lower end.
pub(super) fn draw(svg: &mut Svg, report: &Report, y: f64) -> f64 {
    let mut y = y;
    let warnings = || report.warnings.iter();
    let sorted = warnings()
        .filter(|w| !w.kind.is_note())
        .chain(warnings().filter(|w| w.kind.is_note()));
    for warning in sorted.take(MAX_WARNINGS) {
        let (class, state) = match &warning.kind {
            WarningKind::ClippedOutput { .. } | WarningKind::NonFiniteSamples { .. } => {
                ("note bad", CardState::Bad)
            }
            _ if warning.kind.is_note() => ("note", CardState::Plain),
            _ => ("note care", CardState::Attention),
        };
        svg.group(class);
        mark(svg, state, MARGIN + 6.0, y + 8.0);
        svg.text(
            "code",
            (MARGIN + 20.0, y + 12.0),
            Anchor::Start,
            warning.kind.code(),
            None,
        );
        let left = MARGIN + 66.0;
        let fit = TextFit {
            max_width: PAGE - MARGIN - left,
            size: 12.5,
        };
        for line in fit.lines(&warning.message()).into_iter().take(MAX_LINES) {
            svg.text("note-text", (left, y + 12.0), Anchor::Start, &line, None);
            y += LINE_HEIGHT;
        }
        svg.close();
    }
    let more = report.warnings.len().saturating_sub(MAX_WARNINGS);
    if more > 0 {
        let text = format!("and {more} more, in the JSON form of this report");
        svg.text(
            "detail",
            (MARGIN + 20.0, y + 12.0),
            Anchor::Start,
            &text,
            None,
        );
        y += LINE_HEIGHT;
    }
    y
}
