//! The lock-free ring between the engine and the callback: the only door to rtrb.
//!
//! It holds samples of whole frames, interleaved, as `f64`. Its size is a multiple of a frame, so no frame is split where
//! it wraps round.

use rtrb::{Consumer, Producer, RingBuffer};

/// The engine's end.
pub(super) struct Filler(Producer<f64>);

/// The callback's end.
pub(super) struct Drain(Consumer<f64>);

/// A ring of so many samples.
pub(super) fn ring(samples: usize) -> (Filler, Drain) {
    let (filler, drain) = RingBuffer::new(samples);
    (Filler(filler), Drain(drain))
}

impl Filler {
    /// How many samples there is room for.
    pub(super) fn room(&self) -> usize {
        self.0.slots()
    }

    /// Puts samples in; what finds no room is left out.
    pub(super) fn push(&mut self, samples: &[f64]) {
        let _ = self.0.push_partial_slice(samples);
    }
}

impl Drain {
    /// How many samples are there.
    pub(super) fn there(&self) -> usize {
        self.0.slots()
    }

    /// Takes `samples` samples, in one or two pieces. Takes nothing where fewer are there.
    pub(super) fn take(&mut self, samples: usize, mut each: impl FnMut(&[f64])) {
        if let Ok(chunk) = self.0.read_chunk(samples) {
            let (first, second) = chunk.as_slices();
            each(first);
            each(second);
            chunk.commit_all();
        }
    }
}
