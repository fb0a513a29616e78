//! Lists the frames of streams without a container: MPEG audio and ADTS.
//!
//! Such a file has no index and no reliable length, so every frame header is visited once when the file is opened. That
//! gives the exact length, the exact position of every frame, and what was lost: where a header is damaged, the bytes
//! up to the next intact one become a gap of as many frames as they held. Nothing is decoded. Frame headers are parsed
//! in `mpeg` and `adts`.

use super::{MAX_JUNK_BYTES, StemFile, adts, clock, mpeg};
use crate::{
    error::{ErrorKind, Result},
    media::{codec::mpeg::Version, packet_table::PacketEntry},
    storage::InputFile,
};
use std::io::{self, Read, Seek, SeekFrom};

/// Largest difference in size between two frames of a constant bit rate: the padding slot, 4 bytes in layer I.
const MAX_PADDING_BYTES: u32 = 4;

/// Enough bytes to parse any frame header or recognise a tag.
const HEADER_BYTES: usize = 16;

/// Number of consecutive frame headers that make a sync reliable.
pub(crate) const SYNC_FRAMES: usize = 3;

/// Kind of frames. Frames of one stream have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameFormat {
    Mpeg {
        version: Version,
        /// 1 to 3.
        layer: u8,
    },
    Adts {
        /// Whether the header says MPEG-2 instead of MPEG-4.
        is_mpeg_2: bool,
        /// MPEG-4 audio object type, 2 for AAC-LC.
        object_type: u8,
        /// Number of AAC packets in a frame, less one.
        extra_packets: u8,
    },
}

/// One frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) format: FrameFormat,
    pub(crate) rate: u32,
    /// 0 where ADTS leaves it to the AAC data.
    pub(crate) channels: u8,
    /// Duration in audio frames.
    pub(crate) frames: u32,
    /// Size in bytes, header included.
    pub(crate) size: u32,
    /// Bytes at the start that are not part of the packet for the decoder.
    pub(crate) payload_offset: u32,
}

impl FrameHeader {
    /// Parses the header at the start of `data`.
    pub(crate) fn parse(data: &[u8]) -> Option<Self> {
        // Layer bits of 0 are reserved in MPEG audio; together with 12 sync bits they mean ADTS.
        match data {
            [0xFF, b1, ..] if b1 & 0xF6 == 0xF0 => adts::parse_header(data),
            _ => mpeg::parse_header(data),
        }
    }

    /// Returns whether both can belong to one stream.
    fn agrees(&self, other: &Self) -> bool {
        (self.format, self.rate, self.channels) == (other.format, other.rate, other.channels)
    }

    fn describe(&self) -> String {
        let channels = if self.channels == 1 { "mono" } else { "stereo" };
        match self.format {
            FrameFormat::Mpeg { layer, .. } => format!("layer {layer} {} Hz {channels}", self.rate),
            FrameFormat::Adts { .. } => format!("AAC {} Hz {channels}", self.rate),
        }
    }
}

/// Returns the format of the frames that `data` begins with, if [`SYNC_FRAMES`] agreeing headers follow one another.
/// With `may_end` fewer are enough if they reach the end of `data`.
pub(crate) fn sync_format(data: &[u8], may_end: bool) -> Option<FrameFormat> {
    let first = FrameHeader::parse(data)?;
    let mut at = 0;
    for _ in 0..SYNC_FRAMES {
        // The longest header is that of ADTS, 7 bytes.
        let Some(rest) = data.get(at..).filter(|rest| rest.len() >= 7) else {
            return may_end.then_some(first.format);
        };
        let header = FrameHeader::parse(rest).filter(|h| h.agrees(&first))?;
        at += usize::try_from(header.size).ok()?;
    }
    Some(first.format)
}

