//! Identifies the audio of a clip: a file, one stream of a file, or a source that the program supplies.

use super::{Memory, Source, one_channel::OneChannel};
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
    /// A file. A name that ends in `#2` selects the second audio stream, one that ends in `#ch3` the third channel, and
    /// `#2#ch3` that of the second stream, unless a file of that very name exists.
    File {
        /// Path or URL of the file.
        path: PathBuf,
        /// Number of the audio stream, counted from 1; `None` for the first.
        stream: Option<usize>,
        /// Number of the channel, counted from 1; `None` for all.
        channel: Option<usize>,
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
            channel: None,
        }
    }

    /// Makes the input of one audio stream of a file, counted from 1.
    pub fn stream(path: impl Into<PathBuf>, stream: usize) -> Self {
        Self::File {
            path: path.into(),
            stream: Some(stream),
            channel: None,
        }
    }

    /// Selects one channel, counted from 1, as mono. Takes the place of one that was selected before.
    ///
    /// ```
    /// use soundtrack::Input;
    /// assert_eq!(Input::file("poly.wav").channel(3).to_string(), "poly.wav#ch3");
    /// ```
    #[must_use]
    pub fn channel(self, number: usize) -> Self {
        match self {
            Self::File { path, stream, .. } => Self::File {
                path,
                stream,
                channel: Some(number),
            },
            Self::Open(opener) => {
                let name = format!("{}#ch{number}", opener.name);
                Self::Open(Opener::new(name, move || {
                    let channel = OneChannel::new(opener.open()?, number, &opener.name)?;
                    Ok(Box::new(channel))
                }))
            }
        }
    }

    /// Returns the path, the stream number and the channel number, with `#2` and `#ch3` at the end of the path resolved by
    /// whether that file exists. `None` for a program's source.
    pub(crate) fn located(&self) -> Option<(PathBuf, Option<usize>, Option<usize>)> {
        let Self::File {
            path,
            stream,
            channel,
        } = self
        else {
            return None;
        };
        let mut found = (path.clone(), *stream, *channel);
        if found.2.is_none()
            && let Some((file, number)) = split_number(&found.0, "#ch").filter(|_| !path.exists())
        {
            found = (file, found.1, Some(number));
        }
        if found.1.is_none()
            && let Some((file, number)) = split_number(&found.0, "#").filter(|_| !found.0.exists())
        {
            found = (file, Some(number), found.2);
        }
        Some(found)
    }
}

/// Splits `stem.mka#2` into the path and the number after `mark`.
fn split_number(path: &Path, mark: &str) -> Option<(PathBuf, usize)> {
    let (file, number) = path.file_name()?.to_str()?.rsplit_once(mark)?;
    Some((path.with_file_name(file), number.parse().ok()?))
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File {
                path,
                stream,
                channel,
            } => {
                write!(f, "{}", path.display())?;
                if let Some(number) = stream {
                    write!(f, "#{number}")?;
                }
                if let Some(number) = channel {
                    write!(f, "#ch{number}")?;
                }
                Ok(())
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_at_the_end_of_a_name_select_stream_and_channel() {
        let dir = tempfile::tempdir().unwrap();
        let named = |name: &str| Input::file(dir.path().join(name)).located().unwrap();
        let there = |name: &str, stream, channel| (dir.path().join(name), stream, channel);
        assert_eq!(named("a.wav"), there("a.wav", None, None));
        assert_eq!(named("a.wav#2"), there("a.wav", Some(2), None));
        assert_eq!(named("a.wav#ch3"), there("a.wav", None, Some(3)));
        assert_eq!(named("a.wav#2#ch3"), there("a.wav", Some(2), Some(3)));
        assert_eq!(named("a.wav#chx"), there("a.wav#chx", None, None));
        for name in ["a.wav#ch3", "b.wav#2"] {
            std::fs::write(dir.path().join(name), b"x").unwrap();
        }
        assert_eq!(named("a.wav#ch3"), there("a.wav#ch3", None, None));
        assert_eq!(named("b.wav#2#ch3"), there("b.wav#2", None, Some(3)));
        let chosen = Input::stream(dir.path().join("a.wav"), 2).channel(5);
        assert_eq!(chosen.located().unwrap(), there("a.wav", Some(2), Some(5)));
        assert!(chosen.to_string().ends_with("a.wav#2#ch5"));
    }

    #[test]
    fn a_channel_of_a_programs_source_is_chosen_too() {
        let spec = crate::layout::Spec {
            rate: crate::units::SampleRate::HZ_48000,
            layout: crate::layout::Layout::Stereo,
        };
        let memory = Memory::new(spec, vec![vec![0.1; 5], vec![0.2; 5]]).unwrap();
        let Input::Open(opener) = Input::from(memory).channel(2) else {
            panic!("it is a program's source")
        };
        let mut source = opener.open().unwrap();
        let mut block = crate::block::Block::new(source.spec().layout, 8);
        assert_eq!(
            (source.read(&mut block).unwrap(), block.channel(0)),
            (5, &[0.2; 5][..])
        );
        let Input::Open(opener) = Input::Open(opener).channel(2) else {
            panic!("it is a program's source")
        };
        assert_eq!(
            opener.open().err().unwrap().to_string(),
            "memory#ch2: channel 2 is not there; the file has 1"
        );
    }
}
