//! Whether a file is still the one that was opened, with the content it had then.
//!
//! Looks at the open file and not at its name: a file that another took the place of still has its old content. A write
//! that neither changes the size nor the time (one within the clock's step of the one before) is not noticed.

use std::{fs::File, time::SystemTime};

/// What changes when a file is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileVersion {
    size: u64,
    changed: Option<SystemTime>,
    /// Which file it is: device and number, where the system tells.
    id: Option<(u64, u64)>,
    /// What an object store calls this version of it.
    #[cfg(feature = "cloud")]
    tag: Option<String>,
}

/// What is said of a file whose stamp differs.
pub(crate) const CHANGED: &str = "changed while it was read";

impl FileVersion {
    /// The size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// `None` where the file cannot be looked at any more.
    pub(crate) fn of(file: &File) -> Option<Self> {
        let about = file.metadata().ok()?;
        #[cfg(unix)]
        let id = Some((
            std::os::unix::fs::MetadataExt::dev(&about),
            std::os::unix::fs::MetadataExt::ino(&about),
        ));
        #[cfg(not(unix))]
        let id = None;
        Some(Self {
            size: about.len(),
            changed: about.modified().ok(),
            id,
            #[cfg(feature = "cloud")]
            tag: None,
        })
    }

    /// Of an object.
    #[cfg(feature = "cloud")]
    pub(crate) fn object(size: u64, tag: &str) -> Self {
        Self {
            size,
            changed: None,
            id: None,
            tag: Some(tag.to_owned()),
        }
    }
}
