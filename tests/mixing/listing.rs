//! Listings of an album: a `.cue` file and `album.json` beside the files of its pieces.

use soundtrack::{
    Bus, Cue, Deliverable, Delivery, Format, Layout, Load, SampleRate, Session, Track,
};
use soundtrack_test_support::renders::stem;
use std::fs;

fn film() -> Session {
    let mut film = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    film.album.title = "Storm/\"Sea\"".into();
    film.album.artist = "Various Artists".into();
    film.album.date = "2026".into();
    film.album.upc = "00602547924032".into();
    let music = film.add_bus(Bus::new("music"));
    let noise = |seed, frames| stem(seed, 48_000, Layout::Stereo, frames);
    film.add_cue(
        Cue::new("storm")
            .title("The \"Storm\"")
            .artist("The Harbour Orchestra")
            .composer("A. Writer (PRS) 60%")
            .composer("B. Writer 40%")
            .isrc("GB-ABC-26-00001")
            .track(Track::new("t", noise(1, 96_000)).to(music)),
    );
    film.add_cue(
        Cue::new("muted")
            .mute(true)
            .track(Track::new("t", noise(3, 480))),
    );
    film.add_cue(Cue::new("calm").track(Track::new("t", noise(2, 72_000))));
    film
}

#[test]
fn an_album_is_listed_with_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut film = film();
    let album = Deliverable::new("album", at("out/{nn} {cue}.flac")).album(true);
    film.deliverables = vec![album.format(Format::FLAC_24).listing(true)];
    let done = Delivery::new().run(&film).unwrap();
    assert_eq!(done.renders, 2);
    let contents: Vec<_> = done.deliverables[0]
        .files
        .iter()
        .map(|f| f.content.as_str())
        .collect();
    assert_eq!(contents, ["cue", "cue", "listing", "listing"]);
    let cue = fs::read_to_string(at("out/Storm--Sea-.cue")).unwrap();
    let golden = [
        "REM DATE 2026",
        "CATALOG 0602547924032",
        "PERFORMER \"Various Artists\"",
        "TITLE \"Storm/'Sea'\"",
        "FILE \"01 The -Storm-.flac\" WAVE",
        "  TRACK 01 AUDIO",
        "    TITLE \"The 'Storm'\"",
        "    PERFORMER \"The Harbour Orchestra\"",
        "    SONGWRITER \"A. Writer; B. Writer\"",
        "    ISRC GBABC2600001",
        "    INDEX 01 00:00:00",
        "FILE \"02 calm.flac\" WAVE",
        "  TRACK 02 AUDIO",
        "    TITLE \"calm\"",
        "    PERFORMER \"Various Artists\"",
        "    INDEX 01 00:00:00",
        "",
    ];
    assert_eq!(cue, golden.join("\r\n"));
    let text = fs::read_to_string(at("out/album.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["title"], "Storm/\"Sea\"");
    assert_eq!(json["duration_s"], 3.5);
    let tracks = json["tracks"].as_array().unwrap();
    assert_eq!(tracks.len(), 2);
    assert_eq!(
        (&tracks[0]["frames"], &tracks[1]["frames"]),
        (&96_000.into(), &72_000.into())
    );
    assert_eq!(
        tracks[0]["composers"],
        serde_json::json!(["A. Writer", "B. Writer"])
    );
    assert_eq!(tracks[1]["file"], "02 calm.flac");
    let mix = &done.deliverables[0].files[0].report.mix;
    assert_eq!(tracks[0]["integrated_lufs"].as_f64(), mix.integrated_lufs);
    // The loudness of the album lies between those of its pieces.
    let of = |value: &serde_json::Value| value["integrated_lufs"].as_f64().unwrap();
    let (one, two, all) = (of(&tracks[0]), of(&tracks[1]), of(&json));
    assert!(
        one.min(two) <= all && all <= one.max(two),
        "{one} {two} {all}"
    );
}

#[test]
fn the_numbers_of_pieces_are_those_of_their_album() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut film = film();
    let muted = film.part("cue.storm").unwrap();
    // The first album makes the render of the last cue before the second needs the first cue.
    film.deliverables = vec![
        Deliverable::new("short", at("a/{cue}.wav"))
            .album(true)
            .mute(muted),
        Deliverable::new("long", at("b/{nn} {cue}.wav"))
            .album(true)
            .listing(true),
    ];
    Delivery::new().run(&film).unwrap();
    let text = fs::read_to_string(at("b/album.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let frames: Vec<_> = json["tracks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| &t["frames"])
        .collect();
    assert_eq!(frames, [96_000, 72_000]);
}

#[test]
fn an_album_and_its_listing_need_no_stem_of_the_timeline() {
    let folder = tempfile::tempdir().unwrap();
    let mut film = film();
    film.add_track(Track::new("lost", "/nowhere/lost.wav"));
    let album = Deliverable::new("album", folder.path().join("{cue}.wav")).album(true);
    film.deliverables = vec![album.listing(true)];
    let done = Delivery::new().run(&film).unwrap();
    assert_eq!((done.renders, done.deliverables[0].files.len()), (2, 4));
}

#[test]
fn listings_need_an_album_a_name_and_one_folder() {
    let refused = |deliver: &str| {
        let text = format!(
            "rate = 48000\n[cue.c.track.t]\nfile = \"a.wav\"\n[deliver.x]\nlisting = true\n{deliver}"
        );
        let e = Load::default().text(&text, "s.toml").unwrap_err();
        e.problems()[0].to_string()
    };
    let text = refused("file = \"a.wav\"\n");
    assert!(
        text.contains("a listing is for an album, as in album = true"),
        "{text}"
    );
    let text = refused("file = \"{cue}.wav\"\nalbum = true\n");
    assert!(text.contains("its listing has no name"), "{text}");
    let text = refused("file = \"{nn}/a.wav\"\nalbum = true\n[album]\ntitle = \"x\"\n");
    assert!(
        text.contains("{nn} gives each piece a folder of its own"),
        "{text}"
    );
}
