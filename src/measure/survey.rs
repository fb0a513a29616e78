//! What is watched of every track while it is rendered: peaks, and what tells that a stem is not as it should be.
//!
//! Cheap enough to be always on: one pass over the samples for peak and mean, and a look at 64 frames of every 4096 for
//! how alike the first two channels are.

use super::level_curve::{Keep, LevelCurve};
use crate::{
    block::Block,
    dsp::peak::{Peak, largest_and_sum},
    units::SampleRate,
};

/// How many values of its peaks are kept: one for each tenth of a second, up to 14 minutes.
const KEPT: usize = 1 << 13;
/// Frames that the channels are compared in, and how often that is done.
const LOOK: u64 = 64;
const EVERY: u64 = 4096;

/// The survey of one lane.
#[derive(Clone, Debug)]
pub(crate) struct Survey {
    rate: u64,
    pub peaks: Vec<Peak>,
    /// Sums of all samples, a channel each, and of how many frames.
    sums: Vec<f64>,
    sounding: u64,
    /// Of the first two channels: the sums of squares, and of products.
    squares: [f64; 2],
    products: f64,
    /// Frames rendered so far, and the peaks of their tenths of a second.
    frames: u64,
    height: f64,
    heights: LevelCurve,
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
            height: 0.0,
            heights: LevelCurve::keeping(Keep::Largest, KEPT),
        }
    }

    /// Takes the next frames, the first of which is frame `at` of the timeline; `sounding` of them lie within clips.
    pub(crate) fn take(&mut self, block: &Block, at: u64, sounding: u64) {
        let mut done = 0;
        while done < block.frames() {
            let n = usize::try_from(self.room())
                .unwrap_or(usize::MAX)
                .min(block.frames() - done);
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
                self.height = self.height.max(height);
            }
            self.forward(n as u64);
            done += n;
        }
        self.sounding += sounding;
        let mut channels = block.channels();
        if let (Some(left), Some(right)) = (channels.next(), channels.next()) {
            self.compare(left, right, at);
        }
    }

    /// Takes so many frames of silence.
    pub(crate) fn skip(&mut self, frames: usize) {
        let mut left = frames as u64;
        while left > 0 {
            let n = self.room().min(left);
            self.forward(n);
            left -= n;
        }
    }

    /// The largest mean of a channel while it sounds, as a share of its peak too; `None` where it sounds for less than a
    /// second.
    pub(crate) fn offset(&self) -> Option<(f64, f64)> {
        #[expect(clippy::cast_precision_loss, reason = "far less than 2^53 frames")]
        let frames = (self.sounding >= self.rate).then_some(self.sounding as f64)?;
        let mean =
            |(sum, peak): (&f64, &Peak)| ((sum / frames).abs(), (sum / frames).abs() / peak.value);
        self.sums
            .iter()
            .zip(&self.peaks)
            .filter(|(_, p)| p.value > 0.0)
            .map(mean)
            .max_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// How alike the first two channels are: 1 the same, −1 one the other upside down; `None` where one of them is far
    /// weaker.
    pub(crate) fn likeness(&self) -> Option<f64> {
        let [left, right] = self.squares;
        let near = left > 0.0 && right > 0.0 && (0.25..=4.0).contains(&(left / right));
        near.then(|| self.products / (left * right).sqrt())
    }

    /// The peak of the tenth of a second around a frame, counted from the first that was rendered.
    pub(crate) fn height(&self, frame: u64) -> f64 {
        let tenth = frame * 10 / self.rate;
        if tenth >= self.frames * 10 / self.rate {
            self.height
        } else {
            f64::from(self.heights.at(tenth))
        }
    }

    /// Frames to the end of the tenth of a second.
    fn room(&self) -> u64 {
        let tenth = self.frames * 10 / self.rate;
        ((tenth + 1) * self.rate).div_ceil(10) - self.frames
    }

    fn forward(&mut self, frames: u64) {
        let tenth = self.frames * 10 / self.rate;
        self.frames += frames;
        if self.frames * 10 / self.rate > tenth {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "seven digits are enough to compare tracks"
            )]
            self.heights.push(std::mem::take(&mut self.height) as f32);
        }
    }

    fn compare(&mut self, left: &[f64], right: &[f64], at: u64) {
        let end = at + left.len() as u64;
        let mut look = at / EVERY * EVERY;
        while look < end {
            let part =
                |frame: u64| usize::try_from(frame.clamp(at, end) - at).unwrap_or(usize::MAX);
            let range = part(look)..part(look + LOOK);
            let both = left
                .get(range.clone())
                .unwrap_or_default()
                .iter()
                .zip(right.get(range).unwrap_or_default());
            for (l, r) in both.filter(|(l, r)| l.is_finite() && r.is_finite()) {
                self.squares = [self.squares[0] + l * l, self.squares[1] + r * r];
                self.products += l * r;
            }
            look += EVERY;
        }
    }
}
