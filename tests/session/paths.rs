//! Paths of a session file are confined to its folder: every way out is refused, for inputs and outputs, in TOML and JSON.

use soundtrack::{Delivery, Load, Session, storage::confined};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A folder `film` with stems and links, beside a folder `elsewhere` that the links lead to.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(desk.at("film/stems/deep")).unwrap();
        fs::create_dir(desk.at("elsewhere")).unwrap();
        for name in [
            "film/a.wav",
            "film/stems/a.wav",
            "elsewhere/a.wav",
            "elsewhere/en.wav",
        ] {
            write_stem(&desk.at(name));
        }
        #[cfg(unix)]
        for (target, name) in [
            ("../elsewhere", "film/link"),
            ("../elsewhere/a.wav", "film/l.wav"),
            ("../elsewhere/en.wav", "film/dx_en.wav"),
            ("../elsewhere/new.wav", "film/dangling.wav"),
            ("../../elsewhere", "film/stems/up"),
            ("stems", "film/inner"),
            ("stems/a.wav", "film/inner.wav"),
        ] {
            std::os::unix::fs::symlink(target, desk.at(name)).unwrap();
        }
        desk
    }

    fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(path)
    }

    /// Reads a session of one track and one deliverable in both notations, which must agree.
    fn load(&self, title: &str, track: &str, deliver: &str) -> Result<Session, String> {
        let (title, track, deliver) = (quoted(title), quoted(track), quoted(deliver));
        let toml = format!(
            "rate = 48000\ntitle = {title}\n[track.a]\nfile = {track}\n[deliver.x]\nfile = {deliver}\nlang = \"en\"\n"
        );
        let json = format!(
            r#"{{"rate": 48000, "title": {title}, "track": {{"a": {{"file": {track}}}}},
                "deliver": {{"x": {{"file": {deliver}, "lang": "en"}}}}}}"#
        );
        let read = |text: String, name: &str| {
            let read = Load::default().text(text, self.at(name));
            read.map_err(|e| e.problems()[0].sentence())
        };
        let (toml, json) = (read(toml, "film/s.toml"), read(json, "film/s.json"));
        assert_eq!(toml, json);
        toml
    }

    /// Every file outside the session's folder.
    fn others(&self) -> Vec<PathBuf> {
        let names = |folder: PathBuf| {
            let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
            entries.collect::<Vec<_>>()
        };
        let mut found = names(self.at(""))
            .into_iter()
            .chain(names(self.at("elsewhere")))
            .collect::<Vec<_>>();
        found.sort();
        found
    }
}

/// A text as both TOML and JSON state it.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Ten frames of mono.
fn write_stem(path: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    (0..10).for_each(|n| writer.write_sample(n * 100).unwrap());
    writer.finalize().unwrap();
}

const OUT_BY_NAME: [&str; 10] = [
    "../elsewhere/a.wav",
    "..",
    "../film/a.wav",
    "stems/../../elsewhere/a.wav",
    "./../elsewhere/a.wav",
    "stems/deep/../../../elsewhere/a.wav",
    "/etc/a.wav",
    "//etc/a.wav",
    "new/../../elsewhere/a.wav",
    "{lang}/../../elsewhere/a.wav",
];

#[cfg(unix)]
const OUT_BY_LINK: [&str; 7] = [
    "link/a.wav",
    "link/new.wav",
    "link/new/deep.wav",
    "l.wav",
    "dangling.wav",
    "stems/up/a.wav",
    "inner/up/a.wav",
];

#[cfg(not(unix))]
const OUT_BY_LINK: [&str; 0] = [];

#[test]
fn no_way_out_is_read_or_written() {
    let desk = Desk::new();
    let before = desk.others();
    for file in OUT_BY_NAME.iter().chain(&OUT_BY_LINK) {
        for (track, deliver, owner) in [
            (*file, "x.wav", "track \"a\""),
            ("a.wav", *file, "deliverable \"x\""),
        ] {
            let told = desk.load("t", track, deliver).unwrap_err();
            let outside = "is outside the session's folder: move it there, or set `outside`";
            assert!(
                told.starts_with(owner) && told.ends_with(outside),
                "{file}: {told}"
            );
        }
    }
    assert_eq!(desk.others(), before);
}

#[test]
fn inside_the_folder_all_is_allowed() {
    let desk = Desk::new();
    for file in [
        "a.wav",
        "./a.wav",
        "stems/a.wav",
        "stems/../a.wav",
        "new/../a.wav",
        "..a.wav",
    ] {
        desk.load("t", file, file).unwrap();
    }
    if cfg!(unix) {
        for file in ["inner/a.wav", "inner.wav", "inner/deep/new/x.wav"] {
            desk.load("t", file, file).unwrap();
        }
    }
    // What lies outside is used where that is allowed.
    let load = Load {
        outside: true,
        ..Load::default()
    };
    let text = "rate = 48000\n[track.a]\nfile = \"../elsewhere/a.wav\"\n";
    load.text(text, desk.at("film/s.toml")).unwrap();
}

