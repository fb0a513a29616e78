//! Opens AIFF and AIFF-C (Apple, Audio Interchange File Format 1.3 and AIFF-C draft, 1991).
//!
//! `symphonia` refuses files whose sizes are wrong, whose sound chunk is cut off, and files that were written into a pipe,
//! where the sizes are 0 or 2³²−1; what it says of codecs that it does not know is no name. So the chunks are read here,
//! and the demuxer sees a header that is made from them and the sound, padded with zeros where the file is cut.

use super::{
    AudioExtent, OpenedStem, StemFile,
    iff::{MAX_CHUNKS, SoundData, apple_codec_name, chunk_32, chunks_follow, code_name, read_at},
    signed,
};
use crate::{
    error::Result,
    media::{
        Remark,
        packet_source::{DemuxedStream, PacketSource},
        sparse_reader::{ByteRange, FileView},
        symphonia_adapter::Container,
    },
    storage::InputFile,
    units::Frames,
};
use std::io;

/// Size of the name and the size of a chunk.
const CHUNK_HEADER_BYTES: u64 = 8;
/// Size of offset and block size before the sound.
const SOUND_HEADER_BYTES: u64 = 8;

/// The `COMM` chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common {
    pub(super) channels: u16,
    pub(super) frames: u32,
    pub(super) bits: u16,
    /// 80-bit floating point.
    pub(super) rate: [u8; 10],
    /// Codec of AIFF-C; `None` in AIFF, which holds PCM.
    pub(super) codec: Option<[u8; 4]>,
}

/// The `SSND` chunk.
#[derive(Clone, Copy, Debug)]
struct Sound {
    /// File offset of the first byte of sound.
    at: u64,
    size: SoundData,
}

impl StemFile<'_> {
    pub(super) fn open_aiff(&self) -> Result<OpenedStem> {
        let (common, sound) = scan_chunks(self.file).map_err(|e| self.io_error(e))?;
        let Some(common) = common else {
            return Err(self.corrupt("AIFF: there is no COMM chunk that describes the sound"));
        };
        if let Some(codec) = common.codec.and_then(demuxer_codec_error) {
            return Err(self.unsupported(format!("{codec} in AIFF-C")));
        }
        let nothing = Sound {
            at: 0,
            size: SoundData::default(),
        };
        let sound = match sound {
            Some(sound) => sound,
            None if common.frames == 0 => nothing,
            None => {
                return Err(self.corrupt("AIFF: there is no SSND chunk: the file holds no sound"));
            }
        };
        let sound = self
            .believed_sound(&common, sound)
            .map_err(|e| self.io_error(e))?;
        let view = common.view(sound.at, sound.size);
        let (demuxed, _) = self.demux(Container::Aiff, "AIFF", view, |_| 0)?;
        let mut opened = self.finish_pcm(demuxed, "AIFF", sound.size)?;
        opened.rate = self.exact_rate(extended_to_f64(common.rate))?;
        let stated = u64::from(common.frames);
        if stated != opened.frames {
            opened.remarks.push(Remark::HeaderLength {
                stated: Frames(stated),
                found: Frames(opened.frames),
            });
        }
        // AIFF has no chunk for channel positions; the demuxer makes them up.
        if opened.channels > 2 {
            opened.mask = 0;
        }
        Ok(opened)
    }

    /// Decides between the size of the `SSND` chunk and the length that `COMM` states, where they differ: the one behind
    /// which chunks follow, or the file ends, is right.
    fn believed_sound(&self, common: &Common, sound: Sound) -> io::Result<Sound> {
        let stated = u64::from(common.frames).saturating_mul(common.frame_bytes());
        let is_boundary = |end: u64| {
            let padded = end.saturating_add(end & 1);
            chunks_follow(self.file, padded, chunk_32)
        };
        if stated == sound.size.promised || is_boundary(sound.size.end)? {
            return Ok(sound);
        }
        let other = SoundData::at(sound.at, stated, self.file.len());
        Ok(Sound {
            size: if is_boundary(other.end)? {
                other
            } else {
                sound.size
            },
            ..sound
        })
    }

    /// Completes a stem whose packets all have the same number of bytes per frame: as much of the stated length is
    /// available as of the sound data.
    pub(super) fn finish_pcm(
        &self,
        demuxed: DemuxedStream,
        container: &str,
        sound: SoundData,
    ) -> Result<OpenedStem> {
        let stream = demuxed.stream().clone();
        let frames = stream.stated_frames.unwrap_or(0);
        let scaled = u128::from(frames) * u128::from(sound.available);
        let available = scaled.checked_div(sound.promised.into()).unwrap_or(0);
        // At most `frames`: `SoundData` has no more available than promised.
        let available = u64::try_from(available).unwrap_or(frames);
        let extent = AudioExtent {
            origin: 0,
            end: signed(frames),
            available_end: signed(available),
        };
        self.finish(
            PacketSource::Timed(Box::new(demuxed)),
            &stream,
            format!("{} in {container}", stream.codec),
            extent,
        )
    }
}

