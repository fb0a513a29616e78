//! An output that appears whole or not at all: a local file or an object of a store.

use super::local_file::{self, LocalFile};
#[cfg(feature = "cloud")]
use super::object::Upload;
use crate::{
    error::{Error, Result},
    storage::Location,
};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A file that appears under its name when [`finish`](Self::finish) succeeds, with all of its bytes; dropped before, it
/// leaves nothing. Symbolic links are followed; only regular files are written.
///
/// ```
/// use soundtrack::storage::AtomicFile;
/// use std::io::Write;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("notes.txt");
/// let mut file = AtomicFile::create(&path, false)?;
/// file.write_all(b"take 2")?;
/// assert!(!path.exists());
/// assert_eq!(file.finish()?, 6);
/// assert!(AtomicFile::create(&path, false).is_err()); // the file exists already
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct AtomicFile(Target);

#[derive(Debug)]
enum Target {
    Local(LocalFile),
    #[cfg(feature = "cloud")]
    Object(Upload),
}

impl AtomicFile {
    /// Starts a file.
    ///
    /// # Errors
    /// `Output` for a file that exists, unless it may be replaced, and for a folder that is missing or cannot be written.
    pub fn create(path: impl AsRef<Path>, overwrite: bool) -> Result<Self> {
        Self::create_sized(path.as_ref(), overwrite, 0)
    }

    /// Starts a file that will have `bytes` bytes, for which there must be space.
    pub(crate) fn create_sized(path: &Path, overwrite: bool, bytes: u64) -> Result<Self> {
        Ok(Self(match Location::of(path)? {
            Location::Local(path) => Target::Local(LocalFile::create(&path, overwrite, bytes)?),
            #[cfg(feature = "cloud")]
            Location::Object(url) => Target::Object(Upload::create(path, url, overwrite, bytes)?),
        }))
    }

    /// Refuses a path that [`create`](Self::create) would refuse.
    pub(crate) fn check(path: &Path, overwrite: bool) -> Result<()> {
        Self::create(path, overwrite).map(drop)
    }

    /// Returns the path that the file will have, symbolic links followed.
    pub(crate) fn target(&self) -> &Path {
        match &self.0 {
            Target::Local(file) => file.target(),
            #[cfg(feature = "cloud")]
            Target::Object(object) => object.target(),
        }
    }

    /// Makes the file complete, on the disk and visible. Returns its size in bytes.
    ///
    /// # Errors
    /// `Output` where it cannot be; also for a file that appeared meanwhile, unless it may be replaced.
    pub fn finish(self) -> Result<u64> {
        Ok(publish(vec![self.complete()?])?.into_iter().sum())
    }

    /// Makes the file complete and visible without waiting for the disk, which takes milliseconds: after a power loss it may
    /// be gone, or empty. For what can be made again. Returns its size in bytes.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_unsynced(self) -> Result<u64> {
        match self.0 {
            Target::Local(file) => file.finish_unsynced(),
            #[cfg(feature = "cloud")]
            Target::Object(_) => self.finish(),
        }
    }

    /// Makes the file complete on the disk, still under its temporary name.
    pub(crate) fn complete(self) -> Result<CompleteFile> {
        Ok(CompleteFile(match self.0 {
            Target::Local(file) => CompleteTarget::Local(file.complete()?),
            #[cfg(feature = "cloud")]
            Target::Object(object) => CompleteTarget::Object(object.complete()?),
        }))
    }

    /// Returns the error of a failed write, with the path.
    pub(crate) fn failed(&self, e: io::Error) -> Error {
        match &self.0 {
            Target::Local(file) => file.failed(e),
            #[cfg(feature = "cloud")]
            Target::Object(object) => object.failed(e),
        }
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Target::Local(file) => file.write(bytes),
            #[cfg(feature = "cloud")]
            Target::Object(object) => object.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Target::Local(file) => file.flush(),
            #[cfg(feature = "cloud")]
            Target::Object(object) => object.flush(),
        }
    }
}

/// A file that is complete but not yet visible; dropped, it leaves nothing.
#[derive(Debug)]
pub(crate) struct CompleteFile(CompleteTarget);

#[derive(Debug)]
enum CompleteTarget {
    Local(local_file::Complete),
    #[cfg(feature = "cloud")]
    Object(Upload),
}

