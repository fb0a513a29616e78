//! Timecode and audio frames: both ways, over a whole day, at every frame rate and any sample rate.

use proptest::prelude::*;
use soundtrack::{FrameRate, Frames, SampleRate, Timecode};

fn frame_rate() -> impl Strategy<Value = FrameRate> {
    proptest::sample::select(FrameRate::ALL.to_vec())
}

fn sample_rate() -> impl Strategy<Value = SampleRate> {
    let usual = proptest::sample::select(vec![44_100, 48_000, 88_200, 96_000, 192_000]);
    prop_oneof![usual, 8_000..=768_000u32].prop_map(|hz| SampleRate::new(hz).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// A label's audio frame shows that label again, and the one before it the label before.
    #[test]
    fn labels_there_and_back(rate in frame_rate(), audio in sample_rate(), day in 0.0..1.0f64) {
        let number = (day * rate.day() as f64) as u64;
        let label = Timecode::of_number(number, rate);
        prop_assert_eq!(Timecode::parse(&label.to_string(), rate).unwrap(), label);
        let at = label.frames(audio);
        prop_assert_eq!(Timecode::seen_at(at, audio, rate), (label, Frames(0)));
        if at > Frames(0) {
            let (before, after) = Timecode::seen_at(at - Frames(1), audio, rate);
            prop_assert_eq!(before, label.previous());
            prop_assert_eq!(before.frames(audio) + after, at - Frames(1));
        }
    }

    /// The nearest audio frame, halves up, in whole numbers.
    #[test]
    fn positions_are_the_exact_fraction_rounded_once(rate in frame_rate(), audio in sample_rate(), day in 0.0..1.0f64) {
        let label = Timecode::of_number((day * rate.day() as f64) as u64, rate);
        let (num, den) = (u128::from(rate.numerator()), u128::from(rate.denominator()));
        let exact = u128::from(label.number()) * den * u128::from(audio.hz());
        let at = u128::from(label.frames(audio).0);
        prop_assert!(at * num * 2 <= exact * 2 + num && exact * 2 < at * num * 2 + num);
        let error = label.rounding(audio);
        prop_assert!(error > -0.5 && error <= 0.5);
        prop_assert_eq!(error == 0.0, at * num == exact);
        prop_assert!(((at * num) as f64 - exact as f64 - error * num as f64).abs() < 1.0);
    }

    /// Every audio frame of a day belongs to one picture frame.
    #[test]
    fn every_audio_frame_is_seen(rate in frame_rate(), audio in sample_rate(), day in 0.0..1.0f64) {
        let end = rate.frames(rate.day(), audio);
        let at = Frames((day * end.0 as f64) as u64).min(end - Frames(1));
        let (label, after) = Timecode::seen_at(at, audio, rate);
        prop_assert_eq!(label.frames(audio) + after, at);
        let next = rate.frames(label.number() + 1, audio);
        prop_assert!(at < next);
    }
}

#[test]
fn frames_per_picture_frame_are_those_of_the_table() {
    // Ten thousand picture frames, so that every fraction of the table is a whole number of audio frames.
    let table: [(&str, [u64; 5]); 13] = [
        (
            "23.976",
            [18_393_375, 20_020_000, 36_786_750, 40_040_000, 80_080_000],
        ),
        (
            "24",
            [18_375_000, 20_000_000, 36_750_000, 40_000_000, 80_000_000],
        ),
        (
            "25",
            [17_640_000, 19_200_000, 35_280_000, 38_400_000, 76_800_000],
        ),
        (
            "29.97",
            [14_714_700, 16_016_000, 29_429_400, 32_032_000, 64_064_000],
        ),
        (
            "30",
            [14_700_000, 16_000_000, 29_400_000, 32_000_000, 64_000_000],
        ),
        (
            "47.952",
            [9_196_688, 10_010_000, 18_393_375, 20_020_000, 40_040_000],
        ),
        (
            "48",
            [9_187_500, 10_000_000, 18_375_000, 20_000_000, 40_000_000],
        ),
        (
            "50",
            [8_820_000, 9_600_000, 17_640_000, 19_200_000, 38_400_000],
        ),
        (
            "59.94",
            [7_357_350, 8_008_000, 14_714_700, 16_016_000, 32_032_000],
        ),
        (
            "60",
            [7_350_000, 8_000_000, 14_700_000, 16_000_000, 32_000_000],
        ),
        (
            "100",
            [4_410_000, 4_800_000, 8_820_000, 9_600_000, 19_200_000],
        ),
        (
            "119.88",
            [3_678_675, 4_004_000, 7_357_350, 8_008_000, 16_016_000],
        ),
        (
            "120",
            [3_675_000, 4_000_000, 7_350_000, 8_000_000, 16_000_000],
        ),
    ];
    for (name, want) in table {
        let rate: FrameRate = name.parse().unwrap();
        let got = [44_100, 48_000, 88_200, 96_000, 192_000]
            .map(|hz| rate.frames(10_000, SampleRate::new(hz).unwrap()).0);
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn rounding_is_told() {
    let label = |n| Timecode::of_number(n, FrameRate::FPS_29_97);
    // 8008/5 frames: 1601.6, 3203.2, 4804.8, 6406.4, 8008.
    let told: Vec<f64> = (0..6)
        .map(|n| label(n).rounding(SampleRate::HZ_48000))
        .collect();
    for (got, want) in told.iter().zip([0.0, 0.4, -0.2, 0.2, -0.4, 0.0]) {
        assert!((got - want).abs() < 1e-12, "{told:?}");
    }
    assert_eq!((told[0], told[5]), (0.0, 0.0));
}
