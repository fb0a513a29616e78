//! REAPER: a song renders the same samples as its hand-written twin, and what is not carried is named.

use super::{markers, notes, read, refused, stems, survives_its_file};
use soundtrack::{
    Decibels, FadeShape, Frames, Load, Pan, SampleRate, Shape,
    interchange::{self, Options},
};

/// Four tracks: two in a folder, one with a send to a track without items, one apart.
const SONG: &str = r#"<REAPER_PROJECT 0.1 "6.80/linux-x86_64" 1690000000
  RIPPLE 0
  SAMPLERATE 48000 1 0
  TEMPO 120 4 4
  PANLAW 1
  MASTER_VOLUME 0.70794578438414 0 -1 -1 1
  MARKER 1 0.5 "Verse 1" 0
  MARKER 2 1 Chorus 1 0 1 R {A}
  MARKER 2 1.5 "" 1
  <TRACK {1}
    NAME Band
    VOLPAN 0.5 0 -1 -1 1
    MUTESOLO 0 0 0
    ISBUS 1 1
  >
  <TRACK {2}
    NAME "Drums"
    VOLPAN 1 -0.25 -1 -1 1
    ISBUS 0 0
    <ITEM
      POSITION 0
      LENGTH 1
      LOOP 1
      FADEIN 0 0.01 0 0 0 0 0
      FADEOUT 0 0.25 0 0 0 0 0
      VOLPAN 1 0 1 -1
      SOFFS 0
      PLAYRATE 1 1 0 -1 0 0.0025
      NAME drums.wav
      <SOURCE WAVE
        FILE "drums.wav"
      >
    >
    <ITEM
      POSITION 1.25
      LENGTH 0.5
      LOOP 0
      SOFFS 0.125
      VOLPAN 0.25 0 1 -1
      NAME again
      <SOURCE WAVE
        FILE "C:\music\drums.wav"
      >
    >
  >
  <TRACK {3}
    NAME Bass
    VOLPAN 0.8 0.5 -1 -1 1
    ISBUS 2 -1
    IPHASE 1
    <ITEM
      POSITION 0.1
      LENGTH 1.6
      LOOP 1
      NAME bass
      <SOURCE WAVE
        FILE "bass.wav"
      >
    >
  >
  <TRACK {4}
    NAME Vox
    VOLPAN 1 0 -1 -1 1
    <VOLENV2
      ACT 1 -1
      PT 0 1 1
      PT 0.5 0.25 1
      PT 1 0 0
      PT 1.5 1 0
    >
    <ITEM
      POSITION 0.2
      LENGTH 1.5
      LOOP 0
      NAME vox
      <SOURCE WAVE
        FILE "vox.wav"
      >
    >
  >
  <TRACK {5}
    NAME Hall
    VOLPAN 0.5 0 -1 -1 1
    AUXRECV 3 0 0.25 0 0 0 0 0 0 -1:U 0 -1 ''
  >
  <TRACK {6}
    NAME Muted
    MUTESOLO 1 0 0
    <ITEM
      POSITION 0
      LENGTH 1
      LOOP 0
      <SOURCE WAVE
        FILE "vox.wav"
      >
    >
  >
>
"#;

/// The same by hand. 20 log10 of 0.70794578438414 is −3, of 0.5 −6.0206, of 0.8 −1.9382, of 0.25 −12.0412.
const TWIN: &str = r#"
rate = 48000
layout = "stereo"
pan_law = "balance"
[master]
gain = -3
[bus.Band]
gain = -6.0206
[bus.Hall]
gain = -6.0206
[track.Drums]
pan = "L25"
bus = "Band"
[track.Drums.clip]
"drums.wav" = { file = "drums.wav", length = "1s", fade_in = "10ms", fade_out = "250ms" }
again = { file = "drums.wav", at = "1.25s", from = "125ms", length = "500ms", gain = -12.0412 }
[track.Bass]
gain = -1.9382
pan = "R50"
bus = "Band"
invert = true
[track.Bass.clip]
bass = { file = "bass.wav", at = "100ms", length = "600ms" }
"bass 2" = { file = "bass.wav", at = "700ms", length = "600ms" }
"bass 3" = { file = "bass.wav", at = "1300ms", length = "400ms" }
[track.Vox]
file = "vox.wav"
at = "200ms"
length = "1.5s"
send = { Hall = -12.0412 }
automation.gain = ["0s 0", "500ms -12.0412 step", "1s -inf step", "1500ms 0"]
[track.Muted]
file = "vox.wav"
length = "1s"
mute = true
"#;

