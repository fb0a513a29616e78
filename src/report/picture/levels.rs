//! Draws loudness over time and peaks with overs, below the lanes.

use super::{
    COLUMNS, LEFT, MARGIN, RIGHT,
    axis::Axis,
    head::{grouped, signed},
    hover,
    overs::TOLERANCE_DB,
    svg::{Anchor, Svg, number},
    targets::Targets,
    wave::{Column, PathScale, columns},
};
use crate::report::{LoudnessOverview, Overview, Report};
use crate::units::Dbfs;
use std::fmt::Write as _;

const LOUDNESS_HEIGHT: f64 = 150.0;
const PEAK_HEIGHT: f64 = 56.0;
/// Lowest level shown in the peak lane, in dB.
const PEAK_FLOOR_DB: f64 = -36.0;
/// Distance in decibels of the numbers beside the peak lane, where they fit.
const PEAK_STEP_DB: f64 = 12.0;
/// Smallest distance of two numbers beside the peak lane.
const MIN_PEAK_TICK_DISTANCE: f64 = 12.0;
/// Largest range of the peak lane with that distance; it is a multiple of it beyond.
const MAX_FINE_RANGE_DB: f64 = 60.0;

/// Draws the level curves from `y` down. Returns the position of their lower end.
pub(super) fn draw(
    svg: &mut Svg,
    report: &Report,
    overview: &Overview,
    axis: &Axis,
    y: f64,
    hover: &mut hover::HoverData,
) -> f64 {
    let (mut y, targets) = (y, Targets::new(report));
    if let Some(loudness) = &overview.loudness {
        curves(svg, overview, loudness, &targets, axis, y, hover);
        y += LOUDNESS_HEIGHT + 18.0;
    }
    peaks(svg, overview, &targets, axis, y);
    y + PEAK_HEIGHT
}

/// Draws momentary, short-term and integrated loudness over time, with the target.
fn curves(
    svg: &mut Svg,
    overview: &Overview,
    loudness: &LoudnessOverview,
    targets: &Targets,
    axis: &Axis,
    y: f64,
    hover: &mut hover::HoverData,
) {
    let bottom = y + LOUDNESS_HEIGHT;
    let scale = LevelScale::new(loudness, targets, y + 6.0, bottom - 6.0);
    heading(svg, y + 14.0, "Loudness", "LUFS");
    let legend = [
        ("short", "short-term, 3 s"),
        ("momentary", "momentary, 0.4 s"),
        ("integrated", "integrated"),
    ];
    for (i, (class, text)) in (0u8..).zip(legend) {
        let at = y + 36.0 + 17.0 * f64::from(i);
        svg.line(class, (MARGIN + 12.0, at), (MARGIN + 30.0, at));
        svg.text(
            "detail",
            (MARGIN + 37.0, at + 4.0),
            Anchor::Start,
            text,
            None,
        );
    }
    svg.rect("panel", [LEFT, y, axis.width(), LOUDNESS_HEIGHT], 0.0);
    axis.grid(svg, &axis.ticks(), y, bottom);
    if let Some(target) = targets.target_lufs {
        let at = y + 36.0 + 17.0 * 3.0;
        if let Some(tolerance) = targets.tolerance_lu {
            let (from, to) = (scale.y(target + tolerance), scale.y(target - tolerance));
            svg.rect("target", [LEFT, from, axis.width(), to - from], 0.0);
            svg.rect("target", [MARGIN + 12.0, at - 5.0, 18.0, 10.0], 0.0);
        }
        svg.line(
            "target-line",
            (LEFT, scale.y(target)),
            (RIGHT, scale.y(target)),
        );
        svg.line("target-line", (MARGIN + 12.0, at), (MARGIN + 30.0, at));
        svg.text(
            "detail",
            (MARGIN + 37.0, at + 4.0),
            Anchor::Start,
            &format!("target {}", signed(target, 0)),
            None,
        );
    }
    let mut level = scale.low;
    while level <= scale.high {
        let at = scale.y(level);
        svg.line("grid", (LEFT, at), (RIGHT, at));
        svg.text(
            "tick",
            (LEFT - 6.0, at + 4.0),
            Anchor::End,
            &signed(level, 0),
            None,
        );
        level += scale.step;
    }
    super::cues::bands(svg, overview, axis, y, bottom);
    let all = [
        &loudness.momentary_lufs,
        &loudness.short_term_lufs,
        &loudness.integrated_lufs,
    ]
    .map(|v| column_maxima(v, loudness.step_s, axis));
    for (class, values) in ["momentary", "short", "integrated"].iter().zip(&all) {
        let steps = PathScale::new((LEFT, axis.width()), 0.0, values.len(), LOUDNESS_HEIGHT);
        let seen = |v: &Option<f64>| v.filter(|v| *v >= scale.low).map(|v| scale.y(v));
        steps.open(svg);
        svg.path(class, &steps.line(values.iter().map(seen)));
        svg.raw("</g>");
    }
    let [momentary, short_term, integrated] = all;
    hover.loudness(momentary, short_term, integrated);
}

