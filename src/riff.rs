//! RIFF, RF64 and BW64: what the header of a WAVE file says, and headers for new ones.
//!
//! Promises: nothing is allocated from a length in the file (a body that is read is read up to a fixed number of
//! bytes, whatever it claims), and a header that is written is right from its first byte, since the length is known
//! before. Does not touch samples: see `media::wav` and `dsp::quantise`.
//!
//! The bodies of `fmt ` and `bext` are decoded and encoded by `waveadapter`; its own file walk is not used because it
//! loads every chunk whole (a 1 GiB `JUNK` costs 1 GiB) and does not tell the RIFF size, which the rules of
//! [`extent`] need.
//!
//! Standards: RIFF MCI 1.0; WAVE_FORMAT_EXTENSIBLE (Microsoft `ksmedia`); RF64: EBU Tech 3306; BW64: ITU-R BS.2088;
//! `bext`: EBU Tech 3285.

pub(crate) mod extent;
mod rest;
mod walk;

use std::io::{self, Read, Seek};
use waveadapter::{Bext, FmtChunk};

pub(crate) use extent::Extent;
pub(crate) use walk::Form;

/// What a file that was asked for its header turned out to be.
#[derive(Debug)]
pub(crate) enum Found {
    /// Not a RIFF file at all.
    Foreign,
    /// A RIFF file, but not one that is read here; what it is, for people.
    Refused(String),
    /// A WAVE file whose header cannot be used; why, for people.
    Broken(String),
    /// A WAVE file.
    Wave(Header),
}

/// The header of a WAVE file.
#[derive(Debug)]
pub(crate) struct Header {
    /// Which of the three containers.
    pub form: Form,
    /// What the samples are.
    pub fmt: Fmt,
    /// Where the body of the `fmt ` chunk starts.
    pub fmt_at: u64,
    /// Size of that body in bytes.
    pub fmt_len: u64,
    /// Where they are.
    pub extent: Extent,
    /// Bytes of audio in further `data` chunks, which are not part of `extent`.
    pub more_data: u64,
    /// `bext` time reference: frames since midnight at the file's rate.
    pub time_reference: Option<u64>,
    /// The body of the chunk that says which part of a longer file this is.
    pub slice: Option<Vec<u8>>,
}

/// The `fmt ` chunk as the file states it: nothing is derived or corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fmt {
    /// Format tag; for EXTENSIBLE the code of its subformat, 0 where that is no standard one.
    pub tag: u16,
    pub channels: u16,
    pub rate: u32,
    /// Bytes per second.
    pub byte_rate: u32,
    /// Bytes of a frame.
    pub block_align: u16,
    /// Bits of a sample; for EXTENSIBLE those of its container.
    pub bits: u16,
    /// EXTENSIBLE: how many of the bits are meant, 0 where not stated.
    pub valid_bits: Option<u16>,
    /// Channel mask; 0 where no positions are stated.
    pub mask: u32,
}

/// Bytes 4 to 16 of every standard subformat GUID; the first four are a format tag.
const SUBTYPE_TAIL: [u8; 12] = [0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];
/// The same of ambisonic B-format: PCM or float, channels without speaker positions.
const B_FORMAT_TAIL: [u8; 12] = [
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
            let b_format = tail == B_FORMAT_TAIL;
            let known = if tail == SUBTYPE_TAIL || b_format {
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

/// Reads the header of a file from its start. The position is anywhere afterwards.
///
/// # Errors
/// Only those of the file itself; what is wrong with the header is in [`Found`].
pub(crate) fn open(file: &mut (impl Read + Seek)) -> io::Result<Found> {
    let chunks = match walk::walk(file)? {
        walk::Walk::Foreign => return Ok(Found::Foreign),
        walk::Walk::BigEndian => return Ok(Found::Refused("RIFX (big-endian WAVE)".into())),
        walk::Walk::Other(name) => {
            return Ok(Found::Refused(format!(
                "a RIFF file of type {name:?}, not WAVE"
            )));
        }
        walk::Walk::Wave(chunks) => chunks,
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
    let extent = extent::find(file, &chunks, data, fmt.block_align)?;
    let time_reference = chunks
        .bext
        .as_deref()
        .and_then(Bext::from_bytes)
        .map(|b| b.time_reference);
    Ok(Found::Wave(Header {
        form: chunks.form,
        fmt,
        fmt_at: chunks.fmt_range.0,
        fmt_len: chunks.fmt_range.1,
        extent,
        // Where the first chunk has the rest of the file, the others are part of it.
        more_data: if extent.promised == extent.stated {
            chunks.more_data
        } else {
            0
        },
        time_reference,
        slice: chunks.slice,
    }))
}

/// What a new file is to hold.
#[derive(Clone, Debug)]
pub(crate) struct New<'a> {
    pub channels: u16,
    pub rate: u32,
    pub bits: u16,
    pub float: bool,
    /// Channel mask; 0 = no positions.
    pub mask: u32,
    pub frames: u64,
    pub rf64: bool,
    pub bext: Option<NewBext<'a>>,
    /// The body of the chunk that says which part of a longer file this is.
    pub slice: Option<&'a [u8]>,
}

/// The `bext` chunk of a new file.
#[derive(Clone, Debug)]
pub(crate) struct NewBext<'a> {
    pub time_reference: u64,
    pub description: &'a str,
    pub originator: &'a str,
}

/// A header, up to and with the first eight bytes of the `data` chunk, and what follows it.
#[derive(Debug)]
pub(crate) struct Laid {
    pub header: Vec<u8>,
    /// Bytes of audio that follow.
    pub data: u64,
    /// Whether a zero byte follows them.
    pub pad: bool,
}

impl Laid {
    /// Size of the whole file.
    pub(crate) fn total(&self) -> u64 {
        let header = u64::try_from(self.header.len()).unwrap_or(u64::MAX);
        self.data
            .saturating_add(header)
            .saturating_add(u64::from(self.pad))
    }
}

/// Lays out a new file; `None` where a field of the header cannot hold a figure.
///
/// Mono and stereo of 16 bits have the plain PCM tag, mono and stereo of float the plain float tag with `fact`, all
/// else is EXTENSIBLE: the three forms that the standard asks for.
pub(crate) fn lay(new: &New<'_>) -> Option<Laid> {
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
            tail.extend(SUBTYPE_TAIL);
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
    if let Some(b) = &new.bext {
        let bext = Bext {
            time_reference: b.time_reference,
            description: b.description.into(),
            originator: b.originator.into(),
            version: 1,
            ..Bext::default()
        };
        chunk(&mut body, *b"bext", &bext.to_bytes())?;
    }
    if let Some(slice) = new.slice {
        chunk(&mut body, walk::SLICE, slice)?;
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
    Some(Laid { header, data, pad })
}

fn chunk(out: &mut Vec<u8>, id: [u8; 4], body: &[u8]) -> Option<()> {
    out.extend(id);
    out.extend(u32::try_from(body.len()).ok()?.to_le_bytes());
    out.extend(body);
    if body.len() % 2 == 1 {
        out.push(0);
    }
    Some(())
}
