//! Builds the HTML page around the picture: player, moving cursor, and values under the pointer.

use super::{DrawnReport, PAGE, STYLE, draw, svg::escaped};
use crate::report::Report;

const PAGE_STYLE: &str = include_str!("page.css");
const PROGRAM: &str = include_str!("page.js");

/// Returns a page of one or several reports, each with the path of its audio relative to the page.
pub(super) fn page(reports: &[(&Report, Option<&str>)]) -> String {
    let drawn = drawn(reports);
    let title = drawn.first().map_or("A mix", |(d, _)| d.title.as_str());
    page_of(title, "", &drawn)
}

/// Returns a page with a title and an introduction in HTML before the reports.
pub(super) fn page_with(
    title: &str,
    introduction: &str,
    reports: &[(&Report, Option<&str>)],
) -> String {
    page_of(title, introduction, &drawn(reports))
}

fn drawn<'a>(reports: &[(&Report, Option<&'a str>)]) -> Vec<(DrawnReport, Option<&'a str>)> {
    let reports = reports.iter();
    reports
        .map(|(report, audio)| (draw(report), *audio))
        .collect()
}

fn page_of(title: &str, introduction: &str, drawn: &[(DrawnReport, Option<&str>)]) -> String {
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n\
         <style>\n{STYLE}{PAGE_STYLE}</style>\n</head>\n<body>\n",
        escaped(title)
    );
    out += introduction;
    for (page, audio) in drawn {
        out += &section(page, *audio);
    }
    out + &format!("<script>\n{PROGRAM}</script>\n</body>\n</html>\n")
}

fn section(page: &DrawnReport, audio: Option<&str>) -> String {
    let height = page.height;
    let player = audio.map_or(String::new(), |path| {
        let source = escaped(&relative(path));
        format!(
            "<div class=\"player\"><audio controls preload=\"metadata\" src=\"{source}\"></audio>\
             <output class=\"now\"></output>\
             <span class=\"lost\" hidden>This browser cannot play the audio, or it is not beside this page.</span></div>\n"
        )
    });
    format!(
        "<section class=\"report\">\n<div class=\"sheet\">\n\
         <svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {PAGE} {height}\" data-bottom=\"{}\" role=\"img\" aria-label=\"{}\">\n\
         <rect class=\"page\" width=\"{PAGE}\" height=\"{height}\"/>\n{}\
         <path class=\"pointer\" d=\"\"/><path class=\"cursor\" d=\"\"/></svg>\n\
         <div class=\"reading\" hidden></div>\n</div>\n{player}\
         <script type=\"application/json\">{}</script>\n</section>\n",
        super::svg::number(page.bottom),
        escaped(&page.title),
        page.body,
        page.hover.to_script()
    )
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
