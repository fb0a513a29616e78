//! Timecode and audio frames: both ways, over a whole day, at every frame rate and any sample rate.

use proptest::prelude::*;
use soundtrack::{FrameRate, Frames, SampleRate, Timecode};
use std::thread;

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

/// A frame rate by its name: frames in a number of seconds, labels in a second, and labels that are left out at the start of
/// each minute but every tenth (SMPTE ST 12-1 and ST 12-3).
const COUNTED: [(&str, u64, u64, u32, u32); 18] = [
    ("23.976", 24_000, 1001, 24, 0),
    ("24", 24, 1, 24, 0),
    ("25", 25, 1, 25, 0),
    ("29.97", 30_000, 1001, 30, 0),
    ("29.97df", 30_000, 1001, 30, 2),
    ("30", 30, 1, 30, 0),
    ("30df", 30, 1, 30, 2),
    ("47.952", 48_000, 1001, 48, 0),
    ("48", 48, 1, 48, 0),
    ("50", 50, 1, 50, 0),
    ("59.94", 60_000, 1001, 60, 0),
    ("59.94df", 60_000, 1001, 60, 4),
    ("60", 60, 1, 60, 0),
    ("60df", 60, 1, 60, 4),
    ("100", 100, 1, 100, 0),
    ("119.88", 120_000, 1001, 120, 0),
    ("119.88df", 120_000, 1001, 120, 8),
    ("120", 120, 1, 120, 0),
];

/// Counts through the labels of a day as a clock does: goes up by one, carries, and leaves labels out. Compares each label and
/// its audio frame, which is counted up with it, with what the crate computes.
fn a_day_label_by_label((name, num, den, fps, dropped): (&str, u64, u64, u32, u32)) {
    let rate: FrameRate = name.parse().unwrap();
    let audio = SampleRate::HZ_44100;
    let (mut number, mut label) = (0u64, [0u32; 4]);
    // Twice the exact position, in parts of `num`: its whole number, and what is left over.
    let (step, half) = (2 * den * u64::from(audio.hz()), num);
    let (mut at, mut rest) = (0u64, half);
    loop {
        let [h, m, s, f] = label;
        let counted = Timecode::of_number(number, rate);
        assert!(counted.parts() == label.map(u64::from), "{name}: {number}");
        let stated = Timecode::new(h, m, s, f, rate);
        assert!(
            stated.map(Timecode::number) == Ok(number),
            "{name}: {label:?}"
        );
        // A position is a product and a quotient; every eleventh has every remainder.
        if number.is_multiple_of(11) {
            assert_eq!(counted.frames(audio), Frames(at), "{name}: {label:?}");
        }

        number += 1;
        rest += step;
        (at, rest) = (at + rest / (2 * num), rest % (2 * num));
        label[3] += 1;
        for (part, most) in [(3, fps), (2, 60), (1, 60)] {
            if label[part] == most {
                label[part] = 0;
                label[part - 1] += 1;
            }
        }
        let [_, m, s, f] = label;
        if s == 0 && f == 0 && m % 10 != 0 {
            for f in 0..dropped {
                let left_out = Timecode::new(label[0], m, 0, f, rate);
                assert!(left_out.is_err(), "{name}: {label:?} {f}");
            }
            label[3] = dropped;
        }
        if label[0] == 24 {
            break;
        }
    }
    assert_eq!(number, rate.day(), "{name}");
    // The frame after the last is the first of the next day.
    assert_eq!(Timecode::of_number(number, rate).parts(), [0; 4], "{name}");
}

#[test]
fn every_label_of_a_day_is_the_one_that_counting_arrives_at() {
    let names = COUNTED.map(|counted| counted.0.parse::<FrameRate>().unwrap());
    assert_eq!(names, FrameRate::ALL);
    thread::scope(|scope| {
        for half in 0..2 {
            let days = COUNTED.into_iter().skip(half).step_by(2);
            scope.spawn(move || days.for_each(a_day_label_by_label));
        }
    });
}

#[test]
fn labels_of_an_hour_are_read_as_they_are_written() {
    for (name, _, _, fps, dropped) in COUNTED {
        let rate: FrameRate = name.parse().unwrap();
        let separator = if dropped > 0 { ';' } else { ':' };
        let mut number = Timecode::new(10, 0, 0, 0, rate).unwrap().number();
        for (m, s) in (0..60).flat_map(|m| (0..60).map(move |s| (m, s))) {
            let left_out = if s == 0 && m % 10 != 0 { dropped } else { 0 };
            for f in left_out..fps {
                let text = format!("10:{m:02}:{s:02}{separator}{f:02}");
                let label = Timecode::of_number(number, rate);
                assert_eq!(label.to_string(), text, "{name}");
                assert_eq!(
                    Timecode::parse(&text, rate).ok(),
                    Some(label),
                    "{name}: {text}"
                );
                number += 1;
            }
        }
        assert_eq!(number, Timecode::new(11, 0, 0, 0, rate).unwrap().number());
    }
}
