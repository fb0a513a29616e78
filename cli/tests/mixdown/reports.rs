//! Reports and the commands that mix nothing: `--report`, `compare`, `report`.

use serde_json::Value;
use soundtrack_test_support::desk::Desk;
use std::fs;

#[test]
fn the_ending_says_what_the_report_is() {
    let desk = Desk::with_stems();
    for (name, starts) in [
        ("r.html", "<!DOCTYPE html>"),
        ("r.svg", "<svg "),
        ("r.json", "{"),
        ("r.waveform.json", "{\"version\":2,"),
    ] {
        desk.run(&[
            "a.wav", "b.wav", "-o", "out.wav", "--force", "--report", name,
        ])
        .expect(0, &format!("the report is in {name}"));
        assert!(
            fs::read_to_string(desk.path(name))
                .unwrap()
                .starts_with(starts),
            "{name}"
        );
    }
    assert!(
        fs::read_to_string(desk.path("r.html"))
            .unwrap()
            .contains("src=\"./out.wav\"")
    );
    let json: Value = serde_json::from_slice(&fs::read(desk.path("r.json")).unwrap()).unwrap();
    assert_eq!(json["overview"]["tracks"][1]["name"], "b");
    assert_eq!(
        json["overview"]["mix"]["waveform"]["max"]
            .as_array()
            .unwrap()
            .len(),
        2000
    );
    // The table of data on stdout stays what it was.
    assert!(
        desk.json(&["a.wav", "-o", "x.wav"])
            .get("overview")
            .is_none()
    );
    desk.run(&["a.wav", "-o", "y.wav", "--report", "r.pdf"])
        .expect(2, "a report is written as .html, .svg, .json or");
    assert!(!desk.path("y.wav").exists());
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_the_mix() {
    let desk = Desk::with_stems();
    desk.write("r.svg", "mine");
    desk.run(&["a.wav", "-o", "x.wav", "--report", "r.svg"])
        .expect(5, "r.svg: exists already");
    desk.run(&["a.wav", "-o", "x.wav", "--report", "no/r.svg"])
        .expect(5, "its folder does not exist");
    #[cfg(target_os = "linux")]
    desk.run(&["a.wav", "-o", "x.wav", "--report", "/proc/r.svg"])
        .expect(5, "/proc/r.svg");
    assert_eq!(
        (
            fs::read(desk.path("r.svg")).unwrap(),
            desk.path("x.wav").exists()
        ),
        (b"mine".to_vec(), false)
    );
    fs::copy(desk.path("a.wav"), desk.path("a.svg")).unwrap();
    desk.run(&["a.svg", "-o", "x.wav", "--force", "--report", "a.svg"])
        .expect(5, "a.svg: is one of the inputs");
}

#[test]
fn fewer_bins_make_a_smaller_picture() {
    let desk = Desk::with_stems();
    let size = |bins: &str| {
        desk.run(&[
            "a.wav",
            "-o",
            "out.wav",
            "--force",
            "--report",
            "r.waveform.json",
            "--bins",
            bins,
        ])
        .expect(0, "");
        let json: Value =
            serde_json::from_slice(&fs::read(desk.path("r.waveform.json")).unwrap()).unwrap();
        (
            json["length"].as_u64().unwrap(),
            json["samples_per_pixel"].as_u64().unwrap(),
        )
    };
    assert_eq!((size("100"), size("7")), ((100, 480), (7, 6858)));
    desk.run(&["a.wav", "--bins", "0"])
        .expect(2, "0 is not in 1..=65536");
}

#[test]
fn a_verdict_is_drawn_without_writing_audio() {
    let desk = Desk::with_stems();
    desk.run(&[
        "a.wav", "--check", "--target", "ebu-r128", "--report", "r.svg",
    ])
    .expect(1, "ebu-r128: the loudness is");
    let picture = fs::read_to_string(desk.path("r.svg")).unwrap();
    for words in [
        "ebu-r128: −23.0 ± 0.2",
        "at most −1.0 · at 0:00.",
        "class=\"card bad\"",
        "class=\"target\"",
        "nothing over −1",
    ] {
        assert!(picture.contains(words), "{words:?} is not in the picture");
    }
    assert_eq!(desk.names(), ["a.wav", "b.wav", "r.svg"]);
}

#[test]
fn compare_says_how_two_files_differ() {
    let desk = Desk::with_stems();
    desk.wav("same.wav", 2, 48_000, 48_000, 8192);
    desk.wav("half.wav", 2, 48_000, 48_000, 4096);
    let same = desk.run(&["compare", "a.wav", "same.wav"]);
    same.expect(0, "");
    assert!(
        same.out
            .contains("identical  all 48000 frames of 2 channels"),
        "{}",
        same.out
    );
    let half = desk.run(&["compare", "a.wav", "half.wav"]);
    half.expect(1, "");
    for line in [
        "different  96000 of 96000 samples",
        "at most    -18.06 dBFS at 00:00:00.000 (frame 0, channel 1 of 2)",
        "where      different from the start to the end",
        "b is a, 6.02 dB quieter; nothing remains",
    ] {
        assert!(half.out.contains(line), "{line:?} is not in:\n{}", half.out);
    }
    let other = desk.run(&["compare", "a.wav", "b.wav"]);
    other.expect(1, "");
    assert!(
        other
            .out
            .contains("rate       48000 and 44100 Hz: not compared"),
        "{}",
        other.out
    );
    let json = desk.run(&["compare", "a.wav", "half.wav", "--json"]);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (
            json["identical"].as_bool(),
            json["fit"]["lag_frames"].as_i64()
        ),
        (Some(false), Some(0))
    );
    assert_eq!(
        desk.run(&["compare", "a.wav", "half.wav", "-q"])
            .expect(1, "")
            .out,
        ""
    );
    desk.run(&["compare", "a.wav", "gone.wav"])
        .expect(4, "gone.wav: there is no such file");
    desk.run(&["compare", "a.wav"]).expect(2, "required");
    desk.write("text.wav", "words");
    desk.run(&["compare", "a.wav", "text.wav"])
        .expect(4, "text.wav");
}

