//! Comparing two files: identical across formats, the largest difference in its place, the lag and the gain between them.

use soundtrack::{
    Bounce, ErrorKind, Format, Layout, SampleRate, Session, Spec, Track,
    compare::{Comparison, files},
    media::Memory,
};
use soundtrack_test_support::renders::noise;
use std::path::{Path, PathBuf};

/// Whole numbers of 16 bits as noise that comes and goes.
fn music(channel: u64, frame: i64) -> f64 {
    if frame < 0 {
        return 0.0;
    }
    let swell = 0.25 + 0.25 * (frame as f64 / 9000.0).sin();
    (noise(7, channel, frame as u64) * swell * 32_768.0).round() / 32_768.0
}

fn write(folder: &Path, name: &str, format: Format, rate: u32, channels: Vec<Vec<f64>>) -> PathBuf {
    let layout = if channels.len() == 1 {
        Layout::Mono
    } else {
        Layout::Stereo
    };
    let spec = Spec {
        rate: SampleRate::new(rate).unwrap(),
        layout,
    };
    let mut session = Session::new(spec.rate, layout);
    session.add_track(Track::new("x", Memory::new(spec, channels).unwrap()));
    let path = folder.join(name);
    Bounce::new().format(format).run(&session, &path).unwrap();
    path
}

fn stereo(frames: i64, value: impl Fn(u64, i64) -> f64) -> Vec<Vec<f64>> {
    (0..2)
        .map(|ch| (0..frames).map(|n| value(ch, n)).collect())
        .collect()
}

fn compared(a: Vec<Vec<f64>>, b: Vec<Vec<f64>>) -> Comparison {
    let dir = tempfile::tempdir().unwrap();
    let a = write(dir.path(), "a.wav", Format::WAV_24, 48_000, a);
    let b = write(dir.path(), "b.wav", Format::WAV_32F, 48_000, b);
    files(a, b).unwrap()
}

#[test]
fn the_same_samples_are_identical_whatever_the_format() {
    let dir = tempfile::tempdir().unwrap();
    let a = write(
        dir.path(),
        "a.wav",
        Format::WAV_16,
        48_000,
        stereo(100_000, music),
    );
    let b = write(
        dir.path(),
        "b.wav",
        Format::WAV_32F,
        48_000,
        stereo(100_000, music),
    );
    let found = files(a, b).unwrap();
    assert!(found.identical && found.comparable);
    assert_eq!(
        (
            found.frames,
            found.different_samples,
            found.largest,
            found.rms_dbfs
        ),
        (100_000, 0, None, None)
    );
    assert_eq!((found.a.bits, found.b.bits), (Some(16), Some(32)));
    // Nothing is nothing, too.
    assert!(compared(stereo(0, music), stereo(0, music)).identical);
}

#[test]
fn one_sample_is_found_in_its_place() {
    for at in [0, 8191, 8192, 77_777, 99_999] {
        let found = compared(
            stereo(100_000, music),
            stereo(100_000, |ch, n| {
                music(ch, n) + if (ch, n) == (1, at) { 0.125 } else { 0.0 }
            }),
        );
        assert!(!found.identical);
        let most = found.largest.unwrap();
        assert_eq!(
            (most.at_frame, most.channel, found.different_samples),
            (at as u64, 1, 1)
        );
        assert!(
            (most.level_dbfs - 20.0 * 0.125f64.log10()).abs() < 1e-12,
            "{most:?}"
        );
        let rms = 20.0 * (0.125 / 200_000f64.sqrt()).log10();
        assert!((found.rms_dbfs.unwrap() - rms).abs() < 1e-9);
        // No lag and no gain explains one sample.
        assert_eq!(found.fit, None);
        let spans: Vec<_> = found
            .spans
            .iter()
            .map(|s| (s.start_frame, s.end_frame))
            .collect();
        assert_eq!(spans, [(at as u64, at as u64 + 1)]);
    }
}

#[test]
fn lag_gain_and_polarity_are_found() {
    for (lag, db, sign) in [
        (0i64, -3.0, 1.0),
        (1234, -3.0, -1.0),
        (-777, 2.5, 1.0),
        (48_000, 0.0, 1.0),
        (-48_000, -20.0, -1.0),
    ] {
        let gain = sign * 10f64.powf(db / 20.0);
        // Both start inside the music, so that what is early lacks nothing.
        let found = compared(
            stereo(150_000, |ch, n| music(ch, n + 50_000)),
            stereo(150_000, |ch, n| gain * music(ch, n + 50_000 - lag)),
        );
        let fit = found.fit.unwrap();
        assert_eq!((fit.lag_frames, fit.inverted), (lag, sign < 0.0));
        assert!((fit.gain_db - db).abs() < 1e-5, "{fit:?}");
        assert!((fit.lag_s - lag as f64 / 48_000.0).abs() < 1e-9);
        // What 32-bit float rounds away: half of 2^-24 of a sample below 1.
        assert!(fit.residual_dbfs.is_none_or(|r| r < -143.0), "{fit:?}");
    }
}

