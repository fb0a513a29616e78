//! Refuses a text that would take too much memory as a tree, before anything is read into memory.
//!
//! Judged by punctuation alone: each mark stands for what it may cost when it is read, right or wrong. A film with five
//! thousand clips written out comes to half of what is allowed.

/// What the tree of a session file may cost, in bytes.
const MOST: usize = 40 << 20;

/// Where a text comes to hold too much.
pub(super) fn overfull(text: &str) -> Option<usize> {
    let (mut cost, mut before, mut gap) = (0usize, b'\n', false);
    text.bytes().position(|b| {
        if matches!(b, b' ' | b'\t') {
            gap = true;
            return false;
        }
        // Two words with nothing but space between them, which no value has.
        let words = gap && !mark(before) && !mark(b);
        cost += price(b) + if words { 100 } else { 0 };
        (before, gap) = (b, false);
        cost > MOST
    })
}

fn mark(b: u8) -> bool {
    matches!(b, b'=' | b',' | b':' | b'[' | b']' | b'{' | b'}' | b'#' | b'\n')
}

fn price(b: u8) -> usize {
    match b {
        b'[' => 900,
        b'{' => 600,
        b'=' | b',' | b'\\' => 200,
        b'\r' => 250,
        b':' => 100,
        b'.' => 110,
        b'\n' | b']' | b'}' => 50,
        b'"' | b'\'' => 30,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_film_is_let_through_and_a_flood_is_not() {
        let clip =
            "hit = { file = \"brass.wav\", at = \"8s\", from = \"1m02s\", length = \"2s\", fade_out = \"200ms\" }\n";
        assert_eq!(overfull(&clip.repeat(10_000)), None);
        for flood in ["[", "a=1\n", "1,", "\r", "\\q", "\"\" ", "a ", "]", "a.", "[[a]]\n"] {
            assert!(overfull(&flood.repeat((4 << 20) / flood.len())).is_some(), "{flood:?}");
        }
    }
}
