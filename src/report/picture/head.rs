//! Draws the head of the page: title, properties of the output, and six cards.

use super::{
    MARGIN, PAGE,
    axis::Axis,
    svg::{Anchor, Svg, TextFit, text_width},
    time,
};
use crate::{error::one_line, report::Report};

/// State of a card or warning. Each state has a mark of its own as well as a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CardState {
    /// Requirement met.
    Good,
    /// Value without a verdict that the reader should look at.
    Attention,
    /// Requirement not met.
    Bad,
    /// Value without a requirement.
    Plain,
}

/// Card with one large number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Card {
    pub label: String,
    pub value: String,
    pub unit: &'static str,
    pub foot: String,
    pub state: CardState,
}

/// Number of cards in the head.
pub(super) const CARDS: usize = 6;
/// Space between two cards in pixels.
const GAP: f64 = 12.0;
/// Height of a card in pixels.
const HEIGHT: f64 = 72.0;

/// Maximum number of lines of the properties of the output.
const MAX_LINES: usize = 3;

/// Draws the head from `y` down. Returns the position of its lower end.
pub(super) fn draw(svg: &mut Svg, report: &Report, axis: &Axis, y: f64) -> f64 {
    let max_width = PAGE - 2.0 * MARGIN;
    let title = title(report);
    svg.text(
        "title",
        (MARGIN, y + 24.0),
        Anchor::Start,
        &title,
        Some(TextFit {
            max_width,
            size: 25.0,
        }),
    );
    let fit = TextFit {
        max_width,
        size: 13.0,
    };
    let mut top = y + 28.0;
    for line in fit.lines(&subtitle(report)).iter().take(MAX_LINES) {
        top += 18.0;
        svg.text("sub", (MARGIN, top), Anchor::Start, line, None);
    }
    top += 16.0;
    let width = (max_width - GAP * (CARDS as f64 - 1.0)) / CARDS as f64;
    let mut x = MARGIN;
    for card in super::cards::cards(report, axis) {
        card.draw(svg, x, top, width);
        x += width + GAP;
    }
    top + HEIGHT
}

/// Returns the session's title, or the file name of the output.
pub(super) fn title(report: &Report) -> String {
    let file = |path: &String| {
        std::path::Path::new(path)
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
    };
    let written = || report.output.as_ref().and_then(file);
    let name = if report.title.is_empty() {
        written().unwrap_or_else(|| "A mix".to_owned())
    } else {
        report.title.clone()
    };
    one_line(name)
}

/// Returns the second line: `mix.wav · 48 kHz · stereo · 24 bit · 3:10.5`.
pub(super) fn subtitle(report: &Report) -> String {
    let rate = f64::from(report.rate_hz) / 1000.0;
    let format = report.format.as_deref().map(|f| match f {
        "wav16" => "16 bit",
        "wav24" => "24 bit",
        "wav32" => "32 bit",
        "wav32f" => "32-bit float",
        other => other,
    });
    let what = [
        report.output.clone(),
        Some(format!("{rate} kHz")),
        Some(report.layout.clone()),
    ];
    let length = Some(format!("{} long", time(report.duration_s)));
    let start = report.start_frame as f64 / f64::from(report.rate_hz.max(1));
    let from = (report.start_frame > 0).then(|| format!("from {}", time(start)));
    let timecode = report.overview.as_ref().and_then(|o| o.timecode.as_ref());
    let timecode = timecode.map(|t| format!("TC {} at {} fps", t.start, t.fps));
    let kept = report
        .tracks
        .first()
        .filter(|_| format.is_none() && report.tracks.len() == 1)
        .and_then(|t| t.clips.first());
    let codec = kept.map(|c| {
        c.bits
            .map_or(c.codec.clone(), |b| format!("{}, {b} bit", c.codec))
    });
    let parts = what
        .into_iter()
        .chain([format.map(str::to_owned).or(codec), length, from, timecode])
        .flatten();
    one_line(parts.collect::<Vec<_>>().join(" · "))
}

impl CardState {
    /// Returns the CSS class.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Attention => "care",
            Self::Bad => "bad",
            Self::Plain => "plain",
        }
    }
}

impl Card {
    fn draw(&self, svg: &mut Svg, x: f64, y: f64, width: f64) {
        svg.group(&format!("card {}", self.state.class()));
        svg.rect("panel", [x, y, width, HEIGHT], 6.0);
        svg.rect("bar", [x, y + 6.0, 3.0, HEIGHT - 12.0], 1.5);
        let left = x + 16.0;
        svg.text("label", (left, y + 20.0), Anchor::Start, &self.label, None);
        let fits = text_width(&self.value, 25.0) + text_width(self.unit, 12.0) < width - 24.0;
        svg.with_unit(
            "value",
            (left, y + 45.0),
            &self.value,
            if fits { self.unit } else { "" },
        );
        svg.text(
            "foot",
            (left, y + 62.0),
            Anchor::Start,
            &self.foot,
            Some(TextFit {
                max_width: width - 28.0,
                size: 11.0,
            }),
        );
        mark(svg, self.state, x + width - 18.0, y + 16.0);
        svg.close();
    }
}

/// Draws a check, a cross or an exclamation mark centred at `x`, `y`; nothing for [`CardState::Plain`].
pub(super) fn mark(svg: &mut Svg, state: CardState, x: f64, y: f64) {
    let n = super::svg::number;
    let data = match state {
        CardState::Good => format!("M{} {}l3.5 3.5 6-7.5", n(x - 5.0), n(y)),
        CardState::Bad => format!("M{} {}l8 8m0-8l-8 8", n(x - 4.0), n(y - 4.0)),
        CardState::Attention => format!("M{} {}v5.5m0 2.8v.2", n(x), n(y - 5.0)),
        CardState::Plain => return,
    };
    svg.path("mark", &data);
}

/// Formats a number with an explicit sign, using U+2212 for minus: `−12.3`, `+0.5`, `0.0`.
pub(super) fn signed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let zero = !text.bytes().any(|b| matches!(b, b'1'..=b'9'));
    match value {
        _ if zero => text,
        v if v < 0.0 => format!("−{text}"),
        _ => format!("+{text}"),
    }
}

/// Formats a number with digits grouped by narrow no-break spaces: `11 520 000`.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        let numbers = [-12.34, 0.04, -0.04, 3.0].map(|v| signed(v, 1));
        assert_eq!(numbers, ["−12.3", "0.0", "0.0", "+3.0"]);
        assert_eq!(
            [0, 999, 1000, 11_520_000].map(grouped),
            ["0", "999", "1\u{202f}000", "11\u{202f}520\u{202f}000"]
        );
    }
}
