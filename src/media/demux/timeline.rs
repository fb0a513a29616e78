//! Places packets on the timeline of their container.
//!
//! A container states when each packet sounds, and each packet decodes to a known number of frames. The two rarely
//! agree to the frame: timestamps count milliseconds, or an editor has rounded them. So packets follow one another
//! without a gap as long as their timestamps are off by less than a packet. Where they are off by more, the container
//! says that there is silence, and the packet is placed where it says.

use crate::{
    media::{Remark, packet_table::PacketEntry, sparse_reader::ByteRange},
    units::Frames,
};
use std::collections::HashMap;

/// Longest gap between two packets, in seconds. A longer one is a damaged timestamp.
const MAX_GAP_SECONDS: u64 = 24 * 3600;

/// A place where the timestamps of a container do not follow on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimestampGap {
    /// Where the packets before it end.
    pub(super) at: u64,
    /// Frames between the packets before it and the timestamp of the next one.
    pub(super) frames: u64,
    /// Whether the timestamp is ignored, because it goes back or is damaged. Otherwise there is silence.
    pub(super) is_ignored: bool,
}

/// The packets of a stream, placed.
#[derive(Clone, Debug, Default)]
pub(super) struct PlacedPackets {
    pub(super) entries: Vec<PacketEntry>,
    /// Exclusive end of the last packet.
    pub(super) end: u64,
    pub(super) gaps: Vec<TimestampGap>,
    /// Bytes that every packet begins with and the file leaves out.
    pub(super) prefix: Vec<u8>,
    /// The ranges of packets that are in several places, by the file offset of the first.
    pub(super) parts: HashMap<u64, Vec<ByteRange>>,
}

impl PlacedPackets {
    /// Returns whether the container states silence between packets.
    pub(super) fn has_silence(&self) -> bool {
        self.gaps.iter().any(|gap| !gap.is_ignored)
    }

    /// Returns remarks about silence that the container states inside the stem, and about timestamps that are ignored.
    /// `origin` is the position of frame 0 of the stem.
    pub(super) fn remarks(&self, origin: i64) -> Vec<Remark> {
        let origin = super::unsigned(origin);
        let mut remarks = Vec::new();
        for ignored in [false, true] {
            let mut places = 0;
            let (mut frames, mut first) = (0u64, None);
            for gap in self.gaps.iter().filter(|gap| gap.is_ignored == ignored) {
                places += 1;
                frames = frames.saturating_add(gap.frames);
                first = first.or(Some(Frames(gap.at.saturating_sub(origin))));
            }
            if let Some(at) = first {
                remarks.push(Remark::TimestampGaps {
                    ignored,
                    places,
                    frames: Frames(frames),
                    at,
                });
            }
        }
        remarks
    }
}

/// Converts a duration from ticks of a time scale to frames, rounded to the nearest.
pub(super) fn rescale(ticks: u64, timescale: u32, rate: u32) -> u64 {
    let timescale = u128::from(timescale.max(1));
    let frames = (u128::from(ticks) * u128::from(rate) + timescale / 2) / timescale;
    // No file is that long: the duration is damaged.
    u64::try_from(frames).unwrap_or(u64::MAX)
}

/// Places the packets of one stream, in the order of the file.
pub(super) struct Timeline {
    rate: u32,
    /// Frames between two timestamps of the container, rounded up.
    step: u64,
    placed: PlacedPackets,
    /// Frames of the last packet.
    last_frames: u32,
    /// Number of places where frames are lost.
    lost_places: usize,
    /// Whether damaged data was skipped since the last packet.
    lost_data: bool,
    /// Whether the last timestamp was ignored.
    is_astray: bool,
    /// Position after which a timestamp is damaged: far behind the stated end of the stream.
    latest: u64,
}

impl Timeline {
    /// Makes a timeline at `rate` whose timestamps are multiples of `step` frames. `stated_end` is the length that the
    /// container states, in frames.
    pub(super) fn new(rate: u32, step: u64, stated_end: Option<u64>) -> Self {
        Self {
            rate,
            step,
            placed: PlacedPackets::default(),
            last_frames: 0,
            lost_places: 0,
            lost_data: false,
            is_astray: false,
            latest: stated_end.map_or(u64::MAX, |end| {
                let minute = 60 * u64::from(rate);
                end.saturating_mul(2).saturating_add(minute)
            }),
        }
    }

    /// Records that data was damaged or lost here: silence before the next packet is damage.
    pub(super) fn lose_data(&mut self) {
        self.lost_data = true;
    }

