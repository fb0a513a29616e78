//! No bit of a measurement depends on block size; odd samples harm nothing but their own place.

use soundtrack::{Layout, measure::Measured};
use soundtrack_test_support::signals::{measured, spec, uniform};

fn noise(channels: usize, frames: usize) -> Vec<Vec<f64>> {
    let mut random = 9;
    let mut level = 0.0;
    let mut channel = |_| {
        (0..frames)
            .map(|n| {
                level = ((n / 5000) % 7) as f64 / 7.0;
                uniform(&mut random) * level
            })
            .collect()
    };
    (0..channels).map(&mut channel).collect()
}

fn bits(m: &Measured) -> Vec<u64> {
    let curves = [
        &m.curves.momentary,
        &m.curves.short_term,
        &m.curves.integrated,
        &m.curves.true_peak,
    ];
    let loudness =
        [m.momentary_max, m.short_term_max].map(|l| l.map(|l| (l.level.0.to_bits(), l.at.0)));
    let peak = m
        .true_peak
        .map(|p| (p.level.0.to_bits(), p.at.0, p.channel as u64));
    let mut all: Vec<u64> = loudness
        .into_iter()
        .flatten()
        .flat_map(|(l, at)| [l, at])
        .collect();
    all.extend(peak.into_iter().flat_map(|(l, at, ch)| [l, at, ch]));
    all.extend(
        [m.integrated.map(|l| l.0), m.range]
            .into_iter()
            .flatten()
            .map(f64::to_bits),
    );
    all.extend(curves.into_iter().flatten().map(|v| u64::from(v.to_bits())));
    all
}

#[test]
fn any_block_size_gives_the_same_bits() {
    for (rate, layout) in [
        (48_000, Layout::Stereo),
        (44_100, Layout::Mono),
        (44_056, Layout::Surround51),
    ] {
        let channels = noise(layout.channels(), 5 * rate as usize + 17);
        let whole = measured(spec(rate, layout), &channels, 1 << 20);
        assert!(whole.short_term_max.is_some() && whole.range.is_some());
        for block in [1, 64, 441, 4096, 65_536] {
            let other = measured(spec(rate, layout), &channels, block);
            assert_eq!(bits(&whole), bits(&other), "{block} frames at {rate} Hz");
            assert_eq!(whole.gating, other.gating);
        }
    }
}

#[test]
fn samples_that_are_no_numbers_harm_10_ms() {
    let mut channels = noise(2, 480_000);
    let good = measured(spec(48_000, Layout::Stereo), &channels, 4096);
    (
        channels[0][100_000],
        channels[1][100_001],
        channels[0][200_000],
    ) = (f64::NAN, f64::INFINITY, 1e200);
    let odd = measured(spec(48_000, Layout::Stereo), &channels, 4096);
    let (good, odd) = (good.integrated.unwrap().0, odd.integrated.unwrap().0);
    assert!((good - odd).abs() < 0.05, "{good} and {odd}");
}

#[test]
fn silence_after_sound_is_not_slow_and_is_silent() {
    // An hour of silence after a click: filters that never come to rest would take minutes.
    let clock = std::time::Instant::now();
    let mut channels = vec![vec![0.0; 48_000 * 600]];
    channels[0][0] = 1.0;
    let m = measured(spec(48_000, Layout::Mono), &channels, 16_384);
    assert_eq!(m.curves.momentary.last(), Some(&f32::NEG_INFINITY));
    assert!(clock.elapsed().as_secs() < 60, "{:?}", clock.elapsed());
}
