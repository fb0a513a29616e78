//! The lock-free ring between the playback thread and the callback; wraps `rtrb`.
//!
//! Holds interleaved `f64` samples. Its capacity is a multiple of a frame, so no frame is split where the ring wraps around.

use rtrb::{Consumer, Producer, RingBuffer};

/// The playback thread's end.
pub(super) struct RingWriter(Producer<f64>);

/// The callback's end.
pub(super) struct RingReader(Consumer<f64>);

/// Makes a ring with a capacity in samples.
pub(super) fn ring(capacity: usize) -> (RingWriter, RingReader) {
    let (writer, reader) = RingBuffer::new(capacity);
    (RingWriter(writer), RingReader(reader))
}

impl RingWriter {
    /// Returns the number of samples that can be written now.
    pub(super) fn free(&self) -> usize {
        self.0.slots()
    }

    /// Writes samples; those beyond the free space are dropped.
    pub(super) fn write(&mut self, samples: &[f64]) {
        let _ = self.0.push_partial_slice(samples);
    }
}

impl RingReader {
    /// Returns the number of samples that can be read now.
    pub(super) fn available(&self) -> usize {
        self.0.slots()
    }

    /// Reads `samples` samples and passes them to `each` in one or two slices. Reads nothing if fewer are available.
    pub(super) fn read(&mut self, samples: usize, mut each: impl FnMut(&[f64])) {
        if let Ok(chunk) = self.0.read_chunk(samples) {
            let (first, second) = chunk.as_slices();
            each(first);
            each(second);
            chunk.commit_all();
        }
    }
}
