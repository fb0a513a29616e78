//! Test signals: tones in segments, random numbers, and their way into a meter.

use soundtrack::{
    Block, Layout, SampleRate, Spec,
    measure::{Measured, Meter},
};
use std::f64::consts::{PI, TAU};

pub fn spec(rate: u32, layout: Layout) -> Spec {
    Spec {
        rate: SampleRate::new(rate).unwrap(),
        layout,
    }
}

/// A 1 kHz tone of continuous phase, in segments of so many seconds and a peak level in dBFS for each channel.
pub struct Tone {
    pub spec: Spec,
    table: Vec<f64>,
    at: usize,
}

impl Tone {
    pub fn new(rate: u32, layout: Layout) -> Self {
        let table = (0..rate)
            .map(|n| (TAU * 1000.0 * f64::from(n) / f64::from(rate)).sin())
            .collect();
        Self {
            spec: spec(rate, layout),
            table,
            at: 0,
        }
    }

    /// Feeds a segment, in blocks of odd sizes.
    pub fn feed(&mut self, meter: &mut Meter, seconds: f64, levels: &[f64]) {
        let mut left = (seconds * f64::from(self.spec.rate.hz())).round() as usize;
        let gains: Vec<f64> = levels.iter().map(|l| 10f64.powf(l / 20.0)).collect();
        let mut block = Block::new(self.spec.layout, 5000);
        while left > 0 {
            let n = left.min(1 + (self.at * 7919) % 5000);
            block.set_frames(n);
            for (samples, gain) in block.channels_mut().zip(&gains) {
                let tone = self.table[self.at % self.table.len()..]
                    .iter()
                    .chain(&self.table);
                samples
                    .iter_mut()
                    .zip(tone)
                    .for_each(|(s, t)| *s = t * gain);
            }
            meter.feed(&block);
            self.at += n;
            left -= n;
        }
    }
}

/// Measures a tone with two equal channels. Each segment is a length in seconds and a level in dBFS.
pub fn stereo(rate: u32, segments: &[(f64, f64)]) -> Measured {
    let mut tone = Tone::new(rate, Layout::Stereo);
    let mut meter = Meter::new(tone.spec);
    segments
        .iter()
        .for_each(|&(seconds, level)| tone.feed(&mut meter, seconds, &[level; 2]));
    meter.finish()
}

/// Measures samples.
pub fn measured(spec: Spec, channels: &[Vec<f64>], block: usize) -> Measured {
    let mut meter = Meter::new(spec);
    let frames = channels[0].len();
    let mut buffer = Block::new(spec.layout, block);
    for at in (0..frames).step_by(block) {
        let n = block.min(frames - at);
        buffer.set_frames(n);
        buffer
            .channels_mut()
            .zip(channels)
            .for_each(|(to, from)| to.copy_from_slice(&from[at..at + n]));
        meter.feed(&buffer);
    }
    meter.finish()
}

/// Returns a number uniform in −1 .. 1, from SplitMix64.
pub fn uniform(random: &mut u64) -> f64 {
    *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*random ^ (*random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

/// Returns the modified Bessel function of order 0.
fn bessel(x: f64) -> f64 {
    (1..200)
        .scan(1.0, |t, k| {
            *t *= (x / 2.0 / f64::from(k)).powi(2);
            Some(*t)
        })
        .sum::<f64>()
        + 1.0
}

pub fn sinc(t: f64) -> f64 {
    if t == 0.0 {
        1.0
    } else {
        (PI * t).sin() / (PI * t)
    }
}

/// Returns a Kaiser window at a place from −1 to 1.
pub fn kaiser(beta: f64, place: f64) -> f64 {
    bessel(beta * (1.0 - place * place).max(0.0).sqrt()) / bessel(beta)
}

/// Returns the burst of cases 20 to 23: made at four times the rate, low-passed, and every fourth sample kept.
pub fn burst(offset: usize) -> Vec<f64> {
    let high = |n: usize| {
        let (start, end) = (24 * 400, 24 * 400 + 16);
        let phase = |n: usize| (TAU * n as f64 / 24.0).sin() * 0.5;
        let taper = (n.min(24 * 800 - n) as f64 / 1920.0).min(1.0);
        match n {
            _ if n < start => taper * phase(n),
            _ if n < end => (TAU * (n - start) as f64 / 16.0).sin(),
            _ => taper * phase(n - end),
        }
    };
    let signal: Vec<f64> = (0..24 * 800).map(high).collect();
    let low: Vec<f64> = (-128..=128)
        .map(f64::from)
        .map(|k| kaiser(8.0, k / 128.0) * sinc(k / 4.0) / 4.0)
        .collect();
    let filtered = |n: usize| -> f64 {
        let tap = |(k, h): (usize, &f64)| {
            h * (n + 128)
                .checked_sub(k)
                .and_then(|i| signal.get(i))
                .unwrap_or(&0.0)
        };
        low.iter().enumerate().map(tap).sum()
    };
    (offset..signal.len()).step_by(4).map(filtered).collect()
}
