//! Lead: a whistle with a late vibrato and some breath, and a ping-pong echo in time with the beat.

use super::{
    delay_line::DelayLine,
    filter::Filter,
    random::Random,
    recording::Recording,
    score::{self, BEAT_SECONDS, Note},
    synth::Envelope,
};
use dasp::{Signal, signal};
use std::f64::consts::TAU;

const SEED: u64 = 0x1ead;

pub fn record(rate: f64) -> Vec<Vec<f64>> {
    let mut recording = Recording::new(rate);
    let envelope = Envelope::new(0.035, 0.12, rate);
    for (i, note) in score::lead().into_iter().enumerate() {
        let held = recording.frames(note.held());
        let mut breath = Filter::new(note.hz() * 1.5, 1.2, rate);
        let air = Random::new(SEED + i as u64).map(move |x| breath.next(x).band);
        let mut turns = signal::rate(rate).hz(pitch(&note, rate)).phase();
        let sound = envelope.hold(held).zip(air).map(|(level, air)| {
            let (sin, cos) = (TAU * turns.next_phase()).sin_cos();
            // Overtones 2 and 3 from the double and triple angle; louder notes have more of them.
            let overtones = 0.32 * 2.0 * sin * cos + 0.14 * sin * (3.0 - 4.0 * sin * sin);
            level * (sin + note.velocity * overtones + 0.05 * air)
        });
        recording.add(note.start(), note.velocity, 0.0, sound);
    }
    cross_echo(&mut recording);
    recording.with_reverb(1.6, 0.14).stereo(-6.0)
}

/// Returns the frequency of a note over time: it rises from a little below, then gets a vibrato.
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

/// Adds an echo that repeats each side on the other a dotted eighth later, about a third as loud.
fn cross_echo(recording: &mut Recording) {
    let delay = recording.frames(0.75 * BEAT_SECONDS);
    let (mut from_left, mut from_right) = (DelayLine::silent(delay), DelayLine::silent(delay));
    for (left, right) in recording.left.iter_mut().zip(&mut recording.right) {
        let (l, r) = (*left, *right);
        let (echo_l, echo_r) = (from_left.oldest(), from_right.oldest());
        *left += 0.30 * echo_r;
        *right += 0.36 * echo_l;
        // Only the left line gets the input, so the first echo is on the right, the second on the left.
        from_left.push(0.5 * (l + r) + 0.3 * echo_r);
        from_right.push(0.33 * (*right - r));
    }
}
