//! The minimum requirements of EBU Tech 3341 and 3342 that can be synthesised.
//!
//! Cases 7 and 8 of Tech 3341 and 5 and 6 of Tech 3342 are recordings, and not here. True peak: the file beside.

use soundtrack::{Layout, measure::Meter};
use soundtrack_test_support::signals::{Tone, stereo};

const RATES: [u32; 6] = [44_100, 48_000, 88_200, 96_000, 192_000, 44_056];

/// One row of the table: what was read at each rate; fails beyond a tolerance.
fn row(name: &str, want: f64, tolerance: f64, read: impl Fn(u32) -> f64 + Sync) {
    let read = std::thread::scope(|s| {
        let threads = RATES.map(|rate| {
            (
                rate,
                s.spawn({
                    let read = &read;
                    move || read(rate)
                }),
            )
        });
        threads.map(|(rate, thread)| (rate, thread.join().unwrap()))
    });
    let cells: Vec<String> = read.iter().map(|(_, got)| format!("{got:9.3}")).collect();
    println!("{name:34} {want:6.1} ±{tolerance:.1} {}", cells.join(""));
    for (rate, got) in read {
        assert!(
            (got - want).abs() <= tolerance,
            "{name} at {rate} Hz: {got:.3}, expected {want}"
        );
    }
}

/// The value farthest from `want`.
fn farthest(values: impl IntoIterator<Item = f64>, want: f64) -> f64 {
    values
        .into_iter()
        .max_by(|a, b| (a - want).abs().total_cmp(&(b - want).abs()))
        .unwrap()
}

fn integrated(segments: &[(f64, f64)]) -> impl Fn(u32) -> f64 + Sync {
    move |rate| stereo(rate, segments).integrated.unwrap().0
}

#[test]
fn tech_3341_loudness() {
    let head: String = RATES.iter().map(|r| format!("{r:9}")).collect();
    println!("{:34} {:6} {:4} {head}", "EBU Tech 3341", "LUFS", "");
    for (case, level) in [(1, -23.0), (2, -33.0)] {
        row(
            &format!("{case} M, S and I of a steady tone"),
            level,
            0.1,
            |rate| {
                let m = stereo(rate, &[(20.0, level)]);
                let all = [
                    m.integrated,
                    m.momentary_max.map(|m| m.level),
                    m.short_term_max.map(|m| m.level),
                ];
                farthest(all.map(|l| l.unwrap().0), level)
            },
        );
    }
    row(
        "3 I, soft ends",
        -23.0,
        0.1,
        integrated(&[(10.0, -36.0), (60.0, -23.0), (10.0, -36.0)]),
    );
    let five = [
        (10.0, -72.0),
        (10.0, -36.0),
        (60.0, -23.0),
        (10.0, -36.0),
        (10.0, -72.0),
    ];
    row("4 I, very soft ends", -23.0, 0.1, integrated(&five));
    row(
        "5 I, a loud middle",
        -23.0,
        0.1,
        integrated(&[(20.0, -26.0), (20.1, -20.0), (20.0, -26.0)]),
    );
    row("6 I, 5.0", -23.0, 0.1, |rate| {
        let mut tone = Tone::new(rate, Layout::Surround50);
        let mut meter = Meter::new(tone.spec);
        tone.feed(&mut meter, 20.0, &[-28.0, -28.0, -24.0, -30.0, -30.0]);
        meter.finish().integrated.unwrap().0
    });
    row("9 S from 3 s on", -23.0, 0.1, |rate| {
        let curves = stereo(rate, &[(1.34, -20.0), (1.66, -30.0)].repeat(5)).curves;
        farthest(curves.short_term[29..].iter().map(|s| f64::from(*s)), -23.0)
    });
    row("10 max S, the worst of 20 files", -23.0, 0.1, |rate| {
        let file = |i| {
            stereo(
                rate,
                &[
                    (0.15 * f64::from(i), f64::NEG_INFINITY),
                    (3.0, -23.0),
                    (1.0, f64::NEG_INFINITY),
                ],
            )
        };
        farthest(
            (0..20).map(|i| file(i).short_term_max.unwrap().level.0),
            -23.0,
        )
    });
    row("11 max S while it runs, less -38 + i", 0.0, 0.1, |rate| {
        let mut tone = Tone::new(rate, Layout::Stereo);
        let mut meter = Meter::new(tone.spec);
        let group = |i| {
            tone.feed(&mut meter, 0.15 * f64::from(i), &[f64::NEG_INFINITY; 2]);
            tone.feed(&mut meter, 3.0, &[f64::from(i) - 38.0; 2]);
            tone.feed(
                &mut meter,
                3.0 - 0.15 * f64::from(i),
                &[f64::NEG_INFINITY; 2],
            );
            meter.loudness().short_term_max().unwrap().0.0 - (f64::from(i) - 38.0)
        };
        farthest((0..20).map(group).collect::<Vec<_>>(), 0.0)
    });
    row("12 M from 1 s on", -23.0, 0.1, |rate| {
        let curves = stereo(rate, &[(0.18, -20.0), (0.22, -30.0)].repeat(25)).curves;
        farthest(curves.momentary[9..].iter().map(|m| f64::from(*m)), -23.0)
    });
    row("13 max M, the worst of 20 files", -23.0, 0.1, |rate| {
        let file = |i| {
            stereo(
                rate,
                &[
                    (0.02 * f64::from(i), f64::NEG_INFINITY),
                    (0.4, -23.0),
                    (1.0, f64::NEG_INFINITY),
                ],
            )
        };
        farthest(
            (0..20).map(|i| file(i).momentary_max.unwrap().level.0),
            -23.0,
        )
    });
    row("14 max M while it runs, less -38 + i", 0.0, 0.1, |rate| {
        let mut tone = Tone::new(rate, Layout::Stereo);
        let mut meter = Meter::new(tone.spec);
        let group = |i| {
            tone.feed(&mut meter, 0.02 * f64::from(i), &[f64::NEG_INFINITY; 2]);
            tone.feed(&mut meter, 0.4, &[f64::from(i) - 38.0; 2]);
            tone.feed(
                &mut meter,
                0.4 - 0.02 * f64::from(i),
                &[f64::NEG_INFINITY; 2],
            );
            meter.loudness().momentary_max().unwrap().0.0 - (f64::from(i) - 38.0)
        };
        farthest((0..20).map(group).collect::<Vec<_>>(), 0.0)
    });
}

