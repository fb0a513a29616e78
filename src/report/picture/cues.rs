//! Draws cues as bands and markers as lines across all lanes that have a time axis.

use super::{
    axis::Axis,
    svg::{Anchor, Svg, TextFit, escaped, text_width},
};
use crate::report::Overview;

const ROW: f64 = 18.0;
const MAX_ROWS: usize = 3;
/// Maximum number of cues, and of markers, that are drawn.
const MAX_DRAWN: usize = 500;

/// A label with its row.
struct PlacedLabel<'a> {
    x: f64,
    max_width: f64,
    row: usize,
    text: &'a str,
}

/// Returns the height of all label rows.
pub(super) fn height(overview: &Overview, axis: &Axis) -> f64 {
    let rows = |labels: &[PlacedLabel]| labels.iter().map(|l| l.row + 1).max().unwrap_or(0);
    ROW * (rows(&cue_labels(overview, axis)) + rows(&marker_labels(overview, axis))) as f64
}

/// Draws the names of cues and markers above the lanes, from `y` down.
pub(super) fn labels(svg: &mut Svg, overview: &Overview, axis: &Axis, y: f64) {
    let cues = cue_labels(overview, axis);
    let below = y + ROW * cues.iter().map(|l| l.row + 1).max().unwrap_or(0) as f64;
    for cue in &cues {
        let base = y + ROW * cue.row as f64 + 13.0;
        svg.path(
            "cue-flag",
            &format!(
                "M{} {}l6 3.5-6 3.5z",
                super::svg::number(cue.x),
                super::svg::number(base - 8.0)
            ),
        );
        svg.text(
            "cue-name",
            (cue.x + 9.0, base),
            Anchor::Start,
            cue.text,
            Some(TextFit {
                max_width: cue.max_width - 12.0,
                size: 12.0,
            }),
        );
    }
    for marker in marker_labels(overview, axis) {
        let base = below + ROW * marker.row as f64 + 13.0;
        let (x, middle) = (super::svg::number(marker.x), super::svg::number(base - 8.5));
        svg.path("marker-flag", &format!("M{x} {middle}l4 4-4 4-4-4z"));
        svg.text(
            "marker-name",
            (marker.x + 8.0, base),
            Anchor::Start,
            marker.text,
            Some(TextFit {
                max_width: marker.max_width - 10.0,
                size: 11.0,
            }),
        );
    }
}

/// Draws the bands of the cues and the lines of the markers from `top` to `bottom`.
pub(super) fn bands(svg: &mut Svg, overview: &Overview, axis: &Axis, top: f64, bottom: f64) {
    for cue in overview
        .cues
        .iter()
        .filter(|c| c.end_s > axis.start_s && c.start_s < axis.end_s())
        .take(MAX_DRAWN)
    {
        let (x, to) = (axis.x(cue.start_s), axis.x(cue.end_s));
        svg.rect("cue", [x, top, to - x, bottom - top], 0.0);
    }
    for marker in overview
        .markers
        .iter()
        .filter(|m| inside(axis, m.at_s))
        .take(MAX_DRAWN)
    {
        let x = super::svg::number(axis.x(marker.at_s));
        svg.raw(&format!(
            "<path class=\"marker\" d=\"M{x} {top}V{bottom}\"><title>{}</title></path>",
            escaped(&marker.name)
        ));
    }
}

fn inside(axis: &Axis, at_s: f64) -> bool {
    (axis.start_s..=axis.end_s()).contains(&at_s)
}

fn cue_labels<'a>(overview: &'a Overview, axis: &Axis) -> Vec<PlacedLabel<'a>> {
    let cues = overview
        .cues
        .iter()
        .filter(|c| c.end_s > axis.start_s && c.start_s < axis.end_s())
        .take(MAX_DRAWN);
    place_labels(
        cues.map(|c| (axis.x(c.start_s), c.name.as_str(), 12.0))
            .collect(),
        axis.right,
    )
}

fn marker_labels<'a>(overview: &'a Overview, axis: &Axis) -> Vec<PlacedLabel<'a>> {
    let markers = overview
        .markers
        .iter()
        .filter(|m| inside(axis, m.at_s))
        .take(MAX_DRAWN);
    place_labels(
        markers
            .map(|m| (axis.x(m.at_s), m.name.as_str(), 11.0))
            .collect(),
        axis.right,
    )
}

/// Assigns labels to rows. A label takes the first row that is free at its position and is dropped
/// if none of [`MAX_ROWS`] is.
fn place_labels(mut labels: Vec<(f64, &str, f64)>, right: f64) -> Vec<PlacedLabel<'_>> {
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut rows: Vec<(f64, usize)> = Vec::new();
    let mut out: Vec<PlacedLabel> = Vec::new();
    for (x, text, size) in labels {
        let label_width = (text_width(text, size) + 16.0).min(220.0);
        let free = rows.iter().position(|(end, _)| *end <= x);
        let row = free.or_else(|| (rows.len() < MAX_ROWS).then_some(rows.len()));
        let Some(row) = row else { continue };
        let place = (x + label_width, out.len());
        match rows.get_mut(row) {
            Some(taken) => *taken = place,
            None => rows.push(place),
        }
        out.push(PlacedLabel {
            x,
            max_width: label_width.min(right + 60.0 - x),
            row,
            text,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_never_overlap_and_never_take_more_than_three_rows() {
        let labels = place_labels(
            (0..50)
                .map(|i| (f64::from(i) * 9.0, "a name of some length", 12.0))
                .collect(),
            1000.0,
        );
        assert!(labels.len() > 3 && labels.iter().all(|l| l.row < 3));
        for (i, a) in labels.iter().enumerate() {
            for b in labels.iter().skip(i + 1).filter(|b| b.row == a.row) {
                assert!(b.x >= a.x + a.max_width);
            }
        }
    }
}
