//! DAWproject: what is written comes back as the same samples, and archives are not trusted.

use super::{notes, refused, stems};
use proptest::{collection::vec, option, prelude::*, sample::select};
use soundtrack::{
    Bus, Clip, Curve, Dbtp, Decibels, Fade, Frames, Insert, Layout, Load, Marker, Pan, SampleRate,
    Session, Shape, Track,
    interchange::{self, FileKind, Options},
};
use std::{
    fs,
    io::{Cursor, Read as _, Write as _},
    path::Path,
    sync::OnceLock,
};
use tempfile::TempDir;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

/// A folder with two stems.
fn folder() -> &'static TempDir {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        stems::write(folder.path(), "a.wav", 2, 4000, 1);
        stems::write(folder.path(), "b.wav", 1, 3000, 2);
        stems::write(folder.path(), "long.wav", 2, 192_000, 3);
        folder
    })
}

/// Makes an archive of these entries.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Writes a session and reads it again, with its audio in memory.
fn there_and_back(session: &Session) -> (interchange::Imported, Vec<interchange::Note>) {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("song.dawproject");
    let left_out = interchange::write(session, &path, false).unwrap_or_else(|e| panic!("{e}"));
    let imported = interchange::read(&path, &Options::default()).unwrap_or_else(|e| panic!("{e}"));
    (imported, left_out)
}

const SONG: &str = r#"
title = "Northern Line"
rate = 48000
layout = "stereo"
marker = { "10ms" = "Verse", "2001 frames" = "<Chorus> & \"more\"" }
[album]
artist = "The Band"
[master]
gain = -1.5
automation.gain = ["0s 0", "30ms -6"]
[bus.band]
gain = -3
pan = "R10"
[bus.band.insert]
eq = { type = "bell", freq = 1000, gain = 3, q = 2 }
[bus.hall]
to = "band"
[track.a]
bus = "band"
pan = "L30"
send = { hall = -12.5 }
automation.gain = ["0s -inf", "10ms 0", "40ms -6", "50ms -2.5 step"]
automation.pan = ["0s L100", "50ms R100", "60ms C step"]
[track.a.insert]
low = { type = "highpass", freq = 80, slope = 24 }
comp = { type = "compressor", threshold = -22, ratio = 3, attack = "8ms", release = "120ms", makeup = 4 }
gate = { type = "gate", threshold = -50, range = -20, attack = "2ms", release = "150ms", bypass = true }
[track.a.clip]
one = { file = "a.wav", at = "500 frames", from = "100 frames", length = "2000 frames", fade_in = "5ms", gain = -4 }
two = { file = "a.wav", at = "2000 frames", from = "7 frames", length = "3001 frames", crossfade = "500 frames" }
[track.b]
file = "b.wav"
at = "1000 frames"
length = "250 frames"
loop = 7
gain = -0.1
fade_out = "10ms"
[track.c]
file = "b.wav"
mute = true
"#;

#[test]
fn markers_of_a_cue_are_written_for_each_placement() {
    let text = "rate = 48000\nlayout = \"stereo\"\nmarker = { \"1000 frames\" = \"door\" }\n\
        [cue.c]\nat = \"500 frames\"\nmarker = { \"100 frames\" = \"verse\" }\n\
        [cue.c.use]\nagain = { at = \"6000 frames\" }\n[cue.c.track]\na = { file = \"a.wav\" }\n";
    let session = Load::default()
        .text(text, folder().path().join("song.toml"))
        .unwrap();
    let (imported, _) = there_and_back(&session);
    let found = imported.session.markers.iter();
    let found: Vec<(u64, &str)> = found.map(|m| (m.at.0, m.name.as_str())).collect();
    assert_eq!(found, [(600, "verse"), (1000, "door"), (6100, "verse")]);
}

