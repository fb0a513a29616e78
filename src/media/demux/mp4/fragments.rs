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
