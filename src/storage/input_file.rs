//! A stem file, open for reading, that needs no descriptor of its own.
//!
//! A process has few descriptors, often 1,024 and sometimes 256, and a mix may have thousands of stems. Of all stem files
//! of the process at most [`MOST_OPEN`] are held open; one more closes the one that was not read for the longest time,
//! which is opened again where it is needed. It is then still the same file with the same content, or reading it fails.
//!
//! With the feature `cloud` it may also be an object of a store.

use super::file_version::{CHANGED, FileVersion};
#[cfg(feature = "cloud")]
use super::{location::Url, object::Remote};
use crate::sync::locked;
use std::{
    fs::File,
    io::{Error, ErrorKind, Read, Result, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// Stem files that are held open at the same time.
const MOST_OPEN: usize = 128;

/// Those that may be open.
static SHELF: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// Counts reads, so that the files can be told apart by age.
static CLOCK: AtomicU64 = AtomicU64::new(0);

/// A file and a place in it. Clones have their own place and share the rest.
#[derive(Debug)]
pub(crate) struct InputFile {
    backing: Backing,
    at: AtomicU64,
    /// The part that this is limited to; `None` for the whole file.
    window: Option<Window>,
}

/// A range of bytes of a file.
#[derive(Clone, Copy, Debug)]
struct Window {
    start: u64,
    len: u64,
}

/// What the bytes come from.
#[derive(Clone, Debug)]
enum Backing {
    Local(Arc<Shared>),
    #[cfg(feature = "cloud")]
    Object(Arc<Remote>, FileVersion),
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    /// As it was when it was first opened.
    stamp: Option<FileVersion>,
    file: Mutex<Option<File>>,
    /// When it was read last.
    used: AtomicU64,
}

impl InputFile {
    /// Opens a file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = open(path)?;
        let shared = Arc::new(Shared {
            path: path.to_owned(),
            stamp: FileVersion::of(&file),
            file: Mutex::new(Some(file)),
            used: AtomicU64::new(CLOCK.fetch_add(1, Relaxed)),
        });
        locked(&SHELF).push(Arc::downgrade(&shared));
        Ok(Self {
            backing: Backing::Local(shared),
            at: AtomicU64::new(0),
            window: None,
        })
    }

    /// Opens an object of a store.
    #[cfg(feature = "cloud")]
    pub(crate) fn object(url: Url) -> Result<Self> {
        let remote = Remote::open(url)?;
        let stamp = FileVersion::object(remote.size(), remote.tag());
        Ok(Self {
            backing: Backing::Object(Arc::new(remote), stamp),
            at: AtomicU64::new(0),
            window: None,
        })
    }

    /// Returns the part of this file from offset `start` on, at most `len` bytes, as a file of its own.
    pub(crate) fn window(&self, start: u64, len: u64) -> Self {
        let whole = self.len();
        let start = start.min(whole);
        let len = len.min(whole - start);
        let start = start + self.window.map_or(0, |w| w.start);
        Self {
            backing: self.backing.clone(),
            at: AtomicU64::new(0),
            window: Some(Window { start, len }),
        }
    }

    /// As it was when it was first opened.
    pub(crate) fn stamp(&self) -> Option<&FileVersion> {
        match &self.backing {
            Backing::Local(shared) => shared.stamp.as_ref(),
            #[cfg(feature = "cloud")]
            Backing::Object(_, stamp) => Some(stamp),
        }
    }

    /// Why nothing that was read of it may be used, if that is so: it is not what it was, or a part of it could not be
    /// had. A file that is closed has not been read since it was looked at; of an object only one version is read.
    pub(crate) fn trouble(&self) -> Option<Error> {
        match &self.backing {
            Backing::Local(shared) => {
                let file = locked(&shared.file);
                let same = file
                    .as_ref()
                    .is_none_or(|file| FileVersion::of(file) == shared.stamp);
                (!same).then(|| Error::new(ErrorKind::InvalidData, CHANGED))
            }
            #[cfg(feature = "cloud")]
            Backing::Object(remote, _) => remote.trouble(),
        }
    }

    /// Its size in bytes when it was first opened; that of the window where it is limited to one.
    pub(crate) fn len(&self) -> u64 {
        match self.window {
            Some(window) => window.len,
            None => self.stamp().map_or(0, FileVersion::size),
        }
    }

    fn read_at(&self, buf: &mut [u8], at: u64) -> Result<usize> {
        let (buf, at) = match self.window {
            Some(window) => {
                let left = window.len.saturating_sub(at);
                let most = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
                let Some(buf) = buf.get_mut(..most).filter(|buf| !buf.is_empty()) else {
                    return Ok(0);
                };
                (buf, window.start.saturating_add(at))
            }
            None => (buf, at),
        };
        match &self.backing {
            Backing::Local(shared) => shared.with(|file| read_at(file, buf, at)),
            #[cfg(feature = "cloud")]
            Backing::Object(remote, _) => remote.read_at(buf, at),
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

impl Shared {
    /// Does something with the open file.
    fn with<T>(self: &Arc<Self>, work: impl FnOnce(&File) -> Result<T>) -> Result<T> {
        self.used.store(CLOCK.fetch_add(1, Relaxed), Relaxed);
        let mut place = locked(&self.file);
        let file = match &mut *place {
            Some(file) => file,
            closed => {
                // What took its place since may be a pipe, which waits for its other end.
                if !std::fs::metadata(&self.path)?.is_file() {
                    return Err(Error::new(ErrorKind::InvalidData, CHANGED));
                }
                let file = open(&self.path)?;
                if FileVersion::of(&file) != self.stamp {
                    return Err(Error::new(ErrorKind::InvalidData, CHANGED));
                }
                locked(&SHELF).push(Arc::downgrade(self));
                closed.insert(file)
            }
        };
        work(file)
    }
}

impl Read for &InputFile {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let n = self.read_at(buf, self.at.load(Relaxed))?;
        self.at.fetch_add(u64::try_from(n).unwrap_or(0), Relaxed);
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

/// Opens a file when there is room for it.
fn open(path: &Path) -> Result<File> {
    make_room(|held| (held + 1).saturating_sub(MOST_OPEN));
    let opened = File::open(path);
    match opened.as_ref().err().and_then(Error::raw_os_error) {
        // The limit of the process, or that of the system, is lower: half of them have to do.
        Some(TOO_MANY | TOO_MANY_IN_ALL) => {
            make_room(|held| held.div_ceil(2));
            File::open(path)
        }
        _ => opened,
    }
}

/// `EMFILE`, as everywhere but on Windows, where no such limit is met.
const TOO_MANY: i32 = 24;
/// `ENFILE`.
const TOO_MANY_IN_ALL: i32 = 23;

/// Closes as many as `spare` says of those that are held: the ones that were not read for the longest time. One that is
/// being read stays.
fn make_room(spare: impl Fn(usize) -> usize) {
    let mut shelf = locked(&SHELF);
    if spare(shelf.len()) == 0 {
        return;
    }
    let mut held: Vec<_> = shelf.drain(..).filter_map(|weak| weak.upgrade()).collect();
    // Each time is read once: others may read the files meanwhile.
    held.sort_by_cached_key(|shared| shared.used.load(Relaxed));
    let mut spare = spare(held.len());
    held.retain(|shared| match shared.file.try_lock() {
        Ok(mut file) if spare > 0 => {
            spare -= 1;
            *file = None;
            false
        }
        _ => true,
    });
    shelf.extend(held.iter().map(Arc::downgrade));
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
            #[cfg(feature = "cloud")]
            Backing::Object(..) => false,
        };
        let files: Vec<_> = (0..MOST_OPEN * 2)
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
        assert!((1..=MOST_OPEN).contains(&open), "{open} are open");
        // The first was read longest ago, so it is closed; another file in its place is not taken for it.
        assert!(files[0].trouble().is_none());
        fs::write(path(MOST_OPEN * 3), [0, 0, 2]).unwrap();
        fs::rename(path(MOST_OPEN * 3), path(0)).unwrap();
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
}
