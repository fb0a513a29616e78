//! The six numbers that matter most: of what was measured, or else of what is known.

use super::{
    aim::Aim,
    axis::Axis,
    head::{CARDS, Card, State, grouped, signed},
    time,
};
use crate::report::Report;

/// The cards of a report, six of them.
pub(super) fn of(report: &Report, axis: &Axis) -> Vec<Card> {
    let (mut cards, mix) = (Vec::new(), &report.mix);
    let at = |s: Option<f64>| s.map_or(String::new(), |s| format!("at {}", axis.name(s)));
    let aim = Aim::of(report);
    let lossy = report.is_integer();
    let measured = mix.measured.is_some();
    if measured {
        cards.push(integrated(mix.integrated_lufs, &aim));
        cards.push(true_peak(mix.true_peak_dbtp, at(mix.true_peak_at_s), &aim));
        cards.push(plain(
            "Range",
            mix.loudness_range_lu.map(|r| format!("{r:.1}")),
            "LU",
            "loudness range".to_owned(),
        ));
        let most = mix.short_term_max_lufs.map(|l| signed(l, 1));
        cards.push(plain(
            "Short-term maximum",
            most,
            "LUFS",
            at(mix.short_term_max_at_s),
        ));
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
    cards.truncate(CARDS);
    cards
}

/// A number that nothing was asked of; a dash where it is not defined.
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
        state: State::Plain,
    }
}

fn integrated(level: Option<f64>, aim: &Aim) -> Card {
    let foot = match (aim.target_lufs, aim.tolerance_lu) {
        (None, _) => "no target was set".to_owned(),
        (Some(target), None) => format!("{}: {}", aim.name, signed(target, 1)),
        (Some(target), Some(tolerance)) => {
            format!("{}: {} ± {tolerance}", aim.name, signed(target, 1))
        }
    };
    let card = plain(
        "Integrated",
        level.map(|l| signed(l, 1)),
        "LUFS",
        foot.clone(),
    );
    Card {
        foot: if aim.target_lufs.is_some() {
            foot
        } else {
            card.foot
        },
        state: state(aim.loudness_passed),
        ..card
    }
}

fn true_peak(level: Option<f64>, at: String, aim: &Aim) -> Card {
    let over = level.is_some_and(|l| l > aim.ceiling_dbtp.unwrap_or(0.0) + 0.05);
    let foot = aim.ceiling_dbtp.map_or(at.clone(), |ceiling| {
        format!("at most {} · {at}", signed(ceiling, 1))
    });
    let state = match aim.true_peak_passed {
        None if over => State::Care,
        None => State::Good,
        passed => state(passed),
    };
    Card {
        state,
        ..plain("True peak", level.map(|l| signed(l, 1)), "dBTP", foot)
    }
}

fn state(passed: Option<bool>) -> State {
    match passed {
        None => State::Plain,
        Some(true) => State::Good,
        Some(false) => State::Bad,
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

fn clipped(report: &Report, lossy: bool) -> Card {
    let count = report.mix.clipped_samples;
    let foot = if lossy {
        "of the integer file"
    } else {
        "a float file clips nothing"
    };
    let unit = if count == 1 { "sample" } else { "samples" };
    let state = if count > 0 { State::Bad } else { State::Good };
    Card {
        state,
        ..plain("Clipped", Some(grouped(count)), unit, foot.to_owned())
    }
}

fn warnings(report: &Report) -> Card {
    let notes = report.warnings.iter().filter(|w| w.kind.is_note()).count();
    let warnings = report.warnings.len() - notes;
    let foot = format!("and {notes} {}", if notes == 1 { "note" } else { "notes" });
    let state = if warnings > 0 {
        State::Care
    } else {
        State::Good
    };
    Card {
        state,
        ..plain("Warnings", Some(warnings.to_string()), "", foot)
    }
}
