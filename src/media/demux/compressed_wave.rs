//! Opens WAVE files with a codec other than those that [`wav`](crate::media::wav) reads: MP3 and ADPCM.
//!
//! `symphonia` does not read MP3 in WAVE: its frames are listed as in an MP3 file. MS and IMA ADPCM go through the
//! demuxer. Other codecs are refused by name, after the format tags of RFC 2361 and Microsoft's mmreg.h.
//!
//! The demuxer refuses sizes that are wrong, RF64, and files that are cut off, and leaves out a block that is not whole. So
//! it sees the form type, the `fmt ` chunk and the `data` chunk only, with the sizes that [`riff`](crate::riff) finds.

use super::{AudioExtent, OpenedStem, StemFile, signed};
use crate::{
    error::{ErrorKind, Result},
    media::{
        Remark,
        packet_source::PacketSource,
        sparse_reader::{BytePatch, ByteRange, FileView},
        symphonia_adapter::Container,
        wav,
    },
    riff::{self, Found, Header},
};

const WAVE_FORMAT_PCM: u16 = 0x01;
const WAVE_FORMAT_ADPCM: u16 = 0x02;
const WAVE_FORMAT_IEEE_FLOAT: u16 = 0x03;
const WAVE_FORMAT_ALAW: u16 = 0x06;
const WAVE_FORMAT_MULAW: u16 = 0x07;
const WAVE_FORMAT_DVI_ADPCM: u16 = 0x11;
const WAVE_FORMAT_MPEG: u16 = 0x50;
const WAVE_FORMAT_MPEGLAYER3: u16 = 0x55;

/// Size of `RIFF`, its size and `WAVE`.
const FORM_BYTES: u64 = 12;
/// Size of the name and the size of a chunk.
const CHUNK_HEADER_BYTES: u64 = 8;

impl StemFile<'_> {
    pub(super) fn open_compressed_wave(&self) -> Result<OpenedStem> {
        let mut file = self.file;
        let header = match riff::open(&mut file).map_err(|e| self.io_error(e))? {
            Found::Wave(header) => header,
            Found::Refused(what) => return Err(self.unsupported(what)),
            Found::Broken(what) => return Err(self.corrupt(what)),
            Found::Foreign => return Err(self.corrupt("this is no WAVE file")),
        };
        match header.fmt.tag {
            WAVE_FORMAT_MPEG | WAVE_FORMAT_MPEGLAYER3 => self.open_mpeg_in_wave(&header),
            WAVE_FORMAT_ADPCM | WAVE_FORMAT_DVI_ADPCM => self.open_adpcm(&header),
            other => {
                Err(self.unsupported(format!("{} in WAV", codec_name(other, header.fmt.bits))))
            }
        }
    }

    /// Opens the MPEG audio in the `data` chunk.
    fn open_mpeg_in_wave(&self, header: &Header) -> Result<OpenedStem> {
        let extent = header.extent;
        let file = self.file.window(extent.at, extent.held);
        let sound = StemFile {
            file: &file,
            ..*self
        };
        let lost = extent.promised - extent.held;
        let mut opened = sound.open_mpeg(0, false, lost)?;
        opened.codec += " in WAV";
        // The lengths of the chunk in frames are not known: they are those of its share of the bytes.
        let per_byte = |bytes: u64| scaled(bytes, opened.frames, extent.promised);
        let remarks = wav::remarks(
            per_byte(extent.stated),
            opened.frames,
            per_byte(header.more_data),
        );
        if extent.stated != extent.promised || header.more_data > 0 {
            opened.remarks.extend(remarks);
        }
        Ok(opened)
    }

    fn open_adpcm(&self, header: &Header) -> Result<OpenedStem> {
        let (fmt, extent) = (header.fmt, header.extent);
        let blocks = AdpcmBlocks::of(fmt.tag, fmt.channels, fmt.block_align).ok_or_else(|| {
            let what = format!(
                "the header contradicts itself: {} channels of ADPCM in blocks of {} bytes",
                fmt.channels, fmt.block_align
            );
            self.error(ErrorKind::Corrupt, what)
        })?;
        let (mut demuxed, _) = self.demux(
            Container::Wave,
            "WAVE",
            whole_blocks(header, blocks.bytes),
            |_| 0,
        )?;
        let stream = demuxed.stream().clone();
        let codec = format!("{} in WAV", stream.codec);
        self.scan_packets(&mut demuxed, &codec)?;
        demuxed.rewind().map_err(|f| self.codec_error(&codec, f))?;
        let promised = blocks.frames_in(extent.promised);
        let extent_in_frames = AudioExtent {
            origin: 0,
            end: signed(promised),
            available_end: signed(blocks.frames_in(extent.held)),
        };
        let source = PacketSource::Timed(Box::new(demuxed));
        let mut opened = self.finish(source, &stream, codec, extent_in_frames)?;
        opened.seeks_from_start = true;
        opened.remarks = wav::remarks(
            blocks.frames_in(extent.stated),
            promised,
            blocks.frames_in(header.more_data),
        );
        opened.remarks.push(Remark::SlowSeek);
        Ok(opened)
    }
}

