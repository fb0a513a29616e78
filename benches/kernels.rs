//! Measures the arithmetic on one core, in frames per second: gain, ramps, pan, sums, samples into a file's format, meters,
//! limiter and dither.
//!
//! ```sh
//! cargo bench --bench kernels
//! ```
//!
//! The kernels are not public, so each is measured as a mix in memory that needs little besides it; `copy`, the mix that
//! needs nothing, is the floor to take off. Peak meters run in all of them, as they do in every bounce.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use criterion::{BenchmarkGroup, measurement::WallTime};
use soundtrack::{
    Block, Curve, Dbtp, Decibels, Format, Frames, Layout, Options, Pan, Plan, Renderer, SampleRate,
    Session, Shape, Sink, Spec, Track,
    encode::{Dither, Dithered, FileSink, Shaping},
    measure::{Loudness, TruePeak},
    media::Memory,
};
use soundtrack_cli::demo::musical;
use std::{hint::black_box, time::Duration};

/// Four blocks of a bounce.
const FRAMES: usize = 65_536;

fn spec(layout: Layout) -> Spec {
    Spec {
        rate: SampleRate::HZ_48000,
        layout,
    }
}

fn stem(seed: u64, layout: Layout) -> Memory {
    let [left, right] = musical::musical(seed, 48_000, FRAMES);
    let channels = if layout == Layout::Mono {
        vec![left]
    } else {
        vec![left, right]
    };
    Memory::new(spec(layout), channels).expect("channels of one length")
}

fn track(layout: Layout) -> Track {
    Track::new("stem", stem(1, layout))
}

/// Measures one mix in memory, rendered repeatedly.
fn mix(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    tracks: impl IntoIterator<Item = Track>,
) {
    let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    for track in tracks {
        session.add_track(track);
    }
    let plan = Plan::compile(&session).expect("a session without problems");
    let mut renderer = Renderer::new(plan, &Options { threads: 1 }).expect("one thread");
    let mut block = Block::new(Layout::Stereo, FRAMES);
    group.bench_function(id, |b| {
        b.iter(|| {
            renderer.seek(Frames(0));
            black_box(renderer.render(&mut block).expect("memory has no errors"))
        });
    });
}

fn short<'a>(c: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = c.benchmark_group(name);
    group
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    group
}

/// Measures the cost of a track by the state of its controls.
fn strip(c: &mut Criterion) {
    let mut group = short(c, "kernels/strip");
    group.throughput(Throughput::Elements(FRAMES as u64));
    let id = BenchmarkId::from_parameter;
    let end = Frames(FRAMES as u64);
    let fade = |shape| {
        Curve::new()
            .point(Frames(0), Decibels(-30.0), shape)
            .point(end, Decibels(0.0), shape)
    };
    let sweep = Curve::new()
        .point(Frames(0), Pan(-1.0), Shape::Linear)
        .point(end, Pan(1.0), Shape::Linear);
    mix(&mut group, id("copy"), [track(Layout::Stereo)]);
    mix(
        &mut group,
        id("gain"),
        [track(Layout::Stereo).gain(Decibels(-3.0))],
    );
    mix(
        &mut group,
        id("gain ramp, linear"),
        [track(Layout::Stereo).gain_curve(fade(Shape::Linear))],
    );
    mix(
        &mut group,
        id("gain ramp, sine"),
        [track(Layout::Stereo).gain_curve(fade(Shape::Sine))],
    );
    mix(
        &mut group,
        id("pan, stereo"),
        [track(Layout::Stereo).pan(Pan(-0.3))],
    );
    mix(
        &mut group,
        id("pan, mono"),
        [track(Layout::Mono).pan(Pan(-0.3))],
    );
    mix(
        &mut group,
        id("pan ramp, mono"),
        [track(Layout::Mono).pan_curve(sweep)],
    );
    group.finish();
}

/// Measures the sum of n stereo tracks at unity, counted in frames of stems.
fn sum(c: &mut Criterion) {
    let mut group = short(c, "kernels/sum");
    for n in [2, 8, 32, 128] {
        group.throughput(Throughput::Elements(n * FRAMES as u64));
        // Few stems under many names, so that the sum and not the memory behind it is measured.
        let stems: Vec<_> = (0..n.min(8))
            .map(|seed| stem(seed, Layout::Stereo))
            .collect();
        let tracks = (0..n as usize)
            .map(|i| Track::new(format!("stem {i}"), stems[i % stems.len()].clone()));
        mix(&mut group, BenchmarkId::from_parameter(n), tracks);
    }
    group.finish();
}

