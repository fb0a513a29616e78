//! Wraps the demuxers and decoders of `symphonia`. No other file uses that crate.
//!
//! The wrappers expose this crate's own types, convert panics to [`CodecFault::Panicked`] and drop whatever panicked,
//! and check the numbers of a header before a decoder allocates from them. They do not trim, conceal damage or measure
//! lengths.

use super::{
    Bits,
    codec_fault::{CodecFault, catch_fault, drop_guarded},
    decoded_packet::DecodedPacket,
    sparse_reader::{BytesSincePacket, SparseReader},
};
use std::{io, sync::atomic::Ordering::Relaxed};
use symphonia::{
    core::{
        audio::{Channels, GenericAudioBufferRef},
        codecs::{
            CodecParameters,
            audio::{
                AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions,
                well_known as id,
            },
        },
        errors::Error,
        formats::{FormatOptions, FormatReader, SeekMode, SeekTo},
        io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions},
        packet::Packet as Raw,
        units::{Duration, Timestamp},
    },
    default::{formats, get_codecs},
};

impl From<Error> for CodecFault {
    fn from(e: Error) -> Self {
        match e {
            Error::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof => Self::Truncated,
            // `Other` comes from symphonia's bit readers at the end of a packet, `InvalidData` from `SparseReader` when
            // no packet was found for too long.
            Error::IoError(e)
                if matches!(e.kind(), io::ErrorKind::Other | io::ErrorKind::InvalidData) =>
            {
                Self::Damaged(e.to_string())
            }
            Error::IoError(e) => Self::Io(e),
            Error::DecodeError(what) => Self::Damaged(what.into()),
            Error::Unsupported(what) => Self::Unsupported(what.into()),
            Error::LimitError(what) => Self::Damaged(format!("over the limit: {what}")),
            Error::ResetRequired => Self::StreamChanged,
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// Containers that symphonia demuxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Aiff,
    Caf,
    /// Of ADPCM: other WAVE files need no demuxer.
    Wave,
}

#[cfg(not(all(feature = "aiff-caf", feature = "codecs-adpcm")))]
impl Container {
    fn name(self) -> &'static str {
        match self {
            Self::Aiff => "AIFF",
            Self::Caf => "CAF",
            Self::Wave => "ADPCM",
        }
    }

    /// Returns the feature of this crate that reads it.
    fn feature(self) -> &'static str {
        match self {
            Self::Aiff | Self::Caf => "aiff-caf",
            Self::Wave => "codecs-adpcm",
        }
    }
}

/// Codecs of packets that this crate finds without a demuxer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Mp1,
    Mp2,
    Mp3,
    Aac,
    Alac,
    Flac,
    Vorbis,
    ALaw,
    MuLaw,
    Pcm(Pcm),
}

/// Encoding of PCM samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pcm {
    /// Bytes per sample.
    pub(crate) bytes: u8,
    pub(crate) kind: PcmKind,
    pub(crate) big_endian: bool,
}

/// Number format of PCM samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PcmKind {
    Signed,
    Unsigned,
    Float,
}

impl Codec {
    /// Returns symphonia's identifier; `None` for PCM of a width that nothing decodes.
    fn id(self) -> Option<AudioCodecId> {
        Some(match self {
            Self::Mp1 => id::CODEC_ID_MP1,
            Self::Mp2 => id::CODEC_ID_MP2,
            Self::Mp3 => id::CODEC_ID_MP3,
            Self::Aac => id::CODEC_ID_AAC,
            Self::Alac => id::CODEC_ID_ALAC,
            Self::Flac => id::CODEC_ID_FLAC,
            Self::Vorbis => id::CODEC_ID_VORBIS,
            Self::ALaw => id::CODEC_ID_PCM_ALAW,
            Self::MuLaw => id::CODEC_ID_PCM_MULAW,
            Self::Pcm(pcm) => return pcm.id(),
        })
    }
}

