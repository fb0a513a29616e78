//! Targets: both sides of every tolerance and ceiling, and the gain that meets them.

use soundtrack::{
    Block, Dbtp, Decibels, Layout, Lufs, Spec,
    measure::{Fit, Gating, Loudness, LoudnessTarget},
};
use std::f64::consts::TAU;

#[test]
fn a_programme_passes_up_to_the_tolerance_and_the_ceiling_on_either_side() {
    // Name, target, tolerance, ceiling, ceiling of what is louder.
    let table: [(&str, f64, Option<f64>, f64, f64); 6] = [
        ("ebu-r128", -23.0, Some(0.2), -1.0, -1.0),
        ("atsc-a85", -24.0, Some(2.0), -2.0, -2.0),
        ("netflix", -27.0, Some(2.0), -2.0, -2.0),
        ("spotify", -14.0, None, -1.0, -2.0),
        ("apple", -16.0, None, -1.0, -1.0),
        ("youtube", -14.0, None, -1.0, -1.0),
    ];
    assert!(LoudnessTarget::names().eq(table.iter().map(|row| row.0)));
    for (name, is, tolerance, ceiling, louder) in table {
        let target: LoudnessTarget = name.parse().unwrap();
        let judge = |lufs, peak| target.judge(Some(Lufs(lufs)), Some(Dbtp(peak)));
        if let Some(tolerance) = tolerance {
            for side in [-1.0, 1.0] {
                for (off, passed) in [(0.0, true), (tolerance, true), (tolerance + 1e-4, false)] {
                    let verdict = judge(is + side * off, -60.0);
                    assert_eq!(
                        (verdict.loudness_passed, verdict.passed()),
                        (Some(passed), passed),
                        "{name} {side} {off}"
                    );
                    assert!((verdict.off_lu.unwrap() - side * off).abs() < 1e-12);
                }
            }
        } else {
            assert_eq!(
                [judge(is - 40.0, -60.0), judge(is + 13.0, -60.0)]
                    .map(|v| (v.loudness_passed, v.passed())),
                [(None, true); 2]
            );
        }
        // At its loudness and 0.049 LU above, the ceiling; from 0.051 LU above, the other one.
        for (off, ceiling) in [
            (-5.0, ceiling),
            (0.0, ceiling),
            (0.049, ceiling),
            (0.051, louder),
        ] {
            for (peak, passed) in [
                (ceiling, true),
                (ceiling + 1e-4, false),
                (ceiling - 1.0, true),
            ] {
                let verdict = judge(is + off, peak);
                assert_eq!(
                    (verdict.true_peak_passed, verdict.ceiling_dbtp),
                    (passed, Some(ceiling)),
                    "{name} {off} {peak}"
                );
                assert_eq!(
                    verdict.passed(),
                    passed && verdict.loudness_passed != Some(false),
                    "{name} {off} {peak}"
                );
            }
        }
        let silent = target.judge(None, None);
        assert_eq!(
            (
                silent.off_lu,
                silent.loudness_passed,
                silent.true_peak_passed
            ),
            (None, tolerance.map(|_| false), true)
        );
        // What has no loudness is not louder than the target.
        assert_eq!(silent.ceiling_dbtp, Some(ceiling), "{name}");
        let clicks = target.judge(None, Some(Dbtp(ceiling)));
        assert_eq!(
            (clicks.true_peak_passed, clicks.passed()),
            (true, tolerance.is_none()),
            "{name}"
        );
    }
}

#[test]
fn the_gain_of_a_target_is_the_lower_of_loudness_and_ceiling() {
    let target = LoudnessTarget::new(Lufs(-16.0))
        .tolerance(1.0)
        .true_peak(Dbtp(-1.0));
    let values = |fit: Option<Fit>| fit.map(|fit| (fit.gain, fit.short_by));
    let fit = |is, peak| values(target.fit(Some(Lufs(is)), Some(Dbtp(peak))));
    assert_eq!(fit(-20.0, -5.0), Some((Decibels(4.0), 0.0)));
    assert_eq!(fit(-20.0, -4.5), Some((Decibels(3.5), 0.5)));
    assert_eq!(fit(-10.0, -8.0), Some((Decibels(-6.0), 0.0)));
    assert_eq!(fit(-17.0, 0.5), Some((Decibels(-1.5), 2.5)));
    // Without loudness a programme is only lowered to the ceiling; silence has no gain.
    assert_eq!(
        values(target.fit(None, Some(Dbtp(-1.0)))),
        Some((Decibels(0.0), 0.0))
    );
    assert_eq!(
        values(target.fit(None, Some(Dbtp(0.5)))),
        Some((Decibels(-1.5), 0.0))
    );
    assert_eq!(target.fit(None, None), None);
}

