//! Opens native FLAC (RFC 9639): finds the frames and the exact length.
//!
//! A frame does not state its size. It ends where the checksum over all of it is right and another header follows or the
//! file ends. A frame that is damaged is left out; as every header has a position, the ones behind it keep theirs.
//!
//! Of the metadata only the stream information is read: tags and pictures are not needed, cue sheets may be invalid, and
//! seek tables may be wrong.

use super::{AudioExtent, OpenedStem, StemFile, clock, signed, unsigned};
use crate::{
    error::{ErrorKind, Result},
    media::{
        Bits, Remark,
        codec::{
            Decoder,
            flac::{FlacDecoder, FrameHeader, MAX_HEADER_BYTES, StreamInfo, channel_mask, crc_16},
        },
        codec_fault::CodecFault,
        packet_source::PacketSource,
        sniff::{append_at, read_at},
        symphonia_adapter::Packet,
    },
    storage::InputFile,
    units::{Frames, SampleRate, saturating_usize},
};
use std::io;

/// Maximum number of metadata blocks. The list has no end marker but a bit of the last block: a damaged one would
/// continue into the audio.
const MAX_METADATA_BLOCKS: usize = 1024;

/// Size limit of a frame in bytes. The largest that is not longer than its samples has 2.2 MB.
const MAX_FRAME_BYTES: u64 = 16 << 20;

/// Headers that are tried as the end of a frame. Others than the next one are there by chance, once in many MB.
const MAX_ENDS: usize = 64;

/// Maximum number of bytes without an intact frame.
const MAX_BYTES_BETWEEN_FRAMES: u64 = 64 << 20;

/// Bytes that are read at a time, and at a new position, where often a header is all that is needed.
const READ_BYTES: u64 = 64 << 10;
const FIRST_READ_BYTES: u64 = 16 << 10;

/// A search for a position ends when it is known to this many bytes. Reading on from there is as quick.
const SEEK_BYTES: u64 = 32 << 10;

