//! Opens AAC in ADTS (ISO/IEC 14496-3, 1.A.2.2; ISO/IEC 13818-7, 6.2).
//!
//! `symphonia`'s demuxer has no exact length, and later positions shift after damage, so the frames are listed by
//! [`frame_scan`](super::frame_scan). ADTS states no encoder delay: where the audio begins is not known exactly.

use super::{
    OpenedStem, StemFile,
    aac::{self, AacConfig},
    frame_scan::{FrameFormat, FrameHeader},
};
use crate::{
    error::Result,
    media::{
        Remark, codec::Decoder, packet_source::PacketSource, packet_table::PacketTable,
        symphonia_adapter::Codec,
    },
};

const NAME: &str = "AAC in ADTS";

impl StemFile<'_> {
    /// Opens a stream whose first frame is at file offset `start`.
    pub(super) fn open_adts(&self, start: u64) -> Result<OpenedStem> {
        self.check_single_stream()?;
        let scan = self.scan_frames(start)?;
        let first = scan.first;
        if let FrameFormat::Adts {
            object_type,
            extra_packets,
            ..
        } = first.format
        {
            if let Some(what) =
                AacConfig::from_adts(object_type, first.rate, first.channels).unsupported_name()
            {
                return Err(self.unsupported(format!("{what} in ADTS")));
            }
            if extra_packets > 0 {
                return Err(self.unsupported("ADTS with several AAC packets in a frame"));
            }
        }
        let (rate, channels) = self.check_limits(first.rate, usize::from(first.channels))?;
        let missing = scan.truncated_frames.map_or(0, u64::from);
        let table = PacketTable::new(self.file.clone(), scan.entries);
        self.refuse_undeclared_sbr(&table, "ADTS")?;
        let decoder = Decoder::for_codec(Codec::Aac, rate.hz(), usize::from(channels), None);
        let mut decoder = decoder.map_err(|f| self.codec_error(NAME, f))?;
        let mut packets = PacketSource::Table(Box::new(table));
        self.decode_first(&mut packets, &mut decoder, NAME)?;
        Ok(OpenedStem {
            colour: None,
            packets,
            decoder,
            codec: NAME.into(),
            rate,
            channels,
            mask: 0,
            bits: None,
            origin: 0,
            leading_silence: 0,
            pieces: Vec::new(),
            frames: scan.frames + missing,
            missing,
            trimmed_start: 0,
            trimmed_end: 0,
            streams: 1,
            remarks: vec![Remark::AlignmentUnknown, Remark::SlowSeek],
            seeks_from_start: true,
            pre_roll: 0,
        })
    }
}

/// Parses a header whose sync, version and layer bits mark it as ADTS.
pub(super) fn parse_header(data: &[u8]) -> Option<FrameHeader> {
    let &[_, b1, b2, b3, b4, b5, b6] = data.first_chunk::<7>()?;
    let has_crc = b1 & 1 == 0;
    let payload_offset = if has_crc { 9 } else { 7 };
    let size = u32::from(b3 & 3) << 11 | u32::from(b4) << 3 | u32::from(b5 >> 5);
    if size <= payload_offset {
        return None;
    }
    let extra_packets = b6 & 3;
    Some(FrameHeader {
        format: FrameFormat::Adts {
            is_mpeg_2: b1 & 8 != 0,
            object_type: (b2 >> 6) + 1,
            extra_packets,
        },
        rate: *aac::SAMPLE_RATES.get(usize::from(b2 >> 2 & 15))?,
        channels: (b2 & 1) << 2 | b3 >> 6,
        frames: 1024 * (u32::from(extra_packets) + 1),
        size,
        payload_offset,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_header_are_where_the_standard_puts_them() {
        // MPEG-4 without a checksum, AAC-LC, 44,100 Hz, stereo, 3,333 bytes.
        let plain = [0xFF, 0xF1, 0x50, 0x81, 0xA0, 0xBF, 0xFC];
        let header = FrameHeader {
            format: FrameFormat::Adts {
                is_mpeg_2: false,
                object_type: 2,
                extra_packets: 0,
            },
            rate: 44_100,
            channels: 2,
            frames: 1024,
            size: 3333,
            payload_offset: 7,
        };
        assert_eq!(parse_header(&plain), Some(header));
        let with_crc = FrameHeader {
            format: FrameFormat::Adts {
                is_mpeg_2: true,
                object_type: 4,
                extra_packets: 3,
            },
            rate: 8000,
            channels: 7,
            frames: 4096,
            size: 3333,
            payload_offset: 9,
        };
        let bytes = [0xFF, 0xF8, 0xED, 0xC1, 0xA0, 0xBF, 0xFF];
        assert_eq!(parse_header(&bytes), Some(with_crc));
        assert_eq!(parse_header(&plain[..6]), None);
    }

    #[test]
    fn a_frame_is_larger_than_its_header() {
        let size_of = |b1, size: u8| {
            let header = parse_header(&[0xFF, b1, 0x50, 0x80, size >> 3, size << 5, 0xFC]);
            header.map(|header| header.size)
        };
        assert_eq!([7, 8].map(|size| size_of(0xF1, size)), [None, Some(8)]);
        assert_eq!([9, 10].map(|size| size_of(0xF0, size)), [None, Some(10)]);
    }
}
