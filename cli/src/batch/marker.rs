//! Reads and writes the marker beside an output, `e01/de.wav.json`: it says that the item is done and what it was made of.
//!
//! Before an item is rendered, a claim with its id is written in place of its marker. If the run is killed after it
//! published the output, the claim shows that the output belongs to this item; an output without claim or marker is never
//! replaced. The marker replaces the claim after the output is published, so an item with a complete marker is done.
//!
//! A marker is not synced, which would double the time of a short item. After a power loss it may be empty, and the item is
//! rendered again, or missing, and the item is refused. The output itself was synced before. In a store the marker is an
//! object beside that of the output.

use super::fingerprint::StemVersion;
use crate::file_store;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use soundtrack::{Error, ErrorKind, Result};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

/// Maximum number of bytes that are read of a marker.
const MAX_BYTES: u64 = 64 << 20;

/// Contents of a marker. The id comes first, so that a marker that was cut off still shows its item.
#[derive(Debug, Serialize, Deserialize)]
pub struct Marker {
    /// Id of the item.
    pub id: String,
    /// Hash of everything that the output depends on.
    pub fingerprint: String,
    /// Exit code of the item: 0, or 1 if it was written but a check failed.
    pub code: u8,
    /// Message of a failed check.
    pub what: Option<String>,
    /// Number of shards of the run.
    pub shards: u64,
    /// Version of the program.
    pub version: String,
    /// Files of the item, relative to the output folder.
    pub outputs: Vec<Output>,
    /// Stems as they were before the render.
    pub stems: Vec<StemVersion>,
    /// Report of the mix or the deliverable.
    pub report: Value,
}

/// Content of the file in a marker's place.
pub enum Found {
    /// There is no file.
    Nothing,
    /// A claim of this item, or its marker cut off.
    Unfinished,
    /// A file that this program did not write for this item.
    Foreign,
    /// A complete marker, which may be that of another item.
    Marker(Box<Marker>),
}

/// A published file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    pub file: PathBuf,
    pub bytes: u64,
}

/// Returns the path of the marker of an output.
pub fn path_beside(folder: &Path, out: &Path) -> PathBuf {
    let mut path = folder.join(out).into_os_string();
    path.push(".json");
    path.into()
}

impl Marker {
    /// Reads the marker of an item.
    ///
    /// # Errors
    /// Passes on the errors of a store, which may answer another time. A local file that cannot be read is `Foreign`.
    pub fn read(path: &Path, id: &str) -> Result<Found> {
        let bytes = match file_store::read(path, MAX_BYTES) {
            Err(e) if file_store::is_link(path) => return Err(e),
            Err(_) => return Ok(Found::Foreign),
            Ok(None) => return Ok(Found::Nothing),
            Ok(Some(bytes)) => bytes,
        };
        if let Ok(marker) = serde_json::from_slice(&bytes) {
            return Ok(Found::Marker(Box::new(marker)));
        }
        // A claim and a marker begin with the id; one that was cut off may end within it.
        let start = first_bytes(id);
        let start = start.as_bytes();
        Ok(if bytes.starts_with(start) || start.starts_with(&bytes) {
            Found::Unfinished
        } else {
            Found::Foreign
        })
    }

    /// Returns whether every file of the item exists with its length.
    ///
    /// # Errors
    /// Passes on the errors of a store.
    pub fn has_all_outputs(&self, folder: &Path) -> Result<bool> {
        for output in &self.outputs {
            let metadata = file_store::metadata(&folder.join(&output.file))?;
            if metadata.is_none_or(|m| m.bytes != output.bytes) {
                return Ok(false);
            }
        }
        Ok(!self.outputs.is_empty())
    }

    /// Replaces the claim by the marker. If another run of the same shard was faster, its marker is equal.
    ///
    /// # Errors
    /// `Output`, or those of a store.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = serde_json::to_vec(self).map_err(|e| {
            let text = format!("{}: cannot be written: {e}", path.display());
            Error::new(ErrorKind::Output, text).because(e)
        })?;
        text.push(b'\n');
        file_store::write(path, text)
    }
}

/// Returns the text that a marker and a claim of an item begin with.
fn first_bytes(id: &str) -> String {
    let text = serde_json::json!({ "id": id }).to_string();
    text.trim_end_matches('}').to_owned()
}

/// Stands in place of a marker while its item is rendered: holds the id, and identifies the run.
pub struct Claim(String);

impl Claim {
    /// Creates a claim that no other run creates.
    pub fn new(id: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let run = format!("{}-{}-{number}", std::process::id(), now.as_nanos());
        Self(format!("{},\"run\":\"{run}\"}}\n", first_bytes(id)))
    }

    /// Writes the claim unless a file is in its place. Returns whether it was written.
    pub fn create(&self, path: &Path) -> Result<bool> {
        file_store::create(path, self.0.clone().into_bytes())
    }

    /// Writes the claim, and replaces any file in its place.
    pub fn replace(&self, path: &Path) -> Result<()> {
        file_store::write(path, self.0.clone().into_bytes())
    }

    /// Returns whether the file in its place is this claim.
    pub fn is_at(&self, path: &Path) -> Result<bool> {
        Ok(file_store::read(path, MAX_BYTES)?.is_some_and(|bytes| bytes == self.0.as_bytes()))
    }
}