impl StemFile<'_> {
    /// Opens a stream whose `fLaC` marker is at file offset `start`.
    pub(super) fn open_flac(&self, start: u64) -> Result<OpenedStem> {
        self.check_single_stream()?;
        let (info, audio_start) =
            read_metadata(self.file, start).map_err(|f| self.codec_error("FLAC", f))?;
        if info.rate == 0 {
            return Err(self.corrupt("FLAC: the sample rate is 0 Hz"));
        }
        let (rate, channels) = self.check_limits(info.rate, info.channels.into())?;
        let mut frames = FlacFrames::open(self.file, info, audio_start)
            .map_err(|f| self.codec_error("FLAC", f))?;
        let end = self.find_end(&mut frames)?;
        // A stream that was recorded from the middle of another one keeps that one's frame numbers.
        let origin = if end.found > info.frames {
            end.origin
        } else {
            0
        };
        frames.rewind();
        let extent = AudioExtent {
            origin,
            end: signed(info.frames.max(end.found.saturating_add(end.cut_frames))),
            available_end: signed(end.found),
        };
        let mut remarks = Vec::new();
        if origin > 0 {
            remarks.push(Remark::TimestampGaps {
                ignored: true,
                places: 1,
                frames: Frames(unsigned(origin)),
                at: Frames(0),
            });
        }
        if end.is_cut && info.frames <= end.found {
            remarks.push(Remark::CutOff);
        }
        if extent.frames() > info.frames && info.frames > 0 {
            remarks.push(Remark::HeaderLength {
                stated: Frames(info.frames),
                found: Frames(extent.frames()),
            });
        }
        Ok(OpenedStem {
            colour: None,
            packets: PacketSource::Flac(Box::new(frames)),
            decoder: Decoder::Flac(FlacDecoder::new(info)),
            codec: "FLAC".into(),
            rate,
            channels,
            mask: channel_mask(channels),
            bits: Some(Bits {
                width: info.bits.into(),
                float: false,
            }),
            origin,
            leading_silence: 0,
            pieces: Vec::new(),
            frames: extent.frames(),
            missing: extent.missing(),
            trimmed_start: 0,
            trimmed_end: 0,
            streams: 1,
            remarks,
            seeks_from_start: false,
            pre_roll: 0,
        })
    }

    /// Finds out how a stream ends. Reads all of it only if it does not end at the stated length.
    ///
    /// # Errors
    /// `Unsupported` if it continues with another rate, width or number of channels.
    fn find_end(&self, frames: &mut FlacFrames) -> Result<FlacEnd> {
        let info = frames.info;
        let scan = |frames: &mut FlacFrames| {
            let mut span: Option<(Frame, Frame)> = None;
            while let Some(frame) = frames.next_frame()? {
                span = Some((span.map_or(frame, |(first, _)| first), frame));
            }
            Ok(span)
        };
        let fault = |f| self.codec_error("FLAC", f);
        if info.frames > 0 {
            frames.seek(info.frames - 1).map_err(fault)?;
            let ends_as_stated = scan(frames)
                .map_err(fault)?
                .is_some_and(|(_, last)| last.header.end(&info) == info.frames);
            if ends_as_stated {
                return Ok(FlacEnd {
                    found: info.frames,
                    ..FlacEnd::default()
                });
            }
        }
        frames.rewind();
        let span = scan(frames).map_err(fault)?;
        let found = span.map_or(0, |(_, last)| last.header.end(&info));
        let found_end = span.map_or(frames.start, |(_, last)| last.end);
        // A frame of another format, or one that is cut off.
        let next = frame_at(self.file, &info, frames.start, found).map_err(|e| self.io_error(e))?;
        if let Some(next) = next.as_ref().filter(|next| !next.agrees(&info)) {
            let at = clock(info.rate, found);
            let before = describe(info.rate, info.channels, info.bits);
            let now = describe(next.rate, next.channels.count(), next.bits);
            let what = format!("FLAC: the stream changes from {before} to {now} at {at}");
            return Err(self.error(ErrorKind::Unsupported, what));
        }
        if span.is_none() && !frames.have_a_header().map_err(fault)? {
            return Err(fault(CodecFault::Truncated));
        }
        let rest =
            read_at(self.file, found_end, MAX_HEADER_BYTES + 1).map_err(|e| self.io_error(e))?;
        let starts_frame = matches!(rest.as_slice(), [0xFF] | [0xFF, 0xF8 | 0xF9, ..]);
        Ok(FlacEnd {
            found,
            cut_frames: next.map_or(0, |next| next.frames.into()),
            is_cut: starts_frame && rest.len() <= MAX_HEADER_BYTES,
            origin: match span {
                // Before another first frame there are bytes of a damaged one.
                Some((first, _)) if first.start == frames.start => {
                    signed(first.header.position(&info))
                }
                _ => 0,
            },
        })
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

fn describe(rate: u32, channels: u8, bits: u8) -> String {
    format!("{rate} Hz, {channels} channels, {bits} bits")
}

/// Returns the sample rate that the header of a FLAC file states; `None` if it is damaged.
pub(super) fn stated_rate(file: &InputFile, start: u64) -> Option<SampleRate> {
    let (info, _) = read_metadata(file, start).ok()?;
    SampleRate::new(info.rate).ok()
}

/// Returns the stream information and the file offset behind the metadata.
fn read_metadata(file: &InputFile, start: u64) -> Result<(StreamInfo, u64), CodecFault> {
    const STREAMINFO: u8 = 0;
    const LAST_BLOCK: u8 = 0x80;
    let mut info = None;
    let mut at = start + 4;
    for _ in 0..MAX_METADATA_BLOCKS {
        let header = read_at(file, at, 4).map_err(CodecFault::Io)?;
        let [kind, a, b, c] = *header.as_slice() else {
            return Err(CodecFault::Truncated);
        };
        if kind & !LAST_BLOCK == STREAMINFO && info.is_none() {
            let data = read_at(file, at + 4, 34).map_err(CodecFault::Io)?;
            let parsed = StreamInfo::parse(&data);
            let damaged = || CodecFault::Damaged("the stream information is damaged".into());
            info = Some(parsed.ok_or_else(damaged)?);
        }
        at += 4 + u64::from(u32::from_be_bytes([0, a, b, c]));
        if kind & LAST_BLOCK != 0 {
            break;
        }
    }
    if at > file.len() {
        return Err(CodecFault::Truncated);
    }
    let missing = || CodecFault::Damaged("the stream information is missing".into());
    Ok((info.ok_or_else(missing)?, at))
}

/// Searches from a file offset on for a frame that begins at position `at`, whole or not, of any format.
fn frame_at(
    file: &InputFile,
    info: &StreamInfo,
    mut offset: u64,
    at: u64,
) -> io::Result<Option<FrameHeader>> {
    const PIECE_BYTES: usize = 1 << 20;
    loop {
        let data = read_at(file, offset, PIECE_BYTES)?;
        let mut headers = headers(&data, info);
        if let Some((_, header)) = headers.find(|(_, header)| header.position(info) == at) {
            return Ok(Some(header));
        }
        if data.len() <= MAX_HEADER_BYTES {
            return Ok(None);
        }
        // Overlaps the next piece by one header.
        offset += (data.len() - MAX_HEADER_BYTES) as u64;
    }
}

/// Returns the headers in some bytes, with their offsets.
fn headers<'a>(
    data: &'a [u8],
    info: &'a StreamInfo,
) -> impl Iterator<Item = (usize, FrameHeader)> + 'a {
    memchr::memchr_iter(0xFF, data).filter_map(|i| {
        let header = FrameHeader::parse(data.get(i..)?, info)?;
        Some((i, header))
    })
}

