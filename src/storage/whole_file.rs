//! Any file, there completely or not at all: what a program writes beside its audio.

use super::Output;
use crate::error::Result;
use std::{
    io::{self, Write},
    path::Path,
};

/// A file that appears under its name when [`finish`](Self::finish) succeeds, with all of its bytes; dropped before, it
/// leaves nothing. Symbolic links are followed; only regular files are written.
///
/// ```
/// use soundtrack::encode::WholeFile;
/// use std::io::Write;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("notes.txt");
/// let mut file = WholeFile::create(&path, false)?;
/// file.write_all(b"take 2")?;
/// assert!(!path.exists());
/// assert_eq!(file.finish()?, 6);
/// assert!(WholeFile::create(&path, false).is_err()); // there is one already
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WholeFile(Output);

impl WholeFile {
    /// Starts a file.
    ///
    /// # Errors
    /// `Output` for a file that exists, unless it may be replaced, and for a folder that is missing or cannot be written.
    pub fn create(path: impl AsRef<Path>, overwrite: bool) -> Result<Self> {
        Output::create(path.as_ref(), overwrite, 0).map(Self)
    }

    /// Makes the file complete, on the disk and visible; its size in bytes.
    ///
    /// # Errors
    /// `Output` where it cannot be; also for a file that appeared meanwhile, unless it may be replaced.
    pub fn finish(self) -> Result<u64> {
        self.0.finish()
    }

    /// Makes the file complete and visible without waiting for the disk, which takes milliseconds: after a power loss it may
    /// be gone, or empty. For what can be made again; its size in bytes.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_unsynced(self) -> Result<u64> {
        self.0.finish_unsynced()
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
