//! Draws the console: a pure function from a [`View`] to the cells of a terminal.
//!
//! ```text
//! ▶ 01:00:12:08 of 01:06:30:00  The Lighthouse Keeper                strips 1-8 of 12
//! momentary -18.2  short-term -19.0  integrated -20.1 LUFS
//! ──────●────────────◆──────────[────────]───────────  at "lightning"
//!
//!      track   storm   bus                                               master
//!      vox     violins strings
//!      -8.1                                                              -3.2
//!  +12   │       │       │                                                 │
//!    0  ━╋━  ▃   │       │
//! ```

use super::scale::{TICKS, deflection};
use crate::text::{cells, padded, printable, shortened};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};
use soundtrack::{Decibels, Pan, State};

/// Columns of a strip, with the gap to the next.
const STRIP: u16 = 8;
/// Columns of a strip's text.
const STRIP_TEXT: usize = 7;
/// Columns of the decibel scale on the left.
const SCALE: u16 = 5;
/// Smallest terminal that the console fits.
const MIN_COLUMNS: u16 = 60;
const MIN_ROWS: u16 = 16;
/// Rows above the faders: position, loudness, timeline, a gap, group, name, held peak.
const ROWS_ABOVE: u16 = 7;
/// Rows below the faders: gain, pan, switches, message, keys.
const ROWS_BELOW: u16 = 5;

/// Everything that the console shows.
#[derive(Clone, Debug)]
pub struct View {
    pub title: String,
    pub state: State,
    /// Error of the device or a stem, which stopped playback.
    pub fault: Option<String>,
    pub position: String,
    pub length: String,
    /// Momentary, short-term and integrated loudness in LUFS.
    pub loudness: [Option<f64>; 3],
    pub underruns: u64,
    pub timeline: Timeline,
    pub strips: Vec<StripView>,
    pub master: StripView,
    /// Index of the selected strip; `None` selects the master.
    pub selected: Option<usize>,
    /// Index of a strip of the page that is shown.
    pub page_of: usize,
    pub message: String,
    pub is_help_shown: bool,
    pub has_colour: bool,
}

/// The line that shows where playback is; positions are parts of the length, 0 to 1.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    pub position: f64,
    pub markers: Vec<f64>,
    pub loop_range: Option<(f64, f64)>,
    /// Name of the marker or cue that playback has passed last.
    pub passed: Option<String>,
}

/// One strip.
#[derive(Clone, Debug)]
pub struct StripView {
    /// Kind of the strip, or the cue of a cue's track.
    pub group: String,
    pub name: String,
    pub gain: Decibels,
    /// `None` for the master.
    pub pan: Option<Pan>,
    pub is_muted: bool,
    pub is_soloed: bool,
    /// The whole cue of the strip is muted.
    pub is_cue_muted: bool,
    /// Peak in dBFS; `None` if the player does not measure this strip.
    pub peak: Option<f64>,
    /// Largest peak in dBFS since the lights were cleared.
    pub held_peak: Option<f64>,
    /// Gain reduction of the inserts in dB, 0 or more.
    pub reduction: f64,
}

impl StripView {
    fn is_clipped(&self) -> bool {
        self.held_peak.is_some_and(|peak| peak > 0.0)
    }
}

/// Returns the number of strips beside the master that fit this many columns.
pub fn strips_per_page(columns: u16) -> usize {
    usize::from((columns.max(MIN_COLUMNS) - SCALE - STRIP) / STRIP).max(1)
}

