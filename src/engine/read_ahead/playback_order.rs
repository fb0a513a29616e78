//! The order in which playback passes the timeline: straight to the end, or around a loop.

use std::ops::Range;

/// From a frame of the timeline to its end, or around a loop once the end of the loop is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlaybackOrder {
    /// The frame of the timeline that is played first.
    pub start: u64,
    /// The range that repeats. It has no effect if it is empty or ends at or before `start`.
    pub loop_range: Option<Range<u64>>,
    /// The end of the timeline.
    pub end: u64,
}

/// A position in a playback order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OrderPosition {
    /// Frames played since the start of the order.
    pub elapsed: u64,
    /// The frame of the timeline.
    pub frame: u64,
}

impl PlaybackOrder {
    /// Returns the loop if a frame lies before its end, so that playback from there enters it.
    fn loop_from(&self, frame: u64) -> Option<&Range<u64>> {
        self.loop_range
            .as_ref()
            .filter(|r| r.start < r.end && frame < r.end)
    }

    /// Returns the position of the first frame.
    pub(super) fn first(&self) -> OrderPosition {
        OrderPosition {
            elapsed: 0,
            frame: self.start,
        }
    }

    /// Returns the position `frames` frames later, which must not be past the end of the loop; at it, playback is at the
    /// loop's start.
    pub(super) fn after(&self, position: OrderPosition, frames: u64) -> OrderPosition {
        let frame = position.frame.saturating_add(frames);
        let at_loop_end = self.loop_from(position.frame).filter(|r| r.end == frame);
        let elapsed = position.elapsed.saturating_add(frames);
        OrderPosition {
            elapsed,
            frame: at_loop_end.map_or(frame, |r| r.start),
        }
    }

    /// Finds the next part of a clip that is played without a jump, from a position on. Returns where the part starts, and
    /// the frame of the timeline at which it ends.
    pub(super) fn next_part(
        &self,
        clip: &Range<u64>,
        from: OrderPosition,
    ) -> Option<(OrderPosition, u64)> {
        let mut position = from;
        // Twice: up to the end of the loop, and once around it.
        for _ in 0..2 {
            let entered = self.loop_from(position.frame);
            let limit = entered.map_or(self.end, |r| r.end);
            let (start, end) = (position.frame.max(clip.start), clip.end.min(limit));
            if start < end {
                let elapsed = position.elapsed.saturating_add(start - position.frame);
                return Some((
                    OrderPosition {
                        elapsed,
                        frame: start,
                    },
                    end,
                ));
            }
            let entered = entered?;
            let elapsed = position
                .elapsed
                .saturating_add(entered.end - position.frame);
            position = OrderPosition {
                elapsed,
                frame: entered.start,
            };
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_is_met_again_on_every_round() {
        let order = PlaybackOrder {
            start: 50,
            loop_range: Some(100..200),
            end: 1000,
        };
        let from = |elapsed, frame| OrderPosition { elapsed, frame };
        let next = |clip: Range<u64>, elapsed, frame| order.next_part(&clip, from(elapsed, frame));
        assert_eq!(next(0..60, 0, 50), Some((from(0, 50), 60)));
        assert_eq!(next(0..60, 10, 60), None);
        assert_eq!(next(150..300, 0, 50), Some((from(100, 150), 200)));
        assert_eq!(next(150..300, 150, 200), Some((from(150, 200), 300)));
        assert_eq!(next(120..130, 80, 130), Some((from(170, 120), 130)));
        assert_eq!(next(300..400, 0, 50), None);
        assert_eq!(order.after(from(0, 150), 50), from(50, 100));
        assert_eq!(order.after(from(0, 200), 50), from(50, 250));
        let past_the_loop = PlaybackOrder {
            start: 500,
            ..order
        };
        assert_eq!(
            past_the_loop.next_part(&(150..600), from(0, 500)),
            Some((from(0, 500), 600))
        );
        assert_eq!(
            past_the_loop.next_part(&(150..2000), from(0, 500)),
            Some((from(0, 500), 1000))
        );
    }
}