    /// Adds a packet of `frames` frames, of `size` bytes at file offset `offset`, that begins at the timestamp `stated`;
    /// without one it follows the packet before it. `packet_frames` is the length of a packet, below which a difference
    /// means nothing.
    pub(super) fn push(
        &mut self,
        stated: Option<u64>,
        packet_frames: u32,
        offset: u64,
        size: u32,
        frames: u32,
    ) {
        let is_first = self.placed.entries.is_empty();
        if let Some(stated) = stated {
            self.follow(stated, packet_frames, is_first);
        }
        self.lost_data = false;
        self.placed.entries.push(PacketEntry {
            at: self.placed.end,
            offset,
            size,
            frames,
        });
        self.advance(frames.into());
        self.last_frames = frames;
    }

    /// Moves the end by `frames` frames, without a packet.
    pub(super) fn advance(&mut self, frames: u64) {
        self.placed.end = self.placed.end.saturating_add(frames);
    }

    /// Moves the end to the timestamp of the next packet if there is a gap.
    fn follow(&mut self, stated: u64, packet_frames: u32, is_first: bool) {
        let step = self.step;
        // One missing packet is a gap, whose timestamps are rounded.
        let is_apart = |distance: u64| {
            distance > step && distance.saturating_add(step) >= packet_frames.into()
        };
        if stated < self.placed.end && is_apart(self.placed.end - stated) {
            self.undo_leap(stated, packet_frames);
        }
        let end = self.placed.end;
        let distance = stated.abs_diff(end);
        // After lost data a packet is where its timestamp says, even if little is lost.
        let is_loss = self.lost_data && distance > step;
        if distance == 0 || !(is_first || is_loss || is_apart(distance)) {
            self.is_astray = false;
            return;
        }
        let is_damaged = stated > self.latest || distance > MAX_GAP_SECONDS * u64::from(self.rate);
        let is_ignored = stated < end || is_damaged;
        if is_ignored {
            if !self.is_astray {
                self.add_gap(distance, true);
            }
        } else {
            if self.lost_data {
                self.add_lost(distance);
            } else if !is_first {
                self.add_gap(distance, false);
            }
            self.placed.end = stated;
        }
        self.is_astray = is_ignored;
    }

    /// Takes back the last gap if the timestamps return to where they were before it: they were damaged.
    fn undo_leap(&mut self, stated: u64, packet_frames: u32) {
        let Some(gap) = self.placed.gaps.last_mut().filter(|gap| !gap.is_ignored) else {
            return;
        };
        let end_without = self.placed.end - gap.frames;
        if end_without.abs_diff(stated) > u64::from(packet_frames) + self.step {
            return;
        }
        gap.is_ignored = true;
        let (from, distance) = (gap.at, gap.frames);
        let moved = self.placed.entries.iter_mut().rev();
        for entry in moved.take_while(|entry| entry.at >= from + distance) {
            entry.at -= distance;
        }
        self.placed.end = end_without;
    }

    fn add_gap(&mut self, frames: u64, is_ignored: bool) {
        self.placed.gaps.push(TimestampGap {
            at: self.placed.end,
            frames,
            is_ignored,
        });
    }

    /// Records a timestamp that is off by `frames` and ignored.
    pub(super) fn ignore(&mut self, frames: u64) {
        self.add_gap(frames, true);
    }

    /// Returns the number of places where timestamps do not follow on, or data is lost.
    pub(super) fn gap_count(&self) -> usize {
        self.placed.gaps.len() + self.lost_places
    }

    /// Returns whether damaged data was skipped since the last packet.
    pub(super) fn has_lost_data(&self) -> bool {
        self.lost_data
    }

    /// Records where the bytes of the last packet are, if they are in several places.
    pub(super) fn set_parts(&mut self, parts: Vec<ByteRange>) {
        if let (Some(first), true) = (parts.first(), parts.len() > 1) {
            self.placed.parts.insert(first.start, parts);
        }
    }

    /// Adds `frames` frames that are lost, as packets without data.
    pub(super) fn add_lost(&mut self, mut frames: u64) {
        self.lost_places += 1;
        while frames > 0 {
            let part = u32::try_from(frames).unwrap_or(u32::MAX);
            self.placed.entries.push(PacketEntry {
                at: self.placed.end,
                offset: 0,
                size: 0,
                frames: part,
            });
            self.advance(part.into());
            frames -= u64::from(part);
        }
    }

    /// Returns the number of frames of the last packet.
    pub(super) fn last_frames(&self) -> u32 {
        self.last_frames
    }

