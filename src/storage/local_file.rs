//! Atomic local output file.
//!
//! The data goes to a temporary file beside the target. [`complete`](LocalFile::complete) flushes
//! and syncs it, [`make_visible`](CompleteLocalFile::make_visible) renames it, and
//! [`sync_name`](VisibleLocalFile::sync_name) syncs the folder, in that order. Dropping the file before
//! the rename removes the temporary and leaves the target unchanged. If only the last step fails,
//! the new file is complete and visible, and the error says that it may not survive a power loss.
//! Rules:
//!
//! - An existing target is refused unless overwriting is allowed; the new file then has the
//!   permissions of the old one. A new file has the permissions that the umask leaves.
//! - A symbolic link is followed: its target is replaced, the link stays.
//! - Only regular files are written: folders, devices and pipes are refused.
//! - A killed process leaves its temporary,
//!   `.soundtrack-<target>-<machine>-<process>-<random>.part`. The next process that writes to the
//!   same folder removes it, if the process in the name ran on this machine (on Linux, in this
//!   process namespace) and no longer runs. A long-running process checks again every minute.
//! - Several files become visible together or not at all: [`publish`] uses a [`journal`], which the
//!   next process completes after a kill.

mod journal;
mod room;
mod stale;

use super::early_sync::EarlySync;
use crate::error::{Error, ErrorKind, Result};
pub(crate) use journal::publish;
pub(crate) use room::check_room;
use stale::{hash, machine_id, sweep};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// Bytes that are written at once. A block of a stereo mix is no smaller, and written without being copied.
const BUFFER: usize = 64 * 1024;
/// Files up to this size are synced only at the end, in bytes.
const EARLY_SYNC_MIN: u64 = 16 << 20;
const PREFIX: &str = ".soundtrack-";
const SUFFIX: &str = ".part";
/// Maximum number of symbolic links followed, the limit of Linux.
const MAX_LINKS: usize = 40;

/// Output file that is not yet visible.
#[derive(Debug)]
pub(crate) struct LocalFile {
    out: BufWriter<NamedTempFile>,
    early_sync: Option<EarlySync>,
    target: PathBuf,
    folder: PathBuf,
    overwrite: bool,
    /// Final size in bytes, for messages; 0 if unknown.
    expected_bytes: u64,
}

impl LocalFile {
    /// Starts a file of `expected_bytes` bytes (0 if the size is unknown). Everything that can be refused is
    /// refused here.
    pub(crate) fn create(path: &Path, overwrite: bool, expected_bytes: u64) -> Result<Self> {
        let target = follow_links(path)?;
        let (folder, name) = folder_and_name(&target)?;
        // Must come first: it may complete an interrupted write of this very target.
        sweep(&folder);
        let old = match fs::symlink_metadata(&target) {
            Ok(meta) => Some(meta),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(output_error(&target, &e.to_string()).because(e)),
        };
        if let Some(meta) = &old {
            check_replaceable(&target, meta, overwrite)?;
        }
        match fs::metadata(&folder) {
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => {
                return Err(output_error(
                    &target,
                    &format!("{} is not a folder", folder.display()),
                ));
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let what = format!(
                    "the folder {} does not exist: create it first",
                    folder.display()
                );
                return Err(output_error(&target, &what).because(e));
            }
            Err(e) => return Err(output_error(&target, &e.to_string()).because(e)),
        }
        if let Ok(free) = fs4::available_space(&folder)
            && free < expected_bytes
        {
            let what = format!("no room: the output needs {expected_bytes} bytes, {free} are free");
            return Err(output_error(&target, &what));
        }
        let (name, process) = (hash(name.as_encoded_bytes()), std::process::id());
        let temporary = create_temporary(
            &folder,
            &format!("{PREFIX}{name:016x}-{:016x}-{process}-", machine_id()),
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
            disk_full_error(&target, expected_bytes, &e)
                .unwrap_or_else(|| output_error(&target, &what))
                .because(e)
        })?;
        if let Some(meta) = old {
            let keep = temporary.as_file().set_permissions(meta.permissions());
            keep.map_err(|e| {
                output_error(&target, &format!("cannot keep its permissions: {e}")).because(e)
            })?;
        }
        let early_sync = if expected_bytes > EARLY_SYNC_MIN {
            EarlySync::start(temporary.as_file())
        } else {
            None
        };
        let out = BufWriter::with_capacity(BUFFER, temporary);
        Ok(Self {
            out,
            early_sync,
            target,
            folder,
            overwrite,
            expected_bytes,
        })
    }

    /// Returns the path of the finished file, with links resolved.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Replaces the first bytes. Nothing may be written afterwards.
    pub(crate) fn rewrite_start(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(bytes)
    }

    /// Makes the file visible without waiting for the disk: after a power loss it may be missing or
    /// empty. Returns its size in bytes.
    pub(crate) fn finish_unsynced(self) -> Result<u64> {
        Ok(self.close(false)?.make_visible()?.bytes)
    }

    /// Syncs the file to disk under its temporary name.
    pub(crate) fn complete(self) -> Result<CompleteLocalFile> {
        self.close(true)
    }

    fn close(self, synced: bool) -> Result<CompleteLocalFile> {
        let Self {
            out,
            early_sync,
            target,
            folder,
            overwrite,
            expected_bytes,
        } = self;
        let failed = |e: io::Error| write_error(&target, expected_bytes, e);
        let temporary = out.into_inner().map_err(|e| failed(e.into_error()))?;
        if synced {
            early_sync
                .map_or(Ok(()), EarlySync::finish)
                .map_err(failed)?;
            temporary.as_file().sync_all().map_err(failed)?;
        }
        let bytes = temporary.as_file().metadata().map_err(failed)?.len();
        Ok(CompleteLocalFile {
            temporary,
            target,
            folder,
            overwrite,
            expected_bytes,
            bytes,
        })
    }

    /// Converts the error of a failed write and adds the path.
    pub(crate) fn failed(&self, e: io::Error) -> Error {
        write_error(&self.target, self.expected_bytes, e)
    }
}

