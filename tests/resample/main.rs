//! The resampler: exact lengths, exact positions, exact ranges, and its quality in figures.
//!
//! `cargo test --release --test resample -- --nocapture` prints the whole table.

mod quality;
mod signal;

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use signal::{Signal, blocks, mono, noise, rate, rest, same};
use soundtrack::media::{Flaw, FlawKind, Resampled};
use soundtrack::{Block, ErrorKind, Frames, Layout, Source, Spec};
use std::time::{Duration, Instant};

#[global_allocator]
static WATCHED: AllocDisabler = AllocDisabler;

const RATES: [u32; 11] = [
    8_000, 11_025, 11_127, 39_000, 44_000, 44_099, 47_999, 88_200, 192_000, 384_000, 768_000,
];
const PRIMES: [(u32, u32); 4] = [
    (10_007, 48_000),
    (44_100, 45_007),
    (96_001, 44_100),
    (30_011, 30_013),
];

fn pairs() -> impl Iterator<Item = (u32, u32)> {
    let both = |from| [(from, 48_000), (from, 44_100)];
    RATES.into_iter().flat_map(both).chain(PRIMES).chain([
        (44_100, 48_000),
        (48_000, 44_100),
        (48_000, 96_000),
    ])
}

#[test]
fn lengths_are_the_exact_ceiling_for_every_rate_pair() {
    for (from, to) in pairs() {
        let (block, _) = blocks(from, to);
        for len in [
            0,
            1,
            2,
            block / 2 - 1,
            block / 2,
            block / 2 + 1,
            block - 1,
            block,
            block + 1,
            2 * block + 1,
        ] {
            let mut source = Signal::new(from, Layout::Mono, len, |_, _| 0.25).to(to);
            let expected = (len * u64::from(to)).div_ceil(u64::from(from));
            assert_eq!(
                source.length(),
                Some(Frames(expected)),
                "{from} to {to}, {len} frames"
            );
            let out = rest(&mut source, &[65_536]).remove(0);
            assert_eq!(out.len() as u64, expected, "{from} to {to}, {len} frames");
        }
    }
}

#[test]
fn an_impulse_peaks_at_its_exact_position() {
    for (from, to) in pairs() {
        let (block_in, block_out) = blocks(from, to);
        for at in [
            0,
            1,
            block_in - 1,
            block_in,
            block_in + block_in / 3,
            2 * block_in - 1,
        ] {
            let out = mono(from, to, 3 * block_in, move |i| {
                f64::from(u8::from(i == at))
            });
            let exact = at as f64 * f64::from(to) / f64::from(from);
            let loudest = (0..out.len())
                .max_by(|&a, &b| out[a].abs().total_cmp(&out[b].abs()))
                .unwrap();
            assert!(
                (loudest as f64 - exact).abs() <= 0.5 + 1e-9,
                "{from} to {to}: {loudest} for {exact}"
            );
            // The filter is symmetric: where it lies wholly within the output, its first moment is its centre.
            if at >= block_in && at <= 2 * block_in {
                assert!(out.len() as u64 > 2 * block_out);
                let (sum, moment) = out
                    .iter()
                    .zip(0..)
                    .fold((0.0, 0.0), |(sum, moment), (y, i)| {
                        (sum + y, moment + y * (f64::from(i) - exact))
                    });
                assert!(
                    (moment / sum).abs() < 1e-6,
                    "{from} to {to}: {} frames late",
                    moment / sum
                );
                let ratio = f64::from(to) / f64::from(from);
                assert!(
                    (sum / ratio - 1.0).abs() < 1e-9,
                    "{from} to {to}: sum {}",
                    sum / ratio
                );
            }
        }
    }
}

