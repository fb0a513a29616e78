//! Deliverables: the files that one session promises, as data.

use super::{selector::Selector, source_text::KeySpans, strip::BusId};
use crate::{
    encode::{Dither, Format},
    measure::LoudnessTarget,
};
use std::path::PathBuf;

/// One kind of file that the session promises: a mix, one file a bus, or one file a cue.
///
/// ```
/// use soundtrack::{Deliverable, Format};
/// let full = Deliverable::new("full", "out/{title}.wav").format(Format::WAV_24).lang("en");
/// assert!(!full.album && full.stems.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deliverable {
    /// What it is called; unique among deliverables.
    pub name: String,
    /// The file to write, with `{title}`, `{cue}`, `{bus}`, `{lang}` and `{nn}` (two digits, counted from 1) to fill in;
    /// see [`Session::outputs`](crate::Session::outputs).
    pub file: PathBuf,
    /// The sample format.
    pub format: Format,
    /// The language that `{lang}` stands for in the names of stems and of the file; the session's unless said.
    pub lang: Option<String>,
    /// What is left out of it.
    pub mute: Vec<Selector>,
    /// One file for each of these buses instead of one mix.
    pub stems: Vec<BusId>,
    /// One file for every cue, whole and from its own start, instead of one mix.
    pub album: bool,
    /// Loudness and true peak that are checked; of an album, those of all its cues together.
    pub loudness: Option<LoudnessTarget>,
    /// Whether one gain is applied so that `loudness` holds.
    pub fit: bool,
    /// How it is dithered. Unless said, stems are not, so that they add up; all else is as the master says.
    pub dither: Option<Dither>,
    pub(crate) written: KeySpans,
}

impl Deliverable {
    /// A mix into a 24-bit file.
    pub fn new(name: impl Into<String>, file: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            file: file.into(),
            ..Self::default()
        }
    }

    /// Sets the sample format.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sets the language.
    #[must_use]
    pub fn lang(mut self, lang: impl Into<String>) -> Self {
        self.lang = Some(lang.into());
        self
    }

    /// Leaves something out.
    #[must_use]
    pub fn mute(mut self, part: impl Into<Selector>) -> Self {
        self.mute.push(part.into());
        self
    }

    /// Writes one file a bus.
    #[must_use]
    pub fn stems(mut self, buses: impl IntoIterator<Item = BusId>) -> Self {
        self.stems.extend(buses);
        self
    }

    /// Writes one file a cue, or not.
    #[must_use]
    pub fn album(mut self, album: bool) -> Self {
        self.album = album;
        self
    }

    /// Sets the loudness and true peak that are checked.
    #[must_use]
    pub fn loudness(mut self, target: LoudnessTarget) -> Self {
        self.loudness = Some(target);
        self
    }

    /// Applies one gain so that [`loudness`](Self::loudness) holds, or not.
    #[must_use]
    pub fn fit(mut self, fit: bool) -> Self {
        self.fit = fit;
        self
    }

    /// Sets how it is dithered.
    #[must_use]
    pub fn dither(mut self, dither: Dither) -> Self {
        self.dither = Some(dither);
        self
    }
}
