//! Output frames a second of one stereo stem resampled on one core, a rate pair each.
//!
//! Divide by the output rate for the multiple of real time: 48 M frames a second at 48 kHz is 1000 times.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use soundtrack::{Block, Frames, Layout, Result, SampleRate, Source, Spec, media::Resampled};
use std::{hint::black_box, time::Duration};

/// Noise without end; reading it is one copy.
struct Noise {
    rate: SampleRate,
    table: Vec<f64>,
}

impl Noise {
    fn new(rate: SampleRate) -> Self {
        let mut state = 1u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
        };
        Self {
            rate,
            table: (0..8192).map(|_| next()).collect(),
        }
    }
}

impl Source for Noise {
    fn spec(&self) -> Spec {
        Spec {
            rate: self.rate,
            layout: Layout::Stereo,
        }
    }

    fn length(&self) -> Option<Frames> {
        None
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        let n = out.capacity().min(self.table.len());
        out.set_frames(n);
        out.channels_mut()
            .for_each(|c| c.copy_from_slice(&self.table[..n]));
        Ok(n)
    }

    fn seek(&mut self, _: Frames) -> Result<()> {
        Ok(())
    }
}

const PAIRS: [(u32, u32); 12] = [
    (44_100, 48_000),
    (48_000, 44_100),
    (48_000, 96_000),
    (96_000, 48_000),
    (88_200, 48_000),
    (96_000, 44_100),
    (192_000, 48_000),
    (192_000, 44_100),
    (22_050, 48_000),
    (8_000, 48_000),
    (768_000, 48_000),
    (47_999, 48_000),
];

fn throughput(c: &mut Criterion) {
    const FRAMES: usize = 16_384;
    let mut group = c.benchmark_group("resample");
    group.throughput(Throughput::Elements(FRAMES as u64));
    group
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    for (from, to) in PAIRS {
        let rate = |hz| SampleRate::new(hz).expect("a rate in range");
        let mut source = Resampled::new(Box::new(Noise::new(rate(from))), rate(to))
            .expect("a rate pair in range");
        let mut block = Block::new(Layout::Stereo, FRAMES);
        group.bench_function(BenchmarkId::new("stereo", format!("{from}-{to}")), |b| {
            b.iter(|| black_box(source.read(&mut block).expect("noise has no errors")));
        });
    }
    group.finish();
}

/// Measures the cost of a clip before its first frame: the filter, its plans and its buffers.
fn construction(c: &mut Criterion) {
    let mut group = c.benchmark_group("resample/new");
    for (from, to) in [(44_100, 48_000), (47_999, 48_000)] {
        let rate = |hz| SampleRate::new(hz).expect("a rate in range");
        group
            .sample_size(10)
            .bench_function(format!("{from}-{to}"), |b| {
                b.iter(|| Resampled::new(Box::new(Noise::new(rate(from))), rate(to)));
            });
    }
    group.finish();
}

/// Measures the cost of a seek before its first frames: two blocks.
fn seek(c: &mut Criterion) {
    let rate = |hz| SampleRate::new(hz).expect("a rate in range");
    let mut source = Resampled::new(Box::new(Noise::new(rate(44_100))), rate(48_000))
        .expect("a rate pair in range");
    let mut block = Block::new(Layout::Stereo, 64);
    let mut to = 0;
    c.bench_function("resample/seek/44100-48000", |b| {
        b.iter(|| {
            to = (to + 1_234_567) % 10_000_000;
            source
                .seek(Frames(to))
                .and_then(|()| source.read(&mut block))
        });
    });
}

criterion_group!(benches, throughput, construction, seek);
criterion_main!(benches);
