//! Parses the level and the pan after the name of a stem: `bass.flac@-2:L20`.

use soundtrack::{Decibels, Pan};
use std::ffi::{OsStr, OsString};

/// Splits an argument at its last `@` into a name and a suffix. Returns `None` without `@`, without a name before it, and
/// for a suffix that is not UTF-8.
pub fn split(argument: &OsStr) -> Option<(OsString, String)> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let bytes = argument.as_bytes();
        let at = bytes.iter().rposition(|b| *b == b'@')?;
        let (name, rest) = bytes.split_at_checked(at)?;
        let suffix = std::str::from_utf8(rest.get(1..)?).ok()?;
        (!name.is_empty()).then(|| (OsStr::from_bytes(name).to_owned(), suffix.to_owned()))
    }
    #[cfg(not(unix))]
    {
        let (name, suffix) = argument.to_str()?.rsplit_once('@')?;
        (!name.is_empty()).then(|| (name.into(), suffix.to_owned()))
    }
}

/// Parses a suffix: a level in dB, `-2`, or a level and a pan, `-2:L20`.
///
/// # Errors
/// A sentence for anything else.
pub fn parse(suffix: &str) -> Result<(Decibels, Pan), String> {
    let (level, pan) = suffix.split_once(':').unwrap_or((suffix, "C"));
    let level = level
        .parse()
        .map_err(|e: soundtrack::NotANumber| e.to_string())?;
    let pan = pan
        .parse()
        .map_err(|e: soundtrack::NotANumber| e.to_string())?;
    Ok((level, pan))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_at_sign_counts() {
        let parts = |text: &str| split(OsStr::new(text));
        assert_eq!(
            parts("a@b.wav@-3:L20"),
            Some(("a@b.wav".into(), "-3:L20".into()))
        );
        assert_eq!((parts("a.wav"), parts("@-3")), (None, None));
    }

    #[test]
    fn a_level_and_a_pan() {
        assert_eq!(parse("-3"), Ok((Decibels(-3.0), Pan(0.0))));
        assert_eq!(parse("+1.5dB:R100"), Ok((Decibels(1.5), Pan(1.0))));
        assert_eq!(parse("-inf:-0.5"), Ok((Decibels::SILENCE, Pan(-0.5))));
        for bad in ["", "x", "-3:", "-3:X", "nan", ":L20", "2.wav"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
