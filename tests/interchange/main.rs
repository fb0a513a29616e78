//! Sessions and spotting of other programs: positions are exact, and whatever is not carried has a note.

mod broken;
#[cfg(feature = "dawproject")]
mod dawproject;
mod edl;
mod lists;
mod otio;
mod rpp;
mod stems;

use soundtrack::{
    At, Frames, Load, SampleRate, Session,
    interchange::{self, Imported, Options},
};

/// Reads a text under a name.
fn read(text: &str, name: &str, options: &Options) -> Imported {
    interchange::read_bytes(text, name, options).unwrap_or_else(|e| panic!("{e}"))
}

/// Returns the error of a text under a name.
fn refused(text: impl AsRef<[u8]>, name: &str, options: &Options) -> String {
    let error = interchange::read_bytes(text.as_ref(), name, options).unwrap_err();
    assert_eq!(error.file(), Some(name), "{error}");
    error.to_string()
}

/// Returns the notes as lines.
fn notes(imported: &Imported) -> Vec<String> {
    imported.notes.iter().map(ToString::to_string).collect()
}

/// Returns the markers of a session with their frames.
fn markers(session: &Session) -> Vec<(u64, &str)> {
    let markers = session.markers.iter();
    markers.map(|m| (m.at.0, m.name.as_str())).collect()
}

/// Returns the frame of a position, counted from the start of the session.
fn frame(at: At, session: &Session) -> Frames {
    let start = session
        .start
        .map_or(Frames::ZERO, |start| start.frames(session.rate));
    match at {
        At::Frames(frames) => frames,
        At::Timecode(timecode) => timecode.frames(session.rate) - start,
        other => panic!("{other:?}"),
    }
}

/// Asserts that the session is the same once it is saved and loaded.
fn survives_its_file(session: &Session) {
    let text = session.to_text("s.toml").unwrap();
    let load = Load {
        outside: true,
        ..Load::default()
    };
    let again = load.text(text.as_str(), "s.toml");
    let again = again.unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(again, *session, "{text}");
}

/// Returns settings with a sample rate.
fn at_rate(hz: u32) -> Options {
    Options {
        rate: Some(SampleRate::new(hz).unwrap()),
        ..Options::default()
    }
}
