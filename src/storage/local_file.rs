//! A local file that appears whole or not at all.
//!
//! The bytes go to a temporary name beside the target. [`complete`](LocalFile::complete) flushes and syncs them,
//! [`appear`](Complete::appear) renames the file, and [`sync_name`](Visible::sync_name) syncs the folder, in that order.
//! Dropped before the rename, the temporary is removed and the target is untouched. Where only the last step fails, the new
//! file stands complete under its name, and the error says that it may not outlive a power loss. The rules:
//!
//! - An existing target is refused unless overwriting was asked for; then the new file has the old one's permissions.
//!   A new file has what the umask gives.
//! - A symbolic link is followed: what it points to is replaced, the link stays.
//! - Only regular files: a folder, a device or a pipe is refused.
//! - A process that was killed leaves its temporary, `.soundtrack-<target>-<machine>-<process>-<random>.part`. The first
//!   output that another process puts into the same folder removes it, if the process it names ran on this machine (Linux:
//!   in this process namespace) and runs no more. A process that goes on for long looks again every minute.
//! - Several files appear together, or none: [`publish`], with a [`journal`] that the next process completes after a kill.

mod journal;
mod stale;

use super::early_sync::EarlySync;
use crate::error::{Error, ErrorKind, Result};
pub(crate) use journal::publish;
use stale::{hash, machine, sweep};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

const BUFFER: usize = 256 * 1024;
/// Files up to this size are synced at their end only.
const SMALL: u64 = 16 << 20;
const PREFIX: &str = ".soundtrack-";
const SUFFIX: &str = ".part";
/// Links followed to a target, as on Linux.
const MOST_LINKS: usize = 40;

/// An output file that is not yet visible.
#[derive(Debug)]
pub(crate) struct LocalFile {
    out: BufWriter<NamedTempFile>,
    early: Option<EarlySync>,
    target: PathBuf,
    folder: PathBuf,
    overwrite: bool,
    /// Size that the file will have, for messages.
    needs: u64,
}

impl LocalFile {
    /// Starts a file of `needs` bytes; 0 where the size is not known. Refuses here whatever can be refused.
    pub(crate) fn create(path: &Path, overwrite: bool, needs: u64) -> Result<Self> {
        let target = resolve(path)?;
        let (folder, name) = split(&target)?;
        // First of all: it may complete a file of this very name.
        sweep(&folder);
        let old = match fs::symlink_metadata(&target) {
            Ok(meta) => Some(meta),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(output(&target, &e.to_string()).because(e)),
        };
        if let Some(meta) = &old {
            check_old(&target, meta, overwrite)?;
        }
        match fs::metadata(&folder) {
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => {
                return Err(output(
                    &target,
                    &format!("{} is no folder", folder.display()),
                ));
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let what = format!(
                    "the folder {} does not exist: create it first",
                    folder.display()
                );
                return Err(output(&target, &what).because(e));
            }
            Err(e) => return Err(output(&target, &e.to_string()).because(e)),
        }
        if let Ok(room) = fs4::available_space(&folder)
            && room < needs
        {
            let what = format!("no room: the output needs {needs} bytes, {room} are free");
            return Err(output(&target, &what));
        }
        let (name, process) = (hash(name.as_encoded_bytes()), std::process::id());
        let temporary = start(
            &folder,
            &format!("{PREFIX}{name:016x}-{:016x}-{process}-", machine()),
        )
        .map_err(|e| {
            let what = match e.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    format!(
                        "the folder {} cannot be written: choose another",
                        folder.display()
                    )
                }
                _ => e.to_string(),
            };
            full(&target, needs, &e)
                .unwrap_or_else(|| output(&target, &what))
                .because(e)
        })?;
        if let Some(meta) = old {
            let keep = temporary.as_file().set_permissions(meta.permissions());
            keep.map_err(|e| {
                output(&target, &format!("cannot keep its permissions: {e}")).because(e)
            })?;
        }
        let early = if needs > SMALL {
            EarlySync::start(temporary.as_file())
        } else {
            None
        };
        let out = BufWriter::with_capacity(BUFFER, temporary);
        Ok(Self {
            out,
            early,
            target,
            folder,
            overwrite,
            needs,
        })
    }

    /// Returns the path that the file will have, links followed.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Makes the file visible without waiting for the disk: after a power loss it may be gone, or empty. Returns its size in
    /// bytes.
    pub(crate) fn finish_unsynced(self) -> Result<u64> {
        Ok(self.close(false)?.appear()?.bytes)
    }

    /// Makes the file complete, on the disk, under its temporary name.
    pub(crate) fn complete(self) -> Result<Complete> {
        self.close(true)
    }

    fn close(self, synced: bool) -> Result<Complete> {
        let Self {
            out,
            early,
            target,
            folder,
            overwrite,
            needs,
        } = self;
        let failed = |e: io::Error| error(&target, needs, e);
        let temporary = out.into_inner().map_err(|e| failed(e.into_error()))?;
        if synced {
            early.map_or(Ok(()), EarlySync::finish).map_err(failed)?;
            temporary.as_file().sync_all().map_err(failed)?;
        }
        let bytes = temporary.as_file().metadata().map_err(failed)?.len();
        Ok(Complete {
            temporary,
            target,
            folder,
            overwrite,
            needs,
            bytes,
        })
    }

    /// Returns the error of a failed write, with the path.
    pub(crate) fn failed(&self, e: io::Error) -> Error {
        error(&self.target, self.needs, e)
    }
}

