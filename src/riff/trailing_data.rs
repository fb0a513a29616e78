//! What follows the audio of a WAVE file where its header says that it ends: more audio, or something else.
//!
//! Audio that is taken for something else is lost, something else that is taken for audio is noise. So what is no audio
//! must be recognised: chunks of a known name, chunks of any name up to the end of the file, tags, text, zeros. The
//! work is bounded however long the file is.

use super::walk::chunk_at;
use std::io::{self, Read, Seek, SeekFrom};

/// Zeros up to this length are looked through byte by byte.
const THROUGH: u64 = 64 << 20;
/// Places at which longer ones are looked at, and how many bytes at each.
const PLACES: u64 = 4096;
const PIECE: u64 = 4096;
/// How much of a text is looked at.
const TEXT: u64 = 64 * 1024;

/// Chunks that programs write behind the audio. One of these is taken for a chunk even if its size is wrong.
const KNOWN: [&[u8; 4]; 34] = [
    b"LIST", b"list", b"id3 ", b"ID3 ", b"bext", b"iXML", b"axml", b"cue ", b"smpl", b"inst",
    b"fact", b"JUNK", b"junk", b"PAD ", b"FLLR", b"plst", b"labl", b"note", b"ltxt", b"levl",
    b"_PMX", b"cart", b"chna", b"umid", b"DISP", b"PEAK", b"afsp", b"acid", b"strc", b"elm1",
    b"minf", b"regn", b"data", b"fmt ",
];

/// Whether what stands from `end` to the end of the file, which is `length` bytes long, is audio.
pub(super) fn is_audio(file: &mut (impl Read + Seek), end: u64, length: u64) -> io::Result<bool> {
    let Some(first) = first_sound(file, end, length)? else {
        return Ok(false);
    };
    Ok(!follows(file, end, length)? && !is_other(file, first, length)?)
}

/// Whether a chunk, a tag or text is at `end`, or at the byte after it.
pub(super) fn follows(file: &mut (impl Read + Seek), end: u64, length: u64) -> io::Result<bool> {
    Ok(is_other(file, end, length)? || is_other(file, end.saturating_add(1), length)?)
}

/// Whether something that is known not to be audio begins at a position.
fn is_other(file: &mut (impl Read + Seek), start: u64, length: u64) -> io::Result<bool> {
    let mut at = start;
    for _ in 0..1024 {
        let behind = at > start;
        if at.saturating_add(1) >= length {
            return Ok(behind);
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
        if behind && head.iter().all(|b| *b == 0) {
            return Ok(true);
        }
        let Some((id, size)) = chunk_at(file, at)? else {
            break;
        };
        if KNOWN.contains(&&id) {
            return Ok(true);
        }
        at = at.saturating_add(8 + u64::from(size) + u64::from(size % 2));
        if at > length.saturating_add(1) {
            break;
        }
    }
    Ok(is_text(&read(file, start, TEXT)?))
}

fn is_text(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // The last character may be cut.
        Err(e) if e.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..e.valid_up_to()).unwrap_or_default())
                .unwrap_or_default()
        }
        Err(_) => return false,
    };
    let text = text.trim_end_matches('\0');
    !text.is_empty() && !text.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\n'))
}

/// Where the first byte that is not zero is; behind many zeros only about where.
fn first_sound(file: &mut (impl Read + Seek), from: u64, length: u64) -> io::Result<Option<u64>> {
    let close = length.min(from.saturating_add(THROUGH));
    let mut at = from;
    while at < close {
        if let Some(found) = look(file, at, (close - at).min(TEXT))? {
            return Ok(Some(found));
        }
        at += TEXT;
    }
    let step = (length.saturating_sub(close) / PLACES).max(PIECE);
    let mut at = close;
    while at < length {
        if let Some(found) = look(file, at, PIECE)? {
            return Ok(Some(found));
        }
        at = at.saturating_add(step);
    }
    look(file, length.saturating_sub(PIECE).max(from), PIECE)
}

fn look(file: &mut (impl Read + Seek), at: u64, most: u64) -> io::Result<Option<u64>> {
    let bytes = read(file, at, most)?;
    let place = bytes.iter().position(|b| *b != 0);
    Ok(place
        .and_then(|p| u64::try_from(p).ok())
        .map(|p| at.saturating_add(p)))
}

/// Reads up to `most` bytes at a position. `most` is a constant of this file at most.
fn read(file: &mut (impl Read + Seek), at: u64, most: u64) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(most).read_to_end(&mut out)?;
    Ok(out)
}
