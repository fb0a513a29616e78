//! Metadata of new audio files, which each container writes in its own form.
//!
//! Nothing is taken from a clock or from chance: the same audio and the same metadata give the same
//! bytes.

use crate::{
    timecode::FrameRate,
    units::{Frames, Lufs},
};
use std::ops::Range;

/// Metadata of an audio file. A container writes what it has a field for and leaves out the rest;
/// empty fields are not written.
///
/// | field | WAV | FLAC |
/// |---|---|---|
/// | texts, track number, ISRC | `LIST` `INFO`; with an ISRC or an album also `id3 ` | Vorbis comments |
/// | description, originator, reference, full date, time reference, coding history | `bext` version 2 (EBU Tech 3285) | – |
/// | project, scene, frame rate, channel names, family | `iXML` | – |
/// | markers | `cue ` and `LIST` `adtl` | `CHAPTER` comments |
///
/// ```
/// use soundtrack::encode::Metadata;
/// let metadata = Metadata { title: "The Storm".into(), ..Metadata::default() };
/// assert!(!metadata.is_empty() && Metadata::default().is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// Title of the piece.
    pub title: String,
    /// Artist of the piece.
    pub artist: String,
    /// Title of the album.
    pub album: String,
    /// Artist of the album.
    pub album_artist: String,
    /// Composers, without societies and shares.
    pub composers: Vec<String>,
    /// Publishers, without societies and shares.
    pub publishers: Vec<String>,
    /// Record label.
    pub label: String,
    /// Date of release: a year, or `yyyy-mm-dd`, which `bext` needs.
    pub date: String,
    /// International Standard Recording Code (ISO 3901), 12 characters.
    pub isrc: String,
    /// Barcode of the album (UPC, EAN).
    pub upc: String,
    /// Number of the piece on the album and number of pieces.
    pub track: Option<(u32, u32)>,
    /// Description; `bext` holds 256 ASCII characters of it, with `?` for others but line ends of CR LF.
    pub description: String,
    /// Originator of the file; `bext` holds 32 ASCII characters of it.
    pub originator: String,
    /// Reference that identifies the file; `bext` holds 32 ASCII characters of it.
    pub reference: String,
    /// Coding history of the source (EBU R 98), one line for each step. `bext` holds it as ASCII, with a line about
    /// the file itself at the end.
    pub coding_history: String,
    /// Film or album that the file belongs to.
    pub project: String,
    /// Scene or cue.
    pub scene: String,
    /// Number of frames from midnight to the first frame, at the file's rate.
    pub time_reference: Option<Frames>,
    /// Frame rate of the picture.
    pub frame_rate: Option<FrameRate>,
    /// Markers: frame of the file and name. Those beyond 2³² − 1 frames are left out.
    pub markers: Vec<(Frames, String)>,
    /// Names of the channels, in order.
    pub channels: Vec<String>,
    /// Set of files that belong together, such as the stems of a mix.
    pub family: Option<Family>,
}

/// Set of files that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Family {
    /// Identifier that all files of the set share.
    pub uid: String,
    /// Name of the set.
    pub name: String,
    /// Number of the file within the set, counted from 1.
    pub index: u32,
    /// Number of files.
    pub total: u32,
}

impl Metadata {
    /// Returns true if nothing is stated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the metadata of a range of frames of the file.
    pub(crate) fn of_range(&self, range: &Range<Frames>) -> Self {
        let moved = |(at, name): &(Frames, String)| {
            range
                .contains(at)
                .then(|| (Frames(at.0 - range.start.0), name.clone()))
        };
        Self {
            time_reference: self
                .time_reference
                .map(|at| Frames(at.0.saturating_add(range.start.0))),
            markers: self.markers.iter().filter_map(moved).collect(),
            ..self.clone()
        }
    }

    /// Returns the metadata of a file that repeats audio of `length` frames: its markers are in every pass.
    pub(crate) fn repeated(mut self, length: Frames, passes: u32) -> Self {
        let markers = std::mem::take(&mut self.markers);
        for pass in 0..u64::from(passes) {
            let start = pass.saturating_mul(length.0);
            let moved =
                |(at, name): &(Frames, String)| (Frames(at.0.saturating_add(start)), name.clone());
            self.markers.extend(markers.iter().map(moved));
        }
        self
    }
}

/// Loudness of a file, which is known when its last block is. `None` for what has no value, such as
/// the loudness of silence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FileLoudness {
    /// Integrated loudness in LUFS.
    pub integrated: Option<f64>,
    /// Loudness range in LU.
    pub range: Option<f64>,
    /// True peak in dBTP.
    pub true_peak: Option<f64>,
    /// Maximum momentary loudness in LUFS.
    pub momentary: Option<f64>,
    /// Maximum short-term loudness in LUFS.
    pub short_term: Option<f64>,
    /// Loudness of the album that the file is a piece of.
    pub album: Option<AlbumLoudness>,
}

