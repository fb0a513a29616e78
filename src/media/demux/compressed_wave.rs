//! Opens WAVE files with a codec other than those that [`wav`](crate::media::wav) reads: MP3 and ADPCM.
//!
//! `symphonia` does not read MP3 in WAVE: its frames are listed as in an MP3 file. MS and IMA ADPCM go through the
//! demuxer. Other codecs are refused by name, after the
//! format tags of RFC 2361 and Microsoft's mmreg.h.

use super::{
    AudioExtent, OpenedStem, StemFile,
    iff::{MAX_CHUNKS, chunk_32, read_at},
    signed,
};
use crate::{
    error::Result,
    media::{
        Remark, packet_source::PacketSource, sparse_reader::FileView, symphonia_adapter::Container,
    },
    storage::InputFile,
};
use std::io;

const WAVE_FORMAT_ADPCM: u16 = 0x02;
const WAVE_FORMAT_DVI_ADPCM: u16 = 0x11;
const WAVE_FORMAT_MPEG: u16 = 0x50;
const WAVE_FORMAT_MPEGLAYER3: u16 = 0x55;
const WAVE_FORMAT_EXTENSIBLE: u16 = 0xFFFE;

impl StemFile<'_> {
    pub(super) fn open_compressed_wave(&self) -> Result<OpenedStem> {
        let (format_tag, data) = scan_chunks(self.file).map_err(|e| self.io_error(e))?;
        match format_tag {
            WAVE_FORMAT_MPEG | WAVE_FORMAT_MPEGLAYER3 => {
                let mut opened = self.open_mpeg(data, false)?;
                opened.codec += " in WAV";
                return Ok(opened);
            }
            WAVE_FORMAT_ADPCM | WAVE_FORMAT_DVI_ADPCM => {}
            other => {
                if let Some(name) = unsupported_codec(other) {
                    return Err(self.unsupported(format!("{name} in WAV")));
                }
            }
        }
        let (mut demuxed, _) =
            self.demux(Container::Wave, "WAVE", FileView::whole(self.file), |_| 0)?;
        let stream = demuxed.stream().clone();
        let codec = format!("{} in WAV", stream.codec);
        let span = self.scan_packets(&mut demuxed, &codec)?;
        demuxed.rewind().map_err(|f| self.codec_error(&codec, f))?;
        let promised = stream.stated_frames.map_or(0, signed).max(span.end);
        let extent = AudioExtent {
            origin: 0,
            end: promised,
            available_end: span.end,
        };
        let mut opened = self.finish(
            PacketSource::Timed(Box::new(demuxed)),
            &stream,
            codec,
            extent,
        )?;
        opened.seeks_from_start = !stream.is_pcm;
        if opened.seeks_from_start {
            opened.remarks.push(Remark::SlowSeek);
        }
        Ok(opened)
    }
}

/// Returns the format tag and the file offset of the sound, 0 if missing.
fn scan_chunks(file: &InputFile) -> io::Result<(u16, u64)> {
    let mut format_tag = 0;
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        let Some((name, big_endian_size)) = chunk_32(file, at)? else {
            break;
        };
        let size = u64::from(big_endian_size.swap_bytes());
        if name == *b"fmt "
            && let Some(tag) = read_at::<2>(file, at + 8)?
        {
            format_tag = u16::from_le_bytes(tag);
            // The first two bytes of the SubFormat GUID are the real tag.
            if format_tag == WAVE_FORMAT_EXTENSIBLE
                && let Some(tag) = read_at::<2>(file, at + 32)?
            {
                format_tag = u16::from_le_bytes(tag);
            }
        }
        if name == *b"data" {
            return Ok((format_tag, at + 8));
        }
        at = at.saturating_add(8 + size + (size & 1));
    }
    Ok((format_tag, 0))
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
