//! Reports of bounces: measurements collected while rendering, as data, text table, JSON, SVG and
//! HTML.
//!
//! Field names carry their units and are the keys of the JSON form. Levels of silence (−∞ dB) are
//! `null` in JSON.

#[cfg(feature = "report")]
mod cue_sheet;
mod duplicate_tracks;
mod gather;
#[cfg(feature = "report")]
mod json;
mod levels;
mod overview;
#[cfg(feature = "report")]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "page coordinates are small numbers, and drawing rounds them"
)]
mod picture;
#[cfg(feature = "report")]
mod save;
mod suspicious_audio;
#[cfg(feature = "report")]
mod table;
#[cfg(feature = "report")]
mod waveform;

#[cfg(feature = "report")]
pub use cue_sheet::{CueSheet, CueSheetCredit, CueSheetRow};
pub(crate) use gather::gather;
#[cfg(feature = "report")]
pub use json::JSON_VERSION;
#[cfg(feature = "report")]
pub(crate) use json::Versioned;
pub use overview::{
    CueOverview, CurvePoint, LaneOverview, LoudnessOverview, MarkerOverview, Over, Overview,
    TimecodeOverview, Waveform,
};
#[cfg(feature = "dawproject")]
pub(crate) use picture::push_escaped;
#[cfg(feature = "report")]
pub(crate) use picture::{address, html_with_introduction};
#[cfg(feature = "report")]
pub use picture::{escaped, html_of, svg_of};
#[cfg(feature = "report")]
pub(crate) use save::relative_path;
#[cfg(feature = "report")]
pub use save::{ReportFormat, save};
pub(crate) use suspicious_audio::suspicious_audio;

use crate::diagnostics::Warning;
use crate::encode::Format;
use crate::measure::{Measured, Verdict};
use crate::media::FlawKind;
#[cfg(feature = "serde")]
use serde::Serialize;

/// Report of one bounce.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct Report {
    /// Title of the session.
    pub title: String,
    /// Path of the output file; `None` if the output is not a file.
    pub output: Option<String>,
    /// Format of the output file, e.g. `wav24`.
    pub format: Option<String>,
    /// Kind of dither added, e.g. `tpdf`; `null` for none.
    pub dither: Option<String>,
    /// Size of the output file in bytes.
    pub bytes: u64,
    /// Sample rate of the output in hertz.
    pub rate_hz: u32,
    /// Channel layout of the output.
    pub layout: String,
    /// First rendered frame, on the timeline.
    pub start_frame: u64,
    /// Length of the output in frames.
    pub frames: u64,
    /// Length of the output in seconds.
    pub duration_s: f64,
    /// Timecode of frame 0 and frame rate of the picture; `null` if the session has no picture.
    pub timecode: Option<TimecodeOverview>,
    /// Tracks, in session order.
    pub tracks: Vec<TrackReport>,
    /// Buses, in session order.
    pub buses: Vec<StripReport>,
    /// Levels of the mix, after the master strip.
    pub mix: MixReport,
    /// Result of the check against the loudness target, if one was set.
    pub verdict: Option<Verdict>,
    /// Warnings and notes for the user.
    pub warnings: Vec<Warning>,
    /// Waveforms and curves for drawing; present if [`Bounce::overview`](crate::Bounce::overview)
    /// requested it.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub overview: Option<Overview>,
    /// Time taken to render and write, in seconds. [`Bounce::run`](crate::Bounce::run) includes the
    /// time taken to check the session.
    pub wall_s: f64,
    /// Duration of the output divided by [`wall_s`](Self::wall_s).
    pub times_real_time: f64,
}

/// Levels of one strip (track or bus).
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct StripReport {
    /// Name of the track or bus.
    pub name: String,
    /// True if the strip contributes to the mix: not muted, and not excluded by another strip's
    /// solo.
    pub heard: bool,
    /// Fader gain in dB; `null` for −∞ and for an automated fader.
    pub gain_db: Option<f64>,
    /// True if the fader is automated.
    pub gain_moves: bool,
    /// Pan position, −1 (left) to 1 (right); `null` if automated.
    pub pan: Option<f64>,
    /// Sample peak after gain and pan; `null` for silence.
    pub peak_dbfs: Option<f64>,
    /// Time of the sample peak on the timeline, in seconds.
    pub peak_at_s: Option<f64>,
    /// Loudness and true peak, if strip measurement was requested.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub levels: Option<StripLevels>,
    /// Inserts that reduce gain, in the order of the signal; empty for a strip that is not heard.
    pub inserts: Vec<InsertReport>,
}