#[test]
fn any_block_size_gives_the_same_bits() {
    for (from, to) in [
        (44_100, 48_000),
        (96_000, 44_100),
        (8_000, 48_000),
        (768_000, 44_100),
    ] {
        let len = 5 * blocks(from, to).0 + 77;
        let render = |sizes: &[usize]| {
            rest(
                &mut Signal::new(from, Layout::Lcr, len, noise).to(to),
                sizes,
            )
        };
        let whole = render(&[1 << 20]);
        for capacity in [1, 7, 64, 441, 4096, 65_536] {
            let parts = render(&[capacity]);
            assert!(
                whole.iter().zip(&parts).all(|(a, b)| same(a, b)),
                "{from} to {to}, blocks of {capacity}"
            );
        }
        let parts = render(&[3, 5000, 1, 64, 2240, 2239]);
        assert!(
            whole.iter().zip(&parts).all(|(a, b)| same(a, b)),
            "{from} to {to}, mixed blocks"
        );
    }
}

#[test]
fn any_size_of_the_inner_reads_gives_the_same_bits() {
    for (from, to) in [(44_100, 48_000), (192_000, 48_000), (44_099, 44_100)] {
        let len = 2 * blocks(from, to).0 + 12_345;
        let whole = mono(from, to, len, |at| noise(0, at));
        for sizes in [
            &[1152][..],
            &[1],
            &[1, 2, 3, 5, 8, 13, 2057, 2058, 2059, 1_000_000],
            &[4096, 17],
        ] {
            let mut source = Signal::new(from, Layout::Mono, len, noise);
            source.sizes = sizes;
            assert!(
                same(&whole, &rest(&mut source.to(to), &[16_384])[0]),
                "{from} to {to}, reads of {sizes:?}"
            );
        }
    }
}

#[test]
fn channels_do_not_touch_each_other() {
    let (from, to, len) = (48_000, 44_100, 10_000);
    for layout in [
        Layout::Stereo,
        Layout::Surround71,
        Layout::Discrete(1),
        Layout::Discrete(33),
    ] {
        let all = rest(&mut Signal::new(from, layout, len, noise).to(to), &[4096]);
        assert_eq!(all.len(), layout.channels());
        for (ch, samples) in all.iter().enumerate() {
            assert!(
                same(samples, &mono(from, to, len, move |at| noise(ch, at))),
                "{layout}, channel {ch}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default()
    })]

    /// Reading a range after any seeks gives the same bits as reading through.
    #[test]
    fn any_range_gives_the_same_bits(
        pair in prop::sample::select(vec![(44_100, 48_000), (48_000, 44_100), (96_000, 48_000), (8_000, 48_000), (768_000, 48_000)]),
        seeks in prop::collection::vec((0.0f64..1.1, 0usize..3, 1usize..6000), 1..8),
    ) {
        let (from, to) = pair;
        let (block_in, block_out) = blocks(from, to);
        let len = 6 * block_in + 1001;
        let whole = mono(from, to, len, |at| noise(0, at));
        let mut source = Signal::new(from, Layout::Mono, len, noise).to(to);
        for (part, near, capacity) in seeks {
            // Anywhere; at a block's edge; within the start-up.
            let anywhere = (part * whole.len() as f64) as u64;
            let start = match near {
                0 => anywhere,
                1 => (anywhere / block_out * block_out + block_out / 2).saturating_sub(capacity as u64 % 3),
                _ => anywhere % (block_out / 2 + 3),
            };
            source.seek(Frames(start)).unwrap();
            let mut block = Block::new(Layout::Mono, capacity);
            let n = source.read(&mut block).unwrap();
            let expected = whole.get(start as usize..).unwrap_or(&[]);
            let expected = &expected[..capacity.min(expected.len())];
            prop_assert_eq!(n, expected.len());
            prop_assert!(same(block.channel(0), expected), "{} to {} from {}", from, to, start);
        }
    }
}

