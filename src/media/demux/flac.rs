//! Opens native FLAC (RFC 9639).
//!
//! `symphonia` decodes FLAC exactly, but its demuxer
//!
//! - fails on damaged metadata blocks that have nothing to do with the audio, and on a STREAMINFO whose minimum block
//!   size counts the last block: patched ([`metadata_patches`]);
//! - does not find the last frame if a tag follows it: the view ends before the tags ([`trailing_tags_len`]);
//! - skips frames whose rate, width or channels differ from STREAMINFO, so that a stream that changes looks like one
//!   that ends: the next frame is searched for by its number ([`frame_at`]), which also finds a last frame that is cut off;
//! - overflows in stereo of more than 24 bits, without an error: such files are verified against their MD5.

use super::{AudioExtent, OpenedStem, PacketSpan, StemFile, clock, signed, unsigned};
use crate::{
    error::{ErrorKind, Result},
    media::{
        Remark,
        packet_source::{DemuxedStream, PacketSource},
        sparse_reader::{BytePatch, ByteRange, FileView},
        symphonia_adapter::{AudioStream, Container, Decoder},
    },
    storage::InputFile,
    units::Frames,
};
use crc::{CRC_8_SMBUS, CRC_16_UMTS, Crc, Table};
use std::io::{self, Read, Seek, SeekFrom};

/// Maximum number of metadata blocks. The list has no end marker but a bit of the last block: a damaged one would
/// continue into the audio.
const MAX_METADATA_BLOCKS: usize = 1024;

/// Checksum of a frame header (RFC 9639, 9.1.8).
const CRC_8: Crc<u8> = Crc::<u8>::new(&CRC_8_SMBUS);

/// Longest frame header (RFC 9639, 9.1), in bytes.
const MAX_FRAME_HEADER_BYTES: u64 = 16;

