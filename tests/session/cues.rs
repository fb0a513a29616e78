//! The whole session file: cues, uses, folders, languages, deliverables, and what is set from outside.

use soundtrack::{
    At, Clip, Content, CueKind, Dbtp, Decibels, ErrorKind, Fade, Format, FrameRate, Frames, Input,
    Load, LoudnessTarget, Lufs, Marker, Plan, Selector, Session, Timecode, Use, encode::Dither,
};
use std::{fs, path::Path};

const LIGHTHOUSE: &str = include_str!("../../examples/film_reel/lighthouse.toml");

/// A folder with the files that the session names, of a few frames each.
fn stems(folder: &Path, seconds: u32) {
    let stem = |name: &str, rate: u32, channels: u16| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut wav = hound::WavWriter::create(path, spec).unwrap();
        (0..rate * seconds * u32::from(channels))
            .for_each(|i| wav.write_sample((i % 1000) as i16).unwrap());
        wav.finalize().unwrap();
    };
    for name in ["stems/dx_en.wav", "stems/dx_de.wav"] {
        stem(name, 8000, 1);
    }
    for name in ["vlns.wav", "celli.wav", "taikos.flac", "brass.wav"] {
        stem(&format!("stems/1m1_storm/{name}"), 8000, 1);
    }
    stem("stems/1m1_storm/piano_44k.wav", 11_025, 1);
    for name in ["b.wav", "a.wav", "c.flac", ".hidden.wav"] {
        stem(&format!("stems/1m3_titles/{name}"), 8000, 2);
    }
}

fn lighthouse() -> (tempfile::TempDir, Session) {
    let folder = tempfile::tempdir().unwrap();
    stems(folder.path(), 1);
    let file = folder.path().join("lighthouse.toml");
    fs::write(&file, LIGHTHOUSE).unwrap();
    let session = Session::load(&file).unwrap();
    (folder, session)
}

