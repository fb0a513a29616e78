//! Converts the mix to a device's rate and channels, interleaved.

use super::live_renderer::LiveRenderer;
#[cfg(feature = "varispeed")]
use super::varispeed::Varispeed;
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::{Layout, Spec},
    media::{Resampled, Source},
    sync::locked,
    units::Frames,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// Frames that must be ready before the resampler runs: it reads windows of at most about this size.
const RESAMPLER_INPUT: u64 = 8192;
/// Interval at which the resampler's input checks for a stem that it waits for.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// The renderer, shared by the playback thread and its resampler, which run on the same thread.
pub(super) type SharedRenderer = Arc<Mutex<LiveRenderer>>;

pub(super) struct DeviceConverter {
    renderer: SharedRenderer,
    quit: Arc<AtomicBool>,
    from: Spec,
    to: Spec,
    /// For each channel of the device, the factor of each channel of the mix; `None` if the layouts are equal.
    matrix: Option<Vec<Vec<f64>>>,
    /// The mix at the device's rate and at the speed; `None` if the rates are equal and the speed is 1.
    resampled: Option<Box<dyn Source>>,
    /// Speed of playback; takes effect with the next [`restart`](Self::restart).
    pub speed: f64,
    /// The frames read last, in the layout of the mix.
    block: Block,
}

impl DeviceConverter {
    /// Makes a converter to a device's rate and layout. `quit` interrupts a resampler that waits for a stem.
    ///
    /// # Errors
    /// `Device` for rates that cannot be converted.
    pub(super) fn new(renderer: &SharedRenderer, to: Spec, quit: &Arc<AtomicBool>) -> Result<Self> {
        let (from, block) = {
            let renderer = locked(renderer);
            (renderer.spec(), renderer.block())
        };
        Resampled::check(from, to.rate)
            .map_err(|e| Error::new(ErrorKind::Device, e.to_string()))?;
        let matrix = (from.layout != to.layout).then(|| channel_matrix(from.layout, to.layout));
        let (renderer, quit, block) = (
            Arc::clone(renderer),
            Arc::clone(quit),
            Block::new(from.layout, block),
        );
        let mut converter = Self {
            renderer,
            quit,
            from,
            to,
            matrix,
            resampled: None,
            speed: 1.0,
            block,
        };
        converter.restart()?;
        Ok(converter)
    }

    /// Forgets the frames before a new start.
    pub(super) fn restart(&mut self) -> Result<()> {
        self.resampled = None;
        if self.from.rate != self.to.rate || self.speed != 1.0 {
            let (renderer, quit) = (Arc::clone(&self.renderer), Arc::clone(&self.quit));
            let source = Box::new(BlockingSource {
                renderer,
                quit,
                spec: self.from,
            });
            #[cfg(feature = "varispeed")]
            if self.speed != 1.0 {
                let source = Varispeed::new(source, self.to.rate, self.speed)?;
                self.resampled = Some(Box::new(source));
                return Ok(());
            }
            let source = Resampled::in_short_hops(source, self.to.rate)?;
            self.resampled = Some(Box::new(source));
        }
        Ok(())
    }

    /// Returns the number of frames that are rendered at a time, at most.
    pub(super) fn block(&self) -> usize {
        self.block.capacity()
    }

    /// Returns whether the next [`read`](Self::read) needs no wait for a file.
    pub(super) fn ready(&self) -> Result<bool> {
        locked(&self.renderer).ready(if self.resampled.is_some() {
            RESAMPLER_INPUT
        } else {
            self.block.capacity() as u64
        })
    }

    /// Appends the next frames to `out`, interleaved, and returns how many; 0 at the end of the mix or of its fade-out.
    pub(super) fn read(&mut self, out: &mut Vec<f64>) -> Result<usize> {
        let n = match &mut self.resampled {
            Some(resampled) => resampled.read(&mut self.block)?,
            None => locked(&self.renderer).read(&mut self.block)?,
        };
        let channels = self.to.layout.channels();
        let start = out.len();
        out.resize(start + n * channels, 0.0);
        for ch in 0..channels {
            let to = out.iter_mut().skip(start + ch).step_by(channels);
            match &self.matrix {
                None => to
                    .zip(self.block.channel(ch))
                    .for_each(|(to, from)| *to = *from),
                Some(rows) => {
                    let factors = rows.get(ch).map_or(&[][..], Vec::as_slice);
                    to.enumerate()
                        .for_each(|(frame, to)| *to = weighted_sum(&self.block, factors, frame));
                }
            }
        }
        Ok(n)
    }

