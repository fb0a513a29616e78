//! Reverb of a small room: four delay lines that feed each other through a lossless matrix.
//!
//! ```text
//! in ─►(+)─► delay 1..4 ─► damping ─► gain ─┬─► left = 1 + 3, right = 2 + 4
//!       ▲                                   │
//!       └────── I − ½·ones (Householder) ◄──┘
//! ```

use super::delay_line::DelayLine;

/// Delays in seconds, without a common divisor, so that echoes do not coincide and form a pitch.
const DELAYS: [f64; 4] = [0.0297, 0.0371, 0.0411, 0.0437];

/// Stereo feedback delay network.
pub struct Reverb {
    branches: [Branch; 4],
    /// Coefficient of the one-pole filters that make high frequencies decay sooner.
    damping: f64,
}

/// A delay line with its gain and the state of its filter.
struct Branch {
    line: DelayLine,
    gain: f64,
    damped: f64,
}

impl Reverb {
    /// Creates a reverb that falls by 60 dB in `decay` seconds.
    pub fn new(decay: f64, rate: f64) -> Self {
        let branches = DELAYS.map(|seconds| Branch {
            line: DelayLine::silent((seconds * rate).round() as usize),
            gain: 10f64.powf(-3.0 * seconds / decay),
            damped: 0.0,
        });
        Self {
            branches,
            damping: (-std::f64::consts::TAU * 4500.0 / rate).exp(),
        }
    }

    /// Processes one frame and returns the reverb without the input.
    pub fn next(&mut self, left: f64, right: f64) -> [f64; 2] {
        let mut out = [0.0; 4];
        for (out, branch) in out.iter_mut().zip(&mut self.branches) {
            let delayed = branch.line.oldest();
            branch.damped = delayed + self.damping * (branch.damped - delayed);
            *out = branch.gain * branch.damped;
        }
        let shared = 0.5 * out.iter().sum::<f64>();
        let inputs = [left, right, left, right];
        for ((branch, out), input) in self.branches.iter_mut().zip(out).zip(inputs) {
            branch.line.push(input + out - shared);
        }
        [out[0] + out[2], out[1] + out[3]]
    }
}
