//! Cues: pieces of music with tracks of their own, and their placements against picture.

use super::{
    at::At, exact_times::ExactTimes, source_text::KeySpans, stretch::stretch_setters, track::Track,
};
use crate::{
    curve::Fade,
    units::{Decibels, Frames},
};
use std::{fmt, str::FromStr};

/// The kind of a cue, for the cue sheet.
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

/// The error for a name that is no kind of cue.
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

/// A named moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The frame of the session's timeline, or of the cue that it belongs to.
    pub at: Frames,
    /// The name.
    pub name: String,
}

/// A piece of music. Its tracks have a time of their own, which counts from the start of the cue; its uses place it, whole or
/// in part, against picture. A cue without uses is heard on the album only.
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
    /// Its name in the session, unique among cues.
    pub name: String,
    /// Its title in reports, file names and the cue sheet; the name where this is empty.
    pub title: String,
    /// Its kind, for the cue sheet.
    pub kind: CueKind,
    /// Its artist; that of the album where this is empty.
    pub artist: String,
    /// Its composers, for metadata and the cue sheet: each a name, which a society in parentheses and
    /// a share may follow ([`Credit`](crate::Credit)).
    pub composer: Vec<String>,
    /// Its publishers, in the same form.
    pub publisher: Vec<String>,
    /// Its International Standard Recording Code (ISO 3901): `GBABC2600001` or `GB-ABC-26-00001`;
    /// empty for none.
    pub isrc: String,
    /// Mutes all its tracks.
    pub mute: bool,
    /// Its tracks, in order. Positions, automation and clips count from the cue's start.
    pub tracks: Vec<Track>,
    /// Its placements against picture.
    pub uses: Vec<Use>,
    /// Named moments, counted from the cue's start.
    pub markers: Vec<Marker>,
    pub(crate) written: KeySpans,
}

impl Cue {
    /// Creates a cue without tracks or uses.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Sets the title.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the kind.
    #[must_use]
    pub fn kind(mut self, kind: CueKind) -> Self {
        self.kind = kind;
        self
    }

    /// Sets the artist.
    #[must_use]
    pub fn artist(mut self, artist: impl Into<String>) -> Self {
        self.artist = artist.into();
        self
    }

    /// Sets the ISRC.
    #[must_use]
    pub fn isrc(mut self, code: impl Into<String>) -> Self {
        self.isrc = code.into();
        self
    }

    /// Adds a composer.
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

    /// Adds a track after the others.
    #[must_use]
    pub fn track(mut self, track: Track) -> Self {
        self.tracks.push(track);
        self
    }

    /// Adds a placement after the others.
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

    /// Returns the title, or the name where the title is blank.
    #[must_use]
    pub fn display_name(&self) -> &str {
        if self.title.trim().is_empty() {
            &self.name
        } else {
            &self.title
        }
    }
}

/// A placement of a cue against picture: of the whole cue or a stretch of it. Automation, clips and their fades keep their
/// positions in the cue; everything outside the stretch is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Use {
    /// Its name, unique among the placements of the cue; usually empty for the first.
    pub name: String,
    /// The position at which it starts. [`At::Origin`] takes it from the time references of the cue's stems, which must agree.
    pub at: At,
    /// Frames of the cue's start that are left out.
    pub from: Frames,
    /// Frames of the cue that are played; `None` plays it to its end.
    pub length: Option<Frames>,
    /// Fade at the start of the stretch.
    pub fade_in: Fade,
    /// Fade at the end of the stretch.
    pub fade_out: Fade,
    /// Crossfade with the placement of the same cue that starts before this one. See
    /// [`Clip::crossfade`](crate::Clip::crossfade).
    pub crossfade: Fade,
    /// Level of the placement, applied to all tracks of the cue. −∞ is exact silence; at most +200 dB.
    pub gain: Decibels,
    /// The usage code of the cue sheet, such as `BI` or `VV`; empty for none.
    pub usage: String,
    pub(crate) exact: ExactTimes,
    pub(crate) written: KeySpans,
}

impl Use {
    /// Creates a placement of the whole cue at a position.
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
