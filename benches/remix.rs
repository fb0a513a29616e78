//! Training loops: ten-second crops of one session with other gains, mutes and pans each time, in crops a second.
//!
//! ```sh
//! cargo bench --bench remix
//! ```
//!
//! One thread; as many loops as there are cores run side by side without knowing of each other. Four and eight stems of
//! 30 s at 44.1 kHz, of the session's rate, held in memory or as 16-bit WAV files. `nothing` is what a crop costs besides
//! the mix: the session changed, checked and planned, the stems opened, one frame rendered.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use encode::Format;
use soundtrack::{
    Bounce, Frames, Input, Layout, Options, Plan, Renderer, SampleRate, Session, Spec, Track, sink, source::Memory,
};
use std::{path::Path, time::Duration};

#[expect(dead_code, reason = "one format is enough here")]
#[path = "../examples/mixdown/demo/encode.rs"]
mod encode;
#[path = "../examples/mixdown/demo/aiff.rs"]
mod aiff;
#[path = "../examples/mixdown/demo/caf.rs"]
mod caf;
#[path = "../examples/mixdown/demo/musical.rs"]
mod musical;
#[path = "../examples/random_remixes/remix.rs"]
mod remix;

const RATE: u32 = 44_100;
const SECONDS: usize = 30;
const CROP: u64 = 10 * RATE as u64;

fn inputs(folder: &Path, channels: usize) -> [(&'static str, Vec<Input>); 2] {
    let layout = if channels == 1 { Layout::Mono } else { Layout::Stereo };
    let spec = Spec { rate: SampleRate::HZ_44100, layout };
    let (mut memory, mut files) = (Vec::new(), Vec::new());
    for i in 0..8u64 {
        let take: Vec<Vec<f64>> = musical::musical(i, RATE, SECONDS * RATE as usize)
            .into_iter()
            .take(channels)
            .map(|c| c.into_iter().map(|x| x / 8.0).collect())
            .collect();
        let path = folder.join(format!("{channels}-{i}.wav"));
        encode::write(&path, Format::Wav(16), RATE, &take).expect("room for the stems");
        files.push(Input::file(path));
        memory.push(Memory::new(spec, take).expect("as many channels as the layout").into());
    }
    [("memory", memory), ("WAV", files)]
}

fn crops(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder for the stems");
    for (channels, kind) in [(1, "mono"), (2, "stereo")] {
        for (name, inputs) in inputs(folder.path(), channels) {
            for stems in [4, 8] {
                let mut session = Session::new(SampleRate::HZ_44100, Layout::Stereo);
                for (i, input) in inputs.iter().take(stems).enumerate() {
                    session.add_track(Track::new(format!("stem {i}"), input.clone()));
                }
                let mut group = c.benchmark_group(format!("remix/{stems} {kind}/{name}"));
                group.throughput(Throughput::Elements(1));
                group.sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
                for (length, frames) in [("nothing", 1), ("10 s", CROP)] {
                    let mut seed = 0;
                    group.bench_function(BenchmarkId::from_parameter(length), |b| {
                        b.iter(|| {
                            seed += 1;
                            let start = remix::change(&mut session, seed, SECONDS as u64 * u64::from(RATE) - CROP);
                            session.render_on(1, start..start + Frames(frames)).expect("a crop")
                        });
                    });
                }
                // The same through a sink, with levels watched for a report.
                group.bench_function(BenchmarkId::from_parameter("10 s, watched"), |b| {
                    b.iter(|| {
                        let start = remix::change(&mut session, 1, 0);
                        let plan = Plan::compile(&session).expect("a plan");
                        let mut renderer = Renderer::new(plan, &Options { threads: 1 }).expect("a renderer");
                        let bounce = Bounce::new().threads(1).measure(false).range(start..start + Frames(CROP));
                        bounce.into_sink(&mut renderer, &mut sink::Memory::default()).expect("a crop")
                    });
                });
                group.finish();
            }
        }
    }
}

criterion_group!(benches, crops);
criterion_main!(benches);
