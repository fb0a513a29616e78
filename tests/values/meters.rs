//! Meters: silence that is skipped, and the true peak of each tenth of a second.

use crate::{
    album::{near, tone},
    stems::RATE,
};
use soundtrack::{
    Block, Frames, Layout, Spec,
    measure::{Loudness, Measured, Meter, TruePeak},
};

const MONO: Spec = Spec {
    rate: RATE,
    layout: Layout::Mono,
};

fn block(samples: &[f64]) -> Block {
    let mut block = Block::new(Layout::Mono, samples.len());
    block.set_frames(samples.len());
    block.channel_mut(0).copy_from_slice(samples);
    block
}

#[test]
fn silence_that_is_skipped_measures_as_silence_that_is_fed() {
    let measured = |pause: &dyn Fn(&mut Meter)| -> Measured {
        let mut meter = Meter::new(MONO);
        meter.feed(&block(&tone(0.25, 24_000)));
        pause(&mut meter);
        meter.feed(&block(&tone(0.5, 24_000)));
        meter.finish()
    };
    let fed = measured(&|meter| meter.feed(&block(&[0.0; 10_000])));
    assert_eq!(fed.frames, Frames(58_000));
    assert_eq!(measured(&|meter| meter.skip(10_000)), fed);
    assert_eq!(measured(&|meter| meter.skip(0)).frames, Frames(48_000));
}

#[test]
fn loudness_is_that_of_the_sound_at_any_rate() {
    // A sine of 997 Hz at −20 dBFS in one channel is −23.01 LUFS, by the definition of the unit.
    for rate in [32_000, 44_100, 48_000, 96_000, 192_000] {
        let spec = Spec {
            rate: crate::stems::rate(rate),
            layout: Layout::Mono,
        };
        let sine =
            |n: u32| 0.1 * (std::f64::consts::TAU * 997.0 * f64::from(n) / f64::from(rate)).sin();
        let mut meter = Meter::new(spec);
        meter.feed(&block(&(0..rate).map(sine).collect::<Vec<_>>()));
        let loudness = meter.finish().integrated.unwrap();
        assert!((loudness.0 + 23.01).abs() < 0.02, "{rate} Hz: {loudness}");
    }
}

#[test]
fn a_curve_has_the_true_peak_of_each_tenth_of_a_second_and_of_the_rest() {
    // A crest in each tenth but the second, well away from its ends.
    let mut samples = vec![0.0; 16_800];
    for (at, value) in [(2_400, 0.25), (12_000, -0.5), (16_000, 0.125)] {
        samples[at] = value;
    }
    let mut meter = Meter::new(MONO);
    meter.feed(&block(&samples));
    let measured = meter.finish();
    assert_eq!(measured.curves.step_s, 0.1);
    let curve = measured.curves.true_peak;
    assert_eq!((curve.len(), curve[1]), (4, f32::NEG_INFINITY));
    for (level, value) in [curve[0], curve[2], curve[3]]
        .into_iter()
        .zip([0.25, 0.5, 0.125f64])
    {
        near(level.into(), 20.0 * value.log10());
    }
    let peak = measured.true_peak.unwrap();
    assert_eq!((peak.at, peak.channel), (Frames(12_000), 0));
    // Without the last run of 512 frames and its margin nothing is known of it.
    let mut meter = TruePeak::new(MONO);
    meter.feed(&block(&samples[..12_001]));
    near(meter.peak().unwrap().0.0, 20.0 * 0.25f64.log10());
    meter.finish();
    near(meter.peak().unwrap().0.0, 20.0 * 0.5f64.log10());
    meter.feed(&block(&[1.0; 1000]));
    near(meter.peak().unwrap().0.0, 20.0 * 0.5f64.log10());
}

#[test]
fn the_range_takes_in_a_second_and_a_half_of_silence_after_the_end() {
    let mut meter = Loudness::new(MONO);
    meter.feed(&block(&tone(0.25, 147_360)));
    assert_eq!(meter.range(), Some(0.0));
    meter.finish();
    // 3.07 s of a tone, in 16 windows that end at 3.0 to 4.5 s and hold 3.0, 2.97, 2.87, … 1.77, 1.67, 1.57 s of it. The
    // 95th percentile is the second of these, the 10th the last but two.
    near(meter.range().unwrap(), 10.0 * f64::log10(2.97 / 1.77));
}

#[test]
fn silence_has_no_loudness() {
    let mut meter = Loudness::new(MONO);
    meter.feed(&block(&[0.0; 144_000]));
    assert_eq!((meter.momentary(), meter.short_term()), (None, None));
    assert_eq!(
        (meter.momentary_max(), meter.short_term_max()),
        (None, None)
    );
}
