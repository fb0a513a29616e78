//! Session files: what they mean, and what is said about wrong ones.

use soundtrack::{
    Clip, Decibels, Fade, FadeShape, Frames, Input, Layout, Load, Pan, PanLaw, SampleRate, Session,
    Shape,
};
use std::{fs, path::Path};

fn load(text: &str) -> (tempfile::TempDir, soundtrack::Result<Session>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.toml");
    fs::write(&file, text).unwrap();
    let session = Session::load(&file);
    (folder, session)
}

/// The problems of a session file, each as `line:column what`.
fn problems(text: &str) -> Vec<String> {
    let error = load(text).1.expect_err(text);
    let place = |p: &soundtrack::Problem| {
        let place = p.span.as_ref().expect("every problem has a place");
        assert_eq!(place.text, text.lines().nth(place.line - 1).unwrap_or(""));
        format!("{}:{} {}", place.line, place.column, p.sentence())
    };
    error.problems().iter().map(place).collect()
}

/// `a clip of /tmp/xyz/x.wav is` becomes `a clip of x.wav is`.
fn without_folder(problem: &str) -> String {
    let temporary = std::env::temp_dir();
    let short = |word: &str| match Path::new(word).strip_prefix(&temporary) {
        Ok(inside) => inside.file_name().unwrap().to_str().unwrap().to_owned(),
        Err(_) => word.to_owned(),
    };
    problem.split(' ').map(short).collect::<Vec<_>>().join(" ")
}

const WHOLE: &str = r#"
title = "Nocturne"
rate = 48000
layout = "5.1"
pan_law = "linear"
length = "2m30s"

[master]
gain = -1
automation.gain = ["0s 0", "10s -6"]

[track.drums]
file = "drums.flac"
bus = "rhythm"
gain = -3.5
solo = true

[bus.rhythm]
gain = -inf
to = "all"
pan = "R50"

[track.piano]
file = "stems/piano.wav#2"
pan = -0.2
at = "4s"
from = "4800 frames"
length = "1m0.5s"
loop = 2
fade_in = "50ms"
fade_out = "2s equal-power"
invert = true
layout = "stereo"
send = { hall = -12, all = 0 }
automation.gain = ["0s -inf", "4s 0 sine", "38s 0", "41s -inf exp"]
automation.pan = ["0s L40", "20s R40 step"]

[track.brass]
mute = true
[track.brass.clip]
hit = { file = "brass.wav", at = "8s", from = "1m2s", length = "2s", gain = -2 }
swell = { file = "brass.wav", at = "31s" }

[bus.all]
[bus.hall]
mute = true
"#;

