//! Warnings about stems and sessions that are hardly meant so: each is provoked once, and once not.
//!
//! W112 is in `tests/measuring/dither.rs`, W114 in `tests/mixing/cues.rs`, W119 in `tests/mixing/deliver.rs`, W123 and W124 in
//! `tests/session/cues.rs`, W125 in `tests/mixing/cue_sheet.rs`, W126 in `tests/formats/flac.rs`, W128 in `tests/mixing/splice.rs`.

use soundtrack::{
    Block, Bounce, Bus, Clip, Cue, Curve, Damage, Decibels, Fade, FadeShape, Format, Frames,
    Layout, Marker, Opener, Options, Pan, Plan, Renderer, Result, SampleRate, Session, Shape, Sink,
    Source, Spec, Track, Use,
    diagnostics::{Severity, Warning, WarningInfo},
    encode::Written,
    media::{Flaw, FlawKind, Memory},
    report::Report,
};
use std::{f64::consts::TAU, fs, path::Path};

const RATE: SampleRate = SampleRate::HZ_48000;
const FRAMES: usize = 96_000;

#[test]
fn the_registry_holds_every_code_once_and_in_order() {
    let codes: Vec<&str> = WarningInfo::ALL.iter().map(|info| info.code).collect();
    assert_eq!(
        codes,
        (101..=130).map(|n| format!("W{n}")).collect::<Vec<_>>()
    );
    for info in WarningInfo::ALL {
        assert_eq!(WarningInfo::find(&info.code.to_lowercase()), Some(info));
        for sentence in [info.summary, info.cure] {
            assert!(
                sentence.len() > 20 && sentence.ends_with('.'),
                "{}: {sentence}",
                info.code
            );
        }
    }
    let mut names: Vec<&str> = WarningInfo::ALL.iter().map(|info| info.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), codes.len());
    let notes: Vec<&str> = WarningInfo::ALL
        .iter()
        .filter(|info| info.severity == Severity::Note)
        .map(|info| info.code)
        .collect();
    assert_eq!(notes, ["W102", "W103", "W104", "W105", "W114", "W130"]);
    assert_eq!(WarningInfo::find("W100"), None);
}

/// The entries of the page in `docs` are those of the registry, in its order.
#[test]
fn the_page_of_warnings_is_made_from_the_registry() {
    let page = include_str!("../../docs/warnings.md");
    let entries: String = WarningInfo::ALL
        .iter()
        .map(|info| {
            let WarningInfo {
                code,
                name,
                severity,
                summary,
                cure,
                ..
            } = info;
            format!("\n## {code} {name} ({severity})\n\n{summary}\n\nCure: {cure}\n")
        })
        .collect();
    assert_eq!(&page[page.find("\n## ").unwrap()..], entries);
}

