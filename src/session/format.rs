//! The session file: TOML, written by hand, or the same keys as JSON, written by machines; the extension decides.
//!
//! Keys, their types and their documentation are in one table ([`keys`]); [`bindings`] assigns them to the model, for
//! reading and writing alike. The order of tables in the file is the order of the mix. All problems are reported at once,
//! each with its line and column, unknown keys with the one that was probably meant. Paths are relative to the session file
//! and stay inside its folder unless [`Load::outside`] allows more.

mod bindings;
mod clock;
mod cues;
mod deliverables;
mod files;
mod inserts;
mod keys;
mod loudness;
mod overrides;
mod problems;
mod read_json;
mod read_toml;
#[cfg(test)]
mod reference;
mod save;
mod schema;
mod session_reader;
mod session_writer;
mod size_limit;
mod stems;
mod table_reader;
mod tracks;
mod tree;
mod values;
mod write_json;
mod write_toml;

use super::{Session, source_text::SourceText};
use crate::{
    error::{Error, ErrorKind, Result},
    layout::Layout,
    media::{Damage, open_failure},
    storage::{self, Location},
    units::SampleRate,
};
use problems::Problems;
use std::{fs, io::Read, path::Path, sync::Arc};

/// Limit of the size of a session file, in bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// The byte order mark that some editors begin a text with. It has no meaning in UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Loads session files: TOML, or JSON with the same keys as nested objects and minus infinity as `"-inf"`.
///
/// ```toml
/// title = "Nocturne"
/// rate = 48000
/// layout = "stereo"
/// length = "2m30s"
///
/// [master]
/// gain = -1
///
/// [bus.rhythm]
/// gain = -1.5
///
/// [track.drums]
/// file = "drums.flac"
/// bus = "rhythm"
///
/// [track.piano]
/// file = "piano.wav"
/// gain = -3
/// pan = "L20"
/// at = "4s"
/// fade_in = "50ms"
/// fade_out = "2s equal-power"
/// send = { hall = -12 }
/// automation.gain = ["0s -inf", "4s 0 sine"]
///
/// [track.brass.clip]           # several clips on one track
/// hit = { file = "brass.wav", at = "8s", from = "1m2s", length = "2s" }
/// rest = { file = "brass_2.wav", at = "9.5s", crossfade = "500ms equal-power" }
///
/// [bus.hall]
/// ```
///
/// Against picture, `fps` and `start` give the timecode of the first frame. Positions may then be timecodes, or `"origin"`
/// for the stem's own Broadcast-WAV time reference; lengths may be `mm:ss:ff`. A cue is a piece of music with tracks of its
/// own, whose times count from its start, and with placements against picture, of the whole or a part:
///
/// ```toml
/// fps = "24"
/// start = "01:00:00:00"
/// marker = { "01:00:20:00" = "the boat" }
///
/// [track.dialogue]
/// file = "dx_{lang}.wav"           # the language of the deliverable, or lang = "en" above
///
/// [cue.storm]
/// title = "The Storm"
/// at = "01:00:12:08"
/// folder = "stems/1m1"
/// files = "*.wav"                  # every file is a track; a table [cue.storm.track.NAME] adds keys to one
/// bus = "music"
///
/// [cue.storm.use]
/// reprise = { at = "01:05:30:00", from = "38s", length = "20s", fade_out = "3s", gain = -6, usage = "BI" }
///
/// [deliver.stems]
/// file = "out/{title} {bus}.wav"
/// stems = ["music"]                # one file per bus; album = true writes one per cue; without either, the mix
/// mute = ["cue.storm.celli"]
/// loudness = { target = -27, tolerance = 1, true_peak = -2, fit = false }
///
/// [bus.music]
/// ```
///
/// [`Load::schema`] returns the JSON schema, for editors.
#[doc = include_str!("../../docs/session-keys.md")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Overrides the sample rate.
    pub rate: Option<SampleRate>,
    /// Overrides the layout.
    pub layout: Option<Layout>,
    /// Allows stems and deliverables outside the folder of the session file, and with the feature `cloud` in object stores.
    pub outside: bool,
    /// Checks the stems even where the file itself has problems, so that all problems are reported at once; damaged stems are
    /// treated by this rule. `None` leaves the stems to [`Plan::compile`](crate::Plan::compile).
    pub stems: Option<Damage>,
    /// Overrides of other keys: see [`Load::set`].
    pub settings: Vec<(String, String)>,
}

impl Load {
    /// Reads a session file.
    ///
    /// # Errors
    /// `NotFound` without a file; `Session` with all problems at once, each with its line and column.
    pub fn session(&self, path: impl AsRef<Path>) -> Result<Session> {
        let path = path.as_ref();
        self.text(read(path)?, path)
    }

