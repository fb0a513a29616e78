//! A set of line numbers as ranges, printed as a scheduler's `--array=` list.

use std::collections::BTreeSet;

/// Ascending line numbers. Memory grows with the gaps, not with the lines.
#[derive(Default)]
pub struct IndexRanges {
    count: u64,
    /// First and last index of each range.
    ranges: Vec<(u64, u64)>,
}

impl IndexRanges {
    /// Appends an index, which must be larger than all before.
    pub fn push(&mut self, index: u64) {
        self.count += 1;
        match self.ranges.last_mut() {
            Some((_, last)) if *last + 1 == index => *last = index,
            _ => self.ranges.push((index, index)),
        }
    }

    /// Returns the number of indices.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the shards that the indices belong to, of this many: `0,3,7-9`.
    pub fn shards(&self, shard_count: u64) -> String {
        let mut shards = BTreeSet::new();
        for (first, last) in &self.ranges {
            // A range as long as the number of shards has a line of each.
            let last = (*last).min(first.saturating_add(shard_count - 1));
            shards.extend((*first..=last).map(|index| index % shard_count));
        }
        let mut ranges = Self::default();
        for shard in shards {
            ranges.push(shard);
        }
        let texts: Vec<String> = ranges
            .ranges
            .iter()
            .map(|(first, last)| {
                if first == last {
                    first.to_string()
                } else {
                    format!("{first}-{last}")
                }
            })
            .collect();
        texts.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_shards_form_ranges() {
        let missing = |indices: &[u64], count| {
            let mut missing = IndexRanges::default();
            indices.iter().for_each(|i| missing.push(*i));
            missing.shards(count)
        };
        assert_eq!(missing(&[0, 3, 7, 8, 9], 10), "0,3,7-9");
        assert_eq!(missing(&[0, 3, 7, 8, 9], 4), "0-1,3");
        assert_eq!(missing(&(0..1000).collect::<Vec<_>>(), 200), "0-199");
        assert_eq!(missing(&[5], 1), "0");
    }
}
