//! A file of text, and errors that name a place in it.

use super::notes::Place;
use crate::{
    error::{Error, ErrorKind, Result},
    media::open_failure,
    session::Load,
};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// Limit of the size of a file, in bytes: the timeline of a long film has less than a tenth.
pub(super) const MAX_BYTES: u64 = 64 << 20;

/// A text, and the path that it was read from.
#[derive(Debug)]
pub(crate) struct TextFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl TextFile {
    /// Reads a file.
    ///
    /// # Errors
    /// `NotFound` without a file; `Session` for one that is too large or no text.
    pub(super) fn open(path: &Path) -> Result<Self> {
        Self::of_bytes(read(path)?, path)
    }

    /// Decodes the bytes of a file: UTF-8, with or without a byte order mark.
    ///
    /// # Errors
    /// `Session` for other encodings.
    pub(super) fn of_bytes(bytes: Vec<u8>, path: &Path) -> Result<Self> {
        if let Some(encoding) = Load::foreign_encoding(&bytes) {
            let what = format!("is {encoding} and no UTF-8 text: save it as UTF-8");
            return Err(error(path, &Place::File, what));
        }
        let mut text = String::from_utf8(bytes).map_err(|e| {
            let valid = e.utf8_error().valid_up_to();
            let before = e.as_bytes().get(..valid).unwrap_or_default();
            let line = 1 + memchr::memchr_iter(b'\n', before).count();
            let what = "has bytes that are no UTF-8 text: save the file as UTF-8";
            error(path, &Place::Line(line), what).because(e)
        })?;
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        Ok(Self {
            path: path.to_owned(),
            text,
        })
    }

    /// Returns the folder of the file.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Makes the error of a place in the file.
    pub(super) fn error(&self, place: &Place, what: impl AsRef<str>) -> Error {
        error(&self.path, place, what)
    }
}

/// Reads a file of limited size.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| refused(path, ErrorKind::Corrupt, &e.to_string()).because(e))?;
    if bytes.len() as u64 > MAX_BYTES {
        let what = format!("is larger than {MAX_BYTES} bytes: no session of any program");
        return Err(refused(path, ErrorKind::Session, &what));
    }
    Ok(bytes)
}

/// Opens a regular file.
///
/// # Errors
/// `NotFound` for one that cannot be opened; `Session` for anything but a regular file.
pub(super) fn open(path: &Path) -> Result<File> {
    let not_found = |e: io::Error| refused(path, ErrorKind::NotFound, &open_failure(&e)).because(e);
    if !fs::metadata(path).map_err(not_found)?.is_file() {
        return Err(refused(path, ErrorKind::Session, "is no regular file"));
    }
    File::open(path).map_err(not_found)
}

fn refused(path: &Path, kind: ErrorKind, what: &str) -> Error {
    Error::new(kind, format!("{}: {what}", path.display())).in_file(path.to_string_lossy())
}

/// Makes the error of a place in a file.
pub(super) fn error(path: &Path, place: &Place, what: impl AsRef<str>) -> Error {
    let text = format!("{}: {place}{}", path.display(), what.as_ref());
    Error::new(ErrorKind::Session, text).in_file(path.to_string_lossy())
}
