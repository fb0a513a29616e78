//! The one place that talks to the demuxers and decoders of `symphonia`.
//!
//! Everything that comes out of here is in this crate's own types, panics of the foreign code are turned into
//! [`Fault::Panicked`] and the reader that panicked is gone for good, and nothing is allocated from a header before its
//! numbers are within limits. Timing, trimming, damage and lengths are the business of the files around this one.

use super::{
    codec_fault::{Fault, discard, guarded},
    sparse_reader::{Meter, SparseReader},
};
use std::{
    io::{self, Read},
    sync::atomic::Ordering::Relaxed,
};
use symphonia::{
    core::{
        audio::{Channels, GenericAudioBufferRef},
        codecs::{
            CodecParameters,
            audio::{AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known as id},
        },
        errors::Error,
        formats::{FormatOptions, FormatReader, SeekMode, SeekTo},
        io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions},
        packet::Packet as Raw,
        units::{Duration, Timestamp},
    },
    default::{
        formats::{AiffReader, CafReader, FlacReader, IsoMp4Reader, MkvReader, OggReader, WavReader},
        get_codecs,
    },
};

impl From<Error> for Fault {
    fn from(e: Error) -> Self {
        match e {
            Error::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof => Self::Cut,
            // Bit readers report the end of a packet, and the tape its lost patience, as errors of these kinds.
            Error::IoError(e) if matches!(e.kind(), io::ErrorKind::Other | io::ErrorKind::InvalidData) => {
                Self::Damaged(e.to_string())
            }
            Error::IoError(e) => Self::Io(e),
            Error::DecodeError(what) => Self::Damaged(what.into()),
            Error::Unsupported(what) => Self::Unsupported(what.into()),
            Error::LimitError(what) => Self::Damaged(format!("over the limit: {what}")),
            Error::ResetRequired => Self::Changed,
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// Containers whose demuxer is the foreign one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Aiff,
    Caf,
    Flac,
    FragmentedMp4,
    Matroska,
    Ogg,
    Wave,
}

/// Codecs whose packets this crate finds by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Mp1,
    Mp2,
    Mp3,
    Aac,
    Alac,
    Flac,
}

/// One audio stream of a container.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    /// The container's number for it.
    pub(crate) id: u32,
    /// The codec's name.
    pub(crate) codec: &'static str,
    /// Whether it is decoded.
    pub(crate) decoded: bool,
    pub(crate) rate: u32,
    /// `None` where the container does not say.
    pub(crate) channels: Option<usize>,
    /// The WAVE mask, 0 where there are no positions.
    pub(crate) mask: u32,
    pub(crate) bits: Option<(u16, bool)>,
    /// Length as the container states it.
    pub(crate) stated: Option<u64>,
    pub(crate) delay: u32,
    pub(crate) padding: u32,
    /// Position of the first frame in the container's time.
    pub(crate) start: i64,
    /// Whether every packet decodes by itself.
    pub(crate) pcm: bool,
    pub(crate) extra: Option<Box<[u8]>>,
    params: AudioCodecParameters,
}

impl Stream {
    /// Reports whether samples are A-law or mu-law, which a container stores like PCM.
    pub(crate) fn is_companded(&self) -> bool {
        matches!(self.params.codec, id::CODEC_ID_PCM_ALAW | id::CODEC_ID_PCM_MULAW)
    }

    pub(crate) fn is_ima_adpcm(&self) -> bool {
        matches!(self.params.codec, id::CODEC_ID_ADPCM_IMA_WAV | id::CODEC_ID_ADPCM_IMA_QT)
    }

    pub(crate) fn is_alac(&self) -> bool {
        self.params.codec == id::CODEC_ID_ALAC
    }

    pub(crate) fn is_flac(&self) -> bool {
        self.params.codec == id::CODEC_ID_FLAC
    }
}

/// A packet of one stream.
pub(crate) struct Packet {
    /// Position of its first frame that counts.
    pub(crate) at: i64,
    /// How many frames it should give.
    pub(crate) frames: u64,
    /// Its number in the file, counted from 1, for messages.
    pub(crate) number: u64,
    /// Whether it does not follow the packet before it.
    pub(crate) fresh: bool,
    raw: Raw,
}

impl Packet {
    /// A packet that was found without a demuxer.
    pub(crate) fn new(at: i64, frames: u64, number: u64, data: Vec<u8>) -> Self {
        Self { at, frames, number, fresh: false, raw: Raw::new(0, Timestamp::ZERO, Duration::from(frames), data) }
    }

