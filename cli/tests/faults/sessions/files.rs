//! Session files that mean harm, and stems with names of all kinds.

use super::super::{
    inputs::stems::{self, heard, same},
    table::{Seen, held},
};
use soundtrack::{Damage, Load};
use std::{fs, time::Instant};

/// Every place of a session for a value.
const PLACES: [&str; 24] = [
    "rate = V",
    "layout = V",
    "pan_law = V",
    "length = V",
    "fps = V",
    "fps = \"24\"\nstart = V",
    "lang = V",
    "marker = V",
    "[master]\ngain = V",
    "[master]\nlimit = V",
    "[bus.b]\ngain = V",
    "[bus.b]\npan = V",
    "[bus.b]\nmute = V",
    "[bus.b]\nto = V",
    "[track.t]\nfile = \"a.wav\"\ngain = V",
    "[track.t]\nfile = \"a.wav\"\npan = V",
    "[track.t]\nfile = \"a.wav\"\nat = V",
    "[track.t]\nfile = \"a.wav\"\nlength = V",
    "[track.t]\nfile = \"a.wav\"\nloop = V",
    "[track.t]\nfile = \"a.wav\"\nfade_in = V",
    "[track.t]\nfile = \"a.wav\"\nsend = V",
    "[track.t]\nfile = \"a.wav\"\nautomation.gain = V",
    "[track.t]\nfile = V",
    "[track.t]\nfile = \"a.wav\"\nclip = V",
];

const VALUES: [&str; 22] = [
    "nan",
    "-nan",
    "inf",
    "-inf",
    "1e308",
    "-1e308",
    "-0.0",
    "0",
    "-1",
    "9223372036854775807",
    "18446744073709551616",
    "4294967296",
    "true",
    "\"\"",
    "\"\\u0000\"",
    "[]",
    "[1]",
    "[[]]",
    "{}",
    "{ a = 1 }",
    "1979-05-27",
    "\"\u{202e}x\"",
];

/// Puts any value at any place: the result is a session or an error with its line. A session has only finite numbers, but for gains
/// of minus infinity.
pub fn values() -> Seen {
    let folder = tempfile::tempdir().unwrap();
    stems::wav16(
        &folder.path().join("a.wav"),
        stems::RATE,
        &stems::music(1, 100),
    );
    let file = folder.path().join("s.toml");
    let (mut count, mut refused, mut mixed) = (0, 0, 0);
    for place in PLACES {
        for value in VALUES {
            count += 1;
            let body = place.replace('V', value);
            let rate = if place.starts_with("rate") {
                ""
            } else {
                "rate = 44100\n"
            };
            let track = if place.contains("track.t") {
                ""
            } else {
                "\n[track.t]\nfile = \"a.wav\"\n"
            };
            let text = format!("{rate}{body}{track}");
            match Load::default().text(text.as_str(), &file) {
                Err(e) => {
                    assert!(!e.problems().is_empty(), "{text}: {e}");
                    for problem in e.problems() {
                        let at = problem
                            .span
                            .as_ref()
                            .unwrap_or_else(|| panic!("{text}: no place for {problem}"));
                        assert!(
                            at.file == file && (1..=text.lines().count()).contains(&at.line),
                            "{text}: {problem}"
                        );
                    }
                    refused += 1;
                }
                Ok(session) => {
                    let strips = session
                        .tracks()
                        .iter()
                        .map(|t| &t.strip)
                        .chain(session.buses().iter().map(|b| &b.strip));
                    let gains = strips
                        .clone()
                        .flat_map(|s| s.sends.iter().map(|s| s.gain).chain([s.gain]));
                    let gains = gains.chain([session.master.gain]).map(|g| g.0);
                    assert!(
                        gains
                            .clone()
                            .all(|g| g.is_finite() || g == f64::NEG_INFINITY),
                        "{text}"
                    );
                    assert!(strips.clone().all(|s| s.pan.0.is_finite()), "{text}");
                    // Mixed or refused, and not for long.
                    let clock = Instant::now();
                    if session.length.is_none_or(|l| l.0 < 1 << 24) {
                        match stems::begun(&session, 1000) {
                            Ok((_, got)) => {
                                assert!(got.iter().flatten().all(|s| s.is_finite()), "{text}")
                            }
                            Err(e) => assert!(!e.to_string().is_empty()),
                        }
                    }
                    assert!(clock.elapsed().as_secs() < 5, "{text}");
                    mixed += 1;
                }
            }
        }
    }
    held(
        count,
        format!(
            "{refused} refused, each with file and line; {mixed} are sessions of finite numbers"
        ),
    )
}

