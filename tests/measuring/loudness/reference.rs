//! The same numbers as the crate `ebur128`, an independent meter, on random material.

use ebur128::{Channel, EbuR128, Mode};
use soundtrack::{Layout, SampleRate, Spec};
use soundtrack_test_support::signals::{measured, spec, uniform};
use std::f64::consts::PI;

#[test]
fn agrees_with_another_meter() {
    let maps: [(Layout, &[Channel]); 3] = [
        (Layout::Mono, &[Channel::Center]),
        (Layout::Stereo, &[Channel::Left, Channel::Right]),
        (
            Layout::Surround51,
            &[
                Channel::Left,
                Channel::Right,
                Channel::Center,
                Channel::Unused,
                Channel::LeftSurround,
                Channel::RightSurround,
            ],
        ),
    ];
    for rate in [44_100u32, 48_000, 96_000] {
        for (layout, map) in maps {
            let mut random = u64::from(rate);
            let frames = 12 * rate as usize;
            // Loud and soft by turns, so that the gates have something to do.
            let level = |n: usize| 10f64.powf(-((n / (rate as usize * 2)) as f64 * 5.0) / 20.0);
            let mut held = 0.0;
            let mut channel = |_| -> Vec<f64> {
                let mut sample = |n| {
                    held = 0.9 * held + 0.1 * uniform(&mut random);
                    held * level(n)
                };
                (0..frames).map(&mut sample).collect()
            };
            let channels: Vec<Vec<f64>> = (0..layout.channels()).map(&mut channel).collect();
            let ours = measured(spec(rate, layout), &channels, 4096);
            let mut meter = EbuR128::new(
                map.len() as u32,
                rate,
                Mode::I | Mode::TRUE_PEAK | Mode::M | Mode::S,
            )
            .unwrap();
            meter.set_channel_map(map).unwrap();
            let slices: Vec<&[f64]> = channels.iter().map(Vec::as_slice).collect();
            meter.add_frames_planar_f64(&slices).unwrap();
            // That meter leaves the numerator of the high-pass as it is at 48 kHz, and so reads more at 44.1 and less at 96.
            let scale: f64 = match rate {
                44_100 => 0.999_560_065,
                96_000 => 1.002_492_789,
                _ => 1.0,
            };
            let less = 20.0 * scale.log10();
            let pairs = [
                (
                    "integrated",
                    ours.integrated.unwrap().0,
                    meter.loudness_global().unwrap(),
                    0.002,
                ),
                (
                    "momentary",
                    f64::from(*ours.curves.momentary.last().unwrap()),
                    meter.loudness_momentary().unwrap(),
                    0.002,
                ),
                (
                    "short-term",
                    f64::from(*ours.curves.short_term.last().unwrap()),
                    meter.loudness_shortterm().unwrap(),
                    0.002,
                ),
            ];
            for (name, ours, theirs, most) in pairs {
                assert!(
                    (ours - theirs - less).abs() < most,
                    "{name} at {rate} Hz {layout}: {ours} and {theirs}"
                );
            }
            let peak = (0..map.len() as u32)
                .map(|ch| meter.true_peak(ch).unwrap())
                .fold(0.0, f64::max);
            let (ours, theirs) = (ours.true_peak.unwrap().level.0, 20.0 * peak.log10());
            assert!(
                (-0.05..0.3).contains(&(ours - theirs)),
                "true peak at {rate} Hz {layout}: {ours} and {theirs}"
            );
        }
    }
}

/// Random material: layout, rate, length, colour, and a level that jumps, with pauses, so that both gates decide.
fn random_material(seed: u64) -> (Spec, Vec<Vec<f64>>) {
    let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut below = |n: u64| ((uniform(&mut random) + 1.0) / 2.0 * n as f64) as u64 % n;
    let layout = [
        Layout::Mono,
        Layout::Stereo,
        Layout::Lcr,
        Layout::Surround50,
        Layout::Surround51,
    ][below(5) as usize];
    let rate = [8_000u32, 16_000, 44_100, 48_000][below(4) as usize];
    // From under one block of 400 ms to 3.2 s; whole and broken numbers of hops.
    let frames = (rate as u64 / 5 + below(u64::from(rate) * 3)) as usize;
    let hop = rate as usize / 10;
    let levels: Vec<f64> = (0..frames / hop + 1)
        .map(|_| match below(6) {
            0 => 0.0,
            1 => 10f64.powf(-(60.0 + below(20) as f64) / 20.0),
            _ => 10f64.powf(-(below(40) as f64) / 20.0),
        })
        .collect();
    // Levels hold for a random number of hops, so that some blocks are of one level and some straddle.
    let stretch = 1 + below(9) as usize;
    let colour = below(10) as f64 / 10.0;
    let mut noise = seed | 1;
    let channels = (0..layout.channels())
        .map(|_| {
            let mut held = 0.0;
            (0..frames)
                .map(|n| {
                    held = colour * held + (1.0 - colour) * uniform(&mut noise);
                    held * levels[n / hop / stretch]
                })
                .collect()
        })
        .collect();
    (spec(rate, layout), channels)
}