    /// Returns the position of the last packet.
    pub(super) fn last_start(&self) -> u64 {
        self.placed.end - u64::from(self.last_frames)
    }

    /// Returns the exclusive end of the last packet.
    pub(super) fn end(&self) -> u64 {
        self.placed.end
    }

    pub(super) fn finish(self) -> PlacedPackets {
        self.placed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(packets: &[(u64, u32)]) -> PlacedPackets {
        let mut timeline = Timeline::new(48_000, 48, Some(100_000));
        for (stated, frames) in packets {
            timeline.push(Some(*stated), *frames, 0, 1, *frames);
        }
        timeline.finish()
    }

    fn positions(placed: &PlacedPackets) -> Vec<u64> {
        placed.entries.iter().map(|e| e.at).collect()
    }

    #[test]
    fn jitter_below_a_packet_moves_nothing() {
        let placed = place(&[(0, 1024), (1008, 1024), (2064, 1024), (4000, 1024)]);
        assert_eq!(positions(&placed), [0, 1024, 2048, 3072]);
        assert_eq!((placed.end, placed.gaps), (4096, vec![]));
        let placed = place(&[(0, 1024), (2000, 1024)]);
        assert_eq!(positions(&placed), [0, 2000], "one packet is missing");
    }

    #[test]
    fn a_gap_of_more_than_a_packet_is_silence() {
        let placed = place(&[(500, 1024), (24_000, 1024), (25_024, 1024)]);
        assert_eq!(positions(&placed), [500, 24_000, 25_024]);
        let gap = TimestampGap {
            at: 1524,
            frames: 22_476,
            is_ignored: false,
        };
        assert_eq!(placed.gaps, [gap]);
        let remark = Remark::TimestampGaps {
            ignored: false,
            places: 1,
            frames: Frames(22_476),
            at: Frames(1024),
        };
        assert_eq!(placed.remarks(500), [remark]);
    }

    #[test]
    fn timestamps_that_go_back_move_nothing_and_are_remarked_once() {
        let placed = place(&[(9000, 1024), (0, 1024), (1024, 1024), (12_072, 1024)]);
        assert_eq!(positions(&placed), [9000, 10_024, 11_048, 12_072]);
        let gap = TimestampGap {
            at: 10_024,
            frames: 10_024,
            is_ignored: true,
        };
        assert_eq!(placed.gaps, [gap]);
    }

    #[test]
    fn timestamps_that_leap_and_come_back_are_damaged() {
        let packets = [(0, 1024), (48_000, 1024), (49_024, 1024), (3072, 1024)];
        let placed = place(&packets);
        assert_eq!(positions(&placed), [0, 1024, 2048, 3072]);
        assert_eq!(placed.end, 4096);
        assert!(!placed.has_silence());
        assert_eq!(placed.gaps.len(), 1);
    }

    #[test]
    fn a_timestamp_far_behind_the_stated_end_is_damaged() {
        let placed = place(&[(0, 1024), (5_000_000, 1024), (5_001_024, 1024)]);
        assert_eq!(positions(&placed), [0, 1024, 2048]);
        let mut timeline = Timeline::new(48_000, 48, None);
        timeline.push(Some(0), 1024, 0, 1, 1024);
        timeline.push(Some(u64::MAX / 2), 1024, 0, 1, 1024);
        assert_eq!(timeline.end(), 2048);
    }

    #[test]
    fn a_gap_after_lost_data_is_lost() {
        let mut timeline = Timeline::new(48_000, 48, None);
        timeline.push(Some(0), 1024, 0, 1, 1024);
        timeline.lose_data();
        timeline.push(Some(9000), 1024, 0, 1, 1024);
        let placed = timeline.finish();
        let lost: Vec<_> = placed.entries.iter().map(PacketEntry::is_lost).collect();
        assert_eq!(lost, [false, true, false]);
        assert_eq!(positions(&placed), [0, 1024, 9000]);
        assert!(placed.gaps.is_empty());
    }

    #[test]
    fn durations_are_rounded_to_the_nearest_frame() {
        let rows = [
            ((1, 3, 48_000), 16_000),
            ((1, 7, 48_000), 6857),
            ((5, 7, 48_000), 34_286),
            ((1, 96_000, 48_000), 1),
            ((3, 0, 10), 30),
            ((u64::MAX, 1, 2), u64::MAX),
        ];
        for ((ticks, timescale, rate), frames) in rows {
            assert_eq!(rescale(ticks, timescale, rate), frames);
        }
    }

    #[test]
    fn gaps_begin_at_a_packet_less_a_step_and_end_at_a_day() {
        let second = |step, stated| {
            let mut timeline = Timeline::new(48_000, step, None);
            timeline.push(Some(0), 1024, 0, 1, 1024);
            timeline.push(Some(stated), 1024, 0, 1, 1024);
            assert_eq!(timeline.last_start() + 1024, timeline.end());
            timeline.last_start()
        };
        assert_eq!(second(48, 1024 + 975), 1024);
        assert_eq!(second(48, 1024 + 976), 2000);
        assert_eq!(second(2000, 1024 + 2000), 1024);
        assert_eq!(second(2000, 1024 + 2001), 3025);
        let day = 24 * 3600 * 48_000;
        assert_eq!(second(48, 1024 + day), 1024 + day);
        assert_eq!(second(48, 1024 + day + 1), 1024);
        // A minute behind twice the stated end.
        let latest = 200_000 + 60 * 48_000;
        assert_eq!(positions(&place(&[(0, 1024), (latest, 1024)])), [0, latest]);
        assert_eq!(
            positions(&place(&[(0, 1024), (latest + 1, 1024)])),
            [0, 1024]
        );
    }

    #[test]
    fn a_leap_is_taken_back_if_the_timestamps_return_to_within_a_packet() {
        let leap = |stated| {
            let placed = place(&[(0, 1024), (48_000, 1024), (49_024, 1024), (stated, 1024)]);
            let gaps: Vec<_> = placed
                .gaps
                .iter()
                .map(|g| (g.at, g.frames, g.is_ignored))
                .collect();
            (positions(&placed), gaps)
        };
        let leapt = (1024, 46_976, false);
        let back = (1024, 46_976, true);
        let late = (
            [0, 1024, 2048, 4144].into(),
            vec![back, (3072, 1072, false)],
        );
        assert_eq!(leap(4144), late);
        let apart: Vec<u64> = [0, 48_000, 49_024, 50_048].into();
        assert_eq!(
            leap(4145),
            (apart.clone(), vec![leapt, (50_048, 45_903, true)])
        );
        let early = ([0, 1024, 2048, 3072].into(), vec![back, (3072, 1072, true)]);
        assert_eq!(leap(2000), early);
        assert_eq!(leap(1999), (apart, vec![leapt, (50_048, 48_049, true)]));
    }

    #[test]
    fn lost_frames_are_packets_without_data() {
        let mut timeline = Timeline::new(48_000, 48, None);
        timeline.push(Some(0), 1024, 0, 1, 1024);
        timeline.lose_data();
        assert!(timeline.has_lost_data());
        timeline.push(Some(1024 + 48), 1024, 9, 1, 1024);
        assert!(!timeline.has_lost_data());
        assert_eq!((timeline.gap_count(), timeline.end()), (0, 2048), "a step");
        timeline.lose_data();
        timeline.push(Some(2048 + 49), 1024, 9, 1, 1024);
        assert_eq!((timeline.gap_count(), timeline.end()), (1, 3121));
        timeline.ignore(5);
        timeline.add_lost((1 << 32) + 4);
        assert_eq!((timeline.gap_count(), timeline.last_frames()), (3, 1024));
        let range = |start| ByteRange { start, len: 1 };
        timeline.set_parts(vec![range(7)]);
        timeline.set_parts(vec![range(8), range(9)]);
        let placed = timeline.finish();
        let frames: Vec<_> = placed.entries.iter().map(|e| (e.at, e.frames)).collect();
        let lost = [
            (2048, 49),
            (3121, u32::MAX),
            (3121 + u64::from(u32::MAX), 5),
        ];
        assert_eq!(frames[2], lost[0]);
        assert_eq!(frames[4..], lost[1..]);
        assert_eq!(placed.parts.keys().collect::<Vec<_>>(), [&8]);
        assert!(!placed.has_silence());
    }

    #[test]
    fn remarks_add_up_gaps_of_each_kind() {
        let gap = |at, frames, is_ignored| TimestampGap {
            at,
            frames,
            is_ignored,
        };
        let placed = PlacedPackets {
            gaps: vec![gap(500, 7, true), gap(800, 10, false), gap(900, 20, false)],
            ..PlacedPackets::default()
        };
        let remark = |ignored, places, frames, at| Remark::TimestampGaps {
            ignored,
            places,
            frames: Frames(frames),
            at: Frames(at),
        };
        let remarks = [remark(false, 2, 30, 200), remark(true, 1, 7, 0)];
        assert_eq!(placed.remarks(600), remarks);
        assert!(placed.has_silence());
    }
}