/// Returns `n * part / whole`, rounded down and saturated; 0 if `whole` is 0.
fn scaled(n: u64, part: u64, whole: u64) -> u64 {
    let product = u128::from(n) * u128::from(part);
    u64::try_from(product.checked_div(whole.into()).unwrap_or(0)).unwrap_or(u64::MAX)
}

/// Returns the view of a file that ends with the sound that it holds, padded with zeros to a whole block.
fn whole_blocks(header: &Header, block: u64) -> FileView {
    let extent = header.extent;
    let fmt = ByteRange {
        start: header.fmt_at.saturating_sub(CHUNK_HEADER_BYTES),
        len: CHUNK_HEADER_BYTES + header.fmt_len + header.fmt_len % 2,
    };
    let data = ByteRange {
        start: extent.at.saturating_sub(CHUNK_HEADER_BYTES),
        len: CHUNK_HEADER_BYTES + extent.held,
    };
    let form = ByteRange {
        start: 0,
        len: FORM_BYTES,
    };
    let size = extent.held.div_ceil(block).saturating_mul(block);
    let data_at = FORM_BYTES + fmt.len;
    let len = data_at + CHUNK_HEADER_BYTES + size;
    // Sizes of all ones mean that the sound goes to the end of the file.
    let field = |size: u64| u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes();
    let mut patches: Vec<BytePatch> = (0..).zip(*b"RIFF").collect();
    patches.extend((4..).zip(field(len - CHUNK_HEADER_BYTES)));
    patches.extend((data_at + 4..).zip(field(size)));
    FileView {
        ranges: vec![form, fmt, data],
        len,
        patches,
    }
}

/// How many frames the blocks of ADPCM hold.
#[derive(Clone, Copy, Debug)]
struct AdpcmBlocks {
    /// Size of a whole block.
    bytes: u64,
    /// Size of the header of a block, all channels together.
    header_bytes: u64,
    /// Frames in the header.
    header_frames: u64,
    /// Size of the smallest part that decodes: a byte of MS ADPCM, four bytes of each channel of IMA ADPCM.
    group_bytes: u64,
    /// Frames in two groups.
    frames_in_two_groups: u64,
}

impl AdpcmBlocks {
    fn of(tag: u16, channels: u16, block_align: u16) -> Option<Self> {
        let (channels, bytes) = (u64::from(channels), u64::from(block_align));
        if channels == 0 {
            return None;
        }
        let blocks = match tag {
            WAVE_FORMAT_ADPCM => Self {
                bytes,
                header_bytes: 7 * channels,
                header_frames: 2,
                group_bytes: 1,
                // Two samples of four bits in a byte.
                frames_in_two_groups: 4 / channels,
            },
            _ => Self {
                bytes,
                header_bytes: 4 * channels,
                header_frames: 1,
                group_bytes: 4 * channels,
                frames_in_two_groups: 16,
            },
        };
        let body = bytes.checked_sub(blocks.header_bytes)?;
        (body > 0 && body.is_multiple_of(blocks.group_bytes)).then_some(blocks)
    }

    /// Returns the number of frames in `bytes` of sound, of which the last block may be cut.
    fn frames_in(&self, bytes: u64) -> u64 {
        let in_block = |bytes: u64| match bytes.checked_sub(self.header_bytes) {
            None => 0,
            Some(body) => {
                self.header_frames + body / self.group_bytes * self.frames_in_two_groups / 2
            }
        };
        let whole = (bytes / self.bytes).saturating_mul(in_block(self.bytes));
        whole.saturating_add(in_block(bytes % self.bytes))
    }
}

