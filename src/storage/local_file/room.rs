//! Checks that several new files fit on their disks together.

use super::{folder_and_name, follow_links, output_error};
use crate::{error::Result, storage::Location};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Files that are to be written to one disk.
struct DiskUse {
    disk: DiskId,
    /// Folder of the first file.
    folder: PathBuf,
    files: usize,
    bytes: u64,
}

/// Checks that new files of at least these sizes in bytes fit on their disks, before the first of them is started.
///
/// A file that is replaced stays until all new ones are complete, so its room is not counted as free. Objects are not
/// checked, nor is a disk whose free space is unknown.
///
/// # Errors
/// `Output`, with the folder of the first file on the disk, the bytes needed and those free.
pub(crate) fn check_room<'a>(files: impl IntoIterator<Item = (&'a Path, u64)>) -> Result<()> {
    let mut disks: Vec<DiskUse> = Vec::new();
    for (path, bytes) in files {
        let location = Location::parse(path)?;
        let Some(path) = location.local() else {
            continue;
        };
        let target = follow_links(path)?;
        let (folder, _) = folder_and_name(&target)?;
        let Ok(disk) = disk_of(&folder) else {
            continue;
        };
        match disks.iter_mut().find(|known| known.disk == disk) {
            Some(known) => {
                known.files += 1;
                known.bytes = known.bytes.saturating_add(bytes);
            }
            None => disks.push(DiskUse {
                disk,
                folder,
                files: 1,
                bytes,
            }),
        }
    }
    disks.iter().try_for_each(|disk| {
        let free = fs4::available_space(&disk.folder).ok();
        free.map_or(Ok(()), |free| disk.check(free))
    })
}

impl DiskUse {
    /// Checks that the files fit into the free bytes. A single file is checked when it is created.
    fn check(&self, free: u64) -> Result<()> {
        if self.files < 2 || self.bytes <= free {
            return Ok(());
        }
        let what = format!(
            "no room: the {} outputs on this disk need at least {} bytes together, {free} are free",
            self.files, self.bytes
        );
        Err(output_error(&self.folder, &what))
    }
}

/// Number of the device.
#[cfg(unix)]
type DiskId = u64;
/// Drive or share.
#[cfg(not(unix))]
type DiskId = std::ffi::OsString;

#[cfg(unix)]
fn disk_of(folder: &Path) -> io::Result<DiskId> {
    use std::os::unix::fs::MetadataExt;
    Ok(folder.metadata()?.dev())
}

#[cfg(not(unix))]
fn disk_of(folder: &Path) -> io::Result<DiskId> {
    let folder = folder.canonicalize()?;
    let drive = folder.components().next();
    Ok(drive.map_or_else(DiskId::new, |drive| drive.as_os_str().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_fit_up_to_the_last_free_byte() {
        let disk = |files, bytes| DiskUse {
            disk: DiskId::default(),
            folder: "out".into(),
            files,
            bytes,
        };
        assert!(disk(2, 1000).check(1000).is_ok());
        let error = disk(2, 1000).check(999).unwrap_err();
        assert_eq!(
            error.to_string(),
            "out: no room: the 2 outputs on this disk need at least 1000 bytes together, 999 are free"
        );
        assert!(disk(1, 1000).check(0).is_ok());
    }

    #[test]
    fn files_of_one_disk_are_counted_together() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a.wav", "b.wav"].map(|name| folder.path().join(name));
        let half = u64::MAX / 2;
        assert!(check_room([(&*a, 1), (&*b, 1)]).is_ok());
        let error = check_room([(&*a, half), (&*b, half)]).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("need at least 18446744073709551614 bytes together, "),
            "{error}"
        );
    }
}
