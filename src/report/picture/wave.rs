//! A waveform as the outline of a path.

use crate::report::Waveform;
use std::fmt::Write as _;

/// Steps of height to a unit of the page.
const FINE: f64 = 4.0;

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
                inside.iter().map(|v| if v.is_finite() { f64::from(*v) } else { 0.0 }).collect()
            };
            let (low, high, rms) = (part(&wave.min), part(&wave.max), part(&wave.rms));
            let power = rms.iter().map(|r| r * r).sum::<f64>() / rms.iter().fold(0.0, |n, _| n + 1.0f64).max(1.0);
            Column {
                min: low.into_iter().fold(f64::INFINITY, f64::min),
                max: high.into_iter().fold(f64::NEG_INFINITY, f64::max),
                rms: power.sqrt(),
            }
        })
        .collect()
}

/// The outlines of what is not silent, in steps: x counts columns, y quarters of a unit of the page downwards from the
/// middle. `half` is the height of full deflection, and `edge` gives the upper and the lower bound of a column as parts of it.
pub(super) fn outline(columns: &[Column], half: f64, edge: impl Fn(&Column) -> (f64, f64)) -> String {
    let deflection = |c: &Column| {
        let (up, down) = edge(c);
        let steps = |v: f64| (v.clamp(-1.0, 1.0) * half * FINE).round() as i64;
        (-steps(up), -steps(down))
    };
    let all: Vec<(i64, i64)> = columns.iter().map(deflection).collect();
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

/// A polygon through the middles of the columns: the upper bounds from left to right, the lower ones back.
fn shape(out: &mut String, at: usize, run: &[(i64, i64)]) {
    let _ = write!(out, "M{at} 0l.5 ");
    let mut y = 0;
    let mut first = true;
    let mut to = |out: &mut String, dx: &str, target: i64| {
        let dy = target - y;
        if !first {
            out.push_str(dx);
        }
        let gap = if first || dy < 0 { "" } else { " " };
        let _ = write!(out, "{gap}{dy}");
        (y, first) = (target, false);
        out.push(' ');
    };
    for (up, _) in run {
        to(out, "1", *up);
    }
    if let Some((_, down)) = run.last() {
        to(out, "0", *down);
    }
    for (_, down) in run.iter().rev().skip(1) {
        to(out, "-1", *down);
    }
    let closed = out.trim_end().len();
    out.truncate(closed);
    out.push('z');
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
        assert_eq!(two[1], Column { min: -0.25, max: 1.0, rms: 0.0 });
        assert_eq!(columns(&wave, 100).len(), 4);
        assert_eq!(columns(&Waveform::default(), 100), []);
    }

    #[test]
    fn silence_is_not_drawn() {
        let column = |min, max| Column { min, max, rms: 0.0 };
        let quiet = column(0.0, 0.0);
        let draw = |columns: &[Column]| outline(columns, 10.0, |c| (c.max, c.min));
        assert_eq!(draw(&[quiet; 9]), "");
        let sound = [quiet, column(-0.5, 1.0), column(-1.0, 0.25), quiet];
        assert_eq!(draw(&sound), "M1 0l.5 -40 1 30 0 50 -1-20z");
        assert_eq!(draw(&[column(-9.0, 9.0)]), "M0 0l.5 -40 0 80z");
    }
}