#[test]
fn a_song_renders_the_samples_of_its_hand_written_twin() {
    let folder = tempfile::tempdir().unwrap();
    for (seed, (name, channels, frames)) in (1..).zip([
        ("drums.wav", 2, 72_000),
        ("bass.wav", 1, 28_800),
        ("vox.wav", 1, 96_000),
    ]) {
        stems::write(folder.path(), name, channels, frames, seed);
    }
    let project = folder.path().join("song.rpp");
    std::fs::write(&project, SONG).unwrap();
    let imported = interchange::read(&project, &Options::default()).unwrap();
    let twin = Load::default()
        .text(TWIN, folder.path().join("twin.toml"))
        .unwrap();
    assert_eq!(notes(&imported), [""; 0]);
    let session = &imported.session;
    // REAPER's linear levels are the twin's to a millionth of a decibel.
    for (own, twin) in session.tracks().iter().zip(twin.tracks()) {
        assert_eq!(own.strip.name, twin.strip.name);
        assert!((own.strip.gain.0 - twin.strip.gain.0).abs() < 1e-4);
        assert_eq!(own.strip.pan, twin.strip.pan);
        let times = |track: &soundtrack::Track| -> Vec<_> {
            let clips = track.clips.iter();
            clips
                .map(|c| {
                    (
                        c.name.clone(),
                        c.at,
                        c.from,
                        c.length,
                        c.fade_in,
                        c.fade_out,
                    )
                })
                .collect()
        };
        assert_eq!(times(own), times(twin), "{}", own.strip.name);
    }
    // With the twin's rounder levels the samples are equal to the last bit.
    let mut rounded = session.clone();
    let round = |level: &mut Decibels| {
        if level.0.is_finite() {
            level.0 = (level.0 * 1e4).round() / 1e4;
        }
    };
    for track in rounded.tracks_mut() {
        round(&mut track.strip.gain);
        track
            .strip
            .sends
            .iter_mut()
            .for_each(|send| round(&mut send.gain));
        track
            .clips
            .iter_mut()
            .for_each(|clip| round(&mut clip.gain));
        let points = track.strip.gain_curve.points.iter_mut();
        points.for_each(|point| round(&mut point.value));
    }
    for bus in rounded.buses_mut() {
        round(&mut bus.strip.gain);
    }
    stems::assert_same(
        &stems::render(&rounded, 96_000),
        &stems::render(&twin, 96_000),
    );
    assert_eq!(
        markers(session),
        [
            (24_000, "Verse 1"),
            (48_000, "Chorus"),
            (72_000, "Chorus (end)")
        ]
    );
    // Saved and loaded it is the same.
    let text = session.to_text(folder.path().join("song.toml")).unwrap();
    let again = Load::default()
        .text(text.as_str(), folder.path().join("song.toml"))
        .unwrap();
    assert_eq!(again, *session, "{text}");
    // A track's clips are lines of one section.
    let drums = "[track.Drums.clip]\n\"drums.wav\" = { file = \"drums.wav\", length = \"1s\", fade_in = \"0.01s\", fade_out = \"0.25s\" }\nagain = {";
    assert!(text.contains(drums), "{text}");
}

/// A project with one track of these lines.
fn track(lines: &str) -> String {
    format!("<REAPER_PROJECT 0.1\n<TRACK\nNAME T\n{lines}\n>\n>\n")
}

/// An item with these lines.
fn item(lines: &str) -> String {
    format!("<ITEM\nPOSITION 1\nLENGTH 2\nNAME i\n{lines}\n<SOURCE WAVE\nFILE a.wav\n>\n>")
}

#[test]
fn what_is_not_carried_is_named_with_its_line() {
    for (lines, wanted) in [
        (
            item("PLAYRATE 1.5 1 0"),
            "line 8: item \"i\" of track \"T\" plays at 1.5 times the speed",
        ),
        (
            item("PLAYRATE 1 1 -2"),
            "line 8: item \"i\" of track \"T\" is transposed",
        ),
        (
            item("TAKE\nNAME other"),
            "line 4: item \"i\" of track \"T\" has several takes",
        ),
        (
            item("FADEIN 1 0.5 0"),
            "has shape 1 of REAPER, which is carried as equal-power",
        ),
        (
            item("VOLPAN 1 0.5 1 -1"),
            "the pan of item \"i\" of track \"T\" is not carried",
        ),
        (item("CHANMODE 1"), "the channel mode of item \"i\""),
        (
            "<ITEM\nPOSITION 0\nLENGTH 1\n<SOURCE MIDI\nHASDATA 1\n>\n>".to_owned(),
            "line 7: item \"\" of track \"T\" is \"MIDI\" and no audio file",
        ),
        (
            format!(
                "{}\n<FXCHAIN\nSHOW 0\n<VST \"VST: ReaComp\" x\nbase64=\n>\n>",
                item("")
            ),
            "the plug-ins of track \"T\" are not carried (VST: ReaComp)",
        ),
        (
            format!("{}\n<PANENV2\nACT 1\nPT 0 1 0\n>", item("")),
            "<PANENV2 of track \"T\", an envelope, is not carried",
        ),
        (
            format!("{}\n<VOLENV2\nACT 1\nPT 0 1 0\nPT 1 0.5 0\n>", item("")),
            "between the same points its level moves in straight lines of dB",
        ),
        (
            format!("{}\nPANMODE 6", item("")),
            "the pan mode of track \"T\" is not carried",
        ),
        (
            String::new(),
            "track \"T\" has no audio item: it is left out",
        ),
    ] {
        let imported = read(&track(&lines), "s.rpp", &Options::default());
        let notes = notes(&imported).join("\n");
        assert!(notes.contains(wanted), "{wanted}\n{notes}");
    }
    let imported = read(&track(&item("")), "s.rpp", &Options::default());
    let missing = notes(&imported);
    assert!(
        missing[0].starts_with("line 10: the file \"a.wav\" is not there"),
        "{missing:?}"
    );
}

