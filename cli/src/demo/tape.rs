//! Where one instrument is recorded: notes are added at their times, then the take is finished for export.

use super::{filter::Filter, room::Room, score::SECONDS};
use std::f64::consts::PI;

/// A stereo recording of the length of the piece at one rate.
pub struct Tape {
    pub rate: f64,
    pub left: Vec<f64>,
    pub right: Vec<f64>,
}

impl Tape {
    pub fn new(rate: f64) -> Self {
        let frames = (SECONDS * rate) as usize;
        Self {
            rate,
            left: vec![0.0; frames],
            right: vec![0.0; frames],
        }
    }

    /// Seconds as a whole number of frames.
    pub fn frames(&self, seconds: f64) -> usize {
        (seconds * self.rate).round() as usize
    }

    /// Adds a sound at a time, placed by equal power: −1 is left, +1 is right.
    pub fn add(&mut self, seconds: f64, gain: f64, pan: f64, sound: impl Iterator<Item = f64>) {
        let angle = (pan + 1.0) * PI / 4.0;
        let (l, r) = (gain * angle.cos(), gain * angle.sin());
        let at = self.frames(seconds).min(self.left.len());
        for ((left, right), x) in self.left[at..]
            .iter_mut()
            .zip(&mut self.right[at..])
            .zip(sound)
        {
            *left += l * x;
            *right += r * x;
        }
    }

    /// Lets the take sound in a room; `wet` is the room's level beside the dry sound.
    pub fn in_room(mut self, decay: f64, wet: f64) -> Self {
        let mut room = Room::new(decay, self.rate);
        for (left, right) in self.left.iter_mut().zip(&mut self.right) {
            let [l, r] = room.next(*left, *right);
            *left += wet * l;
            *right += wet * r;
        }
        self
    }

    /// The finished stereo take.
    pub fn stereo(self, peak_dbfs: f64) -> Vec<Vec<f64>> {
        finish(vec![self.left, self.right], self.rate, peak_dbfs)
    }

    /// The finished take folded to one channel.
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

/// What an engineer does before export: no rumble or offset, no click at the end, a sensible level.
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
