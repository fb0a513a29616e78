//! Slices: parts of a mix, rendered alone and joined, are the file that one render writes, byte for byte.

use soundtrack::{
    Block, Bounce, Bus, BusSend, Curve, Dbtp, Decibels, ErrorKind, Fade, Format, Frames, Insert,
    Layout, Pan, PanLaw, Plan, SampleRate, Selector, Session, Shape, Sink, Track,
    encode::{Dither, FileSink, Metadata, Options, Shaping, Slice},
    slice,
};
use soundtrack_test_support::renders::stem;
use std::{fs, ops::Range, path::PathBuf};

const FORMATS: [Format; 4] = [
    Format::WAV_16,
    Format::WAV_24,
    Format::WAV_32,
    Format::WAV_32F,
];

/// Two resampled stems and one that is not, with a curve; 2 s.
fn mix(layout: Layout) -> Session {
    let mut mix = Session::new(SampleRate::HZ_48000, layout);
    mix.add_track(Track::new("a", stem(1, 44_100, Layout::Stereo, 88_200)).gain(Decibels(-2.5)));
    mix.add_track(Track::new("b", stem(2, 48_000, Layout::Mono, 96_000)).pan(Pan(0.4)));
    let curve = Curve::new().point(Frames(0), Decibels::SILENCE, Shape::Sine);
    let curve = curve.point(Frames(90_001), Decibels(6.0), Shape::Linear);
    mix.add_track(Track::new("c", stem(3, 32_000, Layout::Stereo, 64_000)).gain_curve(curve));
    mix
}

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn part(&self, name: &str, mix: &Session, format: Format, range: Range<u64>) -> PathBuf {
        let bounce = Bounce::new()
            .format(format)
            .threads(1)
            .joinable(true)
            .overwrite(true);
        bounce
            .range(Frames(range.start)..Frames(range.end))
            .run(mix, self.at(name))
            .unwrap();
        self.at(name)
    }

    /// The bytes of the whole, and of the parts joined in the order of `order`.
    fn both(&self, mix: &Session, format: Format, cuts: &[u64], order: &[usize]) -> [Vec<u8>; 2] {
        let (whole, joined) = (self.at("whole.wav"), self.at("joined.wav"));
        let report = Bounce::new()
            .format(format)
            .overwrite(true)
            .run(mix, &whole)
            .unwrap();
        let end = Plan::compile(mix).unwrap().length().0;
        let ends: Vec<u64> = [&[0], cuts, &[end]].concat();
        let parts: Vec<PathBuf> = ends
            .windows(2)
            .enumerate()
            .map(|(i, w)| self.part(&format!("{i}.wav"), mix, format, w[0]..w[1]))
            .collect();
        let parts: Vec<_> = order.iter().map(|i| parts[*i].clone()).collect();
        let found = slice::join(&parts, &joined, true).unwrap();
        assert_eq!((found.frames, found.bytes), (end, report.bytes));
        // Measured of the file: rounding to 16 bits moves it by less than this.
        let (a, b) = (
            found.mix.integrated_lufs.unwrap(),
            report.mix.integrated_lufs.unwrap(),
        );
        assert!(
            (a - b).abs() < 0.001 || report.mix.clipped_samples > 0,
            "{a} {b}"
        );
        [fs::read(whole).unwrap(), fs::read(joined).unwrap()]
    }
}

#[track_caller]
fn same(both: [Vec<u8>; 2]) {
    let [whole, joined] = both;
    let differ = whole.iter().zip(&joined).position(|(a, b)| a != b);
    assert_eq!((whole.len(), None), (joined.len(), differ));
}

#[test]
fn joined_parts_are_the_whole_in_every_format_and_order() {
    let desk = Desk::new();
    for format in FORMATS {
        same(desk.both(
            &mix(Layout::Stereo),
            format,
            &[1, 30_000, 70_001],
            &[2, 0, 3, 1],
        ));
    }
    for layout in [Layout::Mono, Layout::Lcr, Layout::Surround51] {
        // Mono of an odd number of frames in 24 bits ends with a pad byte, in the whole and in the parts.
        let mut mix = mix(layout);
        mix.length = Some(Frames(90_001));
        same(desk.both(&mix, Format::WAV_24, &[30_001], &[1, 0]));
    }
}

