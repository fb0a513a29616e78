//! Matches file names against patterns: `*` stands for any characters, `?` for one.

/// Returns true if a file name matches a pattern.
///
/// Matching is case-sensitive, except in the extension: recorders and other systems write
/// `SNARE.WAV`, which `*.wav` includes.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    if matches_text(pattern, name) {
        return true;
    }
    match (pattern.rsplit_once('.'), name.rsplit_once('.')) {
        (Some((pattern, pattern_extension)), Some((name, extension))) => {
            let pattern_extension = pattern_extension.to_ascii_lowercase();
            let extension = extension.to_ascii_lowercase();
            matches_text(pattern, name) && matches_text(&pattern_extension, &extension)
        }
        _ => false,
    }
}

/// Returns true if a text matches a pattern.
fn matches_text(pattern: &str, name: &str) -> bool {
    matches_chars(
        &pattern.chars().collect::<Vec<_>>(),
        &name.chars().collect::<Vec<_>>(),
    )
}

/// Backtracks to the last star only, so the time is bounded by the product of the lengths.
fn matches_chars(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == name.get(n) => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, n) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, name) in [
            ("*.wav", "a.wav"),
            ("*", ""),
            ("a?c*", "abc"),
            ("*b*b", "abab"),
            ("é*", "é.wav"),
            ("", ""),
            ("a*c*e", "abcde"),
            ("a*", "a"),
            ("*.wav", "SNARE.WAV"),
            ("*.WAV", "a.wav"),
            ("dx_?.W?v", "dx_1.wAV"),
            ("*.*", "a.b.C"),
            ("a.b.wav", "a.b.WAV"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("*.wav", "a.wave"),
            ("?", ""),
            ("a?c", "ac"),
            ("*b", "ba"),
            ("", "a"),
            ("a", "A"),
            ("a*b*b", "ab"),
            ("a*", "ba"),
            ("ab*ba", "aba"),
            ("snare.wav", "SNARE.WAV"),
            ("a.b.wav", "a.B.WAV"),
            ("*.wav", "wav"),
            ("*wav", "a.WAV"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        // Would take for ever if every star were tried with every other.
        assert!(!matches(&"*a".repeat(40), &"a".repeat(30)));
    }
}
