//! The lanes: a waveform for each track, bus and the mix, with clips, automation, cues and markers.

use super::{
    COLUMNS, LEFT, MARGIN, PAGE, RIGHT,
    axis::Axis,
    head::signed,
    hover,
    svg::{Anchor, Fit, Svg, number, width},
    wave::{Column, Steps, columns},
};
use crate::report::{ClipReport, LaneOverview, Overview, Placed, Report, StripReport, Waveform};
use std::fmt::Write as _;

/// What lanes that leave everything at rest take together; more of them become lower, down to a least height.
const TOGETHER: f64 = 600.0;
const HIGHEST: f64 = 48.0;
/// The same where there are three lanes or fewer.
const HIGHEST_OF_FEW: f64 = 96.0;
const LOWEST: f64 = 15.0;
/// Distance between groups of lanes.
const APART: f64 = 8.0;
/// From this height on a label has two lines.
const TWO_LINES: f64 = 34.0;
/// Colours of buses; after the last the first comes again.
const COLOURS: usize = 8;
/// Decibels from the top of a lane down to its bottom, for automation.
const FADER_RANGE: f64 = 48.0;

/// A lane to draw.
struct Row<'a> {
    lane: &'a LaneOverview,
    wave: &'a Waveform,
    name: String,
    detail: Vec<String>,
    colour: String,
    /// What full deflection stands for, before magnification.
    full: f64,
    /// How many times it is magnified.
    times: f64,
    mix: bool,
    /// Whether a group of lanes starts with it: buses, the mix.
    apart: bool,
}

/// Draws all lanes from `y` on, and tells where each is; where they end.
pub(super) fn draw(
    svg: &mut Svg,
    report: &Report,
    overview: &Overview,
    axis: &Axis,
    y: f64,
    hover: &mut hover::Page,
) -> f64 {
    let rows = rows(report, overview);
    let usual = (TOGETHER / rows.len().max(1) as f64)
        .clamp(
            LOWEST,
            if rows.len() > 3 {
                HIGHEST
            } else {
                HIGHEST_OF_FEW
            },
        )
        .floor();
    let (top, mut at) = (y, y);
    let middles: Vec<(f64, f64)> = rows
        .iter()
        .map(|row| {
            let high = if row.mix { usual.max(HIGHEST) } else { usual };
            at += high + if row.apart { APART } else { 0.0 };
            (at - high, high)
        })
        .collect();
    let bottom = at;
    for (y, high) in &middles {
        svg.rect(
            "lane-back",
            [LEFT, *y + 1.0, axis.width(), *high - 2.0],
            3.0,
        );
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
    for (row, (y, high)) in rows.iter().zip(&middles) {
        row.draw(svg, axis, *y, *high, hover);
    }
    axis.ruler(svg, &ticks, bottom);
    bottom + 24.0
}

/// Tracks, buses and the mix; of a single sound its channels.
fn rows<'a>(report: &'a Report, overview: &'a Overview) -> Vec<Row<'a>> {
    let peak = |wave: &Waveform| {
        wave.max
            .iter()
            .zip(&wave.min)
            .fold(0.0, |m: f64, (a, b)| m.max((*a).max(-b).into()))
    };
    let lanes = || overview.tracks.iter().chain(&overview.buses);
    let loudest = lanes().map(|l| peak(&l.waveform)).fold(0.0, f64::max);
    let common = if loudest > 0.0 { loudest } else { 1.0 };
    let colour = |bus: Option<&String>| {
        let index = bus.and_then(|name| overview.buses.iter().position(|b| b.name == *name));
        // Without any bus all tracks have one colour.
        let none = if overview.buses.is_empty() {
            "c0"
        } else {
            "cm"
        };
        index.map_or(none.to_owned(), |i| format!("c{}", i % COLOURS))
    };
    let row = |lane: &'a LaneOverview, detail: Vec<String>, colour: String| Row {
        lane,
        wave: &lane.waveform,
        name: lane.name.clone(),
        detail,
        colour,
        full: common,
        times: magnified(peak(&lane.waveform), common),
        mix: false,
        apart: false,
    };
    let mut rows: Vec<Row> = Vec::new();
    for (i, lane) in overview.tracks.iter().enumerate() {
        let detail = report.tracks.get(i).map_or(Vec::new(), |t| {
            detail(lane, &t.strip, &t.clips, report.rate_hz)
        });
        rows.push(row(lane, detail, colour(lane.bus.as_ref())));
    }
    for (i, lane) in overview.buses.iter().enumerate() {
        let detail = report
            .buses
            .get(i)
            .map_or(Vec::new(), |b| detail(lane, b, &[], report.rate_hz));
        let detail = std::iter::once("bus".to_owned()).chain(detail).collect();
        rows.push(Row {
            apart: i == 0,
            ..row(lane, detail, colour(Some(&lane.name)))
        });
    }
    let full = peak(&overview.mix.waveform).max(1.0);
    let mix = |name: String, detail: Vec<String>, wave: &'a Waveform| Row {
        lane: &overview.mix,
        wave,
        name,
        detail,
        colour: "cm".to_owned(),
        full,
        times: magnified(peak(wave), full),
        mix: true,
        apart: false,
    };
    if rows.is_empty() {
        let names = channel_names(&report.layout, overview.mix_channels.len());
        rows.extend(
            names
                .into_iter()
                .zip(&overview.mix_channels)
                .map(|(name, wave)| mix(name, Vec::new(), wave)),
        );
    } else if rows.len() > 1
        || overview.tracks.iter().any(|t| {
            (&t.waveform.min, &t.waveform.max)
                != (&overview.mix.waveform.min, &overview.mix.waveform.max)
        })
    {
        let moves = (!overview.mix.gain_curve.is_empty()).then(|| "automation".to_owned());
        let detail = std::iter::once("master".to_owned()).chain(moves).collect();
        rows.push(Row {
            apart: true,
            ..mix("Mix".to_owned(), detail, &overview.mix.waveform)
        });
    }
    rows
}

