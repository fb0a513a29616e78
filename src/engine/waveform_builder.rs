//! Builds the waveform of a node while it is rendered: the lowest and highest sample of each bin, and for buses and the master
//! the root mean square. Tracks have none, since it would cost more than the rest of the waveform.
//!
//! Bins lie on a grid that is fixed before the first block, so a bin is a pure function of its frames: block size and threads
//! change no bit. The number of bins is bounded, however long a mix is. Frames that are not rendered count as silence.

use super::clip_log::OverLog;
use crate::{
    dsp::{
        extent::{Energy, extent, square},
        peak::Peak,
    },
    plan::NodeKind,
    units::{Frames, saturating_usize},
};
use std::ops::Range;

/// The grid of the bins on the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    /// The first frame of the first bin.
    pub start: u64,
    /// Number of frames in all bins.
    pub frames: u64,
    /// Number of frames in a bin; the last bin may have fewer.
    pub per_bin: u64,
}

impl Grid {
    /// Divides a range into at most `most` bins of equal length; 0 counts as 1.
    pub(crate) fn over(range: &Range<Frames>, most: usize) -> Self {
        let frames = (range.end - range.start).0;
        Self {
            start: range.start.0,
            frames,
            per_bin: frames.div_ceil(most.max(1) as u64).max(1),
        }
    }

    /// Returns the number of bins.
    pub(crate) fn bins(&self) -> usize {
        saturating_usize(self.frames.div_ceil(self.per_bin))
    }

    /// Returns the number of frames in a bin.
    fn frames_in(&self, bin: usize) -> u64 {
        (self.frames - bin as u64 * self.per_bin).min(self.per_bin)
    }
}

/// A bin of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Bin {
    pub min: f32,
    pub max: f32,
    pub rms: f32,
}

/// The waveform of a node so far.
#[derive(Debug)]
pub(crate) struct WaveformBuilder {
    grid: Grid,
    channels: Vec<ChannelWaveform>,
    /// The root mean square is computed.
    rms: bool,
    /// The logs of samples over full scale of each channel, for the master only.
    overs: Vec<OverLog>,
}

/// The waveform of a channel.
#[derive(Debug)]
struct ChannelWaveform {
    bins: Vec<Bin>,
    open: OpenBin,
}

/// The bin that is being filled.
#[derive(Clone, Copy, Debug)]
struct OpenBin {
    bin: usize,
    frames: u64,
    min: f64,
    max: f64,
    energy: Energy,
}

impl OpenBin {
    fn at(bin: usize) -> Self {
        Self {
            bin,
            frames: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            energy: [0.0; 8],
        }
    }

    fn close(&self, grid: &Grid) -> Bin {
        let under = grid.frames_in(self.bin);
        let silent = self.frames < under;
        let with =
            |value: f64, bound: fn(f64, f64) -> f64| if silent { bound(value, 0.0) } else { value };
        // True where all frames were NaN.
        let empty = self.min > self.max;
        let (min, max) = if empty {
            (0.0, 0.0)
        } else {
            (with(self.min, f64::min), with(self.max, f64::max))
        };
        let rms = (self.energy.iter().sum::<f64>() / to_f64(under)).sqrt();
        let most = max.max(-min);
        // With NaN or infinite samples the energy is not finite, so the extent replaces it.
        Bin {
            min: single(min),
            max: single(max),
            rms: single(if rms.is_finite() { rms } else { most }),
        }
    }
}

impl WaveformBuilder {
    pub(crate) fn new(grid: Grid, channels: usize, node: NodeKind) -> Self {
        let trace = || ChannelWaveform {
            bins: vec![Bin::default(); grid.bins()],
            open: OpenBin::at(0),
        };
        let overs = if node == NodeKind::Master {
            channels
        } else {
            0
        };
        Self {
            grid,
            channels: (0..channels).map(|_| trace()).collect(),
            rms: node != NodeKind::Track,
            overs: vec![OverLog::default(); overs],
        }
    }

