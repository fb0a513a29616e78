//! Where things lie: in folders, or with the feature `cloud` in object stores.
//!
//! A path that is a link leads into a store, every other to a file. What is not there is told as absent; a store that is
//! lost or refuses access is an error, so that nothing is taken for absent which is only out of reach.

#[cfg(feature = "cloud")]
use soundtrack::storage;
use soundtrack::{Error, ErrorKind, Result, storage::AtomicFile};
use std::{
    fs,
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// What is known of a file or an object without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    pub bytes: u64,
    /// When a file was last written, in nanoseconds since 1970.
    pub written_ns: Option<u128>,
    /// What a store calls this version of an object.
    pub tag: Option<String>,
}

/// Whether a path leads into a store.
pub fn is_link(path: &Path) -> bool {
    link(path).is_some()
}

fn link(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| text.contains("://"))
}

/// A path from a folder, which may be one of a store; links to files become paths.
pub fn found(folder: &Path, path: impl AsRef<Path>) -> Result<PathBuf> {
    let path = path.as_ref();
    resolved(&if is_link(path) {
        path.to_owned()
    } else {
        folder.join(path)
    })
}

/// The same path; that of the file where it is a link to one. A link into no store is refused.
pub fn resolved(path: &Path) -> Result<PathBuf> {
    if !is_link(path) {
        return Ok(path.to_owned());
    }
    #[cfg(feature = "cloud")]
    let what = match storage::local(path)? {
        None => return Ok(path.to_owned()),
        Some(file) if !is_link(&file) => return Ok(file),
        Some(_) => "a link to no store: there are s3://, gs://, az://, memory:// and file://",
    };
    #[cfg(not(feature = "cloud"))]
    let what = "a link, which needs the feature `cloud`, which is not built in";
    Err(Error::new(
        ErrorKind::Unsupported,
        format!("{}: is {what}", path.display()),
    ))
}

/// The same for a folder, which in a store has no name of its own: `s3://bucket` and `s3://bucket/out/` are folders.
pub fn folder(path: &Path) -> Result<PathBuf> {
    if !is_link(path) {
        return Ok(path.to_owned());
    }
    let within = resolved(&path.join("summary.jsonl"))?;
    Ok(within.parent().unwrap_or(path).to_owned())
}

/// The bytes of a file or an object, at most so many; `None` where there is none.
pub fn read(path: &Path, most: u64) -> Result<Option<Vec<u8>>> {
    #[cfg(feature = "cloud")]
    if let Some(link) = link(path) {
        return match storage::read(link, most) {
            Err(e) if is_absent(&e) => Ok(None),
            read => read.map(Some),
        };
    }
    let read = || {
        let mut bytes = Vec::new();
        fs::File::open(path)?
            .take(most)
            .read_to_end(&mut bytes)
            .map(|_| bytes)
    };
    match read() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failed(ErrorKind::NotFound, path, e)),
    }
}

/// A file or an object, read from its start.
pub fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    #[cfg(feature = "cloud")]
    if let Some(link) = link(path) {
        return Ok(Box::new(storage::open(link)?));
    }
    let failed = |e| failed(ErrorKind::NotFound, path, e);
    if path.metadata().map_err(failed)?.is_dir() {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("{}: is a folder, not a list of jobs", path.display()),
        ));
    }
    Ok(Box::new(fs::File::open(path).map_err(failed)?))
}

/// What is known of a file or an object; `None` where there is none.
pub fn about(path: &Path) -> Result<Option<About>> {
    #[cfg(feature = "cloud")]
    if let Some(link) = link(path) {
        let about = storage::about(link)?;
        return Ok(about.map(|about| About {
            bytes: about.size,
            written_ns: None,
            tag: Some(about.tag),
        }));
    }
    let Some(about) = path.metadata().ok().filter(fs::Metadata::is_file) else {
        return Ok(None);
    };
    let since = about
        .modified()
        .ok()
        .and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    Ok(Some(About {
        bytes: about.len(),
        written_ns: since.map(|d| d.as_nanos()),
        tag: None,
    }))
}

/// Writes a file or an object, in place of what is there.
pub fn write(path: &Path, bytes: Vec<u8>) -> Result<()> {
    #[cfg(feature = "cloud")]
    if let Some(link) = link(path) {
        return storage::write(link, bytes);
    }
    written(path, bytes, true)
}

/// Writes a file or an object if there is none of that name; whether it did.
pub fn create(path: &Path, bytes: Vec<u8>) -> Result<bool> {
    #[cfg(feature = "cloud")]
    if let Some(link) = link(path) {
        return storage::create(link, bytes);
    }
    match written(path, bytes, false) {
        Err(e) if e.io_kind() == Some(io::ErrorKind::AlreadyExists) => Ok(false),
        written => written.map(|()| true),
    }
}

fn written(path: &Path, bytes: Vec<u8>, overwrite: bool) -> Result<()> {
    let mut file = AtomicFile::create(path, overwrite)?;
    file.write_all(&bytes).map_err(|e| {
        Error::new(
            ErrorKind::Output,
            format!("{}: cannot be written: {e}", path.display()),
        )
        .because(e)
    })?;
    file.finish_unsynced().map(drop)
}

/// Takes a file or an object away, if there is one.
pub fn remove(path: &Path) -> Result<()> {
    #[cfg(feature = "cloud")]
    if let Some(link) = link(path) {
        return storage::delete(link);
    }
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::new(
            ErrorKind::Output,
            format!("{}: cannot be removed: {e}", path.display()),
        )
        .because(e)),
        _ => Ok(()),
    }
}

/// The error of a file.
pub fn failed(kind: ErrorKind, path: &Path, e: io::Error) -> Error {
    let what = match e.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        _ => e.to_string(),
    };
    Error::new(kind, format!("{}: {what}", path.display())).because(e)
}

/// Whether the store says that there is no such object.
#[cfg(feature = "cloud")]
fn is_absent(e: &Error) -> bool {
    let cause = std::error::Error::source(e).and_then(|e| e.downcast_ref::<io::Error>());
    cause.is_some_and(|e| e.kind() == io::ErrorKind::NotFound)
}
