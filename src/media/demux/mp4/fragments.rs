//! Lists the packets of fragmented MP4 (ISO/IEC 14496-12, 8.8): each `moof` box describes the packets in the data that
//! follows it, and when they sound.

use super::{
    boxes::{BoxHeader, boxes, find},
    movie::{Movie, SampleRun},
};
use crate::{
    media::demux::{
        MAX_JUNK_BYTES,
        bytes::{be32, be64},
    },
    storage::InputFile,
};
use std::io::{self, Read, Seek, SeekFrom};

/// Size limit of a `moof` or `sidx` box in bytes.
const MAX_FRAGMENT_HEADER_BYTES: u64 = 16 << 20;

/// Maximum number of packets of one size in a row: there is no table whose length bounds them.
const MAX_RUN_PACKETS: u32 = 1 << 20;

/// Boxes that stand at the outer level of a fragmented file.
const OUTER_BOXES: [&[u8; 4]; 20] = [
    b"moof", b"mdat", b"sidx", b"ssix", b"styp", b"mfra", b"emsg", b"prft", b"free", b"skip",
    b"wide", b"uuid", b"ftyp", b"moov", b"udta", b"meta", b"pssh", b"pdin", b"imda", b"sums",
];

/// Result of scanning the fragments of a file.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    /// Defaults of each track (`trex`).
    defaults: Vec<TrackDefaults>,
    /// Duration of the whole in ticks of the movie (`mehd`); 0 if it is not stated.
    pub(super) stated_duration: u64,
    /// End of the whole as a segment index (`sidx`) states it, if the file ends before: ticks, and ticks per second.
    pub(super) indexed_end: Option<(u64, u32)>,
    /// Whether the file ends inside the header of a fragment, or is damaged to its end.
    pub(super) is_cut: bool,
    /// Sequence number of the last fragment.
    sequence: u32,
    /// End of the data behind the last fragment; `None` before it.
    data_end: Option<u64>,
    /// Whether data was skipped since the last fragment.
    lost_data: bool,
    /// Ends of segments according to their indexes: file offset, ticks, ticks per second.
    indexed: Vec<(u64, u64, u32)>,
}

/// Values of a fragment's packets that the fragment does not state.
#[derive(Clone, Copy, Debug, Default)]
struct TrackDefaults {
    track: u32,
    duration: u32,
    size: u32,
}

impl Fragments {
    /// Parses the body of an `mvex` box.
    pub(super) fn new(mvex: &[u8]) -> Self {
        let trex = boxes(mvex).filter(|(name, _)| name == b"trex");
        let defaults = trex.filter_map(|(_, body)| {
            Some(TrackDefaults {
                track: be32(body, 4)?,
                duration: be32(body, 12)?,
                size: be32(body, 16)?,
            })
        });
        let stated_duration = find(mvex, &[b"mehd"]).and_then(|mehd| match mehd.first() {
            Some(1) => be64(mehd, 4),
            _ => be32(mehd, 4).map(u64::from),
        });
        Self {
            defaults: defaults.collect(),
            stated_duration: stated_duration.unwrap_or(0),
            ..Self::default()
        }
    }

    fn defaults(&self, track: u32) -> TrackDefaults {
        let found = self.defaults.iter().find(|d| d.track == track);
        found.copied().unwrap_or(TrackDefaults {
            track,
            ..TrackDefaults::default()
        })
    }

    /// Parses a `sidx` box that ends at file offset `end` (ISO/IEC 14496-12, 8.16.3).
    fn parse_index(&mut self, sidx: &[u8], end: u64) -> Option<()> {
        let is_version_1 = sidx.first() == Some(&1);
        let timescale = be32(sidx, 8)?;
        let (mut ticks, first_offset, mut at) = if is_version_1 {
            (be64(sidx, 12)?, be64(sidx, 20)?, 28)
        } else {
            (be32(sidx, 12)?.into(), be32(sidx, 16)?.into(), 20)
        };
        let count = be32(sidx, at)? & 0xFFFF;
        let mut offset = end.saturating_add(first_offset);
        for _ in 0..count {
            at += if at == 20 || at == 28 { 4 } else { 12 };
            offset = offset.saturating_add(u64::from(be32(sidx, at)? & 0x7FFF_FFFF));
            ticks = ticks.saturating_add(be32(sidx, at + 4)?.into());
        }
        self.indexed.push((offset, ticks, timescale));
        Some(())
    }
}

