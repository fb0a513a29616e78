//! Checks of the codes and texts of a release: ISRC, barcode, date, names.

use super::{Session, source_text::KeySpans};
use crate::error::Subject;

/// Maximum number of characters of a name.
const MAX_CHARS: usize = 1000;

/// Problem of a text: the object that states it, its keys and what is wrong.
pub(super) struct TextProblem<'s> {
    pub subject: Subject,
    pub written: &'s KeySpans,
    pub key: &'static str,
    pub what: String,
}

/// Returns the problems of the album and of the release data of all cues.
pub(super) fn problems(session: &Session) -> Vec<TextProblem<'_>> {
    let mut found = Vec::new();
    let album = &session.album;
    let mut report = |subject: &Subject, written, key, what: Result<(), String>| {
        found.extend(what.err().map(|what| TextProblem {
            subject: subject.clone(),
            written,
            key,
            what: format!("{key}: {what}"),
        }));
    };
    let subject = Subject::Album;
    for (key, text) in [
        ("title", &album.title),
        ("artist", &album.artist),
        ("label", &album.label),
    ] {
        report(&subject, &album.written, key, check_text(text));
    }
    report(&subject, &album.written, "date", check_date(&album.date));
    report(&subject, &album.written, "upc", check_barcode(&album.upc));
    for cue in session.cues() {
        let subject = Subject::Cue {
            name: cue.name.clone(),
            placement: None,
            file: None,
        };
        report(&subject, &cue.written, "artist", check_text(&cue.artist));
        for (key, texts) in [("composer", &cue.composer), ("publisher", &cue.publisher)] {
            let checked = texts.iter().try_for_each(|text| check_text(text));
            report(&subject, &cue.written, key, checked);
        }
        report(&subject, &cue.written, "isrc", check_isrc(&cue.isrc));
    }
    found
}

/// Refuses texts that would break the lines or fields of metadata.
fn check_text(text: &str) -> Result<(), String> {
    if let Some(c) = text.chars().find(|c| c.is_control()) {
        return Err(format!("holds the control character {c:?}: remove it"));
    }
    let chars = text.chars().count();
    if chars > MAX_CHARS {
        return Err(format!(
            "has {chars} characters, at most {MAX_CHARS} are allowed"
        ));
    }
    Ok(())
}

/// Returns an ISRC without hyphens and spaces, in upper case.
pub(crate) fn compact_isrc(isrc: &str) -> String {
    isrc.chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

/// Checks an ISRC (ISO 3901): two letters of the country, three letters or digits of the registrant,
/// two digits of the year, five digits.
fn check_isrc(isrc: &str) -> Result<(), String> {
    let code = compact_isrc(isrc);
    let is_right = |(at, c): (usize, char)| match at {
        0..2 => c.is_ascii_uppercase(),
        2..5 => c.is_ascii_uppercase() || c.is_ascii_digit(),
        _ => c.is_ascii_digit(),
    };
    if isrc.is_empty() || (code.len() == 12 && code.char_indices().all(is_right)) {
        Ok(())
    } else {
        Err(format!(
            "{isrc:?} is no ISRC: it has 12 characters, like GBABC2600001"
        ))
    }
}

/// Checks a barcode (GS1): 12 to 14 digits, the last of which makes the weighted sum a multiple of 10.
fn check_barcode(code: &str) -> Result<(), String> {
    if code.is_empty() {
        return Ok(());
    }
    let digits: Option<Vec<u32>> = code.chars().map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| (12..=14).contains(&digits.len())) else {
        return Err(format!("{code:?} is no barcode: it has 12 to 14 digits"));
    };
    let weighted = digits.iter().rev().zip([1, 3].into_iter().cycle());
    let sum: u32 = weighted.map(|(digit, weight)| digit * weight).sum();
    if sum.is_multiple_of(10) {
        return Ok(());
    }
    let last = digits.last().copied().unwrap_or_default();
    let right = (last + 10 - sum % 10) % 10;
    Err(format!(
        "{code:?} has a wrong check digit: the last digit would be {right}"
    ))
}

/// Checks a date: `yyyy`, `yyyy-mm` or `yyyy-mm-dd`.
fn check_date(date: &str) -> Result<(), String> {
    let mut parts = date.split('-');
    let mut part = |length: usize, highest: u32| match parts.next() {
        None => true,
        Some(text) => {
            text.len() == length
                && text.bytes().all(|b| b.is_ascii_digit())
                && text.parse().is_ok_and(|n: u32| (1..=highest).contains(&n))
        }
    };
    if date.is_empty() || (part(4, 9999) && part(2, 12) && part(2, 31) && parts.next().is_none()) {
        Ok(())
    } else {
        Err(format!(
            "{date:?} is no date, like 2026, 2026-11 or 2026-11-27"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_dates() {
        for good in ["", "GBABC2600001", "gb-abc-26-00001", "US S1Z 99 00001"] {
            assert_eq!(check_isrc(good), Ok(()), "{good}");
        }
        for bad in [
            "GBABC260000",
            "GBABC26000011",
            "1BABC2600001",
            "GBABC26O0001",
            "ÖBABC2600001",
            "-",
        ] {
            assert!(check_isrc(bad).is_err(), "{bad}");
        }
        for good in [
            "",
            "00602547924032",
            "0602547924032",
            "602547924032",
            "036000291452",
        ] {
            assert_eq!(check_barcode(good), Ok(()), "{good}");
        }
        for bad in [
            "60254792403",
            "602547924033",
            "6025479240 32",
            "000602547924032",
        ] {
            assert!(check_barcode(bad).is_err(), "{bad}");
        }
        assert!(
            check_barcode("602547924033")
                .unwrap_err()
                .ends_with("would be 2")
        );
        for good in ["", "2026", "2026-11", "2026-11-27"] {
            assert_eq!(check_date(good), Ok(()), "{good}");
        }
        for bad in [
            "26",
            "2026-13",
            "2026-00",
            "2026-11-32",
            "2026-11-27-1",
            "2026-1-1",
            "today",
            "2026-",
            "+026",
        ] {
            assert!(check_date(bad).is_err(), "{bad}");
        }
        assert!(check_text("a\nb").is_err() && check_text(&"x".repeat(1001)).is_err());
        assert!(check_text(&"é".repeat(1000)).is_ok());
    }
}
