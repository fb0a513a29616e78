//! From the mix to what a device takes: its rate and its channels, converted once; interleaved.

use super::mix::{BLOCK, Mix};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Layout,
    layout::Spec,
    media::{Resampled, Source},
    units::Frames,
};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// What must be there before the resampler is asked: it takes whole blocks of its own.
const AHEAD_TO_CONVERT: u64 = 8192;
/// How long the resampler waits for a stem before it looks again.
const POLL: Duration = Duration::from_millis(1);

/// The mix, shared with the resampler; only the engine's thread uses it.
pub(super) type Shared = Arc<Mutex<Mix>>;

pub(super) fn lock(mix: &Shared) -> MutexGuard<'_, Mix> {
    mix.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Outlet {
    mix: Shared,
    quit: Arc<AtomicBool>,
    from: Spec,
    to: Spec,
    /// One row a channel of the device; `None` where the layouts are the same.
    fold: Option<Vec<Vec<f64>>>,
    resampled: Option<Resampled>,
    block: Block,
}

impl Outlet {
    /// # Errors
    /// `Device` for rates that cannot be converted.
    pub(super) fn new(mix: &Shared, to: Spec, quit: &Arc<AtomicBool>) -> Result<Self> {
        let from = lock(mix).spec();
        Resampled::check(from, to.rate).map_err(|e| Error::new(ErrorKind::Device, e.to_string()))?;
        let fold = (from.layout != to.layout).then(|| rows(from.layout, to.layout));
        let block = Block::new(from.layout, BLOCK);
        let mut outlet = Self { mix: Arc::clone(mix), quit: Arc::clone(quit), from, to, fold, resampled: None, block };
        outlet.restart()?;
        Ok(outlet)
    }

    /// A new start: nothing of what came before is heard.
    pub(super) fn restart(&mut self) -> Result<()> {
        if self.from.rate != self.to.rate {
            let source =
                Box::new(Waiting { mix: Arc::clone(&self.mix), quit: Arc::clone(&self.quit), spec: self.from });
            self.resampled = Some(Resampled::new(source, self.to.rate)?);
        }
        Ok(())
    }

    /// Whether frames can be had without waiting for a file.
    pub(super) fn ready(&self) -> Result<bool> {
        lock(&self.mix).ready(if self.resampled.is_some() { AHEAD_TO_CONVERT } else { BLOCK as u64 })
    }

    /// Adds the next frames, interleaved; how many. 0 is the end of the mix, or of its fade.
    pub(super) fn read(&mut self, out: &mut Vec<f64>) -> Result<usize> {
        let n = match &mut self.resampled {
            Some(resampled) => resampled.read(&mut self.block)?,
            None => lock(&self.mix).read(&mut self.block)?,
        };
        let channels = self.to.layout.channels();
        let start = out.len();
        out.resize(start + n * channels, 0.0);
        for ch in 0..channels {
            let to = out.iter_mut().skip(start + ch).step_by(channels);
            match &self.fold {
                None => to.zip(self.block.channel(ch)).for_each(|(to, from)| *to = *from),
                Some(rows) => {
                    let factors: Vec<f64> = rows.get(ch).cloned().unwrap_or_default();
                    let sum = |i: usize| {
                        let sample = |c: &[f64]| c.get(i).copied().unwrap_or(0.0);
                        self.block
                            .channels()
                            .zip(&factors)
                            .filter(|(_, f)| **f != 0.0)
                            .map(|(c, f)| sample(c) * f)
                            .sum()
                    };
                    to.enumerate().for_each(|(i, to)| *to = sum(i));
                }
            }
        }
        Ok(n)
    }

    /// Whether the next read gives nothing, where that is known beforehand.
    pub(super) fn is_over(&self) -> bool {
        self.resampled.is_none() && lock(&self.mix).is_over()
    }

    /// The device's frame at which a frame of the mix is heard, both counted from the start.
    pub(super) fn to_device(&self, frame: u64) -> u64 {
        Frames(frame).resampled(self.from.rate, self.to.rate).0
    }
}

/// How a device's channels are fed: folded where both layouts have positions. Else left and right, or the one channel of
/// mono to both, come first, and channels beyond stay silent.
fn rows(from: Layout, to: Layout) -> Vec<Vec<f64>> {
    let stereo = || from.fold(if to.channels() == 1 { Layout::Mono } else { Layout::Stereo });
    let one_to_one = || {
        let row = |ch| (0..from.channels()).map(|c| f64::from(u8::from(c == ch))).collect();
        (0..to.channels()).map(row).collect()
    };
    let mut rows = match from.fold(to) {
        Some(rows) if from != Layout::Mono => rows,
        _ if from == Layout::Mono => vec![vec![1.0]; to.channels().min(2)],
        _ => stereo().unwrap_or_else(one_to_one),
    };
    rows.resize(to.channels(), vec![0.0; from.channels()]);
    rows
}

/// The mix as a source for the resampler, which cannot be told to come again later.
struct Waiting {
    mix: Shared,
    quit: Arc<AtomicBool>,
    spec: Spec,
}

impl Source for Waiting {
    fn spec(&self) -> Spec {
        self.spec
    }

    fn length(&self) -> Option<Frames> {
        None
    }

    fn read(&mut self, out: &mut Block) -> Result<usize> {
        while !lock(&self.mix).ready(BLOCK as u64)? {
            if self.quit.load(Ordering::Acquire) {
                return Err(Error::new(ErrorKind::Cancelled, "cancelled"));
            }
            thread::sleep(POLL);
        }
        lock(&self.mix).read(out)
    }

    fn seek(&mut self, _: Frames) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_place_stays_silent() {
        assert_eq!(rows(Layout::Mono, Layout::Stereo), [[1.0], [1.0]]);
        assert_eq!(rows(Layout::Stereo, Layout::Discrete(4)), [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]);
        assert_eq!(rows(Layout::Stereo, Layout::Surround51).iter().flatten().sum::<f64>(), 2.0);
        let k = 0.5f64.sqrt();
        assert_eq!(rows(Layout::Lcr, Layout::Stereo), [[1.0, 0.0, k], [0.0, 1.0, k]]);
    }
}
