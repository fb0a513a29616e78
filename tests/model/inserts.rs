//! The processors of strips, by the formulas of `docs/processors.md`: over whole buffers, one channel after another.

use super::model::{Signal, amplitude, value_at};
use soundtrack::{Curve, Decibels, Insert};
use std::{cell::Cell, f64::consts::PI};

/// Repeats of a delay count until they have fallen by so many decibels.
const INAUDIBLE: f64 = 200.0;

/// The time that the curves of a strip are in, by the frame of the timeline.
pub type Clock<'a> = &'a dyn Fn(u64) -> u64;

/// The clock of a strip of the timeline.
pub fn timeline(frame: u64) -> u64 {
    frame
}

/// Works the inserts of a strip, in order; `keys` holds the side-chain signal of each.
pub fn process(
    inserts: &[Insert],
    keys: &[Option<Signal>],
    clock: Clock<'_>,
    signal: &mut Signal,
    rate: u32,
) {
    let rate = f64::from(rate);
    for (insert, key) in active(inserts).zip(keys) {
        work(insert, key.as_ref(), clock, signal, rate);
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

fn work(insert: &Insert, key: Option<&Signal>, clock: Clock<'_>, signal: &mut Signal, rate: f64) {
    let of = |key: &str| value(insert, key);
    let moves = moves(insert);
    match insert.kind_name() {
        REVERSED => look_both_ways(signal),
        SCALED_BY_KEY => scale_by_key(key, signal),
        "trim" => {
            let gain = Moving::new(insert, clock, |of| [amplitude(Decibels(of("gain")))]);
            for samples in signal {
                for (t, x) in samples.iter_mut().enumerate() {
                    let [gain] = gain.at(t);
                    *x *= gain;
                }
            }
        }
        _ if moves && insert.value("freq").is_some() => sweep(insert, clock, signal, rate),
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
        "compressor" | "expander" | "gate" => dynamics(insert, key, clock, signal, rate),
        "ducker" => duck(insert, key, clock, signal, rate),
        "delay" => repeat(insert, clock, signal, rate),
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

/// Whether a parameter changes over time.
pub fn moves(insert: &Insert) -> bool {
    let keys =
        "gain freq q threshold ratio knee attack release makeup hysteresis depth mix feedback";
    keys.split(' ').any(|key| insert.curve(key).is_some())
}

/// Frames between the positions of the timeline at which the values of parameters are worked out.
const INTERVAL: usize = 64;

/// A position, and the derived values there and at the next one.
type Derived<const N: usize> = (usize, [f64; N], [f64; N]);

/// Derives values from the parameters of a processor at the positions, and moves between them in straight lines.
struct Moving<'a, const N: usize> {
    derive: Box<dyn Fn(u64) -> [f64; N] + 'a>,
    /// The values of the last call.
    latest: Cell<Option<Derived<N>>>,
}

impl<'a, const N: usize> Moving<'a, N> {
    /// `derive` is handed the values of the parameters by their keys.
    fn new(
        insert: &'a Insert,
        clock: Clock<'a>,
        derive: impl Fn(&dyn Fn(&str) -> f64) -> [f64; N] + 'a,
    ) -> Self {
        let kind = insert.kind_name();
        let of = move |key: &str, t: u64| match insert.curve(key) {
            None => value(insert, key),
            Some(curve) => {
                let can_be_silence =
                    matches!((kind, key), ("trim", "gain") | ("delay", "feedback"));
                along(curve, clock(t), can_be_silence)
            }
        };
        Self {
            derive: Box::new(move |t| derive(&|key| of(key, t))),
            latest: Cell::new(None),
        }
    }

    fn at(&self, t: usize) -> [f64; N] {
        let position = t / INTERVAL;
        let derived = |position: usize| (self.derive)((position * INTERVAL) as u64);
        let latest = self.latest.get().filter(|latest| latest.0 == position);
        let (_, from, to) =
            latest.unwrap_or_else(|| (position, derived(position), derived(position + 1)));
        self.latest.set(Some((position, from, to)));
        let x = (t % INTERVAL) as f64 / INTERVAL as f64;
        std::array::from_fn(|n| {
            if from[n] == to[n] {
                from[n]
            } else {
                from[n] + (to[n] - from[n]) * x
            }
        })
    }
}

/// The value of a parameter. Where it can be silence, a line from or to silence is one of amplitude.
fn along(curve: &Curve<f64>, t: u64, can_be_silence: bool) -> f64 {
    let line = |a: f64, b: f64, s: f64| {
        if can_be_silence && (a.is_infinite() || b.is_infinite()) {
            let (a, b) = (amplitude(Decibels(a)), amplitude(Decibels(b)));
            return 20.0 * (a + (b - a) * s).log10();
        }
        a + (b - a) * s
    };
    value_at(curve, t, line).expect("a curve has points")
}

/// A filter whose parameters move, as a state-variable filter of trapezoidal integrators: "Solving the continuous SVF equations
/// using trapezoidal integration and equivalent currents" (A. Simper). The shares in the next state and in the output move.
fn sweep(insert: &Insert, clock: Clock<'_>, signal: &mut Signal, rate: f64) {
    let kind = insert.kind_name();
    let order = insert
        .value("slope")
        .map_or(2, |slope| (slope / 6.0) as usize);
    for section in 0..order.div_ceil(2) {
        let shares = Moving::new(insert, clock, move |of| {
            let (mut g, a) = ((PI * of("freq") / rate).tan(), of_gain(kind, of));
            if section == order / 2 {
                // The last of an odd order: one integrator.
                let h = g / (1.0 + g);
                let output = if kind == "lowpass" {
                    [1.0 - h, 0.0, h]
                } else {
                    [h - 1.0, 0.0, 1.0 - h]
                };
                return [
                    1.0 - 2.0 * h,
                    0.0,
                    2.0 * h,
                    0.0,
                    0.0,
                    0.0,
                    output[0],
                    output[1],
                    output[2],
                ];
            }
            let q = match kind {
                "highpass" | "lowpass" => {
                    1.0 / (2.0 * (PI * (section as f64 + 0.5) / order as f64).sin())
                }
                "bell" => of("q") * a,
                _ => of("q"),
            };
            let k = 1.0 / q;
            // Shares of the input, of the first integrator and of the second in the output.
            let [input, band, low] = match kind {
                "lowpass" => [0.0, 0.0, 1.0],
                "highpass" => [1.0, -k, -1.0],
                "notch" => [1.0, -k, 0.0],
                "bell" => [1.0, k * (a * a - 1.0), 0.0],
                "low-shelf" => {
                    g /= a.sqrt();
                    [1.0, k * (a - 1.0), a * a - 1.0]
                }
                _ => {
                    g *= a.sqrt();
                    [a * a, k * (1.0 - a) * a, 1.0 - a * a]
                }
            };
            // v1 and v2, by the states and the input.
            let d = 1.0 + g * (g + k);
            let v1 = [1.0 / d, -g / d, g / d];
            let v2 = [g / d, 1.0 - g * g / d, g * g / d];
            let output = |n: usize| band * v1[n] + low * v2[n] + if n == 2 { input } else { 0.0 };
            [
                2.0 * v1[0] - 1.0,
                2.0 * v1[1],
                2.0 * v1[2],
                2.0 * v2[0],
                2.0 * v2[1] - 1.0,
                2.0 * v2[2],
                output(0),
                output(1),
                output(2),
            ]
        });
        let frames = signal[0].len();
        let mut states = vec![[0.0; 2]; signal.len()];
        for t in 0..frames {
            let c = shares.at(t);
            for (samples, [s1, s2]) in signal.iter_mut().zip(&mut states) {
                let x = samples[t];
                samples[t] = c[6] * *s1 + c[7] * *s2 + c[8] * x;
                (*s1, *s2) = (
                    c[0] * *s1 + c[1] * *s2 + c[2] * x,
                    c[3] * *s1 + c[4] * *s2 + c[5] * x,
                );
            }
        }
    }
}

/// The square root of the amplitude of the gain of a bell or a shelf.
fn of_gain(kind: &str, of: &dyn Fn(&str) -> f64) -> f64 {
    if ["bell", "low-shelf", "high-shelf"].contains(&kind) {
        10f64.powf(of("gain") / 40.0)
    } else {
        1.0
    }
}

/// A processor of the tests: half of what comes so many frames later, and a quarter of what was as many frames before.
pub const REVERSED: &str = "both ways";
/// Frames that [`REVERSED`] looks ahead and back.
pub const REACH: usize = 37;
/// A processor of the tests: multiplies each channel by 1 less the loudest channel of its key.
pub const SCALED_BY_KEY: &str = "scaled by key";

fn look_both_ways(signal: &mut Signal) {
    for samples in signal {
        let x = samples.clone();
        for (t, y) in samples.iter_mut().enumerate() {
            let later = x.get(t + REACH).copied().unwrap_or(0.0);
            let earlier = if t < REACH { 0.0 } else { x[t - REACH] };
            *y = 0.5 * later + 0.25 * earlier;
        }
    }
}

fn scale_by_key(key: Option<&Signal>, signal: &mut Signal) {
    let Some(key) = key else { return };
    let amplitudes = loudest(key);
    for samples in signal {
        for (x, amplitude) in samples.iter_mut().zip(&amplitudes) {
            *x *= 1.0 - amplitude;
        }
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

/// Multiplies each frame by the gain that is worked out so many frames later.
fn turn(signal: &mut Signal, gains: &[f64], ahead: usize) {
    for samples in signal {
        for (sample, gain) in samples.iter_mut().zip(&gains[ahead..]) {
            *sample *= gain;
        }
    }
}

/// Compressor, expander and gate.
fn dynamics(
    insert: &Insert,
    key: Option<&Signal>,
    clock: Clock<'_>,
    signal: &mut Signal,
    rate: f64,
) {
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

    let derived = Moving::new(insert, clock, move |of| {
        let slope = match kind {
            "compressor" => 1.0 - 1.0 / of("ratio"),
            "expander" => of("ratio") - 1.0,
            _ => 0.0,
        };
        let knee = of(if kind == "gate" { "hysteresis" } else { "knee" });
        let makeup = if kind == "compressor" {
            of("makeup")
        } else {
            0.0
        };
        let makeup = amplitude(Decibels(makeup));
        // A reduction rises when a compressor attacks, and when a gate or an expander releases.
        let (rise, fall) = match kind {
            "compressor" => ("attack", "release"),
            _ => ("release", "attack"),
        };
        [
            of("threshold"),
            slope,
            knee,
            left(of(rise)),
            left(of(fall)),
            makeup,
        ]
    });
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
    let wanted = |level: f64, open: bool, [threshold, slope, knee]: [f64; 3]| match kind {
        "compressor" => slope * bent(level - threshold, knee),
        "expander" => (slope * bent(threshold - level, knee)).min(-of("range")),
        _ => {
            let closes_below = threshold - if open { knee } else { 0.0 };
            if level < closes_below {
                -of("range")
            } else {
                0.0
            }
        }
    };
    let hold = match kind {
        "compressor" => 0,
        _ => frames(insert, "hold", rate),
    };
    let [threshold, slope, knee, ..] = derived.at(0);
    let mut reduction = wanted(silence, false, [threshold, slope, knee]);
    let (mut waits, mut open) = (hold, false);
    let gains: Vec<f64> = amplitudes
        .iter()
        .enumerate()
        .map(|(t, amplitude)| {
            let [threshold, slope, knee, rise, fall, makeup] = derived.at(t);
            let target = wanted(level(*amplitude), open, [threshold, slope, knee]);
            open = target == 0.0;
            if target <= reduction {
                waits = hold;
                reduction = target + fall * (reduction - target);
            } else if waits > 0 {
                waits -= 1;
            } else {
                reduction = target + rise * (reduction - target);
            }
            makeup * super::model::amplitude(Decibels(-reduction))
        })
        .collect();
    turn(signal, &gains, ahead);
}

fn duck(insert: &Insert, key: Option<&Signal>, clock: Clock<'_>, signal: &mut Signal, rate: f64) {
    let Some(key) = key else { return };
    let of = |key: &str| frames(insert, key, rate);
    let ahead = of("lookahead");
    let mut amplitudes = loudest(key);
    amplitudes.extend(vec![0.0; ahead]);
    let derived = Moving::new(insert, clock, |of| {
        [of("depth"), amplitude(Decibels(of("threshold")))]
    });
    // The share of the depth that is reached; it moves by one part of the way a frame.
    let (mut share, mut down, mut from, mut since, mut waits) = (0.0f64, false, 0.0, 0, 0);
    let gains: Vec<f64> = amplitudes
        .iter()
        .enumerate()
        .map(|(t, loudest)| {
            let [depth, threshold] = derived.at(t);
            let sounds = *loudest >= threshold;
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
            amplitude(Decibels(share * depth))
        })
        .collect();
    turn(signal, &gains, ahead);
}

fn repeat(insert: &Insert, clock: Clock<'_>, signal: &mut Signal, rate: f64) {
    let time = frames(insert, "time", rate);
    if time == 0 {
        return;
    }
    let derived = Moving::new(insert, clock, |of| {
        [amplitude(Decibels(of("feedback"))), of("mix")]
    });
    for samples in signal {
        let mut line = samples.clone();
        for t in 0..line.len() {
            let [feedback, mix] = derived.at(t);
            let repeat = if t < time { 0.0 } else { line[t - time] };
            line[t] = samples[t] + feedback * repeat;
            samples[t] = (1.0 - mix) * samples[t] + mix * repeat;
        }
    }
}
