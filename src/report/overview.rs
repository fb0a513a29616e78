//! Data for drawing a mix: waveforms, automation, clips, cues, markers and overs.
//!
//! Collected while rendering; the size is bounded whatever the length of the mix. All times count
//! from frame 0 of the timeline. All numbers are finite: a gain of −∞ dB is `null`.

use crate::{
    engine::{
        Renderer,
        clip_log::OverLog,
        waveform_builder::{Bin, WaveformBuilder},
    },
    measure::Measured,
    plan::{Node, NodeInput, NodeKind, Plan},
    units::{Dbfs, Frames, Gain, SampleRate},
};
#[cfg(feature = "serde")]
use serde::Serialize;
use std::ops::Range;

/// Waveforms and levels of a mix and its strips over time.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct Overview {
    /// Frames per bin, for all waveforms. The first bin starts at the start of the rendered range;
    /// the last bin may be shorter.
    pub frames_per_bin: u64,
    /// Tracks, in session order.
    pub tracks: Vec<LaneOverview>,
    /// Buses, in session order.
    pub buses: Vec<LaneOverview>,
    /// Mix, with all channels merged into one waveform.
    pub mix: LaneOverview,
    /// Waveform of each channel of the mix.
    pub mix_channels: Vec<Waveform>,
    /// Number of samples of the mix above full scale, before conversion to the output format.
    pub over_samples: u64,
    /// First regions above full scale, at most 100.
    pub overs: Vec<Over>,
    /// Loudness and true peak over time, if measured.
    pub loudness: Option<LoudnessOverview>,
    /// Timecode of frame 0 and frame rate of the picture, if the session states them.
    pub timecode: Option<TimecodeOverview>,
    /// Cues and their positions.
    pub cues: Vec<CueOverview>,
    /// Markers of the session and of its cues.
    pub markers: Vec<MarkerOverview>,
}

/// Drawing data of one track, bus or the mix.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct LaneOverview {
    /// Name of the track or bus.
    pub name: String,
    /// True if the strip contributes to the mix.
    pub heard: bool,
    /// Bus that the strip feeds; `None` for the master.
    pub bus: Option<String>,
    /// Start and end of each clip, in seconds.
    pub clips_s: Vec<[f64; 2]>,
    /// Gain automation as a polyline; empty if the gain is constant.
    pub gain_curve: Vec<CurvePoint>,
    /// Waveform after gain and pan.
    pub waveform: Waveform,
}

/// Point of a gain curve.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct CurvePoint {
    /// Time in seconds.
    pub at_s: f64,
    /// Gain in dB; `null` for −∞.
    pub gain_db: Option<f64>,
}

/// Minimum, maximum and RMS of each bin; full scale is ±1.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct Waveform {
    /// Minimum sample of each bin.
    pub min: Vec<f32>,
    /// Maximum sample of each bin.
    pub max: Vec<f32>,
    /// RMS of each bin; empty for tracks.
    pub rms: Vec<f32>,
}

/// Loudness and true peak of the mix over time.
///
/// Value `i` covers the time from `i` to `i + 1` steps after the start of the rendered range.
/// `null` stands for silence and for values that are not yet defined.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct LoudnessOverview {
    /// Duration of one step in seconds.
    pub step_s: f64,
    /// Maximum momentary loudness of each step.
    pub momentary_lufs: Vec<Option<f32>>,
    /// Short-term loudness at the end of each step.
    pub short_term_lufs: Vec<Option<f32>>,
    /// Integrated loudness from the start of the range to the end of each step.
    pub integrated_lufs: Vec<Option<f32>>,
    /// Maximum true peak of each step.
    pub true_peak_dbtp: Vec<Option<f32>>,
}

/// Timecode of the timeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct TimecodeOverview {
    /// Timecode of frame 0.
    pub start: String,
    /// Frame rate in its usual notation: `23.976`, `29.97df`.
    pub fps: String,
}

/// Region of the mix above full scale.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct Over {
    /// First frame above full scale, on the timeline.
    pub at_frame: u64,
    /// Time of that frame in seconds.
    pub at_s: f64,
    /// Length in frames, including short gaps.
    pub frames: u64,
    /// Peak of the region.
    pub peak_dbfs: f64,
}

