//! What the master gives on its way out: through the limiter, with what was tapped beside it, into blocks of any size.

use super::{buffer_pool::Given, limited::Limited, node::Output, tap::Tap, waveform_builder::Sketch};
use crate::{block::Block, error::Result, plan::Plan};

/// Where rendered frames go.
pub(crate) trait Taker: Send {
    /// A place for the next frames, at least one.
    fn room(&mut self) -> Result<Room<'_>>;
    /// So many were put there.
    fn filled(&mut self, frames: usize) -> Result<()>;
}

/// Blocks of one size, and the first of their frames that is free.
pub(crate) struct Room<'a> {
    pub mix: &'a mut Block,
    /// One for each tapped lane.
    pub taps: &'a mut [Block],
    pub from: usize,
}

/// The blocks of a caller.
pub(super) struct Callers<'a> {
    pub mix: &'a mut Block,
    pub taps: &'a mut [Block],
    pub done: usize,
}

impl Taker for Callers<'_> {
    fn room(&mut self) -> Result<Room<'_>> {
        Ok(Room { mix: self.mix, taps: self.taps, from: self.done })
    }

    fn filled(&mut self, frames: usize) -> Result<()> {
        self.done += frames;
        Ok(())
    }
}

/// The way out.
pub(super) struct Exit<'a> {
    pub plan: &'a Plan,
    pub limited: Option<&'a mut Limited>,
    pub taps: &'a mut [Tap],
    /// The frame that is given out next.
    pub position: &'a mut u64,
    /// The frame before which to stop.
    pub end: u64,
    pub taker: &'a mut dyn Taker,
}

impl Exit<'_> {
    /// Takes what the master gave from a frame on, and gives out what is ready.
    pub(super) fn take<'g>(
        &mut self,
        at: u64,
        frames: usize,
        master: &Output,
        given: &dyn Fn(usize) -> Given<'g>,
        sketch: Option<&mut Sketch>,
    ) -> Result<()> {
        for tap in &mut *self.taps {
            if tap.lane + 1 == self.plan.lanes.len() {
                tap.take(master, self.plan, at, frames);
            } else {
                tap.take(&given(tap.lane), self.plan, at, frames);
            }
        }
        if let Some(limited) = &mut self.limited {
            limited.limiter.push(master.block.channels(), frames);
            return self.give(sketch);
        }
        self.pass(at + frames as u64, |mix, position, from, n| {
            let first = usize::try_from(position - at).unwrap_or(frames);
            for (to, samples) in mix.channels_mut().zip(master.block.channels()) {
                let (to, samples) = (to.get_mut(from..from + n), samples.get(first..first + n));
                to.into_iter().zip(samples).for_each(|(to, samples)| to.copy_from_slice(samples));
            }
        })
    }

    /// The same with silence, for what lies behind the end.
    pub(super) fn silence(&mut self, frames: usize, sketch: Option<&mut Sketch>) -> Result<()> {
        if let Some(limited) = &mut self.limited {
            limited.limiter.push(std::iter::empty(), frames);
        }
        self.give(sketch)
    }

    /// Gives out what the limiter has ready.
    fn give(&mut self, mut sketch: Option<&mut Sketch>) -> Result<()> {
        let Some(limited) = self.limited.take() else { return Ok(()) };
        let enough = limited.limiter.end() >= limited.limiter.wanted(self.end);
        let ready = if enough { self.end } else { self.end.min(limited.limiter.ready()) };
        let passed = self.pass(ready, |mix, position, from, n| {
            limited.give(position, mix, from..from + n, sketch.as_deref_mut());
        });
        self.limited = Some(limited);
        passed
    }

    /// Gives out the frames before `ready`: `put` is told the block, the frame, where it goes and how many.
    fn pass(&mut self, ready: u64, mut put: impl FnMut(&mut Block, u64, usize, usize)) -> Result<()> {
        while *self.position < ready {
            let Room { mix, taps, from } = self.taker.room()?;
            let left = usize::try_from(ready - *self.position).unwrap_or(usize::MAX);
            let n = left.min(mix.frames() - from);
            put(mix, *self.position, from, n);
            for (tap, to) in self.taps.iter_mut().zip(taps) {
                tap.give(*self.position, to, from, n);
            }
            *self.position += n as u64;
            self.taker.filled(n)?;
        }
        Ok(())
    }
}
