//! Deliverables: which files `mixdown` writes, and its messages about them.

use serde_json::Value;
use soundtrack_test_support::desk::Desk;
use std::fs;

/// Returns a session of two buses, with three deliverables.
fn film() -> Desk {
    let desk = Desk::with_stems();
    let text = r#"
title = "Reel"
rate = 48000
[bus.music]
[bus.speech]
[track.a]
file = "a.wav"
bus = "music"
gain = -1
[track.b]
file = "b.wav"
bus = "speech"
[cue.song.track]
x = { file = "a.wav", bus = "music" }
[deliver.full]
file = "out/{title}.wav"
loudness = { true_peak = -1.0 }
[deliver.stems]
file = "out/{bus}.wav"
stems = ["music", "speech"]
[deliver.album]
file = "album/{nn} {cue}.wav"
album = true
"#;
    desk.write("film.toml", text);
    desk
}

fn exists(desk: &Desk, names: &[&str]) -> Vec<bool> {
    names.iter().map(|n| desk.path(n).exists()).collect()
}

const FILES: [&str; 4] = [
    "out/Reel.wav",
    "out/music.wav",
    "out/speech.wav",
    "album/01 song.wav",
];

#[test]
fn flac_files_hold_the_samples_of_wave_files() {
    let desk = film();
    let flac = "[deliver.flac]\nfile = \"out/{title}.flac\"\nformat = \"flac24\"\n\
                [deliver.named]\nfile = \"album/{cue}.flac\"\nalbum = true\n\
                [deliver.buses]\nfile = \"out/{bus}.flac\"\nstems = [\"music\", \"speech\"]\n";
    let text = fs::read_to_string(desk.path("film.toml")).unwrap() + flac;
    desk.write("film.toml", &text);
    desk.run(&["film.toml"]).expect(0, "wrote 8 files in ");
    for (wav, flac) in [
        ("out/Reel.wav", "out/Reel.flac"),
        ("album/01 song.wav", "album/song.flac"),
        ("out/music.wav", "out/music.flac"),
        ("out/speech.wav", "out/speech.flac"),
    ] {
        desk.run(&["compare", wav, flac]).expect(0, "");
    }
    desk.write("film.toml", &text.replace("\"flac24\"", "\"wav16\""));
    desk.run(&["film.toml", "--force"]).expect(
        3,
        "file: a WAV file is written, so its extension cannot be .flac: name it {title}.wav",
    );
}

#[test]
fn a_session_writes_what_it_promises() {
    let desk = film();
    let done = desk.run(&["film.toml"]);
    done.expect(0, "wrote 4 files in ");
    assert_eq!(exists(&desk, &FILES), [true; 4]);
    for words in [
        "full         mix",
        "stem speech",
        "cue song",
        "true peak ",
        "at most -1.0 dBTP: passed",
        "4 files of 2 renders",
    ] {
        assert!(done.out.contains(words), "{words}: {}", done.out);
    }
    assert!(
        done.out
            .contains("stems: the files add up to full, read back but for -1"),
        "{}",
        done.out
    );
    desk.run(&["film.toml"])
        .expect(5, "exists already")
        .expect(5, "hint: use --force to replace it\n");
    desk.run(&["film.toml", "--force", "-q"]).expect(0, "");
    // The same samples as the mix of a bounce.
    desk.run(&["film.toml", "-o", "mix.wav"])
        .expect(0, "wrote mix.wav");
    desk.run(&["compare", "mix.wav", "out/Reel.wav"])
        .expect(0, "");
    // Another format is one mix.
    desk.run(&["film.toml", "--format", "wav16"]).expect(0, "wrote film.wav").expect(
        0,
        "note: --format applies to a single mix: the deliverables \"full\", \"stems\", \"album\" are not written; use --deliver to write them",
    );
}

#[test]
fn a_range_is_replaced_in_the_files_of_a_delivery() {
    let desk = film();
    let missing = desk.run(&["film.toml", "--range", "100ms..200ms", "--force"]);
    missing
        .expect(5, "there is no such file, so no part of it can be replaced")
        .expect(
            5,
            "hint: use -o FILE to write the part as a mix of its own\n",
        );
    desk.run(&["film.toml"]).expect(0, "wrote 4 files in ");
    let bytes = || FILES.map(|name| fs::read(desk.path(name)).unwrap());
    let before = bytes();
    desk.run(&["film.toml", "--range", "..500ms"])
        .expect(5, "exists already");
    let all = desk.run(&["film.toml", "--range", "200ms..9s", "--force", "--json"]);
    all.expect(
        0,
        "note: --range 200ms..9s: ends with the mix, at 00:00:01.000",
    );
    assert!(bytes() == before);
    let json: Value = serde_json::from_str(&all.out).unwrap();
    let replaced = &json["deliverables"][0]["files"][0]["replaced_s"];
    assert_eq!(*replaced, serde_json::json!([0.2, 1.0]));
    desk.run(&[
        "film.toml",
        "--range",
        "..500ms",
        "--set",
        "track.a.gain=-3",
        "--force",
    ])
    .expect(
        5,
        "the file has other samples than the session now gives at 00:00:00.500",
    )
    .expect(5, "after the range, which ends at 00:00:00.500");
    assert!(bytes() == before);
    desk.run(&["film.toml", "--range", "2s..3s", "--force"])
        .expect(
            2,
            "--range 2s..3s: it starts at 00:00:02.000, but the mix ends at 00:00:01.000",
        );
    let part = ["film.toml", "--range", "..500ms", "-o", "part.wav"];
    desk.run(&part).expect(0, "wrote part.wav");
}

