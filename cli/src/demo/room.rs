//! A small reverberant room: four delay lines that feed each other through a lossless matrix.
//!
//! ```text
//! in ─►(+)─► delay 1..4 ─► damping ─► gain ─┬─► left = 1 + 3, right = 2 + 4
//!       ▲                                   │
//!       └────── I − ½·ones (Householder) ◄──┘
//! ```

/// Delays in seconds, without a common measure, so that echoes do not pile up into a pitch.
const DELAYS: [f64; 4] = [0.0297, 0.0371, 0.0411, 0.0437];

pub struct Room {
    lines: [Line; 4],
    /// One-pole damping: high notes die first.
    damping: f64,
}

struct Line {
    delayed: Vec<f64>,
    at: usize,
    gain: f64,
    dull: f64,
}

impl Room {
    /// A room whose sound falls by 60 dB in `decay` seconds.
    pub fn new(decay: f64, rate: f64) -> Self {
        let lines = DELAYS.map(|seconds| Line {
            delayed: vec![0.0; (seconds * rate).round() as usize],
            at: 0,
            gain: 10f64.powf(-3.0 * seconds / decay),
            dull: 0.0,
        });
        Self {
            lines,
            damping: (-std::f64::consts::TAU * 4500.0 / rate).exp(),
        }
    }

    pub fn next(&mut self, left: f64, right: f64) -> [f64; 2] {
        let mut out = [0.0; 4];
        for (out, line) in out.iter_mut().zip(&mut self.lines) {
            let heard = line.delayed[line.at];
            line.dull = heard + self.damping * (line.dull - heard);
            *out = line.gain * line.dull;
        }
        let shared = 0.5 * out.iter().sum::<f64>();
        for (i, line) in self.lines.iter_mut().enumerate() {
            let direct = if i % 2 == 0 { left } else { right };
            line.delayed[line.at] = direct + out[i] - shared;
            line.at = (line.at + 1) % line.delayed.len();
        }
        [out[0] + out[2], out[1] + out[3]]
    }
}
