//! Levels, frame rates and labels, as the standards and the documentation define them.

use crate::stems::rate;
use soundtrack::{Dbfs, Dbtp, Decibels, FrameRate, Frames, Gain, Lufs, Pan, SampleRate, Timecode};
use std::time::Duration;

fn near(got: f64, want: f64) {
    assert!(
        (got - want).abs() <= 1e-14 * want.abs().max(1.0),
        "{got} for {want}"
    );
}

#[test]
fn levels_and_factors_are_20_log_10_and_10_log_10() {
    for (decibels, factor) in [
        (1.0, 1.122_018_454_301_963_3),
        (-1.0, 0.891_250_938_133_745_5),
        (2.0, 1.258_925_411_794_167_3),
        (-3.0, 0.707_945_784_384_137_9),
        (-20.0, 0.1),
        (20.0, 10.0),
        (-60.0, 0.001),
        (40.0, 100.0),
    ] {
        near(Decibels(decibels).gain().0, factor);
        near(Dbtp(decibels).value(), factor);
        near(Dbfs::from_amplitude(factor).0, decibels);
        near(Dbtp::from_amplitude(factor).0, decibels);
    }
    assert_eq!(
        (
            Decibels(0.0).gain(),
            Decibels(-0.0).gain(),
            Decibels::SILENCE.gain()
        ),
        (Gain(1.0), Gain(1.0), Gain(0.0))
    );
    // −0.691 + 10 log10 of the power.
    for (lufs, power) in [
        (-0.691, 1.0),
        (-10.691, 0.1),
        (9.309, 10.0),
        (-3.701_299_956_639_812, 0.5),
    ] {
        near(Lufs::of_power(power).0, lufs);
        near(Lufs(lufs).power(), power);
    }
}

#[test]
fn pan_is_printed_in_percent_of_its_side() {
    let printed = [-1.0, -0.3, -0.01, 0.0, 0.004, 0.25, 1.0].map(|p| Pan(p).to_string());
    assert_eq!(printed, ["L100", "L30", "L1", "C", "R0", "R25", "R100"]);
    // To the nearest percent, on both sides alike.
    assert_eq!(
        [-0.299, -0.126, 0.299, 0.126].map(|p| Pan(p).to_string()),
        ["L30", "L13", "R30", "R13"]
    );
    assert_eq!(
        ["L30", "C", "R100", "-0.25", "L0.5"].map(|text| text.parse::<Pan>().unwrap()),
        [-0.3, 0.0, 1.0, -0.25, -0.005].map(Pan)
    );
}

#[test]
fn a_level_may_have_its_unit_and_spaces_around_it() {
    for text in ["-3", "-3dB", "-3 dB", "-3\tdB", " -3.0 dB ", "-3e0"] {
        assert_eq!(text.parse::<Decibels>(), Ok(Decibels(-3.0)), "{text:?}");
    }
    assert_eq!("-inf dB".parse::<Decibels>(), Ok(Decibels::SILENCE));
    assert!(
        ["3 db", "3 d B", "inf dB"]
            .iter()
            .all(|text| text.parse::<Decibels>().is_err())
    );
}

#[test]
fn a_time_has_up_to_12_digits_before_its_point_and_9_after_it() {
    let parse = |text: &str| Frames::parse(text, rate(1)).ok();
    assert_eq!(parse("999999999999s"), Some(Frames(999_999_999_999)));
    assert_eq!(
        (parse("1000000000000s"), parse("0000000000001s")),
        (None, None)
    );
    assert_eq!(
        (
            parse("1.500000000s"),
            parse("1.499999999s"),
            parse("1.5000000000s")
        ),
        (Some(Frames(2)), Some(Frames(1)), None)
    );
}

#[test]
fn nanoseconds_and_frames_convert_to_the_last_digit() {
    let hz = rate(1);
    assert_eq!(
        [499_999_999, 500_000_000, 1_499_999_999, 1_500_000_000].map(|n| Frames::from_duration(
            Duration::from_nanos(n),
            hz
        )
        .0),
        [0, 1, 1, 2]
    );
    assert_eq!(
        Frames(47_999).to_duration(SampleRate::HZ_48000),
        Duration::from_nanos(999_979_166)
    );
    assert_eq!(
        Frames(48_000 * 3600 + 1).to_duration(SampleRate::HZ_48000),
        Duration::new(3600, 20_833)
    );
    assert_eq!(
        Frames(44_099).to_duration(SampleRate::HZ_44100),
        Duration::from_nanos(999_977_324)
    );
}

/// Rate, its fraction, the labels of a second, and the picture frames of a day of labels.
const RATES: [(&str, u32, u32, u64, u64); 18] = [
    ("23.976", 24_000, 1001, 24, 2_073_600),
    ("24", 24, 1, 24, 2_073_600),
    ("25", 25, 1, 25, 2_160_000),
    ("29.97", 30_000, 1001, 30, 2_592_000),
    ("29.97df", 30_000, 1001, 30, 2_589_408),
    ("30", 30, 1, 30, 2_592_000),
    ("30df", 30, 1, 30, 2_589_408),
    ("47.952", 48_000, 1001, 48, 4_147_200),
    ("48", 48, 1, 48, 4_147_200),
    ("50", 50, 1, 50, 4_320_000),
    ("59.94", 60_000, 1001, 60, 5_184_000),
    ("59.94df", 60_000, 1001, 60, 5_178_816),
    ("60", 60, 1, 60, 5_184_000),
    ("60df", 60, 1, 60, 5_178_816),
    ("100", 100, 1, 100, 8_640_000),
    ("119.88", 120_000, 1001, 120, 10_368_000),
    ("119.88df", 120_000, 1001, 120, 10_357_632),
    ("120", 120, 1, 120, 10_368_000),
];