/// Returns whether a known box begins at a file offset, or the file ends there.
fn is_boundary(mut file: &InputFile, at: u64) -> io::Result<bool> {
    if at >= file.len() {
        return Ok(at == file.len());
    }
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(16).read_to_end(&mut head)?;
    let header = BoxHeader::parse(&head, file.len() - at);
    Ok(header.is_some_and(|header| OUTER_BOXES.contains(&&header.name)))
}

impl Movie {
    /// Reads the box at file offset `at` of a fragmented file and returns the offset of the next one.
    pub(super) fn read_fragment(
        &mut self,
        file: &InputFile,
        at: u64,
        header: Option<BoxHeader>,
    ) -> io::Result<u64> {
        let file_len = file.len();
        let Some(header) = header else {
            return self.skip_damage(file, at);
        };
        let end = at.saturating_add(header.size);
        if !OUTER_BOXES.contains(&&header.name) {
            // A box of another kind, if one that is known follows it.
            return if is_boundary(file, end)? {
                Ok(end)
            } else {
                self.skip_damage(file, at)
            };
        }
        if header.name == *b"mdat" {
            if let Some(fragments) = self.fragments.as_mut() {
                fragments.data_end = fragments.data_end.max(Some(end));
            }
            // The file is cut off here, or the size is damaged.
            if end > file_len {
                return self.skip_damage(file, at);
            }
        }
        if matches!(&header.name, b"moof" | b"sidx") {
            if end > file_len || header.size > MAX_FRAGMENT_HEADER_BYTES {
                return self.skip_damage(file, at);
            }
            let mut body = Vec::new();
            let mut file = file;
            file.seek(SeekFrom::Start(at + header.header_len))?;
            file.take(header.size - header.header_len)
                .read_to_end(&mut body)?;
            if header.name == *b"moof" {
                self.drop_damaged_runs(Some(at));
                self.parse_fragment(&body, at);
            } else if let Some(fragments) = self.fragments.as_mut() {
                fragments.parse_index(&body, end);
            }
        }
        Ok(end)
    }

    /// Returns the offset of the next fragment after `at`; the end of the file if there is none.
    fn skip_damage(&mut self, mut file: &InputFile, at: u64) -> io::Result<u64> {
        const PIECE: u64 = 1 << 16;
        if let Some(fragments) = self.fragments.as_mut() {
            fragments.lost_data = true;
        }
        let mut from = at + 1;
        let mut data = Vec::new();
        loop {
            file.seek(SeekFrom::Start(from))?;
            data.clear();
            file.take(PIECE).read_to_end(&mut data)?;
            if let Some(found) = data.windows(8).position(|w| w.ends_with(b"moof")) {
                return Ok(from + found as u64);
            }
            if (data.len() as u64) < PIECE || from > at + MAX_JUNK_BYTES {
                break;
            }
            from += PIECE - 7;
        }
        if let Some(fragments) = self.fragments.as_mut() {
            fragments.is_cut = true;
        }
        Ok(file.len())
    }

    /// Removes packets of the last fragment that would lie behind its data: their description is damaged. Without data the
    /// file offset of the `next` fragment counts.
    fn drop_damaged_runs(&mut self, next: Option<u64>) {
        let Some(fragments) = self.fragments.as_mut() else {
            return;
        };
        let Some(end) = fragments.data_end.take().or(next) else {
            return;
        };
        for track in &mut self.tracks {
            while track.runs.last().is_some_and(|run| run.end() > end) {
                track.runs.pop();
                fragments.lost_data = true;
            }
        }
    }