/// How many times a quiet lane is magnified: a power of two that leaves it below a third of full deflection.
fn magnified(peak: f64, full: f64) -> f64 {
    let mut times = 1.0;
    while peak > 0.0 && peak * times < full / 6.0 && times < 4096.0 {
        times *= 2.0;
    }
    times
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

/// `rhythm · −3.0 dB · L20 · 44.1 kHz · mono`
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
    } else if let Some(gain) = strip.gain_db.filter(|g| g.abs() >= 0.05) {
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

impl Row<'_> {
    fn draw(&self, svg: &mut Svg, axis: &Axis, y: f64, high: f64, hover: &mut hover::Page) {
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
        let reach = |v: f64| (v * self.times / self.full).clamp(0.0, 1.0) * half;
        let sum = !self.wave.rms.is_empty();
        let steps = Steps::new((LEFT, axis.width()), middle, drawn.len(), high);
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
        let room = LEFT - MARGIN - 22.0;
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
                Some(Fit { room, size: 14.3 }),
            );
            svg.text(
                "detail",
                (left, middle + 13.0),
                Anchor::Start,
                &Fit { room, size: 11.0 }.parts(&self.detail),
                Some(Fit { room, size: 11.0 }),
            );
        } else {
            let (class, size) = if high >= 19.0 {
                ("name", 13.0)
            } else {
                ("name small", 11.0)
            };
            let base = y + high / 2.0 + size * 0.36;
            // Bold letters are wider.
            let fit = Fit {
                room,
                size: size * 1.1,
            };
            let taken = width(&self.name, fit.size).min(room);
            svg.text(class, (left, base), Anchor::Start, &self.name, Some(fit));
            let room = room - taken - 8.0;
            if room > 30.0 && !self.detail.is_empty() {
                svg.text(
                    "detail",
                    (LEFT - 10.0, base),
                    Anchor::End,
                    &Fit { room, size: 10.5 }.parts(&self.detail),
                    Some(Fit { room, size: 10.5 }),
                );
            }
        }
    }

    /// The peak at the end of the lane, and how much the drawing is magnified.
    fn peak(&self, svg: &mut Svg, y: f64, high: f64, drawn: &[Column]) {
        let peak = drawn.iter().map(Column::peak).fold(0.0, f64::max);
        let text = if peak > 0.0 {
            signed(crate::units::Dbfs::of(peak).0, 1)
        } else {
            "silent".to_owned()
        };
        let class = if peak > 1.0 && self.mix {
            "level over"
        } else {
            "level"
        };
        let note = if self.times > 1.0 {
            format!("×{}", self.times)
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

    /// The gain over time, in decibels: the top is 0 dB or the highest point, the bottom 48 dB below.
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
