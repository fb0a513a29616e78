//! Atomic output: a local file or an object that becomes visible only when complete.

use super::local_file::{self, LocalFile};
use super::object::Upload;
use crate::{
    error::{Error, Result},
    storage::Location,
};
use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// Writes a file that becomes visible under its name only when [`finish`](Self::finish) succeeds.
///
/// Dropping it earlier removes all temporary data and leaves an existing file unchanged. Symbolic
/// links are followed. Only regular files and objects can be written.
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
pub struct AtomicFile(AtomicTarget);

#[derive(Debug)]
enum AtomicTarget {
    Local(LocalFile),
    Object(Upload),
    /// Object whose first bytes are written again at the end. Parts that were sent cannot be
    /// changed, so the bytes wait in a temporary file.
    Spooled(BufWriter<File>, Upload),
}

impl AtomicFile {
    /// Starts writing to a path.
    ///
    /// # Errors
    /// `Output` if the file exists and `overwrite` is false, or if the folder does not exist or is
    /// not writable.
    pub fn create(path: impl AsRef<Path>, overwrite: bool) -> Result<Self> {
        Self::create_sized(path.as_ref(), overwrite, 0)
    }

    /// Starts writing a file of `bytes` bytes; fails if the disk has less free space. 0 stands for
    /// an unknown size.
    pub(crate) fn create_sized(path: &Path, overwrite: bool, bytes: u64) -> Result<Self> {
        Ok(Self(match Location::parse(path)? {
            Location::Local(path) => {
                AtomicTarget::Local(LocalFile::create(&path, overwrite, bytes)?)
            }
            Location::Object(url) => {
                AtomicTarget::Object(Upload::create(path, url, overwrite, bytes)?)
            }
        }))
    }

    /// Starts writing a file like [`create_sized`](Self::create_sized), whose first bytes are
    /// replaced by [`rewrite_start`](Self::rewrite_start) at the end.
    pub(crate) fn create_rewritable(path: &Path, overwrite: bool, bytes: u64) -> Result<Self> {
        match Self::create_sized(path, overwrite, bytes)?.0 {
            AtomicTarget::Object(object) => {
                let spool = tempfile::tempfile().map_err(|e| object.failed(e))?;
                Ok(Self(AtomicTarget::Spooled(BufWriter::new(spool), object)))
            }
            other => Ok(Self(other)),
        }
    }

    /// Replaces the first bytes of a file that was created for it. Nothing may be written
    /// afterwards.
    pub(crate) fn rewrite_start(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            AtomicTarget::Local(file) => file.rewrite_start(bytes),
            AtomicTarget::Spooled(spool, _) => {
                spool.seek(SeekFrom::Start(0))?;
                spool.write_all(bytes)
            }
            AtomicTarget::Object(_) => Err(io::Error::other("an object cannot be changed")),
        }
    }

    /// Returns the error that [`create`](Self::create) would return.
    pub(crate) fn check(path: &Path, overwrite: bool) -> Result<()> {
        Self::create(path, overwrite).map(drop)
    }

    /// Returns the path of the finished file, with symbolic links resolved.
    pub(crate) fn target(&self) -> &Path {
        match &self.0 {
            AtomicTarget::Local(file) => file.target(),
            AtomicTarget::Object(object) | AtomicTarget::Spooled(_, object) => object.target(),
        }
    }

    /// Syncs the file to disk and makes it visible. Returns its size in bytes.
    ///
    /// # Errors
    /// `Output` if the file cannot be completed, or if the target has appeared in the meantime and
    /// may not be overwritten.
    pub fn finish(self) -> Result<u64> {
        Ok(publish(vec![self.complete()?])?.into_iter().sum())
    }

    /// Makes the file visible without waiting for the disk, which saves milliseconds. Returns its
    /// size in bytes.
    ///
    /// After a power loss the file may be missing or empty: use this only for data that can be
    /// produced again.
    ///
    /// # Errors
    /// See [`finish`](Self::finish).
    pub fn finish_unsynced(self) -> Result<u64> {
        match self.0 {
            AtomicTarget::Local(file) => file.finish_unsynced(),
            AtomicTarget::Object(_) | AtomicTarget::Spooled(..) => self.finish(),
        }
    }

    /// Syncs the file to disk under its temporary name.
    pub(crate) fn complete(self) -> Result<CompleteFile> {
        Ok(CompleteFile(match self.0 {
            AtomicTarget::Local(file) => CompleteFileKind::Local(file.complete()?),
            AtomicTarget::Object(object) => CompleteFileKind::Object(object.complete()?),
            AtomicTarget::Spooled(spool, object) => {
                CompleteFileKind::Object(send(spool, object)?.complete()?)
            }
        }))
    }

    /// Converts the error of a failed write and adds the path.
    pub(crate) fn failed(&self, e: io::Error) -> Error {
        match &self.0 {
            AtomicTarget::Local(file) => file.failed(e),
            AtomicTarget::Object(object) | AtomicTarget::Spooled(_, object) => object.failed(e),
        }
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            AtomicTarget::Local(file) => file.write(bytes),
            AtomicTarget::Object(object) => object.write(bytes),
            AtomicTarget::Spooled(spool, _) => spool.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            AtomicTarget::Local(file) => file.flush(),
            AtomicTarget::Object(object) => object.flush(),
            AtomicTarget::Spooled(spool, _) => spool.flush(),
        }
    }
}

