//! The processors of strips, by the formulas of `docs/processors.md`: over whole buffers, one channel after another.

use super::model::{Signal, amplitude};
use soundtrack::{Decibels, Insert};
use std::f64::consts::PI;

/// Repeats of a delay count until they have fallen by so many decibels.
const INAUDIBLE: f64 = 200.0;

/// Works the inserts of a strip, in order; `keys` holds the side-chain signal of each.
pub fn process(inserts: &[Insert], keys: &[Option<Signal>], signal: &mut Signal, rate: u32) {
    let rate = f64::from(rate);
    for (insert, key) in active(inserts).zip(keys) {
        work(insert, key.as_ref(), signal, rate);
    }
}

/// The inserts that are not bypassed.
pub fn active(inserts: &[Insert]) -> impl Iterator<Item = &Insert> {
    inserts.iter().filter(|insert| !insert.bypass)
}

/// Frames by which the repeats of all delays make the mix longer.
pub fn echo(inserts: &[Insert], rate: u32) -> u64 {
    let repeats = |insert: &Insert| {
        let feedback = value(insert, "feedback");
        1 + (INAUDIBLE / -feedback).ceil() as u64
    };
    active(inserts)
        .filter(|insert| insert.kind_name() == "delay")
        .map(|insert| frames(insert, "time", f64::from(rate)) as u64 * repeats(insert))
        .sum()
}

/// Frames that the inserts look ahead at most: a limiter less than 100 and 5 ms.
pub fn lookahead(inserts: &[Insert], rate: u32) -> u64 {
    let ahead = |insert: &Insert| {
        let seconds = insert.value("lookahead").unwrap_or(0.005);
        100 + (seconds * f64::from(rate)).ceil() as u64
    };
    active(inserts).map(ahead).sum()
}

fn value(insert: &Insert, key: &str) -> f64 {
    insert
        .value(key)
        .unwrap_or_else(|| panic!("{} has no {key}", insert.kind_name()))
}

fn frames(insert: &Insert, key: &str, rate: f64) -> usize {
    (value(insert, key) * rate).round() as usize
}

fn work(insert: &Insert, key: Option<&Signal>, signal: &mut Signal, rate: f64) {
    let of = |key: &str| value(insert, key);
    match insert.kind_name() {
        "trim" => {
            let gain = amplitude(Decibels(of("gain")));
            signal.iter_mut().flatten().for_each(|x| *x *= gain);
        }
        kind @ ("highpass" | "lowpass") => {
            let order = (of("slope") / 6.0) as u32;
            for section in butterworth(kind, of("freq") / rate, order) {
                section.filter(signal);
            }
        }
        "notch" => cookbook("notch", of("freq") / rate, 0.0, of("q")).filter(signal),
        kind @ ("bell" | "low-shelf" | "high-shelf") => {
            cookbook(kind, of("freq") / rate, of("gain"), of("q")).filter(signal);
        }
        "compressor" | "expander" | "gate" => dynamics(insert, key, signal, rate),
        "ducker" => duck(insert, key, signal, rate),
        "delay" => repeat(insert, signal, rate),
        "limiter" => {
            let ceiling = amplitude(Decibels(of("ceiling")));
            let peak = signal.iter().flatten().fold(0.0f64, |m, x| m.max(x.abs()));
            assert!(
                peak < ceiling / 4.0,
                "a limiter that limits is not modelled"
            );
        }
        other => panic!("the model does not know {other}"),
    }
}

/// b0 x + b1 x₁ + b2 x₂ = a0 y + a1 y₁ + a2 y₂.
struct Biquad {
    b: [f64; 3],
    a: [f64; 3],
}

impl Biquad {
    fn filter(&self, signal: &mut Signal) {
        let (b, a) = (self.b, self.a);
        for samples in signal {
            let ([mut x1, mut x2], [mut y1, mut y2]) = ([0.0; 2], [0.0; 2]);
            for sample in samples {
                let x = *sample;
                let y = (b[0] * x + b[1] * x1 + b[2] * x2 - a[1] * y1 - a[2] * y2) / a[0];
                (x1, x2, y1, y2) = (x, x1, y, y1);
                *sample = y;
            }
        }
    }
}

