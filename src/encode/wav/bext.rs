//! `bext` chunk of Broadcast WAVE files, version 2 (EBU Tech 3285).

use super::super::metadata::{FileLoudness, Metadata, ascii, ascii_lines, ascii_text};
use waveadapter::Bext;

/// Lengths of the text fields in bytes.
const DESCRIPTION_BYTES: usize = 256;
const ORIGINATOR_BYTES: usize = 32;
/// Value of a loudness field that is not stated.
const ABSENT: i16 = 0x7FFF;
/// Largest absolute value of a loudness field: 99.99.
const MAX_HUNDREDTHS: f64 = 9_999.0;

/// Returns the body of the chunk. `history` describes how the audio of the file is coded.
pub(super) fn body(metadata: &Metadata, loudness: &FileLoudness, history: &str) -> Vec<u8> {
    let bext = Bext {
        description: ascii_text(&metadata.description, DESCRIPTION_BYTES),
        originator: ascii(&metadata.originator, ORIGINATOR_BYTES),
        originator_reference: ascii(&metadata.reference, ORIGINATOR_BYTES),
        origination_date: full_date(&metadata.date).unwrap_or_default().to_owned(),
        time_reference: metadata.time_reference.unwrap_or_default().0,
        version: 2,
        loudness_value: hundredths(loudness.integrated),
        loudness_range: hundredths(loudness.range),
        max_true_peak_level: hundredths(loudness.true_peak),
        max_momentary_loudness: hundredths(loudness.momentary),
        max_short_term_loudness: hundredths(loudness.short_term),
        coding_history: ascii_lines(&metadata.coding_history) + history,
        ..Bext::default()
    };
    let mut body = bext.to_bytes();
    if !body.len().is_multiple_of(2) {
        body.push(0);
    }
    body
}

/// Returns true if the metadata states something that only this chunk holds.
pub(super) fn is_needed(metadata: &Metadata) -> bool {
    metadata.time_reference.is_some()
        || [
            &metadata.description,
            &metadata.originator,
            &metadata.reference,
            &metadata.coding_history,
        ]
        .iter()
        .any(|text| !text.is_empty())
}

/// Returns a date if it is whole: `yyyy-mm-dd`.
fn full_date(date: &str) -> Option<&str> {
    let is_digit = |(at, c): (usize, char)| match at {
        4 | 7 => c == '-',
        _ => c.is_ascii_digit(),
    };
    (date.len() == 10 && date.char_indices().all(is_digit)).then_some(date)
}

/// Returns a level in hundredths, rounded half away from zero.
fn hundredths(level: Option<f64>) -> i16 {
    let Some(level) = level.map(|level| (100.0 * level).round()) else {
        return ABSENT;
    };
    if level.is_nan() || level.abs() > MAX_HUNDREDTHS {
        return ABSENT;
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked above")]
    let value = level as i16;
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Frames;

    /// Fields of the chunk and their offsets: EBU Tech 3285, 2.4.
    #[test]
    fn every_field_is_where_the_standard_puts_it() {
        let metadata = Metadata {
            description: "scene\r\ntwo é".into(),
            originator: "o".repeat(40),
            reference: "ref".into(),
            date: "2026-11-27".into(),
            time_reference: Some(Frames((5 << 32) + 6)),
            coding_history: "A=ANALOGUE\n\n".into(),
            ..Metadata::default()
        };
        let loudness = FileLoudness {
            integrated: Some(-23.0),
            range: Some(7.5),
            true_peak: Some(-1.25),
            momentary: None,
            short_term: Some(-20.0),
            album: None,
        };
        let body = body(&metadata, &loudness, "A=PCM\r\n");
        let text = |from: usize, bytes: usize| {
            let field = &body[from..from + bytes];
            let end = field.iter().position(|b| *b == 0).unwrap_or(bytes);
            String::from_utf8(field[..end].to_vec()).unwrap()
        };
        assert_eq!(text(0, 256), "scene\r\ntwo ?");
        assert_eq!(text(256, 32), "o".repeat(32));
        assert_eq!(text(288, 32), "ref");
        assert_eq!(
            (text(320, 10).as_str(), text(330, 8).as_str()),
            ("2026-11-27", "")
        );
        assert_eq!(body[338..346], [6, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(body[346..348], [2, 0]);
        let level = |at: usize| i16::from_le_bytes([body[at], body[at + 1]]);
        let levels = [412, 414, 416, 418, 420].map(level);
        assert_eq!(levels, [-2300, 750, -125, ABSENT, -2000]);
        assert_eq!(body[602..], *b"A=ANALOGUE\r\nA=PCM\r\n\0");
    }

    #[test]
    fn each_field_that_only_this_chunk_holds_needs_it() {
        let dated = |change: fn(&mut Metadata)| {
            let mut metadata = Metadata {
                date: "2026-11-27".into(),
                ..Metadata::default()
            };
            change(&mut metadata);
            is_needed(&metadata)
        };
        assert!(!dated(|_| {}));
        assert!(dated(|m| m.time_reference = Some(Frames(0))));
        assert!(dated(|m| m.description = "a".into()));
        assert!(dated(|m| m.originator = "a".into()));
        assert!(dated(|m| m.reference = "a".into()));
        assert!(dated(|m| m.coding_history = "a".into()));
    }

    #[test]
    fn levels_are_rounded_to_hundredths_or_absent() {
        for (level, value) in [
            (Some(-23.0), -2300),
            (Some(-23.004), -2300),
            (Some(-23.006), -2301),
            (Some(1.5), 150),
            (Some(99.99), 9999),
            (Some(-100.0), ABSENT),
            (Some(f64::NEG_INFINITY), ABSENT),
            (Some(f64::NAN), ABSENT),
            (None, ABSENT),
        ] {
            assert_eq!(hundredths(level), value, "{level:?}");
        }
    }

    #[test]
    fn only_a_whole_date_is_stated() {
        for (date, whole) in [
            ("2026-11-27", true),
            ("2026", false),
            ("2026/11/27", false),
            ("2026-11-2é", false),
            ("", false),
        ] {
            assert_eq!(full_date(date).is_some(), whole, "{date}");
        }
    }
}
