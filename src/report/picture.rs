//! Draws reports as SVG pictures and HTML pages.
//!
//! Drawing uses the [`Report`] alone and is deterministic. The output loads no external resource,
//! all text is escaped, and no information is carried by colour alone. Waveforms appear only if the
//! report has an [`Overview`](super::Overview).
//!
//! ```text
//! ┌ index   a row for each of several reports             ┐
//! │ head    title, output, six cards                      │
//! │ cues    names of cues and markers                     │
//! │ lanes   waveforms of tracks, buses and mix, each with │
//! │         the gain reduction of its inserts · ruler     │
//! │ levels  loudness over time · peaks and overs          │
//! └ notes   warnings, one for each code                   ┘
//! ```
//!
//! In a page, index, head and notes are HTML, which wraps on a narrow screen; the rest is a chart that
//! scrolls there.

mod axis;
mod cards;
mod cues;
mod head;
mod hover;
mod html;
mod index;
mod lanes;
mod levels;
mod notes;
mod overs;
mod reduction;
mod svg;
mod targets;
mod wave;

use super::Report;
use axis::{Axis, TimecodeLabels};
use svg::{Anchor, Svg};

/// Width of the page. All coordinates are in the units of the SVG view box.
const PAGE: f64 = 1280.0;
const MARGIN: f64 = 28.0;
/// Left and right end of the time axis.
const LEFT: f64 = 200.0;
const RIGHT: f64 = 1160.0;
/// Maximum number of columns of a waveform.
const COLUMNS: usize = 960;

const STYLE: &str = include_str!("picture/style.css");

/// A drawn report: the whole of it for a picture, or the chart alone for a page.
struct DrawnReport {
    body: String,
    height: f64,
    /// Lower end of the part with a time axis, 0 without an overview.
    bottom: f64,
    hover: hover::HoverData,
}

impl Report {
    /// Returns the report as a standalone SVG picture, for light and dark backgrounds and for
    /// print.
    ///
    /// ```
    /// let picture = soundtrack::Report::default().to_svg();
    /// assert!(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    /// ```
    #[must_use]
    pub fn to_svg(&self) -> String {
        svg_of(std::slice::from_ref(self))
    }

    /// Returns the report as an HTML page that contains the picture.
    ///
    /// `audio` is the path of the mix relative to the page. If present, the page plays the mix, and
    /// a click on the picture seeks to that time.
    ///
    /// ```
    /// let page = soundtrack::Report::default().to_html(Some("out/my mix.wav"));
    /// assert!(page.contains("src=\"./out/my%20mix.wav\""));
    /// ```
    #[must_use]
    pub fn to_html(&self, audio: Option<&str>) -> String {
        html::page(&[(self, audio)])
    }
}

/// Returns one SVG picture with several reports below each other.
#[must_use]
pub fn svg_of(reports: &[Report]) -> String {
    let drawn: Vec<DrawnReport> = index::draw(reports)
        .into_iter()
        .chain(reports.iter().map(draw_whole))
        .collect();
    let height: f64 = drawn.iter().map(|d| d.height).sum();
    let title = reports.first().map_or(String::new(), head::title);
    let mut out = open(&title, height);
    out += &format!(
        "<style>{STYLE}</style><rect class=\"page\" width=\"{PAGE}\" height=\"{height}\"/>\n"
    );
    let mut y = 0.0;
    for page in drawn {
        out += &format!("<g transform=\"translate(0 {y})\">\n{}</g>\n", page.body);
        y += page.height;
    }
    out + "</svg>\n"
}

/// Returns one HTML page with several reports below each other; each report comes with the path of
/// its audio as in [`Report::to_html`].
#[must_use]
pub fn html_of(reports: &[(&Report, Option<&str>)]) -> String {
    html::page(reports)
}

/// Returns one HTML page with a title, an introduction and several reports below each other. The title
/// is escaped here; the introduction is HTML with styles of its own.
pub(crate) fn html_with_introduction(
    title: &str,
    introduction: &str,
    reports: &[(&Report, Option<&str>)],
) -> String {
    html::page_with(title, introduction, reports)
}

pub(crate) use html::relative as address;
pub use svg::escaped;
#[cfg(feature = "dawproject")]
pub(crate) use svg::push_escaped;

fn open(title: &str, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {PAGE} {height}\" width=\"{PAGE}\" height=\"{height}\" \
         role=\"img\"><title>{}</title>\n",
        svg::escaped(title)
    )
}

/// Draws a report with its head and its warnings.
fn draw_whole(report: &Report) -> DrawnReport {
    let mut svg = Svg::default();
    let y = head::draw(&mut svg, report, &axis_of(report), 22.0);
    let mut drawn = draw_chart(report, svg, y);
    let mut svg = Svg::default();
    let y = notes::draw(&mut svg, report, drawn.height);
    drawn.body += &svg.into_text();
    drawn.height = (y + 22.0).ceil();
    drawn
}

/// Draws the part of a report that has a time axis below `y`, after what is drawn already.
fn draw_chart(report: &Report, mut svg: Svg, y: f64) -> DrawnReport {
    let axis = axis_of(report);
    let overview = report.overview.as_ref();
    let mut hover = hover::HoverData::new(&axis, overview);
    let mut bottom = 0.0;
    let mut y = y;
    if let Some(overview) = overview {
        let lanes = lanes::Lanes::new(report, overview);
        // The lines above the lanes stand left of the names of the cues.
        let cues = cues::height(overview, &axis);
        y += (10.0 + lanes.heading_height() - cues).max(30.0);
        cues::labels(&mut svg, overview, &axis, y - 12.0);
        y += cues;
        y = lanes.draw(&mut svg, report, overview, &axis, y, &mut hover) + 16.0;
        bottom = levels::draw(&mut svg, report, overview, &axis, y, &mut hover);
        y = bottom + 24.0;
    } else {
        let text = "No waveforms were gathered.";
        svg.text("detail", (MARGIN, y + 30.0), Anchor::Start, text, None);
        y += 54.0;
    }
    DrawnReport {
        body: svg.into_text(),
        height: y,
        bottom,
        hover,
    }
}

fn axis_of(report: &Report) -> Axis {
    let rate = f64::from(report.rate_hz.max(1));
    Axis {
        start_s: report.start_frame as f64 / rate,
        length_s: report.frames as f64 / rate,
        left: LEFT,
        right: RIGHT,
        timecode: TimecodeLabels::new(report),
    }
}

/// Formats a time, to the millisecond below one minute and to a tenth of a second above.
fn time(at_s: f64) -> String {
    axis::clock(at_s, if at_s < 60.0 { 0.001 } else { 0.1 })
}
