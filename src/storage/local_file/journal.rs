//! Makes several files visible together or none of them, even if the process is killed.
//!
//! Before the first rename, a journal beside the first target lists each temporary, its target, and
//! the backup of the file it replaces; the journal is synced before anything changes. If a rename
//! fails, the files renamed before get their old content back at once. If the process is killed,
//! the next process that writes to one of the folders finds the journal and completes the renames
//! or the rollback. It must know that the first process no longer runs, which only Linux allows; on
//! other systems the journal and the temporaries stay.

use super::{
    CompleteLocalFile, PREFIX, check_replaceable, exists_error, output_error,
    stale::{self, hash, machine_id},
    sync_folder, write_error,
};
use crate::error::{Error, Result};
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

const SUFFIX: &str = ".journal";
/// Suffix of the file that points to the journal, in each further folder.
const POINTER_SUFFIX: &str = ".pointer";
const BACKUP_EXTENSION: &str = "old";
/// Last line of a complete journal.
const END: &str = "end";
/// Line after [`END`]: the renames are being rolled back.
const UNDO: &str = "undo";
/// Larger files are not journals.
const MAX_BYTES: u64 = 64 << 20;

/// Entry for one file. Paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
struct JournalEntry {
    temporary: PathBuf,
    target: PathBuf,
    /// Backup of the replaced file; `None` if there was none.
    backup: Option<PathBuf>,
    /// Device and inode number of the new file, on systems that have them.
    inode: Option<(u64, u64)>,
}

/// Journal on disk.
#[derive(Debug)]
struct Journal {
    path: PathBuf,
    pointers: Vec<PathBuf>,
    entries: Vec<JournalEntry>,
    folders: BTreeSet<PathBuf>,
}

/// Makes all files visible in order, or none. Returns their sizes in bytes.
///
/// # Errors
/// `Output` for the first file that cannot be made visible, after all others have their old content
/// back. If one cannot be restored, the error names it, and the next process tries again.
pub(crate) fn publish(files: Vec<CompleteLocalFile>) -> Result<Vec<u64>> {
    let sizes = files.iter().map(|file| file.bytes).collect();
    let journal = Journal::write(&files)?;
    publish_all(files, &journal)?;
    journal.remove_files();
    Ok(sizes)
}

/// Renames all files of a journal, or none.
fn publish_all(files: Vec<CompleteLocalFile>, journal: &Journal) -> Result<()> {
    let mut left = Vec::with_capacity(files.len());
    let mut failed = None;
    let mut done = 0;
    for (file, entry) in files.into_iter().zip(&journal.entries) {
        if failed.is_none() {
            match publish_one(file, entry) {
                Ok(()) => done += 1,
                Err((file, e)) => {
                    failed = Some(e);
                    left.push(file);
                }
            }
        } else {
            left.push(Box::new(file));
        }
    }
    let synced = failed.map_or_else(|| journal.sync(), Err);
    synced.map_err(|e| {
        // Must precede the removal of the other temporaries: if killed in between, the next process
        // would take a file without a temporary for renamed.
        journal.mark_undone();
        drop(left);
        journal.undo(done, e)
    })
}

/// Backs up the old file and renames the new one to its target. On error returns the file, whose
/// temporary still exists.
fn publish_one(
    file: CompleteLocalFile,
    entry: &JournalEntry,
) -> Result<(), (Box<CompleteLocalFile>, Error)> {
    if let Some(backup) = &entry.backup
        && let Err(e) = back_up(&entry.target, backup)
    {
        let error = write_error(&file.target, file.expected_bytes, e);
        return Err((Box::new(file), error));
    }
    let CompleteLocalFile {
        temporary,
        target,
        folder,
        overwrite,
        expected_bytes,
        bytes,
    } = file;
    let renamed = if entry.backup.is_some() {
        temporary.persist(&target)
    } else {
        temporary.persist_noclobber(&target)
    };
    renamed.map(drop).map_err(|e| {
        let error = match e.error.kind() {
            io::ErrorKind::AlreadyExists => exists_error(&target),
            _ => write_error(&target, expected_bytes, e.error),
        };
        let file = CompleteLocalFile {
            temporary: e.file,
            target,
            folder,
            overwrite,
            expected_bytes,
            bytes,
        };
        (Box::new(file), error)
    })
}