/// A file that is complete but not yet visible; dropped, it leaves nothing.
#[derive(Debug)]
pub(crate) struct Complete {
    temporary: NamedTempFile,
    target: PathBuf,
    folder: PathBuf,
    overwrite: bool,
    needs: u64,
    bytes: u64,
}

impl Complete {
    /// Returns the path that the file will have, links followed.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Makes the file visible.
    pub(crate) fn appear(self) -> Result<Visible> {
        let Self {
            temporary,
            target,
            folder,
            overwrite,
            needs,
            bytes,
        } = self;
        let renamed = if overwrite {
            temporary.persist(&target)
        } else {
            temporary.persist_noclobber(&target)
        };
        renamed.map_err(|e| match e.error.kind() {
            io::ErrorKind::AlreadyExists => exists(&target),
            _ => error(&target, needs, e.error),
        })?;
        Ok(Visible {
            target,
            folder,
            bytes,
        })
    }
}

/// A file under its own name; a power loss may still take it away.
#[derive(Debug)]
pub(crate) struct Visible {
    target: PathBuf,
    folder: PathBuf,
    bytes: u64,
}

impl Visible {
    /// Makes the name outlive a power loss. Returns the file's size in bytes.
    pub(crate) fn sync_name(self) -> Result<u64> {
        let Self {
            target,
            folder,
            bytes,
        } = self;
        sync(&folder).map_err(|e| {
            let what = format!(
                "is complete, but may not outlive a power loss: its folder cannot be synced: {e}"
            );
            output(&target, &what).because(e)
        })?;
        Ok(bytes)
    }
}

impl Write for LocalFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        if let Some(early) = &mut self.early {
            early.wrote(written);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

const EXISTS: &str = "exists already: choose another name, or ask to overwrite it";

fn output(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Output, format!("{}: {what}", path.display()))
}

/// The error of an output that is there already, told apart by [`Error::io_kind`].
fn exists(path: &Path) -> Error {
    output(path, EXISTS).because(io::Error::from(io::ErrorKind::AlreadyExists))
}

/// The error of a full disk or quota, if it is one.
fn full(path: &Path, needs: u64, e: &io::Error) -> Option<Error> {
    let full = matches!(
        e.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    );
    full.then(|| {
        output(
            path,
            &format!("no room: the output needs {needs} bytes ({})", e.kind()),
        )
    })
}

fn error(path: &Path, needs: u64, e: io::Error) -> Error {
    full(path, needs, &e)
        .unwrap_or_else(|| output(path, &format!("cannot be written: {e}")))
        .because(e)
}

