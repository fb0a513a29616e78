//! Files by pattern: `*.wav`, `stems/dx_?.flac`. Stars and question marks stand in the name only, not in folders. With the
//! feature `cloud` the folder may be one of an object store.

use crate::storage::glob::fits;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A folder with more files than this is not meant.
const MOST: usize = 10_000;

/// The files of a folder whose names match, in the order of their names, as paths from there. Hidden ones do not match.
pub(super) fn files(folder: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let (inner, pattern) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let mut found = Vec::new();
    #[cfg(feature = "cloud")]
    if folder.to_str().is_some_and(crate::storage::is_link) {
        let names = crate::storage::listed(&folder.join(inner))?.map_err(io::Error::other)?;
        let wanted = |name: &&String| !name.starts_with('.') && fits(pattern, name);
        return Ok(names.iter().filter(wanted).take(MOST).map(|name| Path::new(inner).join(name)).collect());
    }
    for entry in fs::read_dir(folder.join(inner))?.take(MOST) {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|n| !n.starts_with('.')) else { continue };
        let path = Path::new(inner).join(name);
        if fits(pattern, name) && folder.join(&path).is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
