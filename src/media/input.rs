//! Identifies the audio of a clip: a file, one stream of a file, a file or a source that the program supplies.

use super::{
    Memory, Source,
    once::{Once, Untaken},
    one_channel::OneChannel,
};
use crate::{
    error::{Error, ErrorKind, Result},
    storage::{InputFile, ReadSeek},
};
use std::{
    fmt,
    io::{self, Read, Seek},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// How to handle stems that are truncated, damaged, or contain samples that are not finite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
    /// An audio file that the program supplies, in memory or as a reader.
    Program {
        /// The file.
        file: ProgramFile,
        /// Number of the audio stream, counted from 1; `None` for the first.
        stream: Option<usize>,
        /// Number of the channel, counted from 1; `None` for all.
        channel: Option<usize>,
    },
    /// A source that the program supplies.
    Open(Opener),
}

impl Input {
    /// Makes the input of an audio file in memory, in any format that is read. The bytes are not copied, and `name` stands for
    /// the file in messages and reports.
    ///
    /// ```
    /// use soundtrack::{Bounce, Frames, Input, Layout, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let mut click = Session::new(spec.rate, spec.layout);
    /// click.add_track(Track::new("click", Memory::new(spec, vec![vec![0.5, -0.25]])?));
    /// let (wav, _) = Bounce::new().to_bytes(&click)?;
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// mix.add_track(Track::new("upload", Input::bytes("click.wav", wav)));
    /// assert_eq!(mix.render(Frames(0)..Frames(2))?, [[0.5, -0.25]]);
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    pub fn bytes(name: impl Into<String>, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::Program {
            file: ProgramFile {
                name: name.into(),
                content: Content::Bytes(bytes.into()),
            },
            stream: None,
            channel: None,
        }
    }

    /// Makes the input of an audio file behind a reader, such as an entry of an archive. `name` stands for the file in messages
    /// and reports.
    ///
    /// `open` is called once to measure the file, and again for every clip that plays it; each time it must return the same
    /// bytes.
    ///
    /// ```
    /// use soundtrack::{ErrorKind, Input, Layout, Plan, SampleRate, Session, Track};
    /// use std::io::Cursor;
    /// let entry = Input::reader("pack/kick.wav", || Ok(Cursor::new(b"RIFF\x04\0\0\0WAVE")));
    /// let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    /// mix.add_track(Track::new("kick", entry));
    /// let error = Plan::compile(&mix).unwrap_err();
    /// assert_eq!((error.kind(), error.file()), (ErrorKind::Corrupt, Some("pack/kick.wav")));
    /// ```
    pub fn reader<R: Read + Seek + Send + 'static>(
        name: impl Into<String>,
        open: impl Fn() -> io::Result<R> + Send + Sync + 'static,
    ) -> Self {
        let open = move || open().map(|reader| Box::new(reader) as Box<dyn ReadSeek>);
        Self::Program {
            file: ProgramFile {
                name: name.into(),
                content: Content::Reader(Arc::new(open)),
            },
            stream: None,
            channel: None,
        }
    }

    /// Makes the input of a stream that can be read once, such as a pipe, a decoder of the program or a microphone. `name`
    /// stands for it in messages and reports.
    ///
    /// The source is read forwards from its first frame and never sought. One input serves one render or one player, on a
    /// single clip that does not loop; every other use of its samples is an error. If its
    /// [`length`](Source::length) is not known, the clip states one; where the stream ends earlier,
    /// [`Session::damage`](crate::Session::damage) decides, as for a file that is cut off.
    ///
    /// ```
    /// use soundtrack::{Frames, Input, Layout, SampleRate, Session, Spec, Track, media::Memory};
    /// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
    /// let pipe = Memory::new(spec, vec![vec![0.25, 0.5, 0.75]])?;
    /// let mut mix = Session::new(spec.rate, spec.layout);
    /// mix.add_track(Track::new("pipe", Input::once("pipe", pipe)));
    /// assert_eq!(mix.render(Frames(1)..Frames(3))?, [[0.5, 0.75]]);
    /// assert!(mix.render(Frames(1)..Frames(3)).is_err());
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    pub fn once(name: impl Into<String>, source: impl Source + 'static) -> Self {
        let name = name.into();
        let (spec, length) = (source.spec(), source.length());
        let stream: Untaken = Arc::new(Mutex::new(Some(Box::new(source))));
        Self::Open(Opener::new(name.clone(), move || {
            let once = Once::new(name.clone(), spec, length, Arc::clone(&stream));
            Ok(Box::new(once))
        }))
    }

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
            Self::Program { file, stream, .. } => Self::Program {
                file,
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

    /// Selects one audio stream of a file that the program supplies, counted from 1. Takes the place of one that was selected
    /// before; has no effect on a source.
    ///
    /// ```
    /// use soundtrack::Input;
    /// assert_eq!(Input::bytes("film.mka", []).with_stream(2).to_string(), "film.mka#2");
    /// ```
    #[must_use]
    pub fn with_stream(mut self, number: usize) -> Self {
        if let Self::File { stream, .. } | Self::Program { stream, .. } = &mut self {
            *stream = Some(number);
        }
        self
    }

    /// Returns the path, the stream number and the channel number, with `#2` and `#ch3` at the end of the path resolved by
    /// whether that file exists. `None` for a file or source of the program.
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
            && let Some((file, number)) = split_number(&found.0, "ch").filter(|_| !path.exists())
        {
            found = (file, found.1, Some(number));
        }
        if found.1.is_none()
            && let Some((file, number)) = split_number(&found.0, "").filter(|_| !found.0.exists())
        {
            found = (file, Some(number), found.2);
        }
        Some(found)
    }
}

