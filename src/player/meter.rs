//! Level meters of strips during playback; their ballistics are those of `dasp`.
//!
//! A meter takes two numbers per block, the largest sample and the mean square, so its cost does not depend on its window.
//! The peak falls by a factor of e in 0.3 s; the RMS covers the last 0.3 s. The largest sample is held until it is cleared,
//! so that a clip light shows an over of one sample whenever somebody looks.

use crate::{
    block::Block,
    dsp::peak::largest,
    units::{Dbfs, Decibels},
};
use dasp::{
    envelope::{Detector, detect::Peak},
    ring_buffer::Fixed,
    rms::Rms,
};
use std::sync::atomic::{AtomicU64, Ordering};

/// Window of the RMS and fall time of the peak in seconds.
const WINDOW: f64 = 0.3;
/// Levels below this are shown as silence: −140 dBFS. The running sum of the RMS holds only rounding errors there.
const FLOOR: f64 = 1e-7;
/// The largest level that a meter takes, so that its running sums stay finite.
const CEILING: f64 = 1e10;

/// The level of one strip.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Level {
    /// The largest recent sample; falls by 8.7 dB in 0.3 s.
    pub peak: Dbfs,
    /// The root mean square of the last 0.3 s in the loudest channel; a full-scale sine reads −3 dB.
    pub rms: Dbfs,
    /// The largest sample since the player was made or [`Player::clear_peaks`](crate::Player::clear_peaks).
    pub held_peak: Dbfs,
    /// The gain reduction of the strip's inserts together in decibels, 0 or more; falls by 8.7 dB in 0.3 s.
    pub reduction: Decibels,
}

/// The levels of all strips, after gain and pan; muted strips show silence.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Levels {
    /// The tracks, in order.
    pub tracks: Vec<Level>,
    /// The buses, in order.
    pub buses: Vec<Level>,
    /// For each cue, in order, its tracks: the loudest of the placements of each.
    pub cues: Vec<Vec<Level>>,
    /// The mix.
    pub master: Level,
}

/// Measures the level of one strip, on the playback thread.
pub(super) struct LevelMeter {
    peak: Detector<f64, Peak>,
    rms: Rms<f64, Vec<f64>>,
    /// Gain reduction in dB.
    reduction: f64,
    /// Decibels by which the reduction falls in a block.
    reduction_fall: f64,
}

/// Decibels by which peak and gain reduction fall in the window: a factor of e.
const FALL_DB: f64 = 8.685_889_638_065_035;
/// Largest gain reduction that a meter shows, that of a gate that is closed.
const MAX_REDUCTION_DB: f64 = 140.0;

/// The level that a meter shows, for any thread to read: the bits of linear levels, and of a reduction in dB.
#[derive(Debug, Default)]
pub(super) struct LevelDisplay {
    peak: AtomicU64,
    rms: AtomicU64,
    held_peak: AtomicU64,
    reduction: AtomicU64,
}

impl LevelMeter {
    /// Makes a meter that takes this number of blocks per second.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some dozens to a few thousand blocks"
    )]
    pub(super) fn new(blocks_per_second: f64) -> Self {
        let blocks = (WINDOW * blocks_per_second).clamp(1.0, 100_000.0);
        Self {
            peak: Detector::peak(0.0, blocks as f32),
            rms: Rms::new(Fixed::from(vec![0.0; blocks as usize])),
            reduction: 0.0,
            reduction_fall: FALL_DB / blocks,
        }
    }

    /// Takes the strip's next block, `None` for silence, and the smallest gain of its inserts in it, and shows the level.
    pub(super) fn take(&mut self, block: Option<&Block>, gain: f64, display: &LevelDisplay) {
        let peak = block.map_or(0.0, |b| b.channels().map(largest).fold(0.0, f64::max));
        let rms = block.map_or(0.0, |b| {
            b.channels().map(mean_square).fold(0.0, f64::max).sqrt()
        });
        let finite = |x: f64| if x.is_finite() { x.min(CEILING) } else { 0.0 };
        display.hold(finite(peak));
        let (peak, rms) = (self.peak.next(finite(peak)), self.rms.next(finite(rms)));
        let reduction = (-20.0 * libm::log10(gain)).clamp(0.0, MAX_REDUCTION_DB);
        self.reduction = reduction.max(self.reduction - self.reduction_fall);
        display.show(peak, rms, self.reduction);
    }

    /// Falls to silence at once.
    pub(super) fn reset(&mut self, display: &LevelDisplay) {
        self.rms.reset();
        // The detector cannot be reset; it falls below the floor within some hundred steps.
        while self.peak.next(0.0) > FLOOR {}
        self.reduction = 0.0;
        display.show(0.0, 0.0, 0.0);
    }
}