#[test]
fn every_start_near_the_edges_gives_the_tail_to_the_last_bit() {
    let (from, to) = (44_100, 48_000);
    let len = 3 * 2058 + 5;
    let whole = mono(from, to, len, |at| noise(0, at));
    let mut source = Signal::new(from, Layout::Mono, len, noise).to(to);
    let n = whole.len();
    for start in [
        0,
        1,
        1119,
        1120,
        1121,
        3359,
        3360,
        3361,
        n - 2241,
        n - 1,
        n,
        n + 1,
        n + 1_000_000,
    ] {
        source.seek(Frames(start as u64)).unwrap();
        assert!(
            same(
                &rest(&mut source, &[999])[0],
                whole.get(start..).unwrap_or(&[])
            ),
            "from {start}"
        );
    }
    for start in [u64::MAX, u64::MAX - 1, u64::MAX / 2] {
        source.seek(Frames(start)).unwrap();
        assert_eq!(source.read(&mut Block::new(Layout::Mono, 64)).unwrap(), 0);
    }
    source.seek(Frames(0)).unwrap();
    assert!(same(&rest(&mut source, &[64])[0], &whole));
}

#[test]
fn a_source_that_ends_early_just_ends() {
    let (from, to) = (44_100, 48_000);
    let short = |stated| {
        let mut source = Signal::new(from, Layout::Mono, 5000, noise);
        source.stated = stated;
        source.to(to)
    };
    let whole = mono(from, to, 5000, |at| noise(0, at));
    assert_eq!(whole.len(), 5443);
    for stated in [None, Some(100_000), Some(10)] {
        assert_eq!(
            short(stated).length(),
            stated.map(|n| Frames((n * 160).div_ceil(147)))
        );
        assert!(same(&rest(&mut short(stated), &[4096])[0], &whole));
        for start in [5442, 5443, 6000, 50_000] {
            let mut source = short(stated);
            source.seek(Frames(start)).unwrap();
            assert!(same(
                &rest(&mut source, &[4096])[0],
                whole.get(start as usize..).unwrap_or(&[])
            ));
        }
    }
}

#[test]
fn a_failed_read_loses_nothing() {
    let (from, to, len) = (44_100, 48_000, 20_000);
    let whole = mono(from, to, len, |at| noise(0, at));
    for fails in [0, 1, 2, 5] {
        let mut source = Signal::new(from, Layout::Mono, len, noise);
        (source.sizes, source.fails) = (&[1500], Some(fails));
        let mut source = source.to(to);
        let (mut out, mut errors) = (Vec::new(), 0);
        let mut block = Block::new(Layout::Mono, 3000);
        loop {
            match source.read(&mut block) {
                Ok(0) => break,
                Ok(_) => out.extend_from_slice(block.channel(0)),
                Err(e) => {
                    assert_eq!(e.kind(), ErrorKind::Corrupt);
                    errors += 1;
                }
            }
        }
        assert_eq!(errors, 1);
        assert!(same(&out, &whole), "failure of read {fails}");
    }
}

#[test]
fn reads_and_seeks_do_not_allocate() {
    // Powers of two, mixed radices, and a prime of 47 999, which has another FFT.
    for (from, to) in [(96_000, 48_000), (44_100, 48_000), (47_999, 48_000)] {
        let len = 3 * blocks(from, to).0 + 5;
        let mut source = Signal::new(from, Layout::Stereo, len, noise);
        source.sizes = &[1000, 7];
        let mut source = source.to(to);
        let mut block = Block::new(Layout::Stereo, 441);
        let mut heard = 0;
        assert_no_alloc(|| {
            for start in [0, 5000, 4999, len / 2, 100, len * 9 / 10] {
                source.seek(Frames(start)).unwrap();
                for _ in 0..30 {
                    heard += source.read(&mut block).unwrap();
                }
            }
        });
        assert!(heard > 6 * 441, "{from} to {to}: {heard} frames");
    }
}

