//! What a picture is drawn from: waveforms, automation, where clips lie, cues, markers, overs.
//!
//! Plain data, gathered while a mix is rendered and bounded however long it is. All times count from frame 0 of the
//! timeline. Nothing in it is infinite or no number: a gain of −∞ dB is `null`.

use crate::{
    engine::{
        Renderer,
        clip_log::OverLog,
        waveform_builder::{Bin, Sketch},
    },
    measure::Measured,
    plan::{Node, NodeInput, NodeKind, Plan},
    units::{Dbfs, Frames, Gain, SampleRate},
};
use serde::Serialize;
use std::ops::Range;

/// The levels of a mix and its strips over time, small enough to draw.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Overview {
    /// Frames under each bin of every waveform; the last bin may have fewer. The first bin starts with the range.
    pub frames_per_bin: u64,
    /// The tracks, in order.
    pub tracks: Vec<LaneOverview>,
    /// The buses, in order.
    pub buses: Vec<LaneOverview>,
    /// The mix, all channels together.
    pub mix: LaneOverview,
    /// The channels of the mix.
    pub mix_channels: Vec<Waveform>,
    /// Samples of the mix over full scale, before the output's format.
    pub over_samples: u64,
    /// Where they are: the first places, at most 100.
    pub overs: Vec<Over>,
    /// Loudness and true peak over time, where they were measured.
    pub loudness: Option<LoudnessOverview>,
    /// The timecode of frame 0 and the frame rate of the picture, where the session states them.
    pub timecode: Option<TimecodeOverview>,
    /// Cues and where they are used.
    pub cues: Vec<CueOverview>,
    /// Markers of the session and of its cues.
    pub markers: Vec<MarkerOverview>,
}

/// A lane of the picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LaneOverview {
    /// The name of the track or bus.
    pub name: String,
    /// Whether any of it is heard.
    pub heard: bool,
    /// The bus it goes to; none for the master.
    pub bus: Option<String>,
    /// Where its clips sound: start and end in seconds.
    pub clips_s: Vec<[f64; 2]>,
    /// The gain over time where it moves: a line through these points.
    pub gain_curve: Vec<CurvePoint>,
    /// What was heard of it, after its gain and pan.
    pub waveform: Waveform,
}

/// A point of a gain curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CurvePoint {
    /// When.
    pub at_s: f64,
    /// The gain there; `null` for −∞.
    pub gain_db: Option<f64>,
}

/// The lowest and highest sample and the root mean square of each bin, full scale ±1.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Waveform {
    /// The lowest samples.
    pub min: Vec<f32>,
    /// The highest samples.
    pub max: Vec<f32>,
    /// The root mean squares, of sums only: empty for tracks.
    pub rms: Vec<f32>,
}

/// Loudness and true peak of the mix over time. Value i is that of the time from i to i + 1 steps after the start of the
/// range; `null` where it is silent or not defined yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LoudnessOverview {
    /// Seconds from a value to the next.
    pub step_s: f64,
    /// Momentary loudness.
    pub momentary_lufs: Vec<Option<f32>>,
    /// Short-term loudness.
    pub short_term_lufs: Vec<Option<f32>>,
    /// Integrated loudness of all that came before.
    pub integrated_lufs: Vec<Option<f32>>,
    /// The largest true peak of the step.
    pub true_peak_dbtp: Vec<Option<f32>>,
}

/// How frames are named in timecode.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TimecodeOverview {
    /// The label of frame 0 of the timeline.
    pub start: String,
    /// The frame rate, as people name it: `23.976`, `29.97df`.
    pub fps: String,
}

/// A stretch of the mix over full scale.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Over {
    /// The frame of its first sample.
    pub at_frame: u64,
    /// When that is.
    pub at_s: f64,
    /// How many frames it lasts, small gaps included.
    pub frames: u64,
    /// Its largest sample.
    pub peak_dbfs: f64,
}

/// A named stretch of the timeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CueOverview {
    /// What it is called.
    pub name: String,
    /// Where it starts.
    pub start_s: f64,
    /// Where it ends.
    pub end_s: f64,
}

/// A named instant of the timeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MarkerOverview {
    /// What it is called.
    pub name: String,
    /// When.
    pub at_s: f64,
}

