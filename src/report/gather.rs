//! Collects a report from the renderer after a render.

use super::{
    ClipReport, InsertReport, LimiterReport, MixReport, Overview, Placed, Report, Silenced,
    Stretch, StripLevels, StripReport, TimecodeOverview, TrackReport,
};
use crate::diagnostics::{
    ClockTime, DistinctWarnings, NonFinite, Silence, SilencedStretch, Subject, Warning, WarningKind,
};
use crate::{
    dsp::peak::Peak,
    engine::{Renderer, flaws::FlawLog, overload_guard},
    layout::Spec,
    media::{Flaw, FlawKind, Remark},
    plan::{ChannelMap, Node, NodeKind, Plan, PlannedClip},
    units::{Dbtp, Frames, Gain, Pan, SampleRate},
};
use std::ops::Range;

/// Returns the report of a rendered range. The caller adds the results of the sink and the elapsed
/// time.
pub(crate) fn gather(renderer: &Renderer, title: &str, range: &Range<Frames>) -> Report {
    let plan = renderer.plan();
    let rate = plan.spec().rate;
    let frames = range.end - range.start;
    let mut report = Report {
        title: title.to_owned(),
        rate_hz: rate.hz(),
        layout: plan.spec().layout.to_string(),
        start_frame: range.start.0,
        frames: frames.0,
        duration_s: seconds(frames, rate),
        timecode: plan.picture.map(|(fps, start)| TimecodeOverview {
            start: start.to_string(),
            fps: fps.to_string(),
        }),
        ..Report::default()
    };
    let mut found = DistinctWarnings::default();
    found.extend(plan.notes.iter().cloned());
    for (index, node) in plan.nodes.iter().enumerate() {
        let peak = Peak::loudest(renderer.peaks(index));
        match node.kind {
            NodeKind::Track => {
                let levels = renderer
                    .measured(index)
                    .map(|m| StripLevels::new(m, range.start));
                let (strip, clips) = (
                    StripReport {
                        inserts: inserts(renderer, index, range),
                        ..strip(node, peak, rate, levels)
                    },
                    node.clips().iter().zip(renderer.flaws(index)),
                );
                let clips: Vec<_> = clips.map(|(c, flaws)| clip(plan, c, flaws)).collect();
                let silent = node.live && peak.1.value == 0.0;
                found.extend(warnings(plan, node, silent, &clips, range));
                let overload = overload_guard::overload_warning(
                    &node.name,
                    renderer.input_peak(index),
                    peak.1.value,
                );
                found.extend(overload);
                report.tracks.push(TrackReport { strip, clips });
            }
            NodeKind::Bus => {
                let levels = renderer
                    .measured(index)
                    .map(|m| StripLevels::new(m, range.start));
                report.buses.push(StripReport {
                    inserts: inserts(renderer, index, range),
                    ..strip(node, peak, rate, levels)
                });
            }
            NodeKind::Master => {
                report.mix = MixReport {
                    peak_dbfs: peak_dbfs(peak.1),
                    peak_at_s: peak_time_s(peak.1, rate),
                    peak_at_frame: peak_dbfs(peak.1).map(|_| peak.1.at),
                    peak_channel: peak_dbfs(peak.1).map(|_| peak.0),
                    limiter: plan.ceiling().map(|ceiling| limiter(plan, ceiling)),
                    inserts: inserts(renderer, index, range),
                    ..MixReport::default()
                };
            }
        }
    }
    report.warnings = found.into_list();
    report.overview = Overview::from_renderer(renderer, range);
    report
}

fn peak_dbfs(peak: Peak) -> Option<f64> {
    peak.level().map(|level| level.0)
}

fn peak_time_s(peak: Peak, rate: SampleRate) -> Option<f64> {
    (peak.value > 0.0).then(|| seconds(Frames(peak.at), rate))
}

pub(super) fn seconds(frames: Frames, rate: SampleRate) -> f64 {
    frames.to_duration(rate).as_secs_f64()
}

