//! Measures training loops: ten-second crops of one session with random gains, mutes and pans, in crops per second.
//!
//! ```sh
//! cargo bench --bench remix
//! ```
//!
//! Runs on one thread; loops on several cores are independent. There are four or eight stems of 30 s, of the session's rate
//! and layout, in memory or as 16-bit WAV files. `nothing` is the cost of a crop besides the mix: changing, checking and
//! planning the session, opening the stems, and rendering one frame.
//!
//! `crops` measures [`soundtrack::Crops`], which keeps all of that: 5 s of four stems at 44.1 kHz in stereo, in memory as
//! `f32`, with gains and pans that change for each crop, into buffers of `f32`: the mix alone, and with the four stems. The
//! same work in numpy, where `python3` has it, is printed beside it.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use soundtrack::{
    Crops, Decibels, Frames, Input, Layout, Pan, SampleRate, Selector, Session, Spec, Track,
    media::Memory,
};
use soundtrack_cli::demo::{
    encode::{self, Format},
    musical,
};
use std::{path::Path, process::Command, time::Duration};

mod remix;

const SECONDS: u64 = 30;

/// Rate and layout of stems and crops: those of speech models, and of music.
const KINDS: [(&str, u32, Layout); 2] = [
    ("16 kHz mono", 16_000, Layout::Mono),
    ("44.1 kHz stereo", 44_100, Layout::Stereo),
];

fn inputs(folder: &Path, spec: Spec) -> [(&'static str, Vec<Input>); 2] {
    let (mut memory, mut files) = (Vec::new(), Vec::new());
    for i in 0..8u64 {
        let hz = spec.rate.hz();
        let take: Vec<Vec<f64>> = musical::musical(i, hz, (SECONDS * u64::from(hz)) as usize)
            .into_iter()
            .take(spec.layout.channels())
            .map(|c| c.into_iter().map(|x| x / 8.0).collect())
            .collect();
        let path = folder.join(format!("{hz}-{i}.wav"));
        encode::write(&path, Format::Wav(16), hz, &take).expect("room for the stems");
        files.push(Input::file(path));
        memory.push(
            Memory::new(spec, take)
                .expect("as many channels as the layout")
                .into(),
        );
    }
    [("memory", memory), ("WAV", files)]
}

fn crops(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder for the stems");
    for (kind, hz, layout) in KINDS {
        let spec = Spec {
            rate: SampleRate::new(hz).expect("a rate"),
            layout,
        };
        let second = u64::from(hz);
        for (name, inputs) in inputs(folder.path(), spec) {
            for stems in [4, 8] {
                let mut session = Session::new(spec.rate, spec.layout);
                for (i, input) in inputs.iter().take(stems).enumerate() {
                    session.add_track(Track::new(format!("stem {i}"), input.clone()));
                }
                let mut group = c.benchmark_group(format!("remix/{kind}/{stems} {name}"));
                group.throughput(Throughput::Elements(1));
                group
                    .sample_size(10)
                    .warm_up_time(Duration::from_millis(300))
                    .measurement_time(Duration::from_secs(1));
                for (length, frames) in [("nothing", 1), ("10 s", 10 * second)] {
                    let mut seed = 0;
                    group.bench_function(BenchmarkId::from_parameter(length), |b| {
                        b.iter(|| {
                            seed += 1;
                            let start = remix::change(&mut session, seed, (SECONDS - 10) * second);
                            session
                                .render_on(1, start..start + Frames(frames))
                                .expect("a crop")
                        });
                    });
                }
                group.finish();
            }
        }
    }
}

/// Mixes four stems into two buffers in numpy, as crops do, and prints the least time of 60 runs in milliseconds.
const NUMPY: &str = r#"
import numpy as np, time
rate, seconds = 44100, 5
rng = np.random.default_rng(1)
stems = [rng.uniform(-0.2, 0.2, (30 * rate, 2)).astype(np.float32) for _ in range(4)]
def mix(with_stems):
    at = int(rng.integers(0, 25 * rate))
    parts = []
    total = np.zeros((seconds * rate, 2), np.float32)
    for stem in stems:
        gains = rng.uniform(0.2, 1.0, 2).astype(np.float32)
        part = stem[at : at + seconds * rate] * gains
        total += part
        if with_stems:
            parts.append(part)
    return total, parts
for with_stems in (False, True):
    best = 1e9
    for _ in range(60):
        start = time.perf_counter()
        mix(with_stems)
        best = min(best, time.perf_counter() - start)
    print("numpy, mix" + (" and 4 stems" if with_stems else " alone"), f"{best * 1e3:.2f} ms")
"#;

fn kept_crops(c: &mut Criterion) {
    let spec = Spec {
        rate: SampleRate::HZ_44100,
        layout: Layout::Stereo,
    };
    let hz = u64::from(spec.rate.hz());
    let mut session = Session::new(spec.rate, spec.layout);
    let mut parts: Vec<Selector> = Vec::new();
    for i in 0..4u64 {
        let take = musical::musical(i, spec.rate.hz(), (SECONDS * hz) as usize);
        let frames = 0..take[0].len();
        let samples: Vec<f32> = frames
            .flat_map(|n| [take[0][n] as f32 / 8.0, take[1][n] as f32 / 8.0])
            .collect();
        let stem = Memory::interleaved(spec, samples).expect("whole frames");
        parts.push(
            session
                .add_track(Track::new(format!("stem {i}"), stem))
                .into(),
        );
    }
    let samples = (5 * hz * 2) as usize;
    let mut group = c.benchmark_group("crops/44.1 kHz stereo/4 f32");
    group
        .throughput(Throughput::Elements(1))
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    for (name, chosen) in [("mix", &parts[..0]), ("mix and 4 stems", &parts[..])] {
        let mut crops = Crops::new(&session, chosen).expect("a plan");
        let mut mix = vec![0.0f32; samples];
        let mut buffers = vec![vec![0.0f32; samples]; chosen.len()];
        let mut n = 0u64;
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| {
                n += 1;
                for (i, part) in parts.iter().enumerate() {
                    let step = ((n * 7 + i as u64 * 5) % 16) as f64;
                    crops.set_gain(*part, Decibels(-step)).expect("a track");
                    crops
                        .set_pan(*part, Pan(step / 8.0 - 1.0))
                        .expect("a track");
                }
                let mut stems: Vec<&mut [f32]> =
                    buffers.iter_mut().map(Vec::as_mut_slice).collect();
                let at = Frames(n * 7_919 % (25 * hz));
                crops.render(at, &mut mix, &mut stems).expect("a crop");
            });
        });
    }
    group.finish();
    if let Ok(output) = Command::new("python3").args(["-c", NUMPY]).output()
        && output.status.success()
    {
        print!("{}", String::from_utf8_lossy(&output.stdout));
    }
}

criterion_group!(benches, kept_crops, crops);
criterion_main!(benches);