#[test]
fn a_limiter_and_dither_change_nothing_of_it() {
    let desk = Desk::new();
    let mut mix = mix(Layout::Stereo);
    (mix.master.gain, mix.master.limit) = (Decibels(9.0), Some(Dbtp(-1.0)));
    for format in FORMATS {
        same(desk.both(&mix, format, &[20_000, 20_001, 60_000], &[0, 1, 2, 3]));
    }
    for shaping in [Shaping::White, Shaping::HighPass] {
        mix.master.dither = Some(Dither { seed: 7, shaping });
        same(desk.both(&mix, Format::WAV_16, &[20_000, 60_000], &[0, 2, 1]));
    }
    mix.master.dither = Some(Dither {
        seed: 7,
        shaping: Shaping::Weighted,
    });
    let weighted = || {
        Bounce::new()
            .format(Format::WAV_16)
            .joinable(true)
            .range(Frames(0)..Frames(100))
    };
    let e = weighted().run(&mix, desk.at("w.wav")).unwrap_err();
    assert_eq!(
        (e.kind(), e.to_string().as_str()),
        (
            ErrorKind::Session,
            "weighted dither depends on where a render starts, so its parts are not those of the whole: \
             take high-pass or white"
        )
    );
    assert!(!desk.at("w.wav").exists());
    // Float is not dithered, so there is nothing against it.
    weighted()
        .format(Format::WAV_32F)
        .run(&mix, desk.at("w.wav"))
        .unwrap();
}

#[test]
fn the_header_of_the_whole_comes_back_with_its_origin() {
    let desk = Desk::new();
    let spec = Plan::compile(&mix(Layout::Stereo)).unwrap().spec();
    let block = |from: u64, frames: usize| {
        let mut block = Block::new(Layout::Stereo, frames);
        block.set_frames(frames);
        block.channels_mut().for_each(|c| {
            (from..)
                .zip(c)
                .for_each(|(n, s)| *s = (n % 100) as f64 / 128.0)
        });
        block
    };
    let write = |name: &str, from: u64, frames: usize, whole: bool| {
        // A slice is given the metadata of the whole.
        let metadata = Metadata {
            time_reference: Some(Frames(172_800_000)),
            description: "reel 2".into(),
            originator: "me".into(),
            markers: vec![(Frames(100), "one".into()), (Frames(400), "two".into())],
            ..Metadata::default()
        };
        let slice = (!whole).then_some(Slice {
            start: Frames(from),
            whole: Frames(500),
            mix: 9,
        });
        let options = Options {
            metadata,
            slice,
            ..Options::default()
        };
        let mut wav = FileSink::create_with(
            desk.at(name),
            Format::WAV_24,
            spec,
            Frames(frames as u64),
            &options,
        )
        .unwrap();
        wav.write(&block(from, frames)).unwrap();
        wav.finish().unwrap();
    };
    write("whole.wav", 0, 500, true);
    write("a.wav", 0, 201, false);
    write("b.wav", 201, 299, false);
    let (_, part) = soundtrack::media::open(&desk.at("b.wav"), None).unwrap();
    assert_eq!(part.time_reference, Some(Frames(172_800_201)));
    slice::join(
        &[desk.at("b.wav"), desk.at("a.wav")],
        desk.at("joined.wav"),
        false,
    )
    .unwrap();
    same([
        fs::read(desk.at("whole.wav")).unwrap(),
        fs::read(desk.at("joined.wav")).unwrap(),
    ]);
}

