//! Limits the memory for parsing a session file, by an estimate made before it is parsed.
//!
//! The size of a file does not bound that memory: 4 MB of opening brackets would parse to gigabytes. The estimate
//! adds up, for each punctuation mark, the bytes that the syntax tree or an error message may take because of it. A film with
//! five thousand clips written out comes to half of the limit.

/// Limit of the estimate in bytes.
const MAX_TREE_BYTES: usize = 40 << 20;

/// Returns the position of the byte at which the estimate for a text exceeds the limit; `None` for a text within it.
pub(super) fn exceeded_at(text: &str) -> Option<usize> {
    let (mut estimate, mut previous, mut after_space) = (0usize, b'\n', false);
    text.bytes().position(|b| {
        if matches!(b, b' ' | b'\t') {
            after_space = true;
            return false;
        }
        // Two words with only a space between them are an error, and its message takes memory.
        let missing_mark = after_space && !is_mark(previous) && !is_mark(b);
        estimate += bytes_for(b) + if missing_mark { 100 } else { 0 };
        (previous, after_space) = (b, false);
        estimate > MAX_TREE_BYTES
    })
}

/// Returns true for a byte that separates words.
fn is_mark(b: u8) -> bool {
    matches!(
        b,
        b'=' | b',' | b':' | b'[' | b']' | b'{' | b'}' | b'#' | b'\n'
    )
}

/// Returns the most bytes that parsing one punctuation mark may take, where it is valid and where it is an error.
fn bytes_for(mark: u8) -> usize {
    match mark {
        b'[' => 2100,
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
