//! Detects stems whose samples exceed +24 dBFS before their strip: a decoder fault is more likely than music that loud.
//!
//! Offline the overload is reported as a warning and changes no sample. [`InputPeak`] measures it: where gain and pan are
//! constant, the peak before the strip follows from the peak after it, which costs 0.04 % of the instructions of a mix of
//! eight WAV stems; else the samples are scanned once more, 5 % of the instructions when all eight gains change.
//!
//! Live, [`OverloadGuard`] mutes the stem: from the block with the overload on, the last good frame fades out linearly, and
//! the stem is silent until the next start. Samples below the limit keep every bit.

use super::node::{Output, SILENCE};
use crate::{
    block::Block,
    diagnostics::{ClockTime, OverloadStage, Subject, Warning, WarningKind},
    dsp::{
        pan::PanLaw,
        peak::{Peak, largest},
    },
    layout::{Side, Speaker},
    plan::{ChannelMap, Node, Plan},
    units::{Dbfs, Pan},
};

/// The largest sample value that no stem should exceed: +24 dBFS.
const OVERLOAD: f64 = 15.848_931_924_611_133;

/// Returns a warning for a track that exceeds +24 dBFS before its strip, or else after it. Both peaks are linear.
pub(crate) fn overload_warning(track: &str, before: f64, after: f64) -> Option<Warning> {
    let (stage, level) = if before > OVERLOAD {
        (OverloadStage::Stem, before)
    } else {
        (OverloadStage::Strip, after)
    };
    (level > OVERLOAD).then(|| warning(track, stage, level, None))
}

/// Returns the warning for a stem that was muted during playback, from about a time on.
pub(crate) fn muted_warning(track: &str, peak: f64, from: ClockTime) -> Warning {
    warning(track, OverloadStage::Stem, peak, Some(from))
}

fn warning(
    track: &str,
    stage: OverloadStage,
    level: f64,
    muted_from: Option<ClockTime>,
) -> Warning {
    let peak = Dbfs::from_amplitude(level.min(f64::MAX));
    Warning::new(
        WarningKind::Overload {
            stage,
            peak,
            muted_from,
        },
        Subject::track(track),
    )
}

/// Measures the largest sample before a strip.
pub(super) struct InputPeak {
    /// The strip's constant factor for each channel, 0 where the input does not follow from the output; `None` where the
    /// samples themselves must be scanned.
    factors: Option<Vec<f64>>,
    /// The largest sample scanned so far.
    scanned: f64,
}

impl InputPeak {
    pub(super) fn new(node: &Node, plan: &Plan) -> Self {
        Self {
            factors: constant_factors(node, plan),
            scanned: 0.0,
        }
    }

    /// Scans a block before the strip, where that is necessary.
    pub(super) fn take(&mut self, out: &Block, mono: &Block) {
        if self.factors.is_none() {
            self.scanned = self.scanned.max(peak(out, mono));
        }
    }

    /// Returns the largest sample so far, given the peaks after the strip.
    pub(super) fn largest(&self, peaks: &[Peak]) -> f64 {
        let factors = self.factors.iter().flatten();
        let before = peaks
            .iter()
            .zip(factors)
            .filter(|(_, f)| **f != 0.0)
            .map(|(p, f)| (p.value / f).abs());
        before.fold(self.scanned, f64::max)
    }
}

fn peak(out: &Block, mono: &Block) -> f64 {
    out.channels()
        .chain(mono.channels())
        .map(largest)
        .fold(0.0, f64::max)
}

/// Returns the factor that a node's strip applies to each channel; `None` where the input's peak does not follow from the
/// output's: gain or pan change, mono clips mix with others, or a channel is lost.
fn constant_factors(node: &Node, plan: &Plan) -> Option<Vec<f64>> {
    let (gain, pan) = (node.gain.constant()?, Pan(node.pan.constant()?));
    let mono_clips = node
        .clips()
        .iter()
        .filter(|c| c.channel_map == ChannelMap::Pan)
        .count();
    let is_mono = mono_clips > 0;
    if is_mono && mono_clips < node.clips().len() {
        return None;
    }
    let (left, right) = if is_mono {
        plan.pan_law
    } else {
        PanLaw::Balance
    }
    .gains(pan);
    let factor = |speaker: &Speaker| match speaker.side() {
        _ if is_mono => gain * speaker.pan(left, right).unwrap_or(0.0),
        Side::Left => gain * left,
        Side::Right => gain * right,
        Side::Middle => gain * 1.0,
    };
    let factors: Vec<f64> = plan.spec.layout.speakers().iter().map(factor).collect();
    if factors.len() < plan.spec.layout.channels() {
        return None;
    }
    // Every output channel of a mono track holds the same input, so one of them is enough.
    let known = if is_mono {
        factors.iter().any(|f| *f != 0.0)
    } else {
        factors.iter().all(|f| *f != 0.0)
    };
    known.then_some(factors)
}

/// Mutes an overloaded stem during playback.
pub(super) struct OverloadGuard {
    /// The last frame before the overload: one sample for each channel, then that of the mono clips.
    last: Vec<f64>,
    overload: Option<Overload>,
    /// Length of the fade in frames.
    fade: usize,
}

/// An overload that has occurred.
#[derive(Clone, Copy)]
struct Overload {
    /// The largest sample of its first block.
    peak: f64,
    /// Frames since that block began.
    elapsed: usize,
}

impl OverloadGuard {
    pub(super) fn new(channels: usize, fade: usize) -> Self {
        Self {
            last: vec![0.0; channels + 1],
            overload: None,
            fade: fade.max(1),
        }
    }

    /// Returns the peak that muted the stem, if it is muted.
    pub(super) fn overload(&self) -> Option<f64> {
        self.overload.map(|overload| overload.peak)
    }

