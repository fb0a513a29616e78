//! Compares files by identity.

use crate::{
    error::{Error, ErrorKind, Result},
    storage::Location,
};
use std::{io, path::Path};

/// Returns true if two paths lead to the same file (another spelling, a hard link, a symbolic link)
/// or the same object. Returns false if one of them does not exist.
///
/// # Errors
/// `Output` if a path cannot be inspected.
pub fn same_file(a: &Path, b: &Path) -> Result<bool> {
    // An invalid object name names nothing.
    let (Ok(one), Ok(other)) = (Location::parse(a), Location::parse(b)) else {
        return Ok(false);
    };
    let (Some(one), Some(other)) = (one.local(), other.local()) else {
        return Ok(a == b);
    };
    match same_file::is_same_file(one, other) {
        Ok(same) => Ok(same),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => {
            let what = format!(
                "{}: cannot be compared with {}: {e}",
                a.display(),
                b.display()
            );
            Err(Error::new(ErrorKind::Output, what).because(e))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(unix)]
    use std::fs;

    #[cfg(unix)]
    #[test]
    fn one_file_in_two_spellings_is_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name| folder.path().join(name);
        fs::write(at("a"), "").unwrap();
        fs::write(at("b"), "").unwrap();
        fs::hard_link(at("a"), at("hard")).unwrap();
        std::os::unix::fs::symlink("a", at("soft")).unwrap();
        fs::create_dir(at("sub")).unwrap();
        for other in ["hard", "soft", "sub/../a"] {
            assert!(same_file(&at("a"), &at(other)).unwrap(), "{other}");
        }
        assert!(!same_file(&at("a"), &at("b")).unwrap());
        assert!(!same_file(&at("a"), &at("none")).unwrap());
        let below_a_file = same_file(&at("a/b"), &at("b")).unwrap_err();
        assert_eq!(below_a_file.kind(), ErrorKind::Output);
    }

    #[cfg(feature = "cloud")]
    #[test]
    fn objects_are_the_same_by_their_names() {
        let same = |a: &str, b: &str| same_file(Path::new(a), Path::new(b)).unwrap();
        assert!(same("s3://b/a.wav", "s3://b/a.wav") && !same("s3://b/a.wav", "s3://b/b.wav"));
        assert!(!same("s3://b/a.wav", "a.wav"));
    }
}
