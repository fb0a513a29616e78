//! From a folder of stems to a session: `--set`, `--save`, `init`, patterns, lists, subfolders and presets.

use soundtrack_test_support::desk::{Desk, tracks};
use std::{fs, path::Path};

/// Returns a folder `stems/` with three tones, one of them in a subfolder.
fn folder() -> Desk {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("stems/drums")).unwrap();
    desk.tone("stems/vox.wav", 1, 48_000, 8192.0);
    desk.tone("stems/bass.wav", 1, 48_000, 4096.0);
    desk.tone("stems/drums/kick.wav", 2, 48_000, 4096.0);
    desk
}

fn peak(desk: &Desk, arguments: &[&str]) -> f64 {
    desk.json(&[arguments, &["--check"]].concat())["mix"]["peak_dbfs"]
        .as_f64()
        .unwrap()
}

#[test]
fn a_folder_is_balanced_and_saved_as_a_session() {
    let desk = folder();
    let line = [
        "stems/",
        "--set",
        "track.vox.gain=3",
        "--set",
        "track.bass.pan=L20",
        "--mute",
        "bass",
        "--save",
        "songs/song.toml",
    ];
    fs::create_dir(desk.path("songs")).unwrap();
    desk.run(&[&line[..], &["-o", "a.wav"]].concat())
        .expect(0, "note: the session is in songs/song.toml");
    let saved = fs::read_to_string(desk.path("songs/song.toml")).unwrap();
    for part in [
        "title = \"stems\"",
        "file = \"../stems/vox.wav\"",
        "gain = 3",
        "pan = \"L20\"",
        "mute = true",
    ] {
        assert!(saved.contains(part), "{part} in:\n{saved}");
    }
    desk.run(&["songs/song.toml", "--outside", "-o", "b.wav"])
        .expect(0, "");
    assert_eq!(audio(&desk, "a.wav"), audio(&desk, "b.wav"));
    desk.run(&line).expect(
        5,
        "songs/song.toml: exists already; use --force to replace it",
    );
    desk.run(&["stems/", "--save", "song.txt"]).expect(
        2,
        "--save song.txt: a session is saved as .toml or .json; name it song.toml",
    );
}

fn audio(desk: &Desk, name: &str) -> Vec<i32> {
    let mut reader = hound::WavReader::open(desk.path(name)).unwrap();
    reader.samples::<i32>().map(Result::unwrap).collect()
}

#[test]
fn settings_of_stems_are_checked_like_those_of_a_session() {
    let desk = folder();
    desk.run(&["stems/", "--set", "track.voxx.gain=3"])
        .expect(3, "there is no track \"voxx\"; did you mean \"vox\"?");
    desk.run(&["stems/", "--set", "track.vox.gian=3"])
        .expect(3, "did you mean \"gain\"?");
    desk.run(&["stems/", "--set", "track.vox"])
        .expect(2, "should be KEY=VALUE");
    // One decibel more is 20 log10 of the ratio of the peaks, whatever else is in the mix.
    let solo = |gain: &str| {
        let setting = format!("track.vox.gain={gain}");
        peak(&desk, &["stems/", "--solo", "vox", "--set", &setting])
    };
    assert!(
        (solo("-6") - solo("0") + 6.0).abs() < 1e-3,
        "{} {}",
        solo("-6"),
        solo("0")
    );
}

#[test]
fn init_writes_a_session_with_comments_that_mixes_as_the_folder() {
    let desk = folder();
    desk.run(&["init", "stems/"]).expect(
        0,
        "note: wrote stems.toml with 2 tracks; mix it with: mixdown stems.toml",
    );
    let text = fs::read_to_string(desk.path("stems.toml")).unwrap();
    assert!(
        text.starts_with("# A session of `mixdown`.") && text.contains("# [deliver.stream]"),
        "{text}"
    );
    desk.run(&["stems.toml", "-o", "a.wav"]).expect(0, "");
    desk.run(&["stems/", "-o", "b.wav"]).expect(0, "");
    assert_eq!(audio(&desk, "a.wav"), audio(&desk, "b.wav"));
    // Every line that is commented out is valid.
    let body = text.split("# A bus, and").nth(1).unwrap();
    let body: Vec<&str> = body
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .collect();
    let (head, _) = text.split_once("# More keys").unwrap();
    let all = format!(
        "{head}\n{}",
        body[1..]
            .iter()
            .filter(|l| l.contains('=') || l.starts_with('['))
            .copied()
            .collect::<Vec<_>>()
            .join("\n")
    );
    desk.write("all.toml", &all);
    desk.run(&["plan", "all.toml"]).expect(0, "");
    desk.run(&["init", "stems/"])
        .expect(5, "stems.toml: exists already; use --force to replace it");
    desk.run(&["init", "stems.toml"])
        .expect(2, "is a session already");
    desk.run(&["init", "stems/", "-r", "--force", "-q"])
        .expect(0, "");
    assert!(
        fs::read_to_string(desk.path("stems.toml"))
            .unwrap()
            .contains("[track.\"drums kick\"]")
    );
}

