//! Whole bounces of many stems on 1, 2, 4 ... threads, in seconds of stems a second: 1000 is a thousand stems in real time.
//!
//! ```sh
//! cargo bench --bench bounce
//! cargo bench --bench bounce -- 32/FLAC
//! ```
//!
//! Five seconds of stereo stems at 48 kHz and 24 bits, with gain and pan, into a 24-bit WAV file. Eight different stems
//! under as many names as needed (hard links), so 128 stems take no more room than eight, but as many open files.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use soundtrack::{Bounce, Decibels, Layout, Pan, SampleRate, Session, Track};
use soundtrack_cli::demo::{
    encode::{self, Format},
    musical,
};
use std::{fs, path::Path, thread, time::Duration};

const RATE: u32 = 48_000;
const SECONDS: u64 = 5;
const MOST: usize = 128;
const DIFFERENT: usize = 8;

fn make(folder: &Path, ending: &str, format: Format) {
    for i in 0..MOST {
        let path = folder.join(format!("{i}.{ending}"));
        if i < DIFFERENT {
            // 128 of them stay below full scale together.
            let take = musical::musical(i as u64, RATE, SECONDS as usize * RATE as usize)
                .map(|c| c.into_iter().map(|x| x / 16.0).collect::<Vec<_>>());
            encode::write(&path, format, RATE, &take).expect("room for the stems");
        } else {
            let same = folder.join(format!("{}.{ending}", i % DIFFERENT));
            fs::hard_link(&same, &path)
                .or_else(|_| fs::copy(&same, &path).map(drop))
                .expect("room for the stems");
        }
    }
}

fn session(folder: &Path, ending: &str, stems: usize) -> Session {
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    for i in 0..stems {
        let track = Track::new(format!("stem {i}"), folder.join(format!("{i}.{ending}")));
        session.add_track(
            track
                .gain(Decibels(-1.0))
                .pan(Pan((i % 9) as f64 / 4.0 - 1.0)),
        );
    }
    session
}

/// Returns 1, 2, 4 ... and the number of cores.
fn threads() -> Vec<usize> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut counts: Vec<_> = std::iter::successors(Some(1), |n| Some(n * 2))
        .take_while(|n| *n < cores)
        .collect();
    counts.push(cores);
    counts
}

fn bounces(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder for the stems");
    let out = folder.path().join("mix.wav");
    for (name, ending, format) in [
        ("WAV", "wav", Format::Wav(24)),
        ("FLAC", "flac", Format::Flac(24)),
    ] {
        make(folder.path(), ending, format);
        for stems in [8, 32, 128] {
            let session = session(folder.path(), ending, stems);
            let mut group = c.benchmark_group(format!("bounce/{stems}/{name}"));
            group.throughput(Throughput::Elements(stems as u64 * SECONDS));
            group
                .sample_size(10)
                .warm_up_time(Duration::from_millis(300))
                .measurement_time(Duration::from_secs(2));
            for n in threads() {
                let id = BenchmarkId::from_parameter(if n == 1 {
                    "1 thread".to_owned()
                } else {
                    format!("{n} threads")
                });
                group.bench_function(id, |b| {
                    b.iter(|| {
                        Bounce::new()
                            .threads(n)
                            .overwrite(true)
                            .run(&session, &out)
                            .expect("a mix")
                    });
                });
            }
            group.finish();
        }
    }
}

/// Measures the cost of metering the mix: loudness, true peak and their curves, on a thread of their own.
fn measured(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder for the stems");
    let out = folder.path().join("mix.wav");
    make(folder.path(), "wav", Format::Wav(24));
    let session = session(folder.path(), "wav", 16);
    let mut group = c.benchmark_group("bounce/measured");
    group.throughput(Throughput::Elements(16 * SECONDS));
    group
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(3));
    for (name, mix, strips) in [
        ("nothing", false, false),
        ("the mix", true, false),
        ("the mix and 16 tracks", true, true),
    ] {
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| {
                let bounce = Bounce::new()
                    .measure(mix)
                    .measure_strips(strips)
                    .overwrite(true);
                bounce.run(&session, &out).expect("a mix")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, bounces, measured);
criterion_main!(benches);