/// Returns the song, a folder with its project `song.dawproject`, and that archive.
fn written_song() -> (Session, tempfile::TempDir, ZipArchive<fs::File>) {
    let session = Load::default()
        .text(SONG, folder().path().join("song.toml"))
        .unwrap();
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("song.dawproject");
    interchange::write(&session, &path, false).unwrap();
    let zip = ZipArchive::new(fs::File::open(&path).unwrap()).unwrap();
    (session, out, zip)
}

#[test]
fn a_song_goes_out_and_comes_back_as_the_same_samples() {
    let session = Load::default()
        .text(SONG, folder().path().join("song.toml"))
        .unwrap();
    let (imported, left_out) = there_and_back(&session);
    assert!(left_out.is_empty(), "{left_out:?}");
    assert_eq!(notes(&imported), [""; 0]);
    assert_eq!(imported.kind, FileKind::DawProject);
    let again = &imported.session;
    stems::assert_same(&stems::render(&session, 6000), &stems::render(again, 6000));
    assert_eq!(
        (&again.title, &again.album.artist),
        (&session.title, &session.album.artist)
    );
    assert_eq!(again.markers, session.markers);
    assert_eq!(
        again.tracks()[0].strip.inserts,
        session.tracks()[0].strip.inserts
    );
    assert_eq!(
        again.tracks()[0].strip.gain_curve,
        session.tracks()[0].strip.gain_curve
    );
    assert_eq!(again.tracks()[0].strip.sends[0].gain, Decibels(-12.5));
    assert_eq!(again.buses()[0].strip, session.buses()[0].strip);
    let [clip] = again.tracks()[1].clips.as_slice() else {
        panic!("{:?}", again.tracks()[1].clips)
    };
    assert_eq!((clip.length, clip.loops), (Some(Frames(250)), 7));
    assert!(again.tracks()[2].strip.mute);
}

#[test]
fn the_archive_keeps_the_stems_as_they_are_and_extracts_them_beside_the_session() {
    let (session, out, mut zip) = written_song();
    let path = out.path().join("song.dawproject");
    let mut names: Vec<_> = (0..zip.len())
        .map(|n| zip.by_index(n).unwrap().name().unwrap().to_string())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["audio/a.wav", "audio/b.wav", "metadata.xml", "project.xml"]
    );
    let mut stem = Vec::new();
    zip.by_name("audio/a.wav")
        .unwrap()
        .read_to_end(&mut stem)
        .unwrap();
    assert_eq!(stem, fs::read(folder().path().join("a.wav")).unwrap());

    let media = out.path().join("song.audio");
    let options = Options {
        media: Some(media.clone()),
        ..Options::default()
    };
    let imported = interchange::read(&path, &options).unwrap();
    assert_eq!(fs::read(media.join("a.wav")).unwrap(), stem);
    let text = imported
        .session
        .to_text(out.path().join("song.toml"))
        .unwrap();
    assert!(text.contains("file = \"song.audio/a.wav\""), "{text}");
    let again = Load::default()
        .text(text, out.path().join("song.toml"))
        .unwrap();
    stems::assert_same(&stems::render(&session, 6000), &stems::render(&again, 6000));
    // A second run replaces nothing unless it may.
    let error = interchange::read(&path, &options).unwrap_err();
    assert_eq!(
        error.io_kind(),
        Some(std::io::ErrorKind::AlreadyExists),
        "{error}"
    );
    interchange::read(
        &path,
        &Options {
            overwrite: true,
            ..options
        },
    )
    .unwrap();
}

