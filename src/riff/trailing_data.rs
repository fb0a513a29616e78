//! Decides whether the data after the stated end of the audio in a WAVE file is more audio.
//!
//! Audio mistaken for other data is lost, and other data mistaken for audio becomes noise. Data is
//! not audio if it consists of chunks with a known name, of chunks of any name up to the end of the
//! file, of tags, of text or of zeros. The work is bounded whatever the length of the file.

use super::walk::chunk_at;
use std::io::{self, Read, Seek, SeekFrom};

/// Zeros up to this length are read completely, in bytes.
const FULL_SCAN_BYTES: u64 = 64 << 20;
/// Number of samples taken of longer data, and bytes per sample.
const SPARSE_SAMPLES: u64 = 4096;
const SAMPLE_BYTES: u64 = 4096;
/// Number of bytes checked for text, and read at a time.
const TEXT_BYTES: u64 = 64 * 1024;

/// Chunks that programs write after the audio. A name in this list counts as a chunk even if its
/// size is wrong.
const KNOWN_CHUNKS: [&[u8; 4]; 34] = [
    b"LIST", b"list", b"id3 ", b"ID3 ", b"bext", b"iXML", b"axml", b"cue ", b"smpl", b"inst",
    b"fact", b"JUNK", b"junk", b"PAD ", b"FLLR", b"plst", b"labl", b"note", b"ltxt", b"levl",
    b"_PMX", b"cart", b"chna", b"umid", b"DISP", b"PEAK", b"afsp", b"acid", b"strc", b"elm1",
    b"minf", b"regn", b"data", b"fmt ",
];

/// Returns true if the data from `end` to the end of the file is audio. `length` is the size of the
/// file.
pub(super) fn is_audio(file: &mut (impl Read + Seek), end: u64, length: u64) -> io::Result<bool> {
    let Some(first) = first_nonzero(file, end, length)? else {
        return Ok(false);
    };
    Ok(!starts_other_data(file, end, length)? && !is_other_data(file, first, length)?)
}

/// Returns true if a chunk, a tag or text starts at `end` or one byte later.
pub(super) fn starts_other_data(
    file: &mut (impl Read + Seek),
    end: u64,
    length: u64,
) -> io::Result<bool> {
    Ok(is_other_data(file, end, length)? || is_other_data(file, end.saturating_add(1), length)?)
}

/// Returns true if data that is known not to be audio starts at a position.
fn is_other_data(file: &mut (impl Read + Seek), start: u64, length: u64) -> io::Result<bool> {
    let mut at = start;
    for _ in 0..1024 {
        let after_chunks = at > start;
        if at.saturating_add(1) >= length {
            return Ok(after_chunks);
        }
        let head = read(file, at, 11)?;
        let id3v1 = head.starts_with(b"TAG") && length - at <= 129;
        if id3v1
            || [&b"ID3"[..], b"APETAGEX", b"LYRICSBEGIN", b"3DI"]
                .iter()
                .any(|tag| head.starts_with(tag))
        {
            return Ok(true);
        }
        if after_chunks && head.iter().all(|b| *b == 0) {
            return Ok(true);
        }
        let Some((id, size)) = chunk_at(file, at)? else {
            break;
        };
        if KNOWN_CHUNKS.contains(&&id) {
            return Ok(true);
        }
        at = at.saturating_add(8 + u64::from(size) + u64::from(size % 2));
        if at > length.saturating_add(1) {
            break;
        }
    }
    Ok(is_text(&read(file, start, TEXT_BYTES)?))
}

fn is_text(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // The last character may be incomplete.
        Err(e) if e.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..e.valid_up_to()).unwrap_or_default())
                .unwrap_or_default()
        }
        Err(_) => return false,
    };
    let text = text.trim_end_matches('\0');
    !text.is_empty() && !text.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\n'))
}

/// Returns the offset of the first non-zero byte; approximate after [`FULL_SCAN_BYTES`] of zeros.
fn first_nonzero(file: &mut (impl Read + Seek), from: u64, length: u64) -> io::Result<Option<u64>> {
    let scanned_end = length.min(from.saturating_add(FULL_SCAN_BYTES));
    let mut at = from;
    while at < scanned_end {
        if let Some(found) = find_nonzero(file, at, (scanned_end - at).min(TEXT_BYTES))? {
            return Ok(Some(found));
        }
        at += TEXT_BYTES;
    }
    let step = (length.saturating_sub(scanned_end) / SPARSE_SAMPLES).max(SAMPLE_BYTES);
    let mut at = scanned_end;
    while at < length {
        if let Some(found) = find_nonzero(file, at, SAMPLE_BYTES)? {
            return Ok(Some(found));
        }
        at = at.saturating_add(step);
    }
    find_nonzero(
        file,
        length.saturating_sub(SAMPLE_BYTES).max(from),
        SAMPLE_BYTES,
    )
}

/// Returns the offset of the first non-zero byte among up to `max_bytes` bytes.
fn find_nonzero(file: &mut (impl Read + Seek), at: u64, max_bytes: u64) -> io::Result<Option<u64>> {
    let bytes = read(file, at, max_bytes)?;
    let index = bytes.iter().position(|byte| *byte != 0);
    Ok(index.map(|index| at.saturating_add(index as u64)))
}

/// Reads up to `max_bytes` bytes at an offset. All callers pass small constants, so the memory is
/// bounded.
fn read(file: &mut (impl Read + Seek), at: u64, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(max_bytes).read_to_end(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn text_may_end_within_a_character() {
        assert!(is_text("caf\u{e9}\r\n".as_bytes()) && is_text(b"caf\xC3"));
        assert!(!is_text(b"\xC3") && !is_text(b"caf\xC3e") && !is_text(b"a\x01"));
    }

    #[test]
    fn a_tag_at_the_end_has_128_bytes_and_perhaps_one_of_padding() {
        let is_tag = |length: usize| {
            let mut bytes = vec![1; length];
            bytes[..3].copy_from_slice(b"TAG");
            is_other_data(&mut Cursor::new(bytes), 0, length as u64).unwrap()
        };
        assert!(is_tag(128) && is_tag(129) && !is_tag(130));
    }
}