/// Returns the name of a codec that is not read.
fn codec_name(format_tag: u16, bits: u16) -> String {
    match format_tag {
        WAVE_FORMAT_PCM => format!("PCM of {bits} bits"),
        WAVE_FORMAT_IEEE_FLOAT => format!("floating point of {bits} bits"),
        WAVE_FORMAT_ALAW => format!("A-law of {bits} bits"),
        WAVE_FORMAT_MULAW => format!("mu-law of {bits} bits"),
        0 => "a codec without a standard format tag".to_owned(),
        other => match unsupported_codec(other) {
            Some(name) => name.to_owned(),
            None => format!("the codec with format tag 0x{other:04X}"),
        },
    }
}

/// Returns the name of a codec that is known and not read.
fn unsupported_codec(format_tag: u16) -> Option<&'static str> {
    Some(match format_tag {
        0x10 => "OKI ADPCM",
        0x17 => "Dialogic ADPCM",
        0x31 => "GSM 6.10",
        0x40 | 0x45 | 0x64 => "G.726 ADPCM",
        0x70 | 0x270 => "ATRAC",
        0xFF | 0x1600 | 0x1602 | 0xA106 => "AAC",
        0x160..=0x163 => "Windows Media Audio",
        0x2000 => "AC-3",
        0x2001 => "DTS",
        0x5756 => "WavPack",
        0x674F..=0x6771 => "Vorbis",
        0xF1AC => "FLAC",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_adpcm_hold_their_frames() {
        let blocks = |tag, channels, align| AdpcmBlocks::of(tag, channels, align);
        let frames = |tag, channels, align, bytes: u64| {
            blocks(tag, channels, align).unwrap().frames_in(bytes)
        };
        const IMA: u16 = 0x11;
        let ms = WAVE_FORMAT_ADPCM;
        // Two frames in the header and two in a byte, shared by the channels; one, and eight in four bytes of each.
        for (tag, channels, align, in_block) in [
            (ms, 1, 256, 500),
            (ms, 2, 256, 244),
            (IMA, 1, 256, 505),
            (IMA, 2, 512, 505),
        ] {
            for count in [1, 3] {
                let bytes = count * u64::from(align);
                assert_eq!(frames(tag, channels, align, bytes), count * in_block);
            }
        }
        let cut = [6, 7, 8, 13].map(|bytes| frames(ms, 1, 256, 512 + bytes));
        assert_eq!(cut, [1000, 1002, 1004, 1014]);
        let cut = [7, 8, 15, 16, 24].map(|bytes| frames(IMA, 2, 512, bytes));
        assert_eq!(cut, [0, 1, 1, 9, 17]);
        for (tag, channels, align) in [
            (ms, 0, 256),
            (ms, 2, 14),
            (ms, 2, 13),
            (IMA, 2, 8),
            (IMA, 2, 511),
        ] {
            assert!(blocks(tag, channels, align).is_none());
        }
        assert!(blocks(ms, 2, 15).is_some() && blocks(IMA, 2, 16).is_some());
    }

    #[test]
    fn shares_are_rounded_down() {
        assert_eq!((scaled(10, 3, 4), scaled(10, 3, 0)), (7, 0));
        assert_eq!(scaled(u64::MAX, u64::MAX, 2), u64::MAX);
    }

    #[test]
    fn codecs_are_named_by_their_format_tags() {
        let names: [(&[u16], &str); 18] = [
            (&[1], "PCM of 12 bits"),
            (&[3], "floating point of 12 bits"),
            (&[6], "A-law of 12 bits"),
            (&[7], "mu-law of 12 bits"),
            (&[0], "a codec without a standard format tag"),
            (&[0x10], "OKI ADPCM"),
            (&[0x17], "Dialogic ADPCM"),
            (&[0x31], "GSM 6.10"),
            (&[0x40, 0x45, 0x64], "G.726 ADPCM"),
            (&[0x70, 0x270], "ATRAC"),
            (&[0xFF, 0x1600, 0x1602, 0xA106], "AAC"),
            (&[0x160, 0x163], "Windows Media Audio"),
            (&[0x2000], "AC-3"),
            (&[0x2001], "DTS"),
            (&[0x5756], "WavPack"),
            (&[0x674F, 0x6771], "Vorbis"),
            (&[0xF1AC], "FLAC"),
            (&[0xABC], "the codec with format tag 0x0ABC"),
        ];
        for (tags, name) in names {
            for tag in tags {
                assert_eq!(codec_name(*tag, 12), name);
            }
        }
    }
}