#[test]
fn items_are_placed_to_the_frame() {
    let lines = "<ITEM\nPOSITION 0.10001041666667\nLENGTH 0.33333333333333\nSOFFS 1e-3\nMUTE 1 0\nCHANMODE 3\nFADEOUT 5 0 0.1\n<SOURCE WAVE\nFILE a.wav\n>\n>";
    let options = Options {
        rate: Some(SampleRate::HZ_44100),
        ..Options::default()
    };
    let imported = read(&track(lines), "s.rpp", &options);
    let clip = &imported.session.tracks()[0].clips[0];
    // 0.10001041666667 s are 4410.459 frames, and the end 0.43334375 s 19110.459.
    assert_eq!(clip.at, Frames(4410));
    assert_eq!(clip.length, Some(Frames(14_700)));
    assert_eq!(
        (clip.from, clip.gain, clip.channel),
        (Frames(44), Decibels::SILENCE, Some(1))
    );
    assert_eq!(
        (clip.fade_out.length, clip.fade_out.shape),
        (Frames(4410), FadeShape::RaisedCosine)
    );
    survives_its_file(&imported.session);
}

#[test]
fn a_track_apart_from_the_master_feeds_a_bus_that_is_not_heard() {
    let text = format!(
        "<REAPER_PROJECT 0.1\n<TRACK\nNAME A\nMAINSEND 0 0\n{}\n>\n<TRACK\nNAME B\nAUXRECV 0 0 1 0 0 0 0 0 0\n{}\n>\n>",
        item(""),
        item("")
    );
    let session = read(&text, "s.rpp", &Options::default()).session;
    let buses: Vec<_> = session
        .buses()
        .iter()
        .map(|b| (b.strip.name.as_str(), b.strip.gain))
        .collect();
    assert_eq!(
        buses,
        [("B", Decibels::UNITY), ("unheard", Decibels::SILENCE)]
    );
    let [a, b] = session.tracks() else { panic!() };
    assert_eq!(a.strip.to, session.bus_ids().nth(1));
    assert_eq!(
        (a.strip.sends.len(), a.strip.sends[0].gain),
        (1, Decibels::UNITY)
    );
    assert_eq!(
        (b.strip.name.as_str(), b.strip.to, b.strip.pan),
        ("B", session.bus_ids().next(), Pan::CENTRE)
    );
    assert_eq!(Shape::default(), Shape::Linear);
}

#[test]
fn wrong_projects_name_their_line() {
    for (text, wanted) in [
        ("", "s.rpp: is empty"),
        ("hello", "line 1: is no REAPER project"),
        (
            "<REAPER_PROJECT 0.1\n<TRACK\n>\n",
            "line 1: <REAPER_PROJECT is not closed: the file is cut off",
        ),
        ("<REAPER_PROJECT 0.1\n>\n>", "a > closes nothing"),
        (&track("VOLPAN x 0"), "line 4: \"x\" is no number"),
        (&track("VOLPAN nan 0"), "line 4: \"nan\" is no number"),
        (&track("VOLPAN -1 0"), "line 4: a level is below 0"),
        (
            &track("AUXRECV 7 0 1 0"),
            "line 4: a receive names a track that is not there",
        ),
        (
            &track(&item("").replace("LENGTH 2", "LENGTH 1e30")),
            "the item ends beyond the longest session",
        ),
        (
            &track(&item("").replace("POSITION 1", "POSITION -1")),
            "line 5: \"-1\" is no time in seconds",
        ),
        (
            &format!("{}>", "<REAPER_PROJECT\n".repeat(100)),
            "line 65: is nested too deep",
        ),
        (
            "<REAPER_PROJECT\nSAMPLERATE 0\n>",
            "line 2: sample rate 0 Hz is outside",
        ),
    ] {
        let error = refused(text, "s.rpp", &Options::default());
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
}
