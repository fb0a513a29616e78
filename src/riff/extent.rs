//! Determines the extent of the audio in a WAVE file, even if the sizes in its header are wrong.
//!
//! The rules apply in order. The RIFF size *agrees* if it gives the actual end of the file to
//! within a pad byte. *Not audio* is what [`trailing_data`](super::trailing_data) recognises:
//! chunks, padding, tags, text.
//!
//! 1. The data size is a placeholder (0, all ones, or a value that programs write into pipes,
//!    possibly rounded down to whole frames): the audio extends to the end of the file, whatever its
//!    length. Exceptions: a size of 0 means an empty file if the RIFF size agrees and chunks fill the
//!    rest of the file; another placeholder value counts as a real size if the file ends there and the
//!    RIFF size agrees, or if chunks follow there.
//! 2. The data size exceeds the file. If the RIFF size agrees, the data size is wrong and the audio
//!    extends to the end of the file; otherwise the file is truncated and the rest of the audio is
//!    missing.
//! 3. The file continues for a multiple of 4 GiB and then ends, or what follows there is not audio:
//!    the size lacks its upper 32 bits, and the audio ends there.
//! 4. The file continues for eight bytes or more, and these are audio: the audio extends to the end
//!    of the file, whatever the RIFF size.
//! 5. Otherwise the data size is right.

use super::{
    trailing_data,
    walk::{Chunks, DataChunk, chunk_at},
};
use std::io::{self, Read, Seek};

/// Range of audio in a file, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Offset of the first byte.
    pub at: u64,
    /// Size stated in the header.
    pub stated: u64,
    /// Intended size: `stated`, or the actual size if the stated one is wrong.
    pub promised: u64,
    /// Size present in the file, at most `promised`.
    pub held: u64,
}

/// Trailing data shorter than this is ignored: no chunk is so short.
const MIN_TRAILING_BYTES: u64 = 8;

/// Determines the extent of the audio. `block` is the size of a frame in bytes.
pub(super) fn find_extent(
    file: &mut (impl Read + Seek),
    chunks: &Chunks,
    data: DataChunk,
    block: u16,
) -> io::Result<Extent> {
    let held = chunks.file.saturating_sub(data.at);
    // Numbers in comments are those of the rules above.
    let to_end_of_file = Extent {
        at: data.at,
        stated: data.size,
        promised: held,
        held,
    };
    let of_size = |size: u64| Extent {
        promised: size,
        held: size,
        ..to_end_of_file
    };
    let end = data.at.saturating_add(data.size);
    let trailing = chunks.file.saturating_sub(end);
    let agrees = chunks.riff_end.abs_diff(chunks.file) <= 1;
    if data.size == 0 {
        // 1, first exception.
        let empty = agrees && is_chain_of_chunks(file, data.at, chunks.file)?;
        return Ok(if empty { of_size(0) } else { to_end_of_file });
    }
    if !data.from_ds64 && is_placeholder(data.size, block) {
        // 1, second exception.
        let right = data.size <= held
            && ((agrees && trailing < MIN_TRAILING_BYTES)
                || trailing_data::starts_other_data(file, end, chunks.file)?);
        return Ok(if right {
            of_size(data.size)
        } else {
            to_end_of_file
        });
    }
    if data.size > held {
        // 2.
        let size_is_wrong = agrees && end > chunks.riff_end;
        return Ok(if size_is_wrong {
            to_end_of_file
        } else {
            Extent {
                promised: data.size,
                ..to_end_of_file
            }
        });
    }
    let wraps = trailing >> 32;
    // 3. A 64-bit size cannot have lost its upper bits.
    if wraps > 0 && !data.from_ds64 {
        let size = data.size.saturating_add(wraps << 32);
        let end = data.at.saturating_add(size);
        if chunks.file.saturating_sub(end) < MIN_TRAILING_BYTES
            || trailing_data::starts_other_data(file, end, chunks.file)?
        {
            return Ok(of_size(size));
        }
    }
    // 4 and 5.
    let more = trailing >= MIN_TRAILING_BYTES && trailing_data::is_audio(file, end, chunks.file)?;
    Ok(if more {
        to_end_of_file
    } else {
        of_size(data.size)
    })
}

/// Returns true for sizes that programs write if they do not know the size: the last 256 values
/// below 4 GiB, and round values near 2 GiB, exact or rounded down to whole frames.
fn is_placeholder(size: u64, block: u16) -> bool {
    const ROUND_SIZES: [u64; 4] = [0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF];
    let frame = u64::from(block.max(1));
    (0xFFFF_FF00..=0xFFFF_FFFF).contains(&size)
        || ROUND_SIZES
            .iter()
            .any(|full| full.checked_sub(size).is_some_and(|less| less < frame))
}

/// Returns true if a sequence of chunks, possibly empty, fills the file from `at` to its end.
fn is_chain_of_chunks(file: &mut (impl Read + Seek), mut at: u64, length: u64) -> io::Result<bool> {
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
