//! Where playing is: the renderer in the order of playing, round loops, and through the master's limiter.
//!
//! A limiter looks some milliseconds ahead, so its input is further on than what is heard, and after a jump it is given
//! what came before the place, as in a bounce: the same bits. Round a loop it just goes on.

use crate::{
    block::Block,
    dsp::limiter::Limiter,
    engine::{
        Renderer,
        read_ahead::{Path, ReadAhead},
    },
    error::Result,
    plan::Plan,
    units::Frames,
};
use std::{collections::VecDeque, ops::Range};

pub(super) struct Head {
    pub renderer: Renderer,
    ahead: ReadAhead,
    round: Option<Range<u64>>,
    length: u64,
    /// The frame that is given out next.
    at: u64,
    limited: Option<Limited>,
}

struct Limited {
    limiter: Limiter,
    /// The number of the frame that is given out next, as the limiter counts: as the timeline does up to the first turn.
    next: u64,
    /// Turns that the input has made and the output has not: before which number, and the frame that comes then.
    turns: VecDeque<(u64, u64)>,
    input: Block,
}

impl Head {
    /// Starts to read a plan of everything ahead. Moves of strips take `fade` frames to arrive; a limiter is
    /// fed in blocks.
    pub(super) fn new(mut plan: Plan, depth: u64, fade: usize, block: usize) -> Result<Self> {
        let (spec, length) = (plan.spec, plan.length.0);
        let limited = plan.limit.take().map(|ceiling| Limited {
            limiter: Limiter::new(ceiling.value(), spec.rate, spec.layout.channels()),
            next: 0,
            turns: VecDeque::new(),
            input: Block::new(spec.layout, block),
        });
        let ahead = ReadAhead::start(&plan, depth);
        Ok(Self { renderer: Renderer::live(plan, &ahead, fade)?, ahead, round: None, length, at: 0, limited })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The frame that is given out next.
    pub(super) fn position(&self) -> u64 {
        self.at
    }

    /// The timeline as it will be read from here.
    fn path(&self) -> Path {
        Path { at: self.renderer.position().0, round: self.round.clone(), end: self.length }
    }

    /// Goes to a frame.
    pub(super) fn seek(&mut self, to: u64) {
        self.at = to.min(self.length);
        let mut from = self.at;
        if let Some(limited) = &mut self.limited {
            limited.next = from;
            limited.turns.clear();
            from = limited.limiter.restart(from.saturating_sub(limited.limiter.warm_up()));
        }
        self.renderer.seek(Frames(from));
        self.ahead.go(self.path());
    }

    /// A start from where it is: what the limiter has seen ahead may have changed.
    pub(super) fn begin(&mut self) {
        if self.limited.is_some() {
            self.seek(self.at);
        }
    }

    /// Repeats a range once its end is met, or does not any more.
    pub(super) fn set_loop(&mut self, round: Option<Range<u64>>) {
        self.round = round.map(|r| r.start..r.end.min(self.length)).filter(|r| r.start < r.end);
        self.ahead.go(self.path());
    }

    /// Whether the end is reached.
    pub(super) fn is_over(&self) -> bool {
        self.at >= self.length && self.limited.as_ref().is_none_or(|l| l.turns.is_empty())
    }

    /// Whether the next `frames` frames can be had without waiting for a file.
    ///
    /// # Errors
    /// Those of a stem that cannot be delivered.
    pub(super) fn ready(&self, frames: u64) -> Result<bool> {
        let input = self
            .limited
            .as_ref()
            .map_or(frames, |l| l.limiter.wanted(l.next.saturating_add(frames)).saturating_sub(l.limiter.end()));
        self.ahead.ready(&self.path(), input)
    }

    /// Gives the next frames, at most `most`: fewer before a turn and at the end. They must be ready.
    pub(super) fn read(&mut self, out: &mut Block, most: usize) -> Result<usize> {
        let Some(mut limited) = self.limited.take() else { return self.straight(out, most) };
        let n = self.limit(&mut limited, out, most);
        self.limited = Some(limited);
        n
    }

    fn straight(&mut self, out: &mut Block, most: usize) -> Result<usize> {
        let n = self.run(out, most)?;
        self.at = self.renderer.position().0;
        Ok(n)
    }

    /// Renders up to the end of the loop; then it turns.
    fn run(&mut self, out: &mut Block, most: usize) -> Result<usize> {
        let at = self.renderer.position().0;
        let round = self.round.clone().filter(|r| at < r.end);
        let to_turn = round.as_ref().map_or(usize::MAX, |r| usize::try_from(r.end - at).unwrap_or(usize::MAX));
        let n = self.renderer.render_part(out, most.min(to_turn))?;
        self.ahead.played(n as u64);
        if let Some(round) = round.filter(|r| self.renderer.position().0 == r.end) {
            self.renderer.seek(Frames(round.start));
        }
        Ok(n)
    }

    fn limit(&mut self, limited: &mut Limited, out: &mut Block, most: usize) -> Result<usize> {
        let most = most.min(out.capacity());
        let wanted = limited.limiter.wanted(limited.next + most as u64);
        while limited.limiter.end() < wanted {
            let at = self.renderer.position().0;
            let room = usize::try_from(wanted - limited.limiter.end()).unwrap_or(usize::MAX);
            let n = self.run(&mut limited.input, room)?;
            if n == 0 {
                limited.limiter.push(std::iter::empty(), room);
                continue;
            }
            limited.limiter.push(limited.input.channels(), n);
            let now = self.renderer.position().0;
            if now != at + n as u64 {
                limited.turns.push_back((limited.limiter.end(), now));
            }
        }
        let to_turn = limited.turns.front().map_or_else(|| self.length.saturating_sub(self.at), |t| t.0 - limited.next);
        let n = most.min(usize::try_from(to_turn).unwrap_or(usize::MAX));
        out.set_frames(n);
        limited.limiter.pull(limited.next, out, 0, n, |_, _| ());
        limited.next += n as u64;
        self.at += n as u64;
        if let Some((_, to)) = limited.turns.front().copied().filter(|t| t.0 == limited.next) {
            limited.turns.pop_front();
            self.at = to;
        }
        Ok(n)
    }
}
