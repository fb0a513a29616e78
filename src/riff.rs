//! RIFF, RF64 and BW64: reads and writes the headers of WAVE files.
//!
//! Reading allocates no memory by a length stated in the file: at most a fixed number of bytes of a
//! chunk is read, whatever its size field says. A header is complete when written, since the length
//! of the audio is known in advance. Samples are handled by `media::wav` and `dsp::quantise`.
//!
//! `waveadapter` decodes and encodes the bodies of `fmt ` and `bext`. Its file parser is not used:
//! it loads whole chunks (a `JUNK` chunk of 1 GiB takes 1 GiB of memory) and does not return the
//! RIFF size, which [`extent`] needs.
//!
//! Standards: RIFF MCI 1.0; WAVE_FORMAT_EXTENSIBLE (Microsoft `ksmedia`); RF64: EBU Tech 3306; BW64: ITU-R BS.2088;
//! `bext`: EBU Tech 3285.

pub(crate) mod extent;
mod trailing_data;
mod walk;

use std::io::{self, Read, Seek};
use waveadapter::{Bext, FmtChunk};

pub(crate) use extent::Extent;
pub(crate) use walk::Form;

/// Result of reading the header of a file.
#[derive(Debug)]
pub(crate) enum Found {
    /// Not a RIFF file.
    Foreign,
    /// RIFF file of an unsupported kind, with a description for messages.
    Refused(String),
    /// WAVE file with an unusable header, with the reason for messages.
    Broken(String),
    /// WAVE file.
    Wave(Header),
}

/// Header of a WAVE file.
#[derive(Debug)]
pub(crate) struct Header {
    /// Container.
    pub form: Form,
    /// Contents of the `fmt ` chunk.
    pub fmt: Fmt,
    /// Offset of the body of the `fmt ` chunk.
    pub fmt_at: u64,
    /// Size of that body in bytes.
    pub fmt_len: u64,
    /// Location of the audio.
    pub extent: Extent,
    /// Bytes of audio in further `data` chunks, which are not part of `extent`.
    pub more_data: u64,
    /// Contents of the `bext` chunk, whose time reference counts frames since midnight at the file's rate. Of its
    /// coding history there is at most the first 16 KiB.
    pub bext: Option<Bext>,
    /// Body of the chunk that marks the file as a slice of a longer one.
    pub slice: Option<Vec<u8>>,
}

/// Contents of the `fmt ` chunk as stated, without corrections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fmt {
    /// Format tag. For EXTENSIBLE, the code of its subformat, or 0 if the subformat is not a
    /// standard one.
    pub tag: u16,
    pub channels: u16,
    pub rate: u32,
    /// Bytes per second.
    pub byte_rate: u32,
    /// Bytes per frame.
    pub block_align: u16,
    /// Bits per sample; for EXTENSIBLE, the size of the container.
    pub bits: u16,
    /// Number of significant bits in EXTENSIBLE; 0 if not stated.
    pub valid_bits: Option<u16>,
    /// Channel mask; 0 if no positions are stated.
    pub mask: u32,
}

/// Last 12 bytes of every standard subformat GUID. The first four are a format tag.
const SUBFORMAT_GUID_TAIL: [u8; 12] = [0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];
/// Last 12 bytes of the subformat GUIDs of ambisonic B-format: PCM or float in channels without
/// speaker positions.
const B_FORMAT_GUID_TAIL: [u8; 12] = [
    0x21, 0x07, 0xD3, 0x11, 0x86, 0x44, 0xC8, 0xC1, 0xCA, 0, 0, 0,
];
const EXTENSIBLE: u16 = 0xFFFE;

impl Fmt {
    fn decode(body: &[u8]) -> Option<Self> {
        let fmt = FmtChunk::from_bytes(body)?;
        let (mut tag, mut mask) = (fmt.format_code, fmt.channel_mask().unwrap_or(0));
        if tag == EXTENSIBLE {
            let guid = fmt.sub_format().unwrap_or_default();
            let (code, tail) = guid.split_at(4);
            let code = code.first_chunk().map_or(0, |c| u32::from_le_bytes(*c));
            let b_format = tail == B_FORMAT_GUID_TAIL;
            let known = if tail == SUBFORMAT_GUID_TAIL || b_format {
                u16::try_from(code).ok()
            } else {
                None
            };
            tag = known.unwrap_or(0);
            if b_format {
                mask = 0;
            }
        }
        Some(Self {
            tag,
            channels: fmt.channels,
            rate: fmt.sample_rate,
            byte_rate: fmt.byte_rate,
            block_align: fmt.block_align,
            bits: fmt.bits_per_sample,
            valid_bits: fmt.valid_bits_per_sample(),
            mask,
        })
    }
}