/// Loudness of all pieces of an album together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AlbumLoudness {
    /// Integrated loudness in LUFS, of the gating blocks of all pieces.
    pub integrated: f64,
    /// Highest true peak of any piece in dBTP.
    pub true_peak: f64,
}

/// Loudness that ReplayGain 2.0 brings a file to.
const REPLAY_GAIN_REFERENCE: Lufs = Lufs(-18.0);

impl FileLoudness {
    /// Returns gain in dB and peak as a factor of full scale, as ReplayGain 2.0 states them.
    pub(super) fn replay_gain(&self) -> Option<(f64, f64)> {
        Some(replay_gain(self.integrated?, self.true_peak?))
    }
}

impl AlbumLoudness {
    /// Returns gain in dB and peak as a factor of full scale, as ReplayGain 2.0 states them.
    pub(super) fn replay_gain(&self) -> (f64, f64) {
        replay_gain(self.integrated, self.true_peak)
    }
}

fn replay_gain(integrated: f64, true_peak: f64) -> (f64, f64) {
    let gain = REPLAY_GAIN_REFERENCE.0 - integrated;
    (gain, libm::pow(10.0, true_peak / 20.0))
}

/// Replaces control characters, which no field holds, by spaces.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Replaces everything but printable ASCII and the line ends of recorders, CR LF, and truncates the text to `max_chars`
/// characters.
pub(super) fn ascii_text(text: &str, max_chars: usize) -> String {
    let lines: Vec<String> = text
        .split("\r\n")
        .map(|line| ascii(line, max_chars))
        .collect();
    lines.join("\r\n").chars().take(max_chars).collect()
}

/// Returns lines of printable ASCII, each ended as `bext` wants it; empty lines are left out.
pub(super) fn ascii_lines(text: &str) -> String {
    let lines = text
        .split(['\r', '\n'])
        .filter(|line| !line.trim().is_empty());
    lines.map(|line| ascii(line, usize::MAX) + "\r\n").collect()
}

/// Replaces everything but printable ASCII and truncates the text to `max_chars` characters.
pub(super) fn ascii(text: &str, max_chars: usize) -> String {
    text.chars()
        .take(max_chars)
        .map(|c| if matches!(c, ' '..='~') { c } else { '?' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(at: &[(u64, &str)]) -> Metadata {
        Metadata {
            time_reference: Some(Frames(1000)),
            markers: at
                .iter()
                .map(|(at, name)| (Frames(*at), (*name).to_owned()))
                .collect(),
            ..Metadata::default()
        }
    }

    #[test]
    fn markers_and_reference_move_with_a_range() {
        let whole = marked(&[(9, "a"), (10, "b"), (19, "c"), (20, "d")]);
        let part = whole.of_range(&(Frames(10)..Frames(20)));
        assert_eq!(part.markers, marked(&[(0, "b"), (9, "c")]).markers);
        assert_eq!(part.time_reference, Some(Frames(1010)));
    }

    #[test]
    fn markers_are_in_every_pass() {
        let repeated = marked(&[(0, "a"), (3, "b")]).repeated(Frames(4), 3);
        let all = [(0, "a"), (3, "b"), (4, "a"), (7, "b"), (8, "a"), (11, "b")];
        assert_eq!(repeated, marked(&all));
    }

    #[test]
    fn texts_become_ascii_of_a_length() {
        assert_eq!(ascii("añb~\t", 4), "a?b~");
        assert_eq!(ascii_text("a\r\nb\nc", 9), "a\r\nb?c");
        assert_eq!(ascii_text("abc\r\ndef", 6), "abc\r\nd");
        assert_eq!(ascii_lines("a\r\n \n\nbé"), "a\r\nb?\r\n");
        assert_eq!(plain("a\nb\u{7F}c"), "a b c");
    }

    #[test]
    fn replay_gain_leads_to_minus_18_lufs() {
        let loudness = FileLoudness {
            integrated: Some(-23.5),
            true_peak: Some(-20.0),
            ..FileLoudness::default()
        };
        let (gain, peak) = loudness.replay_gain().unwrap();
        assert!(gain == 5.5 && (peak - 0.1).abs() < 1e-15, "{gain} {peak}");
        let silent = FileLoudness {
            integrated: None,
            ..loudness
        };
        assert_eq!(silent.replay_gain(), None);
        let album = AlbumLoudness {
            integrated: -18.0,
            true_peak: 0.0,
        };
        assert_eq!(album.replay_gain(), (0.0, 1.0));
    }
}
