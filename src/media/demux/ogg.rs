//! Opens Vorbis and FLAC in Ogg (RFC 3533; Vorbis I, appendix A; RFC 9639, 10.1).
//!
//! `symphonia` does not report pages that are missing or damaged, a second stream chained to the first, or a file that
//! is cut off. All of it shows in the page headers, which carry a sequence number, a checksum and the stream position
//! at the end of the page (the granule position). So all pages are read when a file is opened, and packets are read
//! through a table.
//!
//! Packets follow one another as long as no page is missing: granule positions can be off, because some writers
//! convert them from milliseconds. After missing pages they say where the packets are. The last page of Vorbis also
//! states how much of the last packet is padding, and the first page how much of the first packets is delay.

use super::{
    AudioExtent, MAX_JUNK_BYTES, OpenedStem, StemFile,
    bytes::{be16, le32},
    clock,
    coded_stream::{CodedStream, PACKET_HEAD_BYTES, PacketFrames, StatedTrim},
    signed,
    timeline::{PlacedPackets, Timeline},
    unsigned,
};
use crate::{
    error::{ErrorKind, Result},
    media::sparse_reader::ByteRange,
    storage::InputFile,
};
use crc::{Algorithm, Crc, Table};
use std::io::{self, BufReader, Read, Seek, SeekFrom};

const NAME: &str = "Ogg";

/// Largest believable distance in frames between the ends of two pages that follow each other. A stem that starts at a
/// later position was recorded from a broadcast, whose position says nothing.
const MAX_PAGE_DISTANCE: i64 = 1 << 24;

/// Size limit in bytes of the header packets of a stream: comments can hold pictures.
const MAX_HEADER_BYTES: usize = 64 << 20;

/// Bytes of a page header before its segment table.
const PAGE_HEADER_BYTES: u64 = 27;

const CONTINUES_PACKET: u8 = 1;
const FIRST_PAGE: u8 = 2;
const LAST_PAGE: u8 = 4;

/// The checksum of a page (RFC 3533, section 6).
static CRC_32: Crc<u32, Table<16>> = {
    const ALGORITHM: Algorithm<u32> = Algorithm {
        width: 32,
        poly: 0x04C1_1DB7,
        init: 0,
        refin: false,
        refout: false,
        xorout: 0,
        check: 0,
        residue: 0,
    };
    Crc::<u32, Table<16>>::new(&ALGORITHM)
};

impl StemFile<'_> {
    pub(super) fn open_ogg(&self) -> Result<OpenedStem> {
        let streams = audio_streams(self.file).map_err(|e| self.io_error(e))?;
        let index = self
            .stream_index(streams.len())?
            .ok_or_else(|| self.no_audio())?;
        let stream = streams.get(index).ok_or_else(|| self.no_audio())?;
        if let OggCodec::Unsupported(name) = stream.codec {
            return Err(self.unsupported(format!("{name} in {NAME}")));
        }
        let mut scan = StreamScan::new(*stream);
        let mut pages = PageReader::new(self.file);
        while let Some(found) = pages.next().map_err(|e| self.io_error(e))? {
            match found {
                Found::Damaged(header) => scan.add_damaged(&header),
                Found::Page(page) => scan.add_page(self, &page)?,
            }
            if scan.chained_at.is_some() {
                break;
            }
        }
        let Some(audio) = scan.audio else {
            return Err(self.corrupt("Ogg: its header is not whole: the file is probably cut off"));
        };
        let rate = audio.coded.rate;
        if let Some(at) = scan.chained_at {
            let at = clock(rate, at);
            let what = format!("Ogg: another piece of music begins at {at} (chained streams)");
            return Err(self.error(ErrorKind::Unsupported, what));
        }
        let stream = audio.finish();
        let trim = StatedTrim {
            extent: stream.extent,
            silence: 0,
            states_delay: true,
            is_cut: stream.is_cut,
        };
        self.open_coded(stream.coded, stream.placed, trim, streams.len(), NAME)
    }
}

