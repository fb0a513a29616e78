//! The reel of `examples/sessions/lighthouse.toml`: every kind of deliverable in one run, with golden values in its files, which
//! other programs read too.

use super::tools::{have, run};
use serde_json::Value;
use soundtrack::{
    Bounce, Decibels, Delivery, Format, Frames, Layout, SampleRate, Session, Track,
    deliver::Delivered,
};
use soundtrack_test_support::renders::stem;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Stems with the names that the session expects: name, rate, layout and seconds.
const STEMS: [(&str, u32, Layout, usize); 8] = [
    ("dx_en.wav", 48_000, Layout::Mono, 12),
    ("1m1_storm/vlns.wav", 48_000, Layout::Stereo, 20),
    ("1m1_storm/celli.wav", 48_000, Layout::Mono, 20),
    ("1m1_storm/piano_44k.wav", 44_100, Layout::Stereo, 18),
    ("1m1_storm/taikos.flac", 48_000, Layout::Mono, 20),
    ("1m3_titles/choir.wav", 48_000, Layout::Stereo, 8),
    ("1m3_titles/harp.wav", 96_000, Layout::Mono, 6),
    ("1m3_titles/not a stem.txt", 0, Layout::Mono, 0),
];

/// Writes the session and its stems into a folder, and delivers everything.
fn delivered(folder: &Path) -> Delivered {
    for (seed, (name, rate, layout, seconds)) in (1..).zip(STEMS) {
        let path = folder.join("stems").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if rate == 0 {
            fs::write(path, "notes").unwrap();
            continue;
        }
        let mut session = Session::new(SampleRate::new(rate).unwrap(), layout);
        let noise = stem(seed, rate, layout, rate as usize * seconds);
        session.add_track(Track::new("noise", noise));
        let format = if name.ends_with("flac") {
            Format::FLAC_24
        } else {
            Format::WAV_24
        };
        Bounce::new().format(format).run(&session, path).unwrap();
    }
    let file = folder.join("lighthouse.toml");
    fs::write(
        &file,
        include_str!("../../examples/sessions/lighthouse.toml"),
    )
    .unwrap();
    Delivery::new().run(&Session::load(file).unwrap()).unwrap()
}

/// All files under a folder, sorted, with `/` between folders.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
                found.push(name.replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// The body of a chunk of a WAVE file.
fn chunk(path: &Path, id: &[u8; 4]) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let mut at = 12;
    while at + 8 <= bytes.len() {
        let size = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        if bytes[at..at + 4] == *id {
            return bytes[at + 8..at + 8 + size].to_vec();
        }
        at += 8 + size.next_multiple_of(2);
    }
    panic!("no {id:?} in {}", path.display())
}

fn integers(path: &Path) -> Vec<i64> {
    let file = hound::WavReader::open(path).unwrap();
    file.into_samples::<i32>()
        .map(|s| i64::from(s.unwrap()))
        .collect()
}