#[cfg(unix)]
#[test]
fn a_part_of_a_file_is_as_far_away_as_the_file() {
    let desk = Desk::new();
    for file in [
        "l.wav#1",
        "l.wav#2",
        "link/a.wav#1",
        "l.wav#ch3",
        "l.wav#1#2",
    ] {
        let told = desk.load("t", file, "x.wav").unwrap_err();
        assert!(
            told.contains("is outside the session's folder"),
            "{file}: {told}"
        );
    }
    desk.load("t", "inner.wav#1", "x.wav").unwrap();
}

#[cfg(unix)]
#[test]
fn languages_and_patterns_are_filled_in_before_they_are_checked() {
    let desk = Desk::new();
    let told = desk.load("t", "dx_{lang}.wav", "x.wav").unwrap_err();
    assert_eq!(
        told,
        "track \"a\": dx_{lang}.wav is outside the session's folder: move it there, or set `outside`"
    );
    let told = desk.load("t", "a.wav", "dx_{lang}.wav").unwrap_err();
    assert!(told.contains("is outside the session's folder"), "{told}");
    for (folder, files) in [
        ("", "link/*.wav"),
        ("link", "*.wav"),
        ("stems", "up/*.wav"),
        ("..", "*.wav"),
        ("", "../elsewhere/*.wav"),
        ("", "l*.wav"),
        ("/", "*.wav"),
    ] {
        let text = format!(
            "rate = 48000\n[cue.c]\nat = 0\nfolder = {}\nfiles = {}\n",
            quoted(folder),
            quoted(files)
        );
        let e = Load::default()
            .text(text, desk.at("film/s.toml"))
            .unwrap_err();
        let told: Vec<String> = e.problems().iter().map(|p| p.sentence()).collect();
        assert!(
            told[0].contains("is outside the session's folder"),
            "{folder} {files}: {told:?}"
        );
    }
}

#[test]
fn no_name_climbs_once_it_is_filled_in() {
    let desk = Desk::new();
    let before = desk.others();
    for (title, deliver, words) in [
        (
            " ",
            ".{title}./.{title}./evil.wav",
            "{title} is empty: the session's title is \" \"",
        ),
        (
            "\t\n",
            ".{title}./evil.wav",
            "{title} is empty: the session's title is \"\\t\\n\"",
        ),
        ("\u{a0}", "{title}/evil.wav", "{title} is empty"),
        (
            "",
            "{title}.wav",
            "{title} is empty: the session has no title",
        ),
        ("t", "a\0b.wav", "the name of the file holds a NUL"),
        (
            "t",
            "file:///tmp/evil.wav",
            "is a link; write the path of a file",
        ),
        (
            "t",
            "http://x/evil.wav",
            "is a link; write the path of a file",
        ),
    ] {
        let told = desk.load(title, "a.wav", deliver).unwrap_err();
        assert!(told.contains(words), "{title:?} {deliver}: {told}");
    }
    // A title is one step of a path, whatever is in it.
    for title in [
        "..",
        ".",
        "../../evil",
        "/etc/x",
        "a\0b",
        "..\\..",
        "...",
        "C:",
    ] {
        let session = desk.load(title, "a.wav", "{title}/x.wav").unwrap();
        let output = &session.outputs(&session.deliverables[0])[0].file;
        let inner = output.strip_prefix(desk.at("film")).unwrap();
        assert_eq!(
            confined(desk.at("film"), inner).unwrap(),
            *output,
            "{title:?}"
        );
        assert_eq!(
            inner.components().count(),
            2,
            "{title:?}: {}",
            inner.display()
        );
        Delivery::new().run(&session).unwrap();
        fs::remove_dir_all(output.parent().unwrap()).unwrap();
    }
    assert_eq!(desk.others(), before);
    // Made by a program, which no reader has checked.
    let mut session = desk.load("t", "a.wav", "x.wav").unwrap();
    session.title = " ".to_owned();
    session.deliverables[0].file = ".{title}./.{title}./evil.wav".into();
    let output = &session.outputs(&session.deliverables[0])[0].file;
    assert_eq!(output, Path::new("--/--/evil.wav"));
}

#[test]
fn a_folder_whose_own_name_holds_braces_is_no_way_out() {
    let desk = Desk::new();
    fs::create_dir(desk.at("{lang}")).unwrap();
    write_stem(&desk.at("{lang}/a.wav"));
    let text = "rate = 48000\nlang = \"elsewhere\"\n[track.a]\nfile = \"a.wav\"\n";
    let e = Load::default()
        .text(text, desk.at("{lang}/s.toml"))
        .unwrap_err();
    assert!(
        e.to_string().contains("is outside the session's folder"),
        "{e}"
    );
}