fn strip(
    node: &Node,
    (_, peak): (usize, Peak),
    rate: SampleRate,
    levels: Option<StripLevels>,
) -> StripReport {
    let decibels = |gain: f64| Gain(gain).decibels().0;
    StripReport {
        name: node.name.clone(),
        heard: node.live,
        gain_db: node.gain.constant().filter(|g| *g > 0.0).map(decibels),
        gain_moves: node.gain.constant().is_none(),
        pan: node.pan.constant(),
        peak_dbfs: peak_dbfs(peak),
        peak_at_s: peak_time_s(peak, rate),
        levels,
        inserts: Vec::new(),
    }
}

/// Returns the inserts of a node that reduce gain.
fn inserts(renderer: &Renderer, index: usize, range: &Range<Frames>) -> Vec<InsertReport> {
    let rate = renderer.plan().spec().rate;
    let reductions = renderer.reductions(index, &(range.start.0..range.end.0));
    reductions
        .into_iter()
        .map(|(insert, reduction)| InsertReport {
            name: insert.called().to_owned(),
            kind: insert.kind_name().to_owned(),
            reduction_db: reduction.most.map(|(db, _)| db),
            reduction_at_s: reduction
                .most
                .map(|(_, frame)| seconds(Frames(frame), rate)),
            reduction_at_frame: reduction.most.map(|(_, frame)| frame),
            mean_reduction_db: reduction.mean_db,
            reduction_curve_db: reduction.curve,
            reduction_step_s: reduction.step_s,
        })
        .collect()
}

fn clip(plan: &Plan, clip: &PlannedClip, flaws: &FlawLog) -> ClipReport {
    let stem = &clip.stem;
    let rate = plan.spec().rate;
    let info = stem.info.as_ref();
    let stretch = |f: &Flaw| Stretch {
        at_s: seconds(f.at, rate),
        frames: f.len.0,
        reason: f.what.clone(),
    };
    let silenced = flaws.kinds().map(|(kind, flaws)| Silenced {
        kind: *kind,
        places: flaws.places,
        frames: flaws.frames,
        first: flaws.first.iter().map(stretch).collect(),
    });
    let placed = match &clip.channel_map {
        ChannelMap::Pan => Placed::Pan,
        ChannelMap::Fold(_) if clip.layout == plan.spec().layout => Placed::Same,
        ChannelMap::Fold(_) => Placed::Fold,
    };
    ClipReport {
        file: stem.name.clone(),
        colour: info.and_then(|i| i.colour.clone()),
        codec: info.map(|i| i.codec.clone()).unwrap_or_default(),
        bits: info.and_then(|i| i.bits).map(|b| b.width),
        float: info.and_then(|i| i.bits).is_some_and(|b| b.float),
        rate_hz: stem.spec.rate.hz(),
        exact_rate_hz: (!stem.spec.rate.is_whole()).then(|| stem.spec.rate.as_f64()),
        layout: clip.layout.to_string(),
        stem_frames: stem.info.as_ref().map(|i| i.frames.0),
        at_frame: clip.range.start,
        frames: clip.range.end - clip.range.start,
        resampled: stem.spec.rate != rate,
        placed,
        trimmed_start_frames: info.map_or(0, |i| i.trimmed_start.0),
        trimmed_end_frames: info.map_or(0, |i| i.trimmed_end.0),
        time_reference_frames: info.and_then(|i| i.time_reference).map(|t| t.0),
        silenced: silenced.collect(),
    }
}

fn limiter(plan: &Plan, Dbtp(ceiling_dbtp): Dbtp) -> LimiterReport {
    LimiterReport {
        ceiling_dbtp,
        latency_frames: plan.latency().0,
        warm_up_frames: plan.warm_up().0,
    }
}

