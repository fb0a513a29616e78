//! Opens Vorbis and FLAC in Ogg (RFC 3533; Vorbis I, appendix A; RFC 9639, 10.1).
//!
//! `symphonia` does not report pages that are missing or damaged, a second stream chained to the first, or a file that
//! ends inside a page. All of it shows in the page headers, which carry a sequence number, a checksum and the stream
//! position at the end of the page, so all pages are scanned before the file is demuxed. The demuxer then sees the
//! intact pages only, and [`packet_source`](crate::media::packet_source) corrects the positions after each gap.

use super::{AudioExtent, MAX_JUNK_BYTES, OpenedStem, StemFile, clock, unsigned};
use crate::{
    error::{ErrorKind, Result},
    media::{
        packet_source::PacketSource,
        sparse_reader::{ByteRange, FileView},
        symphonia_adapter::{AudioStream, Container},
    },
    storage::InputFile,
};
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// Largest believable distance in frames between the ends of two pages that follow each other.
const MAX_PAGE_DISTANCE: i64 = 1 << 24;

/// Bytes of a page header before its segment table.
const PAGE_HEADER_BYTES: u64 = 27;

const FIRST_PAGE: u8 = 2;
const LAST_PAGE: u8 = 4;

impl StemFile<'_> {
    pub(super) fn open_ogg(&self) -> Result<OpenedStem> {
        let pages = scan_pages(self.file).map_err(|e| self.io_error(e))?;
        let order = |s: &AudioStream| pages.stream_index(s.id);
        let view = FileView {
            ranges: pages.intact.clone(),
            ..FileView::default()
        };
        let (mut demuxed, count) = self.demux(Container::Ogg, "Ogg", view, order)?;
        let stream = demuxed.stream().clone();
        if let Some(at) = pages.chained_at {
            let at = clock(stream.rate, unsigned(at));
            let what = format!("Ogg: another piece of music begins at {at} (chained streams)");
            return Err(self.error(ErrorKind::Unsupported, what));
        }
        let codec = format!("{} in Ogg", stream.codec);
        let logical = pages.stream(stream.id).cloned().unwrap_or_default();
        demuxed.gaps.clone_from(&logical.gaps);
        let span = self.scan_packets(&mut demuxed, &codec)?;
        demuxed.rewind().map_err(|f| self.codec_error(&codec, f))?;
        // The recording of a broadcast starts at a late position, which becomes frame 0. A stem that lost its first
        // pages looks the same but keeps its time.
        let origin = if logical.lost_start() {
            0
        } else {
            span.first.max(0)
        };
        let promised = logical
            .truncated_end
            .unwrap_or(span.end)
            .max(logical.end)
            .max(span.end);
        let extent = AudioExtent {
            origin,
            end: promised.max(origin),
            available_end: span.end,
        };
        let mut opened = self.finish(PacketSource::Timed(demuxed), &stream, codec, extent)?;
        opened.streams = count;
        (opened.trimmed_start, opened.trimmed_end) =
            (span.first.min(0).unsigned_abs(), stream.padding.into());
        Ok(opened)
    }
}

/// A logical stream: the pages with one serial number.
#[derive(Clone, Debug, Default)]
struct LogicalStream {
    serial: u32,
    /// Sequence number of the last intact page.
    sequence: u32,
    /// Position at the end of the last intact page, in frames.
    end: i64,
    /// Position that a truncated or damaged page at the end of the file states.
    truncated_end: Option<i64>,
    gaps: Vec<OggGap>,
}

impl LogicalStream {
    /// Returns whether the first pages with audio are damaged or missing.
    fn lost_start(&self) -> bool {
        self.gaps
            .first()
            .is_some_and(|gap| gap.from == 0 && gap.to < MAX_PAGE_DISTANCE)
    }
}

