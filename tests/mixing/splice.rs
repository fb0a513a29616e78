//! A range of a delivery that is rendered anew and put into the files that are there: the files of a complete delivery, byte for
//! byte, and refusals of whatever else they could become.

use crate::deliver::{Film, film};
use soundtrack::{
    Dbtp, Decibels, Deliverable, Delivery, ErrorKind, Fade, Format, Frames, Layout, LoudnessTarget,
    Lufs, SampleRate, Selector, Session,
    deliver::Delivered,
    encode::{Dither, Shaping},
};
use std::{fs, ops::Range, path::Path};

/// The frames in which the cue "storm" sounds.
const STORM: Range<Frames> = Frames(10_000)..Frames(59_000);

fn storm(film: &Film) -> soundtrack::CueId {
    match film.session.part("cue.storm") {
        Ok(Selector::Cue(cue)) => cue,
        other => panic!("{other:?}"),
    }
}

/// Turns the violins of the cue "storm" down.
fn change(session: &mut Session) {
    let cue = session
        .cues_mut()
        .iter_mut()
        .find(|cue| cue.name == "storm")
        .unwrap();
    cue.tracks[0].strip.gain = Decibels(-5.0);
}

/// Deliverables of every kind: fitted mix, stems, other versions, formats, rates and layouts, parts, cues and documents.
fn promise_everything(film: &mut Film) {
    let (music, speech, hall) = (film.music, film.speech, film.hall);
    let storm = storm(film);
    let dither = Dither {
        seed: 3,
        shaping: Shaping::HighPass,
    };
    film.session.master.limit = Some(Dbtp(-3.0));
    let target = LoudnessTarget::new(Lufs(-16.0)).true_peak(Dbtp(-1.0));
    let fitted = Deliverable::new("full", "full.wav").loudness(target);
    film.promise(fitted.fit(true));
    let stems = Deliverable::new("stems", "{bus}.wav").stems([music, speech, hall]);
    film.promise(stems.gain_of("full"));
    let m_and_e = Deliverable::new("m&e", "m&e.flac").mute(speech);
    film.promise(m_and_e.format(Format::FLAC_16).dither(dither));
    film.promise(Deliverable::new("float", "float.wav").format(Format::WAV_32F));
    let mono = Deliverable::new("mono", "mono.flac").layout(Layout::Mono);
    film.promise(mono.format(Format::FLAC_24));
    let slow = Deliverable::new("slow", "slow.wav").rate(SampleRate::HZ_44100);
    film.promise(slow);
    let part = Deliverable::new("part", "part.wav").range(Frames(5_000)..Frames(70_000));
    film.promise(
        part.fade_in(Fade::linear(Frames(20_000)))
            .fade_out(Fade::linear(Frames(30_000))),
    );
    let before = Deliverable::new("before", "before.wav").range(Frames(0)..Frames(9_000));
    film.promise(before);
    film.promise(Deliverable::new("cut", "cut.wav").cue(storm));
    let album = Deliverable::new("album", "{nn} {cue}.flac").album(true);
    film.promise(album.format(Format::FLAC_24).listing(true));
    film.promise(Deliverable::new("sheet", "sheet.csv").cue_sheet(true));
    film.promise(Deliverable::new("data", "data.json").report(true));
    film.session.album.title = "Reel Album".into();
}

/// The files of a folder, sorted by name, with their bytes; but for JSON, which states levels to the last digit, where the
/// rounding of the samples shows.
fn files(film: &Film) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(film.path("")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_file() && !name.ends_with(".json") {
            let bytes = fs::read(path).unwrap();
            let is_dithered = name.starts_with("m&e");
            let kept = if is_dithered {
                without_tags(&bytes)
            } else {
                bytes
            };
            found.push((name, kept));
        }
    }
    found.sort();
    found
}

/// STREAMINFO and the frames of a FLAC file. The loudness of a dithered file is measured with its dither, where a complete
/// delivery measures the mix.
fn without_tags(flac: &[u8]) -> Vec<u8> {
    let mut at = 4;
    loop {
        let size = u32::from_be_bytes([0, flac[at + 1], flac[at + 2], flac[at + 3]]);
        let is_last = flac[at] & 0x80 != 0;
        at += 4 + size as usize;
        if is_last {
            return [&flac[..42], &flac[at..]].concat();
        }
    }
}