/// All frames of a stream.
#[derive(Debug)]
pub(super) struct FrameScan {
    pub(super) first: FrameHeader,
    /// Locations of the frames; lost ones have size 0.
    pub(super) entries: Vec<PacketEntry>,
    /// Total duration in audio frames, lost ones included.
    pub(super) frames: u64,
    /// Duration of a frame at the end of the file that is truncated. It is not in `entries`.
    pub(super) truncated_frames: Option<u32>,
    /// Position, in audio frames, and description of a different stream that follows.
    change: Option<(u64, String)>,
    /// Bytes from the first frame to the end of the file.
    pub(super) bytes: u64,
    /// File offset of the end of the file.
    end_offset: u64,
}

impl StemFile<'_> {
    /// Lists the frames from file offset `start` on. Refuses streams that change, and files without one intact frame.
    pub(super) fn scan_frames(&self, start: u64) -> Result<FrameScan> {
        let scan = scan(self.file, start).map_err(|e| self.io_error(e))?;
        let scan = scan.ok_or_else(|| self.corrupt("no frame can be found"))?;
        if let Some((at, what)) = &scan.change {
            let at = clock(scan.first.rate, *at);
            return Err(self.error(
                ErrorKind::Unsupported,
                format!("the stream changes to {what} at {at}"),
            ));
        }
        if scan.entries.is_empty() {
            return Err(self.corrupt("the only frame is cut off"));
        }
        Ok(scan)
    }
}

impl FrameScan {
    /// Returns the duration in audio frames if `lost_bytes` followed the end of the file, in frames of the mean size.
    pub(super) fn frames_with(&self, lost_bytes: u64) -> u64 {
        if lost_bytes == 0 {
            return self.frames;
        }
        let sizes = self.entries.iter().map(|e| u64::from(e.size));
        let known: u64 = sizes.clone().sum();
        let intact = sizes.filter(|size| *size > 0).count() as u64;
        let mean = known.checked_div(intact).unwrap_or(1).max(1);
        // A truncated frame has some of its bytes in the file.
        let last = self.entries.last();
        let rest = last.map_or(0, |e| {
            self.end_offset.saturating_sub(e.offset + u64::from(e.size))
        });
        let lost = (lost_bytes.saturating_add(rest) + mean / 2) / mean;
        self.frames + lost.max(1).saturating_mul(self.first.frames.into())
    }

    /// Changes the number of lost frames so that the total duration is `frames`. Does nothing if no frame was lost, if
    /// more would have to be removed than were lost, or if as many would have to be added as the stream has.
    pub(super) fn adjust_lost_frames(&mut self, frames: u64) {
        let each = u64::from(self.first.frames);
        let Some(last_lost) = self.entries.iter().rposition(PacketEntry::is_lost) else {
            return;
        };
        if frames > self.frames {
            // More than the address space holds is more than the entries.
            let added = usize::try_from((frames - self.frames) / each).unwrap_or(usize::MAX);
            let Some(lost) = self
                .entries
                .get(last_lost)
                .copied()
                .filter(|_| added < self.entries.len())
            else {
                return;
            };
            self.entries
                .splice(last_lost..last_lost, std::iter::repeat_n(lost, added));
        } else {
            let removed = usize::try_from((self.frames - frames) / each).unwrap_or(usize::MAX);
            if self.entries.iter().filter(|e| e.is_lost()).count() < removed {
                return;
            }
            for _ in 0..removed {
                if let Some(lost) = self.entries.iter().rposition(PacketEntry::is_lost) {
                    self.entries.remove(lost);
                }
            }
        }
        self.frames = 0;
        for entry in &mut self.entries {
            entry.at = self.frames;
            self.frames += u64::from(entry.frames);
        }
    }

    fn push(&mut self, offset: u64, size: u32, frames: u32) {
        self.entries.push(PacketEntry {
            at: self.frames,
            offset,
            size,
            frames,
        });
        self.frames += u64::from(frames);
    }
}