    /// Adds the packets that a `moof` box at file offset `at` describes to their tracks.
    fn parse_fragment(&mut self, moof: &[u8], at: u64) {
        let Some(fragments) = self.fragments.as_mut() else {
            return;
        };
        let sequence = find(moof, &[b"mfhd"])
            .and_then(|mfhd| be32(mfhd, 4))
            .unwrap_or(0);
        // Numbers increase by one, unless a fragment is missing.
        let follows = fragments.sequence == 0 || sequence <= fragments.sequence.wrapping_add(1);
        let lost_data = std::mem::take(&mut fragments.lost_data) || !follows;
        fragments.sequence = sequence;
        let mut data_end = at;
        for (_, traf) in boxes(moof).filter(|(name, _)| name == b"traf") {
            let tfhd = find(traf, &[b"tfhd"]).unwrap_or_default();
            let Some(id) = be32(tfhd, 4) else {
                continue;
            };
            let defaults = fragments.defaults(id);
            let Some(mut run) = TrackRuns::parse(tfhd, at, data_end, defaults) else {
                continue;
            };
            run.time = find(traf, &[b"tfdt"]).and_then(|tfdt| match tfdt.first() {
                Some(1) => be64(tfdt, 4),
                _ => be32(tfdt, 4).map(u64::from),
            });
            run.follows_loss = lost_data;
            for (_, trun) in boxes(traf).filter(|(name, _)| name == b"trun") {
                let _ = run.add(trun);
            }
            data_end = run.offset;
            if let Some(track) = self.tracks.iter_mut().find(|track| track.id == id) {
                track.runs.append(&mut run.runs);
            }
        }
    }

    /// Compares what the indexes state with the length of the file.
    pub(super) fn finish_fragments(&mut self, file_len: u64) {
        self.drop_damaged_runs(None);
        let Some(fragments) = self.fragments.as_mut() else {
            return;
        };
        let beyond = fragments.indexed.iter().filter(|(end, ..)| *end > file_len);
        // Nothing behind it says how much is lost.
        fragments.is_cut |= fragments.lost_data;
        fragments.indexed_end = beyond
            .map(|(_, ticks, timescale)| (*ticks, *timescale))
            .max_by_key(|(ticks, _)| *ticks);
    }
}

/// The packets of one track in one fragment.
struct TrackRuns {
    base: u64,
    /// File offset of the next packet.
    offset: u64,
    /// Start of the next packet in ticks; `None` to follow the packets before it.
    time: Option<u64>,
    defaults: TrackDefaults,
    follows_loss: bool,
    runs: Vec<SampleRun>,
}

impl TrackRuns {
    /// Parses the body of a `tfhd` box of the fragment at file offset `moof`. Without another base, offsets count from
    /// there, or from the end of the track before it.
    fn parse(tfhd: &[u8], moof: u64, data_end: u64, mut defaults: TrackDefaults) -> Option<Self> {
        const BASE_DATA_OFFSET: u32 = 0x1;
        const SAMPLE_DESCRIPTION: u32 = 0x2;
        const DEFAULT_DURATION: u32 = 0x8;
        const DEFAULT_SIZE: u32 = 0x10;
        const DEFAULT_BASE_IS_MOOF: u32 = 0x2_0000;
        let flags = be32(tfhd, 0)? & 0xFF_FFFF;
        let mut at = 8;
        let mut base = if flags & DEFAULT_BASE_IS_MOOF != 0 {
            moof
        } else {
            data_end
        };
        if flags & BASE_DATA_OFFSET != 0 {
            base = be64(tfhd, at)?;
            at += 8;
        }
        if flags & SAMPLE_DESCRIPTION != 0 {
            at += 4;
        }
        if flags & DEFAULT_DURATION != 0 {
            defaults.duration = be32(tfhd, at)?;
            at += 4;
        }
        if flags & DEFAULT_SIZE != 0 {
            defaults.size = be32(tfhd, at)?;
        }
        Some(Self {
            base,
            offset: base,
            time: None,
            defaults,
            follows_loss: false,
            runs: Vec::new(),
        })
    }

