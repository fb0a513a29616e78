//! Reads and writes local files and, with the feature `cloud`, objects of a store, by one kind of path.
//!
//! A path with a scheme, `s3://bucket/name`, is a link to an object; every other path is a file. An absent object is `None`;
//! a store that cannot be reached or refuses access is an error, so that no object out of reach is taken for absent.

#[cfg(feature = "cloud")]
use soundtrack::storage;
use soundtrack::{Error, ErrorKind, Result, storage::AtomicFile};
use std::{
    fs,
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// Metadata of a file or an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    pub bytes: u64,
    /// Time of the last write in nanoseconds since 1970; files only.
    pub written_ns: Option<u128>,
    /// Version of the object in its store (ETag); objects only.
    pub tag: Option<String>,
}

/// Returns whether a path is a link: an object of a store, or a file as `file://`.
pub fn is_link(path: &Path) -> bool {
    link(path).is_some()
}

fn link(path: &Path) -> Option<&str> {
    path.to_str().filter(|text| text.contains("://"))
}

/// Resolves a path relative to a folder, which may be one of a store. Links to files become paths.
///
/// # Errors
/// `Unsupported` for a link to no known store.
pub fn resolve_from(folder: &Path, path: impl AsRef<Path>) -> Result<PathBuf> {
    let path = path.as_ref();
    resolve(&if is_link(path) {
        path.to_owned()
    } else {
        folder.join(path)
    })
}

/// Returns the path itself, or for a link to a file the path of that file.
///
/// # Errors
/// `Unsupported` for a link to no known store.
pub fn resolve(path: &Path) -> Result<PathBuf> {
    if !is_link(path) {
        return Ok(path.to_owned());
    }
    #[cfg(feature = "cloud")]
    let text = match storage::local(path)? {
        None => return Ok(path.to_owned()),
        Some(file) if !is_link(&file) => return Ok(file),
        Some(_) => "a link to no store: there are s3://, gs://, az://, memory:// and file://",
    };
    #[cfg(not(feature = "cloud"))]
    let text = "a link, which needs the feature `cloud`, which is not built in";
    Err(Error::new(
        ErrorKind::Unsupported,
        format!("{}: is {text}", path.display()),
    ))
}

/// Resolves the path of a folder. Stores have no folders of their own: `s3://bucket` and `s3://bucket/out/` are folders.
///
/// # Errors
/// `Unsupported` for a link to no known store.
pub fn resolve_folder(path: &Path) -> Result<PathBuf> {
    if !is_link(path) {
        return Ok(path.to_owned());
    }
    let within = resolve(&path.join("summary.jsonl"))?;
    Ok(within.parent().unwrap_or(path).to_owned())
}

/// Reads a file or an object up to `max_bytes`; `None` if it does not exist.
///
/// # Errors
/// Passes on the errors of the store; `NotFound` for a file that cannot be read.
pub fn read(path: &Path, max_bytes: u64) -> Result<Option<Vec<u8>>> {
    #[cfg(feature = "cloud")]
    if let Some(link) = link(path) {
        return match storage::read(link, max_bytes) {
            Err(e) if is_absent(&e) => Ok(None),
            read => read.map(Some),
        };
    }
    let read = || {
        let mut bytes = Vec::new();
        fs::File::open(path)?
            .take(max_bytes)
            .read_to_end(&mut bytes)
            .map(|_| bytes)
    };
    match read() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(file_error(ErrorKind::NotFound, path, e)),
    }
}

/// Opens a file or an object for reading from its start.
///
/// # Errors
/// Passes on the errors of the store; `NotFound` for a file that cannot be opened.
pub fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    #[cfg(feature = "cloud")]
    if let Some(link) = link(path) {
        return Ok(Box::new(storage::open(link)?));
    }
    let failed = |e| file_error(ErrorKind::NotFound, path, e);
    if path.metadata().map_err(failed)?.is_dir() {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("{}: is a folder, not a list of jobs", path.display()),
        ));
    }
    Ok(Box::new(fs::File::open(path).map_err(failed)?))
}

/// Returns the metadata of a file or an object; `None` if it does not exist.
///
/// # Errors
/// Passes on the errors of the store.
pub fn metadata(path: &Path) -> Result<Option<Metadata>> {
    #[cfg(feature = "cloud")]
    if let Some(link) = link(path) {
        let about = storage::about(link)?;
        return Ok(about.map(|about| Metadata {
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
    Ok(Some(Metadata {
        bytes: about.len(),
        written_ns: since.map(|d| d.as_nanos()),
        tag: None,
    }))
}

/// Writes a file or an object. Replaces an existing one.
///
/// # Errors
/// `Output`, or those of the store.
pub fn write(path: &Path, bytes: Vec<u8>) -> Result<()> {
    #[cfg(feature = "cloud")]
    if let Some(link) = link(path) {
        return storage::write(link, bytes);
    }
    write_file(path, bytes, true)
}

/// Writes a file or an object unless it exists. Returns whether it was written.
///
/// # Errors
/// `Output`, or those of the store.
pub fn create(path: &Path, bytes: Vec<u8>) -> Result<bool> {
    #[cfg(feature = "cloud")]
    if let Some(link) = link(path) {
        return storage::create(link, bytes);
    }
    match write_file(path, bytes, false) {
        Err(e) if e.io_kind() == Some(io::ErrorKind::AlreadyExists) => Ok(false),
        written => written.map(|()| true),
    }
}

fn write_file(path: &Path, bytes: Vec<u8>, overwrite: bool) -> Result<()> {
    let mut file = AtomicFile::create(path, overwrite)?;
    file.write_all(&bytes).map_err(|e| {
        Error::new(
            ErrorKind::Output,
            format!("{}: cannot be written: {e}", path.display()),
        )
        .because(e)
    })?;
    // Syncing would double the time of a short item, and a lost marker costs only a second render of that item.
    file.finish_unsynced().map(drop)
}

/// Removes a file or an object if it exists.
///
/// # Errors
/// `Output`, or those of the store.
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

/// Makes the error of a file from that of the system.
pub fn file_error(kind: ErrorKind, path: &Path, e: io::Error) -> Error {
    let text = match e.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        _ => e.to_string(),
    };
    Error::new(kind, format!("{}: {text}", path.display())).because(e)
}

/// Returns whether the store says that there is no such object.
#[cfg(feature = "cloud")]
fn is_absent(e: &Error) -> bool {
    let cause = std::error::Error::source(e).and_then(|e| e.downcast_ref::<io::Error>());
    cause.is_some_and(|e| e.kind() == io::ErrorKind::NotFound)
}
