//! Spotting as CSV in both directions, and markers of Audacity and REAPER.

use super::{frame, markers, notes, read, refused, survives_its_file};
use soundtrack::{
    At, FrameRate, Frames, Load, Session, Timecode,
    interchange::{self, FileKind, Options},
};

fn film() -> Options {
    Options {
        fps: Some(FrameRate::FPS_24),
        start: Some(Timecode::parse("01:00:00:00", FrameRate::FPS_24).unwrap()),
        ..Options::default()
    }
}

const SESSION: &str = "\
rate = 48000
layout = \"stereo\"
fps = \"24\"
start = \"01:00:00:00\"
marker = { \"20s\" = \"the boat\", \"8001 frames\" = \"=odd, one\" }

[cue.storm]
title = \"The Storm; a \\\"song\\\"\"
at = \"01:00:12:08\"
from = \"2s\"
length = \"30s\"
usage = \"BI\"
[cue.storm.track.celli]
file = \"celli.wav\"
[cue.storm.use]
reprise = { at = \"01:05:30:00\", from = \"38s\", length = \"12001 frames\" }
[cue.calm]
at = \"2.5s\"
[cue.calm.track.harp]
file = \"harp.wav\"
";

#[test]
fn spotting_goes_out_and_comes_back() {
    let session = Load::default().text(SESSION, "film.toml").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spotting.csv");
    let left_out = interchange::write(&session, &path, false).unwrap();
    assert!(left_out.is_empty(), "{left_out:?}");
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "timecode,cue,in,out,title,usage,marker",
            "8001 frames,,,,,,\"'=odd, one\"",
            "01:00:02:12,calm,0s,,,,",
            "01:00:12:08,storm,2s,32s,\"The Storm; a \"\"song\"\"\",BI,",
            "01:00:20:00,,,,,,the boat",
            "01:05:30:00,storm,38s,1836001 frames,,,",
        ]
    );
    let imported = interchange::read(&path, &film()).unwrap();
    assert_eq!(imported.kind, FileKind::Spotting);
    let note = "line 3: cue \"calm\" is taken to be the file calm.wav: state its tracks in the session (and 1 more)";
    assert_eq!(notes(&imported), [note]);
    let mut markers = session.markers.clone();
    markers.sort_by_key(|marker| marker.at);
    assert_eq!(imported.session.markers, markers);
    for cue in session.cues() {
        let read = imported
            .session
            .cues()
            .iter()
            .find(|c| c.name == cue.name)
            .unwrap();
        assert_eq!(read.title, cue.title);
        for (read, placement) in read.uses.iter().zip(&cue.uses) {
            assert_eq!(frame(read.at, &session), frame(placement.at, &session));
            assert_eq!((read.from, read.length), (placement.from, placement.length));
            assert_eq!(read.usage, placement.usage);
        }
        assert_eq!(read.uses.len(), cue.uses.len());
    }
    survives_its_file(&imported.session);
    // Into the session itself: its cues keep their tracks.
    let mut again = session.clone();
    assert_eq!(imported.add_spotting_to(&mut again).unwrap(), (2, 2));
    assert_eq!(again.markers, markers);
    assert_eq!(again.cues()[0].tracks, session.cues()[0].tracks);
    let error = interchange::write(&session, &path, false).unwrap_err();
    assert_eq!(error.io_kind(), Some(std::io::ErrorKind::AlreadyExists));
}

#[test]
fn a_list_of_a_spotting_session_places_cues_against_picture() {
    let text = "Cue;Title;TC In;TC Out;Notes\r\n1M1;Opening;01:00:10:00;01:00:40:12;\r\n1M2;;01:02:00:00;;\r\n;;01:03:00:00;;door slams\r\n";
    let imported = read(text, "spotting.csv", &film());
    let session = &imported.session;
    let opening = &session.cues()[0];
    assert_eq!(
        (opening.name.as_str(), opening.title.as_str()),
        ("1M1", "Opening")
    );
    assert_eq!(frame(opening.uses[0].at, session), Frames(480_000));
    assert_eq!(opening.uses[0].length, Some(Frames(61 * 24_000)));
    assert_eq!(session.cues()[1].uses[0].length, None);
    assert_eq!(session.markers[0].name, "door slams");
    assert_eq!(session.markers[0].at, Frames(180 * 48_000));
    survives_its_file(session);
}

#[test]
fn wrong_spotting_names_its_line() {
    let of = |text: &str| refused(text, "s.csv", &film());
    for (text, wanted) in [
        ("a,b\n1,2", "s.csv: line 1: names no columns that are read"),
        ("", "s.csv: is empty"),
        ("cue,in\nx,", "line 2: has no in"),
        (
            "cue,in\nx,99:00:00:00",
            "line 2: 99:00:00:00: a label goes up to 23 hours",
        ),
        ("cue,in\nx,00:59:00:00", "lies before the start"),
        (
            "cue,in,out\nx,01:00:02:00,01:00:01:00",
            "ends before it begins",
        ),
        (
            "timecode,cue,in,out\n01:00:00:00,x,5s,4s",
            "swap in and out",
        ),
        (
            "timecode,cue,in,out\n01:00:00:00,x,five,4s",
            "\"five\" is no time",
        ),
        ("cue,in\n\"x,1", "line 2: has a quote that is not closed"),
    ] {
        let error = of(text);
        assert!(error.contains(wanted), "{error}");
    }
    let error = refused("cue,in\nx,01:00:00:00", "s.csv", &Options::default());
    assert!(error.contains("give it as fps (--fps 24)"), "{error}");
    let error = refused(b"cue,in\nx,1\n\xff\xfe\n", "s.csv", &film());
    assert!(
        error.contains("line 3: has bytes that are no UTF-8 text"),
        "{error}"
    );
}

