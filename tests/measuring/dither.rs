//! Dither: the noise floor in numbers, no distortion, the same bits for any cut, and only where bits are lost.

use soundtrack::{
    Block, Bounce, Decibels, Format, Frames, Layout, Session, Sink, Track,
    encode::{Dither, Dithered, MemorySink, Shaping},
    media,
};
use soundtrack_test_support::signals::spec;
use std::f64::consts::TAU;

const RATE: u32 = 48_000;

/// Samples after dither and rounding to integers of so many bits.
fn rounded(samples: &[f64], dither: Option<Dither>, bits: u16, block: usize) -> Vec<f64> {
    let mut out = Vec::new();
    let mut sink = dither.map(|d| Dithered::new(MemorySink::default(), d, bits, Frames(0)));
    for part in samples.chunks(block) {
        let mut block = Block::new(Layout::Mono, part.len());
        block.set_frames(part.len());
        block.channel_mut(0).copy_from_slice(part);
        match &mut sink {
            Some(sink) => sink.write(&block).unwrap(),
            None => out.extend_from_slice(part),
        }
    }
    if let Some(sink) = sink {
        out = sink.into_inner().into_channels().remove(0);
    }
    let scale = 2f64.powi(i32::from(bits) - 1);
    out.iter()
        .map(|x| (x * scale).round_ties_even() / scale)
        .collect()
}

fn tone(level: f64, hz: f64, frames: usize) -> Vec<f64> {
    let gain = 10f64.powf(level / 20.0);
    (0..frames)
        .map(|n| gain * (TAU * hz * n as f64 / f64::from(RATE)).sin())
        .collect()
}

/// Power in decibels.
fn power(samples: impl Iterator<Item = f64>, count: usize) -> f64 {
    10.0 * (samples.map(|x| x * x).sum::<f64>() / count as f64).log10()
}

const WHITE: Dither = Dither {
    seed: 7,
    shaping: Shaping::White,
};

#[test]
fn the_noise_floor_is_that_of_the_standard() {
    let samples = tone(-20.0, 997.0, 1 << 20);
    for (bits, dither, want) in [
        (16, Some(WHITE), -93.32),
        (20, Some(WHITE), -117.40),
        (24, Some(WHITE), -141.48),
        (
            16,
            Some(Dither {
                shaping: Shaping::HighPass,
                ..WHITE
            }),
            -93.32,
        ),
        (16, None, -98.09),
    ] {
        let out = rounded(&samples, dither, bits, 4096);
        // Re a sine of full scale, which is 3.01 dB below 1.0.
        let floor = power(out.iter().zip(&samples).map(|(o, s)| o - s), samples.len()) + 3.0103;
        println!("{bits} bits, {dither:?}: {floor:.2} dB, {want} expected");
        assert!(
            (floor - want).abs() < 0.1,
            "{bits} bits, {dither:?}: {floor:.2} dB"
        );
    }
}

/// The level of a frequency in dB re full scale, Hann-windowed, which must fit the length a whole number of times.
fn bin(samples: &[f64], hz: f64) -> f64 {
    let n = samples.len() as f64;
    let (mut re, mut im) = (0.0, 0.0);
    for (k, x) in samples.iter().enumerate() {
        let window = 1.0 - (TAU * k as f64 / n).cos();
        let (sin, cos) = (TAU * hz * k as f64 / f64::from(RATE)).sin_cos();
        re += x * window * cos;
        im += x * window * sin;
    }
    20.0 * (2.0 * f64::hypot(re, im) / n).log10()
}

