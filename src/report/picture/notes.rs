//! The warnings, each with its code and a mark.

use super::{
    MARGIN, PAGE,
    head::{State, mark},
    svg::{Anchor, Fit, Svg},
};
use crate::diagnostics::WarningKind;
use crate::report::Report;

/// Warnings that are drawn; all are in the JSON form.
const MOST: usize = 16;
/// Lines that one of them takes at the most.
const LINES: usize = 3;
const LINE: f64 = 18.0;

/// Draws the warnings from `y` on, those that ask for something first; where they end.
pub(super) fn draw(svg: &mut Svg, report: &Report, y: f64) -> f64 {
    let mut y = y;
    let warnings = || report.warnings.iter();
    let sorted = warnings()
        .filter(|w| !w.kind.is_note())
        .chain(warnings().filter(|w| w.kind.is_note()));
    for warning in sorted.take(MOST) {
        let (class, state) = match &warning.kind {
            WarningKind::ClippedOutput { .. } | WarningKind::NonFiniteSamples { .. } => {
                ("note bad", State::Bad)
            }
            _ if warning.kind.is_note() => ("note", State::Plain),
            _ => ("note care", State::Care),
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
        let fit = Fit {
            room: PAGE - MARGIN - left,
            size: 12.5,
        };
        for line in fit.lines(&warning.message()).into_iter().take(LINES) {
            svg.text("said", (left, y + 12.0), Anchor::Start, &line, None);
            y += LINE;
        }
        svg.close();
    }
    let more = report.warnings.len().saturating_sub(MOST);
    if more > 0 {
        let text = format!("and {more} more, in the JSON form of this report");
        svg.text(
            "detail",
            (MARGIN + 20.0, y + 12.0),
            Anchor::Start,
            &text,
            None,
        );
        y += LINE;
    }
    y
}