/// Codec of a logical stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OggCodec {
    Vorbis,
    Flac,
    Unsupported(&'static str),
}

impl OggCodec {
    /// Identifies the codec by the first packet; `None` if it is no audio.
    fn identify(packet: &[u8]) -> Option<Self> {
        let starts: [(&[u8], Self); 7] = [
            (b"\x01vorbis", Self::Vorbis),
            (b"\x7FFLAC", Self::Flac),
            (b"fLaC", Self::Unsupported("FLAC of the mapping before 1.0")),
            (b"OpusHead", Self::Unsupported("Opus")),
            (b"Speex   ", Self::Unsupported("Speex")),
            (b"CELT    ", Self::Unsupported("CELT")),
            (b"PCM     ", Self::Unsupported("PCM")),
        ];
        let found = starts.iter().find(|(start, _)| packet.starts_with(start));
        found.map(|(_, codec)| *codec)
    }
}

/// A logical stream of audio: the pages with one serial number.
#[derive(Clone, Copy, Debug)]
struct LogicalStream {
    serial: u32,
    codec: OggCodec,
}

/// Lists the audio streams of a file. The first pages of all streams come before any other page.
fn audio_streams(file: &InputFile) -> io::Result<Vec<LogicalStream>> {
    let mut pages = PageReader::new(file);
    let mut streams = Vec::new();
    while let Some(found) = pages.next()? {
        let Found::Page(page) = found else {
            continue;
        };
        if !page.header.has(FIRST_PAGE) {
            break;
        }
        if let Some(codec) = OggCodec::identify(page.body()) {
            streams.push(LogicalStream {
                serial: page.header.serial,
                codec,
            });
        }
    }
    Ok(streams)
}

/// The fixed part of a page header.
#[derive(Clone, Copy, Debug)]
struct PageHeader {
    flags: u8,
    /// Position in frames at the end of the last packet that ends on the page; −1 if none does.
    granule: i64,
    serial: u32,
    sequence: u32,
    checksum: u32,
}

