//! Drum kit: sine sweeps for skins, filtered noise for wires and cymbals, and a short reverb.

use super::{
    filter::Filter,
    random::Random,
    recording::Recording,
    score::{self, Hit},
    synth::Decay,
};
use std::f64::consts::TAU;

/// Seed of the first stroke. Each stroke has its own, so that no two sound alike and every run sounds the same.
const SEED: u64 = 0xd0_0d1e;

pub fn record(rate: f64) -> Vec<Vec<f64>> {
    let mut recording = Recording::new(rate);
    for (i, (at, hit, velocity)) in score::drums().into_iter().enumerate() {
        let noise = || Random::new(SEED + 2 * i as u64);
        match hit {
            Hit::Kick => {
                // Small speakers reproduce the click of the beater, large ones the sweep.
                recording.add(at, velocity, 0.0, skin(47.0, 3.2, 0.028, 0.19, rate));
                recording.add(
                    at,
                    0.25 * velocity,
                    0.0,
                    noise_burst(noise(), 2500.0, 0.004, FilterOutput::Low, rate),
                );
            }
            Hit::Snare => {
                recording.add(
                    at,
                    0.5 * velocity,
                    -0.1,
                    skin(182.0, 0.9, 0.012, 0.075, rate),
                );
                recording.add(
                    at,
                    0.22 * velocity,
                    -0.1,
                    skin(331.0, 0.4, 0.01, 0.05, rate),
                );
                // A harder stroke opens the wires: brighter and longer.
                let wires = noise_burst(
                    noise(),
                    1400.0 + 1200.0 * velocity,
                    0.05 + 0.06 * velocity,
                    FilterOutput::High,
                    rate,
                );
                recording.add(at, 0.36 * velocity * velocity, -0.1, wires);
            }
            Hit::Rim => {
                recording.add(
                    at,
                    0.3 * velocity,
                    -0.15,
                    skin(810.0, 0.3, 0.003, 0.022, rate),
                );
                recording.add(
                    at,
                    0.35 * velocity,
                    -0.15,
                    noise_burst(noise(), 1900.0, 0.012, FilterOutput::Band, rate),
                );
            }
            Hit::Hat => {
                let length = 0.016 + 0.022 * velocity;
                recording.add(
                    at,
                    0.42 * velocity,
                    0.3,
                    noise_burst(noise(), 7800.0, length, FilterOutput::High, rate),
                );
            }
            Hit::OpenHat => recording.add(
                at,
                0.36 * velocity,
                0.3,
                noise_burst(noise(), 7000.0, 0.16, FilterOutput::High, rate),
            ),
            Hit::Tom => {
                // Each stroke of a fill goes to a lower tom, further right.
                let lower = (at / score::BEAT_SECONDS).fract();
                recording.add(
                    at,
                    0.7 * velocity,
                    lower - 0.4,
                    skin(150.0 - 60.0 * lower, 0.8, 0.04, 0.16, rate),
                );
            }
            Hit::Crash => {
                // Independent noise on each side makes the crash wide.
                let other = Random::new(SEED + 2 * i as u64 + 1);
                recording.add(
                    at,
                    0.22 * velocity,
                    -0.8,
                    noise_burst(noise(), 4200.0, 0.75, FilterOutput::High, rate),
                );
                recording.add(
                    at,
                    0.22 * velocity,
                    0.8,
                    noise_burst(other, 4800.0, 0.7, FilterOutput::High, rate),
                );
            }
        }
    }
    recording.with_reverb(0.45, 0.1).stereo(-4.0)
}

/// Synthesises a struck skin: a sine at `hz` that starts `1 + bend` times higher and settles within `settle` seconds.
///
/// The phase is the integral of `hz·(1 + bend·e^(−t/settle))`, so the sweep is exact at every rate.
fn skin(hz: f64, bend: f64, settle: f64, length: f64, rate: f64) -> impl Iterator<Item = f64> {
    let (mut body, mut sweep) = (Decay::new(length, rate), Decay::new(settle, rate));
    (0..frames(length, rate)).map(move |i| {
        let turns = hz * (i as f64 / rate + bend * settle * (1.0 - sweep.next()));
        (TAU * turns).sin() * body.next()
    })
}

/// Output of the filter that is used.
enum FilterOutput {
    Low,
    Band,
    High,
}

/// Synthesises a burst of filtered noise that decays.
fn noise_burst(
    mut noise: Random,
    hz: f64,
    length: f64,
    output: FilterOutput,
    rate: f64,
) -> impl Iterator<Item = f64> {
    let (mut level, mut filter) = (Decay::new(length, rate), Filter::new(hz, 0.8, rate));
    (0..frames(length, rate)).map(move |_| {
        let bands = filter.next(noise.next().unwrap_or(0.0));
        let x = match output {
            FilterOutput::Low => bands.low,
            FilterOutput::Band => bands.band,
            FilterOutput::High => bands.high,
        };
        x * level.next()
    })
}

/// Returns the length of a decay in frames. It is inaudible after nine time constants (−78 dB).
fn frames(length: f64, rate: f64) -> usize {
    (9.0 * length * rate) as usize
}
