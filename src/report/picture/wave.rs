//! Draws waveforms as outlines and levels over time as lines.
//!
//! Path coordinates are small integers, x in columns and y in fractions of a page unit, which keeps
//! the data short; an enclosing group scales them.

use super::svg::{Svg, number};
use crate::report::Waveform;
use std::{fmt::Write as _, ops::Range};

/// Minimum, maximum and RMS of the bins under one column of the page; RMS is 0 if the waveform has
/// none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Column {
    pub min: f64,
    pub max: f64,
    pub rms: f64,
}

impl Column {
    /// Returns the largest absolute value.
    pub(super) fn peak(&self) -> f64 {
        self.max.max(-self.min)
    }
}

/// Reduces a waveform to at most `max_columns` columns, merging the bins that share a column.
pub(super) fn columns(wave: &Waveform, max_columns: usize) -> Vec<Column> {
    let bins = wave.min.len().min(wave.max.len());
    let count = bins.min(max_columns);
    (0..count)
        .map(|column| {
            let bins = column * bins / count..(column + 1) * bins / count;
            let rms = finite_values(&wave.rms, bins.clone());
            let power: f64 = rms.iter().map(|r| r * r).sum();
            let min = finite_values(&wave.min, bins.clone()).into_iter();
            let max = finite_values(&wave.max, bins).into_iter();
            Column {
                min: min.fold(f64::INFINITY, f64::min),
                max: max.fold(f64::NEG_INFINITY, f64::max),
                rms: (power / rms.len().max(1) as f64).sqrt(),
            }
        })
        .collect()
}

/// Returns the values of a range of bins with non-finite ones as 0; empty if a bin does not exist.
fn finite_values(values: &[f32], bins: Range<usize>) -> Vec<f64> {
    let values = values.get(bins).unwrap_or(&[]);
    values
        .iter()
        .map(|v| if v.is_finite() { f64::from(*v) } else { 0.0 })
        .collect()
}

/// Converts integer path coordinates to positions on the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PathScale {
    left: f64,
    /// Position of y = 0.
    base: f64,
    /// Width of a column.
    column_width: f64,
    /// Steps of y per page unit.
    steps_per_unit: f64,
}

impl PathScale {
    /// Creates a scale of `columns` columns from `left` over `width`. Low lanes get finer vertical
    /// steps.
    pub(super) fn new((left, width): (f64, f64), base: f64, columns: usize, high: f64) -> Self {
        Self {
            left,
            base,
            column_width: width / columns.max(1) as f64,
            steps_per_unit: if high > 30.0 { 2.0 } else { 4.0 },
        }
    }

    /// Opens the group that scales the coordinates.
    pub(super) fn open(&self, svg: &mut Svg) {
        let (left, base, steps_per_unit) = (
            number(self.left),
            number(self.base),
            number(1.0 / self.steps_per_unit),
        );
        svg.raw(&format!(
            "<g transform=\"translate({left} {base}) scale({:.6} {steps_per_unit})\">",
            self.column_width
        ));
    }

    /// Returns the outline of every non-silent run of columns, given the extent above and below the
    /// base line.
    pub(super) fn outline(&self, columns: impl Iterator<Item = (f64, f64)>) -> String {
        let all: Vec<(i64, i64)> = columns
            .map(|(up, down)| (-self.steps(up), self.steps(down)))
            .collect();
        let mut out = String::new();
        let mut at = 0;
        for run in all.chunk_by(|a, b| (*a == (0, 0)) == (*b == (0, 0))) {
            if run.iter().any(|c| *c != (0, 0)) {
                write_outline(&mut out, at, run);
            }
            at += run.len();
        }
        out
    }

    /// Returns lines through the centres of the columns, given the distance below the base; a
    /// `None` interrupts the line.
    pub(super) fn line(&self, columns: impl Iterator<Item = Option<f64>>) -> String {
        let all: Vec<Option<i64>> = columns.map(|c| c.map(|y| self.steps(y))).collect();
        let mut out = String::new();
        let mut at = 0;
        for run in all.chunk_by(|a, b| a.is_some() == b.is_some()) {
            if let Some(Some(first)) = run.first() {
                let _ = write!(out, "M{at}.5 {first}");
                let mut path = RelativePath::new(*first);
                run.iter()
                    .skip(1)
                    .flatten()
                    .for_each(|y| path.line_to(&mut out, 1, *y));
                path.flush(&mut out);
            }
            at += run.len();
        }
        out
    }

