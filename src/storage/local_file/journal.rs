//! Makes several files visible together, or none of them, also where the process is killed in between.
//!
//! Before the first rename a journal beside the first target names every temporary, its target, and where the old file is
//! kept meanwhile; it is on the disk before anything changes. Where a rename fails, the files before it get their old
//! content back at once. Where the process is killed, the next process that puts an output into one of the folders finds
//! the journal and completes the renames, or their undoing. That needs to know that the first process is gone, which only
//! Linux tells; elsewhere the journal and the temporaries stay.

use super::{
    Complete, PREFIX, check_old, error, exists, output,
    stale::{self, hash, machine},
    sync,
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
/// A file in each further folder that leads to the journal.
const POINTER_SUFFIX: &str = ".pointer";
const OLD_EXTENSION: &str = "old";
/// The last line of a journal that is complete.
const END: &str = "end";
/// A line after it: the renames are being undone.
const UNDO: &str = "undo";
/// A larger file is no journal.
const MAX_BYTES: u64 = 64 << 20;

/// One file of a journal. Paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    temporary: PathBuf,
    target: PathBuf,
    /// Where the file that is replaced is kept; `None` where there was none.
    old: Option<PathBuf>,
    /// What tells the new file from all others, where the system says.
    inode: Option<(u64, u64)>,
}

/// A journal on the disk.
#[derive(Debug)]
struct Journal {
    path: PathBuf,
    pointers: Vec<PathBuf>,
    entries: Vec<Entry>,
    folders: BTreeSet<PathBuf>,
}

/// Makes all files visible, in order, or none. Returns their sizes in bytes.
///
/// # Errors
/// `Output` for the first that cannot appear, after all others have their old content again. Where one cannot get it back,
/// the error names it, and the next process tries again.
pub(crate) fn publish(files: Vec<Complete>) -> Result<Vec<u64>> {
    let sizes = files.iter().map(|file| file.bytes).collect();
    let journal = Journal::write(&files)?;
    appear_all(files, &journal)?;
    journal.forget();
    Ok(sizes)
}

/// Renames all files of a journal, or none.
fn appear_all(files: Vec<Complete>, journal: &Journal) -> Result<()> {
    let mut left = Vec::with_capacity(files.len());
    let mut failed = None;
    let mut done = 0;
    for (file, entry) in files.into_iter().zip(&journal.entries) {
        if failed.is_none() {
            match appear(file, entry) {
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
        // Before the other temporaries go: without one the next process would take its file for renamed.
        journal.mark_undone();
        drop(left);
        journal.undo(done, e)
    })
}

/// Renames a file to its target, after the old one is kept. An error comes with the file, whose temporary is still there.
fn appear(file: Complete, entry: &Entry) -> Result<(), (Box<Complete>, Error)> {
    let Complete {
        temporary,
        target,
        folder,
        overwrite,
        needs,
        bytes,
    } = file;
    let back = |temporary, target, e| {
        let file = Complete {
            temporary,
            target,
            folder: folder.clone(),
            overwrite,
            needs,
            bytes,
        };
        Err((Box::new(file), e))
    };
    if let Some(old) = &entry.old
        && let Err(e) = keep_old(&entry.target, old)
    {
        let e = error(&target, needs, e);
        return back(temporary, target, e);
    }
    let renamed = if entry.old.is_some() {
        temporary.persist(&target)
    } else {
        temporary.persist_noclobber(&target)
    };
    match renamed {
        Ok(_) => Ok(()),
        Err(e) => {
            let told = match e.error.kind() {
                io::ErrorKind::AlreadyExists => exists(&target),
                _ => error(&target, needs, e.error),
            };
            back(e.file, target, told)
        }
    }
}

/// Gives the old file a second name, or where the file system has no hard links, another.
fn keep_old(target: &Path, old: &Path) -> io::Result<()> {
    match fs::hard_link(target, old) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(_) if fs::symlink_metadata(target)?.is_file() => fs::rename(target, old),
        Err(e) => Err(e),
    }
}

