//! The electric piano: two-operator FM whose brightness follows the touch, a short tine, and a stereo tremolo.

use super::{
    score,
    tape::Tape,
    tone::{Decay, Envelope},
};
use dasp::{Signal, signal};
use std::f64::consts::TAU;

pub fn record(rate: f64) -> Vec<Vec<f64>> {
    let mut tape = Tape::new(rate);
    let envelope = Envelope::new(0.003, 0.18, rate);
    for note in score::keys() {
        let held = tape.frames(note.held());
        let hz = note.hz();
        let mut turns = signal::rate(rate).const_hz(hz).phase();
        // High notes die sooner, hard notes start brighter.
        let mut body = Decay::new(1.9 * (261.6 / hz).sqrt(), rate);
        let mut bright = Decay::new(0.55, rate);
        let sound = envelope.hold(held).map(move |level| {
            let angle = TAU * turns.next_phase();
            let index = (0.25 + 1.3 * note.velocity) * bright.next();
            level * body.next() * (angle + index * angle.sin()).sin()
        });
        tape.add(note.start(), note.velocity, 0.0, sound);

        let mut tine = signal::rate(rate).const_hz(hz * 7.0).sine();
        let mut ring = Decay::new(0.09, rate);
        let short = held.min(tape.frames(0.4));
        let sound = envelope
            .hold(short)
            .map(move |level| level * ring.next() * tine.next());
        tape.add(
            note.start(),
            0.14 * note.velocity * note.velocity,
            0.0,
            sound,
        );
    }
    // The sound leans from one side to the other and back twice a bar.
    let mut lean = signal::rate(rate)
        .const_hz(0.5 / score::BEAT_SECONDS)
        .sine();
    for (left, right) in tape.left.iter_mut().zip(&mut tape.right) {
        let lean = 0.3 * lean.next();
        *left *= 1.0 - lean;
        *right *= 1.0 + lean;
    }
    tape.in_room(1.3, 0.16).stereo(-6.0)
}
