//! The drum kit: sweeping sines for skins, filtered noise for wires and cymbals, a little room around it.

use super::{
    filter::Filter,
    noise::Noise,
    score::{self, Hit},
    tape::Tape,
    tone::Decay,
};
use std::f64::consts::TAU;

/// One seed per stroke, so that no two sound alike and every run sounds the same.
const SEED: u64 = 0xd0_0d1e;

pub fn record(rate: f64) -> Vec<Vec<f64>> {
    let mut tape = Tape::new(rate);
    for (i, (at, hit, velocity)) in score::drums().into_iter().enumerate() {
        let noise = || Noise::new(SEED + 2 * i as u64);
        match hit {
            Hit::Kick => {
                // The click of the beater is heard on small speakers, the sweep on large ones.
                tape.add(at, velocity, 0.0, skin(47.0, 3.2, 0.028, 0.19, rate));
                tape.add(
                    at,
                    0.25 * velocity,
                    0.0,
                    breath(noise(), 2500.0, 0.004, Take::Low, rate),
                );
            }
            Hit::Snare => {
                tape.add(
                    at,
                    0.5 * velocity,
                    -0.1,
                    skin(182.0, 0.9, 0.012, 0.075, rate),
                );
                tape.add(
                    at,
                    0.22 * velocity,
                    -0.1,
                    skin(331.0, 0.4, 0.01, 0.05, rate),
                );
                // A harder stroke opens the wires: brighter and longer.
                let wires = breath(
                    noise(),
                    1400.0 + 1200.0 * velocity,
                    0.05 + 0.06 * velocity,
                    Take::High,
                    rate,
                );
                tape.add(at, 0.36 * velocity * velocity, -0.1, wires);
            }
            Hit::Rim => {
                tape.add(
                    at,
                    0.3 * velocity,
                    -0.15,
                    skin(810.0, 0.3, 0.003, 0.022, rate),
                );
                tape.add(
                    at,
                    0.35 * velocity,
                    -0.15,
                    breath(noise(), 1900.0, 0.012, Take::Band, rate),
                );
            }
            Hit::Hat => {
                let length = 0.016 + 0.022 * velocity;
                tape.add(
                    at,
                    0.42 * velocity,
                    0.3,
                    breath(noise(), 7800.0, length, Take::High, rate),
                );
            }
            Hit::OpenHat => tape.add(
                at,
                0.36 * velocity,
                0.3,
                breath(noise(), 7000.0, 0.16, Take::High, rate),
            ),
            Hit::Tom => {
                // Each stroke of a fill goes to a lower tom, further right.
                let lower = (at / score::BEAT_SECONDS).fract();
                tape.add(
                    at,
                    0.7 * velocity,
                    lower - 0.4,
                    skin(150.0 - 60.0 * lower, 0.8, 0.04, 0.16, rate),
                );
            }
            Hit::Crash => {
                // Two noises, one for each side, make it wide.
                let other = Noise::new(SEED + 2 * i as u64 + 1);
                tape.add(
                    at,
                    0.22 * velocity,
                    -0.8,
                    breath(noise(), 4200.0, 0.75, Take::High, rate),
                );
                tape.add(
                    at,
                    0.22 * velocity,
                    0.8,
                    breath(other, 4800.0, 0.7, Take::High, rate),
                );
            }
        }
    }
    tape.in_room(0.45, 0.1).stereo(-4.0)
}

/// A struck skin: a sine at `hz` that starts `1 + bend` times higher and settles within `settle` seconds.
///
/// The phase is the integral of `hz·(1 + bend·e^(−t/settle))`, so the sweep is exact at every rate.
fn skin(hz: f64, bend: f64, settle: f64, length: f64, rate: f64) -> impl Iterator<Item = f64> {
    let (mut body, mut sweep) = (Decay::new(length, rate), Decay::new(settle, rate));
    (0..frames(length, rate)).map(move |i| {
        let turns = hz * (i as f64 / rate + bend * settle * (1.0 - sweep.next()));
        (TAU * turns).sin() * body.next()
    })
}

enum Take {
    Low,
    Band,
    High,
}

/// A puff of filtered noise that dies away.
fn breath(
    mut noise: Noise,
    hz: f64,
    length: f64,
    take: Take,
    rate: f64,
) -> impl Iterator<Item = f64> {
    let (mut level, mut filter) = (Decay::new(length, rate), Filter::new(hz, 0.8, rate));
    (0..frames(length, rate)).map(move |_| {
        let bands = filter.next(noise.next().unwrap_or(0.0));
        let x = match take {
            Take::Low => bands.low,
            Take::Band => bands.band,
            Take::High => bands.high,
        };
        x * level.next()
    })
}

/// A decay is inaudible after nine time constants (−78 dB).
fn frames(length: f64, rate: f64) -> usize {
    (9.0 * length * rate) as usize
}
