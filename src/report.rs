//! What happened: gathered while rendering, as data and as a table.
//!
//! The field names carry their units and are the keys of the JSON form; silence is `null` there, never infinity.

mod gather;
mod heard;
mod overview;
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "places on a page are small numbers, and to round is to draw"
)]
mod picture;
mod save;
mod suspect;
pub(crate) mod table;
mod waveform;

pub(crate) use gather::gather;
pub use overview::{
    CueOverview, CurvePoint, LaneOverview, LoudnessOverview, MarkerOverview, Over, Overview,
    TimecodeOverview, Waveform,
};
pub use picture::{html_of, svg_of};
pub use save::{Paper, save};
pub(crate) use suspect::suspects;

use crate::diagnostics::Warning;
use crate::encode::Format;
use crate::measure::{Measured, Verdict};
use crate::media::FlawKind;
use serde::Serialize;

/// What a bounce did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The session's title.
    pub title: String,
    /// The file that was written, if it is one.
    pub output: Option<String>,
    /// The format of that file, e.g. `wav24`.
    pub format: Option<String>,
    /// The dither that was added, e.g. `tpdf`; `null` for none.
    pub dither: Option<String>,
    /// Size of that file.
    pub bytes: u64,
    /// Rate of the output.
    pub rate_hz: u32,
    /// Layout of the output.
    pub layout: String,
    /// First frame of the range that was rendered.
    pub start_frame: u64,
    /// Length of the output in frames.
    pub frames: u64,
    /// Length of the output in seconds.
    pub duration_s: f64,
    /// The tracks, in order.
    pub tracks: Vec<TrackReport>,
    /// The buses, in order.
    pub buses: Vec<StripReport>,
    /// The mix, after the master.
    pub mix: MixReport,
    /// Whether the mix meets a target, where one was given.
    pub verdict: Option<Verdict>,
    /// What the user should know.
    pub warnings: Vec<Warning>,
    /// What a picture is drawn from, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overview: Option<Overview>,
    /// Time it took to render and to write; [`Bounce::run`](crate::Bounce::run) counts checking the session too.
    pub wall_s: f64,
    /// Length of the output over the time it took.
    pub times_real_time: f64,
}

/// The level of a strip.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StripReport {
    /// Its name.
    pub name: String,
    /// Whether any of it is heard.
    pub heard: bool,
    /// The fader, where it stands still; `null` for −∞ and where it moves.
    pub gain_db: Option<f64>,
    /// Whether the fader moves.
    pub gain_moves: bool,
    /// The pan control, −1 to 1, where it stands still.
    pub pan: Option<f64>,
    /// The largest sample after gain and pan; `null` for silence.
    pub peak_dbfs: Option<f64>,
    /// When that sample came, on the timeline.
    pub peak_at_s: Option<f64>,
    /// Loudness and true peak, where they were asked for.
    #[serde(flatten)]
    pub levels: Option<StripLevels>,
}

/// What was measured of a strip, after its gain and pan, over the whole range that was rendered.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StripLevels {
    /// Integrated loudness; `null` where nothing is above −70 LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness range.
    pub loudness_range_lu: Option<f64>,
    /// The largest loudness of 0.4 s.
    pub momentary_max_lufs: Option<f64>,
    /// The largest loudness of 3 s.
    pub short_term_max_lufs: Option<f64>,
    /// The largest value between the samples; `null` for silence.
    pub true_peak_dbtp: Option<f64>,
    /// When it came, on the timeline.
    pub true_peak_at_s: Option<f64>,
    /// All that was measured, with curves over time; times in it count from the first frame that was rendered.
    #[serde(skip)]
    pub measured: Option<Measured>,
}

/// A track and its clips.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TrackReport {
    /// Name and level.
    #[serde(flatten)]
    pub strip: StripReport,
    /// Its clips, in order.
    pub clips: Vec<ClipReport>,
}

/// What came in, and what was done with it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClipReport {
    /// The file, or the name of the program's source.
    pub file: String,
    /// Container and codec; empty for a program's source.
    pub codec: String,
    /// Bits of a sample, where the format has such a number.
    pub bits: Option<u16>,
    /// Whether they are floating point.
    pub float: bool,
    /// Rate of the stem.
    pub rate_hz: u32,
    /// The same, where it is not whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact_rate_hz: Option<f64>,
    /// Layout of the stem.
    pub layout: String,
    /// Length of the stem at its own rate.
    pub stem_frames: Option<u64>,
    /// Where the clip starts on the timeline.
    pub at_frame: u64,
    /// How long it sounds, in frames of the session.
    pub frames: u64,
    /// Whether its rate was converted.
    pub resampled: bool,
    /// How its channels came into the session's layout.
    pub placed: Placed,
    /// Encoder delay removed at the start, at the stem's rate.
    pub trimmed_start_frames: u64,
    /// Encoder padding removed at the end, at the stem's rate.
    pub trimmed_end_frames: u64,
    /// The Broadcast-WAV time reference of the stem, which is not used for placing.
    pub time_reference_frames: Option<u64>,
    /// What was replaced by silence, by reason.
    pub silenced: Vec<Silenced>,
}

