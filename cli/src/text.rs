//! Formats text, numbers and times for people.

use soundtrack::{Frames, SampleRate};

/// Returns text with escapes in place of characters that would move the cursor or break the line.
pub fn printable(text: &str) -> String {
    escape(text, |_| false)
}

/// Returns text of several lines with escapes in place of characters that would move the cursor.
pub fn printable_lines(text: &str) -> String {
    escape(text, |c| matches!(c, '\n' | '\t'))
}

fn escape(text: &str, is_kept: impl Fn(char) -> bool) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && !is_kept(c) {
                c.escape_default().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}

/// Returns a number with its noun: `1 file`, `3 files`.
pub fn counted(number: u64, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}

/// Returns a position as a clock: `00:00:10.000`. A rate that no session can have gives frames instead.
pub fn clock(frame: u64, rate_hz: u32) -> String {
    match SampleRate::new(rate_hz) {
        Ok(rate) => Frames(frame).clock(rate),
        Err(_) => counted(frame, "frame"),
    }
}
