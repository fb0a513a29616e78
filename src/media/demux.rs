//! Opens stems of every format but plain WAVE: finds the packets, makes the decoder, and measures the exact start and
//! length in frames.
//!
//! One file per container. Each starts with what `symphonia`'s demuxer lacks for that container and what is added here:
//!
//! | file | containers | packets from |
//! |---|---|---|
//! | `flac` | native FLAC | own search |
//! | `ogg` | Ogg (Vorbis, FLAC) | own table |
//! | `mp4` | MP4, M4A, QuickTime | own table |
//! | `matroska` | Matroska, WebM | own table |
//! | `aiff`, `caf` | AIFF, AIFF-C; CAF | demuxer |
//! | `mpeg` | MPEG audio layers I to III | own table |
//! | `adts` | AAC in ADTS | own table |
//! | `compressed_wave` | WAVE with a codec other than PCM | demuxer; own table for MP3 |
//!
//! Shared parts: `timeline` (places packets where their container says), `coded_stream` (codecs as containers describe
//! them), `vorbis` (lengths of Vorbis packets), `frame_scan` (streams of frames without a container), `iff` (chunk
//! headers), `aac` (what the AAC decoder cannot decode).
//!
//! Lengths in headers are not trusted. Where packets are cheap to list all of them are listed; otherwise the end of the
//! file is checked. [`AudioExtent`] keeps what a file promises apart from what it contains.

mod aac;
mod adts;
mod aiff;
mod bytes;
mod caf;
mod coded_stream;
mod compressed_wave;
pub(crate) mod flac;
pub(crate) mod frame_scan;
mod iff;
mod matroska;
mod mp4;
pub(crate) mod mpeg;
mod ogg;
mod timeline;
mod vorbis;

use super::{
    Bits, Remark,
    codec::Decoder,
    codec_fault::CodecFault,
    decoded_packet::DecodedPacket,
    edit_list::EditPiece,
    file_error,
    packet_source::{DemuxedStream, PacketSource},
    sniff::FileKind,
    sparse_reader::FileView,
    symphonia_adapter::{AudioStream, Container},
};
use crate::{
    error::{Error, ErrorKind, Result},
    storage::InputFile,
    units::{Frames, SampleRate},
};
use std::path::Path;

/// Packets that are decoded to find out the real rate and channels of a stream.
const MAX_TRIAL_PACKETS: usize = 16;

/// Number of bytes without a frame or page after which the rest of a file is not searched further.
const MAX_JUNK_BYTES: u64 = 16 << 20;

/// A stem that is ready to be read.
pub(crate) struct OpenedStem {
    pub(crate) packets: PacketSource,
    pub(crate) decoder: Decoder,
    /// Container and codec as users know them: `FLAC`, `AAC in MP4`.
    pub(crate) codec: String,
    pub(crate) rate: SampleRate,
    pub(crate) channels: u8,
    /// WAVE channel mask; 0 if the channels have no positions.
    pub(crate) mask: u32,
    pub(crate) bits: Option<Bits>,
    /// Packet position of frame 0 of the stem.
    pub(crate) origin: i64,
    /// Frames of silence that the file asks for at its start.
    pub(crate) leading_silence: u64,
    /// The pieces of an edit list that jumps; empty if the stem is one piece.
    pub(crate) pieces: Vec<EditPiece>,
    /// Length in frames, the missing ones included.
    pub(crate) frames: u64,
    /// Frames at the end that the file promises and does not contain.
    pub(crate) missing: u64,
    /// Encoder delay removed at the start, in frames.
    pub(crate) trimmed_start: u64,
    /// Encoder padding removed at the end, in frames.
    pub(crate) trimmed_end: u64,
    /// Number of audio streams in the file.
    pub(crate) streams: usize,
    /// Colour that the file gives the stem: `#rrggbb`.
    pub(crate) colour: Option<String>,
    pub(crate) remarks: Vec<Remark>,
    /// Whether a seek has to decode from the start of the stream to be exact.
    pub(crate) seeks_from_start: bool,
    /// Frames to decode before the target of a seek.
    pub(crate) pre_roll: u64,
}