#[test]
fn the_lighthouse_is_delivered_in_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let done = delivered(folder.path());
    println!("{done}");
    assert!(done.passed(), "{done}");
    let out = folder.path().join("delivery");
    let reel = "The Lighthouse Keeper - Reel 2";
    let named = |name: &str| out.join(name.replace("{title}", reel));
    let mut expected = [
        "The Storm 10s.wav",
        "{title} M&E.wav",
        "{title} cue sheet.csv",
        "{title} dialogue.wav",
        "{title} hall.wav",
        "{title} instrumental.flac",
        "{title} music.wav",
        "{title}.html",
        "{title}.json",
        "{title}.wav",
        "album/01 The Storm.flac",
        "album/02 End Titles.flac",
        "album/The Lighthouse Keeper (Original Soundtrack).cue",
        "album/album.json",
        "cd/01 The Storm.wav",
        "cd/02 End Titles.wav",
    ]
    .map(|name| name.replace("{title}", reel));
    expected.sort();
    assert_eq!(files(&out), expected);

    // 01:00:00:00 at 23.976 is frame 172,972,800; 30 s of timecode are 30.03 s.
    let full = named("{title}.wav");
    let bext = chunk(&full, b"bext");
    assert_eq!(
        u64::from_le_bytes(bext[338..346].try_into().unwrap()),
        172_972_800
    );
    assert_eq!(&bext[320..330], b"2026-11-27");
    let frames = 1_441_440;
    assert_eq!(integers(&full).len(), 2 * frames);
    // Markers: of the session at 10.01 s, and of the cue 8 s after its start at 2.5025 s; the reprise at 24.024 s begins there.
    let cue = chunk(&full, b"cue ");
    let marker = |i: usize| u32::from_le_bytes(cue[24 * i + 8..24 * i + 12].try_into().unwrap());
    let markers: Vec<u32> = (0..cue[0] as usize).map(marker).collect();
    assert_eq!(markers, [480_480, 120_120 + 384_000, 1_153_152]);
    let loudness = i16::from_le_bytes(bext[412..414].try_into().unwrap());
    assert!((loudness + 2700).abs() <= 5, "{loudness}");

    // The stems add up to the mix: four files, each rounded by half a step.
    let sum: Vec<Vec<i64>> = ["music", "dialogue", "hall"]
        .iter()
        .map(|bus| integers(&named(&format!("{{title}} {bus}.wav"))))
        .collect();
    let mix = integers(&full);
    let off = (0..mix.len()).map(|i| (sum.iter().map(|s| s[i]).sum::<i64>() - mix[i]).abs());
    assert!((1..=2).contains(&off.max().unwrap()));
    let stems = &done.deliverables[1];
    let null = stems.null_test.as_ref().unwrap();
    assert!(null.read_back && stems.warnings.is_empty(), "{null:?}");
    let gains: Vec<f64> = done.deliverables[..3].iter().map(|d| d.gain_db).collect();
    assert!(
        gains[0] < -3.0 && gains[1] == gains[0] && gains[2] == gains[0],
        "{gains:?}"
    );

    // Tags of the album, and the same gain on the disc.
    let album = fs::read(named("album/01 The Storm.flac")).unwrap();
    let has = |text: &str| album.windows(text.len()).any(|w| w == text.as_bytes());
    for tag in [
        "ISRC=GBABC2600001",
        "TITLE=The Storm",
        "ARTIST=The Harbour Orchestra",
        "ALBUM=The Lighthouse Keeper (Original Soundtrack)",
        "TRACKNUMBER=1",
    ] {
        assert!(has(tag), "{tag}");
    }
    let [album, cd] = [&done.deliverables[4], &done.deliverables[5]];
    assert_eq!(
        (album.gain_db, cd.gain_of.as_deref()),
        (cd.gain_db, Some("album"))
    );
    let disc = &cd.files[0].report;
    assert_eq!(
        (disc.rate_hz, disc.dither.as_deref()),
        (44_100, Some("white"))
    );
    assert!(
        disc.mix.true_peak_dbtp.unwrap() <= -1.0 + 0.01,
        "{:?}",
        disc.mix
    );
    assert_eq!(
        integers(&named("cd/01 The Storm.wav")).len(),
        2 * 20 * 44_100
    );
    let listing = fs::read_to_string(named("album/album.json")).unwrap();
    let listing: Value = serde_json::from_str(&listing).unwrap();
    assert_eq!(listing["tracks"][1]["isrc"], "GBABC2600002");
    let level = |key: &str| listing[key].as_f64().unwrap();
    // The album is fitted to the reference: its gain is nothing, without a sign of its rounding.
    let gain = (100.0 * (-18.0 - level("integrated_lufs"))).round() / 100.0 + 0.0;
    let gain = format!("REPLAYGAIN_ALBUM_GAIN={gain:+.2} dB");
    let peak = 10f64.powf(level("true_peak_dbtp") / 20.0);
    let peak = format!("REPLAYGAIN_ALBUM_PEAK={peak:.6}");
    for name in ["album/01 The Storm.flac", "album/02 End Titles.flac"] {
        let bytes = fs::read(named(name)).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(has(&gain) && has(&peak), "{name}: {gain} {peak}");
        assert!(has("REPLAYGAIN_TRACK_GAIN="), "{name}");
    }
    let cut = integers(&named("The Storm 10s.wav"));
    assert!(cut.len() == 2 * 480_000 && cut[0] == 0, "{}", cut.len());
    let sheet = fs::read_to_string(named("{title} cue sheet.csv")).unwrap();
    assert_eq!(sheet.matches("The Storm").count(), 2, "{sheet}");
    let page = fs::read_to_string(named("{title}.html")).unwrap();
    assert_eq!(
        page.matches("<section class=\"report\" id=").count(),
        1 + 1 + 1 + 2 + 2 + 1
    );

    // What other programs say.
    let flac: Vec<PathBuf> = [
        "{title} instrumental.flac",
        "album/01 The Storm.flac",
        "album/02 End Titles.flac",
    ]
    .iter()
    .map(|name| named(name))
    .collect();
    if have(&["flac"]) {
        for file in &flac {
            run("flac", &["-t", "-s", "-w", file.to_str().unwrap()]);
        }
    }
    if have(&["ffprobe"]) {
        let probed = |file: &Path| {
            let args = [
                "-v",
                "error",
                "-show_format",
                "-of",
                "json",
                file.to_str().unwrap(),
            ];
            let text = run("ffprobe", &args);
            serde_json::from_slice::<Value>(&text).unwrap()["format"]["tags"].clone()
        };
        assert_eq!(probed(&full)["time_reference"], "172972800");
        assert_eq!(probed(&full)["date"], "2026-11-27");
        assert_eq!(probed(&flac[1])["ISRC"], "GBABC2600001");
        assert_eq!(probed(&named("cd/02 End Titles.wav"))["track"], "2");
    }
    if have(&["mediainfo"]) {
        let read = |file: &Path| -> Vec<Value> {
            let text = run("mediainfo", &["--Output=JSON", file.to_str().unwrap()]);
            let json: Value = serde_json::from_slice(&text).unwrap();
            json["media"]["track"].as_array().unwrap().clone()
        };
        let mix = read(&full);
        let stated = [
            (0, "Title", reel),
            (0, "Album", "The Lighthouse Keeper (Original Soundtrack)"),
            (0, "Performer", "Various Artists"),
            (0, "Producer", "soundtrack"),
            (0, "Recorded_Date", "2026-11-27"),
            (
                0,
                "Encoded_Library_Settings",
                "A=PCM,F=48000,W=24,M=stereo,T=soundtrack",
            ),
            (1, "SamplingCount", "1441440"),
            (1, "Delay", "3603.600000000"),
        ];
        for (track, key, value) in stated {
            assert_eq!(mix[track][key], value, "{key}: {mix:?}");
        }
        let piece = read(&flac[1]);
        let stated = [
            ("Title", "The Storm"),
            ("Performer", "The Harbour Orchestra"),
            ("Composer", "A. Writer / B. Writer"),
            ("Track_Position", "1"),
            ("ISRC", "GBABC2600001"),
        ];
        for (key, value) in stated {
            assert_eq!(piece[0][key], value, "{key}: {piece:?}");
        }
    }
    one_cue_is_fixed_in_the_files(folder.path(), &done);
}

