//! Places a curve on the timeline of a cue at the uses of the cue on the main timeline.
//!
//! Each frame of a use has the value of the curve at the corresponding frame of the cue, bit for
//! bit. Between the uses, which are silent, the value is stated.

use super::{Automation, CurveSegment, ParameterCurve, SegmentKind};
use std::{ops::Range, sync::Arc};

impl Automation {
    /// Returns the curve at the uses of a cue, given the range of each use on the timeline and the
    /// frame of the cue with which it starts. Ranges must be in order and disjoint. `between` returns
    /// the value before a use that starts with a frame of the cue, and after one that ends with it.
    pub(crate) fn retimed(
        self,
        uses: impl IntoIterator<Item = (Range<u64>, u64)>,
        between: impl Fn(u64) -> f64,
    ) -> Self {
        let curve = Arc::new(self);
        let mut segments = Vec::new();
        let mut last = 0;
        for (range, from) in uses {
            segments.push(CurveSegment {
                end: range.start,
                kind: SegmentKind::Constant(between(from)),
            });
            last = from + (range.end - range.start);
            let kind = SegmentKind::Retimed {
                start: range.start,
                from,
                curve: Arc::clone(&curve),
            };
            segments.push(CurveSegment {
                end: range.end,
                kind,
            });
        }
        segments.push(CurveSegment {
            end: u64::MAX,
            kind: SegmentKind::Constant(between(last)),
        });
        Self { segments }
    }
}

impl ParameterCurve {
    /// Returns the curve at the uses of a cue; see [`Automation::retimed`]. Between them a parameter waits where the next use
    /// takes it up.
    ///
    /// The values of parameters are computed at every `interval`th frame, so the curve is followed for as long ahead of each
    /// use and after it, where no other use is.
    pub(crate) fn retimed(self, uses: &[(Range<u64>, u64)], interval: u64) -> Self {
        let mut before = 0;
        let mut widened = Vec::with_capacity(uses.len());
        for (index, (range, from)) in uses.iter().enumerate() {
            let lead = interval.min(*from).min(range.start.saturating_sub(before));
            let next = uses.get(index + 1).map_or(u64::MAX, |(next, _)| next.start);
            let end = range.end.saturating_add(interval).min(next);
            before = end;
            widened.push((range.start - lead..end, from - lead));
        }
        let curve = self.values.clone();
        let value = |frame: u64| {
            let mut value = [0.0];
            curve.fill(frame, &mut value);
            let [value] = value;
            value
        };
        Self {
            values: self.values.retimed(widened, value),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        curve::{Curve, Shape},
        units::{Decibels, Frames},
    };

    #[test]
    fn every_use_has_the_bits_of_the_cue() {
        let curve = Curve::new()
            .point(Frames(10), Decibels(-30.0), Shape::Linear)
            .point(Frames(500), Decibels(0.0), Shape::Linear)
            .point(Frames(900), Decibels(-6.0), Shape::Sine);
        let own = Automation::gain(&curve, Decibels(1.0));
        let mut cue = vec![0.0; 1000];
        own.fill(0, &mut cue);
        let placed = own.retimed(
            [(100..1100, 0), (1100..1300, 437), (2000..2100, 900)],
            |_| 1.0,
        );
        assert_eq!(placed.points(), 3);
        for step in [1, 64, 97, 5000] {
            let mut got = vec![0.0; 2500];
            got.chunks_mut(step)
                .enumerate()
                .for_each(|(i, part)| placed.fill((i * step) as u64, part));
            assert_eq!(got[..100], [1.0; 100]);
            assert_eq!(got[100..1100], cue);
            assert_eq!(got[1100..1300], cue[437..637]);
            assert_eq!(got[1300..2000], [1.0; 700]);
            assert_eq!(got[2000..2100], cue[900..]);
        }
    }
}