/// Follows symbolic links, also one whose target does not exist yet.
fn resolve(path: &Path) -> Result<PathBuf> {
    let mut at = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&at) {
            Ok(next) => at = at.parent().unwrap_or(Path::new("")).join(next),
            // No link, or nothing there.
            Err(_) => return Ok(at),
        }
    }
    Err(output(path, "a loop of symbolic links"))
}

fn split(target: &Path) -> Result<(PathBuf, &std::ffi::OsStr)> {
    let Some(name) = target.file_name() else {
        return Err(output(target, "is a folder: add a file name"));
    };
    let folder = target
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    Ok((folder.to_owned(), name))
}

fn check_old(target: &Path, old: &fs::Metadata, overwrite: bool) -> Result<()> {
    if old.is_dir() {
        return Err(output(target, "is a folder: add a file name"));
    }
    if !old.is_file() {
        return Err(output(
            target,
            "is a device or a pipe: only regular files are written",
        ));
    }
    if !overwrite {
        return Err(exists(target));
    }
    if old.permissions().readonly() {
        return Err(output(
            target,
            "is read-only: change its permissions, or choose another name",
        ));
    }
    Ok(())
}

fn start(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(SUFFIX);
    // The umask takes its bits away from this; the default would be 0600.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// A rename is on the disk only when the folder is.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut out: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        out.sort();
        out
    }

    fn put(path: &Path, overwrite: bool, bytes: &[u8]) -> Result<u64> {
        let mut file = LocalFile::create(path, overwrite, 10)?;
        file.write_all(bytes).unwrap();
        file.complete()?.appear()?.sync_name()
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.wav");
        let mut file = LocalFile::create(&path, false, 3).unwrap();
        file.write_all(b"abc").unwrap();
        file.flush().unwrap();
        assert!(
            names(folder.path())[0].starts_with(".soundtrack-")
                && names(folder.path())[0].ends_with(".part")
        );
        drop(file);
        assert!(names(folder.path()).is_empty());
        assert_eq!(put(&path, false, b"abc").unwrap(), 3);
        assert_eq!(names(folder.path()), ["out.wav"]);
    }

    #[test]
    fn an_existing_file_is_refused_at_the_start_and_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.wav");
        let started = LocalFile::create(&path, false, 0).unwrap();
        fs::write(&path, "other").unwrap();
        for e in [
            started.complete().unwrap().appear().unwrap_err(),
            put(&path, false, b"new").unwrap_err(),
        ] {
            assert_eq!(e.kind(), ErrorKind::Output);
            assert!(
                e.to_string().ends_with(&format!("out.wav: {EXISTS}")),
                "{e}"
            );
        }
        assert_eq!(
            (fs::read(&path).unwrap(), names(folder.path()).len()),
            (b"other".to_vec(), 1)
        );
        put(&path, true, b"new").unwrap();
        assert_eq!(
            (fs::read(&path).unwrap(), names(folder.path()).len()),
            (b"new".to_vec(), 1)
        );
    }

    #[test]
    fn what_cannot_be_written_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = |path: &Path| {
            let e = LocalFile::create(path, true, 0).unwrap_err();
            assert_eq!(e.kind(), ErrorKind::Output);
            e.to_string()
        };
        assert!(refusal(folder.path()).ends_with("is a folder: add a file name"));
        assert!(refusal(Path::new("/")).ends_with("is a folder: add a file name"));
        assert!(
            refusal(&folder.path().join("no/out.wav"))
                .ends_with("no does not exist: create it first")
        );
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(refusal(&file.join("out.wav")).contains("file/out.wav: "));
        let mut mode = file.metadata().unwrap().permissions();
        mode.set_readonly(true);
        fs::set_permissions(&file, mode).unwrap();
        assert!(refusal(&file).contains("is read-only"));
        if Path::new("/dev/full").exists() {
            assert!(refusal(Path::new("/dev/full")).ends_with("only regular files are written"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn modes_are_those_of_a_normal_create_or_replace() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |p: &Path| p.metadata().unwrap().permissions().mode() & 0o777;
        let (plain, path) = (folder.path().join("plain"), folder.path().join("out.wav"));
        fs::write(&plain, "").unwrap();
        put(&path, false, b"a").unwrap();
        assert_eq!(mode(&path), mode(&plain));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        put(&path, true, b"b").unwrap();
        assert_eq!(mode(&path), 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_stay() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name| folder.path().join(name);
        fs::create_dir(at("real")).unwrap();
        symlink("real/a.wav", at("a.wav")).unwrap();
        symlink("a.wav", at("b.wav")).unwrap();
        // First to a file that is not there yet, then to one that is.
        for text in [b"1", b"2"] {
            put(&at("b.wav"), true, text).unwrap();
            assert_eq!(fs::read(at("real/a.wav")).unwrap(), text);
            assert!(at("a.wav").is_symlink() && at("b.wav").is_symlink());
        }
        assert!(put(&at("b.wav"), false, b"3").is_err());
        symlink("y", at("x")).unwrap();
        symlink("x", at("y")).unwrap();
        assert!(
            put(&at("x"), true, b"")
                .unwrap_err()
                .to_string()
                .ends_with("a loop of symbolic links")
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn temporaries_of_processes_that_are_gone_are_removed_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = child.id();
        child.wait().unwrap();
        let target = format!("{PREFIX}{:016x}-", hash(b"out.wav"));
        let here = format!("{target}{:016x}-", machine());
        let stays = [
            format!("{here}{}-abc{SUFFIX}", std::process::id()),
            format!("{here}1-abc{SUFFIX}"),
            format!("{target}{:016x}-{gone}-abc{SUFFIX}", machine() ^ 1),
            format!("{here}{gone}-abc"),
            format!("{here}{gone}{SUFFIX}"),
            format!("{PREFIX}{gone}{SUFFIX}"),
        ];
        let other = format!(
            "{PREFIX}{:016x}-{:016x}-{gone}-abc{SUFFIX}",
            hash(b"other.wav"),
            machine()
        );
        for name in stays
            .iter()
            .cloned()
            .chain([format!("{here}{gone}-abc{SUFFIX}"), other])
        {
            fs::write(folder.path().join(name), "").unwrap();
        }
        drop(LocalFile::create(&folder.path().join("out.wav"), false, 0).unwrap());
        let mut wanted = stays.to_vec();
        wanted.sort();
        assert_eq!(names(folder.path()), wanted);
    }

    /// Needs the right to mount: skipped without it.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_says_what_was_needed_and_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let run = |name: &str, arguments: &[&str]| {
            std::process::Command::new(name)
                .args(arguments)
                .arg(folder.path())
                .output()
                .is_ok_and(|o| o.status.success())
        };
        if !run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs"]) {
            println!("skipped: no right to mount a small file system");
            return;
        }
        let path = folder.path().join("out.wav");
        put(&path, false, b"old").unwrap();
        // Seen before it begins, where the size is known; met on the way, where others fill the disk meanwhile.
        let early = LocalFile::create(&path, true, 2_000_000)
            .unwrap_err()
            .to_string();
        assert!(
            early.contains("out.wav: no room: the output needs 2000000 bytes, 10"),
            "{early}"
        );
        let mut file = LocalFile::create(&path, true, 10).unwrap();
        let written = file.write_all(&vec![0; 2_000_000]);
        let e = match written {
            Err(e) => file.failed(e),
            Ok(()) => file.complete().unwrap_err(),
        };
        let (old, left) = (fs::read(&path), names(folder.path()));
        assert!(run("umount", &["-l"]));
        assert_eq!(e.kind(), ErrorKind::Output);
        assert!(
            e.to_string()
                .contains("out.wav: no room: the output needs 10 bytes"),
            "{e}"
        );
        assert_eq!(old.unwrap(), b"old");
        assert!(left.len() <= 2, "{left:?}");
    }
}