#[test]
fn a_sample_that_is_no_finite_number_is_heard_as_zero_and_told() {
    let (from, to) = (48_000, 44_100);
    let len = 8 * blocks(from, to).0;
    let render = |value: f64| {
        let wave = move |ch, i| {
            if ch == 1 && [7000, 7002].contains(&i) {
                value
            } else {
                noise(ch, i)
            }
        };
        let mut source = Signal::new(from, Layout::Stereo, len, wave).to(to);
        (rest(&mut source, &[4096]), source.flaws())
    };
    let (expected, none) = render(0.0);
    assert!(none.is_empty());
    for value in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        -1.1e100,
    ] {
        let (out, flaws) = render(value);
        assert!(
            out.iter().zip(&expected).all(|(a, b)| same(a, b)),
            "{value:e}"
        );
        // 7000 and 7003 at 44 100 Hz: 6431.25 and 6434.006
        let [flaw] = &flaws[..] else {
            panic!("{flaws:?}")
        };
        assert_eq!((flaw.at, flaw.len), (Frames(6431), Frames(4)));
    }
    for value in [1e38, 1e100, f64::MIN_POSITIVE / 2.0] {
        let (out, flaws) = render(value);
        assert!(
            flaws.is_empty() && out.iter().flatten().all(|y| y.is_finite()),
            "{value:e}"
        );
    }
}

#[test]
fn equal_rates_pass_bit_for_bit_and_silence_stays_silent() {
    let mut equal = Signal::new(47_999, Layout::Stereo, 1000, noise).to(47_999);
    equal.seek(Frames(10)).unwrap();
    let out = rest(&mut equal, &[64]);
    assert_eq!(equal.length(), Some(Frames(1000)));
    assert!((0..990).all(|i| out[1][i].to_bits() == noise(1, i as u64 + 10).to_bits()));
    assert!(
        mono(44_100, 48_000, 9000, |_| 0.0)
            .iter()
            .all(|y| *y == 0.0)
    );
}

#[test]
fn a_constant_keeps_its_level() {
    for (from, to) in pairs() {
        let (block_in, block_out) = blocks(from, to);
        let out = mono(from, to, 3 * block_in, |_| 1.0);
        let error = out[block_out as usize..2 * block_out as usize]
            .iter()
            .map(|y| (y - 1.0).abs())
            .fold(0.0, f64::max);
        assert!(error < 1e-10, "{from} to {to}: {error:e}");
    }
}

#[test]
fn flaws_are_told_in_frames_of_the_output() {
    let mut source = Signal::new(44_100, Layout::Mono, 10, noise);
    let flaw = |at, len| Flaw {
        kind: FlawKind::Damaged,
        at: Frames(at),
        len: Frames(len),
        what: "hole".into(),
    };
    source.flaws = vec![flaw(0, 147), flaw(1, 1), flaw(147, 294), flaw(u64::MAX, 9)];
    let mut source = source.to(48_000);
    assert_eq!(
        source.flaws(),
        [flaw(0, 160), flaw(1, 2), flaw(160, 320), flaw(u64::MAX, 0)]
    );
    assert!(source.flaws().is_empty());
}

#[test]
fn what_is_over_a_limit_is_refused_at_once_with_the_figures() {
    let started = Instant::now();
    let refusal = |from, to, layout| {
        let spec = Spec {
            rate: rate(from),
            layout,
        };
        let direct = Resampled::check(spec, rate(to)).unwrap_err();
        let source = Signal::new(from, layout, 10, noise);
        let error = Resampled::new(Box::new(source), rate(to)).expect_err("over a limit");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.to_string(), direct.to_string());
        error.to_string()
    };
    let prefix = |from: u32, to: u32| format!("{from} Hz cannot be resampled to {to} Hz: ");
    for (from, to) in [(1, 48_000), (48_000, 1), (187, 48_000), (768_000, 2_999)] {
        assert_eq!(
            refusal(from, to, Layout::Mono),
            prefix(from, to) + "the ratio is over the limit of 256"
        );
    }
    for (from, to, frames) in [
        (767_999, 48_000, 1_535_998),
        (48_000, 767_999, 1_535_998),
        (300_007, 300_000, 600_014),
    ] {
        let why = format!("a filter of {frames} frames is over the limit of 600000");
        assert_eq!(refusal(from, to, Layout::Stereo), prefix(from, to) + &why);
    }
    let why = "a filter of 48959490 samples in all channels is over the limit of 16000000";
    assert_eq!(
        refusal(47_999, 48_000, Layout::Discrete(255)),
        prefix(47_999, 48_000) + why
    );
    assert_eq!(
        refusal(48_000, 44_100, Layout::Discrete(0)),
        prefix(48_000, 44_100) + "it has no channels"
    );
    assert!(started.elapsed() < Duration::from_secs(1));

    for (from, to) in [
        (188, 48_000),
        (48_000, 188),
        (299_993, 299_999),
        (768_000, 3_000),
    ] {
        assert!(
            Resampled::check(
                Spec {
                    rate: rate(from),
                    layout: Layout::Stereo
                },
                rate(to)
            )
            .is_ok()
        );
    }
}

