//! Deliverables: the files to deliver from one session, as data.

use super::{id::BusId, selector::Selector, source_text::KeySpans};
use crate::{
    encode::{Dither, Format},
    measure::LoudnessTarget,
};
use std::path::{Path, PathBuf};

/// A file to deliver, or a set of them: the mix, one file for each of several buses, or one file for each cue.
///
/// ```
/// use soundtrack::{Deliverable, Format};
/// let full = Deliverable::new("full", "out/{title}.wav").format(Format::WAV_24).lang("en");
/// assert!(!full.album && full.stems.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deliverable {
    /// Its name, unique among deliverables.
    pub name: String,
    /// The file to write, with `{title}`, `{cue}`, `{bus}`, `{lang}` and `{nn}` (two digits, counted from 1) to fill in;
    /// see [`Session::outputs`](crate::Session::outputs).
    pub file: PathBuf,
    /// The sample format.
    pub format: Format,
    /// The language that replaces `{lang}` in the names of stems and of the file; `None` means the session's.
    pub lang: Option<String>,
    /// The parts of the session that are muted in it.
    pub mute: Vec<Selector>,
    /// The only parts of the session that are heard in it, in place of those that the session solos; empty means the
    /// session's. In an album only buses can be soloed.
    pub solo: Vec<Selector>,
    /// One file for each of these buses instead of one mix.
    pub stems: Vec<BusId>,
    /// One file for every cue, whole and from its own start, instead of one mix.
    pub album: bool,
    /// Listings beside the files of an album: `{album title}.cue` for players and CD programs, and
    /// `album.json`.
    pub listing: bool,
    /// A music cue sheet instead of audio: CSV or JSON, by the extension of the file.
    pub cue_sheet: bool,
    /// The loudness and true peak to check; for an album, of all its cues together.
    pub loudness: Option<LoudnessTarget>,
    /// Applies one gain so that the file meets `loudness`.
    pub fit: bool,
    /// The dither of the file. `None` means that of the master, but no dither for stems, so that they add up to the mix.
    pub dither: Option<Dither>,
    pub(crate) written: KeySpans,
}

impl Deliverable {
    /// Creates a deliverable of the whole mix as 24-bit WAV.
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

    /// Mutes a part of the session in it.
    #[must_use]
    pub fn mute(mut self, part: impl Into<Selector>) -> Self {
        self.mute.push(part.into());
        self
    }

    /// Solos a part of the session in it.
    #[must_use]
    pub fn solo(mut self, part: impl Into<Selector>) -> Self {
        self.solo.push(part.into());
        self
    }

    /// Writes one file for each of these buses.
    #[must_use]
    pub fn stems(mut self, buses: impl IntoIterator<Item = BusId>) -> Self {
        self.stems.extend(buses);
        self
    }

    /// Writes one file for each cue, or not.
    #[must_use]
    pub fn album(mut self, album: bool) -> Self {
        self.album = album;
        self
    }

    /// Writes listings beside the files of an album, or not.
    #[must_use]
    pub fn listing(mut self, listing: bool) -> Self {
        self.listing = listing;
        self
    }

    /// Writes a music cue sheet instead of audio, or not.
    #[must_use]
    pub fn cue_sheet(mut self, cue_sheet: bool) -> Self {
        self.cue_sheet = cue_sheet;
        self
    }

    /// Returns the problem of the soloed parts, if there is one.
    pub(crate) fn solo_fault(&self) -> Option<&'static str> {
        let is_bus = |part: &Selector| matches!(part, Selector::Bus(_));
        if self.solo.contains(&Selector::Master) {
            Some("solos the master, which has no solo: solo tracks, buses or cues")
        } else if self.album && !self.solo.iter().all(is_bus) {
            // Nothing would be soloed in the other cues, so they would sound whole.
            Some("solos a part of one cue in an album: solo buses, or mute the other cues")
        } else {
            None
        }
    }

    /// Checks a file name. Returns a message with a valid name if the extension is not that of the
    /// format.
    pub(crate) fn name_fault(&self, file: &Path) -> Option<String> {
        if !self.cue_sheet {
            return self.format.container.name_fault(file);
        }
        let extension = file.extension().unwrap_or_default().to_string_lossy();
        let is_known = ["csv", "json"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known));
        let right = file.with_extension("csv");
        let right = right.file_name().unwrap_or_default().to_string_lossy();
        (!is_known).then(|| format!("a cue sheet is a .csv or .json file: name it {right}"))
    }

    /// Sets the loudness and true peak that are checked.
    #[must_use]
    pub fn loudness(mut self, target: LoudnessTarget) -> Self {
        self.loudness = Some(target);
        self
    }

    /// Applies one gain so that the file meets [`loudness`](Self::loudness), or not.
    #[must_use]
    pub fn fit(mut self, fit: bool) -> Self {
        self.fit = fit;
        self
    }

    /// Sets the dither.
    #[must_use]
    pub fn dither(mut self, dither: Dither) -> Self {
        self.dither = Some(dither);
        self
    }
}