#[test]
fn a_warning_has_four_keys_in_json() {
    let cue = Cue::new("storm").track(Track::new("a", memory(vec![vec![0.1; 10]])));
    let mut mix = mix([Track::new("x", memory(vec![vec![0.0; 480]]))]);
    mix.add_cue(
        cue.track(Track::new("b", memory(vec![vec![0.1; 20]])))
            .used(Use::at(Frames(0))),
    );
    let json: serde_json::Value = serde_json::from_str(&report(&mix).to_json()).unwrap();
    let find = |code: &str| {
        json["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|w| w["code"] == code)
            .unwrap()
    };
    let text = "cue \"storm\": its stems differ in length: \"a\" ends at 00:00:00.000, \"b\" ends at 00:00:00.000";
    assert_eq!(
        *find("W105"),
        serde_json::json!({ "code": "W105", "track": null, "file": null, "text": text })
    );
    let text = "mono, placed by the equal-power pan law (centre -3.01 dB)";
    assert_eq!(
        *find("W103"),
        serde_json::json!({ "code": "W103", "track": "x", "file": "memory", "text": text })
    );
    assert_eq!(
        *find("W106"),
        serde_json::json!({ "code": "W106", "track": "x", "file": null, "text": "is silent" })
    );
}

struct Nowhere;

impl Sink for Nowhere {
    fn write(&mut self, _: &Block) -> Result<()> {
        Ok(())
    }
    fn finish(&mut self) -> Result<Written> {
        Ok(Written::default())
    }
}

fn report(mix: &Session) -> Report {
    let mut renderer = Renderer::new(Plan::compile(mix).unwrap(), &Options::default()).unwrap();
    Bounce::new()
        .into_sink(&mut renderer, &mut Nowhere)
        .unwrap()
}

/// What is said under a code, without the code.
fn said(mix: &Session, code: &str) -> Vec<String> {
    let warnings = report(mix)
        .warnings
        .into_iter()
        .filter(|w| w.kind.code() == code);
    warnings.map(|w| w.to_string()[5..].to_owned()).collect()
}

/// A tone that swells from silence and fades into it.
fn tone(hz: f64) -> Vec<f64> {
    let envelope = |n: usize| (TAU / 2.0 * n as f64 / FRAMES as f64).sin();
    (0..FRAMES)
        .map(|n| 0.5 * envelope(n) * (TAU * hz * n as f64 / 48_000.0).sin())
        .collect()
}

fn memory(channels: Vec<Vec<f64>>) -> Memory {
    let layout = if channels.len() == 1 {
        Layout::Mono
    } else {
        Layout::Stereo
    };
    Memory::new(Spec { rate: RATE, layout }, channels).unwrap()
}

fn mix(tracks: impl IntoIterator<Item = Track>) -> Session {
    let mut mix = Session::new(RATE, Layout::Stereo);
    for track in tracks {
        mix.add_track(track);
    }
    mix
}

fn stereo() -> Memory {
    memory(vec![tone(440.0), tone(550.0)])
}

#[test]
fn good_stems_are_not_warned_of() {
    let good = mix([
        Track::new("a", stereo()),
        Track::new("b", memory(vec![tone(60.0)])).gain(Decibels(-3.0)),
    ]);
    let found: Vec<Warning> = report(&good)
        .warnings
        .into_iter()
        .filter(|w| !w.kind.is_note())
        .collect();
    assert_eq!(found, []);
}

#[test]
fn w107_a_constant_offset() {
    let raised = |by: f64| {
        let envelope = |n: usize| (n.min(FRAMES - 1 - n) as f64 / 1000.0).min(1.0);
        mix([Track::new(
            "x",
            memory(vec![
                tone(440.0)
                    .iter()
                    .enumerate()
                    .map(|(n, s)| s + by * envelope(n))
                    .collect(),
            ]),
        )])
    };
    // Mono in the centre of a stereo mix is 3 dB down; the ramps take 1 % of the mean.
    let want = ["track \"x\": its mean is not 0 but -29.1 dBFS: a constant offset"];
    assert_eq!(said(&raised(0.05), "W107"), want);
    assert!(said(&raised(0.001), "W107").is_empty());
}

#[test]
fn w108_the_same_sound_twice() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, samples: &[f64]| {
        let path = folder.path().join(name);
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 48_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        samples
            .iter()
            .for_each(|s| writer.write_sample((s * 30_000.0) as i16).unwrap());
        writer.finalize().unwrap();
        path
    };
    let (one, copy, other) = (
        file("one.wav", &tone(440.0)),
        file("copy.wav", &tone(440.0)),
        file("other.wav", &tone(441.0)),
    );
    let two =
        |a: &Path, b: &Path| mix([Track::new("a", a), Track::new("b", b).gain(Decibels(-6.0))]);
    let want = |file: &Path| {
        vec![format!(
            "track \"b\": {}: the same sound as track \"a\", at the same time",
            file.display()
        )]
    };
    assert_eq!(said(&two(&one, &copy), "W108"), want(&copy));
    assert_eq!(said(&two(&one, &one), "W108"), want(&one));
    assert!(said(&two(&one, &other), "W108").is_empty());
    // At another time it is an echo.
    let mut later = two(&one, &copy);
    later.tracks_mut()[1].clips[0].at = Frames(100).into();
    assert!(said(&later, "W108").is_empty());
    // What is silent is the same as all that is.
    let quiet = (file("q.wav", &[0.0; 1000]), file("r.wav", &[0.0; 1000]));
    assert!(said(&two(&quiet.0, &quiet.1), "W108").is_empty());
}

#[test]
fn w129_and_w130_what_lies_after_the_length() {
    let mut mix = mix([
        Track::new("x", stereo()),
        Track::new("y", stereo()).mute(true),
    ]);
    mix.markers.push(Marker {
        at: Frames(72_000),
        name: "late".into(),
    });
    assert!(said(&mix, "W129").is_empty() && said(&mix, "W130").is_empty());
    mix.length = Some(Frames(60_000));
    let late = "marker \"late\" at 00:00:01.500 lies after the end, so no file has it";
    assert_eq!(said(&mix, "W129"), [late]);
    let cut = "track \"x\": the length of the session ends it at 00:00:01.250, 36000 frames early";
    assert_eq!(said(&mix, "W130"), [cut]);
}

