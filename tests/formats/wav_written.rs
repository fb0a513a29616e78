//! WAVE files written and read back: by this crate, and by readers that share no code with it.

use super::riff_bytes::{all, extensible, fmt};
use soundtrack::{
    Block, Bounce, ErrorKind, Frames, Layout, SampleRate, Session, Sink, Spec,
    encode::{FileSink, Format, Metadata, Options, Written},
};
use soundtrack_test_support::requirement::missing;
use std::{path::Path, process::Command};

const FORMATS: [Format; 4] = [
    Format::WAV_16,
    Format::WAV_24,
    Format::WAV_32,
    Format::WAV_32F,
];
const LAYOUTS: [Layout; 6] = [
    Layout::Mono,
    Layout::Stereo,
    Layout::Lcr,
    Layout::Quad,
    Layout::Surround51,
    Layout::Surround71,
];

fn spec(layout: Layout) -> Spec {
    Spec {
        rate: SampleRate::HZ_48000,
        layout,
    }
}

/// Samples that the format holds exactly, with both ends of its range: of frame `i`, channel `ch`.
fn sample(format: Format, i: usize, ch: usize) -> f64 {
    let noise = ((i * 8 + ch + 1) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    if format == Format::WAV_32F {
        return f64::from((noise >> 40) as f32 / 65_536.0 - 100.0);
    }
    let bits = format.bits();
    let full = 1i64 << (bits - 1);
    let value = match (i + ch) % 5 {
        0 => -full,
        1 => full - 1,
        _ => (noise >> (64 - bits)) as i64 - full,
    };
    value as f64 / full as f64
}

/// Writes `frames` frames in blocks of 100.
fn make(path: &Path, format: Format, layout: Layout, frames: usize, options: &Options) -> Written {
    let mut wav =
        FileSink::create_with(path, format, spec(layout), Frames(frames as u64), options).unwrap();
    let mut block = Block::new(layout, 100);
    let mut at = 0;
    while at < frames {
        let n = 100.min(frames - at);
        block.set_frames(n);
        for (ch, c) in block.channels_mut().enumerate() {
            c.iter_mut()
                .enumerate()
                .for_each(|(i, x)| *x = sample(format, at + i, ch));
        }
        wav.write(&block).unwrap();
        at += n;
    }
    wav.finish().unwrap()
}

fn hound(path: &Path, format: Format) -> Vec<f64> {
    let mut reader = hound::WavReader::open(path).unwrap();
    let spec = reader.spec();
    if format == Format::WAV_32F {
        assert_eq!(spec.sample_format, hound::SampleFormat::Float);
        return reader
            .samples::<f32>()
            .map(|s| f64::from(s.unwrap()))
            .collect();
    }
    let full = 2f64.powi(i32::from(spec.bits_per_sample) - 1);
    reader
        .samples::<i32>()
        .map(|s| f64::from(s.unwrap()) / full)
        .collect()
}

fn waveadapter(path: &Path) -> Vec<f64> {
    let mut reader = waveadapter::WavReader::new(std::fs::File::open(path).unwrap()).unwrap();
    reader.read_all_to_float::<f64>().unwrap().take_data()
}

/// Runs a program that may not be there; what it printed.
fn run(program: &str, arguments: &[&str]) -> Option<Vec<u8>> {
    let out = Command::new(program).args(arguments).output();
    match out {
        Ok(out) if out.status.success() => Some(out.stdout),
        Ok(out) => panic!("{program}: {}", String::from_utf8_lossy(&out.stderr)),
        Err(_) => {
            missing(format_args!("{program} is not installed"));
            None
        }
    }
}

#[test]
fn every_format_and_layout_comes_back_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        for layout in LAYOUTS {
            for frames in [0, 1, 2, 333, 1001] {
                let path = folder
                    .path()
                    .join(format!("{format}-{layout}-{frames}.wav"));
                let written = make(&path, format, layout, frames, &Options::default());
                assert_eq!(
                    (written.frames, written.clipped),
                    (Frames(frames as u64), 0)
                );
                assert_eq!(written.bytes, path.metadata().unwrap().len());
                assert_eq!(written.bytes % 2, 0, "padded");
                let wanted: Vec<f64> = (0..frames)
                    .flat_map(|i| (0..layout.channels()).map(move |ch| sample(format, i, ch)))
                    .collect();
                let (ours, info) = all(&path);
                assert_eq!(ours, wanted, "{format} {layout} {frames}");
                assert_eq!(
                    (info.spec, info.missing, info.remarks.len()),
                    (spec(layout), Frames(0), 0)
                );
                assert_eq!(
                    hound(&path, format),
                    wanted,
                    "hound: {format} {layout} {frames}"
                );
                assert_eq!(
                    waveadapter(&path),
                    wanted,
                    "waveadapter: {format} {layout} {frames}"
                );
            }
        }
    }
}