#[test]
fn a_report_of_all_deliverables_is_written_with_them() {
    let desk = film();
    let done = desk.run(&["film.toml", "--report", "all.html", "--bins", "50"]);
    done.expect(0, "wrote 5 files in ");
    assert!(done.out.contains("all.html"), "{}", done.out);
    assert_eq!(exists(&desk, &FILES), [true; 4]);
    let page = fs::read_to_string(desk.path("all.html")).unwrap();
    for file in FILES {
        let address = format!("href=\"./{}\"", file.replace(' ', "%20"));
        assert!(page.contains(&address), "{address}");
    }
    assert_eq!(page.matches("<section class=\"report\" id=").count(), 2);
    let again = ["film.toml", "--deliver", "stems", "--report", "all.html"];
    desk.run(&again).expect(5, "exists already");
    let some = [
        "film.toml",
        "--deliver",
        "stems",
        "--report",
        "some.json",
        "--force",
    ];
    desk.run(&some).expect(0, "wrote 3 files in ");
    let json = fs::read_to_string(desk.path("some.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json["deliverables"][0]["files"].as_array().unwrap().len(),
        2
    );
    // A picture or a waveform is of one mix.
    desk.run(&["film.toml", "--report", "mix.svg"])
        .expect(0, "note: --report applies to a single mix");
}

#[test]
fn limit_and_dither_are_those_of_the_master() {
    let desk = film();
    let read = |names: &[&str]| -> Vec<Vec<u8>> {
        names
            .iter()
            .map(|name| {
                // The header states the loudness, and which set of stems a file is of.
                let bytes = fs::read(desk.path(name)).unwrap();
                let audio = bytes.windows(4).position(|id| id == b"data").unwrap();
                bytes[audio..].to_vec()
            })
            .collect()
    };
    desk.run(&["film.toml"]).expect(0, "");
    let plain = read(&FILES);
    let limited = desk.run(&["film.toml", "--force", "--limit=-20", "--json"]);
    limited.expect(
        0,
        "warning: --limit has no effect on the deliverable \"stems\": stems are taken before the limiter",
    );
    assert_eq!(limited.err.matches("has no effect").count(), 1);
    let json: Value = serde_json::from_str(&limited.out).unwrap();
    let peak = |deliverable: usize, file: usize| {
        let file = &json["deliverables"][deliverable]["files"][file];
        file["mix"]["peak_dbfs"].as_f64().unwrap()
    };
    for peak in [peak(0, 0), peak(2, 0)] {
        assert!((-20.2..=-20.0).contains(&peak), "{peak}");
    }
    assert_eq!(read(&FILES[1..3]), plain[1..3]);

    let dithered = desk.run(&["film.toml", "--force", "--dither=high-pass"]);
    dithered.expect(
        0,
        "warning: --dither has no effect on the deliverable \"stems\", which is of stems, which have no dither unless it is \
         their own; use --set \"deliver.stems.dither=high-pass\"",
    );
    let files = read(&FILES);
    // The cue of the album passes at unity, and 16 bits need no dither in 24.
    assert_eq!(
        [0, 1, 2, 3].map(|n| files[n] == plain[n]),
        [false, true, true, true]
    );
    let own = [
        "--force",
        "--dither",
        "--set",
        "deliver.full.dither=weighted",
    ];
    desk.run(&[&["film.toml", "--deliver", "full"], &own[..]].concat())
        .expect(
            0,
            "--dither has no effect on the deliverable \"full\", which has its own dither",
        );
}

#[test]
fn a_language_of_its_own_is_not_that_of_the_session() {
    let desk = film();
    let set = [
        "--set",
        "lang=fr",
        "--set",
        "deliver.full.lang=de",
        "--deliver",
        "full",
        "--deliver",
        "stems",
    ];
    let done = desk.run(&[&["film.toml"], &set[..]].concat());
    done.expect(0, "--set lang=fr has no effect on the deliverable \"full\", which has its own lang; use --set deliver.full.lang=fr");
    assert!(!done.err.contains("nothing in \"stems\""), "{}", done.err);
}

#[test]
fn some_are_chosen_by_name() {
    let desk = film();
    desk.run(&["film.toml", "--deliver", "stems"])
        .expect(0, "wrote 2 files in ");
    assert_eq!(exists(&desk, &FILES), [false, true, true, false]);
    desk.run(&["film.toml", "--deliver", "album", "--deliver", "full"])
        .expect(0, "wrote 2 files in ");
    assert_eq!(exists(&desk, &FILES), [true; 4]);
    desk.run(&["film.toml", "--deliver", "all", "--force"])
        .expect(0, "wrote 4 files in ");
    desk.run(&["film.toml", "--deliver", "stem"])
        .expect(2, "there is no such deliverable; did you mean \"stems\"?");
    desk.run(&["film.toml", "--deliver", "x"])
        .expect(2, "there are \"full\", \"stems\", \"album\" and all");
    desk.run(&["film.toml", "--deliver", "all", "--format", "wav16"])
        .expect(2, "--format cannot be used with --deliver");
    desk.run(&["film.toml", "--deliver", "all", "--range", "1s.."])
        .expect(
            2,
            "--range 1s..: it starts at 00:00:01.000, but the mix ends at",
        );
    desk.run(&["film.toml", "--deliver", "all", "-o", "x.wav"])
        .expect(2, "cannot be used with");
    desk.run(&["a.wav", "--deliver", "all"])
        .expect(2, "only a session file has deliverables");
    desk.write("plain.toml", "[track.a]\nfile = \"a.wav\"\n");
    desk.run(&["plain.toml", "--deliver", "full"])
        .expect(2, "the session has no deliverables");
}

#[test]
fn a_check_that_fails_is_exit_code_1_with_all_files_written() {
    let desk = film();
    let done = desk.run(&["film.toml", "--set", "deliver.full.loudness.true_peak=-30"]);
    done.expect(1, "error: written, but a check failed: \"full\"");
    assert!(
        done.out.contains("at most -30.0 dBTP: FAILED"),
        "{}",
        done.out
    );
    assert_eq!(exists(&desk, &FILES), [true; 4]);
}

#[test]
fn a_file_name_of_another_format_is_refused_with_its_line() {
    let desk = Desk::with_stems();
    desk.write(
        "song.toml",
        "[track.a]\nfile = \"a.wav\"\n[deliver.full]\nfile = \"song.mp3\"\n",
    );
    let before = desk.names();
    desk.run(&["song.toml"])
        .expect(
            3,
            "song.toml:4:8: deliverable \"full\": file: a WAV file is written",
        )
        .expect(3, "name it song.wav");
    assert_eq!(desk.names(), before);
}

#[test]
fn one_document_as_json() {
    let desk = film();
    let report = desk.json(&["film.toml", "--progress", "none"]);
    let list = |v: &Value| v.as_array().unwrap().clone();
    let deliverables = list(&report["deliverables"]);
    let names: Vec<_> = deliverables
        .iter()
        .map(|d| d["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        (names, report["renders"].as_u64()),
        (vec!["full", "stems", "album"], Some(2))
    );
    let stem = &list(&deliverables[1]["files"])[1];
    assert_eq!(
        (
            stem["content"].as_str(),
            stem["of"].as_str(),
            stem["frames"].as_u64()
        ),
        (Some("stem"), Some("speech"), Some(48_000))
    );
    assert_eq!(deliverables[1]["null_test"]["passed"], Value::Bool(true));
    assert_eq!(
        deliverables[0]["true_peak"]["ceiling_dbtp"].as_f64(),
        Some(-1.0)
    );
}

#[test]
fn a_stem_that_is_broken_leaves_nothing() {
    let desk = film();
    fs::write(
        desk.path("a.wav"),
        &fs::read(desk.path("a.wav")).unwrap()[..5000],
    )
    .unwrap();
    let before = desk.names();
    desk.run(&["film.toml"]).expect(4, "cut off");
    assert_eq!(desk.names(), before);
}

#[test]
fn a_preset_is_that_of_the_deliverables_that_are_named() {
    let desk = Desk::new();
    desk.tone("a.wav", 1, 96_000, 9000.0);
    desk.write(
        "s.toml",
        "rate = 48000\n[track.a]\nfile = \"a.wav\"\n[deliver.full]\nfile = \"out/full.wav\"\n[deliver.own]\nfile = \"out/own.wav\"\n",
    );
    let cd = desk.run(&["s.toml", "--deliver", "full", "--preset", "cd"]);
    cd.expect(0, "full is delivered with the preset cd");
    let spec = hound::WavReader::open(desk.path("out/full.wav"))
        .unwrap()
        .spec();
    assert_eq!((spec.sample_rate, spec.bits_per_sample), (44_100, 16));
    assert!(!desk.path("out/own.wav").exists());
    let fitted = desk.json(&["s.toml", "--deliver", "own", "--preset", "spotify"]);
    let loudness = fitted["deliverables"][0]["loudness"]["integrated_lufs"]
        .as_f64()
        .unwrap();
    assert!((loudness + 14.0).abs() < 0.05, "{loudness}");
    // Without a name the preset makes a single mix, and the note names the option that was typed.
    let mix = desk.run(&["s.toml", "--preset", "cd"]);
    mix.expect(
        0,
        "--preset applies to a single mix: the deliverables \"full\", \"own\" are not written",
    );
    let spec = hound::WavReader::open(desk.path("s.wav")).unwrap().spec();
    assert_eq!((spec.sample_rate, spec.bits_per_sample), (44_100, 16));
}