#[test]
fn subfolders_are_named_or_read() {
    let desk = folder();
    desk.run(&["stems/", "-o", "a.wav"])
        .expect(0, "the audio in the subfolder \"drums\" is not mixed; -r reads all subfolders, or add it to the inputs");
    let report = desk.json(&["stems/", "-r", "-o", "b.wav"]);
    assert_eq!(tracks(&report), ["bass", "vox", "drums kick"]);
}

#[test]
fn patterns_have_levels_and_lists_mute() {
    let desk = folder();
    let report = desk.json(&["stems/*.wav@-3:R10", "-o", "a.wav"]);
    assert_eq!(tracks(&report), ["bass", "vox"]);
    let plan = desk.run(&["plan", "stems/*.wav@-3:R10"]).out;
    assert_eq!(plan.matches("  R10  master").count(), 2, "{plan}");
    desk.run(&["stems/*.flac@-3"])
        .expect(4, "stems/*.flac@-3: no file matches this pattern");
    desk.run(&["stems/*.wav@-3:L120"])
        .expect(2, "stems/*.wav@-3:L120: \"L120\" is no pan position");
    let silent = desk.run(&["stems/", "--mute", "v*, bass", "-o", "b.wav"]);
    silent.expect(0, "warning: the mix is silent (muted: \"bass\", \"vox\")");
    desk.run(&["stems/", "--solo", "vox,basss", "-o", "c.wav"])
        .expect(
            2,
            "--solo \"basss\": no track or bus of that name; did you mean \"bass\"?",
        );
    // A file whose whole name has a suffix of a level is that file.
    desk.tone("kick@-3.wav", 1, 48_000, 4096.0);
    desk.tone("odd.wav@-3", 1, 48_000, 4096.0);
    let plan = desk.run(&["plan", "odd.wav@-3", "kick@-3.wav"]).out;
    assert!(!plan.contains("-3.0 dB"), "{plan}");
    desk.run(&["-"]).expect(
        2,
        "-: stdin is not read, because a stem is read at any position",
    );
}

#[test]
fn a_cd_is_made_in_one_word() {
    let desk = Desk::new();
    desk.tone("a.wav", 2, 96_000, 32_000.0);
    let report = desk.json(&["a.wav@+6", "--preset", "cd", "-o", "cd.wav"]);
    let spec = hound::WavReader::open(desk.path("cd.wav")).unwrap().spec();
    assert_eq!(
        (spec.sample_rate, spec.bits_per_sample, spec.channels),
        (44_100, 16, 2)
    );
    assert_eq!(report["mix"]["clipped_samples"], 0);
    // The limiter keeps -1 dBTP; the dither adds at most one and a half steps of 16 bits.
    let peak = report["mix"]["true_peak_dbtp"].as_f64().unwrap();
    assert!((-1.2..=-0.99).contains(&peak), "{peak}");
    desk.json(&["a.wav", "--preset", "cd", "-o", "cd.flac"]);
    assert!(Path::new(&desk.path("cd.flac")).exists());
}

#[test]
fn a_preset_of_a_service_fits_the_loudness() {
    let desk = Desk::new();
    desk.tone("a.wav", 2, 48_000, 3000.0);
    for (preset, loudness) in [("podcast", -16.0), ("ebu-r128", -23.0), ("spotify", -14.0)] {
        let report = desk.json(&["a.wav", "--preset", preset, "-o", &format!("{preset}.wav")]);
        let integrated = report["mix"]["integrated_lufs"].as_f64().unwrap();
        assert!(
            (integrated - loudness).abs() < 0.05,
            "{preset}: {integrated}"
        );
    }
    desk.run(&["a.wav", "--preset", "tape"])
        .expect(2, "invalid value 'tape' for '--preset <NAME>'");
    desk.run(&["a.wav", "--preset", "netflix", "--check"])
        .expect(1, "netflix: the loudness is");
}