    /// Returns whether the next [`read`](Self::read) is known to return 0. A resampler knows only afterwards.
    pub(super) fn is_over(&self) -> bool {
        self.resampled.is_none() && locked(&self.renderer).is_over()
    }

    /// Converts a frame of the mix to the device's rate, both counted from the start.
    pub(super) fn to_device(&self, frame: u64) -> u64 {
        if self.speed != 1.0 {
            let ratio = self.to.rate.as_f64() / (self.from.rate.as_f64() * self.speed);
            return scaled(frame, ratio);
        }
        Frames(frame).resampled(self.from.rate, self.to.rate).0
    }
}

/// Returns a number of frames times a ratio, rounded down.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a session has far fewer than 2^53 frames, and casts saturate"
)]
pub(super) fn scaled(frames: u64, ratio: f64) -> u64 {
    (frames as f64 * ratio) as u64
}

/// Returns the sum of a frame's channels, each multiplied by its factor.
fn weighted_sum(block: &Block, factors: &[f64], frame: usize) -> f64 {
    // Channels with factor 0 are left out: they could turn an infinite sample into NaN.
    let used = block
        .channels()
        .zip(factors)
        .filter(|(_, factor)| **factor != 0.0);
    used.map(|(samples, factor)| samples.get(frame).copied().unwrap_or(0.0) * factor)
        .sum()
}

/// Returns the factors that convert one layout to another, one row for each channel of `to`.
///
/// Folds down where both layouts have speaker positions; a mono mix feeds the first two channels. Otherwise the mix is folded
/// to stereo, or copied channel by channel, and the channels beyond stay silent.
fn channel_matrix(from: Layout, to: Layout) -> Vec<Vec<f64>> {
    let folded = from.fold(to).filter(|_| from != Layout::Mono);
    let mut rows = match folded {
        Some(rows) => rows,
        None if from == Layout::Mono => vec![vec![1.0]; to.channels().min(2)],
        None => {
            let nearest = if to.channels() == 1 {
                Layout::Mono
            } else {
                Layout::Stereo
            };
            from.fold(nearest)
                .unwrap_or_else(|| identity_rows(from.channels(), to.channels()))
        }
    };
    rows.resize(to.channels(), vec![0.0; from.channels()]);
    rows
}

/// Returns rows that copy each channel to the one of equal number.
fn identity_rows(from: usize, to: usize) -> Vec<Vec<f64>> {
    (0..to)
        .map(|row| {
            (0..from)
                .map(|channel| f64::from(u8::from(channel == row)))
                .collect()
        })
        .collect()
}

/// The mix as a source for the resampler. Waits for stems that are not decoded yet, because the resampler cannot continue a
/// read later.
struct BlockingSource {
    renderer: SharedRenderer,
    quit: Arc<AtomicBool>,
    spec: Spec,
}

impl BlockingSource {
    /// Returns whether the next block can be rendered without waiting for a file.
    fn is_ready(&self) -> Result<bool> {
        let mut renderer = locked(&self.renderer);
        let block = renderer.block() as u64;
        renderer.ready(block)
    }
}

impl Source for BlockingSource {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn length(&self) -> Option<Frames> {
        None
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        while !self.is_ready()? {
            if self.quit.load(Ordering::Acquire) {
                return Err(Error::new(ErrorKind::Cancelled, "cancelled"));
            }
            thread::sleep(POLL_INTERVAL);
        }
        locked(&self.renderer).read(out)
    }

    /// Does nothing: the renderer is moved before each [`DeviceConverter::restart`].
    fn seek(&mut self, _: Frames) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_place_stays_silent() {
        assert_eq!(channel_matrix(Layout::Mono, Layout::Stereo), [[1.0], [1.0]]);
        let quad = channel_matrix(Layout::Stereo, Layout::Discrete(4));
        assert_eq!(quad, [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]);
        assert_eq!(
            channel_matrix(Layout::Stereo, Layout::Surround51)
                .iter()
                .flatten()
                .sum::<f64>(),
            2.0
        );
        let k = 0.5f64.sqrt();
        assert_eq!(
            channel_matrix(Layout::Lcr, Layout::Stereo),
            [[1.0, 0.0, k], [0.0, 1.0, k]]
        );
    }
}