impl PageHeader {
    /// Parses the header (RFC 3533, section 6), without its checksum being checked.
    fn parse(h: &[u8]) -> Option<Self> {
        if !h.starts_with(b"OggS\0") {
            return None;
        }
        Some(Self {
            flags: *h.get(5)?,
            granule: h
                .get(6..14)?
                .first_chunk::<8>()
                .map(|b| i64::from_le_bytes(*b))?,
            serial: le32(h, 14)?,
            sequence: le32(h, 18)?,
            checksum: le32(h, 22)?,
        })
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// A page whose checksum is right.
struct Page {
    header: PageHeader,
    /// File offset of its first byte.
    offset: u64,
    data: Vec<u8>,
}

impl Page {
    /// Returns the sizes of the segments.
    fn segments(&self) -> &[u8] {
        let count = self.data.get(26).copied().map_or(0, usize::from);
        self.data.get(27..27 + count).unwrap_or_default()
    }

    fn body(&self) -> &[u8] {
        self.data
            .get(27 + self.segments().len()..)
            .unwrap_or_default()
    }

    /// Returns the file offset of the body.
    fn body_offset(&self) -> u64 {
        self.offset + PAGE_HEADER_BYTES + self.segments().len() as u64
    }
}

/// Item that a [`PageReader`] returns.
enum Found {
    Page(Page),
    /// The header of a page that is damaged or not whole.
    Damaged(PageHeader),
}

/// Reads the pages of a file. Damaged bytes are skipped up to the next capture pattern.
struct PageReader {
    file: BufReader<InputFile>,
    at: u64,
    len: u64,
    /// Bytes skipped since the last page.
    skipped: u64,
    /// Whether the file has to be positioned at `at`.
    needs_seek: bool,
}

impl PageReader {
    fn new(file: &InputFile) -> Self {
        Self {
            file: BufReader::with_capacity(1 << 18, file.clone()),
            at: 0,
            len: file.len(),
            skipped: 0,
            needs_seek: true,
        }
    }

    /// Returns the next page; `None` at the end, or where no page follows nearby.
    fn next(&mut self) -> io::Result<Option<Found>> {
        while self.at + PAGE_HEADER_BYTES <= self.len && self.skipped < MAX_JUNK_BYTES {
            if std::mem::take(&mut self.needs_seek) {
                self.file.seek(SeekFrom::Start(self.at))?;
            }
            let mut data = vec![0; 27];
            self.file.read_exact(&mut data)?;
            let Some(header) = PageHeader::parse(&data) else {
                self.skipped += 1;
                self.skip_to_capture_pattern()?;
                continue;
            };
            let is_whole = self.read_page(&mut data)?;
            if !is_whole || checksum(&data) != header.checksum {
                // Only past its first byte: a damaged segment table may claim bytes that are intact pages.
                self.skip_to_capture_pattern()?;
                return Ok(Some(Found::Damaged(header)));
            }
            let offset = self.at;
            self.at += data.len() as u64;
            self.skipped = 0;
            return Ok(Some(Found::Page(Page {
                header,
                offset,
                data,
            })));
        }
        Ok(None)
    }

    /// Goes to the next capture pattern after the first byte of this page, or as far as is searched.
    fn skip_to_capture_pattern(&mut self) -> io::Result<()> {
        self.at += 1;
        self.file.seek(SeekFrom::Start(self.at))?;
        let mut data = Vec::new();
        (&mut self.file)
            .take(MAX_JUNK_BYTES)
            .read_to_end(&mut data)?;
        let found = data.windows(4).position(|w| w == b"OggS");
        let distance = found.unwrap_or(data.len()) as u64;
        self.skipped += distance;
        self.at += distance;
        self.needs_seek = true;
        Ok(())
    }

    /// Appends the segment table and the body of a page to its fixed header; returns `false` if the file ends before.
    fn read_page(&mut self, page: &mut Vec<u8>) -> io::Result<bool> {
        let segments = u64::from(page.get(26).copied().unwrap_or(0));
        if !self.append(page, segments)? {
            return Ok(false);
        }
        let table = page.get(27..).unwrap_or_default();
        let body = table.iter().map(|lacing| u64::from(*lacing)).sum();
        self.append(page, body)
    }

    fn append(&mut self, data: &mut Vec<u8>, n: u64) -> io::Result<bool> {
        Ok((&mut self.file).take(n).read_to_end(data)? as u64 == n)
    }
}

/// Computes the checksum of a page, its checksum field taken as zero.
fn checksum(page: &[u8]) -> u32 {
    let (head, rest) = page.split_at_checked(22).unwrap_or((page, &[]));
    let mut digest = CRC_32.digest();
    digest.update(head);
    digest.update(&[0; 4]);
    digest.update(rest.get(4..).unwrap_or(&[]));
    digest.finalize()
}

/// A packet that is put together from the segments of pages.
#[derive(Clone, Debug, Default)]
struct OggPacket {
    /// Where its bytes are; in several ranges if it spans pages.
    parts: Vec<ByteRange>,
    /// Its bytes, as far as they are needed.
    data: Vec<u8>,
}

impl OggPacket {
    fn size(&self) -> u64 {
        self.parts.iter().map(|part| part.len).sum()
    }
}

/// Reads the pages of one logical stream.
struct StreamScan {
    stream: LogicalStream,
    /// Sequence number of the last intact page; `None` before the first one.
    sequence: Option<u32>,
    /// Whether a page was damaged since the last intact one.
    lost_page: bool,
    /// Packet that continues on the next page.
    partial: Option<OggPacket>,
    headers: Vec<Vec<u8>>,
    /// The audio, once the headers are read.
    audio: Option<OggAudio>,
    /// Position in frames at which a chained stream begins.
    chained_at: Option<u64>,
}

impl StreamScan {
    fn new(stream: LogicalStream) -> Self {
        Self {
            stream,
            sequence: None,
            lost_page: false,
            partial: None,
            headers: Vec::new(),
            audio: None,
            chained_at: None,
        }
    }

    /// Records a page that is damaged, or that the file ends in.
    fn add_damaged(&mut self, header: &PageHeader) {
        if header.serial != self.stream.serial {
            return;
        }
        self.lost_page = true;
        if let Some(audio) = self.audio.as_mut() {
            audio.add_damaged(header.granule);
        }
    }

    fn add_page(&mut self, stem: &StemFile<'_>, page: &Page) -> Result<()> {
        let has_audio = self.audio.as_ref().is_some_and(|audio| audio.has_started);
        if page.header.has(FIRST_PAGE) && has_audio {
            self.chained_at = self.audio.as_ref().map(|audio| audio.timeline.end());
            return Ok(());
        }
        if page.header.serial != self.stream.serial {
            return Ok(());
        }
        let sequence = page.header.sequence;
        let is_next = self
            .sequence
            .is_none_or(|last| sequence == last.wrapping_add(1));
        self.sequence = Some(sequence);
        let mut is_lost = std::mem::take(&mut self.lost_page) || !is_next;
        if is_lost {
            self.partial = None;
        }
        let continues = page.header.has(CONTINUES_PACKET);
        // The packet that the pages do not agree about is lost.
        is_lost |= continues != self.partial.is_some();
        if is_lost {
            self.partial = None;
        }
        let mut packets = self.split(page);
        if is_lost && continues {
            // The rest of a packet whose start is lost.
            if packets.is_empty() {
                self.partial = None;
            } else {
                packets.remove(0);
            }
        }
        let mut packets = packets.into_iter();
        if self.audio.is_none() {
            for packet in packets.by_ref() {
                self.headers.push(packet.data);
                self.audio = self.parse_headers(stem)?;
                if self.audio.is_some() {
                    break;
                }
            }
        }
        if let Some(audio) = self.audio.as_mut() {
            audio.add_page(packets.collect(), &page.header, is_lost);
        }
        Ok(())
    }

    /// Splits a page into the packets that end on it, and keeps the one that does not.
    fn split(&mut self, page: &Page) -> Vec<OggPacket> {
        let limit = if self.audio.is_some() {
            PACKET_HEAD_BYTES
        } else {
            MAX_HEADER_BYTES
        };
        let mut packets = Vec::new();
        let mut packet = self.partial.take();
        let (body, body_offset) = (page.body(), page.body_offset());
        let mut at = 0;
        for pieces in page.segments().split_inclusive(|size| *size < 255) {
            let len = pieces.iter().map(|size| usize::from(*size)).sum::<usize>();
            let mut current = packet.take().unwrap_or_default();
            current.parts.push(ByteRange {
                start: body_offset + at as u64,
                len: len as u64,
            });
            let bytes = body.get(at..at + len).unwrap_or_default();
            let wanted = limit.saturating_sub(current.data.len()).min(len);
            current
                .data
                .extend_from_slice(bytes.get(..wanted).unwrap_or_default());
            at += len;
            if pieces.last() == Some(&255) {
                packet = Some(current);
            } else {
                packets.push(current);
            }
        }
        self.partial = packet;
        packets
    }

    /// Makes the audio of a stream whose headers are whole; `None` if more of them follow.
    fn parse_headers(&self, stem: &StemFile<'_>) -> Result<Option<OggAudio>> {
        let headers: Vec<&[u8]> = self.headers.iter().map(Vec::as_slice).collect();
        let coded = match (self.stream.codec, headers.as_slice()) {
            (OggCodec::Vorbis, [identification, _, setup, ..]) => {
                stem.vorbis_stream(identification, setup, NAME)?
            }
            // The number of header packets behind the first one; comments come first, and are required.
            (OggCodec::Flac, [first, rest @ ..]) => {
                let count = be16(first, 7).map_or(0, usize::from);
                // The last metadata block has its highest bit set.
                let is_last = rest
                    .last()
                    .is_some_and(|block| block.first().is_some_and(|b| b & 0x80 != 0));
                if !is_last && (count == 0 || rest.len() < count) {
                    return Ok(None);
                }
                stem.flac_stream(first.get(17..51).unwrap_or_default(), NAME)?
            }
            _ => return Ok(None),
        };
        Ok(Some(OggAudio::new(coded)))
    }
}

/// The audio packets of a logical stream.
struct OggAudio {
    coded: CodedStream,
    timeline: Timeline,
    /// Whether a packet has been placed.
    has_started: bool,
    /// Frames that positions are moved by, so that none is negative.
    shift: i64,
    /// Position of frame 0 of the stem.
    origin: i64,
    /// End that the last page states.
    stated_end: Option<i64>,
    /// Whether a page is marked as the last one.
    has_end_mark: bool,
    /// Position that a truncated or damaged page at the end of the file states.
    truncated_end: Option<i64>,
}

/// The result of a scan.
struct OggStream {
    coded: CodedStream,
    placed: PlacedPackets,
    extent: AudioExtent,
    is_cut: bool,
}

impl OggAudio {
    fn new(coded: CodedStream) -> Self {
        Self {
            timeline: Timeline::new(coded.rate, 1, None),
            coded,
            has_started: false,
            shift: 0,
            origin: 0,
            stated_end: None,
            has_end_mark: false,
            truncated_end: None,
        }
    }

    fn end(&self) -> i64 {
        signed(self.timeline.end())
    }

    /// Records the end position of a truncated or damaged page, in case no intact one follows.
    fn add_damaged(&mut self, granule: i64) {
        let end = granule.saturating_add(self.shift);
        let believable = self.end()..self.end().saturating_add(MAX_PAGE_DISTANCE);
        if believable.contains(&end) {
            self.truncated_end = self.truncated_end.max(Some(end));
        }
    }

    /// Adds the packets that end on a page. `is_lost` says that pages before it are missing.
    fn add_page(&mut self, packets: Vec<OggPacket>, page: &PageHeader, is_lost: bool) {
        let is_vorbis = if let PacketFrames::Vorbis(blocks) = &mut self.coded.packets {
            if is_lost {
                blocks.reset();
            }
            true
        } else {
            false
        };
        let usual = self.coded.packets.usual();
        if is_lost {
            self.timeline.lose_data();
        }
        // Granule positions that were converted from milliseconds are rounded, and some count half of the first packet.
        let first_half = match (&self.coded.packets, packets.first()) {
            (PacketFrames::Vorbis(blocks), Some(first)) => blocks.block_size(&first.data),
            _ => None,
        };
        let rounding = i64::from(first_half.unwrap_or(0) / 2 + self.coded.rate.div_ceil(1000));
        let packets: Vec<(OggPacket, u32)> = packets
            .into_iter()
            // An empty packet is no audio (Vorbis I, 4.3).
            .filter(|packet| packet.size() > 0)
            .map(|packet| {
                let size = u32::try_from(packet.size()).unwrap_or(u32::MAX);
                let frames = self.coded.packets.of(&packet.data, size);
                // A packet that is no audio takes no time in Vorbis.
                (packet, frames.unwrap_or(if is_vorbis { 0 } else { usual }))
            })
            .collect();
        let total: i64 = packets.iter().map(|(_, frames)| i64::from(*frames)).sum();
        let is_last = page.has(LAST_PAGE);
        self.has_end_mark |= is_last;
        if page.granule < 0 || packets.is_empty() {
            self.push(packets, None);
            return;
        }
        self.truncated_end = None;
        let mut start = page.granule.saturating_sub(total);
        let is_first = !self.has_started;
        if is_first {
            if is_last && is_vorbis {
                start = start.max(0);
            }
            self.start(start, rounding, is_lost, is_vorbis);
        }
        let start = start.saturating_add(self.shift);
        let page_end = page.granule.saturating_add(self.shift);
        if is_last && is_vorbis {
            // Less than the pages before it hold is no padding but a damaged position.
            if is_first || page_end >= self.end() {
                self.stated_end = Some(page_end);
            } else {
                self.timeline.ignore(unsigned(self.end() - page_end));
            }
            if is_lost && self.has_started && self.end().saturating_add(total) != page_end {
                // How much of the last packet is padding is not known, so the packets cannot be placed.
                self.timeline
                    .add_lost(unsigned(page_end.saturating_sub(self.end())));
                return;
            }
        }
        // The last page states less than its packets hold if the rest is padding.
        let is_trimmed = is_last && is_vorbis && start < self.end();
        self.push(packets, (!is_trimmed).then_some(unsigned(start)));
    }

    /// Finds out where the stem begins, by the start of the first page with audio. A start of up to `rounding` frames is
    /// none.
    fn start(&mut self, start: i64, rounding: i64, is_lost: bool, is_vorbis: bool) {
        if start < 0 {
            self.shift = -start;
            // FLAC has no delay: its granule position is off.
            self.origin = if is_vorbis { self.shift } else { 0 };
        } else if start > MAX_PAGE_DISTANCE || !is_lost && start <= rounding {
            self.origin = start;
        }
    }

    /// Places packets, the first one at a position if one is stated.
    fn push(&mut self, packets: Vec<(OggPacket, u32)>, mut stated: Option<u64>) {
        let usual = self.coded.packets.usual();
        for (packet, frames) in packets {
            let size = u32::try_from(packet.size()).unwrap_or(u32::MAX);
            let offset = packet.parts.first().map_or(0, |part| part.start);
            self.timeline
                .push(stated.take(), usual, offset, size, frames);
            self.timeline.set_parts(packet.parts);
            self.has_started = true;
        }
    }

    fn finish(self) -> OggStream {
        let found = self.end();
        let end = self.stated_end.map_or(found, |end| end.min(found));
        let mut promised = self.truncated_end.unwrap_or(end).max(end);
        let mut is_cut = !self.has_end_mark && self.truncated_end.is_none();
        if let PacketFrames::Flac(info) = &self.coded.packets
            && info.frames > 0
        {
            let stated = self.origin.saturating_add_unsigned(info.frames);
            is_cut &= stated > end;
            promised = promised.max(stated);
            is_cut &= promised == end;
        }
        OggStream {
            placed: self.timeline.finish(),
            extent: AudioExtent {
                origin: self.origin,
                end: promised.max(self.origin),
                available_end: end,
            },
            coded: self.coded,
            is_cut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::demux::vorbis;
    use std::{io::Write, path::Path};

    /// A packet of a long block decodes to 1,024 frames if one is before it.
    const LONG: &[u8] = &[2];

    fn page(flags: u8, granule: i64, sequence: u32, packets: &[&[u8]]) -> Vec<u8> {
        let lacing = |packet: &&[u8]| {
            let last = u8::try_from(packet.len() % 255).unwrap();
            [vec![255; packet.len() / 255], vec![last]].concat()
        };
        let table: Vec<u8> = packets.iter().flat_map(lacing).collect();
        let mut p = b"OggS\0".to_vec();
        p.push(flags);
        p.extend(granule.to_le_bytes());
        p.extend(7u32.to_le_bytes());
        p.extend(sequence.to_le_bytes());
        p.extend([0; 4]);
        p.push(u8::try_from(table.len()).unwrap());
        p.extend(table);
        p.extend(packets.concat());
        let sum = checksum(&p);
        p[22..26].copy_from_slice(&sum.to_le_bytes());
        p
    }

    /// Pages of Vorbis whose packets have long blocks: the headers, and one page for each number of packets and granule
    /// position. The last one is marked.
    fn pages(audio: &[(usize, i64)]) -> Vec<Vec<u8>> {
        let [identification, setup] = vorbis::tests::headers();
        let mut pages = vec![
            page(FIRST_PAGE, 0, 0, &[&identification]),
            page(0, 0, 1, &[b"\x03vorbis", &setup]),
        ];
        for (sequence, (count, granule)) in (2..).zip(audio) {
            let flags = if pages.len() == audio.len() + 1 {
                LAST_PAGE
            } else {
                0
            };
            pages.push(page(flags, *granule, sequence, &vec![LONG; *count]));
        }
        pages
    }

    /// Positions of the packets that are not lost, the extent, whether the end is missing, and the chained position.
    type Scanned = (Vec<u64>, [i64; 3], bool, Option<u64>);

    fn scanned(bytes: &[u8]) -> Scanned {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let file = InputFile::open(file.path()).unwrap();
        let stem = StemFile {
            path: Path::new("x.ogg"),
            file: &file,
            stream: None,
        };
        let streams = audio_streams(&file).unwrap();
        let mut scan = StreamScan::new(streams[0]);
        let mut pages = PageReader::new(&file);
        while let Some(found) = pages.next().unwrap() {
            match found {
                Found::Damaged(header) => scan.add_damaged(&header),
                Found::Page(page) => scan.add_page(&stem, &page).unwrap(),
            }
        }
        let chained_at = scan.chained_at;
        let stream = scan.audio.unwrap().finish();
        let entries = stream.placed.entries.iter().filter(|e| !e.is_lost());
        let extent = stream.extent;
        (
            entries.map(|e| e.at).collect(),
            [extent.origin, extent.available_end, extent.end],
            stream.is_cut,
            chained_at,
        )
    }

    #[test]
    fn the_first_page_states_delay_and_the_last_one_padding() {
        let whole = pages(&[(3, 2000), (2, 4000)]).concat();
        let (at, extent, is_cut, _) = scanned(&whole);
        assert_eq!(at, [0, 0, 1024, 2048, 3072]);
        assert_eq!(extent, [48, 4048, 4048]);
        assert!(!is_cut);
    }

    #[test]
    fn granule_positions_that_are_rounded_move_nothing() {
        let whole = pages(&[(3, 2100), (2, 4120), (2, 6190)]).concat();
        let (at, extent, ..) = scanned(&whole);
        assert_eq!(at, [52, 52, 1076, 2100, 3124, 4148, 5172]);
        assert_eq!(extent, [52, 6190, 6190]);
    }

    #[test]
    fn a_last_page_that_states_less_than_the_pages_before_it_cuts_nothing_off() {
        let (_, extent, ..) = scanned(&pages(&[(3, 2048), (2, 1)]).concat());
        assert_eq!(extent, [0, 4096, 4096]);
    }

    #[test]
    fn a_gap_of_granule_positions_is_silence() {
        let (at, extent, ..) = scanned(&pages(&[(3, 2048), (2, 46_148)]).concat());
        assert_eq!(at, [0, 0, 1024, 44_100, 45_124]);
        assert_eq!(extent, [0, 46_148, 46_148]);
        let (at, extent, ..) = scanned(&pages(&[(3, 46_148)]).concat());
        assert_eq!(at, [44_100, 44_100, 45_124]);
        assert_eq!(extent, [0, 46_148, 46_148], "the first page is late");
        let (at, extent, ..) = scanned(&pages(&[(3, 2048 + 1100), (2, 4096 + 1100)]).concat());
        assert_eq!((at[0], extent), (1100, [0, 5196, 5196]), "late by a packet");
    }

    #[test]
    fn a_damaged_page_is_lost_and_what_follows_stays_in_its_place() {
        let mut all = pages(&[(3, 2048), (2, 4096), (2, 6144), (1, 7168)]);
        let last = all[3].len() - 1;
        all[3][last] ^= 1;
        let (at, extent, is_cut, _) = scanned(&all.concat());
        // The first packet behind the loss decodes to nothing.
        assert_eq!(at, [0, 0, 1024, 5120, 5120, 6144]);
        assert_eq!((extent, is_cut), ([0, 7168, 7168], false));
        all.remove(3);
        assert_eq!(scanned(&all.concat()).0, at, "a missing page");
    }

    #[test]
    fn a_cut_is_noticed_in_a_page_and_between_two() {
        let all = pages(&[(3, 2048), (2, 4096), (2, 6144)]);
        let whole = all.concat();
        let (_, extent, is_cut, _) = scanned(&whole[..whole.len() - 1]);
        assert_eq!((extent, is_cut), ([0, 4096, 6144], false));
        let (_, extent, is_cut, _) = scanned(&all[..4].concat());
        assert_eq!((extent, is_cut), ([0, 4096, 4096], true));
    }

    #[test]
    fn a_chained_stream_is_noticed() {
        let whole = pages(&[(3, 2048)]).concat();
        assert_eq!(scanned(&whole).3, None);
        assert_eq!(scanned(&[whole.clone(), whole].concat()).3, Some(2048));
    }

    #[test]
    fn packets_that_span_pages_are_put_together() {
        let long = [2; 600];
        let mut first = page(0, 2048, 2, &[LONG, LONG, LONG, &long[..510]]);
        // Without the segment that ends the packet.
        first.remove(27 + 5);
        first[26] -= 1;
        first[22..26].fill(0);
        let sum = checksum(&first);
        first[22..26].copy_from_slice(&sum.to_le_bytes());
        let second = page(LAST_PAGE | CONTINUES_PACKET, 4096, 3, &[&long[510..], LONG]);
        let head = pages(&[]).concat();
        let (at, extent, is_cut, _) = scanned(&[head, first, second].concat());
        assert_eq!(at, [0, 0, 1024, 2048, 3072]);
        assert_eq!((extent, is_cut), ([0, 4096, 4096], false));
    }

    #[test]
    fn the_rest_of_a_packet_whose_start_is_lost_is_no_packet() {
        // One packet that begins on a missing page, fills a second and ends on a third.
        let mut second = page(CONTINUES_PACKET, -1, 3, &[&[2; 255]]);
        second.remove(27 + 1);
        second[26] -= 1;
        second[22..26].fill(0);
        let sum = checksum(&second);
        second[22..26].copy_from_slice(&sum.to_le_bytes());
        let third = page(CONTINUES_PACKET, 4096, 4, &[&[2; 90], LONG, LONG]);
        let head = pages(&[]).concat();
        let first = page(0, 2048, 2, &[LONG, LONG, LONG]);
        let whole = [head, first, second, third].concat();
        let (at, ..) = scanned(&whole);
        // Behind the first page come the two packets that are whole, of which the first decodes to nothing.
        assert_eq!(at, [0, 0, 1024, 3072, 3072]);
    }

    #[test]
    fn the_checksum_equals_the_bitwise_crc() {
        let bytes: Vec<u8> = (0..300u32)
            .map(|i| u8::try_from(i * i * 7 % 251).unwrap())
            .collect();
        for n in [27, 28, 100, 300] {
            let plain = bytes[..n].iter().enumerate().fold(0u32, |crc, (i, byte)| {
                let byte = if (22..26).contains(&i) { 0 } else { *byte };
                let shift = |crc: u32, _| {
                    if crc >> 31 == 1 {
                        crc << 1 ^ 0x04C1_1DB7
                    } else {
                        crc << 1
                    }
                };
                (0..8).fold(crc ^ u32::from(byte) << 24, shift)
            });
            assert_eq!(checksum(&bytes[..n]), plain, "{n} bytes");
        }
    }
}