#[test]
fn no_harmonic_of_a_sine_of_minus_90_db_survives() {
    // A second of 1 kHz: bins of 1 Hz, in which the noise of dither lies at -137 dB, give or take.
    let frames = 8 * RATE as usize;
    let samples = tone(-90.0, 1000.0, frames);
    let (plain, dithered) = (
        rounded(&samples, None, 16, 4096),
        rounded(&samples, Some(WHITE), 16, 4096),
    );
    assert!(
        (bin(&dithered, 1000.0) + 90.0).abs() < 0.1,
        "{}",
        bin(&dithered, 1000.0)
    );
    let third = (bin(&plain, 3000.0), bin(&dithered, 3000.0));
    assert!(
        third.0 > -115.0,
        "undithered, the third harmonic is at {:.1} dB",
        third.0
    );
    // The mean power of noise in a bin is -93.32 dB spread over the bins, times the window's 1.5; a bin of many strays by less
    // than 12 dB from it.
    let floor = -93.32 + 10.0 * (1.5 / (frames as f64 / 2.0)).log10();
    for k in 2..20 {
        let level = bin(&dithered, 1000.0 * f64::from(k));
        assert!(
            level < floor + 12.0,
            "harmonic {k}: {level:.1} dB over noise of {floor:.1}"
        );
    }
}

#[test]
fn weighted_noise_falls_where_ears_are_sharp() {
    let samples = tone(-20.0, 997.0, 1 << 16);
    let error = |shaping| -> Vec<f64> {
        let out = rounded(&samples, Some(Dither { seed: 1, shaping }), 16, 4096);
        out.iter().zip(&samples).map(|(o, s)| o - s).collect()
    };
    // The mean power of 400 bins above a frequency.
    let band = |error: &[f64], hz: f64| {
        let bins = (0..400).map(|k| 10f64.powf(bin(error, hz + f64::from(k)) / 10.0));
        10.0 * (bins.sum::<f64>() / 400.0).log10()
    };
    let (white, weighted, high) = (
        error(Shaping::White),
        error(Shaping::Weighted),
        error(Shaping::HighPass),
    );
    let change = |hz| band(&weighted, hz) - band(&white, hz);
    let (sharp, top) = (change(3500.0), change(20_000.0));
    println!("weighted dither: {sharp:+.1} dB at 3.5 kHz, {top:+.1} dB at 20 kHz");
    assert!(
        sharp < -15.0 && top > 15.0,
        "{sharp:+.1} dB at 3.5 kHz, {top:+.1} dB at 20 kHz"
    );
    // D²/12 of rounding stays white; of the dither, D²/6, nothing is left low down, and twice as much on top.
    let (low, top) = (
        band(&high, 200.0) - band(&white, 200.0),
        band(&high, 23_000.0) - band(&white, 23_000.0),
    );
    println!("high-pass dither: {low:+.1} dB at 200 Hz, {top:+.1} dB at 23 kHz");
    assert!(
        (low + 4.77).abs() < 1.0 && (top - 2.2).abs() < 1.0,
        "{low:+.1} dB, {top:+.1} dB"
    );
}

#[test]
fn noise_belongs_to_seed_channel_and_frame() {
    let samples = tone(-30.0, 441.0, 20_000);
    for shaping in [Shaping::White, Shaping::HighPass, Shaping::Weighted] {
        let dither = Some(Dither { seed: 1, shaping });
        let whole = rounded(&samples, dither, 16, 20_000);
        for block in [1, 64, 441, 4096] {
            assert_eq!(
                whole,
                rounded(&samples, dither, 16, block),
                "{shaping}, {block} frames"
            );
        }
        assert_ne!(
            whole,
            rounded(&samples, Some(Dither { seed: 2, shaping }), 16, 20_000)
        );
    }
    // Two channels of one signal have different noise.
    let mut block = Block::new(Layout::Stereo, 1000);
    block.fill(1000, 0.1);
    let mut sink = Dithered::new(MemorySink::default(), WHITE, 16, Frames(0));
    sink.write(&block).unwrap();
    let channels = sink.into_inner().into_channels();
    let same = channels[0]
        .iter()
        .zip(&channels[1])
        .filter(|(a, b)| a == b)
        .count();
    assert!(same < 3, "{same}");
}

