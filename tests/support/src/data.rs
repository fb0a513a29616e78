//! Real stems by others, which are kept outside the project.

use crate::requirement::missing;
use std::path::{Path, PathBuf};

/// Returns the test data's folder: `SOUNDTRACK_TEST_DATA`, or else `../shared/data` beside the project. `None` where it is
/// missing, after [`missing`] has said so.
pub fn base() -> Option<PathBuf> {
    // This package lies two folders below the root, whichever package's tests are running.
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let base = std::env::var_os("SOUNDTRACK_TEST_DATA").map_or_else(default, PathBuf::from);
    if base.is_dir() {
        return Some(base);
    }
    missing(format_args!("there is no test data at {}", base.display()));
    None
}

/// Returns a folder of the test data, as [`base`] does.
pub fn folder(name: &str) -> Option<PathBuf> {
    let folder = base()?.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    missing(format_args!(
        "the test data has no folder {}",
        folder.display()
    ));
    None
}

/// Returns the files of a folder, by name.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    files
}