/// Gain reduction of an insert: of a compressor, expander, gate, ducker or limiter, or of a processor
/// of the program that reports its [`gains`](crate::dsp::Processor::gains).
///
/// All values are those of the rendered range. A gain below −300 dB counts as −300 dB.
///
/// ```
/// use soundtrack::{Bounce, Insert, Layout, Plan, SampleRate, Session, Spec, Track, media::Memory};
/// let spec = Spec { rate: SampleRate::HZ_48000, layout: Layout::Mono };
/// let mut mix = Session::new(spec.rate, spec.layout);
/// // From 0 dBFS down to half of its distance to −20 dBFS, at once.
/// let halve = Insert::new("compressor")?.set("ratio", 2.0)?.set("knee", 0.0)?.set("attack", 0.0)?;
/// mix.add_track(Track::new("x", Memory::new(spec, vec![vec![1.0; 4800]])?).insert(halve));
/// let report = Bounce::new().dry_run(Plan::compile(&mix)?)?;
/// let found = &report.tracks[0].strip.inserts[0];
/// assert_eq!((found.kind.as_str(), found.reduction_at_frame), ("compressor", Some(0)));
/// assert!((found.mean_reduction_db - 10.0).abs() < 1e-9);
/// # Ok::<(), soundtrack::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct InsertReport {
    /// Name of the insert; that of its processor if it has none.
    pub name: String,
    /// Name of its processor.
    #[cfg_attr(feature = "serde", serde(rename = "type"))]
    pub kind: String,
    /// Maximum gain reduction as a positive number, without makeup gain; `null` if there was none.
    pub reduction_db: Option<f64>,
    /// Time of the maximum on the timeline, in seconds.
    pub reduction_at_s: Option<f64>,
    /// Frame of the maximum on the timeline.
    pub reduction_at_frame: Option<u64>,
    /// Mean gain reduction: the mean of the decibels of all frames in which the strip sounds, which
    /// are those of its clips or inputs and of the tails of its inserts, silent or not.
    pub mean_reduction_db: f64,
    /// Maximum gain reduction of each step from the start of the rendered range; 0 where there was
    /// none.
    pub reduction_curve_db: Vec<f32>,
    /// Duration of one step of the curve in seconds: 0.1, doubled for each doubling of the length
    /// beyond 13.6 minutes.
    pub reduction_step_s: f64,
}

/// Loudness and true peak of a strip after gain and pan, over the whole rendered range.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct StripLevels {
    /// Integrated loudness; `null` if no gating block is above −70 LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness range.
    pub loudness_range_lu: Option<f64>,
    /// Maximum momentary loudness (0.4 s window).
    pub momentary_max_lufs: Option<f64>,
    /// Maximum short-term loudness (3 s window).
    pub short_term_max_lufs: Option<f64>,
    /// Maximum true peak; `null` for silence.
    pub true_peak_dbtp: Option<f64>,
    /// Time of the true peak on the timeline, in seconds.
    pub true_peak_at_s: Option<f64>,
    /// Complete measurement with curves over time. Its times count from the first rendered frame.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub measured: Option<Measured>,
}

/// Report of a track and its clips.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct TrackReport {
    /// Name and levels of the track.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub strip: StripReport,
    /// Clips of the track, in order.
    pub clips: Vec<ClipReport>,
}

/// Report of one clip: the properties of its stem and the conversions applied to it.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct ClipReport {
    /// File name, or the name of a source supplied by the program.
    pub file: String,
    /// Colour that a Native Instruments stem file gives the stem: `#rrggbb`; without it, the key is left out.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub colour: Option<String>,
    /// Container and codec; empty for a source supplied by the program.
    pub codec: String,
    /// Bits per sample; `null` if the format has no fixed sample width.
    pub bits: Option<u16>,
    /// True if the samples are floating point.
    pub float: bool,
    /// Sample rate of the stem, rounded to a whole number of hertz.
    pub rate_hz: u32,
    /// Exact sample rate of the stem in hertz; present only if it is not a whole number.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub exact_rate_hz: Option<f64>,
    /// Channel layout of the stem.
    pub layout: String,
    /// Length of the stem in frames at its own rate.
    pub stem_frames: Option<u64>,
    /// Start of the clip on the timeline, in frames.
    pub at_frame: u64,
    /// Length of the clip on the timeline, in frames at the session's rate.
    pub frames: u64,
    /// True if the stem was converted to the session's rate.
    pub resampled: bool,
    /// Conversion from the stem's channels to the session's layout.
    pub placed: Placed,
    /// Encoder delay removed from the start, in frames at the stem's rate.
    pub trimmed_start_frames: u64,
    /// Encoder padding removed from the end, in frames at the stem's rate.
    pub trimmed_end_frames: u64,
    /// Broadcast-WAV time reference of the stem. It does not affect the clip's position.
    pub time_reference_frames: Option<u64>,
    /// Regions replaced by silence, grouped by reason.
    pub silenced: Vec<Silenced>,
}

