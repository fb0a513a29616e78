//! Draws a lane with a waveform for each track, each bus and the mix, with clips, automation, cues
//! and markers.

use super::{
    COLUMNS, LEFT, MARGIN, PAGE, RIGHT,
    axis::Axis,
    head::signed,
    hover,
    overs::Mark,
    reduction::{ReductionScale, is_shown},
    svg::{Anchor, Svg, TextFit, number, text_width},
    targets::Targets,
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
const FADER_RANGE_DB: f64 = 48.0;
/// Decibels from the edge of a lane to its middle, for waveforms.
const WAVE_RANGE_DB: f64 = 60.0;
/// The scale of the waveforms ends at a multiple of this many decibels.
const WAVE_STEP_DB: f64 = 3.0;
/// Largest end of that scale, so that one absurd stem does not flatten all others. More is drawn as this much.
const MAX_WAVE_DB: f64 = 24.0;
/// Distance of the lines of text above the lanes.
const HEADING_LINE: f64 = 13.0;

/// Lane to draw.
struct LaneRow<'a> {
    lane: &'a LaneOverview,
    wave: &'a Waveform,
    name: String,
    detail: Vec<String>,
    /// Inserts whose gain reduction is drawn below the lane.
    inserts: Vec<&'a InsertReport>,
    colour: String,
    /// Integrated loudness in LUFS, if it was measured and is defined.
    loudness: Option<f64>,
    is_mix: bool,
    /// True for a track, whose automation is drawn where it has clips.
    is_track: bool,
    /// True if a group of lanes (buses, mix) starts with this lane.
    starts_group: bool,
}

/// Scales that all lanes share, stated above them.
///
/// Waveforms are logarithmic, as meters are, so that a quiet stem is visible beside a loud one at the
/// same scale: the edge of a lane is the level of the loudest lane, the middle lies 60 dB below.
#[derive(Clone, Copy, Debug, PartialEq)]
struct LaneScales {
    /// Level at the edge of a lane in dBFS.
    wave_top_db: f64,
    /// Gain at the top of a lane in dB; `None` if nothing is automated.
    fader_top_db: Option<f64>,
}

impl LaneScales {
    fn new(rows: &[LaneRow]) -> Self {
        let loudest = rows.iter().map(|row| peak(row.wave)).fold(0.0, f64::max);
        let loudest_db = if loudest > 0.0 {
            crate::units::Dbfs::from_amplitude(loudest).0
        } else {
            0.0
        };
        let automated = rows.iter().filter(|row| !row.automated_spans().is_empty());
        let tops = automated.map(|row| {
            let gains = row.lane.gain_curve.iter().filter_map(|point| point.gain_db);
            gains.fold(0.0, f64::max)
        });
        Self {
            // The tolerance keeps a peak of −3 dBFS on a scale to −3 dBFS, despite rounding.
            wave_top_db: ((loudest_db / WAVE_STEP_DB - 1e-6).ceil() * WAVE_STEP_DB)
                .min(MAX_WAVE_DB),
            fader_top_db: tops.reduce(f64::max),
        }
    }

    /// Returns the part of half a lane that a sample value takes.
    fn deflection(self, value: f64) -> f64 {
        if value <= 0.0 {
            return 0.0;
        }
        let below_top = self.wave_top_db - crate::units::Dbfs::from_amplitude(value).0;
        (1.0 - below_top / WAVE_RANGE_DB).clamp(0.0, 1.0)
    }

    /// Returns the part of a lane's height, from its bottom, of a gain.
    fn fader(self, gain_db: Option<f64>) -> f64 {
        let top = self.fader_top_db.unwrap_or(0.0);
        let gain_db = gain_db.unwrap_or(f64::NEG_INFINITY);
        ((gain_db - top) / FADER_RANGE_DB + 1.0).clamp(0.0, 1.0)
    }