/// Sends the bytes of a temporary file.
fn send(spool: BufWriter<File>, mut object: Upload) -> Result<Upload> {
    let sent = spool
        .into_inner()
        .map_err(io::IntoInnerError::into_error)
        .and_then(|mut file| {
            file.seek(SeekFrom::Start(0))?;
            io::copy(&mut file, &mut object)
        });
    match sent {
        Ok(_) => Ok(object),
        Err(e) => Err(object.failed(e)),
    }
}

/// Complete file that is not yet visible. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct CompleteFile(CompleteFileKind);

#[derive(Debug)]
enum CompleteFileKind {
    Local(local_file::CompleteLocalFile),
    Object(Upload),
}

impl CompleteFile {
    fn is_local(&self) -> bool {
        match &self.0 {
            CompleteFileKind::Local(_) => true,
            CompleteFileKind::Object(_) => false,
        }
    }

    fn into_local(self) -> Option<local_file::CompleteLocalFile> {
        match self.0 {
            CompleteFileKind::Local(file) => Some(file),
            CompleteFileKind::Object(_) => None,
        }
    }

    /// Returns the path under which a local file can be read until it becomes visible.
    pub(crate) fn temporary(&self) -> Option<&Path> {
        match &self.0 {
            CompleteFileKind::Local(file) => Some(file.temporary()),
            CompleteFileKind::Object(_) => None,
        }
    }

    fn target(&self) -> &Path {
        match &self.0 {
            CompleteFileKind::Local(file) => file.target(),
            CompleteFileKind::Object(object) => object.target(),
        }
    }

    /// Returns true if the file replaces an existing one.
    fn replaces(&self) -> bool {
        match &self.0 {
            CompleteFileKind::Local(file) => file.target().exists(),
            CompleteFileKind::Object(object) => object.existed(),
        }
    }

    /// Makes the file visible.
    fn make_visible(self) -> Result<VisibleFile> {
        Ok(match self.0 {
            CompleteFileKind::Local(file) => VisibleFile::Local(file.make_visible()?),
            CompleteFileKind::Object(object) => VisibleFile::Object(object.publish()?),
        })
    }
}

/// Visible file. A local file may still disappear in a power loss.
enum VisibleFile {
    Local(local_file::VisibleLocalFile),
    Object(u64),
}

impl VisibleFile {
    /// Makes the file name survive a power loss. Returns the size in bytes.
    fn sync_name(self) -> Result<u64> {
        match self {
            Self::Local(file) => file.sync_name(),
            Self::Object(bytes) => Ok(bytes),
        }
    }
}

/// Makes all files visible in order, or none. Returns their sizes in bytes.
///
/// Local files use a journal, so this also holds if the process is killed: the next process that
/// writes to one of the folders completes the operation. Objects are published one by one. If one
/// fails, the objects published before are removed; those that replaced an existing object stay,
/// and the error names them. A single file whose folder cannot be synced stays, since it is
/// complete.
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
    let (mut created, mut replaced): (Vec<PathBuf>, Vec<PathBuf>) = (Vec::new(), Vec::new());
    for file in files {
        let (target, replaces) = (file.target().to_owned(), file.replaces());
        // Listed only once visible: if publishing failed, the target may belong to another program,
        // whose file must not be removed.
        let visible = file
            .make_visible()
            .map_err(|e| roll_back(e, &created, &replaced))?;
        if single {
            return Ok(vec![visible.sync_name()?]);
        }
        if replaces {
            replaced.push(target)
        } else {
            created.push(target)
        }
        sizes.push(
            visible
                .sync_name()
                .map_err(|e| roll_back(e, &created, &replaced))?,
        );
    }
    Ok(sizes)
}

/// Removes the files that replaced nothing and names the others in the error.
fn roll_back(error: Error, created: &[PathBuf], replaced: &[PathBuf]) -> Error {
    for path in created {
        remove(path);
    }
    if replaced.is_empty() {
        return error;
    }
    let names: Vec<String> = replaced.iter().map(|p| p.display().to_string()).collect();
    let what = format!("{error}; already replaced: {}", names.join(", "));
    Error::new(error.kind(), what).because(error)
}

/// Removes a file or an object. Errors are ignored: the caller reports the error that led here.
fn remove(path: &Path) {
    match Location::parse(path) {
        Ok(Location::Object(url)) => drop(crate::storage::delete(&url.to_string())),
        _ => drop(std::fs::remove_file(path)),
    }
}
