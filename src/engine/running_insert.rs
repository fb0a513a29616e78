//! One insert of a running chain: its processor, and its parameters over time.

use super::{chain_state::copy, node::ensure_frames};
use crate::{
    block::Block,
    curve::ParameterCurve,
    dsp::{Glide, Processor, glide::INTERVAL},
    layout::{Layout, Spec},
    session::Insert,
    units::{Frames, saturating_usize},
};

/// Intervals over which a parameter that is changed by hand moves: 8 ms at 48 kHz.
const RAMP_INTERVALS: u32 = 6;

/// Places a block on the timeline, as it is at the input of a processor.
#[derive(Clone, Copy)]
pub(super) struct InsertPosition {
    /// Frames at the start of the block that lie ahead of the timeline: while it begins, the look-ahead of the processors before
    /// gives such.
    pub ahead: usize,
    /// The position of the first frame after those.
    pub at: u64,
}

/// The processor of an insert, and where its parameters are.
pub(super) struct RunningInsert {
    processor: Box<dyn Processor>,
    /// Parameters have been changed by hand, so the processor no longer has those that it was built with.
    is_changed: bool,
    /// The values at `position` and at the one after it.
    from: Vec<f64>,
    to: Vec<f64>,
    /// The position of `from` on the timeline, a multiple of the interval; `None` after a reset.
    position: Option<u64>,
    ramp: Option<Ramp>,
    /// Scratch for a part of a block, and of the key.
    part: Block,
    key_part: Block,
}

/// A change by hand in progress.
struct Ramp {
    /// The values before it.
    old: Vec<f64>,
    /// Intervals that have passed.
    done: u32,
}

impl RunningInsert {
    pub(super) fn new(insert: &Insert, spec: Spec) -> Self {
        Self {
            processor: insert.build(spec),
            is_changed: false,
            from: Vec::new(),
            to: Vec::new(),
            position: None,
            ramp: None,
            part: Block::new(spec.layout, 0),
            key_part: Block::new(Layout::Mono, 0),
        }
    }

    pub(super) fn latency(&self) -> u64 {
        self.processor.latency().0
    }

    /// Returns true if the processor reports the gain of each frame.
    pub(super) fn reduces_gain(&self) -> bool {
        self.processor.gains().is_some()
    }

    /// Forgets the signal. A ramp ends at once.
    pub(super) fn reset(&mut self) {
        self.processor.reset();
        (self.position, self.ramp) = (None, None);
    }

    /// Follows a change of the insert, over a ramp if it is heard. `old` are the values before the change.
    pub(super) fn change(&mut self, old: &[f64], is_heard: bool) {
        self.is_changed = true;
        self.ramp = is_heard.then(|| Ramp {
            old: if self.position.is_some() {
                self.to.clone()
            } else {
                old.to_vec()
            },
            done: 0,
        });
    }

    /// Replaces the input by output. `insert` states the parameters that hold, and `curves` those that change over time; ahead
    /// of the timeline they have their values at its start. `note` takes the gains of frames that the processor reports, with
    /// the place of the first one in the block.
    pub(super) fn process(
        &mut self,
        insert: &Insert,
        curves: &[(usize, ParameterCurve)],
        start: InsertPosition,
        block: &mut Block,
        key: Option<&Block>,
        mut note: impl FnMut(usize, &[f64]),
    ) {
        let moves = !curves.is_empty() || self.is_changed;
        let (frames, mut done) = (block.frames(), 0);
        while done < frames {
            let ahead = start.ahead.saturating_sub(done);
            let now = start.at + done.saturating_sub(start.ahead) as u64;
            let offset = saturating_usize(now % INTERVAL as u64);
            let most = match (ahead, moves) {
                (1.., _) => ahead,
                (0, true) => INTERVAL - offset,
                (0, false) => frames,
            };
            let n = most.min(frames - done);
            if moves {
                self.go_to(insert, curves, now - offset as u64);
                self.processor.glide(Glide {
                    from: &self.from,
                    to: if ahead > 0 { &self.from } else { &self.to },
                    offset,
                });
            }
            if n == frames {
                self.processor.process(Frames(now), block, key);
            } else {
                ensure_frames(&mut self.part, n);
                copy(&mut self.part, 0, block, done, n);
                let key = key.map(|key| {
                    if self.key_part.layout() != key.layout() {
                        self.key_part = Block::new(key.layout(), INTERVAL);
                    }
                    ensure_frames(&mut self.key_part, n);
                    copy(&mut self.key_part, 0, key, done, n);
                    &self.key_part
                });
                self.processor.process(Frames(now), &mut self.part, key);
                copy(block, done, &self.part, 0, n);
            }
            if let Some(gains) = self.processor.gains() {
                note(done, gains);
            }
            done += n;
        }
    }

    /// Computes the values at a position, and at the one after it.
    fn go_to(&mut self, insert: &Insert, curves: &[(usize, ParameterCurve)], position: u64) {
        if self.position == Some(position) {
            return;
        }
        let next = position + INTERVAL as u64;
        if self.position.map(|last| last + INTERVAL as u64) == Some(position) {
            std::mem::swap(&mut self.from, &mut self.to);
        } else {
            values_at(insert, curves, position, &mut self.from);
            self.ramp.iter().for_each(|ramp| ramp.blend(&mut self.from));
        }
        values_at(insert, curves, next, &mut self.to);
        if let Some(ramp) = &mut self.ramp {
            ramp.done += 1;
            ramp.blend(&mut self.to);
        }
        self.ramp.take_if(|ramp| ramp.done >= RAMP_INTERVALS);
        self.position = Some(position);
    }
}

impl Ramp {
    /// Moves values from the old ones as far as the ramp has come.
    fn blend(&self, values: &mut [f64]) {
        let x = f64::from(self.done) / f64::from(RAMP_INTERVALS);
        for (value, old) in values.iter_mut().zip(&self.old) {
            let way = (*value - old) * x;
            // No straight line leads to an infinite value: it is reached at the end.
            *value = match way.is_finite() {
                true => old + way,
                false if x < 1.0 => *old,
                false => *value,
            };
        }
    }
}

/// Writes the values of all parameters of an insert at a position.
fn values_at(
    insert: &Insert,
    curves: &[(usize, ParameterCurve)],
    position: u64,
    values: &mut Vec<f64>,
) {
    values.clear();
    values.extend_from_slice(insert.values());
    for (index, curve) in curves {
        if let Some(value) = values.get_mut(*index) {
            *value = curve.at(position);
        }
    }
}
