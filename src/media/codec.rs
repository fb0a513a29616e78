//! Decodes the packets of every codec: FLAC by itself, MPEG audio with `nanomp3`, all others through `symphonia_adapter`.

pub(crate) mod flac;
pub(crate) mod mpeg;

use super::{
    codec_fault::CodecFault,
    decoded_packet::DecodedPacket,
    symphonia_adapter::{self, AudioStream, Codec, Packet},
};
use flac::{FlacDecoder, StreamInfo};

/// A decoder of one stream. It keeps the samples of the last packet.
pub(crate) enum Decoder {
    Flac(FlacDecoder),
    #[cfg(feature = "codecs-mp3")]
    Mpeg(Box<mpeg::MpegDecoder>),
    Symphonia(Box<symphonia_adapter::Decoder>),
}

impl Decoder {
    /// Makes a decoder for a stream of a demuxer.
    pub(crate) fn for_stream(stream: &AudioStream) -> Result<Self, CodecFault> {
        if stream.is_flac() {
            return Self::for_flac(stream.extra_data.as_deref());
        }
        #[cfg(feature = "codecs-mp3")]
        if stream.is_mpeg() {
            return Ok(Self::Mpeg(Box::new(mpeg::MpegDecoder::new())));
        }
        let decoder = symphonia_adapter::Decoder::for_stream(stream)?;
        Ok(Self::Symphonia(Box::new(decoder)))
    }

    /// Makes a decoder for packets that were found without a demuxer. `config` is what its container stores for it, such
    /// as STREAMINFO or an AudioSpecificConfig.
    pub(crate) fn for_codec(
        codec: Codec,
        rate: u32,
        channels: usize,
        config: Option<Box<[u8]>>,
    ) -> Result<Self, CodecFault> {
        if codec == Codec::Flac {
            return Self::for_flac(config.as_deref());
        }
        #[cfg(feature = "codecs-mp3")]
        if matches!(codec, Codec::Mp1 | Codec::Mp2 | Codec::Mp3) {
            return Ok(Self::Mpeg(Box::new(mpeg::MpegDecoder::new())));
        }
        let decoder = symphonia_adapter::Decoder::for_codec(codec, rate, channels, config)?;
        Ok(Self::Symphonia(Box::new(decoder)))
    }

    fn for_flac(config: Option<&[u8]>) -> Result<Self, CodecFault> {
        let info = config.and_then(StreamInfo::parse);
        let info = info.ok_or(CodecFault::Damaged("no stream information".into()))?;
        Ok(Self::Flac(FlacDecoder::new(info)))
    }

    /// Decodes a packet and keeps its samples for [`copy`](Self::copy).
    pub(crate) fn decode(&mut self, packet: &Packet) -> Result<DecodedPacket, CodecFault> {
        match self {
            Self::Flac(decoder) => {
                let header = decoder
                    .decode(packet.data())
                    .map_err(|e| CodecFault::Damaged(e.to_string()))?;
                let channels = header.channels.count();
                Ok(DecodedPacket {
                    frames: header.frames as usize,
                    rate: header.rate,
                    channels: channels.into(),
                    mask: flac::channel_mask(channels),
                    is_cut: false,
                })
            }
            #[cfg(feature = "codecs-mp3")]
            Self::Mpeg(decoder) => decoder.decode(packet.data()),
            Self::Symphonia(decoder) => decoder.decode(packet),
        }
    }

    /// Copies frames of the last decoded packet, from its frame `from` on: full scale ±1.0, one slice per channel in
    /// WAVE order, all of the same length.
    pub(crate) fn copy(&mut self, from: usize, to: &mut [&mut [f64]]) -> Result<(), CodecFault> {
        match self {
            Self::Flac(decoder) => {
                let is_there = decoder.copy(from, to);
                is_there.then_some(()).ok_or(CodecFault::Truncated)
            }
            #[cfg(feature = "codecs-mp3")]
            Self::Mpeg(decoder) => {
                let is_there = decoder.copy(from, to);
                is_there.then_some(()).ok_or(CodecFault::Truncated)
            }
            Self::Symphonia(decoder) => decoder.copy(from, to),
        }
    }

    /// Clears the overlap with the packet before. To be called after a seek.
    pub(crate) fn reset(&mut self) {
        match self {
            // A frame needs nothing of the ones before it.
            Self::Flac(_) => {}
            #[cfg(feature = "codecs-mp3")]
            Self::Mpeg(decoder) => decoder.reset(),
            Self::Symphonia(decoder) => decoder.reset(),
        }
    }

    /// Replaces the decoder by a new one. A reset is not enough where the state of a noise generator depends on all
    /// packets before, as in AAC.
    pub(crate) fn recreate(&mut self) -> Result<(), CodecFault> {
        match self {
            Self::Flac(_) => Ok(()),
            #[cfg(feature = "codecs-mp3")]
            Self::Mpeg(decoder) => {
                **decoder = mpeg::MpegDecoder::new();
                Ok(())
            }
            Self::Symphonia(decoder) => decoder.recreate(),
        }
    }
}
