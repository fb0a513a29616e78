//! Regions in which two files differ.

use crate::units::{Frames, SampleRate};
#[cfg(feature = "serde")]
use serde::Serialize;

/// Region in which two files differ, from the first differing frame to the one after the last. It
/// may include short runs of equal samples.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct Span {
    /// First frame that differs.
    pub start_frame: u64,
    /// Frame after the last one that differs.
    pub end_frame: u64,
    /// Time of the first frame in seconds.
    pub start_s: f64,
    /// Time of the end in seconds.
    pub end_s: f64,
}

/// Maximum number of spans.
pub const MAX_SPANS: usize = 16;

/// Collects differing frames, in order, as spans.
pub(super) struct SpanList {
    spans: Vec<(u64, u64)>,
    /// Spans separated by at most this many equal frames are merged.
    gap: u64,
}

impl SpanList {
    /// Creates a list that merges spans less than a tenth of a second apart.
    pub(super) fn new(rate: SampleRate) -> Self {
        Self {
            spans: Vec::new(),
            gap: u64::from(rate.hz() / 10),
        }
    }

    /// Adds a frame, which must not lie before the previous one.
    pub(super) fn add_frame(&mut self, frame: u64) {
        match self.spans.last_mut() {
            Some((_, end)) if frame <= end.saturating_add(self.gap) => {
                *end = (*end).max(frame.saturating_add(1));
            }
            _ => self.spans.push((frame, frame.saturating_add(1))),
        }
        while self.spans.len() > MAX_SPANS {
            self.join();
        }
    }

    /// Doubles the gap and merges the spans accordingly.
    fn join(&mut self) {
        self.gap = self.gap.saturating_mul(2).max(1);
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (start, end) in self.spans.drain(..) {
            match joined.last_mut() {
                Some((_, last)) if start <= last.saturating_add(self.gap) => *last = end,
                _ => joined.push((start, end)),
            }
        }
        self.spans = joined;
    }

    pub(super) fn into_spans(self, rate: SampleRate) -> Vec<Span> {
        let seconds = |frame| Frames(frame).to_duration(rate).as_secs_f64();
        self.spans
            .into_iter()
            .map(|(start, end)| Span {
                start_frame: start,
                end_frame: end,
                start_s: seconds(start),
                end_s: seconds(end),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(frames: impl IntoIterator<Item = u64>) -> Vec<(u64, u64)> {
        let mut list = SpanList::new(SampleRate::HZ_48000);
        frames.into_iter().for_each(|frame| list.add_frame(frame));
        list.into_spans(SampleRate::HZ_48000)
            .iter()
            .map(|s| (s.start_frame, s.end_frame))
            .collect()
    }

    #[test]
    fn what_is_a_tenth_of_a_second_apart_is_one_span() {
        assert_eq!(spans([5, 5, 6, 7]), [(5, 8)]);
        assert_eq!(spans([0, 4801]), [(0, 4802)]);
        assert_eq!(spans([0, 4802]), [(0, 1), (4802, 4803)]);
        assert_eq!(spans([]), []);
    }

    #[test]
    fn many_spans_are_joined_where_they_are_nearest() {
        // Pairs 5000 frames apart, one pair a million frames.
        let frames = (0..12).flat_map(|n| [n * 1_000_000, n * 1_000_000 + 5000]);
        let joined: Vec<_> = (0..12)
            .map(|n| (n * 1_000_000, n * 1_000_000 + 5001))
            .collect();
        assert_eq!(spans(frames), joined);
        let all = spans((0..10_000).map(|n| n * 100_000));
        assert!(all.len() <= MAX_SPANS);
        assert_eq!((all[0].0, all[all.len() - 1].1), (0, 999_900_001));
        assert_eq!(spans([0, u64::MAX]), [(0, 1), (u64::MAX, u64::MAX)]);
    }
}