/// Keeps the old file under a second name: a hard link or, on file systems without hard links, a
/// rename.
fn back_up(target: &Path, backup: &Path) -> io::Result<()> {
    match fs::hard_link(target, backup) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) if fs::symlink_metadata(target)?.is_file() => fs::rename(target, backup),
        Err(e) => Err(e),
    }
}

impl Journal {
    /// Writes the journal of the files to be published, and its pointers.
    fn write(files: &[CompleteLocalFile]) -> Result<Self> {
        let Some(first) = files.first() else {
            return Ok(Self {
                path: PathBuf::new(),
                pointers: Vec::new(),
                entries: Vec::new(),
                folders: BTreeSet::new(),
            });
        };
        let failed = |e: io::Error| write_error(&first.target, first.expected_bytes, e);
        let mut entries = Vec::with_capacity(files.len());
        for file in files {
            entries.push(journal_entry(file)?);
        }
        let folders: BTreeSet<PathBuf> = entries.iter().map(|e| folder_of(&e.target)).collect();
        let first_folder = entries
            .first()
            .map(|e| folder_of(&e.target))
            .unwrap_or_default();
        let name = format!(
            "{PREFIX}{:016x}-{:016x}-{}-",
            hash(first.target.as_os_str().as_encoded_bytes()),
            machine_id(),
            std::process::id()
        );
        let create = |folder: &Path, suffix: &str| {
            let mut builder = tempfile::Builder::new();
            builder.prefix(&name).suffix(suffix).tempfile_in(folder)
        };
        // The journal stays empty, and therefore invalid, until all pointers to it exist.
        let mut journal = create(&first_folder, SUFFIX).map_err(failed)?;
        let mut pointers = Vec::new();
        for folder in folders.iter().filter(|folder| **folder != first_folder) {
            let text = format!("{}\n{END}\n", hex(journal.path()));
            let mut pointer = create(folder, POINTER_SUFFIX).map_err(failed)?;
            pointer.write_all(text.as_bytes()).map_err(failed)?;
            pointer.as_file().sync_all().map_err(failed)?;
            sync_folder(folder).map_err(failed)?;
            pointers.push(pointer);
        }
        journal
            .write_all(to_text(&entries).as_bytes())
            .map_err(failed)?;
        journal.as_file().sync_all().map_err(failed)?;
        sync_folder(&first_folder).map_err(failed)?;
        // From here on the files survive this process.
        let kept = |file: tempfile::NamedTempFile| {
            file.keep()
                .map(|(_, path)| path)
                .map_err(|e| failed(e.error))
        };
        let path = kept(journal)?;
        let pointers = pointers.into_iter().map(kept).collect::<Result<_>>()?;
        Ok(Self {
            path,
            pointers,
            entries,
            folders,
        })
    }

    /// Makes the file names survive a power loss.
    fn sync(&self) -> Result<()> {
        for folder in &self.folders {
            sync_folder(folder).map_err(|e| {
                let what = format!("the folder {} cannot be synced: {e}", folder.display());
                let target = self.entries.iter().find(|e| e.target.starts_with(folder));
                output_error(target.map_or(folder, |e| &e.target), &what).because(e)
            })?;
        }
        Ok(())
    }

    /// Records that the old contents are being restored. If this fails, only a kill during the
    /// rollback leaves it incomplete.
    fn mark_undone(&self) {
        let marked = File::options()
            .append(true)
            .open(&self.path)
            .and_then(|mut file| {
                file.write_all(format!("{UNDO}\n").as_bytes())?;
                file.sync_all()
            });
        drop(marked);
    }

    /// Restores the first `done` targets, and the backup made for the next one. Returns the error,
    /// extended by the names of the targets that could not be restored.
    fn undo(&self, done: usize, error: Error) -> Error {
        let mut not_restored = Vec::new();
        for (number, entry) in self.entries.iter().enumerate().take(done + 1).rev() {
            let undone = match &entry.backup {
                Some(backup) => restore(backup, &entry.target),
                None if number < done => fs::remove_file(&entry.target),
                None => Ok(()),
            };
            if undone.is_err() {
                not_restored.push(entry.target.display().to_string());
            }
        }
        drop(self.sync());
        if not_restored.is_empty() {
            self.remove_files();
            return error;
        }
        let what = format!("{error}; already replaced: {}", not_restored.join(", "));
        Error::new(error.kind(), what).because(error)
    }

