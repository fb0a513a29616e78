//! Where the audio of a WAVE file ends, when its header may lie.
//!
//! The rules, in order. *Agrees* means: the RIFF size says that the file ends where it does, within a pad byte. *No
//! audio* means what [`rest`](super::rest) takes for something else: chunks, padding, tags, text.
//!
//! 1. The data size is a placeholder (0, all ones, or what programs write into a pipe, also rounded down to whole
//!    frames): the audio goes to the end of the file, however long that is. But a size of 0 in a file that agrees, and
//!    whose chunks after it end with it, is an empty file; and a size behind which the file agrees or chunks follow is
//!    no placeholder.
//! 2. It is more than the file holds: if the RIFF size agrees and has no room for it, the data size lies and the audio
//!    goes to the end of the file; else the file is cut off and what it promises is missing.
//! 3. The file goes on for a multiple of 4 GiB, then ends, or what follows is no audio: the size was written without its
//!    upper bits, and the audio ends there.
//! 4. The file goes on for eight bytes or more and these are audio: the audio goes to the end of the file, whatever the
//!    RIFF size says.
//! 5. Else it is right.

use super::{
    rest,
    walk::{Chunks, Data, chunk_at},
};
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

/// Fewer bytes than this behind the audio are not looked at: no chunk is so short.
const FEW: u64 = 8;

/// `block` is the size of a frame in bytes.
pub(super) fn find(
    file: &mut (impl Read + Seek),
    chunks: &Chunks,
    data: Data,
    block: u16,
) -> io::Result<Extent> {
    let held = chunks.file.saturating_sub(data.at);
    let whole = Extent {
        at: data.at,
        stated: data.size,
        promised: held,
        held,
    };
    let until = |size: u64| Extent {
        promised: size,
        held: size,
        ..whole
    };
    let end = data.at.saturating_add(data.size);
    let behind = chunks.file.saturating_sub(end);
    let agrees = chunks.riff_end.abs_diff(chunks.file) <= 1;
    if data.size == 0 {
        let empty = agrees && chain(file, data.at, chunks.file)?;
        return Ok(if empty { until(0) } else { whole });
    }
    if !data.from_ds64 && is_placeholder(data.size, block) {
        let right = data.size <= held
            && ((agrees && behind < FEW) || rest::follows(file, end, chunks.file)?);
        return Ok(if right { until(data.size) } else { whole });
    }
    if data.size > held {
        let lies = agrees && end > chunks.riff_end;
        return Ok(if lies {
            whole
        } else {
            Extent {
                promised: data.size,
                ..whole
            }
        });
    }
    let wraps = behind >> 32;
    if wraps > 0 && !data.from_ds64 {
        let size = data.size.saturating_add(wraps << 32);
        let end = data.at.saturating_add(size);
        if chunks.file.saturating_sub(end) < FEW || rest::follows(file, end, chunks.file)? {
            return Ok(until(size));
        }
    }
    let more = behind >= FEW && rest::is_audio(file, end, chunks.file)?;
    Ok(if more { whole } else { until(data.size) })
}

/// Sizes that programs write when they do not know it: the last 256 values below 4 GiB, and round figures about 2 GiB,
/// as they are or rounded down to whole frames.
fn is_placeholder(size: u64, block: u16) -> bool {
    const ROUND: [u64; 4] = [0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF];
    let rounded = |full: &u64| {
        full.checked_sub(size)
            .is_some_and(|less| less < u64::from(block.max(1)))
    };
    (0xFFFF_FF00..=0xFFFF_FFFF).contains(&size) || ROUND.iter().any(rounded)
}

/// Whether chunks follow each other from `at` to the end of the file. Nothing at all is a chain too.
fn chain(file: &mut (impl Read + Seek), mut at: u64, length: u64) -> io::Result<bool> {
    for _ in 0..1024 {
        if at.abs_diff(length) <= 1 {
            return Ok(true);
        }
        let Some((_, size)) = chunk_at(file, at)? else {
            return Ok(false);
        };
        at = at.saturating_add(8 + u64::from(size) + u64::from(size % 2));
    }
    Ok(false)
}
