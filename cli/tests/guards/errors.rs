//! Error messages and exit codes of `mixdown` for common mistakes.

use crate::{
    golden, sessions,
    texts::{said, settled},
};
use soundtrack_test_support::program::built;
use std::{fs, process::Command};

/// Command lines that are wrong, with the folder of stems and sessions as the current one.
const MISTAKES: &[&[&str]] = &[
    &["gone.wav"],
    &["stems/bass61.wav", "-o", "out/errors/x.wav"],
    &["gone.toml"],
    &["gone/"],
    &["errors/text.wav", "-o", "out/errors/x.wav"],
    &["errors/empty.wav", "-o", "out/errors/x.wav"],
    &["errors/folder", "-o", "out/errors/x.wav"],
    &["stems/bass16.wav", "-o", "no/such/folder/x.wav"],
    &["stems/bass16.wav", "-o", "out/errors/x.mp3"],
    &["stems/bass16.wav", "-o", "out/errors/there.wav"],
    &["stems/bass16.wav", "-o", "stems/bass16.wav", "--force"],
    &["stems/bass16.wav", "--format", "wav23"],
    &["stems/bass16.wav", "--layout", "surround"],
    &["stems/bass16.wav", "--rate", "48k"],
    &["stems/bass16.wav", "--sollo", "bass16"],
    &[
        "stems/bass16.wav",
        "--solo",
        "bas16",
        "-o",
        "out/errors/x.wav",
    ],
    &[
        "stems/bass16.wav",
        "--mute",
        "piano",
        "-o",
        "out/errors/x.wav",
    ],
    &["stems/bass16.wav@loud", "-o", "out/errors/x.wav"],
    &["stems/bass16.wav@-3:L200", "-o", "out/errors/x.wav"],
    &[
        "stems/bass16.wav",
        "--range",
        "5s..2s",
        "-o",
        "out/errors/x.wav",
    ],
    &[
        "stems/bass16.wav",
        "--range",
        "1:20..",
        "-o",
        "out/errors/x.wav",
    ],
    &["stems/bass16.wav", "--target", "radio"],
    &["stems/bass16.wav", "--set", "track.bass16.gian=3"],
    &["stems/bass16.wav", "-q", "-v"],
    &["stems/cut.wav", "-o", "out/errors/x.wav"],
    &["stems/damaged.flac", "-o", "out/errors/x.wav"],
    &["stems/nan32f.wav", "-o", "out/errors/x.wav"],
    &["stems/four.wav", "-o", "out/errors/x.wav"],
    &["errors/unknown-key.toml"],
    &["errors/several.toml"],
    &["errors/timecode.toml"],
    &["errors/circle.toml"],
    &["errors/broken.toml"],
    &["errors/missing-stem.toml", "-o", "out/errors/x.wav"],
    &["errors/too-long.toml", "-o", "out/errors/x.wav"],
    &["errors/outside.toml"],
    &["errors/broken.json"],
    &["unity.toml", "--set", "track.wide.gian=3"],
    &["unity.toml", "--set", "track.wdie.gain=3"],
    &["unity.toml", "--deliver", "stems"],
    &["deliver.toml", "--deliver", "stmes"],
    &["plan"],
    &["compare", "stems/bass16.wav", "stems/gone.wav"],
    &["compare", "stems/bass16.wav"],
    &["join", "stems/bass16.wav", "-o", "out/errors/joined.wav"],
];

/// Files that something is wrong with.
const FILES: &[(&str, &str)] = &[
    (
        "errors/text.wav",
        "This is no audio, whatever its name says.\n",
    ),
    ("errors/empty.wav", ""),
    ("errors/folder/notes.txt", "There are no stems here.\n"),
    (
        "errors/unknown-key.toml",
        "rate = 48000\n\n[track.bass]\nfile = \"bass.wav\"\nvolume = -3\ngian = -3\n",
    ),
    (
        "errors/several.toml",
        "rate = 48000\nlayout = \"surround\"\ntittle = \"x\"\n\n[bus.music]\nto = \"musik\"\n\n[track.bass]\nfile = \"b.wav\"\n\
         bus = \"misic\"\npan = \"L130\"\ngain = \"loud\"\nat = \"soon\"\n",
    ),
    (
        "errors/timecode.toml",
        "rate = 48000\nfps = \"24\"\nstart = \"01:00:00:00\"\n\n[track.bass]\nfile = \"b.wav\"\nat = \"01:00:00:24\"\n\n\
         [track.early]\nfile = \"b.wav\"\nat = \"00:59:59:00\"\n",
    ),
    (
        "errors/circle.toml",
        "rate = 48000\n[bus.a]\nto = \"b\"\n[bus.b]\nsend = { a = -3 }\n[track.t]\nfile = \"t.wav\"\nbus = \"a\"\n",
    ),
    (
        "errors/broken.toml",
        "rate = 48000\n[track.bass\nfile = \"b.wav\"\n",
    ),
    (
        "errors/missing-stem.toml",
        "rate = 48000\n[track.bass]\nfile = \"bas.wav\"\n[track.keys]\nfile = \"keys.wav\"\n",
    ),
    (
        "errors/too-long.toml",
        "rate = 48000\n[track.a]\nfile = \"bass.wav\"\nfrom = \"500ms\"\nlength = \"2s\"\nfade_in = \"9s\"\n",
    ),
    (
        "errors/outside.toml",
        "rate = 48000\n[track.a]\nfile = \"../stems/bass16.wav\"\n[track.b]\nfile = \"/etc/b.wav\"\n",
    ),
    (
        "errors/broken.json",
        "{ \"rate\": 48000, \"track\": { \"a\": { \"file\": \"b.wav\", } } }\n",
    ),
    ("out/errors/there.wav", "What was there before.\n"),
];

#[test]
fn error_messages_are_unchanged() {
    let _folder = sessions::enter();
    for (name, text) in FILES {
        fs::create_dir_all(name.rsplit_once('/').expect("a folder").0).expect("room for it");
        fs::write(name, text).expect("room for it");
    }
    fs::copy("stems/bass16.wav", "errors/bass.wav").expect("room for it");
    let mut text = String::new();
    for mistake in MISTAKES {
        let printed = said(Command::new(built("mixdown")).args(*mistake));
        text += &format!(
            "=== mixdown {}\n{}\n\n",
            mistake.join(" "),
            settled(&printed)
        );
    }
    golden::compare(&[("errors.txt".to_owned(), text)]);
    // Nothing was written, and nothing was damaged.
    assert!(!fs::exists("out/errors/x.wav").expect("it can be looked for"));
    assert_eq!(
        fs::read_to_string("out/errors/there.wav").expect("it is there"),
        FILES[FILES.len() - 1].1
    );
}