/// Lists the frames from file offset `start` on; `None` if there is no frame header at `start`.
fn scan(file: &InputFile, start: u64) -> io::Result<Option<FrameScan>> {
    let mut view = BufferedView {
        file: file.clone(),
        len: file.len(),
        base: 0,
        buf: Vec::new(),
    };
    let first_bytes = view.get(start, HEADER_BYTES)?.to_vec();
    let Some(first) = FrameHeader::parse(&first_bytes) else {
        return Ok(None);
    };
    let bytes = view.len.saturating_sub(start);
    let mut scan = FrameScan {
        first,
        entries: Vec::new(),
        frames: 0,
        truncated_frames: None,
        change: None,
        bytes,
        end_offset: view.len,
    };
    let mut sizes = FrameSizes::default();
    let mut at = start;
    while let Some(header) = view.header(at)?.filter(|h| h.agrees(&first)) {
        let next = at + u64::from(header.size);
        if next > view.len {
            scan.truncated_frames = Some(header.frames);
            break;
        }
        let follows = next == view.len || view.header(next)?.is_some_and(|h| h.agrees(&first));
        let resync = if follows {
            Resync::Frame(next)
        } else {
            resync(&mut view, &first, at + 1)?
        };
        // The header at `at` is damaged too if another frame begins inside its frame, or if its frame ends short of the
        // next one and has an odd size: then its size is wrong.
        // Decoders of layers I and II notice nothing, so a frame before bytes that are none is not believed.
        let is_unchecked = matches!(first.format, FrameFormat::Mpeg { layer: 1 | 2, .. });
        let damaged = match resync {
            Resync::Frame(found) if found > next => {
                sizes.is_odd(header.size) || is_unchecked && !is_tag(view.get(next, HEADER_BYTES)?)
            }
            Resync::Frame(found) => found < next,
            Resync::OtherStream(_) | Resync::Nothing => false,
        };
        if !damaged {
            sizes.add(header.size);
            scan.push(
                at + u64::from(header.payload_offset),
                header.size - header.payload_offset,
                header.frames,
            );
        }
        match resync {
            Resync::Frame(found) => {
                let gap_start = if damaged { at } else { next };
                let gap = if is_tag(view.get(gap_start, HEADER_BYTES)?) {
                    0
                } else {
                    found - gap_start
                };
                let lost = match sizes.frames_in(gap) {
                    0 => u64::from(damaged),
                    lost if damaged || resembles(view.get(gap_start, 4)?, &first_bytes) => lost,
                    // Nothing like a header follows this frame, so its own size may be wrong: the frames in all
                    // bytes since its start are counted, less itself.
                    lost => lost.min(sizes.frames_in(found - at).saturating_sub(1)),
                };
                for _ in 0..lost {
                    scan.push(gap_start, 0, header.frames);
                }
                at = found;
            }
            Resync::OtherStream(what) => {
                scan.change = Some((scan.frames, what));
                break;
            }
            Resync::Nothing => break,
        }
    }
    Ok(Some(scan))
}

/// Sizes of the intact frames so far, in bytes.
#[derive(Debug)]
struct FrameSizes {
    count: u64,
    total: u64,
    shortest: u32,
    longest: u32,
}

impl Default for FrameSizes {
    fn default() -> Self {
        Self {
            count: 0,
            total: 0,
            shortest: u32::MAX,
            longest: 0,
        }
    }
}

impl FrameSizes {
    fn add(&mut self, size: u32) {
        self.count += 1;
        self.total += u64::from(size);
        self.shortest = self.shortest.min(size);
        self.longest = self.longest.max(size);
    }

    /// Returns whether a size does not fit a stream of constant bit rate. No size is odd before two frames are known.
    fn is_odd(&self, size: u32) -> bool {
        let constant = self.count > 1 && self.longest - self.shortest <= MAX_PADDING_BYTES;
        constant
            && (size + MAX_PADDING_BYTES < self.shortest || size > self.longest + MAX_PADDING_BYTES)
    }

    /// Returns how many frames of the mean size fit into `bytes`, rounded to the nearest.
    fn frames_in(&self, bytes: u64) -> u64 {
        let mean = (self.total / self.count.max(1)).max(1);
        (bytes + mean / 2) / mean
    }
}

fn is_tag(data: &[u8]) -> bool {
    ["ID3", "TAG", "APETAGEX", "LYRICSBEGIN"]
        .iter()
        .any(|tag| data.starts_with(tag.as_bytes()))
}

