//! Draws a lane with a waveform for each track, each bus and the mix, with clips, automation, cues
//! and markers.

use super::{
    COLUMNS, LEFT, MARGIN, PAGE, RIGHT,
    axis::Axis,
    head::signed,
    hover,
    reduction::{ReductionScale, is_shown},
    svg::{Anchor, Svg, TextFit, number, text_width},
    wave::{Column, PathScale, columns},
};
use crate::report::{
    ClipReport, InsertReport, LaneOverview, Overview, Placed, Report, StripReport, Waveform,
};
use std::fmt::Write as _;

/// Total height of all lanes. With more lanes each gets lower, down to [`MIN_HEIGHT`].
const TOTAL_HEIGHT: f64 = 600.0;
const MAX_HEIGHT: f64 = 48.0;
/// Maximum height of a lane if there are at most three.
const MAX_HEIGHT_OF_FEW: f64 = 96.0;
const MIN_HEIGHT: f64 = 15.0;
/// Distance between groups of lanes.
const GROUP_GAP: f64 = 8.0;
/// Height from which a label has two lines.
const TWO_LINES: f64 = 34.0;
/// Number of bus colours; further buses start again with the first.
const COLOURS: usize = 8;
/// CSS class of the colour of the mix.
const MIX_COLOUR: &str = "cm";
/// Decibels from the top to the bottom of a lane, for automation.
const FADER_RANGE: f64 = 48.0;

/// Lane to draw.
struct LaneRow<'a> {
    lane: &'a LaneOverview,
    wave: &'a Waveform,
    name: String,
    detail: Vec<String>,
    /// Inserts whose gain reduction is drawn below the lane.
    inserts: Vec<&'a InsertReport>,
    colour: String,
    /// Sample value of full deflection at magnification 1.
    full_scale: f64,
    /// Magnification.
    magnification: f64,
    is_mix: bool,
    /// True if a group of lanes (buses, mix) starts with this lane.
    starts_group: bool,
}

/// Draws all lanes from `y` down and passes their positions to `hover`. Returns the position of
/// their lower end.
pub(super) fn draw(
    svg: &mut Svg,
    report: &Report,
    overview: &Overview,
    axis: &Axis,
    y: f64,
    hover: &mut hover::HoverData,
) -> f64 {
    let rows = rows(report, overview);
    let height = (TOTAL_HEIGHT / rows.len().max(1) as f64)
        .clamp(
            MIN_HEIGHT,
            if rows.len() > 3 {
                MAX_HEIGHT
            } else {
                MAX_HEIGHT_OF_FEW
            },
        )
        .floor();
    let reductions = ReductionScale::new(rows.iter().flat_map(|row| row.inserts.iter().copied()));
    let (top, mut at) = (y, y);
    let bounds: Vec<(f64, f64)> = rows
        .iter()
        .map(|row| {
            let high = if row.is_mix {
                height.max(MAX_HEIGHT)
            } else {
                height
            };
            let y = at + if row.starts_group { GROUP_GAP } else { 0.0 };
            at = y + high + row.inserts.len() as f64 * reductions.height;
            (y, high)
        })
        .collect();
    let bottom = at;
    for (y, high) in &bounds {
        svg.rect(
            "lane-back",
            [LEFT, *y + 1.0, axis.width(), *high - 2.0],
            3.0,
        );
    }
    for (row, (y, high)) in rows.iter().zip(&bounds) {
        for n in 0..row.inserts.len() {
            reductions.background(svg, axis, y + high + n as f64 * reductions.height);
        }
    }
    let ticks = axis.ticks();
    axis.grid(svg, &ticks, top, bottom);
    super::cues::bands(svg, overview, axis, top, bottom);
    svg.text(
        "tick",
        (PAGE - MARGIN, top - 6.0),
        Anchor::End,
        "peak dBFS",
        None,
    );
    reductions.heading(svg, top);
    for (row, (y, high)) in rows.iter().zip(&bounds) {
        row.draw(svg, axis, *y, *high, hover);
        for (n, insert) in row.inserts.iter().enumerate() {
            let y = y + high + n as f64 * reductions.height;
            reductions.draw(svg, insert, &row.colour, axis, y);
        }
    }
    axis.ruler(svg, &ticks, bottom);
    bottom + 24.0
}

