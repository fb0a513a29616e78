//! Small valid inputs to start from: short stems of each format that can be made here, and sessions.

use soundtrack::{Bounce, Format, Frames, Layout, SampleRate, Session, Spec, Track, media::Memory};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Seeds that ffmpeg makes if it is installed.
const ENCODED: [(&str, &[&str]); 12] = [
    ("a.flac", &["-c:a", "flac"]),
    (
        "b.flac",
        &["-c:a", "flac", "-sample_fmt", "s32", "-ac", "1"],
    ),
    ("a.mp3", &["-c:a", "libmp3lame", "-b:a", "64k"]),
    ("a.mp2", &["-c:a", "mp2"]),
    ("a.ogg", &["-c:a", "libvorbis", "-q", "1"]),
    ("a.oga", &["-c:a", "flac"]),
    ("a.m4a", &["-c:a", "aac", "-b:a", "48k"]),
    ("b.m4a", &["-c:a", "alac"]),
    ("a.aac", &["-c:a", "aac", "-b:a", "48k"]),
    ("a.aiff", &["-c:a", "pcm_s16be"]),
    ("a.caf", &["-c:a", "pcm_s24be"]),
    ("a.mka", &["-c:a", "libvorbis"]),
];

/// Returns a short piece of music: a chord that dies away, with some noise.
fn music(frames: usize, layout: Layout) -> Memory {
    let sample = |channel: usize, n: usize| {
        let t = n as f64 / 48_000.0;
        let noise = ((n * 7_919 + channel * 104_729) % 1_009) as f64 / 1_009.0 - 0.5;
        let chord: f64 = [220.0, 277.2, 329.6]
            .iter()
            .map(|f| (t * f * std::f64::consts::TAU).sin())
            .sum();
        0.2 * chord * (-3.0 * t).exp() + 0.01 * noise
    };
    let channels = (0..layout.channels())
        .map(|ch| (0..frames).map(|n| sample(ch, n)).collect())
        .collect();
    Memory::new(
        Spec {
            rate: SampleRate::HZ_48000,
            layout,
        },
        channels,
    )
    .expect("music")
}

/// Stems of a tenth of a second, by name: WAVE in every depth, and what an encoder that is installed makes of one.
pub fn stems() -> Vec<(String, Vec<u8>)> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut made: Vec<PathBuf> = Vec::new();
    let formats = [
        ("16", Format::WAV_16),
        ("24", Format::WAV_24),
        ("32", Format::WAV_32),
        ("32f", Format::WAV_32F),
    ];
    for (depth, format) in formats {
        for layout in [Layout::Mono, Layout::Stereo, Layout::Surround51] {
            let mut session = Session::new(SampleRate::HZ_48000, layout);
            let mut track = Track::of("music");
            track
                .clips
                .push(soundtrack::Clip::new(music(1_200, layout)));
            session.add_track(track);
            let path = folder.path().join(format!("{depth}-{layout}.wav"));
            Bounce::new()
                .format(format)
                .range(Frames(0)..Frames(1_200))
                .run(&session, &path)
                .expect("a WAV file");
            made.push(path);
        }
    }
    let from = folder.path().join("16-stereo.wav");
    for (name, args) in ENCODED {
        let to = folder.path().join(name);
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg
            .args(["-v", "quiet", "-stream_loop", "3", "-i"])
            .arg(&from)
            .args(args)
            .args(["-bitexact"])
            .arg(&to);
        if ffmpeg
            .stdin(Stdio::null())
            .status()
            .is_ok_and(|s| s.success())
        {
            made.push(to);
        }
    }
    made.iter()
        .map(|p| (name(p), fs::read(p).expect("a seed")))
        .collect()
}