/// Start and end of a stem, as packet positions in frames.
#[derive(Clone, Copy, Debug, Default)]
struct AudioExtent {
    /// Position of frame 0 of the stem.
    origin: i64,
    /// Exclusive end that the file promises.
    end: i64,
    /// Exclusive end of what the file contains.
    available_end: i64,
}

impl AudioExtent {
    fn frames(&self) -> u64 {
        unsigned(self.end.saturating_sub(self.origin))
    }

    fn missing(&self) -> u64 {
        self.frames()
            .saturating_sub(unsigned(self.available_end.saturating_sub(self.origin)))
    }
}

/// Positions of the packets of a stream.
#[derive(Clone, Copy, Debug, Default)]
struct PacketSpan {
    /// Position of the last packet.
    last: i64,
    /// Exclusive end of the packet that ends last.
    end: i64,
    /// Size of all packets together.
    bytes: u64,
}

/// Reason why a demuxer could not be opened on the wanted stream.
enum OpenFailure {
    /// The demuxer lists no audio stream.
    NoAudio,
    Demuxer(CodecFault),
    Refused(Error),
}

/// The file that is being opened.
struct StemFile<'a> {
    path: &'a Path,
    file: &'a InputFile,
    /// Number of the wanted audio stream, from 1; `None` for the first.
    stream: Option<usize>,
}

/// Opens a stem of any format but plain WAVE.
///
/// # Errors
/// As of [`media::open`](super::open).
pub(crate) fn open(
    path: &Path,
    file: &InputFile,
    kind: FileKind,
    stream: Option<usize>,
) -> Result<OpenedStem> {
    let stem = StemFile { path, file, stream };
    match kind {
        FileKind::Mpeg { start, fragment } => stem.open_mpeg(start, fragment, 0),
        FileKind::Adts { start } => stem.open_adts(start),
        FileKind::Mp4 => stem.open_mp4(),
        FileKind::Flac { start } => stem.open_flac(start),
        FileKind::Ogg => stem.open_ogg(),
        FileKind::Aiff => stem.open_aiff(),
        FileKind::Caf => stem.open_caf(),
        FileKind::Matroska => stem.open_matroska(),
        FileKind::Wave => stem.open_compressed_wave(),
    }
}

/// Returns the names that a file states for its audio streams, in order; empty texts for streams without,
/// and nothing for formats that name no streams.
pub(super) fn stream_names(path: &Path, file: &InputFile, kind: FileKind) -> Result<Vec<String>> {
    let stem = StemFile {
        path,
        file,
        stream: None,
    };
    match kind {
        FileKind::Mp4 => stem.mp4_names(),
        FileKind::Matroska => stem.matroska_names(),
        _ => Ok(Vec::new()),
    }
}

/// Returns the sample rate that the header of a file states, for formats in which no decoder can tell another; `None` for the
/// others.
pub(super) fn stated_rate(file: &InputFile, kind: FileKind) -> Option<SampleRate> {
    match kind {
        FileKind::Flac { start } => flac::stated_rate(file, start),
        _ => None,
    }
}

