//! Runs the renderer in the order of playing: seeks, loops, and stems that are read ahead.

use crate::{
    block::Block,
    engine::{
        Renderer,
        read_ahead::{PlaybackOrder, ReadAhead},
    },
    error::Result,
    plan::Plan,
    units::Frames,
};
use std::ops::Range;

pub(super) struct Transport {
    pub renderer: Renderer,
    ahead: ReadAhead,
    repeat: Option<Range<u64>>,
    length: u64,
}

impl Transport {
    /// Starts to read a plan of everything ahead. Changes of strips take `fade` frames.
    pub(super) fn new(plan: Plan, depth: u64, fade: usize) -> Result<Self> {
        let length = plan.length.0;
        let ahead = ReadAhead::start(&plan, depth);
        let mut transport = Self { renderer: Renderer::live(plan, &ahead, fade)?, ahead, repeat: None, length };
        transport.seek(0);
        Ok(transport)
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Returns the frame that is delivered next.
    pub(super) fn position(&self) -> u64 {
        self.renderer.position().0
    }

    /// Returns the timeline as stems will be read from here.
    fn path(&self) -> PlaybackOrder {
        PlaybackOrder { start: self.renderer.input_position(), loop_range: self.repeat.clone(), end: self.length }
    }

    /// Goes to a frame.
    pub(super) fn seek(&mut self, to: u64) {
        self.renderer.seek(Frames(to.min(self.length)));
        self.ahead.set_order(self.path());
    }

    /// Starts from where it is. Processors begin anew, since strips may have changed meanwhile.
    pub(super) fn begin(&mut self) {
        if self.renderer.has_processors() {
            self.seek(self.position());
        }
    }

    /// Repeats a range once its end is met, or does not any more.
    pub(super) fn set_loop(&mut self, repeat: Option<Range<u64>>) {
        self.repeat = repeat.map(|r| r.start..r.end.min(self.length)).filter(|r| r.start < r.end);
        self.renderer.set_repeat(self.repeat.clone());
        self.ahead.set_order(self.path());
    }

    pub(super) fn is_over(&self) -> bool {
        self.position() >= self.length
    }

    /// Reports whether the next `frames` frames can be rendered without waiting for a file.
    ///
    /// # Errors
    /// Those of a stem that cannot be delivered.
    pub(super) fn ready(&self, frames: u64) -> Result<bool> {
        self.ahead.ready(&self.path(), self.renderer.input_for(frames))
    }

    /// Renders the next frames, at most `most`: fewer before a jump and at the end. They must be ready.
    pub(super) fn read(&mut self, out: &mut Block, most: usize) -> Result<usize> {
        let before = self.renderer.input_for(0);
        let n = self.renderer.render_to_jump(out, most)?;
        self.ahead.advance(before + n as u64);
        Ok(n)
    }
}
