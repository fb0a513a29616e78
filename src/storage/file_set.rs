//! Set of files that recognises a file under any of its names.

use super::{Location, is_link};
use crate::error::{Error, ErrorKind, Result};
use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Set of files and objects by identity, not by name: another spelling, a hard link, a symbolic
/// link and, on a case-insensitive file system, another case are the same file. Files that do not
/// exist are never members.
#[derive(Debug, Default)]
pub(crate) struct FileSet {
    names: HashMap<FileId, PathBuf>,
}

/// Identity of a file.
#[derive(Debug, PartialEq, Eq, Hash)]
enum FileId {
    /// Device and inode number.
    #[cfg(unix)]
    Inode(u64, u64),
    /// Canonical path, on systems without inode numbers.
    #[cfg(not(unix))]
    Path(PathBuf),
    /// Name of an object.
    Object(PathBuf),
}

impl FileSet {
    /// Creates a set of files. Paths that cannot be inspected are left out.
    pub(crate) fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut names = HashMap::new();
        for path in paths {
            if let Ok(Some(id)) = file_id(&path) {
                names.entry(id).or_insert(path);
            }
        }
        Self { names }
    }

    /// Returns the name under which the file is in the set.
    ///
    /// # Errors
    /// `Output` if the path cannot be inspected.
    pub(crate) fn name_of(&self, path: &Path) -> Result<Option<&Path>> {
        let id = file_id(path).map_err(|e| {
            let what = format!("{}: cannot be inspected: {e}", path.display());
            Error::new(ErrorKind::Output, what).because(e)
        })?;
        Ok(id.and_then(|id| self.names.get(&id)).map(PathBuf::as_path))
    }
}

/// Returns the identity of a file; `None` if it does not exist.
fn file_id(path: &Path) -> io::Result<Option<FileId>> {
    let location = Location::parse(path).ok();
    let Some(local) = location.as_ref().and_then(Location::local) else {
        // An invalid object name names nothing.
        let object = location.is_some() && path.to_str().is_some_and(is_link);
        return Ok(object.then(|| FileId::Object(path.to_owned())));
    };
    match local_id(local) {
        Ok(id) => Ok(Some(id)),
        Err(e) => match e.kind() {
            // A NUL in the name gives `InvalidInput`, a path below a file `NotADirectory`.
            io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidFilename => Ok(None),
            _ => Err(e),
        },
    }
}

#[cfg(unix)]
fn local_id(path: &Path) -> io::Result<FileId> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path)?;
    Ok(FileId::Inode(metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn local_id(path: &Path) -> io::Result<FileId> {
    fs::canonicalize(path).map(FileId::Path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_found_under_all_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "").unwrap();
        fs::write(at("b"), "").unwrap();
        fs::hard_link(at("a"), at("hard")).unwrap();
        std::os::unix::fs::symlink("a", at("soft")).unwrap();
        std::os::unix::fs::symlink("none", at("dangling")).unwrap();
        fs::create_dir(at("sub")).unwrap();
        let set = FileSet::new(["a", "none", "a\0b", "sub/../a"].map(at));
        for name in ["a", "hard", "soft", "sub/../a", "./a"] {
            assert_eq!(set.name_of(&at(name)).unwrap(), Some(&*at("a")), "{name}");
        }
        for name in ["b", "none", "dangling", "a/b", "sub", "a\0b"] {
            assert_eq!(set.name_of(&at(name)).unwrap(), None, "{name}");
        }
    }

    #[cfg(feature = "cloud")]
    #[test]
    fn objects_are_known_by_their_names() {
        let set = FileSet::new(["s3://b/a.wav".into()]);
        let found = |name: &str| set.name_of(Path::new(name)).unwrap().is_some();
        assert!(found("s3://b/a.wav") && !found("s3://b/b.wav") && !found("a.wav"));
    }
}
