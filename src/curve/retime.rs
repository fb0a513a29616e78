//! Places a curve on the timeline of a cue at the uses of the cue on the main timeline.
//!
//! Each frame of a use has the value of the curve at the corresponding frame of the cue, bit for bit. Around the uses the
//! curve goes on, for what processors still give after their input, or ahead of it.

use super::{Automation, CurveSegment, SegmentKind};
use std::{ops::Range, sync::Arc};

impl Automation {
    /// Returns the curve at the uses of a cue, given the range of each use on the timeline and the frame of the cue with which
    /// it starts. Ranges must be in order and disjoint.
    ///
    /// Follows the curve also around the uses, where processors still give sound, in the time of the cue: after a use up to the
    /// next one, and ahead of the first one back to the start of the cue. The last `lead` frames ahead of a later use belong to
    /// that one.
    pub(crate) fn retimed(self, uses: &[(Range<u64>, u64)], lead: u64) -> Self {
        let curve = Arc::new(self);
        let mut segments: Vec<CurveSegment> = Vec::with_capacity(uses.len() + 1);
        let mut end_before = None;
        for (range, from) in uses {
            let free = match end_before {
                None => range.start,
                Some(end) => lead.min(range.start.saturating_sub(end)),
            };
            let ahead = free.min(*from);
            let (start, from) = (range.start - ahead, from - ahead);
            if let Some(last) = segments.last_mut() {
                last.end = start;
            } else {
                let kind = SegmentKind::Constant(curve.at(from));
                segments.push(CurveSegment { end: start, kind });
            }
            segments.push(CurveSegment {
                end: u64::MAX,
                kind: SegmentKind::Retimed {
                    start,
                    from,
                    curve: Arc::clone(&curve),
                },
            });
            end_before = Some(range.end);
        }
        if segments.is_empty() {
            // Nothing is played.
            return Arc::unwrap_or_clone(curve);
        }
        Self { segments }
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
    fn every_use_has_the_bits_of_the_cue_and_what_is_around_it_follows() {
        let curve = Curve::new()
            .point(Frames(10), Decibels(-30.0), Shape::Linear)
            .point(Frames(500), Decibels(0.0), Shape::Linear)
            .point(Frames(900), Decibels(-6.0), Shape::Sine);
        let own = Automation::gain(&curve, Decibels(1.0));
        let mut cue = vec![0.0; 1000];
        own.fill(0, &mut cue);
        let placed = own.retimed(&[(100..1000, 40), (1100..1300, 437), (2000..2100, 900)], 30);
        assert_eq!(placed.points(), 3);
        for step in [1, 64, 97, 5000] {
            let mut got = vec![0.0; 2500];
            got.chunks_mut(step)
                .enumerate()
                .for_each(|(i, part)| placed.fill((i * step) as u64, part));
            assert_eq!(got[..60], [cue[0]; 60]);
            assert_eq!(got[60..1070], [&cue[..], &[cue[999]; 10]].concat());
            assert_eq!(got[1070..1663], cue[407..]);
            assert_eq!(got[1663..1970], [cue[999]; 307]);
            assert_eq!(got[1970..2100], cue[870..]);
            assert_eq!(got[2100..], [cue[999]; 400]);
        }
    }
}
