//! Shaker: filtered noise that swells before it stops, since the grains are thrown, not struck.

use super::{filter::Filter, random::Random, recording::Recording, score, synth::Decay};

const SEED: u64 = 0x5ea_5a17;

pub fn record(rate: f64) -> Vec<Vec<f64>> {
    let mut recording = Recording::new(rate);
    for (i, (at, _, velocity)) in score::shaker().into_iter().enumerate() {
        let mut noise = Random::new(SEED + i as u64);
        let (mut body, mut air) = (
            Filter::new(5200.0, 1.6, rate),
            Filter::new(3500.0, 0.7, rate),
        );
        // Hard strokes swell faster.
        let swell = (0.030 - 0.014 * velocity) * rate;
        let mut fall = Decay::new(0.022, rate);
        let stroke = (0..(0.3 * rate) as usize).map(move |i| {
            let x = noise.next().unwrap_or(0.0);
            let level = if (i as f64) < swell {
                (i as f64 / swell).powi(2)
            } else {
                fall.next()
            };
            level * air.next(body.next(x).band).high
        });
        recording.add(at, velocity * (0.4 + 0.6 * velocity), 0.0, stroke);
    }
    recording.with_reverb(0.3, 0.08).mono(-6.0)
}