#[test]
fn w109_an_abrupt_start_or_end() {
    let clip = |from: u64, length: u64| {
        Clip::new(stereo())
            .from(Frames(from))
            .length(Frames(length))
    };
    let one = |clip: Clip| mix([Track::of("x").clip(clip)]);
    let cut = said(&one(clip(48_010, 10_001)), "W109");
    let what = "starts at -9.6 dBFS and ends at -6.5 dBFS, which may click: fade it, or place it elsewhere";
    assert_eq!(cut, [format!("track \"x\": memory: {what}")]);
    let fade = Fade {
        length: Frames(100),
        shape: FadeShape::Linear,
    };
    assert!(
        said(
            &one(clip(48_010, 10_001).fade_in(fade).fade_out(fade)),
            "W109"
        )
        .is_empty()
    );
    // A start and no end.
    let start = said(&one(clip(48_010, FRAMES as u64 - 48_010)), "W109");
    assert!(
        start[0].contains("starts at -9.6") && !start[0].contains("ends"),
        "{start:?}"
    );
    // Soft enough not to click.
    assert!(said(&one(clip(48_010, 10_001).gain(Decibels(-30.0))), "W109").is_empty());
    // Outside the range that is rendered.
    let mut renderer = Renderer::new(
        Plan::compile(&one(clip(48_010, 10_001))).unwrap(),
        &Options::default(),
    )
    .unwrap();
    let part = Bounce::new()
        .range(Frames(10)..Frames(9000))
        .into_sink(&mut renderer, &mut Nowhere)
        .unwrap();
    assert!(part.warnings.iter().all(|w| w.kind.code() != "W109"));
}

#[test]
fn w110_a_pair_with_one_side_upside_down() {
    let pair = |factor: f64| {
        let left = tone(440.0);
        let right = left.iter().map(|s| s * factor).collect();
        mix([Track::new("x", memory(vec![left, right]))])
    };
    let want = ["track \"x\": left and right have opposite polarity: they cancel in mono"];
    assert_eq!(said(&pair(-0.9), "W110"), want);
    assert!(said(&pair(0.9), "W110").is_empty());
    assert!(
        said(&pair(-0.1), "W110").is_empty(),
        "a faint rest is no pair"
    );
    assert!(said(&mix([Track::new("x", stereo())]), "W110").is_empty());
}

#[test]
fn w111_a_track_that_is_not_heard() {
    let muted_bus = || {
        let mut session = Session::new(RATE, Layout::Stereo);
        let bus = session.add_bus(Bus::new("group").mute(true));
        session.add_track(Track::new("x", stereo()).to(bus));
        session.add_track(Track::new("y", stereo()));
        session
    };
    let want =
        ["track \"x\": is not heard: every bus it feeds is muted or turned all the way down"];
    assert_eq!(said(&muted_bus(), "W111"), want);
    let down = mix([
        Track::new("x", stereo()).gain(Decibels::SILENCE),
        Track::new("y", stereo()),
    ]);
    assert_eq!(
        said(&down, "W111"),
        ["track \"x\": is not heard: its fader is all the way down"]
    );
    let mut late = mix([
        Track::new("y", stereo()),
        Track::of("x").clip(Clip::new(stereo()).at(Frames(200_000))),
    ]);
    late.length = Some(Frames(100_000));
    assert_eq!(
        said(&late, "W111"),
        ["track \"x\": is not heard: it lies after the end of the mix"]
    );
    // Muted on purpose, or because another is soloed.
    assert!(
        said(
            &mix([
                Track::new("x", stereo()).mute(true),
                Track::new("y", stereo())
            ]),
            "W111"
        )
        .is_empty()
    );
    assert!(
        said(
            &mix([
                Track::new("x", stereo()),
                Track::new("y", stereo()).solo(true)
            ]),
            "W111"
        )
        .is_empty()
    );
    assert!(said(&mix([Track::new("x", stereo())]), "W111").is_empty());
}

