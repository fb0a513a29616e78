//! True peak according to ITU-R BS.1770-5 Annex 2: the peak of the signal between its samples.
//!
//! The meter buffers the signal in runs of 512 frames at absolute positions and searches each for
//! peaks with [`dsp::true_peak`](crate::dsp::true_peak), so results are bit-equal however the audio
//! is split into blocks. Zeros precede the first frame and follow the last.

use super::level_curve::{Keep, LevelCurve};
use crate::{
    block::Block,
    dsp::{
        peak::largest,
        true_peak::{ABSURD, Crest, MARGIN, RUN, scan},
    },
    layout::Spec,
    units::{Dbtp, Frames},
};

/// True-peak meter. Non-finite samples count as 0; above 10³⁰ only the sample peak is measured.
///
/// ```
/// use soundtrack::{Block, Frames, Layout, SampleRate, Spec, measure::TruePeak};
/// let mut meter = TruePeak::new(Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono });
/// let mut block = Block::new(Layout::Mono, 4800);
/// block.set_frames(4800);
/// // A quarter of the rate, 45 degrees off: every sample is 3 dB below the crest.
/// let fade = |n: i32| (f64::from(n.min(4799 - n)) / 480.0).min(1.0);
/// let tone = |n| 0.5 * fade(n) * (std::f64::consts::PI * (f64::from(n) / 2.0 + 0.25)).sin();
/// block.channel_mut(0).iter_mut().zip(0..).for_each(|(s, n)| *s = tone(n));
/// meter.feed(&block);
/// meter.finish();
/// assert_eq!(meter.peak().unwrap().0.to_string(), "-6.02 dBTP");
/// ```
#[derive(Clone, Debug)]
pub struct TruePeak {
    rate: u64,
    channels: Vec<Vec<f64>>,
    /// Number of frames in the buffers.
    filled: usize,
    /// Position of the frame after the margin, including the zeros before the first frame.
    position: u64,
    total: u64,
    best: Crest,
    /// Tenth of a second of the latest run, and its peak so far.
    tenth: u64,
    tenth_peak: f64,
    curve: LevelCurve,
    finished: bool,
}

impl TruePeak {
    /// Creates a meter for audio of this rate and layout.
    #[must_use]
    pub fn new(spec: Spec) -> Self {
        Self {
            rate: u64::from(spec.rate.hz()),
            channels: vec![vec![0.0; MARGIN + RUN + MARGIN]; spec.layout.channels()],
            // Two margins of zeros: a margin, and a second one that is searched, since a peak may
            // precede the first sample.
            filled: 2 * MARGIN,
            position: 0,
            total: 0,
            best: Crest::default(),
            tenth: 0,
            tenth_peak: 0.0,
            curve: LevelCurve::new(Keep::Largest),
            finished: false,
        }
    }

    /// Measures the next frames. Surplus channels are ignored, missing channels are silent.
    pub fn feed(&mut self, block: &Block) {
        if self.finished {
            return;
        }
        let input: Vec<&[f64]> = block.channels().collect();
        let mut done = 0;
        while done < block.frames() {
            let n = (MARGIN + RUN + MARGIN - self.filled).min(block.frames() - done);
            for (ch, to) in self.channels.iter_mut().enumerate() {
                let Some(to) = to.get_mut(self.filled..self.filled + n) else {
                    continue;
                };
                match input.get(ch).and_then(|c| c.get(done..done + n)) {
                    Some(from) => to
                        .iter_mut()
                        .zip(from)
                        .for_each(|(t, f)| *t = if f.is_finite() { *f } else { 0.0 }),
                    None => to.fill(0.0),
                }
            }
            done += n;
            self.filled += n;
            self.total += n as u64;
            if self.filled == MARGIN + RUN + MARGIN {
                self.process_run();
            }
        }
    }

    /// Ends the signal. Later frames are ignored.
    pub fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        while self.position < self.total + 2 * MARGIN as u64 {
            self.channels
                .iter_mut()
                .filter_map(|c| c.get_mut(self.filled..))
                .for_each(|c| c.fill(0.0));
            self.process_run();
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "seven digits are enough for a curve"
        )]
        self.curve
            .push(Dbtp::from_amplitude(self.tenth_peak).0 as f32);
    }

    /// Returns the true peak so far, the frame preceding it and its channel; `None` for silence.
    /// Before [`finish`](Self::finish) the latest 32 to 543 frames are not included.
    #[must_use]
    pub fn peak(&self) -> Option<(Dbtp, Frames, usize)> {
        let Crest { value, at, channel } = self.best;
        let at = at
            .saturating_sub(MARGIN as u64)
            .min(self.total.saturating_sub(1));
        (value > 0.0).then(|| (Dbtp::from_amplitude(value), Frames(at), channel))
    }

    pub(super) fn into_curve(self) -> LevelCurve {
        self.curve
    }

    /// Measures the run in the buffers and shifts them to the next.
    fn process_run(&mut self) {
        let first = self
            .position
            .saturating_sub(MARGIN as u64)
            .min(self.total.saturating_sub(1));
        let tenth = first * 10 / self.rate;
        while self.tenth < tenth {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "seven digits are enough for a curve"
            )]
            self.curve
                .push(Dbtp::from_amplitude(self.tenth_peak).0 as f32);
            (self.tenth, self.tenth_peak) = (self.tenth + 1, 0.0);
        }
        let mut highest = Crest {
            value: self.tenth_peak,
            at: 0,
            channel: 0,
        };
        for (channel, samples) in self.channels.iter().enumerate() {
            let run = samples.get(MARGIN..MARGIN + RUN).unwrap_or_default();
            let peak = largest(run);
            if peak > highest.value {
                let first = run.iter().position(|s| s.abs() == peak).unwrap_or_default();
                highest = Crest {
                    value: peak,
                    at: self.position + first as u64,
                    channel,
                };
            }
        }
        for (channel, samples) in self.channels.iter().enumerate() {
            if highest.value < ABSURD {
                scan(samples, self.position, channel, &mut highest);
            }
        }
        self.tenth_peak = highest.value;
        if highest.value > self.best.value {
            self.best = highest;
        }
        self.channels
            .iter_mut()
            .for_each(|c| c.copy_within(RUN.., 0));
        self.filled = 2 * MARGIN;
        self.position += RUN as u64;
    }
}