/// "Cookbook formulae for audio EQ biquad filter coefficients"; the frequency is a share of the sample rate.
fn cookbook(kind: &str, freq: f64, gain: f64, q: f64) -> Biquad {
    let (sin, cos) = (2.0 * PI * freq).sin_cos();
    let alpha = sin / (2.0 * q);
    let a = 10f64.powf(gain / 40.0);
    let root = 2.0 * a.sqrt() * alpha;
    let (b, a) = match kind {
        "lowpass" => (
            [(1.0 - cos) / 2.0, 1.0 - cos, (1.0 - cos) / 2.0],
            [1.0 + alpha, -2.0 * cos, 1.0 - alpha],
        ),
        "highpass" => (
            [(1.0 + cos) / 2.0, -1.0 - cos, (1.0 + cos) / 2.0],
            [1.0 + alpha, -2.0 * cos, 1.0 - alpha],
        ),
        "notch" => (
            [1.0, -2.0 * cos, 1.0],
            [1.0 + alpha, -2.0 * cos, 1.0 - alpha],
        ),
        "bell" => (
            [1.0 + alpha * a, -2.0 * cos, 1.0 - alpha * a],
            [1.0 + alpha / a, -2.0 * cos, 1.0 - alpha / a],
        ),
        "low-shelf" => (
            [
                a * ((a + 1.0) - (a - 1.0) * cos + root),
                2.0 * a * ((a - 1.0) - (a + 1.0) * cos),
                a * ((a + 1.0) - (a - 1.0) * cos - root),
            ],
            [
                (a + 1.0) + (a - 1.0) * cos + root,
                -2.0 * ((a - 1.0) + (a + 1.0) * cos),
                (a + 1.0) + (a - 1.0) * cos - root,
            ],
        ),
        "high-shelf" => (
            [
                a * ((a + 1.0) + (a - 1.0) * cos + root),
                -2.0 * a * ((a - 1.0) + (a + 1.0) * cos),
                a * ((a + 1.0) + (a - 1.0) * cos - root),
            ],
            [
                (a + 1.0) - (a - 1.0) * cos + root,
                2.0 * ((a - 1.0) - (a + 1.0) * cos),
                (a + 1.0) - (a - 1.0) * cos - root,
            ],
        ),
        other => panic!("no such filter: {other}"),
    };
    Biquad { b, a }
}

/// The sections of a Butterworth filter: its pairs of poles, and the real one of an odd order.
fn butterworth(kind: &str, freq: f64, order: u32) -> Vec<Biquad> {
    let q = |pair: u32| {
        let angle = PI * (f64::from(pair) + 0.5) / f64::from(order);
        1.0 / (2.0 * angle.sin())
    };
    let mut sections: Vec<Biquad> = (0..order / 2)
        .map(|pair| cookbook(kind, freq, 0.0, q(pair)))
        .collect();
    if order % 2 == 1 {
        let k = (PI * freq).tan();
        let b = if kind == "lowpass" {
            [k, k, 0.0]
        } else {
            [1.0, -1.0, 0.0]
        };
        sections.push(Biquad {
            b,
            a: [1.0 + k, k - 1.0, 0.0],
        });
    }
    sections
}

/// The amplitude of the loudest channel, frame by frame.
fn loudest(signal: &Signal) -> Vec<f64> {
    (0..signal[0].len())
        .map(|t| {
            signal
                .iter()
                .fold(0.0f64, |m, channel| m.max(channel[t].abs()))
        })
        .collect()
}

/// Multiplies each frame by the gain in dB that is worked out so many frames later.
fn turn(signal: &mut Signal, gains: &[f64], ahead: usize) {
    for samples in signal {
        for (sample, gain) in samples.iter_mut().zip(&gains[ahead..]) {
            *sample *= amplitude(Decibels(*gain));
        }
    }
}

