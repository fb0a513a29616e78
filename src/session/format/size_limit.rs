//! Refuses a text whose tree would take too much memory, before it is parsed.
//!
//! The estimate counts punctuation alone: each mark has the cost that it may have when it is parsed, valid or not. A film
//! with five thousand clips written out comes to half of the limit.

/// Limit of the estimated size of the tree, in bytes.
const MAX_TREE_BYTES: usize = 40 << 20;

/// Returns the byte position at which a text exceeds the limit.
pub(super) fn exceeded_at(text: &str) -> Option<usize> {
    let (mut cost, mut before, mut gap) = (0usize, b'\n', false);
    text.bytes().position(|b| {
        if matches!(b, b' ' | b'\t') {
            gap = true;
            return false;
        }
        // Two words with only a space between them are an error, which costs a message.
        let words = gap && !is_mark(before) && !is_mark(b);
        cost += cost_of(b) + if words { 100 } else { 0 };
        (before, gap) = (b, false);
        cost > MAX_TREE_BYTES
    })
}

fn is_mark(b: u8) -> bool {
    matches!(
        b,
        b'=' | b',' | b':' | b'[' | b']' | b'{' | b'}' | b'#' | b'\n'
    )
}

fn cost_of(b: u8) -> usize {
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
        let clip = "hit = { file = \"brass.wav\", at = \"8s\", from = \"1m02s\", length = \"2s\", fade_out = \"200ms\" }\n";
        assert_eq!(exceeded_at(&clip.repeat(10_000)), None);
        for flood in [
            "[", "a=1\n", "1,", "\r", "\\q", "\"\" ", "a ", "]", "a.", "[[a]]\n",
        ] {
            assert!(
                exceeded_at(&flood.repeat((4 << 20) / flood.len())).is_some(),
                "{flood:?}"
            );
        }
    }
}
