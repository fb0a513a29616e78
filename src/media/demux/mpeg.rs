//! Opens MPEG audio, layers I to III (ISO/IEC 11172-3, ISO/IEC 13818-3, and the MPEG-2.5 extension).
//!
//! `symphonia`'s demuxer estimates the length from the bit rate or takes it from the Xing tag, and later positions
//! shift after damage, so the frames are listed by [`frame_scan`](super::frame_scan). Encoder delay and padding come
//! from the LAME extension of the Xing tag (Gabriel Bouvigne, "Mp3 info tag revision 1"), which is the only place that
//! has them.

use super::{
    AudioExtent, OpenedStem, StemFile,
    frame_scan::{FrameFormat, FrameHeader, FrameScan},
    signed,
};
use crate::{
    error::Result,
    media::{
        Remark,
        codec::{Decoder, mpeg::MpegHeader},
        packet_source::PacketSource,
        packet_table::PacketTable,
        symphonia_adapter::Codec,
    },
    units::Frames,
};

/// Frames to decode before the target of a seek. The bit reservoir of layer III (ISO/IEC 11172-3, 2.4.3.4) reaches
/// back further the lower the bit rate is; ten packets are enough at 16 kbit/s.
pub(super) const PRE_ROLL: u64 = 11_520;

/// Delay of a layer III decoder in frames: 528 of the filter bank, and one.
const DECODER_DELAY: u32 = 529;

/// A stated length is a damaged header if it is this many times the length found.
const MAX_STATED_RATIO: u64 = 100;

impl StemFile<'_> {
    /// Opens a stream whose first frame is at file offset `start`. `fragment` says that it is cut out of a longer one,
    /// `lost_bytes` is how many bytes a container promises after the end of the file.
    pub(super) fn open_mpeg(
        &self,
        start: u64,
        fragment: bool,
        lost_bytes: u64,
    ) -> Result<OpenedStem> {
        self.check_single_stream()?;
        let mut scan = self.scan_frames(start)?;
        let (codec, name) = layer_codec(&scan.first);
        let (rate, channels) =
            self.check_limits(scan.first.rate, usize::from(scan.first.channels))?;
        let first_frame = PacketTable::new(
            self.file.clone(),
            scan.entries.first().copied().into_iter().collect(),
        );
        let tag = first_frame
            .read_first(1)
            .first()
            .and_then(|frame| EncoderTag::parse(frame));
        if tag.is_some_and(|tag| !tag.is_played) {
            remove_first_frame(&mut scan);
        }
        let tag = tag.unwrap_or_default();
        let mut remarks = Vec::new();
        let promised = promised_frames(&mut scan, &tag, fragment, &mut remarks)
            .max(scan.frames_with(lost_bytes));
        let (delay, padding) = tag.trim.unwrap_or_default();
        let delay = u64::from(delay);
        // The padding is at the end that the encoder wrote, which may be lost or followed by more.
        let padding = if tag.frames(&scan).is_none_or(|stated| stated == promised) {
            padding.into()
        } else {
            0
        };
        let end = promised.saturating_sub(padding).max(delay.min(promised));
        if tag.trim.is_none() {
            remarks.push(Remark::AlignmentUnknown);
        }
        let extent = AudioExtent {
            origin: signed(delay),
            end: signed(end),
            available_end: signed(scan.frames),
        };
        let mut packets =
            PacketSource::Table(Box::new(PacketTable::new(self.file.clone(), scan.entries)));
        let decoder = Decoder::for_codec(codec, rate.hz(), usize::from(channels), None);
        let mut decoder = decoder.map_err(|f| self.codec_error(name, f))?;
        self.decode_first(&mut packets, &mut decoder, name)?;
        Ok(OpenedStem {
            colour: None,
            packets,
            decoder,
            codec: name.into(),
            rate,
            channels,
            mask: 0,
            bits: None,
            origin: extent.origin,
            leading_silence: 0,
            pieces: Vec::new(),
            frames: extent.frames(),
            missing: extent.missing(),
            trimmed_start: delay,
            trimmed_end: promised - end,
            streams: 1,
            remarks,
            seeks_from_start: false,
            pre_roll: PRE_ROLL,
        })
    }
}

