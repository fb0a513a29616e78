//! Cues: pieces of music with tracks of their own, and where they are used against picture.

use super::{
    at::At, exact_times::ExactTimes, source_text::KeySpans, stretch::stretch_setters, track::Track,
};
use crate::{
    curve::Fade,
    units::{Decibels, Frames},
};
use std::{fmt, str::FromStr};

/// Identifies a cue of the session that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CueId(pub(crate) usize);

/// What a cue is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CueKind {
    /// Composed for the picture.
    #[default]
    Score,
    /// A song.
    Song,
}

impl fmt::Display for CueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Score => "score",
            Self::Song => "song",
        })
    }
}

/// A name that is no kind of cue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCueKind(String);

impl fmt::Display for UnknownCueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no such kind of cue: {:?}; there are score and song",
            self.0
        )
    }
}

impl std::error::Error for UnknownCueKind {}

impl FromStr for CueKind {
    type Err = UnknownCueKind;

    fn from_str(name: &str) -> Result<Self, UnknownCueKind> {
        match name {
            "score" => Ok(Self::Score),
            "song" => Ok(Self::Song),
            _ => Err(UnknownCueKind(name.to_owned())),
        }
    }
}

/// A name for a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// When: on the session's timeline, or after the start of the cue it belongs to.
    pub at: Frames,
    /// What happens there.
    pub name: String,
}

/// A piece of music. Its tracks have a time of their own, which is 0 where the cue starts; its uses place it, whole or in
/// part, against picture. A cue without uses is heard on the album only.
///
/// ```
/// use soundtrack::{Cue, Decibels, Frames, Layout, SampleRate, Session, Track, Use};
/// let mut film = Session::new(SampleRate::HZ_48000, Layout::Stereo);
/// let storm = film.add_cue(
///     Cue::new("storm")
///         .title("The Storm")
///         .track(Track::new("violins", "1m1/vlns.wav"))
///         .used(Use::at(Frames(592_000)))
///         .used(Use::at(Frames(15_840_000)).named("reprise").from(Frames(1_824_000)).length(Frames(960_000))),
/// );
/// assert_eq!(film.cue_mut(storm).uses.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cue {
    /// What it is called in the session; unique among cues.
    pub name: String,
    /// What it is called for people; the name where this is empty.
    pub title: String,
    /// What it is.
    pub kind: CueKind,
    /// Who wrote it, for the papers.
    pub composer: Vec<String>,
    /// Who publishes it, for the papers.
    pub publisher: Vec<String>,
    /// Silent, as if all its tracks were muted.
    pub mute: bool,
    /// Its tracks, in order. Positions, automation and clips count from the cue's start.
    pub tracks: Vec<Track>,
    /// Where it sounds against picture.
    pub uses: Vec<Use>,
    /// Moments of it.
    pub markers: Vec<Marker>,
    pub(crate) written: KeySpans,
}

impl Cue {
    /// A cue without tracks or uses.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Sets what people call it.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets what it is.
    #[must_use]
    pub fn kind(mut self, kind: CueKind) -> Self {
        self.kind = kind;
        self
    }

    /// Adds a writer.
    #[must_use]
    pub fn composer(mut self, name: impl Into<String>) -> Self {
        self.composer.push(name.into());
        self
    }

    /// Adds a publisher.
    #[must_use]
    pub fn publisher(mut self, name: impl Into<String>) -> Self {
        self.publisher.push(name.into());
        self
    }

    /// Adds a track, after those already there.
    #[must_use]
    pub fn track(mut self, track: Track) -> Self {
        self.tracks.push(track);
        self
    }

    /// Adds a use.
    #[must_use]
    pub fn used(mut self, place: Use) -> Self {
        self.uses.push(place);
        self
    }

    /// Adds a marker, counted from the cue's start.
    #[must_use]
    pub fn marker(mut self, at: Frames, name: impl Into<String>) -> Self {
        self.markers.push(Marker {
            at,
            name: name.into(),
        });
        self
    }

    /// Mutes it, or not.
    #[must_use]
    pub fn mute(mut self, mute: bool) -> Self {
        self.mute = mute;
        self
    }

    /// What people call it: the title, or the name where there is none or it is blank.
    #[must_use]
    pub fn display_name(&self) -> &str {
        if self.title.trim().is_empty() {
            &self.name
        } else {
            &self.title
        }
    }
}

/// One placement of a cue against picture: the whole of it, or a stretch. Automation, clips and their fades stay where
/// they are in the cue; only what lies outside the stretch is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Use {
    /// What it is called; empty for the first, plain one.
    pub name: String,
    /// Where it starts. [`At::Origin`]: where the time references of the cue's stems put it, which must agree.
    pub at: At,
    /// How much of the cue's start is left out.
    pub from: Frames,
    /// How much of the cue is played; to its end unless said.
    pub length: Option<Frames>,
    /// Fade at the start of the stretch.
    pub fade_in: Fade,
    /// Fade at the end of the stretch.
    pub fade_out: Fade,
    /// Fades this use in over the use of the same cue before it, which ends where the fade does. See
    /// [`Clip::crossfade`](crate::Clip::crossfade).
    pub crossfade: Fade,
    /// Level of the stretch, over everything the cue does. −∞ is exact silence; at most +200 dB.
    pub gain: Decibels,
    /// The usage code of the cue sheet, such as `BI` or `VV`; empty for none.
    pub usage: String,
    pub(crate) exact: ExactTimes,
    pub(crate) written: KeySpans,
}

impl Use {
    /// The whole cue at a place.
    pub fn at(at: impl Into<At>) -> Self {
        Self {
            at: at.into(),
            ..Self::default()
        }
    }

    /// Sets the usage code.
    #[must_use]
    pub fn usage(mut self, code: impl Into<String>) -> Self {
        self.usage = code.into();
        self
    }

    stretch_setters!();
}