    /// Adds the packets of a `trun` box.
    fn add(&mut self, trun: &[u8]) -> Option<()> {
        const DATA_OFFSET: u32 = 0x1;
        const FIRST_FLAGS: u32 = 0x4;
        const DURATION: u32 = 0x100;
        const SIZE: u32 = 0x200;
        const FLAGS: u32 = 0x400;
        const COMPOSITION_OFFSET: u32 = 0x800;
        let flags = be32(trun, 0)? & 0xFF_FFFF;
        let count = be32(trun, 4)?;
        let mut at = 8;
        if flags & DATA_OFFSET != 0 {
            let distance = be32(trun, at)?.cast_signed();
            self.offset = self.base.saturating_add_signed(distance.into());
            at += 4;
        }
        if flags & FIRST_FLAGS != 0 {
            at += 4;
        }
        if flags & (DURATION | SIZE) == 0 {
            self.push(self.defaults.duration, self.defaults.size, count);
            return Some(());
        }
        for _ in 0..count {
            let (mut duration, mut size) = (self.defaults.duration, self.defaults.size);
            if flags & DURATION != 0 {
                duration = be32(trun, at)?;
                at += 4;
            }
            if flags & SIZE != 0 {
                size = be32(trun, at)?;
                at += 4;
            }
            at += 4 * (flags & (FLAGS | COMPOSITION_OFFSET)).count_ones() as usize;
            self.push(duration, size, 1);
        }
        Some(())
    }

