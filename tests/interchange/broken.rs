//! Broken files of every format: an error that names the file, or a session, and never a panic.

use soundtrack::{
    FrameRate,
    interchange::{self, Options},
};
use std::panic::{self, AssertUnwindSafe};

const OTIO: &str = r#"{ "OTIO_SCHEMA": "Timeline.1", "name": "Reel",
  "global_start_time": { "OTIO_SCHEMA": "RationalTime.1", "value": 86400, "rate": 24 },
  "tracks": { "OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [
    { "OTIO_SCHEMA": "Track.1", "name": "A1", "kind": "Audio", "children": [
      { "OTIO_SCHEMA": "Gap.1", "source_range": { "OTIO_SCHEMA": "TimeRange.1",
        "start_time": { "OTIO_SCHEMA": "RationalTime.1", "value": 0, "rate": 24 },
        "duration": { "OTIO_SCHEMA": "RationalTime.1", "value": 48, "rate": 24 } } },
      { "OTIO_SCHEMA": "Transition.1", "transition_type": "SMPTE_Dissolve",
        "in_offset": { "OTIO_SCHEMA": "RationalTime.1", "value": 2, "rate": 24 },
        "out_offset": { "OTIO_SCHEMA": "RationalTime.1", "value": 3, "rate": 24 } },
      { "OTIO_SCHEMA": "Clip.1", "name": "a", "source_range": { "OTIO_SCHEMA": "TimeRange.1",
        "start_time": { "OTIO_SCHEMA": "RationalTime.1", "value": 10, "rate": 24 },
        "duration": { "OTIO_SCHEMA": "RationalTime.1", "value": 48, "rate": 24 } },
        "markers": [ { "OTIO_SCHEMA": "Marker.2", "name": "hit", "marked_range": { "OTIO_SCHEMA": "TimeRange.1",
          "start_time": { "OTIO_SCHEMA": "RationalTime.1", "value": 12, "rate": 24 },
          "duration": { "OTIO_SCHEMA": "RationalTime.1", "value": 0, "rate": 24 } } } ],
        "media_reference": { "OTIO_SCHEMA": "ExternalReference.1", "target_url": "file:///a.wav" } } ] } ] } }
"#;

const EDL: &str = "\
TITLE: Reel 2
FCM: NON-DROP FRAME
001  R1       A     C        00:00:04:00 00:00:06:00 01:00:01:12 01:00:03:12
* FROM CLIP NAME:  rain.wav
002  R1       A     C        00:00:00:00 00:00:00:00 01:00:03:12 01:00:03:12
002  R2       A     D    012 00:00:01:00 00:00:03:00 01:00:03:12 01:00:05:12
* TO CLIP NAME: wind.wav
003  R4       AA/V  C        00:00:00:00 00:00:01:00 01:00:11:00 01:00:13:00
M2   R4       012.0                00:00:00:00
AUD  3    4
";

const SPOTTING: &str = "timecode,cue,in,out,title,usage,marker\r\n01:00:12:08,storm,2s,32s,\"The \"\"Storm\"\"\",BI,\r\n\
    01:00:20:00,,,,,,the boat\r\n01:05:30:00,storm,38s,1836001 frames,,,\r\n";

const REAPER_MARKERS: &str = "#,Name,Start,End,Length\r\nM1,Verse,0:01.500,,\r\nR1,\"Chorus\",1:02.000,1:32.250,0:30.250\r\n";

const LABELS: &str = "0.5\t0.5\tone\n2.25\t3.5\ta region\n1.0\t1.0\ttwo\n";

const RPP: &str = r#"<REAPER_PROJECT 0.1 "6.80" 1
  SAMPLERATE 48000 1 0
  MASTER_VOLUME 0.7 0 -1 -1 1
  MARKER 1 0.5 "Verse 1" 0
  <TRACK {1}
    NAME Band
    ISBUS 1 1
  >
  <TRACK {2}
    NAME "Drums"
    VOLPAN 1 -0.25 -1 -1 1
    ISBUS 2 -1
    AUXRECV 0 0 0.5 0
    <VOLENV2
      ACT 1 -1
      PT 0 1 1
      PT 0.5 0.25 0
    >
    <ITEM
      POSITION 1.25
      LENGTH 0.5
      FADEIN 1 0.01 0
      SOFFS 0.125
      PLAYRATE 1 1 0
      VOLPAN 0.25 0 1 -1
      <SOURCE WAVE
        FILE "drums.wav"
      >
    >
  >
