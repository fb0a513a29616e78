//! Creates the folders of deliverables, and removes them again where the delivery fails.

use crate::{
    error::{Error, ErrorKind, Result},
    storage::Location,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folders that were created. Drop removes those that are empty.
#[derive(Debug, Default)]
pub(super) struct Folders {
    made: Vec<PathBuf>,
}

impl Folders {
    /// Creates the folder of a file, and those above it.
    pub(super) fn make_for(&mut self, file: &Path) -> Result<()> {
        // A store has no folders.
        let place = Location::of(file)?;
        let Some(file) = place.local() else {
            return Ok(());
        };
        let missing: Vec<&Path> = file
            .ancestors()
            .skip(1)
            .take_while(|f| !f.as_os_str().is_empty() && !f.exists())
            .collect();
        // Looked at again, since `a/..` is there once `a` is.
        for folder in missing.into_iter().rev().filter(|f| !f.exists()) {
            fs::create_dir(folder).map_err(|e| {
                let what = format!(
                    "{}: the folder {} cannot be made: {e}",
                    file.display(),
                    folder.display()
                );
                Error::new(ErrorKind::Output, what).because(e)
            })?;
            self.made.push(folder.to_owned());
        }
        Ok(())
    }

    /// Keeps the folders.
    pub(super) fn keep(mut self) {
        self.made.clear();
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        // One that is not empty, or gone already, stays as it is.
        self.made
            .iter()
            .rev()
            .for_each(|folder| drop(fs::remove_dir(folder)));
    }
}
