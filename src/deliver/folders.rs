//! Creates the folders of deliverables, and removes them again if the delivery fails.

use crate::{
    error::{Error, ErrorKind, Result},
    storage::Location,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Created folders. Dropping this removes those that are empty, as all are after a failure.
#[derive(Debug, Default)]
pub(super) struct Folders {
    created: Vec<PathBuf>,
}

impl Folders {
    /// Creates the folder of a file and its missing parents.
    pub(super) fn create_for(&mut self, file: &Path) -> Result<()> {
        // Object stores have no folders.
        let location = Location::parse(file)?;
        let Some(file) = location.local() else {
            return Ok(());
        };
        let missing: Vec<&Path> = file
            .ancestors()
            .skip(1)
            .take_while(|f| !f.as_os_str().is_empty() && !f.exists())
            .collect();
        // Checked again, since `a/..` exists as soon as `a` does.
        for folder in missing.into_iter().rev().filter(|f| !f.exists()) {
            fs::create_dir(folder).map_err(|e| {
                let what = format!(
                    "{}: the folder {} cannot be made: {e}",
                    file.display(),
                    folder.display()
                );
                Error::new(ErrorKind::Output, what).because(e)
            })?;
            self.created.push(folder.to_owned());
        }
        Ok(())
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        // A folder that is not empty, or that no longer exists, is left alone.
        self.created
            .iter()
            .rev()
            .for_each(|folder| drop(fs::remove_dir(folder)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_folders_are_made_and_those_without_a_file_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut folders = Folders::default();
        folders.create_for(Path::new("a.wav")).unwrap();
        assert_eq!(folders.created, [""; 0].map(PathBuf::from));
        folders.create_for(&at("a/b/x.wav")).unwrap();
        folders.create_for(&at("a/c/x.wav")).unwrap();
        assert_eq!(folders.created, ["a", "a/b", "a/c"].map(at));
        fs::write(at("a/c/x.wav"), "").unwrap();
        drop(folders);
        assert_eq!([at("a/b").exists(), at("a/c").exists()], [false, true]);
    }
}
