//! The session file: TOML, written by hand.
//!
//! Keyed tables; order in the file is order in the mix. Every problem is reported at once with its line, column and text,
//! unknown keys with the nearest known one. Paths are relative to the session file and stay inside its folder unless
//! [`Load::outside`] allows more.

mod build;
mod document;
mod fields;

use super::Session;
use crate::{
    error::{Error, ErrorKind, Problem, Result},
    layout::Layout,
    units::SampleRate,
};
use std::{fs, io::Read, path::Path};

/// A session file larger than this is none.
const LARGEST: u64 = 8 << 20;

/// How a session file is loaded.
///
/// ```toml
/// title = "Nocturne"
/// rate = 48000                 # without it: the highest among the stems
/// layout = "stereo"            # mono stereo 2.1 lcr lcrs quad 5.0 5.1 6.1 7.0 7.1
/// pan_law = "equal-power"      # how mono stems are placed
/// length = "2m30s"             # without it the output ends with the last clip
///
/// [master]
/// gain = -1
///
/// [bus.rhythm]
/// gain = -1.5                  # dB; also: pan, mute, solo, to, send, automation
///
/// [track.drums]
/// file = "drums.flac"
/// bus = "rhythm"
///
/// [track.piano]
/// file = "piano.wav"
/// gain = -3
/// pan = "L20"
/// at = "4s"                    # where it starts; from, length, loop: which part of the file
/// fade_in = "50ms"
/// fade_out = "2s equal-power"
/// invert = false
/// send = { hall = -12 }
/// automation.gain = ["0s -inf", "4s 0 sine"]
///
/// [track.brass.clip]           # several clips on one track
/// hit = { file = "brass.wav", at = "8s", from = "1m2s", length = "2s" }
///
/// [bus.hall]
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Rate of the session, in place of the file's.
    pub rate: Option<SampleRate>,
    /// Layout of the session, in place of the file's.
    pub layout: Option<Layout>,
    /// Whether stems may lie outside the folder of the session file.
    pub outside: bool,
}

impl Load {
    /// Reads a session file.
    ///
    /// # Errors
    /// `NotFound` without a file; `Session` with everything that is wrong in it at once, each with its place.
    pub fn session(&self, path: impl AsRef<Path>) -> Result<Session> {
        let path = path.as_ref();
        let text = read(path)?;
        let mut source = document::Text::new(path, &text);
        let document = source.parse();
        let session = build::session(self, path, &document, &mut source);
        let problems: Vec<Problem> = source.problems();
        if problems.is_empty() { Ok(session) } else { Err(Error::session(problems)) }
    }
}

impl Session {
    /// Reads a session file (its form is shown at [`Load`]).
    ///
    /// # Errors
    /// As [`Load::session`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Load::default().session(path)
    }
}

fn read(path: &Path) -> Result<String> {
    let refused = |kind, what: String| Error::new(kind, format!("{}: {what}", path.display()));
    let meta = fs::metadata(path).map_err(|e| refused(ErrorKind::NotFound, e.to_string()).because(e))?;
    if !meta.is_file() {
        return Err(refused(ErrorKind::Session, "is no regular file".to_owned()));
    }
    let file = fs::File::open(path).map_err(|e| refused(ErrorKind::NotFound, e.to_string()).because(e))?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| refused(ErrorKind::Corrupt, e.to_string()).because(e))?;
    if bytes.len() as u64 > LARGEST {
        return Err(refused(ErrorKind::Session, format!("is larger than {LARGEST} bytes: no session file")));
    }
    String::from_utf8(bytes).map_err(|e| refused(ErrorKind::Session, format!("is no UTF-8 text: {e}")).because(e))
}