/// Use of a cue on the timeline.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct CueOverview {
    /// Title of the cue, followed by the name of this use if it has one.
    pub name: String,
    /// Start in seconds.
    pub start_s: f64,
    /// End in seconds.
    pub end_s: f64,
}

/// Marker on the timeline.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize))]
#[non_exhaustive]
pub struct MarkerOverview {
    /// Name of the marker.
    pub name: String,
    /// Time in seconds.
    pub at_s: f64,
}

impl Overview {
    /// Returns the overview of a rendered range; `None` if the renderer was not asked for
    /// waveforms.
    pub(super) fn from_renderer(renderer: &Renderer, range: &Range<Frames>) -> Option<Self> {
        let plan = renderer.plan();
        let mut overview = Self::default();
        for (index, node) in plan.nodes.iter().enumerate() {
            let builder = renderer.waveform(index)?;
            let channels = builder.channels();
            let drawn = LaneOverview::new(
                plan,
                node,
                merge_channels(&channels, builder.has_rms()),
                range,
            );
            match node.kind {
                NodeKind::Track => overview.tracks.push(drawn),
                NodeKind::Bus => overview.buses.push(drawn),
                NodeKind::Master => {
                    overview.add_cues_and_markers(plan, range);
                    overview.mix = drawn;
                    overview.mix_channels = channels.iter().map(|c| waveform(c, true)).collect();
                    overview.add_overs(builder, plan.spec().rate);
                }
            }
        }
        Some(overview)
    }

    /// Adds the cues and markers within the range, and the timecode.
    fn add_cues_and_markers(&mut self, plan: &Plan, range: &Range<Frames>) {
        let rate = plan.spec().rate;
        for cue in &plan.cues {
            for placement in &cue.uses {
                let Range { start, end } = placement.range;
                if start >= range.end || range.start >= end {
                    continue;
                }
                let name = match placement.name.as_str() {
                    "" => cue.title.clone(),
                    name => format!("{} · {name}", cue.title),
                };
                self.cues.push(CueOverview {
                    name,
                    start_s: seconds(start.0, rate),
                    end_s: seconds(end.0, rate),
                });
            }
        }
        let inside = plan.markers.iter().filter(|m| range.contains(&m.at));
        self.markers = inside
            .map(|m| MarkerOverview {
                name: m.name.clone(),
                at_s: seconds(m.at.0, rate),
            })
            .collect();
        let picture = plan.picture.as_ref();
        self.timecode = picture.map(|(fps, start)| TimecodeOverview {
            start: start.to_string(),
            fps: fps.to_string(),
        });
    }

    /// Adds the loudness curves, reduced to at most as many steps as the waveforms have bins.
    pub(crate) fn set_loudness(&mut self, measured: &Measured) {
        let curves = &measured.curves;
        let bins = self.mix.waveform.min.len().max(1);
        let per_step = curves.momentary.len().div_ceil(bins).max(1);
        self.loudness = Some(LoudnessOverview {
            step_s: (0..per_step).fold(0.0, |s, _| s + curves.step_s),
            momentary_lufs: largest_of_each(&curves.momentary, per_step),
            short_term_lufs: last_of_each(&curves.short_term, per_step),
            integrated_lufs: last_of_each(&curves.integrated, per_step),
            true_peak_dbtp: largest_of_each(&curves.true_peak, per_step),
        });
    }

    /// Scales the waveforms of the mix by the gain at the middle of each bin, given as a frame of the
    /// range.
    pub(crate) fn fade_mix(&mut self, gain: impl Fn(u64) -> f64) {
        let middle = |bin: u64| bin * self.frames_per_bin + self.frames_per_bin / 2;
        let scale = |values: &mut Vec<f32>| {
            for (bin, value) in (0..).zip(values) {
                *value =
                    crate::engine::waveform_builder::single(f64::from(*value) * gain(middle(bin)));
            }
        };
        for wave in [&mut self.mix.waveform]
            .into_iter()
            .chain(&mut self.mix_channels)
        {
            for values in [&mut wave.min, &mut wave.max, &mut wave.rms] {
                scale(values);
            }
        }
    }