/// Vertical scale of the loudness curves, with round limits.
struct LevelScale {
    low: f64,
    high: f64,
    step: f64,
    top: f64,
    bottom: f64,
}

impl LevelScale {
    fn new(loudness: &LoudnessOverview, targets: &Targets, top: f64, bottom: f64) -> Self {
        let heard = loudness
            .momentary_lufs
            .iter()
            .chain(&loudness.short_term_lufs)
            .flatten();
        let heard: Vec<f64> = heard
            .map(|v| f64::from(*v))
            .filter(|v| v.is_finite())
            .collect();
        let most = heard.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let most = if most.is_finite() { most } else { -20.0 };
        // Quieter values are cut off: they would flatten the rest of the curve.
        let least = heard
            .into_iter()
            .filter(|v| *v > most - 25.0)
            .fold(most - 12.0, f64::min);
        let (most, least) = targets
            .target_lufs
            .map_or((most, least), |t| (most.max(t + 2.0), least.min(t - 2.0)));
        let step = if most - least > 24.0 {
            10.0
        } else if most - least > 12.0 {
            5.0
        } else {
            3.0
        };
        Self {
            low: (least / step).floor() * step,
            high: (most / step).ceil() * step,
            step,
            top,
            bottom,
        }
    }

    fn y(&self, level: f64) -> f64 {
        let part = (self.high - level) / (self.high - self.low).max(1e-9);
        self.top + part.clamp(0.0, 1.0) * (self.bottom - self.top)
    }
}

/// Returns the maximum value under each column of the page; `None` for columns without a value.
pub(super) fn column_maxima(values: &[Option<f32>], step_s: f64, axis: &Axis) -> Vec<Option<f64>> {
    let step_s = if step_s > 0.0 { step_s } else { 0.1 };
    let count = COLUMNS.min((axis.length_s / step_s).ceil() as usize).max(1);
    (0..count)
        .map(|column| {
            let start = column as f64 / count as f64 * axis.length_s / step_s;
            let end = (column + 1) as f64 / count as f64 * axis.length_s / step_s;
            // The tolerance keeps a step whose edge coincides with a column's, despite rounding, out
            // of the neighbouring column.
            let from = (start + 1e-6) as usize;
            let to = ((end - 1e-6).ceil() as usize).max(from + 1);
            largest(values.get(from..to.min(values.len())).unwrap_or(&[]))
        })
        .collect()
}

/// Returns the largest finite value.
fn largest(values: &[Option<f32>]) -> Option<f64> {
    values
        .iter()
        .flatten()
        .map(|value| f64::from(*value))
        .filter(|value| value.is_finite())
        .reduce(f64::max)
}

