//! Electric piano: two-operator FM whose brightness follows the touch, a short tine, and a stereo tremolo.

use super::{
    recording::Recording,
    score,
    synth::{Decay, Envelope},
};
use dasp::{Signal, signal};
use std::f64::consts::TAU;

pub fn record(rate: f64) -> Vec<Vec<f64>> {
    let mut recording = Recording::new(rate);
    let envelope = Envelope::new(0.003, 0.18, rate);
    for note in score::keys() {
        let held = recording.frames(note.held());
        let hz = note.hz();
        let mut turns = signal::rate(rate).const_hz(hz).phase();
        // High notes decay sooner, hard notes start brighter.
        let mut body = Decay::new(1.9 * (261.6 / hz).sqrt(), rate);
        let mut bright = Decay::new(0.55, rate);
        let sound = envelope.hold(held).map(move |level| {
            let angle = TAU * turns.next_phase();
            let index = (0.25 + 1.3 * note.velocity) * bright.next();
            level * body.next() * (angle + index * angle.sin()).sin()
        });
        recording.add(note.start(), note.velocity, 0.0, sound);

        let mut tine = signal::rate(rate).const_hz(hz * 7.0).sine();
        let mut ring = Decay::new(0.09, rate);
        let short = held.min(recording.frames(0.4));
        let sound = envelope
            .hold(short)
            .map(move |level| level * ring.next() * tine.next());
        recording.add(
            note.start(),
            0.14 * note.velocity * note.velocity,
            0.0,
            sound,
        );
    }
    // The tremolo moves from one side to the other and back twice per bar.
    let mut tremolo = signal::rate(rate)
        .const_hz(0.5 / score::BEAT_SECONDS)
        .sine();
    for (left, right) in recording.left.iter_mut().zip(&mut recording.right) {
        let shift = 0.3 * tremolo.next();
        *left *= 1.0 - shift;
        *right *= 1.0 + shift;
    }
    recording.with_reverb(1.3, 0.16).stereo(-6.0)
}
