//! Where an output goes: into a local file or into an object store; there completely or not at all.

use super::atomic::{self, AtomicFile};
#[cfg(feature = "cloud")]
use super::object::Upload;
use crate::{
    error::{Error, Result},
    storage::Location,
};
use std::{
    io::{self, Write},
    path::Path,
};

/// An output that is not yet visible.
#[derive(Debug)]
pub(crate) enum Output {
    File(AtomicFile),
    #[cfg(feature = "cloud")]
    Object(Upload),
}

impl Output {
    /// Starts an output of so many bytes. Everything that can be refused is refused here.
    pub(crate) fn create(path: &Path, overwrite: bool, needs: u64) -> Result<Self> {
        match Location::of(path)? {
            Location::Local(path) => AtomicFile::create(&path, overwrite, needs).map(Self::File),
            #[cfg(feature = "cloud")]
            Location::Object(url) => Upload::create(path, url, overwrite, needs).map(Self::Object),
        }
    }

    /// Where it will be, links of the file system followed.
    pub(crate) fn target(&self) -> &Path {
        match self {
            Self::File(file) => file.target(),
            #[cfg(feature = "cloud")]
            Self::Object(object) => object.target(),
        }
    }

    /// Makes it complete and visible; its size in bytes.
    pub(crate) fn finish(self) -> Result<u64> {
        self.complete()?.publish()
    }

    /// The same without waiting for the disk, where it is a file.
    pub(crate) fn finish_unsynced(self) -> Result<u64> {
        match self {
            Self::File(file) => file.appear(),
            #[cfg(feature = "cloud")]
            Self::Object(_) => self.finish(),
        }
    }

    /// Makes it complete, still not visible.
    pub(crate) fn complete(self) -> Result<Complete> {
        match self {
            Self::File(file) => file.complete().map(Complete::File),
            #[cfg(feature = "cloud")]
            Self::Object(object) => object.complete().map(Complete::Object),
        }
    }

    /// The error of a failed write, in words.
    pub(crate) fn failed(&self, e: io::Error) -> Error {
        match self {
            Self::File(file) => file.failed(e),
            #[cfg(feature = "cloud")]
            Self::Object(object) => object.failed(e),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            #[cfg(feature = "cloud")]
            Self::Object(object) => object.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            #[cfg(feature = "cloud")]
            Self::Object(object) => object.flush(),
        }
    }
}

/// An output that is complete, but not yet visible; dropped, it is gone.
#[derive(Debug)]
pub(crate) enum Complete {
    File(atomic::Complete),
    #[cfg(feature = "cloud")]
    Object(Upload),
}

impl Complete {
    /// Makes it visible, for good; its size in bytes.
    pub(crate) fn publish(self) -> Result<u64> {
        self.appear()?.settle()
    }

    /// Makes it visible.
    pub(crate) fn appear(self) -> Result<Visible> {
        match self {
            Self::File(file) => file.appear().map(Visible::File),
            #[cfg(feature = "cloud")]
            Self::Object(object) => object.publish().map(Visible::Object),
        }
    }

    /// Whether it replaces what is there already.
    pub(crate) fn replaces(&self, target: &Path) -> bool {
        match self {
            Self::File(_) => target.exists(),
            #[cfg(feature = "cloud")]
            Self::Object(object) => object.existed(),
        }
    }
}

/// An output under its own name, which a power loss may still take away where it is a file.
#[derive(Debug)]
pub(crate) enum Visible {
    File(atomic::Visible),
    #[cfg(feature = "cloud")]
    Object(u64),
}

impl Visible {
    /// Makes the name outlive a power loss; the size in bytes.
    pub(crate) fn settle(self) -> Result<u64> {
        match self {
            Self::File(file) => file.settle(),
            #[cfg(feature = "cloud")]
            Self::Object(bytes) => Ok(bytes),
        }
    }
}

/// Takes an output back that is visible. What cannot be removed was not there, or cannot be helped.
pub(crate) fn remove(path: &Path) {
    match Location::of(path) {
        #[cfg(feature = "cloud")]
        Ok(Location::Object(url)) => drop(crate::storage::delete(&url.to_string())),
        _ => drop(std::fs::remove_file(path)),
    }
}
