//! Builds the six cards at the head of the page: measured values first, then general properties.

use super::{
    axis::Axis,
    head::{CARDS, Card, CardState, grouped, signed},
    overs::TOLERANCE_DB,
    targets::Targets,
    time,
};
use crate::report::Report;

/// Returns the six most important cards of a report.
pub(super) fn cards(report: &Report, axis: &Axis) -> Vec<Card> {
    let (mut cards, mix) = (Vec::new(), &report.mix);
    let at = |s: Option<f64>| s.map_or(String::new(), |s| format!("at {}", axis.label(s)));
    let targets = Targets::new(report);
    let is_integer = report.is_integer();
    let measured = mix.measured.is_some();
    if measured {
        cards.push(integrated(mix.integrated_lufs, &targets));
        cards.push(true_peak(
            mix.true_peak_dbtp,
            at(mix.true_peak_at_s),
            &targets,
        ));
        cards.push(plain(
            "Range",
            mix.loudness_range_lu.map(|r| format!("{r:.1}")),
            "LU",
            "loudness range".to_owned(),
        ));
        let most = mix.short_term_max_lufs.map(|l| signed(l, 1));
        // The position is the start of the window, which is stated so that it can be found on the curve.
        let window = mix
            .short_term_max_at_s
            .map_or(String::new(), |s| format!("the 3 s from {}", axis.label(s)));
        cards.push(plain("Short-term maximum", most, "LUFS", window));
    }
    if !measured || report.format.is_none() {
        cards.push(peak(report, is_integer, at(mix.peak_at_s)));
    }
    if report.format.is_some() {
        cards.push(clipped(report, is_integer));
    }
    cards.push(warnings(report));
    let frames = format!("{} frames", grouped(report.frames));
    cards.push(plain("Length", Some(time(report.duration_s)), "", frames));
    let buses = report.buses.len();
    let through = format!(
        "through {buses} {}",
        if buses == 1 { "bus" } else { "buses" }
    );
    cards.push(plain(
        "Tracks",
        Some(report.tracks.len().to_string()),
        "",
        through,
    ));
    let rate = f64::from(report.rate_hz) / 1000.0;
    cards.push(plain(
        "Format",
        Some(rate.to_string()),
        "kHz",
        report.layout.clone(),
    ));
    // Last are the least important ones.
    cards.truncate(CARDS);
    cards
}

/// Returns a card without a pass or fail state; a dash stands for an undefined value.
fn plain(label: &str, value: Option<String>, unit: &'static str, foot: String) -> Card {
    let (unit, foot) = if value.is_some() {
        (unit, foot)
    } else {
        ("", "not defined".to_owned())
    };
    let value = value.unwrap_or_else(|| "–".to_owned());
    Card {
        label: label.to_owned(),
        value,
        unit,
        foot,
        state: CardState::Plain,
    }
}

/// Returns the card of the integrated loudness, judged by the target.
fn integrated(level: Option<f64>, targets: &Targets) -> Card {
    let foot = match (targets.target_lufs, targets.tolerance_lu) {
        (None, _) => "no target was set".to_owned(),
        (Some(target), None) => format!("{}: {}", targets.name, signed(target, 1)),
        (Some(target), Some(tolerance)) => {
            format!("{}: {} ± {tolerance}", targets.name, signed(target, 1))
        }
    };
    let card = plain(
        "Integrated",
        level.map(|l| signed(l, 1)),
        "LUFS",
        foot.clone(),
    );
    Card {
        foot: if targets.target_lufs.is_some() {
            foot
        } else {
            card.foot
        },
        state: state(targets.loudness_passed),
        ..card
    }
}

/// Returns the card of the true peak, judged by the ceiling of the target or limiter.
fn true_peak(level: Option<f64>, at: String, targets: &Targets) -> Card {
    // Without a ceiling, values above full scale need attention.
    let ceiling = targets.ceiling_dbtp.unwrap_or(0.0);
    let over = level.is_some_and(|l| l > ceiling + TOLERANCE_DB);
    let foot = targets.ceiling_dbtp.map_or(at.clone(), |ceiling| {
        format!("at most {} · {at}", signed(ceiling, 1))
    });
    let state = match targets.true_peak_passed {
        None if over => CardState::Attention,
        None => CardState::Good,
        passed => state(passed),
    };
    Card {
        state,
        ..plain("True peak", level.map(|l| signed(l, 1)), "dBTP", foot)
    }
}

/// Returns the state of a requirement: `None` if nothing is required.
fn state(passed: Option<bool>) -> CardState {
    match passed {
        None => CardState::Plain,
        Some(true) => CardState::Good,
        Some(false) => CardState::Bad,
    }
}

/// Returns the card of the sample peak. A peak above full scale is an error in an integer file, a
/// warning otherwise.
fn peak(report: &Report, is_integer: bool, at: String) -> Card {
    let over = report.mix.peak_dbfs.is_some_and(|p| p > 0.0);
    let state = match (over, is_integer) {
        (true, true) => CardState::Bad,
        (true, false) => CardState::Attention,
        _ => CardState::Good,
    };
    Card {
        state,
        ..plain(
            "Sample peak",
            report.mix.peak_dbfs.map(|p| signed(p, 2)),
            "dBFS",
            at,
        )
    }
}

/// Returns the card of the clipped samples. Any is an error.
fn clipped(report: &Report, is_integer: bool) -> Card {
    let count = report.mix.clipped_samples;
    let foot = if is_integer {
        "of the integer file"
    } else {
        "a float file clips nothing"
    };
    let unit = if count == 1 { "sample" } else { "samples" };
    let state = if count > 0 {
        CardState::Bad
    } else {
        CardState::Good
    };
    Card {
        state,
        ..plain("Clipped", Some(grouped(count)), unit, foot.to_owned())
    }
}

/// Returns the card of the warnings and notes.
fn warnings(report: &Report) -> Card {
    let notes = report.warnings.iter().filter(|w| w.kind.is_note()).count();
    let warnings = report.warnings.len() - notes;
    let foot = format!("and {notes} {}", if notes == 1 { "note" } else { "notes" });
    let state = if warnings > 0 {
        CardState::Attention
    } else {
        CardState::Good
    };
    Card {
        state,
        ..plain("Warnings", Some(warnings.to_string()), "", foot)
    }
}