/// Opening containers through their demuxer.
impl StemFile<'_> {
    /// Opens a container and selects the wanted stream; returns the number of audio streams, too. `order` sorts the
    /// streams into the order of the file.
    fn demux(
        &self,
        container: Container,
        name: &str,
        view: FileView,
        order: impl Fn(&AudioStream) -> usize,
    ) -> Result<(DemuxedStream, usize)> {
        self.try_demux(container, name, view, order)
            .map_err(|failure| self.open_error(name, failure))
    }

    fn try_demux(
        &self,
        container: Container,
        name: &str,
        view: FileView,
        order: impl Fn(&AudioStream) -> usize,
    ) -> Result<(DemuxedStream, usize), OpenFailure> {
        let mut refusal = None;
        let mut count = 0;
        let choose = |mut streams: Vec<AudioStream>| {
            streams.sort_by_key(order);
            count = streams.len();
            self.choose_stream(streams, name).map_err(|failure| {
                refusal = Some(failure);
                CodecFault::Unsupported(String::new())
            })
        };
        let opened = DemuxedStream::open(container, self.file, view, choose);
        match (opened, refusal) {
            (Ok(demuxed), _) => Ok((demuxed, count)),
            (Err(_), Some(refusal)) => Err(refusal),
            (Err(fault), None) => Err(OpenFailure::Demuxer(fault)),
        }
    }

    fn choose_stream(
        &self,
        streams: Vec<AudioStream>,
        container: &str,
    ) -> Result<AudioStream, OpenFailure> {
        let index = match self.stream_index(streams.len()) {
            Ok(Some(index)) => index,
            Ok(None) => return Err(OpenFailure::NoAudio),
            Err(e) => return Err(OpenFailure::Refused(e)),
        };
        let stream = streams.into_iter().nth(index).ok_or(OpenFailure::NoAudio)?;
        self.check_stream(&stream, container)
            .map_err(OpenFailure::Refused)?;
        Ok(stream)
    }

    fn open_error(&self, container: &str, failure: OpenFailure) -> Error {
        match failure {
            OpenFailure::NoAudio => self.no_audio(),
            OpenFailure::Demuxer(fault) => self.codec_error(container, fault),
            OpenFailure::Refused(e) => e,
        }
    }

    /// Reads all packets without decoding them, from where the demuxer stands, and returns their positions; zeros if
    /// there are none. A truncated end is no error.
    fn scan_packets(&self, demuxed: &mut DemuxedStream, name: &str) -> Result<PacketSpan> {
        let mut span: Option<PacketSpan> = None;
        loop {
            match demuxed.next() {
                Ok(Some(packet)) => {
                    let end = packet.at.saturating_add_unsigned(packet.frames);
                    let span = span.get_or_insert(PacketSpan {
                        last: packet.at,
                        end,
                        bytes: 0,
                    });
                    span.last = packet.at;
                    span.bytes += packet.size();
                    span.end = span.end.max(end);
                }
                Ok(None) | Err(CodecFault::Truncated) => return Ok(span.unwrap_or_default()),
                Err(fault) => {
                    let at = clock(
                        demuxed.stream().rate,
                        unsigned(span.unwrap_or_default().end),
                    );
                    return Err(self.codec_error(&format!("{name}: at {at}"), fault));
                }
            }
        }
    }

    /// Makes the decoder of a demuxed stream and completes the stem with what it really decodes to.
    fn finish(
        &self,
        mut packets: PacketSource,
        stream: &AudioStream,
        codec: String,
        extent: AudioExtent,
    ) -> Result<OpenedStem> {
        let mut decoder = Decoder::for_stream(stream).map_err(|f| self.codec_error(&codec, f))?;
        let decoded = self.decode_first(&mut packets, &mut decoder, &codec)?;
        let (rate, channels, mask) = match decoded {
            Some(out) => (out.rate, out.channels, out.mask),
            None => (stream.rate, stream.channels.unwrap_or(1), stream.mask),
        };
        let (rate, channels) = self.check_limits(rate, channels)?;
        Ok(OpenedStem {
            colour: None,
            packets,
            decoder,
            codec,
            rate,
            channels,
            mask,
            bits: stream.bits,
            origin: extent.origin,
            leading_silence: 0,
            pieces: Vec::new(),
            frames: extent.frames(),
            missing: extent.missing(),
            trimmed_start: 0,
            trimmed_end: 0,
            streams: 1,
            remarks: Vec::new(),
            seeks_from_start: false,
            pre_roll: 0,
        })
    }

    /// Decodes packets until one gives audio, and rewinds: headers can be wrong about rate and channels. `None` if
    /// none of the first packets decodes.
    fn decode_first(
        &self,
        packets: &mut PacketSource,
        decoder: &mut Decoder,
        codec: &str,
    ) -> Result<Option<DecodedPacket>> {
        let mut decoded = None;
        let mut unsupported = None;
        for _ in 0..MAX_TRIAL_PACKETS {
            let Ok(Some(packet)) = packets.next() else {
                break;
            };
            match decoder.decode(&packet) {
                Ok(out) if out.frames > 0 => {
                    decoded = Some(out);
                    break;
                }
                Ok(_) | Err(CodecFault::Damaged(_)) => {}
                // One damaged packet can look like an unsupported feature; only if no packet decodes it is one.
                Err(fault @ CodecFault::Unsupported(_)) => unsupported = Some(fault),
                Err(fault) => return Err(self.codec_error(codec, fault)),
            }
        }
        if let (None, Some(fault)) = (decoded, unsupported) {
            return Err(self.codec_error(codec, fault));
        }
        packets
            .seek(i64::MIN)
            .and_then(|()| decoder.recreate())
            .map_err(|f| self.codec_error(codec, f))?;
        Ok(decoded)
    }
}