/// Returns the warnings about one track. `silent` is true if the track was rendered and produced
/// only zeros.
fn warnings(
    plan: &Plan,
    node: &Node,
    silent: bool,
    clips: &[ClipReport],
    range: &Range<Frames>,
) -> Vec<Warning> {
    let mut found = Vec::new();
    for (planned, clip) in node.clips().iter().zip(clips) {
        let kinds = clip_warnings(plan, planned, clip);
        found.extend(
            kinds
                .into_iter()
                .map(|kind| Warning::new(kind, Subject::clip(&node.name, &clip.file))),
        );
    }
    let due = node
        .clips()
        .iter()
        .any(|c| c.range.start < range.end.0 && range.start.0 < c.range.end);
    if due && silent {
        let rate = plan.spec().rate;
        let silence = if *range == (Frames::ZERO..plan.length()) {
            Silence::Whole
        } else {
            Silence::Range {
                from: ClockTime {
                    frame: range.start,
                    rate,
                },
                to: ClockTime {
                    frame: range.end,
                    rate,
                },
            }
        };
        found.push(Warning::new(
            WarningKind::SilentStem { silence },
            Subject::track(&node.name),
        ));
    }
    found
}

/// Returns the warnings about one clip.
fn clip_warnings(plan: &Plan, planned: &PlannedClip, clip: &ClipReport) -> Vec<WarningKind> {
    let Spec { rate, layout } = plan.spec();
    let mut found = Vec::new();
    if clip.resampled {
        found.push(WarningKind::Resampled {
            from: planned.stem.spec.rate,
            to: rate,
        });
    }
    match planned.channel_map {
        ChannelMap::Pan => {
            let (left, right) = plan.pan_law.gains(Pan::CENTRE);
            let centre = Gain(left.max(right)).decibels();
            found.push(WarningKind::MonoPanned {
                law: plan.pan_law,
                centre,
            });
        }
        ChannelMap::Fold(_) if planned.layout != layout => {
            found.push(WarningKind::Folded {
                from: planned.layout,
                to: layout,
            });
        }
        ChannelMap::Fold(_) => {}
    }
    for remark in planned.stem.info.iter().flat_map(|i| &i.remarks) {
        match *remark {
            Remark::HeaderLength {
                stated,
                found: actual,
            } => {
                found.push(WarningKind::WrongHeaderLength {
                    stated,
                    found: actual,
                });
            }
            Remark::CutOff => found.push(WarningKind::UnknownEnd {}),
            Remark::UnusedAudio { frames } => found.push(WarningKind::UnusedAudio { frames }),
            Remark::AlignmentUnknown => found.push(WarningKind::UnknownDelay {}),
            Remark::TimestampGaps {
                ignored,
                places,
                frames,
                at,
            } => found.push(WarningKind::TimestampGaps {
                ignored,
                places,
                frames,
                at: ClockTime {
                    frame: at,
                    rate: planned.stem.spec.rate,
                },
            }),
            // Slow seeking does not affect the mix.
            Remark::SlowSeek => {}
        }
    }
    for Silenced {
        kind,
        places,
        frames,
        first,
    } in &clip.silenced
    {
        let Some(Stretch { at_s, reason, .. }) = first.first() else {
            continue;
        };
        let frame = Frames::from_duration(std::time::Duration::from_secs_f64(*at_s), rate);
        let stretch = SilencedStretch {
            flaw: *kind,
            at: ClockTime { frame, rate },
            places: *places,
            frames: *frames,
            detail: reason.clone(),
        };
        found.push(match kind {
            FlawKind::Damaged | FlawKind::CutBefore | FlawKind::EndedEarly => {
                WarningKind::ReplacedBySilence { stretch }
            }
            FlawKind::NonFinite => WarningKind::NonFiniteSamples {
                place: NonFinite::Stem(stretch),
            },
        });
    }
    if planned.stem.frames == Some(Frames::ZERO) {
        found.push(WarningKind::SilentStem {
            silence: Silence::NoFrames,
        });
    }
    found
}
