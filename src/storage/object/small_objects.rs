//! Reads, writes and lists whole small objects: session files, reports, markers.

use super::{About, backend};
use crate::storage::location::{Location, ObjectUrl};
use crate::{
    error::{Error, ErrorKind, Result},
    storage::glob::matches,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Time in seconds after which a failed request to a store is no longer retried. An attempt that
/// has begun by then may take up to 30 s more.
pub const RETRY_TIMEOUT_S: u64 = 20;

/// Time in seconds after which a request fails if the store never answered and no connection can be
/// made: nothing listens at the address, the host does not exist, or the network is unreachable.
/// For a store that answered before, [`RETRY_TIMEOUT_S`] applies.
pub const FIRST_CONTACT_TIMEOUT_S: u64 = 10;

/// Objects up to this size are read in one request, in bytes.
const FIRST_READ_BYTES: u64 = 1 << 20;

/// Returns the local file that a path or `file://` URL leads to; `None` for an object. Looks at the
/// name alone.
///
/// ```
/// use soundtrack::storage;
/// # if cfg!(not(feature = "cloud")) { return Ok(()); }
/// assert_eq!(storage::local("file:///two%20words/a.wav")?.as_deref(), Some("/two words/a.wav".as_ref()));
/// assert_eq!(storage::local("s3://bucket/a.wav")?, None);
/// # Ok::<(), soundtrack::Error>(())
/// ```
///
/// # Errors
/// `Unsupported` for an invalid object name.
pub fn local(path: impl AsRef<Path>) -> Result<Option<PathBuf>> {
    Ok(Location::parse(path.as_ref())?.local().map(Path::to_owned))
}

/// Returns the properties of an object; `None` if it does not exist.
///
/// # Errors
/// `NotFound` if the store does not answer or refuses access; `Unsupported` if the name is not that
/// of an object.
pub fn about(link: &str) -> Result<Option<About>> {
    backend::head(&parse_object(link)?)
        .wait()
        .map_err(|e| unreadable(link, e))
}

/// Returns the sorted names of the objects in a folder of a store, `s3://bucket` or
/// `s3://bucket/stems/`, or of the files in a `file://` folder, without those in subfolders.
///
/// If the last step contains a star, as in `s3://bucket/stems/*.wav`, returns the names that match
/// it. In a store, a folder that does not exist is empty.
///
/// ```
/// use soundtrack::storage;
/// # if cfg!(not(feature = "cloud")) { return Ok(()); }
/// storage::write("memory://song/stems/vox.wav", "")?;
/// storage::write("memory://song/stems/bass.wav", "")?;
/// storage::write("memory://song/stems/old/bass.wav", "")?;
/// assert_eq!(storage::list("memory://song/stems/")?, ["bass.wav", "vox.wav"]);
/// assert_eq!(storage::list("memory://song/stems/v*")?, ["vox.wav"]);
/// # Ok::<(), soundtrack::Error>(())
/// ```
///
/// # Errors
/// `NotFound` if the store does not answer or refuses access, and for a local folder that does not
/// exist; `Unsupported` if the name is not that of a folder.
pub fn list(folder: &str) -> Result<Vec<String>> {
    let (within, pattern) = match folder.rsplit_once('/') {
        Some((within, pattern)) if pattern.contains('*') => (within, pattern),
        _ => (folder, "*"),
    };
    let inside = inside(Path::new(within));
    let location = Location::parse(&inside)?;
    let mut names = names_beside(&location).map_err(|e| unreadable(folder, e))?;
    names.retain(|name| matches(pattern, name));
    Ok(names)
}

/// Returns the sorted names of the files or objects in a folder given by a URL or a path.
pub(crate) fn list_folder(folder: &Path) -> io::Result<Vec<String>> {
    names_beside(&Location::parse(&inside(folder)).map_err(io::Error::other)?)
}

/// Returns the path of a file or object in a folder, which need not exist. A [`Location`] is that of
/// a file or an object, since stores know no folders.
fn inside(folder: &Path) -> PathBuf {
    folder.join("x")
}

/// Returns the sorted names of the files or objects in the folder of a location.
fn names_beside(location: &Location<'_>) -> io::Result<Vec<String>> {
    let folder = match location {
        Location::Object(url) => return backend::list(url).wait(),
        Location::Local(path) => path.parent().unwrap_or(path),
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().is_file()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Reads a whole object, or a `file://` file, of at most `max_bytes` bytes.
///
/// # Errors
/// `NotFound` if the object does not exist, may not be read, or if its store does not answer; the
/// source is a [`std::io::Error`] whose kind is `NotFound` only if the object does not exist.
/// `Unsupported` for a larger object and for an invalid name. All errors name the object.
pub fn read(link: &str, max_bytes: u64) -> Result<Vec<u8>> {
    let too_large = || {
        link_error(
            link,
            ErrorKind::Unsupported,
            &format!("is larger than {max_bytes} bytes"),
        )
    };
    let unreadable = |e: io::Error| unreadable(link, e);
    match Location::parse(Path::new(link))? {
        Location::Local(path) => {
            let mut bytes = Vec::new();
            let file = std::fs::File::open(&path).map_err(unreadable)?;
            io::Read::read_to_end(
                &mut io::Read::take(file, max_bytes.saturating_add(1)),
                &mut bytes,
            )
            .map_err(unreadable)?;
            if bytes.len() as u64 > max_bytes {
                Err(too_large())
            } else {
                Ok(bytes)
            }
        }
        Location::Object(url) => {
            let end = max_bytes.saturating_add(1).min(FIRST_READ_BYTES);
            let got = match backend::get(&url, 0..end, None).wait() {
                Ok(got) => got,
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    return Err(
                        link_error(link, ErrorKind::NotFound, "there is no such object").because(e),
                    );
                }
                Err(e) => return Err(unreadable(e)),
            };
            let (size, mut bytes) = (got.about.size, got.bytes);
            if size > max_bytes {
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

/// Writes a whole object atomically, replacing an existing one.
///
/// # Errors
/// `Output` if the object cannot be written or the store does not answer; `Unsupported` if the name
/// is not that of an object.
pub fn write(link: &str, bytes: impl Into<Vec<u8>>) -> Result<()> {
    let url = parse_object(link)?;
    backend::put(&url, bytes.into(), false)
        .wait()
        .map_err(|e| unwritable(link, e))
}

/// Writes an object unless one of that name exists. Returns true if it was written.
///
/// If several programs do this at the same time, the store lets one of them succeed. `false` may
/// also come from the program's own earlier attempt: the answer of the store was lost and the
/// request was sent again. Read the object to find out whose it is.
///
/// ```
/// use soundtrack::storage;
/// # if cfg!(not(feature = "cloud")) { return Ok(()); }
/// assert!(storage::create("memory://done/mix-17", "by me")?);
/// assert!(!storage::create("memory://done/mix-17", "by another")?);
/// assert_eq!(storage::read("memory://done/mix-17", 100)?, b"by me");
/// # Ok::<(), soundtrack::Error>(())
/// ```
///
/// # Errors
/// See [`write()`].
pub fn create(link: &str, bytes: impl Into<Vec<u8>>) -> Result<bool> {
    let url = parse_object(link)?;
    match backend::put(&url, bytes.into(), true).wait() {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(unwritable(link, e)),
    }
}

/// Deletes an object. Deleting an object that does not exist succeeds.
///
/// # Errors
/// See [`write()`].
pub fn delete(link: &str) -> Result<()> {
    let url = parse_object(link)?;
    match backend::delete(&url).wait() {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(unwritable(link, e)),
        _ => Ok(()),
    }
}

/// Parses the URL of an object.
///
/// # Errors
/// `Unsupported` for a local file and for an invalid name.
fn parse_object(link: &str) -> Result<ObjectUrl> {
    match Location::parse(Path::new(link))? {
        Location::Object(url) => Ok(url),
        Location::Local(_) => Err(link_error(
            link,
            ErrorKind::Unsupported,
            "is not an object URL (s3://, gs://, az://)",
        )),
    }
}

fn unreadable(link: &str, e: io::Error) -> Error {
    link_error(link, ErrorKind::NotFound, &e.to_string()).because(e)
}

fn unwritable(link: &str, e: io::Error) -> Error {
    link_error(link, ErrorKind::Output, &format!("cannot be written: {e}")).because(e)
}

/// Makes an error whose message begins with the name of the object.
fn link_error(link: &str, kind: ErrorKind, what: &str) -> Error {
    Error::new(kind, format!("{link}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_the_largest_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        std::fs::write(&path, b"abc").unwrap();
        let link = path.display().to_string();
        for most in [3, 4, u64::MAX] {
            assert_eq!(read(&link, most).unwrap(), b"abc");
        }
        for most in [0, 2] {
            let error = read(&link, most).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            let what = format!("is larger than {most} bytes");
            assert!(error.to_string().ends_with(&what), "{error}");
        }
        let missing = read(&(link + "x"), 3).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }
}
