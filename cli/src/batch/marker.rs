//! The marker beside an output that says it is done, and what it was made of: `e01/de.wav.json`.
//!
//! Before an item is rendered its marker is claimed: it holds the id and says which run it is. So an output that a killed run left
//! without its marker is known as this item's, and any other is not replaced. The whole marker takes the place of the claim
//! after the output was published, so an item with a whole marker is done. It is not synced, which would double the time of
//! a short item: after a power loss it may be missing or empty, and then the item, whose output was synced before, is done
//! once more or, where it is missing, refused. In a store it is an object beside that of the output.

use super::{fingerprint::Stem, place};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use soundtrack::Result;
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

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
    /// A claim of this item, or a marker of it that was cut off.
    Unfinished,
    /// Something that this program did not write for this item.
    Foreign,
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
    /// The marker of an item at a path. Only of a store it is an error that it cannot be read: it may be there another time.
    pub fn read(path: &Path, id: &str) -> Result<Found> {
        let bytes = match place::read(path, LARGEST) {
            Err(e) if place::is_link(path) => return Err(e),
            Err(_) => return Ok(Found::Foreign),
            Ok(None) => return Ok(Found::Nothing),
            Ok(Some(bytes)) => bytes,
        };
        if let Ok(marker) = serde_json::from_slice(&bytes) {
            return Ok(Found::Marker(Box::new(marker)));
        }
        // Both begin with the id; one that was cut off may end within it.
        let start = start(id);
        let start = start.as_bytes();
        Ok(if bytes.starts_with(start) || start.starts_with(&bytes) {
            Found::Unfinished
        } else {
            Found::Foreign
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

    /// Writes the marker in place of its claim. Where another run of the same shard was faster, its marker says the same.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = serde_json::to_vec(self).unwrap_or_default();
        text.push(b'\n');
        place::write(path, text)
    }
}

/// How a marker or a claim of an item begins.
fn start(id: &str) -> String {
    let text = serde_json::json!({ "id": id }).to_string();
    text.trim_end_matches('}').to_owned()
}

/// A claim, which takes the place of a marker while its item is rendered: the id, and which run it is.
pub struct Claim(String);

impl Claim {
    /// A claim that no other run makes.
    pub fn new(id: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let run = format!("{}-{}-{number}", std::process::id(), now.as_nanos());
        Self(format!("{},\"run\":\"{run}\"}}\n", start(id)))
    }

    /// Writes the claim if nothing is in its place; whether it did.
    pub fn create(&self, path: &Path) -> Result<bool> {
        place::create(path, self.0.clone().into_bytes())
    }

    /// Writes the claim in place of what is there.
    pub fn replace(&self, path: &Path) -> Result<()> {
        place::write(path, self.0.clone().into_bytes())
    }

    /// Whether it is this claim that is there.
    pub fn is_at(&self, path: &Path) -> Result<bool> {
        Ok(place::read(path, LARGEST)?.is_some_and(|bytes| bytes == self.0.as_bytes()))
    }
}
