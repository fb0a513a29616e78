//! Collects a report from a plan that has run.

use super::{
    ClipReport, LimiterReport, MixReport, Overview, Report, Silenced, Stretch, StripLevels, StripReport, TrackReport,
};
use crate::diagnostics::{Warning, WarningKind};
use crate::{
    dsp::peak::Peak,
    engine::{GainReduction, Renderer, flaws::FlawLog, overload_guard},
    media::{Flaw, FlawKind, Remark},
    plan::{Lane, LaneKind, Placing, Plan, PlannedClip},
    units::{Dbtp, Decibels, Frames, SampleRate},
};
use std::ops::Range;

/// What the renderer has done over a range; the sink's part and the time are for the caller to add.
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
        ..Report::default()
    };
    for note in &plan.notes {
        let text = format!("{}: {}", note.who, note.what);
        report.warnings.push(Warning { kind: note.kind, track: None, file: None, text });
    }
    for (index, lane) in plan.lanes.iter().enumerate() {
        let peak = Peak::loudest(renderer.peaks(index));
        match lane.kind {
            LaneKind::Track => {
                let levels = renderer.measured(index).map(|m| StripLevels::new(m, range.start));
                let (strip, clips) = (strip(lane, peak, rate, levels), lane.clips().iter().zip(renderer.flaws(index)));
                let clips: Vec<_> = clips.map(|(c, flaws)| clip(plan, c, flaws)).collect();
                warn(&mut report.warnings, plan, lane, peak, &clips, range);
                report.warnings.extend(overload_guard::overload_warning(
                    &lane.name,
                    renderer.before(index),
                    peak.1.value,
                ));
                report.tracks.push(TrackReport { strip, clips });
            }
            LaneKind::Bus => {
                let levels = renderer.measured(index).map(|m| StripLevels::new(m, range.start));
                report.buses.push(strip(lane, peak, rate, levels));
            }
            LaneKind::Master => {
                report.mix = MixReport {
                    peak_dbfs: level(peak.1),
                    peak_at_s: at(peak.1, rate),
                    peak_at_frame: level(peak.1).map(|_| peak.1.at),
                    peak_channel: level(peak.1).map(|_| peak.0),
                    limiter: renderer.reduction().zip(plan.ceiling()).map(|(r, ceiling)| limiter(plan, ceiling, r)),
                    ..MixReport::default()
                };
            }
        }
    }
    report.overview = Overview::of(renderer, range);
    report
}

fn level(peak: Peak) -> Option<f64> {
    peak.level().map(|level| level.0)
}

fn at(peak: Peak, rate: SampleRate) -> Option<f64> {
    (peak.value > 0.0).then(|| seconds(Frames(peak.at), rate))
}

pub(super) fn seconds(frames: Frames, rate: SampleRate) -> f64 {
    frames.to_duration(rate).as_secs_f64()
}

fn strip(lane: &Lane, (_, peak): (usize, Peak), rate: SampleRate, levels: Option<StripLevels>) -> StripReport {
    let decibels = |gain: f64| 20.0 * libm::log10(gain);
    StripReport {
        name: lane.name.clone(),
        heard: lane.live,
        gain_db: lane.gain.constant().filter(|g| *g > 0.0).map(decibels),
        gain_moves: lane.gain.constant().is_none(),
        pan: lane.pan.constant(),
        peak_dbfs: level(peak),
        peak_at_s: at(peak, rate),
        levels,
    }
}

fn clip(plan: &Plan, clip: &PlannedClip, flaws: &FlawLog) -> ClipReport {
    let stem = &clip.stem;
    let rate = plan.spec().rate;
    let info = stem.info.as_ref();
    let stretch = |f: &Flaw| Stretch { at_s: seconds(f.at, rate), frames: f.len.0, reason: f.what.clone() };
    let silenced = flaws.kinds().map(|(kind, flaws)| Silenced {
        kind: *kind,
        places: flaws.places,
        frames: flaws.frames,
        first: flaws.first.iter().map(stretch).collect(),
    });
    let placed = match &clip.place {
        Placing::Pan => "pan",
        Placing::Fold(_) if clip.layout == plan.spec().layout => "same",
        Placing::Fold(_) => "fold",
    };
    ClipReport {
        file: stem.name.clone(),
        codec: info.map(|i| i.codec.clone()).unwrap_or_default(),
        bits: info.and_then(|i| i.bits).map(|b| b.width),
        float: info.and_then(|i| i.bits).is_some_and(|b| b.float),
        rate_hz: stem.spec.rate.hz(),
        layout: clip.layout.to_string(),
        stem_frames: stem.info.as_ref().map(|i| i.frames.0),
        at_frame: clip.range.start,
        frames: clip.range.end - clip.range.start,
        resampled: stem.spec.rate != rate,
        placed: placed.to_owned(),
        trimmed_start_frames: info.map_or(0, |i| i.trimmed_start.0),
        trimmed_end_frames: info.map_or(0, |i| i.trimmed_end.0),
        time_reference_frames: info.and_then(|i| i.time_reference).map(|t| t.0),
        silenced: silenced.collect(),
    }
}