    /// Adds packets, to the run before them if they continue it.
    fn push(&mut self, ticks: u32, size: u32, count: u32) {
        let count = count.min(MAX_RUN_PACKETS);
        let bytes = u64::from(size) * u64::from(count);
        match self.runs.last_mut() {
            Some(last) if (last.ticks, last.size, last.end()) == (ticks, size, self.offset) => {
                last.count = last.count.saturating_add(count);
            }
            _ => self.runs.push(SampleRun {
                time: self.time,
                ticks,
                offset: self.offset,
                size,
                count,
                follows_loss: self.follows_loss && self.runs.is_empty(),
            }),
        }
        self.offset = self.offset.saturating_add(bytes);
        let time = self.time.as_mut();
        if let Some(time) = time {
            *time = time.saturating_add(u64::from(ticks) * u64::from(count));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::demux::mp4::movie::Mp4Track;
    use std::io::Write;

    /// Concatenates 32-bit numbers.
    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    fn boxed(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(8 + body.len()).unwrap();
        [&size.to_be_bytes(), &name[..], body].concat()
    }

    fn file(bytes: &[u8]) -> InputFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        InputFile::open(file.path()).unwrap()
    }

    /// A movie of the tracks 1 and 2, whose packets have 1,024 and 512 ticks and 7 and 9 bytes unless a fragment says
    /// otherwise.
    fn movie() -> Movie {
        let mvex = [
            boxed(b"trex", &words(&[0, 1, 1, 1024, 7, 0])),
            boxed(b"trex", &words(&[0, 2, 1, 512, 9, 0])),
        ];
        let track = |id| Mp4Track {
            id,
            ..Mp4Track::default()
        };
        Movie {
            timescale: 1,
            tracks: vec![track(1), track(2)],
            smpb: None,
            stem_labels: Vec::new(),
            fragments: Some(Fragments::new(&mvex.concat())),
        }
    }

    fn run(time: Option<u64>, ticks: u32, offset: u64, size: u32, count: u32) -> SampleRun {
        SampleRun {
            time,
            ticks,
            offset,
            size,
            count,
            follows_loss: false,
        }
    }

    #[test]
    fn defaults_and_duration_of_the_movie() {
        let fragments = movie().fragments.unwrap();
        let defaults = |track| {
            let found = fragments.defaults(track);
            (found.track, found.duration, found.size)
        };
        let expected = [(1, 1024, 7), (2, 512, 9), (3, 0, 0)];
        assert_eq!([1, 2, 3].map(defaults), expected);
        assert_eq!(fragments.stated_duration, 0);
        let long = Fragments::new(&boxed(b"mehd", &words(&[0x0100_0000, 2, 3])));
        assert_eq!(long.stated_duration, (2 << 32) + 3);
        let short = Fragments::new(&boxed(b"mehd", &words(&[0, 2, 3])));
        assert_eq!(short.stated_duration, 2);
    }

    #[test]
    fn an_index_states_where_its_segments_end() {
        let references = [0x8000_0010, 10, 0, 100, 20, 0, 200, 30, 0];
        let mut fragments = Fragments::default();
        let short = [&[0, 1, 48_000, 5, 7, 3][..], &references].concat();
        assert_eq!(fragments.parse_index(&words(&short), 1000), Some(()));
        let long = [&[0x0100_0000, 1, 44_100, 1, 5, 2, 7, 3][..], &references].concat();
        assert_eq!(fragments.parse_index(&words(&long), 1000), Some(()));
        let ends = [
            (1323, 65, 48_000),
            (1323 + (2 << 32), 65 + (1 << 32), 44_100),
        ];
        assert_eq!(fragments.indexed, ends);
        assert_eq!(fragments.parse_index(&words(&short[..13]), 1000), None);
        // The number has 16 bits, behind 16 that are reserved.
        let one = [0, 1, 48_000, 5, 7, 0x7_0001, 100, 20, 0];
        assert_eq!(fragments.parse_index(&words(&one), 0), Some(()));
        assert_eq!(fragments.indexed[2], (107, 25, 48_000));
    }

    #[test]
    fn only_indexes_beyond_the_file_state_its_end() {
        let mut movie = movie();
        let fragments = movie.fragments.as_mut().unwrap();
        fragments.indexed = vec![(1000, 9, 3), (1001, 5, 1), (1002, 7, 2), (1003, 6, 2)];
        movie.finish_fragments(1000);
        let fragments = movie.fragments.as_ref().unwrap();
        assert_eq!(fragments.indexed_end, Some((7, 2)));
        assert!(!fragments.is_cut);
        movie.finish_fragments(1003);
        assert_eq!(movie.fragments.as_ref().unwrap().indexed_end, None);
        movie.fragments.as_mut().unwrap().lost_data = true;
        movie.finish_fragments(1003);
        assert!(movie.fragments.unwrap().is_cut);
    }

    #[test]
    fn a_track_fragment_replaces_the_defaults_that_its_flags_announce() {
        let defaults = TrackDefaults {
            track: 1,
            duration: 1024,
            size: 7,
        };
        let parsed = |header: &[u32]| {
            let run = TrackRuns::parse(&words(header), 1000, 5000, defaults)?;
            assert_eq!((run.offset, run.time), (run.base, None));
            Some((run.base, run.defaults.duration, run.defaults.size))
        };
        assert_eq!(parsed(&[0, 1]), Some((5000, 1024, 7)));
        assert_eq!(parsed(&[0x2_0000, 1]), Some((1000, 1024, 7)));
        let base = (1 << 32) + 2;
        assert_eq!(parsed(&[1, 1, 1, 2]), Some((base, 1024, 7)));
        assert_eq!(parsed(&[2, 1, 99]), Some((5000, 1024, 7)));
        assert_eq!(parsed(&[8, 1, 33]), Some((5000, 33, 7)));
        assert_eq!(parsed(&[0x10, 1, 44]), Some((5000, 1024, 44)));
        assert_eq!(
            parsed(&[0x2_001B, 1, 1, 2, 99, 33, 44]),
            Some((base, 33, 44))
        );
        assert_eq!(parsed(&[0x18, 1, 33]), None, "too short");
    }

    #[test]
    fn a_run_states_the_durations_and_sizes_that_its_flags_announce() {
        let runs = |header: &[u32], time| {
            let defaults = TrackDefaults {
                track: 1,
                duration: 1024,
                size: 7,
            };
            let mut runs = TrackRuns::parse(&words(&[0, 1]), 0, 5000, defaults).unwrap();
            runs.time = time;
            let added = runs.add(&words(header));
            (runs.runs, runs.offset, added.is_some())
        };
        let three = run(Some(9), 1024, 5000, 7, 3);
        assert_eq!(runs(&[0, 3], Some(9)), (vec![three], 5021, true));
        let moved = run(None, 1024, 4980, 7, 3);
        assert_eq!(
            runs(&[1, 3, 20u32.wrapping_neg()], None),
            (vec![moved], 5001, true)
        );
        assert_eq!(runs(&[5, 3, 20u32.wrapping_neg(), 0], None).1, 5001);
        // Durations, sizes, both, and both with flags and composition offsets, which are not needed.
        let by_duration = vec![run(Some(9), 10, 5000, 7, 2), run(Some(29), 20, 5014, 7, 1)];
        assert_eq!(
            runs(&[0x100, 3, 10, 10, 20], Some(9)),
            (by_duration, 5021, true)
        );
        let by_size = vec![
            run(Some(9), 1024, 5000, 3, 1),
            run(Some(1033), 1024, 5003, 4, 2),
        ];
        assert_eq!(runs(&[0x200, 3, 3, 4, 4], Some(9)), (by_size, 5011, true));
        let both = vec![run(Some(9), 10, 5000, 3, 1), run(Some(19), 20, 5003, 4, 1)];
        assert_eq!(
            runs(&[0x304, 2, 99, 10, 3, 20, 4], Some(9)),
            (both.clone(), 5007, true)
        );
        let all = [0xF00, 2, 10, 3, 99, 99, 20, 4, 99, 99];
        assert_eq!(runs(&all, Some(9)), (both.clone(), 5007, true));
        let flags = [0x700, 2, 10, 3, 99, 20, 4, 99];
        assert_eq!(runs(&flags, Some(9)), (both.clone(), 5007, true));
        assert_eq!(runs(&all[..6], Some(9)), (both[..1].to_vec(), 5003, false));
    }

    #[test]
    fn a_fragment_continues_behind_the_data_of_its_track_before() {
        let fragment = |sequence, time: &[u32]| {
            let first = [
                boxed(b"tfhd", &words(&[0x2_0000, 1])),
                boxed(b"tfdt", &words(time)),
                boxed(b"trun", &words(&[0x201, 2, 100, 10, 20])),
            ];
            let second = [
                boxed(b"tfhd", &words(&[0, 2])),
                boxed(b"trun", &words(&[0, 2])),
                boxed(b"trun", &words(&[0, 1])),
            ];
            let all = [
                boxed(b"mfhd", &words(&[0, sequence])),
                boxed(b"traf", &first.concat()),
                boxed(b"traf", &second.concat()),
            ];
            all.concat()
        };
        let mut movie = movie();
        movie.parse_fragment(&fragment(1, &[0, 500]), 1000);
        let first = [
            run(Some(500), 1024, 1100, 10, 1),
            run(Some(1524), 1024, 1110, 20, 1),
        ];
        assert_eq!(movie.tracks[0].runs, first);
        assert_eq!(movie.tracks[1].runs, [run(None, 512, 1130, 9, 3)]);

        // A number that follows, one that begins anew, and one before which another is missing.
        for (sequence, is_lost) in [(2, false), (1, false), (3, true), (4, false)] {
            movie.parse_fragment(&fragment(sequence, &[0x0100_0000, 1, 0]), 2000);
            let [.., before, last] = movie.tracks[0].runs[..] else {
                panic!("there are two runs");
            };
            assert_eq!(before.follows_loss, is_lost, "{sequence}");
            assert_eq!(
                (before.time, last.time),
                (Some(1 << 32), Some((1 << 32) + 1024))
            );
            assert!(!last.follows_loss);
        }
        movie.fragments.as_mut().unwrap().lost_data = true;
        movie.parse_fragment(&fragment(5, &[0, 0]), 3000);
        assert!(movie.tracks[0].runs[10].follows_loss);
    }

    #[test]
    fn packets_behind_the_data_of_their_fragment_are_dropped() {
        let runs = [run(None, 1, 100, 10, 2), run(None, 1, 120, 10, 2)];
        for (data_end, next, left) in [
            (Some(140), Some(0), 2),
            (Some(139), Some(999), 1),
            (Some(119), None, 0),
            (None, Some(140), 2),
            (None, Some(139), 1),
            (None, None, 2),
        ] {
            let mut movie = movie();
            movie.tracks[1].runs = runs.to_vec();
            movie.fragments.as_mut().unwrap().data_end = data_end;
            movie.drop_damaged_runs(next);
            assert_eq!(movie.tracks[1].runs, runs[..left]);
            let fragments = movie.fragments.unwrap();
            assert_eq!((fragments.lost_data, fragments.data_end), (left < 2, None));
        }
    }

    #[test]
    fn boxes_are_passed_and_damage_is_skipped_to_the_next_fragment() {
        let read = |bytes: &[u8], at| {
            let mut movie = movie();
            let header = BoxHeader::parse(&bytes[at..], (bytes.len() - at) as u64);
            let next = movie
                .read_fragment(&file(bytes), at as u64, header)
                .unwrap();
            let fragments = movie.fragments.unwrap();
            let state = (fragments.data_end, fragments.lost_data, fragments.is_cut);
            (next, state)
        };
        let nothing = (None, false, false);
        let [free, mdat, odd] = [b"free", b"mdat", b"odd!"].map(|name| boxed(name, &[0; 12]));
        let moof = boxed(b"moof", &boxed(b"mfhd", &words(&[0, 1])));
        let all = [&free[..], &mdat, &odd, &moof].concat();
        assert_eq!(read(&all, 0), (20, nothing));
        assert_eq!(read(&all, 20), (40, (Some(40), false, false)));
        assert_eq!(read(&all, 40), (60, nothing), "a known box follows");
        assert_eq!(read(&all, 60), (84, nothing));
        assert_eq!(read(&all[..60], 40), (60, nothing), "the end follows");
        // Unknown boxes, the second of which is damage, data that the file cuts off, and a fragment that it cuts off.
        let damage = [&odd[..], &odd, &moof].concat();
        assert_eq!(read(&damage, 0), (40, (None, true, false)));
        assert_eq!(read(&damage[..40], 0), (40, (None, true, true)));
        assert_eq!(read(&mdat[..19], 0), (19, (Some(20), true, true)));
        assert_eq!(read(&moof[..23], 0), (23, (None, true, true)));
        assert_eq!(
            read(&[&[0, 0, 0, 5][..], &[0; 36]].concat(), 0),
            (40, (None, true, true)),
            "no header"
        );
        for at in [1, 4000, 65_530, 65_533, 65_540, 140_000] {
            let bytes = [&vec![5; at][..], &moof].concat();
            assert_eq!(read(&bytes, 0), (at as u64, (None, true, false)));
        }
    }

    #[test]
    fn a_boundary_is_the_end_or_a_known_box() {
        let bytes = [boxed(b"free", &[0; 4]), boxed(b"odd!", &[0; 4])].concat();
        let found = [0, 1, 12, 24, 25].map(|at| is_boundary(&file(&bytes), at).unwrap());
        assert_eq!(found, [true, false, false, true, false]);
    }
}