/// A folder with a stem of so many bits.
fn stem(bits: u16) -> (tempfile::TempDir, Session) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stem.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: bits,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    (0..RATE as i32).for_each(|n| {
        writer
            .write_sample((n * 7919 % 60_001 - 30_000) * i32::from(n > 1000))
            .unwrap()
    });
    writer.finalize().unwrap();
    let mut mix = Session::new(
        soundtrack_test_support::signals::spec(RATE, Layout::Mono).rate,
        Layout::Mono,
    );
    mix.add_track(Track::new("x", path));
    (folder, mix)
}

/// What a file holds.
fn samples(path: &std::path::Path) -> Vec<i32> {
    hound::WavReader::open(path)
        .unwrap()
        .into_samples()
        .map(Result::unwrap)
        .collect()
}

#[test]
fn only_what_loses_bits_is_dithered_and_ranges_agree() {
    let (folder, mut mix) = stem(16);
    let out = folder.path().join("o.wav");
    let bounce = |mix: &Session, format, range: Option<std::ops::Range<Frames>>| {
        let bounce = Bounce::new().format(format).overwrite(true).dither(WHITE);
        let bounce = if let Some(range) = range {
            bounce.range(range)
        } else {
            bounce
        };
        let report = bounce.run(mix, &out).unwrap();
        (report.dither, samples(&out))
    };
    // 16 bits at unity stay what they are; a float file has no steps.
    let (dither, same) = bounce(&mix, Format::WAV_16, None);
    assert_eq!(
        (dither, same),
        (None, samples(&folder.path().join("stem.wav")))
    );
    let float = Bounce::new()
        .format(Format::WAV_32F)
        .overwrite(true)
        .dither(WHITE)
        .run(&mix, &out)
        .unwrap();
    assert_eq!(float.dither, None);
    mix.master.gain = Decibels(-3.0);
    let (dither, whole) = bounce(&mix, Format::WAV_16, None);
    assert_eq!(dither.as_deref(), Some("white"));
    assert!(whole[..1000].iter().all(|s| *s == 0), "silence is silent");
    let (_, part) = bounce(&mix, Format::WAV_16, Some(Frames(20_000)..Frames(30_000)));
    assert_eq!(whole[20_000..30_000], part);
}

#[test]
fn rounding_away_bits_without_dither_is_told() {
    let (folder, mix) = stem(24);
    let out = folder.path().join("o.wav");
    let warned = |bounce: Bounce<'_>| {
        let report = bounce.overwrite(true).run(&mix, &out).unwrap();
        report
            .warnings
            .into_iter()
            .find(|w| w.kind.code() == "W112")
            .map(|w| w.text())
    };
    let told = warned(Bounce::new().format(Format::WAV_16));
    assert_eq!(
        told.as_deref(),
        Some("more than 16 bits, rounded to 16 without dither")
    );
    assert_eq!(
        warned(Bounce::new().format(Format::WAV_16).dither(WHITE)),
        None
    );
    assert_eq!(warned(Bounce::new()), None);
    let (_folder, sixteen) = stem(16);
    let report = Bounce::new()
        .format(Format::WAV_16)
        .overwrite(true)
        .run(&sixteen, &out)
        .unwrap();
    assert!(
        report.warnings.iter().all(|w| w.kind.code() != "W112"),
        "{:?}",
        report.warnings
    );
}

#[test]
fn a_filter_made_for_other_rates_is_refused() {
    let mut mix = Session::new(spec(96_000, Layout::Mono).rate, Layout::Mono);
    let memory = media::Memory::new(spec(96_000, Layout::Mono), vec![vec![0.1; 100]]).unwrap();
    mix.add_track(Track::new("x", memory));
    let folder = tempfile::tempdir().unwrap();
    let weighted = Dither {
        seed: 0,
        shaping: Shaping::Weighted,
    };
    let refused = Bounce::new()
        .dither(weighted)
        .run(&mix, folder.path().join("o.wav"))
        .unwrap_err();
    let want =
        "weighted dither is for 44100 and 48000 Hz, the output has 96000: take high-pass or white";
    assert_eq!(refused.to_string(), want);
}