/// Complete file that is not yet visible. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct CompleteLocalFile {
    temporary: NamedTempFile,
    target: PathBuf,
    folder: PathBuf,
    overwrite: bool,
    expected_bytes: u64,
    bytes: u64,
}

impl CompleteLocalFile {
    /// Returns the path of the file until it becomes visible.
    pub(crate) fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    /// Returns the path of the finished file, with links resolved.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Makes the file visible.
    pub(crate) fn make_visible(self) -> Result<VisibleLocalFile> {
        let Self {
            temporary,
            target,
            folder,
            overwrite,
            expected_bytes,
            bytes,
        } = self;
        let renamed = if overwrite {
            temporary.persist(&target)
        } else {
            temporary.persist_noclobber(&target)
        };
        renamed.map_err(|e| match e.error.kind() {
            io::ErrorKind::AlreadyExists => exists_error(&target),
            _ => write_error(&target, expected_bytes, e.error),
        })?;
        Ok(VisibleLocalFile {
            target,
            folder,
            bytes,
        })
    }
}

/// Visible file, which may still disappear in a power loss.
#[derive(Debug)]
pub(crate) struct VisibleLocalFile {
    target: PathBuf,
    folder: PathBuf,
    bytes: u64,
}

impl VisibleLocalFile {
    /// Makes the file name survive a power loss. Returns the size in bytes.
    pub(crate) fn sync_name(self) -> Result<u64> {
        let Self {
            target,
            folder,
            bytes,
        } = self;
        sync_folder(&folder).map_err(|e| {
            let what = format!(
                "is complete, but may not outlive a power loss: its folder cannot be synced: {e}"
            );
            output_error(&target, &what).because(e)
        })?;
        Ok(bytes)
    }
}

impl Write for LocalFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        if let Some(early_sync) = &mut self.early_sync {
            early_sync.record_write(written);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

const EXISTS: &str = "exists already";

fn output_error(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Output, format!("{}: {what}", path.display()))
}

/// Returns the error about an existing output. [`Error::io_kind`] of it is `AlreadyExists`.
fn exists_error(path: &Path) -> Error {
    output_error(path, EXISTS).because(io::Error::from(io::ErrorKind::AlreadyExists))
}

/// Returns the error about a full disk or quota, if `e` is one. `expected_bytes` is 0 where the length of the output is unknown.
fn disk_full_error(path: &Path, expected_bytes: u64, e: &io::Error) -> Option<Error> {
    let is_full = matches!(
        e.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    );
    let needed = match expected_bytes {
        0 => String::new(),
        bytes => format!(": the output needs {bytes} bytes"),
    };
    is_full.then(|| output_error(path, &format!("no room{needed} ({})", e.kind())))
}

fn write_error(path: &Path, expected_bytes: u64, e: io::Error) -> Error {
    disk_full_error(path, expected_bytes, &e)
        .unwrap_or_else(|| output_error(path, &format!("cannot be written: {e}")))
        .because(e)
}