>
"#;

fn options() -> Options {
    Options {
        fps: Some(FrameRate::FPS_24),
        ..Options::default()
    }
}

/// Returns texts with one fault each: cuts, exchanged and repeated parts, numbers that no file has, other encodings.
fn broken(text: &str) -> Vec<Vec<u8>> {
    let bytes = text.as_bytes();
    let mut all: Vec<Vec<u8>> = Vec::new();
    for n in 0..24 {
        all.push(bytes[..bytes.len() * n / 24].to_vec());
    }
    let numbers: Vec<_> = numbers(text);
    let odd = [
        "-1",
        "0",
        "1e999",
        "nan",
        "inf",
        "-0.0",
        "99999999999999999999999999999999999999999",
        "1e-400",
        "\"x\"",
        "null",
        "",
        "18446744073709551616",
        "0.1234567890123456789012345678901234",
    ];
    for (n, odd) in odd.iter().cycle().take(39).enumerate() {
        let (from, to) = numbers[n * 7 % numbers.len()];
        all.push(format!("{}{odd}{}", &text[..from], &text[to..]).into_bytes());
    }
    // A byte changed here and there.
    for n in 0..24usize {
        let mut changed = bytes.to_vec();
        let at = n * 7919 % changed.len();
        changed[at] = [0, 0xff, b'<', b'"', b'\n', b'9'][n % 6];
        all.push(changed);
    }
    // Parts left out and doubled.
    for n in 0..12 {
        let (from, to) = (bytes.len() * n / 16, bytes.len() * (n + 2) / 16);
        all.push([&bytes[..from], &bytes[to..]].concat());
        all.push([&bytes[..to], &bytes[from..]].concat());
    }
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    all.push(wide.clone());
    all.push([&[0xff, 0xfe], &wide[..]].concat());
    all.push([&[0xef, 0xbb, 0xbf], bytes].concat());
    all.push(text.replace('\n', "\r").into_bytes());
    all.push(text.replace(['\t', ',', ' '], ";").into_bytes());
    all.push(b"[".repeat(100_000));
    all.push(b"{\"a\":".repeat(100_000));
    all.push(b"<A\n".repeat(100_000));
    all.push(b"<Project>".repeat(100_000));
    all
}

/// Returns the places of numbers in a text.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        match (c.is_ascii_digit(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// Reads every broken file, and returns how many were refused.
fn check(name: &str, files: Vec<Vec<u8>>) -> usize {
    assert!(files.len() >= 60, "{} files", files.len());
    let mut refused = 0;
    for (number, bytes) in files.into_iter().enumerate() {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(3000)]).into_owned();
        let read = || interchange::read_bytes(bytes, name, &options());
        let read = panic::catch_unwind(AssertUnwindSafe(read));
        match read.unwrap_or_else(|_| panic!("{name} {number}: a panic: {shown}")) {
            Ok(imported) => {
                // What is read can be written and read again.
                let text = imported.session.to_text("s.toml");
                assert!(text.is_ok(), "{name} {number}: {text:?}");
            }
            Err(error) => {
                refused += 1;
                let text = error.to_string();
                assert_eq!(error.file(), Some(name), "{name} {number}: {text}");
                assert!(text.starts_with(name), "{name} {number}: {text}");
                assert!(text.len() < 2000, "{name} {number}: {} bytes", text.len());
            }
        }
    }
    refused
}