fn splice(film: &Film, range: Range<Frames>) -> soundtrack::Result<Delivered> {
    Delivery::new()
        .overwrite(true)
        .range(range)
        .run(&film.session)
}

/// Names the file of the first difference.
fn assert_same(found: &[(String, Vec<u8>)], expected: &[(String, Vec<u8>)]) {
    let names = |files: &[(String, Vec<u8>)]| -> Vec<String> {
        files.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(found), names(expected));
    for ((name, found), (_, expected)) in found.iter().zip(expected) {
        let at = found.iter().zip(expected).position(|(a, b)| a != b);
        assert!(
            found == expected,
            "{name}: {} of {} bytes, differs at {at:?}",
            found.len(),
            expected.len()
        );
    }
}

#[test]
fn a_spliced_delivery_is_a_complete_one_byte_for_byte() {
    let mut film = film();
    promise_everything(&mut film);
    let first = Delivery::new().run(&film.session).unwrap();
    let gain = first.deliverables[0].gain_db;
    let before = files(&film);
    assert_eq!(before.len(), 15);

    change(&mut film.session);
    let spliced = splice(&film, STORM).unwrap();
    let gains = |done: &Delivered| -> Vec<u64> {
        let gains = done.deliverables.iter().map(|d| d.gain_db.to_bits());
        gains.collect()
    };
    assert_eq!(
        gains(&spliced),
        gains(&first),
        "the gains are kept to the bit"
    );
    let found = files(&film);
    // Files of stems name their set, and pieces of an album its loudness.
    let kept: Vec<&str> = (found.iter().zip(&before))
        .filter(|(new, old)| new == old)
        .map(|((name, _), _)| name.as_str())
        .collect();
    assert_eq!(kept, ["Reel Album.cue", "before.wav", "sheet.csv"]);

    // A complete delivery at the gain that the fit has found before.
    let full = &mut film.session.deliverables[0];
    (full.fit, full.gain) = (false, Decibels(gain));
    let whole = Delivery::new().overwrite(true).run(&film.session).unwrap();
    assert_same(&found, &files(&film));

    // The report: whole files, with the part that is new.
    for (part, whole) in spliced.deliverables.iter().zip(&whole.deliverables) {
        let levels = |done: &soundtrack::deliver::DeliverableReport| -> Vec<_> {
            let files = done.files.iter().filter(|file| file.is_audio());
            files
                .map(|file| {
                    let (report, mix) = (&file.report, &file.report.mix);
                    let rounded = |level: Option<f64>| level.map(|l| (1000.0 * l).round() as i64);
                    (
                        (report.frames, report.start_frame, report.rate_hz),
                        rounded(mix.integrated_lufs),
                        rounded(mix.true_peak_dbtp),
                        mix.peak_at_frame,
                    )
                })
                .collect()
        };
        if part.name != "m&e" {
            assert_eq!(levels(part), levels(whole), "{}", part.name);
        }
        assert_eq!(
            part.null_test.as_ref().map(|t| t.passed),
            whole.null_test.as_ref().map(|t| t.passed)
        );
    }
    let replaced = |deliverable: usize, file: usize| {
        spliced.deliverables[deliverable].files[file]
            .replaced_s
            .unwrap()
    };
    let seconds = |frames: Range<Frames>| {
        [frames.start, frames.end].map(|at| at.to_duration(SampleRate::HZ_48000).as_secs_f64())
    };
    assert_eq!(replaced(0, 0), seconds(STORM));
    assert_eq!(replaced(7, 0), seconds(Frames(9_000)..Frames(9_000)));
    assert_eq!(replaced(8, 0), seconds(Frames(0)..Frames(25_000)));
    assert_eq!(replaced(9, 1), [0.0, 0.0]);
    assert!(spliced.deliverables.iter().all(|d| d.warnings.is_empty()));
}

#[test]
fn any_cut_of_an_unchanged_session_leaves_every_byte() {
    let mut film = film();
    promise_everything(&mut film);
    film.session
        .deliverables
        .retain(|d| !d.fit && d.gain_of.is_none());
    Delivery::new().run(&film.session).unwrap();
    let before = files(&film);
    let end = film.length().0;
    for (start, stop) in [
        (0, 1),
        (4_095, 4_097),
        (end - 1, end),
        (60_000, 10 * end),
        (0, end),
    ] {
        splice(&film, Frames(start)..Frames(stop)).unwrap();
        assert_same(&files(&film), &before);
    }
}

