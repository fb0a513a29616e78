//! A walk over the pages of an Ogg file, before anything is demuxed.
//!
//! Pages carry sequence numbers, checksums and the position at their end, so one pass tells what the demuxer keeps
//! quiet about: pages that are missing or damaged, a second piece of music chained behind the first, and a file that is
//! cut in the middle of a page. It does not look into packets.

use crate::{media::sparse_reader::Part, storage::InputFile};
use std::io::{BufReader, Read, Result, Seek, SeekFrom};

/// Bytes without a page after which the rest of a file is not Ogg.
const GIVE_UP: u64 = 16 << 20;

/// A page that claims to end further from the one before it than this is not believed.
const FAR: i64 = 1 << 24;

/// One logical stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    pub(crate) serial: u32,
    sequence: u32,
    /// Position at the end of the last whole page.
    pub(crate) end: i64,
    /// Position stated by a last page that is cut off or damaged.
    pub(crate) cut: Option<i64>,
    /// Stretches whose pages are damaged or missing, up to the end of the first whole page behind.
    pub(crate) holes: Vec<Hole>,
}

impl Stream {
    /// Whether the first pages with audio are damaged or missing.
    pub(crate) fn lost_start(&self) -> bool {
        self.holes.first().is_some_and(|hole| hole.from == 0 && hole.to < FAR)
    }
}

/// A stretch of a stream from the end of a whole page to the end of the first whole page behind the damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Whether that page is the last.
    pub(crate) last: bool,
}

/// What the walk found.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    streams: Vec<Stream>,
    /// Position at which another piece of music begins.
    pub(crate) chained: Option<i64>,
    /// The stretches of the file that are whole pages.
    pub(crate) good: Vec<Part>,
}

impl Walk {
    /// Where in the file a stream comes, as a number to sort by.
    pub(crate) fn place(&self, serial: u32) -> usize {
        self.streams.iter().position(|s| s.serial == serial).unwrap_or(usize::MAX)
    }

    /// The stream of a serial number.
    pub(crate) fn stream(&self, serial: u32) -> Option<&Stream> {
        self.streams.iter().find(|s| s.serial == serial)
    }
}

/// The fixed part of a page header and its segment table.
struct Page {
    flags: u8,
    granule: i64,
    serial: u32,
    sequence: u32,
    checksum: u32,
    body: usize,
}

impl Page {
    fn parse(h: &[u8]) -> Option<Self> {
        if !h.starts_with(b"OggS\0") {
            return None;
        }
        let le32 = |at: usize| h.get(at..at + 4).and_then(|b| b.first_chunk::<4>()).map(|b| u32::from_le_bytes(*b));
        Some(Self {
            flags: *h.get(5)?,
            granule: h.get(6..14)?.first_chunk::<8>().map(|b| i64::from_le_bytes(*b))?,
            serial: le32(14)?,
            sequence: le32(18)?,
            checksum: le32(22)?,
            body: 0,
        })
    }
}

/// Walks over all pages.
pub(crate) fn walk(file: &InputFile) -> Result<Walk> {
    let len = file.len();
    let mut reader = BufReader::with_capacity(1 << 18, file.clone());
    reader.seek(SeekFrom::Start(0))?;
    let (mut walk, mut at, mut data) = (Walk::default(), 0u64, Vec::new());
    let mut music = false;
    let mut lost = 0;
    while at + 27 <= len && lost < GIVE_UP {
        let seek = |reader: &mut BufReader<InputFile>, at: u64| reader.seek(SeekFrom::Start(at)).map(|_| ());
        data.resize(27, 0);
        reader.read_exact(&mut data)?;
        let Some(mut page) = Page::parse(&data) else {
            at += 1;
            lost += 1;
            // The capture pattern is looked for from here on.
            at += skip(&mut reader, at, &mut lost)?;
            seek(&mut reader, at)?;
            continue;
        };
        let segments = usize::from(data.get(26).copied().unwrap_or(0));
        let whole = read_more(&mut reader, &mut data, segments)?;
        page.body = data.get(27..).unwrap_or_default().iter().map(|l| usize::from(*l)).sum();
        let body = page.body;
        // A damaged table of segments may claim more than the file holds: whole pages can follow all the same.
        let whole = whole && read_more(&mut reader, &mut data, body)?;
        if !whole || checksum(&data) != page.checksum {
            walk.claim(&page);
            at += 1;
            at += skip(&mut reader, at, &mut lost)?;
            seek(&mut reader, at)?;
            continue;
        }
        lost = 0;
        let size = u64::try_from(data.len()).unwrap_or(0);
        match walk.good.last_mut() {
            Some((from, len)) if *from + *len == at => *len += size,
            _ => walk.good.push((at, size)),
        }
        at += size;
        let first = page.flags & 2 != 0;
        if first && music {
            walk.chained = Some(walk.streams.iter().map(|s| s.end).max().unwrap_or(0));
            break;
        }
        walk.take(&page, first);
        // Header pages end at position 0; music may too, when it is shorter than a packet.
        music |= !first && page.granule > 0;
    }
    Ok(walk)
}

impl Walk {
    /// Remembers the position of a page that is cut or damaged, in case no whole one follows.
    fn claim(&mut self, page: &Page) {
        if let Some(s) = self.streams.iter_mut().find(|s| s.serial == page.serial) {
            let near = s.end..s.end.saturating_add(FAR);
            s.cut = s.cut.max(Some(page.granule).filter(|g| near.contains(g)));
        }
    }