#[test]
fn the_lighthouse_means_what_it_says() {
    let (folder, film) = lighthouse();
    let tc = |text: &str| Timecode::parse(text, FrameRate::FPS_24).unwrap();
    assert_eq!(
        (film.fps, film.start),
        (Some(FrameRate::FPS_24), Some(tc("01:00:00:00")))
    );
    assert_eq!(film.length, Some(Frames(390 * 48_000)));
    assert_eq!(
        film.lang.as_deref(),
        Some("en"),
        "that of the first deliverable"
    );
    assert_eq!(
        film.markers,
        [Marker {
            at: Frames(960_000),
            name: "the boat".into()
        }]
    );
    assert_eq!(
        (film.master.limit, film.master.dither),
        (Some(Dbtp(-2.0)), Some(Dither::default()))
    );
    let file = |name: &str| Input::file(folder.path().join(name));
    assert_eq!(
        film.tracks()[0].clips,
        [Clip::new(file("stems/dx_{lang}.wav")).at(tc("01:00:00:00"))]
    );

    let [storm, titles] = film.cues() else {
        panic!()
    };
    assert_eq!(
        (storm.title.as_str(), storm.kind),
        ("The Storm", CueKind::Score)
    );
    assert_eq!(
        (storm.composer.len(), storm.publisher[0].as_str()),
        (1, "Some Music Ltd")
    );
    assert_eq!(
        storm.markers[1],
        Marker {
            at: Frames(31 * 48_000),
            name: "Anna sees the boat".into()
        }
    );
    let names: Vec<_> = storm.tracks.iter().map(|t| t.strip.name.as_str()).collect();
    assert_eq!(names, ["violins", "celli", "piano", "taikos", "brass"]);
    let piano = &storm.tracks[2];
    let want = Clip::new(file("stems/1m1_storm/piano_44k.wav"));
    let want = want
        .fade_in(Fade::linear(Frames(2400)))
        .fade_out(Fade::linear(Frames(96_000)));
    assert_eq!(piano.clips, [want]);
    assert_eq!(
        (
            piano.strip.sends.len(),
            storm.tracks[3].strip.gain_curve.points.len()
        ),
        (1, 4)
    );
    let brass = &storm.tracks[4].clips;
    assert_eq!(
        (brass[0].name.as_str(), brass[1].loops, brass[1].from),
        ("hit", 2, Frames(130 * 48_000))
    );
    let second = |s: u64| Frames(s * 48_000);
    let reprise = Use::at(tc("01:05:30:00"))
        .named("reprise")
        .from(second(38))
        .length(second(20));
    let reprise = reprise
        .fade_in(Fade::linear(second(1)))
        .fade_out(Fade::linear(second(3)));
    assert_eq!(
        storm.uses,
        [
            Use::at(tc("01:00:12:08")),
            reprise.gain(Decibels(-6.0)).usage("BI")
        ]
    );

    let found: Vec<_> = titles
        .tracks
        .iter()
        .map(|t| t.strip.name.as_str())
        .collect();
    assert_eq!(found, ["a", "b"]);
    assert_eq!(
        titles.tracks[1].clips,
        [Clip::new(file("stems/1m3_titles/b.wav"))]
    );
    assert_eq!(
        titles.tracks[0].strip.to, storm.tracks[2].strip.to,
        "the bus of the cue"
    );
    assert_eq!(titles.uses, [Use::at(At::Timecode(tc("01:04:05:12")))]);

    let [full, effects, stems, album] = film.deliverables.as_slice() else {
        panic!()
    };
    let target = LoudnessTarget::new(Lufs(-27.0))
        .tolerance(1.0)
        .true_peak(Dbtp(-2.0));
    assert_eq!(
        (full.format, full.lang.as_deref(), &full.loudness),
        (Format::WAV_24, Some("en"), &Some(target))
    );
    let muted: Vec<_> = effects
        .mute
        .iter()
        .filter_map(|p| film.part_name(*p))
        .collect();
    assert_eq!(muted, ["bus.dialogue", "cue.storm.celli"]);
    assert!(album.album && stems.stems.len() == 2);
}

#[test]
fn deliverables_name_their_files() {
    let (folder, film) = lighthouse();
    let files = |name: &str| -> Vec<String> {
        let outputs = film.outputs(film.deliverable(name).unwrap());
        let short = |p: &Path| {
            p.strip_prefix(folder.path())
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        outputs.iter().map(|o| short(&o.file)).collect()
    };
    assert_eq!(files("full"), ["out/The Lighthouse Keeper - Reel 2.wav"]);
    assert_eq!(
        files("music-and-effects"),
        ["out/The Lighthouse Keeper - Reel 2 M&E.wav"]
    );
    let both =
        ["music", "dialogue"].map(|bus| format!("out/The Lighthouse Keeper - Reel 2 {bus}.wav"));
    assert_eq!(files("stems"), both);
    assert_eq!(
        files("album"),
        ["out/album/01 The Storm.wav", "out/album/02 end_titles.wav"]
    );
    let album = film.outputs(film.deliverable("album").unwrap());
    let Ok(Selector::Cue(storm)) = film.part("cue.storm") else {
        panic!()
    };
    assert_eq!(album[0].content, Content::Cue(storm));
    // A title with steps in it stays a name.
    let mut other = film.clone();
    other.title = "../A/B {bus}".into();
    let stems = other.outputs(other.deliverable("stems").unwrap());
    assert_eq!(
        stems[0].file,
        folder.path().join("out/..-A-B {bus} music.wav")
    );
}

#[test]
fn a_deliverable_has_its_language_and_its_mutes() {
    let (_folder, mut film) = lighthouse();
    // The stems of this test are too short for the cue; only the dialogue matters.
    let mut promise = film.deliverable("full").unwrap().clone().lang("de");
    promise = promise
        .mute(film.part("cue.storm").unwrap())
        .mute(film.part("cue.end_titles").unwrap());
    let german = film.for_deliverable(&promise);
    assert!(german.cues().iter().all(|c| c.mute));
    film.cues_mut()
        .iter_mut()
        .for_each(|c| c.tracks.truncate(2));
    film.cues_mut().iter_mut().for_each(|c| c.uses.truncate(1));
    film.lang = None;
    let file =
        |film: &Session| Plan::compile(film).map(|p| p.files()[0].file_name().unwrap().to_owned());
    let error = file(&film).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no language is chosen for {lang}: set lang, as in lang = \"en\""),
        "{error}"
    );
    film.lang = Some("de".into());
    let files = Plan::compile(&film).unwrap().files();
    assert!(
        files.iter().any(|f| f.ends_with("stems/dx_de.wav")),
        "{files:?}"
    );
}

