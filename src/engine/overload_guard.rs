//! A stem that is far above full scale before its strip: more likely a fault of its decoder than loud.
//!
//! Offline it is found and told, and changes nothing. Where gain and pan stand still, what comes before them follows from
//! the peaks behind them, so that this costs nothing (0.04 % of the instructions of a mix of eight WAV stems); else the
//! samples are looked at once more (5 % of them, where all eight gains move). Live it is muted: from the block on in which
//! it is met, the last frame before dies away in a straight line, and the stem is silent until the next start. Nothing
//! below the limit changes by one bit.

use super::node::{Output, SILENCE};
use crate::{
    block::Block,
    diagnostics::{ClockTime, OverloadStage, Subject, Warning, WarningKind},
    dsp::{
        pan::PanLaw,
        peak::{Peak, largest},
    },
    layout::{Side, Speaker},
    plan::{Lane, Placing, Plan},
    units::{Dbfs, Pan},
};

/// What no stem should be above: +24 dBFS.
const ABSURD: f64 = 15.848_931_924_611_133;

/// Returns the warning of a track that is louder than music is: because its stem is, or else because its strip makes it
/// so.
pub(crate) fn absurd(track: &str, before: f64, after: f64) -> Option<Warning> {
    let (stage, level) = if before > ABSURD { (OverloadStage::Stem, before) } else { (OverloadStage::Strip, after) };
    (level > ABSURD).then(|| warning(track, stage, level, None))
}

/// Returns the warning of a stem that is muted while it is played, from about a time on.
pub(crate) fn muted(track: &str, height: f64, from: ClockTime) -> Warning {
    warning(track, OverloadStage::Stem, height, Some(from))
}

fn warning(track: &str, stage: OverloadStage, level: f64, muted_from: Option<ClockTime>) -> Warning {
    let peak = Dbfs::of(level.min(f64::MAX));
    Warning::new(WarningKind::Overload { stage, peak, muted_from }, Subject::track(track))
}

/// The largest sample of what comes into a strip.
pub(super) struct Height {
    /// What each channel is multiplied by, where that tells it; 0 where it does not.
    factors: Option<Vec<f64>>,
    seen: f64,
}

impl Height {
    pub(super) fn new(lane: &Lane, plan: &Plan) -> Self {
        Self { factors: factors(lane, plan), seen: 0.0 }
    }

    /// Looks at what comes into the strip, if it must.
    pub(super) fn take(&mut self, out: &Block, mono: &Block) {
        if self.factors.is_none() {
            self.seen = self.seen.max(height(out, mono));
        }
    }

    /// The largest sample so far, where the peaks behind the strip are these.
    pub(super) fn largest(&self, peaks: &[Peak]) -> f64 {
        let factors = self.factors.iter().flatten();
        let before = peaks.iter().zip(factors).filter(|(_, f)| **f != 0.0).map(|(p, f)| (p.value / f).abs());
        before.fold(self.seen, f64::max)
    }
}

fn height(out: &Block, mono: &Block) -> f64 {
    out.channels().chain(mono.channels()).map(largest).fold(0.0, f64::max)
}

/// What a lane multiplies its channels by; `None` where the samples before it do not follow from those behind it.
fn factors(lane: &Lane, plan: &Plan) -> Option<Vec<f64>> {
    let (level, pan) = (lane.gain.constant()?, Pan(lane.pan.constant()?));
    let mono = lane.clips().iter().filter(|c| c.place == Placing::Pan).count();
    let (law, alike) = if mono == 0 { (PanLaw::Balance, true) } else { (plan.pan_law, mono == lane.clips().len()) };
    let (left, right) = law.gains(pan);
    let factor = |speaker: &Speaker| {
        if mono > 0 {
            return level * speaker.pan(left, right).unwrap_or(0.0);
        }
        level
            * match speaker.side() {
                Side::Left => left,
                Side::Right => right,
                Side::Middle => 1.0,
            }
    };
    let factors: Vec<f64> = plan.spec.layout.speakers().iter().map(factor).collect();
    let told = if factors.len() < plan.spec.layout.channels() {
        false
    } else if mono == 0 {
        factors.iter().all(|f| *f != 0.0)
    } else {
        factors.iter().any(|f| *f != 0.0)
    };
    (alike && told).then_some(factors)
}

/// Mutes a stem that blows up while it is played.
pub(super) struct Guard {
    /// The last frame before, one sample a channel, then that of the mono clips.
    last: Vec<f64>,
    /// How high it went, and how many frames have passed since.
    gone: Option<(f64, usize)>,
    /// Frames in which the last one dies away.
    length: usize,
}

impl Guard {
    pub(super) fn new(channels: usize, length: usize) -> Self {
        Self { last: vec![0.0; channels + 1], gone: None, length: length.max(1) }
    }

    /// How high the stem went, if it is muted.
    pub(super) fn gone(&self) -> Option<f64> {
        self.gone.map(|(height, _)| height)
    }

    /// A new start: the stem is heard again.
    pub(super) fn forgive(&mut self) {
        self.gone = None;
        self.last.fill(0.0);
    }

    /// Looks at a block before its strip, and mutes it if it must.
    pub(super) fn take(&mut self, out: &mut Output, mono: &mut Block, frames: usize) {
        if out.active && self.gone.is_none() {
            let height = height(&out.block, mono);
            self.gone = (height > ABSURD).then_some((height, 0));
        }
        let (last, length) = (&mut self.last, self.length);
        let Some((_, passed)) = &mut self.gone else {
            let channels = out.block.channels().map(<[f64]>::last);
            let now = channels.chain([mono.channels().next().and_then(<[f64]>::last)]);
            last.fill(0.0);
            last.iter_mut().zip(now.filter(|_| out.active)).for_each(|(last, now)| *last = now.copied().unwrap_or(0.0));
            return;
        };
        #[expect(clippy::cast_precision_loss, reason = "some hundred frames")]
        let line = |n: usize| length.saturating_sub(*passed + n + 1) as f64 / length as f64;
        out.active &= *passed < length;
        for (samples, last) in out.block.channels_mut().chain(mono.channels_mut()).zip(last) {
            for (n, x) in samples.iter_mut().enumerate() {
                let gain = line(n);
                *x = if gain > 0.0 && *last != 0.0 { *last * gain } else { SILENCE };
            }
        }
        *passed = passed.saturating_add(frames);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;

    #[test]
    fn the_last_frame_dies_away_over_blocks_of_any_length_and_then_nothing_comes() {
        let (mut guard, mut mono) = (Guard::new(1, 8), Block::new(Layout::Mono, 0));
        let mut next = |value: f64, frames: usize| {
            let mut out = Output { block: Block::new(Layout::Mono, frames), active: true };
            out.block.set_frames(frames);
            out.block.channel_mut(0).fill(value);
            guard.take(&mut out, &mut mono, frames);
            (out.active, out.block.channel(0).to_vec(), guard.gone())
        };
        assert_eq!(next(ABSURD, 2), (true, vec![ABSURD; 2], None));
        assert_eq!(next(0.5, 1), (true, vec![0.5], None));
        assert_eq!(next(100.0, 3), (true, vec![0.4375, 0.375, 0.3125], Some(100.0)));
        assert_eq!(next(0.5, 1), (true, vec![0.25], Some(100.0)));
        assert_eq!(next(0.5, 5), (true, vec![0.1875, 0.125, 0.0625, 0.0, 0.0], Some(100.0)));
        assert_eq!(next(0.5, 2), (false, vec![0.0; 2], Some(100.0)));
        guard.forgive();
        assert_eq!(guard.gone(), None);
    }
}
