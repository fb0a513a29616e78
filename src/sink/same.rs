//! Whether two names are of one file.

use crate::{
    error::{Error, ErrorKind, Result},
    store::Place,
};
use std::{io, path::Path};

/// Whether two paths are one file: the same path in two spellings, a hard link, a symbolic link; or one object of a store.
/// `false` where one of them does not exist.
///
/// # Errors
/// `Output` where a path cannot be looked at.
pub fn same_file(a: &Path, b: &Path) -> Result<bool> {
    // A name that can be no object's is not the name of anything.
    let (Ok(one), Ok(other)) = (Place::of(a), Place::of(b)) else { return Ok(false) };
    let (Some(one), Some(other)) = (one.local(), other.local()) else { return Ok(a == b) };
    match same_file::is_same_file(one, other) {
        Ok(same) => Ok(same),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => {
            let what = format!("{}: cannot be compared with {}: {e}", a.display(), b.display());
            Err(Error::new(ErrorKind::Output, what).because(e))
        }
    }
}