/// Compressor, expander and gate.
fn dynamics(insert: &Insert, key: Option<&Signal>, signal: &mut Signal, rate: f64) {
    let of = |key: &str| value(insert, key);
    let kind = insert.kind_name();
    let mut heard = key.unwrap_or(signal).clone();
    for (filter, key) in [("highpass", "key_highpass"), ("lowpass", "key_lowpass")] {
        if of(key) > 0.0 {
            for section in butterworth(filter, of(key) / rate, 2) {
                section.filter(&mut heard);
            }
        }
    }
    let ahead = frames(insert, "lookahead", rate);
    let mut amplitudes = loudest(&heard);
    amplitudes.extend(vec![0.0; ahead]);

    // How much of a difference is left after one frame.
    let left = |seconds: f64| {
        if seconds > 0.0 {
            (-1.0 / (seconds * rate)).exp()
        } else {
            0.0
        }
    };
    let (rms, mut power) = (left(of("rms")), 0.0);
    let mut level = |amplitude: f64| {
        if of("rms") == 0.0 {
            return 20.0 * amplitude.max(1e-15).log10();
        }
        power = (1.0 - rms) * amplitude * amplitude + rms * power;
        10.0 * f64::max(power, 1e-15).log10()
    };
    let silence = if of("rms") == 0.0 { -300.0 } else { -150.0 };

    let threshold = of("threshold");
    // The part of a bent line that rises by 1 per dB above 0, over a knee.
    let bent = |over: f64, knee: f64| {
        if over <= -knee / 2.0 {
            0.0
        } else if over < knee / 2.0 {
            (over + knee / 2.0).powi(2) / (2.0 * knee)
        } else {
            over
        }
    };
    let wanted = |level: f64, open: bool| match kind {
        "compressor" => (1.0 - 1.0 / of("ratio")) * bent(level - threshold, of("knee")),
        "expander" => ((of("ratio") - 1.0) * bent(threshold - level, of("knee"))).min(-of("range")),
        _ => {
            let closes_below = threshold - if open { of("hysteresis") } else { 0.0 };
            if level < closes_below {
                -of("range")
            } else {
                0.0
            }
        }
    };
    // A reduction rises when a compressor attacks, and when a gate or an expander releases.
    let (rise, fall, hold, makeup) = match kind {
        "compressor" => (of("attack"), of("release"), 0, of("makeup")),
        _ => (
            of("release"),
            of("attack"),
            frames(insert, "hold", rate),
            0.0,
        ),
    };
    let (rise, fall) = (left(rise), left(fall));
    let (mut reduction, mut waits, mut open) = (wanted(silence, false), hold, false);
    let gains: Vec<f64> = amplitudes
        .iter()
        .map(|amplitude| {
            let target = wanted(level(*amplitude), open);
            open = target == 0.0;
            if target <= reduction {
                waits = hold;
                reduction = target + fall * (reduction - target);
            } else if waits > 0 {
                waits -= 1;
            } else {
                reduction = target + rise * (reduction - target);
            }
            makeup - reduction
        })
        .collect();
    turn(signal, &gains, ahead);
}

fn duck(insert: &Insert, key: Option<&Signal>, signal: &mut Signal, rate: f64) {
    let Some(key) = key else { return };
    let of = |key: &str| frames(insert, key, rate);
    let ahead = of("lookahead");
    let mut amplitudes = loudest(key);
    amplitudes.extend(vec![0.0; ahead]);
    let threshold = amplitude(Decibels(value(insert, "threshold")));
    // The share of the depth that is reached; it moves by one part of the way a frame.
    let (mut share, mut down, mut from, mut since, mut waits) = (0.0f64, false, 0.0, 0, 0);
    let gains: Vec<f64> = amplitudes
        .iter()
        .map(|amplitude| {
            let sounds = *amplitude >= threshold;
            let goes_down = sounds || waits > 0;
            waits = if sounds {
                of("hold")
            } else {
                waits.saturating_sub(1)
            };
            if goes_down != down {
                (down, from, since) = (goes_down, share, 0);
            }
            since += 1;
            let way = of(if down { "attack" } else { "release" });
            let end = if down { 1.0 } else { 0.0 };
            share = if since >= way {
                end
            } else if down {
                f64::min(from + since as f64 / way as f64, end)
            } else {
                f64::max(from - since as f64 / way as f64, end)
            };
            share * value(insert, "depth")
        })
        .collect();
    turn(signal, &gains, ahead);
}

fn repeat(insert: &Insert, signal: &mut Signal, rate: f64) {
    let time = frames(insert, "time", rate);
    if time == 0 {
        return;
    }
    let (feedback, mix) = (
        amplitude(Decibels(value(insert, "feedback"))),
        value(insert, "mix"),
    );
    for samples in signal {
        let mut line = samples.clone();
        for t in 0..line.len() {
            let repeat = if t < time { 0.0 } else { line[t - time] };
            line[t] = samples[t] + feedback * repeat;
            samples[t] = (1.0 - mix) * samples[t] + mix * repeat;
        }
    }
}