impl StemFile<'_> {
    /// Opens a stream whose `fLaC` marker is at file offset `start`.
    pub(super) fn open_flac(&self, start: u64) -> Result<OpenedStem> {
        let tags = trailing_tags_len(self.file).map_err(|e| self.io_error(e))?;
        let len = self.file.len().saturating_sub(start).saturating_sub(tags);
        let (patches, audio_start) =
            metadata_patches(self.file, start).map_err(|e| self.io_error(e))?;
        let view = FileView {
            ranges: vec![ByteRange { start, len }],
            len,
            patches,
        };
        let (mut demuxed, _) = self.demux(Container::Flac, "FLAC", view, |_| 0)?;
        let stream = demuxed.stream().clone();
        let info = stream.extra_data.as_deref().and_then(StreamInfo::parse);
        let info = info.ok_or_else(|| self.corrupt("FLAC: the stream information is damaged"))?;
        let stated = stream.stated_frames.unwrap_or(0);
        let mut end = FlacEnd {
            found: stated,
            ..FlacEnd::default()
        };
        if !self.ends_at(&mut demuxed, stated)? {
            demuxed.rewind().map_err(|f| self.codec_error("FLAC", f))?;
            let span = self.scan_packets(&mut demuxed, "FLAC")?;
            // Bytes that belong to no packet.
            let rest = len.saturating_sub(audio_start).saturating_sub(span.bytes);
            end = self.find_end(&info, &span, rest)?;
        }
        let found = end.found;
        // A stream that was recorded from the middle of another one keeps that one's frame numbers.
        let origin = if found > stated { end.origin } else { 0 };
        demuxed.rewind().map_err(|f| self.codec_error("FLAC", f))?;
        if info.bits > 24 && info.channels == 2 {
            self.verify_wide_stereo(&mut demuxed, &stream, info)?;
        }
        let extent = AudioExtent {
            origin,
            end: signed(stated.max(found.saturating_add(end.cut_frames))),
            available_end: signed(found),
        };
        let mut opened = self.finish(
            PacketSource::Timed(Box::new(demuxed)),
            &stream,
            "FLAC".into(),
            extent,
        )?;
        if origin > 0 {
            opened.remarks.push(Remark::TimestampGaps {
                ignored: true,
                places: 1,
                frames: Frames(unsigned(origin)),
                at: Frames(0),
            });
        }
        if end.is_cut && stated <= found {
            opened.remarks.push(Remark::CutOff);
        }
        if opened.frames > stated && stated > 0 {
            opened.remarks.push(Remark::HeaderLength {
                stated: Frames(stated),
                found: Frames(opened.frames),
            });
        }
        Ok(opened)
    }

    /// Returns whether the last packet ends at `stated` frames. Reads the end of the file only, where all of it would
    /// have to be read to find out the length.
    fn ends_at(&self, demuxed: &mut DemuxedStream, stated: u64) -> Result<bool> {
        let end = signed(stated);
        Ok(stated > 0
            && demuxed.seek(end - 1).is_ok()
            && self.scan_packets(demuxed, "FLAC")?.end == end)
    }

    /// Finds out how a stream ends whose length is not stated, or not right. `rest` is the number of bytes that belong to
    /// no packet.
    ///
    /// # Errors
    /// `Unsupported` if it continues with another rate, width or number of channels.
    fn find_end(&self, info: &StreamInfo, span: &PacketSpan, rest: u64) -> Result<FlacEnd> {
        let found = unsigned(span.end);
        let next = frame_at(self.file, info, found).map_err(|e| self.io_error(e))?;
        if let Some(next) = next.as_ref().filter(|next| !next.agrees(info)) {
            let at = clock(info.rate, found);
            let before = describe(info.rate, info.channels, info.bits);
            let now = describe(next.rate, next.channels, next.bits);
            let what = format!("FLAC: the stream changes from {before} to {now} at {at}");
            return Err(self.error(ErrorKind::Unsupported, what));
        }
        // Less than the header of a frame.
        let tail = rest.min(MAX_FRAME_HEADER_BYTES);
        let mut bytes = Vec::new();
        let mut file = self.file;
        file.seek(SeekFrom::Start(self.file.len().saturating_sub(tail)))
            .and_then(|_| file.take(tail).read_to_end(&mut bytes))
            .map_err(|e| self.io_error(e))?;
        let starts_frame = matches!(bytes.as_slice(), [0xFF] | [0xFF, 0xF8 | 0xF9, ..]);
        Ok(FlacEnd {
            found,
            cut_frames: next.map_or(0, |next| next.frames.into()),
            is_cut: starts_frame,
            // Before the first packet there are bytes of a damaged one.
            origin: if rest == 0 { span.first.max(0) } else { 0 },
        })
    }

    /// Decodes the whole stream and compares its MD5.
    fn verify_wide_stereo(
        &self,
        demuxed: &mut DemuxedStream,
        stream: &AudioStream,
        info: StreamInfo,
    ) -> Result<()> {
        let what = format!("FLAC: {} bits in stereo", info.bits);
        if !info.has_md5 {
            let what = format!("{what} without a checksum cannot be verified");
            return Err(self.error(ErrorKind::Unsupported, what));
        }
        let mut decoder =
            Decoder::for_stream(stream, true).map_err(|f| self.codec_error("FLAC", f))?;
        while let Ok(Some(packet)) = demuxed.next() {
            // A packet that fails to decode shows in the checksum.
            let _ = decoder.decode(&packet);
        }
        if decoder.checksum_matches() != Some(true) {
            let what =
                format!("{what} does not decode to its checksum; convert it to 24 bits or to WAV");
            return Err(self.error(ErrorKind::Unsupported, what));
        }
        demuxed.rewind().map_err(|f| self.codec_error("FLAC", f))
    }
}

/// The end of a stream.
#[derive(Clone, Copy, Debug, Default)]
struct FlacEnd {
    /// Exclusive end of the last whole frame of the stream.
    found: u64,
    /// Length of a frame behind it that is cut off.
    cut_frames: u64,
    /// Whether the file ends inside the header of a frame.
    is_cut: bool,
    /// Position of the first frame.
    origin: i64,
}

/// The STREAMINFO metadata block (RFC 9639, 8.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StreamInfo {
    /// Minimum block size in frames.
    pub(super) block_frames: u16,
    /// Maximum block size in frames.
    pub(super) max_block_frames: u16,
    pub(super) rate: u32,
    pub(super) channels: u8,
    pub(super) bits: u8,
    /// Number of audio frames; 0 if unknown.
    pub(super) frames: u64,
    /// Whether it has an MD5 of the audio.
    pub(super) has_md5: bool,
}