impl Codec {
    /// Reports whether there is a decoder for it.
    pub(crate) fn is_decoded(self) -> bool {
        self.id().is_some()
    }
}

impl Pcm {
    fn id(self) -> Option<AudioCodecId> {
        use PcmKind::{Float, Signed, Unsigned};
        Some(match (self.kind, self.bytes, self.big_endian) {
            (Signed, 1, _) => id::CODEC_ID_PCM_S8,
            (Unsigned, 1, _) => id::CODEC_ID_PCM_U8,
            (Signed, 2, false) => id::CODEC_ID_PCM_S16LE,
            (Signed, 2, true) => id::CODEC_ID_PCM_S16BE,
            (Signed, 3, false) => id::CODEC_ID_PCM_S24LE,
            (Signed, 3, true) => id::CODEC_ID_PCM_S24BE,
            (Signed, 4, false) => id::CODEC_ID_PCM_S32LE,
            (Signed, 4, true) => id::CODEC_ID_PCM_S32BE,
            (Float, 4, false) => id::CODEC_ID_PCM_F32LE,
            (Float, 4, true) => id::CODEC_ID_PCM_F32BE,
            (Float, 8, false) => id::CODEC_ID_PCM_F64LE,
            (Float, 8, true) => id::CODEC_ID_PCM_F64BE,
            _ => return None,
        })
    }
}

/// One audio stream of a container, as its header describes it.
#[derive(Clone, Debug)]
pub(crate) struct AudioStream {
    /// Track number in the container.
    pub(crate) id: u32,
    /// Name of the codec for messages.
    pub(crate) codec: &'static str,
    /// Whether there is a decoder for it.
    pub(crate) supported: bool,
    pub(crate) rate: u32,
    /// Number of channels; `None` if only the codec's data states it.
    pub(crate) channels: Option<usize>,
    /// WAVE channel mask; 0 if the channels have no positions.
    pub(crate) mask: u32,
    pub(crate) bits: Option<Bits>,
    /// Length in frames according to the container.
    pub(crate) stated_frames: Option<u64>,
    /// Timestamp of the first frame.
    pub(crate) start: i64,
    pub(crate) is_pcm: bool,
    /// Configuration of the decoder, such as STREAMINFO or an AudioSpecificConfig.
    pub(crate) extra_data: Option<Box<[u8]>>,
    params: AudioCodecParameters,
}

impl AudioStream {
    /// Reports whether samples are A-law or mu-law, which a container stores like PCM.
    pub(crate) fn is_companded(&self) -> bool {
        matches!(
            self.params.codec,
            id::CODEC_ID_PCM_ALAW | id::CODEC_ID_PCM_MULAW
        )
    }

    pub(crate) fn is_alac(&self) -> bool {
        self.params.codec == id::CODEC_ID_ALAC
    }

    pub(crate) fn is_aac(&self) -> bool {
        self.params.codec == id::CODEC_ID_AAC
    }

    pub(crate) fn is_flac(&self) -> bool {
        self.params.codec == id::CODEC_ID_FLAC
    }

    #[cfg(feature = "codecs-mp3")]
    pub(crate) fn is_mpeg(&self) -> bool {
        matches!(
            self.params.codec,
            id::CODEC_ID_MP1 | id::CODEC_ID_MP2 | id::CODEC_ID_MP3
        )
    }
}

/// A packet of one stream, undecoded.
pub(crate) struct Packet {
    /// Stream position of its first frame after the trimmed ones.
    pub(crate) at: i64,
    /// Duration in frames according to the container.
    pub(crate) frames: u64,
    /// Number in the file from 1, for messages.
    pub(crate) number: u64,
    /// Whether packets before it are missing, so that the decoder has to be reset.
    pub(crate) follows_loss: bool,
    /// Whether the container states the silence before it.
    pub(crate) follows_silence: bool,
    raw: Raw,
}