    /// How many bytes it has.
    pub(crate) fn bytes(&self) -> u64 {
        u64::try_from(self.raw.data.len()).unwrap_or(u64::MAX)
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

/// A demuxer.
pub(crate) struct Demuxer {
    reader: Option<Box<dyn FormatReader>>,
    meter: Meter,
    stream: u32,
    number: u64,
}

impl Demuxer {
    /// Opens a container.
    pub(crate) fn open(container: Container, tape: SparseReader) -> Result<Self, Fault> {
        let meter = tape.meter();
        let reader = guarded(|| {
            let mut mss = MediaSourceStream::new(Box::new(tape), MediaSourceStreamOptions::default());
            let options = FormatOptions::default();
            Ok(match container {
                Container::Aiff => Box::new(AiffReader::try_new(mss, options)?) as Box<dyn FormatReader>,
                Container::Caf => Box::new(CafReader::try_new(mss, options)?),
                Container::Flac => Box::new(FlacReader::try_new(mss, options)?),
                Container::Matroska => Box::new(MkvReader::try_new(mss, options)?),
                Container::Ogg => Box::new(OggReader::try_new(mss, options)?),
                Container::Wave => Box::new(WavReader::try_new(mss, options)?),
                Container::FragmentedMp4 => {
                    // This one expects to stand behind the first four bytes, where a probe finds its marker.
                    mss.read_exact(&mut [0; 4]).map_err(Error::IoError)?;
                    Box::new(IsoMp4Reader::try_new(mss, options)?)
                }
            })
        })?;
        Ok(Self { reader: Some(reader), meter, stream: 0, number: 0 })
    }

    /// The audio streams in the order of the file.
    pub(crate) fn streams(&self) -> Vec<Stream> {
        let tracks = self.reader.iter().flat_map(|r| r.tracks());
        let audio = tracks.filter_map(|track| {
            let Some(CodecParameters::Audio(params)) = &track.codec_params else { return None };
            let rate = params.sample_rate.unwrap_or(0);
            let (channels, mask) = positions(params.channels.as_ref());
            let (codec, decoded) = name(params.codec);
            Some(Stream {
                id: track.id,
                codec,
                decoded,
                rate,
                channels,
                mask,
                bits: bits(params),
                stated: track.num_frames,
                delay: track.delay.unwrap_or(0),
                padding: track.padding.unwrap_or(0),
                start: track.start_ts.get(),
                pcm: is_pcm(params.codec),
                extra: params.extra_data.clone(),
                params: params.clone(),
            })
        });
        audio.collect()
    }

    /// From now on only packets of this stream count.
    pub(crate) fn select(&mut self, stream: &Stream) {
        self.stream = stream.id;
    }

    /// The next packet of the selected stream; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, Fault> {
        let Some(reader) = self.reader.as_mut() else { return Ok(None) };
        let meter = &self.meter;
        let stream = self.stream;
        let found = guarded(|| {
            loop {
                let packet = reader.next_packet()?;
                meter.store(0, Relaxed);
                match packet {
                    Some(p) if p.track_id != stream => {}
                    other => return Ok(other),
                }
            }
        });
        if matches!(found, Err(Fault::Panicked(_))) {
            self.discard();
        }
        self.number += 1;
        Ok(found?.map(|raw| Packet {
            at: raw.pts.get().saturating_add_unsigned(raw.trim_start.get()),
            frames: raw.dur.get(),
            number: self.number,
            fresh: false,
            raw,
        }))
    }

    /// Goes to a packet at or before a position.
    pub(crate) fn seek(&mut self, to: i64) -> Result<(), Fault> {
        let Some(reader) = self.reader.as_mut() else { return Err(Fault::Cut) };
        self.meter.store(0, Relaxed);
        let to = SeekTo::Timestamp { ts: Timestamp::new(to), track_id: self.stream };
        let done = guarded(|| Ok(reader.seek(SeekMode::Accurate, to)?));
        self.meter.store(0, Relaxed);
        if matches!(done, Err(Fault::Panicked(_))) {
            self.discard();
        }
        done.map(|_| ())
    }

    fn discard(&mut self) {
        discard(self.reader.take());
    }
}

impl Drop for Demuxer {
    fn drop(&mut self) {
        self.discard();
    }
}

/// What one packet gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) frames: usize,
    pub(crate) rate: u32,
    pub(crate) channels: usize,
    pub(crate) mask: u32,
}

/// A decoder.
pub(crate) struct Decoder {
    decoder: Option<Box<dyn AudioDecoder>>,
    params: AudioCodecParameters,
}

impl Decoder {
    /// A decoder for a stream of a demuxer. `verify` keeps the checksum that [`verified`](Self::verified) compares.
    pub(crate) fn of(stream: &Stream, verify: bool) -> Result<Self, Fault> {
        Self::make(&stream.params, verify)
    }

    /// A decoder for packets that were found without a demuxer.
    pub(crate) fn new(codec: Codec, rate: u32, channels: usize, extra: Option<Box<[u8]>>) -> Result<Self, Fault> {
        let mut params = AudioCodecParameters::new();
        params.for_codec(match codec {
            Codec::Mp1 => id::CODEC_ID_MP1,
            Codec::Mp2 => id::CODEC_ID_MP2,
            Codec::Mp3 => id::CODEC_ID_MP3,
            Codec::Aac => id::CODEC_ID_AAC,
            Codec::Alac => id::CODEC_ID_ALAC,
            Codec::Flac => id::CODEC_ID_FLAC,
        });
        params.with_sample_rate(rate);
        params.channels = match channels {
            1 => Some(symphonia::core::audio::layouts::CHANNEL_LAYOUT_MONO),
            2 => Some(symphonia::core::audio::layouts::CHANNEL_LAYOUT_STEREO),
            n => u16::try_from(n).ok().map(Channels::Discrete),
        };
        params.extra_data = extra;
        Self::make(&params, false)
    }

