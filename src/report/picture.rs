//! Draws reports as SVG pictures and HTML pages.
//!
//! Drawing uses the [`Report`] alone and is deterministic. The output loads no external resource,
//! all text is escaped, and no information is carried by colour alone. Waveforms appear only if the
//! report has an [`Overview`](super::Overview).
//!
//! ```text
//! ┌ head    title, output, six cards                      ┐
//! │ cues    names of cues and markers                     │
//! │ lanes   waveforms of tracks, buses and mix, each with │
//! │         the gain reduction of its inserts · ruler     │
//! │ levels  loudness over time · peaks and overs          │
//! └ notes   warnings                                      ┘
//! ```

mod axis;
mod cards;
mod cues;
mod head;
mod hover;
mod html;
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
const RIGHT: f64 = 1172.0;
/// Maximum number of columns of a waveform.
const COLUMNS: usize = 972;

const STYLE: &str = include_str!("picture/style.css");

/// A drawn report.
struct DrawnReport {
    title: String,
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
    let drawn: Vec<DrawnReport> = reports.iter().map(draw).collect();
    let height: f64 = drawn.iter().map(|d| d.height).sum();
    let title = drawn.first().map_or(String::new(), |d| d.title.clone());
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
pub(crate) use svg::escaped;

fn open(title: &str, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {PAGE} {height}\" width=\"{PAGE}\" height=\"{height}\" \
         role=\"img\"><title>{}</title>\n",
        svg::escaped(title)
    )
}

fn draw(report: &Report) -> DrawnReport {
    let rate = f64::from(report.rate_hz.max(1));
    let start_s = report.start_frame as f64 / rate;
    let axis = Axis {
        start_s,
        length_s: report.frames as f64 / rate,
        left: LEFT,
        right: RIGHT,
        timecode: TimecodeLabels::new(report),
    };
    let overview = report.overview.as_ref();
    let mut hover = hover::HoverData::new(&axis, overview);
    let mut svg = Svg::default();
    let mut bottom = 0.0;
    let mut y = head::draw(&mut svg, report, &axis, 22.0) + 30.0;
    if let Some(overview) = overview {
        cues::labels(&mut svg, overview, &axis, y - 12.0);
        y += cues::height(overview, &axis);
        y = lanes::draw(&mut svg, report, overview, &axis, y, &mut hover) + 16.0;
        bottom = levels::draw(&mut svg, report, overview, &axis, y, &mut hover);
        y = bottom + 24.0;
    } else {
        svg.text(
            "detail",
            (MARGIN, y),
            Anchor::Start,
            "No waveforms were gathered.",
            None,
        );
        y += 24.0;
    }
    y = notes::draw(&mut svg, report, y);
    DrawnReport {
        title: head::title(report),
        body: svg.into_text(),
        height: (y + 22.0).ceil(),
        bottom,
        hover,
    }
}

/// Formats a time, to the millisecond below one minute and to a tenth of a second above.
fn time(at_s: f64) -> String {
    axis::clock(at_s, if at_s < 60.0 { 0.001 } else { 0.1 })
}