#[test]
fn what_a_dawproject_cannot_state_is_named() {
    let text = r#"
rate = 48000
fps = "24"
start = "01:00:00:00"
length = "1s"
pan_law = "linear"
[master]
gain = -1
limit = -2
[track.a]
file = "a.wav"
invert = true
at = "01:00:00:01"
fade_out = "10ms equal-power"
automation.gain = ["0s 0", "10ms -3 sine"]
[track.a.insert]
echo = { type = "delay", time = "10ms" }
comp = { type = "compressor", knee = 3 }
[cue.storm]
[cue.storm.track.x]
file = "b.wav"
[deliver.x]
file = "x.wav"
"#;
    let session = Load::default()
        .text(text, folder().path().join("song.toml"))
        .unwrap();
    let (imported, left_out) = there_and_back(&session);
    let left_out: Vec<_> = left_out.iter().map(ToString::to_string).collect();
    let all = left_out.join("\n");
    for wanted in [
        "cue \"storm\" is not carried: it has no placement",
        "frame rate and start timecode are not carried",
        "the length is not carried",
        "the pan law linear is not carried",
        "the limit of the master is written as a limiter before its fader",
        "deliverables are not carried",
        "track \"a\": the inverted polarity is not carried",
        "track \"a\": insert \"echo\" (delay) is not carried",
        "track \"a\": insert \"comp\": knee of 3 is not carried",
        "shapes of fades are not carried",
        "curves of automation are not carried",
    ] {
        assert!(all.contains(wanted), "{wanted}\n{all}");
    }
    assert_eq!(left_out.len(), 11, "{all}");
    // One picture frame at 24 fps.
    assert_eq!(imported.session.tracks()[0].clips[0].at, Frames(2000));
    assert_eq!(
        imported.session.master.inserts[0].value("ceiling"),
        Some(-2.0)
    );
}

#[test]
fn cues_become_tracks_with_a_clip_for_each_placement() {
    let text = r#"
rate = 48000
layout = "stereo"
[bus.music]
gain = -2
[track.x]
file = "b.wav"
[cue.storm]
at = "1024 frames"           # automation is computed on a grid of 64 frames
[cue.storm.track.celli]
file = "a.wav"
bus = "music"
gain = -3
pan = "L10"
automation.gain = ["0s 0", "50ms -6"]
[cue.calm]
at = "3000 frames"
gain = -1.5
fade_in = "500 frames"
[cue.calm.track.harp]
file = "b.wav"
at = "10 frames"
from = "5 frames"
length = "2000 frames"
fade_out = "100 frames"
[cue.calm.use]
again = { at = "6000 frames", from = "700 frames", length = "1000 frames", gain = -6 }
"#;
    let session = Load::default()
        .text(text, folder().path().join("film.toml"))
        .unwrap();
    let (imported, left_out) = there_and_back(&session);
    // The fade-in of the placement covers what comes before its clip, too.
    let left_out: Vec<_> = left_out.iter().map(ToString::to_string).collect();
    let note = "cue \"calm\", track \"harp\": a fade that begins in another clip, or in a part that is not heard, is not carried";
    assert_eq!(left_out, [note]);
    let names: Vec<_> = imported
        .session
        .tracks()
        .iter()
        .map(|t| t.strip.name.as_str())
        .collect();
    assert_eq!(names, ["x", "storm.celli", "calm.harp"]);
    let mut exact = session.clone();
    exact.cues_mut()[1].uses[0].fade_in = Fade::default();
    stems::assert_same(
        &stems::render(&exact, 9000),
        &stems::render(&imported.session, 9000),
    );
}

