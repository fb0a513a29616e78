//! Copies measurements to reports.

use super::{MixReport, StripLevels, gather::seconds};
use crate::{
    measure::{LevelAt, Measured},
    units::{Frames, Lufs, SampleRate},
};

impl MixReport {
    /// Copies a measurement of the mix. `start` is the timeline position of its first frame.
    pub(crate) fn set_measured(&mut self, measured: Measured, start: Frames) {
        let m = &measured;
        let rate = m.spec.rate;
        self.integrated_lufs = m.integrated.map(|l| l.0);
        self.loudness_range_lu = m.range;
        self.momentary_max_lufs = m.momentary_max.map(|l| l.level.0);
        self.momentary_max_at_s = time_s(m.momentary_max, start, rate);
        self.short_term_max_lufs = m.short_term_max.map(|l| l.level.0);
        self.short_term_max_at_s = time_s(m.short_term_max, start, rate);
        self.true_peak_dbtp = m.true_peak.map(|p| p.level.0);
        self.true_peak_at_s = time_s(m.true_peak, start, rate);
        self.true_peak_at_frame = m.true_peak.map(|p| (start + p.at).0);
        self.true_peak_channel = m.true_peak.map(|p| p.channel);
        self.measured = Some(measured);
    }
}

impl StripLevels {
    pub(super) fn new(m: Measured, start: Frames) -> Self {
        let level = |of: Option<LevelAt<Lufs>>| of.map(|l| l.level.0);
        Self {
            integrated_lufs: m.integrated.map(|l| l.0),
            loudness_range_lu: m.range,
            momentary_max_lufs: level(m.momentary_max),
            short_term_max_lufs: level(m.short_term_max),
            true_peak_dbtp: m.true_peak.map(|p| p.level.0),
            true_peak_at_s: time_s(m.true_peak, start, m.spec.rate),
            measured: Some(m),
        }
    }
}

fn time_s<T>(met: Option<LevelAt<T>>, start: Frames, rate: SampleRate) -> Option<f64> {
    met.map(|m| seconds(start + m.at, rate))
}
