//! Detects whether a file has changed since it was opened.
//!
//! Checks the open file, not its name: a file that was replaced still has its old content. A write
//! is missed if it changes neither the size nor the modification time, for example within one tick
//! of the clock.

use std::{
    fs::{File, Metadata},
    path::Path,
    time::SystemTime,
};

/// Version of a file; changes when the file is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileVersion {
    size: u64,
    changed: Option<SystemTime>,
    /// Device and inode number, on systems that have them.
    id: Option<(u64, u64)>,
    /// Entity tag of an object.
    tag: Option<String>,
}

/// Message about a file whose version has changed.
pub(crate) const CHANGED: &str = "changed while it was read";

impl FileVersion {
    /// Returns the size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Returns the current version of an open file; `None` if it cannot be inspected.
    pub(crate) fn current(file: &File) -> Option<Self> {
        file.metadata().ok().map(|metadata| Self::of(&metadata))
    }

    /// Returns the current version of the file at a path; `None` if there is none that can be inspected.
    pub(crate) fn at_path(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self::of(&metadata))
    }

    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let id = Some((
            std::os::unix::fs::MetadataExt::dev(metadata),
            std::os::unix::fs::MetadataExt::ino(metadata),
        ));
        #[cfg(not(unix))]
        let id = None;
        Self {
            size: metadata.len(),
            changed: metadata.modified().ok(),
            id,
            tag: None,
        }
    }

    /// Returns whether this is the version of a local file and not of an object.
    pub(crate) fn is_local(&self) -> bool {
        self.tag.is_none()
    }

    /// Returns the version of an object.
    pub(crate) fn object(size: u64, tag: &str) -> Self {
        Self {
            size,
            changed: None,
            id: None,
            tag: Some(tag.to_owned()),
        }
    }
}
