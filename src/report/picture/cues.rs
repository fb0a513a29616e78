//! Cues as bands and markers as lines across everything that has a time.

use super::{
    axis::Axis,
    svg::{Anchor, Fit, Svg, escaped, width},
};
use crate::report::Overview;

const ROW: f64 = 18.0;
const MOST_ROWS: usize = 3;
/// Bands and lines that are drawn at the most.
const MOST: usize = 500;

/// A label in its row.
struct Placed<'a> {
    x: f64,
    room: f64,
    row: usize,
    text: &'a str,
}

/// How high the labels are.
pub(super) fn height(overview: &Overview, axis: &Axis) -> f64 {
    let rows = |labels: &[Placed]| labels.iter().map(|l| l.row + 1).max().unwrap_or(0);
    ROW * (rows(&names(overview, axis)) + rows(&signs(overview, axis))) as f64
}

/// Draws the names above the lanes, from `y` on.
pub(super) fn labels(svg: &mut Svg, overview: &Overview, axis: &Axis, y: f64) {
    let cues = names(overview, axis);
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
            Some(Fit {
                room: cue.room - 12.0,
                size: 12.0,
            }),
        );
    }
    for sign in signs(overview, axis) {
        let base = below + ROW * sign.row as f64 + 13.0;
        let (x, middle) = (super::svg::number(sign.x), super::svg::number(base - 8.5));
        svg.path("marker-flag", &format!("M{x} {middle}l4 4-4 4-4-4z"));
        svg.text(
            "marker-name",
            (sign.x + 8.0, base),
            Anchor::Start,
            sign.text,
            Some(Fit {
                room: sign.room - 10.0,
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
        .take(MOST)
    {
        let (x, to) = (axis.x(cue.start_s), axis.x(cue.end_s));
        svg.rect("cue", [x, top, to - x, bottom - top], 0.0);
    }
    for marker in overview
        .markers
        .iter()
        .filter(|m| inside(axis, m.at_s))
        .take(MOST)
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

fn names<'a>(overview: &'a Overview, axis: &Axis) -> Vec<Placed<'a>> {
    let cues = overview
        .cues
        .iter()
        .filter(|c| c.end_s > axis.start_s && c.start_s < axis.end_s())
        .take(MOST);
    placed(
        cues.map(|c| (axis.x(c.start_s), c.name.as_str(), 12.0))
            .collect(),
        axis.right,
    )
}

fn signs<'a>(overview: &'a Overview, axis: &Axis) -> Vec<Placed<'a>> {
    let markers = overview
        .markers
        .iter()
        .filter(|m| inside(axis, m.at_s))
        .take(MOST);
    placed(
        markers
            .map(|m| (axis.x(m.at_s), m.name.as_str(), 11.0))
            .collect(),
        axis.right,
    )
}

/// Labels in as few rows as they need, each up to the next in its row; what finds no room in the last row has none.
fn placed(mut labels: Vec<(f64, &str, f64)>, right: f64) -> Vec<Placed<'_>> {
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut rows: Vec<(f64, usize)> = Vec::new();
    let mut out: Vec<Placed> = Vec::new();
    for (x, text, size) in labels {
        let wide = (width(text, size) + 16.0).min(220.0);
        let free = rows.iter().position(|(end, _)| *end <= x);
        let row = free.or_else(|| (rows.len() < MOST_ROWS).then_some(rows.len()));
        let Some(row) = row else { continue };
        let place = (x + wide, out.len());
        match rows.get_mut(row) {
            Some(taken) => *taken = place,
            None => rows.push(place),
        }
        out.push(Placed {
            x,
            room: wide.min(right + 60.0 - x),
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
        let labels = placed(
            (0..50)
                .map(|i| (f64::from(i) * 9.0, "a name of some length", 12.0))
                .collect(),
            1000.0,
        );
        assert!(labels.len() > 3 && labels.iter().all(|l| l.row < 3));
        for (i, a) in labels.iter().enumerate() {
            for b in labels.iter().skip(i + 1).filter(|b| b.row == a.row) {
                assert!(b.x >= a.x + a.room);
            }
        }
    }
}