#[test]
fn quality_of_the_usual_rate_pairs() {
    let usual = [
        (44_100, 48_000),
        (48_000, 44_100),
        (96_000, 48_000),
        (48_000, 96_000),
        (88_200, 48_000),
    ];
    let more = [
        (96_000, 44_100),
        (192_000, 48_000),
        (192_000, 44_100),
        (22_050, 48_000),
        (8_000, 48_000),
    ];
    let tones = if cfg!(debug_assertions) { 24 } else { 200 };
    println!(
        "rates            in > out block  -0.1 / -3 dB Hz  ripple dB  SNR 1 kHz / worst  alias dB  near  late frames"
    );
    for (from, to) in usual.into_iter().chain(more).chain([
        (384_000, 48_000),
        (768_000, 48_000),
        (768_000, 44_100),
    ]) {
        let q = quality::measure(from, to, tones);
        let (a, b) = blocks(from, to);
        println!(
            "{from:>6} > {to:<6} {a:>7} > {b:<6} {:>7} / {:<7} {:>9.1e} {:>9.1} / {:<8.1} {:>8.1} {:>6.1} {:>9.1e}",
            q.edges.0, q.edges.1, q.ripple, q.snr_1k, q.snr, q.alias, q.near, q.late
        );
        assert!(q.snr >= 240.0, "{from} to {to}: SNR {}", q.snr);
        assert!(q.ripple <= 1e-10, "{from} to {to}: ripple {}", q.ripple);
        assert!(q.late < 1e-12, "{from} to {to}: {} frames late", q.late);
        assert!(
            q.near <= -200.0,
            "{from} to {to}: next to Nyquist {}",
            q.near
        );
        assert!(q.alias <= -225.0, "{from} to {to}: alias {}", q.alias);
    }
}

#[test]
fn odd_rates_are_as_good_as_the_usual_ones() {
    for (from, to) in pairs() {
        let nyquist = from.min(to) / 2;
        for hz in [997, nyquist / 10 * 9] {
            let fit = quality::fit(from, to, hz);
            let (snr, gain) = (fit.snr(), quality::db(fit.gain));
            println!("{from:>6} > {to:<6} {hz:>6} Hz: SNR {snr:.1} dB, {gain:.1e} dB");
            assert!(snr >= 240.0, "{from} to {to}, {hz} Hz: SNR {snr}");
            assert!(gain.abs() <= 1e-10, "{from} to {to}, {hz} Hz: {gain} dB");
            assert!(
                fit.late.abs() < 1e-11,
                "{from} to {to}, {hz} Hz: {} frames late",
                fit.late
            );
        }
        if from > to + 100 {
            let alias = quality::db(quality::alias(from, to, nyquist + 50));
            println!(
                "{from:>6} > {to:<6} {:>6} Hz: alias {alias:.1} dB",
                nyquist + 50
            );
            assert!(alias <= -200.0, "{from} to {to}: alias {alias}");
        }
    }
}
