//! Delays an edge of the graph so that it meets edges of longer latency at the same frame.

use super::node::{Output, SILENCE, ensure_frames};
use crate::{layout::Layout, units::saturating_usize};

/// A fixed delay that passes samples bit for bit.
pub(super) struct DelayLine {
    frames: usize,
    /// The delayed frames, one ring of `frames` samples for each channel.
    rings: Vec<Vec<f64>>,
    /// Index of the oldest sample in the rings.
    next: usize,
    /// Frames until the rings hold only silence.
    frames_until_silent: usize,
    out: Output,
}

impl DelayLine {
    pub(super) fn new(layout: Layout, frames: u64) -> Self {
        let frames = saturating_usize(frames);
        Self {
            frames,
            rings: vec![vec![SILENCE; frames]; layout.channels()],
            next: 0,
            frames_until_silent: 0,
            out: Output::new(layout),
        }
    }

    /// Replaces the delayed frames by silence.
    pub(super) fn reset(&mut self) {
        self.rings.iter_mut().for_each(|ring| ring.fill(SILENCE));
        (self.next, self.frames_until_silent) = (0, 0);
    }

    /// Takes the next frames and returns as many delayed ones.
    pub(super) fn pass(&mut self, input: &Output, frames: usize) -> &Output {
        self.out.active = input.active || self.frames_until_silent > 0;
        if !self.out.active {
            // The rings hold silence only, so nothing has to move.
            return &self.out;
        }
        self.frames_until_silent = if input.active {
            self.frames
        } else {
            self.frames_until_silent.saturating_sub(frames)
        };
        ensure_frames(&mut self.out.block, frames);
        let mut from = input
            .active
            .then(|| input.block.channels())
            .into_iter()
            .flatten();
        for (to, ring) in self.out.block.channels_mut().zip(&mut self.rings) {
            let input = from
                .next()
                .unwrap_or(&[])
                .iter()
                .copied()
                .chain(std::iter::repeat(SILENCE));
            let places = (0..ring.len()).cycle().skip(self.next);
            for ((to, from), place) in to.iter_mut().zip(input).zip(places) {
                if let Some(slot) = ring.get_mut(place) {
                    *to = std::mem::replace(slot, from);
                }
            }
        }
        self.next = (self.next + frames) % self.frames.max(1);
        &self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_blocks_each_frame_comes_out_later_with_its_bits() {
        for sizes in [[1, 1, 1], [5, 7, 2], [100, 3, 40]] {
            let mut line = DelayLine::new(Layout::Mono, 6);
            let (mut sent, mut got) = (Vec::new(), Vec::new());
            for (n, &size) in sizes.iter().cycle().take(60).enumerate() {
                let mut input = Output::new(Layout::Mono);
                input.active = n % 5 != 3;
                ensure_frames(&mut input.block, size);
                let base = sent.len();
                input
                    .block
                    .channel_mut(0)
                    .iter_mut()
                    .enumerate()
                    .for_each(|(i, x)| *x = (base + i) as f64);
                let heard = if input.active {
                    input.block.channel(0).to_vec()
                } else {
                    vec![SILENCE; size]
                };
                sent.extend(heard);
                let out = line.pass(&input, size);
                got.extend(if out.active {
                    out.block.channel(0).to_vec()
                } else {
                    vec![SILENCE; size]
                });
            }
            let want: Vec<f64> = std::iter::repeat_n(SILENCE, 6)
                .chain(sent)
                .take(got.len())
                .collect();
            assert!(
                want.iter()
                    .zip(&got)
                    .all(|(a, b)| a.to_bits() == b.to_bits()),
                "{sizes:?}"
            );
        }
    }
}