/// A project as a DAW writes it: beats, tempo steps, warps inside a clip of clips, group and effect channels.
const FROM_A_DAW: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Project version="1.0">
  <Application name="Bitwig Studio" version="5.0"/>
  <Transport>
    <Tempo max="666" min="20" unit="bpm" value="120" id="id0" name="Tempo"/>
    <TimeSignature denominator="4" numerator="4" id="id1"/>
  </Transport>
  <Structure>
    <Track contentType="tracks" loaded="true" id="group" name="Band">
      <Channel audioChannels="2" destination="m" role="master" solo="false" id="group-channel">
        <Volume max="2" min="0" unit="linear" value="0.5" id="gv"/>
      </Channel>
      <Track contentType="audio" loaded="true" id="drums" name="Drums">
        <Channel audioChannels="2" destination="group-channel" role="regular" solo="false" id="dc">
          <Mute value="false" id="dm"/>
          <Pan max="1" min="0" unit="normalized" value="0.35" id="dp"/>
          <Sends>
            <Send destination="fx-channel" type="post" id="s1"><Volume max="1" min="0" unit="linear" value="0.25" id="s2"/></Send>
          </Sends>
          <Volume max="2" min="0" unit="linear" value="1" id="dv"/>
        </Channel>
      </Track>
    </Track>
    <Track contentType="notes" loaded="true" id="keys" name="Keys">
      <Channel audioChannels="2" destination="m" role="regular" solo="false" id="kc"/>
    </Track>
    <Track contentType="audio" loaded="true" id="fx" name="Hall">
      <Channel audioChannels="2" destination="m" role="effect" solo="false" id="fx-channel">
        <Devices><ClapPlugin deviceID="x" deviceName="Reverb" deviceRole="audioFX"><State path="plugins/x.clap-preset"/></ClapPlugin></Devices>
      </Channel>
    </Track>
    <Track contentType="audio notes" loaded="true" id="master" name="Master">
      <Channel audioChannels="2" role="master" solo="false" id="m"/>
    </Track>
  </Structure>
  <Arrangement id="arr">
    <Lanes timeUnit="beats" id="l">
      <Lanes track="drums" id="l1">
        <Clips id="c">
          <Clip time="1.0" duration="8.0" playStart="0.0" fadeTimeUnit="beats" fadeInTime="0.5" fadeOutTime="0.0" name="Loop">
            <Clips id="c2">
              <Clip time="0.0" duration="8.0" contentTimeUnit="beats" playStart="0.0">
                <Warps contentTimeUnit="seconds" timeUnit="beats" id="w">
                  <Audio algorithm="raw" channels="2" duration="4.0" sampleRate="48000" id="a"><File path="audio/a.wav"/></Audio>
                  <Warp time="0.0" contentTime="0.0"/>
                  <Warp time="8.0" contentTime="4.0"/>
                </Warps>
              </Clip>
            </Clips>
          </Clip>
          <Clip time="10.0" duration="8.0" contentTimeUnit="beats" playStart="0.0" name="Fast">
            <Warps contentTimeUnit="seconds" timeUnit="beats">
              <Audio channels="2" duration="4.0" sampleRate="48000"><File path="audio/a.wav"/></Audio>
              <Warp time="0.0" contentTime="0.0"/>
              <Warp time="8.0" contentTime="3.0"/>
            </Warps>
          </Clip>
        </Clips>
      </Lanes>
      <Lanes track="keys" id="l2"><Clips><Clip time="0" duration="4"><Notes><Note time="0" duration="1" channel="0" key="60"/></Notes></Clip></Clips></Lanes>
    </Lanes>
    <Markers id="mk"><Marker time="32.0" name="Chorus"/></Markers>
    <TempoAutomation unit="bpm" id="ta"><Target parameter="id0"/>
      <RealPoint time="0.0" value="120" interpolation="hold"/>
      <RealPoint time="16.0" value="60" interpolation="hold"/>
    </TempoAutomation>
  </Arrangement>
</Project>
"#;

/// Reads a project with a stem of four seconds.
fn from_a_daw(project: &str) -> soundtrack::Result<interchange::Imported> {
    let stem = fs::read(folder().path().join("long.wav")).unwrap();
    let bytes = archive(&[("project.xml", project.as_bytes()), ("audio/a.wav", &stem)]);
    interchange::read_bytes(bytes, "song.dawproject", &Options::default())
}