#[test]
fn other_programs_read_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        for layout in [Layout::Mono, Layout::Quad, Layout::Surround71] {
            let path = folder.path().join(format!("{format}-{layout}.wav"));
            make(&path, format, layout, 333, &Options::default());
            let name = path.to_str().unwrap();
            let wanted: Vec<f64> = (0..333)
                .flat_map(|i| (0..layout.channels()).map(move |ch| sample(format, i, ch)))
                .collect();
            let doubles = |raw: Vec<u8>| -> Vec<f64> {
                raw.as_chunks()
                    .0
                    .iter()
                    .map(|b| f64::from_le_bytes(*b))
                    .collect()
            };
            if let Some(raw) = run(
                "ffmpeg",
                &[
                    "-v",
                    "error",
                    "-i",
                    name,
                    "-f",
                    "f64le",
                    "-c:a",
                    "pcm_f64le",
                    "-",
                ],
            ) {
                assert_eq!(doubles(raw), wanted, "ffmpeg: {format} {layout}");
            }
            let show = [
                "-v",
                "error",
                "-show_entries",
                "stream=channel_layout",
                "-of",
                "csv=p=0",
                name,
            ];
            if let Some(text) = run("ffprobe", &show) {
                let theirs = String::from_utf8(text).unwrap().trim().to_owned();
                let wanted = if layout == Layout::Surround71 {
                    ["7.1", "7.1"]
                } else {
                    [&*layout.to_string(), "unknown"]
                };
                // ffmpeg names a layout only where it is stated, except that plain mono is never unknown.
                assert!(
                    wanted.contains(&&*theirs) || layout == Layout::Mono,
                    "ffprobe: {layout} is {theirs}"
                );
            }
            // sox is exact up to 32 bits of integer; it clips float.
            if format != Format::WAV_32F
                && let Some(raw) = run("sox", &["-V1", name, "-t", "f64", "-"])
            {
                assert_eq!(doubles(raw), wanted, "sox: {format} {layout}");
            }
        }
    }
    let path = folder.path().join("python.wav");
    make(
        &path,
        Format::WAV_16,
        Layout::Stereo,
        333,
        &Options::default(),
    );
    let code = "import sys,wave;w=wave.open(sys.argv[1]);sys.stdout.write(repr((w.getparams()[:4],len(w.readframes(999)))))";
    if let Some(text) = run("python3", &["-c", code, path.to_str().unwrap()]) {
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "((2, 2, 48000, 333), 1332)"
        );
    }
}

fn golden(format: Format, layout: Layout, options: &Options) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("golden.wav");
    make(&path, format, layout, 1, options);
    std::fs::read(path).unwrap()
}

fn header(riff: u32, chunks: &[(&[u8; 4], &[u8])], data: u32) -> Vec<u8> {
    let mut out = [&b"RIFF"[..], &riff.to_le_bytes(), b"WAVE"].concat();
    for (id, body) in chunks {
        out.extend([&id[..], &(body.len() as u32).to_le_bytes(), body].concat());
    }
    out.extend([&b"data"[..], &data.to_le_bytes()].concat());
    out
}