/// The gating of a tone of 997 Hz in mono, of a loudness in LUFS.
fn tone(lufs: f64, seconds: u32) -> Gating {
    let spec = Spec {
        rate: crate::stems::RATE,
        layout: Layout::Mono,
    };
    let mut meter = Loudness::new(spec);
    let amplitude = 10f64.powf((lufs + 3.01) / 20.0);
    let mut block = Block::new(Layout::Mono, 48_000);
    block.set_frames(48_000);
    block
        .channel_mut(0)
        .iter_mut()
        .zip(0..)
        .for_each(|(s, n)| *s = amplitude * (TAU * 997.0 * f64::from(n) / 48_000.0).sin());
    (0..seconds).for_each(|_| meter.feed(&block));
    meter.gating().clone()
}

#[test]
fn the_gates_of_loudness_stand_at_minus_70_and_10_lu_below_the_mean() {
    let near = |got: f64, want: f64| assert!((got - want).abs() < 0.01, "{got} for {want}");
    near(tone(-69.9, 2).integrated().unwrap().0, -69.9);
    assert_eq!(tone(-70.1, 2).integrated(), None);
    let both = |apart: f64| {
        Gating::pooled([&tone(-20.0, 2), &tone(-20.0 - apart, 2)])
            .integrated()
            .unwrap()
            .0
    };
    // The mean of both lies 10 log10((1 + 10^(−apart/10)) / 2) below the louder: the gate meets the softer at 12.79 LU.
    near(
        both(12.7),
        -20.0 + 10.0 * ((1.0 + 10f64.powf(-1.27)) / 2.0).log10(),
    );
    near(both(12.9), -20.0);
}

#[test]
fn the_gates_of_range_stand_at_minus_70_and_20_lu_below_the_mean() {
    let near = |got: f64, want: f64| assert!((got - want).abs() < 0.02, "{got} for {want}");
    near(tone(-69.9, 4).range().unwrap(), 0.0);
    assert_eq!(tone(-70.1, 4).range(), None);
    // From the 10th to the 95th percentile of as many loud as soft values, until the gate takes the soft ones: 22.99 LU.
    let both = |apart: f64| {
        Gating::pooled([&tone(-20.0, 4), &tone(-20.0 - apart, 4)])
            .range()
            .unwrap()
    };
    near(both(22.9), 22.9);
    near(both(23.1), 0.0);
}

#[test]
fn range_goes_from_the_10th_to_the_95th_of_a_hundred_values() {
    // 20 levels of 4 s, 1 LU apart: 11 short-term values of each. In rising order the 10th percentile is value 22, the
    // first of the third level from below, and the 95th is value 208, the last of the second from above.
    let spec = Spec {
        rate: crate::stems::rate(8000),
        layout: Layout::Mono,
    };
    let level = |lu: u32| {
        let mut meter = Loudness::new(spec);
        let mut block = Block::new(Layout::Mono, 8000);
        block.set_frames(8000);
        let amplitude = 0.5 * 10f64.powf(-f64::from(lu) / 20.0);
        block
            .channel_mut(0)
            .iter_mut()
            .zip(0..)
            .for_each(|(s, n)| *s = amplitude * (TAU * 1000.0 * f64::from(n) / 8000.0).sin());
        (0..4).for_each(|_| meter.feed(&block));
        meter.gating().clone()
    };
    let all: Vec<Gating> = (0..20).map(level).collect();
    let range = Gating::pooled(&all).range().unwrap();
    assert!((range - 16.0).abs() < 0.01, "{range}");
}
