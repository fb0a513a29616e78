//! Ten jobs as people do them: each states its commands, and asserts what they leave behind.

mod mistakes;
#[cfg(unix)]
mod readme;
mod studio;

use soundtrack_test_support::desk::tracks;
use std::fs;
use studio::{Studio, level};

/// A band mixes twelve stems into masters and versions, and keeps the session: at most six commands.
#[test]
fn a_band_makes_a_cd_a_stream_an_instrumental_and_an_a_cappella() {
    let studio = Studio::with_stems(&[
        "kick",
        "snare",
        "hats",
        "toms",
        "overheads",
        "bass",
        "guitar",
        "keys",
        "pad",
        "vox",
        "vox high",
        "vox low",
    ]);
    let balance = ["--set", "track.vox.gain=3", "--set", "track.bass.pan=L20"];
    studio.run(
        &[
            &["stems/", "--save", "song.toml", "-o", "rough.wav"],
            &balance[..],
        ]
        .concat(),
    );
    let cd = studio.json(&["song.toml", "--preset", "cd", "-o", "cd.wav"]);
    let stream = studio.json(&["song.toml", "--preset", "spotify", "-o", "stream.flac"]);
    let instrumental = studio.json(&["song.toml", "--mute", "vox*", "-o", "instrumental.wav"]);
    let a_cappella = studio.json(&["song.toml", "--solo", "vox*", "-o", "a cappella.wav"]);
    assert_eq!(studio.typed(), (5, 5), "commands, files");

    let spec = studio.spec("cd.wav");
    assert_eq!(
        (spec.sample_rate, spec.bits_per_sample, spec.channels),
        (44_100, 16, 2)
    );
    assert_eq!(cd["mix"]["clipped_samples"], 0);
    assert!((level(&stream, "integrated_lufs") + 14.0).abs() < 0.05);
    assert!(level(&stream, "true_peak_dbtp") <= -0.99);
    assert_eq!(tracks(&instrumental).len(), 12);
    // Both versions add up to the mix, up to the rounding of each of the three files to 24 bits.
    let rough = studio.samples("rough.wav");
    let parts = studio
        .samples("instrumental.wav")
        .into_iter()
        .zip(studio.samples("a cappella.wav"));
    let worst = rough
        .iter()
        .zip(parts)
        .map(|(mix, (a, b))| (mix - a - b).abs())
        .max()
        .unwrap();
    assert!(worst <= 2, "{worst} steps of 24 bits");
    assert!(level(&a_cappella, "peak_dbfs") < level(&cd, "peak_dbfs") + 60.0);
    assert!(
        fs::read_to_string(studio.path("song.toml"))
            .unwrap()
            .contains("pan = \"L20\"")
    );
}

/// The band's session of the examples: three files in one command.
#[test]
fn a_band_delivers_from_a_session() {
    let studio = Studio::with_stems(&["drums", "bass", "guitar", "guitar 2", "vox"]);
    studio.session("band.toml");
    studio.run(&["band.toml"]);
    assert_eq!(studio.typed(), (1, 1), "commands, files");
    let names = [
        "Northern Line a cappella.flac",
        "Northern Line instrumental.wav",
        "Northern Line.wav",
    ];
    assert_eq!(studio.names("out"), names);
    let stream = studio.json(&["out/Northern Line.wav", "--check", "--target", "spotify"]);
    assert!(
        (level(&stream, "integrated_lufs") + 14.0).abs() < 0.05,
        "{stream}"
    );
}

/// A podcaster mixes two voices over music to -16 LUFS in one command.
#[test]
fn a_podcaster_delivers_at_the_loudness_of_the_services() {
    let studio = Studio::with_stems(&["anna", "ben", "music"]);
    studio.session("podcast.toml");
    studio.run(&["podcast.toml"]);
    assert_eq!(studio.typed(), (1, 1), "commands, files");
    let done = studio.json(&["podcast.wav", "--check"]);
    assert!(
        (level(&done, "integrated_lufs") + 16.0).abs() < 0.05,
        "{done}"
    );
    assert!(level(&done, "true_peak_dbtp") <= -0.99, "{done}");
}

