//! Writes audio: the [`Sink`] trait, its sinks for files and memory, and the formats of files.
//!
//! A file goes through [`FileSink`], whatever its format: the `Encoder` of its container makes the bytes, and an atomic
//! file of [`storage`](crate::storage) takes them. `containers.rs` says what a new container takes.

mod containers;
mod dithered;
mod file_sink;
mod format;
mod memory;
mod options;
pub(crate) mod slice;
mod stream;
mod wav;

pub use containers::Container;
pub use dithered::{Dither, Dithered, Shaping, UnknownShaping};
pub use file_sink::FileSink;
pub(crate) use file_sink::{CompleteAudio, DryRunSink, publish};
pub use format::{Encoding, Format, UnknownFormat};
pub use memory::Memory;
pub use options::{Broadcast, Options};
pub use slice::Slice;
use stream::EncodedStream;

use crate::{block::Block, error::Result, units::Frames};
use std::{fmt, path::PathBuf};

/// Takes rendered audio: into a file, memory, a device, or an embedding program's own.
pub trait Sink {
    /// Takes the block's frames. A file returns at once; a device waits until it can take more.
    ///
    /// # Errors
    /// `Output` or `Device` where the frames cannot be taken.
    fn write(&mut self, block: &Block) -> Result<()>;

    /// Makes the output complete and visible. Errors are seen here, not in `drop`; a file sink that is dropped without
    /// `finish` leaves no file. Called once, after the last block.
    ///
    /// # Errors
    /// `Output` or `Device` where the output cannot be completed.
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
    /// Frames taken.
    pub frames: Frames,
    /// The file, if it is one.
    pub path: Option<PathBuf>,
    /// Size of the file in bytes, 0 if it is none.
    pub bytes: u64,
    /// Samples outside the range of the output's integer format, written as the nearest it has.
    pub clipped: u64,
    /// Samples that were not finite, written as 0.
    pub non_finite: u64,
}

/// Turns blocks into the bytes of one container: a header, the blocks in order, and an end. [`EncodedStream`] writes the
/// bytes, and sees to it that blocks have the channels and the length that the encoder was made for.
pub(crate) trait Encoder: fmt::Debug + Send + Sync {
    /// Returns the bytes before the audio.
    fn header(&self) -> &[u8];

    /// Returns the size of the whole file in bytes, or the most it can be: what must be free on the disk.
    fn size(&self) -> u64;

    /// Replaces the content of `out` by the bytes of a block.
    fn encode(&mut self, block: &Block, out: &mut Vec<u8>);

    /// Puts the bytes after the audio into `out`, which is empty. Returns the counts of samples that were not held.
    fn finish(&mut self, out: &mut Vec<u8>) -> Written;
}