pub fn texts() -> Seen {
    let mut count = 0;
    let mut slowest = 0.0f64;
    let mut load = |text: String, name: &str| {
        let clock = Instant::now();
        let got = Load::default().text(text, name);
        slowest = slowest.max(clock.elapsed().as_secs_f64());
        count += 1;
        got
    };
    let plain = "rate = 44100\n[track.t]\nfile = \"a.wav\"\n";
    let want = load(plain.into(), "s.toml").unwrap();
    assert_eq!(
        load(format!("\u{feff}{plain}"), "s.toml").unwrap(),
        want,
        "a byte order mark is nothing"
    );
    let json = "{\"rate\":44100,\"track\":{\"t\":{\"file\":\"a.wav\"}}}";
    assert_eq!(load(format!("\u{feff}{json}"), "s.json").unwrap(), want);
    assert_eq!(load(plain.replace('\n', "\r\n"), "s.toml").unwrap(), want);
    for (text, name) in [
        (
            format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)),
            "s.toml",
        ),
        (format!("a = {}", "{a=".repeat(100_000)), "s.toml"),
        (format!("{}1", "{\"a\":".repeat(100_000)), "s.json"),
        (
            format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
            "s.json",
        ),
        (format!("[{}]", "a.".repeat(100_000) + "a"), "s.toml"),
        (
            format!("rate = 44100\ntitel = \"{}\"", "x".repeat(4_000_000)),
            "s.toml",
        ),
        ("x".repeat(5 << 20), "s.toml"),
        ("rate = 1\nrate = 2\n[track.t]\nfile=\"a\"".into(), "s.toml"),
        (
            "{\"rate\":1,\"rate\":2,\"track\":{\"t\":{\"file\":\"a\"}}}".into(),
            "s.json",
        ),
        ("\0".repeat(1000), "s.toml"),
        ("rate = 1\0".into(), "s.toml"),
        (String::new(), "s.json"),
        ("null".into(), "s.json"),
        ("{\"rate\":1e400}".into(), "s.json"),
        ("{\"rate\":NaN}".into(), "s.json"),
    ] {
        let shown: String = text.chars().take(40).collect();
        let e = load(text, name)
            .err()
            .unwrap_or_else(|| panic!("{shown:?} is a session"));
        assert!(e.to_string().starts_with(name), "{shown:?}: {e}");
    }
    assert!(
        slowest < if cfg!(debug_assertions) { 3.0 } else { 1.0 },
        "{slowest} s"
    );
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        (
            "wide.toml",
            plain
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect::<Vec<u8>>(),
        ),
        (
            "marked.toml",
            [
                vec![0xFF, 0xFE],
                plain.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            ]
            .concat(),
        ),
        (
            "big.json",
            [
                vec![0xFE, 0xFF],
                json.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            ]
            .concat(),
        ),
        ("latin.toml", b"title = \"caf\xE9\"\nrate = 1".to_vec()),
    ] {
        count += 1;
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let e = Load::default().session(&path).unwrap_err();
        assert!(e.to_string().contains(name), "{e}");
    }
    held(
        count,
        format!("marks and CRLF accepted; all else refused with its file; slowest {slowest:.2} s"),
    )
}