#[test]
fn strangers_have_no_fit() {
    let found = compared(
        stereo(90_000, music),
        stereo(90_000, |ch, n| 0.3 * noise(99, ch, n as u64)),
    );
    assert!(found.fit.is_none() && found.different_samples > 179_000);
    assert!(
        compared(stereo(9000, |_, _| 0.0), stereo(9000, music))
            .fit
            .is_none()
    );
}

#[test]
fn other_lengths_are_compared_as_far_as_both_go() {
    let found = compared(stereo(60_000, music), stereo(50_000, music));
    assert!(!found.identical && found.comparable);
    assert_eq!(
        (found.frames, found.different_samples, found.largest),
        (50_000, 0, None)
    );
    assert!(found.fit.is_none() && found.spans.is_empty());
}

#[test]
fn other_rates_and_layouts_are_not_compared() {
    let dir = tempfile::tempdir().unwrap();
    let a = write(
        dir.path(),
        "a.wav",
        Format::WAV_16,
        48_000,
        stereo(500, music),
    );
    let b = write(
        dir.path(),
        "b.wav",
        Format::WAV_16,
        44_100,
        stereo(500, music),
    );
    let c = write(
        dir.path(),
        "c.wav",
        Format::WAV_16,
        48_000,
        vec![vec![0.5; 500]],
    );
    for other in [b, c] {
        let found = files(&a, other).unwrap();
        assert!(!found.identical && !found.comparable);
        assert_eq!((found.frames, found.largest, found.fit), (0, None, None));
    }
    let gone = files(&a, dir.path().join("gone.wav")).unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}

#[test]
fn of_equal_differences_the_earliest_counts_in_whichever_channel() {
    let with = |places: &[(u64, i64)]| {
        let other = |ch, n| {
            music(ch, n)
                + if places.contains(&(ch, n)) {
                    0.125
                } else {
                    0.0
                }
        };
        let largest = compared(stereo(30_000, music), stereo(30_000, other))
            .largest
            .unwrap();
        (largest.channel, largest.at_frame)
    };
    assert_eq!(with(&[(0, 100), (1, 50)]), (1, 50));
    assert_eq!(with(&[(0, 50), (1, 100)]), (0, 50));
    // In the same frame it is the lower channel; blocks change nothing.
    assert_eq!(with(&[(0, 100), (1, 100)]), (0, 100));
    assert_eq!(with(&[(1, 8191), (0, 8192), (1, 20_000)]), (1, 8191));
}

#[test]
fn of_lags_that_fit_alike_the_shortest_counts() {
    // One period of noise of 1000 frames, again and again, 300 frames later: 700 earlier, 1300 later and more fit as well.
    let again =
        |late: i64| move |_: u64, n: i64| noise(3, 0, (n - late).rem_euclid(1000) as u64) / 4.0;
    let fit = |late: i64| {
        let (a, b) = (
            vec![(0..120_000).map(|n| again(0)(0, n)).collect()],
            vec![(0..120_000).map(|n| again(late)(0, n)).collect()],
        );
        compared(a, b).fit.unwrap().lag_frames
    };
    assert_eq!([fit(300), fit(-300), fit(499)], [300, -300, 499]);
}

/// The difference between two files and what their fit leaves, in dB.
fn gain_of_fit(found: &Comparison) -> Option<f64> {
    let largest = found.largest.as_ref()?.level_dbfs;
    Some(largest - found.fit.as_ref()?.residual_dbfs.unwrap_or(-200.0))
}

#[test]
fn a_fit_is_stated_only_where_it_leaves_a_tenth_of_the_difference() {
    // `b` is half of `a`, plus a noise of its own.
    let found = |level: f64| {
        let own = |ch, n: i64| noise(7, ch, n as u64) / 4.0;
        let mixed = move |ch, n: i64| own(ch, n) / 2.0 + level * noise(99, ch, n as u64);
        compared(stereo(60_000, own), stereo(60_000, mixed))
    };
    // The difference is at most 1/8; a rest of 1/1000 is 42 dB below it, one of 1/50 less than 20 dB.
    let gained = gain_of_fit(&found(0.001)).unwrap();
    assert!((gained - 42.0).abs() < 1.0, "{gained}");
    assert!(gain_of_fit(&found(0.01)).unwrap() > 20.0);
    assert_eq!(gain_of_fit(&found(0.02)), None);
    // A cut that moves everything behind it correlates at 1 with the lag, and would leave more than there was.
    let a = stereo(100_000, music);
    let b = stereo(100_000, |ch, n| {
        music(ch, if n < 60_000 { n } else { n + 100 })
    });
    let cut = compared(a, b);
    assert_eq!(cut.fit, None);
    let rest = cut.fit_from_difference.unwrap();
    assert_eq!((rest.lag_frames, rest.residual_dbfs), (-100, None));
    let spans: Vec<_> = cut
        .spans
        .iter()
        .map(|s| (s.start_frame, s.end_frame))
        .collect();
    assert_eq!(spans, [(60_000, 100_000)]);
    assert_eq!(
        (cut.spans[0].start_s, cut.spans[0].end_s),
        (1.25, 2.083_333_333)
    );
}

