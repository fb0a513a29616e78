//! Collects the notes of one instrument at their times, and finishes the recording for export.

use super::{filter::Filter, reverb::Reverb, score::SECONDS};
use std::f64::consts::PI;

/// Stereo recording with the length of the piece.
pub struct Recording {
    /// Sample rate in Hz.
    pub rate: f64,
    pub left: Vec<f64>,
    pub right: Vec<f64>,
}

impl Recording {
    /// Creates a silent recording.
    pub fn new(rate: f64) -> Self {
        let frames = (SECONDS * rate) as usize;
        Self {
            rate,
            left: vec![0.0; frames],
            right: vec![0.0; frames],
        }
    }

    /// Returns a time rounded to frames.
    pub fn frames(&self, seconds: f64) -> usize {
        (seconds * self.rate).round() as usize
    }

    /// Adds a sound at a time, panned by equal power: −1 is left, +1 is right.
    pub fn add(&mut self, seconds: f64, gain: f64, pan: f64, sound: impl Iterator<Item = f64>) {
        let angle = (pan + 1.0) * PI / 4.0;
        let (l, r) = (gain * angle.cos(), gain * angle.sin());
        let at = self.frames(seconds).min(self.left.len());
        let frames = self.left.iter_mut().zip(&mut self.right).skip(at);
        for ((left, right), x) in frames.zip(sound) {
            *left += l * x;
            *right += r * x;
        }
    }

    /// Adds a reverb that falls by 60 dB in `decay` seconds, with the gain `wet`.
    pub fn with_reverb(mut self, decay: f64, wet: f64) -> Self {
        let mut reverb = Reverb::new(decay, self.rate);
        for (left, right) in self.left.iter_mut().zip(&mut self.right) {
            let [l, r] = reverb.next(*left, *right);
            *left += wet * l;
            *right += wet * r;
        }
        self
    }

    /// Finishes the recording as two channels with this peak.
    pub fn stereo(self, peak_dbfs: f64) -> Vec<Vec<f64>> {
        finish(vec![self.left, self.right], self.rate, peak_dbfs)
    }

    /// Finishes the recording as the mean of both channels, with this peak.
    pub fn mono(self, peak_dbfs: f64) -> Vec<Vec<f64>> {
        let middle = self
            .left
            .iter()
            .zip(&self.right)
            .map(|(l, r)| 0.5 * (l + r))
            .collect();
        finish(vec![middle], self.rate, peak_dbfs)
    }
}

/// Removes rumble and offset, fades out the end, and scales all channels to this peak.
fn finish(mut channels: Vec<Vec<f64>>, rate: f64, peak_dbfs: f64) -> Vec<Vec<f64>> {
    let fade = (2.5 * rate) as usize;
    for channel in &mut channels {
        let mut rumble = Filter::new(18.0, 0.7, rate);
        for x in channel.iter_mut() {
            *x = rumble.next(*x).high;
        }
        for (i, x) in channel.iter_mut().rev().take(fade).enumerate() {
            *x *= 0.5 - 0.5 * (PI * i as f64 / fade as f64).cos();
        }
    }
    let peak = channels
        .iter()
        .flatten()
        .fold(0.0f64, |peak, x| peak.max(x.abs()));
    let gain = 10f64.powf(peak_dbfs / 20.0) / peak;
    channels.iter_mut().flatten().for_each(|x| *x *= gain);
    channels
}
