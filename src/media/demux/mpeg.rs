//! MPEG audio (layers I to III) and ADTS: streams of frames with nothing around them.
//!
//! Such a file has no index and no trustworthy length, so every frame header is visited once when it is opened. That
//! gives the exact length, every position exactly, and what was lost: where a header is damaged, the frames that
//! the bytes up to the next one held become a hole of the same length. Headers that lie (Xing, VBRI) are not used here.
//! Nothing is decoded.

use crate::{media::packet_table::Entry, storage::InputFile};
use std::io::{Read, Result, Seek, SeekFrom};

/// Bytes without a frame after which the rest of a file is no audio.
const GIVE_UP: u64 = 16 << 20;

/// How much longer one frame of a constant bit rate is than another at the most.
const SLOT: u32 = 4;

/// The two kinds of such streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Mpeg,
    Adts,
}

/// One frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) family: Family,
    /// MPEG: the layer, 1 to 3. ADTS: the audio object type, 2 for LC.
    pub(crate) layer: u8,
    version: u8,
    pub(crate) rate: u32,
    /// 0 where ADTS leaves it to the data.
    pub(crate) channels: u8,
    /// Frames of audio in it.
    pub(crate) frames: u32,
    /// Its length in bytes, header included.
    pub(crate) size: u32,
    /// Bytes of the header that the decoder does not want.
    pub(crate) skip: u32,
    /// Bytes up to where a Xing tag would stand.
    pub(crate) side_info: usize,
    /// AAC packets in an ADTS frame, less one.
    pub(crate) more: u8,
}

impl Header {
    /// Reads a header from the first bytes of `data`.
    pub(crate) fn parse(data: &[u8]) -> Option<Self> {
        let &[sync, b1, b2, b3] = data.first_chunk::<4>()?;
        if sync != 0xFF || b1 & 0xE0 != 0xE0 {
            return None;
        }
        if b1 & 0xF6 == 0xF0 { Self::adts(data) } else { Self::mpeg(b1, b2, b3) }
    }

