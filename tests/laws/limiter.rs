//! The master's limiter: the ceiling holds, what is below it passes bit for bit, and the laws hold with it.

use crate::random_sessions::session;
use proptest::prelude::*;
use soundtrack::{
    Block, Bounce, Dbtp, Decibels, Frames, Layout, Options, Plan, Renderer, Session, Track,
    media::Memory,
};
use soundtrack_test_support::{
    renders::{length, rendered, same_bits, streamed},
    signals::{self, measured, spec, uniform},
};
use std::f64::consts::TAU;

const RATE: u32 = 48_000;

fn limited(channels: &[Vec<f64>], gain: f64, ceiling: f64) -> Session {
    let layout = if channels.len() == 1 {
        Layout::Mono
    } else {
        Layout::Stereo
    };
    let mut mix = Session::new(spec(RATE, layout).rate, layout);
    mix.add_track(Track::new(
        "x",
        Memory::new(spec(RATE, layout), channels.to_vec()).unwrap(),
    ));
    mix.master.gain = Decibels(gain);
    mix.master.limit = Some(Dbtp(ceiling));
    mix
}

fn all(mix: &Session) -> Vec<Vec<f64>> {
    mix.render(Frames(0)..Frames(length(mix))).unwrap()
}

fn true_peak(channels: &[Vec<f64>]) -> f64 {
    let layout = if channels.len() == 1 {
        Layout::Mono
    } else {
        Layout::Stereo
    };
    measured(spec(RATE, layout), channels, 4096)
        .true_peak
        .unwrap()
        .level
        .0
}

/// Full-band noise, the same every time.
fn noise(frames: usize) -> Vec<f64> {
    let mut random = 3;
    (0..frames).map(|_| uniform(&mut random)).collect()
}

/// A tone with tapers of 10 ms.
fn tone(divisor: f64, degrees: f64) -> Vec<f64> {
    let fade = |n: usize| (n.min(95_999 - n) as f64 / 480.0).min(1.0);
    (0..96_000)
        .map(|n| fade(n) * (TAU * (n as f64 / divisor + degrees / 360.0)).sin())
        .collect()
}

#[test]
fn the_ceiling_holds() {
    println!(
        "{:32} {:>8} {:>8} {:>8}",
        "limiter", "in dBTP", "ceiling", "out"
    );
    let square = |half: usize| {
        (0..48_000)
            .map(|n| {
                if (n / half).is_multiple_of(2) {
                    1.0
                } else {
                    -1.0
                }
            })
            .collect::<Vec<_>>()
    };
    let clicks = (0..48_000)
        .map(|n| if n % 997 < 2 { 1.0 } else { 0.01 })
        .collect::<Vec<_>>();
    let swell = (0..96_000)
        .map(|n| n as f64 / 48_000.0 * (TAU * n as f64 / 480.0).sin())
        .collect::<Vec<_>>();
    let signals = [
        ("fs/4, 0°", tone(4.0, 0.0), 3.0),
        ("fs/4, 45°", tone(4.0, 45.0), 6.0),
        ("fs/6, 60°", tone(6.0, 60.0), 6.0),
        ("fs/8, 67.5°", tone(8.0, 67.5), 6.0),
        ("burst, offset 0", signals::burst(0), 6.0),
        ("burst, offset 2", signals::burst(2), 6.0),
        ("50 Hz", tone(960.0, 0.0), 12.0),
        ("square, 1 kHz", square(24), 0.0),
        ("square, 1 kHz", square(24), 12.0),
        ("square, 50 Hz", square(480), 6.0),
        ("square, 8 kHz", square(3), 6.0),
        ("white noise", noise(96_000), 12.0),
        ("clicks", clicks, 12.0),
        ("swelling tone", swell, 12.0),
    ];
    let mut worst = f64::NEG_INFINITY;
    for (name, samples, gain) in signals {
        for ceiling in [-1.0, -2.0, -9.0] {
            let samples = vec![samples.clone()];
            let out = all(&limited(&samples, gain, ceiling));
            assert_eq!(out[0].len(), samples[0].len());
            let (before, after) = (true_peak(&samples) + gain, true_peak(&out));
            println!(
                "{:32} {before:8.2} {ceiling:8.2} {after:8.3}",
                format!("{name} at {gain:+} dB")
            );
            worst = worst.max(after - ceiling);
        }
    }
    println!("the most that any is over: {worst:+.4} dB");
    assert!(worst <= 0.05, "{worst}");
}

#[test]
fn what_is_below_passes_bit_for_bit() {
    let quiet: Vec<f64> = noise(96_000).iter().map(|x| x * 0.3).collect();
    let samples = vec![quiet.clone(), quiet.iter().map(|x| -x * 0.5).collect()];
    let peak = true_peak(&samples);
    let mix = limited(&samples, 0.0, peak + 0.001);
    same_bits(&samples, &all(&mix));
    // A click in the middle changes what is near it, and nothing that is not.
    let mut clicked = samples.clone();
    clicked[0][48_000] = 3.0;
    let out = all(&limited(&clicked, 0.0, peak + 0.001));
    let plan = Plan::compile(&mix).unwrap();
    let (ahead, behind) = (plan.latency().0 as usize, plan.warm_up().0 as usize);
    let cut = |c: &[Vec<f64>], range: std::ops::Range<usize>| {
        c.iter()
            .map(|c| c[range.clone()].to_vec())
            .collect::<Vec<_>>()
    };
    same_bits(
        &cut(&samples, 0..48_000 - ahead),
        &cut(&out, 0..48_000 - ahead),
    );
    same_bits(
        &cut(&samples, 48_000 + behind..96_000),
        &cut(&out, 48_000 + behind..96_000),
    );
    // Both channels get one gain, and nothing moves in time.
    let gains = out
        .iter()
        .zip(&clicked)
        .map(|(o, c)| o[48_100] / c[48_100])
        .collect::<Vec<_>>();
    assert!(
        (gains[0] - gains[1]).abs() < 1e-15 && gains[0] < 0.99,
        "{gains:?}"
    );
    let loudest = (0..96_000).max_by(|a, b| out[0][*a].abs().total_cmp(&out[0][*b].abs()));
    assert_eq!(loudest, Some(48_000));
}