/// How the channels of a stem came into the session's layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Placed {
    /// As they are.
    #[default]
    Same,
    /// One channel, by the pan law.
    Pan,
    /// Folded from another layout.
    Fold,
}

/// What of a stem was replaced by silence for one reason.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Silenced {
    /// The reason.
    pub kind: FlawKind,
    /// How many places.
    pub places: u64,
    /// How many frames of the session in all.
    pub frames: u64,
    /// The first places, at most 32.
    pub first: Vec<Stretch>,
}

/// A stretch of a stem that was replaced by silence.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Stretch {
    /// Where, from the start of the stem.
    pub at_s: f64,
    /// How many frames of the session.
    pub frames: u64,
    /// What was wrong.
    pub reason: String,
}

/// The level of the mix.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MixReport {
    /// The largest sample before the output's format; `null` for silence.
    pub peak_dbfs: Option<f64>,
    /// When it came, on the timeline.
    pub peak_at_s: Option<f64>,
    /// Its frame on the timeline.
    pub peak_at_frame: Option<u64>,
    /// Its channel, counted from 0 in WAVE order.
    pub peak_channel: Option<usize>,
    /// Samples beyond the range of an integer format, written as the nearest it has.
    pub clipped_samples: u64,
    /// Samples that were not finite, written as 0.
    pub non_finite_samples: u64,
    /// Integrated loudness (BS.1770-5); `null` where nothing is above −70 LUFS, under 0.4 s, or where it was not measured.
    pub integrated_lufs: Option<f64>,
    /// Loudness range (EBU Tech 3342); `null` under 3 s. It says little under a minute.
    pub loudness_range_lu: Option<f64>,
    /// The largest loudness of 0.4 s.
    pub momentary_max_lufs: Option<f64>,
    /// When these start, on the timeline.
    pub momentary_max_at_s: Option<f64>,
    /// The largest loudness of 3 s.
    pub short_term_max_lufs: Option<f64>,
    /// When these start, on the timeline.
    pub short_term_max_at_s: Option<f64>,
    /// The largest value between the samples, before the output's format (BS.1770-5 Annex 2); `null` for silence.
    pub true_peak_dbtp: Option<f64>,
    /// When it came, on the timeline.
    pub true_peak_at_s: Option<f64>,
    /// The frame before it, on the timeline.
    pub true_peak_at_frame: Option<u64>,
    /// Its channel, counted from 0 in WAVE order.
    pub true_peak_channel: Option<usize>,
    /// The track that was loudest at that time, after its gain and pan, to the tenth of a second (of mixes over 14 minutes to
    /// two, over 28 to four, and so on).
    pub true_peak_track: Option<String>,
    /// All that was measured, with curves over time; times in it count from the first frame that was rendered.
    #[serde(skip)]
    pub measured: Option<Measured>,
    /// What the master's limiter did, where it has one.
    pub limiter: Option<LimiterReport>,
}

/// What a limiter did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LimiterReport {
    /// The true peak that it holds.
    pub ceiling_dbtp: f64,
    /// Frames that it looks ahead.
    pub latency_frames: u64,
    /// Frames before a range that it has to know.
    pub warm_up_frames: u64,
    /// The strongest reduction, as a positive number; `null` where nothing was limited.
    pub reduction_db: Option<f64>,
    /// When it came, on the timeline.
    pub reduction_at_s: Option<f64>,
    /// The strongest reduction of each step from the start of the range on; 0 where nothing was limited.
    pub reduction_curve_db: Vec<f32>,
    /// Seconds from one value of the curve to the next: 0.1, and twice as much for each doubling beyond 109 minutes.
    pub reduction_step_s: f64,
}

impl Report {
    /// Whether the output is a file of integers, which clip at full scale.
    pub(crate) fn is_integer(&self) -> bool {
        let format = self
            .format
            .as_deref()
            .and_then(|name| name.parse::<Format>().ok());
        format.is_some_and(|format| !format.is_float())
    }

    /// The report as one JSON document. Keys are only ever added. With an overview it stands on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        let text = if self.overview.is_some() {
            serde_json::to_string
        } else {
            serde_json::to_string_pretty
        };
        // Every key is text and every value has a JSON form, so this cannot fail.
        text(self).unwrap_or_default()
    }
}
