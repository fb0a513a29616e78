//! A walk over the chunks of AIFF, CAF and WAVE files: where the sound lies and how much of it is there.
//!
//! AIFF and CAF state the size of their data in front of it. Whether the file really holds so much, whether a CAF file
//! names its channels, and which codec a WAVE file has is all that is asked here.

use crate::storage::InputFile;
use std::io::{self, Read, Result, Seek, SeekFrom};

/// Chunks that are looked at.
const MOST: usize = 65_536;

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sound {
    /// Bytes of sound that are promised.
    pub(crate) promised: u64,
    /// Bytes of sound that the file has.
    pub(crate) present: u64,
    /// The length the file would have if it were whole.
    pub(crate) whole: u64,
    /// Frames as the AIFF header counts them.
    pub(crate) frames: Option<u64>,
    /// Whether a CAF file says where its channels belong.
    pub(crate) positions: bool,
}

/// Walks over the chunks of an AIFF or AIFF-C file.
pub(crate) fn aiff(file: &InputFile) -> Result<Sound> {
    let len = file.len();
    let mut sound = Sound { whole: len, ..Sound::default() };
    let mut at = 12;
    for _ in 0..MOST {
        let Some((name, mut size)) = chunk(file, at, 4)? else { break };
        let body = at + 8;
        if name == *b"SSND" && is_stream(size) {
            // Written into a pipe: the sound goes on to the end.
            size = len.saturating_sub(body);
        }
        if name == *b"COMM"
            && let Some(head) = bytes::<6>(file, body)?
        {
            let [_, _, a, b, c, d] = head;
            sound.frames = Some(u32::from_be_bytes([a, b, c, d]).into());
        }
        if name == *b"SSND" {
            let offset = bytes::<4>(file, body)?.map_or(0, |b| u64::from(u32::from_be_bytes(b)));
            sound.data(body + 8 + offset, size.saturating_sub(8 + offset), len);
            // The byte that pads odd sizes: some writers leave it out.
            sound.whole += size & 1;
        }
        at = body.saturating_add(size).saturating_add(size & 1);
    }
    Ok(sound)
}

/// Sizes that programs write into a pipe, where they do not know them.
fn is_stream(size: u64) -> bool {
    size == 0 || size == u64::from(u32::MAX)
}

/// The bytes to put into the header of an AIFF file that was written into a pipe, so that its sizes are right. None
/// where they are stated, or where the width of its samples is not.
pub(crate) fn aiff_patches(file: &InputFile) -> Result<Vec<(u64, u8)>> {
    let len = file.len();
    let (mut out, mut count, mut block, mut at) = (Vec::new(), None, 0, 12);
    for _ in 0..MOST {
        let Some((name, size)) = chunk(file, at, 4)? else { break };
        let body = at + 8;
        if name == *b"COMM"
            && let Some([a, b, _, _, _, _, c, d]) = bytes::<8>(file, body)?
        {
            block = u64::from(u16::from_be_bytes([a, b])) * u64::from(u16::from_be_bytes([c, d]).div_ceil(8));
            count = Some(body + 2);
        }
        if name == *b"SSND" {
            let sound = len.saturating_sub(body + 8);
            let frames = sound.checked_div(block).and_then(|n| u32::try_from(n).ok());
            let (Some(count), Some(frames), Ok(rest)) = (count, frames, u32::try_from(len - 8)) else { break };
            if !is_stream(size) {
                break;
            }
            let ssnd = u64::from(rest).saturating_sub(body - 8);
            let ssnd = u32::try_from(ssnd).unwrap_or(u32::MAX);
            for (place, value) in [(4, rest), (count, frames), (at + 4, ssnd)] {
                out.extend((place..).zip(value.to_be_bytes()));
            }
            break;
        }
        at = body.saturating_add(size).saturating_add(size & 1);
    }
    Ok(out)
}

/// Walks over the chunks of a CAF file.
pub(crate) fn caf(file: &InputFile) -> Result<Sound> {
    let len = file.len();
    let mut sound = Sound { whole: len, ..Sound::default() };
    let mut at = 8;
    for _ in 0..MOST {
        let Some((name, size)) = chunk(file, at, 8)? else { break };
        let body = at + 12;
        // Data of unknown size, written while recording, goes on to the end.
        let size = if size == u64::MAX { len.saturating_sub(body) } else { size };
        match &name {
            b"data" => sound.data(body + 4, size.saturating_sub(4), len),
            b"chan" => sound.positions = true,
            _ => {}
        }
        at = body.saturating_add(size);
    }
    Ok(sound)
}

/// The format tag of a WAVE file and where its data begins; zeros where there is none.
pub(crate) fn wave(file: &InputFile) -> Result<(u16, u64)> {
    let mut tag = 0;
    let mut at = 12;
    for _ in 0..MOST {
        let Some((name, size)) = chunk(file, at, 4)? else { break };
        let size = u64::from(u32::try_from(size).unwrap_or(u32::MAX).swap_bytes());
        if name == *b"fmt "
            && let Some(head) = bytes::<2>(file, at + 8)?
        {
            tag = u16::from_le_bytes(head);
            if tag == 0xFFFE
                && let Some(sub) = bytes::<2>(file, at + 32)?
            {
                tag = u16::from_le_bytes(sub);
            }
        }
        if name == *b"data" {
            return Ok((tag, at + 8));
        }
        at = at.saturating_add(8 + size + (size & 1));
    }
    Ok((tag, 0))
}

/// The name of a codec in WAVE files that is not read.
pub(crate) fn wave_codec(tag: u16) -> Option<&'static str> {
    Some(match tag {
        0x10 => "OKI ADPCM",
        0x17 => "Dialogic ADPCM",
        0x31 => "GSM 6.10",
        0x40 | 0x45 | 0x64 => "G.726 ADPCM",
        0x70 | 0x270 => "ATRAC",
        0xFF | 0x1600 | 0x1602 | 0xA106 => "AAC",
        0x160..=0x163 => "Windows DecodedFile Audio",
        0x2000 => "AC-3",
        0x2001 => "DTS",
        0x5756 => "WavPack",
        0x674F..=0x6771 => "Vorbis",
        0xF1AC => "FLAC",
        _ => return None,
    })
}

impl Sound {
    fn data(&mut self, at: u64, promised: u64, len: u64) {
        self.promised = promised;
        self.present = len.saturating_sub(at).min(promised);
        self.whole = len.max(at.saturating_add(promised));
    }
}

/// Name and size of the chunk at a place; `None` where no header is.
fn chunk(mut file: &InputFile, at: u64, width: usize) -> Result<Option<([u8; 4], u64)>> {
    let mut head = [0; 12];
    file.seek(SeekFrom::Start(at))?;
    match file.read_exact(head.get_mut(..4 + width).unwrap_or_default()) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let [a, b, c, d, size @ ..] = head;
    let value = u64::from_be_bytes(size);
    Ok(Some(([a, b, c, d], if width == 4 { value >> 32 } else { value })))
}

fn bytes<const N: usize>(mut file: &InputFile, at: u64) -> Result<Option<[u8; N]>> {
    let mut data = [0; N];
    file.seek(SeekFrom::Start(at))?;
    match file.read_exact(&mut data) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        other => other.map(|()| Some(data)),
    }
}
