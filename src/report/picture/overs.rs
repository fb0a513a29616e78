//! Marks overs: samples above full scale, and true peaks above the ceiling.

use super::{
    axis::Axis,
    head::signed,
    svg::{Svg, number},
};
use crate::report::Overview;

/// Maximum number of marks.
const MAX_MARKS: usize = 100;

/// Tolerance above the ceiling in dB: a limiter may exceed it by that much.
pub(super) const TOLERANCE_DB: f64 = 0.05;

/// Mark at one over.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    pub at_s: f64,
    pub text: String,
}

/// Returns the first marks in order of time. A true peak next to samples above full scale gets no
/// mark of its own.
pub(super) fn marks(overview: &Overview, ceiling: f64, axis: &Axis) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    for over in &overview.overs {
        let text = format!(
            "{} dBFS at {}",
            signed(over.peak_dbfs, 2),
            axis.label(over.at_s)
        );
        marks.push(Mark {
            at_s: over.at_s,
            text,
        });
    }
    // The log of overs ends with the hundredth: whether later true peaks have samples above full
    // scale is unknown.
    let known = overview
        .overs
        .get(MAX_MARKS - 1)
        .map_or(f64::INFINITY, |o| o.at_s);
    if let Some(loudness) = &overview.loudness {
        let step = loudness.step_s;
        let runs = loudness
            .true_peak_dbtp
            .chunk_by(|a, b| is_over(*a, ceiling) == is_over(*b, ceiling));
        let mut index = 0usize;
        for run in runs {
            let (from, to) = (
                axis.start_s + index as f64 * step,
                axis.start_s + (index + run.len()) as f64 * step,
            );
            index += run.len();
            let beside_samples = overview
                .overs
                .iter()
                .any(|o| (from - step..to + step).contains(&o.at_s));
            let over = run.first().is_some_and(|first| is_over(*first, ceiling));
            if over && !beside_samples && from < known {
                let most = run.iter().flatten().copied().fold(f32::MIN, f32::max);
                let text = format!(
                    "true peak {} dBTP at {}",
                    signed(most.into(), 2),
                    axis.label(from)
                );
                marks.push(Mark { at_s: from, text });
            }
        }
    }
    marks.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    marks.truncate(MAX_MARKS);
    marks
}

fn is_over(true_peak: Option<f32>, ceiling: f64) -> bool {
    true_peak.is_some_and(|peak| f64::from(peak) > ceiling + TOLERANCE_DB)
}

impl Mark {
    /// Draws a triangle with time and level as its tooltip.
    pub(super) fn draw(&self, svg: &mut Svg, axis: &Axis, y: f64) {
        let (at, x, y, text) = (
            self.at_s,
            number(axis.x(self.at_s)),
            number(y + 1.0),
            &self.text,
        );
        svg.raw(&format!(
            "<path class=\"over-mark\" role=\"button\" tabindex=\"0\" data-at=\"{at:.6}\" aria-label=\"{text}\" \
             d=\"M{x} {y}l-5-8h10z\"><title>{text}</title></path>"
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
            timecode: None,
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
        let found = marks(&overview, 0.0, &axis);
        let expected = [
            (10.1, "true peak +0.60 dBTP at 0:10.100"),
            (10.65, "+0.50 dBFS at 0:10.650"),
        ];
        assert_eq!(found.len(), 2);
        for (mark, (at, text)) in found.iter().zip(expected) {
            assert!(
                (mark.at_s - at).abs() < 1e-9 && mark.text == text,
                "{mark:?}"
            );
        }
        overview.overs = (0..100).map(|n| over(10.0 + f64::from(n) / 1e4)).collect();
        assert_eq!(marks(&overview, -2.0, &axis).len(), 100);
    }
}