/// A film composer places cues against picture and delivers mix, stems, and music and effects.
#[test]
fn a_film_composer_delivers_a_reel() {
    let studio = Studio::with_stems(&["dx", "sea", "strings", "brass"]);
    studio.session("film.toml");
    let plan = studio.run(&["plan", "film.toml"]);
    assert!(
        plan.contains("The Storm") || plan.contains("storm"),
        "{plan}"
    );
    studio.run(&["film.toml"]);
    assert_eq!(studio.typed(), (2, 2), "commands, files");
    assert_eq!(
        studio.names("out"),
        [
            "The Keeper - Reel 1 M&E.wav",
            "The Keeper - Reel 1 dialogue.wav",
            "The Keeper - Reel 1 effects.wav",
            "The Keeper - Reel 1 music.wav",
            "The Keeper - Reel 1.wav"
        ]
    );
    for name in studio.names("out") {
        assert_eq!(
            studio.samples(&format!("out/{name}")).len(),
            2 * 12 * 48_000,
            "{name}"
        );
    }
    // The cue starts 1 s 12 frames after the start of the picture, and the dialogue 3 s after it.
    let first_sound = |name: &str| {
        let samples = studio.samples(&format!("out/The Keeper - Reel 1 {name}.wav"));
        samples.iter().position(|x| *x != 0).unwrap() / 2
    };
    for (name, frame) in [("music", 72_000), ("dialogue", 144_000)] {
        let at = first_sound(name);
        assert!((frame..frame + 64).contains(&at), "{name} at {at}");
    }
}

/// A dubbing house makes two languages and music and effects from one session.
#[test]
fn a_dubbing_house_delivers_languages() {
    let studio = Studio::with_stems(&["dx_en", "dx_de", "music"]);
    studio.write(
        "dub.toml",
        "rate = 48000\n[bus.dialogue]\n[track.dx]\nfile = \"stems/dx_{lang}.wav\"\nbus = \"dialogue\"\n\
         [track.music]\nfile = \"stems/music.wav\"\n\
         [deliver.en]\nfile = \"out/en.wav\"\nlang = \"en\"\n[deliver.de]\nfile = \"out/de.wav\"\nlang = \"de\"\n\
         [deliver.me]\nfile = \"out/me.wav\"\nmute = [\"bus.dialogue\"]\n",
    );
    studio.run(&["dub.toml"]);
    assert_eq!(studio.typed(), (1, 1), "commands, files");
    assert_eq!(studio.names("out"), ["de.wav", "en.wav", "me.wav"]);
    assert_ne!(studio.samples("out/de.wav"), studio.samples("out/en.wav"));
    let music = studio.json(&["stems/music.wav", "-o", "music.wav"]);
    assert_eq!(music["mix"]["clipped_samples"], 0);
    assert_eq!(studio.samples("out/me.wav"), studio.samples("music.wav"));
}

/// A teacher compares the mixes of two students and describes a folder.
#[test]
fn a_teacher_compares_mixes() {
    let studio = Studio::with_stems(&["a", "b"]);
    studio.run(&["stems/", "-o", "ann.wav"]);
    studio.run(&["stems/", "--set", "track.a.gain=-6", "-o", "bob.wav"]);
    let differs = studio.run_with(1, &["compare", "ann.wav", "bob.wav"]);
    assert!(
        differs.contains("largest difference") || differs.contains("differ"),
        "{differs}"
    );
    let report = studio.run(&["report", "stems/", "--report", "stems.html"]);
    assert!(
        report.contains("a.wav") && report.contains("b.wav"),
        "{report}"
    );
    assert!(
        fs::read_to_string(studio.path("stems.html"))
            .unwrap()
            .contains("<svg")
    );
    assert_eq!(studio.typed(), (4, 5), "commands, files");
}