/// A range of a logical stream in which pages are damaged or missing, up to the end of the first intact page after
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OggGap {
    /// Position in frames at the end of the last page before the gap.
    pub(crate) from: i64,
    /// Position in frames at the end of the first page after the gap.
    pub(crate) to: i64,
    /// Whether that page is the last one of the stream.
    pub(crate) ends_stream: bool,
}

/// Result of scanning all pages of a file.
#[derive(Debug, Default)]
struct PageScan {
    /// Logical streams in the order of their first pages.
    streams: Vec<LogicalStream>,
    /// Position in frames at which a chained stream begins. The scan stops there.
    chained_at: Option<i64>,
    /// Ranges of the file that consist of intact pages.
    intact: Vec<ByteRange>,
}

/// The fixed part of a page header.
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
        let le32 = |at: usize| {
            h.get(at..at + 4)
                .and_then(|b| b.first_chunk::<4>())
                .map(|b| u32::from_le_bytes(*b))
        };
        Some(Self {
            flags: *h.get(5)?,
            granule: h
                .get(6..14)?
                .first_chunk::<8>()
                .map(|b| i64::from_le_bytes(*b))?,
            serial: le32(14)?,
            sequence: le32(18)?,
            checksum: le32(22)?,
        })
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// Scans all pages of a file. Damaged bytes are skipped up to the next capture pattern.
fn scan_pages(file: &InputFile) -> io::Result<PageScan> {
    let len = file.len();
    let mut reader = BufReader::with_capacity(1 << 18, file.clone());
    reader.seek(SeekFrom::Start(0))?;
    let mut scan = PageScan::default();
    let mut at = 0u64;
    let mut page = Vec::new();
    let mut audio_seen = false;
    let mut skipped = 0;
    while at + PAGE_HEADER_BYTES <= len && skipped < MAX_JUNK_BYTES {
        page.resize(27, 0);
        reader.read_exact(&mut page)?;
        let Some(header) = PageHeader::parse(&page) else {
            skipped += 1;
            at = skip_to_capture_pattern(&mut reader, at + 1, &mut skipped)?;
            continue;
        };
        let intact = read_page(&mut reader, &mut page)? && checksum(&page) == header.checksum;
        if !intact {
            scan.add_damaged(&header);
            // Only past its first byte: a damaged segment table may claim bytes that are intact pages.
            at = skip_to_capture_pattern(&mut reader, at + 1, &mut skipped)?;
            continue;
        }
        skipped = 0;
        let size = page.len() as u64;
        match scan.intact.last_mut() {
            Some(range) if range.start + range.len == at => range.len += size,
            _ => scan.intact.push(ByteRange {
                start: at,
                len: size,
            }),
        }
        at += size;
        if header.has(FIRST_PAGE) && audio_seen {
            scan.chained_at = Some(scan.streams.iter().map(|s| s.end).max().unwrap_or(0));
            break;
        }
        scan.add_intact(&header);
        // Header pages have position 0. Audio that is shorter than a packet can have it too and is not recognised.
        audio_seen |= !header.has(FIRST_PAGE) && header.granule > 0;
    }
    Ok(scan)
}

impl PageScan {
    /// Returns the position of a stream in the file, to sort by; the last one for unknown serial numbers.
    fn stream_index(&self, serial: u32) -> usize {
        self.streams
            .iter()
            .position(|s| s.serial == serial)
            .unwrap_or(usize::MAX)
    }

    fn stream(&self, serial: u32) -> Option<&LogicalStream> {
        self.streams.iter().find(|s| s.serial == serial)
    }

    /// Records the end position of a truncated or damaged page, in case no intact one follows.
    fn add_damaged(&mut self, page: &PageHeader) {
        let Some(stream) = self.streams.iter_mut().find(|s| s.serial == page.serial) else {
            return;
        };
        let believable = stream.end..stream.end.saturating_add(MAX_PAGE_DISTANCE);
        if believable.contains(&page.granule) {
            stream.truncated_end = stream.truncated_end.max(Some(page.granule));
        }
    }

