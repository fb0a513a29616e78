//! Checks the path of `--report` before anything is rendered.

use super::hints;
use crate::{failure::Failure, file_store::is_link};
use soundtrack::{
    Error, ErrorKind,
    storage::{self, AtomicFile},
};
use std::path::{Path, PathBuf};

/// Checks that a report can be written once the mix is done.
///
/// # Errors
/// `Usage` for the path of the mix; `Output` for a file that exists without `overwrite`, for a folder, and for one
/// whose folder does not exist or cannot be written to.
pub fn check(report: &Path, overwrite: bool, mix: &Path) -> Result<(), Failure> {
    if report == mix {
        return Err(Failure::Usage(format!(
            "--report {}: is the mix itself; choose another name",
            report.display()
        )));
    }
    // A store has no folders, and reports its own errors when the report is written.
    if is_link(report) {
        return Ok(());
    }
    let error = |text: &str| Error::new(ErrorKind::Output, format!("{}: {text}", report.display()));
    if report.exists() && !overwrite {
        let hint = hints::replace(", or another --report");
        return Err(Failure::Library(error("exists already"), vec![hint]));
    }
    if report.is_dir() {
        return Err(error("is a folder").into());
    }
    let folder = report
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(error("its folder does not exist: create it first").into());
    }
    // Creates a temporary file beside it, and removes it.
    drop(AtomicFile::create(report, overwrite)?);
    Ok(())
}

/// Checks that a report does not replace an input, which no option allows.
///
/// # Errors
/// `Output` for a report that is one of the inputs.
pub fn check_not_input(report: &Path, inputs: &[PathBuf]) -> Result<(), Failure> {
    for input in inputs {
        if storage::same_file(input, report)? {
            let text = format!("{}: is one of the inputs", report.display());
            return Err(Error::new(ErrorKind::Output, text).into());
        }
    }
    Ok(())
}