#[test]
fn the_whole_form_means_what_it_says() {
    let (folder, session) = load(WHOLE);
    let session = session.unwrap();
    assert_eq!(
        (session.title.as_str(), session.rate, session.layout),
        ("Nocturne", SampleRate::HZ_48000, Layout::Surround51)
    );
    assert_eq!(
        (session.pan_law, session.length),
        (PanLaw::Linear, Some(Frames(150 * 48_000)))
    );
    assert_eq!(session.master.gain, Decibels(-1.0));
    assert_eq!(session.master.gain_curve.points[1].at, Frames(480_000));

    let names: Vec<_> = session
        .tracks()
        .iter()
        .map(|t| t.strip.name.as_str())
        .collect();
    assert_eq!(names, ["drums", "piano", "brass"], "the order of the file");
    let buses: Vec<_> = session
        .buses()
        .iter()
        .map(|b| b.strip.name.as_str())
        .collect();
    assert_eq!(buses, ["rhythm", "all", "hall"]);
    let [drums, piano, brass] = session.tracks() else {
        panic!()
    };
    assert_eq!((drums.strip.gain, drums.strip.solo), (Decibels(-3.5), true));
    let mut twin = Session::new(SampleRate::HZ_48000, Layout::Mono);
    let ids: Vec<_> = session
        .buses()
        .iter()
        .map(|b| twin.add_bus(b.clone()))
        .collect();
    assert_eq!(drums.strip.to, Some(ids[0]));
    assert_eq!(session.buses()[0].strip.to, Some(ids[1]));
    assert_eq!(
        (session.buses()[0].strip.gain, session.buses()[0].strip.pan),
        (Decibels::SILENCE, Pan(0.5))
    );
    assert!(session.buses()[2].strip.mute && brass.strip.mute);

    let file = |name: &str| Input::file(folder.path().join(name));
    let want = Clip::new(file("stems/piano.wav#2"))
        .at(Frames(192_000))
        .from(Frames(4800))
        .length(Frames(60 * 48_000 + 24_000))
        .loops(2)
        .fade_in(Fade::linear(Frames(2400)))
        .fade_out(Fade {
            length: Frames(96_000),
            shape: FadeShape::EqualPower,
        })
        .layout(Layout::Stereo);
    assert_eq!(piano.clips, [want]);
    assert!(piano.invert);
    assert_eq!(
        piano
            .strip
            .sends
            .iter()
            .map(|s| (s.to, s.gain.0))
            .collect::<Vec<_>>(),
        [(ids[2], -12.0), (ids[1], 0.0)]
    );
    let points: Vec<_> = piano
        .strip
        .gain_curve
        .points
        .iter()
        .map(|p| (p.at.0, p.value.0, p.shape))
        .collect();
    let silence = f64::NEG_INFINITY;
    assert_eq!(
        points[1..],
        [
            (192_000, 0.0, Shape::Sine),
            (1_824_000, 0.0, Shape::Linear),
            (1_968_000, silence, Shape::Exp)
        ]
    );
    assert_eq!(piano.strip.pan_curve.points[1].shape, Shape::Step);
    let hit = Clip::new(file("brass.wav"))
        .at(Frames(384_000))
        .from(Frames(62 * 48_000))
        .length(Frames(96_000));
    assert_eq!(brass.clips[0], hit.gain(Decibels(-2.0)).named("hit"));
    assert_eq!(brass.clips.len(), 2);
}