/// Draws the console into all cells of a buffer.
pub fn draw(view: &View, buffer: &mut Buffer) {
    buffer.reset();
    let area = buffer.area;
    if area.width < MIN_COLUMNS || area.height < MIN_ROWS {
        return draw_too_small(view, buffer);
    }
    let per_page = strips_per_page(area.width);
    let first = view.page_of / per_page * per_page;
    let page: Vec<(usize, &StripView)> = view
        .strips
        .iter()
        .enumerate()
        .skip(first)
        .take(per_page)
        .collect();
    draw_position(view, first, page.len(), buffer);
    draw_loudness(view, buffer);
    draw_timeline(view, buffer);
    draw_scale(buffer);
    for ((index, strip), column) in page.iter().zip(0u16..) {
        let x = area.x + SCALE + column * STRIP;
        draw_strip(
            strip,
            x,
            view.selected == Some(*index),
            view.has_colour,
            buffer,
        );
    }
    let x = area.right() - STRIP;
    draw_strip(
        &view.master,
        x,
        view.selected.is_none(),
        view.has_colour,
        buffer,
    );
    let message = match &view.fault {
        Some(fault) => format!("{fault}  (space: try again)"),
        None => view.message.clone(),
    };
    let bold = Style::new().add_modifier(Modifier::BOLD);
    put(buffer, 0, area.height - 2, &message, bold);
    let keys = if area.width < 72 {
        "space play  ←→ strip  ↑↓ gain  m  s  w save  ? help  q quit"
    } else {
        "space play  ←→ strip  ↑↓ gain  m mute  s solo  w save  ? help  q quit"
    };
    let dim = Style::new().add_modifier(Modifier::DIM);
    put(buffer, 0, area.height - 1, keys, dim);
    if view.is_help_shown {
        draw_help(buffer);
    }
}

/// Writes text from a column and row of the buffer on, shortened to its width.
fn put(buffer: &mut Buffer, x: u16, y: u16, text: &str, style: Style) {
    let area = buffer.area;
    let width = usize::from(area.width.saturating_sub(x));
    buffer.set_string(area.x + x, area.y + y, shortened(text, width), style);
}

fn draw_too_small(view: &View, buffer: &mut Buffer) {
    let area = buffer.area;
    let lines = [
        format!("{} {}", symbol(view.state), view.position),
        format!("the console needs {MIN_COLUMNS} columns and {MIN_ROWS} rows"),
        "q quits".to_owned(),
    ];
    for (line, y) in lines.iter().zip(0..area.height) {
        put(buffer, 0, y, line, Style::new());
    }
}

fn symbol(state: State) -> &'static str {
    match state {
        State::Playing => "▶",
        State::Paused => "‖",
        State::Failed => "!",
        _ => "■",
    }
}

fn draw_position(view: &View, first: usize, shown: usize, buffer: &mut Buffer) {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let pages = if shown < view.strips.len() {
        format!(
            "strips {}-{} of {}",
            first + 1,
            first + shown,
            view.strips.len()
        )
    } else {
        String::new()
    };
    let columns = usize::from(buffer.area.width);
    let position = format!(
        "{} {} of {}",
        symbol(view.state),
        view.position,
        view.length
    );
    let room = columns.saturating_sub(cells(&position) + cells(&pages) + 4);
    let line = format!("{position}  {}", padded(&view.title, room));
    put(buffer, 0, 0, &line, bold);
    let x = columns.saturating_sub(cells(&pages));
    put(
        buffer,
        u16::try_from(x).unwrap_or(0),
        0,
        &pages,
        Style::new(),
    );
}

fn draw_loudness(view: &View, buffer: &mut Buffer) {
    let [momentary, short_term, integrated] = view.loudness.map(|level| match level {
        Some(level) => format!("{level:>5.1}"),
        None => "    –".to_owned(),
    });
    let mut line = if buffer.area.width < 80 {
        format!("M {momentary}  S {short_term}  I {integrated} LUFS")
    } else {
        format!("momentary {momentary}  short-term {short_term}  integrated {integrated} LUFS")
    };
    if view.underruns > 0 {
        line += &format!("   {}", crate::text::counted(view.underruns, "underrun"));
    }
    put(buffer, 0, 1, &line, Style::new());
}

fn draw_timeline(view: &View, buffer: &mut Buffer) {
    let timeline = &view.timeline;
    let passed = match &timeline.passed {
        Some(name) => shortened(&printable(name), 20),
        None => String::new(),
    };
    let columns = usize::from(buffer.area.width).saturating_sub(22);
    let mut line = vec!['─'; columns];
    let mut mark = |at: f64, symbol: char| {
        let last = columns.saturating_sub(1);
        let cell = ((at.clamp(0.0, 1.0) * last as f64).round() as usize).min(last);
        if let Some(cell) = line.get_mut(cell) {
            *cell = symbol;
        }
    };
    for at in &timeline.markers {
        mark(*at, '◆');
    }
    if let Some((start, end)) = timeline.loop_range {
        mark(start, '[');
        mark(end, ']');
    }
    mark(timeline.position, '●');
    put(buffer, 0, 2, &String::from_iter(line), Style::new());
    let x = u16::try_from(columns + 1).unwrap_or(0);
    put(buffer, x, 2, &passed, Style::new());
}