/// The standard's integrated loudness worked out at once, from nothing but its text: filters, blocks, both gates.
fn integrated(spec: Spec, channels: &[Vec<f64>]) -> Option<f64> {
    let fs = f64::from(spec.rate.hz());
    let stage = |f0: f64, q: f64, shelf: bool| {
        let k = (PI * f0 / fs).tan();
        let a0 = 1.0 + k / q + k * k;
        let a = [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0];
        if !shelf {
            let g = (1.0 - a[0] + a[1]) / (1.0 + 1.990_047_454_833_98 + 0.990_072_250_366_21);
            return ([g, -2.0 * g, g], a);
        }
        let vh = 10f64.powf(3.999_843_853_973_347 / 20.0);
        let vb = vh.powf(0.499_666_774_154_541_6);
        let b = [
            vh + vb * k / q + k * k,
            2.0 * (k * k - vh),
            vh - vb * k / q + k * k,
        ];
        (b.map(|b| b / a0), a)
    };
    let stages = [
        stage(1_681.974_450_955_533, 0.707_175_236_955_419_6, true),
        stage(38.135_470_876_024_44, 0.500_327_037_323_877_3, false),
    ];
    let weights: &[f64] = match spec.layout {
        Layout::Surround50 => &[1.0, 1.0, 1.0, 1.41, 1.41],
        Layout::Surround51 => &[1.0, 1.0, 1.0, 0.0, 1.41, 1.41],
        _ => &[1.0; 3],
    };
    let weighted: Vec<Vec<f64>> = channels
        .iter()
        .map(|samples| {
            let mut out = samples.clone();
            for (b, a) in stages {
                let mut past = [0.0; 4];
                for x in &mut out {
                    let [x1, x2, y1, y2] = past;
                    let y = b[0] * *x + b[1] * x1 + b[2] * x2 - a[0] * y1 - a[1] * y2;
                    past = [*x, x1, y, y1];
                    *x = y;
                }
            }
            out
        })
        .collect();
    let length = (0.4 * fs).round() as usize;
    let mut powers = Vec::new();
    for j in 0.. {
        let start = (f64::from(j) * fs / 10.0).round() as usize;
        if start + length > channels[0].len() {
            break;
        }
        let power = |samples: &Vec<f64>| {
            let block = &samples[start..start + length];
            block.iter().map(|x| x * x).sum::<f64>() / length as f64
        };
        powers.push(
            weighted
                .iter()
                .zip(weights)
                .map(|(s, g)| g * power(s))
                .sum::<f64>(),
        );
    }
    let level = |power: f64| -0.691 + 10.0 * power.log10();
    let mean = |powers: &[f64]| powers.iter().sum::<f64>() / powers.len() as f64;
    powers.retain(|power| level(*power) > -70.0);
    if powers.is_empty() {
        return None;
    }
    let gate = level(mean(&powers)) - 10.0;
    powers.retain(|power| level(*power) > gate);
    Some(level(mean(&powers)))
}

#[test]
fn random_material_reads_as_the_standard_works_out() {
    let (mut undefined, mut gated, mut compared) = (0, 0, 0);
    let (mut worst, mut most) = (0.0f64, 0.0f64);
    for seed in 1..=320 {
        let (spec, channels) = random_material(seed);
        let ours = measured(spec, &channels, 4096);
        let want = integrated(spec, &channels);
        assert_eq!(ours.integrated.is_some(), want.is_some(), "seed {seed}");
        let Some(want) = want else {
            undefined += 1;
            continue;
        };
        let got = ours.integrated.unwrap().0;
        worst = worst.max((got - want).abs());
        // The powers of blocks are kept as 32-bit floats: 10 log10(1 + 2^-24) is 2.6e-7.
        assert!((got - want).abs() < 2.7e-7, "seed {seed}: {got} and {want}");
        gated += 1;

        // The crate ebur128 leaves the numerator of the high-pass at other rates as it is at 48 kHz.
        if spec.rate != SampleRate::HZ_48000 {
            continue;
        }
        compared += 1;
        let map: &[Channel] = match spec.layout {
            Layout::Mono => &[Channel::Center],
            Layout::Stereo => &[Channel::Left, Channel::Right],
            Layout::Lcr => &[Channel::Left, Channel::Right, Channel::Center],
            Layout::Surround50 => &[
                Channel::Left,
                Channel::Right,
                Channel::Center,
                Channel::LeftSurround,
                Channel::RightSurround,
            ],
            _ => &[
                Channel::Left,
                Channel::Right,
                Channel::Center,
                Channel::Unused,
                Channel::LeftSurround,
                Channel::RightSurround,
            ],
        };
        let mut meter = EbuR128::new(map.len() as u32, spec.rate.hz(), Mode::I).unwrap();
        meter.set_channel_map(map).unwrap();
        let slices: Vec<&[f64]> = channels.iter().map(Vec::as_slice).collect();
        meter.add_frames_planar_f64(&slices).unwrap();
        let theirs = meter.loudness_global().unwrap();
        // Its powers are not rounded, and its coefficients have other digits.
        assert!(
            (got - theirs).abs() < 1e-6,
            "seed {seed}: {got} and {theirs}"
        );
        most = most.max((got - theirs).abs());
    }
    println!(
        "{gated} signals, {undefined} without a value, at most {worst:.1e} LU apart; \
         {compared} of them beside ebur128, at most {most:.1e} LU"
    );
    assert!(gated >= 250 && undefined >= 10 && compared >= 50);
}
