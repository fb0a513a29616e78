//! A clip: a stretch of a stem, placed on the timeline.

use super::{at::At, outputs::filled, written::Written};
use crate::{
    curve::Fade,
    error::Result,
    layout::Layout,
    source::{Memory, Source},
    units::{Decibels, Frames},
};
use std::{
    borrow::Cow,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

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

    /// The same with `{lang}` filled in; a problem where it stands for nothing.
    pub(crate) fn spoken(&self, lang: Option<&str>) -> Result<Cow<'_, Self>, String> {
        let Self::File { path, stream } = self else { return Ok(Cow::Borrowed(self)) };
        let Some(text) = path.to_str().filter(|text| text.contains("{lang}")) else { return Ok(Cow::Borrowed(self)) };
        let Some(lang) = lang else {
            return Err(format!("{text}: no language is chosen for {{lang}}: set lang, as in lang = \"en\""));
        };
        Ok(Cow::Owned(Self::File { path: filled(text, &[("lang", lang)]).into(), stream: *stream }))
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

    pub(crate) fn open(&self) -> Result<Box<dyn Source>> {
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

/// A stretch of a stem on the timeline. All positions and lengths count at the session's rate.
///
/// ```
/// use soundtrack::{Clip, Fade, Frames};
/// let hit = Clip::new("brass.wav").at(Frames(384_000)).from(Frames(96_000)).length(Frames(48_000)).loops(2);
/// assert_eq!(hit.fade_out(Fade::linear(Frames(480))).loops, 2);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// What it is called among the clips of its track; empty for an only one.
    pub name: String,
    /// The stem.
    pub input: Input,
    /// Where on the timeline it starts; in a cue, after the cue's start.
    pub at: At,
    /// How much of the stem's start is left out.
    pub from: Frames,
    /// How much of the stem is played; to its end unless said.
    pub length: Option<Frames>,
    /// How many times the stretch is played, one after the other; at least 1.
    pub loops: u32,
    /// Fade at the start of the first pass.
    pub fade_in: Fade,
    /// Fade at the end of the last pass.
    pub fade_out: Fade,
    /// Fades this clip in over the one of the track that starts before it, which must last as long: that one ends where
    /// the fade does, and fades out by the same shape backwards. Linear for the same take, equal power for another.
    pub crossfade: Fade,
    /// Level of the clip. −∞ is exact silence; at most +200 dB.
    pub gain: Decibels,
    /// The layout of the stem, for a file that does not say where its channels belong, or says it wrong. Must have as
    /// many channels as the stem.
    pub layout: Option<Layout>,
    pub(crate) written: Written,
}

impl Clip {
    /// A whole stem, once, from frame 0.
    pub fn new(input: impl Into<Input>) -> Self {
        Self {
            name: String::new(),
            input: input.into(),
            at: At::default(),
            from: Frames::ZERO,
            length: None,
            loops: 1,
            fade_in: Fade::default(),
            fade_out: Fade::default(),
            crossfade: Fade::default(),
            gain: Decibels::UNITY,
            layout: None,
            written: Written::default(),
        }
    }

    /// Sets what it is called among the clips of its track.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets where on the timeline it starts: at a frame, a timecode, or at the stem's own time reference.
    #[must_use]
    pub fn at(mut self, at: impl Into<At>) -> Self {
        self.at = at.into();
        self
    }

    /// Sets how much of the stem's start is left out.
    #[must_use]
    pub fn from(mut self, from: Frames) -> Self {
        self.from = from;
        self
    }

    /// Sets how much of the stem is played.
    #[must_use]
    pub fn length(mut self, length: Frames) -> Self {
        self.length = Some(length);
        self
    }

    /// Sets how many times the stretch is played.
    #[must_use]
    pub fn loops(mut self, loops: u32) -> Self {
        self.loops = loops;
        self
    }

    /// Sets the fade at the start.
    #[must_use]
    pub fn fade_in(mut self, fade: Fade) -> Self {
        self.fade_in = fade;
        self
    }

    /// Sets the fade at the end.
    #[must_use]
    pub fn fade_out(mut self, fade: Fade) -> Self {
        self.fade_out = fade;
        self
    }

    /// Sets the crossfade with the clip before it.
    #[must_use]
    pub fn crossfade(mut self, fade: Fade) -> Self {
        self.crossfade = fade;
        self
    }

    /// Sets the level.
    #[must_use]
    pub fn gain(mut self, gain: Decibels) -> Self {
        self.gain = gain;
        self
    }

    /// States the layout of the stem.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = Some(layout);
        self
    }
}