/// Returns the decoder and the name of the codec of a frame.
pub(super) fn layer_codec(header: &FrameHeader) -> (Codec, &'static str) {
    match header.format {
        FrameFormat::Mpeg { layer: 1, .. } => (Codec::Mp1, "MP1"),
        FrameFormat::Mpeg { layer: 2, .. } => (Codec::Mp2, "MP2"),
        _ => (Codec::Mp3, "MP3"),
    }
}

fn remove_first_frame(scan: &mut FrameScan) {
    let each = u64::from(scan.first.frames);
    scan.entries.remove(0);
    for entry in &mut scan.entries {
        entry.at -= each;
    }
    scan.frames -= each;
}

/// Returns the length in audio frames that the file promises: the length found, or a longer one that the tag states.
fn promised_frames(
    scan: &mut FrameScan,
    tag: &EncoderTag,
    fragment: bool,
    remarks: &mut Vec<Remark>,
) -> u64 {
    let stated = tag.frames(scan);
    let is_complete = tag
        .byte_count
        .is_some_and(|bytes| u64::from(bytes) <= scan.bytes);
    let is_truncated = tag
        .byte_count
        .is_some_and(|bytes| u64::from(bytes) > scan.bytes);
    // If all bytes are there, the tag is a better count of the damaged frames than their bytes are.
    if let Some(stated) = stated
        && is_complete
        && !tag.is_played
    {
        scan.adjust_lost_frames(stated);
    }
    let found = scan.frames + scan.truncated_frames.map_or(0, u64::from);
    let mut promised = found;
    if let Some(stated) = stated {
        let counts_own_frame = tag.is_played && stated + u64::from(scan.first.frames) == promised;
        if stated > promised && is_truncated && !fragment && stated / MAX_STATED_RATIO < found {
            promised = stated;
        } else if stated != promised && !counts_own_frame {
            remarks.push(Remark::HeaderLength {
                stated: Frames(stated),
                found: Frames(scan.frames),
            });
        }
    }
    // A fragment, or a stream whose tag is wrong, ends with its last complete frame.
    if promised == found && scan.truncated_frames.is_some() && (fragment || !remarks.is_empty()) {
        promised = scan.frames;
        if remarks.is_empty() {
            remarks.push(Remark::HeaderLength {
                stated: Frames(found),
                found: Frames(scan.frames),
            });
        }
    }
    promised
}

/// Parses the header of a frame, which `data` begins with.
pub(super) fn parse_header(data: &[u8]) -> Option<FrameHeader> {
    let header = MpegHeader::parse(data)?;
    Some(FrameHeader {
        format: FrameFormat::Mpeg {
            version: header.version,
            layer: header.layer,
        },
        rate: header.rate,
        channels: header.channels,
        frames: header.frames,
        size: header.size,
        payload_offset: 0,
    })
}

/// Returns whether `data` begins with a frame header of free format: one without a bit rate.
pub(crate) fn is_free_format(data: &[u8]) -> bool {
    let Some(&[0xFF, b1, b2, _]) = data.first_chunk::<4>() else {
        return false;
    };
    b1 & 0xE0 == 0xE0 && b1 >> 1 & 3 != 0 && b1 >> 3 & 3 != 1 && b2 >> 4 == 0 && b2 >> 2 & 3 != 3
}

/// The tag that encoders write into the first frame of layer III: Xing or Info, or VBRI.
///
/// Its counts are only compared with the scan's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct EncoderTag {
    /// Number of MPEG frames, without the tag's own.
    frame_count: Option<u32>,
    /// Size of all MPEG frames in bytes.
    byte_count: Option<u32>,
    /// Encoder delay and padding to remove, in audio frames, if the encoder states them.
    trim: Option<(u32, u32)>,
    /// Whether the tag's own frame is part of the audio. Decoders play the frame of a VBRI tag, as silence, and its
    /// encoders rely on that; the frame of a Xing tag is skipped.
    is_played: bool,
}

