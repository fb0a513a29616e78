//! Describes the codec of a stream whose packets this crate finds itself: what its decoder needs, and how many frames
//! a packet holds.
//!
//! Matroska, MP4 and Ogg store the same codecs with the same configuration data, each under its own name.

use super::{
    AudioExtent, OpenedStem, StemFile,
    aac::AacConfig,
    bytes::be32,
    frame_scan::FrameHeader,
    mpeg, signed,
    timeline::PlacedPackets,
    unsigned,
    vorbis::{self, VorbisBlocks},
};
use crate::{
    error::Result,
    media::{
        Bits, Remark,
        codec::{
            Decoder,
            flac::{FrameHeader as FlacFrameHeader, StreamInfo},
        },
        packet_source::PacketSource,
        packet_table::PacketTable,
        symphonia_adapter::{Codec, Pcm, PcmKind},
    },
    units::Frames,
};
use std::borrow::Cow;

/// Bytes at the start of a packet that state its length in frames.
pub(super) const PACKET_HEAD_BYTES: usize = 32;

/// Frames of an AAC-LC packet.
const AAC_PACKET_FRAMES: u32 = 1024;

/// A codec as its container describes it.
#[derive(Clone, Debug)]
pub(super) struct CodedStream {
    pub(super) codec: Codec,
    /// Name for users.
    pub(super) name: &'static str,
    pub(super) rate: u32,
    pub(super) channels: usize,
    pub(super) bits: Option<Bits>,
    /// Configuration of the decoder.
    pub(super) config: Option<Box<[u8]>>,
    pub(super) packets: PacketFrames,
}

/// How the number of frames of a packet follows from its first bytes or its size.
#[derive(Clone, Debug)]
pub(super) enum PacketFrames {
    Fixed(u32),
    /// PCM: bytes of one frame.
    Pcm(u32),
    Mpeg(FrameHeader),
    Flac(StreamInfo),
    Alac(AlacConfig),
    Vorbis(VorbisBlocks),
}

impl PacketFrames {
    /// Returns the number of frames of the next packet: `head` is its first [`PACKET_HEAD_BYTES`], or all of it. `None`
    /// if it is damaged.
    pub(super) fn of(&mut self, head: &[u8], size: u32) -> Option<u32> {
        match self {
            Self::Fixed(frames) => Some(*frames),
            Self::Pcm(frame_bytes) => Some(size / *frame_bytes),
            Self::Mpeg(first) => FrameHeader::parse(head)
                .filter(|header| header.format == first.format)
                .map(|header| header.frames),
            Self::Flac(info) => FlacFrameHeader::parse(head, info).map(|header| header.frames),
            Self::Alac(config) => config.packet_frames(head),
            Self::Vorbis(blocks) => blocks.frames(head),
        }
    }

    /// Returns the position that a packet itself states; `None` if its codec has none.
    pub(super) fn position(&self, head: &[u8]) -> Option<u64> {
        let Self::Flac(info) = self else {
            return None;
        };
        FlacFrameHeader::parse(head, info).map(|header| header.position(info))
    }

    /// Returns the number of frames of most packets.
    pub(super) fn usual(&self) -> u32 {
        match self {
            Self::Fixed(frames) => *frames,
            Self::Pcm(_) => 1,
            Self::Mpeg(first) => first.frames,
            Self::Flac(info) => info.max_block_frames.into(),
            Self::Alac(config) => config.max_packet_frames,
            Self::Vorbis(blocks) => blocks.max_frames(),
        }
    }
}

/// The fields of an ALACSpecificConfig (Apple, ALAC magic cookie description) that are needed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AlacConfig {
    pub(super) max_packet_frames: u32,
    pub(super) bits: u8,
    pub(super) channels: u8,
    pub(super) rate: u32,
}

impl AlacConfig {
    pub(super) fn parse(data: &[u8]) -> Option<Self> {
        Some(Self {
            max_packet_frames: be32(data, 0)?,
            bits: *data.get(5)?,
            channels: *data.get(9)?,
            rate: be32(data, 20)?,
        })
    }

