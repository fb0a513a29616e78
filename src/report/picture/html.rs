//! Builds the HTML page around the charts: index, heads and warnings as text that wraps, players, moving
//! cursors, and values under the pointer.

use super::{
    DrawnReport, PAGE, STYLE, draw_chart,
    head::{self, CardState},
    index,
    notes::CodeGroup,
    svg::{Svg, escaped},
};
use crate::report::Report;

const PAGE_STYLE: &str = include_str!("page.css");
const PROGRAM: &str = include_str!("page.js");
/// Maximum number of warnings of one code that are listed. The JSON form holds all.
const MAX_OF_A_CODE: usize = 200;

/// Returns a page of one or several reports, each with the path of its audio relative to the page.
pub(super) fn page(reports: &[(&Report, Option<&str>)]) -> String {
    let title = reports
        .first()
        .map_or("A mix".to_owned(), |(report, _)| head::title(report));
    let index = index::html(reports.iter().map(|(report, _)| *report));
    page_with(&title, &index, reports)
}

/// Returns a page with a title and an introduction in HTML before the reports.
pub(super) fn page_with(
    title: &str,
    introduction: &str,
    reports: &[(&Report, Option<&str>)],
) -> String {
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n\
         <style>\n{STYLE}{PAGE_STYLE}</style>\n</head>\n<body>\n",
        escaped(title)
    );
    out += introduction;
    for (number, (report, audio)) in (1..).zip(reports) {
        out += &section(number, report, *audio);
    }
    out + &format!("<script>\n{PROGRAM}</script>\n</body>\n</html>\n")
}

/// Returns the section of a report, which links reach as `#report-NUMBER`.
fn section(number: usize, report: &Report, audio: Option<&str>) -> String {
    let chart = draw_chart(report, Svg::default(), 0.0);
    let DrawnReport {
        body,
        height,
        bottom,
        hover,
    } = &chart;
    let player = audio.map_or(String::new(), |path| {
        let source = escaped(&relative(path));
        format!(
            "<div class=\"player\"><audio controls preload=\"metadata\" src=\"{source}\"></audio>\
             <output class=\"now\"></output>\
             <span class=\"lost\" hidden>This browser cannot play the audio, or it is not beside this page.</span></div>\n"
        )
    });
    format!(
        "<section class=\"report\" id=\"report-{number}\">\n{}\
         <div class=\"scroll\"><div class=\"sheet\">\n\
         <svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {PAGE} {height}\" data-bottom=\"{}\" role=\"img\" aria-label=\"{}\">\n\
         <rect class=\"page\" width=\"{PAGE}\" height=\"{height}\"/>\n{body}\
         <path class=\"pointer\" d=\"\"/><path class=\"cursor\" d=\"\"/></svg>\n\
         <div class=\"reading\" hidden></div>\n</div></div>\n{player}{}\
         <script type=\"application/json\">{}</script>\n</section>\n",
        head_of(report),
        super::svg::number(*bottom),
        escaped(&head::title(report)),
        notes_of(report),
        hover.to_script()
    )
}

/// Returns title, properties and cards.
fn head_of(report: &Report) -> String {
    let mut out = format!(
        "<header class=\"head\">\n<h2>{}</h2>\n<p>{}</p>\n<div class=\"cards\">\n",
        escaped(&head::title(report)),
        escaped(&head::subtitle(report))
    );
    for card in super::cards::cards(report, &super::axis_of(report)) {
        out += &format!(
            "<div class=\"tile {}\"><span>{}<i>{}</i></span><b>{}<small>{}</small></b><span>{}</span></div>\n",
            card.state.class(),
            escaped(&card.label),
            sign(card.state),
            escaped(&card.value),
            escaped(card.unit),
            escaped(&card.foot)
        );
    }
    out + "</div>\n</header>\n"
}

/// Returns the warnings: one of each code, with a list of the others that opens.
fn notes_of(report: &Report) -> String {
    let mut out = String::new();
    for group in CodeGroup::of(report) {
        out += &format!(
            "<li class=\"{}\"><i>{}</i><code>{}</code><div>{}",
            group.state.class(),
            sign(group.state),
            group.code,
            escaped(&group.example())
        );
        if group.others() > 0 {
            out += &format!("<details><summary>and {} more</summary>", group.others());
            for warning in group.warnings.iter().skip(1).take(MAX_OF_A_CODE) {
                out += &format!("<p>{}</p>", escaped(&warning.message()));
            }
            let unlisted = group.others().saturating_sub(MAX_OF_A_CODE);
            if unlisted > 0 {
                out += &format!("<p>{unlisted} more are in the JSON form of this report</p>");
            }
            out += "</details>";
        }
        out += "</div></li>\n";
    }
    match out.as_str() {
        "" => String::new(),
        items => format!("<ul class=\"notes\">\n{items}</ul>\n"),
    }
}

/// Returns the mark of a state.
pub(super) fn sign(state: CardState) -> &'static str {
    match state {
        CardState::Good => "✓",
        CardState::Attention => "!",
        CardState::Bad => "✗",
        CardState::Plain => "",
    }
}

/// Returns a path as a relative URL. All characters that could start a scheme, host, query or
/// fragment are escaped.
pub(crate) fn relative(path: &str) -> String {
    let mut out = String::from("./");
    let path = path.strip_prefix("./").unwrap_or(path);
    for byte in path.trim_start_matches('/').bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            other => out += &format!("%{other:02X}"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stays_beside_the_page() {
        assert_eq!(relative("mix.wav"), "./mix.wav");
        assert_eq!(relative("../a b/é#1?.wav"), "./../a%20b/%C3%A9%231%3F.wav");
        assert_eq!(
            relative("javascript:alert(1)"),
            "./javascript%3Aalert%281%29"
        );
        assert_eq!(relative("//host/x.wav"), "./host/x.wav");
    }
}
