//! Writes audio: the [`Sink`] trait, its sinks for files and memory, and the formats of files.
//!
//! Files are written by [`FileSink`] and [`WriterSink`]: the `Encoder` of the container produces the bytes, and an
//! atomic file of [`storage`](crate::storage), or a writer of the program, stores them. `containers.rs` explains how to add a
//! container.

mod containers;
mod dithered;
mod file_sink;
#[cfg(feature = "flac-output")]
mod flac;
#[cfg(not(feature = "flac-output"))]
mod flac_missing;
mod format;
mod memory;
mod metadata;
mod options;
pub(crate) mod slice;
mod stream;
mod stream_sink;
mod wav;

pub use containers::Container;
pub use dithered::{Dither, Dithered, Shaping, UnknownShaping};
pub use file_sink::FileSink;
pub(crate) use file_sink::{CompleteOutput, DryRunSink, publish};
pub use format::{Encoding, Format, UnknownFormat};
pub use memory::MemorySink;
pub use metadata::{AlbumLoudness, Family, FileLoudness, Metadata};
pub use options::Options;
pub use slice::Slice;
use stream::EncodedStream;
pub use stream_sink::WriterSink;

use crate::{block::Block, dsp::quantise::Tally, error::Result, units::Frames};
use std::{fmt, path::PathBuf};

/// Receives rendered audio, for example a file, a buffer in memory, a device, or a sink of the
/// embedding program.
///
/// ```
/// use soundtrack::{Block, Bounce, Layout, Options, Plan, Renderer, Result, SampleRate, Session, Sink, Spec, Track};
/// use soundtrack::{encode::Written, media::Memory};
///
/// /// Keeps the largest amplitude.
/// #[derive(Default)]
/// struct Peak(f64);
///
/// impl Sink for Peak {
///     fn write(&mut self, block: &Block) -> Result<()> {
///         for sample in block.channels().flatten() {
///             self.0 = self.0.max(sample.abs());
///         }
///         Ok(())
///     }
///     fn finish(&mut self) -> Result<Written> {
///         Ok(Written::default())
///     }
/// }
///
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut mix = Session::new(spec.rate, spec.layout);
/// mix.add_track(Track::new("click", Memory::new(spec, vec![vec![0.0, -0.5, 0.25]])?));
/// let mut peak = Peak::default();
/// Bounce::new().into_sink(&mut Renderer::new(Plan::compile(&mix)?, &Options::default())?, &mut peak)?;
/// assert_eq!(peak.0, 0.5);
/// # Ok::<(), soundtrack::Error>(())
/// ```
pub trait Sink {
    /// Writes the frames of a block. A file sink does not block for long; a device sink blocks
    /// until the device accepts more.
    ///
    /// # Errors
    /// `Output` or `Device` if the frames cannot be written.
    fn write(&mut self, block: &Block) -> Result<()>;

    /// Completes the output and makes it visible. Called once, after the last block.
    ///
    /// A file sink that is dropped without `finish` leaves no file.
    ///
    /// # Errors
    /// `Output` or `Device` if the output cannot be completed.
    fn finish(&mut self) -> Result<Written>;
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn write(&mut self, block: &Block) -> Result<()> {
        (**self).write(block)
    }

    fn finish(&mut self) -> Result<Written> {
        (**self).finish()
    }
}

/// Result of a finished sink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Number of frames written.
    pub frames: Frames,
    /// Path of the file; `None` if the output is not a file.
    pub path: Option<PathBuf>,
    /// Size of the file in bytes; 0 if the output is not a file.
    pub bytes: u64,
    /// Number of samples clipped to the range of an integer format.
    pub clipped: u64,
    /// Number of non-finite samples, written as 0.
    pub non_finite: u64,
}

impl Written {
    /// Returns what an encoder knows: the samples that did not fit.
    pub(crate) fn of_samples(tally: Tally) -> Self {
        Self {
            clipped: tally.clipped,
            non_finite: tally.non_finite,
            ..Self::default()
        }
    }
}

/// Converts blocks to the bytes of one container: a header, the blocks in order, and a trailer.
/// [`EncodedStream`] writes the bytes and checks that the blocks have the expected channels and
/// total length.
pub(crate) trait Encoder: fmt::Debug + Send + Sync {
    /// Returns the bytes before the audio. Their number never changes.
    fn header(&self) -> &[u8];

    /// Returns true if [`header`](Self::header) may have other values after
    /// [`finish`](Self::finish), so that it must be written again.
    fn has_final_header(&self) -> bool;

    /// Returns the maximum size of the whole file in bytes. So much disk space must be free.
    fn size(&self) -> u64;

    /// Sets the loudness of the file, which the final header states.
    fn set_loudness(&mut self, _: FileLoudness) {}

    /// Replaces the content of `out` by the bytes that are complete with a block. The error is a
    /// message that explains why the block cannot be encoded.
    fn encode(&mut self, block: &Block, out: &mut Vec<u8>) -> std::result::Result<(), String>;

    /// Writes the remaining bytes to `out`, which is empty. Returns the counts of clipped and
    /// non-finite samples.
    fn finish(&mut self, out: &mut Vec<u8>) -> std::result::Result<Written, String>;
}