/// A newcomer mistypes, reads what the program says, and gets there.
#[test]
fn a_newcomer_finds_the_way_by_the_messages() {
    let studio = Studio::with_stems(&["kick", "bass"]);
    let tip = studio.run_with(4, &["stms/"]);
    assert!(tip.contains("did you mean stems"), "{tip}");
    let tip = studio.run_with(2, &["stems/", "--mut", "kick"]);
    assert!(tip.contains("--mute"), "{tip}");
    let tip = studio.run_with(2, &["stems/", "--mute", "kik"]);
    assert!(tip.contains("did you mean \"kick\"?"), "{tip}");
    let tip = studio.run_with(2, &["stems/", "-o", "song.mp3"]);
    assert!(tip.contains("name it song.wav"), "{tip}");
    studio.run(&["stems/", "--mute", "kick", "-o", "song.wav"]);
    assert_eq!(studio.typed(), (5, 4), "commands, files");
    assert_eq!(studio.names(""), ["song.wav", "stems"]);
    assert!(studio.run(&["explain", "W101"]).contains("Cure:"));
}

/// A producer renders variants of one session from a list.
#[test]
fn a_producer_renders_variants() {
    let studio = Studio::with_stems(&["vox", "band"]);
    studio.run(&["init", "stems/", "-o", "song.toml"]);
    let job = |id: &str, gain: i32| {
        format!(
            "{{\"id\":\"{id}\",\"session\":\"song.toml\",\"set\":{{\"track.vox.gain\":{gain}}},\"out\":\"{id}.wav\"}}\n"
        )
    };
    studio.write(
        "jobs.jsonl",
        &(job("up", 3) + &job("as-is", 0) + &job("down", -3)),
    );
    studio.run(&["batch", "run", "jobs.jsonl", "--out", "variants"]);
    assert_eq!(studio.typed(), (2, 2), "commands, files");
    let names = studio.names("variants");
    for name in ["as-is.wav", "down.wav", "up.wav"] {
        assert!(names.iter().any(|n| n == name), "{names:?}");
    }
    studio.run(&["song.toml", "-o", "mix.wav"]);
    assert_eq!(
        studio.samples("variants/as-is.wav"),
        studio.samples("mix.wav")
    );
}

/// A long mix is rendered in parts, which join into the file of one run.
#[test]
fn a_long_mix_is_rendered_in_parts() {
    let studio = Studio::with_stems(&["a", "b"]);
    studio.run(&["stems/", "--range", "..1500ms", "-o", "1.wav"]);
    studio.run(&["stems/", "--range", "1500ms..", "-o", "2.wav"]);
    studio.run(&["join", "1.wav", "2.wav", "-o", "whole.wav"]);
    assert_eq!(studio.typed(), (3, 4), "commands, files");
    studio.run(&["stems/", "-o", "once.wav"]);
    assert_eq!(
        fs::read(studio.path("whole.wav")).unwrap(),
        fs::read(studio.path("once.wav")).unwrap()
    );
}

/// A mastering engineer checks a mix, sees by how much it fails, and fits it.
#[test]
fn a_mastering_engineer_checks_and_fits() {
    let studio = Studio::with_stems(&["mix"]);
    let verdict = studio.run_with(1, &["stems/mix.wav", "--check", "--target", "ebu-r128"]);
    assert!(
        verdict.contains("ebu-r128: the loudness is ") && verdict.contains(" LU off"),
        "{verdict}"
    );
    let fitted = studio.json(&["stems/mix.wav", "--preset", "ebu-r128", "-o", "fit.wav"]);
    assert!(
        (level(&fitted, "integrated_lufs") + 23.0).abs() < 0.05,
        "{fitted}"
    );
    studio.run(&["fit.wav", "--check", "--target", "ebu-r128"]);
    assert_eq!(studio.typed(), (3, 3), "commands, files");
}
