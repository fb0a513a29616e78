//! Measures reading a stem on one core, in frames per second, for each codec: from the file to planar `f64`.
//!
//! ```sh
//! cargo bench --bench decode
//! ```
//!
//! Ten seconds of stereo at 48 kHz, the same music in every format, from a warm cache; opening is part of it. MP3, Vorbis
//! and AAC are made with ffmpeg and left out where there is none. Divide by 48 000 for the multiple of real time.
//!
//! The group `flac` compares with `symphonia` and the program `flac`, on files of `flac -5` and `flac -8`, in nanoseconds per
//! sample. Its figures are the fastest of many runs, taken in turn.

use criterion::{
    BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use soundtrack::{Block, media};
use soundtrack_cli::demo::{
    encode::{self, Format},
    musical,
};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use symphonia::{
    core::{
        codecs::{CodecParameters, audio::AudioDecoderOptions},
        formats::{FormatOptions, FormatReader},
        io::MediaSourceStream,
    },
    default::{formats::FlacReader, get_codecs},
};

const RATE: u32 = 48_000;
const FRAMES: usize = 10 * RATE as usize;

const WRITTEN: [(&str, &str, Format); 7] = [
    ("WAV 16", "16.wav", Format::Wav(16)),
    ("WAV 24", "24.wav", Format::Wav(24)),
    ("WAV 32f", "32f.wav", Format::WavFloat),
    ("AIFF 24", "24.aiff", Format::Aiff(24)),
    ("CAF 24", "24.caf", Format::Caf(24)),
    ("FLAC 16", "16.flac", Format::Flac(16)),
    ("FLAC 24", "24.flac", Format::Flac(24)),
];

const ENCODED: [(&str, &str, &[&str]); 3] = [
    (
        "MP3 192k",
        "192k.mp3",
        &["-c:a", "libmp3lame", "-b:a", "192k"],
    ),
    ("Vorbis q5", "q5.ogg", &["-c:a", "libvorbis", "-q:a", "5"]),
    ("AAC 192k", "192k.m4a", &["-c:a", "aac", "-b:a", "192k"]),
];

fn ffmpeg(from: &Path, to: &Path, encoder: &[&str]) -> bool {
    let program = std::env::var_os("FFMPEG").unwrap_or_else(|| "ffmpeg".into());
    let mut command = Command::new(program);
    command
        .args(["-nostdin", "-loglevel", "error", "-y", "-i"])
        .arg(from)
        .args(encoder)
        .arg(to);
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn stems(folder: &Path) -> Vec<(&'static str, PathBuf)> {
    // A quarter of full scale, where recorded stems are: what a lossless decoder costs depends on the level.
    let take = musical::musical(1, RATE, FRAMES)
        .map(|c| c.into_iter().map(|x| x / 4.0).collect::<Vec<_>>());
    let mut stems = Vec::new();
    for (name, file, format) in WRITTEN {
        let path = folder.join(file);
        encode::write(&path, format, RATE, &take).expect("room for the stems");
        stems.push((name, path));
    }
    for (name, file, encoder) in ENCODED {
        let path = folder.join(file);
        if ffmpeg(&folder.join("24.wav"), &path, encoder) {
            stems.push((name, path));
        } else {
            println!(
                "decode/{name}: left out, needs an ffmpeg with this encoder (on PATH, or named by FFMPEG)"
            );
        }
    }
    stems
}

/// Reads to the end and returns how many frames there were.
fn decode(path: &Path) -> usize {
    let (mut source, info) = media::open(path, None).expect("a stem that can be read");
    let mut block = Block::new(info.spec.layout, 16_384);
    let mut frames = 0;
    loop {
        match source.read(&mut block).expect("a whole stem") {
            0 => return frames,
            n => frames += n,
        }
    }
}

fn codecs(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder for the stems");
    let stems = stems(folder.path());
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(FRAMES as u64));
    group.sampling_mode(SamplingMode::Flat).sample_size(20);
    group
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    for (name, path) in &stems {
        assert_eq!(decode(path), FRAMES, "{name}");
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| decode(path))
        });
    }
    group.finish();
}

/// Decodes a file and returns how many frames there were.
type Decode = fn(&Path) -> usize;

/// Decodes with `symphonia` and returns how many frames there were.
fn decode_with_symphonia(path: &Path) -> usize {
    let file = std::fs::File::open(path).expect("the stem");
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let mut reader = FlacReader::try_new(stream, FormatOptions::default()).expect("a FLAC file");
    let params = reader.tracks().first().and_then(|t| t.codec_params.clone());
    let Some(CodecParameters::Audio(params)) = params else {
        panic!("no audio");
    };
    let options = AudioDecoderOptions::default();
    let mut decoder = get_codecs()
        .make_audio_decoder(&params, &options)
        .expect("a decoder");
    let mut planes = vec![vec![0.0f64; 65_536]; 2];
    let mut frames = 0;
    while let Some(packet) = reader.next_packet().expect("a packet") {
        let decoded = decoder.decode(&packet).expect("samples");
        let n = decoded.frames();
        let mut targets: Vec<&mut [f64]> = planes.iter_mut().map(|p| &mut p[..n]).collect();
        decoded.copy_to_slice_planar::<f64, _>(&mut targets);
        frames += n;
    }
    frames
}

/// Decodes with the program `flac`, in its own process and without writing.
fn decode_with_flac(path: &Path) -> usize {
    let mut flac = Command::new("flac");
    let done = flac.args(["-t", "-s"]).arg(path).status();
    assert!(done.is_ok_and(|status| status.success()));
    FRAMES
}

fn flac(_: &mut Criterion) {
    const RUNS: usize = 60;
    let folder = tempfile::tempdir().expect("a folder for the stems");
    stems(folder.path());
    let encode = |wav: &str, level: &str| {
        let path = folder.path().join(format!("{wav}{level}.flac"));
        let mut flac = Command::new("flac");
        flac.args(["-s", level, "-o"]).arg(&path);
        let done = flac.arg(folder.path().join(wav)).status();
        done.is_ok_and(|status| status.success()).then_some(path)
    };
    let decoders: [(&str, Decode); 3] = [
        ("this crate", decode),
        ("symphonia", decode_with_symphonia),
        ("flac -t", decode_with_flac),
    ];
    for (wav, level) in [
        ("16.wav", "-5"),
        ("16.wav", "-8"),
        ("24.wav", "-5"),
        ("24.wav", "-8"),
    ] {
        let Some(path) = encode(wav, level) else {
            println!("flac: left out, needs the program flac");
            return;
        };
        let mut fastest = [Duration::MAX; 3];
        for _ in 0..RUNS {
            for (fastest, (_, decode)) in fastest.iter_mut().zip(decoders) {
                let start = Instant::now();
                assert_eq!(decode(&path), FRAMES);
                *fastest = start.elapsed().min(*fastest);
            }
        }
        for ((name, _), time) in decoders.iter().zip(fastest) {
            let ns = time.as_secs_f64() * 1e9 / (2 * FRAMES) as f64;
            println!(
                "flac/{} bits, {level}/{name:10}  {ns:6.2} ns per sample",
                &wav[..2]
            );
        }
    }
}

criterion_group!(benches, flac, codecs);
criterion_main!(benches);
