//! Music-like material of any length for tests and benchmarks: decaying notes over a noise floor.
//!
//! The same seed and rate give the same samples, and shorter material is the beginning of longer material. It is never
//! silent, since the noise floor is at −54 dBFS, and stays inside −1 .. 1 without clamping. A note is a complex number that is
//! rotated and scaled once per frame, so no transcendental function is computed per frame.

use super::random::Random;
use std::f64::consts::TAU;

/// Pentatonic scale in semitones: consonant in any order.
const SCALE: [i32; 5] = [0, 2, 4, 7, 9];
const NOTES_PER_SECOND: f64 = 6.0;
/// Number of notes that sound at once; the next note replaces the oldest.
const VOICES: usize = 8;
/// Maximum amplitude of a note. Eight such notes in phase, with the noise, stay below full scale.
const MAX_AMPLITUDE: f64 = 0.135;
/// Amplitude of the noise.
const NOISE_FLOOR: f64 = 0.002;

/// A note: a complex amplitude, its factor per frame, and its gains.
#[derive(Clone, Copy, Default)]
struct Voice {
    re: f64,
    im: f64,
    turn_re: f64,
    turn_im: f64,
    left: f64,
    right: f64,
}

/// Returns `frames` frames of stereo material at `rate` Hz, left then right.
pub fn musical(seed: u64, rate: u32, frames: usize) -> [Vec<f64>; 2] {
    let rate = f64::from(rate);
    let mut random = Random::new(seed);
    let mut voices = [Voice::default(); VOICES];
    let (mut left, mut right) = (Vec::with_capacity(frames), Vec::with_capacity(frames));
    for beat in 0.. {
        // Each beat is computed from its number, so rounding does not accumulate.
        let start = (beat as f64 * rate / NOTES_PER_SECOND) as usize;
        let end = ((beat + 1) as f64 * rate / NOTES_PER_SECOND) as usize;
        if start >= frames {
            break;
        }
        if let Some(oldest) = voices.get_mut(beat % VOICES) {
            *oldest = note(&mut random, rate);
        }
        for _ in start..end.min(frames) {
            let (mut l, mut r) = (
                NOISE_FLOOR * random.uniform(),
                NOISE_FLOOR * random.uniform(),
            );
            for v in &mut voices {
                (v.re, v.im) = (
                    v.re * v.turn_re - v.im * v.turn_im,
                    v.re * v.turn_im + v.im * v.turn_re,
                );
                l += v.left * v.im;
                r += v.right * v.im;
            }
            left.push(l);
            right.push(r);
        }
    }
    [left, right]
}

/// Creates a note of random pitch, level, length and pan.
#[expect(
    clippy::indexing_slicing,
    reason = "the degree is below the length of the scale"
)]
fn note(random: &mut Random, rate: f64) -> Voice {
    let degree = random.below(15) as usize;
    let key = 45 + SCALE[degree % 5] + 12 * (degree / 5) as i32;
    let hz = (440.0 * (f64::from(key - 69) / 12.0).exp2()).min(rate * 0.4);
    let shrink = (-1.0 / (rate * (0.15 + 0.1 * random.below(8) as f64))).exp();
    let amplitude = MAX_AMPLITUDE * (0.3 + 0.1 * random.below(8) as f64);
    let pan = 0.2 + 0.1 * random.below(7) as f64;
    let (sin, cos) = (TAU * hz / rate).sin_cos();
    Voice {
        re: 1.0,
        im: 0.0,
        turn_re: shrink * cos,
        turn_im: shrink * sin,
        left: amplitude * (1.0 - pan).sqrt(),
        right: amplitude * pan.sqrt(),
    }
}