/// A film of ten seconds in which a change can lie farther from a range than is rendered.
fn long_film() -> Film {
    let mut film = film();
    film.session.length = Some(Frames(480_000));
    film
}

#[test]
fn what_changed_next_to_the_range_is_found_and_nothing_is_written() {
    let mut film = long_film();
    film.promise(Deliverable::new("full", "full.wav"));
    Delivery::new().run(&film.session).unwrap();
    let before = files(&film);
    change(&mut film.session);
    for (range, place) in [
        (
            20_000..30_000,
            "before the range, which starts at 00:00:00.416",
        ),
        (0..12_000, "after the range, which ends at 00:00:00.250"),
        (
            80_000..90_000,
            "before the range, which starts at 00:00:01.666",
        ),
    ] {
        let error = splice(&film, Frames(range.start)..Frames(range.end)).unwrap_err();
        let text = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Output, "{text}");
        assert!(
            text.contains("full.wav: the file has other samples") && text.contains(place),
            "{text}"
        );
        assert!(
            text.ends_with("or deliver the whole without a range"),
            "{text}"
        );
        assert_same(&files(&film), &before);
    }
}

#[test]
fn a_cue_that_sounds_elsewhere_too_is_warned_of() {
    let mut film = long_film();
    let cue = film
        .session
        .cues_mut()
        .iter_mut()
        .find(|cue| cue.name == "storm")
        .unwrap();
    cue.uses[1].at = Frames(200_000).into();
    film.promise(Deliverable::new("full", "full.wav"));
    film.promise(Deliverable::new("twin", "twin.wav"));
    Delivery::new().run(&film.session).unwrap();
    change(&mut film.session);
    let done = splice(&film, Frames(10_000)..Frames(61_000)).unwrap();
    let warnings: Vec<String> = done.warnings().iter().map(|w| w.to_string()).collect();
    assert_eq!(
        warnings
            .iter()
            .filter(|w| w.contains("it sounds outside the range too"))
            .collect::<Vec<_>>(),
        [
            "W128 cue \"storm\": it sounds outside the range too, at 00:00:04.166: there the files keep its old sound"
        ]
    );
    let done = splice(&film, Frames(0)..Frames(480_000)).unwrap();
    assert!(done.warnings().iter().all(|w| w.kind.code() != "W128"));
}

/// The error of a splice, whose files must stay as they are.
fn refusal(film: &Film, range: Range<u64>) -> (ErrorKind, String) {
    let before = files(film);
    let error = splice(film, Frames(range.start)..Frames(range.end)).unwrap_err();
    assert_same(&files(film), &before);
    (error.kind(), error.to_string())
}

#[test]
fn files_that_are_not_those_of_the_deliverables_are_refused_by_name() {
    type Edit = fn(&mut Film);
    let cases: [(Edit, ErrorKind, &str); 8] = [
        (
            |film| fs::remove_file(film.path("full.wav")).unwrap(),
            ErrorKind::Output,
            "full.wav: there is no such file, so no part of it can be replaced: deliver the whole without a range first",
        ),
        (
            |film| film.session.deliverables[0].format = Format::WAV_16,
            ErrorKind::Output,
            "full.wav: the file is WAV with 24 bits, the deliverable is wav16",
        ),
        (
            |film| film.session.deliverables[0].format = Format::WAV_32F,
            ErrorKind::Output,
            "full.wav: the file is WAV with 24 bits, the deliverable is wav32f",
        ),
        (
            |film| film.session.deliverables[0].rate = Some(SampleRate::HZ_44100),
            ErrorKind::Output,
            "the file is 48000 Hz, the deliverable is 44100 Hz",
        ),
        (
            |film| film.session.deliverables[0].layout = Some(Layout::Mono),
            ErrorKind::Output,
            "the file is stereo, the deliverable is mono",
        ),
        (
            |film| film.session.length = Some(Frames(480_001)),
            ErrorKind::Output,
            "the file is 00:00:10.000 (480000 frames) long, the deliverable is 00:00:10.000 (480001 frames) long",
        ),
        (
            |film| fs::write(film.path("full.wav"), "no audio").unwrap(),
            ErrorKind::Output,
            "full.wav: ",
        ),
        (
            |film| {
                let bytes = fs::read(film.path("full.wav")).unwrap();
                fs::write(film.path("full.wav"), &bytes[..bytes.len() / 2]).unwrap();
            },
            ErrorKind::Output,
            "full.wav: cut off at ",
        ),
    ];
    for (edit, kind, text) in cases {
        let mut film = long_film();
        film.promise(Deliverable::new("full", "full.wav"));
        Delivery::new().run(&film.session).unwrap();
        edit(&mut film);
        let (found, message) = refusal(&film, 0..1000);
        assert!(
            found == kind && message.contains(text),
            "{found:?} {message}"
        );
    }
}

