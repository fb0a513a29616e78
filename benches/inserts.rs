//! Measures the cost of processors: each alone, and a mix of 16 stems with three filters and a compressor on each, beside ffmpeg.
//!
//! ```text
//! cargo bench --bench inserts
//! ```
//!
//! The cost of one processor is the difference between renders with and without it, in memory and on one thread: the least of
//! many short ones, which other programs on the machine disturb least. The mixes are medians of five.

use soundtrack::{
    Bounce, Format, Frames, Insert, Layout, SampleRate, Session, Spec, Track, media::Memory,
};
use soundtrack_cli::demo::{encode, musical};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

const RATE: u32 = 48_000;
const SECONDS: usize = 60;
const STEMS: usize = 16;
const RUNS: usize = 5;
/// Length of a short render, and their number.
const SHORT_SECONDS: usize = 2;
const SHORT_RUNS: usize = 60;

fn main() {
    if std::env::args().all(|a| a != "--bench") {
        println!("inserts: nothing to test; it measures under `cargo bench`");
        return;
    }
    let spec = Spec {
        rate: SampleRate::new(RATE).expect("a rate"),
        layout: Layout::Stereo,
    };
    let music = musical::musical(1, RATE, SHORT_SECONDS * RATE as usize);
    let stem = Memory::new(spec, music.to_vec()).expect("a stem");
    let bare = least_seconds(|| render(&stem, &[]));
    let frames = (SHORT_SECONDS * RATE as usize) as f64;
    println!("processor                         ns a stereo frame");
    for (name, insert) in processors() {
        // Eight of them, so that the render around them counts little.
        let with = least_seconds(|| render(&stem, &vec![insert.clone(); 8]));
        println!("{name:<32} {:>8.2}", (with - bare) / 8.0 / frames * 1e9);
    }
    beside_ffmpeg();
}

fn set(kind: &str, values: &[(&str, f64)]) -> Insert {
    let insert = Insert::new(kind).expect("a processor");
    let set =
        |insert: Insert, (key, value): &(&str, f64)| insert.set(key, *value).expect("a value");
    values.iter().fold(insert, set)
}

fn processors() -> [(&'static str, Insert); 6] {
    [
        ("bell", set("bell", &[("freq", 1000.0), ("gain", 3.0)])),
        ("highpass 24 dB/oct", set("highpass", &[("slope", 24.0)])),
        ("compressor", set("compressor", &[("threshold", -30.0)])),
        (
            "compressor, RMS, look-ahead",
            set(
                "compressor",
                &[("threshold", -30.0), ("rms", 0.01), ("lookahead", 0.005)],
            ),
        ),
        ("gate", set("gate", &[("threshold", -30.0)])),
        ("limiter", set("limiter", &[("ceiling", -12.0)])),
    ]
}

fn render(stem: &Memory, inserts: &[Insert]) {
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    let track = Track::new("stem", stem.clone());
    mix.add_track(inserts.iter().cloned().fold(track, Track::insert));
    let out = mix.render_on(1, Frames(0)..Frames((SHORT_SECONDS * RATE as usize) as u64));
    assert_eq!(out.expect("a render").len(), 2);
}

fn times(runs: usize, run: impl Fn()) -> Vec<f64> {
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times
}

/// Returns the median time of some runs.
fn seconds(run: impl Fn()) -> f64 {
    times(RUNS, run)[RUNS / 2]
}

/// Returns the least time of many runs.
fn least_seconds(run: impl Fn()) -> f64 {
    times(SHORT_RUNS, run)[0]
}

/// Writes the stems once.
fn stems(folder: &Path) -> Vec<PathBuf> {
    std::fs::create_dir_all(folder).expect("a folder");
    (0..STEMS)
        .map(|n| {
            let path = folder.join(format!("inserts-{n}.wav"));
            if !path.exists() {
                let take: Vec<Vec<f64>> = musical::musical(n as u64, RATE, SECONDS * RATE as usize)
                    .into_iter()
                    .map(|samples| samples.into_iter().map(|x| x / 4.0).collect())
                    .collect();
                encode::write(&path, encode::Format::Wav(24), RATE, &take).expect("room for stems");
            }
            path
        })
        .collect()
}

fn beside_ffmpeg() {
    let folder = Path::new("target/bench-work");
    let stems = stems(folder);
    let out = folder.join("inserts.wav");
    let ours = seconds(|| {
        let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
        for (n, stem) in stems.iter().enumerate() {
            let track = Track::new(format!("stem {n}"), stem.clone())
                .insert(set("highpass", &[("freq", 80.0)]))
                .insert(set("bell", &[("freq", 400.0), ("gain", -3.0)]))
                .insert(set("high-shelf", &[("freq", 8000.0), ("gain", 2.0)]))
                .insert(set(
                    "compressor",
                    &[
                        ("threshold", -30.0),
                        ("ratio", 3.0),
                        ("attack", 0.01),
                        ("release", 0.12),
                    ],
                ));
            mix.add_track(track);
        }
        let bounce = Bounce::new().format(Format::WAV_24).overwrite(true);
        bounce.run(&mix, &out).expect("a mix");
    });
    println!(
        "\n{STEMS} stems of {SECONDS} s, three filters and a compressor on each, into a 24-bit WAV"
    );
    println!("{:<32} {ours:>8.2} s", "soundtrack, with loudness");
    let chain = "highpass=f=80:p=2,equalizer=f=400:t=q:w=1:g=-3,highshelf=f=8000:g=2,\
                 acompressor=threshold=0.0316:ratio=3:attack=10:release=120:knee=2";
    let mut graph: String = (0..STEMS).map(|n| format!("[{n}]{chain}[s{n}];")).collect();
    graph.extend((0..STEMS).map(|n| format!("[s{n}]")));
    graph += &format!("amix=inputs={STEMS}:normalize=0");
    let run = || {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-y", "-nostdin"]);
        for stem in &stems {
            ffmpeg.arg("-i").arg(stem);
        }
        ffmpeg.args(["-filter_complex", &graph, "-c:a", "pcm_s24le"]);
        let status = ffmpeg.arg(folder.join("inserts-ffmpeg.wav")).status();
        status.is_ok_and(|s| s.success())
    };
    if !run() {
        println!("ffmpeg is not installed, or does not know these filters");
        return;
    }
    let theirs = seconds(|| assert!(run()));
    println!("{:<32} {theirs:>8.2} s", "ffmpeg");
    println!("ratio {:.2}", ours / theirs);
}