fn mean_square(samples: &[f64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a block is short")]
    let n = samples.len().max(1) as f64;
    // Four independent sums, so that the compiler vectorises the loop.
    let (fours, rest) = samples.as_chunks::<4>();
    let mut sums = [0.0f64; 4];
    for four in fours {
        sums.iter_mut().zip(four).for_each(|(sum, x)| *sum += x * x);
    }
    (sums.iter().sum::<f64>() + rest.iter().map(|x| x * x).sum::<f64>()) / n
}

impl LevelDisplay {
    fn show(&self, peak: f64, rms: f64, reduction: f64) {
        let floored = |x: f64| if x < FLOOR { 0.0 } else { x };
        self.peak.store(floored(peak).to_bits(), Ordering::Relaxed);
        self.rms.store(floored(rms).to_bits(), Ordering::Relaxed);
        self.reduction.store(reduction.to_bits(), Ordering::Relaxed);
    }

    /// Holds a linear level if it is the largest since the last [`clear`](Self::clear).
    fn hold(&self, peak: f64) {
        // The bits of numbers from 0 on are in the order of the numbers.
        self.held_peak.fetch_max(peak.to_bits(), Ordering::Relaxed);
    }

    /// Forgets the held level.
    pub(super) fn clear(&self) {
        self.held_peak.store(0, Ordering::Relaxed);
    }

    /// Holds what another display of the same strip holds.
    pub(super) fn hold_from(&self, other: &Self) {
        let held = other.held_peak.load(Ordering::Relaxed);
        self.held_peak.fetch_max(held, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Level {
        let (peak, rms) = self.read_linear();
        let number = |bits: &AtomicU64| f64::from_bits(bits.load(Ordering::Relaxed));
        Level {
            peak: Dbfs::from_amplitude(peak),
            rms: Dbfs::from_amplitude(rms),
            held_peak: Dbfs::from_amplitude(number(&self.held_peak)),
            reduction: Decibels(number(&self.reduction)),
        }
    }

    fn read_linear(&self) -> (f64, f64) {
        let level = |bits: &AtomicU64| f64::from_bits(bits.load(Ordering::Relaxed));
        (level(&self.peak), level(&self.rms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;

    #[test]
    fn a_sine_reads_its_peak_and_its_rms() {
        let (mut meter, display) = (LevelMeter::new(187.5), LevelDisplay::default());
        let mut block = Block::new(Layout::Stereo, 256);
        block.set_frames(256);
        let sine = |n: usize| 0.5 * (std::f64::consts::TAU * n as f64 / 64.0).sin();
        block
            .channel_mut(1)
            .iter_mut()
            .enumerate()
            .for_each(|(n, x)| *x = sine(n));
        (0..200).for_each(|_| meter.take(Some(&block), 1.0, &display));
        let (peak, rms) = display.read_linear();
        assert!(
            (peak - 0.5).abs() < 1e-6 && (rms - 0.5 / 2f64.sqrt()).abs() < 1e-6,
            "{peak} {rms}"
        );
        (0..56).for_each(|_| meter.take(None, 1.0, &display));
        let (peak, rms) = display.read_linear();
        assert!((peak - 0.5 / std::f64::consts::E).abs() < 0.005, "{peak}");
        assert_eq!(rms, 0.0);
    }

    #[test]
    fn a_peak_is_held_until_it_is_cleared_and_a_reduction_falls() {
        let (mut meter, display) = (LevelMeter::new(187.5), LevelDisplay::default());
        let mut block = Block::new(Layout::Mono, 256);
        block.set_frames(256);
        block.channel_mut(0)[17] = 2.0;
        meter.take(Some(&block), 0.5, &display);
        // 56 blocks of 256 frames are a window of 0.3 s.
        (0..1000).for_each(|_| meter.take(None, 1.0, &display));
        let level = display.read();
        assert!((level.held_peak.0 - 6.0206).abs() < 1e-3, "{level:?}");
        assert_eq!(
            (level.peak, level.reduction.0),
            (Dbfs(f64::NEG_INFINITY), 0.0)
        );
        display.clear();
        assert_eq!(display.read().held_peak, Dbfs(f64::NEG_INFINITY));
        meter.take(None, 10f64.powf(-12.0 / 20.0), &display);
        assert!((display.read().reduction.0 - 12.0).abs() < 1e-9);
        (0..28).for_each(|_| meter.take(None, 1.0, &display));
        let fallen = 12.0 - FALL_DB * 28.0 / 56.25;
        assert!((display.read().reduction.0 - fallen).abs() < 1e-9);
        meter.take(None, 0.0, &display);
        assert_eq!(display.read().reduction.0, MAX_REDUCTION_DB);
    }
}