/// Rows of the faders: the first, and their number.
fn fader_rows(area: Rect) -> (u16, u16) {
    (ROWS_ABOVE, area.height - ROWS_ABOVE - ROWS_BELOW)
}

/// Returns the row of a level, counted down from the first fader row.
fn row_of(level: f64, rows: u16) -> u16 {
    let thirds = (deflection(level) * f64::from(rows * 3 - 1)).round() as u16;
    (rows - 1).saturating_sub(thirds / 3)
}

fn draw_scale(buffer: &mut Buffer) {
    let (top, rows) = fader_rows(buffer.area);
    let mut last = None;
    for tick in TICKS {
        let row = row_of(tick, rows);
        // On a low terminal several ticks meet in a row, which the highest one takes.
        if last == Some(row) {
            continue;
        }
        last = Some(row);
        let text = if tick == 0.0 {
            "   0".to_owned()
        } else {
            format!("{tick:>+4.0}")
        };
        put(
            buffer,
            0,
            top + row,
            &text,
            Style::new().add_modifier(Modifier::DIM),
        );
    }
}

/// Colour for a level: the zones of a studio meter.
fn zone(level: f64, has_colour: bool) -> Style {
    let colour = match level {
        _ if !has_colour => return Style::new(),
        l if l > 0.0 => Color::Red,
        l if l > -9.0 => Color::Yellow,
        _ => Color::Green,
    };
    Style::new().fg(colour)
}

fn coloured(colour: Color, has_colour: bool) -> Style {
    if has_colour {
        Style::new().fg(colour)
    } else {
        Style::new()
    }
}

fn draw_strip(strip: &StripView, x: u16, is_selected: bool, has_colour: bool, buffer: &mut Buffer) {
    let x = x - buffer.area.x;
    let (top, rows) = fader_rows(buffer.area);
    let mut text = |y: u16, text: &str, style: Style| {
        put(buffer, x, y, &padded(text, STRIP_TEXT), style);
    };
    text(
        top - 3,
        &strip.group,
        Style::new().add_modifier(Modifier::DIM),
    );
    let name = if is_selected {
        Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED)
    } else {
        Style::new()
    };
    text(top - 2, &strip.name, name);
    match strip.held_peak {
        Some(peak) if strip.is_clipped() => {
            let light = Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED);
            let light = light.patch(coloured(Color::Red, has_colour));
            text(top - 1, &format!("CLIP{}", short_level(peak)), light);
        }
        Some(peak) if peak > f64::NEG_INFINITY => {
            text(top - 1, &format!("{peak:>6.1}"), Style::new());
        }
        _ => {}
    }
    let below = top + rows;
    let gain = format!("{:>5}", gain_text(strip.gain));
    if is_selected {
        text(
            below,
            &format!("◂{gain}▸"),
            Style::new().add_modifier(Modifier::BOLD),
        );
    } else {
        text(below, &format!(" {gain}"), Style::new());
    }
    if let Some(pan) = strip.pan {
        text(below + 1, &format!("{:>6}", pan.to_string()), Style::new());
        draw_switches(strip, x, below + 2, has_colour, buffer);
    }
    draw_fader(strip.gain, x, top, rows, buffer);
    if let Some(peak) = strip.peak {
        draw_meter(peak, x + 5, top, rows, has_colour, buffer);
    }
    draw_reduction(strip.reduction, x, top, rows, has_colour, buffer);
}

/// Gain reduction of a whole column of a fader.
const REDUCTION_RANGE_DB: f64 = 24.0;
/// Smallest gain reduction that is shown.
const MIN_REDUCTION_DB: f64 = 0.5;