#[test]
fn deliverables_that_have_no_parts_are_refused_by_name() {
    let target = LoudnessTarget::new(Lufs(-30.0));
    let mut film = long_film();
    let music = film.music;
    film.promise(
        Deliverable::new("full", "full.wav")
            .loudness(target.clone())
            .fit(true),
    );
    film.promise(Deliverable::new("stems", "{bus}.wav").stems([music]));
    Delivery::new().run(&film.session).unwrap();
    // The gain of a fitted file is known from a report alone.
    let (kind, text) = refusal(&film, 0..1000);
    assert_eq!(kind, ErrorKind::Session);
    assert!(
        text.contains("deliverable \"full\" is fitted to its loudness, and no JSON report"),
        "{text}"
    );
    film.promise(Deliverable::new("data", "data.json").report(true));
    let (kind, text) = refusal(&film, 0..1000);
    assert!(
        kind == ErrorKind::Output && text.contains("data.json: there is no such file"),
        "{text}"
    );
    for (report, expected) in [
        ("{", "data.json: is not the report of a delivery: EOF"),
        (
            "{\"deliverables\": []}",
            "data.json: has no gain that fits deliverable \"full\"",
        ),
    ] {
        fs::write(film.path("data.json"), report).unwrap();
        let (kind, text) = refusal(&film, 0..1000);
        assert!(
            kind == ErrorKind::Output && text.contains(expected),
            "{text}"
        );
    }
    film.session.deliverables[0].fit = false;
    film.session.deliverables[0].loudness = None;
    film.session.deliverables[1].loudness = Some(target);
    let (kind, text) = refusal(&film, 0..1000);
    assert!(
        kind == ErrorKind::Session && text.contains("\"stems\": stems are checked against"),
        "{text}"
    );
    film.session.deliverables[1].loudness = None;
    film.session.deliverables[1].format = Format::WAV_16;
    film.session.deliverables[1].dither = Some(Dither {
        seed: 0,
        shaping: Shaping::Weighted,
    });
    Delivery::new().overwrite(true).run(&film.session).unwrap();
    let (kind, text) = refusal(&film, 0..1000);
    assert!(
        kind == ErrorKind::Session
            && text.contains("\"stems\": ")
            && text.contains("weighted dither"),
        "{text}"
    );
    // A range of the timeline.
    for (range, expected) in [
        (
            10..10,
            "the range starts at 00:00:00.000 and ends at 00:00:00.000: it is empty",
        ),
        (
            480_000..480_001,
            "the range starts at 00:00:10.000, but the timeline ends at 00:00:10.000",
        ),
    ] {
        let (kind, text) = refusal(&film, range);
        assert!(
            kind == ErrorKind::InvalidArgument && text.contains(expected),
            "{text}"
        );
    }
    // Files are replaced only where that is allowed.
    film.session.deliverables[1].dither = None;
    let check = Delivery::new()
        .range(Frames(0)..Frames(10))
        .check(&film.session);
    assert!(check.unwrap_err().to_string().contains("exists already"));
    film.session.deliverables[0].file = Path::new("s3://bucket/full.wav").into();
    let check = Delivery::new()
        .overwrite(true)
        .range(Frames(0)..Frames(10))
        .check(&film.session);
    let text = check.unwrap_err().to_string();
    assert!(
        text.contains("s3://bucket/full.wav: is in a store"),
        "{text}"
    );
}