    /// Adds the bin size and the overs from the waveform of the master.
    fn add_overs(&mut self, builder: &WaveformBuilder, rate: SampleRate) {
        self.frames_per_bin = builder.grid().per_bin;
        self.over_samples = builder.overs().iter().map(|l| l.samples).sum();
        let over = |place: crate::engine::clip_log::ClippedRange| Over {
            at_frame: place.start,
            at_s: seconds(place.start, rate),
            frames: place.end - place.start,
            peak_dbfs: Dbfs::from_amplitude(place.peak.min(f64::MAX)).0,
        };
        self.overs = OverLog::joined(builder.overs())
            .into_iter()
            .map(over)
            .collect();
    }
}

impl LaneOverview {
    fn new(plan: &Plan, node: &Node, waveform: Waveform, range: &Range<Frames>) -> Self {
        let rate = plan.spec().rate;
        let inside = |c: &Range<u64>| c.start.max(range.start.0)..c.end.min(range.end.0);
        let clips = node
            .clips()
            .iter()
            .map(|c| inside(&c.range))
            .filter(|c| !c.is_empty());
        let bus = node
            .out
            .first()
            .and_then(|(to, _)| plan.nodes.get(*to))
            .filter(|l| l.kind == NodeKind::Bus);
        let point = |(frame, gain): (u64, f64)| CurvePoint {
            at_s: seconds(frame, rate),
            gain_db: (gain > 0.0).then(|| Gain(gain).decibels().0),
        };
        Self {
            name: node.name.clone(),
            heard: node.live && !matches!(&node.input, NodeInput::Sum(feeds) if feeds.is_empty()),
            bus: bus.map(|b| b.name.clone()),
            clips_s: clips
                .map(|c| [seconds(c.start, rate), seconds(c.end, rate)])
                .collect(),
            gain_curve: node
                .gain
                .polyline(&(range.start.0..range.end.0))
                .into_iter()
                .map(point)
                .collect(),
            waveform,
        }
    }
}

/// Returns the largest finite value of each chunk of `per_step` values.
fn largest_of_each(values: &[f32], per_step: usize) -> Vec<Option<f32>> {
    values
        .chunks(per_step)
        .map(|step| step.iter().copied().filter_map(finite).reduce(f32::max))
        .collect()
}

/// Returns the last value of each chunk of `per_step` values, if it is finite.
fn last_of_each(values: &[f32], per_step: usize) -> Vec<Option<f32>> {
    values
        .chunks(per_step)
        .map(|step| step.last().copied().and_then(finite))
        .collect()
}

fn finite(value: f32) -> Option<f32> {
    value.is_finite().then_some(value)
}

/// Merges channels: minimum and maximum over all channels, RMS over all their samples.
fn merge_channels(channels: &[Vec<Bin>], rms: bool) -> Waveform {
    let bins = channels.first().map_or(0, Vec::len);
    let mut all = vec![
        Bin {
            min: f32::INFINITY,
            max: f32::NEG_INFINITY,
            rms: 0.0
        };
        bins
    ];
    let mut power = vec![0.0f64; bins];
    for channel in channels {
        for ((to, power), bin) in all.iter_mut().zip(&mut power).zip(channel) {
            (to.min, to.max) = (to.min.min(bin.min), to.max.max(bin.max));
            *power += f64::from(bin.rms) * f64::from(bin.rms);
        }
    }
    let count = channels.iter().fold(0.0, |n, _| n + 1.0);
    for (to, power) in all.iter_mut().zip(power) {
        to.rms = crate::engine::waveform_builder::single((power / count).sqrt());
    }
    waveform(&all, rms)
}

fn waveform(bins: &[Bin], rms: bool) -> Waveform {
    Waveform {
        min: bins.iter().map(|b| b.min).collect(),
        max: bins.iter().map(|b| b.max).collect(),
        rms: bins.iter().filter(|_| rms).map(|b| b.rms).collect(),
    }
}

fn seconds(frame: u64, rate: SampleRate) -> f64 {
    Frames(frame).to_duration(rate).as_secs_f64()
}