impl Packet {
    /// Makes a packet from data that was found without a demuxer.
    pub(crate) fn new(at: i64, frames: u64, number: u64, data: Vec<u8>) -> Self {
        Self {
            at,
            frames,
            number,
            follows_loss: false,
            follows_silence: false,
            raw: Raw::new(0, Timestamp::ZERO, Duration::from(frames), data),
        }
    }

    pub(crate) fn data(&self) -> &[u8] {
        &self.raw.data
    }

    /// Returns its size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.raw.data.len() as u64
    }
}

impl MediaSource for SparseReader {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len())
    }
}

/// A demuxer of one container, reading one of its streams.
pub(crate) struct Demuxer {
    /// `None` once it has panicked.
    reader: Option<Box<dyn FormatReader>>,
    bytes_since_packet: BytesSincePacket,
    stream_id: u32,
    packets_read: u64,
}

impl Demuxer {
    pub(crate) fn open(container: Container, file: SparseReader) -> Result<Self, CodecFault> {
        let bytes_since_packet = file.bytes_since_packet();
        let reader = catch_fault(|| {
            let stream =
                MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
            make_reader(container, stream)
        })?;
        Ok(Self {
            reader: Some(reader),
            bytes_since_packet,
            stream_id: 0,
            packets_read: 0,
        })
    }

    /// Lists the audio streams in the demuxer's order.
    pub(crate) fn streams(&self) -> Vec<AudioStream> {
        let tracks = self.reader.iter().flat_map(|r| r.tracks());
        let audio = tracks.filter_map(|track| {
            let Some(CodecParameters::Audio(params)) = &track.codec_params else {
                return None;
            };
            let rate = params.sample_rate.unwrap_or(0);
            let (channels, mask) = channel_mask(params.channels.as_ref());
            let (codec, supported) = codec_name(params.codec);
            Some(AudioStream {
                id: track.id,
                codec,
                supported,
                rate,
                channels,
                mask,
                bits: sample_format(params),
                stated_frames: track.num_frames,
                start: track.start_ts.get(),
                is_pcm: is_pcm(params.codec),
                extra_data: params.extra_data.clone(),
                params: params.clone(),
            })
        });
        audio.collect()
    }

    /// Makes [`next`](Self::next) return the packets of `stream` only.
    pub(crate) fn select(&mut self, stream: &AudioStream) {
        self.stream_id = stream.id;
    }

    /// Returns the next packet of the selected stream; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, CodecFault> {
        let Some(reader) = self.reader.as_mut() else {
            return Ok(None);
        };
        let bytes_since_packet = &self.bytes_since_packet;
        let stream_id = self.stream_id;
        let found = catch_fault(|| {
            loop {
                let packet = reader.next_packet()?;
                bytes_since_packet.store(0, Relaxed);
                match packet {
                    Some(p) if p.track_id != stream_id => {}
                    other => return Ok(other),
                }
            }
        });
        if matches!(found, Err(CodecFault::Panicked(_))) {
            self.discard();
        }
        self.packets_read += 1;
        Ok(found?.map(|raw| Packet {
            at: raw.pts.get().saturating_add_unsigned(raw.trim_start.get()),
            frames: raw.dur.get(),
            number: self.packets_read,
            follows_loss: false,
            follows_silence: false,
            raw,
        }))
    }

    /// Seeks to a packet at or before position `to`.
    pub(crate) fn seek(&mut self, to: i64) -> Result<(), CodecFault> {
        let Some(reader) = self.reader.as_mut() else {
            return Err(CodecFault::Truncated);
        };
        self.bytes_since_packet.store(0, Relaxed);
        let to = SeekTo::Timestamp {
            ts: Timestamp::new(to),
            track_id: self.stream_id,
        };
        let done = catch_fault(|| Ok(reader.seek(SeekMode::Accurate, to)?));
        self.bytes_since_packet.store(0, Relaxed);
        if matches!(done, Err(CodecFault::Panicked(_))) {
            self.discard();
        }
        done.map(|_| ())
    }

    fn discard(&mut self) {
        drop_guarded(self.reader.take());
    }
}