/// Conversion from a stem's channels to the session's layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Placed {
    /// Channels passed through unchanged.
    #[default]
    Same,
    /// Mono source panned with the pan law.
    Pan,
    /// Downmixed or upmixed from another layout.
    Fold,
}

/// Regions of a stem replaced by silence for one reason.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct Silenced {
    /// Reason for the replacement.
    pub kind: FlawKind,
    /// Number of regions.
    pub places: u64,
    /// Total length in frames at the session's rate.
    pub frames: u64,
    /// First regions, at most 32.
    pub first: Vec<Stretch>,
}

/// One region of a stem replaced by silence.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct Stretch {
    /// Start of the region from the start of the stem, in seconds.
    pub at_s: f64,
    /// Length in frames at the session's rate.
    pub frames: u64,
    /// Description of the fault.
    pub reason: String,
}

/// Levels of the mix.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct MixReport {
    /// Sample peak before conversion to the output format; `null` for silence.
    pub peak_dbfs: Option<f64>,
    /// Time of the sample peak on the timeline, in seconds.
    pub peak_at_s: Option<f64>,
    /// Frame of the sample peak on the timeline.
    pub peak_at_frame: Option<u64>,
    /// Channel of the sample peak, counted from 0 in WAVE order.
    pub peak_channel: Option<usize>,
    /// Number of samples clipped to the range of an integer output format.
    pub clipped_samples: u64,
    /// Number of non-finite samples, written as 0.
    pub non_finite_samples: u64,
    /// Integrated loudness (BS.1770-5); `null` if not measured, if the mix is shorter than 0.4 s,
    /// or if no gating block is above −70 LUFS.
    pub integrated_lufs: Option<f64>,
    /// Loudness range (EBU Tech 3342); `null` for mixes shorter than 3 s. Not meaningful for mixes
    /// shorter than a minute.
    pub loudness_range_lu: Option<f64>,
    /// Maximum momentary loudness (0.4 s window).
    pub momentary_max_lufs: Option<f64>,
    /// Start of that window on the timeline, in seconds.
    pub momentary_max_at_s: Option<f64>,
    /// Maximum short-term loudness (3 s window).
    pub short_term_max_lufs: Option<f64>,
    /// Start of that window on the timeline, in seconds.
    pub short_term_max_at_s: Option<f64>,
    /// Maximum true peak before conversion to the output format (BS.1770-5 Annex 2); `null` for
    /// silence.
    pub true_peak_dbtp: Option<f64>,
    /// Time of the true peak on the timeline, in seconds.
    pub true_peak_at_s: Option<f64>,
    /// Frame preceding the true peak on the timeline.
    pub true_peak_at_frame: Option<u64>,
    /// Channel of the true peak, counted from 0 in WAVE order.
    pub true_peak_channel: Option<usize>,
    /// Name of the track with the highest level, after its gain and pan, at the time of the true
    /// peak. Levels are compared in windows of 0.1 s; the window doubles to 0.2 s for mixes over 14
    /// minutes, to 0.4 s over 28 minutes, and so on.
    pub true_peak_track: Option<String>,
    /// Complete measurement with curves over time. Its times count from the first rendered frame.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub measured: Option<Measured>,
    /// Settings of the master's limiter, if it has one.
    pub limiter: Option<LimiterReport>,
    /// Inserts of the master that reduce gain, in the order of the signal; its limiter is the last.
    pub inserts: Vec<InsertReport>,
}

/// Settings of the master's limiter. Its gain reduction is that of the last of
/// [`MixReport::inserts`].
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct LimiterReport {
    /// True-peak ceiling.
    pub ceiling_dbtp: f64,
    /// Look-ahead in frames.
    pub latency_frames: u64,
    /// Pre-roll that the limiter needs before a rendered range, in frames.
    pub warm_up_frames: u64,
}

impl Report {
    /// Returns true if the output file holds integer samples, which clip at full scale.
    pub(crate) fn is_integer(&self) -> bool {
        let format = self
            .format
            .as_deref()
            .and_then(|name| name.parse::<Format>().ok());
        format.is_some_and(|format| !format.is_float())
    }
}
