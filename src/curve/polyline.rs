//! Approximates a curve by a polyline, for drawing.

use super::{Automation, SegmentKind};
use std::ops::Range;

/// Number of pieces of a sloped or curved segment.
const PIECES: u64 = 16;

/// Maximum number of segments drawn individually. A curve with more is sampled at equal distances.
const MAX_SEGMENTS: usize = 500;

impl Automation {
    /// Returns frames within a range, in order, with their values, so that straight lines between
    /// them look like the curve. Empty for a constant.
    pub(crate) fn polyline(&self, range: &Range<u64>) -> Vec<(u64, f64)> {
        if self.constant().is_some() || range.is_empty() {
            return Vec::new();
        }
        let mut frames = vec![range.start, range.end - 1];
        if self.segments.len() > MAX_SEGMENTS {
            let step = (range.end - range.start).div_ceil(MAX_SEGMENTS as u64);
            frames.extend((1..MAX_SEGMENTS as u64).map(|k| range.start + k * step));
        } else {
            let mut start = 0;
            for segment in &self.segments {
                let end = segment.end;
                // A jump needs a point on either side.
                frames.extend([start, end.saturating_sub(1), end]);
                if !matches!(segment.kind, SegmentKind::Constant(_)) {
                    let (length, rest) = ((end - start) / PIECES, (end - start) % PIECES);
                    frames.extend((1..PIECES).map(|k| start + length * k + rest * k / PIECES));
                }
                start = end;
            }
        }
        frames.retain(|f| range.contains(f));
        frames.sort_unstable();
        frames.dedup();
        let value = |frame: u64| {
            let mut value = [0.0];
            self.fill(frame, &mut value);
            (frame, value[0])
        };
        let mut polyline: Vec<_> = frames.into_iter().map(value).collect();
        // A point between two others of the same value is redundant.
        let level: Vec<bool> = polyline
            .windows(3)
            .map(|w| matches!(w, [a, b, c] if a.1 == b.1 && b.1 == c.1))
            .collect();
        let mut inner = std::iter::once(false).chain(level).chain([false]);
        polyline.retain(|_| !inner.next().unwrap_or(false));
        polyline
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        curve::{Automation, Curve, Shape},
        units::{Decibels, Frames},
    };

    fn polyline(points: &[(u64, f64, Shape)], range: std::ops::Range<u64>) -> Vec<(u64, f64)> {
        let curve = points.iter().fold(Curve::new(), |c, (at, db, shape)| {
            c.point(Frames(*at), Decibels(*db), *shape)
        });
        Automation::gain(&curve, Decibels(0.0)).polyline(&range)
    }

    #[test]
    fn corners_and_jumps_are_kept_and_levels_are_not_filled() {
        assert_eq!(polyline(&[], 0..100), []);
        assert_eq!(
            polyline(&[(10, 0.0, Shape::Linear)], 0..100),
            [(0, 1.0), (99, 1.0)]
        );
        let jump = [
            (10, 0.0, Shape::Linear),
            (50, f64::NEG_INFINITY, Shape::Step),
        ];
        assert_eq!(
            polyline(&jump, 0..100),
            [(0, 1.0), (49, 1.0), (50, 0.0), (99, 0.0)]
        );
        assert_eq!(polyline(&jump, 60..60), []);
    }

    #[test]
    fn slopes_follow_the_curve() {
        let ramp = [
            (0, f64::NEG_INFINITY, Shape::Linear),
            (160, 0.0, Shape::Linear),
        ];
        let drawn = polyline(&ramp, 0..1000);
        assert_eq!(
            (drawn[0], drawn[1], *drawn.last().unwrap()),
            ((0, 0.0), (10, 0.0625), (999, 1.0))
        );
        assert!(
            drawn
                .iter()
                .all(|(at, v)| *v == (*at as f64 / 160.0).min(1.0)),
            "{drawn:?}"
        );
    }

    #[test]
    fn pieces_of_a_slope_are_as_equal_as_frames_allow() {
        let ramp = [
            (0, f64::NEG_INFINITY, Shape::Linear),
            (170, 0.0, Shape::Linear),
        ];
        let frames: Vec<u64> = polyline(&ramp, 0..171).iter().map(|(at, _)| *at).collect();
        let pieces = [
            10, 21, 31, 42, 53, 63, 74, 85, 95, 106, 116, 127, 138, 148, 159,
        ];
        assert_eq!(frames, [&[0][..], &pieces, &[169, 170]].concat());
    }

    #[test]
    fn up_to_500_segments_are_drawn_one_by_one_and_more_at_equal_distances() {
        // Segments: one before the first step, and one from each step on.
        let steps = |count: u64| -> Vec<(u64, f64, Shape)> {
            (1..=count)
                .map(|n| (10 * n, -f64::from(n as u32 % 2), Shape::Step))
                .collect()
        };
        // The last frame and the frames beside each step that changes something, which the first does not.
        let drawn = polyline(&steps(499), 0..10_000);
        assert_eq!(drawn.len(), 2 + 2 * 498);
        assert_eq!(drawn[1].0, 19);
        assert_eq!(drawn[2].0, 20);
        // Every 30th frame, which is in a step of the other level.
        let sampled = polyline(&steps(500), 100..15_100);
        let inner = &sampled[1..sampled.len() - 1];
        assert!(inner.len() > 150, "{}", inner.len());
        assert!(
            inner.iter().all(|(at, _)| (at - 100) % 30 == 0),
            "{sampled:?}"
        );
    }

    #[test]
    fn a_curve_of_any_length_has_a_bounded_number() {
        let many: Vec<_> = (0..100_000)
            .map(|n| (10 * n, -f64::from(n as u32 % 7), Shape::Sine))
            .collect();
        let drawn = polyline(&many, 5..999_000);
        assert!(
            drawn.len() <= 502 && drawn[0].0 == 5 && drawn.last().unwrap().0 == 998_999,
            "{}",
            drawn.len()
        );
    }
}
