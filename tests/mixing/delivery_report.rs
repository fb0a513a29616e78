//! Reports of whole deliveries: a page and a document with every file, its checks and its picture.

use crate::deliver::{Film, film, integers};
use serde_json::Value;
use soundtrack::{
    Decibels, Deliverable, Delivery, ErrorKind, Fade, Frames, Load, LoudnessTarget, Lufs,
};
use std::fs;

/// A film with a fitted mix, its stems, an album, a faded part and two reports.
fn delivered_film() -> Film {
    let mut film = film();
    film.session.title = "Reel <2> & \"more\"".into();
    let all = [film.music, film.speech, film.hall];
    let target = LoudnessTarget::new(Lufs(-26.0)).tolerance(0.1);
    film.promise(Deliverable::new("page", "report.html").report(true));
    film.promise(
        Deliverable::new("full", "out/a mix.wav")
            .loudness(target)
            .fit(true),
    );
    film.promise(
        Deliverable::new("stems", "out/{bus}.wav")
            .stems(all)
            .gain_of("full"),
    );
    film.promise(
        Deliverable::new("album", "out/album/{nn}.flac")
            .album(true)
            .format(soundtrack::Format::FLAC_16),
    );
    let part = Deliverable::new("part", "out/part.wav").range(Frames(10_000)..Frames(58_000));
    film.promise(part.fade_out(Fade::linear(Frames(48_000))));
    let loud = LoudnessTarget::new(Lufs(-5.0)).tolerance(1.0);
    film.promise(Deliverable::new("loud", "out/loud.wav").loudness(loud));
    film.promise(Deliverable::new("data", "report.json").report(true));
    film
}

#[test]
fn a_page_shows_every_file_check_and_mix() {
    let film = delivered_film();
    let done = Delivery::new().bins(300).run(&film.session).unwrap();
    assert!(!done.passed());
    let page = fs::read_to_string(film.path("report.html")).unwrap();
    // Links lead from the page to the files.
    for (address, name) in [
        ("./out/a%20mix.wav", "a mix.wav"),
        ("./out/music.wav", "music.wav"),
        ("./out/album/02.flac", "02.flac"),
        ("./out/part.wav", "part.wav"),
    ] {
        let link = format!("<a href=\"{address}\">{name}</a>");
        assert!(page.contains(&link), "{link}");
    }
    // A row for each file but the reports themselves, and a picture of each mix and cue.
    assert_eq!(page.matches("<tr><td>").count(), 1 + 3 + 2 + 1 + 1);
    assert_eq!(
        page.matches("<section class=\"report\" id=").count(),
        1 + 2 + 1 + 1
    );
    assert_eq!(page.matches("<audio ").count(), 5);
    for words in [
        "<h1>Reel &lt;2&gt; &amp; &quot;more&quot;</h1>",
        "<b>The checks of one deliverable FAILED.</b>",
        "full: loudness -26.0 LUFS, -26.0 LUFS within 0.1 LU: passed",
        "stems: the files add up to full, read back but for -",
        "<li class=\"failed\">loud: loudness ",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("Reel <2>"));

    let json: Value =
        serde_json::from_str(&fs::read_to_string(film.path("report.json")).unwrap()).unwrap();
    let deliverable = |name: &str| {
        let all = json["deliverables"].as_array().unwrap().iter();
        all.clone().find(|d| d["name"] == name).unwrap().clone()
    };
    assert_eq!(
        (&json["passed"], json.get("wall_s")),
        (&Value::Bool(false), None)
    );
    assert_eq!(deliverable("stems")["null_test"]["passed"], true);
    assert_eq!(deliverable("album")["files"].as_array().unwrap().len(), 2);
    // The picture has the level of the file: its largest bin is the largest sample, to half a step of
    // its 24 bits and the rounding of an f32.
    let full = &deliverable("full")["files"][0];
    let bins = |key: &str| {
        let wave = full["overview"]["mix"]["waveform"][key].as_array().unwrap();
        wave.iter()
            .map(|x| x.as_f64().unwrap().abs())
            .fold(0.0, f64::max)
    };
    let peak = integers(&film.path("out/a mix.wav"))
        .iter()
        .map(|x| x.abs())
        .max()
        .unwrap();
    let largest = bins("min").max(bins("max")) * 8_388_608.0;
    assert!((largest - peak as f64).abs() < 1.0, "{largest} {peak}");
    // The faded part ends in silence.
    let part = &deliverable("part")["files"][0]["overview"]["mix"]["waveform"]["max"];
    let wave: Vec<f64> = part
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect();
    assert!(
        wave.len() <= 300 && wave[wave.len() - 1] < 0.01 * wave[0],
        "{wave:?}"
    );
    assert!(deliverable("stems")["files"][0]["overview"].is_null());
    // Pictures change no sample.
    let bytes = |name: &str| fs::read(film.path(name)).unwrap();
    let with = [
        "report.html",
        "report.json",
        "out/a mix.wav",
        "out/part.wav",
        "out/music.wav",
    ]
    .map(bytes);
    Delivery::new()
        .bins(300)
        .overwrite(true)
        .threads(1)
        .run(&film.session)
        .unwrap();
    let again = [
        "report.html",
        "report.json",
        "out/a mix.wav",
        "out/part.wav",
        "out/music.wav",
    ]
    .map(bytes);
    assert!(with == again, "two runs write the same bytes");
    let names = ["full", "stems", "part"];
    Delivery::new()
        .only(names)
        .overwrite(true)
        .run(&film.session)
        .unwrap();
    assert!(with[2..] == ["out/a mix.wav", "out/part.wav", "out/music.wav"].map(bytes));
}

