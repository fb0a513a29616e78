//! True peak: the cases of EBU Tech 3341, and random material against 64 times oversampling with a far longer filter.

use soundtrack::Layout;
use soundtrack_test_support::signals::{burst, kaiser, measured, sinc, spec, uniform};
use std::f64::consts::{PI, TAU};

/// A tone of `fs / divisor`, with tapers of 10 ms.
fn tone(rate: u32, divisor: f64, amplitude: f64, degrees: f64) -> Vec<f64> {
    let (frames, taper) = (rate as usize, f64::from(rate) / 100.0);
    let fade = |n: usize| (n.min(frames - 1 - n) as f64 / taper).min(1.0);
    (0..frames)
        .map(|n| amplitude * fade(n) * (TAU * (n as f64 / divisor + degrees / 360.0)).sin())
        .collect()
}

#[test]
fn tech_3341_true_peak() {
    println!(
        "{:34} {:>5}  {:>7}  {:>7}",
        "EBU Tech 3341", "dBTP", "read", "sample"
    );
    let mut cases: Vec<(String, f64, Vec<f64>)> = Vec::new();
    for rate in [44_100, 48_000, 96_000, 192_000] {
        for (case, divisor, amplitude, degrees, want) in [
            (15, 4.0, 0.5, 0.0, -6.0),
            (16, 4.0, 0.5, 45.0, -6.0),
            (17, 6.0, 0.5, 60.0, -6.0),
            (18, 8.0, 0.5, 67.5, -6.0),
            (19, 4.0, 1.41, 45.0, 3.0),
        ] {
            let name = format!("{case} fs/{divisor}, {degrees}°, {rate} Hz");
            cases.push((name, want, tone(rate, divisor, amplitude, degrees)));
        }
    }
    cases.extend((0..4).map(|i| (format!("{} burst, offset {i}", 20 + i), 0.0, burst(i))));
    for (name, want, samples) in cases {
        let all = measured(spec(48_000, Layout::Mono), &[samples], 777);
        let (read, sample) = (
            all.true_peak.unwrap().level.0,
            all.sample_peak.unwrap().level.0,
        );
        println!("{name:34} {want:5.1}  {read:7.3}  {sample:7.3}");
        assert!(
            (-0.4..=0.2).contains(&(read - want)),
            "{name}: {read:.3} dBTP"
        );
        // The closed form, or for the burst what ideal interpolation of it gives.
        let exact = match want {
            3.0 => 20.0 * 1.41f64.log10(),
            0.0 => -0.08,
            _ => 20.0 * 0.5f64.log10(),
        };
        assert!(
            (read - exact).abs() < 0.011,
            "{name}: {read:.3} dBTP for {exact:.3}"
        );
    }
}

/// The true peak in dBTP by 64 points between samples and a sinc of 256 taps, flat to 0.48 of the rate.
fn reference(samples: &[f64]) -> f64 {
    const REACH: i32 = 128;
    let phase = |p: i32| -> Vec<f64> {
        let t = |k: i32| f64::from(k) - f64::from(p) / 64.0;
        (1 - REACH..=REACH)
            .map(|k| kaiser(9.0, t(k) / f64::from(REACH)) * sinc(t(k)))
            .collect()
    };
    let phases: Vec<Vec<f64>> = (0..64).map(phase).collect();
    let mut padded = vec![0.0; 2 * REACH as usize];
    padded.extend_from_slice(samples);
    padded.extend(vec![0.0; 2 * REACH as usize]);
    let value = |window: &[f64], taps: &Vec<f64>| {
        window
            .iter()
            .zip(taps)
            .map(|(x, h)| x * h)
            .sum::<f64>()
            .abs()
    };
    let all = padded
        .windows(2 * REACH as usize)
        .flat_map(|w| phases.iter().map(move |p| value(w, p)));
    20.0 * all.fold(0.0, f64::max).log10()
}

/// Random samples, low-passed at a share of the rate; coloured by a one-pole where asked.
fn noise(seed: u64, frames: usize, band: f64, colour: f64) -> Vec<f64> {
    let mut random = seed;
    let mut held = 0.0;
    let mut raw = || {
        held = colour * held + uniform(&mut random);
        held
    };
    let raw: Vec<f64> = (0..frames + 256).map(|_| raw()).collect();
    if band >= 0.5 {
        return raw[..frames].to_vec();
    }
    let taps: Vec<f64> = (-128..=128)
        .map(f64::from)
        .map(|k| kaiser(8.0, k / 128.5) * 2.0 * band * sinc(2.0 * band * k))
        .collect();
    // Without steps at its ends, which would have no band.
    let fade = |n: usize| (n.min(frames - 1 - n) as f64 / 100.0).min(1.0);
    let low = raw
        .windows(257)
        .map(|w| w.iter().zip(&taps).map(|(x, h)| x * h).sum::<f64>());
    low.take(frames)
        .enumerate()
        .map(|(n, x)| fade(n) * x)
        .collect()
}