/// Reads the header of a file. Afterwards the read position is undefined.
///
/// # Errors
/// I/O errors only. Faults of the header are returned in [`Found`].
pub(crate) fn open(file: &mut (impl Read + Seek)) -> io::Result<Found> {
    let chunks = match walk::read_chunks(file)? {
        walk::RiffFile::Foreign => return Ok(Found::Foreign),
        walk::RiffFile::BigEndian => return Ok(Found::Refused("RIFX (big-endian WAVE)".into())),
        walk::RiffFile::Other(name) => {
            return Ok(Found::Refused(format!(
                "a RIFF file of type {name:?}, not WAVE"
            )));
        }
        walk::RiffFile::Wave(chunks) => chunks,
    };
    let broken = |what: &str| Ok(Found::Broken(what.into()));
    let Some(body) = &chunks.fmt else {
        return broken("no fmt chunk that could be read");
    };
    let Some(fmt) = Fmt::decode(body) else {
        return broken("the fmt chunk is shorter than 16 bytes");
    };
    let Some(data) = chunks.data else {
        return broken("no data chunk: the file holds no audio");
    };
    let extent = extent::find_extent(file, &chunks, data, fmt.block_align)?;
    let bext = chunks.bext.as_deref().and_then(Bext::from_bytes);
    Ok(Found::Wave(Header {
        form: chunks.form,
        fmt,
        fmt_at: chunks.fmt_range.0,
        fmt_len: chunks.fmt_range.1,
        extent,
        // If the first `data` chunk extends to the end of the file, the further chunks are part of
        // it.
        more_data: if extent.promised == extent.stated {
            chunks.more_data
        } else {
            0
        },
        bext,
        slice: chunks.slice,
    }))
}

/// Properties of a new file.
#[derive(Clone, Debug)]
pub(crate) struct New<'a> {
    pub channels: u16,
    pub rate: u32,
    pub bits: u16,
    pub float: bool,
    /// Channel mask; 0 for no positions.
    pub mask: u32,
    pub frames: u64,
    pub rf64: bool,
    /// Other chunks before the audio: identifiers and bodies.
    pub chunks: &'a [([u8; 4], Vec<u8>)],
    /// Body of the chunk that marks the file as a slice of a longer one.
    pub slice: Option<&'a [u8]>,
}

/// Header up to and including the eight-byte head of the `data` chunk, and the sizes of the data
/// that follows.
#[derive(Debug)]
pub(crate) struct WaveHeader {
    pub header: Vec<u8>,
    /// Number of bytes of audio.
    pub data: u64,
    /// True if the audio is followed by a pad byte.
    pub pad: bool,
}

impl WaveHeader {
    /// Returns the size of the whole file in bytes.
    pub(crate) fn total(&self) -> u64 {
        let header = self.header.len() as u64;
        self.data
            .saturating_add(header)
            .saturating_add(u64::from(self.pad))
    }
}

/// Builds the header of a new file; `None` if a value does not fit its field.
///
/// As the standard requires, mono and stereo PCM of up to 16 bits use the plain PCM tag, mono and
/// stereo float the plain float tag with a `fact` chunk, and everything else uses EXTENSIBLE.
pub(crate) fn lay(new: &New<'_>) -> Option<WaveHeader> {
    let block_align = new.channels.checked_mul(new.bits / 8)?;
    let byte_rate = new.rate.checked_mul(u32::from(block_align))?;
    let data = new.frames.checked_mul(u64::from(block_align))?;
    let plain_layout = matches!((new.channels, new.mask), (1, 4) | (2, 3));
    let plain = plain_layout && (new.float || new.bits <= 16);
    let tag = if new.float { 3 } else { 1 };
    let extension = match (plain, new.float) {
        (true, false) => None,
        (true, true) => Some(Vec::new()),
        (false, _) => {
            let mut tail = new.bits.to_le_bytes().to_vec();
            tail.extend(new.mask.to_le_bytes());
            tail.extend(u32::from(tag).to_le_bytes());
            tail.extend(SUBFORMAT_GUID_TAIL);
            Some(tail)
        }
    };
    let fmt = FmtChunk {
        format_code: if plain { tag } else { EXTENSIBLE },
        channels: new.channels,
        sample_rate: new.rate,
        byte_rate,
        block_align,
        bits_per_sample: new.bits,
        extension,
    };
    let mut body = Vec::from(*b"WAVE");
    let ds64_at = body.len() + 8;
    if new.rf64 {
        chunk(&mut body, *b"ds64", &[0; 28])?;
    }
    chunk(&mut body, *b"fmt ", &fmt.to_bytes().ok()?)?;
    if new.float && !new.rf64 {
        chunk(
            &mut body,
            *b"fact",
            &u32::try_from(new.frames).ok()?.to_le_bytes(),
        )?;
    }
    for (id, content) in new.chunks {
        chunk(&mut body, *id, content)?;
    }
    if let Some(slice) = new.slice {
        chunk(&mut body, walk::SLICE_ID, slice)?;
    }
    body.extend(*b"data");
    let pad = data % 2 == 1;
    let riff = data
        .checked_add(u64::try_from(body.len()).ok()?)?
        .checked_add(4 + u64::from(pad))?;
    let (id, riff32, data32) = if new.rf64 {
        let sizes = [riff, data, new.frames].map(u64::to_le_bytes).concat();
        body.get_mut(ds64_at..)?
            .get_mut(..sizes.len())?
            .copy_from_slice(&sizes);
        (*b"RF64", u32::MAX, u32::MAX)
    } else {
        (
            *b"RIFF",
            u32::try_from(riff).ok()?,
            u32::try_from(data).ok()?,
        )
    };
    body.extend(data32.to_le_bytes());
    let mut header = Vec::from(id);
    header.extend(riff32.to_le_bytes());
    header.append(&mut body);
    Some(WaveHeader { header, data, pad })
}

/// Appends a chunk, with a pad byte after a body of odd length; `None` if the body is too long.
pub(crate) fn chunk(out: &mut Vec<u8>, id: [u8; 4], body: &[u8]) -> Option<()> {
    out.extend(id);
    out.extend(u32::try_from(body.len()).ok()?.to_le_bytes());
    out.extend(body);
    if body.len() % 2 == 1 {
        out.push(0);
    }
    Some(())
}