#[test]
fn broken_texts_are_refused_with_their_name_or_read() {
    for (name, text, least) in [
        ("x.otio", OTIO, 60),
        ("x.edl", EDL, 30),
        ("x.csv", SPOTTING, 20),
        ("regions.csv", REAPER_MARKERS, 20),
        ("x.txt", LABELS, 30),
        ("x.rpp", RPP, 40),
    ] {
        let imported = interchange::read_bytes(text, name, &options());
        imported.unwrap_or_else(|e| panic!("{name}: {e}"));
        let refused = check(name, broken(text));
        assert!(
            refused >= least,
            "{name}: {refused} of the files are refused"
        );
    }
}

#[cfg(feature = "dawproject")]
#[test]
fn broken_archives_are_refused_with_their_name_or_read() {
    use std::io::{Cursor, Write as _};
    use zip::{ZipWriter, write::SimpleFileOptions};
    const PROJECT: &str = r#"<Project version="1.0"><Transport><Tempo unit="bpm" value="120"/></Transport><Structure>
      <Track contentType="audio" id="t1" name="A"><Channel destination="m" role="regular" id="c1">
        <Devices><Equalizer deviceName="eq" deviceRole="audioFX"><Band type="bell" order="2"><Freq unit="hertz" value="1000"/><Gain unit="decibel" value="3"/><Q unit="linear" value="1"/></Band></Equalizer>
        <Compressor deviceName="c" deviceRole="audioFX"><Ratio unit="linear" value="2"/></Compressor></Devices>
        <Mute value="false"/><Pan unit="normalized" min="0" max="1" value="0.5" id="p1"/>
        <Sends><Send destination="c2" type="post"><Volume unit="linear" value="0.5"/></Send></Sends>
        <Volume unit="linear" value="0.5" id="v1"/></Channel></Track>
      <Track contentType="audio" id="t2" name="B"><Channel destination="m" role="effect" id="c2"/></Track>
      <Track contentType="audio" id="t3" name="M"><Channel role="master" id="m"/></Track></Structure>
      <Arrangement><Lanes timeUnit="beats"><Lanes track="t1"><Clips>
        <Clip time="4" duration="8" contentTimeUnit="seconds" playStart="1" loopStart="1" loopEnd="2" fadeTimeUnit="beats" fadeInTime="1" fadeOutTime="0.5">
          <Audio channels="1" duration="4" sampleRate="48000"><File path="a.wav" external="true"/></Audio></Clip>
        <Clip time="20" duration="2"><Clips><Clip time="0" duration="2"><Warps contentTimeUnit="seconds"><Audio channels="1" duration="4" sampleRate="48000"><File path="audio/a.wav"/></Audio><Warp time="0" contentTime="0"/><Warp time="2" contentTime="1"/></Warps></Clip></Clips></Clip>
      </Clips><Points unit="linear"><Target parameter="v1"/><RealPoint time="0" value="1" interpolation="linear"/><RealPoint time="4" value="0"/></Points></Lanes></Lanes>
      <Markers><Marker time="8" name="hit"/></Markers>
      <TempoAutomation><Target parameter="x"/><RealPoint time="0" value="120"/><RealPoint time="8" value="90"/></TempoAutomation></Arrangement></Project>"#;
    let archive = |project: &[u8]| {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default();
        zip.start_file("project.xml", options).unwrap();
        zip.write_all(project).unwrap();
        zip.start_file("audio/a.wav", options).unwrap();
        zip.write_all(b"no audio").unwrap();
        zip.finish().unwrap().into_inner()
    };
    let whole = archive(PROJECT.as_bytes());
    let imported = interchange::read_bytes(whole.clone(), "x.dawproject", &options());
    imported.unwrap_or_else(|e| panic!("{e}"));
    let files = broken(PROJECT).iter().map(|text| archive(text)).collect();
    let refused = check("x.dawproject", files);
    assert!(refused >= 60, "{refused} of the projects are refused");
    // The archive itself is damaged.
    let mut files: Vec<Vec<u8>> = (0..40)
        .map(|n| whole[..whole.len() * n / 40].to_vec())
        .collect();
    for n in 0..80 {
        let mut changed = whole.clone();
        let at = n * 31 % changed.len();
        changed[at] ^= 1 << (n % 8);
        files.push(changed);
    }
    let refused = check("x.dawproject", files);
    assert!(refused >= 60, "{refused} of the archives are refused");
}
