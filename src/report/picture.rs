//! The report as one page for people: a picture (SVG), or a page that plays the mix and reads out values (HTML).
//!
//! Drawn from a [`Report`] alone: the same report gives the same bytes. Nothing is loaded from anywhere, every text in it
//! is escaped, and colour never says anything alone. Without an [`Overview`](super::Overview) there are no waveforms.
//!
//! ```text
//! ┌ head    title, what was written, six cards            ┐
//! │ cues    names of cues and markers                     │
//! │ lanes   a waveform a track, a bus, the mix · ruler    │
//! │ levels  loudness over time · peaks and overs          │
//! └ notes   the warnings                                  ┘
//! ```

mod aim;
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
mod svg;
mod wave;

use super::Report;
use axis::{Axis, Names};
use svg::{Anchor, Svg};

/// Width of the page; everything on it is in these units.
const PAGE: f64 = 1280.0;
const MARGIN: f64 = 28.0;
/// Where time starts and ends.
const LEFT: f64 = 200.0;
const RIGHT: f64 = 1172.0;
/// Columns that a waveform is drawn in, at the most.
const COLUMNS: usize = 972;

const STYLE: &str = include_str!("picture/style.css");

/// A report, drawn.
struct Drawn {
    title: String,
    body: String,
    height: f64,
    /// Where what has a time ends.
    bottom: f64,
    hover: hover::Page,
}

impl Report {
    /// The report as an SVG picture of its own, for light and dark surroundings and for print.
    ///
    /// ```
    /// let picture = soundtrack::Report::default().to_svg();
    /// assert!(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    /// ```
    #[must_use]
    pub fn to_svg(&self) -> String {
        svg_of(std::slice::from_ref(self))
    }

    /// The report as an HTML page with the picture in it. `audio` is where the mix is, as a path relative to the page;
    /// with it the page plays the mix, and a click jumps there.
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

/// Several reports below each other in one picture.
#[must_use]
pub fn svg_of(reports: &[Report]) -> String {
    let drawn: Vec<Drawn> = reports.iter().map(draw).collect();
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

/// Several reports below each other on one page, each with where its audio is, as in [`Report::to_html`].
#[must_use]
pub fn html_of(reports: &[(&Report, Option<&str>)]) -> String {
    html::page(reports)
}

fn open(title: &str, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {PAGE} {height}\" width=\"{PAGE}\" height=\"{height}\" \
         role=\"img\"><title>{}</title>\n",
        svg::escaped(title)
    )
}

fn draw(report: &Report) -> Drawn {
    let rate = f64::from(report.rate_hz.max(1));
    let start_s = report.start_frame as f64 / rate;
    let axis = Axis {
        start_s,
        length_s: report.frames as f64 / rate,
        left: LEFT,
        right: RIGHT,
        names: Names::of(report),
    };
    let overview = report.overview.as_ref();
    let mut hover = hover::Page::new(&axis, overview);
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
    Drawn {
        title: head::title(report),
        body: svg.into_text(),
        height: (y + 22.0).ceil(),
        bottom,
        hover,
    }
}

/// A time as people read it, to the millisecond or the tenth of a second as it needs.
fn time(at_s: f64) -> String {
    axis::clock(at_s, if at_s < 60.0 { 0.001 } else { 0.1 })
}