#[test]
fn a_project_of_a_daw_has_beats_groups_effects_and_nested_clips() {
    let imported = from_a_daw(FROM_A_DAW).unwrap();
    let session = &imported.session;
    let buses: Vec<_> = session
        .buses()
        .iter()
        .map(|b| b.strip.name.as_str())
        .collect();
    assert_eq!(buses, ["Band", "Hall"]);
    let [drums] = session.tracks() else {
        panic!("{:?}", session.tracks())
    };
    assert_eq!(drums.strip.pan, Pan(-0.3));
    assert_eq!(drums.strip.to, session.bus_ids().next());
    assert!((drums.strip.sends[0].gain.0 + 12.0412).abs() < 1e-4);
    let [clip] = drums.clips.as_slice() else {
        panic!()
    };
    // Beat 1 at 120 is 0.5 s; 8 beats are 4 s; half a beat is 0.25 s.
    assert_eq!(clip.at, Frames(24_000));
    assert_eq!((clip.from, clip.length), (Frames(0), Some(Frames(192_000))));
    assert_eq!(clip.fade_in, Fade::linear(Frames(12_000)));
    // Beat 32: 16 at 120 and 16 at 60.
    assert_eq!(
        session.markers,
        [Marker {
            at: Frames(24 * 48_000),
            name: "Chorus".into()
        }]
    );
    let notes = notes(&imported).join("\n");
    for wanted in [
        "project.xml, line 52, <Warps>: clip \"Fast\" is stretched, which is not supported: it is left out",
        "<Notes> of a clip has no audio",
        "\"Hall\": the device \"Reverb\" (ClapPlugin) is not carried",
        "track \"Keys\" has no audio: it is left out",
    ] {
        assert!(notes.contains(wanted), "{wanted}\n{notes}");
    }
    let ramp = FROM_A_DAW.replace(
        "time=\"0.0\" value=\"120\" interpolation=\"hold\"",
        "time=\"0.0\" value=\"120\" interpolation=\"linear\"",
    );
    let error = from_a_daw(&ramp).unwrap_err().to_string();
    assert!(
        error.contains("the tempo moves in lines: let the tempo change in steps"),
        "{error}"
    );
}

#[test]
fn hostile_archives_are_refused_by_name() {
    let of =
        |entries: &[(&str, &[u8])]| refused(archive(entries), "x.dawproject", &Options::default());
    let project = |path: &str| FROM_A_DAW.replace("audio/a.wav", path);
    let stem = b"x".as_slice();
    for path in [
        "../a.wav",
        "/etc/a.wav",
        "audio/../../a.wav",
        "C:\\a.wav",
        "audio\\..\\a.wav",
    ] {
        let error = of(&[("project.xml", project(path).as_bytes()), (path, stem)]);
        assert!(
            error.contains("leads out of the archive, which is refused"),
            "{path}: {error}"
        );
    }
    let dtd = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><Project version=\"1.0\">&b;</Project>";
    let error = of(&[("project.xml", dtd.as_bytes())]);
    assert!(
        error.contains("project.xml, line 1: has a DTD, which is refused"),
        "{error}"
    );
    // 257 MiB of zeros in less than one.
    let zeros = vec![0u8; 257 << 20];
    let bomb = archive(&[
        ("project.xml", project("audio/a.wav").as_bytes()),
        ("audio/a.wav", &zeros),
    ]);
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    let error = refused(bomb, "x.dawproject", &Options::default());
    assert!(
        error.contains("entry \"audio/a.wav\": is larger than 268435456 bytes"),
        "{error}"
    );
    let error = of(&[("project.xml", &zeros[..(64 << 20) + 1])]);
    assert!(
        error.contains("entry \"project.xml\": is larger than"),
        "{error}"
    );
    let error = of(&[("other.xml", b"")]);
    assert!(error.contains("has no project.xml"), "{error}");
    let deep = format!(
        "<Project version=\"1.0\"><Structure>{}</Structure></Project>",
        "<Track>".repeat(200) + &"</Track>".repeat(200)
    );
    let error = of(&[("project.xml", deep.as_bytes())]);
    assert!(error.contains("is nested too deep"), "{error}");
    let error = refused(b"PK", "x.dawproject", &Options::default());
    assert!(error.contains("is no ZIP archive"), "{error}");
}

