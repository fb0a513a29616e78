//! Reads the entries of an archive within limits.

use super::super::{
    notes::Place,
    text_file::{self, MAX_BYTES},
};
use crate::{
    error::{Error, ErrorKind, Result},
    media::Input,
    storage::{AtomicFile, confined},
};
use std::{
    collections::HashMap,
    fs,
    io::{self, Read, Seek, Write as _},
    path::{Component, Path, PathBuf},
};
use zip::ZipArchive;

/// Limit of the number of entries.
const MAX_ENTRIES: usize = 65_536;

/// Limit of all audio that is kept in memory, in bytes.
const MAX_IN_MEMORY: u64 = 1 << 30;

/// How many bytes one byte of an archive may become. Audio hardly shrinks; a file of zeros by a factor of a thousand.
const MAX_EXPANSION: u64 = 200;

/// Bytes that may always be extracted, whatever the size of the archive.
const ALWAYS_ALLOWED: u64 = 256 << 20;

/// An open archive.
pub(super) struct Archive<'p, R> {
    path: &'p Path,
    zip: ZipArchive<R>,
    bytes: u64,
    /// Bytes of audio so far.
    extracted: u64,
    /// Inputs of the entries that were extracted.
    inputs: HashMap<String, Input>,
}

impl<'p, R: Read + Seek> Archive<'p, R> {
    /// Opens an archive.
    ///
    /// # Errors
    /// `Session` for a file that is no ZIP archive, or has too many entries.
    pub(super) fn open(mut source: R, path: &'p Path) -> Result<Self> {
        let wrong = |what: String| text_file::error(path, &Place::File, what);
        let bytes = source
            .seek(io::SeekFrom::End(0))
            .map_err(|e| wrong(e.to_string()).because(e))?;
        let zip = ZipArchive::new(source).map_err(|e| {
            wrong(format!(
                "is no ZIP archive, as a DAWproject is, or it is cut off: {e}"
            ))
            .because(e)
        })?;
        if zip.len() > MAX_ENTRIES {
            return Err(wrong(format!("has more than {MAX_ENTRIES} entries")));
        }
        Ok(Self {
            path,
            zip,
            bytes,
            extracted: 0,
            inputs: HashMap::new(),
        })
    }

    /// Returns the folder of the archive.
    pub(super) fn folder(&self) -> &'p Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    fn wrong(&self, entry: &str, what: &str) -> Error {
        let place = Place::Element(format!("entry {entry:?}"));
        text_file::error(self.path, &place, what)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// Reads an entry of text.
    ///
    /// # Errors
    /// `Session` for an entry that is missing, damaged or too large.
    pub(super) fn text(&mut self, name: &str) -> Result<Vec<u8>> {
        if !self.has(name) {
            let what = format!("has no {name}, as a DAWproject has");
            return Err(text_file::error(self.path, &Place::File, what));
        }
        self.entry(name, MAX_BYTES)
    }

    /// Reads an entry of at most so many bytes.
    fn entry(&mut self, name: &str, limit: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = match self.zip.by_name(name) {
            Ok(entry) => entry.take(limit + 1).read_to_end(&mut bytes),
            Err(e) => Err(io::Error::other(e)),
        };
        if let Err(e) = read {
            let what = format!("cannot be read: {e}: export the project again");
            return Err(self.wrong(name, &what).because(e));
        }
        if bytes.len() as u64 > limit {
            let what = format!(
                "is larger than {limit} bytes, which the size of the archive does not explain"
            );
            return Err(self.wrong(name, &what));
        }
        Ok(bytes)
    }

    /// Returns the input of an audio file in the archive: a file in the folder `media`, or in memory without one. `None` where
    /// there is no such entry.
    ///
    /// # Errors
    /// `Session` for a name that leads out of the archive, and for an entry that is damaged or too large; `Output` where the
    /// file cannot be written.
    pub(super) fn audio(
        &mut self,
        name: &str,
        media: Option<&Path>,
        overwrite: bool,
    ) -> Result<Option<Input>> {
        let is_plain = |c: Component<'_>| matches!(c, Component::Normal(_));
        if !Path::new(name).components().all(is_plain) || name.contains(['\\', '\0', ':']) {
            let what = "is a name that leads out of the archive, which is refused: export the project again";
            return Err(self.wrong(name, what));
        }
        if let Some(input) = self.inputs.get(name) {
            return Ok(Some(input.clone()));
        }
        if !self.has(name) {
            return Ok(None);
        }
        let allowed = self.bytes.saturating_mul(MAX_EXPANSION).max(ALWAYS_ALLOWED);
        let allowed = match media {
            Some(_) => allowed,
            None => allowed.min(MAX_IN_MEMORY),
        };
        let left = allowed.saturating_sub(self.extracted);
        let input = match media {
            Some(folder) => {
                let path = self.extract(name, folder, left, overwrite)?;
                Input::file(path)
            }
            None => {
                let bytes = self.entry(name, left)?;
                self.extracted += bytes.len() as u64;
                Input::bytes(name, bytes)
            }
        };
        self.inputs.insert(name.to_owned(), input.clone());
        Ok(Some(input))
    }

    /// Writes an entry into a folder and returns the path of the file.
    fn extract(
        &mut self,
        name: &str,
        folder: &Path,
        limit: u64,
        overwrite: bool,
    ) -> Result<PathBuf> {
        let inner = Path::new(name);
        // Archives keep audio in a folder of that name, which would be one folder more.
        let inner = inner.strip_prefix("audio").unwrap_or(inner);
        let inner = if inner.as_os_str().is_empty() {
            Path::new(name)
        } else {
            inner
        };
        let target = folder.join(inner);
        let failed = |path: &Path, e: io::Error| {
            let what = format!("{}: cannot be written: {e}", path.display());
            Error::new(ErrorKind::Output, what).because(e)
        };
        // Links in the folder may lead elsewhere.
        confined(folder, inner)?;
        let parent = target.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|e| failed(parent, e))?;
        let mut file = AtomicFile::create(&target, overwrite)?;
        let mut copied = 0u64;
        let mut buffer = vec![0; 1 << 16];
        let path = self.path;
        let wrong = |what: String| {
            let place = Place::Element(format!("entry {name:?}"));
            text_file::error(path, &place, what)
        };
        let mut entry = (self.zip.by_name(name)).map_err(|e| {
            wrong(format!("cannot be read: {e}: export the project again")).because(e)
        })?;
        loop {
            let n = entry.read(&mut buffer).map_err(|e| {
                wrong(format!("cannot be read: {e}: export the project again")).because(e)
            })?;
            if n == 0 {
                break;
            }
            copied += n as u64;
            if copied > limit {
                let what = format!(
                    "is larger than {limit} bytes, which the size of the archive does not explain"
                );
                return Err(wrong(what));
            }
            let part = buffer.get(..n).unwrap_or_default();
            file.write_all(part).map_err(|e| failed(&target, e))?;
        }
        drop(entry);
        file.finish()?;
        self.extracted += copied;
        Ok(target)
    }
}