/// Reads the intact frames of a native stream in order.
pub(crate) struct FlacFrames {
    file: InputFile,
    info: StreamInfo,
    /// File offset behind the metadata.
    start: u64,
    /// File offset from which the next frame is searched.
    next: u64,
    /// File offset behind the last frame that was found, or of the last seek.
    found: u64,
    /// Bytes of the file from offset `buffered` on.
    buffer: Vec<u8>,
    buffered: u64,
    /// Number of frames so far.
    count: u64,
}

/// An intact frame.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// File offsets.
    start: u64,
    end: u64,
    header: FrameHeader,
}

/// What the search for the end of a frame finds.
enum FrameEnd {
    /// The frame is intact, and ends at this file offset.
    Intact(u64),
    /// The frame is damaged. The search for another continues at this file offset.
    Damaged(u64),
}

impl FlacFrames {
    /// Prepares to read a stream whose metadata ends at file offset `start`.
    fn open(file: &InputFile, info: StreamInfo, start: u64) -> Result<Self, CodecFault> {
        let mut frames = Self {
            file: file.clone(),
            info,
            start,
            next: start,
            found: start,
            buffer: Vec::new(),
            buffered: start,
            count: 0,
        };
        if let Some(first) = frames.next_frame()? {
            frames.info.set_block_frames(&first.header);
        }
        frames.rewind();
        Ok(frames)
    }

    /// Returns to the first frame.
    fn rewind(&mut self) {
        (self.next, self.found, self.count) = (self.start, self.start, 0);
    }

