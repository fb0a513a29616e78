//! Broken files of every format: an error that names the file, or a session, and never a panic.

use soundtrack::{
    FrameRate,
    interchange::{self, Options},
};
use std::panic::{self, AssertUnwindSafe};

const OTIO: &str = include_str!("samples/reel.otio");
const EDL: &str = include_str!("samples/reel.edl");
const SPOTTING: &str = include_str!("samples/spotting.csv");
const REAPER_MARKERS: &str = include_str!("samples/regions.csv");
const LABELS: &str = include_str!("samples/labels.txt");
const RPP: &str = include_str!("samples/song.rpp");

fn options() -> Options {
    Options {
        fps: Some(FrameRate::FPS_24),
        ..Options::default()
    }
}

/// Returns texts with one fault each: cuts, exchanged and repeated parts, numbers that no file has, other encodings.
fn broken(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut all: Vec<Vec<u8>> = Vec::new();
    for n in 0..24 {
        all.push(bytes[..bytes.len() * n / 24].to_vec());
    }
    let numbers: Vec<_> = numbers(text);
    let odd = [
        "-1",
        "0",
        "1e999",
        "nan",
        "inf",
        "-0.0",
        "99999999999999999999999999999999999999999",
        "1e-400",
        "\"x\"",
        "null",
        "",
        "18446744073709551616",
        "0.1234567890123456789012345678901234",
    ];
    for (n, odd) in odd.iter().cycle().take(39).enumerate() {
        let (from, to) = numbers[n * 7 % numbers.len()];
        all.push(format!("{}{odd}{}", &text[..from], &text[to..]).into_bytes());
    }
    // A byte changed here and there.
    for n in 0..24usize {
        let mut changed = bytes.to_vec();
        let at = n * 7919 % changed.len();
        changed[at] = [0, 0xff, b'<', b'"', b'\n', b'9'][n % 6];
        all.push(changed);
    }
    // Parts left out and doubled.
    for n in 0..12 {
        let (from, to) = (bytes.len() * n / 16, bytes.len() * (n + 2) / 16);
        all.push([&bytes[..from], &bytes[to..]].concat());
        all.push([&bytes[..to], &bytes[from..]].concat());
    }
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    all.push(wide.clone());
    all.push([&[0xff, 0xfe], &wide[..]].concat());
    all.push([&[0xef, 0xbb, 0xbf], bytes].concat());
    all.push(text.replace('\n', "\r").into_bytes());
    all.push(text.replace(['\t', ',', ' '], ";").into_bytes());
    all.push(b"[".repeat(100_000));
    all.push(b"{\"a\":".repeat(100_000));
    all.push(b"<A\n".repeat(100_000));
    all.push(b"<Project>".repeat(100_000));
    all
}

/// Returns the places of numbers in a text.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        match (c.is_ascii_digit(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// Reads every broken file, and returns how many were refused.
fn check(name: &str, files: Vec<Vec<u8>>) -> usize {
    assert!(files.len() >= 60, "{} files", files.len());
    let mut refused = 0;
    for (number, bytes) in files.into_iter().enumerate() {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(3000)]).into_owned();
        let read = || interchange::read_bytes(bytes, name, &options());
        let read = panic::catch_unwind(AssertUnwindSafe(read));
        match read.unwrap_or_else(|_| panic!("{name} {number}: a panic: {shown}")) {
            Ok(imported) => {
                // What is read can be written and read again.
                let text = imported.session.to_text("s.toml");
                assert!(text.is_ok(), "{name} {number}: {text:?}");
            }
            Err(error) => {
                refused += 1;
                let text = error.to_string();
                assert_eq!(error.file(), Some(name), "{name} {number}: {text}");
                assert!(text.starts_with(name), "{name} {number}: {text}");
                assert!(text.len() < 2000, "{name} {number}: {} bytes", text.len());
            }
        }
    }
    refused
}

#[test]
fn broken_texts_are_refused_with_their_name_or_read() {
    for (name, text, least) in [
        ("x.otio", OTIO, 60),
        ("x.edl", EDL, 30),
        ("x.csv", SPOTTING, 20),
        ("regions.csv", REAPER_MARKERS, 20),
        ("x.txt", LABELS, 30),
        ("x.rpp", RPP, 40),
    ] {
        let imported = interchange::read_bytes(text, name, &options());
        imported.unwrap_or_else(|e| panic!("{name}: {e}"));
        let refused = check(name, broken(text));
        assert!(
            refused >= least,
            "{name}: {refused} of the files are refused"
        );
    }
}

#[cfg(feature = "dawproject")]
#[test]
fn broken_archives_are_refused_with_their_name_or_read() {
    use std::io::{Cursor, Write as _};
    use zip::{ZipWriter, write::SimpleFileOptions};
    const PROJECT: &str = include_str!("samples/project.xml");
    let archive = |project: &[u8]| {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default();
        zip.start_file("project.xml", options).unwrap();
        zip.write_all(project).unwrap();
        zip.start_file("audio/a.wav", options).unwrap();
        zip.write_all(b"no audio").unwrap();
        zip.finish().unwrap().into_inner()
    };
    let whole = archive(PROJECT.as_bytes());
    let imported = interchange::read_bytes(whole.clone(), "x.dawproject", &options());
    imported.unwrap_or_else(|e| panic!("{e}"));
    let files = broken(PROJECT).iter().map(|text| archive(text)).collect();
    let refused = check("x.dawproject", files);
    assert!(refused >= 60, "{refused} of the projects are refused");
    // The archive itself is damaged.
    let mut files: Vec<Vec<u8>> = (0..40)
        .map(|n| whole[..whole.len() * n / 40].to_vec())
        .collect();
    for n in 0..80 {
        let mut changed = whole.clone();
        let at = n * 31 % changed.len();
        changed[at] ^= 1 << (n % 8);
        files.push(changed);
    }
    let refused = check("x.dawproject", files);
    assert!(refused >= 60, "{refused} of the archives are refused");
}
