//! The plucked strings: Karplus–Strong, a burst of noise going round a delay line that averages as it turns.
//!
//! One period is `line + ½ (the average) + fraction (an all-pass)` frames, so the string is in tune at every rate.

use super::{
    filter::Filter,
    noise::Noise,
    score::{self, Note},
    tape::Tape,
    tone::Envelope,
};

const SEED: u64 = 0x57e_e1e5;

pub fn record(rate: f64) -> Vec<Vec<f64>> {
    let mut tape = Tape::new(rate);
    for (i, note) in score::guitar().into_iter().enumerate() {
        let string = pluck(&note, SEED + i as u64, rate);
        tape.add(note.start(), note.velocity, 0.0, string);
    }
    tape.in_room(0.8, 0.12).mono(-6.0)
}

fn pluck(note: &Note, seed: u64, rate: f64) -> impl Iterator<Item = f64> + use<> {
    let period = rate / note.hz() - 0.5;
    // The all-pass is best between 0.3 and 1.3 frames.
    let whole = (period - 0.3).floor();
    let fraction = period - whole;
    let allpass = (1.0 - fraction) / (1.0 + fraction);
    let mut line = burst(whole as usize, note.velocity, seed, rate);

    // 60 dB in about three seconds while it rings, whatever the pitch: the loss per turn depends on the period.
    let keep = 10f64.powf(-3.0 / (note.hz() * 2.6));
    let ring = (note.held().max(0.9) * rate) as usize;
    let level: Vec<f64> = Envelope::new(0.0005, 0.25, rate).hold(ring).collect();
    let (mut at, mut last, mut passed) = (0, 0.0, [0.0; 2]);
    level.into_iter().map(move |level| {
        let x = line[at];
        let average = keep * 0.5 * (x + last);
        last = x;
        let tuned = allpass * (average - passed[1]) + passed[0];
        passed = [average, tuned];
        line[at] = tuned;
        at = (at + 1) % line.len();
        level * x
    })
}

/// The string at the moment it is let go: noise, softer for a softer touch, without a mean that would linger.
fn burst(frames: usize, velocity: f64, seed: u64, rate: f64) -> Vec<f64> {
    let mut touch = Filter::new(900.0 + 3600.0 * velocity, 0.6, rate);
    let mut line: Vec<f64> = Noise::new(seed)
        .map(|x| touch.next(x).low)
        .skip(frames)
        .take(frames)
        .collect();
    let mean = line.iter().sum::<f64>() / frames as f64;
    // The same energy for every seed: a burst of noise would otherwise accent notes at random.
    let energy = line.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / frames as f64;
    for x in &mut line {
        *x = (*x - mean) * 0.3 / energy.sqrt();
    }
    line
}
