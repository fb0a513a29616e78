//! The pad: four detuned saws for each note, two on either side, behind a filter that opens with the form.

use super::{
    filter::Filter,
    score::{self, SECONDS},
    tape::Tape,
    tone::{Envelope, Saw},
};
use dasp::{Signal, signal};

/// Detuning in cents, where each saw starts in its turn, and its side.
const VOICES: [(f64, f64, f64); 4] = [
    (-7.0, 0.10, -0.9),
    (4.0, 0.63, -0.5),
    (-3.0, 0.37, 0.5),
    (8.0, 0.81, 0.9),
];

/// The filter's corner over the piece: (seconds, Hz), straight lines between.
const OPENING: [(f64, f64); 6] = [
    (0.0, 420.0),
    (5.0, 700.0),
    (13.0, 900.0),
    (15.0, 1900.0),
    (25.0, 2300.0),
    (SECONDS, 350.0),
];

pub fn record(rate: f64) -> Vec<Vec<f64>> {
    let mut tape = Tape::new(rate);
    // Longer than the step between chords, so that one melts into the next.
    let envelope = Envelope::new(0.7, 1.1, rate);
    for note in score::pad() {
        let held = tape.frames(note.held());
        for (cents, phase, side) in VOICES {
            let mut saw = Saw::new(note.hz() * (cents / 1200.0f64).exp2(), phase, rate);
            let sound = envelope.hold(held).map(|level| level * saw.next());
            tape.add(note.start(), 0.1 * note.velocity, side, sound);
        }
    }
    let mut sway = signal::rate(rate).const_hz(0.11).sine();
    let filter = Filter::new(400.0, 0.75, rate);
    let mut sides = [filter.clone(), filter];
    for (i, (left, right)) in tape.left.iter_mut().zip(&mut tape.right).enumerate() {
        let sway = 1.0 + 0.15 * sway.next();
        if i % 64 == 0 {
            let hz = sway * opening(i as f64 / rate);
            sides.iter_mut().for_each(|side| side.tune(hz));
        }
        *left = sides[0].next(*left).low;
        *right = sides[1].next(*right).low;
    }
    tape.in_room(1.8, 0.25).stereo(-7.0)
}

fn opening(seconds: f64) -> f64 {
    OPENING.windows(2).find(|pair| seconds < pair[1].0).map_or(
        OPENING[OPENING.len() - 1].1,
        |pair| {
            let ((t0, hz0), (t1, hz1)) = (pair[0], pair[1]);
            hz0 + (hz1 - hz0) * (seconds - t0) / (t1 - t0)
        },
    )
}
