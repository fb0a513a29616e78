//! CMX 3600: drop-frame, reels, clip names, channels, dissolves and speeds.

use super::{frame, notes, read, refused, survives_its_file};
use soundtrack::{FadeShape, FrameRate, Frames, interchange::Options};

fn fps(rate: FrameRate) -> Options {
    Options {
        fps: Some(rate),
        ..Options::default()
    }
}

const REEL: &str = "\
TITLE:   Reel 2
FCM: NON-DROP FRAME

001  AX       V     C        00:00:00:00 00:00:10:00 01:00:00:00 01:00:10:00
* FROM CLIP NAME: picture.mov
002  R1       A     C        00:00:04:00 00:00:06:00 01:00:01:12 01:00:03:12
* FROM CLIP NAME:  rain.wav
003  R1       A     C        00:00:00:00 00:00:00:00 01:00:03:12 01:00:03:12
003  R2       A     D    012 00:00:01:00 00:00:03:00 01:00:03:12 01:00:05:12
* FROM CLIP NAME: rain.wav
* TO CLIP NAME: wind.wav
004  BL       A     D    006 00:00:00:00 00:00:01:00 01:00:05:12 01:00:06:12
005  DOOR     AA/V  C        00:00:00:00 00:00:01:00 01:00:08:00 01:00:09:00
006  R3       NONE  C        00:00:00:00 00:00:01:00 01:00:09:00 01:00:10:00
AUD  3    4
* SOURCE FILE: sub/crowd.wav
007  R4       A     C        00:00:00:00 00:00:01:00 01:00:11:00 01:00:13:00
M2   R4       012.0                00:00:00:00
* FROM CLIP NAME: slow.wav
";

#[test]
fn events_become_clips_and_dissolves_crossfades() {
    let imported = read(REEL, "r.edl", &fps(FrameRate::FPS_24));
    let session = &imported.session;
    assert_eq!(session.title, "Reel 2");
    assert_eq!(session.start.unwrap().to_string(), "01:00:00:00");
    let names: Vec<_> = session
        .tracks()
        .iter()
        .map(|t| t.strip.name.as_str())
        .collect();
    assert_eq!(names, ["A1", "A1+A2", "A3+A4"]);
    let [rain, wind] = session.tracks()[0].clips.as_slice() else {
        panic!("{:?}", session.tracks()[0])
    };
    assert_eq!(
        (
            rain.input.to_string().as_str(),
            wind.input.to_string().as_str()
        ),
        ("rain.wav", "wind.wav")
    );
    // 24 fps at 48 kHz: 2000 frames each.
    assert_eq!(frame(rain.at, session), Frames(2000 * 36));
    assert_eq!(rain.from, Frames(2000 * 96));
    // Two seconds, and the half second of the dissolve.
    assert_eq!(rain.length, Some(Frames(2000 * (48 + 12))));
    assert_eq!(
        (wind.crossfade.length, wind.crossfade.shape),
        (Frames(24_000), FadeShape::EqualPower)
    );
    // The dissolve to black adds a quarter of a second and fades it out.
    assert_eq!(wind.length, Some(Frames(2000 * (48 + 6))));
    assert_eq!(wind.fade_out.length, Frames(12_000));
    assert_eq!(
        session.tracks()[2].clips[0].input.to_string(),
        "sub/crowd.wav"
    );
    let notes = notes(&imported);
    assert!(
        notes
            .iter()
            .any(|n| n == "line 4: event 001 has picture only: it is left out"),
        "{notes:?}"
    );
    assert!(
        notes
            .iter()
            .any(|n| n.starts_with("line 18: event 007 plays at 012.0 frames per second")),
        "{notes:?}"
    );
    survives_its_file(session);
}

#[test]
fn drop_frame_counts_as_the_standard_says() {
    let text =
        "TITLE: x\nFCM: DROP FRAME\n001 AX A C 00:00:00;00 00:01:00;02 01:00:59;29 01:02:00;02\n";
    let imported = read(text, "r.edl", &Options::default());
    let session = &imported.session;
    assert_eq!(session.fps, Some(FrameRate::FPS_29_97_DF));
    let clip = &session.tracks()[0].clips[0];
    // 01:01:00;02 follows 01:00:59;29, and a minute has 1798 labels: 1799 picture frames of 1601.6 audio frames.
    assert_eq!(clip.length, Some(Frames((1799 * 8008 + 2) / 5)));
    let error = refused(
        text.replace("01:00:59;29", "01:01:00;01"),
        "r.edl",
        &Options::default(),
    );
    assert!(
        error.contains("r.edl: line 3: 01:01:00;01 is left out by drop-frame"),
        "{error}"
    );
    survives_its_file(session);
}

#[test]
fn source_times_count_from_the_time_reference_of_the_file() {
    use soundtrack::{Bounce, Layout, SampleRate, Session, Spec, Timecode, Track, media::Memory};
    let folder = tempfile::tempdir().unwrap();
    let spec = Spec {
        rate: SampleRate::HZ_48000,
        layout: Layout::Mono,
    };
    let mut take = Session::new(spec.rate, spec.layout);
    let start = Timecode::parse("09:15:00:00", FrameRate::FPS_24).unwrap();
    (take.fps, take.start) = (Some(FrameRate::FPS_24), Some(start));
    take.add_track(Track::new(
        "x",
        Memory::new(spec, vec![vec![0.5; 96_000]]).unwrap(),
    ));
    Bounce::new()
        .run(&take, folder.path().join("take.wav"))
        .unwrap();
    let list = folder.path().join("r.edl");
    std::fs::write(&list, "TITLE: x\n001 R1 A C 09:15:00:12 09:15:01:12 01:00:00:00 01:00:01:00\n* FROM CLIP NAME: take.wav\n").unwrap();
    let imported = soundtrack::interchange::read(&list, &fps(FrameRate::FPS_24)).unwrap();
    assert_eq!(imported.session.tracks()[0].clips[0].from, Frames(24_000));
    assert!(imported.notes.is_empty(), "{:?}", imported.notes);
}

#[test]
fn wrong_lines_are_named() {
    let of = |text: &str| refused(text, "r.edl", &fps(FrameRate::FPS_25));
    for (text, wanted) in [
        (
            "001 AX A C 00:00:00:00 00:00:01:00 00:00:00:00",
            "line 1: an event ends in four timecodes",
        ),
        (
            "TITLE: x\n001 AX A D 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00",
            "line 2: a dissolve states its length in frames",
        ),
        (
            "001 AX A Q 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00",
            "\"Q\" is no transition",
        ),
        (
            "001 AX A C 00:00:00:00 00:00:01:25 00:00:00:00 00:00:01:00",
            "the last frame of a second is 24 at 25 fps",
        ),
        (
            "001 AX A C 00:00:00:00 00:00:01:00 00:00:02:00 00:00:01:00",
            "ends before it begins",
        ),
        (
            "001 AX X9 C 00:00:00:00 00:00:01:00 00:00:02:00 00:00:03:00",
            "\"X9\" names no channels",
        ),
        ("hello", "it is no CMX 3600 EDL"),
    ] {
        let error = of(text);
        assert!(error.contains(wanted), "{error}");
    }
    let error = refused(
        "001 AX A C 00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00",
        "r.edl",
        &Options::default(),
    );
    assert!(
        error.contains("line 1: an EDL does not state its frame rate: give it as fps (--fps 24)"),
        "{error}"
    );
}
