//! Input files that share a limited number of file descriptors.
//!
//! A process has few file descriptors, often 1,024 and sometimes 256, while a mix may have
//! thousands of stems. At most [`MAX_OPEN_FILES`] input files of the process stay open. Opening one
//! more closes the least recently read file, which is reopened when needed. Reading fails if the
//! reopened file is not the same file with the same content.
//!
//! With the feature `cloud`, an input may also be an object. A program can supply a file that it holds in memory, or a reader.

use super::file_version::{CHANGED, FileVersion};
use super::{location::ObjectUrl, object::RemoteObject};
use crate::{sync::locked, units::saturating_usize};
use std::{
    fmt,
    fs::File,
    io::{Error, ErrorKind, Read, Result, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// Maximum number of input files open at the same time.
const MAX_OPEN_FILES: usize = 128;
/// Number of files that are closed when one more would exceed the maximum, since ordering them takes longer than closing them.
const CLOSED_TOGETHER: usize = 16;

/// Input files that may be open.
static OPEN_FILES: Mutex<Vec<Weak<PooledFile>>> = Mutex::new(Vec::new());

/// Counts reads, to order files by their last use.
static CLOCK: AtomicU64 = AtomicU64::new(0);

/// Input file with a read position. Clones share the file but have their own position.
#[derive(Debug)]
pub(crate) struct InputFile {
    backing: Backing,
    at: AtomicU64,
    /// Byte range that this input is limited to; `None` for the whole file.
    window: Option<InputWindow>,
}

/// Byte range of a file.
#[derive(Clone, Copy, Debug)]
struct InputWindow {
    start: u64,
    len: u64,
}

/// Source of the bytes.
#[derive(Clone, Debug)]
enum Backing {
    Local(Arc<PooledFile>),
    Object(Arc<RemoteObject>),
    Memory(MemoryFile),
    Program(Arc<ProgramFile>),
}

/// A file in the memory of the program.
#[derive(Clone)]
struct MemoryFile(Arc<[u8]>);

impl fmt::Debug for MemoryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryFile({} bytes)", self.0.len())
    }
}

/// Reads and seeks, as a file does.
pub(crate) trait ReadSeek: Read + Seek + Send {}

impl<R: Read + Seek + Send> ReadSeek for R {}

/// A reader that the program supplies.
struct ProgramFile {
    /// Bytes when it was opened.
    len: u64,
    reader: Mutex<Box<dyn ReadSeek>>,
}

impl fmt::Debug for ProgramFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProgramFile({} bytes)", self.len)
    }
}

#[derive(Debug)]
struct PooledFile {
    path: PathBuf,
    /// Version when the file was first opened.
    version: Option<FileVersion>,
    file: Mutex<Option<File>>,
    /// Value of [`CLOCK`] at the last read.
    used: AtomicU64,
}

impl InputFile {
    /// Opens a local file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = open_pooled(path)?;
        let shared = Arc::new(PooledFile {
            path: path.to_owned(),
            version: FileVersion::current(&file),
            file: Mutex::new(Some(file)),
            used: AtomicU64::new(CLOCK.fetch_add(1, Relaxed)),
        });
        locked(&OPEN_FILES).push(Arc::downgrade(&shared));
        Ok(Self::with_backing(Backing::Local(shared)))
    }

    /// Opens an object.
    pub(crate) fn open_object(url: ObjectUrl) -> Result<Self> {
        let remote = Arc::new(RemoteObject::open(url)?);
        Ok(Self::with_backing(Backing::Object(remote)))
    }

    /// Wraps a file in memory, which is not copied.
    pub(crate) fn in_memory(bytes: Arc<[u8]>) -> Self {
        Self::with_backing(Backing::Memory(MemoryFile(bytes)))
    }

    /// Wraps a reader of the program, whose length is measured by seeking to its end.
    pub(crate) fn of_reader(mut reader: Box<dyn ReadSeek>) -> Result<Self> {
        let len = reader.seek(SeekFrom::End(0))?;
        let reader = Mutex::new(reader);
        Ok(Self::with_backing(Backing::Program(Arc::new(
            ProgramFile { len, reader },
        ))))
    }

    fn with_backing(backing: Backing) -> Self {
        Self {
            backing,
            at: AtomicU64::new(0),
            window: None,
        }
    }

    /// Returns the byte range from `start`, at most `len` bytes long, as a separate input.
    pub(crate) fn window(&self, start: u64, len: u64) -> Self {
        let total = self.len();
        let start = start.min(total);
        let len = len.min(total - start);
        let start = start + self.window.map_or(0, |w| w.start);
        Self {
            backing: self.backing.clone(),
            at: AtomicU64::new(0),
            window: Some(InputWindow { start, len }),
        }
    }

    /// Returns the version of the file when it was first opened; `None` for a file that the program supplies.
    pub(crate) fn version(&self) -> Option<&FileVersion> {
        match &self.backing {
            Backing::Local(shared) => shared.version.as_ref(),
            Backing::Object(remote) => Some(remote.version()),
            Backing::Memory(_) | Backing::Program(_) => None,
        }
    }

    /// Returns an error if data read from this file cannot be trusted: the file has changed, or
    /// part of the object could not be read.
    ///
    /// A closed file needs no check, since it was checked after its last read; an object is always
    /// read in one version.
    pub(crate) fn integrity_error(&self) -> Option<Error> {
        match &self.backing {
            Backing::Local(shared) => {
                let file = locked(&shared.file);
                let same = file
                    .as_ref()
                    .is_none_or(|file| FileVersion::current(file) == shared.version);
                (!same).then(|| Error::new(ErrorKind::InvalidData, CHANGED))
            }
            Backing::Object(remote) => remote.integrity_error(),
            Backing::Memory(_) | Backing::Program(_) => None,
        }
    }

    /// Returns the size in bytes when the file was first opened, or that of the window.
    pub(crate) fn len(&self) -> u64 {
        match (self.window, &self.backing) {
            (Some(window), _) => window.len,
            (None, Backing::Memory(MemoryFile(bytes))) => bytes.len() as u64,
            (None, Backing::Program(file)) => file.len,
            (None, _) => self.version().map_or(0, FileVersion::size),
        }
    }

    fn read_at(&self, buf: &mut [u8], at: u64) -> Result<usize> {
        let (buf, at) = match self.window {
            Some(window) => {
                let left = window.len.saturating_sub(at);
                let most = saturating_usize(left).min(buf.len());
                let Some(buf) = buf.get_mut(..most).filter(|buf| !buf.is_empty()) else {
                    return Ok(0);
                };
                (buf, window.start.saturating_add(at))
            }
            None => (buf, at),
        };
        match &self.backing {
            Backing::Local(shared) => shared.with(|file| read_at(file, buf, at)),
            Backing::Object(remote) => remote.read_at(buf, at),
            Backing::Memory(MemoryFile(bytes)) => {
                let mut left = bytes.get(saturating_usize(at)..).unwrap_or_default();
                left.read(buf)
            }
            Backing::Program(file) => {
                let mut reader = locked(&file.reader);
                reader.seek(SeekFrom::Start(at))?;
                reader.read(buf)
            }
        }
    }
}

