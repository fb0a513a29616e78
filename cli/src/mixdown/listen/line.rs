//! One line: where it is, how loud, which tracks sound.

use soundtrack::{Dbfs, Player, SampleRate, State};

/// Cells of the master's meter.
const CELLS: usize = 12;
/// Below this the meters are empty.
const FLOOR: f64 = -60.0;
const BARS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The line for a terminal of so many columns.
pub fn line(
    player: &Player,
    rate: SampleRate,
    (muted, soloed): (&[bool], &[bool]),
    typed: String,
    columns: usize,
) -> String {
    let sign = match player.state() {
        State::Playing => "▶",
        State::Paused => "‖",
        State::Failed => "!",
        _ => "■",
    };
    if let Some(fault) = player.fault() {
        return fit(
            format!(
                "{sign} {} {fault}  (space: play on)",
                player.position().clock(rate)
            ),
            columns,
        );
    }
    let levels = player.levels();
    let peak = levels.master.peak;
    let full = filled(peak, CELLS);
    let mut text = format!(
        "{sign} {} of {}  [{}{}] {:>10}  ",
        player.position().clock(rate),
        player.length().clock(rate),
        "#".repeat(full),
        "-".repeat(CELLS - full),
        format!("{peak:.1}"),
    );
    for (n, level) in levels.tracks.iter().enumerate() {
        let on = |switches: &[bool]| switches.get(n).copied().unwrap_or(false);
        let shown = if on(muted) {
            'm'
        } else if on(soloed) {
            's'
        } else {
            BARS[filled(level.peak, BARS.len() - 1)]
        };
        text += &format!("{}{shown} ", n + 1);
    }
    let underruns = player.underruns().count;
    if underruns > 0 {
        text += &format!(" {underruns} underruns");
    }
    fit(text + &typed, columns)
}

/// How many of so many cells a level fills.
fn filled(level: Dbfs, cells: usize) -> usize {
    let part = ((level.0 - FLOOR) / -FLOOR).clamp(0.0, 1.0);
    ((part * cells as f64).ceil() as usize).min(cells)
}

fn fit(text: String, columns: usize) -> String {
    let plain = |c: char| if c.is_control() { '?' } else { c };
    text.chars()
        .take(columns.saturating_sub(1))
        .map(plain)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_is_empty_at_the_floor_and_full_at_full_scale() {
        assert_eq!(
            [-60.0, -59.9, -30.0, 0.0, 6.0].map(|l| filled(Dbfs(l), 12)),
            [0, 1, 6, 12, 12]
        );
        assert_eq!(filled(Dbfs(f64::NEG_INFINITY), 12), 0);
        assert_eq!(fit("abc\u{1b}d".to_owned(), 5), "abc?");
    }
}