/// Draws the gain reduction as a bar from the top down between fader and meter, and as a number below.
fn draw_reduction(
    reduction: f64,
    x: u16,
    top: u16,
    rows: u16,
    has_colour: bool,
    buffer: &mut Buffer,
) {
    if reduction < MIN_REDUCTION_DB {
        return;
    }
    let style = coloured(Color::Magenta, has_colour);
    let part = (reduction / REDUCTION_RANGE_DB).min(1.0);
    // Half cells, at least one.
    let halves = ((part * f64::from(rows) * 2.0).round() as u16).max(1);
    for row in 0..halves.div_ceil(2) {
        let bar = if row * 2 + 1 < halves { "█" } else { "▀" };
        put(buffer, x + 4, top + row, bar, style);
    }
    let number = format!("▾{:.0}", reduction.min(99.0));
    put(buffer, x + 4, top + rows + 2, &number, style);
}

/// Formats a clipped peak in three cells: `.3` dB over, `12`.
fn short_level(peak: f64) -> String {
    if peak < 9.95 {
        format!("{peak:>3.1}")
    } else {
        format!("{peak:>3.0}")
    }
}

fn gain_text(gain: Decibels) -> String {
    if gain == Decibels::SILENCE {
        "-inf".to_owned()
    } else {
        format!("{:.1}", gain.0 + 0.0)
    }
}

fn draw_switches(strip: &StripView, x: u16, y: u16, has_colour: bool, buffer: &mut Buffer) {
    let on = Style::new().add_modifier(Modifier::BOLD);
    let off = Style::new().add_modifier(Modifier::DIM);
    let mut switch = |x: u16, is_on: bool, letter: &str, colour: Color| {
        if is_on {
            put(buffer, x, y, letter, on.patch(coloured(colour, has_colour)));
        } else {
            put(buffer, x, y, "·", off);
        }
    };
    let mute = if strip.is_cue_muted { "C" } else { "M" };
    switch(
        x + 1,
        strip.is_muted || strip.is_cue_muted,
        mute,
        Color::Red,
    );
    switch(x + 3, strip.is_soloed, "S", Color::Yellow);
}

fn draw_fader(gain: Decibels, x: u16, top: u16, rows: u16, buffer: &mut Buffer) {
    let dim = Style::new().add_modifier(Modifier::DIM);
    for row in 0..rows {
        put(buffer, x + 2, top + row, "│", dim);
    }
    let bold = Style::new().add_modifier(Modifier::BOLD);
    // Three heights within a cell show steps of about 1 dB on a terminal of 24 rows.
    let thirds = (deflection(gain.0) * f64::from(rows * 3 - 1)).round() as u16;
    let knob = match thirds % 3 {
        0 => "▁▁▁",
        1 => "━╋━",
        _ => "▔▔▔",
    };
    put(buffer, x + 1, top + rows - 1 - thirds / 3, knob, bold);
}

/// Bars that fill a cell by eighths.
const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

fn draw_meter(peak: f64, x: u16, top: u16, rows: u16, has_colour: bool, buffer: &mut Buffer) {
    let filled = (deflection(peak) * f64::from(rows) * 8.0).round() as usize;
    for row in 0..rows {
        let from_bottom = usize::from(rows - 1 - row);
        let eighths = filled.saturating_sub(from_bottom * 8).min(8);
        let Some(bar) = EIGHTHS.get(eighths).filter(|_| eighths > 0) else {
            continue;
        };
        let level = super::scale::level_at(f64::from(rows - 1 - row) / f64::from(rows));
        put(
            buffer,
            x,
            top + row,
            &bar.repeat(2),
            zone(level, has_colour),
        );
    }
}

