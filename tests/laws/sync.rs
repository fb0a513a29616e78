//! Law 5: an impulse at frame t of every stem leaves at the same frame, whatever its codec, rate or encoder padding.
//!
//! Files of other codecs are made by ffmpeg, lame, oggenc and flac; where one of them is absent its rows are skipped, and
//! the test says so.

use proptest::prelude::*;
use soundtrack::{
    Bounce, Clip, Format, Frames, Layout, SampleRate, Session, Spec, Track,
    media::{self, Memory},
};
use soundtrack_test_support::renders::noise;
use soundtrack_test_support::requirement::missing;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

#[test]
fn an_impulse_leaves_where_it_came_at_any_rate() {
    // One second and a bit, so that the same instant is a whole frame at every rate.
    for rate in [
        8000u32, 11_025, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000,
    ] {
        let mut samples = vec![0.0; rate as usize * 2];
        samples[rate as usize] = 1.0;
        let spec = Spec {
            rate: SampleRate::new(rate).unwrap(),
            layout: Layout::Mono,
        };
        let mut session = Session::new(SampleRate::HZ_48000, Layout::Mono);
        let stem = Memory::new(spec, vec![samples]).unwrap();
        session.add_track(Track::of("x").clip(Clip::new(stem).at(Frames(777))));
        let mix = session.render(Frames(0)..Frames(96_777)).unwrap();
        let peak = (0..mix[0].len())
            .max_by(|a, b| mix[0][*a].abs().total_cmp(&mix[0][*b].abs()))
            .unwrap();
        assert_eq!(peak, 48_777, "{rate} Hz");
        // Its two sides mirror each other: it lies on the frame, not between two.
        for k in 1..200 {
            let (l, r) = (mix[0][peak - k], mix[0][peak + k]);
            assert!(
                (l - r).abs() < 1e-9,
                "{rate} Hz, {k} frames away: {l} and {r}"
            );
        }
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_impulse_of_any_rate_and_place_leaves_on_its_frame(
        rate in prop::sample::select(&[8000u32, 11_025, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000][..]),
        out in prop::sample::select(&[44_100u32, 48_000, 96_000][..]),
        step in 1u32..40,
        at in 0u64..5000,
        from in 0.0f64..0.9,
        loops in 1u32..3,
    ) {
        // An instant that is a whole frame at both rates.
        let shared = gcd(rate, out);
        let (t, there) = ((step * (rate / shared)) as usize, u64::from(step * (out / shared)));
        let mut samples = vec![0.0; t + 4000];
        samples[t] = 1.0;
        let spec = Spec { rate: SampleRate::new(rate).unwrap(), layout: Layout::Mono };
        let mut session = Session::new(SampleRate::new(out).unwrap(), Layout::Mono);
        let length = samples.len() as u64;
        let from = (there as f64 * from) as u64;
        // Passes follow one another at the exact length of the stem, each from the nearest frame on.
        let (rate_in, rate_out) = (u64::from(rate), u64::from(out));
        let pass_start = |pass: u64| {
            let exact = pass * (length * rate_out - from * rate_in);
            (2 * exact + rate_in) / (2 * rate_in)
        };
        let clip = Clip::new(Memory::new(spec, vec![samples]).unwrap()).at(Frames(at)).from(Frames(from)).loops(loops);
        session.add_track(Track::of("x").clip(clip));
        let mix = session.render(Frames(0)..Frames(at + pass_start(loops.into()))).unwrap();
        for pass in 0..u64::from(loops) {
            let want = (at + there - from + pass_start(pass)) as usize;
            // Loud here, where all of it comes out, and nowhere within reach as loud.
            let near = &mix[0][want.saturating_sub(30)..(want + 30).min(mix[0].len())];
            let loudest = near.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            prop_assert_eq!(mix[0][want].abs(), loudest, "{} to {} Hz, frame {}", rate, out, want);
            prop_assert!(loudest > 0.1 * f64::from(out.min(rate)) / f64::from(rate));
        }
    }
}

/// Two seconds of decaying notes with a hard start each quarter second.
fn music(folder: &Path) -> PathBuf {
    let note = |ch: u64, n: u64| {
        let (step, t) = (n / 11_025, (n % 11_025) as f64 / 44_100.0);
        let pitch = 220.0 * 2f64.powf(((step * 7 + ch * 3) % 12) as f64 / 12.0);
        let tone = (2.0 * std::f64::consts::PI * pitch * t).sin()
            + 0.4 * (2.0 * std::f64::consts::PI * 3.01 * pitch * t).sin();
        (0.3 * tone + 0.01 * noise(9, ch, n)) * (-8.0 * t).exp()
    };
    let channels = (0..2)
        .map(|ch| (0..100_000).map(|n| note(ch, n)).collect())
        .collect();
    let spec = Spec {
        rate: SampleRate::HZ_44100,
        layout: Layout::Stereo,
    };
    let mut session = Session::new(spec.rate, spec.layout);
    session.add_track(Track::new("music", Memory::new(spec, channels).unwrap()));
    let file = folder.join("music.wav");
    Bounce::new()
        .format(Format::WAV_16)
        .run(&session, &file)
        .unwrap();
    file
}

fn run(program: &str, args: &[&str]) -> bool {
    let status = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|s| s.success())
}