    /// Removes the backups, the journal and its pointers.
    fn remove_files(&self) {
        let backup = self
            .entries
            .iter()
            .filter_map(|entry| entry.backup.as_ref());
        // The journal goes after the backups, which only it knows, and before the pointers to it.
        for path in backup.chain([&self.path]).chain(&self.pointers) {
            drop(fs::remove_file(path));
        }
    }
}

/// Restores the old content of a target. If the target still is the old file, only the backup name
/// is removed.
fn restore(backup: &Path, target: &Path) -> io::Result<()> {
    let Ok(metadata) = fs::symlink_metadata(backup) else {
        return Ok(());
    };
    let still = fs::symlink_metadata(target)
        .ok()
        .and_then(|now| inode(&now));
    if still.is_some() && still == inode(&metadata) {
        return fs::remove_file(backup);
    }
    fs::rename(backup, target)
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

/// Returns the journal entry of a file.
///
/// # Errors
/// `Output` if the target cannot be replaced.
fn journal_entry(file: &CompleteLocalFile) -> Result<JournalEntry> {
    let failed = |e: io::Error| write_error(&file.target, file.expected_bytes, e);
    let folder = file.folder.canonicalize().map_err(failed)?;
    let absolute = |path: &Path| folder.join(path.file_name().unwrap_or_default());
    let (temporary, target) = (absolute(file.temporary.path()), absolute(&file.target));
    let replaces = match fs::symlink_metadata(&target) {
        Ok(metadata) => {
            check_replaceable(&file.target, &metadata, file.overwrite).map(|()| true)?
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => false,
        Err(e) => return Err(failed(e)),
    };
    let metadata = file.temporary.as_file().metadata().map_err(failed)?;
    Ok(JournalEntry {
        backup: replaces.then(|| temporary.with_extension(BACKUP_EXTENSION)),
        inode: inode(&metadata),
        temporary,
        target,
    })
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is none")]
fn inode(metadata: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// Formats a journal as text: one line per file, and [`END`].
fn to_text(entries: &[JournalEntry]) -> String {
    let mut text = String::new();
    for entry in entries {
        let backup = entry.backup.as_deref().map_or("-".to_owned(), hex);
        let (device, inode) = entry.inode.unwrap_or_default();
        let (temporary, target) = (hex(&entry.temporary), hex(&entry.target));
        _ = writeln!(text, "{temporary} {target} {backup} {device} {inode}");
    }
    text + END + "\n"
}

/// Parses a journal. Returns its entries, and true if it is being rolled back; `None` if it is
/// incomplete.
fn parse(text: &str) -> Option<(Vec<JournalEntry>, bool)> {
    let (files, rest) = text.split_once(&format!("{END}\n"))?;
    let entry = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [temporary, target, backup, device, inode] = words.as_slice() else {
            return None;
        };
        let inode = (device.parse().ok()?, inode.parse().ok()?);
        Some(JournalEntry {
            temporary: unhex(temporary)?,
            target: unhex(target)?,
            backup: if *backup == "-" {
                None
            } else {
                Some(unhex(backup)?)
            },
            inode: (inode != (0, 0)).then_some(inode),
        })
    };
    let entries: Option<Vec<JournalEntry>> = files.lines().map(entry).collect();
    Some((entries?, !rest.is_empty()))
}

/// Returns the bytes of a path as hexadecimal digits, since names may contain anything, including
/// line breaks.
fn hex(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

/// Parses the output of [`hex`].
fn unhex(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for at in (0..text.len()).step_by(2) {
        bytes.push(u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?);
    }
    path_from_bytes(bytes)
}

#[cfg(unix)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "elsewhere not all bytes are a path"
)]
fn path_from_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn path_from_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

/// Completes or rolls back the journals of terminated processes in a folder.
pub(super) fn recover(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if stale::is_gone(&name, SUFFIX) {
            recover_journal(&path);
        } else if stale::is_gone(&name, POINTER_SUFFIX) {
            let text = read_journal(&path);
            let journal = text
                .as_deref()
                .and_then(|text| unhex(text.strip_suffix(&format!("\n{END}\n"))?));
            if let Some(journal) = journal {
                recover_journal(&journal);
            }
            drop(fs::remove_file(&path));
        }
    }
}

fn read_journal(path: &Path) -> Option<String> {
    let metadata = fs::symlink_metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > MAX_BYTES {
        return None;
    }
    fs::read_to_string(path).ok()
}

/// Completes a journal, or rolls it back if a rollback has begun or a rename fails. An incomplete
/// journal was written before anything changed and is removed.
fn recover_journal(path: &Path) {
    let Some(text) = read_journal(path) else {
        return;
    };
    let Some((entries, undone)) = parse(&text) else {
        drop(fs::remove_file(path));
        return;
    };
    let folders = entries
        .iter()
        .filter_map(|e| e.target.parent().map(Path::to_owned));
    let journal = Journal {
        path: path.to_owned(),
        pointers: Vec::new(),
        folders: folders.collect(),
        entries,
    };
    if !undone && journal.entries.iter().try_for_each(ensure_renamed).is_ok() {
        drop(journal.sync());
        journal.remove_files();
        return;
    }
    if !undone {
        journal.mark_undone();
    }
    for entry in journal.entries.iter().rev() {
        let is_ours =
            |metadata: fs::Metadata| inode(&metadata) == entry.inode && entry.inode.is_some();
        match &entry.backup {
            Some(backup) => drop(restore(backup, &entry.target)),
            None if fs::symlink_metadata(&entry.target).is_ok_and(is_ours) => {
                drop(fs::remove_file(&entry.target));
            }
            None => {}
        }
        drop(fs::remove_file(&entry.temporary));
    }
    drop(journal.sync());
    journal.remove_files();
}

/// Renames the temporary of an entry unless this has already happened.
fn ensure_renamed(entry: &JournalEntry) -> io::Result<()> {
    if fs::symlink_metadata(&entry.temporary).is_err() {
        return Ok(());
    }
    let Some(backup) = &entry.backup else {
        // A file that another program put there in the meantime stays.
        return match fs::hard_link(&entry.temporary, &entry.target) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(e),
            Err(_) => fs::rename(&entry.temporary, &entry.target),
            Ok(()) => fs::remove_file(&entry.temporary),
        };
    };
    if fs::symlink_metadata(backup).is_err() {
        back_up(&entry.target, backup)?;
    }
    fs::rename(&entry.temporary, &entry.target)
}