/// Draws the true peak over time, or the sample peak if there was no measurement, with its overs.
fn peaks(svg: &mut Svg, overview: &Overview, targets: &Targets, axis: &Axis, y: f64) {
    let bottom = y + PEAK_HEIGHT;
    let true_peaks = overview
        .loudness
        .as_ref()
        .map(|l| column_maxima(&l.true_peak_dbtp, l.step_s, axis));
    let (name, unit, values): (_, _, Vec<Option<f64>>) = match true_peaks {
        Some(values) => ("True peak", "dBTP", values),
        None => (
            "Peak",
            "dBFS",
            columns(&overview.mix.waveform, COLUMNS)
                .iter()
                .map(peak_dbfs)
                .collect(),
        ),
    };
    let ceiling = targets.ceiling_dbtp.unwrap_or(0.0);
    let high = values
        .iter()
        .flatten()
        .fold(ceiling.max(0.0), |m: f64, v| m.max(*v))
        + 1.5;
    let at =
        |level: f64| y + ((high - level) / (high - PEAK_FLOOR_DB)).clamp(0.0, 1.0) * PEAK_HEIGHT;
    heading(svg, y + 14.0, name, unit);
    let marks = super::overs::marks(overview, ceiling, axis);
    let places = match marks.len() {
        0 => format!("nothing over {}", signed(ceiling, 0)),
        1 => format!("1 place over {}", signed(ceiling, 0)),
        100.. => "100 overs and more".to_owned(),
        n => format!("{n} places over {}", signed(ceiling, 0)),
    };
    svg.text(
        "detail",
        (MARGIN + 12.0, y + 31.0),
        Anchor::Start,
        &places,
        None,
    );
    svg.rect("panel", [LEFT, y, axis.width(), PEAK_HEIGHT], 0.0);
    axis.grid(svg, &axis.ticks(), y, bottom);
    super::cues::bands(svg, overview, axis, y, bottom);
    let steps = PathScale::new((LEFT, axis.width()), bottom, values.len(), PEAK_HEIGHT);
    let reach = |v: &Option<f64>| (v.map_or(0.0, |v| bottom - at(v)), 0.0);
    steps.open(svg);
    svg.path("bars", &steps.outline(values.iter().map(reach)));
    svg.raw("</g>");
    let column_width = axis.width() / values.len().max(1) as f64;
    let mut red = String::new();
    for (i, level) in values.iter().enumerate() {
        let Some(level) = level.filter(|level| *level > ceiling + TOLERANCE_DB) else {
            continue;
        };
        let x = number(LEFT + i as f64 * column_width);
        let _ = write!(
            red,
            "M{x} {}h{}V{}H{x}z",
            number(at(level)),
            number(column_width.max(1.5)),
            number(bottom)
        );
    }
    svg.path("bars over", &red);
    for level in peak_ticks(ceiling, high) {
        let is_ceiling = level == ceiling;
        let (text_class, line_class) = if is_ceiling {
            ("tick over", "ceiling")
        } else {
            ("tick", "grid")
        };
        let text = signed(level, 0);
        let base = at(level) + 4.0;
        svg.text(text_class, (LEFT - 6.0, base), Anchor::End, &text, None);
        svg.line(line_class, (LEFT, at(level)), (RIGHT, at(level)));
    }
    for mark in &marks {
        mark.draw(svg, axis, y);
    }
    if overview.over_samples > 0 {
        let count = if overview.over_samples == 1 {
            "1 sample".to_owned()
        } else {
            format!("{} samples", grouped(overview.over_samples))
        };
        svg.text(
            "detail",
            (MARGIN + 12.0, y + 46.0),
            Anchor::Start,
            &count,
            None,
        );
    }
}

/// Returns the levels that the axis of the peaks names: the ceiling, full scale, and multiples of 12 dB up to
/// `high`, as far as they are apart enough to be read.
fn peak_ticks(ceiling: f64, high: f64) -> Vec<f64> {
    let range_db = high - PEAK_FLOOR_DB;
    let unit_per_db = PEAK_HEIGHT / range_db;
    let step = PEAK_STEP_DB * (range_db / MAX_FINE_RANGE_DB).ceil();
    let (lowest, highest) = ((PEAK_FLOOR_DB / step) as i32, (high / step) as i32);
    // From the top down, so that what is above full scale has a number.
    let multiples = (lowest..=highest).rev().map(|n| f64::from(n) * step);
    let mut ticks: Vec<f64> = Vec::new();
    for level in [ceiling, 0.0].into_iter().chain(multiples) {
        let is_free = |known: &f64| (known - level).abs() * unit_per_db >= MIN_PEAK_TICK_DISTANCE;
        if level <= high && level > PEAK_FLOOR_DB && ticks.iter().all(is_free) {
            ticks.push(level);
        }
    }
    ticks
}

fn peak_dbfs(column: &Column) -> Option<f64> {
    (column.peak() > 0.0).then(|| Dbfs::from_amplitude(column.peak()).0)
}

fn heading(svg: &mut Svg, y: f64, name: &str, unit: &str) {
    svg.with_unit("name", (MARGIN + 12.0, y), name, unit);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_of_the_peaks_reaches_what_is_above_full_scale() {
        assert_eq!(peak_ticks(0.0, 1.5), [0.0, -12.0, -24.0]);
        assert_eq!(peak_ticks(-1.0, 1.5), [-1.0, -12.0, -24.0]);
        assert_eq!(peak_ticks(0.0, 15.0), [0.0, 12.0, -12.0, -24.0]);
    }
}
