//! Building blocks of the instruments: a decay, an attack-hold-release envelope, a band-limited saw.
//!
//! Each runs at one rate, given in Hz, and computes no transcendental function per frame.

use std::f64::consts::PI;

/// Exponential decay that starts at 1 and falls by a factor e every `seconds`.
pub struct Decay {
    value: f64,
    ratio: f64,
}

impl Decay {
    pub fn new(seconds: f64, rate: f64) -> Self {
        Self {
            value: 1.0,
            ratio: (-1.0 / (seconds * rate)).exp(),
        }
    }

    pub fn next(&mut self) -> f64 {
        let value = self.value;
        self.value *= self.ratio;
        value
    }
}

/// Envelope that rises for `attack` seconds, holds, and falls for `release` seconds. Both slopes are half cosines, so that
/// nothing clicks, and are computed once.
pub struct Envelope {
    attack: Vec<f64>,
    release: Vec<f64>,
}

impl Envelope {
    pub fn new(attack: f64, release: f64, rate: f64) -> Self {
        let slope = |seconds: f64| {
            let frames = (seconds * rate).ceil() as usize;
            (0..frames)
                .map(|i| 0.5 - 0.5 * (PI * (i as f64 + 0.5) / frames as f64).cos())
                .collect()
        };
        Self {
            attack: slope(attack),
            release: slope(release),
        }
    }

    /// Returns the envelope of a note held for `held` frames. The attack is never cut, however short the note.
    pub fn hold(&self, held: usize) -> impl Iterator<Item = f64> + '_ {
        let flat = held.saturating_sub(self.attack.len());
        let rise = self.attack.iter().copied();
        rise.chain(std::iter::repeat_n(1.0, flat))
            .chain(self.release.iter().rev().copied())
    }
}

/// Sawtooth whose step is rounded over two frames (PolyBLEP) to reduce aliases.
pub struct Saw {
    phase: f64,
    step: f64,
}

impl Saw {
    pub fn new(hz: f64, phase: f64, rate: f64) -> Self {
        Self {
            phase,
            step: hz / rate,
        }
    }

    pub fn next(&mut self) -> f64 {
        let (p, d) = (self.phase, self.step);
        let rounding = if p < d {
            let x = p / d;
            x + x - x * x - 1.0
        } else if p > 1.0 - d {
            let x = (p - 1.0) / d;
            x * x + x + x + 1.0
        } else {
            0.0
        };
        self.phase = p + d;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
        }
        2.0 * p - 1.0 - rounding
    }
}