#[test]
fn problems_that_need_the_stems_have_their_place() {
    let (folder, film) = lighthouse();
    fs::remove_file(folder.path().join("stems/1m1_storm/celli.wav")).unwrap();
    fs::rename(
        folder.path().join("stems/dx_en.wav"),
        folder.path().join("stems/dx_en.aif"),
    )
    .unwrap();
    let error = Plan::compile(&film).unwrap_err();
    let got: Vec<String> = error
        .problems()
        .iter()
        .map(|p| {
            let place = p.span.as_ref().unwrap();
            let shown: String = place
                .text
                .chars()
                .skip(place.column - 1)
                .take(place.width)
                .collect();
            format!(
                "{}:{} {shown} {}",
                place.line,
                place.column,
                p.sentence().replace(folder.path().to_str().unwrap(), "")
            )
        })
        .collect();
    let want = [
        "28:8 \"stems/dx_{lang}.wav\" track \"dialogue\": /stems/dx_en.wav: there is no such file; did you mean \"dx_de.wav\"?",
        "44:20 \"celli.wav\" cue \"storm\", track \"celli\": /stems/1m1_storm/celli.wav: there is no such file",
        "45:81 \"2s\" cue \"storm\", track \"piano\": /stems/1m1_storm/piano_44k.wav: the fade-out of 96000 frames is longer than the clip of 48000",
        "57:67 \"2s\" cue \"storm\", track \"brass\": /stems/1m1_storm/brass.wav: the clip ends at 00:01:04.000 (3072000 frames), the file at 00:00:01.000 (48000 frames)",
        "58:68 \"6s\" cue \"storm\", track \"brass\": /stems/1m1_storm/brass.wav: the clip ends at 00:02:16.000 (6528000 frames), the file at 00:00:01.000 (48000 frames)",
        "61:56 \"20s\" cue \"storm\", use \"reprise\": it ends at 00:00:58.000 (2784000 frames), the cue at 00:00:01.000 (48000 frames)",
    ];
    assert_eq!(got, want, "{got:#?}");
    assert_eq!(error.kind(), ErrorKind::Session);
}

#[test]
fn values_set_from_outside_take_the_place_of_those_in_the_file() {
    let (folder, _) = lighthouse();
    let file = folder.path().join("lighthouse.toml");
    let load = Load::default()
        .set("title", "Take 2: \"loud\"")
        .set("cue.storm.track.celli.gain", "-9.5")
        .set("cue.storm.at", "01:00:20:00")
        .set("start", "00:59:50:00")
        .set("deliver.full.loudness.fit", "true")
        .set("master.limit", "-1")
        .set("track.dialogue.mute", "true")
        .set("lang", "de");
    let film = load.session(&file).unwrap();
    assert_eq!(film.title, "Take 2: \"loud\"");
    assert_eq!(film.cues()[0].tracks[1].strip.gain, Decibels(-9.5));
    assert_eq!(
        film.cues()[0].uses[0].at,
        At::Timecode(Timecode::parse("01:00:20:00", FrameRate::FPS_24).unwrap())
    );
    assert_eq!(film.start.unwrap().to_string(), "00:59:50:00");
    assert!(film.deliverables[0].fit && film.tracks()[0].strip.mute);
    assert_eq!(
        (film.master.limit, film.lang.as_deref()),
        (Some(Dbtp(-1.0)), Some("de"))
    );
    let wrong = Load::default()
        .set("title", "x")
        .set("track.dialogue.gian", "3")
        .session(&file)
        .unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "set:2:16: track \"dialogue\": unknown key \"gian\"; did you mean \"gain\"?\n  |\n2 | track.dialogue.gian = 3\n  |                ^^^^"
    );
}

