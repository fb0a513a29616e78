//! How a stem of each format is opened: its packets, its decoder, and its exact place and length in frames.
//!
//! Lengths are found by looking at the data: every packet is visited where a header cannot be trusted, the end of the
//! file is looked at where it can be. What a file promises and does not hold is told apart from what it holds.

pub(crate) mod aac;
mod boxed;
mod chunks;
mod flac;
mod frames;
mod movie;
mod mp4;
pub(crate) mod mpeg;
pub(crate) mod ogg;
mod xing;

use super::{
    Bits, Remark,
    codec_fault::Fault,
    packet_source::PacketSource,
    refuse,
    sniff::Kind,
    symphonia_adapter::{Decoded, Decoder, Stream},
};
use crate::{
    error::{Error, ErrorKind, Result},
    storage::InputFile,
    units::{Frames, SampleRate},
};
use std::path::Path;

/// Frames decoded before the wanted one after a seek, for codecs whose packets lean on earlier ones. The bit reservoir
/// of MP3 reaches back further the lower the bit rate is; at 16 kbit/s ten packets are enough.
const MPEG_PRE_ROLL: u64 = 11_520;

/// What is said of a file without audio.
/// The cause of a refusal of a container without audio streams.
#[derive(Debug)]
struct NoAudio;

impl std::fmt::Display for NoAudio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("there is no audio stream in it")
    }
}

impl std::error::Error for NoAudio {}

/// A stem that is ready to be read.
pub(crate) struct Opened {
    pub(crate) feed: PacketSource,
    pub(crate) decoder: Decoder,
    /// Container and codec, as people name them.
    pub(crate) codec: String,
    pub(crate) rate: SampleRate,
    pub(crate) channels: u8,
    pub(crate) mask: u32,
    pub(crate) bits: Option<Bits>,
    /// Position of frame 0 in the feed's count.
    pub(crate) origin: i64,
    /// Frames of silence that the file asks for before its first packet.
    pub(crate) lead: u64,
    pub(crate) frames: u64,
    pub(crate) missing: u64,
    pub(crate) trimmed: (u64, u64),
    pub(crate) streams: usize,
    pub(crate) remarks: Vec<Remark>,
    /// Whether a seek has to decode from the start.
    pub(crate) linear: bool,
    pub(crate) pre_roll: u64,
}

/// A place in the feed's count of frames, and what lies there.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    /// Position of frame 0.
    origin: i64,
    /// Position behind the last frame that is promised.
    end: i64,
    /// Position behind the last frame that is there.
    held: i64,
}

impl Extent {
    fn frames(&self) -> u64 {
        u64::try_from(self.end.saturating_sub(self.origin)).unwrap_or(0)
    }

    fn missing(&self) -> u64 {
        let held = u64::try_from(self.held.saturating_sub(self.origin)).unwrap_or(0);
        self.frames().saturating_sub(held)
    }
}

/// The file that is being opened.
struct Stem<'a> {
    path: &'a Path,
    file: &'a InputFile,
    /// The stream that is wanted, counted from 1.
    stream: Option<usize>,
}

/// Opens a stem of any format but WAVE.
pub(crate) fn open(path: &Path, file: &InputFile, kind: Kind, stream: Option<usize>) -> Result<Opened> {
    let stem = Stem { path, file, stream };
    match kind {
        Kind::Mpeg { start, fragment } => stem.mpeg(start, fragment),
        Kind::Adts { start } => stem.adts(start),
        Kind::Mp4 => stem.mp4(),
        Kind::Flac { start } => stem.flac(start),
        Kind::Ogg => stem.ogg(),
        Kind::Aiff => stem.aiff(),
        Kind::Caf => stem.caf(),
        Kind::Matroska => stem.matroska(),
        Kind::Wave => stem.wave(),
    }
}

impl Stem<'_> {
    fn refuse(&self, kind: ErrorKind, what: impl std::fmt::Display) -> Error {
        refuse(self.path, kind, what)
    }

    fn unsupported(&self, what: impl std::fmt::Display) -> Error {
        self.refuse(ErrorKind::Unsupported, format!("{what} is not supported"))
    }

    fn corrupt(&self, what: impl std::fmt::Display) -> Error {
        self.refuse(ErrorKind::Corrupt, what)
    }

    fn fault(&self, what: &str, fault: Fault) -> Error {
        let kind = match fault {
            Fault::Unsupported(_) | Fault::Changed => ErrorKind::Unsupported,
            _ => ErrorKind::Corrupt,
        };
        let error = self.refuse(kind, format!("{what}: {}", fault.reason()));
        if let Fault::Io(e) = fault { error.because(e) } else { error }
    }

    fn io(&self, e: std::io::Error) -> Error {
        self.corrupt(e.to_string()).because(e)
    }

    /// The index of the wanted one of `count` streams.
    fn chosen(&self, count: usize) -> Result<usize> {
        match self.stream {
            None if count > 0 => Ok(0),
            Some(n) if (1..=count).contains(&n) => Ok(n - 1),
            Some(n) if count > 0 => {
                let what = format!("audio stream {n} is not there; the file has {count}");
                Err(self.refuse(ErrorKind::NotFound, what))
            }
            _ => Err(self.refuse(ErrorKind::Unsupported, NoAudio).because(NoAudio)),
        }
    }

    /// The numbers of a stream within the limits of this crate.
    fn limits(&self, rate: u32, channels: usize) -> Result<(SampleRate, u8)> {
        let rate = SampleRate::new(rate).map_err(|e| self.refuse(ErrorKind::Unsupported, e.to_string()))?;
        let count = u8::try_from(channels).ok().filter(|n| (1..=64).contains(n));
        count
            .map(|n| (rate, n))
            .ok_or_else(|| self.refuse(ErrorKind::Unsupported, format!("{channels} channels are outside 1 to 64")))
    }

    fn stream_is_read(&self, stream: &Stream, container: &str) -> Result<()> {
        if !stream.decoded {
            return Err(self.unsupported(format!("{} in {container}", stream.codec)));
        }
        if stream.rate == 0 {
            return Err(self.corrupt(format!("{container}: the sample rate is 0 Hz")));
        }
        self.limits(stream.rate, stream.channels.unwrap_or(1)).map(|_| ())
    }

    /// Decodes the first packets to learn what really comes out, and goes back to the start.
    fn trial(&self, feed: &mut PacketSource, decoder: &mut Decoder, codec: &str) -> Result<Option<Decoded>> {
        let mut seen = None;
        let mut refusal = None;
        for _ in 0..16 {
            let Ok(Some(packet)) = feed.next() else { break };
            match decoder.decode(&packet) {
                Ok(out) if out.frames > 0 => {
                    seen = Some(out);
                    break;
                }
                Ok(_) | Err(Fault::Damaged(_)) => {}
                Err(fault @ Fault::Unsupported(_)) => refusal = Some(fault),
                Err(fault) => return Err(self.fault(codec, fault)),
            }
        }
        // Damage can look like a feature that is not supported; that nothing else comes is no damage.
        if let (None, Some(fault)) = (seen, refusal) {
            return Err(self.fault(codec, fault));
        }
        feed.seek(i64::MIN).and_then(|()| decoder.renew()).map_err(|f| self.fault(codec, f))?;
        Ok(seen)
    }

    /// The time of a frame, for messages.
    fn clock(rate: u32, frame: u64) -> String {
        SampleRate::new(rate).map_or_else(|_| format!("frame {frame}"), |rate| Frames(frame).clock(rate))
    }
}