#[test]
fn plan_and_report_tell() {
    let mut samples = vec![vec![0.1; 96_000]];
    samples[0][50_000] = 1.0;
    let mix = limited(&samples, 6.0, -1.0);
    let plan = Plan::compile(&mix).unwrap();
    assert_eq!(
        plan.to_string(),
        "plan  48000 Hz mono, 2 nodes in 2 stages, 96 000 frames, latency 256\n \
         0 track   x       memory 48000 mono @0  gain 0.0 dB   pan C                         -> 1\n \
         1 master          sum 0                 gain +6.0 dB  limit -1.0 dBTP, latency 256\n"
    );
    let folder = tempfile::tempdir().unwrap();
    let report = mix.bounce(folder.path().join("o.wav")).unwrap();
    let limiter = report.mix.limiter.as_ref().unwrap();
    assert_eq!(
        (
            limiter.ceiling_dbtp,
            limiter.latency_frames,
            limiter.warm_up_frames
        ),
        (-1.0, 256, 5056)
    );
    let limiter = &report.mix.inserts[0];
    // 6 dB up and 1 dB down, and the hundredth that it aims below.
    assert!(
        (limiter.reduction_db.unwrap() - 7.01).abs() < 0.005,
        "{limiter:?}"
    );
    assert!((limiter.reduction_at_s.unwrap() - 50_000.0 / 48_000.0).abs() < 64.0 / 48_000.0);
    let strong: Vec<usize> = (0..20)
        .filter(|i| limiter.reduction_curve_db[*i] > 0.0)
        .collect();
    assert_eq!(
        (
            strong,
            limiter.reduction_curve_db.len(),
            limiter.reduction_step_s
        ),
        (vec![10, 11], 20, 0.1)
    );
    assert!(
        (-1.05..=-1.0).contains(&report.mix.peak_dbfs.unwrap()),
        "{:?}",
        report.mix.peak_dbfs
    );
    assert!(report.mix.true_peak_dbtp.unwrap() <= -0.95);
    assert!(
        report.to_string().contains("limiter  -1.0 dBTP at most"),
        "{report}"
    );
    let mut wrong = mix;
    wrong.master.limit = Some(Dbtp(f64::NAN));
    assert_eq!(
        Plan::compile(&wrong).unwrap_err().to_string(),
        "the master: limit of NaN dBTP is outside -60 to 0 dBTP"
    );
}

#[test]
fn tracks_are_measured_over_the_range_alone() {
    // The loud start is rendered for the limiter to warm up, but lies before the range.
    let mut samples = vec![vec![0.1; 48_000]];
    samples[0][..20_000].fill(0.9);
    let mix = limited(&samples, 0.0, -1.0);
    let mut renderer =
        Renderer::new(Plan::compile(&mix).unwrap(), &Options { threads: 1 }).unwrap();
    let mut memory = soundtrack::encode::MemorySink::default();
    let range = Frames(20_000)..Frames(30_000);
    let report = Bounce::new()
        .range(range)
        .into_sink(&mut renderer, &mut memory)
        .unwrap();
    assert_eq!(report.tracks[0].strip.peak_dbfs, Some(-20.0));
}

/// A session that its limiter has work with.
fn loud() -> impl Strategy<Value = Session> {
    (session(), -30.0..0.0f64).prop_map(|(mut session, ceiling)| {
        session.master.limit = Some(Dbtp(ceiling));
        session
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn neither_blocks_nor_threads_nor_ranges_change_a_bit(
        session in loud(),
        cut in 0.0f64..1.0,
        odd in 1usize..3000,
        jumps in prop::collection::vec((0.0f64..1.1, 1usize..2000), 6),
    ) {
        let end = length(&session);
        let whole = streamed(&session, 65_536, 1);
        for block in [1, 64, 441, 4096, odd] {
            same_bits(&whole, &streamed(&session, block, 1));
        }
        same_bits(&whole, &streamed(&session, odd, 3));
        let middle = (end as f64 * cut) as u64;
        let (mut left, right) = (rendered(&session, odd, 1, 0..middle), rendered(&session, 4096, 2, middle..end));
        left.resize(whole.len(), Vec::new());
        left.iter_mut().zip(&right).for_each(|(l, r)| l.extend_from_slice(r));
        same_bits(&whole, &left);
        let mut renderer = Renderer::new(Plan::compile(&session).unwrap(), &Options { threads: 1 }).unwrap();
        for (to, size) in jumps {
            let to = (end as f64 * to) as u64;
            let mut block = Block::new(session.layout, size);
            renderer.seek(Frames(to));
            let n = renderer.render(&mut block).unwrap();
            let at = to.min(end) as usize;
            let part: Vec<Vec<f64>> = block.channels().map(<[f64]>::to_vec).collect();
            let want: Vec<Vec<f64>> = whole.iter().map(|c| c[at..at + n].to_vec()).collect();
            same_bits(&want, &part);
        }
    }
}
