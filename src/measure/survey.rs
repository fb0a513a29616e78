//! Measurements made of every track while rendering: peaks, and indicators of faulty stems.
//!
//! Cheap enough to run always: one pass over the samples for peak and mean, and for the correlation
//! of the first two channels only 64 of every 4096 frames.

use super::level_curve::{Keep, LevelCurve};
use crate::{
    block::Block,
    dsp::peak::{Peak, largest_and_sum},
    units::{SampleRate, saturating_usize},
};

/// Maximum number of peaks kept: one per tenth of a second, up to 14 minutes.
const MAX_PEAKS: usize = 1 << 13;
/// Number of frames compared, and the interval between comparisons in frames.
const COMPARED_FRAMES: u64 = 64;
const COMPARISON_INTERVAL: u64 = 4096;

/// Measurements of one node.
#[derive(Clone, Debug)]
pub(crate) struct Survey {
    rate: u64,
    pub peaks: Vec<Peak>,
    /// Sum of all samples of each channel, and the number of frames within clips.
    sums: Vec<f64>,
    sounding: u64,
    /// Sums of squares and of products of the first two channels.
    squares: [f64; 2],
    products: f64,
    /// Frames rendered so far, and the peak of each tenth of a second.
    frames: u64,
    tenth_peak: f64,
    tenth_peaks: LevelCurve,
}

impl Survey {
    pub(crate) fn new(channels: usize, rate: SampleRate) -> Self {
        Self {
            rate: u64::from(rate.hz()),
            peaks: vec![Peak::default(); channels],
            sums: vec![0.0; channels],
            sounding: 0,
            squares: [0.0; 2],
            products: 0.0,
            frames: 0,
            tenth_peak: 0.0,
            tenth_peaks: LevelCurve::with_max_values(Keep::Largest, MAX_PEAKS),
        }
    }

    /// Measures the next frames. `at` is the timeline position of the first; `sounding` is the
    /// number of frames within clips.
    pub(crate) fn take(&mut self, block: &Block, at: u64, sounding: u64) {
        let mut done = 0;
        while done < block.frames() {
            let n = saturating_usize(self.frames_to_tenth()).min(block.frames() - done);
            for ((peak, sum), samples) in self
                .peaks
                .iter_mut()
                .zip(&mut self.sums)
                .zip(block.channels())
            {
                let samples = samples.get(done..done + n).unwrap_or_default();
                let (height, all) = largest_and_sum(samples);
                peak.note(height, samples, at + done as u64);
                *sum += all;
                self.tenth_peak = self.tenth_peak.max(height);
            }
            self.advance(n as u64);
            done += n;
        }
        self.sounding += sounding;
        let mut channels = block.channels();
        if let (Some(left), Some(right)) = (channels.next(), channels.next()) {
            self.compare(left, right, at);
        }
    }

    /// Measures `frames` frames of silence.
    pub(crate) fn skip(&mut self, frames: usize) {
        let mut left = frames as u64;
        while left > 0 {
            let n = self.frames_to_tenth().min(left);
            self.advance(n);
            left -= n;
        }
    }

    /// Returns the largest DC offset of a channel: the absolute mean within clips, and its ratio to
    /// the peak. `None` if the clips are shorter than a second.
    pub(crate) fn offset(&self) -> Option<(f64, f64)> {
        #[expect(clippy::cast_precision_loss, reason = "far less than 2^53 frames")]
        let frames = (self.sounding >= self.rate).then_some(self.sounding as f64)?;
        let mut largest: Option<(f64, f64)> = None;
        for (sum, peak) in self.sums.iter().zip(&self.peaks) {
            let mean = (sum / frames).abs();
            // Of equal means the last channel counts.
            if peak.value > 0.0 && largest.is_none_or(|(most, _)| mean.total_cmp(&most).is_ge()) {
                largest = Some((mean, mean / peak.value));
            }
        }
        largest
    }

    /// Returns the correlation of the first two channels: 1 for equal signals, −1 for inverted
    /// ones. `None` if one channel is more than 6 dB weaker than the other.
    pub(crate) fn likeness(&self) -> Option<f64> {
        let [left, right] = self.squares;
        let near = left > 0.0 && right > 0.0 && (0.25..=4.0).contains(&(left / right));
        near.then(|| self.products / (left * right).sqrt())
    }

    /// Returns the peak of the tenth of a second around a frame, counted from the first rendered
    /// frame.
    pub(crate) fn height(&self, frame: u64) -> f64 {
        let tenth = frame * 10 / self.rate;
        if tenth >= self.frames * 10 / self.rate {
            self.tenth_peak
        } else {
            f64::from(self.tenth_peaks.at(tenth))
        }
    }

    /// Returns the number of frames to the end of the tenth of a second.
    fn frames_to_tenth(&self) -> u64 {
        let tenth = self.frames * 10 / self.rate;
        ((tenth + 1) * self.rate).div_ceil(10) - self.frames
    }

    fn advance(&mut self, frames: u64) {
        let tenth = self.frames * 10 / self.rate;
        self.frames += frames;
        if self.frames * 10 / self.rate > tenth {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "seven digits are enough to compare tracks"
            )]
            self.tenth_peaks
                .push(std::mem::take(&mut self.tenth_peak) as f32);
        }
    }

    fn compare(&mut self, left: &[f64], right: &[f64], at: u64) {
        let end = at + left.len() as u64;
        let mut look = at / COMPARISON_INTERVAL * COMPARISON_INTERVAL;
        while look < end {
            let part = |frame: u64| saturating_usize(frame.clamp(at, end) - at);
            let range = part(look)..part(look + COMPARED_FRAMES);
            let both = left
                .get(range.clone())
                .unwrap_or_default()
                .iter()
                .zip(right.get(range).unwrap_or_default());
            for (l, r) in both.filter(|(l, r)| l.is_finite() && r.is_finite()) {
                self.squares = [self.squares[0] + l * l, self.squares[1] + r * r];
                self.products += l * r;
            }
            look += COMPARISON_INTERVAL;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;

    /// Tenths of a second of 4,410 and of 4,411 frames, each at a level of its own.
    #[test]
    fn a_height_is_the_peak_of_its_tenth_of_a_second() {
        let rate = SampleRate::new(44_105).unwrap();
        let tenth = |frame: u64| frame * 10 / 44_105;
        let level = |tenth: u64| [0.5, 0.25, 0.75, 0.125, 1.0, 0.0625][tenth as usize % 6];
        for size in [20_000, 441, 1_000] {
            let mut survey = Survey::new(1, rate);
            let mut at = 0;
            let mut block = Block::new(Layout::Mono, size);
            while at < 30_000 {
                block.fill(size, 0.0);
                for (n, sample) in block.channel_mut(0).iter_mut().enumerate() {
                    *sample = level(tenth(at + n as u64));
                }
                survey.take(&block, at, 0);
                at += size as u64;
            }
            for frame in (0..at).step_by(7) {
                assert_eq!(survey.height(frame), level(tenth(frame)), "{size}: {frame}");
            }
            // Silence that is not rendered takes its time as well.
            survey.skip(13_231);
            assert_eq!(survey.height(at + 8_821), 0.0);
        }
    }
}