const HELP: [&str; 19] = [
    "space   play, pause          0          to the start",
    "b  f    5 s back, forward    ,  .       markers",
    "←  →    select a strip       PgUp PgDn  page of strips",
    "↑  ↓    gain by 1 dB         +  -       gain by 0.1 dB",
    "m       mute                 M          mute the cue",
    "s       solo                 u          no mute or solo",
    "<  >    pan left, right      r          strip as loaded",
    "[  ]    loop from, to here   l          loop on, off",
    "c       clear peaks, clip lights and loudness",
    "w       save the balance in the session file",
    "?       this help, closed by any key",
    "q       quit",
    "",
    "CLIP1.2 is a sample 1.2 dB above full scale. In a",
    "track or a bus it does no harm; in the master it is",
    "cut off. M is muted, C muted with its cue, S solo.",
    "▾6 is the gain reduction of inserts in dB, also drawn",
    "as a bar from the top down, 24 dB for all of it.",
    "Levels are sample peaks on the scale of IEC 60268-18.",
];

fn draw_help(buffer: &mut Buffer) {
    let area = buffer.area;
    let width = HELP.iter().map(|line| cells(line)).max().unwrap_or(0);
    let x = (area
        .width
        .saturating_sub(u16::try_from(width).unwrap_or(0) + 4))
        / 2;
    let rows = area.height.saturating_sub(2);
    let y = (rows.saturating_sub(HELP.len() as u16 + 2)) / 2;
    let border = "─".repeat(width + 2);
    put(buffer, x, y, &format!("┌{border}┐"), Style::new());
    let mut last = y;
    for (line, row) in HELP.iter().zip(y + 1..rows.max(y + 2) - 1) {
        put(
            buffer,
            x,
            row,
            &format!("│ {} │", padded(line, width)),
            Style::new(),
        );
        last = row;
    }
    put(buffer, x, last + 1, &format!("└{border}┘"), Style::new());
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::{Terminal, backend::TestBackend};
    use std::{env, fs, path::Path};

    fn strip(group: &str, name: &str, gain: f64, peak: Option<f64>) -> StripView {
        StripView {
            group: group.into(),
            name: name.into(),
            gain: Decibels(gain),
            pan: Some(Pan::CENTRE),
            is_muted: false,
            is_soloed: false,
            is_cue_muted: false,
            peak,
            held_peak: peak.map(|peak| peak + 3.0),
            reduction: 0.0,
        }
    }

    fn view() -> View {
        let mut strips = vec![
            strip("track", "dialogue", -3.0, Some(-12.0)),
            strip("track", "ドラムセット", 0.0, Some(-60.0)),
            strip("track", "violins 1 divisi", 6.0, Some(0.0)),
            strip("storm", "celli", f64::NEG_INFINITY, Some(f64::NEG_INFINITY)),
            strip("storm", "taikos", -12.5, None),
            strip("bus", "music", -1.5, Some(-6.0)),
        ];
        strips[0].pan = Some(Pan(-0.3));
        strips[1].is_muted = true;
        strips[2].is_soloed = true;
        strips[4].is_cue_muted = true;
        strips[0].reduction = 6.2;
        strips[5].reduction = 12.0;
        strips.extend((1..=20).map(|n| strip("bus", &format!("extra {n}"), 0.0, Some(-20.0))));
        View {
            title: "The Lighthouse Keeper - Reel 2".into(),
            state: State::Playing,
            fault: None,
            position: "01:00:12:08".into(),
            length: "01:06:30:00".into(),
            loudness: [Some(-18.24), Some(-19.0), None],
            underruns: 1,
            timeline: Timeline {
                position: 0.25,
                markers: vec![0.1, 0.5],
                loop_range: Some((0.2, 0.4)),
                passed: Some("lightning".into()),
            },
            strips,
            master: StripView {
                pan: None,
                reduction: 1.1,
                ..strip("", "master", 0.0, Some(-3.0))
            },
            selected: Some(0),
            page_of: 0,
            message: "saved lighthouse.toml (2 changes)".into(),
            is_help_shown: false,
            has_colour: true,
        }
    }

    /// Draws a view on a terminal of this size.
    fn drawn(view: &View, columns: u16, rows: u16) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        terminal
            .draw(|frame| draw(view, frame.buffer_mut()))
            .unwrap();
        terminal.backend().buffer().clone()
    }

    /// Returns the lines of a buffer. The second cell of a wide character holds nothing.
    fn lines(buffer: &Buffer) -> Vec<String> {
        (0..buffer.area.height)
            .map(|y| {
                let (mut line, mut x) = (String::new(), 0);
                while x < buffer.area.width {
                    let symbol = buffer[(x, y)].symbol();
                    line += symbol;
                    x += u16::try_from(cells(symbol)).unwrap().max(1);
                }
                line.trim_end().to_owned()
            })
            .collect()
    }

    #[test]
    fn screens_are_as_kept() {
        let help = View {
            is_help_shown: true,
            ..view()
        };
        let second = View {
            selected: None,
            page_of: 8,
            state: State::Paused,
            ..view()
        };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guards/screens");
        let updating = env::var("SOUNDTRACK_GUARDS").is_ok_and(|value| value == "update");
        let mut wrong = String::new();
        for (name, view, columns, rows) in [
            ("console-60x16", view(), 60, 16),
            ("console-80x24", view(), 80, 24),
            ("console-200x50", view(), 200, 50),
            ("console-80x24-second-page", second, 80, 24),
            ("console-80x24-help", help.clone(), 80, 24),
            ("console-60x16-help", help, 60, 16),
            ("console-59x24", view(), 59, 24),
        ] {
            let text = lines(&drawn(&view, columns, rows)).join("\n") + "\n";
            let path = folder.join(format!("{name}.txt"));
            if updating {
                fs::create_dir_all(&folder).unwrap();
                fs::write(&path, &text).unwrap();
            }
            let kept = fs::read_to_string(&path)
                .unwrap_or_default()
                .replace("\r\n", "\n");
            if kept != text {
                wrong += &format!("{name}:\n{text}");
            }
        }
        assert!(
            wrong.is_empty(),
            "not as kept; SOUNDTRACK_GUARDS=update rewrites them:\n{wrong}"
        );
    }

    /// Returns the screen of a small session, as the README shows it.
    fn harbour() -> View {
        let reduced = |strip: StripView, reduction: f64| StripView { reduction, ..strip };
        let mut strips = vec![
            strip("track", "shaker", -6.0, Some(-24.3)),
            strip("track", "dialogue", -3.0, Some(-14.0)),
            strip("storm", "bass", 0.0, Some(-12.5)),
            strip("storm", "keys", 0.0, Some(-9.9)),
            strip("storm", "pad", -4.0, Some(-16.4)),
            strip("bus", "strings", 0.0, Some(-12.0)),
            strip("bus", "music", -1.5, Some(-9.0)),
        ];
        strips[1] = reduced(strips[1].clone(), 5.2);
        strips[6] = reduced(strips[6].clone(), 9.0);
        strips[2].pan = Some(Pan(-0.2));
        strips[4].pan = Some(Pan(0.3));
        strips[0].is_muted = true;
        strips[3].is_soloed = true;
        View {
            title: "Harbour".into(),
            position: "01:00:07:09".into(),
            length: "01:00:36:08".into(),
            loudness: [Some(-16.4), Some(-16.7), Some(-16.9)],
            underruns: 0,
            timeline: Timeline {
                position: 0.2,
                markers: vec![0.12, 0.36],
                loop_range: Some((0.12, 0.36)),
                passed: Some("storm".into()),
            },
            strips,
            master: StripView {
                pan: None,
                held_peak: Some(-3.4),
                reduction: 1.0,
                ..strip("", "master", 0.0, Some(-5.2))
            },
            selected: Some(2),
            message: "cue.storm.track.bass".into(),
            ..view()
        }
    }

    /// Returns a buffer as a picture of a dark terminal, in cells of 8 by 17.
    fn svg_of(buffer: &Buffer) -> String {
        let (width, height) = (8 * buffer.area.width + 16, 17 * buffer.area.height + 16);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             font-family=\"ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size=\"13.3\">\n\
             <rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"#15171b\"/>\n"
        );
        for y in 0..buffer.area.height {
            let mut x = 0;
            while x < buffer.area.width {
                let start = x;
                let first = &buffer[(x, y)];
                let style = (first.fg, first.modifier);
                let mut text = String::new();
                while x < buffer.area.width && (buffer[(x, y)].fg, buffer[(x, y)].modifier) == style
                {
                    text += buffer[(x, y)].symbol();
                    x += u16::try_from(cells(buffer[(x, y)].symbol()))
                        .unwrap()
                        .max(1);
                }
                let is_reversed = style.1.contains(Modifier::REVERSED);
                if text.trim().is_empty() && !is_reversed {
                    continue;
                }
                let colour = match style.0 {
                    _ if is_reversed => "#15171b",
                    Color::Red => "#ef7a6d",
                    Color::Yellow => "#e8b15e",
                    Color::Green => "#74b98a",
                    Color::Magenta => "#b493d6",
                    _ if style.1.contains(Modifier::DIM) => "#7d838b",
                    _ => "#e6e4df",
                };
                let (left, top, length) = (8 + 8 * start, 8 + 17 * y, 8 * (x - start));
                if is_reversed {
                    svg += &format!(
                        "<rect x=\"{left}\" y=\"{top}\" width=\"{length}\" height=\"17\" fill=\"#e6e4df\"/>\n"
                    );
                }
                let weight = if style.1.contains(Modifier::BOLD) {
                    " font-weight=\"700\""
                } else {
                    ""
                };
                // Spaces at the ends and several in a row are lost in SVG, so each part has its own place.
                let mut column = start;
                for part in text.split("  ") {
                    let shown = part.trim();
                    let skipped = cells(part) - cells(part.trim_start());
                    let left = 8 + 8 * (usize::from(column) + skipped);
                    let length = 8 * cells(shown);
                    if length > 0 {
                        let shown = shown.replace('&', "&amp;").replace('<', "&lt;");
                        svg += &format!(
                            "<text x=\"{left}\" y=\"{}\" textLength=\"{length}\" fill=\"{colour}\"{weight}>{shown}</text>\n",
                            top + 13
                        );
                    }
                    column += u16::try_from(cells(part)).unwrap() + 2;
                }
            }
        }
        svg + "</svg>\n"
    }

    #[test]
    fn the_screens_picture_of_the_readme_is_as_kept() {
        let picture = svg_of(&drawn(&harbour(), 72, 24));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/console.svg");
        if env::var("SOUNDTRACK_GUARDS").is_ok_and(|value| value == "update") {
            fs::write(&path, &picture).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept.replace("\r\n", "\n") == picture,
            "SOUNDTRACK_GUARDS=update cargo test -p soundtrack-cli --lib screens draws it again"
        );
        assert!(picture.len() < 20_000, "{} bytes", picture.len());
    }

    #[test]
    fn every_size_of_a_terminal_can_be_drawn() {
        for columns in 1..=100 {
            for rows in 1..=40 {
                let help = View {
                    is_help_shown: true,
                    page_of: 25,
                    selected: Some(25),
                    ..view()
                };
                drawn(&help, columns, rows);
            }
        }
        let empty = View {
            strips: Vec::new(),
            selected: None,
            ..view()
        };
        drawn(&empty, 80, 24);
    }

    #[test]
    fn the_selected_strip_is_marked_without_colour_too() {
        let plain = View {
            has_colour: false,
            ..view()
        };
        let buffer = drawn(&plain, 80, 24);
        assert!(
            buffer
                .content
                .iter()
                .all(|cell| cell.fg == ratatui::style::Color::Reset)
        );
        assert!(buffer[(5, 5)].modifier.contains(Modifier::REVERSED));
        assert!(!buffer[(13, 5)].modifier.contains(Modifier::REVERSED));
        assert!(
            lines(&buffer)[19].starts_with("     ◂ -3.0▸"),
            "{:?}",
            lines(&buffer)[19]
        );
    }

    #[test]
    fn a_meter_and_a_fader_show_their_level() {
        // 12 rows of faders: 0 dB is 100/130 of them, 9.23 cells, and fills the fifth cell from the bottom of row 2.
        let buffer = drawn(&view(), 80, 24);
        let column: Vec<&str> = (7..19).map(|y| buffer[(26, y)].symbol()).collect();
        assert_eq!(column.concat(), "  ▂█████████");
        let knob = (7..19).position(|y| buffer[(22, y)].symbol() != " ");
        assert_eq!(knob, Some(1), "+6 dB");
        assert!(lines(&buffer)[6].contains("CLIP3.0"));
    }
}
