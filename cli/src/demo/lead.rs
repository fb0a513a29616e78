//! The tune: a whistle with a late vibrato and some breath, and an echo that crosses the room in time.

use super::{
    filter::Filter,
    noise::Noise,
    score::{self, BEAT_SECONDS, Note},
    tape::Tape,
    tone::Envelope,
};
use dasp::{Signal, signal};
use std::f64::consts::TAU;

const SEED: u64 = 0x1ead;

pub fn record(rate: f64) -> Vec<Vec<f64>> {
    let mut tape = Tape::new(rate);
    let envelope = Envelope::new(0.035, 0.12, rate);
    for (i, note) in score::lead().into_iter().enumerate() {
        let held = tape.frames(note.held());
        let mut breath = Filter::new(note.hz() * 1.5, 1.2, rate);
        let air = Noise::new(SEED + i as u64).map(move |x| breath.next(x).band);
        let mut turns = signal::rate(rate).hz(pitch(&note, rate)).phase();
        let sound = envelope.hold(held).zip(air).map(|(level, air)| {
            let (sin, cos) = (TAU * turns.next_phase()).sin_cos();
            // Overtones 2 and 3 from the double and triple angle; louder notes have more of them.
            let overtones = 0.32 * 2.0 * sin * cos + 0.14 * sin * (3.0 - 4.0 * sin * sin);
            level * (sin + note.velocity * overtones + 0.05 * air)
        });
        tape.add(note.start(), note.velocity, 0.0, sound);
    }
    cross_echo(&mut tape);
    tape.in_room(1.6, 0.14).stereo(-6.0)
}

/// The note's frequency over time: it scoops up from a little below, and vibrato comes once it has settled.
fn pitch(note: &Note, rate: f64) -> impl Signal<Frame = f64> + use<> {
    let hz = note.hz();
    let settled = signal::from_iter((0..).map(move |i| f64::from(i) / rate));
    let vibrato = signal::rate(rate).const_hz(5.4).sine();
    vibrato.zip_map(settled, move |vibrato, seconds| {
        let depth = 0.0055 * ((seconds - 0.25) / 0.5).clamp(0.0, 1.0);
        let scoop = 0.012 * (1.0 - seconds / 0.06).max(0.0);
        hz * (1.0 + depth * vibrato - scoop)
    })
}

/// Each side repeats what the other played a dotted eighth before, about a third as loud.
fn cross_echo(tape: &mut Tape) {
    let delay = tape.frames(0.75 * BEAT_SECONDS);
    let (mut from_left, mut from_right) = (vec![0.0; delay], vec![0.0; delay]);
    for (i, (left, right)) in tape.left.iter_mut().zip(&mut tape.right).enumerate() {
        let at = i % delay;
        let (l, r) = (*left, *right);
        *left += 0.30 * from_right[at];
        *right += 0.36 * from_left[at];
        // Only the left line hears the player, so the first answer comes from the right, the second from the left.
        (from_left[at], from_right[at]) =
            (0.5 * (l + r) + 0.3 * from_right[at], 0.33 * (*right - r));
    }
}