#[cfg(test)]
mod tests {
    use super::{super::LocalFile, *};

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// Complete files `0.wav` and so on, new and backup ones, in two folders.
    fn files(folder: &Path, count: usize) -> Vec<CompleteLocalFile> {
        fs::create_dir_all(folder.join("b")).unwrap();
        let file = |n: usize| {
            let path = target(folder, n);
            if n.is_multiple_of(3) {
                fs::write(&path, format!("old {n}")).unwrap();
            }
            let mut file = LocalFile::create(&path, true, 5).unwrap();
            file.write_all(format!("new {n}").as_bytes()).unwrap();
            file.complete().unwrap()
        };
        (0..count).map(file).collect()
    }

    fn target(folder: &Path, n: usize) -> PathBuf {
        let folder = if n.is_multiple_of(2) {
            folder.to_owned()
        } else {
            folder.join("b")
        };
        folder.join(format!("{n}.wav"))
    }

    fn contents(folder: &Path, count: usize) -> Vec<Option<String>> {
        (0..count)
            .map(|n| fs::read_to_string(target(folder, n)).ok())
            .collect()
    }

    fn backup(count: usize) -> Vec<Option<String>> {
        (0..count)
            .map(|n| n.is_multiple_of(3).then(|| format!("old {n}")))
            .collect()
    }

    fn new(count: usize) -> Vec<Option<String>> {
        (0..count).map(|n| Some(format!("new {n}"))).collect()
    }