/// Splits `stem.mka#2` into the path and the number after `#` and a word.
fn split_number(path: &Path, word: &str) -> Option<(PathBuf, usize)> {
    // Every clip asks, and hardly any path has the mark.
    if !path.as_os_str().as_encoded_bytes().contains(&b'#') {
        return None;
    }
    let (file, number) = path.file_name()?.to_str()?.rsplit_once('#')?;
    let number = number.strip_prefix(word)?.parse().ok()?;
    Some((path.with_file_name(file), number))
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
                write_numbers(f, *stream, *channel)
            }
            Self::Program {
                file,
                stream,
                channel,
            } => {
                f.write_str(&file.name)?;
                write_numbers(f, *stream, *channel)
            }
            Self::Open(opener) => f.write_str(&opener.name),
        }
    }
}

fn write_numbers(
    f: &mut fmt::Formatter<'_>,
    stream: Option<usize>,
    channel: Option<usize>,
) -> fmt::Result {
    if let Some(number) = stream {
        write!(f, "#{number}")?;
    }
    if let Some(number) = channel {
        write!(f, "#ch{number}")?;
    }
    Ok(())
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
    /// Clones of one memory are equal inputs, and are measured once.
    fn from(memory: Memory) -> Self {
        let samples = memory.rewound();
        let open = move || Ok(Box::new(samples.clone()) as Box<dyn Source>);
        Self::Open(Opener {
            name: "memory".to_owned(),
            open: Arc::new(open),
            memory: Some(memory.rewound()),
        })
    }
}

/// An audio file that the program supplies: bytes in memory, or a reader. [`Input::bytes`] and [`Input::reader`] make it.
#[derive(Clone)]
pub struct ProgramFile {
    name: String,
    content: Content,
}

/// Opens a reader of the program.
type OpenReader = dyn Fn() -> io::Result<Box<dyn ReadSeek>> + Send + Sync;

#[derive(Clone)]
enum Content {
    Bytes(Arc<[u8]>),
    Reader(Arc<OpenReader>),
}

impl ProgramFile {
    /// Returns the name that the program gave it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn open(&self) -> Result<InputFile> {
        match &self.content {
            Content::Bytes(bytes) => Ok(InputFile::in_memory(Arc::clone(bytes))),
            Content::Reader(open) => open().and_then(InputFile::of_reader).map_err(|e| {
                Error::new(ErrorKind::NotFound, format!("{}: {e}", self.name))
                    .in_file(&self.name)
                    .because(e)
            }),
        }
    }

    /// Returns a number that clones of this file share and no other file has.
    pub(crate) fn identity(&self) -> usize {
        match &self.content {
            Content::Bytes(bytes) => bytes.as_ptr().addr(),
            Content::Reader(open) => Arc::as_ptr(open).cast::<()>().addr(),
        }
    }
}

