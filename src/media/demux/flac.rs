//! What a native FLAC file is apart from its audio, and when it ends sooner than it says: cut off, or continued as
//! something else.
//!
//! The demuxer passes over frames whose rate, width or channels are not those of the header, so a stream that changes
//! looks like one that ends. Here the frame that should come next is looked for by its number.

use crate::storage::InputFile;
use std::io::{Read, Result, Seek, SeekFrom};

/// What STREAMINFO says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamInfo {
    pub(crate) block: u16,
    pub(crate) rate: u32,
    pub(crate) channels: u8,
    pub(crate) bits: u8,
    /// Whether there is a checksum of the audio.
    pub(crate) md5: bool,
}

impl StreamInfo {
    /// Reads the 34 bytes of the block.
    pub(crate) fn parse(data: &[u8]) -> Option<Self> {
        let &[b0, b1, ..] = data.first_chunk::<34>()?;
        let word = u64::from_be_bytes(*data.get(10..18)?.first_chunk::<8>()?);
        let field = |shift: u32, bits: u32| word >> shift & ((1 << bits) - 1);
        Some(Self {
            block: u16::from_be_bytes([b0, b1]),
            rate: u32::try_from(field(44, 20)).ok()?,
            channels: u8::try_from(field(41, 3)).ok()? + 1,
            bits: u8::try_from(field(36, 5)).ok()? + 1,
            md5: data.get(18..34)?.iter().any(|b| *b != 0),
        })
    }

    fn describe(rate: u32, channels: u8, bits: u8) -> String {
        format!("{rate} Hz, {channels} channels, {bits} bits")
    }
}

/// Changes that make padding of all metadata blocks but the stream information, and put that right where it counts the
/// last block. Tags and pictures are not wanted, cue sheets may be wrong, and seek tables may lie. Places count from
/// `start`.
pub(crate) fn beside_audio(mut file: &InputFile, start: u64) -> Result<Vec<(u64, u8)>> {
    let mut patches = Vec::new();
    let mut at = 4;
    // A damaged list would go on through the audio.
    for _ in 0..1024 {
        let mut head = [0; 4];
        file.seek(SeekFrom::Start(start + at))?;
        if file.read_exact(&mut head).is_err() {
            break;
        }
        let [kind, a, b, c] = head;
        if !matches!(kind & 0x7F, 0 | 1) {
            patches.push((at, kind & 0x80 | 1));
        }
        at += 4 + u64::from(u32::from_be_bytes([0, a, b, c]));
        if kind & 0x80 != 0 {
            patches.extend(one_size(file, start, at)?.into_iter().flatten());
            break;
        }
    }
    Ok(patches)
}

/// Changes that state one size for all blocks, where they have one and the smallest stated is that of the last. RFC 9639
/// (8.2) leaves the last out, some encoders count it, and the demuxer then waits for blocks of varying size. `frames` is
/// where the first frame begins.
fn one_size(mut file: &InputFile, start: u64, frames: u64) -> Result<Option<[(u64, u8); 2]>> {
    let (mut info, mut sync) = ([0; 34], [0; 2]);
    file.seek(SeekFrom::Start(start + 8))?;
    let mut whole = file.read_exact(&mut info);
    file.seek(SeekFrom::Start(start + frames))?;
    whole = whole.and_then(|()| file.read_exact(&mut sync));
    let [a, b, c, d, .., e, f, g, h, i] = *info.first_chunk::<18>().unwrap_or(&[0; 18]);
    let (smallest, largest) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let total = u64::from_be_bytes([0, 0, 0, e & 0x0F, f, g, h, i]);
    let last = total.checked_rem(largest.into());
    let counted = whole.is_ok() && sync == [0xFF, 0xF8] && smallest < largest && last == Some(smallest.into());
    Ok(counted.then_some([(8, c), (9, d)]))
}