/// Returns whether `data` may be a header of the same stream with up to four damaged bits. Compares the bits that all
/// headers of a stream share: sync, version, layer and rate.
fn resembles(data: &[u8], header: &[u8]) -> bool {
    let common = data.iter().zip(header).zip([0xFF, 0xFE, 0x0C]);
    data.len() > 2
        && common
            .map(|((a, b), mask)| ((a ^ b) & mask).count_ones())
            .sum::<u32>()
            <= 4
}

/// Result of the search after a break in the chain of frames.
enum Resync {
    /// Offset of the next frame of the stream.
    Frame(u64),
    /// Description of frames that do not belong to the stream.
    OtherStream(String),
    Nothing,
}

/// Searches for the next place from which frames follow one another.
fn resync(view: &mut BufferedView, first: &FrameHeader, from: u64) -> io::Result<Resync> {
    const STEP: usize = 4096;
    let mut at = from;
    while at < view.len && at - from < MAX_JUNK_BYTES {
        let data = view.get(at, STEP)?;
        let Some(distance) = data.iter().position(|b| *b == 0xFF) else {
            at += STEP as u64;
            continue;
        };
        at += distance as u64;
        if let Some(header) = view.header(at)?
            && frames_follow(view, &header, at)?
        {
            let found = if header.agrees(first) {
                Resync::Frame(at)
            } else {
                Resync::OtherStream(header.describe())
            };
            return Ok(found);
        }
        at += 1;
    }
    Ok(Resync::Nothing)
}

/// Returns whether [`SYNC_FRAMES`] agreeing frames follow one another, or fewer up to the exact end of the file.
fn frames_follow(view: &mut BufferedView, first: &FrameHeader, from: u64) -> io::Result<bool> {
    let mut at = from;
    for _ in 0..SYNC_FRAMES {
        match view.header(at)? {
            Some(header) if header.agrees(first) => at += u64::from(header.size),
            _ => return Ok(at == view.len && at > from),
        }
    }
    Ok(true)
}

/// A file with a read buffer, addressed by offset.
struct BufferedView {
    file: InputFile,
    len: u64,
    /// File offset of the buffer.
    base: u64,
    buf: Vec<u8>,
}

impl BufferedView {
    /// Returns `n` bytes at a file offset; fewer at the end of the file.
    fn get(&mut self, offset: u64, n: usize) -> io::Result<&[u8]> {
        const READ_BYTES: u64 = 1 << 18;
        let wanted = n as u64;
        let end = offset.saturating_add(wanted).min(self.len);
        let buffered_end = self.base + self.buf.len() as u64;
        if offset < self.base || end > buffered_end {
            self.base = offset;
            self.buf.clear();
            self.file.seek(SeekFrom::Start(offset))?;
            (&self.file)
                .take(READ_BYTES.max(wanted))
                .read_to_end(&mut self.buf)?;
        }
        // An offset past the end of the file may lie outside the buffer.
        let from = usize::try_from(offset - self.base).unwrap_or(usize::MAX);
        let part = self.buf.get(from..).unwrap_or_default();
        Ok(part.get(..n).unwrap_or(part))
    }

