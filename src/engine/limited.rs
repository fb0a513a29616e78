//! The master through its limiter: renders ahead of what is asked for, and gives it out at its own frame.
//!
//! After a jump the master is rendered from the warm-up on, so any frame has the bits it has in a render of everything.

use super::waveform_builder::Sketch;
use crate::{
    block::Block,
    dsp::{
        limiter::Limiter,
        peak::{Peak, largest},
    },
    measure::lane::{Keep, Lane},
    units::{Dbtp, SampleRate},
};
use std::ops::Range;

/// A limiter, where its output goes on, and what it did so far.
pub(super) struct Limited {
    pub limiter: Limiter,
    rate: u64,
    /// The frame after the last that was given out; `None` before any.
    next: Option<u64>,
    /// The first frame given out, and the tenth of a second after it that the curve is at.
    origin: Option<u64>,
    tenth: u64,
    strongest: f64,
    curve: Lane,
    /// The peaks of what was given out, and the largest part taken away.
    pub peaks: Vec<Peak>,
    most: Peak,
}

/// What a limiter did.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reduction {
    /// The largest part of the signal taken away, and its frame; `None` where nothing was.
    pub most: Option<Peak>,
    /// In dB, for each tenth of a second.
    pub curve: Vec<f32>,
    /// Seconds from one value to the next.
    pub step_s: f64,
}

impl Limited {
    pub(super) fn new(ceiling: Dbtp, rate: SampleRate, channels: usize) -> Self {
        Self {
            limiter: Limiter::new(ceiling.value(), rate, channels),
            rate: u64::from(rate.hz()),
            next: None,
            origin: None,
            tenth: 0,
            strongest: 0.0,
            curve: Lane::new(Keep::Largest),
            peaks: vec![Peak::default(); channels],
            most: Peak::default(),
        }
    }

    /// Whether the output can go on at a frame; where not, the frame that the input must begin with.
    pub(super) fn begin(&mut self, at: u64) -> Option<u64> {
        if self.next == Some(at) {
            return None;
        }
        self.next = Some(at);
        Some(self.limiter.restart(at.saturating_sub(self.limiter.warm_up())))
    }

    /// Gives out the next frames, into a range of a block, and draws them; the input that they want must be there.
    pub(super) fn give(&mut self, at: u64, out: &mut Block, range: Range<usize>, sketch: Option<&mut Sketch>) {
        let Self { limiter, rate, curve, tenth, strongest, most, origin, .. } = self;
        let origin = *origin.get_or_insert(at);
        limiter.pull(at, out, range.start, range.len(), |frame, reductions| {
            let now = frame.saturating_sub(origin) * 10 / *rate;
            while *tenth < now {
                curve.push(decibels(*strongest));
                (*tenth, *strongest) = (*tenth + 1, 0.0);
            }
            *strongest = strongest.max(largest(&reductions));
            most.take(&reductions, frame);
        });
        let given = out.channels().map(|c| c.get(range.clone()).unwrap_or_default());
        let peaks = self.peaks.iter_mut().zip(given);
        match sketch {
            None => peaks.for_each(|(peak, samples)| peak.take(samples, at)),
            Some(sketch) => sketch.take(peaks, at),
        }
        self.next = Some(at + range.len() as u64);
    }

    pub(super) fn reduction(&self) -> Reduction {
        let mut curve = self.curve.clone();
        curve.push(decibels(self.strongest));
        Reduction {
            most: (self.most.value > 0.0).then_some(self.most),
            step_s: f64::from(curve.per()) / 10.0,
            curve: curve.into_values(),
        }
    }
}

/// A part taken away as a reduction in dB.
#[expect(clippy::cast_possible_truncation, reason = "seven digits are enough for a curve")]
fn decibels(part: f64) -> f32 {
    if part > 0.0 { (-20.0 * libm::log10(1.0 - part)) as f32 } else { 0.0 }
}