#[test]
fn every_problem_at_its_place() {
    let table: &[(&str, &[&str])] = &[
        (
            "tracks = 1\nrate = 1",
            &["1:1 the session: unknown key \"tracks\"; did you mean \"track\"?"],
        ),
        (
            "rate = 0",
            &["1:8 sample rate 0 Hz is outside 1 to 768000 Hz"],
        ),
        (
            "rate = -3",
            &["1:8 the session: rate is an integer, but should be a whole number from 1 to 768000"],
        ),
        (
            "rate = 1\nlayout = \"5.2\"",
            &[
                "2:10 the session: layout: no such layout; there are mono, stereo, 2.1, lcr, lcrs, quad, 5.0, 5.1, 6.1, 7.0 and 7.1",
            ],
        ),
        (
            "rate = 1\n[bus.a]\ngain = nan",
            &["3:8 bus \"a\": gain: NaN is no level in dB"],
        ),
        (
            "rate = 1\n[bus.a]\ngain = inf",
            &["3:8 bus \"a\": gain: inf is no level in dB"],
        ),
        (
            "rate = 1\n[bus.a]\ngain = \"loud\"",
            &["3:8 bus \"a\": gain: is text, but should be a level in dB, like -3 or -inf"],
        ),
        (
            "rate = 1\n[bus.a]\npan = 2",
            &["3:7 bus \"a\": pan: is outside -1 (left) to 1 (right)"],
        ),
        (
            "rate = 1\n[bus.a]\npan = \"X\"",
            &["3:7 bus \"a\": pan: \"X\" is no pan position, like C, L30, R100 or -0.3"],
        ),
        (
            "rate = 1\n[bus.a]\nto = \"hal\"\n[bus.hall]",
            &["3:6 bus \"a\": there is no bus \"hal\"; did you mean \"hall\"?"],
        ),
        (
            "rate = 1\n[track.a]\ngain = 1",
            &["2:8 track \"a\": it has neither a file nor a clip"],
        ),
        (
            "rate = 1\n[track.a]\nfile = 3",
            &["3:8 track \"a\": file is an integer, but should be text"],
        ),
        (
            "rate = 1\n[track.a]\nfile = \"a.wav\"\ngian = 3\nat = \"1x\"",
            &[
                "4:1 track \"a\": unknown key \"gian\"; did you mean \"gain\"?",
                "5:6 track \"a\": at: \"1x\" is no time, like 12.5s, 2m20s, 250ms or 12000 frames",
            ],
        ),
        (
            "rate = 1\n[track.a]\nfile = \"../a.wav\"",
            &[
                "3:8 track \"a\": ../a.wav is outside the session's folder: move it there, or set `outside`",
            ],
        ),
        (
            "rate = 1\n[track.a]\nfile = \"/etc/passwd\"",
            &[
                "3:8 track \"a\": /etc/passwd is outside the session's folder: move it there, or set `outside`",
            ],
        ),
        (
            "rate = 1\n[track.a]\nfile = \"a.wav\"\nfade_in = \"1s cosy\"",
            &[
                "4:11 track \"a\": fade_in: no such shape: \"cosy\"; there are linear, equal-power, between, raised-cosine, square-root and decibel-linear",
            ],
        ),
        (
            "rate = 1\n[track.a]\nfile = \"a.wav\"\nautomation.gain = [\"1s\", 3]",
            &[
                "4:20 track \"a\", automation gain: \"1s\" should be a time, a value and perhaps a shape, like \"4s -6 sine\"",
                "4:26 track \"a\", automation gain: a point is an integer, but should be like \"4s -6 sine\"",
            ],
        ),
        (
            "rate = 1\ntrack = 3",
            &[
                "2:9 the session: track is an integer, but each track is a table with a name: write [track.NAME]",
            ],
        ),
        (
            "rate = 1\n[track]\na = 3",
            &["3:5 the session: track \"a\" is an integer, but should be a table: [track.a]"],
        ),
        (
            "rate = 1\n[track.a]\nfile = \"a.wav\"\n[track.a.clip]\nx = { at = \"3s\" }",
            &["5:1 track \"a\", clip \"x\": it has no file"],
        ),
        (
            "rate = 1\nrate = 2",
            &["2:1 this key is in the table twice: remove one"],
        ),
        (
            "rate = 1\n[track.a]\nfile = \"a.wav\"\nloop = 1979-05-27",
            &["4:8 track \"a\": loop is a date, but should be a whole number from 1 to 4294967295"],
        ),
        (
            "rate = 1\n[bus.a]\nto = \"b\"\n[bus.b]\nto = \"a\"\n[track.x]\nfile = \"x.wav\"\ngain = 1e308\nloop = 0\nat = nan",
            &[
                "2:6 buses feed each other in a circle: a -> b -> a",
                "8:8 track \"x\": gain of +1e308 dB is above +200 dB",
                "9:8 track \"x\": a clip of x.wav is played 0 times; loops starts at 1",
                "10:6 track \"x\": at: is a number, but should be a time like \"12.5s\" or \"12000 frames\"",
            ],
        ),
        (
            "rate = 99999999999999999999",
            &[
                "1:8 the session: rate is an integer beyond 64 bits, but should be a whole number from 1 to 768000",
            ],
        ),
    ];
    for (text, want) in table {
        // Without the folder, which is another each time.
        let got: Vec<String> = problems(text).iter().map(|p| without_folder(p)).collect();
        assert_eq!(got, *want, "{text}");
    }
    let syntax = [
        "1:7 a value is missing after =",
        "3:7 a value is missing after =",
    ];
    assert_eq!(problems("rate =\n[track.a]\nfile ="), syntax);
}

#[test]
fn a_problem_shows_its_line() {
    let error = load("rate = 48000\n[track.piano]\nfile = \"p.wav\"\n\tgian = -3\n")
        .1
        .unwrap_err()
        .to_string();
    let (_, shown) = error.split_once("s.toml").unwrap();
    let want = ":4:2: track \"piano\": unknown key \"gian\"; did you mean \"gain\"?\n  |\n4 | \tgian = -3\n  | \t^^^^";
    assert_eq!(shown, want);
}