#[test]
fn report_looks_without_mixing() {
    let desk = Desk::with_stems();
    let table = desk.run(&["report", "a.wav", "b.wav", "--report", "r.html"]);
    table.expect(0, "the report is in r.html");
    let lines: Vec<&str> = table.out.lines().collect();
    assert!(
        lines[1].contains("a.wav  48000  stereo  WAV, 16 bits  00:00:01.000     -12.04"),
        "{}",
        table.out
    );
    assert!(lines[2].contains("b.wav  44100  mono"), "{}", table.out);
    let page = fs::read_to_string(desk.path("r.html")).unwrap();
    assert!(
        page.contains("src=\"./a.wav\"")
            && page.contains("src=\"./b.wav\"")
            && page.contains(">Left<")
    );
    let folder = desk.run(&["report", "."]);
    assert!(
        folder
            .expect(0, "skipped 1 file without audio")
            .out
            .contains("b.wav")
    );
    let json: Value = serde_json::from_str(&desk.run(&["report", "a.wav", "--json"]).out).unwrap();
    assert_eq!(json["mix"]["peak_at_frame"], 0);
    // A file that cannot be measured takes nothing away from the others.
    desk.wav("discrete.wav", 4, 48_000, 100, 1000);
    let some = desk.run(&["report", "a.wav", "discrete.wav"]);
    some.expect(
        4,
        "discrete.wav: 4 channels of no known layout: their places must be known to measure them",
    );
    assert!(
        some.out.contains("a.wav") && !some.out.contains("discrete"),
        "{}",
        some.out
    );
    // A damaged one is called by its name: there are no tracks.
    let whole = fs::read(desk.path("a.wav")).unwrap();
    fs::write(desk.path("cut.wav"), &whole[..whole.len() / 2]).unwrap();
    let cut = desk.run(&["report", "cut.wav"]);
    cut.expect(0, "warning: W115 cut.wav: ended early at 00:00:00.49");
    assert!(!cut.err.contains("track"), "{}", cut.err);
    fs::remove_file(desk.path("cut.wav")).unwrap();
    desk.run(&["report", "gone.wav"])
        .expect(4, "gone.wav: there is no such file");
    desk.run(&["report", "a.wav", "--report", "r.html"])
        .expect(5, "r.html: exists already")
        .expect(5, "hint: use --force to replace it, or another --report");
    desk.run(&["report"]).expect(2, "required");
    assert_eq!(desk.names(), ["a.wav", "b.wav", "discrete.wav", "r.html"]);
}

#[test]
fn the_picture_of_the_readme_is_the_one_its_command_makes() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("examples")).unwrap();
    desk.run(&["--report", "examples/demo.svg", "--bins", "200", "--force"])
        .expect(0, "the report is in examples/demo.svg");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (made, kept) = (
        fs::read_to_string(desk.path("examples/demo.svg")).unwrap(),
        fs::read_to_string(root.join("examples/demo.svg")).unwrap(),
    );
    // Lines may differ in their last steps between processors; words, numbers and places may not.
    let drawn = |picture: &str| {
        picture
            .split(" d=\"")
            .map(|p| p.split_once('"').map_or(p, |(_, rest)| rest).to_owned())
            .collect::<Vec<_>>()
    };
    let command =
        "cargo run --release --example mixdown -- --report examples/demo.svg --bins 200 --force";
    assert!(
        fs::read_to_string(root.join("README.md"))
            .unwrap()
            .contains(command)
    );
    assert!(
        drawn(&made) == drawn(&kept),
        "examples/demo.svg is not what the program draws: run {command}"
    );
    assert!(
        made.len() < 40_000 && made.len().abs_diff(kept.len()) < 500,
        "{} and {} bytes",
        made.len(),
        kept.len()
    );
}
