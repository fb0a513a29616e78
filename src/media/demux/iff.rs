//! Reads chunk headers of IFF-like files, for AIFF, CAF and WAVE.

use crate::storage::InputFile;
use std::io::{ErrorKind, Read, Result, Seek, SeekFrom};

/// Maximum number of chunks that are visited. A damaged file can claim any number of empty ones.
pub(super) const MAX_CHUNKS: usize = 65_536;

/// The sound data chunk of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SoundData {
    /// Bytes of sound according to the chunk header.
    pub(super) promised: u64,
    /// Bytes of sound in the file.
    pub(super) available: u64,
    /// Exclusive end of the promised sound, as a file offset.
    pub(super) end: u64,
}

impl SoundData {
    /// Describes `promised` bytes of sound at a file offset.
    pub(super) fn at(offset: u64, promised: u64, file_len: u64) -> Self {
        let available = file_len.saturating_sub(offset).min(promised);
        Self {
            promised,
            available,
            end: offset.saturating_add(promised),
        }
    }
}

/// Reads the four-byte name and the big-endian 32-bit size of the chunk at `offset`; `None` at the end of the file.
pub(super) fn chunk_32(file: &InputFile, offset: u64) -> Result<Option<([u8; 4], u32)>> {
    let Some(header) = read_at::<8>(file, offset)? else {
        return Ok(None);
    };
    let [a, b, c, d, size @ ..] = header;
    Ok(Some(([a, b, c, d], u32::from_be_bytes(size))))
}

/// Reads the four-byte name and the big-endian 64-bit size of the chunk at `offset`; `None` at the end of the file.
pub(super) fn chunk_64(file: &InputFile, offset: u64) -> Result<Option<([u8; 4], u64)>> {
    let Some(header) = read_at::<12>(file, offset)? else {
        return Ok(None);
    };
    let [a, b, c, d, size @ ..] = header;
    Ok(Some(([a, b, c, d], u64::from_be_bytes(size))))
}

/// Reads `N` bytes at `offset`; `None` if the file ends before.
pub(super) fn read_at<const N: usize>(
    mut file: &InputFile,
    offset: u64,
) -> Result<Option<[u8; N]>> {
    let mut data = [0; N];
    file.seek(SeekFrom::Start(offset))?;
    match file.read_exact(&mut data) {
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => Ok(None),
        other => other.map(|()| Some(data)),
    }
}