#[test]
fn a_closed_fader_stays_closed() {
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    let mut track = Track::new("pad", folder().path().join("a.wav").as_path());
    track.strip.gain = Decibels::SILENCE;
    track.strip.gain_curve = Curve::new().point(Frames(0), Decibels(-3.0), Shape::Linear);
    session.add_track(track);
    let (imported, left_out) = there_and_back(&session);
    let [note] = left_out.as_slice() else {
        panic!("{left_out:?}")
    };
    assert_eq!(
        note.to_string(),
        "track \"pad\": the fader is at -inf dB, so its automation has no effect and is not carried"
    );
    let strip = &imported.session.tracks()[0].strip;
    assert_eq!(strip.gain, Decibels::SILENCE);
    assert!(strip.gain_curve.points.is_empty());
}

#[test]
fn a_written_project_is_valid_by_the_schema() {
    use soundtrack_test_support::{data, requirement::missing};
    let Some(schemas) = data::folder("interchange") else {
        return;
    };
    let (_, out, mut zip) = written_song();
    for (entry, schema) in [
        ("project.xml", "dawproject-Project.xsd"),
        ("metadata.xml", "dawproject-MetaData.xsd"),
    ] {
        let mut text = String::new();
        zip.by_name(entry)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        fs::write(out.path().join(entry), &text).unwrap();
        let mut xmllint = std::process::Command::new("xmllint");
        xmllint
            .args(["--noout", "--schema"])
            .arg(schemas.join(schema));
        match xmllint.arg(out.path().join(entry)).output() {
            Ok(done) => assert!(
                done.status.success(),
                "{}\n{text}",
                String::from_utf8_lossy(&done.stderr)
            ),
            Err(_) => return missing("the program xmllint is not there"),
        }
    }
}

fn level() -> impl Strategy<Value = Decibels> {
    prop_oneof![
        (-600..60i32).prop_map(|n| Decibels(f64::from(n) / 10.0)),
        (-40.0..6.0f64).prop_map(Decibels),
        Just(Decibels::SILENCE),
    ]
}

fn pan() -> impl Strategy<Value = Pan> {
    (-100..=100i32).prop_map(|n| Pan(f64::from(n) / 100.0))
}

fn clip() -> impl Strategy<Value = Clip> {
    let times = (0..3000u64, 0..1500u64, option::of(1..1400u64), 1..4u32);
    let fades = (0..400u64, 0..400u64);
    (select(&["a.wav", "b.wav"][..]), times, fades, level()).prop_map(
        |(name, (at, from, length, loops), (fade_in, fade_out), gain)| {
            let total = length.unwrap_or(1500) * u64::from(loops);
            let (fade_in, fade_out) = (fade_in.min(total), fade_out.min(total));
            let mut clip = Clip::new(folder().path().join(name).as_path())
                .at(Frames(at))
                .from(Frames(from))
                .loops(loops)
                .fade_in(Fade::linear(Frames(fade_in)))
                .fade_out(Fade::linear(Frames(fade_out)))
                .gain(gain);
            clip.length = length.map(Frames);
            clip
        },
    )
}

fn curve<T: Copy + std::fmt::Debug>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Curve<T>> {
    vec((0..2000u64, value, any::<bool>()), 0..4).prop_map(|points| {
        let mut at = 0;
        points
            .into_iter()
            .fold(Curve::new(), |curve, (step, value, is_step)| {
                at += step;
                let shape = if is_step { Shape::Step } else { Shape::Linear };
                curve.point(Frames(at), value, shape)
            })
    })
}

