//! Music cue sheets: one row for each placement of a cue.

use soundtrack::{Delivery, Load, Plan, Session, diagnostics::WarningKind};
use std::fs;

#[test]
fn shares_that_are_not_whole_are_warned_about_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.wav"), wav(100)).unwrap();
    let warnings = |credits: &str| -> Vec<String> {
        let text = format!(
            "rate = 48000\n[cue.c]\nat = \"0s\"\n{credits}\n[cue.c.track.t]\nfile = \"a.wav\"\n"
        );
        let session = Load::default()
            .text(&text, folder.path().join("s.toml"))
            .unwrap();
        let report = soundtrack::Bounce::new()
            .dry_run(Plan::compile(&session).unwrap())
            .unwrap();
        let shares = |kind: &WarningKind| matches!(kind, WarningKind::IncompleteShares { .. });
        let found = report.warnings.iter().filter(|w| shares(&w.kind));
        found.map(ToString::to_string).collect()
    };
    assert_eq!(
        warnings("composer = [\"A 60%\", \"B (PRS) 30%\"]\npublisher = \"C 50%\""),
        [
            "W125 cue \"c\": the shares of its composers add up to 90 %, not to 100 % (line 4)",
            "W125 cue \"c\": the shares of its publishers add up to 50 %, not to 100 % (line 5)",
        ]
    );
    let thirds = "composer = [\"A 33.3%\", \"B 33.3%\", \"C 33.3%\"]";
    for right in [
        thirds,
        "composer = \"A\"",
        "composer = [\"A 60%\", \"B 40%\"]",
    ] {
        assert_eq!(warnings(right), [""; 0], "{right}");
    }
}

/// A reel with two cues that overlap, an excerpt that the end of the reel cuts, a muted cue, one with
/// muted tracks and one without a placement.
const REEL: &str = r#"
title = "Reel 2"
rate = 48000
fps = "25"
start = "01:00:00:00"
length = "00:00:20:00"
[cue.storm]
title = "The \"Storm\", part 1"
artist = "The Harbour Orchestra"
composer = ["A. Writer (PRS) 60%", "B. Writer (GEMA) 40%"]
publisher = "Some Music Ltd (PRS) 100%"
isrc = "GB-ABC-26-00001"
at = "01:00:02:00"
usage = "BI"
track.t = { file = "ten.wav" }
[cue.storm.use.reprise]
at = "01:00:18:00"
from = "1s"
length = "4s"
usage = "VV"
[cue.tune]
title = "=HYPERLINK(1)"
kind = "song"
composer = "Trad."
at = "01:00:06:12"
track.t = { file = "ten.wav" }
[cue.muted]
mute = true
at = "01:00:00:00"
track.t = { file = "ten.wav" }
[cue.silent]
at = "01:00:00:00"
track.t = { file = "ten.wav", mute = true }
[cue.unplaced]
track.t = { file = "ten.wav" }
[deliver.sheet]
file = "out/{title} cue sheet.csv"
cue_sheet = true
[deliver.machine]
file = "out/cues.JSON"
cue_sheet = true
[deliver.without]
file = "out/without.csv"
cue_sheet = true
mute = ["cue.storm"]
"#;

