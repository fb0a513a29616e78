//! Formats the status line of `--play`: position, level of the master, and state of each track.

use super::StripState;
use crate::text::counted;
use soundtrack::{Dbfs, Player, SampleRate, State};

/// Cells of the master's meter.
const CELLS: usize = 12;
/// Level in dBFS at which a meter is empty.
const FLOOR: f64 = -60.0;
/// Meter of a track, from empty to full.
const BARS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Formats the status line for a terminal of this many columns. `pending` is the incomplete input of the user.
pub fn format(
    player: &Player,
    rate: SampleRate,
    strips: &[StripState],
    pending: &str,
    columns: usize,
) -> String {
    let symbol = match player.state() {
        State::Playing => "▶",
        State::Paused => "‖",
        State::Failed => "!",
        _ => "■",
    };
    let position = player.position().clock(rate);
    if let Some(fault) = player.fault() {
        return fit(
            &format!("{symbol} {position} {fault}  (space: play on)"),
            columns,
        );
    }
    let levels = player.levels();
    let peak = levels.master.peak;
    let filled = filled_cells(peak, CELLS);
    let mut text = format!(
        "{symbol} {position} of {}  [{}{}] {:>10}  ",
        player.length().clock(rate),
        "#".repeat(filled),
        "-".repeat(CELLS - filled),
        // Padding applies to text only, so the level is formatted first.
        format!("{peak:.1}"),
    );
    for (number, (level, strip)) in (1..).zip(levels.tracks.iter().zip(strips)) {
        text += &format!("{number}{} ", track_symbol(level.peak, *strip));
    }
    let underruns = player.underruns().count;
    if underruns > 0 {
        text += &format!(" {}", counted(underruns, "underrun"));
    }
    fit(&(text + pending), columns)
}

/// Returns `m` for a muted track, `s` for a soloed one, else its meter.
fn track_symbol(peak: Dbfs, strip: StripState) -> char {
    if strip.is_muted {
        return 'm';
    }
    if strip.is_soloed {
        return 's';
    }
    let [empty, .., full] = BARS;
    match filled_cells(peak, BARS.len() - 1) {
        0 => empty,
        cells => BARS.get(cells).copied().unwrap_or(full),
    }
}

/// Returns the number of cells that a level fills, of this many.
fn filled_cells(level: Dbfs, cells: usize) -> usize {
    let part = ((level.0 - FLOOR) / -FLOOR).clamp(0.0, 1.0);
    ((part * cells as f64).ceil() as usize).min(cells)
}

/// Cuts text to one line of the terminal, without control characters.
fn fit(text: &str, columns: usize) -> String {
    text.chars()
        .take(columns.saturating_sub(1))
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_is_empty_at_the_floor_and_full_at_full_scale() {
        assert_eq!(
            [-60.0, -59.9, -30.0, 0.0, 6.0].map(|l| filled_cells(Dbfs(l), 12)),
            [0, 1, 6, 12, 12]
        );
        assert_eq!(filled_cells(Dbfs(f64::NEG_INFINITY), 12), 0);
        assert_eq!(fit("abc\u{1b}d", 5), "abc?");
    }
}
