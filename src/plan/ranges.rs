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