#[test]
fn a_report_covers_the_deliverables_of_its_run() {
    let film = delivered_film();
    let done = Delivery::new()
        .only(["part", "data"])
        .run(&film.session)
        .unwrap();
    let json: Value =
        serde_json::from_str(&fs::read_to_string(film.path("report.json")).unwrap()).unwrap();
    let names: Vec<_> = json["deliverables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| &d["name"])
        .collect();
    assert_eq!(names, ["part", "data"]);
    let report = &done.deliverables[1].files[0];
    assert_eq!(
        (report.content.as_str(), report.is_audio()),
        ("report", false)
    );
    let size = fs::metadata(film.path("report.json")).unwrap().len();
    assert_eq!((report.report.bytes, done.renders), (size, 1));
    // Alone it covers nothing, and renders nothing.
    let done = Delivery::new().only(["page"]).run(&film.session).unwrap();
    assert_eq!(done.renders, 0);
    assert_eq!(
        film.names(),
        ["out", "out/part.wav", "report.html", "report.json"]
    );
}

#[test]
fn a_report_is_no_audio() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    let refused = |keys: &str| {
        let text = format!("rate = 48000\n[bus.a]\n[deliver.x]\nreport = true\n{keys}\n");
        let e = Load::default().text(text, &path).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Session);
        e.to_string()
    };
    for (keys, words) in [
        (
            "file = \"x.pdf\"",
            "a report is a .html or .json file: name it x.html",
        ),
        (
            "file = \"x.html\"\nstems = [\"a\"]",
            "it is a report and audio: make two deliverables of it",
        ),
        (
            "file = \"x.html\"\ngain = -3",
            "a report is no audio, so gain has no meaning",
        ),
        (
            "file = \"x.html\"\nrange = \"..1s\"",
            "a report is no audio, so range has no meaning",
        ),
    ] {
        let text = refused(keys);
        assert!(text.contains(words), "{keys}: {text}");
    }
    let mut film = film();
    film.promise(Deliverable::new("page", "x.html").report(true));
    film.promise(Deliverable::new("full", "full.wav").gain_of("page"));
    let e = Delivery::new().run(&film.session).unwrap_err();
    assert!(
        e.to_string()
            .contains("\"page\" is a report, which has no gain"),
        "{e}"
    );
    film.session.deliverables[1].gain_of = None;
    film.session.deliverables[1].gain = Decibels(-3.0);
    assert_eq!(Delivery::new().run(&film.session).unwrap().renders, 1);
}
