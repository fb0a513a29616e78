//! Files that are complete but not yet visible, so that several can appear together.

use super::{Wav, Written};
use crate::{
    error::{Error, Result},
    storage::{Complete, remove},
};
use std::path::PathBuf;

/// A complete WAVE file under its temporary name; dropped, it is gone.
#[derive(Debug)]
pub(crate) struct Closed {
    file: Complete,
    written: Written,
}

impl Wav {
    /// Completes the file, on the disk, without making it visible.
    pub(super) fn close(&mut self) -> Result<Closed> {
        let (file, written) = self.ended()?;
        Ok(Closed { file: file.complete()?, written })
    }

    /// The same, for several that appear together.
    pub(crate) fn closed(mut self) -> Result<Closed> {
        self.close()
    }
}

impl Closed {
    /// Makes the file visible.
    pub(crate) fn publish(self) -> Result<Written> {
        let Self { file, mut written } = self;
        written.bytes = file.publish()?;
        Ok(written)
    }
}

/// Makes all files visible, or none: where one cannot be, those before it are taken back. Only what overwrote another
/// file stays then, which the error says.
pub(crate) fn publish(files: Vec<Closed>) -> Result<Vec<Written>> {
    let mut done = Vec::with_capacity(files.len());
    let (mut fresh, mut replaced): (Vec<PathBuf>, Vec<PathBuf>) = (Vec::new(), Vec::new());
    for Closed { file, mut written } in files {
        let target = written.path.clone().unwrap_or_default();
        let existed = file.replaces(&target);
        // A file that could not appear is not ours: another program may have taken its name meanwhile.
        let visible = file.appear().map_err(|e| taken_back(e, &fresh, &replaced))?;
        if existed {
            replaced.push(target)
        } else {
            fresh.push(target)
        }
        written.bytes = visible.settle().map_err(|e| taken_back(e, &fresh, &replaced))?;
        done.push(written);
    }
    Ok(done)
}

fn taken_back(error: Error, fresh: &[PathBuf], replaced: &[PathBuf]) -> Error {
    fresh.iter().for_each(|path| remove(path));
    if replaced.is_empty() {
        return error;
    }
    let names: Vec<String> = replaced.iter().map(|p| p.display().to_string()).collect();
    let what = format!("{error}; already replaced: {}", names.join(", "));
    Error::new(error.kind(), what).because(error)
}
