//! Real stems made by others, where they are.
#![allow(dead_code, reason = "every test file uses a part of it")]

use std::path::{Path, PathBuf};

/// The folder of test data: `SOUNDTRACK_TEST_DATA`, else `../shared/data`. `None`, and a line that says so, without it.
pub fn folder(of: &str) -> Option<PathBuf> {
    let base = std::env::var_os("SOUNDTRACK_TEST_DATA")
        .map_or_else(|| Path::new("../shared/data").into(), PathBuf::from);
    let folder = base.join(of);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no test data at {}", folder.display());
    None
}

/// The files of a folder, by name.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    files
}
