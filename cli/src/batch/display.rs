//! Prints the outcomes of a run: lines for people on a terminal, with the time left; JSON elsewhere.

use super::outcome::{Outcome, Status};
use crate::{
    messages::Messages,
    stdout,
    text::{padded, printable},
};
use serde_json::Value;
use std::{
    io::{self, IsTerminal as _},
    time::{Duration, Instant},
};

/// Columns of an item's id; a longer one loses its middle.
const ID_COLUMNS: usize = 28;

/// Prints outcomes in the form that their reader needs.
pub struct RunDisplay {
    messages: Messages,
    /// Set for people: the number of items of the shard.
    items: Option<u64>,
    start: Instant,
    seen: u64,
    /// Items that took the time of a render.
    rendered: u64,
}

impl RunDisplay {
    /// Starts a display of a shard. `count` returns its number of items, which only people are shown.
    ///
    /// # Errors
    /// Passes on the errors of `count`.
    pub fn start(
        is_json: bool,
        messages: Messages,
        count: impl FnOnce() -> soundtrack::Result<u64>,
    ) -> soundtrack::Result<Self> {
        let is_for_people = !is_json && io::stdout().is_terminal();
        Ok(Self {
            messages,
            items: is_for_people.then(count).transpose()?,
            start: Instant::now(),
            seen: 0,
            rendered: 0,
        })
    }

    /// Prints the outcome of an item.
    pub fn show(&mut self, id: Option<&str>, index: u64, outcome: &Outcome) {
        self.seen += 1;
        self.rendered += u64::from(outcome.status != Status::Skipped);
        let Some(items) = self.items else {
            // Markers hold the outcomes too.
            stdout::print_if_read(&outcome.to_json_line(id, index));
            return;
        };
        let name = id.map_or_else(|| format!("line {}", index + 1), printable);
        if outcome.status == Status::Failed {
            let text = outcome.fields.get("what").and_then(Value::as_str);
            let text = format!("{name}: {}", text.unwrap_or("failed"));
            self.messages.error(&text, "item");
        }
        let elapsed = self.start.elapsed();
        stdout::print_if_read(&self.line(&name, items, outcome, elapsed));
    }

    /// Formats an outcome: `  3 of 40  e01.de  done  0:42.0  -23.0 LUFS  -1.2 dBTP  2 min left`.
    fn line(&self, name: &str, items: u64, outcome: &Outcome, elapsed: Duration) -> String {
        let digits = items.to_string().len();
        let status = match (outcome.status, outcome.code) {
            (Status::Done, 0) => "done",
            (Status::Done, _) => "check failed",
            (Status::Skipped, _) => "was done",
            (Status::Failed, _) => "FAILED",
            (Status::Dropped, _) => "interrupted",
        };
        let mut line = format!(
            "{:>digits$} of {items}  {}  {status:12}",
            self.seen,
            padded(name, ID_COLUMNS)
        );
        if let Some(figures) = outcome.fields.get("figures") {
            line += &figures_text(figures);
        }
        if let Some(left) = self.time_left(items, elapsed) {
            line += &format!("  {left} left");
        }
        line.trim_end().to_owned()
    }

    /// Returns an estimate of the time left; `None` before the first render has ended and after the last.
    fn time_left(&self, items: u64, elapsed: Duration) -> Option<String> {
        let left = items.saturating_sub(self.seen);
        if left == 0 || self.rendered == 0 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = elapsed.as_secs_f64() / self.rendered as f64 * left as f64;
        Some(crate::text::rough_time(seconds))
    }
}

/// Formats the figures of an item that people compare.
fn figures_text(figures: &Value) -> String {
    let number = |key: &str| figures.get(key).and_then(Value::as_f64);
    let mut text = String::new();
    if let Some(seconds) = number("duration_s") {
        text += &format!("  {seconds:>7.1} s");
    }
    if let Some(loudness) = number("integrated_lufs") {
        text += &format!("  {loudness:>5.1} LUFS");
    }
    if let Some(peak) = number("true_peak_dbtp") {
        text += &format!("  {peak:>+5.1} dBTP");
    }
    for (key, noun) in [
        ("clipped_samples", "clipped sample"),
        ("warnings", "warning"),
    ] {
        let count = figures.get(key).and_then(Value::as_u64).unwrap_or(0);
        if count > 0 {
            text += &format!("  {}", crate::text::counted(count, noun));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_says_what_people_want_and_the_time_left() {
        let mut display = RunDisplay {
            messages: Messages::default(),
            items: Some(40),
            start: Instant::now(),
            seen: 3,
            rendered: 2,
        };
        let done = Outcome {
            status: Status::Done,
            code: 0,
            fields: json!({ "figures": {
                "duration_s": 42.0, "integrated_lufs": -23.04, "true_peak_dbtp": -1.2,
                "clipped_samples": 0, "warnings": 2
            } }),
        };
        // 37 items at 5 s each.
        assert_eq!(
            display.line("e01.de", 40, &done, Duration::from_secs(10)),
            " 3 of 40  e01.de                        done             42.0 s  -23.0 LUFS   -1.2 dBTP  2 warnings  3 min left"
        );
        display.seen = 40;
        let failed = Outcome {
            status: Status::Failed,
            code: 4,
            fields: json!({ "what": "no such file" }),
        };
        assert_eq!(
            display.line(
                "a very long id of an item of the list",
                40,
                &failed,
                Duration::from_secs(10)
            ),
            "40 of 40  a very long id…m of the list  FAILED"
        );
    }
}