    /// Reads the number of frames of a packet, which its first element states if it is not the usual one: after the
    /// element type (3 bits), the instance (4) and 12 unused bits comes a flag, and 3 bits later the number.
    fn packet_frames(&self, head: &[u8]) -> Option<u32> {
        let word = u64::from_be_bytes(*head.first_chunk::<8>()?);
        let is_partial = word >> 44 & 1 == 1;
        let frames = u32::try_from(word >> 9 & 0xFFFF_FFFF).ok()?;
        if !is_partial {
            return Some(self.max_packet_frames);
        }
        Some(frames).filter(|frames| *frames <= self.max_packet_frames)
    }
}

impl CodedStream {
    /// Returns a remark if a FLAC stream has another number of frames than it states.
    fn total_remark(&self, placed: &PlacedPackets, extent: AudioExtent) -> Option<Remark> {
        let PacketFrames::Flac(info) = &self.packets else {
            return None;
        };
        let found: u64 = placed.entries.iter().map(|e| u64::from(e.frames)).sum();
        let differs = info.frames > 0 && info.frames != found && extent.missing() == 0;
        differs.then_some(Remark::HeaderLength {
            stated: Frames(info.frames),
            found: Frames(found),
        })
    }
}

/// The part of a stream that is the stem, as its container states it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StatedTrim {
    pub(super) extent: AudioExtent,
    /// Frames of silence at the start of the stem, over which nothing is heard.
    pub(super) silence: u64,
    /// Whether the container states how much delay the encoder added.
    pub(super) states_delay: bool,
    /// Whether the end is missing and nothing says how much of it.
    pub(super) is_cut: bool,
}