#[test]
fn random_material_reads_as_64_times_oversampling_does() {
    // The slopes of the low-pass end at 20 kHz at 48 kHz and at 44.1 kHz.
    let materials = [
        ("noise to 0.417 of the rate", 0.4, 0.0, (-0.005, 0.005)),
        ("noise, 6 dB an octave", 0.4, 0.95, (-0.005, 0.005)),
        ("noise to 0.4535 of the rate", 0.44, 0.0, (-0.005, 0.005)),
        ("noise to 0.25 of the rate", 0.23, 0.0, (-0.005, 0.005)),
        // Beyond 0.4535 of the rate nothing is promised: the filter falls there, as the standard's own does.
        ("noise to half the rate", 0.5, 0.0, (-1.0, 0.1)),
    ];
    for (name, band, colour, most) in materials {
        let error = |seed: u64| {
            let samples = noise(seed, 1500, band, colour);
            let read = measured(
                spec(48_000, Layout::Mono),
                std::slice::from_ref(&samples),
                1500,
            )
            .true_peak
            .unwrap();
            read.level.0 - reference(&samples)
        };
        let errors: Vec<f64> = (0..24).map(error).collect();
        let (low, high) = (
            errors.iter().fold(0.0, |m: f64, e| m.min(*e)),
            errors.iter().fold(0.0, |m: f64, e| m.max(*e)),
        );
        println!("true peak of {name:27} {low:+.4} to {high:+.4} dB against 64 times");
        assert!(
            low >= most.0 && high <= most.1,
            "{name}: {low:+.4} to {high:+.4} dB"
        );
    }
}

#[test]
fn edges_of_the_signal_count() {
    // A single sample, constants, full-scale integers, and the first and last frame of a file.
    let read = |samples: Vec<f64>| {
        measured(spec(48_000, Layout::Mono), &[samples], 64)
            .true_peak
            .unwrap()
    };
    let impulse = read([vec![0.0; 100], vec![-0.5], vec![0.0; 100]].concat());
    assert_eq!(
        (impulse.level.0, impulse.at.0),
        (20.0 * 0.5f64.log10(), 100)
    );
    assert_eq!(read(vec![0.25]).level.0, 20.0 * 0.25f64.log10());
    // A step overshoots by 0.28 dB or so where it starts and where it ends, and nowhere else.
    let step = read(vec![-1.0; 4000]);
    assert!((0.5..1.5).contains(&step.level.0), "{step:?}");
    assert!(step.at.0 < 3 || step.at.0 > 3995, "{step:?}");
    let loud = read([vec![0.0; 3000], vec![1.0, 1.0], vec![0.0; 3000]].concat());
    assert!(
        (loud.level.0 - 20.0 * (4.0 / PI).log10()).abs() < 0.03,
        "{loud:?}"
    );
    assert_eq!(loud.at.0, 3000);
}

#[test]
fn skipping_changes_nothing() {
    // A loud click first: what follows is skipped, but each tenth of a second still has its own peak.
    let quiet = noise(5, 48_000, 0.4, 0.9);
    let alone = measured(
        spec(48_000, Layout::Mono),
        std::slice::from_ref(&quiet),
        1000,
    );
    let mut loud = quiet.clone();
    loud[10] = 50.0;
    let both = measured(spec(48_000, Layout::Mono), &[loud], 1000);
    assert_eq!(alone.curves.true_peak[1..], both.curves.true_peak[1..]);
    assert_eq!(both.true_peak.unwrap().at.0, 10);
}

/// Between two equal samples at the end the signal is higher than they are.
#[test]
fn a_peak_is_found_up_to_the_last_frame_of_any_length() {
    let spec = spec(48_000, Layout::Mono);
    for frames in (2..=66).chain([479, 480, 511, 512, 513, 543, 544, 1_024, 1_056, 1_536]) {
        let mut signal = vec![0.0; frames];
        signal[frames - 2..].fill(0.7);
        let alone = measured(spec, std::slice::from_ref(&signal), 512).true_peak;
        signal.resize(frames + 2_000, 0.0);
        let followed = measured(spec, &[signal], 512).true_peak;
        let (alone, followed) = (alone.unwrap(), followed.unwrap());
        assert_eq!(alone.level, followed.level, "{frames}");
        assert_eq!((alone.at, alone.channel), (followed.at, followed.channel));
        assert!(alone.level.0 > -2.5, "{frames}: {}", alone.level);
    }
}