/// How many frames `late` is behind `reference`, by the largest correlation.
fn lag(reference: &[f64], late: &[f64]) -> i64 {
    let (from, len) = (8000usize, 24_000);
    let score = |lag: i64| -> f64 {
        let shifted = &late[(from as i64 + lag) as usize..];
        reference[from..from + len]
            .iter()
            .zip(shifted)
            .map(|(a, b)| a * b)
            .sum()
    };
    (-3000..=3000)
        .max_by(|a, b| score(*a).total_cmp(&score(*b)))
        .unwrap()
}

#[test]
fn every_codec_lines_up_with_its_wav() {
    let folder = tempfile::tempdir().unwrap();
    let wav = music(folder.path());
    let wav = wav.to_str().unwrap();
    // Program, what is written, arguments; `IN` and `OUT` stand for the files; whether it is lossless.
    let table: [(&str, &str, &[&str], bool); 17] = [
        ("ffmpeg", "a.flac", &["-i", "IN", "OUT"], true),
        (
            "ffmpeg",
            "b.m4a",
            &["-i", "IN", "-c:a", "alac", "OUT"],
            true,
        ),
        ("ffmpeg", "c.aiff", &["-i", "IN", "OUT"], true),
        ("ffmpeg", "d.caf", &["-i", "IN", "OUT"], true),
        (
            "ffmpeg",
            "e.mka",
            &["-i", "IN", "-c:a", "flac", "OUT"],
            true,
        ),
        (
            "ffmpeg",
            "f.ogg",
            &["-i", "IN", "-c:a", "flac", "OUT"],
            true,
        ),
        (
            "ffmpeg",
            "g.w64.wav",
            &["-i", "IN", "-rf64", "always", "OUT"],
            true,
        ),
        ("flac", "h.flac", &["-s", "-8", "-o", "OUT", "IN"], true),
        (
            "ffmpeg",
            "i.mp3",
            &["-i", "IN", "-b:a", "192k", "OUT"],
            false,
        ),
        ("ffmpeg", "j.mp3", &["-i", "IN", "-q:a", "2", "OUT"], false),
        (
            "lame",
            "k.mp3",
            &["--quiet", "-b", "128", "IN", "OUT"],
            false,
        ),
        ("lame", "l.mp3", &["--quiet", "-V", "0", "IN", "OUT"], false),
        (
            "ffmpeg",
            "m.ogg",
            &["-i", "IN", "-c:a", "libvorbis", "-q:a", "5", "OUT"],
            false,
        ),
        (
            "oggenc",
            "n.ogg",
            &["-Q", "-q", "3", "-o", "OUT", "IN"],
            false,
        ),
        (
            "ffmpeg",
            "o.m4a",
            &["-i", "IN", "-c:a", "aac", "-b:a", "192k", "OUT"],
            false,
        ),
        (
            "ffmpeg",
            "p.mp4",
            &["-i", "IN", "-c:a", "aac", "-b:a", "96k", "OUT"],
            false,
        ),
        (
            "ffmpeg",
            "q.webm",
            &["-i", "IN", "-c:a", "libvorbis", "OUT"],
            false,
        ),
    ];
    let frames = Frames(100_000);
    let reference = {
        let mut session = Session::new(SampleRate::HZ_44100, Layout::Stereo);
        session.add_track(Track::new("wav", wav));
        session.render(Frames(0)..frames).unwrap()
    };
    for (program, name, args, lossless) in table {
        let out = folder.path().join(name);
        let path = out.to_str().unwrap();
        let args: Vec<&str> = args
            .iter()
            .map(|a| {
                if *a == "IN" {
                    wav
                } else if *a == "OUT" {
                    path
                } else {
                    a
                }
            })
            .collect();
        if !run(program, &args) {
            missing(format_args!(
                "{program} is not installed or cannot make {name}"
            ));
            continue;
        }
        let mut coded = Session::new(SampleRate::HZ_44100, Layout::Stereo);
        coded.add_track(Track::new("coded", path));
        let alone = coded.render(Frames(0)..frames).unwrap();
        assert_eq!(lag(&reference[0], &alone[0]), 0, "{name}");

        // Against the inverse of the original: nothing, or what the codec lost.
        coded.add_track(Track::new("inverse", wav).invert(true));
        let rest = coded.render(Frames(0)..frames).unwrap();
        let power = |c: &[f64]| c.iter().map(|x| x * x).sum::<f64>();
        let depth = 10.0 * (power(&rest[0]) / power(&reference[0])).log10();
        println!("{name:12} {program:7} lag 0 frames, rest {depth:7.1} dB");
        if lossless {
            assert!(
                rest.iter().flatten().all(|x| *x == 0.0),
                "{name} is not bit-identical"
            );
        } else {
            assert!(
                depth < -18.0,
                "{name}: the rest is only {depth:.1} dB below"
            );
        }
        let (source, info) = media::open(&out, None).unwrap();
        let length = source.length().unwrap().0.abs_diff(100_000);
        // Vorbis in WebM states its length in milliseconds only; AAC ends with its last packet.
        let slack = if name.ends_with("webm") || name.ends_with("m4a") || name.ends_with("mp4") {
            1100
        } else {
            0
        };
        assert!(
            length <= slack,
            "{name}: {} frames, trimmed {:?}",
            source.length().unwrap(),
            info.trimmed_start
        );
    }
}
