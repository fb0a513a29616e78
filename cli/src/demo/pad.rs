//! Pad: four detuned saws for each note, two on each side, through a filter that opens with the form of the piece.

use super::{
    filter::Filter,
    recording::Recording,
    score::{self, SECONDS},
    synth::{Envelope, Saw},
};
use dasp::{Signal, signal};

/// Detuning in cents, start phase in periods, and pan of each saw.
const VOICES: [(f64, f64, f64); 4] = [
    (-7.0, 0.10, -0.9),
    (4.0, 0.63, -0.5),
    (-3.0, 0.37, 0.5),
    (8.0, 0.81, 0.9),
];

/// Corner of the filter over the piece: (seconds, Hz), linear between the points.
const CORNER: [(f64, f64); 6] = [
    (0.0, 420.0),
    (5.0, 700.0),
    (13.0, 900.0),
    (15.0, 1900.0),
    (25.0, 2300.0),
    (SECONDS, 350.0),
];

pub fn record(rate: f64) -> Vec<Vec<f64>> {
    let mut recording = Recording::new(rate);
    // Longer than the step between chords, so that they overlap.
    let envelope = Envelope::new(0.7, 1.1, rate);
    for note in score::pad() {
        let held = recording.frames(note.held());
        for (cents, phase, side) in VOICES {
            let mut saw = Saw::new(note.hz() * (cents / 1200.0f64).exp2(), phase, rate);
            let sound = envelope.hold(held).map(|level| level * saw.next());
            recording.add(note.start(), 0.1 * note.velocity, side, sound);
        }
    }
    let mut sway = signal::rate(rate).const_hz(0.11).sine();
    let filter = Filter::new(400.0, 0.75, rate);
    let mut sides = [filter.clone(), filter];
    for (i, (left, right)) in recording
        .left
        .iter_mut()
        .zip(&mut recording.right)
        .enumerate()
    {
        let sway = 1.0 + 0.15 * sway.next();
        if i % 64 == 0 {
            let hz = sway * corner_at(i as f64 / rate);
            sides.iter_mut().for_each(|side| side.tune(hz));
        }
        *left = sides[0].next(*left).low;
        *right = sides[1].next(*right).low;
    }
    recording.with_reverb(1.8, 0.25).stereo(-7.0)
}

/// Returns the corner of the filter in Hz.
fn corner_at(seconds: f64) -> f64 {
    let [.., (_, last)] = CORNER;
    let segments = CORNER.iter().zip(CORNER.iter().skip(1));
    for ((t0, hz0), (t1, hz1)) in segments {
        if seconds < *t1 {
            return hz0 + (hz1 - hz0) * (seconds - t0) / (t1 - t0);
        }
    }
    last
}