    fn add_intact(&mut self, page: &PageHeader) {
        let Some(stream) = self.streams.iter_mut().find(|s| s.serial == page.serial) else {
            if page.has(FIRST_PAGE) {
                let (serial, sequence) = (page.serial, page.sequence);
                self.streams.push(LogicalStream {
                    serial,
                    sequence,
                    ..LogicalStream::default()
                });
            }
            return;
        };
        let follows = page.sequence == stream.sequence.wrapping_add(1);
        stream.sequence = page.sequence;
        if page.granule < 0 {
            return;
        }
        if !follows && page.granule > stream.end {
            let ends_stream = page.has(LAST_PAGE);
            stream.gaps.push(OggGap {
                from: stream.end,
                to: page.granule,
                ends_stream,
            });
        }
        stream.end = stream.end.max(page.granule);
        stream.truncated_end = None;
    }
}

/// Moves the reader to the next capture pattern at or after `at`, or as far as was searched, and returns its offset.
fn skip_to_capture_pattern(
    reader: &mut BufReader<InputFile>,
    at: u64,
    skipped: &mut u64,
) -> io::Result<u64> {
    reader.seek(SeekFrom::Start(at))?;
    let mut data = Vec::new();
    reader.take(MAX_JUNK_BYTES).read_to_end(&mut data)?;
    let distance = data
        .windows(4)
        .position(|w| w == b"OggS")
        .unwrap_or(data.len()) as u64;
    *skipped += distance;
    reader.seek(SeekFrom::Start(at + distance))
}

/// Appends the segment table and the body of a page to its fixed header; returns `false` if the file ends before.
fn read_page(reader: &mut BufReader<InputFile>, page: &mut Vec<u8>) -> io::Result<bool> {
    let segments = u64::from(page.get(26).copied().unwrap_or(0));
    if !append(reader, page, segments)? {
        return Ok(false);
    }
    let body = page
        .get(27..)
        .unwrap_or_default()
        .iter()
        .map(|lacing| u64::from(*lacing))
        .sum();
    append(reader, page, body)
}

fn append(reader: &mut BufReader<InputFile>, data: &mut Vec<u8>, n: u64) -> io::Result<bool> {
    Ok(reader.take(n).read_to_end(data)? as u64 == n)
}

/// Computes the CRC-32 of a page with its checksum field taken as zero (RFC 3533, section 6): polynomial 0x04C11DB7,
/// most significant bit first, initial value 0.
fn checksum(page: &[u8]) -> u32 {
    let (head, rest) = page.split_at_checked(22).unwrap_or((page, &[]));
    let parts = [head, &[0; 4], rest.get(4..).unwrap_or(&[])];
    parts.into_iter().fold(0, update_crc)
}

/// Continues a CRC with more bytes, eight at a time: opening a file reads all of it, and this is most of the time.
fn update_crc(crc: u32, bytes: &[u8]) -> u32 {
    const TABLES: [[u32; 256]; 8] = crc_tables();
    let look = |distance: usize, byte: u8| {
        TABLES
            .get(distance)
            .and_then(|t| t.get(usize::from(byte)))
            .copied()
            .unwrap_or(0)
    };
    let (eights, rest) = bytes.as_chunks::<8>();
    let crc = eights.iter().fold(crc, |crc, &[a, b, c, d, e, f, g, h]| {
        let [p, q, r, s] = crc.to_be_bytes();
        let first = look(7, a ^ p) ^ look(6, b ^ q) ^ look(5, c ^ r) ^ look(4, d ^ s);
        first ^ look(3, e) ^ look(2, f) ^ look(1, g) ^ look(0, h)
    });
    rest.iter().fold(crc, |crc, byte| {
        let [top, ..] = crc.to_be_bytes();
        crc << 8 ^ look(0, top ^ byte)
    })
}

