//! Delay line with a fixed length, for echoes, reverbs and strings.

/// Ring of the last samples.
pub struct DelayLine {
    samples: Vec<f64>,
    /// Position of the oldest sample.
    at: usize,
}

impl DelayLine {
    /// Creates a delay line that holds these samples, the oldest first. There must be at least one.
    pub fn new(samples: Vec<f64>) -> Self {
        Self { samples, at: 0 }
    }

    /// Creates a delay line of silence.
    pub fn silent(frames: usize) -> Self {
        Self::new(vec![0.0; frames])
    }

    /// Returns the oldest sample.
    #[expect(
        clippy::indexing_slicing,
        reason = "`push` keeps the position below the length"
    )]
    pub fn oldest(&self) -> f64 {
        self.samples[self.at]
    }

    /// Replaces the oldest sample.
    #[expect(
        clippy::indexing_slicing,
        reason = "the position is kept below the length here"
    )]
    pub fn push(&mut self, sample: f64) {
        self.samples[self.at] = sample;
        self.at = (self.at + 1) % self.samples.len();
    }
}