/// Descriptions of codecs, from the data that containers store for them.
impl StemFile<'_> {
    pub(super) fn aac_stream(&self, config: &[u8], container: &str) -> Result<CodedStream> {
        let parsed = AacConfig::parse(config).ok_or_else(|| self.no_config("AAC", container))?;
        if let Some(what) = parsed.unsupported_name() {
            return Err(self.unsupported(format!("{what} in {container}")));
        }
        Ok(CodedStream {
            codec: Codec::Aac,
            name: "AAC",
            rate: parsed.rate,
            channels: parsed.channels as usize,
            bits: None,
            // Without extensions: the decoder fails on some of them.
            config: Some(parsed.to_plain_bytes().unwrap_or_else(|| config.into())),
            packets: PacketFrames::Fixed(AAC_PACKET_FRAMES),
        })
    }

    pub(super) fn alac_stream(&self, config: &[u8], container: &str) -> Result<CodedStream> {
        let parsed = AlacConfig::parse(config).ok_or_else(|| self.no_config("ALAC", container))?;
        Ok(CodedStream {
            codec: Codec::Alac,
            name: "ALAC",
            rate: parsed.rate,
            channels: parsed.channels.into(),
            bits: integer_bits(parsed.bits.into()),
            config: Some(config.into()),
            packets: PacketFrames::Alac(parsed),
        })
    }

    /// Describes FLAC by its STREAMINFO block.
    pub(super) fn flac_stream(&self, info: &[u8], container: &str) -> Result<CodedStream> {
        let parsed = StreamInfo::parse(info).ok_or_else(|| self.no_config("FLAC", container))?;
        Ok(CodedStream {
            codec: Codec::Flac,
            name: "FLAC",
            rate: parsed.rate,
            channels: parsed.channels.into(),
            bits: integer_bits(parsed.bits.into()),
            config: Some(info.into()),
            packets: PacketFrames::Flac(parsed),
        })
    }

    /// Describes MPEG audio by its first packet.
    pub(super) fn mpeg_stream(&self, first: &[u8], container: &str) -> Result<CodedStream> {
        let header = FrameHeader::parse(first).ok_or_else(|| {
            let what = "no frame header where the first packet is";
            self.corrupt(format!("MP3 in {container}: {what}"))
        })?;
        let (codec, name) = mpeg::layer_codec(&header);
        Ok(CodedStream {
            codec,
            name,
            rate: header.rate,
            channels: header.channels.into(),
            bits: None,
            config: None,
            packets: PacketFrames::Mpeg(header),
        })
    }

    /// Describes Vorbis by its identification and setup headers.
    pub(super) fn vorbis_stream(
        &self,
        identification: &[u8],
        setup: &[u8],
        container: &str,
    ) -> Result<CodedStream> {
        let header = vorbis::Identification::parse(identification)
            .ok_or_else(|| self.no_config("Vorbis", container))?;
        let blocks = VorbisBlocks::parse(&header, setup)
            .ok_or_else(|| self.no_config("Vorbis", container))?;
        // A header that cannot be read is left to the decoder, which refuses it.
        let read = vorbis::setup::Setup::parse(setup, header.channels, header.sizes);
        if read.as_ref().is_some_and(|setup| setup.spills) {
            let what = format!(
                "Vorbis with {} channels that are not coupled",
                header.channels
            );
            return Err(self.unsupported(what));
        }
        let setup = read.map_or(Cow::Borrowed(setup), |setup| Cow::Owned(setup.reversed));
        Ok(CodedStream {
            codec: Codec::Vorbis,
            name: "Vorbis",
            rate: header.rate,
            channels: header.channels.into(),
            bits: None,
            config: Some([identification, &setup].concat().into()),
            packets: PacketFrames::Vorbis(blocks),
        })
    }

    /// Describes PCM of `bits` bits, A-law and mu-law.
    pub(super) fn pcm_stream(
        &self,
        codec: Codec,
        rate: u32,
        channels: usize,
        bits: u16,
        container: &str,
    ) -> Result<CodedStream> {
        let (name, sample_bytes, format) = match codec {
            Codec::ALaw => ("A-law", 1, None),
            Codec::MuLaw => ("mu-law", 1, None),
            Codec::Pcm(pcm) => {
                let float = pcm.kind == PcmKind::Float;
                ("PCM", pcm.bytes, Some(Bits { width: bits, float }))
            }
            _ => ("audio", 0, None),
        };
        let frame_bytes = u32::try_from(channels)
            .ok()
            .and_then(|channels| channels.checked_mul(sample_bytes.into()))
            .filter(|bytes| *bytes > 0 && codec.is_decoded());
        let Some(frame_bytes) = frame_bytes else {
            return Err(self.unsupported(format!("PCM of {bits} bits in {container}")));
        };
        Ok(CodedStream {
            codec,
            name,
            rate,
            channels,
            bits: format,
            config: None,
            packets: PacketFrames::Pcm(frame_bytes),
        })
    }

    fn no_config(&self, codec: &str, container: &str) -> crate::Error {
        let what = "the decoder's configuration is missing";
        self.corrupt(format!("{codec} in {container}: {what}"))
    }
}

/// Returns PCM samples of a number of bits, which are stored in whole bytes.
pub(super) fn pcm(bits: u16, kind: PcmKind, big_endian: bool) -> Codec {
    Codec::Pcm(Pcm {
        bytes: u8::try_from(bits.div_ceil(8)).unwrap_or(u8::MAX),
        kind,
        big_endian,
    })
}

fn integer_bits(width: u16) -> Option<Bits> {
    Some(Bits {
        width,
        float: false,
    })
}

