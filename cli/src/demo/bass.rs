//! Bass: a saw through a filter that closes as the string settles, and a sine at the fundamental.

use super::{
    filter::Filter,
    recording::Recording,
    score,
    synth::{Decay, Envelope, Saw},
};
use dasp::{Signal, signal};

pub fn record(rate: f64) -> Vec<Vec<f64>> {
    let mut recording = Recording::new(rate);
    let envelope = Envelope::new(0.005, 0.07, rate);
    for note in score::bass() {
        let held = recording.frames(note.held());
        let mut filter = Filter::new(800.0, 0.9, rate);
        let (mut bite, mut body) = (Decay::new(0.16, rate), Decay::new(2.2, rate));
        let mut saw = Saw::new(note.hz(), 0.0, rate);
        let mut sine = signal::rate(rate).const_hz(note.hz()).sine();
        let sound = envelope.hold(held).enumerate().map(move |(i, level)| {
            let bite = bite.next();
            if i % 32 == 0 {
                filter.tune(170.0 + 1500.0 * note.velocity * bite);
            }
            let x = 0.75 * sine.next() + 0.5 * filter.next(saw.next()).low;
            // Gentle saturation: low notes get overtones that small speakers can play.
            level * body.next() * (1.4 * x).tanh()
        });
        recording.add(note.start(), note.velocity, 0.0, sound);
    }
    recording.mono(-6.0)
}