#[test]
fn w101_clipping_and_w106_silence_and_w116_absurd_levels() {
    let folder = tempfile::tempdir().unwrap();
    let written = |mix: &Session| {
        let bounce = Bounce::new().format(Format::WAV_16).overwrite(true);
        let warnings = bounce
            .run(mix, folder.path().join("o.wav"))
            .unwrap()
            .warnings;
        warnings
            .iter()
            .filter(|w| !w.kind.is_note())
            .map(|w| w.kind.code())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        written(&mix([Track::new("x", stereo()).gain(Decibels(12.0))])),
        ["W101"]
    );
    assert_eq!(
        written(&mix([Track::new("x", stereo()).gain(Decibels(40.0))])),
        ["W101", "W116"]
    );
    // A stem that blows up is found behind any strip, one that is only loud is not.
    let peaks = |level: f64| vec![[vec![0.1; 500], vec![level; 100], vec![0.1; 500]].concat()];
    let strips: [&dyn Fn(Track) -> Track; 5] = [
        &|t| t,
        &|t| t.gain(Decibels(-60.0)),
        &|t| t.gain(Decibels(-60.0)).pan(Pan::RIGHT),
        &|t| {
            t.pan(Pan(-0.3))
                .gain(Decibels(-60.0))
                .gain_curve(Curve::new().point(Frames(0), Decibels(-20.0), Shape::Linear))
        },
        &|t| {
            t.gain(Decibels(-60.0))
                .clip(Clip::new(stereo()).at(Frames(5_000)))
        },
    ];
    for (n, strip) in strips.iter().enumerate() {
        for (level, want) in [(100.0, 1), (15.8, 0)] {
            for stem in [
                peaks(level),
                [peaks(0.5), peaks(-level)].concat(),
                [peaks(level), peaks(0.0)].concat(),
            ] {
                let layout = if stem.len() == 1 {
                    Layout::Mono
                } else {
                    Layout::Stereo
                };
                let spec = Spec {
                    rate: SampleRate::HZ_48000,
                    layout,
                };
                let said = said(
                    &mix([strip(Track::new("x", Memory::new(spec, stem).unwrap()))]),
                    "W116",
                );
                assert_eq!(said.len(), want, "strip {n}, {level}: {said:?}");
                let text = "track \"x\": its stem peaks at +40.0 dBFS, far above the level of normal recordings";
                assert!(said.iter().all(|s| s == text), "{said:?}");
            }
        }
    }
    assert_eq!(
        written(&mix([Track::new("x", memory(vec![vec![0.0; 100]]))])),
        ["W106"]
    );
    assert_eq!(written(&mix([Track::new("x", stereo())])), [""; 0]);
}

#[test]
fn w102_resampled_w103_placed_and_w104_folded() {
    let stem = |hz: u32, layout: Layout| {
        let spec = Spec {
            rate: SampleRate::new(hz).unwrap(),
            layout,
        };
        Track::new(
            "x",
            Memory::new(spec, vec![tone(440.0); layout.channels()]).unwrap(),
        )
    };
    let notes = |track: Track| {
        let warnings = report(&mix([track])).warnings;
        warnings
            .iter()
            .filter(|w| w.kind.is_note())
            .map(|w| w.kind.code())
            .collect::<Vec<_>>()
    };
    assert_eq!(notes(stem(48_000, Layout::Stereo)), [""; 0]);
    assert_eq!(notes(stem(44_100, Layout::Stereo)), ["W102"]);
    assert_eq!(notes(stem(48_000, Layout::Mono)), ["W103"]);
    assert_eq!(notes(stem(48_000, Layout::Quad)), ["W104"]);
}

/// A tone whose reader has something to tell of it.
struct Flawed(Memory, Option<FlawKind>);

impl Source for Flawed {
    fn spec(&self) -> Spec {
        self.0.spec()
    }
    fn length(&self) -> Option<Frames> {
        self.0.length()
    }
    fn read(&mut self, out: &mut Block) -> Result<usize> {
        self.0.read(out)
    }
    fn seek(&mut self, to: Frames) -> Result<()> {
        self.0.seek(to)
    }
    fn flaws(&mut self) -> Vec<Flaw> {
        let flaw = |kind| Flaw {
            kind,
            at: Frames(480),
            len: Frames(10),
            what: "told".to_owned(),
        };
        self.1.take().map(flaw).into_iter().collect()
    }
}

#[test]
fn w115_damaged_or_ended_early_and_w117_not_finite() {
    let told = |kind: Option<FlawKind>, code| {
        let open = move || Ok(Box::new(Flawed(stereo(), kind)) as Box<dyn Source>);
        let mut mix = mix([Track::new("x", Opener::new("flawed", open))]);
        mix.damage = Damage::Silence;
        said(&mix, code)
    };
    let all = [
        (FlawKind::EndedEarly, "W115", "ended early"),
        (FlawKind::CutBefore, "W115", "cut out of a longer stream"),
        (FlawKind::Damaged, "W115", "damaged"),
        (FlawKind::NonFinite, "W117", "not finite"),
    ];
    for (kind, code, name) in all {
        let text = format!("track \"x\": flawed: {name} at 00:00:00.010, 10 frames silenced: told");
        assert_eq!(told(Some(kind), code), [text]);
        assert_eq!(told(None, code), [""; 0]);
    }
}

