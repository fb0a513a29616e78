//! The six numbers that matter most: of what was measured, or else of what is known.

use super::{
    axis::Axis,
    head::{CARDS, Card, State, grouped, signed},
    time,
};
use crate::report::{LoudnessOverview, Report};

/// The cards of a report, six of them.
pub(super) fn of(report: &Report, axis: &Axis) -> Vec<Card> {
    let (mut cards, mix) = (Vec::new(), &report.mix);
    let at = |s: Option<f64>| s.map_or(String::new(), |s| format!("at {}", axis.name(s)));
    let loudness = report.overview.as_ref().and_then(|o| o.loudness.as_ref());
    let lossy = report.format.as_deref().is_some_and(|f| !f.ends_with('f'));
    let measured = mix.measured.is_some() || loudness.is_some();
    if measured {
        cards.push(integrated(mix.integrated_lufs, loudness));
        cards.push(true_peak(mix.true_peak_dbtp, at(mix.true_peak_at_s), loudness));
        cards.push(plain("Range", mix.loudness_range_lu.map(|r| format!("{r:.1}")), "LU", "loudness range".to_owned()));
        let most = mix.short_term_max_lufs.map(|l| signed(l, 1));
        cards.push(plain("Short-term maximum", most, "LUFS", at(mix.short_term_max_at_s)));
    }
    if !measured || report.format.is_none() {
        cards.push(peak(report, lossy, at(mix.peak_at_s)));
    }
    if report.format.is_some() {
        cards.push(clipped(report, lossy));
    }
    cards.push(warnings(report));
    let frames = format!("{} frames", grouped(report.frames));
    cards.push(plain("Length", Some(time(report.duration_s)), "", frames));
    let buses = report.buses.len();
    let through = format!("through {buses} {}", if buses == 1 { "bus" } else { "buses" });
    cards.push(plain("Tracks", Some(report.tracks.len().to_string()), "", through));
    let rate = f64::from(report.rate_hz) / 1000.0;
    cards.push(plain("Format", Some(rate.to_string()), "kHz", report.layout.clone()));
    cards.truncate(CARDS);
    cards
}

/// A number that nothing was asked of; a dash where it is not defined.
fn plain(label: &str, value: Option<String>, unit: &'static str, foot: String) -> Card {
    let (unit, foot) = if value.is_some() { (unit, foot) } else { ("", "not defined".to_owned()) };
    let value = value.unwrap_or_else(|| "–".to_owned());
    Card { label: label.to_owned(), value, unit, foot, state: State::Plain }
}

fn integrated(level: Option<f64>, loudness: Option<&LoudnessOverview>) -> Card {
    let target = loudness.and_then(|l| l.target_lufs.map(|t| (t, l.tolerance_lu.unwrap_or(1.0))));
    let card = plain("Integrated", level.map(|l| signed(l, 1)), "LUFS", "no target was set".to_owned());
    let Some((target, tolerance)) = target else { return card };
    let holds = level.is_some_and(|l| (l - target).abs() <= tolerance);
    let state = if holds { State::Good } else { State::Bad };
    Card { foot: format!("target {} ± {tolerance}", signed(target, 1)), state, ..card }
}

fn true_peak(level: Option<f64>, at: String, loudness: Option<&LoudnessOverview>) -> Card {
    let card = plain("True peak", level.map(|l| signed(l, 1)), "dBTP", at.clone());
    match (level, loudness.and_then(|l| l.ceiling_dbtp)) {
        (Some(level), Some(ceiling)) => {
            let state = if level <= ceiling { State::Good } else { State::Bad };
            Card { foot: format!("limit {} · {at}", signed(ceiling, 1)), state, ..card }
        }
        (Some(level), None) if level > 0.0 => Card { state: State::Care, ..card },
        (_, None) => Card { state: State::Good, ..card },
        _ => card,
    }
}

/// The sample peak: what is over full scale is lost in an integer file.
fn peak(report: &Report, lossy: bool, at: String) -> Card {
    let over = report.mix.peak_dbfs.is_some_and(|p| p > 0.0);
    let state = match (over, lossy) {
        (true, true) => State::Bad,
        (true, false) => State::Care,
        _ => State::Good,
    };
    Card { state, ..plain("Sample peak", report.mix.peak_dbfs.map(|p| signed(p, 2)), "dBFS", at) }
}

fn clipped(report: &Report, lossy: bool) -> Card {
    let count = report.mix.clipped_samples;
    let foot = if lossy { "of the integer file" } else { "a float file clips nothing" };
    let unit = if count == 1 { "sample" } else { "samples" };
    let state = if count > 0 { State::Bad } else { State::Good };
    Card { state, ..plain("Clipped", Some(grouped(count)), unit, foot.to_owned()) }
}

fn warnings(report: &Report) -> Card {
    let notes = report.warnings.iter().filter(|w| w.code.is_note()).count();
    let warnings = report.warnings.len() - notes;
    let foot = format!("and {notes} {}", if notes == 1 { "note" } else { "notes" });
    let state = if warnings > 0 { State::Care } else { State::Good };
    Card { state, ..plain("Warnings", Some(warnings.to_string()), "", foot) }
}
