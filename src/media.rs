//! Where audio comes from: the trait, what a file tells about itself, and the one place that opens files.

mod codec_fault;
mod decoded_file;
mod demux;
mod input;
mod length_guard;
mod memory;
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

pub use input::{Damage, Input, Opener};

pub use memory::Memory;
pub use resample::Resampled;
pub use stem::highest_rate;

use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Spec,
    storage::file_version::FileVersion,
    units::Frames,
};
use std::path::Path;

pub use crate::diagnostics::FlawKind;
pub use wav::Wav;

/// A stretch of a source that is not as it should be, and was replaced by silence of the same length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong with it.
    pub kind: FlawKind,
    /// The first silent frame, at the source's own rate.
    pub at: Frames,
    /// How many frames are silent.
    pub len: Frames,
    /// What was wrong, for people.
    pub what: String,
}

/// Where audio comes from. Files are read by this crate; an embedding program can bring its own.
///
/// All frames count at the source's own rate. The reader above it resamples, folds and places.
pub trait Source: Send {
    /// Rate and layout, fixed for life.
    fn spec(&self) -> Spec;

    /// The exact number of frames, if it is known without reading to the end.
    fn length(&self) -> Option<Frames>;

    /// Fills `out` from its start with the next frames, at most `out.capacity()`, sets `out.frames()`, and returns how
    /// many. May return fewer than there is room for; 0 is the end and never an error.
    ///
    /// # Errors
    /// `Corrupt` for data that cannot be read. What was replaced by silence is no error here: see [`flaws`](Self::flaws).
    fn read(&mut self, out: &mut Block) -> Result<usize>;

    /// Goes to a frame. Exact: the next read starts at `to`, with the same samples as if everything before had been
    /// read. At or past the end the next read returns 0.
    ///
    /// # Errors
    /// `Corrupt` for data that cannot be read on the way.
    fn seek(&mut self, to: Frames) -> Result<()>;

    /// Takes the flaws met since the last call.
    fn flaws(&mut self) -> Vec<Flaw> {
        Vec::new()
    }
}

/// What a stem file is, found by opening it.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// Rate and layout.
    pub spec: Spec,
    /// Length of the stem after trimming, at its own rate. Found by looking at the data, not believed from a header.
    pub frames: Frames,
    /// How many of those frames at the end the file promises but does not hold; 0 for a whole file.
    pub missing: Frames,
    /// Container and codec, as people name them: `WAV`, `FLAC`, `MP3`, `AAC in MP4`.
    pub codec: String,
    /// Bits of a sample, where the format has such a number, and whether they are floating point.
    pub bits: Option<Bits>,
    /// Encoder delay removed at the start, in frames.
    pub trimmed_start: Frames,
    /// Encoder padding removed at the end, in frames.
    pub trimmed_end: Frames,
    /// The Broadcast-WAV time reference, frames since midnight at the file's rate.
    pub time_reference: Option<Frames>,
    /// How many audio streams the file holds.
    pub streams: usize,
    /// What is worth knowing: lengths in headers that are wrong, alignment that is unknown.
    pub remarks: Vec<Remark>,
}

/// The width of a file's samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits {
    /// Bits of a sample.
    pub width: u16,
    /// Whether they are floating point.
    pub float: bool,
}

/// Something about a stem file that its user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remark {
    /// A header states another length than the data has (both in frames at the file's rate).
    HeaderLength {
        /// What the header says.
        stated: Frames,
        /// What was found, and is used.
        found: Frames,
    },
    /// The format stores no encoder delay, so the start may be late by one codec frame or two.
    AlignmentUnknown,
    /// A stretch of the file cannot be reached exactly by seeking: the file is decoded from its start instead.
    SlowSeek,
}

/// Opens a stem file of any format that is read: WAVE (RIFF, RF64, BW64), AIFF and AIFF-C, CAF, FLAC, Ogg (Vorbis and
/// FLAC), MP4 (AAC-LC, ALAC, FLAC, MP3), Matroska and WebM, MP1, MP2, MP3, and AAC-LC in ADTS. The content decides, not
/// the name.
///
/// `stream` chooses among the audio streams of a file that has several, counted from 1; without it the first is read.
///
/// # Errors
/// `NotFound` for a file or a stream that is not there, `Unsupported` for a format, codec or channel count that is not
/// read, by its name, `Corrupt` for a file that is damaged beyond reading. All name the file.
pub fn open(path: &Path, stream: Option<usize>) -> Result<(Box<dyn Source>, Info)> {
    stamped(path, stream).map(|(source, info, _)| (source, info))
}

/// The same, and the file as it was before anything of it was read.
fn stamped(path: &Path, stream: Option<usize>) -> Result<(Box<dyn Source>, Info, Option<FileVersion>)> {
    let (file, kind) = sniff::sniff(path)?;
    let stamp = file.stamp().cloned();
    if kind == sniff::Kind::Wave
        && let Some((wav, info)) = wav::Wav::of(path, file.clone())?
    {
        if let Some(n) = stream.filter(|n| *n != 1) {
            let what = format!("audio stream {n} is not there; the file has 1");
            return Err(refuse(path, ErrorKind::NotFound, what));
        }
        return Ok((Box::new(wav), info, stamp));
    }
    let opened = decoded_file::DecodedFile::open(path, file.clone(), kind, stream);
    // What could not be had is neither damaged nor missing; a file that others write to was so.
    if let Some(why) = file.trouble() {
        return Err(refuse(path, ErrorKind::Corrupt, why.to_string()).because(why));
    }
    let (media, info) = opened?;
    Ok((Box::new(media), info, stamp))
}

/// An error that names the file as it was given.
fn refuse(path: &Path, kind: ErrorKind, what: impl std::fmt::Display) -> Error {
    Error::new(kind, format!("{}: {what}", path.display()))
}