    /// Takes the channels of a block, of which the first frame is `at`, and updates their peaks.
    pub(super) fn take<'a>(
        &mut self,
        block: impl Iterator<Item = (&'a mut Peak, &'a [f64])>,
        at: u64,
    ) {
        for (ch, ((peak, samples), trace)) in block.zip(&mut self.channels).enumerate() {
            let most = trace.take(&self.grid, samples, at, self.rms);
            peak.note(most, samples, at);
            if let Some(log) = self.overs.get_mut(ch).filter(|_| most > 1.0) {
                log.take(samples, at);
            }
        }
    }

    /// Reports whether the root mean square is computed.
    pub(crate) fn has_rms(&self) -> bool {
        self.rms
    }

    pub(crate) fn grid(&self) -> Grid {
        self.grid
    }

    /// Returns the bins of each channel.
    pub(crate) fn channels(&self) -> Vec<Vec<Bin>> {
        self.channels.iter().map(|t| t.closed(&self.grid)).collect()
    }

    /// Returns the log of each channel's samples over full scale; empty except for the master.
    pub(crate) fn overs(&self) -> &[OverLog] {
        &self.overs
    }
}

impl ChannelWaveform {
    /// Takes samples, and returns the largest absolute one. Frames outside the grid change no bin.
    fn take(&mut self, grid: &Grid, samples: &[f64], at: u64, rms: bool) -> f64 {
        let (mut at, mut rest, mut most) = (at, samples, 0.0f64);
        while !rest.is_empty() {
            let past = at.checked_sub(grid.start);
            let inside = past.filter(|p| *p < grid.frames);
            let ahead = match (inside, past) {
                (Some(p), _) => (grid.per_bin - p % grid.per_bin).min(grid.frames - p),
                (None, None) => grid.start - at,
                (None, Some(_)) => u64::MAX,
            };
            let n = saturating_usize(ahead).min(rest.len());
            let (now, later) = rest.split_at(n);
            let (min, max) = extent(now);
            if let Some(p) = inside {
                let bin = self.open(grid, saturating_usize(p / grid.per_bin));
                (bin.min, bin.max) = (bin.min.min(min), bin.max.max(max));
                bin.frames += n as u64;
                if rms {
                    square(now, at, &mut bin.energy);
                }
            }
            most = most.max(-min).max(max);
            at += n as u64;
            rest = later;
        }
        most
    }

    /// Returns the bin to fill, after closing the one before.
    fn open(&mut self, grid: &Grid, bin: usize) -> &mut OpenBin {
        if bin != self.open.bin {
            let (old, done) = (self.open.bin, self.open.close(grid));
            if let Some(bin) = self.bins.get_mut(old) {
                *bin = done;
            }
            self.open = OpenBin::at(bin);
        }
        &mut self.open
    }

    fn closed(&self, grid: &Grid) -> Vec<Bin> {
        let mut bins = self.bins.clone();
        if let Some(bin) = bins.get_mut(self.open.bin) {
            *bin = self.open.close(grid);
        }
        bins
    }
}

