//! Identifies the audio of a clip: a file, one stream of a file, or a source that the program supplies.

use super::{Memory, Source};
use crate::error::Result;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// How to handle stems that are truncated, damaged, or contain samples that are not finite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Damage {
    /// Fail, with an error that names the track, the file and the position.
    #[default]
    Refuse,
    /// Insert silence of the same length and report each flaw.
    Silence,
}

/// The audio of a clip.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Input {
    /// A file. A name that ends in `#2` selects the second audio stream, unless a file of that very name exists.
    File {
        /// Path or URL of the file.
        path: PathBuf,
        /// Number of the audio stream, counted from 1; `None` for the first.
        stream: Option<usize>,
    },
    /// A source that the program supplies.
    Open(Opener),
}

impl Input {
    /// Makes the input of a file's first audio stream.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File {
            path: path.into(),
            stream: None,
        }
    }

    /// Makes the input of one audio stream of a file, counted from 1.
    pub fn stream(path: impl Into<PathBuf>, stream: usize) -> Self {
        Self::File {
            path: path.into(),
            stream: Some(stream),
        }
    }

    /// Returns the path and the stream number, with a `#2` at the end of the path resolved by whether that file exists.
    /// `None` for a program's source.
    pub(crate) fn located(&self) -> Option<(PathBuf, Option<usize>)> {
        let Self::File { path, stream } = self else {
            return None;
        };
        match (stream, split_stream_number(path)) {
            (None, Some((file, number))) if !path.exists() => Some((file, Some(number))),
            _ => Some((path.clone(), *stream)),
        }
    }
}

/// Splits `stem.mka#2` into the path and the stream number.
fn split_stream_number(path: &Path) -> Option<(PathBuf, usize)> {
    let (file, number) = path.file_name()?.to_str()?.rsplit_once('#')?;
    Some((path.with_file_name(file), number.parse().ok()?))
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, stream: None } => write!(f, "{}", path.display()),
            Self::File {
                path,
                stream: Some(n),
            } => write!(f, "{}#{n}", path.display()),
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

/// Opens a source that the program supplies. Called once to learn its rate, layout and length, and again for every
/// reader.
#[derive(Clone)]
pub struct Opener {
    name: String,
    open: Arc<dyn Fn() -> Result<Box<dyn Source>> + Send + Sync>,
}

impl Opener {
    /// Makes an opener with a name for messages and reports. Every call of `open` must return the same audio.
    pub fn new(
        name: impl Into<String>,
        open: impl Fn() -> Result<Box<dyn Source>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            open: Arc::new(open),
        }
    }

    pub(super) fn open(&self) -> Result<Box<dyn Source>> {
        (self.open)()
    }

    /// Returns a number that clones of this opener share and no other opener has.
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