/// Returns what cannot be read of AIFF-C with this codec; `None` for what the demuxer reads.
fn demuxer_codec_error(codec: [u8; 4]) -> Option<String> {
    const READ: [&[u8; 4]; 11] = [
        b"none", b"alaw", b"ulaw", b"in24", b"in32", b"23ni", b"fl32", b"fl64", b"sowt", b"twos",
        b"raw ",
    ];
    let is_read = READ.iter().any(|known| known.eq_ignore_ascii_case(&codec));
    (!is_read).then(|| {
        apple_codec_name(codec)
            .map_or_else(|| format!("the codec {}", code_name(codec)), str::to_owned)
    })
}

impl Common {
    /// Returns the size of a frame in bytes.
    fn frame_bytes(&self) -> u64 {
        let is_companded = |codec: &[u8; 4]| {
            codec.eq_ignore_ascii_case(b"ulaw") || codec.eq_ignore_ascii_case(b"alaw")
        };
        // Of companded audio, the bits are those after decoding.
        let sample = if self.codec.as_ref().is_some_and(is_companded) {
            1
        } else {
            self.bits.div_ceil(8)
        };
        u64::from(self.channels) * u64::from(sample)
    }

    /// Returns the view of a file with this header and the sound at a file offset.
    pub(super) fn view(&self, at: u64, size: SoundData) -> FileView {
        let sound = ByteRange {
            start: at,
            len: size.available,
        };
        FileView::with_header(&header(self, size.promised), sound, size.promised)
    }
}

/// Encodes a rate as 80-bit floating point.
pub(super) fn extended_rate(hz: u32) -> [u8; 10] {
    let shift = hz.leading_zeros();
    // The exponent of 2³¹, biased by 16383, and a mantissa whose first bit is 1.
    let exponent = 0x401E - u16::try_from(shift).unwrap_or(0);
    let [a, b, c, d] = hz.checked_shl(shift).unwrap_or(0).to_be_bytes();
    let [e, f] = exponent.to_be_bytes();
    [e, f, a, b, c, d, 0, 0, 0, 0]
}

/// Decodes 80-bit floating point; NaN for what is no positive number.
fn extended_to_f64(bytes: [u8; 10]) -> f64 {
    let [e, f, mantissa @ ..] = bytes;
    let exponent = i32::from(u16::from_be_bytes([e, f]));
    // The sign, and the exponent of infinity and of what is no number.
    if exponent >= 0x7FFF {
        return f64::NAN;
    }
    #[expect(clippy::cast_precision_loss, reason = "no rate needs 64 bits")]
    let mantissa = u64::from_be_bytes(mantissa) as f64;
    mantissa * libm::pow(2.0, f64::from(exponent - 0x3FFF - 63))
}