    fn steps(&self, height: f64) -> i64 {
        (height * self.steps_per_unit).round() as i64
    }
}

/// Appends a polygon through the centres of the columns: the upper edge from left to right, the
/// lower edge back.
fn write_outline(out: &mut String, at: usize, run: &[(i64, i64)]) {
    let (Some((first, _)), Some((_, last))) = (run.first(), run.last()) else {
        return;
    };
    let _ = write!(out, "M{at} 0l.5 {first}");
    let mut path = RelativePath::new(*first);
    run.iter()
        .skip(1)
        .for_each(|(up, _)| path.line_to(out, 1, *up));
    path.line_to(out, 0, *last);
    run.iter()
        .rev()
        .skip(1)
        .for_each(|(_, down)| path.line_to(out, -1, *down));
    path.flush(out);
    out.push('z');
}

/// Writes relative line commands and merges horizontal steps.
struct RelativePath {
    y: i64,
    pending_dx: i64,
    has_command: bool,
}

impl RelativePath {
    fn new(y: i64) -> Self {
        Self {
            y,
            pending_dx: 0,
            has_command: false,
        }
    }

    fn line_to(&mut self, out: &mut String, dx: i64, y: i64) {
        if y == self.y && dx * self.pending_dx >= 0 {
            self.pending_dx += dx;
            return;
        }
        self.flush(out);
        self.write_step(out, dx, y - self.y);
        self.y = y;
    }

    /// Writes the pending horizontal step.
    fn flush(&mut self, out: &mut String) {
        if self.pending_dx != 0 {
            self.write_step(out, self.pending_dx, 0);
            self.pending_dx = 0;
        }
    }

    fn write_step(&mut self, out: &mut String, dx: i64, dy: i64) {
        out.push('l');
        if std::mem::replace(&mut self.has_command, true) {
            // SVG allows repeated commands without repeating the letter.
            out.pop();
            if dx >= 0 {
                out.push(' ');
            }
        }
        let _ = write!(out, "{dx}{}{dy}", if dy < 0 { "" } else { " " });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_that_share_a_column_are_joined() {
        let wave = Waveform {
            min: vec![-0.5, 0.0, -0.25, f32::NAN],
            max: vec![0.25, 0.5, 0.5, 1.0],
            rms: vec![0.3, 0.4, 0.0, 0.0],
        };
        let two = columns(&wave, 2);
        assert_eq!((two[0].min, two[0].max), (-0.5, 0.5));
        assert!((two[0].rms - (0.125f64).sqrt()).abs() < 1e-7);
        assert_eq!(
            two[1],
            Column {
                min: -0.25,
                max: 1.0,
                rms: 0.0
            }
        );
        assert_eq!(columns(&wave, 100).len(), 4);
        assert_eq!(columns(&Waveform::default(), 100), []);
    }

    #[test]
    fn silence_is_not_drawn_and_levels_are_one_step() {
        let steps = PathScale::new((0.0, 100.0), 0.0, 100, 20.0);
        let draw = |columns: &[(f64, f64)]| steps.outline(columns.iter().copied());
        let quiet = (0.0, 0.0);
        assert_eq!(draw(&[quiet; 9]), "");
        assert_eq!(
            draw(&[quiet, (10.0, 5.0), (2.5, 10.0), quiet]),
            "M1 0l.5 -40l1 30 0 50-1-20z"
        );
        assert_eq!(draw(&[(1.0, 1.0); 5]), "M0 0l.5 -4l4 0 0 8-4 0z");
        assert_eq!(draw(&[(9.0, 9.0)]), "M0 0l.5 -36l0 72z");
    }

    #[test]
    fn a_line_is_broken_where_there_is_no_value() {
        let steps = PathScale::new((0.0, 100.0), 0.0, 100, 150.0);
        let values = [
            None,
            Some(1.0),
            Some(1.0),
            Some(1.0),
            Some(3.0),
            None,
            Some(2.0),
        ];
        assert_eq!(steps.line(values.into_iter()), "M1.5 2l2 0 1 4M6.5 4");
    }
}