impl CompleteFile {
    fn is_local(&self) -> bool {
        match &self.0 {
            CompleteTarget::Local(_) => true,
            #[cfg(feature = "cloud")]
            CompleteTarget::Object(_) => false,
        }
    }

    #[cfg_attr(
        not(feature = "cloud"),
        expect(
            clippy::unnecessary_wraps,
            reason = "without object stores all files are local"
        )
    )]
    fn into_local(self) -> Option<local_file::Complete> {
        match self.0 {
            CompleteTarget::Local(file) => Some(file),
            #[cfg(feature = "cloud")]
            CompleteTarget::Object(_) => None,
        }
    }

    fn target(&self) -> &Path {
        match &self.0 {
            CompleteTarget::Local(file) => file.target(),
            #[cfg(feature = "cloud")]
            CompleteTarget::Object(object) => object.target(),
        }
    }

    /// Reports whether the file replaces an existing one.
    fn replaces(&self) -> bool {
        match &self.0 {
            CompleteTarget::Local(file) => file.target().exists(),
            #[cfg(feature = "cloud")]
            CompleteTarget::Object(object) => object.existed(),
        }
    }

    /// Makes the file visible.
    fn appear(self) -> Result<Visible> {
        Ok(match self.0 {
            CompleteTarget::Local(file) => Visible::Local(file.appear()?),
            #[cfg(feature = "cloud")]
            CompleteTarget::Object(object) => Visible::Object(object.publish()?),
        })
    }
}

/// A file under its own name; a power loss may still take away a local one.
enum Visible {
    Local(local_file::Visible),
    #[cfg(feature = "cloud")]
    Object(u64),
}

impl Visible {
    /// Makes the name outlive a power loss. Returns the size in bytes.
    fn sync_name(self) -> Result<u64> {
        match self {
            Self::Local(file) => file.sync_name(),
            #[cfg(feature = "cloud")]
            Self::Object(bytes) => Ok(bytes),
        }
    }
}

/// Makes all files visible, in order, or none. Returns their sizes in bytes.
///
/// Local files have a journal, so that this holds after a kill too, once the next process puts an output there. Objects of a
/// store are published one by one: where one cannot appear, those before it are removed again; only those that replaced
/// another stay, and the error names them. A single file whose folder cannot be synced stays: it is whole.
pub(crate) fn publish(files: Vec<CompleteFile>) -> Result<Vec<u64>> {
    if files.len() > 1 && files.iter().all(CompleteFile::is_local) {
        let local = files.into_iter().filter_map(CompleteFile::into_local);
        return local_file::publish(local.collect());
    }
    publish_each(files)
}

/// Makes files visible one by one.
fn publish_each(files: Vec<CompleteFile>) -> Result<Vec<u64>> {
    let single = files.len() == 1;
    let mut sizes = Vec::with_capacity(files.len());
    let (mut fresh, mut replaced): (Vec<PathBuf>, Vec<PathBuf>) = (Vec::new(), Vec::new());
    for file in files {
        let (target, replaces) = (file.target().to_owned(), file.replaces());
        // Listed only once it is visible: a file that could not appear may stand under a name that another program took
        // meanwhile, and that program's file must not be removed.
        let visible = file.appear().map_err(|e| take_back(e, &fresh, &replaced))?;
        if single {
            return Ok(vec![visible.sync_name()?]);
        }
        if replaces {
            replaced.push(target)
        } else {
            fresh.push(target)
        }
        sizes.push(
            visible
                .sync_name()
                .map_err(|e| take_back(e, &fresh, &replaced))?,
        );
    }
    Ok(sizes)
}

/// Removes the files that appeared where there was none, and names the others in the error.
fn take_back(error: Error, fresh: &[PathBuf], replaced: &[PathBuf]) -> Error {
    fresh.iter().for_each(|path| remove(path));
    if replaced.is_empty() {
        return error;
    }
    let names: Vec<String> = replaced.iter().map(|p| p.display().to_string()).collect();
    let what = format!("{error}; already replaced: {}", names.join(", "));
    Error::new(error.kind(), what).because(error)
}

/// Removes a file or an object. A failure is ignored: the error that led here is the one to report.
fn remove(path: &Path) {
    match Location::of(path) {
        #[cfg(feature = "cloud")]
        Ok(Location::Object(url)) => drop(crate::storage::delete(&url.to_string())),
        _ => drop(std::fs::remove_file(path)),
    }
}