#[test]
fn frame_rates_have_their_fractions_labels_and_days() {
    assert_eq!(FrameRate::ALL.len(), RATES.len());
    for ((name, numerator, denominator, labels, day), known) in
        RATES.into_iter().zip(FrameRate::ALL)
    {
        let fps: FrameRate = name.parse().unwrap();
        assert_eq!((fps, fps.to_string().as_str()), (known, name));
        assert_eq!(
            (
                fps.numerator(),
                fps.denominator(),
                fps.day(),
                fps.is_drop_frame()
            ),
            (numerator, denominator, day, name.ends_with("df")),
            "{name}"
        );
        // After the last label of the day comes midnight, and before it that one.
        let mark = if fps.is_drop_frame() { ';' } else { ':' };
        let last = Timecode::of_number(day - 1, fps);
        assert_eq!(
            last.to_string(),
            format!("23:59:59{mark}{:02}", labels - 1),
            "{name}"
        );
        assert_eq!(
            (last.next(), Timecode::midnight(fps).previous()),
            (Timecode::midnight(fps), last),
            "{name}"
        );
        assert_eq!(Timecode::of_number(day, fps).number(), 0, "{name}");
        assert_eq!(
            Timecode::of_number(labels, fps).parts(),
            [0, 0, 1, 0],
            "{name}"
        );
        assert!(
            Timecode::new(0, 0, 0, u32::try_from(labels).unwrap(), fps).is_err(),
            "{name}"
        );
        // A second of labels lasts denominator · labels / numerator seconds.
        let second = 48_000 * u64::from(denominator) * labels / u64::from(numerator);
        assert_eq!(
            Timecode::of_number(labels, fps).frames(SampleRate::HZ_48000),
            Frames(second),
            "{name}"
        );
    }
    assert_eq!("23.98".parse(), Ok(FrameRate::FPS_23_976));
    assert!("23.97".parse::<FrameRate>().is_err() && "24df".parse::<FrameRate>().is_err());
}

#[test]
fn what_a_label_is_rounded_by_is_told_with_its_sign() {
    let off =
        |number, hz: u32| Timecode::of_number(number, FrameRate::FPS_29_97).rounding(rate(hz));
    // 1601.6, 3203.2, 4804.8, 6406.4 and 8008 frames of 48 kHz; 735.735 frames of 22.05 kHz.
    for (number, hz, want) in [
        (0, 48_000, 0.0),
        (1, 48_000, 0.4),
        (2, 48_000, -0.2),
        (3, 48_000, 0.2),
        (4, 48_000, -0.4),
        (5, 48_000, 0.0),
        (1, 22_050, 0.265),
    ] {
        assert!(
            (off(number, hz) - want).abs() < 1e-9,
            "{number} at {hz} Hz: {}",
            off(number, hz)
        );
    }
    let tie = Timecode::of_number(40, FrameRate::FPS_23_976);
    assert_eq!(tie.rounding(SampleRate::HZ_44100), 0.5);
}

#[test]
fn texts_that_are_no_labels_are_refused() {
    let fps = FrameRate::FPS_24;
    for text in ["01:00:00:00", " 01:00:00:00 ", "1:2:3:4", "001:02:03:04"] {
        assert!(Timecode::parse(text, fps).is_ok(), "{text}");
    }
    for text in [
        "0001:00:00:00",
        "01:00:00",
        "01:00:00:00:00",
        "01::00:00",
        "01:00:00:",
        "a1:00:00:00",
        "01:00:00;00",
        "24:00:00:00",
        "00:60:00:00",
        "00:00:60:00",
        "00:00:00:24",
    ] {
        assert!(Timecode::parse(text, fps).is_err(), "{text}");
    }
    assert!(Timecode::parse("23:59:59:23", fps).is_ok());
    assert!(Timecode::parse("00:00:00:00", FrameRate::FPS_29_97_DF).is_err());
    let like = [
        "01:00:00",
        "1:2:3:4",
        "01;00;00",
        "01:00",
        "01:00:00.0",
        "12s",
    ]
    .map(Timecode::looks_like);
    assert_eq!(like, [true, true, true, false, false, false]);
}

#[test]
fn labels_compare_by_time() {
    let at = |text: &str, fps: FrameRate| Timecode::parse(text, fps).unwrap();
    assert!(at("01:00:00:00", FrameRate::FPS_24) < at("01:00:00:01", FrameRate::FPS_24));
    assert!(at("00:00:01:00", FrameRate::FPS_23_976) > at("00:00:01:00", FrameRate::FPS_25));
    assert!(at("00:00:01:00", FrameRate::FPS_24) < at("00:00:01:01", FrameRate::FPS_25));
    let second = at("00:00:01:00", FrameRate::FPS_24);
    assert_eq!(second.partial_cmp(&second), Some(std::cmp::Ordering::Equal));
    assert_eq!(
        at("00:00:01:00", FrameRate::FPS_24).partial_cmp(&at("00:00:01:00", FrameRate::FPS_25)),
        None
    );
}

#[test]
fn a_time_that_no_frame_number_holds_is_refused() {
    let at = |text: &str| Frames::parse(text, SampleRate::HZ_48000);
    assert_eq!(
        at("100000000000h"),
        Ok(Frames(100_000_000_000 * 3_600 * 48_000))
    );
    // Above 2^64 frames; and with more digits than are read.
    for text in [
        "110000000000h",
        "999999999999h",
        "1000000000000s",
        "18446744073709551616",
    ] {
        assert!(at(text).is_err(), "{text}");
    }
    assert_eq!(at("18446744073709551615"), Ok(Frames(u64::MAX)));
}
