//! The timeline in the order of playing, and where a clip sounds next on it.

use std::ops::Range;

/// From a frame on to the end, or round a loop once its end is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// The frame it starts at.
    pub at: u64,
    /// The stretch that repeats; without meaning where it starts behind its end.
    pub round: Option<Range<u64>>,
    /// The end of the timeline.
    pub end: u64,
}

/// A place on a path: how many frames of it lie before, and the frame of the timeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub count: u64,
    pub at: u64,
}

/// The part of a path that should be decoded.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub from: u64,
    pub depth: u64,
}

impl Path {
    /// The loop, as long as a frame lies before its end.
    pub(crate) fn round_at(&self, at: u64) -> Option<&Range<u64>> {
        self.round.as_ref().filter(|r| r.start < r.end && at < r.end)
    }

    /// The place `frames` frames on, which may be the end of the loop at most: then it is its start.
    pub(super) fn after(&self, place: Place, frames: u64) -> Place {
        let at = place.at.saturating_add(frames);
        let turned = self.round_at(place.at).filter(|r| r.end == at).map_or(at, |r| r.start);
        Place { count: place.count.saturating_add(frames), at: turned }
    }

    /// The next stretch of a clip from a place on: where it starts, and the frame of the timeline it ends before.
    pub(super) fn next(&self, clip: &Range<u64>, mut place: Place) -> Option<(Place, u64)> {
        // Twice: to the end of the loop, and once round it.
        for _ in 0..2 {
            let round = self.round_at(place.at);
            let limit = round.map_or(self.end, |r| r.end);
            let (start, end) = (place.at.max(clip.start), clip.end.min(limit));
            if start < end {
                return Some((Place { count: place.count.saturating_add(start - place.at), at: start }, end));
            }
            let round = round?;
            place = Place { count: place.count.saturating_add(round.end - place.at), at: round.start };
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_is_met_again_on_every_round() {
        let path = Path { at: 50, round: Some(100..200), end: 1000 };
        let from = |count, at| Place { count, at };
        let next = |clip: Range<u64>, count, at| path.next(&clip, from(count, at));
        assert_eq!(next(0..60, 0, 50), Some((from(0, 50), 60)));
        assert_eq!(next(0..60, 10, 60), None);
        assert_eq!(next(150..300, 0, 50), Some((from(100, 150), 200)));
        assert_eq!(next(150..300, 150, 200), Some((from(150, 200), 300)));
        assert_eq!(next(120..130, 80, 130), Some((from(170, 120), 130)));
        assert_eq!(next(300..400, 0, 50), None);
        assert_eq!(path.after(from(0, 150), 50), from(50, 100));
        assert_eq!(path.after(from(0, 200), 50), from(50, 250));
        let behind = Path { at: 500, ..path };
        assert_eq!(behind.next(&(150..600), from(0, 500)), Some((from(0, 500), 600)));
        assert_eq!(behind.next(&(150..2000), from(0, 500)), Some((from(0, 500), 1000)));
    }
}