#[test]
fn what_does_not_fit_together_is_refused_by_name() {
    let desk = Desk::new();
    let mix = mix(Layout::Stereo);
    let a = desk.part("a.wav", &mix, Format::WAV_24, 0..40_000);
    let b = desk.part("b.wav", &mix, Format::WAV_24, 40_000..60_000);
    let c = desk.part("c.wav", &mix, Format::WAV_24, 60_000..96_000);
    let over = desk.part("over.wav", &mix, Format::WAV_24, 39_000..60_000);
    let other = desk.part("other.wav", &mix, Format::WAV_16, 40_000..60_000);
    let mut louder = mix.clone();
    louder.tracks_mut()[1].strip.gain = Decibels(0.1);
    let louder = desk.part("louder.wav", &louder, Format::WAV_24, 40_000..60_000);
    Bounce::new()
        .range(Frames(40_000)..Frames(60_000))
        .run(&mix, desk.at("plain.wav"))
        .unwrap();
    let cut = desk.at("cut.wav");
    let bytes = fs::read(&b).unwrap();
    fs::write(&cut, &bytes[..bytes.len() - 6000]).unwrap();
    let refused = |parts: &[&PathBuf], kind: ErrorKind, words: &str| {
        let e = slice::join(parts, desk.at("out.wav"), false).unwrap_err();
        let what = e
            .to_string()
            .replace(&format!("{}/", desk.0.path().display()), "");
        assert_eq!((e.kind(), what.as_str()), (kind, words));
        assert!(!desk.at("out.wav").exists());
    };
    use ErrorKind::{Corrupt, NotFound, Output, Unsupported};
    refused(
        &[&c, &a],
        Corrupt,
        "a.wav and c.wav: frames 40000 to 60000 are missing between them",
    );
    refused(
        &[&b, &c],
        Corrupt,
        "b.wav: frames 0 to 40000 are missing before it",
    );
    refused(
        &[&b, &a],
        Corrupt,
        "b.wav: frames 60000 to 96000 are missing after it",
    );
    refused(
        &[&a, &over, &c],
        Corrupt,
        "a.wav and over.wav: both hold frames 39000 to 40000",
    );
    refused(
        &[&a, &b, &b, &c],
        Corrupt,
        "b.wav and b.wav: both hold frames 40000 to 60000",
    );
    refused(
        &[&a, &other, &c],
        Corrupt,
        "a.wav and other.wav: have different formats or metadata",
    );
    const CHANGED: &str = "are parts of different mixes, or of one that was changed between them";
    refused(
        &[&a, &louder, &c],
        Corrupt,
        &format!("a.wav and louder.wav: {CHANGED}"),
    );
    const PLAIN: &str = "does not say which part of a mix it is: render it with --range";
    refused(
        &[&a, &desk.at("plain.wav"), &c],
        Unsupported,
        &format!("plain.wav: {PLAIN}"),
    );
    refused(
        &[&a, &cut, &c],
        Corrupt,
        "cut.wav: 114000 of 120000 bytes are there: render it again",
    );
    refused(&[], NotFound, "there are no parts to join");
    let e = slice::join(&[&a, &b, &c], &b, true).unwrap_err();
    assert_eq!(
        (
            e.kind(),
            e.to_string().ends_with("b.wav: is one of the parts")
        ),
        (Output, true)
    );
    assert_eq!(fs::read(&b).unwrap(), bytes);
    let e = Bounce::new()
        .joinable(true)
        .range(Frames(0)..Frames(96_001))
        .run(&mix, desk.at("x.wav"))
        .unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Session);
    // Copies of the stems in another folder are the same mix.
    let file = |folder: &str| {
        let path = desk.at(folder).join("x.wav");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if folder == "here" {
            mix.bounce(&path).unwrap();
        } else {
            fs::copy(desk.at("here/x.wav"), &path).unwrap();
        }
        let mut session = Session::new(SampleRate::HZ_44100, Layout::Stereo);
        session.add_track(Track::new("x", path));
        session
    };
    let (here, there) = (file("here"), file("there"));
    let end = Plan::compile(&here).unwrap().length().0;
    let parts = [
        desk.part("1.wav", &here, Format::WAV_24, 0..30_000),
        desk.part("2.wav", &there, Format::WAV_24, 30_000..end),
    ];
    slice::join(&parts, desk.at("out.wav"), false).unwrap();
    Bounce::new().run(&here, desk.at("one.wav")).unwrap();
    same([
        fs::read(desk.at("one.wav")).unwrap(),
        fs::read(desk.at("out.wav")).unwrap(),
    ]);
}

type Change = Box<dyn Fn(&mut Session)>;