#[test]
fn every_placement_that_sounds_is_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("ten.wav"), wav(480_000)).unwrap();
    fs::write(at("reel.toml"), REEL).unwrap();
    let film = Session::load(at("reel.toml")).unwrap();
    let done = Delivery::new().run(&film).unwrap();
    // No audio is rendered.
    assert_eq!(done.renders, 0);
    let file = &done.deliverables[0].files[0];
    assert_eq!(
        (file.content.as_str(), file.is_audio()),
        ("cue sheet", false)
    );
    assert_eq!(file.report.format.as_deref(), Some("csv"));
    // The storm sounds from 2 to 12 s and from 18 s to the end at 20 s, the tune from 6.48 to 16.48 s.
    let head =
        "number,title,usage,in,out,duration,composers,publishers,artist,isrc,kind,source\r\n";
    let tune = ",'=HYPERLINK(1),,01:00:06:12,01:00:16:12,00:00:10.000,Trad.,,,,song,cue.tune\r\n";
    let golden = [
        head,
        "1,\"The \"\"Storm\"\", part 1\",BI,01:00:02:00,01:00:12:00,00:00:10.000,\
         A. Writer (PRS) 60%; B. Writer (GEMA) 40%,Some Music Ltd (PRS) 100%,The Harbour Orchestra,\
         GBABC2600001,score,cue.storm\r\n",
        "2",
        tune,
        "3,\"The \"\"Storm\"\", part 1\",VV,01:00:18:00,01:00:20:00,00:00:02.000,\
         A. Writer (PRS) 60%; B. Writer (GEMA) 40%,Some Music Ltd (PRS) 100%,The Harbour Orchestra,\
         GBABC2600001,score,cue.storm.use.reprise\r\n",
        "total,Reel 2,,,,00:00:16.480,,,,,,\r\n",
    ]
    .concat();
    let sheet = fs::read_to_string(at("out/Reel 2 cue sheet.csv")).unwrap();
    assert_eq!(sheet, golden);
    let without = fs::read_to_string(at("out/without.csv")).unwrap();
    let total = "total,Reel 2,,,,00:00:10.000,,,,,,\r\n";
    assert_eq!(without, [head, "1", tune, total].concat());

    let text = fs::read_to_string(at("out/cues.JSON")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["music_s"], 16.48);
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        (
            &rows[2]["in_frame"],
            &rows[2]["out_frame"],
            &rows[2]["excerpt"]
        ),
        (&864_000.into(), &960_000.into(), &true.into())
    );
    assert_eq!(
        (&rows[0]["excerpt"], &rows[1]["kind"]),
        (&false.into(), &"song".into())
    );
    assert_eq!(
        rows[0]["composers"][1],
        serde_json::json!({ "name": "B. Writer", "society": "GEMA", "share_percent": 40.0 })
    );
    assert_eq!(
        rows[1]["composers"][0]["share_percent"],
        serde_json::Value::Null
    );
    assert_eq!(rows[1]["title"], "=HYPERLINK(1)");

    // Existing files are refused, and a sheet appears together with the audio of its run or not at all.
    assert!(
        Delivery::new()
            .run(&film)
            .unwrap_err()
            .to_string()
            .contains("exists already")
    );
    let again = Delivery::new().overwrite(true).run(&film).unwrap();
    assert_eq!(
        again.deliverables[0].files[0].report.bytes,
        golden.len() as u64
    );
}

#[test]
fn a_cue_sheet_has_a_name_of_its_own_and_no_audio() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ten.wav"), wav(480_000)).unwrap();
    let refused = |from: &str, to: &str| {
        let text = REEL.replace(from, to);
        assert_ne!(text, REEL);
        let e = Load::default()
            .text(&text, folder.path().join("s.toml"))
            .unwrap_err();
        e.problems()[0].to_string()
    };
    assert!(
        refused("out/without.csv", "out/without.wav")
            .contains("file: a cue sheet is a .csv or .json file: name it without.csv")
    );
    assert!(
        refused("mute = [\"cue.storm\"]", "album = true")
            .contains("it is a cue sheet and audio: make two deliverables of it")
    );
    // Saving keeps the key.
    let film = Load::default()
        .text(REEL, folder.path().join("s.toml"))
        .unwrap();
    assert_eq!(
        film.to_text_like(REEL, folder.path().join("s.toml"))
            .unwrap(),
        REEL
    );
    let new = film.to_text(folder.path().join("s.toml")).unwrap();
    assert_eq!(new.matches("cue_sheet = true").count(), 3);
    assert_eq!(
        Load::default()
            .text(&new, folder.path().join("s.toml"))
            .unwrap(),
        film
    );
}

/// Returns a WAVE file of silence.
fn wav(frames: u32) -> Vec<u8> {
    let bytes = 2 * frames;
    let mut out = b"RIFF".to_vec();
    out.extend((bytes + 36).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\xBB\0\0\0\x77\x01\0\x02\0\x10\0data");
    out.extend(bytes.to_le_bytes());
    out.resize(44 + bytes as usize, 0);
    out
}