impl Clone for InputFile {
    fn clone(&self) -> Self {
        Self {
            backing: self.backing.clone(),
            at: AtomicU64::new(self.at.load(Relaxed)),
            window: self.window,
        }
    }
}

impl PooledFile {
    /// Runs `work` with the open file, reopening it if necessary.
    fn with<T>(self: &Arc<Self>, work: impl FnOnce(&File) -> Result<T>) -> Result<T> {
        self.used.store(CLOCK.fetch_add(1, Relaxed), Relaxed);
        let mut slot = locked(&self.file);
        let file = match &mut *slot {
            Some(file) => file,
            closed => {
                // The path may now lead to a pipe, and opening a pipe blocks until its other end is
                // opened.
                if !std::fs::metadata(&self.path)?.is_file() {
                    return Err(Error::new(ErrorKind::InvalidData, CHANGED));
                }
                let file = open_pooled(&self.path)?;
                if FileVersion::current(&file) != self.version {
                    return Err(Error::new(ErrorKind::InvalidData, CHANGED));
                }
                locked(&OPEN_FILES).push(Arc::downgrade(self));
                closed.insert(file)
            }
        };
        work(file)
    }
}

impl Read for &InputFile {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let n = self.read_at(buf, self.at.load(Relaxed))?;
        self.at.fetch_add(n as u64, Relaxed);
        Ok(n)
    }
}

impl Seek for &InputFile {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.load(Relaxed).checked_add_signed(by),
        };
        let to = to.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "seek before the start"))?;
        self.at.store(to, Relaxed);
        Ok(to)
    }
}

impl Read for InputFile {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        (&*self).read(buf)
    }
}

impl Seek for InputFile {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        (&*self).seek(to)
    }
}

/// Opens a file after closing others if the limit is reached.
fn open_pooled(path: &Path) -> Result<File> {
    close_idle(|held| {
        let excess = held.checked_sub(MAX_OPEN_FILES);
        excess.map_or(0, |excess| excess + CLOSED_TOGETHER)
    });
    let opened = File::open(path);
    match opened.as_ref().err().and_then(Error::raw_os_error) {
        // The limit of the process or the system is lower than `MAX_OPEN_FILES`: make do with half
        // of the open files.
        Some(EMFILE | ENFILE) => {
            close_idle(|held| held.div_ceil(2));
            File::open(path)
        }
        _ => opened,
    }
}

/// `EMFILE`: too many open files in the process. The value is the same on all systems but Windows,
/// which has no such limit.
const EMFILE: i32 = 24;
/// `ENFILE`: too many open files in the system.
const ENFILE: i32 = 23;