impl Drop for Demuxer {
    fn drop(&mut self) {
        self.discard();
    }
}

/// Makes symphonia's demuxer of a container.
fn make_reader(
    container: Container,
    stream: MediaSourceStream<'static>,
) -> Result<Box<dyn FormatReader>, CodecFault> {
    let options = FormatOptions::default();
    match container {
        #[cfg(feature = "aiff-caf")]
        Container::Aiff => Ok(Box::new(formats::AiffReader::try_new(stream, options)?)),
        #[cfg(feature = "aiff-caf")]
        Container::Caf => Ok(Box::new(formats::CafReader::try_new(stream, options)?)),
        #[cfg(feature = "codecs-adpcm")]
        Container::Wave => Ok(Box::new(formats::WavReader::try_new(stream, options)?)),
        #[cfg(not(all(feature = "aiff-caf", feature = "codecs-adpcm")))]
        left_out => Err(lacks_feature(left_out.name(), left_out.feature())),
    }
}

/// A decoder of one stream.
pub(crate) struct Decoder {
    /// `None` once it has panicked.
    decoder: Option<Box<dyn AudioDecoder>>,
    params: AudioCodecParameters,
}

impl Decoder {
    /// Makes a decoder for a stream of a demuxer.
    pub(crate) fn for_stream(stream: &AudioStream) -> Result<Self, CodecFault> {
        Self::make(&stream.params)
    }

    /// Makes a decoder for packets that were found without a demuxer.
    pub(crate) fn for_codec(
        codec: Codec,
        rate: u32,
        channels: usize,
        extra_data: Option<Box<[u8]>>,
    ) -> Result<Self, CodecFault> {
        let mut params = AudioCodecParameters::new();
        let id = codec
            .id()
            .ok_or_else(|| CodecFault::Unsupported(format!("{codec:?}")))?;
        params.for_codec(id);
        params.with_sample_rate(rate);
        params.channels = match channels {
            1 => Some(symphonia::core::audio::layouts::CHANNEL_LAYOUT_MONO),
            2 => Some(symphonia::core::audio::layouts::CHANNEL_LAYOUT_STEREO),
            n => u16::try_from(n).ok().map(Channels::Discrete),
        };
        params.extra_data = extra_data;
        Self::make(&params)
    }

    fn make(params: &AudioCodecParameters) -> Result<Self, CodecFault> {
        // Decoders allocate their buffers from these numbers.
        let frames = params
            .max_frames_per_packet
            .unwrap_or(0)
            .max(params.frames_per_block.unwrap_or(0));
        let channels = params.channels.as_ref().map_or(1, Channels::count);
        let rate = params.sample_rate.unwrap_or(1);
        if frames > 65_536 || !(1..=64).contains(&channels) || !(1..=768_000).contains(&rate) {
            let what = format!(
                "{channels} channels at {rate} Hz in packets of {frames} frames are outside the limits"
            );
            return Err(CodecFault::Unsupported(what));
        }
        if let Some(feature) = missing_feature(params.codec) {
            return Err(lacks_feature(codec_name(params.codec).0, feature));
        }
        let options = AudioDecoderOptions::default().gapless(true);
        let decoder = catch_fault(|| Ok(get_codecs().make_audio_decoder(params, &options)?))?;
        Ok(Self {
            decoder: Some(decoder),
            params: params.clone(),
        })
    }

    /// Replaces the decoder by a new one. A reset is not enough where the state of a noise generator depends on all
    /// packets before, as in AAC.
    pub(crate) fn recreate(&mut self) -> Result<(), CodecFault> {
        *self = Self::make(&self.params)?;
        Ok(())
    }