    fn take(&mut self, page: &Page, first: bool) {
        let Some(stream) = self.streams.iter_mut().find(|s| s.serial == page.serial) else {
            if first {
                self.streams.push(Stream { serial: page.serial, sequence: page.sequence, ..Stream::default() });
            }
            return;
        };
        let follows = page.sequence == stream.sequence.wrapping_add(1);
        stream.sequence = page.sequence;
        // A page on which no packet ends has no position.
        if page.granule < 0 {
            return;
        }
        if !follows && page.granule > stream.end {
            stream.holes.push(Hole { from: stream.end, to: page.granule, last: page.flags & 4 != 0 });
        }
        stream.end = stream.end.max(page.granule);
        stream.cut = None;
    }
}

/// How far it is from `at` to the next capture pattern.
fn skip(reader: &mut BufReader<InputFile>, at: u64, lost: &mut u64) -> Result<u64> {
    reader.seek(SeekFrom::Start(at))?;
    let mut data = Vec::new();
    reader.take(GIVE_UP).read_to_end(&mut data)?;
    let far = data.windows(4).position(|w| w == b"OggS").unwrap_or(data.len());
    let far = u64::try_from(far).unwrap_or(u64::MAX);
    *lost += far;
    Ok(far)
}

/// Appends `n` bytes; `false` when there are fewer.
fn read_more(reader: &mut BufReader<InputFile>, data: &mut Vec<u8>, n: usize) -> Result<bool> {
    let n = u64::try_from(n).unwrap_or(u64::MAX);
    Ok(u64::try_from(reader.take(n).read_to_end(data)?) == Ok(n))
}

/// The checksum of a page, its own field taken as zero (RFC 3533, section 6).
fn checksum(page: &[u8]) -> u32 {
    let (head, rest) = page.split_at_checked(22).unwrap_or((page, &[]));
    let crc = [head, &[0; 4], rest.get(4..).unwrap_or(&[])];
    crc.into_iter().fold(0, extend)
}

/// The checksum of more bytes, eight at a time: each is looked up in the table of its distance from the end.
fn extend(crc: u32, bytes: &[u8]) -> u32 {
    const TABLES: [[u32; 256]; 8] = tables();
    let look =
        |distance: usize, byte: u8| TABLES.get(distance).and_then(|t| t.get(usize::from(byte))).copied().unwrap_or(0);
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

#[expect(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "computed when compiled, i < 256, k < 8")]
const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut i = 0;
    while i < 256 {
        let mut value = (i as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            value = if value >> 31 == 1 { value << 1 ^ 0x04C1_1DB7 } else { value << 1 };
            bit += 1;
        }
        tables[0][i] = value;
        i += 1;
    }
    // One byte further from the end: the same, with a byte of zeros behind it.
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

    fn walked(bytes: &[u8]) -> Walk {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        walk(&InputFile::open(file.path()).unwrap()).unwrap()
    }

    #[test]
    fn a_damaged_page_leaves_a_hole_up_to_the_end_of_the_next() {
        let mut pages: Vec<_> = [(2, 0), (0, 0), (0, 100), (0, 200), (0, 300), (4, 400)].map(|(f, g)| (f, g)).to_vec();
        let mut all: Vec<Vec<u8>> =
            pages.drain(..).enumerate().map(|(i, (f, g))| page(f, g, u32::try_from(i).unwrap(), b"body")).collect();
        assert!(walked(&all.concat()).stream(7).unwrap().holes.is_empty());
        all[3][30] ^= 1;
        let walk = walked(&all.concat());
        let stream = walk.stream(7).unwrap();
        assert_eq!(
            (stream.holes.as_slice(), stream.end, stream.cut),
            (&[Hole { from: 100, to: 300, last: false }][..], 400, None)
        );
        assert_eq!(walk.good.len(), 2);
    }

    #[test]
    fn the_checksum_is_that_of_the_polynomial_whatever_the_length() {
        let bytes: Vec<u8> = (0..300u32).map(|i| u8::try_from(i * i * 7 % 251).unwrap()).collect();
        for n in 27..bytes.len() {
            let plain = bytes[..n].iter().enumerate().fold(0u32, |crc, (i, byte)| {
                let byte = if (22..26).contains(&i) { 0 } else { *byte };
                let shift = |crc: u32, _| if crc >> 31 == 1 { crc << 1 ^ 0x04C1_1DB7 } else { crc << 1 };
                (0..8).fold(crc ^ u32::from(byte) << 24, shift)
            });
            assert_eq!(checksum(&bytes[..n]), plain, "{n} bytes");
        }
    }

    #[test]
    fn cut_and_chained_files_are_noticed() {
        let pages = [page(2, 0, 0, b"a"), page(0, 100, 1, b"b"), page(0, 200, 2, b"c"), page(4, 300, 3, b"d")];
        let mut long = pages.concat();
        long[pages[0].len() + 27] = 255;
        let stream = walked(&long);
        let stream = stream.stream(7).unwrap();
        assert_eq!((stream.end, stream.cut), (300, None));
        assert_eq!(stream.holes, [Hole { from: 0, to: 200, last: false }]);

        let whole = [page(2, 0, 0, b"a"), page(0, 100, 1, b"b"), page(4, 200, 2, b"c")].concat();
        assert_eq!(walked(&whole[..whole.len() - 1]).stream(7).unwrap().cut, Some(200));
        assert_eq!(walked(&whole).chained, None);
        assert_eq!(walked(&[whole.clone(), whole].concat()).chained, Some(200));
    }
}