/// Makes the header of a file with `sound_bytes` of sound, up to the first of them.
fn header(common: &Common, sound_bytes: u64) -> Vec<u8> {
    // Where the sizes do not fit the format, as those of a recording of hours from a pipe, the demuxer reads up to the
    // largest.
    let field = |size: u64| u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes();
    let mut comm = Vec::new();
    comm.extend(common.channels.to_be_bytes());
    comm.extend(common.frames.to_be_bytes());
    comm.extend(common.bits.to_be_bytes());
    comm.extend(common.rate);
    if let Some(codec) = common.codec {
        comm.extend(codec);
        // The empty name of the codec, as a Pascal string.
        comm.extend([0, 0]);
    }
    let form_type = if common.codec.is_some() {
        b"AIFC"
    } else {
        b"AIFF"
    };
    let mut body = Vec::from(*form_type);
    body.extend(b"COMM");
    body.extend(field(comm.len() as u64));
    body.extend(comm);
    body.extend(b"SSND");
    body.extend(field(sound_bytes.saturating_add(SOUND_HEADER_BYTES)));
    body.extend([0; 8]);
    let form_bytes = sound_bytes.saturating_add(body.len() as u64);
    let mut header = Vec::from(*b"FORM");
    // An odd size: the demuxer reads no pad byte after the last chunk.
    header.extend(field(form_bytes));
    header.extend(body);
    header
}

fn scan_chunks(file: &InputFile) -> io::Result<(Option<Common>, Option<Sound>)> {
    let file_len = file.len();
    let is_aifc = read_at::<4>(file, 8)? == Some(*b"AIFC");
    let (mut common, mut sound) = (None, None);
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        let Some((name, size)) = chunk_32(file, at)? else {
            break;
        };
        let body = at + CHUNK_HEADER_BYTES;
        let mut size = u64::from(size);
        match &name {
            b"COMM" if common.is_none() => common = read_common(file, body, is_aifc)?,
            b"SSND" if sound.is_none() => {
                if is_pipe_size(size) && !(size == 0 && chunks_follow(file, body, chunk_32)?) {
                    // The sound continues to the end of the file.
                    size = file_len.saturating_sub(body);
                }
                let offset =
                    read_at::<4>(file, body)?.map_or(0, |b| u64::from(u32::from_be_bytes(b)));
                let at = body + SOUND_HEADER_BYTES + offset;
                let promised = size.saturating_sub(SOUND_HEADER_BYTES + offset);
                sound = Some(Sound {
                    at,
                    size: SoundData::at(at, promised, file_len),
                });
            }
            _ => {}
        }
        at = body.saturating_add(size).saturating_add(size & 1);
    }
    Ok((common, sound))
}

fn read_common(file: &InputFile, body: u64, is_aifc: bool) -> io::Result<Option<Common>> {
    let Some(fields) = read_at::<18>(file, body)? else {
        return Ok(None);
    };
    let [c0, c1, f0, f1, f2, f3, b0, b1, rate @ ..] = fields;
    let codec = if is_aifc {
        // A writer that leaves the codec out means PCM.
        Some(read_at::<4>(file, body + 18)?.unwrap_or(*b"NONE"))
    } else {
        None
    };
    Ok(Some(Common {
        channels: u16::from_be_bytes([c0, c1]),
        frames: u32::from_be_bytes([f0, f1, f2, f3]),
        bits: u16::from_be_bytes([b0, b1]),
        rate,
        codec,
    }))
}

/// Returns whether a chunk size is one that programs write when they cannot seek back to correct it.
fn is_pipe_size(size: u64) -> bool {
    size == 0 || size == u64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_in_80_bits() {
        // The two that are printed in Apple's document, and the ends.
        assert_eq!(extended_rate(44_100), *b"\x40\x0E\xAC\x44\0\0\0\0\0\0");
        assert_eq!(extended_rate(22_050), *b"\x40\x0D\xAC\x44\0\0\0\0\0\0");
        for hz in [1, 8000, 44_100, 192_000, u32::MAX] {
            assert_eq!(extended_to_f64(extended_rate(hz)), f64::from(hz));
        }
        let mac = extended_to_f64(*b"\x40\x0D\xAD\xDD\x17\x45\xD1\x73\xE8\x00");
        assert!((mac - 244_800.0 / 11.0).abs() < 1e-9, "{mac}");
        assert!(extended_to_f64([0xC0; 10]).is_nan());
        assert_eq!(extended_rate(1), *b"\x3F\xFF\x80\0\0\0\0\0\0\0");
        assert_eq!(
            extended_rate(u32::MAX),
            *b"\x40\x1E\xFF\xFF\xFF\xFF\0\0\0\0"
        );
    }
}