/// Returns the contribution of each byte value to the CRC, by its distance from the last of eight bytes.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "computed when compiled, i < 256, k < 8"
)]
const fn crc_tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut i = 0;
    while i < 256 {
        let mut value = (i as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            value = if value >> 31 == 1 {
                value << 1 ^ 0x04C1_1DB7
            } else {
                value << 1
            };
            bit += 1;
        }
        tables[0][i] = value;
        i += 1;
    }
    // One byte further from the end: the same value followed by a byte of zeros.
    let mut k = 1;
    while k < 8 {
        i = 0;
        while i < 256 {
            let before = tables[k - 1][i];
            tables[k][i] = before << 8 ^ tables[0][(before >> 24) as usize];
            i += 1;
        }
        k += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn page(flags: u8, granule: i64, sequence: u32, body: &[u8]) -> Vec<u8> {
        let mut p = b"OggS\0".to_vec();
        p.push(flags);
        p.extend(granule.to_le_bytes());
        p.extend(7u32.to_le_bytes());
        p.extend(sequence.to_le_bytes());
        p.extend([0; 4]);
        p.extend([1, u8::try_from(body.len()).unwrap()]);
        p.extend(body);
        let sum = checksum(&p);
        p[22..26].copy_from_slice(&sum.to_le_bytes());
        p
    }

    fn scanned(bytes: &[u8]) -> PageScan {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        scan_pages(&InputFile::open(file.path()).unwrap()).unwrap()
    }

    #[test]
    fn a_damaged_page_leaves_a_gap_up_to_the_end_of_the_next() {
        let mut pages: Vec<_> = [(2, 0), (0, 0), (0, 100), (0, 200), (0, 300), (4, 400)]
            .map(|(f, g)| (f, g))
            .to_vec();
        let mut all: Vec<Vec<u8>> = pages
            .drain(..)
            .enumerate()
            .map(|(i, (f, g))| page(f, g, u32::try_from(i).unwrap(), b"body"))
            .collect();
        assert!(scanned(&all.concat()).stream(7).unwrap().gaps.is_empty());
        all[3][30] ^= 1;
        let scan = scanned(&all.concat());
        let stream = scan.stream(7).unwrap();
        assert_eq!(
            (stream.gaps.as_slice(), stream.end, stream.truncated_end),
            (
                &[OggGap {
                    from: 100,
                    to: 300,
                    ends_stream: false
                }][..],
                400,
                None
            )
        );
        assert_eq!(scan.intact.len(), 2);
    }

    #[test]
    fn the_checksum_equals_the_bitwise_crc_for_every_length() {
        let bytes: Vec<u8> = (0..300u32)
            .map(|i| u8::try_from(i * i * 7 % 251).unwrap())
            .collect();
        for n in 27..bytes.len() {
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

    #[test]
    fn truncated_and_chained_files_are_noticed() {
        let pages = [
            page(2, 0, 0, b"a"),
            page(0, 100, 1, b"b"),
            page(0, 200, 2, b"c"),
            page(4, 300, 3, b"d"),
        ];
        let mut long = pages.concat();
        long[pages[0].len() + 27] = 255;
        let stream = scanned(&long);
        let stream = stream.stream(7).unwrap();
        assert_eq!((stream.end, stream.truncated_end), (300, None));
        assert_eq!(
            stream.gaps,
            [OggGap {
                from: 0,
                to: 200,
                ends_stream: false
            }]
        );

        let whole = [
            page(2, 0, 0, b"a"),
            page(0, 100, 1, b"b"),
            page(4, 200, 2, b"c"),
        ]
        .concat();
        assert_eq!(
            scanned(&whole[..whole.len() - 1])
                .stream(7)
                .unwrap()
                .truncated_end,
            Some(200)
        );
        assert_eq!(scanned(&whole).chained_at, None);
        assert_eq!(
            scanned(&[whole.clone(), whole].concat()).chained_at,
            Some(200)
        );
    }
}
