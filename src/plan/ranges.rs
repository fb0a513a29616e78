//! Lists of sorted, disjoint ranges of the timeline.

use std::ops::Range;

/// Sorts ranges, joins those that are at most `apart` frames from each other, and leaves out empty ones.
pub(super) fn joined(ranges: impl IntoIterator<Item = Range<u64>>, apart: u64) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = ranges.into_iter().filter(|r| !r.is_empty()).collect();
    ranges.sort_by_key(|r| r.start);
    let mut out: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(apart) => {
                last.end = last.end.max(range.end)
            }
            _ => out.push(range),
        }
    }
    out
}

/// Extends every range at its end.
pub(super) fn widened(ranges: &[Range<u64>], by: u64) -> Vec<Range<u64>> {
    joined(ranges.iter().map(|r| r.start..r.end.saturating_add(by)), 0)
}

/// Returns the range that contains a frame.
pub(crate) fn contains(ranges: &[Range<u64>], frame: u64) -> Option<&Range<u64>> {
    let after = ranges.partition_point(|r| r.end <= frame);
    ranges.get(after).filter(|r| r.start <= frame)
}

/// Counts the frames of a stretch that lie within ranges.
pub(crate) fn overlap(ranges: &[Range<u64>], stretch: Range<u64>) -> u64 {
    let first = ranges.partition_point(|r| r.end <= stretch.start);
    let met = ranges
        .iter()
        .skip(first)
        .take_while(|r| r.start < stretch.end);
    met.map(|r| r.end.min(stretch.end) - r.start.max(stretch.start))
        .sum()
}

/// Returns the first frame after `frame` at which a range starts or ends.
pub(crate) fn next_edge(ranges: &[Range<u64>], frame: u64) -> u64 {
    let after = ranges.partition_point(|r| r.end <= frame);
    ranges
        .get(after)
        .map_or(u64::MAX, |r| if r.start > frame { r.start } else { r.end })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: [Range<u64>; 2] = [2..4, 6..8];

    #[test]
    fn ranges_are_sorted_and_joined_up_to_a_distance() {
        let pairs = |ranges: Vec<Range<u64>>| -> Vec<(u64, u64)> {
            ranges.iter().map(|r| (r.start, r.end)).collect()
        };
        let unsorted = |apart| pairs(joined([5..7, 0..2, 9..9, 3..4, 3..3], apart));
        assert_eq!(unsorted(0), [(0, 2), (3, 4), (5, 7)]);
        assert_eq!(unsorted(1), [(0, 7)]);
        assert_eq!(pairs(joined([0..2, 2..4, 7..8], 2)), [(0, 4), (7, 8)]);
        assert_eq!(pairs(joined([0..9, 1..3], 0)), [(0, 9)]);
        assert_eq!(pairs(joined([0..u64::MAX, 5..6], 3)), [(0, u64::MAX)]);
        assert_eq!(pairs(widened(&TWO, 1)), [(2, 5), (6, 9)]);
        assert_eq!(pairs(widened(&TWO, 2)), [(2, 10)]);
    }

    #[test]
    fn a_range_begins_with_its_start_and_lacks_its_end() {
        let found = |frame| contains(&TWO, frame).cloned();
        for frame in [0, 1, 4, 5, 8, 9] {
            assert_eq!(found(frame), None, "{frame}");
        }
        for (frame, range) in [(2, 2..4), (3, 2..4), (6, 6..8), (7, 6..8)] {
            assert_eq!(found(frame), Some(range));
        }
        let edges = [2, 2, 4, 4, 6, 6, 8, 8, u64::MAX];
        for (frame, edge) in (0..).zip(edges) {
            assert_eq!(next_edge(&TWO, frame), edge, "{frame}");
        }
    }

    #[test]
    fn frames_of_a_stretch_are_counted() {
        for (stretch, frames) in [
            (0..10, 4),
            (3..7, 2),
            (4..6, 0),
            (2..3, 1),
            (7..7, 0),
            (8..9, 0),
            (0..2, 0),
        ] {
            assert_eq!(overlap(&TWO, stretch.clone()), frames, "{stretch:?}");
        }
    }
}