#[test]
fn parts_of_mixes_that_differ_in_anything_heard_are_refused() {
    let desk = Desk::new();
    let base = || {
        let mut mix = mix(Layout::Stereo);
        let bus = mix.add_bus(Bus::new("b"));
        mix.tracks_mut()[0].strip.sends.push(BusSend {
            to: bus,
            gain: Decibels(-3.0),
        });
        let first = mix.track_ids().next().unwrap();
        let ducker = Insert::new("ducker").unwrap().key(first);
        mix.tracks_mut()[2].strip.inserts.push(ducker);
        mix
    };
    let key = |number: usize| {
        move |mix: &mut Session| {
            let key = mix.track_ids().nth(number).map(Selector::Track);
            mix.tracks_mut()[2].strip.inserts[0].key = key;
        }
    };
    let strip = |change: fn(&mut Track)| move |mix: &mut Session| change(&mut mix.tracks_mut()[1]);
    let fade = Fade::linear(Frames(100));
    let sweep = Curve::new()
        .point(Frames(0), Pan(0.4), Shape::Linear)
        .point(Frames(9), Pan(0.5), Shape::Linear);
    let changes: Vec<(&str, Change)> = vec![
        ("gain", Box::new(strip(|t| t.strip.gain = Decibels(-0.1)))),
        ("pan", Box::new(strip(|t| t.strip.pan = Pan(0.5)))),
        ("mute", Box::new(strip(|t| t.strip.mute = true))),
        (
            "pan curve",
            Box::new(move |mix| mix.tracks_mut()[1].strip.pan_curve = sweep.clone()),
        ),
        ("invert", Box::new(strip(|t| t.invert = true))),
        (
            "clip gain",
            Box::new(strip(|t| t.clips[0].gain = Decibels(-0.1))),
        ),
        (
            "fade-in",
            Box::new(move |mix| mix.tracks_mut()[1].clips[0].fade_in = fade),
        ),
        (
            "fade-out",
            Box::new(move |mix| mix.tracks_mut()[1].clips[0].fade_out = fade),
        ),
        (
            "start",
            Box::new(strip(|t| t.clips[0].at = Frames(1).into())),
        ),
        (
            "send",
            Box::new(|mix| mix.tracks_mut()[0].strip.sends[0].gain = Decibels(-3.5)),
        ),
        (
            "bus",
            Box::new(|mix| mix.buses_mut()[0].strip.gain = Decibels(1.0)),
        ),
        ("master", Box::new(|mix| mix.master.gain = Decibels(1.0))),
        ("limit", Box::new(|mix| mix.master.limit = Some(Dbtp(-1.0)))),
        ("other key", Box::new(key(1))),
        ("no key", Box::new(key(9))),
        ("pan law", Box::new(|mix| mix.pan_law = PanLaw::Linear)),
    ];
    let first = desk.part("first.wav", &base(), Format::WAV_24, 0..5000);
    let join = |mix: &Session| {
        let end = Plan::compile(mix).unwrap().length().0;
        let second = desk.part("second.wav", mix, Format::WAV_24, 5000..end);
        slice::join(&[first.clone(), second], desk.at("joined.wav"), true)
    };
    join(&base()).unwrap();
    for (name, change) in changes {
        let mut other = base();
        change(&mut other);
        let told = join(&other).unwrap_err().to_string();
        assert!(
            told.contains("are parts of different mixes"),
            "{name}: {told}"
        );
    }
}

#[test]
fn a_part_that_ends_within_a_frame_is_refused() {
    let desk = Desk::new();
    let part = desk.part("part.wav", &mix(Layout::Stereo), Format::WAV_24, 0..1000);
    let mut bytes = fs::read(&part).unwrap();
    let size = bytes.windows(4).rposition(|w| w == b"data").unwrap() + 4;
    assert_eq!(bytes[size..size + 4], 6000u32.to_le_bytes());
    bytes[size..size + 4].copy_from_slice(&5998u32.to_le_bytes());
    bytes.truncate(bytes.len() - 2);
    fs::write(&part, bytes).unwrap();
    let told = slice::join(&[part], desk.at("joined.wav"), true).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Corrupt);
    assert!(
        told.to_string().ends_with(
            "5998 bytes of audio are no whole number of frames, which have 6 each: render it again"
        ),
        "{told}"
    );
}
