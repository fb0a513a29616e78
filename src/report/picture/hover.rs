//! Data that the script of the page shows under the pointer.

use super::wave::Column;
use crate::report::Overview;
use serde::Serialize;

/// Data of one report, embedded in the page as JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct HoverData {
    start_s: f64,
    length_s: f64,
    left: f64,
    right: f64,
    timecode: Option<HoverTimecode>,
    lanes: Vec<HoverLane>,
    momentary_lufs: Vec<Option<f64>>,
    short_term_lufs: Vec<Option<f64>>,
    integrated_lufs: Vec<Option<f64>>,
    cues: Vec<(String, f64, f64)>,
    markers: Vec<(String, f64)>,
}

/// Picture frame at frame 0 of the timeline, as a frame number counted from midnight, and the frame
/// rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct HoverTimecode {
    number: u64,
    numerator: u32,
    denominator: u32,
    drop: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct HoverLane {
    name: String,
    top: f64,
    bottom: f64,
    /// Peaks in tenths of a decibel; `null` for silence.
    peaks_ddb: Vec<Option<i32>>,
}

impl HoverData {
    pub(super) fn new(axis: &super::axis::Axis, overview: Option<&Overview>) -> Self {
        let cues = overview
            .into_iter()
            .flat_map(|o| &o.cues)
            .map(|c| (c.name.clone(), c.start_s, c.end_s));
        let markers = overview
            .into_iter()
            .flat_map(|o| &o.markers)
            .map(|m| (m.name.clone(), m.at_s));
        Self {
            start_s: axis.start_s,
            length_s: axis.length_s,
            left: axis.left,
            right: axis.right,
            timecode: axis.timecode.map(|n| HoverTimecode {
                number: n.start.number(),
                numerator: n.start.rate().numerator(),
                denominator: n.start.rate().denominator(),
                drop: n.start.rate().is_drop_frame(),
            }),
            cues: cues.collect(),
            markers: markers.collect(),
            ..Self::default()
        }
    }

    pub(super) fn lane(&mut self, name: &str, top: f64, high: f64, drawn: &[Column]) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "rounded; a level lies far within i32"
        )]
        let level =
            |c: &Column| (c.peak() > 0.0).then(|| (200.0 * libm::log10(c.peak())).round() as i32);
        let peaks_ddb = drawn.iter().map(level).collect();
        self.lanes.push(HoverLane {
            name: name.to_owned(),
            top,
            bottom: top + high,
            peaks_ddb,
        });
    }

    pub(super) fn loudness(
        &mut self,
        momentary: Vec<Option<f64>>,
        short_term: Vec<Option<f64>>,
        integrated: Vec<Option<f64>>,
    ) {
        let tenths = |v: Vec<Option<f64>>| {
            v.into_iter()
                .map(|l| l.map(|l| (l * 10.0).round() / 10.0))
                .collect()
        };
        (
            self.momentary_lufs,
            self.short_term_lufs,
            self.integrated_lufs,
        ) = (tenths(momentary), tenths(short_term), tenths(integrated));
    }

    /// Returns JSON that is safe inside an HTML script element.
    pub(super) fn to_script(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned());
        let mut out = String::with_capacity(json.len());
        for c in json.chars() {
            match c {
                '<' => out += "\\u003c",
                '>' => out += "\\u003e",
                '&' => out += "\\u0026",
                '\u{2028}' => out += "\\u2028",
                '\u{2029}' => out += "\\u2029",
                c => out.push(c),
            }
        }
        out
    }
}
