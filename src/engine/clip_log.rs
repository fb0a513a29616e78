//! Logs the ranges in which a signal exceeds full scale: the first of them, and the number of samples in all.
//!
//! Samples over full scale that are near each other in one channel belong to one range. The log is bounded, however loud a mix
//! is, and a pure function of the samples: the block size changes nothing.

/// Largest number of ranges that are kept for a channel.
pub(crate) const KEPT: usize = 100;

/// Distance in frames from which two samples over full scale belong to different ranges: 10 ms at 48 kHz.
const APART: u64 = 480;

/// A range over full scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ClippedRange {
    /// The first frame over full scale.
    pub start: u64,
    /// The frame after the last frame over full scale.
    pub end: u64,
    /// The largest absolute sample.
    pub peak: f64,
}

/// The log of a channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct OverLog {
    /// The first ranges, in order of time.
    pub first: Vec<ClippedRange>,
    /// Number of samples over full scale.
    pub samples: u64,
    /// The end of the last range, kept or not.
    end: u64,
}

impl OverLog {
    /// Takes samples, of which the first is frame `at`.
    pub(super) fn take(&mut self, samples: &[f64], at: u64) {
        for (frame, sample) in (at..).zip(samples).filter(|(_, s)| s.abs() > 1.0) {
            let near = self.samples > 0 && frame < self.end + APART;
            let (peak, end) = (sample.abs(), frame + 1);
            if !near && self.first.len() < KEPT {
                self.first.push(ClippedRange {
                    start: frame,
                    end,
                    peak,
                });
            } else if let Some(last) = self
                .first
                .last_mut()
                .filter(|last| near && last.end == self.end)
            {
                (last.end, last.peak) = (end, last.peak.max(peak));
            }
            self.samples += 1;
            self.end = end;
        }
    }

    /// Returns the first ranges of several channels in order of time, with those near each other joined.
    pub(crate) fn joined(logs: &[Self]) -> Vec<ClippedRange> {
        // Beyond the last range of a full log its channel is unknown.
        let full = logs
            .iter()
            .filter(|l| l.first.len() == KEPT)
            .filter_map(|l| l.first.last());
        let known = full.map(|p| p.start).min().unwrap_or(u64::MAX);
        let mut places: Vec<ClippedRange> = logs
            .iter()
            .flat_map(|l| &l.first)
            .copied()
            .filter(|p| p.start <= known)
            .collect();
        places.sort_by_key(|p| (p.start, p.end));
        let mut out: Vec<ClippedRange> = Vec::new();
        for place in places {
            match out.last_mut().filter(|last| place.start < last.end + APART) {
                Some(last) => {
                    (last.end, last.peak) = (last.end.max(place.end), last.peak.max(place.peak))
                }
                None => out.push(place),
            }
        }
        out.truncate(KEPT);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(overs: &[(u64, f64)], block: usize) -> OverLog {
        let mut samples = vec![0.5; 600_000];
        overs
            .iter()
            .for_each(|(at, value)| samples[*at as usize] = *value);
        let mut log = OverLog::default();
        samples
            .chunks(block)
            .zip((0..).step_by(block))
            .for_each(|(piece, at)| log.take(piece, at));
        log
    }

    #[test]
    fn near_samples_are_one_range_whatever_the_block() {
        let overs = [
            (100, 1.5),
            (101, -2.0),
            (580, 1.25),
            (1061, 1.0 + f64::EPSILON),
            (1600, 1.0),
        ];
        for block in [1, 64, 441, 100_000] {
            let log = log(&overs, block);
            let expected = [
                ClippedRange {
                    start: 100,
                    end: 581,
                    peak: 2.0,
                },
                ClippedRange {
                    start: 1061,
                    end: 1062,
                    peak: 1.0 + f64::EPSILON,
                },
            ];
            assert_eq!(
                (log.first.as_slice(), log.samples),
                (&expected[..], 4),
                "{block}"
            );
        }
    }

    #[test]
    fn the_first_hundred_are_kept_and_all_are_counted() {
        let many: Vec<_> = (0..500).map(|n| (1000 * n, 1.5)).collect();
        let log = log(&many, 4096);
        assert_eq!(
            (log.first.len(), log.samples, log.first[99].start),
            (100, 500, 99_000)
        );
        let other = OverLog {
            first: vec![ClippedRange {
                start: 450,
                end: 451,
                peak: 3.0,
            }],
            samples: 1,
            end: 451,
        };
        let joined = OverLog::joined(&[log, other]);
        assert_eq!(
            (
                joined.len(),
                joined[0].end,
                joined[0].peak,
                joined[99].start
            ),
            (100, 451, 3.0, 99_000)
        );
    }
}
