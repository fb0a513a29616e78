//! `--report FILE`: where it may go, known before anything is mixed.

use super::inputs::is_link;
use crate::failure::Failure;
use soundtrack::{Error, ErrorKind, storage};
use std::path::{Path, PathBuf};

/// Refuses what could not be written once the mix is done: a file that exists, a folder that does not.
pub fn check(report: &Path, overwrite: bool, mix: &Path) -> Result<(), Failure> {
    if report == mix {
        return Err(Failure::Usage(format!(
            "--report {}: is the mix itself",
            report.display()
        )));
    }
    let refused =
        |what: String| Error::new(ErrorKind::Output, format!("{}: {what}", report.display()));
    // A store has no folders; what it refuses is told when the report is written.
    if is_link(report) {
        return Ok(());
    }
    let folder = report
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if report.exists() && !overwrite {
        let hints = vec!["--force replaces it, another --report names another".to_owned()];
        return Err(Failure::Audio(refused("exists already".to_owned()), hints));
    }
    if report.is_dir() || !folder.is_dir() {
        let what = if report.is_dir() {
            "is a folder"
        } else {
            "its folder does not exist: create it first"
        };
        return Err(refused(what.to_owned()).into());
    }
    Ok(())
}

/// Refuses to write over an input, whatever else is allowed.
pub fn spare(report: &Path, inputs: &[PathBuf]) -> Result<(), Failure> {
    for input in inputs {
        if storage::same_file(input, report)? {
            let what = format!("{}: is one of the inputs", report.display());
            return Err(Error::new(ErrorKind::Output, what).into());
        }
    }
    Ok(())
}