fn limiter(plan: &Plan, Dbtp(ceiling_dbtp): Dbtp, reduction: GainReduction) -> LimiterReport {
    LimiterReport {
        ceiling_dbtp,
        latency_frames: plan.latency().0,
        warm_up_frames: plan.warm_up().0,
        reduction_db: reduction.most.map(|most| -20.0 * libm::log10(1.0 - most.value)),
        reduction_at_s: reduction.most.map(|most| seconds(Frames(most.at), plan.spec().rate)),
        reduction_curve_db: reduction.curve,
        reduction_step_s: reduction.step_s,
    }
}

/// The warnings of one track.
fn warn(
    warnings: &mut Vec<Warning>,
    plan: &Plan,
    lane: &Lane,
    (_, peak): (usize, Peak),
    clips: &[ClipReport],
    range: &Range<Frames>,
) {
    let mut say = |kind, file: Option<&str>, text: String| {
        let warning = Warning { kind, track: Some(lane.name.clone()), file: file.map(str::to_owned), text };
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    };
    for (planned, clip) in lane.clips().iter().zip(clips) {
        let file = Some(clip.file.as_str());
        if clip.resampled {
            say(WarningKind::Resampled, file, format!("resampled from {} to {} Hz", clip.rate_hz, plan.spec().rate));
        }
        if clip.placed == "pan" {
            let (left, right) = plan.pan_law.gains(crate::units::Pan::CENTRE);
            let centre = Decibels(20.0 * libm::log10(left.max(right)));
            say(
                WarningKind::MonoPanned,
                file,
                format!("mono, placed by the {} pan law (centre {centre})", plan.pan_law),
            );
        }
        if clip.placed == "fold" {
            let lfe = planned.layout.loses_lfe(plan.spec().layout);
            let lost = if lfe { ", the LFE left out" } else { "" };
            say(WarningKind::Folded, file, format!("folded from {} to {}{lost}", clip.layout, plan.spec().layout));
        }
        for remark in planned.stem.info.iter().flat_map(|i| &i.remarks) {
            match remark {
                Remark::HeaderLength { stated, found } => {
                    say(
                        WarningKind::WrongHeaderLength,
                        file,
                        format!("its header says {stated} frames, {found} were found and used"),
                    );
                }
                Remark::AlignmentUnknown => {
                    say(
                        WarningKind::UnknownDelay,
                        file,
                        "the format does not say how much delay its encoder added".to_owned(),
                    );
                }
                // Nothing of the mix changes with it.
                Remark::SlowSeek => {}
            }
        }
        for Silenced { kind, places, frames, first } in &clip.silenced {
            let code = match kind {
                FlawKind::Damaged | FlawKind::EndedEarly => WarningKind::ReplacedBySilence,
                FlawKind::NonFinite => WarningKind::NonFiniteSamples,
            };
            let Some(Stretch { at_s, reason, .. }) = first.first() else { continue };
            let time = std::time::Duration::from_secs_f64(*at_s);
            let at = Frames::from_duration(time, plan.spec().rate).clock(plan.spec().rate);
            let more = if *places > 1 { format!(" and {} more places", places - 1) } else { String::new() };
            say(code, file, format!("{kind} at {at}{more}, {frames} frames silenced: {reason}"));
        }
        if planned.stem.frames == Some(Frames::ZERO) {
            say(WarningKind::SilentStem, file, "has no frames".to_owned());
        }
    }
    let sounds = lane.clips().iter().any(|c| c.range.start < range.end.0 && range.start.0 < c.range.end);
    if lane.live && sounds && peak.value == 0.0 {
        let clock = |frame: Frames| frame.clock(plan.spec().rate);
        let part = if *range == (Frames::ZERO..plan.length()) {
            String::new()
        } else {
            format!(" from {} to {}", clock(range.start), clock(range.end))
        };
        say(WarningKind::SilentStem, None, format!("is silent{part}"));
    }
}