    /// Decodes a packet and keeps its samples for [`copy`](Self::copy).
    pub(crate) fn decode(&mut self, packet: &Packet) -> Result<DecodedPacket, CodecFault> {
        let Some(decoder) = self.decoder.as_mut() else {
            return Err(CodecFault::Panicked("it failed before".into()));
        };
        let done = catch_fault(|| {
            let out: GenericAudioBufferRef<'_> = decoder.decode(&packet.raw)?;
            let spec = out.spec();
            let (channels, mask) = channel_mask(Some(spec.channels()));
            Ok(DecodedPacket {
                frames: out.frames(),
                rate: spec.rate(),
                channels: channels.unwrap_or(0),
                mask,
                is_cut: false,
            })
        });
        match done {
            Err(CodecFault::Panicked(what)) => {
                self.discard();
                Err(CodecFault::Panicked(what))
            }
            // The decoder sees one packet only: a packet that ends too early is damage, not a truncated file.
            Err(CodecFault::Truncated) => {
                Err(CodecFault::Damaged("a packet ends too early".into()))
            }
            other => other,
        }
    }

    /// Copies frames of the last decoded packet, from its frame `from` on: full scale ±1.0, one slice per channel in
    /// WAVE order, all of the same length.
    pub(crate) fn copy(&mut self, from: usize, to: &mut [&mut [f64]]) -> Result<(), CodecFault> {
        let Some(decoder) = self.decoder.as_mut() else {
            return Err(CodecFault::Panicked("it failed before".into()));
        };
        let frames = to.first().map_or(0, |t| t.len());
        let done = catch_fault(|| {
            decoder
                .last_decoded()
                .slice(from..from + frames)
                .copy_to_slice_planar::<f64, _>(to);
            Ok(())
        });
        if done.is_err() {
            self.discard();
        }
        done
    }

    /// Clears the overlap with the packet before. To be called after a seek.
    pub(crate) fn reset(&mut self) {
        if let Some(decoder) = self.decoder.as_mut() {
            let done = catch_fault(|| {
                decoder.reset();
                Ok(())
            });
            if done.is_err() {
                self.discard();
            }
        }
    }

    fn discard(&mut self) {
        drop_guarded(self.decoder.take());
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        self.discard();
    }
}

/// Returns the number of channels and their WAVE mask, 0 if they have no positions.
fn channel_mask(channels: Option<&Channels>) -> (Option<usize>, u32) {
    let mask = match channels {
        Some(Channels::Positioned(p)) => u32::try_from(p.bits()).unwrap_or(0),
        _ => 0,
    };
    (channels.map(Channels::count), mask)
}

fn is_pcm(codec: AudioCodecId) -> bool {
    use id::*;
    matches!(
        codec,
        CODEC_ID_PCM_S32LE
            | CODEC_ID_PCM_S32BE
            | CODEC_ID_PCM_S24LE
            | CODEC_ID_PCM_S24BE
            | CODEC_ID_PCM_S16LE
            | CODEC_ID_PCM_S16BE
            | CODEC_ID_PCM_S8
            | CODEC_ID_PCM_U8
            | CODEC_ID_PCM_F32LE
            | CODEC_ID_PCM_F32BE
            | CODEC_ID_PCM_F64LE
            | CODEC_ID_PCM_F64BE
    )
}

/// Returns the sample format of PCM and lossless codecs.
fn sample_format(params: &AudioCodecParameters) -> Option<Bits> {
    use id::*;
    match params.codec {
        CODEC_ID_PCM_F32LE | CODEC_ID_PCM_F32BE => Some(Bits {
            width: 32,
            float: true,
        }),
        CODEC_ID_PCM_F64LE | CODEC_ID_PCM_F64BE => Some(Bits {
            width: 64,
            float: true,
        }),
        c if is_pcm(c) || c == CODEC_ID_FLAC || c == CODEC_ID_ALAC => {
            // Some containers state a width of 0 and leave it to the codec's data.
            let width = params
                .bits_per_sample
                .and_then(|b| u16::try_from(b).ok())
                .filter(|b| *b > 0);
            width.map(|width| Bits {
                width,
                float: false,
            })
        }
        _ => None,
    }
}