#[test]
fn headers_are_exactly_these_bytes() {
    let none = Options::default();
    let pcm16 = golden(Format::WAV_16, Layout::Stereo, &none);
    assert_eq!(
        pcm16[..44],
        header(40, &[(b"fmt ", &fmt(1, 2, 48_000, 4, 16))], 4)
    );
    assert_eq!(pcm16[44..], [0x00, 0x80, 0xFF, 0x7F]);

    // Mono of 24 bits: EXTENSIBLE with the front centre, three bytes and a pad byte.
    let mono24 = golden(Format::WAV_24, Layout::Mono, &none);
    let ext = extensible(1, 48_000, 3, 24, 24, 0x4, 1);
    assert_eq!(mono24[..68], header(64, &[(b"fmt ", &ext)], 3));
    assert_eq!(mono24[68..], [0x00, 0x00, 0x80, 0x00]);

    let int32 = golden(Format::WAV_32, Layout::Surround71, &none);
    let ext = extensible(8, 48_000, 32, 32, 32, 0x63F, 1);
    assert_eq!(int32[..68], header(92, &[(b"fmt ", &ext)], 32));

    // Plain float has an empty extension and a fact chunk.
    let float = golden(Format::WAV_32F, Layout::Stereo, &none);
    let plain = [&fmt(3, 2, 48_000, 8, 32)[..], &[0, 0]].concat();
    assert_eq!(
        float[..58],
        header(58, &[(b"fmt ", &plain), (b"fact", &1u32.to_le_bytes())], 8)
    );

    let quad = golden(Format::WAV_32F, Layout::Quad, &none);
    let ext = extensible(4, 48_000, 16, 32, 32, 0x33, 3);
    assert_eq!(
        quad[..80],
        header(88, &[(b"fmt ", &ext), (b"fact", &1u32.to_le_bytes())], 16)
    );

    let metadata = Metadata {
        time_reference: Some(Frames(0x1_0000_2345)),
        description: "Reel 1 \u{e9}".into(),
        originator: "x".repeat(40),
        ..Metadata::default()
    };
    let bext = golden(Format::WAV_16, Layout::Mono, &Options { metadata, ..none });
    let mut body = vec![0; 602];
    body[..8].copy_from_slice(b"Reel 1 ?");
    body[256..288].fill(b'x');
    body[338..346].copy_from_slice(&0x1_0000_2345u64.to_le_bytes());
    body[346] = 2;
    // No loudness is stated.
    body[412..422].copy_from_slice(&[0xFF, 0x7F].repeat(5));
    body.extend(b"A=PCM,F=48000,W=16,M=mono,T=soundtrack\r\n");
    assert_eq!(
        bext[..694],
        header(
            688,
            &[(b"fmt ", &fmt(1, 1, 48_000, 2, 16)), (b"bext", &body)],
            2
        )
    );
}

#[test]
fn the_time_reference_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bext.wav");
    let metadata = Metadata {
        time_reference: Some(Frames(172_972_800)),
        ..Metadata::default()
    };
    let options = Options {
        metadata,
        ..Options::default()
    };
    make(&path, Format::WAV_24, Layout::Stereo, 7, &options);
    assert_eq!(all(&path).1.time_reference, Some(Frames(172_972_800)));
    if let Some(text) = run(
        "ffprobe",
        &[
            "-v",
            "error",
            "-show_entries",
            "format_tags=time_reference",
            "-of",
            "csv=p=0",
            path.to_str().unwrap(),
        ],
    ) {
        assert_eq!(String::from_utf8(text).unwrap().trim(), "172972800");
    }
    make(
        &path,
        Format::WAV_24,
        Layout::Stereo,
        7,
        &Options {
            overwrite: true,
            ..Options::default()
        },
    );
    assert_eq!(all(&path).1.time_reference, None);
}

