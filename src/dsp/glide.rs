//! Parameters that move: by automation, and by hand while a session is played.
//!
//! The engine computes the values of parameters at every multiple of [`INTERVAL`] frames of the timeline. Between, what a
//! processor derives from them — a gain, the coefficients of a filter — runs in straight lines. So nothing steps, and the
//! output stays a pure function of the absolute frame.

/// Frames between the positions at which the values of parameters are computed: 1.3 ms at 48 kHz.
pub(crate) const INTERVAL: usize = 64;

/// The values of all parameters around one block, which lies between two positions at which they are computed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Glide<'a> {
    /// The values at the position at or before the block.
    pub from: &'a [f64],
    /// The values at the next position.
    pub to: &'a [f64],
    /// The frames from the position before to the start of the block.
    pub offset: usize,
}

/// Values that a processor derives from its parameters, and that move in straight lines.
pub(super) trait Line: Copy {
    /// Returns the point at `x`, 0 for `from` to 1 for `to`; exactly `from` where both are equal.
    fn between(from: Self, to: Self, x: f64) -> Self;
}

impl Line for f64 {
    #[inline(always)]
    fn between(from: Self, to: Self, x: f64) -> Self {
        // An infinite value has no line to another one.
        if from == to {
            from
        } else {
            from + (to - from) * x
        }
    }
}

/// Follows the derived values of a processor from block to block.
pub(super) struct Gliding<C> {
    line: BlockLine<C>,
    /// Parameters have moved or may move.
    has_moved: bool,
    is_still: bool,
    /// The values that `from` and `to` come from, so that they are derived once for each position.
    from_values: Vec<f64>,
    to_values: Vec<f64>,
}

/// The straight line of derived values through the frames of a block.
#[derive(Clone, Copy)]
pub(super) struct BlockLine<C> {
    from: C,
    to: C,
    offset: usize,
}

impl<C: Line> BlockLine<C> {
    /// Returns the values at a frame of the block.
    #[inline(always)]
    pub(super) fn at(self, frame: usize) -> C {
        #[expect(clippy::cast_precision_loss, reason = "a few frames")]
        let x = (self.offset + frame) as f64 / INTERVAL as f64;
        C::between(self.from, self.to, x)
    }
}

impl<C: Line> Gliding<C> {
    pub(super) fn new(start: C) -> Self {
        Self {
            line: BlockLine {
                from: start,
                to: start,
                offset: 0,
            },
            has_moved: false,
            is_still: true,
            from_values: Vec::new(),
            to_values: Vec::new(),
        }
    }

    /// Takes the values around the next block.
    pub(super) fn set(&mut self, glide: Glide<'_>, derive: impl Fn(&[f64]) -> C) {
        if self.from_values != glide.from {
            self.line.from = if self.to_values == glide.from {
                self.line.to
            } else {
                derive(glide.from)
            };
            set(&mut self.from_values, glide.from);
        }
        if self.to_values != glide.to {
            self.line.to = if self.from_values == glide.to {
                self.line.from
            } else {
                derive(glide.to)
            };
            set(&mut self.to_values, glide.to);
        }
        self.line.offset = glide.offset;
        self.has_moved = true;
        self.is_still = glide.from == glide.to;
    }

    /// Reports whether the parameters never moved.
    pub(super) fn is_fixed(&self) -> bool {
        !self.has_moved
    }

    /// Returns the values of the whole block; `None` where they move within it.
    pub(super) fn still(&self) -> Option<C> {
        self.is_still.then_some(self.line.from)
    }

    /// Returns the values at a frame of the block.
    #[inline(always)]
    pub(super) fn at(&self, frame: usize) -> C {
        self.line.at(frame)
    }

    /// Returns the values of all frames of the block.
    pub(super) fn line(&self) -> BlockLine<C> {
        self.line
    }
}

fn set(kept: &mut Vec<f64>, values: &[f64]) {
    kept.clear();
    kept.extend_from_slice(values);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn values_lie_on_a_line_from_position_to_position_and_are_derived_once_for_each() {
        let derived = Cell::new(0);
        let double = |values: &[f64]| {
            derived.set(derived.get() + 1);
            2.0 * values[0]
        };
        let mut gain = Gliding::new(1.0);
        assert!(gain.is_fixed());
        for (offset, at) in [(0, 32), (16, 16)] {
            gain.set(
                Glide {
                    from: &[1.0],
                    to: &[3.0],
                    offset,
                },
                double,
            );
            assert_eq!((gain.at(at), gain.still()), (4.0, None));
        }
        gain.set(
            Glide {
                from: &[3.0],
                to: &[3.0],
                offset: 0,
            },
            double,
        );
        assert_eq!((gain.still(), derived.get()), (Some(6.0), 2));
        assert_eq!(
            f64::between(f64::INFINITY, f64::INFINITY, 0.5),
            f64::INFINITY
        );
    }
}
