//! Guitar: Karplus–Strong, a burst of noise in a delay line whose feedback averages neighbouring samples.
//!
//! One period of the string is `line + ½ (the average) + fraction (an all-pass)` frames, so the string is in tune at every rate.

use super::{
    delay_line::DelayLine,
    filter::Filter,
    random::Random,
    recording::Recording,
    score::{self, Note},
    synth::Envelope,
};

const SEED: u64 = 0x57e_e1e5;

pub fn record(rate: f64) -> Vec<Vec<f64>> {
    let mut recording = Recording::new(rate);
    for (i, note) in score::guitar().into_iter().enumerate() {
        let string = pluck(&note, SEED + i as u64, rate);
        recording.add(note.start(), note.velocity, 0.0, string);
    }
    recording.with_reverb(0.8, 0.12).mono(-6.0)
}

/// Synthesises a plucked string.
fn pluck(note: &Note, seed: u64, rate: f64) -> impl Iterator<Item = f64> + use<> {
    let period = rate / note.hz() - 0.5;
    // The all-pass is most accurate between 0.3 and 1.3 frames.
    let whole = (period - 0.3).floor();
    let fraction = period - whole;
    let allpass = (1.0 - fraction) / (1.0 + fraction);
    let mut line = DelayLine::new(burst(whole as usize, note.velocity, seed, rate));

    // Every pitch falls by 60 dB in about three seconds, so the loss per period depends on the period.
    let keep = 10f64.powf(-3.0 / (note.hz() * 2.6));
    let ring = (note.held().max(0.9) * rate) as usize;
    let level: Vec<f64> = Envelope::new(0.0005, 0.25, rate).hold(ring).collect();
    let (mut last, mut passed) = (0.0, [0.0; 2]);
    level.into_iter().map(move |level| {
        let x = line.oldest();
        let average = keep * 0.5 * (x + last);
        last = x;
        let tuned = allpass * (average - passed[1]) + passed[0];
        passed = [average, tuned];
        line.push(tuned);
        level * x
    })
}

/// Returns the delay line at the pluck: noise, duller for a softer touch, without a mean, which would not decay.
fn burst(frames: usize, velocity: f64, seed: u64, rate: f64) -> Vec<f64> {
    let mut touch = Filter::new(900.0 + 3600.0 * velocity, 0.6, rate);
    let mut line: Vec<f64> = Random::new(seed)
        .map(|x| touch.next(x).low)
        .skip(frames)
        .take(frames)
        .collect();
    let mean = line.iter().sum::<f64>() / frames as f64;
    // Equal energy for every seed: otherwise notes would be accented at random.
    let energy = line.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / frames as f64;
    for x in &mut line {
        *x = (*x - mean) * 0.3 / energy.sqrt();
    }
    line
}