/// Checks and errors.
impl StemFile<'_> {
    /// Returns the index of the wanted one of `count` streams; `None` if there are no streams.
    fn stream_index(&self, count: usize) -> Result<Option<usize>> {
        match self.stream {
            _ if count == 0 => Ok(None),
            None => Ok(Some(0)),
            Some(n) if (1..=count).contains(&n) => Ok(Some(n - 1)),
            Some(n) => {
                let what = format!("audio stream {n} is not there; the file has {count}");
                Err(self.error(ErrorKind::NotFound, what))
            }
        }
    }

    /// Checks that stream 1 is wanted, for containers that hold only one.
    fn check_single_stream(&self) -> Result<()> {
        self.stream_index(1).map(|_| ())
    }

    fn check_stream(&self, stream: &AudioStream, container: &str) -> Result<()> {
        if !stream.supported {
            return Err(self.unsupported(format!("{} in {container}", stream.codec)));
        }
        if stream.rate == 0 {
            return Err(self.corrupt(format!("{container}: the sample rate is 0 Hz")));
        }
        self.check_limits(stream.rate, stream.channels.unwrap_or(1))
            .map(|_| ())
    }

    /// Converts rate and channel count, if they are within the limits of this crate.
    fn check_limits(&self, rate: u32, channels: usize) -> Result<(SampleRate, u8)> {
        let rate =
            SampleRate::new(rate).map_err(|e| self.error(ErrorKind::Unsupported, e.to_string()))?;
        match u8::try_from(channels) {
            Ok(count @ 1..=64) => Ok((rate, count)),
            _ => Err(self.error(
                ErrorKind::Unsupported,
                format!("{channels} channels are outside 1 to 64"),
            )),
        }
    }

    /// Converts a rate that need not be whole.
    fn exact_rate(&self, hz: f64) -> Result<SampleRate> {
        SampleRate::from_f64(hz).map_err(|e| self.error(ErrorKind::Unsupported, e.to_string()))
    }

    fn error(&self, kind: ErrorKind, what: impl std::fmt::Display) -> Error {
        file_error(self.path, kind, what)
    }

    fn no_audio(&self) -> Error {
        self.error(ErrorKind::Unsupported, "there is no audio stream in it")
    }

    fn unsupported(&self, what: impl std::fmt::Display) -> Error {
        self.error(ErrorKind::Unsupported, format!("{what} is not supported"))
    }

    fn corrupt(&self, what: impl std::fmt::Display) -> Error {
        self.error(ErrorKind::Corrupt, what)
    }

    fn codec_error(&self, what: &str, fault: CodecFault) -> Error {
        let kind = match fault {
            CodecFault::Unsupported(_) | CodecFault::StreamChanged => ErrorKind::Unsupported,
            _ => ErrorKind::Corrupt,
        };
        let error = self.error(kind, format!("{what}: {}", fault.reason()));
        if let CodecFault::Io(e) = fault {
            error.because(e)
        } else {
            error
        }
    }

    fn io_error(&self, e: std::io::Error) -> Error {
        self.corrupt(e.to_string()).because(e)
    }
}

/// Formats the time of a frame for messages; as a frame number where the rate is invalid.
fn clock(rate: u32, frame: u64) -> String {
    SampleRate::new(rate).map_or_else(
        |_| format!("frame {frame}"),
        |rate| Frames(frame).clock(rate),
    )
}

/// Converts a position to a count of frames; 0 if it precedes the start.
pub(super) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// Converts a count of frames to a position; saturates, because no file is that long.
pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