impl StemFile<'_> {
    /// Opens a stream from the table of its packets. `streams` is the number of audio streams in the file.
    pub(super) fn open_coded(
        &self,
        coded: CodedStream,
        placed: PlacedPackets,
        trim: StatedTrim,
        streams: usize,
        container: &str,
    ) -> Result<OpenedStem> {
        let (rate, channels) = self.check_limits(coded.rate, coded.channels.max(1))?;
        let mut remarks = Vec::new();
        let is_lossy = matches!(
            coded.codec,
            Codec::Aac | Codec::Mp1 | Codec::Mp2 | Codec::Mp3 | Codec::Vorbis
        );
        if is_lossy && !trim.states_delay {
            remarks.push(Remark::AlignmentUnknown);
        }
        let extent = trim.extent;
        remarks.extend(coded.total_remark(&placed, extent));
        remarks.extend(placed.remarks(extent.origin));
        remarks.extend(trim.is_cut.then_some(Remark::CutOff));
        // Packets before the target of a seek are counted in frames, and across a gap there are too few of them.
        let seeks_from_start = coded.codec == Codec::Aac || is_lossy && placed.has_silence();
        if seeks_from_start {
            remarks.push(Remark::SlowSeek);
        }
        let pre_roll = match &coded.packets {
            PacketFrames::Mpeg(_) => mpeg::PRE_ROLL,
            PacketFrames::Vorbis(blocks) => 2 * u64::from(blocks.max_frames()),
            _ => 0,
        };
        let first = placed.entries.first().map_or(0, |entry| signed(entry.at));
        let first = first.saturating_sub(extent.origin);
        let trimmed_end = signed(placed.end).saturating_sub(extent.end);
        let table = PacketTable::new(self.file.clone(), placed.entries)
            .with_prefix(placed.prefix)
            .with_parts(placed.parts);
        if coded.codec == Codec::Aac {
            self.refuse_undeclared_sbr(&table, container)?;
        }
        let name = format!("{} in {container}", coded.name);
        let decoder = Decoder::for_codec(coded.codec, coded.rate, coded.channels, coded.config);
        let mut decoder = decoder.map_err(|f| self.codec_error(&name, f))?;
        let mut packets = PacketSource::Table(Box::new(table));
        let decoded = self.decode_first(&mut packets, &mut decoder, &name)?;
        let (rate, channels) = match decoded {
            Some(out) => self.check_limits(out.rate, out.channels)?,
            None => (rate, channels),
        };
        Ok(OpenedStem {
            colour: None,
            packets,
            decoder,
            codec: name,
            rate,
            channels,
            mask: decoded.map_or(0, |out| out.mask),
            bits: coded.bits,
            origin: extent.origin,
            leading_silence: trim.silence.max(unsigned(first)),
            frames: extent.frames(),
            missing: extent.missing(),
            trimmed_start: unsigned(signed(trim.silence).saturating_sub(first)),
            trimmed_end: unsigned(trimmed_end),
            pieces: Vec::new(),
            streams,
            remarks,
            seeks_from_start,
            pre_roll,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alac_packet_states_its_length_if_it_is_not_the_usual_one() {
        let mut cookie = vec![0, 0, 0x10, 0, 0, 24, 40, 10, 14, 6];
        cookie.extend([0; 10]);
        cookie.extend(48_000u32.to_be_bytes());
        let config = AlacConfig::parse(&cookie).unwrap();
        let expected = AlacConfig {
            max_packet_frames: 4096,
            bits: 24,
            channels: 6,
            rate: 48_000,
        };
        assert_eq!(config, expected);
        assert_eq!(AlacConfig::parse(&cookie[..23]), None);
        let frames = |flag: u64, frames: u64| {
            let others = !(1 << 44 | 0xFFFF_FFFF << 9);
            config.packet_frames(&(others | flag << 44 | frames << 9).to_be_bytes())
        };
        assert_eq!(frames(0, 17), Some(4096));
        assert_eq!(frames(1, 17), Some(17));
        assert_eq!(frames(1, 4096), Some(4096));
        assert_eq!(frames(1, 4097), None);
        assert_eq!(config.packet_frames(&[0; 7]), None);
    }

    #[test]
    fn packets_of_pcm_hold_their_bytes_in_frames() {
        let mut pcm = PacketFrames::Pcm(6);
        assert_eq!((pcm.of(&[], 600), pcm.usual()), (Some(100), 1));
        let mut fixed = PacketFrames::Fixed(1024);
        assert_eq!((fixed.of(&[], 600), fixed.usual()), (Some(1024), 1024));
        assert_eq!(fixed.position(&[0xFF; 32]), None);
        let header = |bytes: [u8; 4]| FrameHeader::parse(&bytes).unwrap();
        let mut mpeg = PacketFrames::Mpeg(header([0xFF, 0xFB, 0x90, 0]));
        let lengths = [[0xFF, 0xFB, 0xB0, 0], [0xFF, 0xFD, 0x80, 0], [0; 4]];
        assert_eq!(
            lengths.map(|head| mpeg.of(&head, 1)),
            [Some(1152), None, None]
        );
        assert_eq!(mpeg.usual(), 1152);
    }
}