/// Returns the lanes of tracks, buses and the mix, or the channels of the mix if there are no
/// tracks and buses.
fn rows<'a>(report: &'a Report, overview: &'a Overview) -> Vec<LaneRow<'a>> {
    let strips = overview.tracks.iter().chain(&overview.buses);
    let loudest = strips.map(|s| peak(&s.waveform)).fold(0.0, f64::max);
    let full_scale = if loudest > 0.0 { loudest } else { 1.0 };
    let mut rows: Vec<LaneRow> = Vec::new();
    for (i, lane) in overview.tracks.iter().enumerate() {
        let mut row = LaneRow::new(lane, &lane.waveform, full_scale);
        row.colour = bus_colour(overview, lane.bus.as_deref());
        if let Some(track) = report.tracks.get(i) {
            row.detail = detail(lane, &track.strip, &track.clips, report.rate_hz);
            row.inserts = shown(&track.strip.inserts);
        }
        rows.push(row);
    }
    for (i, lane) in overview.buses.iter().enumerate() {
        let mut row = LaneRow::new(lane, &lane.waveform, full_scale);
        row.colour = bus_colour(overview, Some(&lane.name));
        row.detail.push("bus".to_owned());
        if let Some(bus) = report.buses.get(i) {
            row.detail.extend(detail(lane, bus, &[], report.rate_hz));
            row.inserts = shown(&bus.inserts);
        }
        row.starts_group = i == 0;
        rows.push(row);
    }
    let mix = &overview.mix;
    let full_scale = peak(&mix.waveform).max(1.0);
    if rows.is_empty() {
        let names = channel_names(&report.layout, overview.mix_channels.len());
        for (name, wave) in names.into_iter().zip(&overview.mix_channels) {
            let mut row = LaneRow::new(mix, wave, full_scale);
            (row.name, row.is_mix) = (name, true);
            rows.push(row);
        }
        return rows;
    }
    // The mix of a single track that passes unchanged needs no lane of its own.
    let differs = overview.tracks.iter().any(|track| {
        track.waveform.min != mix.waveform.min || track.waveform.max != mix.waveform.max
    });
    let inserts = shown(&report.mix.inserts);
    if rows.len() > 1 || differs || !inserts.is_empty() {
        let mut row = LaneRow::new(mix, &mix.waveform, full_scale);
        row.name = "Mix".to_owned();
        row.detail.push("master".to_owned());
        if !mix.gain_curve.is_empty() {
            row.detail.push("automation".to_owned());
        }
        (row.is_mix, row.starts_group) = (true, true);
        row.inserts = inserts;
        rows.push(row);
    }
    rows
}

fn shown(inserts: &[InsertReport]) -> Vec<&InsertReport> {
    inserts.iter().filter(|insert| is_shown(insert)).collect()
}

/// Returns the CSS class of a bus's colour, or that of tracks that feed no bus.
fn bus_colour(overview: &Overview, bus: Option<&str>) -> String {
    let index = bus.and_then(|name| overview.buses.iter().position(|b| b.name == name));
    match index {
        Some(index) => format!("c{}", index % COLOURS),
        // Without buses all tracks share one colour.
        None if overview.buses.is_empty() => "c0".to_owned(),
        None => MIX_COLOUR.to_owned(),
    }
}

/// Returns the largest absolute sample of a waveform.
fn peak(wave: &Waveform) -> f64 {
    let bins = wave.max.iter().zip(&wave.min);
    bins.fold(0.0, |peak: f64, (max, min)| peak.max(max.max(-min).into()))
}

/// Returns the magnification of a quiet lane: a power of two that keeps it below a third of full
/// deflection.
fn magnification_of(peak: f64, full_scale: f64) -> f64 {
    let mut magnification = 1.0;
    while peak > 0.0 && peak * magnification < full_scale / 6.0 && magnification < 4096.0 {
        magnification *= 2.0;
    }
    magnification
}