#[test]
fn tech_3342_range() {
    let head: String = RATES.iter().map(|r| format!("{r:9}")).collect();
    println!("{:34} {:6} {:4} {head}", "EBU Tech 3342", "LU", "");
    let cases: [(&str, &[f64], f64); 4] = [
        ("1 two tones", &[-20.0, -30.0], 10.0),
        ("2 two tones", &[-20.0, -15.0], 5.0),
        ("3 two tones", &[-40.0, -20.0], 20.0),
        ("4 five tones", &[-50.0, -35.0, -20.0, -35.0, -50.0], 15.0),
    ];
    for (name, levels, want) in cases {
        let once: Vec<(f64, f64)> = levels.iter().map(|l| (20.0, *l)).collect();
        row(name, want, 1.0, |rate| stereo(rate, &once).range.unwrap());
        row(&format!("{name}, twice"), want, 1.0, |rate| {
            stereo(rate, &once.repeat(2)).range.unwrap()
        });
    }
}

#[test]
fn channels_weigh_what_the_standard_says() {
    // One tone in one channel after the other: L R C LFE Lb Rb Ls Rs.
    let read = |layout: Layout, ch: usize| {
        let mut tone = Tone::new(48_000, layout);
        let mut meter = Meter::new(tone.spec);
        let mut levels = vec![f64::NEG_INFINITY; layout.channels()];
        levels[ch] = -20.0;
        tone.feed(&mut meter, 5.0, &levels);
        meter
            .finish()
            .integrated
            .map(|l| (l.0 * 1000.0).round() / 1000.0)
    };
    let (one, more) = (Some(-23.004), Some(-21.511));
    let seven: Vec<_> = (0..8).map(|ch| read(Layout::Surround71, ch)).collect();
    assert_eq!(seven, [one, one, one, None, one, one, more, more]);
    let five: Vec<_> = (0..6).map(|ch| read(Layout::Surround51, ch)).collect();
    assert_eq!(five, [one, one, one, None, more, more]);
    assert_eq!(read(Layout::Mono, 0), one);
    // The side variant of 5.1 is the same layout.
    assert_eq!(Layout::from_mask(6, 0x60F), Layout::Surround51);
}

#[test]
fn what_is_not_defined_is_not_told() {
    let soft = stereo(48_000, &[(5.0, -72.0)]);
    assert_eq!((soft.integrated, soft.range), (None, None));
    let short = stereo(48_000, &[(0.39, -20.0)]);
    assert_eq!(
        (short.integrated, short.momentary_max, short.range),
        (None, None, None)
    );
    let under_3_s = stereo(48_000, &[(2.99, -20.0)]);
    assert!(
        under_3_s.integrated.is_some()
            && under_3_s.short_term_max.is_none()
            && under_3_s.range.is_none()
    );
    let silent = stereo(48_000, &[(5.0, f64::NEG_INFINITY)]);
    assert_eq!(
        (silent.integrated, silent.momentary_max, silent.true_peak),
        (None, None, None)
    );
    assert_eq!(stereo(7999, &[(5.0, -20.0)]).integrated, None);
    assert!(stereo(8000, &[(5.0, -20.0)]).integrated.is_some());
}
