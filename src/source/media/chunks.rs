//! A walk over the chunks of AIFF and CAF files: where the sound lies and how much of it is there.
//!
//! Both formats state the size of their data in front of it. Whether the file really holds so much, and whether a CAF
//! file names its channels, is all that is asked here.

use std::{
    fs::File,
    io::{self, Read, Result, Seek, SeekFrom},
};

/// Chunks that are looked at.
const MOST: usize = 65_536;

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sound {
    /// Bytes of sound that are promised.
    pub(crate) promised: u64,
    /// Bytes of sound that the file has.
    pub(crate) present: u64,
    /// The length the file would have if it were whole.
    pub(crate) whole: u64,
    /// Frames as the AIFF header counts them.
    pub(crate) frames: Option<u64>,
    /// Whether a CAF file says where its channels belong.
    pub(crate) positions: bool,
}

/// Walks over the chunks of an AIFF or AIFF-C file.
pub(crate) fn aiff(file: &File) -> Result<Sound> {
    let len = file.metadata()?.len();
    let mut sound = Sound { whole: len, ..Sound::default() };
    let mut at = 12;
    for _ in 0..MOST {
        let Some((name, size)) = chunk(file, at, 4)? else { break };
        let body = at + 8;
        if name == *b"COMM"
            && let Some(head) = bytes::<6>(file, body)?
        {
            let [_, _, a, b, c, d] = head;
            sound.frames = Some(u32::from_be_bytes([a, b, c, d]).into());
        }
        if name == *b"SSND" {
            let offset = bytes::<4>(file, body)?.map_or(0, |b| u64::from(u32::from_be_bytes(b)));
            sound.data(body + 8 + offset, size.saturating_sub(8 + offset), len);
        }
        at = body.saturating_add(size).saturating_add(size & 1);
    }
    Ok(sound)
}

/// Walks over the chunks of a CAF file.
pub(crate) fn caf(file: &File) -> Result<Sound> {
    let len = file.metadata()?.len();
    let mut sound = Sound { whole: len, ..Sound::default() };
    let mut at = 8;
    for _ in 0..MOST {
        let Some((name, size)) = chunk(file, at, 8)? else { break };
        let body = at + 12;
        // Data of unknown size, written while recording, goes on to the end.
        let size = if size == u64::MAX { len.saturating_sub(body) } else { size };
        match &name {
            b"data" => sound.data(body + 4, size.saturating_sub(4), len),
            b"chan" => sound.positions = true,
            _ => {}
        }
        at = body.saturating_add(size);
    }
    Ok(sound)
}

impl Sound {
    fn data(&mut self, at: u64, promised: u64, len: u64) {
        self.promised = promised;
        self.present = len.saturating_sub(at).min(promised);
        self.whole = len.max(at.saturating_add(promised));
    }
}

/// Name and size of the chunk at a place; `None` where no header is.
fn chunk(mut file: &File, at: u64, width: usize) -> Result<Option<([u8; 4], u64)>> {
    let mut head = [0; 12];
    file.seek(SeekFrom::Start(at))?;
    match file.read_exact(head.get_mut(..4 + width).unwrap_or_default()) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let [a, b, c, d, size @ ..] = head;
    let value = u64::from_be_bytes(size);
    Ok(Some(([a, b, c, d], if width == 4 { value >> 32 } else { value })))
}

fn bytes<const N: usize>(mut file: &File, at: u64) -> Result<Option<[u8; N]>> {
    let mut data = [0; N];
    file.seek(SeekFrom::Start(at))?;
    match file.read_exact(&mut data) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        other => other.map(|()| Some(data)),
    }
}