    fn header(&mut self, offset: u64) -> io::Result<Option<FrameHeader>> {
        Ok(FrameHeader::parse(self.get(offset, HEADER_BYTES)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    impl FrameScan {
        /// Returns a scan of frames of these sizes.
        pub(in crate::media::demux) fn of_entries(
            first: FrameHeader,
            sizes: &[u32],
            truncated_frames: Option<u32>,
        ) -> Self {
            let mut scan = Self {
                first,
                entries: Vec::new(),
                frames: 0,
                truncated_frames,
                change: None,
                bytes: 1251,
                end_offset: 1251,
            };
            for size in sizes {
                scan.push(0, *size, first.frames);
            }
            scan
        }
    }

    /// Layer III of 128 kbit/s: 44,100 Hz with 417 bytes a frame, with 418, and 48,000 Hz with 384.
    const MP3: [u8; 4] = [0xFF, 0xFB, 0x90, 0];
    const MP3_PADDED: [u8; 4] = [0xFF, 0xFB, 0x92, 0];
    const MP3_48: [u8; 4] = [0xFF, 0xFB, 0x94, 0];
    /// Layer II of 128 kbit/s and 44,100 Hz: 417 bytes a frame.
    const MP2: [u8; 4] = [0xFF, 0xFD, 0x80, 0];

    fn frame(header: [u8; 4]) -> Vec<u8> {
        let mut frame = header.to_vec();
        let size = FrameHeader::parse(&header).unwrap().size;
        frame.resize(size.try_into().unwrap(), 0);
        frame
    }

    /// A frame of AAC-LC, stereo at 44,100 Hz, of 100 bytes.
    fn adts_frame() -> Vec<u8> {
        let mut frame = vec![0xFF, 0xF1, 0x50, 0x80, 12, 0x9F, 0xFC];
        frame.resize(100, 0);
        frame
    }

    fn file(bytes: &[u8]) -> InputFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        InputFile::open(file.path()).unwrap()
    }

    fn scanned(bytes: &[u8]) -> FrameScan {
        scan(&file(bytes), 0).unwrap().unwrap()
    }

    /// Positions, offsets and sizes of the frames.
    fn entries(scan: &FrameScan) -> Vec<(u64, u64, u32)> {
        let entries = scan.entries.iter();
        entries.map(|e| (e.at, e.offset, e.size)).collect()
    }

    #[test]
    fn frames_follow_one_another_by_their_sizes() {
        let bytes = [frame(MP3), frame(MP3_PADDED), frame(MP3)].concat();
        let scan = scanned(&bytes);
        let expected = [(0, 0, 417), (1152, 417, 418), (2304, 835, 417)];
        assert_eq!(entries(&scan), expected);
        assert_eq!(
            (scan.frames, scan.bytes, scan.end_offset),
            (3456, 1252, 1252)
        );
        assert_eq!((scan.truncated_frames, scan.change), (None, None));

        let later = [&[7; 10][..], &bytes, &[0; 50]].concat();
        let scan = super::scan(&file(&later), 10).unwrap().unwrap();
        let expected = [(0, 10, 417), (1152, 427, 418), (2304, 845, 417)];
        assert_eq!(entries(&scan), expected);
        assert_eq!(
            (scan.frames, scan.bytes, scan.end_offset),
            (3456, 1302, 1312)
        );
        assert!(super::scan(&file(&later), 9).unwrap().is_none());
    }

    #[test]
    fn adts_packets_begin_behind_their_header() {
        let scan = scanned(&[adts_frame(), adts_frame()].concat());
        assert_eq!(entries(&scan), [(0, 7, 93), (1024, 107, 93)]);
    }

    #[test]
    fn a_frame_that_the_file_cuts_off_is_counted_apart() {
        let bytes = [frame(MP3), frame(MP3), frame(MP3)].concat();
        let scan = scanned(&bytes[..1250]);
        assert_eq!(entries(&scan), [(0, 0, 417), (1152, 417, 417)]);
        assert_eq!((scan.frames, scan.truncated_frames), (2304, Some(1152)));
    }

    #[test]
    fn damaged_frames_are_lost_and_counted_by_their_bytes() {
        for lost in 1..4 {
            let damaged = [0, 0xFB, 0x90, 0];
            let mut bytes = [frame(MP3), frame(MP3)].concat();
            for _ in 0..lost {
                bytes.extend([&damaged[..], &[0; 413]].concat());
            }
            bytes.extend([frame(MP3), frame(MP3)].concat());
            let mut expected = vec![(0, 0, 417), (1152, 417, 417)];
            expected.extend((2..2 + lost).map(|n| (1152 * n, 834, 0)));
            expected.extend((2 + lost..4 + lost).map(|n| (1152 * n, 417 * n, 417)));
            let scan = scanned(&bytes);
            assert_eq!(entries(&scan), expected, "{lost} lost");
            assert_eq!(scan.frames, 1152 * (4 + lost));
        }
    }

    #[test]
    fn a_frame_whose_size_is_damaged_is_lost() {
        // 192 kbit/s state 626 bytes, and 64 kbit/s 208.
        for bit_rate in [0xB0, 0x50] {
            let mut bytes = frame(MP3).repeat(6);
            bytes[2 * 417 + 2] = bit_rate;
            let mut expected: Vec<_> = (0..6).map(|n| (1152 * n, 417 * n, 417)).collect();
            expected[2].2 = 0;
            assert_eq!(entries(&scanned(&bytes)), expected, "{bit_rate:X}");
        }
    }

    #[test]
    fn a_frame_of_layer_ii_before_damage_is_not_believed() {
        let mut bytes = frame(MP2).repeat(5);
        bytes[2 * 417] = 0;
        let lost = [(1152, 417, 0), (2304, 417, 0)];
        let expected = [
            (0, 0, 417),
            lost[0],
            lost[1],
            (3456, 1251, 417),
            (4608, 1668, 417),
        ];
        assert_eq!(entries(&scanned(&bytes)), expected);
    }

    #[test]
    fn a_tag_between_frames_takes_no_time() {
        for header in [MP3, MP2] {
            for tag in ["ID3", "TAG", "APETAGEX", "LYRICSBEGIN"] {
                let mut tag = tag.as_bytes().to_vec();
                tag.resize(900, 0);
                let two = frame(header).repeat(2);
                let expected = [
                    (0, 0, 417),
                    (1152, 417, 417),
                    (2304, 1734, 417),
                    (3456, 2151, 417),
                ];
                let scan = scanned(&[&two[..], &tag, &two].concat());
                assert_eq!(entries(&scan), expected);
            }
        }
    }

    #[test]
    fn another_stream_behind_the_first_is_named_with_its_place() {
        let first = frame(MP3).repeat(3);
        let mono = [0xFF, 0xFB, 0x90, 0xC0];
        for (other, name) in [
            (frame(MP3_48), "layer 3 48000 Hz stereo"),
            (frame(mono), "layer 3 44100 Hz mono"),
            (frame(MP2), "layer 2 44100 Hz stereo"),
            (adts_frame(), "AAC 44100 Hz stereo"),
        ] {
            let scan = scanned(&[first.clone(), other.repeat(4)].concat());
            assert_eq!(scan.change, Some((3456, name.to_owned())));
            assert_eq!(scan.entries.len(), 3);
        }
    }

    #[test]
    fn three_headers_are_a_sync_and_fewer_only_at_the_end() {
        let format = FrameHeader::parse(&MP3).unwrap().format;
        let bytes = frame(MP3).repeat(3);
        assert_eq!(sync_format(&bytes[..841], false), Some(format));
        assert_eq!(sync_format(&bytes[..840], false), None);
        assert_eq!(sync_format(&bytes[..840], true), Some(format));
        assert_eq!(sync_format(&bytes[..20], true), Some(format));
        let other = [frame(MP3).repeat(2), frame(MP3_48)].concat();
        assert_eq!(sync_format(&other, true), None);
        assert_eq!(sync_format(&[0; 20], true), None);
    }

    #[test]
    fn sizes_are_odd_beyond_the_padding_of_a_constant_bit_rate() {
        let sizes = |sizes: &[u32]| {
            let mut all = FrameSizes::default();
            sizes.iter().for_each(|size| all.add(*size));
            all
        };
        let known = sizes(&[418, 417]);
        let odd = [412, 413, 417, 422, 423].map(|size| known.is_odd(size));
        assert_eq!(odd, [true, false, false, false, true]);
        assert!(!sizes(&[417]).is_odd(1), "one frame");
        assert!(sizes(&[100, 104]).is_odd(1));
        assert!(!sizes(&[100, 105]).is_odd(1), "a variable bit rate");
        let counts = [0, 208, 209, 625, 626, 4170].map(|bytes| known.frames_in(bytes));
        assert_eq!(counts, [0, 0, 1, 1, 2, 10]);
        assert_eq!(FrameSizes::default().frames_in(5), 5);
    }

    #[test]
    fn a_header_with_four_damaged_bits_is_recognised() {
        let header = [0xFF, 0xFB, 0x90];
        assert!(resembles(&header, &header));
        assert!(resembles(&[0xF0, 0xFB, 0x90], &header));
        assert!(!resembles(&[0xE0, 0xFB, 0x90], &header), "five bits");
        assert!(!resembles(&[0xF0, 0xFB, 0x94], &header), "five bits");
        assert!(!resembles(&[0xF0, 0xF9, 0x90], &header), "five bits");
        // Protection, bit rate and padding differ between frames.
        assert!(resembles(&[0xF0, 0xFA, 0xF3], &header));
        assert!(!resembles(&header[..2], &header));
    }

    #[test]
    fn bytes_behind_the_end_are_counted_in_frames_of_the_mean_size() {
        let bytes = [frame(MP3), frame(MP3_PADDED), frame(MP3)].concat();
        let frames = |scan: &FrameScan, lost| scan.frames_with(lost) / 1152;
        let whole = scanned(&bytes);
        let counts = [0, 1, 625, 626, 1042, 1043].map(|lost| frames(&whole, lost));
        assert_eq!(counts, [3, 4, 4, 5, 5, 6]);
        // Of the last frame 100 bytes are there.
        let cut = scanned(&bytes[..935]);
        let counts = [0, 1, 525, 526].map(|lost| frames(&cut, lost));
        assert_eq!(counts, [2, 3, 3, 4]);
        // A lost frame has no size.
        let mut damaged = frame(MP3).repeat(5);
        damaged[2 * 417] = 0;
        let damaged = scanned(&damaged);
        assert_eq!([625, 626].map(|lost| frames(&damaged, lost)), [6, 7]);
    }

    #[test]
    fn lost_frames_are_adjusted_to_the_stated_length() {
        let adjusted = |sizes: &[u32], frames: u64| {
            let first = FrameHeader::parse(&MP3).unwrap();
            let mut scan = FrameScan::of_entries(first, sizes, None);
            scan.adjust_lost_frames(1152 * frames);
            let ends = scan.entries.iter().enumerate();
            assert!(ends.clone().all(|(n, entry)| entry.at == 1152 * n as u64));
            assert_eq!(scan.frames, 1152 * ends.len() as u64);
            scan.entries.iter().map(|e| e.size).collect::<Vec<_>>()
        };
        let sizes = [11, 0, 12, 0, 13];
        assert_eq!(adjusted(&sizes, 5), sizes);
        assert_eq!(adjusted(&sizes, 7), [11, 0, 12, 0, 0, 0, 13]);
        assert_eq!(adjusted(&sizes, 9).len(), 9);
        assert_eq!(adjusted(&sizes, 10), sizes, "as many as there are");
        assert_eq!(adjusted(&sizes, 4), [11, 0, 12, 13]);
        assert_eq!(adjusted(&sizes, 3), [11, 12, 13]);
        assert_eq!(adjusted(&sizes, 2), sizes, "more than are lost");
        assert_eq!(adjusted(&[11, 12], 3), [11, 12], "none is lost");
    }

    #[test]
    fn bytes_are_found_wherever_the_buffer_is() {
        let bytes: Vec<u8> = (0..600_000u32).map(|n| (n * 7 % 251) as u8).collect();
        let mut view = BufferedView {
            file: file(&bytes),
            len: 600_000,
            base: 0,
            buf: Vec::new(),
        };
        for at in [0, 262_130, 262_140, 524_400, 3, 599_990, 262_144] {
            assert_eq!(
                view.get(at as u64, 10).unwrap(),
                &bytes[at..at + 10],
                "{at}"
            );
        }
        assert_eq!(view.get(599_995, 10).unwrap(), &bytes[599_995..]);
        assert_eq!(view.get(700_000, 10).unwrap(), b"");
        assert_eq!(view.get(5, 300_000).unwrap(), &bytes[5..300_005]);
    }
}
