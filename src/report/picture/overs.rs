//! The places that are over: samples above full scale, and true peaks above the ceiling between them.

use super::{
    axis::Axis,
    head::signed,
    svg::{Svg, number},
};
use crate::report::Overview;

/// Places that are marked at the most.
const MOST: usize = 100;

/// How far above the ceiling is over, in dB: what a limiter leaves is not.
pub(super) const HAIR: f64 = 0.05;

/// A place to mark.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    pub at_s: f64,
    pub what: String,
}

/// The first places in order of time. A true peak beside samples that are over is not marked again.
pub(super) fn of(overview: &Overview, ceiling: f64, axis: &Axis) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    for over in &overview.overs {
        let what = format!(
            "{} dBFS at {}",
            signed(over.peak_dbfs, 2),
            axis.name(over.at_s)
        );
        marks.push(Mark {
            at_s: over.at_s,
            what,
        });
    }
    // After the hundredth place, nobody knows which have samples over.
    let known = overview
        .overs
        .get(MOST - 1)
        .map_or(f64::INFINITY, |o| o.at_s);
    if let Some(loudness) = &overview.loudness {
        let step = loudness.step_s;
        let over = |v: &Option<f32>| v.is_some_and(|v| f64::from(v) > ceiling + HAIR);
        let mut index = 0usize;
        for run in loudness.true_peak_dbtp.chunk_by(|a, b| over(a) == over(b)) {
            let (from, to) = (
                axis.start_s + index as f64 * step,
                axis.start_s + (index + run.len()) as f64 * step,
            );
            index += run.len();
            let beside = overview
                .overs
                .iter()
                .any(|o| (from - step..to + step).contains(&o.at_s));
            if run.first().is_some_and(over) && !beside && from < known {
                let most = run.iter().flatten().copied().fold(f32::MIN, f32::max);
                let what = format!(
                    "true peak {} dBTP at {}",
                    signed(most.into(), 2),
                    axis.name(from)
                );
                marks.push(Mark { at_s: from, what });
            }
        }
    }
    marks.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    marks.truncate(MOST);
    marks
}

impl Mark {
    /// A triangle, with its time and level.
    pub(super) fn draw(&self, svg: &mut Svg, axis: &Axis, y: f64) {
        let (at, x, y, what) = (
            self.at_s,
            number(axis.x(self.at_s)),
            number(y + 1.0),
            &self.what,
        );
        svg.raw(&format!(
            "<path class=\"over-mark\" role=\"button\" tabindex=\"0\" data-at=\"{at:.6}\" aria-label=\"{what}\" \
             d=\"M{x} {y}l-5-8h10z\"><title>{what}</title></path>"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{LoudnessOverview, Over};

    #[test]
    fn true_peaks_are_marked_where_no_sample_is_over() {
        let axis = Axis {
            start_s: 10.0,
            length_s: 1.0,
            left: 0.0,
            right: 1000.0,
            names: None,
        };
        let over = |at_s| Over {
            at_frame: 0,
            at_s,
            frames: 1,
            peak_dbfs: 0.5,
        };
        let peaks = [-3.0, 0.2, 0.6, -1.0, -1.0, -1.0, 0.3, 0.04, 0.02, -9.0]
            .map(Some)
            .to_vec();
        let loudness = LoudnessOverview {
            step_s: 0.1,
            true_peak_dbtp: peaks,
            ..LoudnessOverview::default()
        };
        let mut overview = Overview {
            loudness: Some(loudness),
            overs: vec![over(10.65)],
            ..Overview::default()
        };
        let marks = of(&overview, 0.0, &axis);
        let expected = [
            (10.1, "true peak +0.60 dBTP at 0:10.100"),
            (10.65, "+0.50 dBFS at 0:10.650"),
        ];
        assert_eq!(marks.len(), 2);
        for (mark, (at, what)) in marks.iter().zip(expected) {
            assert!(
                (mark.at_s - at).abs() < 1e-9 && mark.what == what,
                "{mark:?}"
            );
        }
        overview.overs = (0..100).map(|n| over(10.0 + f64::from(n) / 1e4)).collect();
        assert_eq!(of(&overview, -2.0, &axis).len(), 100);
    }
}
