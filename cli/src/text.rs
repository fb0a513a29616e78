//! Formats text, numbers and times for people.

use soundtrack::{Frames, SampleRate};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

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

/// Returns a duration as a rough estimate: `3 s`, `2 min`, `1.5 h`.
pub fn rough_time(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// Returns a position as a clock: `00:00:10.000`. A rate that no session can have gives frames instead.
pub fn clock(frame: u64, rate_hz: u32) -> String {
    match SampleRate::new(rate_hz) {
        Ok(rate) => Frames(frame).clock(rate),
        Err(_) => counted(frame, "frame"),
    }
}

/// Returns the number of terminal cells that text takes: two for a CJK character, none for a combining mark.
pub fn cells(text: &str) -> usize {
    text.width()
}

/// Returns text that takes at most this many terminal cells: a longer one loses its middle, `violins…divisi`.
pub fn shortened(text: &str, width: usize) -> String {
    let text = printable(text);
    if cells(&text) <= width {
        return text;
    }
    let Some(kept) = width.checked_sub(1) else {
        return String::new();
    };
    // The end often tells names apart ("take 1", "take 2"), so it keeps half.
    let start = taken(text.chars(), kept.div_ceil(2));
    let mut end: Vec<char> = taken(text.chars().rev(), kept / 2).chars().collect();
    end.reverse();
    format!("{start}…{}", end.into_iter().collect::<String>())
}

/// Returns the first characters that together take at most this many cells.
fn taken(text: impl Iterator<Item = char>, width: usize) -> String {
    let mut left = width;
    text.take_while(|c| {
        let fits = c.width().unwrap_or(0) <= left;
        left = left.saturating_sub(c.width().unwrap_or(0));
        fits
    })
    .collect()
}

/// Returns text filled with spaces, or shortened, to this many terminal cells.
pub fn padded(text: &str, width: usize) -> String {
    let text = shortened(text, width);
    let missing = width.saturating_sub(cells(&text));
    text + &" ".repeat(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shortened("violins", 7), "violins");
        assert_eq!(shortened("violins 1 divisi", 9), "viol…visi");
        assert_eq!(shortened("violins 1 divisi", 8), "viol…isi");
        assert_eq!(shortened("ドラムセット", 12), "ドラムセット");
        // Seven cells would cut a character of two in half, so one stays empty.
        assert_eq!(shortened("ドラムセット", 7), "ド…ト");
        assert_eq!(
            (shortened("ab", 1), shortened("ab", 0)),
            ("…".into(), String::new())
        );
        assert_eq!(cells(&padded("ドラムセット", 7)), 7);
        assert_eq!(shortened("a\u{1b}b", 20), "a\\u{1b}b");
    }
}