fn channel_names(layout: &str, count: usize) -> Vec<String> {
    let known: &[&str] = match layout {
        "mono" => &["Mono"],
        "stereo" => &["Left", "Right"],
        "lcr" => &["Left", "Right", "Centre"],
        "quad" => &["Left", "Right", "Back left", "Back right"],
        "5.1" => &[
            "Left",
            "Right",
            "Centre",
            "LFE",
            "Surround left",
            "Surround right",
        ],
        "7.1" => &[
            "Left",
            "Right",
            "Centre",
            "LFE",
            "Back left",
            "Back right",
            "Side left",
            "Side right",
        ],
        _ => &[],
    };
    let numbered = |ch: usize| {
        known
            .get(ch)
            .map_or_else(|| format!("Channel {}", ch + 1), |n| (*n).to_owned())
    };
    (0..count).map(numbered).collect()
}

/// Smallest gain in dB that does not round to the 0.0 of a fader at unity.
const MIN_SHOWN_GAIN_DB: f64 = 0.05;

/// Returns the parts of a lane's second line: `rhythm · −3.0 dB · L20 · 44.1 kHz · mono`.
fn detail(
    lane: &LaneOverview,
    strip: &StripReport,
    clips: &[ClipReport],
    rate: u32,
) -> Vec<String> {
    let mut parts: Vec<String> = lane.bus.iter().cloned().collect();
    if !strip.heard {
        parts.insert(0, "muted".to_owned());
    }
    if strip.gain_moves {
        parts.push("automation".to_owned());
    } else if let Some(gain) = strip.gain_db.filter(|g| g.abs() >= MIN_SHOWN_GAIN_DB) {
        parts.push(format!("{} dB", signed(gain, 1)));
    }
    if let Some(pan) = strip.pan.filter(|p| *p != 0.0) {
        parts.push(crate::units::Pan(pan).to_string());
    }
    if let Some(clip) = clips.iter().find(|c| c.rate_hz != rate) {
        let rate = clip.exact_rate_hz.unwrap_or(clip.rate_hz.into());
        parts.push(format!("{} kHz", (rate * 1000.0).round() / 1_000_000.0));
    }
    if clips.iter().any(|c| c.placed == Placed::Pan) {
        parts.push("mono".to_owned());
    }
    parts
}

impl<'a> LaneRow<'a> {
    /// Creates a row named after its lane, in the colour of the mix and without details.
    fn new(lane: &'a LaneOverview, wave: &'a Waveform, full_scale: f64) -> Self {
        Self {
            lane,
            wave,
            name: lane.name.clone(),
            detail: Vec::new(),
            inserts: Vec::new(),
            colour: MIX_COLOUR.to_owned(),
            full_scale,
            magnification: magnification_of(peak(wave), full_scale),
            is_mix: false,
            starts_group: false,
        }
    }

    fn draw(&self, svg: &mut Svg, axis: &Axis, y: f64, high: f64, hover: &mut hover::HoverData) {
        let middle = y + high / 2.0;
        svg.group(&format!(
            "lane {}{}",
            self.colour,
            if self.lane.heard { "" } else { " muted" }
        ));
        self.label(svg, y, high);
        for [start, end] in &self.lane.clips_s {
            let (x, to) = (axis.x(*start), axis.x(*end));
            svg.rect("clip", [x, y + 1.5, to - x, high - 3.0], 2.0);
        }
        let drawn = columns(self.wave, COLUMNS);
        let half = high / 2.0 - if high > 24.0 { 3.0 } else { 1.0 };
        let reach = |v: f64| (v * self.magnification / self.full_scale).clamp(0.0, 1.0) * half;
        let sum = !self.wave.rms.is_empty();
        let steps = PathScale::new((LEFT, axis.width()), middle, drawn.len(), high);
        steps.open(svg);
        svg.path(
            if sum { "wave peak" } else { "wave" },
            &steps.outline(drawn.iter().map(|c| (reach(c.max), reach(-c.min)))),
        );
        if sum {
            let body = |c: &Column| (reach(c.rms.min(c.max)), reach(c.rms.min(-c.min)));
            svg.path("wave", &steps.outline(drawn.iter().map(body)));
        }
        svg.raw("</g>");
        self.automation(svg, axis, y, high);
        self.peak(svg, y, high, &drawn);
        svg.close();
        hover.lane(&self.name, y, high, &drawn);
    }