impl EncoderTag {
    /// Parses the tag of a frame, if it has one.
    fn parse(frame: &[u8]) -> Option<Self> {
        let header = MpegHeader::parse(frame).filter(|header| header.layer == 3)?;
        // The Xing tag follows the side information, the VBRI tag starts 32 bytes after the header.
        let at = 4 + header.side_info_bytes();
        if matches!(frame.get(at..at + 4), Some(b"Xing" | b"Info")) {
            return Self::parse_xing(frame.get(at..)?);
        }
        if frame.get(36..40) == Some(b"VBRI") && frame.get(40..42) == Some(&[0, 1]) {
            let (frame_count, byte_count) = (be32(frame, 50), be32(frame, 46));
            return Some(Self {
                frame_count,
                byte_count,
                trim: None,
                is_played: true,
            });
        }
        None
    }

    fn parse_xing(tag: &[u8]) -> Option<Self> {
        // Each flag announces a field; those that are not announced take no space.
        const FIELDS: [(u32, usize); 4] =
            [(FRAMES, 4), (BYTES, 4), (SEEK_TABLE, 100), (QUALITY, 4)];
        const FRAMES: u32 = 1;
        const BYTES: u32 = 2;
        const SEEK_TABLE: u32 = 4;
        const QUALITY: u32 = 8;
        let flags = be32(tag, 4)?;
        let mut at = 8;
        let (mut frame_count, mut byte_count) = (None, None);
        for (flag, len) in FIELDS.into_iter().filter(|(flag, _)| flags & flag != 0) {
            match flag {
                FRAMES => frame_count = be32(tag, at),
                BYTES => byte_count = be32(tag, at),
                _ => {}
            }
            at += len;
        }
        let lame = tag.get(at..).unwrap_or_default();
        let known = [&b"LAME"[..], b"Lavf", b"Lavc", b"L3.9"]
            .iter()
            .any(|name| lame.starts_with(name));
        let trim = match lame.get(21..24) {
            Some(&[a, b, c]) if known => {
                let delay = u32::from(a) << 4 | u32::from(b) >> 4;
                let padding = u32::from(b & 15) << 8 | u32::from(c);
                Some((delay + DECODER_DELAY, padding.saturating_sub(DECODER_DELAY)))
            }
            _ => None,
        };
        Some(Self {
            frame_count,
            byte_count,
            trim,
            is_played: false,
        })
    }

    /// Returns the stated length in audio frames.
    fn frames(&self, scan: &FrameScan) -> Option<u64> {
        self.frame_count
            .map(|count| u64::from(count) * u64::from(scan.first.frames))
    }
}

