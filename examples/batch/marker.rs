//! The marker beside an output that says it is done, and what it was made of: `e01/de.wav.json`.
//!
//! It is created after the output was published, whole and only if there is none, so an item with a marker is done. It is
//! not synced, which would double the time of a short item: after a power loss it may be missing or empty, and then the
//! item, whose output was synced before, is done once more.

use crate::fingerprint::Stem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use soundtrack::{Error, ErrorKind, Result, sink::WholeFile};
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// What the marker says. The keys that are looked at again come first.
#[derive(Debug, Serialize, Deserialize)]
pub struct Marker {
    pub id: String,
    pub fingerprint: String,
    /// The exit code of the item: 0, or 1 where it was written but a check failed.
    pub code: u8,
    /// What a failed check said.
    pub what: Option<String>,
    /// Into how many shards the list was divided.
    pub shards: u64,
    pub version: String,
    /// The files, relative to the folder of all outputs.
    pub outputs: Vec<Output>,
    pub stems: Vec<Stem>,
    /// The report of the mix, or of the deliverable.
    pub report: Value,
}

/// A file that was published.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    pub file: PathBuf,
    pub bytes: u64,
}

/// Where the marker of an output lies.
pub fn beside(folder: &Path, out: &Path) -> PathBuf {
    let mut path = folder.join(out).into_os_string();
    path.push(".json");
    path.into()
}

impl Marker {
    /// The marker at a path; `None` where there is none that can be read.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// Whether every file is there, in its length.
    pub fn whole(&self, folder: &Path) -> bool {
        let there = |o: &Output| folder.join(&o.file).metadata().is_ok_and(|m| m.is_file() && m.len() == o.bytes);
        !self.outputs.is_empty() && self.outputs.iter().all(there)
    }

    /// Creates the marker, if there is none.
    pub fn create(&self, path: &Path) -> Result<()> {
        let written = || {
            let mut file = WholeFile::create(path, false)?;
            let mut text = serde_json::to_string(self).unwrap_or_default();
            text.push('\n');
            file.write_all(text.as_bytes()).map_err(|e| {
                Error::new(ErrorKind::Output, format!("{}: cannot be written: {e}", path.display())).because(e)
            })?;
            file.finish_unsynced().map(drop)
        };
        written().or_else(|e| {
            // Another run of the same shard was faster: its marker says the same, or is refused the next time.
            if path.is_file() { Ok(()) } else { Err(e) }
        })
    }
}

/// Takes a marker away, if there is one.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(Error::new(ErrorKind::Output, format!("{}: cannot be removed: {e}", path.display())).because(e))
        }
        _ => Ok(()),
    }
}
