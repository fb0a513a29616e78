//! Whole objects, small ones: session files, reports, the markers of what is done.

use super::backend::{self, About};
use crate::storage::location::{Location, Url};
use crate::{
    error::{Error, ErrorKind, Result},
    storage::glob::fits,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// How long a request to a store is tried again, in seconds, where the store does not answer or fails. A request that is
/// under way then is waited for, at most 30 s more.
pub const PATIENCE_S: u64 = 20;

/// How long a request to a store that never answered is tried, in seconds, where no connection to it can be made: nothing
/// listens there, there is no such host, or the network leads nowhere. One that answered before has [`PATIENCE_S`].
pub const FIRST_PATIENCE_S: u64 = 10;

/// Up to this size an object is read in one request.
const AT_ONCE: u64 = 1 << 20;

/// The file that a path or a `file://` link leads to; `None` where it leads into a store. Looks at the name alone.
///
/// ```
/// use soundtrack::store;
/// assert_eq!(storage::local("file:///two%20words/a.wav")?.as_deref(), Some("/two words/a.wav".as_ref()));
/// assert_eq!(storage::local("s3://bucket/a.wav")?, None);
/// # Ok::<(), soundtrack::Error>(())
/// ```
///
/// # Errors
/// `Unsupported` for a name that can be no object's and no file's.
pub fn local(path: impl AsRef<Path>) -> Result<Option<PathBuf>> {
    Ok(Location::of(path.as_ref())?.local().map(Path::to_owned))
}

/// What a store tells about an object; `None` where there is none.
///
/// # Errors
/// `NotFound` where the store does not answer or refuses access; `Unsupported` for a name that is no object's.
pub fn about(link: &str) -> Result<Option<About>> {
    backend::head(&object(link)?)
        .wait()
        .map_err(|e| unreadable(link, e))
}

/// The names of the objects of a folder of a store, `s3://bucket` or `s3://bucket/stems/`, or with `file://` of the files of
/// one of this machine; without those in folders within, sorted. With a star in its last step, `s3://bucket/stems/*.wav`,
/// those that fit. A folder that is not there has none in a store.
///
/// ```
/// use soundtrack::store;
/// storage::write("memory://song/stems/vox.wav", "")?;
/// storage::write("memory://song/stems/bass.wav", "")?;
/// storage::write("memory://song/stems/old/bass.wav", "")?;
/// assert_eq!(storage::list("memory://song/stems/")?, ["bass.wav", "vox.wav"]);
/// assert_eq!(storage::list("memory://song/stems/v*")?, ["vox.wav"]);
/// # Ok::<(), soundtrack::Error>(())
/// ```
///
/// # Errors
/// `NotFound` where the store does not answer or refuses access, and for a folder of this machine that is not there;
/// `Unsupported` for a name that is no folder's.
pub fn list(folder: &str) -> Result<Vec<String>> {
    let (within, pattern) = match folder.rsplit_once('/') {
        Some((within, pattern)) if pattern.contains('*') => (within, pattern),
        _ => (folder, "*"),
    };
    let mut names = listed(Path::new(within)).map_err(|e| unreadable(folder, e))??;
    names.retain(|name| fits(pattern, name));
    Ok(names)
}

/// The same for a folder that is named by a link or a path.
pub(crate) fn listed(folder: &Path) -> io::Result<Result<Vec<String>>> {
    // A folder has no name of its own, but what would be in it has.
    let folder = match Location::of(&folder.join("x")) {
        Ok(Location::Object(within)) => return backend::list(&within).wait().map(Ok),
        Ok(Location::Local(within)) => within.parent().unwrap_or(folder).to_owned(),
        Err(e) => return Ok(Err(e)),
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let entry = entry?;
        if entry.path().is_file()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(Ok(names))
}

/// Reads an object, or with `file://` a file: at most `most` bytes.
///
/// # Errors
/// `NotFound` for one that is not there, may not be read, or whose store does not answer; the cause is a [`std::io::Error`],
/// of the kind `NotFound` only where there is none. `Unsupported` for a larger one, and for a name that is no object's. They
/// name the object.
pub fn read(link: &str, most: u64) -> Result<Vec<u8>> {
    let too_large = || {
        refused(
            link,
            ErrorKind::Unsupported,
            &format!("is larger than {most} bytes"),
        )
    };
    let unreadable = |e: io::Error| unreadable(link, e);
    match Location::of(Path::new(link))? {
        Location::Local(path) => {
            let mut bytes = Vec::new();
            let file = std::fs::File::open(&path).map_err(unreadable)?;
            io::Read::read_to_end(
                &mut io::Read::take(file, most.saturating_add(1)),
                &mut bytes,
            )
            .map_err(unreadable)?;
            if bytes.len() as u64 > most {
                Err(too_large())
            } else {
                Ok(bytes)
            }
        }
        Location::Object(url) => {
            let end = most.saturating_add(1).min(AT_ONCE);
            let got = match backend::get(&url, 0..end, None).wait() {
                Ok(got) => got,
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    return Err(
                        refused(link, ErrorKind::NotFound, "there is no such object").because(e),
                    );
                }
                Err(e) => return Err(unreadable(e)),
            };
            let (size, mut bytes) = (got.about.size, got.bytes);
            if size > most {
                return Err(too_large());
            }
            if size > end {
                let rest = backend::get(&url, end..size, Some(&got.about.tag))
                    .wait()
                    .map_err(unreadable)?;
                bytes.extend(rest.bytes);
            }
            Ok(bytes)
        }
    }
}

/// Writes an object, whole and at once; one of that name is replaced.
///
/// # Errors
/// `Output` where it cannot be written, or the store does not answer; `Unsupported` for a name that is no object's.
pub fn write(link: &str, bytes: impl Into<Vec<u8>>) -> Result<()> {
    put(link, bytes.into(), false).map_err(|e| unwritable(link, e))?
}

/// Writes an object if there is none of that name; whether it did. Of several programs that do this at the same time one
/// is told `true`: the store decides. Where the store's answer was lost and the request was sent again, `false` may be
/// told to the one whose object it is: reading it tells whose.
///
/// ```
/// use soundtrack::store;
/// assert!(storage::create("memory://done/mix-17", "by me")?);
/// assert!(!storage::create("memory://done/mix-17", "by another")?);
/// assert_eq!(storage::read("memory://done/mix-17", 100)?, b"by me");
/// # Ok::<(), soundtrack::Error>(())
/// ```
///
/// # Errors
/// As [`write()`].
pub fn create(link: &str, bytes: impl Into<Vec<u8>>) -> Result<bool> {
    match put(link, bytes.into(), true) {
        Ok(done) => done.map(|()| true),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(unwritable(link, e)),
    }
}

/// Removes an object; one that is not there is removed already.
///
/// # Errors
/// As [`write()`].
pub fn delete(link: &str) -> Result<()> {
    let url = object(link)?;
    match backend::delete(&url).wait() {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(unwritable(link, e)),
        _ => Ok(()),
    }
}

fn put(link: &str, bytes: Vec<u8>, create: bool) -> io::Result<Result<()>> {
    match object(link) {
        Ok(url) => backend::put(&url, bytes, create).wait().map(Ok),
        Err(e) => Ok(Err(e)),
    }
}

fn object(link: &str) -> Result<Url> {
    match Location::of(Path::new(link))? {
        Location::Object(url) => Ok(url),
        Location::Local(_) => Err(refused(
            link,
            ErrorKind::Unsupported,
            "is no object of a store",
        )),
    }
}

fn unreadable(link: &str, e: io::Error) -> Error {
    refused(link, ErrorKind::NotFound, &e.to_string()).because(e)
}

fn unwritable(link: &str, e: io::Error) -> Error {
    refused(link, ErrorKind::Output, &format!("cannot be written: {e}")).because(e)
}

fn refused(link: &str, kind: ErrorKind, what: &str) -> Error {
    Error::new(kind, format!("{link}: {what}"))
}