fn insert() -> impl Strategy<Value = Insert> {
    prop_oneof![
        (20..8000u32, 1..9u8).prop_map(|(freq, n)| Insert::new("highpass")
            .unwrap()
            .set("freq", freq.into())
            .unwrap()
            .set("slope", f64::from(n) * 6.0)
            .unwrap()),
        (20..8000u32, -12.0..12.0f64, 0.1..10.0f64).prop_map(|(freq, gain, q)| Insert::new("bell")
            .unwrap()
            .set("freq", freq.into())
            .unwrap()
            .set("gain", gain)
            .unwrap()
            .set("q", q)
            .unwrap()),
        (-40.0..0.0f64, 1.0..20.0f64).prop_map(|(threshold, ratio)| Insert::new("compressor")
            .unwrap()
            .set("threshold", threshold)
            .unwrap()
            .set("ratio", ratio)
            .unwrap()),
        (-6.0..0.0f64).prop_map(|ceiling| Insert::limiter(Dbtp(ceiling))),
    ]
}

/// Sessions of what a DAWproject can state.
fn session() -> impl Strategy<Value = Session> {
    let strip = (
        level(),
        pan(),
        any::<bool>(),
        option::of(0..2usize),
        option::of((0..2usize, level())),
    );
    let track = (
        vec(clip(), 1..4),
        strip,
        curve(level()),
        curve(pan()),
        vec(insert(), 0..2),
    );
    let buses = vec((level(), pan(), option::of(insert())), 2);
    (vec(track, 1..4), buses, level(), curve(level())).prop_map(
        |(tracks, buses, gain, master_curve)| {
            let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
            let mut ids = Vec::new();
            for (number, (gain, pan, insert)) in buses.into_iter().enumerate() {
                let mut bus = Bus::new(format!("bus {number}")).gain(gain).pan(pan);
                bus.strip.inserts.extend(insert);
                ids.push(session.add_bus(bus));
            }
            session.master.gain = gain;
            if gain != Decibels::SILENCE {
                session.master.gain_curve = master_curve;
            }
            for (number, (clips, (gain, pan, mute, to, send), gain_curve, pan_curve, inserts)) in
                tracks.into_iter().enumerate()
            {
                let mut track = Track::of(format!("track {number}")).gain(gain).pan(pan);
                track.strip.mute = mute && number > 0;
                track.strip.to = to.map(|to| ids[to]);
                track
                    .strip
                    .sends
                    .extend(send.map(|(to, gain)| soundtrack::BusSend { to: ids[to], gain }));
                track.strip.pan_curve = pan_curve;
                if gain != Decibels::SILENCE {
                    track.strip.gain_curve = gain_curve;
                }
                track.strip.inserts = inserts;
                track.clips = clips;
                session.add_track(track);
            }
            session
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// TOML, then DAWproject, then TOML: the samples are the same to the last bit.
    #[test]
    fn any_session_comes_back_as_the_same_samples(session in session()) {
        let text = session.to_text(folder().path().join("s.toml")).unwrap();
        let load = |text: &str, path: &Path| Load::default().text(text, path);
        let first = load(&text, &folder().path().join("s.toml")).unwrap();
        let out = tempfile::tempdir().unwrap();
        let path = out.path().join("s.dawproject");
        let left_out = interchange::write(&first, &path, false).unwrap();
        prop_assert!(left_out.is_empty(), "{left_out:?}");
        let options = Options { media: Some(out.path().join("s.audio")), ..Options::default() };
        let imported = interchange::read(&path, &options).unwrap();
        prop_assert!(imported.notes.is_empty(), "{:?}", imported.notes);
        let text = imported.session.to_text(out.path().join("s.toml")).unwrap();
        let second = load(&text, &out.path().join("s.toml")).unwrap();
        let render = |session: &Session| session.render(Frames(0)..Frames(9000)).unwrap();
        let (a, b) = (render(&first), render(&second));
        for (a, b) in a.iter().zip(&b) {
            // A fader at silence may give −0.0 where a curve gives 0.0; files have one zero.
            let differs = a.iter().zip(b).position(|(a, b)| a != b);
            prop_assert_eq!(differs, None, "{}", text);
        }
    }
}
