//! Whole objects, small ones: session files, reports, the markers of what is done.

use super::{
    door,
    location::{Location, Url},
};
use crate::error::{Error, ErrorKind, Result};
use std::{io, path::Path};

/// How long a request to a store is tried again, in seconds, where the store does not answer or fails. A request that is
/// under way then is waited for, at most 30 s more.
pub const PATIENCE_S: u64 = 20;

/// Reads an object, or with `file://` a file: at most `most` bytes.
///
/// # Errors
/// `NotFound` for one that is not there, may not be read, or whose store does not answer; `Unsupported` for a larger one,
/// and for a name that is no object's. They name the object.
pub fn read(link: &str, most: u64) -> Result<Vec<u8>> {
    let too_large = || refused(link, ErrorKind::Unsupported, &format!("is larger than {most} bytes"));
    let unreadable = |e: io::Error| refused(link, ErrorKind::NotFound, &e.to_string()).because(e);
    match Location::of(Path::new(link))? {
        Location::Local(path) => {
            let mut bytes = Vec::new();
            let file = std::fs::File::open(&path).map_err(unreadable)?;
            io::Read::read_to_end(&mut io::Read::take(file, most.saturating_add(1)), &mut bytes).map_err(unreadable)?;
            if bytes.len() as u64 > most { Err(too_large()) } else { Ok(bytes) }
        }
        Location::Object(url) => match door::head(&url).wait().map_err(unreadable)? {
            None => Err(refused(link, ErrorKind::NotFound, "there is no such object")),
            Some(about) if about.size > most => Err(too_large()),
            Some(about) if about.size == 0 => Ok(Vec::new()),
            Some(about) => {
                let got = door::get(&url, 0..about.size, Some(&about.tag)).wait().map_err(unreadable)?;
                Ok(got.bytes)
            }
        },
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
/// assert!(store::create("memory://done/mix-17", "by me")?);
/// assert!(!store::create("memory://done/mix-17", "by another")?);
/// assert_eq!(store::read("memory://done/mix-17", 100)?, b"by me");
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
    match door::delete(&url).wait() {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(unwritable(link, e)),
        _ => Ok(()),
    }
}

fn put(link: &str, bytes: Vec<u8>, create: bool) -> io::Result<Result<()>> {
    match object(link) {
        Ok(url) => door::put(&url, bytes, create).wait().map(Ok),
        Err(e) => Ok(Err(e)),
    }
}

fn object(link: &str) -> Result<Url> {
    match Location::of(Path::new(link))? {
        Location::Object(url) => Ok(url),
        Location::Local(_) => Err(refused(link, ErrorKind::Unsupported, "is no object of a store")),
    }
}

fn unwritable(link: &str, e: io::Error) -> Error {
    refused(link, ErrorKind::Output, &format!("cannot be written: {e}")).because(e)
}

fn refused(link: &str, kind: ErrorKind, what: &str) -> Error {
    Error::new(kind, format!("{link}: {what}"))
}