/// Closes the least recently read files. `excess` returns how many to close, given the number of
/// open files. Files that are being read stay open.
fn close_idle(excess: impl Fn(usize) -> usize) {
    let mut open_files = locked(&OPEN_FILES);
    if excess(open_files.len()) == 0 {
        return;
    }
    let mut held: Vec<_> = open_files
        .drain(..)
        .filter_map(|weak| weak.upgrade())
        .collect();
    // Cached, because other threads may change the values while sorting.
    held.sort_by_cached_key(|shared| shared.used.load(Relaxed));
    let mut excess = excess(held.len());
    held.retain(|shared| match shared.file.try_lock() {
        Ok(mut file) if excess > 0 => {
            excess -= 1;
            *file = None;
            false
        }
        _ => true,
    });
    open_files.extend(held.iter().map(Arc::downgrade));
}

#[cfg(unix)]
fn read_at(file: &File, buf: &mut [u8], at: u64) -> Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, at)
}

#[cfg(windows)]
fn read_at(file: &File, buf: &mut [u8], at: u64) -> Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buf, at)
}

#[cfg(not(any(unix, windows)))]
fn read_at(mut file: &File, buf: &mut [u8], at: u64) -> Result<usize> {
    file.seek(SeekFrom::Start(at))?;
    file.read(buf)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn more_files_than_are_held_open_are_read_in_turns_and_noticed_when_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = |i: usize| dir.path().join(i.to_string());
        let held = |f: &InputFile| match &f.backing {
            Backing::Local(shared) => shared.file.lock().unwrap().is_some(),
            _ => false,
        };
        let files: Vec<_> = (0..MAX_OPEN_FILES * 2)
            .map(|i| {
                fs::write(path(i), [0, u8::try_from(i % 256).unwrap(), 2]).unwrap();
                InputFile::open(&path(i)).unwrap()
            })
            .collect();
        for _ in 0..2 {
            for (i, mut file) in files.iter().enumerate() {
                let mut byte = [9];
                file.seek(SeekFrom::Start(1)).unwrap();
                file.read_exact(&mut byte).unwrap();
                assert_eq!(usize::from(byte[0]), i % 256);
            }
        }
        let open = files.iter().filter(|f| held(f)).count();
        assert!((1..=MAX_OPEN_FILES).contains(&open), "{open} are open");
        // The first was read longest ago, so it is closed; another file in its slot is not taken for it.
        assert!(files[0].integrity_error().is_none());
        fs::write(path(MAX_OPEN_FILES * 3), [0, 0, 2]).unwrap();
        fs::rename(path(MAX_OPEN_FILES * 3), path(0)).unwrap();
        let mut first = &files[0];
        assert_eq!(first.read(&mut [0]).unwrap_err().to_string(), CHANGED);
    }

    #[test]
    fn clones_have_their_own_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, b"abcd").unwrap();
        let one = InputFile::open(&path).unwrap();
        (&one).seek(SeekFrom::End(-2)).unwrap();
        let two = one.clone();
        (&two).seek(SeekFrom::Current(-2)).unwrap();
        let read = |mut file: &InputFile| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(
            (read(&one).as_slice(), read(&two).as_slice(), one.len()),
            (&b"cd"[..], &b"abcd"[..], 4)
        );
    }

    #[test]
    fn a_window_ends_where_it_says() {
        let file = InputFile::in_memory((0..20).collect());
        let window = file.window(5, 4);
        assert_eq!(window.len(), 4);
        let from = |at: u64| {
            let mut bytes = Vec::new();
            let mut window = window.clone();
            window.seek(SeekFrom::Start(at)).unwrap();
            window.read_to_end(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(from(0), [5, 6, 7, 8]);
        assert_eq!(from(3), [8]);
        assert_eq!((from(4), from(5), from(100)), (vec![], vec![], vec![]));
    }

    #[test]
    fn files_memory_and_readers_are_read_alike() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let bytes: Arc<[u8]> = (0..20).collect();
        fs::write(&path, &bytes).unwrap();
        let reader = Box::new(std::io::Cursor::new(bytes.to_vec()));
        let files = [
            InputFile::open(&path).unwrap(),
            InputFile::in_memory(bytes),
            InputFile::of_reader(reader).unwrap(),
        ];
        let rest = |mut file: &InputFile| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            bytes
        };
        for (number, file) in files.iter().enumerate() {
            assert_eq!((file.len(), file.version().is_some()), (20, number == 0));
            assert!(file.integrity_error().is_none());
            let mut position = file;
            let error = position.seek(SeekFrom::Current(-1)).unwrap_err();
            assert_eq!(error.to_string(), "seek before the start");
            assert_eq!(position.seek(SeekFrom::End(-3)).unwrap(), 17);
            assert_eq!(rest(file), [17, 18, 19]);
            assert_eq!(position.stream_position().unwrap(), 20);
            assert!(position.seek(SeekFrom::Start(30)).is_ok() && rest(file).is_empty());
            let end = file.window(10, 100);
            assert_eq!((end.len(), file.window(30, 5).len()), (10, 0));
            let inner = end.window(2, 5);
            assert_eq!((inner.len(), rest(&inner)), (5, vec![12, 13, 14, 15, 16]));
        }
        fs::write(&path, [0; 21]).unwrap();
        assert_eq!(files[0].integrity_error().unwrap().to_string(), CHANGED);
        assert_eq!(files[0].len(), 20);
    }
}