#[test]
fn what_a_format_cannot_hold_is_counted_and_float_keeps_signs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("over.wav");
    let samples = [
        1.0,
        -1.0,
        f64::NAN,
        1e300,
        f64::NEG_INFINITY,
        -0.0,
        -1.5,
        0.5,
    ];
    let mut block = Block::new(Layout::Mono, 8);
    block.set_frames(8);
    block.channel_mut(0).copy_from_slice(&samples);
    let written = |format| {
        let options = Options {
            overwrite: true,
            ..Options::default()
        };
        let mut wav =
            FileSink::create_with(&path, format, spec(Layout::Mono), Frames(8), &options).unwrap();
        wav.write(&block).unwrap();
        let done = wav.finish().unwrap();
        (done.clipped, done.non_finite, all(&path).0)
    };
    let max = 1.0 - 1.0 / 32_768.0;
    assert_eq!(
        written(Format::WAV_16),
        (3, 2, vec![max, -1.0, 0.0, max, 0.0, 0.0, -1.0, 0.5])
    );
    let (clipped, non_finite, float) = written(Format::WAV_32F);
    // 1e300 is beyond f32.
    assert_eq!((clipped, non_finite), (0, 3));
    assert_eq!(float, [1.0, -1.0, 0.0, 0.0, 0.0, 0.0, -1.5, 0.5]);
    assert!(float[5].is_sign_negative());
}

#[test]
fn a_wrong_number_of_frames_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("short.wav");
    let mut block = Block::new(Layout::Stereo, 10);
    block.fill(10, 0.25);
    let mut wav =
        FileSink::create(&path, Format::WAV_24, spec(Layout::Stereo), Frames(11)).unwrap();
    wav.write(&block).unwrap();
    let e = wav.write(&block).unwrap_err();
    assert_eq!(
        (
            e.kind(),
            e.to_string().ends_with("11 frames were promised, 20 came")
        ),
        (ErrorKind::Output, true)
    );
    let e = wav.finish().unwrap_err();
    assert_eq!(
        (
            e.kind(),
            e.to_string().ends_with("11 frames were promised, 10 came")
        ),
        (ErrorKind::Output, true)
    );
    assert!(wav.write(&block).is_err() && wav.finish().is_err());
    let mono = Block::new(Layout::Mono, 1);
    let mut wav =
        FileSink::create(&path, Format::WAV_24, spec(Layout::Stereo), Frames(11)).unwrap();
    assert!(
        wav.write(&mono)
            .unwrap_err()
            .to_string()
            .ends_with("a block of 1 channels for a file of 2")
    );
    drop(wav);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_length_beyond_64_bits_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.wav");
    let e = FileSink::create(&path, Format::WAV_24, spec(Layout::Stereo), Frames::MAX).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Output);
    assert!(FileSink::create(&path, Format::WAV_24, spec(Layout::Discrete(0)), Frames(1)).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_name_of_another_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::new(SampleRate::HZ_48000, Layout::Mono);
    for name in ["song.mp3", "song.flac", "cues.csv", "song.w64"] {
        let path = folder.path().join(name);
        let refusals = [
            FileSink::create(&path, Format::WAV_24, spec(Layout::Mono), Frames(1)).unwrap_err(),
            Bounce::new().check(&path).unwrap_err(),
            session.bounce(&path).unwrap_err(),
        ];
        for e in refusals {
            assert_eq!(e.kind(), ErrorKind::Unsupported);
            assert!(
                e.to_string().contains(name) && e.to_string().contains("a WAV file is written"),
                "{e}"
            );
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    for name in ["song", "song.WAV", "song.wave"] {
        FileSink::create(
            folder.path().join(name),
            Format::WAV_24,
            spec(Layout::Mono),
            Frames(0),
        )
        .unwrap();
    }
}

#[test]
fn names_round_trip() {
    use soundtrack::encode::UnknownFormat;
    for (format, name) in [
        (Format::WAV_16, "wav16"),
        (Format::WAV_24, "wav24"),
        (Format::WAV_32, "wav32"),
        (Format::WAV_32F, "wav32f"),
    ] {
        assert_eq!(
            (name.parse(), format.to_string().as_str()),
            (Ok(format), name)
        );
    }
    assert_eq!("WAV16".parse::<Format>(), Err(UnknownFormat));
}
