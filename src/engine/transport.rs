//! Maps the stream of frames that is processed to positions on the timeline.
//!
//! The stream counts the frames that tracks have read since the last seek. Each node lags behind it by the latency of the
//! processors before it, so at the end of a loop the nodes jump one after the other.

use std::{collections::VecDeque, ops::Range};

/// The current frame of the stream, and the positions of its frames on the timeline.
#[derive(Clone, Debug, Default)]
pub(super) struct Transport {
    /// The frame of the stream that is read next.
    stream: u64,
    /// Segments in the order of the stream; the first holds the oldest frame that a node has still to pass.
    segments: VecDeque<Segment>,
    /// The range of the timeline that repeats once its end is reached.
    repeat: Option<Range<u64>>,
    /// The largest lag of a node.
    longest: u64,
}

/// A part of the stream: from this frame of the stream on, the timeline continues from a position.
#[derive(Clone, Copy, Debug)]
struct Segment {
    stream: u64,
    position: u64,
}

impl Transport {
    pub(super) fn new(longest: u64) -> Self {
        let mut transport = Self {
            longest,
            ..Self::default()
        };
        transport.seek(0);
        transport
    }

    /// Restarts the stream at a position.
    pub(super) fn seek(&mut self, position: u64) {
        self.stream = 0;
        self.segments.clear();
        self.segments.push_back(Segment {
            stream: 0,
            position,
        });
    }

    /// Repeats a range once its end is reached; `None` stops repeating.
    pub(super) fn set_repeat(&mut self, repeat: Option<Range<u64>>) {
        self.repeat = repeat.filter(|r| r.start < r.end);
    }

    /// Returns the position of the frame that a node with this lag passes next; `None` where it passes none yet.
    pub(super) fn position(&self, lag: u64) -> Option<u64> {
        let frame = self.stream.checked_sub(lag)?;
        let segment = self
            .segments
            .iter()
            .rev()
            .find(|segment| segment.stream <= frame)?;
        Some(segment.position + (frame - segment.stream))
    }

    /// Returns the number of frames that a node with this lag passes before its position jumps, or before its first frame.
    pub(super) fn until_jump(&self, lag: u64) -> u64 {
        let Some(frame) = self.stream.checked_sub(lag) else {
            return lag - self.stream;
        };
        let next = self.segments.iter().find(|segment| segment.stream > frame);
        let jump = next.map_or(u64::MAX, |segment| segment.stream - frame);
        let read = self.position(0).unwrap_or(0);
        let turn = self
            .repeat
            .as_ref()
            .filter(|r| lag == 0 && read < r.end)
            .map_or(u64::MAX, |r| r.end - read);
        jump.min(turn)
    }

    /// Advances the stream, and jumps to the start of a loop at its end.
    pub(super) fn advance(&mut self, frames: u64) {
        let before = self.position(0).unwrap_or(0);
        self.stream += frames;
        if let Some(repeat) = self
            .repeat
            .as_ref()
            .filter(|r| before < r.end && before + frames == r.end)
        {
            self.segments.push_back(Segment {
                stream: self.stream,
                position: repeat.start,
            });
        }
        let oldest = self.stream.saturating_sub(self.longest);
        while self
            .segments
            .get(1)
            .is_some_and(|second| second.stream <= oldest)
        {
            self.segments.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_range_is_not_repeated() {
        let mut transport = Transport::new(0);
        transport.seek(0);
        let (start, end) = (7, 5);
        for empty in [5..5, start..end] {
            transport.set_repeat(Some(empty));
            assert_eq!(transport.until_jump(0), u64::MAX);
        }
        transport.set_repeat(Some(4..5));
        assert_eq!(transport.until_jump(0), 5);
    }

    #[test]
    fn nodes_pass_the_end_of_a_loop_one_after_the_other() {
        let mut transport = Transport::new(10);
        transport.seek(90);
        transport.set_repeat(Some(50..100));
        assert_eq!(
            (transport.position(0), transport.position(4)),
            (Some(90), None)
        );
        assert_eq!((transport.until_jump(0), transport.until_jump(4)), (10, 4));
        transport.advance(4);
        assert_eq!(
            (transport.position(0), transport.position(4)),
            (Some(94), Some(90))
        );
        transport.advance(6);
        assert_eq!(
            (
                transport.position(0),
                transport.position(4),
                transport.position(10)
            ),
            (Some(50), Some(96), Some(90))
        );
        assert_eq!(
            (
                transport.until_jump(4),
                transport.until_jump(10),
                transport.until_jump(0)
            ),
            (4, 10, 50)
        );
        transport.advance(4);
        assert_eq!(
            (transport.position(4), transport.position(10)),
            (Some(50), Some(94))
        );
        transport.set_repeat(None);
        transport.advance(100);
        assert_eq!(
            (transport.position(10), transport.until_jump(10)),
            (Some(144), u64::MAX)
        );
    }
}