impl Overview {
    /// What a renderer has drawn over a range, if it was asked to.
    pub(super) fn of(renderer: &Renderer, range: &Range<Frames>) -> Option<Self> {
        let plan = renderer.plan();
        let mut overview = Self::default();
        for (index, lane) in plan.nodes.iter().enumerate() {
            let sketch = renderer.sketched(index)?;
            let channels = sketch.channels();
            let drawn = LaneOverview::of(plan, lane, joined(&channels, sketch.has_rms()), range);
            match lane.kind {
                NodeKind::Track => overview.tracks.push(drawn),
                NodeKind::Bus => overview.buses.push(drawn),
                NodeKind::Master => {
                    overview.named(plan, range);
                    overview.mix = drawn;
                    overview.mix_channels = channels.iter().map(|c| waveform(c, true)).collect();
                    overview.took(sketch, plan.spec().rate);
                }
            }
        }
        Some(overview)
    }

    /// Adds cues, markers and timecode, as far as they lie in the range.
    fn named(&mut self, plan: &Plan, range: &Range<Frames>) {
        let rate = plan.spec().rate;
        for (cue, place) in plan
            .cues
            .iter()
            .flat_map(|c| c.uses.iter().map(move |u| (c, u)))
        {
            let name = match place.name.as_str() {
                "" => cue.title.clone(),
                name => format!("{} · {name}", cue.title),
            };
            if place.range.start < range.end && range.start < place.range.end {
                let (start_s, end_s) = (
                    seconds(place.range.start.0, rate),
                    seconds(place.range.end.0, rate),
                );
                self.cues.push(CueOverview {
                    name,
                    start_s,
                    end_s,
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

    /// Adds the curves of what was measured, in at most as many steps as the waveforms have bins.
    pub(crate) fn levels(&mut self, measured: &Measured) {
        let (curves, bins) = (&measured.curves, self.mix.waveform.min.len().max(1));
        let per = curves.momentary.len().div_ceil(bins).max(1);
        let finite = |v: f32| v.is_finite().then_some(v);
        let largest = |values: &[f32]| -> Vec<Option<f32>> {
            values
                .chunks(per)
                .map(|c| c.iter().copied().filter_map(finite).reduce(f32::max))
                .collect()
        };
        let last = |values: &[f32]| -> Vec<Option<f32>> {
            values
                .chunks(per)
                .map(|c| c.last().copied().and_then(finite))
                .collect()
        };
        self.loudness = Some(LoudnessOverview {
            step_s: (0..per).fold(0.0, |s, _| s + curves.step_s),
            momentary_lufs: largest(&curves.momentary),
            short_term_lufs: last(&curves.short_term),
            integrated_lufs: last(&curves.integrated),
            true_peak_dbtp: largest(&curves.true_peak),
        });
    }

    /// Adds what only the master's sketch knows.
    fn took(&mut self, sketch: &Sketch, rate: SampleRate) {
        self.frames_per_bin = sketch.grid().per_bin;
        self.over_samples = sketch.overs().iter().map(|l| l.samples).sum();
        let over = |place: crate::engine::clip_log::Place| Over {
            at_frame: place.start,
            at_s: seconds(place.start, rate),
            frames: place.end - place.start,
            peak_dbfs: Dbfs::of(place.peak.min(f64::MAX)).0,
        };
        self.overs = OverLog::joined(sketch.overs())
            .into_iter()
            .map(over)
            .collect();
    }
}

impl LaneOverview {
    fn of(plan: &Plan, lane: &Node, waveform: Waveform, range: &Range<Frames>) -> Self {
        let rate = plan.spec().rate;
        let inside = |c: &Range<u64>| c.start.max(range.start.0)..c.end.min(range.end.0);
        let clips = lane
            .clips()
            .iter()
            .map(|c| inside(&c.range))
            .filter(|c| !c.is_empty());
        let bus = lane
            .out
            .first()
            .and_then(|(to, _)| plan.nodes.get(*to))
            .filter(|l| l.kind == NodeKind::Bus);
        let point = |(frame, gain): (u64, f64)| CurvePoint {
            at_s: seconds(frame, rate),
            gain_db: (gain > 0.0).then(|| Gain(gain).decibels().0),
        };
        Self {
            name: lane.name.clone(),
            heard: lane.live && !matches!(&lane.input, NodeInput::Sum(feeds) if feeds.is_empty()),
            bus: bus.map(|b| b.name.clone()),
            clips_s: clips
                .map(|c| [seconds(c.start, rate), seconds(c.end, rate)])
                .collect(),
            gain_curve: lane
                .gain
                .knots(&(range.start.0..range.end.0))
                .into_iter()
                .map(point)
                .collect(),
            waveform,
        }
    }
}

/// Several channels as one: the extent of all, and the root mean square of all their samples.
fn joined(channels: &[Vec<Bin>], rms: bool) -> Waveform {
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