impl Journal {
    /// Writes the journal of files that are about to appear, and its pointers.
    fn write(files: &[Complete]) -> Result<Self> {
        let Some(first) = files.first() else {
            return Ok(Self {
                path: PathBuf::new(),
                pointers: Vec::new(),
                entries: Vec::new(),
                folders: BTreeSet::new(),
            });
        };
        let failed = |e: io::Error| error(&first.target, first.needs, e);
        let mut entries = Vec::with_capacity(files.len());
        for file in files {
            entries.push(entry(file)?);
        }
        let folder_of = |path: &Path| path.parent().map(Path::to_owned).unwrap_or_default();
        let folders: BTreeSet<PathBuf> = entries.iter().map(|e| folder_of(&e.target)).collect();
        let home = entries
            .first()
            .map(|e| folder_of(&e.target))
            .unwrap_or_default();
        let name = format!(
            "{PREFIX}{:016x}-{:016x}-{}-",
            hash(first.target.as_os_str().as_encoded_bytes()),
            machine(),
            std::process::id()
        );
        let create = |folder: &Path, suffix: &str| {
            let mut builder = tempfile::Builder::new();
            builder.prefix(&name).suffix(suffix).tempfile_in(folder)
        };
        // The journal is empty, which is none, until all pointers lead to it.
        let mut journal = create(&home, SUFFIX).map_err(failed)?;
        let mut pointers = Vec::new();
        for folder in folders.iter().filter(|folder| **folder != home) {
            let text = format!("{}\n{END}\n", hex(journal.path()));
            let mut pointer = create(folder, POINTER_SUFFIX).map_err(failed)?;
            pointer.write_all(text.as_bytes()).map_err(failed)?;
            pointer.as_file().sync_all().map_err(failed)?;
            sync(folder).map_err(failed)?;
            pointers.push(pointer);
        }
        journal
            .write_all(text(&entries).as_bytes())
            .map_err(failed)?;
        journal.as_file().sync_all().map_err(failed)?;
        sync(&home).map_err(failed)?;
        // From here on they outlive this process.
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

    /// Makes the names outlive a power loss.
    fn sync(&self) -> Result<()> {
        for folder in &self.folders {
            sync(folder).map_err(|e| {
                let what = format!("the folder {} cannot be synced: {e}", folder.display());
                let target = self.entries.iter().find(|e| e.target.starts_with(folder));
                output(target.map_or(folder, |e| &e.target), &what).because(e)
            })?;
        }
        Ok(())
    }

    /// Notes that from here on the files get their old content back. A failure leaves only a kill in the next moment
    /// without its undoing.
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

    /// Gives the first `done` targets their old content back, and the one after them its only name. Returns the error with
    /// the names of those that could not.
    fn undo(&self, done: usize, error: Error) -> Error {
        let mut stuck = Vec::new();
        for (number, entry) in self.entries.iter().enumerate().take(done + 1).rev() {
            let undone = match &entry.old {
                Some(old) => restore(old, &entry.target),
                None if number < done => fs::remove_file(&entry.target),
                None => Ok(()),
            };
            if undone.is_err() {
                stuck.push(entry.target.display().to_string());
            }
        }
        drop(self.sync());
        if stuck.is_empty() {
            self.forget();
            return error;
        }
        let what = format!("{error}; already replaced: {}", stuck.join(", "));
        Error::new(error.kind(), what).because(error)
    }

    /// Removes the old files, the journal and its pointers.
    fn forget(&self) {
        let old = self.entries.iter().filter_map(|entry| entry.old.as_ref());
        // The journal goes after the old files, which nothing else knows, and before the pointers to it.
        for path in old.chain([&self.path]).chain(&self.pointers) {
            drop(fs::remove_file(path));
        }
    }
}

/// Gives a target its old content back. Where it still is the old file, only the second name goes.
fn restore(old: &Path, target: &Path) -> io::Result<()> {
    let Ok(about) = fs::symlink_metadata(old) else {
        return Ok(());
    };
    let still = fs::symlink_metadata(target)
        .ok()
        .and_then(|now| inode(&now));
    if still.is_some() && still == inode(&about) {
        return fs::remove_file(old);
    }
    fs::rename(old, target)
}

/// Returns the entry of a file.
///
/// # Errors
/// `Output` for a target that cannot be replaced.
fn entry(file: &Complete) -> Result<Entry> {
    let failed = |e: io::Error| error(&file.target, file.needs, e);
    let folder = file.folder.canonicalize().map_err(failed)?;
    let absolute = |path: &Path| folder.join(path.file_name().unwrap_or_default());
    let (temporary, target) = (absolute(file.temporary.path()), absolute(&file.target));
    let replaces = match fs::symlink_metadata(&target) {
        Ok(about) => check_old(&file.target, &about, file.overwrite).map(|()| true)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => false,
        Err(e) => return Err(failed(e)),
    };
    let about = file.temporary.as_file().metadata().map_err(failed)?;
    Ok(Entry {
        old: replaces.then(|| temporary.with_extension(OLD_EXTENSION)),
        inode: inode(&about),
        temporary,
        target,
    })
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is none")]
fn inode(about: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((about.dev(), about.ino()))
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// Returns a journal as text: a line for each file, and one at the end.
fn text(entries: &[Entry]) -> String {
    let mut text = String::new();
    for entry in entries {
        let old = entry.old.as_deref().map_or("-".to_owned(), hex);
        let (device, inode) = entry.inode.unwrap_or_default();
        let (temporary, target) = (hex(&entry.temporary), hex(&entry.target));
        _ = writeln!(text, "{temporary} {target} {old} {device} {inode}");
    }
    text + END + "\n"
}

/// Returns the entries of a journal, and whether it is being undone; `None` for one that was not completed.
fn parse(text: &str) -> Option<(Vec<Entry>, bool)> {
    let (files, rest) = text.split_once(&format!("{END}\n"))?;
    let entry = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [temporary, target, old, device, inode] = words.as_slice() else {
            return None;
        };
        let inode = (device.parse().ok()?, inode.parse().ok()?);
        Some(Entry {
            temporary: unhex(temporary)?,
            target: unhex(target)?,
            old: if *old == "-" { None } else { Some(unhex(old)?) },
            inode: (inode != (0, 0)).then_some(inode),
        })
    };
    let entries: Option<Vec<Entry>> = files.lines().map(entry).collect();
    Some((entries?, !rest.is_empty()))
}

/// Returns the bytes of a path as hexadecimal digits: names may hold anything, also line breaks.
fn hex(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<PathBuf> {
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(byte).collect();
    path_of(bytes?)
}

#[cfg(unix)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "elsewhere not all bytes are a path"
)]
fn path_of(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn path_of(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

/// Completes what processes that are gone left half done in a folder. `is_gone` tells it by the name of a file.
pub(super) fn recover(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if stale::is_gone(&name, SUFFIX) {
            complete(&path);
        } else if stale::is_gone(&name, POINTER_SUFFIX) {
            let text = read(&path);
            let journal = text
                .as_deref()
                .and_then(|text| unhex(text.strip_suffix(&format!("\n{END}\n"))?));
            if let Some(journal) = journal {
                complete(&journal);
            }
            drop(fs::remove_file(&path));
        }
    }
}

fn read(path: &Path) -> Option<String> {
    let about = fs::symlink_metadata(path).ok()?;
    if !about.is_file() || about.len() > MAX_BYTES {
        return None;
    }
    fs::read_to_string(path).ok()
}

/// Completes a journal, or undoes it where that was begun or a rename fails. One without its end was written before
/// anything changed.
fn complete(path: &Path) {
    let Some(text) = read(path) else {
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
    if !undone && journal.entries.iter().try_for_each(renamed).is_ok() {
        drop(journal.sync());
        journal.forget();
        return;
    }
    if !undone {
        journal.mark_undone();
    }
    for entry in journal.entries.iter().rev() {
        let is_ours = |about: fs::Metadata| inode(&about) == entry.inode && entry.inode.is_some();
        match &entry.old {
            Some(old) => drop(restore(old, &entry.target)),
            None if fs::symlink_metadata(&entry.target).is_ok_and(is_ours) => {
                drop(fs::remove_file(&entry.target));
            }
            None => {}
        }
        drop(fs::remove_file(&entry.temporary));
    }
    drop(journal.sync());
    journal.forget();
}

/// Renames the temporary of an entry, if that was not done yet.
fn renamed(entry: &Entry) -> io::Result<()> {
    if fs::symlink_metadata(&entry.temporary).is_err() {
        return Ok(());
    }
    let Some(old) = &entry.old else {
        // What another program put there meanwhile stays.
        return match fs::hard_link(&entry.temporary, &entry.target) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(e),
            Err(_) => fs::rename(&entry.temporary, &entry.target),
            Ok(()) => fs::remove_file(&entry.temporary),
        };
    };
    if fs::symlink_metadata(old).is_err() {
        keep_old(&entry.target, old)?;
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

    /// Complete files `0.wav` and so on, new and old ones, in two folders.
    fn files(folder: &Path, count: usize) -> Vec<Complete> {
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

    fn old(count: usize) -> Vec<Option<String>> {
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
        for stuck in 0..7 {
            let folder = tempfile::tempdir().unwrap();
            let files = files(folder.path(), 7);
            let journal = Journal::write(&files).unwrap();
            // A folder of the same name: nothing is renamed over it.
            let path = target(folder.path(), stuck);
            drop(fs::remove_file(&path));
            fs::create_dir(&path).unwrap();
            let e = appear_all(files, &journal).unwrap_err().to_string();
            assert!(
                e.contains(&format!("{stuck}.wav: ")) && !e.contains("already replaced"),
                "{e}"
            );
            fs::remove_dir(&path).unwrap();
            let mut left = old(7);
            left[stuck] = None;
            assert_eq!(contents(folder.path(), 7), left, "{stuck}");
            let names = [names(folder.path()), names(&folder.path().join("b"))].concat();
            assert!(
                names.iter().all(|n| !n.starts_with('.')),
                "{stuck}: {names:?}"
            );
        }
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
                    assert!(appear(file, entry).is_ok());
                }
                // What a killed process leaves: the temporaries are still there.
                for file in rest {
                    file.temporary.keep().unwrap();
                }
                if undo {
                    journal.mark_undone();
                }
                complete(&journal.path);
                let wanted = if undo { old(7) } else { new(7) };
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
        let entries = [Entry {
            temporary: "/a\n b".into(),
            target: "/é".into(),
            old: Some("/-".into()),
            inode: Some((1, 2)),
        }];
        let whole = text(&entries);
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
        complete(&journal.path);
        assert!(!journal.path.exists());
        assert_eq!(contents(folder.path(), 4), old(4));
    }
}
