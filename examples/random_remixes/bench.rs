//! Measures training loops: ten-second crops of one session with random gains, mutes and pans, in crops per second.
//!
//! ```sh
//! cargo bench --bench remix
//! ```
//!
//! Runs on one thread; loops on several cores are independent. There are four or eight stems of 30 s, of the session's rate
//! and layout, in memory or as 16-bit WAV files. `nothing` is the cost of a crop besides the mix: changing, checking and
//! planning the session, opening the stems, and rendering one frame.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use soundtrack::{Frames, Input, Layout, SampleRate, Session, Spec, Track, media::Memory};
use soundtrack_cli::demo::{
    encode::{self, Format},
    musical,
};
use std::{path::Path, time::Duration};

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

criterion_group!(benches, crops);
criterion_main!(benches);
