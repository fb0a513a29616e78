//! Audio files that are complete but not yet visible, so that several can appear together.

use super::{Wav, Written};
use crate::{
    error::Result,
    storage::{self, CompleteFile},
};

/// A complete audio file under its temporary name; dropped, it leaves nothing.
#[derive(Debug)]
pub(crate) struct CompleteAudio {
    pub(super) file: CompleteFile,
    pub(super) written: Written,
}

impl Wav {
    /// Completes the file, on the disk, without making it visible.
    pub(crate) fn complete(&mut self) -> Result<CompleteAudio> {
        let (file, written) = self.ended()?;
        Ok(CompleteAudio { file: file.complete()?, written })
    }
}

/// Makes all files visible, or none, as [`storage::publish`] does.
pub(crate) fn publish(files: Vec<CompleteAudio>) -> Result<Vec<Written>> {
    let (files, mut written): (Vec<_>, Vec<_>) = files.into_iter().map(|f| (f.file, f.written)).unzip();
    let sizes = storage::publish(files)?;
    written.iter_mut().zip(sizes).for_each(|(written, bytes)| written.bytes = bytes);
    Ok(written)
}
