//! Opens stems: the [`Source`] trait, files of every supported format as sources, and resampling.
//!
//! A file goes through these layers:
//!
//! - `sniff` recognises its format by content;
//! - `wav` reads plain WAVE by itself; `demux`, one file per container, finds the packets and the exact length of every
//!   other format, and `decoded_file` reads them with exact positions and seeks;
//! - `codec` decodes them: FLAC by itself, MPEG audio with `nanomp3`, all other codecs through `symphonia_adapter`;
//! - `edit_list` plays the pieces of an edit list;
//! - `panic_guard` converts panics of decoders and of sources that a program supplies into errors;
//! - `length_guard` delivers as many frames as the file promises, all of them finite;
//! - `resample` converts to the session's rate.
//!
//! `stem` puts them together for the plan, and `measured_source` keeps what the plan has opened for `reader`, which reads a
//! stem for the engine.

pub(crate) mod checksum;
pub(crate) mod chunk_reader;
mod codec;
mod codec_fault;
mod decoded_file;
mod decoded_packet;
mod demux;
mod edit_list;
mod input;
mod length_guard;
mod measured_source;
mod memory;
mod once;
mod one_channel;
mod packet_source;
mod packet_table;
mod panic_guard;
pub(crate) mod reader;
mod resample;
mod sniff;
mod sparse_reader;
pub(crate) mod stem;
mod symphonia_adapter;
mod wav;

use edit_list::EditedSource;

pub use input::{Damage, Input, Opener, ProgramFile};

pub use memory::{Memory, PcmSample};
pub use resample::Resampled;
#[cfg(feature = "session-file")]
pub(crate) use sniff::open_failure;
pub use stem::highest_rate;

use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Spec,
    storage::{InputFile, file_version::FileVersion},
    units::Frames,
};
use one_channel::OneChannel;
use std::path::Path;

pub use crate::diagnostics::FlawKind;
pub use wav::Wav;

/// A range of a source that could not be read and was replaced by silence of the same length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Kind of the fault.
    pub kind: FlawKind,
    /// The first silent frame, at the source's own rate.
    pub at: Frames,
    /// Number of silent frames.
    pub len: Frames,
    /// Description for messages.
    pub what: String,
}

/// A stream of audio of known rate and layout. Files are sources; a program can implement its own.
///
/// All positions are frames at the source's own rate. The mixer resamples, converts layouts and places.
///
/// ```
/// use soundtrack::{Block, Frames, Layout, Opener, Result, SampleRate, Session, Source, Spec, Track};
///
/// const SPEC: Spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
///
/// /// A second of a constant 0.25.
/// struct Constant(u64);
///
/// impl Source for Constant {
///     fn spec(&self) -> Spec {
///         SPEC
///     }
///     fn length(&self) -> Option<Frames> {
///         Some(Frames(48_000))
///     }
///     fn read(&mut self, out: &mut Block) -> Result<usize> {
///         let frames = out.capacity().min((48_000 - self.0) as usize);
///         out.fill(frames, 0.25);
///         self.0 += frames as u64;
///         Ok(frames)
///     }
///     fn seek(&mut self, to: Frames) -> Result<()> {
///         self.0 = to.0.min(48_000);
///         Ok(())
///     }
/// }
///
/// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Mono);
/// let open = Opener::new("constant", || Ok(Box::new(Constant(0)) as Box<dyn Source>));
/// mix.add_track(Track::new("constant", open));
/// assert_eq!(mix.render(Frames(100)..Frames(102))?, [[0.25, 0.25]]);
/// # Ok::<(), soundtrack::Error>(())
/// ```
pub trait Source: Send {
    /// Returns rate and layout, which never change.
    fn spec(&self) -> Spec;

    /// Returns the exact number of frames, if it is known without reading to the end. A source that gives fewer is an error, and
    /// frames beyond are not played.
    fn length(&self) -> Option<Frames>;

    /// Reads the next frames into the start of `out`, at most `out.capacity()`, sets `out.frames()` and returns the
    /// number of frames. It may be less than the capacity; only 0 means the end. `out` can be part of a larger block, so it
    /// is written and not replaced by another.
    ///
    /// # Errors
    /// `Corrupt` for data that cannot be read. Data that was replaced by silence is not an error but a
    /// [flaw](Self::flaws).
    fn read(&mut self, out: &mut Block) -> Result<usize>;

    /// Seeks to frame `to`. The next read returns the same samples as if everything before had been read; 0 frames at
    /// or past the end.
    ///
    /// # Errors
    /// `Corrupt` for data that cannot be read.
    fn seek(&mut self, to: Frames) -> Result<()>;

    /// Takes the flaws found since the last call.
    fn flaws(&mut self) -> Vec<Flaw> {
        Vec::new()
    }
}

/// Properties of a stem file, measured when it is opened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Info {
    /// Rate and layout.
    pub spec: Spec,
    /// WAVE channel mask as the file states it; 0 if it states none.
    pub channel_mask: u32,
    /// Length after trimming, at the file's rate, as measured from the data; headers are not trusted.
    pub frames: Frames,
    /// Number of frames at the end that are promised but not in the file; 0 for a complete file.
    pub missing: Frames,
    /// Container and codec: `WAV`, `FLAC`, `MP3`, `AAC in MP4`.
    pub codec: String,
    /// Sample format; `None` for lossy and companded codecs.
    pub bits: Option<Bits>,
    /// Encoder delay removed at the start, in frames.
    pub trimmed_start: Frames,
    /// Encoder padding removed at the end, in frames.
    pub trimmed_end: Frames,
    /// Time reference of a Broadcast WAVE file (EBU Tech 3285, `bext`): frames since midnight at the file's rate.
    pub time_reference: Option<Frames>,
    /// Number of audio streams in the file.
    pub streams: usize,
    /// Colour that a Native Instruments stem file gives the stem: `#rrggbb` in lower case.
    pub colour: Option<String>,
    /// Wrong lengths in headers, unknown alignment, slow seeks.
    pub remarks: Vec<Remark>,
}