/// Follows symbolic links, including one whose target does not exist yet.
fn follow_links(path: &Path) -> Result<PathBuf> {
    let mut at = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&at) {
            Ok(next) => at = at.parent().unwrap_or(Path::new("")).join(next),
            // Not a link, or missing.
            Err(_) => return Ok(at),
        }
    }
    Err(output_error(path, "a loop of symbolic links"))
}

fn folder_and_name(target: &Path) -> Result<(PathBuf, &std::ffi::OsStr)> {
    let Some(name) = target.file_name() else {
        return Err(output_error(target, "is a folder: add a file name"));
    };
    let folder = target
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    Ok((folder.to_owned(), name))
}

fn check_replaceable(target: &Path, old: &fs::Metadata, overwrite: bool) -> Result<()> {
    if old.is_dir() {
        return Err(output_error(target, "is a folder: add a file name"));
    }
    if !old.is_file() {
        return Err(output_error(
            target,
            "is a device or a pipe: only regular files are written",
        ));
    }
    if !overwrite {
        return Err(exists_error(target));
    }
    if old.permissions().readonly() {
        return Err(output_error(
            target,
            "is read-only: change its permissions, or choose another name",
        ));
    }
    Ok(())
}

fn create_temporary(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(SUFFIX);
    // The umask is applied to this mode; the default of `tempfile` would be 0600.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// Syncs a folder. A rename is durable only after the folder has been synced.
fn sync_folder(folder: &Path) -> io::Result<()> {
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
        file.complete()?.make_visible()?.sync_name()
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
            started.complete().unwrap().make_visible().unwrap_err(),
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
        let at = |name: &str| folder.path().join(name);
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
        // A link to the 39th of links to each other is as far as they are followed.
        for n in 1..=40 {
            symlink((n - 1).to_string(), at(&n.to_string())).unwrap();
        }
        put(&at("39"), true, b"4").unwrap();
        assert_eq!(fs::read(at("0")).unwrap(), b"4");
        assert!(put(&at("40"), true, b"5").is_err());
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
        let here = format!("{target}{:016x}-", machine_id());
        let stays = [
            format!("{here}{}-abc{SUFFIX}", std::process::id()),
            format!("{here}1-abc{SUFFIX}"),
            format!("{target}{:016x}-{gone}-abc{SUFFIX}", machine_id() ^ 1),
            format!("{here}{gone}-abc"),
            format!("{here}{gone}{SUFFIX}"),
            format!("{PREFIX}{gone}{SUFFIX}"),
        ];
        let other = format!(
            "{PREFIX}{:016x}-{:016x}-{gone}-abc{SUFFIX}",
            hash(b"other.wav"),
            machine_id()
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

    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_is_searched_for_temporaries_once_a_minute() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = child.id();
        child.wait().unwrap();
        put(&folder.path().join("a.wav"), false, b"a").unwrap();
        let hash = hash(b"out.wav");
        let stale = format!(
            "{PREFIX}{hash:016x}-{:016x}-{gone}-abc{SUFFIX}",
            machine_id()
        );
        fs::write(folder.path().join(&stale), "").unwrap();
        put(&folder.path().join("b.wav"), false, b"b").unwrap();
        assert_eq!(names(folder.path()), [&*stale, "a.wav", "b.wav"]);
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
        // Detected at the start if the size is known, or while writing if the disk fills up.
        let early_sync = LocalFile::create(&path, true, 2_000_000)
            .unwrap_err()
            .to_string();
        assert!(
            early_sync.contains("out.wav: no room: the output needs 2000000 bytes, 10"),
            "{early_sync}"
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

    #[test]
    fn an_output_of_unknown_length_states_no_bytes() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let said = |bytes| {
            let error = disk_full_error(Path::new("out.csv"), bytes, &full);
            error.map(|error| error.to_string())
        };
        assert_eq!(
            said(0).as_deref(),
            Some("out.csv: no room (no storage space)")
        );
        assert_eq!(
            said(9).as_deref(),
            Some("out.csv: no room: the output needs 9 bytes (no storage space)")
        );
    }

    #[test]
    fn a_name_that_no_file_can_have_is_refused_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("x".repeat(300));
        let error = LocalFile::create(&long, true, 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Output);
        assert_eq!(names(folder.path()), [""; 0]);
        fs::write(folder.path().join("a"), "").unwrap();
        assert!(LocalFile::create(&folder.path().join("a/b"), true, 0).is_err());
    }
}
