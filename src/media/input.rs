//! Names where a stem comes from: a file, one of its streams, or a source that the program brings.

use super::{Memory, Source};
use crate::error::Result;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What to do with stems that cannot be delivered whole: cut off, damaged inside, or holding samples that are no numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Damage {
    /// Refuse them: the bounce fails and names the track, the file and the place.
    #[default]
    Refuse,
    /// Put silence of the same length in their place, and report each one.
    Silence,
}

/// Where a clip's audio comes from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Input {
    /// A file. A name that ends in `#2` means the second audio stream, unless a file of the whole name exists.
    File {
        /// The file.
        path: PathBuf,
        /// Which of its audio streams, counted from 1; the first unless said.
        stream: Option<usize>,
    },
    /// A source that the program brings.
    Open(Opener),
}

impl Input {
    /// A file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File { path: path.into(), stream: None }
    }

    /// One of the audio streams of a file, counted from 1.
    pub fn stream(path: impl Into<PathBuf>, stream: usize) -> Self {
        Self::File { path: path.into(), stream: Some(stream) }
    }

    /// The file and the stream that are meant, after a look at which files exist.
    pub(crate) fn located(&self) -> Option<(PathBuf, Option<usize>)> {
        let Self::File { path, stream } = self else { return None };
        let split = || {
            let name = path.file_name()?.to_str()?;
            let (file, number) = name.rsplit_once('#')?;
            Some((path.with_file_name(file), number.parse().ok()?))
        };
        match (stream, split()) {
            (None, Some((file, number))) if !path.exists() => Some((file, Some(number))),
            _ => Some((path.clone(), *stream)),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, stream: None } => write!(f, "{}", path.display()),
            Self::File { path, stream: Some(n) } => write!(f, "{}#{n}", path.display()),
            Self::Open(opener) => f.write_str(&opener.name),
        }
    }
}

impl From<&str> for Input {
    fn from(path: &str) -> Self {
        Self::file(path)
    }
}

impl From<String> for Input {
    fn from(path: String) -> Self {
        Self::file(path)
    }
}

impl From<&Path> for Input {
    fn from(path: &Path) -> Self {
        Self::file(path)
    }
}

impl From<PathBuf> for Input {
    fn from(path: PathBuf) -> Self {
        Self::file(path)
    }
}

impl From<Opener> for Input {
    fn from(opener: Opener) -> Self {
        Self::Open(opener)
    }
}

impl From<Memory> for Input {
    fn from(memory: Memory) -> Self {
        Self::Open(Opener::new("memory", move || Ok(Box::new(memory.clone()))))
    }
}

/// Opens a source that the program brings, as often as it is needed: once to learn its rate, layout and length, and
/// again whenever a clip of it starts to sound.
#[derive(Clone)]
pub struct Opener {
    name: String,
    open: Arc<dyn Fn() -> Result<Box<dyn Source>> + Send + Sync>,
}

impl Opener {
    /// An opener, with a name for messages and reports. Every call must give the same audio.
    pub fn new(name: impl Into<String>, open: impl Fn() -> Result<Box<dyn Source>> + Send + Sync + 'static) -> Self {
        Self { name: name.into(), open: Arc::new(open) }
    }

    pub(super) fn open(&self) -> Result<Box<dyn Source>> {
        (self.open)()
    }

    /// The same for clones, different for all others.
    pub(crate) fn identity(&self) -> usize {
        Arc::as_ptr(&self.open).cast::<()>().addr()
    }
}

impl PartialEq for Opener {
    /// Two openers are equal when one is a clone of the other.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.open, &other.open)
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opener({:?})", self.name)
    }
}