    fn make(params: &AudioCodecParameters, verify: bool) -> Result<Self, Fault> {
        // Decoders allocate their buffers from these numbers.
        let frames = params.max_frames_per_packet.unwrap_or(0).max(params.frames_per_block.unwrap_or(0));
        let channels = params.channels.as_ref().map_or(1, Channels::count);
        let rate = params.sample_rate.unwrap_or(1);
        if frames > 65_536 || !(1..=64).contains(&channels) || !(1..=768_000).contains(&rate) {
            let what = format!("{channels} channels at {rate} Hz in packets of {frames} frames are outside the limits");
            return Err(Fault::Unsupported(what));
        }
        let options = AudioDecoderOptions::default().gapless(true).verify(verify);
        let decoder = guarded(|| Ok(get_codecs().make_audio_decoder(params, &options)?))?;
        Ok(Self { decoder: Some(decoder), params: params.clone() })
    }

    /// Begins again as if nothing had been decoded. A reset is not enough where noise depends on all that came before.
    pub(crate) fn renew(&mut self) -> Result<(), Fault> {
        *self = Self::make(&self.params, false)?;
        Ok(())
    }

    /// Decodes a packet; [`copy`](Self::copy) gives its samples.
    pub(crate) fn decode(&mut self, packet: &Packet) -> Result<Decoded, Fault> {
        let Some(decoder) = self.decoder.as_mut() else { return Err(Fault::Panicked("it is gone".into())) };
        let done = guarded(|| {
            let out: GenericAudioBufferRef<'_> = decoder.decode(&packet.raw)?;
            let spec = out.spec();
            let (channels, mask) = positions(Some(spec.channels()));
            Ok(Decoded { frames: out.frames(), rate: spec.rate(), channels: channels.unwrap_or(0), mask })
        });
        match done {
            Err(Fault::Panicked(what)) => {
                self.discard();
                Err(Fault::Panicked(what))
            }
            // A packet that is too short for what it says is a damaged packet, not a cut file.
            Err(Fault::Cut) => Err(Fault::Damaged("a packet ends too early".into())),
            other => other,
        }
    }

    /// Copies frames of the packet that was decoded last, from its frame `from` on: one slice a channel in WAVE order, all
    /// of one length, full scale ±1.0.
    pub(crate) fn copy(&mut self, from: usize, to: &mut [&mut [f64]]) -> Result<(), Fault> {
        let Some(decoder) = self.decoder.as_mut() else { return Err(Fault::Panicked("it is gone".into())) };
        let frames = to.first().map_or(0, |t| t.len());
        let done = guarded(|| {
            decoder.last_decoded().slice(from..from + frames).copy_to_slice_planar::<f64, _>(to);
            Ok(())
        });
        if done.is_err() {
            self.discard();
        }
        done
    }

    /// Forgets the packet before: call it after a seek.
    pub(crate) fn reset(&mut self) {
        if let Some(decoder) = self.decoder.as_mut() {
            let done = guarded(|| {
                decoder.reset();
                Ok(())
            });
            if done.is_err() {
                self.discard();
            }
        }
    }

    /// Whether all that was decoded agrees with the file's checksum, if it has one.
    pub(crate) fn verified(&mut self) -> Option<bool> {
        let decoder = self.decoder.as_mut()?;
        guarded(|| Ok(decoder.finalize().verify_ok)).ok().flatten()
    }

    fn discard(&mut self) {
        discard(self.decoder.take());
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        self.discard();
    }
}

/// The number of channels and their WAVE mask.
fn positions(channels: Option<&Channels>) -> (Option<usize>, u32) {
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

/// The width of samples and whether they are floating point.
fn bits(params: &AudioCodecParameters) -> Option<(u16, bool)> {
    use id::*;
    match params.codec {
        CODEC_ID_PCM_F32LE | CODEC_ID_PCM_F32BE => Some((32, true)),
        CODEC_ID_PCM_F64LE | CODEC_ID_PCM_F64BE => Some((64, true)),
        c if is_pcm(c) || c == CODEC_ID_FLAC || c == CODEC_ID_ALAC => {
            // Some containers state 0 for a width that only the codec knows.
            params.bits_per_sample.and_then(|b| u16::try_from(b).ok()).filter(|b| *b > 0).map(|b| (b, false))
        }
        _ => None,
    }
}

/// The name of a codec and whether it is decoded.
fn name(codec: AudioCodecId) -> (&'static str, bool) {
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