    /// Returns the next packet; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, CodecFault> {
        let Some(frame) = self.next_frame()? else {
            return Ok(None);
        };
        let position = signed(frame.header.position(&self.info));
        let data = self.buffered_bytes(frame.start, frame.end).to_vec();
        Ok(Some(Packet::new(
            position,
            frame.header.frames.into(),
            self.count,
            data,
        )))
    }

    /// Makes the frame that contains position `to`, or one before it, the next one.
    pub(crate) fn seek(&mut self, to: u64) -> Result<(), CodecFault> {
        let (mut low, mut high) = (self.start, self.file.len());
        while high.saturating_sub(low) > SEEK_BYTES {
            let middle = low.midpoint(high);
            let limit = high.min(middle + MAX_FRAME_BYTES);
            match self.find_header(None, middle, limit)? {
                Some((offset, header)) if header.position(&self.info) <= to => low = offset,
                _ => high = middle,
            }
        }
        (self.next, self.found) = (low, low);
        Ok(())
    }

    /// Finds the next intact frame, whose bytes are buffered then; `None` at the end.
    fn next_frame(&mut self) -> Result<Option<Frame>, CodecFault> {
        loop {
            let limit = self.found.saturating_add(MAX_BYTES_BETWEEN_FRAMES);
            let Some((start, header)) = self.find_header(None, self.next, limit)? else {
                self.next = self.file.len();
                if limit < self.file.len() {
                    let mib = MAX_BYTES_BETWEEN_FRAMES >> 20;
                    return Err(CodecFault::Damaged(format!(
                        "no audio in {mib} MiB of data"
                    )));
                }
                return Ok(None);
            };
            match self.find_frame_end(start, &header)? {
                FrameEnd::Intact(end) => {
                    (self.next, self.found) = (end, end);
                    self.count += 1;
                    return Ok(Some(Frame { start, end, header }));
                }
                FrameEnd::Damaged(next) => self.next = next,
            }
        }
    }

    /// Searches for the end of the frame with a header at file offset `start`.
    fn find_frame_end(&mut self, start: u64, header: &FrameHeader) -> Result<FrameEnd, CodecFault> {
        let limit = start.saturating_add(MAX_FRAME_BYTES);
        let next_position = header.end(&self.info);
        let (mut crc, mut checked) = (0, start);
        let mut resume = None;
        for _ in 0..MAX_ENDS {
            let from = checked.max(start + header.size as u64);
            let next = self.find_header(Some(start), from, limit)?;
            let end = next.map_or(limit.min(self.file.len()), |(offset, _)| offset);
            crc = crc_16(crc, self.buffered_bytes(checked, end));
            if crc == 0 {
                return Ok(FrameEnd::Intact(end));
            }
            let Some((offset, next)) = next else {
                // A tag may follow the last frame.
                return Ok(match self.frame_size(start, end) {
                    Some(size) => FrameEnd::Intact(start + size as u64),
                    None => FrameEnd::Damaged(resume.unwrap_or(end)),
                });
            };
            resume.get_or_insert(offset);
            if next.position(&self.info) == next_position {
                return Ok(FrameEnd::Damaged(offset));
            }
            checked = offset;
        }
        Ok(FrameEnd::Damaged(resume.unwrap_or(checked)))
    }

    /// Returns the size of a frame that begins at file offset `start`, by decoding what is buffered.
    fn frame_size(&self, start: u64, end: u64) -> Option<usize> {
        let mut decoder = FlacDecoder::new(self.info);
        decoder.frame_size(self.buffered_bytes(start, end))
    }

    /// Returns whether there is anything of a frame near the start.
    fn have_a_header(&mut self) -> Result<bool, CodecFault> {
        let limit = self.start.saturating_add(MAX_BYTES_BETWEEN_FRAMES);
        Ok(self.find_header(None, self.start, limit)?.is_some())
    }

    /// Searches for a header of the stream's format between two file offsets. All bytes from `keep` on stay buffered, or those
    /// of the header.
    fn find_header(
        &mut self,
        keep: Option<u64>,
        mut from: u64,
        limit: u64,
    ) -> Result<Option<(u64, FrameHeader)>, CodecFault> {
        let limit = limit.min(self.file.len());
        while from < limit {
            // A header may begin before the limit and end behind it.
            self.buffer(keep.unwrap_or(from), from + MAX_HEADER_BYTES as u64)?;
            let (info, buffered) = (self.info, self.buffered);
            let data = self.buffered_bytes(from, buffered + self.buffer.len() as u64);
            let found = headers(data, &info).find(|(_, header)| header.agrees(&info));
            if let Some((i, header)) = found {
                let offset = from + i as u64;
                return Ok((offset < limit).then_some((offset, header)));
            }
            if data.len() < MAX_HEADER_BYTES {
                break;
            }
            // The last bytes may be the start of a header.
            from += (data.len() - (MAX_HEADER_BYTES - 1)) as u64;
        }
        Ok(None)
    }

    /// Buffers the bytes from offset `keep` up to `end` at least, as far as the file has them.
    fn buffer(&mut self, keep: u64, end: u64) -> Result<(), CodecFault> {
        let buffered_end = self.buffered + self.buffer.len() as u64;
        if keep >= self.buffered && end.min(self.file.len()) <= buffered_end {
            return Ok(());
        }
        let mut read_bytes = READ_BYTES;
        if (self.buffered..=buffered_end).contains(&keep) {
            let unused = usize::try_from(keep - self.buffered).unwrap_or(usize::MAX);
            self.buffer.drain(..unused.min(self.buffer.len()));
        } else {
            self.buffer.clear();
            read_bytes = FIRST_READ_BYTES;
        }
        self.buffered = keep;
        let from = keep + self.buffer.len() as u64;
        let wanted = saturating_usize(read_bytes.max(end.saturating_sub(from)));
        append_at(&self.file, from, wanted, &mut self.buffer).map_err(CodecFault::Io)
    }

    /// Returns bytes between two file offsets as far as they are buffered.
    fn buffered_bytes(&self, from: u64, to: u64) -> &[u8] {
        let index = |offset: u64| {
            let index = usize::try_from(offset.saturating_sub(self.buffered));
            index.unwrap_or(usize::MAX).min(self.buffer.len())
        };
        self.buffer.get(index(from)..index(to)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// A STREAMINFO block of 16-bit stereo at this rate.
    fn stream_info(hz: u32) -> Vec<u8> {
        let [_, a, b, c] = (hz << 4 | 1 << 1).to_be_bytes();
        [
            &[16, 0, 16, 0, 0, 0, 0, 0, 0, 0, a, b, c, 0xF0][..],
            &[0; 20],
        ]
        .concat()
    }

    fn metadata(blocks: &[(u8, Vec<u8>)]) -> Result<(u32, u64), String> {
        let mut bytes = b"..fLaC".to_vec();
        for (kind, body) in blocks {
            bytes.extend((u32::from(*kind) << 24 | body.len() as u32).to_be_bytes());
            bytes.extend(body);
        }
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        let read = read_metadata(&InputFile::open(file.path()).unwrap(), 2);
        read.map(|(info, at)| (info.rate, at))
            .map_err(|fault| format!("{fault:?}"))
    }

    #[test]
    fn metadata_ends_behind_the_block_that_is_marked() {
        let info = || (0, stream_info(44_100));
        assert_eq!(metadata(&[(0x80, stream_info(44_100))]), Ok((44_100, 44)));
        let tags = (4, vec![0; 300]);
        let other = (0, stream_info(48_000));
        let padding = (0x81, vec![0; 7]);
        let audio = (0xFF, vec![0xF8; 9]);
        let all = [tags.clone(), info(), other, padding.clone(), audio];
        assert_eq!(metadata(&all), Ok((44_100, 6 + 304 + 38 + 38 + 11)));
        assert_eq!(
            metadata(&[tags, padding]),
            Err("Damaged(\"the stream information is missing\")".into())
        );
        assert_eq!(
            metadata(&[info()]),
            Err("Truncated".into()),
            "none is marked"
        );
        let short = (0x80, vec![0; 20]);
        assert!(metadata(&[short]).unwrap_err().starts_with("Damaged"));
    }

    #[test]
    fn metadata_that_the_file_cuts_off_is_refused() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let bytes = [
            b"fLaC\0\0\0\x22",
            &stream_info(44_100)[..],
            b"\x81\0\0\x09",
            &[0; 9],
        ]
        .concat();
        file.write_all(&bytes).unwrap();
        for (len, passes) in [(bytes.len(), true), (bytes.len() - 1, false)] {
            file.as_file().set_len(len as u64).unwrap();
            let read = read_metadata(&InputFile::open(file.path()).unwrap(), 0);
            assert_eq!(read.is_ok(), passes, "{len}");
        }
    }
}