    fn mpeg(b1: u8, b2: u8, b3: u8) -> Option<Self> {
        const V1: [[u32; 15]; 3] = [
            [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
            [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
            [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
        ];
        const V2: [[u32; 15]; 2] = [
            [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
            [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        ];
        const RATES: [u32; 3] = [44_100, 48_000, 32_000];
        let version = b1 >> 3 & 3;
        let layer = match b1 >> 1 & 3 {
            0 => return None,
            code => 4 - code,
        };
        let first = version == 3;
        let row = match (first, layer) {
            (true, _) => V1.get(usize::from(layer) - 1),
            (false, 1) => V2.first(),
            (false, _) => V2.last(),
        };
        let kbit = row.and_then(|r| r.get(usize::from(b2 >> 4))).copied().filter(|k| *k > 0)?;
        let divide = match version {
            3 => 1,
            2 => 2,
            0 => 4,
            _ => return None,
        };
        let rate = RATES.get(usize::from(b2 >> 2 & 3))? / divide;
        let padding = u32::from(b2 >> 1 & 1);
        let mono = b3 >> 6 == 3;
        let (frames, size) = match (layer, first) {
            (1, _) => (384, (12 * kbit * 1000 / rate + padding) * 4),
            (3, false) => (576, 72 * kbit * 1000 / rate + padding),
            _ => (1152, 144 * kbit * 1000 / rate + padding),
        };
        let side_info = match (first, mono) {
            (true, false) => 32,
            (true, true) | (false, false) => 17,
            (false, true) => 9,
        };
        Some(Self {
            family: Family::Mpeg,
            layer,
            version,
            rate,
            channels: if mono { 1 } else { 2 },
            frames,
            size,
            skip: 0,
            side_info,
            more: 0,
        })
    }

    fn adts(data: &[u8]) -> Option<Self> {
        const RATES: [u32; 13] =
            [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
        let &[_, b1, b2, b3, b4, b5, b6] = data.first_chunk::<7>()?;
        let skip = if b1 & 1 == 0 { 9 } else { 7 };
        let size = u32::from(b3 & 3) << 11 | u32::from(b4) << 3 | u32::from(b5 >> 5);
        (size > skip).then_some(())?;
        Some(Self {
            family: Family::Adts,
            layer: (b2 >> 6) + 1,
            version: b1 & 8,
            rate: *RATES.get(usize::from(b2 >> 2 & 15))?,
            channels: (b2 & 1) << 2 | b3 >> 6,
            frames: 1024 * (u32::from(b6 & 3) + 1),
            size,
            skip,
            side_info: 0,
            more: b6 & 3,
        })
    }

    /// Whether the two can belong to one stream.
    fn agrees(&self, other: &Self) -> bool {
        let of = |h: &Self| (h.family, h.layer, h.version, h.rate, h.channels, h.more);
        of(self) == of(other)
    }

    /// What it is, for people.
    fn describe(&self) -> String {
        let channels = if self.channels == 1 { "mono" } else { "stereo" };
        match self.family {
            Family::Mpeg => format!("layer {} {} Hz {channels}", self.layer, self.rate),
            Family::Adts => format!("AAC {} Hz {channels}", self.rate),
        }
    }
}

/// How many headers in a row are enough.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Chain {
    /// So many.
    Full(usize),
    /// So many, or fewer when they reach to the end of the data.
    OrAll(usize),
}

/// Whether `data` begins with frames in a row.
pub(crate) fn chain(data: &[u8], need: Chain) -> Option<Family> {
    let first = Header::parse(data)?;
    let (count, or_all) = match need {
        Chain::Full(n) => (n, false),
        Chain::OrAll(n) => (n, true),
    };
    let mut at = 0;
    for _ in 0..count {
        let Some(rest) = data.get(at..).filter(|r| r.len() >= 7) else { return or_all.then_some(first.family) };
        let header = Header::parse(rest).filter(|h| h.agrees(&first))?;
        at += usize::try_from(header.size).ok()?;
    }
    Some(first.family)
}

/// Whether `data` begins with MPEG audio of free format.
pub(crate) fn free_format(data: &[u8]) -> bool {
    let Some(&[0xFF, b1, b2, _]) = data.first_chunk::<4>() else { return false };
    b1 & 0xE0 == 0xE0 && b1 >> 1 & 3 != 0 && b1 >> 3 & 3 != 1 && b2 >> 4 == 0 && b2 >> 2 & 3 != 3
}

/// What visiting all frames found.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) first: Header,
    pub(crate) entries: Vec<Entry>,
    /// Frames of audio in all of them, holes included.
    pub(crate) frames: u64,
    /// Frames of a last one that is cut off.
    pub(crate) cut: Option<u32>,
    /// Where and into what the stream changes.
    pub(crate) change: Option<(u64, String)>,
    /// Bytes from the first frame to the end of the file.
    pub(crate) bytes: u64,
}

/// Visits every frame of a stream that begins at `start`.
pub(crate) fn scan(file: &InputFile, start: u64) -> Result<Option<Scan>> {
    let mut view = View { file: file.clone(), len: file.len(), base: 0, buf: Vec::new() };
    let head = view.get(start, 16)?.to_vec();
    let Some(first) = Header::parse(&head) else { return Ok(None) };
    let bytes = view.len.saturating_sub(start);
    let mut scan = Scan { first, entries: Vec::new(), frames: 0, cut: None, change: None, bytes };
    let mut good: (u64, u64) = (0, 0);
    // The shortest and the longest of them.
    let mut sizes = (u32::MAX, 0);
    let mut pos = start;
    while let Some(header) = Header::parse(view.get(pos, 16)?).filter(|h| h.agrees(&first)) {
        let next = pos + u64::from(header.size);
        if next > view.len {
            scan.cut = Some(header.frames);
            break;
        }
        let follows = Header::parse(view.get(next, 16)?).is_some_and(|h| h.agrees(&first));
        let found = if follows || next == view.len { Found::Frame(next) } else { resync(&mut view, &first, pos + 1)? };
        let constant = good.1 > 1 && sizes.1 - sizes.0 <= SLOT;
        let odd = constant && (header.size + SLOT < sizes.0 || header.size > sizes.1 + SLOT);
        let from = match found {
            // Another frame begins inside this one, or one behind it where none should, and it is as long as no other: its
            // own header must be wrong.
            Found::Frame(at) if at < next || (at > next && odd) => pos,
            _ => {
                sizes = (sizes.0.min(header.size), sizes.1.max(header.size));
                scan.push(pos + u64::from(header.skip), header.size - header.skip, header.frames);
                good = (good.0 + u64::from(header.size), good.1 + 1);
                next
            }
        };
        match found {
            Found::Frame(at) => {
                let gap = if is_tag(view.get(from, 16)?) { 0 } else { at - from };
                let mean = (good.0 / good.1.max(1)).max(1);
                let count = |bytes: u64| (bytes + mean / 2) / mean;
                // Where no header was, not even a damaged one, this frame's own size may be what is wrong.
                let lost = match count(gap) {
                    0 => u64::from(from == pos),
                    lost if from == pos || resembles(view.get(from, 4)?, &head) => lost,
                    lost => lost.min(count(at - pos).saturating_sub(1)),
                };
                for _ in 0..lost {
                    scan.push(from, 0, header.frames);
                }
                pos = at;
            }
            Found::Other(what) => {
                scan.change = Some((scan.frames, what));
                break;
            }
            Found::Nothing => break,
        }
    }
    Ok(Some(scan))
}

impl Scan {
    /// Lengthens or shortens what was lost, so that there are so many frames of audio in all. Leaves everything as it is
    /// where nothing was lost, or less than that, and where most would be what was lost.
    pub(crate) fn recount(&mut self, frames: u64) {
        let each = u64::from(self.first.frames);
        let lost = |entry: &Entry| entry.size == 0;
        let Some(hole) = self.entries.iter().rposition(lost) else { return };
        if frames > self.frames {
            let more = usize::try_from((frames - self.frames) / each).unwrap_or(0);
            let Some(entry) = self.entries.get(hole).copied().filter(|_| more < self.entries.len()) else { return };
            self.entries.splice(hole..hole, std::iter::repeat_n(entry, more));
        } else {
            let less = usize::try_from((self.frames - frames) / each).unwrap_or(usize::MAX);
            if self.entries.iter().filter(|e| lost(e)).count() < less {
                return;
            }
            for _ in 0..less {
                self.entries.iter().rposition(lost).map(|hole| self.entries.remove(hole));
            }
        }
        self.frames = 0;
        for entry in &mut self.entries {
            entry.at = self.frames;
            self.frames += u64::from(entry.frames);
        }
    }

    fn push(&mut self, offset: u64, size: u32, frames: u32) {
        self.entries.push(Entry { at: self.frames, offset, size, frames });
        self.frames += u64::from(frames);
    }
}

fn is_tag(data: &[u8]) -> bool {
    ["ID3", "TAG", "APETAGEX", "LYRICSBEGIN"].iter().any(|t| data.starts_with(t.as_bytes()))
}

/// Whether this may be a header like another with some bits of it damaged. Compares what all headers of a stream have in
/// common: sync, version, layer, rate.
fn resembles(data: &[u8], header: &[u8]) -> bool {
    let common = data.iter().zip(header).zip([0xFF, 0xFE, 0x0C]);
    data.len() > 2 && common.map(|((a, b), mask)| ((a ^ b) & mask).count_ones()).sum::<u32>() <= 4
}

/// What lies behind a place where the chain of frames is broken.
enum Found {
    Frame(u64),
    Other(String),
    Nothing,
}

/// Looks for the next place where frames follow one another again.
fn resync(view: &mut View, first: &Header, from: u64) -> Result<Found> {
    let mut pos = from;
    while pos < view.len && pos - from < GIVE_UP {
        let data = view.get(pos, 4096)?;
        let Some(skip) = data.iter().position(|b| *b == 0xFF) else {
            pos += 4096;
            continue;
        };
        pos += u64::try_from(skip).unwrap_or(0);
        if let Some(header) = Header::parse(view.get(pos, 16)?)
            && row(view, &header, pos)?
        {
            return Ok(if header.agrees(first) { Found::Frame(pos) } else { Found::Other(header.describe()) });
        }
        pos += 1;
    }
    Ok(Found::Nothing)
}

/// Whether three frames that agree follow one another, or fewer up to the exact end of the file.
fn row(view: &mut View, first: &Header, from: u64) -> Result<bool> {
    let mut pos = from;
    for _ in 0..3 {
        match Header::parse(view.get(pos, 16)?) {
            Some(h) if h.agrees(first) => pos += u64::from(h.size),
            _ => return Ok(pos == view.len && pos > from),
        }
    }
    Ok(true)
}

/// A file seen through a buffer.
struct View {
    file: InputFile,
    len: u64,
    base: u64,
    buf: Vec<u8>,
}

impl View {
    /// Up to `n` bytes at `at`; fewer at the end of the file.
    fn get(&mut self, at: u64, n: usize) -> Result<&[u8]> {
        const CHUNK: u64 = 1 << 18;
        let want = u64::try_from(n).unwrap_or(u64::MAX);
        let end = at.saturating_add(want).min(self.len);
        let have = self.base + u64::try_from(self.buf.len()).unwrap_or(0);
        if at < self.base || end > have {
            self.base = at;
            self.buf.clear();
            self.file.seek(SeekFrom::Start(at))?;
            (&self.file).take(CHUNK.max(want)).read_to_end(&mut self.buf)?;
        }
        let from = usize::try_from(at - self.base).unwrap_or(usize::MAX);
        let part = self.buf.get(from..).unwrap_or_default();
        Ok(part.get(..n).unwrap_or(part))
    }
}