#[test]
fn w105_stems_of_a_cue_that_are_not_of_one_length() {
    let of = |frames: [usize; 2]| {
        let mut mix = mix([]);
        let [a, b] = frames.map(|frames| memory(vec![vec![0.1; frames]]));
        let cue = Cue::new("storm")
            .track(Track::new("brass", a))
            .track(Track::new("celli", b));
        mix.add_cue(cue.used(Use::at(Frames(0))));
        said(&mix, "W105")
    };
    let text = "cue \"storm\": its stems differ in length: \"celli\" ends at 00:00:01.000, \"brass\" ends at 00:00:02.000";
    assert_eq!(of([96_000, 48_000]), [text]);
    assert_eq!(of([48_000, 48_000]), [""; 0]);
}

#[test]
fn w113_a_header_with_a_wrong_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.wav");
    mix([Track::new("x", stereo())]).bounce(&path).unwrap();
    let in_file = || said(&mix([Track::new("x", path.as_path())]), "W113");
    assert_eq!(in_file(), [""; 0]);
    let mut bytes = fs::read(&path).unwrap();
    let size = bytes.windows(4).position(|w| w == b"data").unwrap() + 4;
    bytes[size..size + 4].copy_from_slice(&(600u32 * 6).to_le_bytes());
    fs::write(&path, bytes).unwrap();
    let text = format!(
        "track \"x\": {}: its header says 600 frames, 96000 were found and used",
        path.display()
    );
    assert_eq!(in_file(), [text]);
}

/// A frame of silence of MPEG 1 layer III at 48 kHz, 64 kbit/s, mono, and with `tag` one in front that says how much the
/// encoder added.
fn mp3(tag: bool) -> Vec<u8> {
    const SIZE: usize = 192;
    let frame = || {
        let mut frame = vec![0; SIZE];
        frame[..4].copy_from_slice(&[0xFF, 0xFB, 0x54, 0xC0]);
        frame
    };
    let mut first = frame();
    first[21..25].copy_from_slice(b"Info");
    first[25..29].copy_from_slice(&1u32.to_be_bytes());
    first[29..33].copy_from_slice(&20u32.to_be_bytes());
    first[33..37].copy_from_slice(b"LAME");
    // Delay 576 and padding 1152, 12 bits each.
    first[33 + 21..33 + 24].copy_from_slice(&[0x24, 0x04, 0x80]);
    let frames = (0..20).map(|_| frame());
    if tag {
        [first].into_iter().chain(frames).flatten().collect()
    } else {
        frames.flatten().collect()
    }
}

#[test]
fn w118_a_format_that_does_not_tell_its_delay() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.mp3");
    let told = |tag: bool| {
        fs::write(&path, mp3(tag)).unwrap();
        said(&mix([Track::new("x", path.as_path())]), "W118")
    };
    assert_eq!(told(true), [""; 0]);
    let text = "the file does not say how much delay its encoder added, so none is removed";
    assert_eq!(
        told(false),
        [format!("track \"x\": {}: {text}", path.display())]
    );
}

#[test]
fn w127_a_fader_above_24_decibels() {
    let warnings = |gain: &str| {
        let text = format!(
            "rate = 48000\n[master]\ngain = {gain}\n[bus.b]\ngain = {gain}\n[track.a]\nfile = \"a.wav\"\ngain = {gain}\n\
             [cue.c]\nat = 0\n[cue.c.track.a]\nfile = \"a.wav\"\ngain = {gain}\n"
        );
        let folder = tempfile::tempdir().unwrap();
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 48_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(folder.path().join("a.wav"), spec).unwrap();
        (0..480).for_each(|_| writer.write_sample(0i16).unwrap());
        writer.finalize().unwrap();
        let session = soundtrack::Load::default()
            .text(text, folder.path().join("s.toml"))
            .unwrap();
        let plan = Plan::compile(&session).unwrap();
        plan.warnings()
            .iter()
            .filter(|warning| warning.kind.code() == "W127")
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert!(warnings("24").is_empty());
    let above = warnings("24.1");
    assert_eq!(above.len(), 4, "{above:?}");
    let strips = [
        "track \"a\"",
        "cue \"c\", track \"a\"",
        "bus \"b\"",
        "the master",
    ];
    assert_eq!(
        above,
        strips.map(|strip| format!("W127 {strip}: its gain of +24.1 dB is above +24 dB"))
    );
}