/// Stems under names that no program likes: heard, and named in messages on one line.
pub fn names() -> Seen {
    use std::{ffi::OsString, path::PathBuf};
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain.wav");
    stems::wav16(&plain, stems::RATE, &stems::music(1, 500));
    let want = heard(&stems::mix(plain.as_path(), Damage::Refuse))
        .unwrap()
        .1;
    let long = "n".repeat(251) + ".wav";
    let mut names: Vec<OsString> = [
        "line\nbreak.wav",
        "tab\there.wav",
        "quote\"'`.wav",
        "emoji 🎺👩‍🚀.wav",
        "caf\u{e9}.wav",
        "cafe\u{301}.wav",
        "-leading.wav",
        "--help",
        " space .wav",
        "per%cent {lang .wav",
        "back\\slash.wav",
        "hash#2",
        "at@-3.wav",
        "$HOME;rm *.wav",
        "...",
        "~.wav",
        "\u{202e}vaw.right-to-left.wav",
        "\u{1b}[2J.wav",
        "CON.wav",
        &long,
    ]
    .map(OsString::from)
    .into();
    #[cfg(unix)]
    names.extend(
        [
            &b"not \xFF\xFE utf-8.wav"[..],
            b"\x80",
            b"half \xE2\x82.wav",
        ]
        .map(|name| std::os::unix::ffi::OsStringExt::from_vec(name.to_vec())),
    );
    let mut count = 0;
    let mut check = |path: &PathBuf| {
        count += 1;
        let (report, got) = heard(&stems::mix(path.as_path(), Damage::Refuse)).unwrap();
        assert!(same(&got, &want), "{path:?}");
        assert!(
            report.tracks[0].clips[0]
                .file
                .contains(&*path.file_name().unwrap().to_string_lossy()),
            "{path:?}"
        );
        serde_json::from_str::<serde_json::Value>(&report.to_json()).unwrap();
        let table = report.to_string();
        assert!(!table.contains('\x1b') && !table.contains('\0'), "{table}");
        // The same name with nothing behind it.
        fs::remove_file(path).unwrap();
        let e = heard(&stems::mix(path.as_path(), Damage::Refuse))
            .unwrap_err()
            .to_string();
        assert!(
            e.starts_with("track \"vox\": ") && !e.contains(char::is_control),
            "{e:?}"
        );
        // In a session file, where the name is text.
        if let Some(name) = path.file_name().and_then(|n| n.to_str()) {
            fs::copy(&plain, path).unwrap();
            let text = serde_json::json!({"rate": stems::RATE, "layout": "stereo", "track": {"vox": {"file": name}}});
            let got = Load::default()
                .text(text.to_string(), path.with_file_name("s.json"))
                .and_then(|s| heard(&s));
            match got {
                Ok((_, got)) => assert!(same(&got, &want), "{path:?}"),
                Err(e) => assert!(name.contains("{lang"), "{e}"),
            }
            fs::remove_file(path).unwrap();
        }
    };
    for name in names {
        let path = folder.path().join(name);
        fs::copy(&plain, &path).unwrap();
        check(&path);
    }
    // A path of nearly 4,096 bytes, and one too long.
    let mut deep = folder.path().to_owned();
    while deep.as_os_str().len() < 3_800 {
        deep.push("d".repeat(200));
    }
    fs::create_dir_all(&deep).unwrap();
    let stem = deep.join("deep.wav");
    fs::copy(&plain, &stem).unwrap();
    check(&stem);
    let far = deep
        .join("e".repeat(200))
        .join("f".repeat(200))
        .join("gone.wav");
    let e = heard(&stems::mix(far.as_path(), Damage::Refuse))
        .unwrap_err()
        .to_string();
    assert!(
        e.starts_with("track \"vox\": ") && e.contains("gone.wav"),
        "{e}"
    );
    held(
        count + 1,
        "bit-equal under every name; named on one line when gone; the report is whole JSON; too long a path refused",
    )
}