    #[test]
    fn all_files_appear_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(publish(files(folder.path(), 7)).unwrap(), [5; 7]);
        assert_eq!(contents(folder.path(), 7), new(7));
        assert_eq!(
            names(folder.path()),
            ["0.wav", "2.wav", "4.wav", "6.wav", "b"]
        );
        assert_eq!(names(&folder.path().join("b")), ["1.wav", "3.wav", "5.wav"]);
    }

    #[test]
    fn a_file_that_cannot_appear_takes_all_others_back() {
        for not_restored in 0..7 {
            let folder = tempfile::tempdir().unwrap();
            let files = files(folder.path(), 7);
            let journal = Journal::write(&files).unwrap();
            // A folder of the same name: nothing is renamed over it.
            let path = target(folder.path(), not_restored);
            drop(fs::remove_file(&path));
            fs::create_dir(&path).unwrap();
            let e = publish_all(files, &journal).unwrap_err().to_string();
            assert!(
                e.contains(&format!("{not_restored}.wav: ")) && !e.contains("already replaced"),
                "{e}"
            );
            fs::remove_dir(&path).unwrap();
            let mut left = backup(7);
            left[not_restored] = None;
            assert_eq!(contents(folder.path(), 7), left, "{not_restored}");
            let names = [names(folder.path()), names(&folder.path().join("b"))].concat();
            assert!(
                names.iter().all(|n| !n.starts_with('.')),
                "{not_restored}: {names:?}"
            );
        }
    }

    #[test]
    fn a_file_that_another_program_made_meanwhile_is_kept_and_said_to_exist() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path(), 2);
        let journal = Journal::write(&files).unwrap();
        // Number 1 was not there, so that it has no backup.
        let path = target(folder.path(), 1);
        fs::write(&path, "other").unwrap();
        let e = publish_all(files, &journal).unwrap_err();
        assert_eq!(e.to_string(), super::super::exists_error(&path).to_string());
        let kept = [Some("old 0".to_owned()), Some("other".to_owned())];
        assert_eq!(contents(folder.path(), 2), kept);
    }

    #[test]
    fn a_journal_is_completed_or_undone_from_every_moment() {
        for undo in [false, true] {
            for done in 0..=7 {
                let folder = tempfile::tempdir().unwrap();
                let mut files = files(folder.path(), 7);
                let journal = Journal::write(&files).unwrap();
                let rest = files.split_off(done);
                for (file, entry) in files.into_iter().zip(&journal.entries) {
                    assert!(publish_one(file, entry).is_ok());
                }
                // What a killed process leaves: the temporaries are still there.
                for file in rest {
                    file.temporary.keep().unwrap();
                }
                if undo {
                    journal.mark_undone();
                }
                recover_journal(&journal.path);
                let wanted = if undo { backup(7) } else { new(7) };
                assert_eq!(contents(folder.path(), 7), wanted, "{undo} {done}");
                let names = [names(folder.path()), names(&folder.path().join("b"))].concat();
                let hidden: Vec<_> = names.iter().filter(|n| n.starts_with('.')).collect();
                // The pointer goes when its folder is looked at.
                assert!(
                    hidden.len() == 1 && hidden[0].ends_with(POINTER_SUFFIX),
                    "{hidden:?}"
                );
            }
        }
    }

    #[test]
    fn a_journal_without_its_end_changes_nothing() {
        let entries = [JournalEntry {
            temporary: "/a\n b".into(),
            target: "/é".into(),
            backup: Some("/-".into()),
            inode: Some((1, 2)),
        }];
        let whole = to_text(&entries);
        assert_eq!(parse(&whole), Some((entries.to_vec(), false)));
        assert_eq!(
            parse(&(whole.clone() + UNDO)),
            Some((entries.to_vec(), true))
        );
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), None, "{length}");
        }
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path(), 4);
        let journal = Journal::write(&files).unwrap();
        let text = fs::read_to_string(&journal.path).unwrap();
        fs::write(&journal.path, &text[..text.len() - 1]).unwrap();
        recover_journal(&journal.path);
        assert!(!journal.path.exists());
        assert_eq!(contents(folder.path(), 4), backup(4));
    }

    #[test]
    fn hexadecimal_digits_are_read_back_as_the_path() {
        for name in ["", "a", "ab", "abc", "/mix/é\nx.wav"] {
            let digits = hex(Path::new(name));
            assert_eq!(digits.len(), 2 * name.len());
            assert_eq!(unhex(&digits), Some(PathBuf::from(name)));
        }
        for wrong in ["6", "616", "6g", "é"] {
            assert_eq!(unhex(wrong), None, "{wrong}");
        }
    }
}