impl StreamInfo {
    /// Parses the 34 bytes of the block.
    pub(super) fn parse(data: &[u8]) -> Option<Self> {
        let &[block_0, block_1, max_0, max_1, ..] = data.first_chunk::<34>()?;
        let word = u64::from_be_bytes(*data.get(10..18)?.first_chunk::<8>()?);
        let field = |shift: u32, bits: u32| word >> shift & ((1 << bits) - 1);
        Some(Self {
            block_frames: u16::from_be_bytes([block_0, block_1]),
            max_block_frames: u16::from_be_bytes([max_0, max_1]),
            frames: field(0, 36),
            rate: u32::try_from(field(44, 20)).ok()?,
            channels: u8::try_from(field(41, 3)).ok()? + 1,
            bits: u8::try_from(field(36, 5)).ok()? + 1,
            has_md5: data.get(18..34)?.iter().any(|b| *b != 0),
        })
    }
}

fn describe(rate: u32, channels: u8, bits: u8) -> String {
    format!("{rate} Hz, {channels} channels, {bits} bits")
}

/// Returns patches that turn all metadata blocks but STREAMINFO into padding and correct its block sizes, and the offset
/// of the first frame. Offsets count from `start`.
///
/// Tags and pictures are not needed, cue sheets may be invalid, and seek tables may be wrong.
fn metadata_patches(mut file: &InputFile, start: u64) -> io::Result<(Vec<BytePatch>, u64)> {
    const STREAMINFO: u8 = 0;
    const PADDING: u8 = 1;
    const LAST_BLOCK: u8 = 0x80;
    let mut patches = Vec::new();
    let mut at = 4;
    for _ in 0..MAX_METADATA_BLOCKS {
        let mut header = [0; 4];
        file.seek(SeekFrom::Start(start + at))?;
        if file.read_exact(&mut header).is_err() {
            break;
        }
        let [kind, a, b, c] = header;
        if !matches!(kind & !LAST_BLOCK, STREAMINFO | PADDING) {
            patches.push((at, kind & LAST_BLOCK | PADDING));
        }
        at += 4 + u64::from(u32::from_be_bytes([0, a, b, c]));
        if kind & LAST_BLOCK != 0 {
            patches.extend(block_size_patch(file, start, at)?.into_iter().flatten());
            break;
        }
    }
    Ok((patches, at))
}

/// Returns a patch that makes the minimum block size the maximum if the stated minimum is the size of the last block.
///
/// RFC 9639 (8.2) excludes the last block from the minimum. Some encoders include it, and the demuxer then expects
/// blocks of varying size. `frames` is the offset of the first frame from `start`.
fn block_size_patch(
    mut file: &InputFile,
    start: u64,
    frames: u64,
) -> io::Result<Option<[BytePatch; 2]>> {
    let (mut info, mut sync) = ([0; 18], [0; 2]);
    file.seek(SeekFrom::Start(start + 8))?;
    let mut complete = file.read_exact(&mut info);
    file.seek(SeekFrom::Start(start + frames))?;
    complete = complete.and_then(|()| file.read_exact(&mut sync));
    let [a, b, c, d, .., e, f, g, h, i] = info;
    let (smallest, largest) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let total = u64::from_be_bytes([0, 0, 0, e & 0x0F, f, g, h, i]);
    let last_block = total.checked_rem(largest.into());
    let fixed_size = sync == [0xFF, 0xF8];
    let counts_last =
        complete.is_ok() && fixed_size && smallest < largest && last_block == Some(smallest.into());
    Ok(counts_last.then_some([(8, c), (9, d)]))
}

/// Returns the size in bytes of the ID3v1 and APE tags at the end of a file.
fn trailing_tags_len(file: &InputFile) -> io::Result<u64> {
    let id3 = read_from_end::<128>(file, 128)?.is_some_and(|tag| tag.starts_with(b"TAG"));
    let tags = if id3 { 128 } else { 0 };
    let ape = match read_from_end::<32>(file, tags + 32)?
        .filter(|footer| footer.starts_with(b"APETAGEX"))
    {
        Some(
            [
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                a,
                b,
                c,
                d,
                _,
                _,
                _,
                _,
                _,
                _,
                _,
                flags,
                ..,
            ],
        ) => {
            // The size includes the footer but not the header, which is optional.
            u64::from(u32::from_le_bytes([a, b, c, d])) + if flags & 0x80 != 0 { 32 } else { 0 }
        }
        None => 0,
    };
    Ok(tags + ape)
}