#[test]
fn a_value_set_for_a_track_hides_no_fault_of_the_file() {
    let text = "rate = 8000\n[[track]]\nname = \"vox\"\nfile = \"vox.wav\"\n";
    let load = Load::default().set("track.vox.gain", "-3");
    let wrong = load.text(text, "s.toml").unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "s.toml:2:1: the session: track is a list, but each track is a table with a name: write [track.vox]\n  |\n2 | [[track]]\n  | ^^^^^^^^^"
    );
}

#[test]
fn a_pattern_takes_an_extension_in_either_case_and_names_what_it_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    stems(folder.path(), 1);
    let at = |name: &str| folder.path().join(name);
    for name in [
        "kit/SNARE.WAV",
        "kit/kick.wav",
        "kit/Hat.Wav",
        "kit/takes/a.WAV",
        "kit/old/deep/b.wav",
    ] {
        fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        fs::copy(at("stems/1m1_storm/vlns.wav"), at(name)).unwrap();
    }
    fs::create_dir_all(at("kit/out")).unwrap();
    fs::copy(at("kit/kick.wav"), at("kit/out/mix.wav")).unwrap();
    let load = |files: &str| {
        let text = format!(
            "rate = 8000\n[cue.kit]\nat = 0\nfolder = \"kit\"\nfiles = {files}\n\
             [deliver.mix]\nfile = \"kit/out/mix.wav\"\n"
        );
        Load::default().text(text, at("s.toml"))
    };
    let told = |session: &Session| -> Vec<String> {
        let plan = Plan::compile(session).unwrap();
        plan.warnings().iter().map(ToString::to_string).collect()
    };
    for files in ["\"*.wav\"", "\"*.WAV\""] {
        let session = load(files).unwrap();
        let names: Vec<&str> = session.cues()[0]
            .tracks
            .iter()
            .map(|t| &*t.strip.name)
            .collect();
        assert_eq!(names, ["Hat", "SNARE", "kick"]);
        let left_out = "W124 cue \"kit\": its file patterns do not include the folders with audio kit/old/deep, kit/takes";
        assert_eq!(told(&session), [left_out]);
    }
    let all = load("[\"*.wav\", \"takes/*.wav\", \"old/deep/*.wav\"]").unwrap();
    assert_eq!((all.cues()[0].tracks.len(), told(&all)), (5, Vec::new()));
    // A stem that is missing is not left out.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere.wav", at("kit/lost.wav")).unwrap();
        let e = Plan::compile(&load("\"*.wav\"").unwrap()).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::NotFound);
        assert!(e.to_string().contains("kit/lost.wav"), "{e}");
        fs::remove_file(at("kit/lost.wav")).unwrap();
        use std::os::unix::ffi::OsStrExt;
        let odd = std::ffi::OsStr::from_bytes(b"\xffodd.wav");
        fs::copy(at("kit/kick.wav"), at("kit").join(odd)).unwrap();
        let e = load("\"*.wav\"").unwrap_err();
        assert!(e.to_string().contains("is no text: rename the file"), "{e}");
        fs::remove_file(at("kit").join(odd)).unwrap();
    }
    for i in 0..10_001 {
        fs::write(at(&format!("kit/{i}.txt")), "").unwrap();
    }
    let e = load("\"*.wav\"").unwrap_err();
    let many =
        "cannot be read: it has more than 10000 entries: name the files, or use smaller folders";
    assert!(e.to_string().contains(many), "{e}");
}