#[test]
fn what_was_put_in_or_turned_is_found_behind_it() {
    let fit = |b: &dyn Fn(u64, i64) -> f64, frames| {
        let found = compared(stereo(100_000, music), stereo(frames, b));
        assert_eq!(found.fit, None);
        assert_eq!(found.spans[0].start_frame, 30_000);
        found
            .fit_from_difference
            .map(|f| (f.lag_frames, (f.gain_db * 1e3).round(), f.inverted))
    };
    // Silence of 5000 frames that is put in, 777 frames that are cut out, a fader that is moved, one that moves on.
    let put_in = |ch, n| match n {
        ..30_000 => music(ch, n),
        30_000..35_000 => 0.0,
        _ => music(ch, n - 5000),
    };
    assert_eq!(fit(&put_in, 105_000), Some((5000, 0.0, false)));
    let cut_out = |ch, n| music(ch, if n < 30_000 { n } else { n + 777 });
    assert_eq!(fit(&cut_out, 99_223), Some((-777, 0.0, false)));
    let turned = |ch, n| music(ch, n) * if n < 30_000 { 1.0 } else { -0.5 };
    assert_eq!(fit(&turned, 100_000), Some((0, -6021.0, true)));
    let moving = |ch, n| music(ch, n) * (1.0 - ((n - 29_999).max(0) as f64) / 1e5);
    assert_eq!(fit(&moving, 100_000).map(|f| f.0), None);
}

#[test]
fn the_lag_of_short_files_is_found_too() {
    let own = |ch: u64, n: i64| {
        if n < 0 {
            0.0
        } else {
            (noise(5, ch, n as u64) * 8192.0).round() / 32_768.0
        }
    };
    for frames in [10i64, 11, 100, 3000, 8191, 8192, 8193, 20_000] {
        for lag in [1, -1, 2, -3, 7, -7, frames / 3, -frames / 3] {
            if lag == 0 || lag.abs() > frames - 3 {
                continue;
            }
            // What moves out of the file is cut off; what comes in is silence.
            let moved = |ch: u64, n: i64| {
                if n - lag < frames {
                    own(ch, n - lag)
                } else {
                    0.0
                }
            };
            let fit = compared(stereo(frames, own), stereo(frames, moved)).fit;
            let fit = fit.unwrap_or_else(|| panic!("{frames} frames, lag {lag}"));
            assert_eq!(
                (fit.lag_frames, fit.residual_dbfs),
                (lag, None),
                "{frames} frames"
            );
        }
    }
    // A part of another file, whichever is the longer.
    for (long, part, at) in [(5000, 10, 4321), (40_000, 9000, 30_999), (100, 40, 3)] {
        let inner = |ch, n| own(ch, n + at);
        let later = compared(stereo(part, inner), stereo(long, own))
            .fit
            .unwrap();
        let earlier = compared(stereo(long, own), stereo(part, inner))
            .fit
            .unwrap();
        assert_eq!(
            (later.lag_frames, earlier.lag_frames),
            (at, -at),
            "{long} {part}"
        );
    }
}

#[test]
fn short_strangers_have_no_fit() {
    for frames in [1, 2, 3, 5, 10, 30, 1000] {
        for seed in 0..20u64 {
            let a = |ch, n: i64| noise(2 * seed + 1, ch, n as u64) / 2.0;
            let b = |ch, n: i64| noise(2 * seed + 2, ch, n as u64) / 2.0;
            let found = compared(stereo(frames, a), stereo(frames, b));
            let lag = found.fit.as_ref().map(|fit| fit.lag_frames);
            // One frame of two channels may be a gain of another; a lag is never made of it.
            assert!(
                lag.is_none_or(|lag| lag == 0 && frames < 3),
                "{frames} {seed}: {found:?}"
            );
        }
    }
}

#[test]
fn spans_say_when_files_differ() {
    let with = |places: &'static [(i64, i64)]| {
        let other = move |ch, n: i64| {
            let differs = ch == 1
                && places
                    .iter()
                    .any(|(start, end)| (*start..*end).contains(&n));
            music(ch, n) + if differs { 0.125 } else { 0.0 }
        };
        let found = compared(stereo(100_000, music), stereo(100_000, other));
        found
            .spans
            .iter()
            .map(|s| (s.start_frame, s.end_frame))
            .collect::<Vec<_>>()
    };
    assert_eq!(with(&[(0, 100_000)]), [(0, 100_000)]);
    assert_eq!(with(&[(8190, 8200), (13_000, 13_001)]), [(8190, 13_001)]);
    assert_eq!(
        with(&[(8190, 8200), (13_001, 13_002), (99_999, 100_000)]),
        [(8190, 8200), (13_001, 13_002), (99_999, 100_000)]
    );
}