/// Bytes of ID3v1 and APE tags at the end of a file.
pub(crate) fn tags_behind(mut file: &InputFile) -> Result<u64> {
    let len = file.len();
    let mut tags = 0;
    let mut at = |back: u64, magic: &[u8], data: &mut [u8]| -> Result<bool> {
        let Some(from) = len.checked_sub(back) else { return Ok(false) };
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(data)?;
        Ok(data.starts_with(magic))
    };
    if at(128, b"TAG", &mut [0; 128])? {
        tags = 128;
    }
    let mut foot = [0; 32];
    if at(tags + 32, b"APETAGEX", &mut foot)? {
        let [.., a, b, c, d, _, _, _, _, _, _, _, flags, _, _, _, _, _, _, _, _] = foot;
        // The size counts the footer; the header, where there is one, comes on top.
        tags += u64::from(u32::from_le_bytes([a, b, c, d])) + if flags & 0x80 != 0 { 32 } else { 0 };
    }
    Ok(tags)
}

/// Whether, and into what, a stream changes after its first `found` frames.
pub(crate) fn change(file: &InputFile, info: &StreamInfo, found: u64) -> Result<Option<String>> {
    let mut data = Vec::new();
    let mut file = file;
    let mut at = 0;
    loop {
        // Overlapping pieces: a header is at most 16 bytes long.
        file.seek(SeekFrom::Start(at))?;
        data.clear();
        file.take(1 << 20).read_to_end(&mut data)?;
        for (i, pair) in data.windows(2).enumerate() {
            if !matches!(pair, [0xFF, 0xF8 | 0xF9]) {
                continue;
            }
            let Some(h) = data.get(i..).and_then(|d| header(d, info)) else { continue };
            let here = if h.by_frame { h.number * u64::from(info.block) } else { h.number };
            let now = (h.rate, h.channels, h.bits);
            if here == found && now != (info.rate, info.channels, info.bits) {
                let was = StreamInfo::describe(info.rate, info.channels, info.bits);
                return Ok(Some(format!("{was} to {}", StreamInfo::describe(now.0, now.1, now.2))));
            }
        }
        let read = u64::try_from(data.len()).unwrap_or(0);
        if read <= 16 {
            return Ok(None);
        }
        at += read - 16;
    }
}

struct Header {
    by_frame: bool,
    number: u64,
    rate: u32,
    channels: u8,
    bits: u8,
}

/// A frame header (RFC 9639, section 9.1) whose checksum is right.
fn header(data: &[u8], info: &StreamInfo) -> Option<Header> {
    let &[_, b1, b2, b3, ..] = data.first_chunk::<16>()?;
    let channels = match b3 >> 4 {
        n @ 0..=7 => n + 1,
        8..=10 => 2,
        _ => return None,
    };
    let bits = match b3 >> 1 & 7 {
        0 => info.bits,
        1 => 8,
        2 => 12,
        4 => 16,
        5 => 20,
        6 => 24,
        7 => 32,
        _ => return None,
    };
    let lead = *data.get(4)?;
    let more = match lead.leading_ones() {
        0 => 0,
        n @ 2..=7 => usize::try_from(n).ok()? - 1,
        _ => return None,
    };
    let mut number = u64::from(lead & (0x7Fu8 >> more));
    for b in data.get(5..5 + more)? {
        number = number << 6 | u64::from(b & 0x3F);
    }
    let mut at = 5 + more;
    at += match b2 >> 4 {
        6 => 1,
        7 => 2,
        _ => 0,
    };
    let byte = |at: usize| data.get(at).copied().map(u32::from);
    let (rate, extra) = match b2 & 15 {
        0 => (info.rate, 0),
        12 => (byte(at)? * 1000, 1),
        13 => (byte(at)? << 8 | byte(at + 1)?, 2),
        14 => ((byte(at)? << 8 | byte(at + 1)?) * 10, 2),
        15 => return None,
        i => {
            let rates = [88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000];
            (*rates.get(usize::from(i) - 1)?, 0)
        }
    };
    at += extra;
    let sum = data
        .get(..at)?
        .iter()
        .fold(0u8, |crc, b| (0..8).fold(crc ^ b, |c, _| if c & 0x80 != 0 { c << 1 ^ 7 } else { c << 1 }));
    (data.get(at) == Some(&sum)).then_some(Header { by_frame: b1 & 1 == 0, number, rate, channels, bits })
}