/// Samples scaled, rounded, clipped, interleaved and handed to the system, up to the file's completion.
fn file(c: &mut Criterion) {
    let mut group = short(c, "kernels/file");
    group.throughput(Throughput::Elements(FRAMES as u64));
    let folder = tempfile::tempdir().expect("a folder for what is written");
    let mut block = Block::new(Layout::Stereo, FRAMES);
    block.set_frames(FRAMES);
    for (to, from) in block
        .channels_mut()
        .zip(musical::musical(1, 48_000, FRAMES))
    {
        to.copy_from_slice(&from);
    }
    for format in [
        Format::WAV_16,
        Format::WAV_24,
        Format::WAV_32,
        Format::WAV_32F,
    ] {
        let path = folder.path().join("mix.wav");
        let create = || {
            FileSink::create(&path, format, spec(Layout::Stereo), Frames(FRAMES as u64))
                .expect("a folder that can be written")
        };
        // Dropped unfinished, outside the clock: the disk is not what is measured.
        let write = |mut wav: FileSink| {
            wav.write(&block).expect("room on the disk");
            wav
        };
        group.bench_function(BenchmarkId::from_parameter(format!("{format:?}")), |b| {
            b.iter_batched(create, write, BatchSize::PerIteration);
        });
    }
    group.finish();
}

/// Takes everything and keeps nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn write(&mut self, block: &Block) -> soundtrack::Result<()> {
        black_box(block);
        Ok(())
    }

    fn finish(&mut self) -> soundtrack::Result<soundtrack::encode::Written> {
        Ok(soundtrack::encode::Written::default())
    }
}

/// Measures metering and mastering. Meters run on music-like stems, where most of the signal cannot hold the true peak, and on
/// white noise at full scale, where nearly all of it might.
fn measure(c: &mut Criterion) {
    let mut group = short(c, "kernels/measure");
    group.throughput(Throughput::Elements(FRAMES as u64));
    let mut music = Block::new(Layout::Stereo, FRAMES);
    music.set_frames(FRAMES);
    let mut noise = music.clone();
    music
        .channels_mut()
        .zip(musical::musical(1, 48_000, FRAMES))
        .for_each(|(to, from)| to.copy_from_slice(&from));
    let mut random = 1u32;
    for sample in noise.channels_mut().flatten() {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample = f64::from(random) / f64::from(u32::MAX / 2) - 1.0;
    }
    // A mix in memory and its limiter: `kernels/strip/copy` is the same without one.
    for (name, ceiling) in [("limiter, at work", -20.0), ("limiter, idle", 0.0)] {
        let mut session = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        session.add_track(track(Layout::Stereo));
        session.master.limit = Some(Dbtp(ceiling));
        let plan = Plan::compile(&session).expect("a session without problems");
        let mut renderer = Renderer::new(plan, &Options { threads: 1 }).expect("one thread");
        let mut block = Block::new(Layout::Stereo, FRAMES);
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| {
                renderer.seek(Frames(0));
                black_box(renderer.render(&mut block).expect("memory has no errors"))
            });
        });
    }
    for shaping in [Shaping::White, Shaping::HighPass, Shaping::Weighted] {
        let mut sink = Dithered::new(Nowhere, Dither { seed: 1, shaping }, 16, Frames(0));
        group.bench_function(BenchmarkId::new("dither", shaping), |b| {
            b.iter(|| sink.write(black_box(&music)).expect("nowhere has room"));
        });
    }
    for (name, block) in [("music", &music), ("noise", &noise)] {
        let mut loudness = Loudness::new(spec(Layout::Stereo));
        group.bench_function(BenchmarkId::new("loudness", name), |b| {
            b.iter(|| loudness.feed(black_box(block)))
        });
        let mut true_peak = TruePeak::new(spec(Layout::Stereo));
        group.bench_function(BenchmarkId::new("true peak", name), |b| {
            b.iter(|| true_peak.feed(black_box(block)))
        });
    }
    group.finish();
}

criterion_group!(benches, strip, sum, file, measure);
criterion_main!(benches);
