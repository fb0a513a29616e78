//! Where audio goes: the trait and what a finished sink tells.

mod closed;
mod dithered;
mod memory;
pub(crate) mod slice;
mod wav;

pub(crate) use closed::{CompleteAudio, publish};
pub use dithered::{Dither, Dithered, Shaping, UnknownShaping};
pub use memory::Memory;
pub use slice::Slice;
pub use wav::{Broadcast, Format, Options, UnknownFormat, Wav};

use crate::{block::Block, error::Result, units::Frames};
use std::path::PathBuf;

/// Where audio goes: a file, memory, a device, or an embedding program's own.
pub trait Sink {
    /// Takes the block's frames. A file returns at once; a device waits for room.
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

/// What a sink has taken.
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
