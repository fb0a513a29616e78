//! A waveform as the outline of a path, and a level over time as a line.
//!
//! Paths are written in steps, x in columns and y in fractions of a unit of the page, so that they are short; they stand
//! in a group that scales them.

use super::svg::{Svg, number};
use crate::report::Waveform;
use std::fmt::Write as _;

/// A column of the page: the extent under it, and the root mean square where there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Column {
    pub min: f64,
    pub max: f64,
    pub rms: f64,
}

impl Column {
    /// The largest absolute value.
    pub(super) fn peak(&self) -> f64 {
        self.max.max(-self.min)
    }
}

/// The waveform in at most so many columns; bins that share a column are joined.
pub(super) fn columns(wave: &Waveform, most: usize) -> Vec<Column> {
    let bins = wave.min.len().min(wave.max.len());
    let count = bins.min(most);
    (0..count)
        .map(|c| {
            let (from, to) = (c * bins / count, (c + 1) * bins / count);
            let part = |values: &[f32]| -> Vec<f64> {
                let inside = values.get(from..to).unwrap_or(&[]);
                inside
                    .iter()
                    .map(|v| if v.is_finite() { f64::from(*v) } else { 0.0 })
                    .collect()
            };
            let (low, high, rms) = (part(&wave.min), part(&wave.max), part(&wave.rms));
            let power = rms.iter().map(|r| r * r).sum::<f64>()
                / rms.iter().fold(0.0, |n, _| n + 1.0f64).max(1.0);
            Column {
                min: low.into_iter().fold(f64::INFINITY, f64::min),
                max: high.into_iter().fold(f64::NEG_INFINITY, f64::max),
                rms: power.sqrt(),
            }
        })
        .collect()
}

/// How steps become places on the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Steps {
    left: f64,
    /// Where y is 0.
    base: f64,
    /// How wide a column is.
    wide: f64,
    /// Steps of y to a unit of the page.
    fine: f64,
}

impl Steps {
    /// So many columns from `left` on over a width; finer where there is little height.
    pub(super) fn new((left, width): (f64, f64), base: f64, columns: usize, high: f64) -> Self {
        Self {
            left,
            base,
            wide: width / columns.max(1) as f64,
            fine: if high > 30.0 { 2.0 } else { 4.0 },
        }
    }

    /// Opens the group that scales.
    pub(super) fn open(&self, svg: &mut Svg) {
        let (left, base, fine) = (
            number(self.left),
            number(self.base),
            number(1.0 / self.fine),
        );
        svg.raw(&format!(
            "<g transform=\"translate({left} {base}) scale({:.6} {fine})\">",
            self.wide
        ));
    }

    /// The outlines of what is not silent: how far each column reaches up and down.
    pub(super) fn outline(&self, columns: impl Iterator<Item = (f64, f64)>) -> String {
        let all: Vec<(i64, i64)> = columns
            .map(|(up, down)| (-self.steps(up), self.steps(down)))
            .collect();
        let mut out = String::new();
        let mut at = 0;
        for run in all.chunk_by(|a, b| (*a == (0, 0)) == (*b == (0, 0))) {
            if run.iter().any(|c| *c != (0, 0)) {
                shape(&mut out, at, run);
            }
            at += run.len();
        }
        out
    }

    /// Lines through the middles of columns, each so far below the base; broken where there is none.
    pub(super) fn line(&self, columns: impl Iterator<Item = Option<f64>>) -> String {
        let all: Vec<Option<i64>> = columns.map(|c| c.map(|y| self.steps(y))).collect();
        let mut out = String::new();
        let mut at = 0;
        for run in all.chunk_by(|a, b| a.is_some() == b.is_some()) {
            if let Some(Some(first)) = run.first() {
                let _ = write!(out, "M{at}.5 {first}");
                let mut pen = Pen::at(*first);
                run.iter()
                    .skip(1)
                    .flatten()
                    .for_each(|y| pen.to(&mut out, 1, *y));
                pen.lift(&mut out);
            }
            at += run.len();
        }
        out
    }

    fn steps(&self, height: f64) -> i64 {
        (height * self.fine).round() as i64
    }
}

/// A polygon through the middles of the columns: the upper bounds from left to right, the lower ones back.
fn shape(out: &mut String, at: usize, run: &[(i64, i64)]) {
    let (Some((first, _)), Some((_, last))) = (run.first(), run.last()) else {
        return;
    };
    let _ = write!(out, "M{at} 0l.5 {first}");
    let mut pen = Pen::at(*first);
    run.iter().skip(1).for_each(|(up, _)| pen.to(out, 1, *up));
    pen.to(out, 0, *last);
    run.iter()
        .rev()
        .skip(1)
        .for_each(|(_, down)| pen.to(out, -1, *down));
    pen.lift(out);
    out.push('z');
}

/// Draws in relative lines; steps on a level become one.
struct Pen {
    y: i64,
    level: i64,
    drawn: bool,
}

impl Pen {
    fn at(y: i64) -> Self {
        Self {
            y,
            level: 0,
            drawn: false,
        }
    }

    fn to(&mut self, out: &mut String, dx: i64, y: i64) {
        if y == self.y && dx * self.level >= 0 {
            self.level += dx;
            return;
        }
        self.lift(out);
        self.put(out, dx, y - self.y);
        self.y = y;
    }

    /// Draws what is pending.
    fn lift(&mut self, out: &mut String) {
        if self.level != 0 {
            self.put(out, self.level, 0);
            self.level = 0;
        }
    }

    fn put(&mut self, out: &mut String, dx: i64, dy: i64) {
        out.push('l');
        if std::mem::replace(&mut self.drawn, true) {
            // The letter need not be said again.
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
        let steps = Steps::new((0.0, 100.0), 0.0, 100, 20.0);
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
        let steps = Steps::new((0.0, 100.0), 0.0, 100, 150.0);
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