    /// Returns the lines that state the scales.
    fn headings(self) -> Vec<String> {
        let bottom = signed(self.wave_top_db - WAVE_RANGE_DB, 0);
        let wave = format!("Waveforms {bottom} to {} dBFS", signed(self.wave_top_db, 0));
        let fader = self.fader_top_db.map(|top| {
            let bottom = signed(top - FADER_RANGE_DB, 0);
            format!("Automation {bottom} to {} dB", signed(top, 0))
        });
        std::iter::once(wave).chain(fader).collect()
    }
}

/// Lanes of a report and their scales, before they have a place.
pub(super) struct Lanes<'a> {
    rows: Vec<LaneRow<'a>>,
    scales: LaneScales,
    reductions: ReductionScale,
}

impl<'a> Lanes<'a> {
    pub(super) fn new(report: &'a Report, overview: &'a Overview) -> Self {
        let rows = rows(report, overview);
        Self {
            scales: LaneScales::new(&rows),
            reductions: ReductionScale::new(
                rows.iter().flat_map(|row| row.inserts.iter().copied()),
            ),
            rows,
        }
    }

    /// Returns the lines that state the scales, from the top down.
    fn headings(&self) -> Vec<String> {
        let scales = self.scales.headings().into_iter();
        scales.chain(self.reductions.heading()).collect()
    }

    /// Returns the height of the lines above the lanes.
    pub(super) fn heading_height(&self) -> f64 {
        self.headings().len() as f64 * HEADING_LINE
    }

    /// Draws all lanes from `y` down and passes their positions to `hover`. Returns the position of
    /// their lower end.
    pub(super) fn draw(
        &self,
        svg: &mut Svg,
        report: &Report,
        overview: &Overview,
        axis: &Axis,
        y: f64,
        hover: &mut hover::HoverData,
    ) -> f64 {
        let (rows, reductions) = (&self.rows, &self.reductions);
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
        self.draw_headings(svg, height, top);
        for (row, (y, high)) in rows.iter().zip(&bounds) {
            row.draw(svg, axis, *y, *high, self.scales, hover);
            for (n, insert) in row.inserts.iter().enumerate() {
                let y = y + high + n as f64 * reductions.height;
                reductions.draw(svg, insert, &row.colour, axis, y);
            }
        }
        // The last lane is that of the mix, or of the only track, which the mix equals.
        if let Some((y, high)) = bounds.last() {
            let ceiling = Targets::new(report).ceiling_dbtp.unwrap_or(0.0);
            let marks = super::overs::marks(overview, ceiling, axis);
            LaneRow::overs(svg, &marks, axis, (*y, *high), self.scales);
        }
        axis.ruler(svg, &ticks, bottom);
        bottom + 24.0
    }

    /// States the scales above the lanes, and names the numbers beside them.
    fn draw_headings(&self, svg: &mut Svg, height: f64, top: f64) {
        for (n, text) in self.headings().iter().rev().enumerate() {
            let base = top - 6.0 - n as f64 * HEADING_LINE;
            svg.text("tick", (MARGIN, base), Anchor::Start, text, None);
        }
        let is_two_columns = height < TWO_LINES
            && (self.rows.iter()).any(|row| !row.is_mix && row.loudness.is_some());
        let base = top - 6.0;
        if is_two_columns {
            svg.text("tick", (RIGHT + 8.0, base), Anchor::Start, "LUFS", None);
            svg.text("tick", (PAGE - MARGIN, base), Anchor::End, "dBFS", None);
        } else {
            svg.text(
                "tick",
                (PAGE - MARGIN, base),
                Anchor::End,
                "peak dBFS",
                None,
            );
        }
    }
}

