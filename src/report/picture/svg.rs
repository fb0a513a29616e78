//! Writes SVG elements with short, finite numbers and escaped text.

use std::fmt::Write as _;

/// SVG under construction.
#[derive(Debug, Default)]
pub(super) struct Svg {
    out: String,
}

/// Horizontal anchor of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub(super) fn into_text(self) -> String {
        self.out
    }

    /// Appends markup. The caller guarantees that it is well-formed.
    pub(super) fn raw(&mut self, markup: &str) {
        self.out += markup;
    }

    /// Opens a group with a class. [`close`](Self::close) ends it.
    pub(super) fn group(&mut self, class: &str) {
        let _ = write!(self.out, "<g class=\"{class}\">");
    }

    pub(super) fn close(&mut self) {
        self.out += "</g>\n";
    }

    pub(super) fn rect(&mut self, class: &str, [x, y, width, height]: [f64; 4], radius: f64) {
        let [x, y, width, height] = [x, y, width.max(0.0), height.max(0.0)].map(number);
        let _ = write!(
            self.out,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\""
        );
        if radius > 0.0 {
            let _ = write!(self.out, " rx=\"{}\"", number(radius));
        }
        self.out += "/>";
    }

    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(number);
        let _ = write!(
            self.out,
            "<path class=\"{class}\" d=\"M{x1} {y1}L{x2} {y2}\"/>"
        );
    }

    /// Appends a path unless `data` is empty.
    pub(super) fn path(&mut self, class: &str, data: &str) {
        if !data.is_empty() {
            let _ = write!(self.out, "<path class=\"{class}\" d=\"{data}\"/>");
        }
    }

    /// Appends a text followed by its unit in a smaller font.
    pub(super) fn with_unit(&mut self, class: &str, (x, y): (f64, f64), text: &str, unit: &str) {
        let (x, y, text, unit) = (number(x), number(y), escaped(text), escaped(unit));
        let _ = write!(
            self.out,
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}"
        );
        if !unit.is_empty() {
            let _ = write!(self.out, "<tspan class=\"unit\" dx=\"5\">{unit}</tspan>");
        }
        self.out += "</text>";
    }

    /// Appends a text on its base line. If `fit` shortens the text, the whole text becomes the
    /// tooltip.
    pub(super) fn text(
        &mut self,
        class: &str,
        (x, y): (f64, f64),
        anchor: Anchor,
        text: &str,
        fit: Option<TextFit>,
    ) {
        let shown = fit.map_or_else(|| text.to_owned(), |f| f.shorten(text));
        let (x, y) = (number(x), number(y));
        let _ = write!(self.out, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\"");
        match anchor {
            Anchor::Start => {}
            Anchor::Middle => self.out += " text-anchor=\"middle\"",
            Anchor::End => self.out += " text-anchor=\"end\"",
        }
        let _ = write!(self.out, ">{}", escaped(&shown));
        if shown != text {
            let _ = write!(self.out, "<title>{}</title>", escaped(text));
        }
        self.out += "</text>";
    }
}

/// Width available to a text, and its font size.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextFit {
    pub max_width: f64,
    pub size: f64,
}

impl TextFit {
    /// Returns the text, shortened with an ellipsis if it is too wide.
    pub(super) fn shorten(self, text: &str) -> String {
        if text_width(text, self.size) <= self.max_width {
            return text.to_owned();
        }
        let mut left = self.max_width - text_width("…", self.size);
        let fits = |c: &char| {
            left -= text_width(c.encode_utf8(&mut [0; 4]), self.size);
            left >= 0.0
        };
        let start: String = text.chars().take_while(fits).collect();
        format!("{}…", start.trim_end())
    }

    /// Joins as many leading parts as fit, separated by ` · `; at least the first.
    pub(super) fn parts(self, parts: &[String]) -> String {
        let fits = |n: &usize| {
            text_width(&parts.get(..*n).unwrap_or(parts).join(" · "), self.size) <= self.max_width
        };
        let most = (1..=parts.len()).rev().find(fits).unwrap_or(1);
        parts.get(..most).unwrap_or(parts).join(" · ")
    }

    /// Breaks the text at spaces into lines that fit.
    pub(super) fn lines(self, text: &str) -> Vec<String> {
        let (mut lines, mut line) = (Vec::new(), String::new());
        for word in text.split_whitespace() {
            let longer = if line.is_empty() {
                word.to_owned()
            } else {
                format!("{line} {word}")
            };
            if line.is_empty() || text_width(&longer, self.size) <= self.max_width {
                line = longer;
            } else {
                lines.push(std::mem::replace(&mut line, word.to_owned()));
            }
        }
        lines.push(line);
        lines.iter().map(|l| self.shorten(l)).collect()
    }
}

/// Estimates the width of a text in common sans-serif fonts, rather too wide than too narrow.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let letter = |c: char| match c {
        'i' | 'j' | 'l' | '\'' | '|' | '.' | ',' | ':' | ';' | '!' | '·' => 0.30,
        'f' | 't' | 'r' | ' ' | '(' | ')' | '[' | ']' | '/' | '-' | '"' => 0.40,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '→' => 0.95,
        'A'..='Z' | '−' | '+' | '=' | '<' | '>' | '#' | '&' | '_' => 0.70,
        '\u{1100}'.. => 1.05,
        _ => 0.60,
    };
    size * text.chars().map(letter).sum::<f64>()
}

/// Formats a number with at most two decimals and no superfluous characters.
pub(super) fn number(value: f64) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match text {
        "-0" => "0".to_owned(),
        _ => text.replacen(
            "0.",
            ".",
            usize::from(text.starts_with("0.") || text.starts_with("-0.")),
        ),
    }
}

/// Escapes a text for HTML, SVG and XML, and replaces control characters and those that XML forbids by U+FFFD.
///
/// ```
/// assert_eq!(soundtrack::report::escaped("Drums & \"bass\"\n"), "Drums &amp; &quot;bass&quot;\u{fffd}");
/// ```
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_escaped(&mut out, c));
    out
}

/// Appends a character as [`escaped`] writes it.
pub(crate) fn push_escaped(out: &mut String, c: char) {
    match c {
        '&' => *out += "&amp;",
        '<' => *out += "&lt;",
        '>' => *out += "&gt;",
        '"' => *out += "&quot;",
        '\'' => *out += "&#39;",
        '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
        c if c.is_control() => out.push('\u{fffd}'),
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_finite() {
        let numbers = [
            0.0,
            -0.001,
            0.5,
            -0.25,
            12.0,
            3.456,
            100.0,
            f64::NAN,
            f64::INFINITY,
        ];
        assert_eq!(
            numbers.map(number),
            ["0", "0", ".5", "-.25", "12", "3.46", "100", "0", "0"]
        );
    }

    #[test]
    fn text_is_never_markup() {
        assert_eq!(
            escaped("</text><script>\"&'\u{0}\u{1b}\u{ffff}é"),
            "&lt;/text&gt;&lt;script&gt;&quot;&amp;&#39;���é"
        );
    }

    #[test]
    fn long_text_is_shortened_or_broken() {
        let fit = TextFit {
            max_width: 60.0,
            size: 10.0,
        };
        assert_eq!(fit.shorten("violins"), "violins");
        assert_eq!(fit.shorten("first violins, close"), "first violi…");
        let lines = fit.lines("one two three four fivesixseveneightnine");
        assert_eq!(lines, ["one two", "three four", "fivesixse…"]);
        assert_eq!(fit.lines(""), [""]);
    }
}