fn be32(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..at + 4)?
        .first_chunk::<4>()
        .map(|b| u32::from_be_bytes(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_and_padding_of_the_standard_example() {
        let mut frame = vec![0xFF, 0xFB, 0x90, 0x44];
        frame.resize(36, 0);
        frame.extend(b"Info\0\0\0\x0F\0\0\0\xC1\0\0\xC4\x9B");
        frame.extend([0; 104]);
        frame.extend(b"LAME3.100");
        frame.extend([0; 12]);
        frame.extend([576u32 >> 4, 1260 >> 8, 1260 & 255].map(|b| u8::try_from(b).unwrap()));
        let tag = EncoderTag::parse(&frame).unwrap();
        // 193 frames, delay 576, padding 1260 = 220 500 samples.
        let wanted = EncoderTag {
            frame_count: Some(193),
            byte_count: Some(50_331),
            trim: Some((1105, 731)),
            is_played: false,
        };
        assert_eq!(tag, wanted);
        assert_eq!(193 * 1152 - 1105 - 731, 220_500);
    }

    fn tag(flags: u32, fields: &[u8], name: &[u8]) -> Vec<u8> {
        let mut tag = [b"Xing", &flags.to_be_bytes()[..], fields, name].concat();
        // The encoder's name has 9 bytes, and delay and padding of 100 and 700 frames follow 12 later.
        tag.resize(8 + fields.len() + 21, 0);
        tag.extend([100 >> 4, (100 & 15) << 4 | (700 >> 8) as u8, 700u32 as u8]);
        tag
    }

    #[test]
    fn fields_of_a_tag_take_space_only_if_they_are_announced() {
        let (frames, bytes) = (70_000u32.to_be_bytes(), 80_000_000u32.to_be_bytes());
        let table = [9; 100];
        let rows: [(u32, Vec<u8>, [Option<u32>; 2]); 5] = [
            (0, vec![], [None, None]),
            (1, frames.to_vec(), [Some(70_000), None]),
            (2, bytes.to_vec(), [None, Some(80_000_000)]),
            (
                3 | 8,
                [frames, bytes, [7; 4]].concat(),
                [Some(70_000), Some(80_000_000)],
            ),
            (
                2 | 4,
                [&bytes[..], &table].concat(),
                [None, Some(80_000_000)],
            ),
        ];
        for (flags, fields, [frame_count, byte_count]) in rows {
            let expected = EncoderTag {
                frame_count,
                byte_count,
                trim: Some((629, 171)),
                is_played: false,
            };
            let tag = tag(flags, &fields, b"LAME3.100");
            assert_eq!(EncoderTag::parse_xing(&tag), Some(expected), "{flags}");
        }
        let trim = |name: &[u8]| EncoderTag::parse_xing(&tag(0, &[], name)).unwrap().trim;
        for name in [&b"LAME"[..], b"Lavf", b"Lavc", b"L3.9"] {
            assert_eq!(trim(name), Some((629, 171)));
        }
        assert_eq!(trim(b"GOGO"), None, "another encoder means something else");
    }

    #[test]
    fn tags_are_where_the_channels_and_the_version_put_them() {
        // MPEG-1 and MPEG-2, stereo and mono.
        for (header, at) in [
            ([0xFF, 0xFB, 0x90, 0x00], 36),
            ([0xFF, 0xFB, 0x90, 0xC0], 21),
            ([0xFF, 0xF3, 0x90, 0x00], 21),
            ([0xFF, 0xF3, 0x90, 0xC0], 13),
        ] {
            let mut frame = header.to_vec();
            frame.resize(at, 0);
            frame.extend(tag(1, &5u32.to_be_bytes(), b""));
            let found = EncoderTag::parse(&frame).unwrap();
            assert_eq!((found.frame_count, found.is_played), (Some(5), false));
            frame.insert(at, 0);
            assert_eq!(EncoderTag::parse(&frame), None);
        }
        let mut frame = vec![0xFF, 0xFB, 0x90, 0xC0];
        frame.resize(36, 0);
        frame.extend(b"VBRI\0\x01\0\0\0\0\0\x01\x02\x03\0\0\x04\x05");
        let expected = EncoderTag {
            frame_count: Some(0x405),
            byte_count: Some(0x1_0203),
            trim: None,
            is_played: true,
        };
        assert_eq!(EncoderTag::parse(&frame), Some(expected));
        frame[41] = 2;
        assert_eq!(EncoderTag::parse(&frame), None, "another version");
        let mut layer_2 = vec![0xFF, 0xFD, 0x80, 0];
        layer_2.resize(36, 0);
        layer_2.extend(tag(0, &[], b"LAME"));
        assert_eq!(EncoderTag::parse(&layer_2), None);
    }

    #[test]
    fn free_format_has_no_bit_rate_and_all_else() {
        for header in [
            [0xFF, 0xFB, 0, 0],
            [0xFF, 0xE3, 0x08, 0],
            [0xFF, 0xF5, 0x04, 9],
        ] {
            assert!(is_free_format(&header), "{header:X?}");
        }
        for header in [
            [0xFE, 0xFB, 0, 0],
            [0xFF, 0xDB, 0, 0],
            // Layer, version and rate that are reserved, and a bit rate.
            [0xFF, 0xF9, 0, 0],
            [0xFF, 0xEB, 0, 0],
            [0xFF, 0xFB, 0x0C, 0],
            [0xFF, 0xFB, 0x10, 0],
        ] {
            assert!(!is_free_format(&header), "{header:X?}");
        }
        assert!(!is_free_format(&[0xFF, 0xFB, 0]));
    }

    #[test]
    fn a_promised_length_is_the_one_that_tag_and_file_agree_about() {
        let header = parse_header(&[0xFF, 0xFB, 0x90, 0]).unwrap();
        let scan =
            |truncated_frames| FrameScan::of_entries(header, &[417, 0, 417], truncated_frames);
        let remark = |stated: u64, found: u64| Remark::HeaderLength {
            stated: Frames(1152 * stated),
            found: Frames(1152 * found),
        };
        let promised = |stated: Option<u32>, bytes, is_played, fragment, truncated_frames| {
            let mut scan = scan(truncated_frames);
            let tag = EncoderTag {
                frame_count: stated,
                byte_count: Some(bytes),
                trim: None,
                is_played,
            };
            let mut remarks = Vec::new();
            let frames = promised_frames(&mut scan, &tag, fragment, &mut remarks);
            (frames / 1152, remarks)
        };
        let (whole, cut) = (1251, 1252);
        assert_eq!(promised(None, whole, false, false, None), (3, vec![]));
        assert_eq!(promised(Some(3), whole, false, false, None), (3, vec![]));
        // All bytes are there, so the tag knows better how many frames are lost.
        assert_eq!(promised(Some(4), whole, false, false, None), (4, vec![]));
        assert_eq!(promised(Some(2), whole, false, false, None), (2, vec![]));
        assert_eq!(promised(Some(9), cut, false, false, None), (9, vec![]));
        assert_eq!(promised(Some(299), cut, false, false, None), (299, vec![]));
        assert_eq!(
            promised(Some(300), cut, false, false, None),
            (3, vec![remark(300, 3)])
        );
        assert_eq!(
            promised(Some(9), cut, false, true, None),
            (3, vec![remark(9, 3)])
        );
        assert_eq!(
            promised(Some(2), cut, false, false, None),
            (3, vec![remark(2, 3)])
        );
        // The frame of a tag that is played is counted, or not.
        assert_eq!(promised(Some(2), whole, true, false, None), (3, vec![]));
        assert_eq!(
            promised(Some(4), whole, true, false, None),
            (3, vec![remark(4, 3)])
        );
        // A frame that is cut off is part of a whole stream, and not of a fragment.
        assert_eq!(promised(None, cut, false, false, Some(1152)), (4, vec![]));
        assert_eq!(
            promised(None, cut, false, true, Some(1152)),
            (3, vec![remark(4, 3)])
        );
        assert_eq!(
            promised(Some(2), cut, false, true, Some(1152)),
            (3, vec![remark(2, 3)])
        );
        assert_eq!(
            promised(Some(2), cut, false, false, Some(1152)),
            (3, vec![remark(2, 3)])
        );
    }

    #[test]
    fn the_frame_of_a_tag_takes_no_time() {
        let header = parse_header(&[0xFF, 0xFB, 0x90, 0]).unwrap();
        let mut scan = FrameScan::of_entries(header, &[417, 418, 419], None);
        remove_first_frame(&mut scan);
        let left: Vec<_> = scan.entries.iter().map(|e| (e.at, e.size)).collect();
        assert_eq!((left, scan.frames), (vec![(0, 418), (1152, 419)], 2304));
    }
}
