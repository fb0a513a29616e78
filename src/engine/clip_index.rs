//! Finds the clips of a track that sound in a stretch of the timeline, without looking at all of them.

use std::ops::Range;

/// The clips of one track, ordered by their starts.
pub(super) struct ClipIndex {
    by_start: Vec<Entry>,
    /// Clips of the stretch that was found last, in the order of the track: the order of the sum.
    sounding: Vec<usize>,
    /// Clips of the stretch before it that are not in `sounding`.
    ended: Vec<usize>,
}

struct Entry {
    /// Number of the clip in the track.
    clip: usize,
    range: Range<u64>,
    /// The latest end among this clip and all that start before it.
    latest_end: u64,
}

impl ClipIndex {
    /// Takes the numbers of the clips and the ranges in which they sound.
    pub(super) fn new(clips: impl Iterator<Item = (usize, Range<u64>)>) -> Self {
        let entry = |(clip, range): (usize, Range<u64>)| Entry {
            clip,
            latest_end: range.end,
            range,
        };
        let mut by_start: Vec<Entry> = clips.map(entry).collect();
        by_start.sort_by_key(|entry| entry.range.start);
        let mut latest_end = 0;
        for entry in &mut by_start {
            latest_end = latest_end.max(entry.range.end);
            entry.latest_end = latest_end;
        }
        // Enough for most tracks, whose clips overlap only in crossfades.
        let at_once = by_start.len().min(4);
        Self {
            by_start,
            sounding: Vec::with_capacity(at_once),
            ended: Vec::with_capacity(at_once),
        }
    }

    /// Finds the clips that sound in a stretch. Returns true if there is one.
    pub(super) fn find(&mut self, stretch: &Range<u64>) -> bool {
        std::mem::swap(&mut self.sounding, &mut self.ended);
        let started = self
            .by_start
            .partition_point(|entry| entry.range.start < stretch.end);
        let latest_first = self.by_start.iter().take(started).rev();
        let sounding = latest_first
            .take_while(|entry| entry.latest_end > stretch.start)
            .filter(|entry| entry.range.end > stretch.start);
        self.sounding.clear();
        self.sounding.extend(sounding.map(|entry| entry.clip));
        self.sounding.sort_unstable();
        let sounding = &self.sounding;
        self.ended
            .retain(|clip| sounding.binary_search(clip).is_err());
        !self.sounding.is_empty()
    }

    /// Returns the clips that were found last, in the order of the track.
    pub(super) fn sounding(&self) -> &[usize] {
        &self.sounding
    }

    /// Returns the clips that sounded in the stretch before and no longer do.
    pub(super) fn ended(&self) -> &[usize] {
        &self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_the_clips_that_a_look_at_all_of_them_finds(
            clips in prop::collection::vec((0u64..100, 1u64..60), 0..20),
            stretches in prop::collection::vec((0u64..120, 0u64..30), 1..10),
        ) {
            let ranges = clips.iter().map(|(start, length)| *start..start + length);
            let ranges: Vec<Range<u64>> = ranges.collect();
            let mut index = ClipIndex::new(ranges.iter().cloned().enumerate());
            let mut before = Vec::new();
            for (start, length) in stretches {
                let end = start + length;
                let sounds = |n: &usize| ranges[*n].start < end && ranges[*n].end > start;
                let sounding: Vec<usize> = (0..ranges.len()).filter(sounds).collect();
                let ended = before.into_iter().filter(|n| !sounding.contains(n));
                let ended: Vec<usize> = ended.collect();
                prop_assert_eq!(index.find(&(start..end)), !sounding.is_empty());
                prop_assert_eq!(index.sounding(), &sounding);
                prop_assert_eq!(index.ended(), &ended);
                before = sounding;
            }
        }
    }
}