/// Converts to single precision: finite, and never −0.0.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a picture needs no more digits"
)]
pub(crate) fn single(value: f64) -> f32 {
    (value as f32).clamp(f32::MIN, f32::MAX) + 0.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a bin has far fewer than 2^53 frames"
)]
fn to_f64(frames: u64) -> f64 {
    frames as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(grid: Grid, samples: &[f64], at: u64, block: usize) -> (Vec<Bin>, Peak) {
        let (mut sketch, mut peak, mut now) = (
            WaveformBuilder::new(grid, 1, NodeKind::Bus),
            Peak::default(),
            at,
        );
        for piece in samples.chunks(block) {
            sketch.take([(&mut peak, piece)].into_iter(), now);
            now += piece.len() as u64;
        }
        (sketch.channels().remove(0), peak)
    }

    #[test]
    fn a_grid_covers_its_range_with_at_most_so_many_bins() {
        for (frames, most) in [
            (0, 5),
            (1, 5),
            (5, 5),
            (6, 5),
            (144_000, 2000),
            (10_000_000_001, 2000),
            (7, 0),
        ] {
            let grid = Grid::over(&(Frames(100)..Frames(100 + frames)), most);
            assert!(grid.bins() <= most.max(1), "{grid:?}");
            assert_eq!(
                (0..grid.bins()).map(|b| grid.frames_in(b)).sum::<u64>(),
                frames
            );
        }
    }

    #[test]
    fn bins_hold_what_lies_under_them() {
        // A ramp of 10 frames to the bin, from frame 1000 on: bin k holds 10k .. 10k+9 hundredths.
        let grid = Grid {
            start: 1000,
            frames: 95,
            per_bin: 10,
        };
        let ramp: Vec<f64> = (0..95).map(|n| f64::from(n) / 128.0).collect();
        let (bins, peak) = drawn(grid, &ramp, 1000, 7);
        assert_eq!(
            (bins.len(), peak),
            (
                10,
                Peak {
                    value: 94.0 / 128.0,
                    at: 1094
                }
            )
        );
        for (k, bin) in bins.iter().enumerate() {
            let (first, last) = (10 * k as u32, (10 * k as u32 + 9).min(94));
            assert_eq!(
                (bin.min, bin.max),
                (first as f32 / 128.0, last as f32 / 128.0)
            );
            let square: u32 = (first..=last).map(|n| n * n).sum();
            let rms = (f64::from(square) / f64::from(last - first + 1)).sqrt() / 128.0;
            assert!((f64::from(bin.rms) - rms).abs() < 1e-7);
        }
    }

    #[test]
    fn a_sine_has_its_amplitude_and_its_root_mean_square() {
        // Whole periods of 48 frames under each bin of 480.
        let grid = Grid {
            start: 0,
            frames: 48_000,
            per_bin: 480,
        };
        let sine: Vec<f64> = (0..48_000)
            .map(|n| 0.5 * (f64::from(n) * std::f64::consts::TAU / 48.0).sin())
            .collect();
        for bin in drawn(grid, &sine, 0, 16_384).0 {
            assert_eq!((bin.min, bin.max), (-0.5, 0.5));
            assert!(
                (f64::from(bin.rms) - 0.5 / 2f64.sqrt()).abs() < 1e-7,
                "{bin:?}"
            );
        }
    }

    #[test]
    fn pieces_change_no_bit_and_frames_never_rendered_are_silence() {
        let grid = Grid {
            start: 3,
            frames: 1000,
            per_bin: 37,
        };
        let noise: Vec<f64> = (0..900)
            .map(|n| f64::from(n * 7919 % 1009) / 1009.0 - 0.25)
            .collect();
        let whole = drawn(grid, &noise, 50, 1000);
        for block in [1, 8, 36, 37, 38, 441] {
            assert_eq!(drawn(grid, &noise, 50, block), whole, "{block}");
        }
        // Bin 0 lies before the first frame that was rendered, bin 1 under part of them, the last after them.
        assert_eq!((whole.0[0], whole.0[27]), (Bin::default(), Bin::default()));
        assert!(whole.0[1].min == -0.25 && whole.0[25].max > 0.7);
    }

    #[test]
    fn nothing_in_a_bin_is_ever_not_finite() {
        let grid = Grid {
            start: 0,
            frames: 6,
            per_bin: 2,
        };
        let wild = [f64::NAN, f64::NAN, f64::INFINITY, -1.0, 1e300, f64::NAN];
        let (bins, peak) = drawn(grid, &wild, 0, 6);
        assert_eq!(bins[0], Bin::default());
        assert_eq!(
            (bins[1].min, bins[1].max, bins[1].rms),
            (-1.0, f32::MAX, f32::MAX)
        );
        assert_eq!((bins[2].max, bins[2].rms), (f32::MAX, f32::MAX));
        assert_eq!(peak.value, f64::INFINITY);
    }

    #[test]
    fn frames_outside_the_grid_leave_no_trace_but_count_for_the_peak() {
        let grid = Grid {
            start: 10,
            frames: 10,
            per_bin: 5,
        };
        let (bins, peak) = drawn(grid, &[0.75; 40], 0, 40);
        assert_eq!((bins.len(), peak.value, peak.at), (2, 0.75, 0));
        assert!(bins.iter().all(|b| *b
            == Bin {
                min: 0.75,
                max: 0.75,
                rms: 0.75
            }));
    }

    #[test]
    fn the_level_of_a_bin_without_a_finite_energy_is_that_of_its_extent() {
        let grid = || Grid::over(&(Frames(0)..Frames(4)), 1);
        let level = |samples: &[f64]| drawn(grid(), samples, 0, 4).0[0].rms;
        assert_eq!(level(&[-0.5, -0.25, f64::NAN, -0.5]), 0.5);
        assert_eq!(level(&[0.25, 0.125, f64::NAN, -0.125]), 0.25);
    }
}
