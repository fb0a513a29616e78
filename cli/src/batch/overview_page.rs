//! Writes the overview of a list as a page: a table with a row for each item, what went wrong first.

use serde_json::{Map, Value};
use soundtrack::{Error, Result, report::escaped, storage::AtomicFile};
use std::{io::Write as _, path::Path};

const STYLE: &str = include_str!("overview_page.css");

/// Columns of the table: heading, key of the figure, digits after the point.
const COLUMNS: [(&str, &str, usize); 7] = [
    ("length s", "duration_s", 1),
    ("LUFS", "integrated_lufs", 1),
    ("dBTP", "true_peak_dbtp", 1),
    ("clipped", "clipped_samples", 0),
    ("warnings", "warnings", 0),
    ("files", "files", 0),
    ("took s", "wall_s", 1),
];

/// State of an item; those that need somebody come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ItemState {
    Missing,
    CheckFailed,
    Attention,
    Done,
}

/// Rows of the page while the items are read.
#[derive(Debug, Default)]
pub struct OverviewPage {
    rows: Vec<(ItemState, u64, String)>,
}

impl OverviewPage {
    /// Adds an item with its figures, and with the message of a failed check.
    pub fn add_done(
        &mut self,
        id: &str,
        index: u64,
        what: Option<&str>,
        figures: &Map<String, Value>,
    ) {
        let count = |key: &str| figures.get(key).and_then(Value::as_u64).unwrap_or(0);
        let state = match what {
            Some(_) => ItemState::CheckFailed,
            None if count("clipped_samples") + count("warnings") > 0 => ItemState::Attention,
            None => ItemState::Done,
        };
        let mut row = format!("<td>{}{}</td>", escaped(id), note(what));
        for (_, key, digits) in COLUMNS {
            let cell = figures.get(key).and_then(Value::as_f64);
            let cell = cell.map_or("\u{2013}".to_owned(), |value| format!("{value:.digits$}"));
            row += &format!("<td class=\"n\">{cell}</td>");
        }
        self.rows.push((state, index, row));
    }

    /// Adds an item that is missing, with the reason.
    pub fn add_missing(&mut self, id: Option<&str>, index: u64, reason: &str) {
        let name = id.map_or_else(|| format!("line {}", index + 1), str::to_owned);
        let mut row = format!("<td>{}{}</td>", escaped(&name), note(Some(reason)));
        row += &"<td></td>".repeat(COLUMNS.len());
        self.rows.push((ItemState::Missing, index, row));
    }

    /// Writes the page.
    ///
    /// # Errors
    /// `Output` if the file exists and `overwrite` is false, or if it cannot be written.
    pub fn write(mut self, path: &Path, overwrite: bool) -> Result<()> {
        self.rows.sort_by_key(|(state, index, _)| (*state, *index));
        let text = self.to_html();
        let mut file = AtomicFile::create(path, overwrite)?;
        file.write_all(text.as_bytes()).map_err(|e| {
            let text = format!("{}: cannot be written: {e}", path.display());
            Error::new(soundtrack::ErrorKind::Output, text).because(e)
        })?;
        file.finish().map(|_| ())
    }

    fn to_html(&self) -> String {
        let count = |state| self.rows.iter().filter(|(of, ..)| *of == state).count();
        let mut out = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{0} items</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{0} items</h1>\n\
             <p>{1} missing, {2} with a failed check, {3} with warnings, {4} done</p>\n\
             <div class=\"scroll\"><table>\n<tr><th></th><th>item</th>",
            self.rows.len(),
            count(ItemState::Missing),
            count(ItemState::CheckFailed),
            count(ItemState::Attention),
            count(ItemState::Done)
        );
        for (heading, ..) in COLUMNS {
            out += &format!("<th class=\"n\">{heading}</th>");
        }
        out += "</tr>\n";
        for (state, _, row) in &self.rows {
            let (class, sign) = match state {
                ItemState::Missing => ("bad", "missing"),
                ItemState::CheckFailed => ("bad", "\u{2717}"),
                ItemState::Attention => ("care", "!"),
                ItemState::Done => ("good", "\u{2713}"),
            };
            out += &format!("<tr class=\"{class}\"><td>{sign}</td>{row}</tr>\n");
        }
        out + "</table></div>\n</body>\n</html>\n"
    }
}

fn note(what: Option<&str>) -> String {
    what.map_or(String::new(), |what| {
        format!("<small>{}</small>", escaped(what))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_went_wrong_comes_first_and_no_name_is_markup() {
        let figures = |warnings: u64| {
            let value =
                json!({ "integrated_lufs": -23.04, "warnings": warnings, "duration_s": 2.0 });
            value.as_object().unwrap().clone()
        };
        let mut page = OverviewPage::default();
        page.add_done("fine", 0, None, &figures(0));
        page.add_done("<b>", 1, None, &figures(3));
        page.add_missing(None, 2, "not done");
        page.add_done("quiet", 3, Some("the loudness is off"), &figures(0));
        page.rows.sort_by_key(|(state, index, _)| (*state, *index));
        let html = page.to_html();
        let at = |text: &str| {
            html.find(text)
                .unwrap_or_else(|| panic!("{text} in {html}"))
        };
        assert!(at("line 3<small>not done") < at("quiet<small>"));
        assert!(at("quiet<small>") < at("&lt;b&gt;") && at("&lt;b&gt;") < at("<td>fine</td>"));
        assert!(html.contains("1 missing, 1 with a failed check, 1 with warnings, 1 done"));
        assert!(html.contains("<td class=\"n\">-23.0</td>"));
    }
}
