//! Where the audio of a WAVE file ends, when its header may lie.
//!
//! The rules, in order. *Agrees* means: the RIFF size says that the file ends where it does, within a pad byte.
//!
//! 1. The data size is a placeholder (0, all ones, or what recorders write into a pipe): the audio goes to the end of
//!    the file. But a data size of 0 in a file that agrees, and whose chunks after it end with it, is an empty file.
//! 2. It is more than the file holds: if the RIFF size agrees and has no room for it, the data size lies and the audio
//!    goes to the end of the file; else the file is cut off and what it promises is missing.
//! 3. It is less, no chunk follows, and the RIFF size agrees: the audio goes to the end of the file. Not where zeros
//!    follow, which are padding.
//! 4. Else it is right.

use super::walk::{Chunks, Data, chunk_at};
use std::io::{self, Read, Seek};

/// A stretch of audio in a file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Where it starts.
    pub at: u64,
    /// What the header says.
    pub stated: u64,
    /// What is meant to be there: `stated`, or what was found where that is a lie.
    pub promised: u64,
    /// What is there; at most `promised`.
    pub held: u64,
}

pub(super) fn find(file: &mut (impl Read + Seek), chunks: &Chunks, data: Data) -> io::Result<Extent> {
    let held = chunks.file.saturating_sub(data.at);
    let whole = Extent { at: data.at, stated: data.size, promised: held, held };
    let end = data.at.saturating_add(data.size);
    let agrees = chunks.riff_end.abs_diff(chunks.file) <= 1;
    if data.size == 0 {
        let empty = agrees && chain(file, data.at, chunks.file)?;
        return Ok(if empty { Extent { promised: 0, held: 0, ..whole } } else { whole });
    }
    if !data.from_ds64 && is_placeholder(data.size) && data.size > held {
        return Ok(whole);
    }
    if data.size > held {
        let lies = agrees && end > chunks.riff_end;
        return Ok(if lies { whole } else { Extent { promised: data.size, ..whole } });
    }
    let rest = chunks.file.saturating_sub(end);
    if agrees && rest >= 8 && !follows(file, end, chunks.file)? {
        return Ok(whole);
    }
    Ok(Extent { promised: data.size, held: data.size, ..whole })
}

/// Sizes that programs write when they do not know it: the last 256 values below 4 GiB, and round figures about 2 GiB.
fn is_placeholder(size: u64) -> bool {
    (0xFFFF_FF00..=0xFFFF_FFFF).contains(&size) || matches!(size, 0x7FFF_F000 | 0x7FFF_FFFF | 0x8000_0000)
}

/// Whether a chunk that fits into the file, or nothing but zeros for the length of its head, is at `end`, or at the
/// byte after it.
fn follows(file: &mut (impl Read + Seek), end: u64, length: u64) -> io::Result<bool> {
    for at in [end, end + 1] {
        if let Some((_, size)) = chunk_at(file, at)?
            && at + 8 + u64::from(size) <= length + 1
        {
            return Ok(true);
        }
    }
    file.seek(io::SeekFrom::Start(end))?;
    let mut head = Vec::new();
    file.take(8).read_to_end(&mut head)?;
    Ok(head.iter().all(|b| *b == 0))
}

/// Whether chunks follow each other from `at` to the end of the file. Nothing at all is a chain too.
fn chain(file: &mut (impl Read + Seek), mut at: u64, length: u64) -> io::Result<bool> {
    for _ in 0..1024 {
        if at.abs_diff(length) <= 1 {
            return Ok(true);
        }
        let Some((_, size)) = chunk_at(file, at)? else { return Ok(false) };
        at = at.saturating_add(8 + u64::from(size) + u64::from(size % 2));
    }
    Ok(false)
}