/// Returns FLAC frames in the form of [`check::flac`](super::check::flac): channel assignment, bits less 4, block size less 1
/// in two bytes, subframes. One of constants, one of plain samples, one of a linear predictor, and what is made of `stems`.
pub fn flac_frames(stems: &[(String, Vec<u8>)]) -> Vec<Vec<u8>> {
    let constant = vec![1, 12, 0, 15, 0, 1, 2, 0, 3, 4];
    let plain = [&[0, 4, 0, 15, 2][..], &[0x5A; 16]].concat();
    // Order 1, the coefficient 1 in 2 bits, and Rice codes of one bit, all 0.
    let linear = vec![0, 4, 0, 15, 64, 0x10, 0x10, 0x10, 0x03, 0xFF, 0xFE];
    let mut seeds = vec![constant, plain, linear];
    for (_, data) in stems.iter().filter(|(name, _)| name.ends_with(".flac")) {
        // Behind the metadata: a header of six bytes, as blocks of a usual size have, and the subframes of some frames.
        let frame = data.windows(2).position(|pair| pair == [0xFF, 0xF8]);
        let Some(&[_, _, sizes, channels, _, _, ref subframes @ ..]) =
            frame.and_then(|at| data.get(at..))
        else {
            continue;
        };
        let bits = if channels >> 1 & 7 == 4 { 16 } else { 24 };
        let frames: u16 = match sizes >> 4 {
            n @ 2..=5 => 576 << (n - 2),
            n @ 8..=14 => 256 << (n - 8),
            _ => 192,
        };
        let [high, low] = (frames - 1).to_be_bytes();
        seeds.push([&[channels >> 4, bits - 4, high, low], subframes].concat());
    }
    seeds
}

/// Returns session files in the form of [`check::session`](super::check::session): a byte for the notation, then the text.
pub fn sessions() -> Vec<Vec<u8>> {
    let film = include_str!("../../../../examples/film_reel/lighthouse.toml");
    let small = "[track.a]\nfile = \"a.wav\"\ngain = -3\npan = \"L20\"\nautomation.gain = [\"0s -inf\", \"1s 0 sine\"]\n";
    let json = r#"{"rate": 48000, "bus": {"b": {"gain": -1.5}}, "track": {"a": {"file": "a.wav", "bus": "b", "mute": true}}}"#;
    let mut texts = vec![
        (0_u8, film.to_owned()),
        (0, small.to_owned()),
        (1, json.to_owned()),
    ];
    for (kind, bad) in [
        (0, include_str!("../../../session/bad/toml.txt")),
        (1, include_str!("../../../session/bad/json.txt")),
    ] {
        let text = |case: &str| {
            case.split_once("---\n")
                .map(|(_, text)| (kind, text.to_owned()))
        };
        texts.extend(bad.split("### ").filter_map(text));
    }
    texts
        .into_iter()
        .map(|(kind, text)| [&[kind], text.as_bytes()].concat())
        .collect()
}

/// Returns files of other programs in the form of [`check::interchange`](super::check::interchange): a byte for the format, then
/// the text.
pub fn interchange() -> Vec<Vec<u8>> {
    let texts = [
        include_str!("../../../interchange/samples/reel.otio"),
        include_str!("../../../interchange/samples/reel.edl"),
        include_str!("../../../interchange/samples/spotting.csv"),
        include_str!("../../../interchange/samples/regions.csv"),
        include_str!("../../../interchange/samples/labels.txt"),
        include_str!("../../../interchange/samples/song.rpp"),
        include_str!("../../../interchange/samples/project.xml"),
    ];
    let texts = (0u8..).zip(texts);
    texts
        .map(|(kind, text)| [&[kind], text.as_bytes()].concat())
        .collect()
}

/// Pairs of stems as [`check::render`](super::check::render) takes them.
pub fn pairs(stems: &[(String, Vec<u8>)]) -> Vec<Vec<u8>> {
    let next = stems.iter().cycle().skip(5);
    let pair = |n: usize, a: &[u8], b: &[u8]| {
        let [.., high, low] = a.len().min(65_535).to_be_bytes();
        let n = n as u8;
        [
            &[n, 192, 180, n * 9, n * 5, n, 77, 100, 200, high, low, 0],
            a,
            b,
        ]
        .concat()
    };
    stems
        .iter()
        .zip(next)
        .enumerate()
        .map(|(n, (a, b))| pair(n, &a.1, &b.1))
        .collect()
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default()
}