impl PartialEq for ProgramFile {
    /// Two files are equal when one is a clone of the other, or they share name and bytes.
    fn eq(&self, other: &Self) -> bool {
        let same = match (&self.content, &other.content) {
            (Content::Bytes(a), Content::Bytes(b)) => Arc::ptr_eq(a, b) || a == b,
            (Content::Reader(a), Content::Reader(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        same && self.name == other.name
    }
}

impl fmt::Debug for ProgramFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProgramFile({:?})", self.name)
    }
}

/// Opens a source that the program supplies. Called once to learn its rate, layout and length, and again for every
/// reader.
#[derive(Clone)]
pub struct Opener {
    name: String,
    open: Arc<dyn Fn() -> Result<Box<dyn Source>> + Send + Sync>,
    /// The samples that it opens, where they are in memory.
    memory: Option<Memory>,
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
            memory: None,
        }
    }

    pub(super) fn open(&self) -> Result<Box<dyn Source>> {
        (self.open)()
    }

    /// Returns a number that clones of this opener share and no other opener has.
    pub(crate) fn identity(&self) -> usize {
        match &self.memory {
            Some(memory) => memory.identity(),
            None => Arc::as_ptr(&self.open).cast::<()>().addr(),
        }
    }

    /// Returns the samples that it opens, where they are in memory.
    pub(super) fn memory(&self) -> Option<&Memory> {
        self.memory.as_ref()
    }
}

impl PartialEq for Opener {
    /// Two openers are equal when one is a clone of the other, or both open the same [`Memory`].
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.identity() == other.identity()
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

    #[test]
    fn files_of_the_program_are_equal_by_name_and_bytes_and_identical_to_their_clones_alone() {
        let file = |input: Input| match input {
            Input::Program { file, .. } => file,
            other => panic!("{other}"),
        };
        let bytes = |name: &str, bytes: &[u8]| file(Input::bytes(name, bytes));
        let reader = |name: &str| file(Input::reader(name, || Ok(io::Cursor::new(b"ab".to_vec()))));
        let (a, r) = (bytes("a", b"ab"), reader("a"));
        assert_eq!((a.name(), a.identity()), ("a", a.clone().identity()));
        assert_eq!((r.name(), r.identity()), ("a", r.clone().identity()));
        assert!(a == a.clone() && a == bytes("a", b"ab") && r == r.clone());
        for other in [bytes("b", b"ab"), bytes("a", b"ac"), reader("a")] {
            assert!(a != other && r != other);
            assert!(a.identity() != other.identity() && r.identity() != other.identity());
        }
        for file in [a, r] {
            assert_eq!(file.open().unwrap().len(), 2);
        }
        let broken = file(Input::reader("zip/a.wav", || {
            Err::<io::Cursor<Vec<u8>>, _>(io::Error::other("is locked"))
        }));
        let error = broken.open().err().unwrap();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.to_string(), "zip/a.wav: is locked");
    }

    #[test]
    fn openers_are_equal_to_their_clones_and_by_their_memory() {
        let spec = crate::layout::Spec {
            rate: crate::units::SampleRate::HZ_48000,
            layout: crate::layout::Layout::Mono,
        };
        let memory = |value: f64| Memory::new(spec, vec![vec![value; 5]]).unwrap();
        let opener = |memory: &Memory| match Input::from(memory.clone()) {
            Input::Open(opener) => opener,
            other => panic!("{other}"),
        };
        let own = |name: &str, value: f64| {
            let samples = memory(value);
            Opener::new(name, move || Ok(Box::new(samples.clone())))
        };
        let (a, b) = (memory(0.1), memory(0.1));
        assert!(opener(&a) == opener(&a) && opener(&a) != opener(&b));
        assert!(opener(&a).memory().is_some() && own("x", 0.1).memory().is_none());
        let (x, y) = (own("x", 0.1), own("x", 0.2));
        assert!(x == x.clone() && x != y && x.identity() != y.identity());
        let renamed = Opener {
            name: "y".to_owned(),
            ..x.clone()
        };
        assert!(x != renamed && x.identity() == renamed.identity());
    }
}