    fn label(&self, svg: &mut Svg, y: f64, high: f64) {
        let max_width = LEFT - MARGIN - 22.0;
        svg.rect("swatch", [MARGIN, y + 3.0, 3.0, high - 6.0], 1.5);
        let left = MARGIN + 12.0;
        if high >= TWO_LINES {
            let both = if self.detail.is_empty() { 4.5 } else { -2.0 };
            let middle = y + high / 2.0;
            svg.text(
                "name",
                (left, middle + both),
                Anchor::Start,
                &self.name,
                Some(TextFit {
                    max_width,
                    size: 14.3,
                }),
            );
            svg.text(
                "detail",
                (left, middle + 13.0),
                Anchor::Start,
                &TextFit {
                    max_width,
                    size: 11.0,
                }
                .parts(&self.detail),
                Some(TextFit {
                    max_width,
                    size: 11.0,
                }),
            );
        } else {
            let (class, size) = if high >= 19.0 {
                ("name", 13.0)
            } else {
                ("name small", 11.0)
            };
            let base = y + high / 2.0 + size * 0.36;
            // Names are set in bold, which is about a tenth wider.
            let fit = TextFit {
                max_width,
                size: size * 1.1,
            };
            let taken = text_width(&self.name, fit.size).min(max_width);
            svg.text(class, (left, base), Anchor::Start, &self.name, Some(fit));
            let max_width = max_width - taken - 8.0;
            if max_width > 30.0 && !self.detail.is_empty() {
                svg.text(
                    "detail",
                    (LEFT - 10.0, base),
                    Anchor::End,
                    &TextFit {
                        max_width,
                        size: 10.5,
                    }
                    .parts(&self.detail),
                    Some(TextFit {
                        max_width,
                        size: 10.5,
                    }),
                );
            }
        }
    }

    /// Draws the peak level and the magnification at the right end of the lane.
    fn peak(&self, svg: &mut Svg, y: f64, high: f64, drawn: &[Column]) {
        let peak = drawn.iter().map(Column::peak).fold(0.0, f64::max);
        let text = if peak > 0.0 {
            signed(crate::units::Dbfs::from_amplitude(peak).0, 1)
        } else {
            "silent".to_owned()
        };
        let class = if peak > 1.0 && self.is_mix {
            "level over"
        } else {
            "level"
        };
        let note = if self.magnification > 1.0 {
            format!("×{}", self.magnification)
        } else {
            String::new()
        };
        let (x, middle) = (PAGE - MARGIN, y + high / 2.0);
        if high >= TWO_LINES && !note.is_empty() {
            svg.text(class, (x, middle - 1.0), Anchor::End, &text, None);
            svg.text("detail", (x, middle + 12.0), Anchor::End, &note, None);
        } else {
            svg.text(class, (x, middle + 4.0), Anchor::End, &text, None);
            if !note.is_empty() {
                svg.text(
                    "detail",
                    (RIGHT + 8.0, middle + 4.0),
                    Anchor::Start,
                    &note,
                    None,
                );
            }
        }
    }

    /// Draws the gain automation in decibels. The top is 0 dB or the highest gain, the bottom 48 dB
    /// below.
    fn automation(&self, svg: &mut Svg, axis: &Axis, y: f64, high: f64) {
        let points = &self.lane.gain_curve;
        let top = points.iter().filter_map(|p| p.gain_db).fold(0.0, f64::max);
        let (from, to) = (y + 3.0, y + high - 3.0);
        let place = |gain: Option<f64>| {
            to - ((gain.unwrap_or(f64::NEG_INFINITY) - top) / FADER_RANGE + 1.0).clamp(0.0, 1.0)
                * (to - from)
        };
        let mut data = String::new();
        for (i, point) in points.iter().enumerate() {
            let command = if i == 0 { 'M' } else { 'L' };
            let _ = write!(
                data,
                "{command}{} {}",
                number(axis.x(point.at_s)),
                number(place(point.gain_db))
            );
        }
        svg.path("automation", &data);
    }
}
