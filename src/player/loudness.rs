//! The loudness of the mix during playback.

use crate::{measure::Loudness, units::Lufs};
use std::sync::atomic::{AtomicU64, Ordering};

/// The loudness of the mix so far after ITU-R BS.1770-5, without the fades of starts and stops.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LoudnessSoFar {
    /// Loudness of the last 0.4 s; `None` in the first 0.4 s.
    pub momentary: Option<Lufs>,
    /// Loudness of the last 3 s; `None` in the first 3 s.
    pub short_term: Option<Lufs>,
    /// Gated loudness since the start; `None` in the first 0.4 s, or if everything is below the gate.
    pub integrated: Option<Lufs>,
}

/// The loudness since the start, for any thread to read: the bits of the momentary, short-term and integrated loudness,
/// NaN for none.
#[derive(Debug)]
pub(super) struct LoudnessDisplay([AtomicU64; 3]);

impl Default for LoudnessDisplay {
    fn default() -> Self {
        Self([f64::NAN; 3].map(|x| AtomicU64::new(x.to_bits())))
    }
}

impl LoudnessDisplay {
    pub(super) fn show(&self, loudness: &Loudness) {
        let levels = [
            loudness.momentary(),
            loudness.short_term(),
            loudness.integrated(),
        ];
        for (bits, level) in self.0.iter().zip(levels) {
            bits.store(level.map_or(f64::NAN, |l| l.0).to_bits(), Ordering::Relaxed);
        }
    }

    pub(super) fn read(&self) -> LoudnessSoFar {
        let [momentary, short_term, integrated] = self.0.each_ref().map(|bits| {
            let level = f64::from_bits(bits.load(Ordering::Relaxed));
            (!level.is_nan()).then_some(Lufs(level))
        });
        LoudnessSoFar {
            momentary,
            short_term,
            integrated,
        }
    }
}
