//! Matches names with `*` for any text and `?` for any character.

/// Returns whether text contains `*` or `?`.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Returns whether a whole name matches a pattern.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    matches_chars(&pattern, &name)
}

fn matches_chars(pattern: &[char], name: &[char]) -> bool {
    // `reached[n]` says whether the pattern so far matches the first `n` characters: no pattern takes exponential time.
    let mut reached = vec![false; name.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for symbol in pattern {
        let mut next = vec![false; name.len() + 1];
        if *symbol == '*' {
            let mut is_open = false;
            for (to, from) in next.iter_mut().zip(&reached) {
                is_open |= *from;
                *to = is_open;
            }
        } else {
            let steps = next.iter_mut().skip(1).zip(reached.iter().zip(name));
            for (to, (from, c)) in steps {
                *to = *from && (*symbol == '?' || symbol == c);
            }
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match() {
        for (pattern, name, want) in [
            ("*", "", true),
            ("*.wav", "kick.wav", true),
            ("*.wav", "kick.flac", false),
            ("d*m?", "drums", true),
            ("d*m?", "drum", false),
            ("kick", "kick", true),
            ("?", "\u{e9}", true),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, name), want, "{pattern} {name}");
        }
        assert!(!matches(&"*a".repeat(40), &"a".repeat(39)));
    }
}
