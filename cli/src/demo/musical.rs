//! Music-like material of any length, for tests and benches: notes that ring over a floor of noise.
//!
//! The same seed and rate give the same samples, and a shorter take is the beginning of a longer one. It is
//! never silent: the floor of noise is at −54 dBFS. It stays inside −1 .. 1 without being clamped. No
//! transcendental function per frame: a note is a complex number turned and shrunk once a frame.

use std::f64::consts::TAU;

/// A pentatonic scale over three octaves sounds well in any order.
const SCALE: [i32; 5] = [0, 2, 4, 7, 9];
const NOTES_PER_SECOND: f64 = 6.0;
/// Notes ringing at once; the next note takes the place of the oldest.
const VOICES: usize = 8;
/// The loudest a note starts. With the floor, eight such notes in step stay below full scale.
const LOUDEST: f64 = 0.135;
const FLOOR: f64 = 0.002;

/// A partial of a note: its place on the circle, and the turn it makes in a frame.
#[derive(Clone, Copy, Default)]
struct Voice {
    re: f64,
    im: f64,
    turn_re: f64,
    turn_im: f64,
    left: f64,
    right: f64,
}

/// `frames` frames of stereo material at `rate` Hz, left then right.
pub fn musical(seed: u64, rate: u32, frames: usize) -> [Vec<f64>; 2] {
    let rate = f64::from(rate);
    let mut random = seed;
    let mut voices = [Voice::default(); VOICES];
    let (mut left, mut right) = (Vec::with_capacity(frames), Vec::with_capacity(frames));
    for beat in 0.. {
        // A beat begins at its own exact frame, so beats do not drift from the rate.
        let start = (beat as f64 * rate / NOTES_PER_SECOND) as usize;
        let end = ((beat + 1) as f64 * rate / NOTES_PER_SECOND) as usize;
        if start >= frames {
            break;
        }
        voices[beat % VOICES] = note(&mut random, rate);
        for _ in start..end.min(frames) {
            let (mut l, mut r) = (FLOOR * uniform(&mut random), FLOOR * uniform(&mut random));
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

/// A new note: pitch, loudness, length and place drawn from the generator.
fn note(random: &mut u64, rate: f64) -> Voice {
    let degree = draw(random, 15) as usize;
    let key = 45 + SCALE[degree % 5] + 12 * (degree / 5) as i32;
    let hz = (440.0 * (f64::from(key - 69) / 12.0).exp2()).min(rate * 0.4);
    let shrink = (-1.0 / (rate * (0.15 + 0.1 * draw(random, 8) as f64))).exp();
    let loud = LOUDEST * (0.3 + 0.1 * draw(random, 8) as f64);
    let place = 0.2 + 0.1 * draw(random, 7) as f64;
    let (sin, cos) = (TAU * hz / rate).sin_cos();
    Voice {
        re: 1.0,
        im: 0.0,
        turn_re: shrink * cos,
        turn_im: shrink * sin,
        left: loud * (1.0 - place).sqrt(),
        right: loud * place.sqrt(),
    }
}

/// SplitMix64.
fn next(random: &mut u64) -> u64 {
    *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*random ^ (*random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A whole number below `n`; `n` is tiny beside 2⁶⁴, so the bias is nil.
fn draw(random: &mut u64, n: u64) -> u64 {
    next(random) % n
}

/// Uniform in −1 .. 1.
fn uniform(random: &mut u64) -> f64 {
    (next(random) >> 11) as f64 * (2.0 / (1u64 << 53) as f64) - 1.0
}