/// Sample format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bits {
    /// Bits per sample.
    pub width: u16,
    /// Whether they are floating point.
    pub float: bool,
}

/// A property of a stem file that its user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remark {
    /// A header states another length than the data has, both in frames at the file's rate.
    HeaderLength {
        /// Length according to the header.
        stated: Frames,
        /// Length of the data, which is used.
        found: Frames,
    },
    /// The file is cut off, and nothing in it says how much is missing.
    CutOff,
    /// Further `data` chunks of a WAVE file, which are not used.
    UnusedAudio {
        /// Their length at the file's rate.
        frames: Frames,
    },
    /// The file states no encoder delay, so the audio may start up to two packets late.
    AlignmentUnknown,
    /// The timestamps of the container do not follow on. Silence that they state is in the stem. Where they go back or are
    /// damaged they are ignored, and the audio continues without a gap.
    TimestampGaps {
        /// Whether they are ignored.
        ignored: bool,
        /// Number of places.
        places: usize,
        /// Frames of all places together, at the file's rate.
        frames: Frames,
        /// Frame of the first place, at the file's rate.
        at: Frames,
    },
    /// Seeking decodes from the start of the file, because nothing less gives exact samples.
    SlowSeek,
}

/// Opens a stem file of any supported format: WAVE (RIFF, RF64, BW64), AIFF and AIFF-C, CAF, FLAC, Ogg (Vorbis and
/// FLAC), MP4 (AAC-LC, ALAC, FLAC, MP3), Matroska and WebM, MP1, MP2, MP3, and AAC-LC in ADTS. The format
/// is recognised by content, not by name.
///
/// `stream` selects one of several audio streams, counted from 1; `None` selects the first.
///
/// # Errors
/// `NotFound` for a file or stream that does not exist, `Unsupported` for an unsupported format, codec or channel
/// count, `Corrupt` for a file too damaged to open. The message names the file.
pub fn open(path: &Path, stream: Option<usize>) -> Result<(Box<dyn Source>, Info)> {
    open_versioned(path, sniff::sniff(path)?, stream).map(|(source, info, _)| (source, info))
}

/// Returns the names that a file states for its audio streams, in order: those of the stems of a Native
/// Instruments stem file (the JSON of its `stem` box), whose first stream is the mix, and of the tracks of
/// a Matroska file (RFC 9559, section 5.1.4.1.18). An empty text stands for a stream without a name;
/// formats that name no streams have none.
///
/// ```no_run
/// let names = soundtrack::media::stream_names("song.stem.mp4".as_ref())?;
/// println!("{}", names.join(", "));
/// # Ok::<(), soundtrack::Error>(())
/// ```
///
/// # Errors
/// `NotFound` for a file that does not exist, `Unsupported` for one of an unknown format, `Corrupt` for one
/// that cannot be read.
pub fn stream_names(path: &Path) -> Result<Vec<String>> {
    let (file, kind) = sniff::sniff(path)?;
    demux::stream_names(path, &file, kind)
}

/// Opens one channel of a stem file, or all of them, and returns its version as of before it was read. `path` is the name of
/// the file for messages.
fn open_channel(
    path: &Path,
    sniffed: (InputFile, sniff::FileKind),
    stream: Option<usize>,
    channel: Option<usize>,
) -> Result<(Box<dyn Source>, Info, Option<FileVersion>)> {
    let (source, mut info, version) = open_versioned(path, sniffed, stream)?;
    let Some(number) = channel else {
        return Ok((source, info, version));
    };
    let source = OneChannel::new(source, number, &path.display().to_string())?;
    info.spec = source.spec();
    info.channel_mask = 0;
    Ok((Box::new(source), info, version))
}

/// Opens a stem file like [`open`] and returns its version as of before it was read.
fn open_versioned(
    path: &Path,
    (file, kind): (InputFile, sniff::FileKind),
    stream: Option<usize>,
) -> Result<(Box<dyn Source>, Info, Option<FileVersion>)> {
    let version = file.version().cloned();
    if kind == sniff::FileKind::Wave
        && let Some((wav, info)) = wav::Wav::from_file(path, file.clone())?
    {
        if let Some(n) = stream.filter(|n| *n != 1) {
            let what = format!("audio stream {n} is not there; the file has 1");
            return Err(file_error(path, ErrorKind::NotFound, what));
        }
        return Ok((Box::new(wav), info, version));
    }
    let opened = decoded_file::DecodedFile::open(path, file.clone(), kind, stream);
    // A failed download, or a file that is being written to, explains any other error.
    if let Some(why) = file.integrity_error() {
        return Err(file_error(path, ErrorKind::Corrupt, why.to_string()).because(why));
    }
    let (source, mut info, pieces) = opened?;
    let mut source: Box<dyn Source> = Box::new(source);
    if !pieces.is_empty() {
        source = Box::new(EditedSource::new(source, pieces, &mut info));
    }
    Ok((source, info, version))
}

/// Makes an error whose message starts with the path as the caller gave it.
fn file_error(path: &Path, kind: ErrorKind, what: impl std::fmt::Display) -> Error {
    let name = path.display().to_string();
    Error::new(kind, format!("{name}: {what}")).in_file(name)
}
