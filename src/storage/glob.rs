//! Names by pattern: a star stands for anything, a question mark for one letter.

/// Reports whether the name of a file fits a pattern. Case counts in the name, but not in its extension: recorders and
/// other systems write `SNARE.WAV`, which `*.wav` means too.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let of_file = |pattern: &str, name: &str| {
        let (pattern, ending) = pattern.rsplit_once('.')?;
        let (name, extension) = name.rsplit_once('.')?;
        let endings = (ending.to_ascii_lowercase(), extension.to_ascii_lowercase());
        Some(fits_whole(pattern, name) && fits_whole(&endings.0, &endings.1))
    };
    fits_whole(pattern, name) || of_file(pattern, name).unwrap_or(false)
}

/// Reports whether a text fits a pattern.
fn fits_whole(pattern: &str, name: &str) -> bool {
    matches(
        &pattern.chars().collect::<Vec<_>>(),
        &name.chars().collect::<Vec<_>>(),
    )
}

/// Goes back to the last star where a letter does not fit: no pattern takes longer than its length times the name's.
fn matches(pattern: &[char], name: &[char]) -> bool {
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
            assert!(fits(pattern, name), "{pattern} {name}");
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
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
        // Would take for ever if every star were tried with every other.
        assert!(!fits(&"*a".repeat(40), &"a".repeat(30)));
    }
}