    /// Unmutes the stem for a new start.
    pub(super) fn reset(&mut self) {
        self.overload = None;
        self.last.fill(0.0);
    }

    /// Checks a block before its strip, and replaces it with the fade or silence once the stem has overloaded.
    pub(super) fn take(&mut self, out: &mut Output, mono: &mut Block, frames: usize) {
        if out.active && self.overload.is_none() {
            let peak = peak(&out.block, mono);
            self.overload = (peak > OVERLOAD).then_some(Overload { peak, elapsed: 0 });
        }
        match self.overload {
            Some(overload) => {
                self.mute(out, mono, overload.elapsed);
                self.overload = Some(Overload {
                    elapsed: overload.elapsed.saturating_add(frames),
                    ..overload
                });
            }
            None => self.remember_last_frame(out, mono),
        }
    }

    fn remember_last_frame(&mut self, out: &Output, mono: &Block) {
        self.last.fill(0.0);
        if !out.active {
            return;
        }
        let samples = out.block.channels().map(<[f64]>::last);
        let samples = samples.chain([mono.channels().next().and_then(<[f64]>::last)]);
        self.last
            .iter_mut()
            .zip(samples)
            .for_each(|(last, sample)| *last = sample.copied().unwrap_or(0.0));
    }

    /// Replaces a block that starts `elapsed` frames after the overload.
    #[expect(clippy::cast_precision_loss, reason = "some hundred frames")]
    fn mute(&self, out: &mut Output, mono: &mut Block, elapsed: usize) {
        out.active &= elapsed < self.fade;
        for (samples, last) in out
            .block
            .channels_mut()
            .chain(mono.channels_mut())
            .zip(&self.last)
        {
            for (n, x) in samples.iter_mut().enumerate() {
                let gain = self.fade.saturating_sub(elapsed + n + 1) as f64 / self.fade as f64;
                *x = if gain > 0.0 && *last != 0.0 {
                    *last * gain
                } else {
                    SILENCE
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layout::{Layout, Spec},
        media::Memory,
        session::{Session, Track},
        units::{Decibels, SampleRate},
    };

    fn level(value: f64, frames: usize) -> Output {
        let mut block = Block::new(Layout::Mono, frames);
        block.fill(frames, value);
        Output {
            block,
            active: true,
        }
    }

    #[test]
    fn the_last_frame_dies_away_over_blocks_of_any_length_and_then_nothing_comes() {
        let (mut guard, mut mono) = (OverloadGuard::new(1, 8), Block::new(Layout::Mono, 0));
        let mut next = |value: f64, frames: usize| {
            let mut out = level(value, frames);
            guard.take(&mut out, &mut mono, frames);
            (out.active, out.block.channel(0).to_vec(), guard.overload())
        };
        assert_eq!(next(OVERLOAD, 2), (true, vec![OVERLOAD; 2], None));
        assert_eq!(next(0.5, 1), (true, vec![0.5], None));
        assert_eq!(
            next(100.0, 3),
            (true, vec![0.4375, 0.375, 0.3125], Some(100.0))
        );
        assert_eq!(next(0.5, 1), (true, vec![0.25], Some(100.0)));
        assert_eq!(
            next(0.5, 5),
            (true, vec![0.1875, 0.125, 0.0625, 0.0, 0.0], Some(100.0))
        );
        assert_eq!(next(0.5, 2), (false, vec![0.0; 2], Some(100.0)));
        guard.reset();
        assert_eq!(guard.overload(), None);
    }

    #[test]
    fn a_block_that_starts_where_the_fade_ends_is_silent() {
        let (mut guard, mut mono) = (OverloadGuard::new(1, 8), Block::new(Layout::Mono, 0));
        for (value, frames, is_active) in [(0.5, 1, true), (100.0, 8, true), (0.5, 1, false)] {
            let mut out = level(value, frames);
            guard.take(&mut out, &mut mono, frames);
            assert_eq!(out.active, is_active);
        }
    }

    #[test]
    fn a_strip_scales_each_side_by_its_gain_and_pan() {
        let factors = |layout, source, pan| {
            let spec = Spec {
                rate: SampleRate::HZ_48000,
                layout: source,
            };
            let memory = Memory::new(spec, vec![vec![0.5; 9]; source.channels()]).unwrap();
            let mut mix = Session::new(spec.rate, layout);
            mix.pan_law = PanLaw::Linear;
            let track = Track::new("t", memory).gain(Decibels(-6.0)).pan(Pan(pan));
            mix.add_track(track);
            let plan = Plan::compile(&mix).unwrap();
            constant_factors(&plan.nodes[0], &plan)
        };
        let gain = Decibels(-6.0).gain().0;
        let (left, right) = PanLaw::Balance.gains(Pan(0.5));
        assert_eq!(
            factors(Layout::Stereo, Layout::Stereo, 0.5),
            Some(vec![gain * left, gain * right])
        );
        assert_eq!(
            factors(Layout::Lcr, Layout::Lcr, 0.5),
            Some(vec![gain * left, gain * right, gain])
        );
        let (left, right) = PanLaw::Linear.gains(Pan(0.5));
        assert_eq!(
            factors(Layout::Stereo, Layout::Mono, 0.5),
            Some(vec![gain * left, gain * right])
        );
        // The left of a stereo stem is lost, but a mono stem is still on the right.
        assert_eq!(factors(Layout::Stereo, Layout::Stereo, 1.0), None);
        let (left, right) = PanLaw::Linear.gains(Pan(1.0));
        assert_eq!(
            factors(Layout::Stereo, Layout::Mono, 1.0),
            Some(vec![gain * left, gain * right])
        );
    }
}
