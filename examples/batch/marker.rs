//! The marker beside an output that says it is done, and what it was made of: `e01/de.wav.json`.
//!
//! It is created after the output was published, whole and only if there is none, so an item with a marker is done. It is
//! not synced, which would double the time of a short item: after a power loss it may be missing or empty, and then the
//! item, whose output was synced before, is done once more. In a store it is an object beside that of the output.

use super::{fingerprint::Stem, place};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use soundtrack::Result;
use std::path::{Path, PathBuf};

/// A larger file is no marker.
const LARGEST: u64 = 64 << 20;

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

/// What is where a marker would be.
pub enum Found {
    Nothing,
    /// Something that says nothing that can be read.
    Unclear,
    Marker(Box<Marker>),
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
    /// The marker at a path. Only of a store it is an error that it cannot be read: it may be there another time.
    pub fn read(path: &Path) -> Result<Found> {
        Ok(match place::read(path, LARGEST) {
            Err(e) if place::is_link(path) => return Err(e),
            Err(_) => Found::Unclear,
            Ok(None) => Found::Nothing,
            Ok(Some(bytes)) => serde_json::from_slice(&bytes)
                .map_or(Found::Unclear, |m| Found::Marker(Box::new(m))),
        })
    }

    /// Whether every file is there, in its length.
    pub fn whole(&self, folder: &Path) -> Result<bool> {
        for output in &self.outputs {
            let there = place::about(&folder.join(&output.file))?;
            if there.is_none_or(|about| about.bytes != output.bytes) {
                return Ok(false);
            }
        }
        Ok(!self.outputs.is_empty())
    }

    /// Creates the marker, if there is none. Where another run of the same shard was faster, its marker says the same, or
    /// is refused the next time.
    pub fn create(&self, path: &Path) -> Result<()> {
        let mut text = serde_json::to_vec(self).unwrap_or_default();
        text.push(b'\n');
        place::create(path, text)
    }
}