#[test]
fn labels_of_audacity_become_markers() {
    let text = "0.500000\t0.500000\tone\n\\\t100\t200\n2,25\t3.5\ta region\n1.0\t1.0\t\n";
    let imported = read(text, "labels.txt", &Options::default());
    assert_eq!(
        markers(&imported.session),
        [
            (24_000, "one"),
            (48_000, "marker"),
            (108_000, "a region"),
            (168_000, "a region (end)")
        ]
    );
    assert_eq!(
        notes(&imported),
        ["line 2: frequencies of labels are not carried"]
    );
    survives_its_file(&imported.session);
    let imported = read(
        "1\t1\tone\n1\t1\ttwo\n1\t1\ttwo\n",
        "labels.txt",
        &Options::default(),
    );
    assert_eq!(imported.session.markers[0].name, "one / two");
    assert_eq!(
        notes(&imported),
        ["markers \"one\" and \"two\" are at one frame: they become one"]
    );
    survives_its_file(&imported.session);
    for (text, wanted) in [
        ("hello", "line 1: is no label"),
        ("1\t0.5\tx", "line 1: the label ends before it begins"),
        ("1\t1e30\tx", "line 1: is no label"),
        ("nan\tnan\tx", "line 1: is no label"),
    ] {
        let error = refused(text, "labels.txt", &Options::default());
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn regions_and_markers_of_reaper() {
    let text = "#,Name,Start,End,Length\r\nM1,Verse,0:01.500,,\r\nR1,\"Chorus, loud\",1:02.000,1:32.250,0:30.250\r\nM2,,00:00:03:12,,\r\n";
    let imported = read(text, "regions.csv", &film_without_start());
    assert_eq!(imported.kind, FileKind::ReaperMarkers);
    assert_eq!(
        markers(&imported.session),
        [
            (72_000, "Verse"),
            (168_000, "M2"),
            (62 * 48_000, "Chorus, loud"),
            (92 * 48_000 + 12_000, "Chorus, loud (end)"),
        ]
    );
    let beats = "#,Name,Start\nM1,x,2.1.00\n";
    let error = refused(beats, "regions.csv", &Options::default());
    assert!(
        error.contains(
            "line 2: \"2.1.00\" is in bars and beats: set the ruler of REAPER to seconds"
        ),
        "{error}"
    );
}

fn film_without_start() -> Options {
    Options {
        fps: Some(FrameRate::FPS_24),
        ..Options::default()
    }
}

#[test]
fn drop_frame_timecode_goes_out_and_comes_back() {
    let fps = FrameRate::FPS_29_97_DF;
    let text = "rate = 48000\nfps = \"29.97df\"\nstart = \"01:00:00;00\"\n\
        marker = { \"01:01:00;02\" = \"boat\" }\n\
        [cue.calm]\nat = \"01:00:02;15\"\nmarker = { \"1s\" = \"harp\" }\ntrack = { harp = { file = \"harp.wav\" } }\n";
    let session = Load::default().text(text, "film.toml").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spotting.csv");
    let left_out = interchange::write(&session, &path, false).unwrap();
    let left_out: Vec<String> = left_out.iter().map(ToString::to_string).collect();
    assert_eq!(
        left_out,
        ["cue \"calm\": markers of cues are not carried: the list has those of the session"]
    );
    let list = std::fs::read_to_string(&path).unwrap();
    let options = Options {
        fps: Some(fps),
        start: session.start,
        ..Options::default()
    };
    // Spreadsheets and people write a colon before the frames, too.
    for list in [list.clone(), list.replace(';', ":")] {
        let imported = read(&list, "spotting.csv", &options);
        assert_eq!(
            notes(&imported),
            [
                "line 2: cue \"calm\" is taken to be the file calm.wav: state its tracks in the session"
            ]
        );
        assert_eq!(imported.session.markers, session.markers, "{list}");
        let uses = |session: &Session| session.cues()[0].uses[0].at;
        assert_eq!(uses(&imported.session), uses(&session), "{list}");
    }
}

#[test]
fn a_marker_before_others_is_added_to_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.toml");
    let text = "rate = 48000 # of picture\n\n[marker]\n\"4.5s\" = \"storm\" # at last\n\n[track.dx]\nfile = \"dx.wav\" # the best take\n";
    std::fs::write(&path, text).unwrap();
    let mut session = Session::load(&path).unwrap();
    let imported = read("2.5\t2.5\tthe boat\n", "labels.txt", &Options::default());
    imported.add_spotting_to(&mut session).unwrap();
    session.save(&path).unwrap();
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        text.replace("# at last\n", "# at last\n\"2.5s\" = \"the boat\"\n")
    );
    assert_eq!(Session::load(&path).unwrap(), session);
}

#[test]
fn a_session_keeps_its_comments_when_markers_are_added() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.toml");
    let text = "rate = 48000 # of picture\n\n[track.dx]\nfile = \"dx.wav\" # the best take\n";
    std::fs::write(&path, text).unwrap();
    let mut session = Session::load(&path).unwrap();
    let imported = read("2.5\t2.5\tthe boat\n", "labels.txt", &Options::default());
    imported.add_spotting_to(&mut session).unwrap();
    session.save(&path).unwrap();
    let saved = std::fs::read_to_string(&path).unwrap();
    assert!(
        saved.contains("# of picture") && saved.contains("# the best take"),
        "{saved}"
    );
    assert!(saved.contains("the boat"), "{saved}");
    assert_eq!(session.markers[0].at, Frames(120_000));
    assert!(matches!(
        session.tracks()[0].clips[0].at,
        At::Frames(Frames(0))
    ));
}
