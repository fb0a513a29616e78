//! `import` and `export`: files of other programs become sessions that mix, and sessions become theirs.

use soundtrack_test_support::desk::Desk;
use std::fs;

const REEL: &str = "\
TITLE: Reel 2
FCM: NON-DROP FRAME
001  AX  V  C  00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00
002  AX  A  C  00:00:00:00 00:00:00:12 01:00:00:00 01:00:00:12
* FROM CLIP NAME: a.wav
003  BX  A2 C  00:00:00:06 00:00:00:12 01:00:00:12 01:00:00:18
* FROM CLIP NAME: b.wav
";

#[test]
fn an_edl_becomes_a_session_that_mixes_as_its_hand_written_twin() {
    let desk = Desk::with_tones();
    desk.write("reel.edl", REEL);
    let refused = desk.run(&["import", "reel.edl"]);
    refused.expect(
        3,
        "reel.edl: line 3: an EDL does not state its frame rate: give it as fps (--fps 24)",
    );
    let imported = desk.run(&["import", "reel.edl", "--fps", "24"]);
    imported.expect(
        0,
        "warning: reel.edl: line 3: event 001 has picture only: it is left out",
    );
    assert!(
        imported
            .err
            .contains("wrote reel.toml with 2 tracks and 2 clips"),
        "{}",
        imported.err
    );
    desk.run(&["import", "reel.edl", "--fps", "24"])
        .expect(5, "reel.toml: exists already; use --force to replace it");
    let text = fs::read_to_string(desk.path("reel.toml")).unwrap();
    assert_eq!(
        text,
        "# Imported from reel.edl (CMX 3600 EDL). Mix it with `mixdown FILE`, see what would be rendered with `mixdown plan FILE`.\n\
         # docs/session-keys.md describes every key.\n\n\
         title = \"Reel 2\"\nrate = 48000\nlayout = \"stereo\"\nfps = \"24\"\nstart = \"01:00:00:00\"\n\n\
         [track.A1]\nfile = \"a.wav\"\nat = \"01:00:00:00\"\nlength = \"0.5s\"\n\n\
         [track.A2]\nfile = \"b.wav\"\nat = \"01:00:00:12\"\nfrom = \"0.25s\"\nlength = \"0.25s\"\n"
    );
    desk.write(
        "twin.toml",
        "rate = 48000\n[track.a]\nfile = \"a.wav\"\nlength = \"500ms\"\n[track.b]\nfile = \"b.wav\"\nat = \"500ms\"\nfrom = \"250ms\"\nlength = \"250ms\"\n",
    );
    // The metadata of the files differ, their samples do not.
    desk.run(&["reel.toml", "-o", "reel.wav"]).expect(0, "");
    desk.run(&["twin.toml", "-o", "twin.wav"]).expect(0, "");
    desk.run(&["compare", "-q", "reel.wav", "twin.wav"])
        .expect(0, "");
}

#[test]
fn spotting_and_markers_go_into_a_session_that_keeps_its_comments() {
    let desk = Desk::with_tones();
    let film = "rate = 48000\nfps = \"24\"\nstart = \"01:00:00:00\" # of the reel\n\n[cue.storm]\nat = \"01:00:02:00\"\n[cue.storm.track.a]\nfile = \"a.wav\" # the second take\n";
    desk.write("film.toml", film);
    desk.run(&["export", "film.toml", "-o", "spotting.csv"])
        .expect(0, "wrote spotting.csv");
    assert_eq!(
        fs::read_to_string(desk.path("spotting.csv")).unwrap(),
        "timecode,cue,in,out,title,usage,marker\r\n01:00:02:00,storm,0s,,,,\r\n"
    );
    desk.write(
        "new.csv",
        "timecode,cue,in,out,title,usage,marker\n01:00:03:12,storm,0s,,,BI,\n01:00:04:00,,,,,,the boat\n",
    );
    desk.run(&["import", "new.csv", "--into", "film.toml"])
        .expect(0, "added 1 marker and 1 cue to film.toml");
    let text = fs::read_to_string(desk.path("film.toml")).unwrap();
    for wanted in [
        "# of the reel",
        "# the second take",
        "at = \"01:00:03:12\"",
        "usage = \"BI\"",
        "the boat",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    desk.write("labels.txt", "1.5\t1.5\thit\n");
    desk.run(&["import", "labels.txt", "--into", "film.toml", "--fps", "24"])
        .expect(
            2,
            "--into takes rate, layout, frame rate and start from the session",
        );
    desk.run(&["import", "labels.txt", "--into", "film.toml"])
        .expect(0, "added 1 marker and 0 cues to film.toml");
    desk.run(&["import", "labels.txt", "-o", "markers.toml"])
        .expect(0, "wrote markers.toml with 1 marker");
    desk.run(&["export", "film.toml", "-o", "film.rpp"]).expect(
        2,
        "-o film.rpp: a session is exported as .dawproject, or as .csv for spotting",
    );
    desk.write("out.toml", "[track.a]\nfile = \"../a.wav\"\n");
    desk.run(&["export", "out.toml", "-o", "out.dawproject"])
        .expect(3, "hint: use --outside to allow it");
    desk.run(&["import", "film.als"])
        .expect(4, "film.als: the extension names no format that is read");
    desk.run(&["import", "none.rpp"]).expect(4, "none.rpp: ");
}

#[test]
fn a_dawproject_goes_out_and_comes_back_and_mixes_to_the_same_bytes() {
    let desk = Desk::with_tones();
    desk.write(
        "song.toml",
        "title = \"Song\"\nrate = 48000\nlayout = \"stereo\"\n[master]\ngain = -3\n[bus.band]\ngain = -1.5\n[track.a]\nfile = \"a.wav\"\nbus = \"band\"\npan = \"L20\"\n[track.b]\nfile = \"b.wav\"\nat = \"100ms\"\nlength = \"500ms\"\nfade_out = \"20ms\"\n",
    );
    desk.run(&["export", "song.toml", "-o", "song.dawproject"])
        .expect(0, "wrote song.dawproject");
    desk.run(&["export", "song.toml", "-o", "song.dawproject"])
        .expect(5, "--force");
    desk.run(&["import", "song.dawproject", "-o", "again.toml"])
        .expect(0, "wrote again.toml with 2 tracks, 2 clips and 1 bus");
    assert!(desk.path("again.audio/a.wav").is_file());
    desk.run(&["song.toml", "-o", "song.wav"]).expect(0, "");
    desk.run(&["again.toml", "-o", "again.wav"]).expect(0, "");
    assert_eq!(
        fs::read(desk.path("song.wav")).unwrap(),
        fs::read(desk.path("again.wav")).unwrap()
    );
}

#[test]
fn a_session_whose_files_lie_elsewhere_is_mixed_with_outside() {
    let desk = Desk::with_tones();
    fs::create_dir(desk.path("sub")).unwrap();
    desk.write(
        "song.rpp",
        "<REAPER_PROJECT 0.1\n<TRACK\nNAME A\n<ITEM\nPOSITION 0\nLENGTH 1\n<SOURCE WAVE\nFILE a.wav\n>\n>\n>\n>\n",
    );
    desk.run(&["import", "song.rpp", "-o", "sub/song.toml"])
        .expect(
            0,
            "sub/song.toml: names files outside its folder: mix it with --outside",
        );
    desk.run(&["sub/song.toml", "--outside", "-o", "song.wav"])
        .expect(0, "");
}