fn lacks_feature(of: &str, feature: &str) -> CodecFault {
    let what = format!("{of} is not read by this build, which lacks the feature {feature}");
    CodecFault::Unsupported(what)
}

/// Returns the feature of this crate that decodes a codec, if the build lacks it.
fn missing_feature(codec: AudioCodecId) -> Option<&'static str> {
    use id::*;
    let (feature, is_on) = match codec {
        CODEC_ID_AAC => ("codecs-aac", cfg!(feature = "codecs-aac")),
        CODEC_ID_ADPCM_MS | CODEC_ID_ADPCM_IMA_WAV | CODEC_ID_ADPCM_IMA_QT => {
            ("codecs-adpcm", cfg!(feature = "codecs-adpcm"))
        }
        CODEC_ID_ALAC => ("codecs-alac", cfg!(feature = "codecs-alac")),
        CODEC_ID_MP1 | CODEC_ID_MP2 | CODEC_ID_MP3 => ("codecs-mp3", cfg!(feature = "codecs-mp3")),
        CODEC_ID_VORBIS => ("codecs-vorbis", cfg!(feature = "codecs-vorbis")),
        _ => return None,
    };
    (!is_on).then_some(feature)
}

/// Returns the name of a codec for messages and whether it is decoded.
fn codec_name(codec: AudioCodecId) -> (&'static str, bool) {
    use id::*;
    let name = match codec {
        pcm if is_pcm(pcm) => "PCM",
        CODEC_ID_PCM_ALAW => "A-law",
        CODEC_ID_PCM_MULAW => "mu-law",
        CODEC_ID_ADPCM_MS => "MS ADPCM",
        CODEC_ID_ADPCM_IMA_WAV | CODEC_ID_ADPCM_IMA_QT => "IMA ADPCM",
        CODEC_ID_VORBIS => "Vorbis",
        CODEC_ID_MP1 => "MP1",
        CODEC_ID_MP2 => "MP2",
        CODEC_ID_MP3 => "MP3",
        CODEC_ID_AAC => "AAC",
        CODEC_ID_FLAC => "FLAC",
        CODEC_ID_ALAC => "ALAC",
        CODEC_ID_OPUS => return ("Opus", false),
        CODEC_ID_SPEEX => return ("Speex", false),
        CODEC_ID_AC3 => return ("AC-3", false),
        CODEC_ID_EAC3 => return ("E-AC-3", false),
        CODEC_ID_AC4 => return ("AC-4", false),
        CODEC_ID_DCA => return ("DTS", false),
        CODEC_ID_TRUEHD => return ("TrueHD", false),
        CODEC_ID_WAVPACK => return ("WavPack", false),
        CODEC_ID_TTA => return ("True Audio", false),
        CODEC_ID_WMA => return ("Windows Media Audio", false),
        _ => return ("an unknown codec", false),
    };
    (name, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_have_names_and_are_decoded_or_not() {
        for (codec, name) in [
            (id::CODEC_ID_PCM_S16LE, "PCM"),
            (id::CODEC_ID_PCM_ALAW, "A-law"),
            (id::CODEC_ID_PCM_MULAW, "mu-law"),
            (id::CODEC_ID_ADPCM_MS, "MS ADPCM"),
            (id::CODEC_ID_ADPCM_IMA_WAV, "IMA ADPCM"),
            (id::CODEC_ID_ADPCM_IMA_QT, "IMA ADPCM"),
            (id::CODEC_ID_VORBIS, "Vorbis"),
            (id::CODEC_ID_MP1, "MP1"),
            (id::CODEC_ID_MP2, "MP2"),
            (id::CODEC_ID_MP3, "MP3"),
            (id::CODEC_ID_AAC, "AAC"),
            (id::CODEC_ID_FLAC, "FLAC"),
            (id::CODEC_ID_ALAC, "ALAC"),
        ] {
            assert_eq!(codec_name(codec), (name, true));
        }
        for (codec, name) in [
            (id::CODEC_ID_OPUS, "Opus"),
            (id::CODEC_ID_SPEEX, "Speex"),
            (id::CODEC_ID_AC3, "AC-3"),
            (id::CODEC_ID_EAC3, "E-AC-3"),
            (id::CODEC_ID_AC4, "AC-4"),
            (id::CODEC_ID_DCA, "DTS"),
            (id::CODEC_ID_TRUEHD, "TrueHD"),
            (id::CODEC_ID_WAVPACK, "WavPack"),
            (id::CODEC_ID_TTA, "True Audio"),
            (id::CODEC_ID_WMA, "Windows Media Audio"),
            (id::CODEC_ID_MONKEYS_AUDIO, "an unknown codec"),
        ] {
            assert_eq!(codec_name(codec), (name, false));
        }
    }

    #[test]
    fn a_sample_format_is_that_of_pcm_or_of_a_lossless_codec() {
        let format = |codec, bits| {
            let mut params = AudioCodecParameters::new();
            params.for_codec(codec);
            if let Some(bits) = bits {
                params.with_bits_per_sample(bits);
            }
            sample_format(&params).map(|bits| (bits.width, bits.float))
        };
        for codec in [id::CODEC_ID_PCM_S24LE, id::CODEC_ID_FLAC, id::CODEC_ID_ALAC] {
            assert_eq!(format(codec, Some(24)), Some((24, false)));
            assert_eq!((format(codec, Some(0)), format(codec, None)), (None, None));
        }
        for codec in [id::CODEC_ID_PCM_F32LE, id::CODEC_ID_PCM_F32BE] {
            assert_eq!(format(codec, Some(24)), Some((32, true)));
        }
        for codec in [id::CODEC_ID_PCM_F64LE, id::CODEC_ID_PCM_F64BE] {
            assert_eq!(format(codec, None), Some((64, true)));
        }
        for codec in [id::CODEC_ID_VORBIS, id::CODEC_ID_MP3, id::CODEC_ID_PCM_ALAW] {
            assert_eq!(format(codec, Some(16)), None);
        }
    }

    #[test]
    fn pcm_has_the_decoder_of_its_width_kind_and_order() {
        use PcmKind::{Float, Signed, Unsigned};
        let of = |kind, bytes, big_endian| {
            Pcm {
                bytes,
                kind,
                big_endian,
            }
            .id()
        };
        for big in [false, true] {
            let order = |little, other| Some(if big { other } else { little });
            assert_eq!(of(Signed, 1, big), Some(id::CODEC_ID_PCM_S8));
            assert_eq!(of(Unsigned, 1, big), Some(id::CODEC_ID_PCM_U8));
            let s16 = order(id::CODEC_ID_PCM_S16LE, id::CODEC_ID_PCM_S16BE);
            let s24 = order(id::CODEC_ID_PCM_S24LE, id::CODEC_ID_PCM_S24BE);
            let s32 = order(id::CODEC_ID_PCM_S32LE, id::CODEC_ID_PCM_S32BE);
            let f32 = order(id::CODEC_ID_PCM_F32LE, id::CODEC_ID_PCM_F32BE);
            let f64 = order(id::CODEC_ID_PCM_F64LE, id::CODEC_ID_PCM_F64BE);
            assert_eq!(
                [2, 3, 4].map(|bytes| of(Signed, bytes, big)),
                [s16, s24, s32]
            );
            assert_eq!([4, 8].map(|bytes| of(Float, bytes, big)), [f32, f64]);
            assert_eq!(of(Signed, 8, big), None);
            assert_eq!(of(Unsigned, 2, big), None);
            assert_eq!(of(Float, 3, big), None);
        }
    }
}