    /// Reads the text of a session file at a path, which need not exist: stems are relative to its folder, and its
    /// extension decides between TOML and JSON.
    ///
    /// # Errors
    /// `Session` with all problems at once, each with its line and column.
    pub fn text(&self, text: impl Into<String>, path: impl AsRef<Path>) -> Result<Session> {
        let (path, mut text) = (path.as_ref(), text.into());
        // A link such as file:///mix/s.toml names a folder like any path does.
        let place = Location::parse(path)?;
        let path = place.local().unwrap_or(path);
        if text.starts_with(BYTE_ORDER_MARK) {
            text.drain(..BYTE_ORDER_MARK.len_utf8());
        }
        if text.len() as u64 > MAX_FILE_BYTES {
            let what = format!(
                "{}: is larger than {MAX_FILE_BYTES} bytes: no session file",
                path.display()
            );
            return Err(Error::new(ErrorKind::Session, what));
        }
        let overrides = self
            .settings
            .iter()
            .map(|(key, value)| overrides::line(key, value) + "\n")
            .collect();
        let source = Arc::new(SourceText {
            path: path.to_owned(),
            text,
            overrides,
        });
        let mut problems = Problems::new(&source);
        if let Some(at) = size_limit::exceeded_at(&source.text) {
            problems.report(
                at..at + 1,
                "there is more in this file than a session can hold",
            );
            return Err(Error::session(problems.into_vec()));
        }
        let mut tree = parse(&source, &mut problems);
        overrides::apply(
            &mut tree,
            &source.overrides,
            source.text.len() + 1,
            &mut problems,
        );
        let session = session_reader::session(self, path, &tree, &mut problems);
        if let Some(damage) = self.stems
            && !problems.is_empty()
        {
            stems::check(&session, damage, &mut problems);
        }
        let problems = problems.into_vec();
        if problems.is_empty() {
            Ok(session)
        } else {
            Err(Error::session(problems))
        }
    }

    /// Decodes the bytes of a session file at a path: UTF-8, with or without a byte order mark.
    ///
    /// # Errors
    /// `Session` for other texts, with the name of their encoding where it is known.
    pub fn decode(bytes: Vec<u8>, path: impl AsRef<Path>) -> Result<String> {
        let refused = |what| {
            let path = path.as_ref().display();
            Error::new(ErrorKind::Session, format!("{path}: is {what}"))
        };
        if let Some(encoding) = Self::foreign_encoding(&bytes) {
            return Err(refused(format!(
                "{encoding} and no UTF-8 text: save it as UTF-8"
            )));
        }
        String::from_utf8(bytes)
            .map_err(|e| refused(format!("no UTF-8 text: {e}: save it as UTF-8")).because(e))
    }

    /// Returns the name of a text's encoding from its first bytes, four at least, where it is UTF-16 or UTF-32: by its
    /// byte order mark, or by the zeros of its first character, which in a session or a list is one of ASCII.
    ///
    /// ```
    /// use soundtrack::Load;
    /// assert_eq!(Load::foreign_encoding(b"\xFF\xFEr\0"), Some("UTF-16"));
    /// assert_eq!(Load::foreign_encoding(b"\0r\0a"), Some("UTF-16"));
    /// assert_eq!(Load::foreign_encoding(b"rate"), None);
    /// ```
    #[must_use]
    pub fn foreign_encoding(start: &[u8]) -> Option<&'static str> {
        match start {
            [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Some("UTF-32"),
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some("UTF-16"),
            [a, 0, 0, 0, ..] | [0, 0, 0, a, ..] if *a != 0 => Some("UTF-32"),
            [a, 0, b, ..] if *a != 0 && *b != 0 => Some("UTF-16"),
            [0, a, 0, ..] if *a != 0 => Some("UTF-16"),
            _ => None,
        }
    }

    /// Overrides a key of the file: the key with dots, the value as TOML, or as text where it is not TOML.
    ///
    /// ```
    /// use soundtrack::{Decibels, Load};
    /// let load = Load::default().set("track.drums.gain", "-6").set("title", "Take 2");
    /// let session = load.text("rate = 48000\n[track.drums]\nfile = \"d.wav\"\ngain = 1", "s.toml")?;
    /// assert_eq!((session.tracks()[0].strip.gain, session.title.as_str()), (Decibels(-6.0), "Take 2"));
    /// # Ok::<(), soundtrack::Error>(())
    /// ```
    #[must_use]
    pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((key.into(), value.into()));
        self
    }
}

/// Returns the tree of a text; reports syntax errors.
fn parse(source: &SourceText, problems: &mut Problems) -> tree::Table {
    if is_json(&source.path) {
        read_json::read(&source.text, problems)
    } else {
        read_toml::read(&source.text, 0, problems)
    }
}

/// Returns the tree of a text, if it has no syntax error.
fn valid_tree(text: &str, path: &Path) -> Option<tree::Table> {
    let source = Arc::new(SourceText {
        path: path.to_owned(),
        text: text.to_owned(),
        overrides: String::new(),
    });
    let mut problems = Problems::new(&source);
    let tree = parse(&source, &mut problems);
    problems.into_vec().is_empty().then_some(tree)
}

/// Reports whether a session file is JSON, by its extension.
fn is_json(path: &Path) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("json"))
}

impl Session {
    /// Reads a session file; [`Load`] describes the format.
    ///
    /// # Errors
    /// As [`Load::session`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Load::default().session(path)
    }
}

fn read(path: &Path) -> Result<String> {
    let local = match Location::parse(path)? {
        Location::Local(local) => local,
        Location::Object(url) => {
            return Load::decode(storage::read(&url.to_string(), MAX_FILE_BYTES)?, path);
        }
    };
    let refused = |kind, what: String| Error::new(kind, format!("{}: {what}", path.display()));
    let meta = fs::metadata(&local)
        .map_err(|e| refused(ErrorKind::NotFound, open_failure(&e)).because(e))?;
    if !meta.is_file() {
        return Err(refused(ErrorKind::Session, "is no regular file".to_owned()));
    }
    let file = fs::File::open(&local)
        .map_err(|e| refused(ErrorKind::NotFound, open_failure(&e)).because(e))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| refused(ErrorKind::Corrupt, e.to_string()).because(e))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(refused(
            ErrorKind::Session,
            format!("is larger than {MAX_FILE_BYTES} bytes: no session file"),
        ));
    }
    Load::decode(bytes, path)
}
