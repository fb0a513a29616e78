//! Level meters of strips while they are played: the only door to dasp.
//!
//! Each meter takes one pair of numbers a block, the largest sample and the mean of the squares, so its cost does not
//! depend on what it shows. The peak falls back by a factor of e in 0.3 s; the RMS is over the last 0.3 s.

use crate::{block::Block, dsp::peak::largest, measure::Loudness, units::Lufs};
use dasp::{
    envelope::{Detector, detect::Peak},
    ring_buffer::Fixed,
    rms::Rms,
};
use std::sync::atomic::{AtomicU64, Ordering};

/// The time that both numbers look back over, in seconds.
const WINDOW: f64 = 0.3;
/// Below this the running sum of the RMS is only rounding: −140 dBFS.
const FLOOR: f64 = 1e-7;

/// One strip's meter, on the engine's side.
pub(super) struct Meter {
    peak: Detector<f64, Peak>,
    rms: Rms<f64, Vec<f64>>,
}

/// What a meter shows, for any thread to read: the bits of two linear levels.
#[derive(Debug, Default)]
pub(super) struct Display {
    peak: AtomicU64,
    rms: AtomicU64,
}

impl Meter {
    /// A meter that is fed so many blocks a second.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some dozens to a few thousand blocks")]
    pub(super) fn new(blocks_a_second: f64) -> Self {
        let blocks = (WINDOW * blocks_a_second).clamp(1.0, 100_000.0);
        Self { peak: Detector::peak(0.0, blocks as f32), rms: Rms::new(Fixed::from(vec![0.0; blocks as usize])) }
    }

    /// Takes what a strip gave in a block, `None` for silence, and shows it.
    pub(super) fn take(&mut self, block: Option<&Block>, display: &Display) {
        let peak = block.map_or(0.0, |b| b.channels().map(largest).fold(0.0, f64::max));
        let rms = block.map_or(0.0, |b| b.channels().map(mean_square).fold(0.0, f64::max).sqrt());
        let fine = |x: f64| if x.is_finite() { x.min(1e10) } else { 0.0 };
        let (peak, rms) = (self.peak.next(fine(peak)), self.rms.next(fine(rms)));
        display.show(peak, rms);
    }

    /// Falls to silence at once.
    pub(super) fn reset(&mut self, display: &Display) {
        self.rms.reset();
        while self.peak.next(0.0) > FLOOR {}
        display.show(0.0, 0.0);
    }
}

fn mean_square(samples: &[f64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a block is short")]
    let n = samples.len().max(1) as f64;
    // Four sums side by side, which the compiler puts into vectors.
    let (fours, rest) = samples.as_chunks::<4>();
    let mut sums = [0.0f64; 4];
    for four in fours {
        sums.iter_mut().zip(four).for_each(|(sum, x)| *sum += x * x);
    }
    (sums.iter().sum::<f64>() + rest.iter().map(|x| x * x).sum::<f64>()) / n
}

impl Display {
    fn show(&self, peak: f64, rms: f64) {
        let floored = |x: f64| if x < FLOOR { 0.0 } else { x };
        self.peak.store(floored(peak).to_bits(), Ordering::Relaxed);
        self.rms.store(floored(rms).to_bits(), Ordering::Relaxed);
    }

    /// Peak and RMS as linear levels.
    pub(super) fn read(&self) -> (f64, f64) {
        let level = |bits: &AtomicU64| f64::from_bits(bits.load(Ordering::Relaxed));
        (level(&self.peak), level(&self.rms))
    }
}

/// Loudness of what was played, for any thread to read: the bits of three levels, NaN for none.
#[derive(Debug)]
pub(super) struct LoudnessDisplay([AtomicU64; 3]);

impl Default for LoudnessDisplay {
    fn default() -> Self {
        Self([f64::NAN; 3].map(|x| AtomicU64::new(x.to_bits())))
    }
}

impl LoudnessDisplay {
    pub(super) fn show(&self, loudness: &Loudness) {
        let levels = [loudness.momentary(), loudness.short_term(), loudness.integrated()];
        for (bits, level) in self.0.iter().zip(levels) {
            bits.store(level.map_or(f64::NAN, |l| l.0).to_bits(), Ordering::Relaxed);
        }
    }

    /// Momentary, short-term and integrated loudness.
    pub(super) fn read(&self) -> [Option<Lufs>; 3] {
        self.0.each_ref().map(|bits| {
            let level = f64::from_bits(bits.load(Ordering::Relaxed));
            (!level.is_nan()).then_some(Lufs(level))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;

    #[test]
    fn a_sine_reads_its_peak_and_its_rms() {
        let (mut meter, display) = (Meter::new(187.5), Display::default());
        let mut block = Block::new(Layout::Stereo, 256);
        block.set_frames(256);
        let sine = |n: usize| 0.5 * (std::f64::consts::TAU * n as f64 / 64.0).sin();
        block.channel_mut(1).iter_mut().enumerate().for_each(|(n, x)| *x = sine(n));
        (0..200).for_each(|_| meter.take(Some(&block), &display));
        let (peak, rms) = display.read();
        assert!((peak - 0.5).abs() < 1e-6 && (rms - 0.5 / 2f64.sqrt()).abs() < 1e-6, "{peak} {rms}");
        (0..56).for_each(|_| meter.take(None, &display));
        let (peak, rms) = display.read();
        assert!((peak - 0.5 / std::f64::consts::E).abs() < 0.005, "{peak}");
        assert_eq!(rms, 0.0);
    }
}