#[test]
fn folders_around_can_be_allowed_and_links_out_are_seen() {
    let (folder, _) = load("");
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::write(folder.path().join("a.wav"), "").unwrap();
    let file = inner.join("s.toml");
    fs::write(&file, "rate = 1\n[track.a]\nfile = \"../a.wav\"").unwrap();
    assert!(Session::load(&file).is_err());
    assert!(
        Load {
            outside: true,
            ..Load::default()
        }
        .session(&file)
        .is_ok()
    );
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../a.wav", inner.join("link.wav")).unwrap();
        fs::write(&file, "rate = 1\n[track.a]\nfile = \"link.wav\"").unwrap();
        let error = Session::load(&file).unwrap_err();
        assert!(
            error.to_string().contains("outside the session's folder"),
            "{error}"
        );
        fs::write(&file, "rate = 1\n[track.a]\nfile = \"x/../b.wav\"").unwrap();
        assert!(Session::load(&file).is_ok());
    }
}

#[test]
fn rate_and_layout_follow_the_stems_unless_told() {
    let (folder, _) = load("");
    let stem = |name: &str, rate: u32| {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut wav = hound::WavWriter::create(folder.path().join(name), spec).unwrap();
        (0..20).for_each(|i| wav.write_sample(i as i16).unwrap());
        wav.finalize().unwrap();
    };
    stem("a.wav", 44_100);
    stem("b.wav", 96_000);
    let file = folder.path().join("s.toml");
    fs::write(
        &file,
        "[track.a]\nfile = \"a.wav\"\n[track.b]\nfile = \"b.wav\"\nat = \"1s\"",
    )
    .unwrap();
    let session = Session::load(&file).unwrap();
    assert_eq!(
        (session.rate.hz(), session.layout),
        (96_000, Layout::Stereo)
    );
    assert_eq!(session.tracks()[1].clips[0].at, Frames(96_000));
    let told = Load {
        rate: Some(SampleRate::HZ_48000),
        layout: Some(Layout::Mono),
        ..Load::default()
    };
    let session = told.session(&file).unwrap();
    assert_eq!(
        (session.rate, session.layout),
        (SampleRate::HZ_48000, Layout::Mono)
    );
    assert_eq!(session.tracks()[1].clips[0].at, Frames(48_000));
}

#[test]
fn what_is_no_session_file_is_refused() {
    let (folder, _) = load("");
    let refuse = |bytes: &[u8]| {
        let file = folder.path().join("bad.toml");
        fs::write(&file, bytes).unwrap();
        Session::load(&file).unwrap_err().to_string()
    };
    let utf16 = "is UTF-16 and no UTF-8 text: save it as UTF-8";
    assert!(refuse(b"\xff\xfet\0r\0").ends_with(utf16));
    assert!(refuse(b"\xfe\xff\0t\0r").ends_with(utf16));
    assert!(refuse(b"t\0r\0").ends_with(utf16));
    assert!(refuse(b"t\xffr").contains("is no UTF-8 text: invalid utf-8"));
    assert!(refuse(&vec![b' '; (8 << 20) + 1]).contains("larger than"));
    assert!(refuse(&[b"a=".as_slice(), &vec![b'['; 100_000]].concat()).contains("bad.toml:1:"));
    assert!(
        Session::load(folder.path())
            .unwrap_err()
            .to_string()
            .contains("no regular file")
    );
    assert_eq!(
        Session::load(Path::new("nowhere.toml")).unwrap_err().kind(),
        soundtrack::ErrorKind::NotFound
    );
    // A byte-order mark is no harm.
    let file = folder.path().join("bom.toml");
    fs::write(&file, "\u{feff}rate = 48000\n[track.a]\nfile = \"a.wav\"").unwrap();
    assert_eq!(Session::load(&file).unwrap().rate, SampleRate::HZ_48000);
}