/// Returns the lanes of tracks, buses and the mix, or the channels of the mix if there are no
/// tracks and buses.
fn rows<'a>(report: &'a Report, overview: &'a Overview) -> Vec<LaneRow<'a>> {
    let mut rows: Vec<LaneRow> = Vec::new();
    for (i, lane) in overview.tracks.iter().enumerate() {
        let mut row = LaneRow::new(lane, &lane.waveform);
        row.colour = bus_colour(overview, lane.bus.as_deref());
        row.is_track = true;
        if let Some(track) = report.tracks.get(i) {
            row.detail = detail(lane, &track.strip, &track.clips, report.rate_hz);
            row.inserts = shown(&track.strip.inserts);
            row.loudness = loudness(&track.strip);
        }
        rows.push(row);
    }
    for (i, lane) in overview.buses.iter().enumerate() {
        let mut row = LaneRow::new(lane, &lane.waveform);
        row.colour = bus_colour(overview, Some(&lane.name));
        row.detail.push("bus".to_owned());
        if let Some(bus) = report.buses.get(i) {
            row.detail.extend(detail(lane, bus, &[], report.rate_hz));
            row.inserts = shown(&bus.inserts);
            row.loudness = loudness(bus);
        }
        row.starts_group = i == 0;
        rows.push(row);
    }
    let mix = &overview.mix;
    if rows.is_empty() {
        let names = channel_names(&report.layout, overview.mix_channels.len());
        for (name, wave) in names.into_iter().zip(&overview.mix_channels) {
            let mut row = LaneRow::new(mix, wave);
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
        let mut row = LaneRow::new(mix, &mix.waveform);
        row.name = "Mix".to_owned();
        row.detail.push("master".to_owned());
        if !mix.gain_curve.is_empty() {
            row.detail.push("automation".to_owned());
        }
        (row.is_mix, row.starts_group) = (true, true);
        row.inserts = inserts;
        row.loudness = report.mix.integrated_lufs;
        rows.push(row);
    }
    rows
}

/// Returns the integrated loudness of a strip, if it was measured and is defined.
fn loudness(strip: &StripReport) -> Option<f64> {
    strip
        .levels
        .as_ref()
        .and_then(|levels| levels.integrated_lufs)
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
    fn new(lane: &'a LaneOverview, wave: &'a Waveform) -> Self {
        Self {
            lane,
            wave,
            name: lane.name.clone(),
            detail: Vec::new(),
            inserts: Vec::new(),
            colour: MIX_COLOUR.to_owned(),
            loudness: None,
            is_mix: false,
            is_track: false,
            starts_group: false,
        }
    }

    fn draw(
        &self,
        svg: &mut Svg,
        axis: &Axis,
        y: f64,
        high: f64,
        scales: LaneScales,
        hover: &mut hover::HoverData,
    ) {
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
        let half = half_height(high);
        let reach = |value: f64| scales.deflection(value) * half;
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
        self.automation(svg, axis, y, high, scales);
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

    /// Draws the peak level and the loudness at the right end of the lane.
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
        let (x, middle) = (PAGE - MARGIN, y + high / 2.0);
        match self.loudness {
            Some(loudness) if high >= TWO_LINES => {
                svg.text(class, (x, middle - 1.0), Anchor::End, &text, None);
                let text = format!("{} LUFS", signed(loudness, 1));
                svg.text("detail", (x, middle + 12.0), Anchor::End, &text, None);
            }
            Some(loudness) => {
                let left = (RIGHT + 8.0, middle + 4.0);
                svg.text("detail", left, Anchor::Start, &signed(loudness, 1), None);
                svg.text(class, (x, middle + 4.0), Anchor::End, &text, None);
            }
            None => svg.text(class, (x, middle + 4.0), Anchor::End, &text, None),
        }
    }

    /// Returns the stretches of time in which the gain is automated and drawn: those of a track's clips,
    /// joined where they meet, and everything for a bus or the mix.
    fn automated_spans(&self) -> Vec<[f64; 2]> {
        if self.lane.gain_curve.is_empty() {
            return Vec::new();
        }
        if !self.is_track {
            return vec![[f64::NEG_INFINITY, f64::INFINITY]];
        }
        let mut clips = self.lane.clips_s.clone();
        clips.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let mut spans: Vec<[f64; 2]> = Vec::new();
        for [start, end] in clips {
            match spans.last_mut() {
                Some(last) if start <= last[1] => last[1] = last[1].max(end),
                _ => spans.push([start, end]),
            }
        }
        spans
    }

    /// Draws the gain automation in decibels where the strip has sound.
    fn automation(&self, svg: &mut Svg, axis: &Axis, y: f64, high: f64, scales: LaneScales) {
        let (from, to) = (y + 3.0, y + high - 3.0);
        let points = self.lane.gain_curve.iter();
        let points: Vec<(f64, f64)> = points
            .map(|point| {
                let y = to - scales.fader(point.gain_db) * (to - from);
                (point.at_s, y)
            })
            .collect();
        let mut data = String::new();
        for span in self.automated_spans() {
            let line = line_within(&points, span);
            for (i, (at_s, y)) in line.iter().enumerate() {
                let command = if i == 0 { 'M' } else { 'L' };
                let _ = write!(data, "{command}{} {}", number(axis.x(*at_s)), number(*y));
            }
        }
        svg.path("automation", &data);
    }

    /// Draws full scale, where the lane reaches beyond it, and a line at every over.
    fn overs(
        svg: &mut Svg,
        marks: &[Mark],
        axis: &Axis,
        (y, high): (f64, f64),
        scales: LaneScales,
    ) {
        if scales.wave_top_db > 0.0 {
            let middle = y + high / 2.0;
            let reach = scales.deflection(1.0) * half_height(high);
            for at in [middle - reach, middle + reach] {
                svg.line("ceiling", (LEFT, at), (RIGHT, at));
            }
        }
        let lines: String = marks
            .iter()
            .map(|mark| {
                let x = number(axis.x(mark.at_s));
                format!("M{x} {}V{}", number(y + 2.0), number(y + high - 2.0))
            })
            .collect();
        svg.path("over-line", &lines);
    }
}

/// Returns the height of full deflection in a lane.
fn half_height(high: f64) -> f64 {
    high / 2.0 - if high > 24.0 { 3.0 } else { 1.0 }
}

/// Returns the part of a polyline within a span of its first coordinate. Before the first and after the last
/// point the line is level.
fn line_within(points: &[(f64, f64)], [start, end]: [f64; 2]) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    let at = |x: f64| {
        let after = points.iter().find(|point| point.0 >= x).unwrap_or(last);
        let before = points.iter().rfind(|point| point.0 <= x).unwrap_or(first);
        let part = (x - before.0) / (after.0 - before.0);
        let part = if part.is_finite() { part } else { 0.0 };
        (x, before.1 + part * (after.1 - before.1))
    };
    let (start, end) = (start.max(first.0), end.min(last.0));
    if start >= end {
        return Vec::new();
    }
    let inside = points.iter().copied().filter(|p| p.0 > start && p.0 < end);
    std::iter::once(at(start))
        .chain(inside)
        .chain([at(end)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_both_ends_of_a_span() {
        let points = [(0.0, 10.0), (2.0, 20.0), (4.0, 0.0)];
        assert_eq!(
            line_within(&points, [1.0, 3.0]),
            [(1.0, 15.0), (2.0, 20.0), (3.0, 10.0)]
        );
        assert_eq!(
            line_within(&points, [f64::NEG_INFINITY, f64::INFINITY]),
            points
        );
        assert_eq!(line_within(&points, [5.0, 6.0]), []);
    }

    #[test]
    fn half_a_lane_is_60_decibels() {
        let scales = LaneScales {
            wave_top_db: 0.0,
            fader_top_db: Some(6.0),
        };
        let parts = [1.0, 0.031_622_776, 0.001, 0.0, 2.0].map(|value| scales.deflection(value));
        for (part, expected) in parts.into_iter().zip([1.0, 0.5, 0.0, 0.0, 1.0]) {
            assert!((part - expected).abs() < 1e-6, "{part} {expected}");
        }
        let gains = [Some(6.0), Some(-18.0), Some(-42.0), None];
        assert_eq!(gains.map(|gain| scales.fader(gain)), [1.0, 0.5, 0.0, 0.0]);
        assert_eq!(
            scales.headings(),
            ["Waveforms −60 to 0 dBFS", "Automation −42 to +6 dB"]
        );
    }
}