/// Reads `N` bytes that start `distance` bytes before the end of a file; `None` if the file is shorter.
fn read_from_end<const N: usize>(
    mut file: &InputFile,
    distance: u64,
) -> io::Result<Option<[u8; N]>> {
    let Some(at) = file.len().checked_sub(distance) else {
        return Ok(None);
    };
    let mut data = [0; N];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut data)?;
    Ok(Some(data))
}

/// Searches for a frame that begins at position `at`, whole or not; `None` if there is none.
fn frame_at(
    mut file: &InputFile,
    info: &StreamInfo,
    at: u64,
) -> io::Result<Option<FlacFrameHeader>> {
    let mut data = Vec::new();
    let mut offset = 0;
    loop {
        file.seek(SeekFrom::Start(offset))?;
        data.clear();
        file.take(1 << 20).read_to_end(&mut data)?;
        for (i, pair) in data.windows(2).enumerate() {
            if !matches!(pair, [0xFF, 0xF8 | 0xF9]) {
                continue;
            }
            let header = data.get(i..).and_then(|d| FlacFrameHeader::parse(d, info));
            if let Some(header) = header.filter(|header| header.position(info) == at) {
                return Ok(Some(header));
            }
        }
        let read = data.len() as u64;
        if read <= MAX_FRAME_HEADER_BYTES {
            return Ok(None);
        }
        // Overlaps the next piece by one header.
        offset += read - MAX_FRAME_HEADER_BYTES;
    }
}

/// A frame header (RFC 9639, 9.1).
pub(super) struct FlacFrameHeader {
    /// Whether `number` counts blocks of a fixed size; otherwise it counts frames.
    counts_blocks: bool,
    number: u64,
    /// Block size: the number of audio frames.
    pub(super) frames: u32,
    rate: u32,
    channels: u8,
    bits: u8,
}

impl FlacFrameHeader {
    /// Parses a header whose CRC-8 is right. STREAMINFO supplies what the header refers to it.
    pub(super) fn parse(data: &[u8], info: &StreamInfo) -> Option<Self> {
        let &[0xFF, b1 @ (0xF8 | 0xF9), b2, b3, ..] = data else {
            return None;
        };
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
        // The number is coded like a UTF-8 character of up to seven bytes.
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
        let byte = |at: usize| data.get(at).copied().map(u32::from);
        let (frames, size_bytes) = match b2 >> 4 {
            1 => (192, 0),
            n @ 2..=5 => (576 << (n - 2), 0),
            6 => (byte(at)? + 1, 1),
            7 => ((byte(at)? << 8 | byte(at + 1)?) + 1, 2),
            n @ 8.. => (256 << (n - 8), 0),
            _ => return None,
        };
        at += size_bytes;
        let (rate, rate_bytes) = match b2 & 15 {
            0 => (info.rate, 0),
            12 => (byte(at)? * 1000, 1),
            13 => (byte(at)? << 8 | byte(at + 1)?, 2),
            14 => ((byte(at)? << 8 | byte(at + 1)?) * 10, 2),
            15 => return None,
            i => {
                let rates = [
                    88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100,
                    48_000, 96_000,
                ];
                (*rates.get(usize::from(i) - 1)?, 0)
            }
        };
        at += rate_bytes;
        let crc = CRC_8.checksum(data.get(..at)?);
        (data.get(at) == Some(&crc)).then_some(Self {
            counts_blocks: b1 & 1 == 0,
            number,
            frames,
            rate,
            channels,
            bits,
        })
    }

    /// Returns whether its format is that of the stream.
    fn agrees(&self, info: &StreamInfo) -> bool {
        (self.rate, self.channels, self.bits) == (info.rate, info.channels, info.bits)
    }

    /// Returns the position of the frame in the stream, in audio frames.
    pub(super) fn position(&self, info: &StreamInfo) -> u64 {
        if self.counts_blocks {
            self.number.saturating_mul(info.block_frames.into())
        } else {
            self.number
        }
    }
}

/// Returns whether the checksum at the end of a frame is right (RFC 9639, 9.3).
pub(crate) fn frame_is_intact(frame: &[u8]) -> bool {
    static CRC_16: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_UMTS);
    frame
        .split_last_chunk::<2>()
        .is_some_and(|(data, crc)| CRC_16.checksum(data) == u16::from_be_bytes(*crc))
}