/// Turns a cue down, renders the range in which it sounds into the files of the delivery, and compares them with those of a
/// complete one.
fn one_cue_is_fixed_in_the_files(folder: &Path, first: &Delivered) {
    let out = folder.join("delivery");
    let bytes = || -> Vec<(String, Vec<u8>)> {
        let names = files(&out).into_iter();
        names
            .filter(|name| !name.ends_with(".json") && !name.ends_with(".html"))
            .map(|name| (name.clone(), fs::read(out.join(name)).unwrap()))
            .collect()
    };
    let mut session = Session::load(folder.join("lighthouse.toml")).unwrap();
    let titles = &mut session.cues_mut()[1];
    assert_eq!(titles.name, "titles");
    titles.tracks[0].strip.gain = Decibels(-4.0);
    let before = bytes();
    // The end titles sound from 22.022 s on, to the end of the reel.
    let range = Frames(22 * 48_000)..Frames(1_441_440);
    let spliced = Delivery::new().overwrite(true).range(range).run(&session);
    let spliced = spliced.unwrap();
    let found = bytes();
    let reel = &found.iter().find(|(name, _)| name.ends_with("Reel 2.wav"));
    assert!(before.iter().find(|(name, _)| name.ends_with("Reel 2.wav")) != *reel);
    assert_eq!(spliced.deliverables[0].files[0].report.frames, 1_441_440);
    // The storm sounds again at 24.024 s; its first placement reaches into the range.
    assert!(spliced.warnings().iter().all(|w| w.kind.code() != "W128"));

    // A complete delivery with the gains that the fits had found.
    for (deliverable, report) in session.deliverables.iter_mut().zip(&first.deliverables) {
        if deliverable.fit {
            (deliverable.fit, deliverable.gain) = (false, Decibels(report.gain_db));
        }
    }
    Delivery::new().overwrite(true).run(&session).unwrap();
    for ((name, found), (expected_name, expected)) in found.iter().zip(&bytes()) {
        assert_eq!(name, expected_name);
        assert!(found == expected, "{name}");
    }
}
