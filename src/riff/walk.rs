//! Reads the chunks of a RIFF file.
//!
//! Reads the identifiers and sizes of all chunks and a bounded number of bytes of a few bodies.
//! Stops at the first data that is not a chunk.

use std::io::{self, Read, Seek, SeekFrom};

/// Maximum number of chunks, more than any recorder writes; bounds the time for a file of empty
/// chunks.
const MAX_CHUNKS: usize = 65_536;
/// Maximum number of bytes read of `fmt `; EXTENSIBLE has 40.
const MAX_FMT_BYTES: u64 = 1024;
/// Maximum number of bytes read of `bext`: the fixed part, and 16 KiB of coding history.
const BEXT_BYTES: u64 = 602 + (16 << 10);
/// Identifier of the chunk that marks a slice of a longer file. Not a standard chunk.
pub(super) const SLICE_ID: [u8; 4] = *b"slic";
/// Maximum size of a `slic` chunk in bytes. It holds the header of the whole file.
const MAX_SLICE_BYTES: u64 = 1 << 20;
/// Size of `ds64` with 64 table entries, in bytes.
const MAX_DS64_BYTES: u64 = 28 + 64 * 12;

/// Container of a WAVE file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Riff,
    Rf64,
    Bw64,
}

/// Kind of file, with the chunks of a WAVE file.
#[derive(Debug)]
pub(super) enum RiffFile {
    Foreign,
    BigEndian,
    Other(String),
    Wave(Chunks),
}

/// Chunks of a WAVE file that are used.
#[derive(Debug)]
pub(super) struct Chunks {
    pub form: Form,
    /// Size of the file in bytes.
    pub file: u64,
    /// End of the file according to the RIFF size.
    pub riff_end: u64,
    pub fmt: Option<Vec<u8>>,
    /// Offset and stated size of the body of `fmt `.
    pub fmt_range: (u64, u64),
    pub bext: Option<Vec<u8>>,
    pub slice: Option<Vec<u8>>,
    pub data: Option<DataChunk>,
    /// Bytes in further `data` chunks.
    pub more_data: u64,
}

/// First `data` chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataChunk {
    /// Offset of its body.
    pub at: u64,
    /// Stated size of its body.
    pub size: u64,
    /// True if the size comes from `ds64`.
    pub from_ds64: bool,
}

/// Returns the identifier and size of the chunk at an offset; `None` if there is no chunk.
pub(super) fn chunk_at(
    file: &mut (impl Read + Seek),
    at: u64,
) -> io::Result<Option<([u8; 4], u32)>> {
    let mut head = [0; 8];
    if read_into(file, at, &mut head)? < head.len() {
        return Ok(None);
    }
    let (id, size) = head.split_at(4);
    let id: [u8; 4] = id.try_into().unwrap_or_default();
    let size = u32::from_le_bytes(size.try_into().unwrap_or_default());
    Ok(id
        .iter()
        .all(|b| (0x20..0x7F).contains(b))
        .then_some((id, size)))
}

/// Reads the chunks of a file.
pub(super) fn read_chunks(file: &mut (impl Read + Seek)) -> io::Result<RiffFile> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut head = [0; 12];
    if read_into(file, 0, &mut head)? < head.len() {
        return Ok(RiffFile::Foreign);
    }
    let [a, b, c, d, s0, s1, s2, s3, kind @ ..] = head;
    let form = match &[a, b, c, d] {
        b"RIFF" => Form::Riff,
        b"RF64" => Form::Rf64,
        b"BW64" => Form::Bw64,
        b"RIFX" => return Ok(RiffFile::BigEndian),
        _ => return Ok(RiffFile::Foreign),
    };
    if &kind != b"WAVE" {
        return Ok(RiffFile::Other(
            String::from_utf8_lossy(&kind).trim_end().to_owned(),
        ));
    }
    let riff_end = u64::from(u32::from_le_bytes([s0, s1, s2, s3])) + 8;
    let mut chunks = Chunks {
        form,
        file: length,
        riff_end,
        fmt: None,
        fmt_range: (0, 0),
        bext: None,
        slice: None,
        data: None,
        more_data: 0,
    };
    let mut ds64: Option<Ds64> = None;
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        let Some((id, size32)) = chunk_at(file, at)? else {
            break;
        };
        let start = at.saturating_add(8);
        let mut size = u64::from(size32);
        let mut from_ds64 = false;
        if size32 == u32::MAX
            && let Some(table) = &ds64
        {
            from_ds64 = true;
            size = table.size_of(id).unwrap_or(size);
        }
        match &id {
            b"ds64" if form != Form::Riff && ds64.is_none() => {
                let found = Ds64::decode(&read(file, start, size.min(MAX_DS64_BYTES))?);
                if chunks.riff_end == u64::from(u32::MAX) + 8 {
                    chunks.riff_end = found.riff.saturating_add(8);
                }
                ds64 = Some(found);
            }
            b"fmt " if chunks.fmt.is_none() => {
                chunks.fmt = Some(read(file, start, size.min(MAX_FMT_BYTES))?);
                chunks.fmt_range = (start, size);
            }
            b"bext" if chunks.bext.is_none() => {
                chunks.bext = Some(read(file, start, size.min(BEXT_BYTES))?)
            }
            id if *id == SLICE_ID && chunks.slice.is_none() => {
                chunks.slice = Some(read(file, start, size.min(MAX_SLICE_BYTES))?);
            }
            b"data" if chunks.data.is_none() => {
                chunks.data = Some(DataChunk {
                    at: start,
                    size,
                    from_ds64,
                })
            }
            b"data" => {
                let present = size.min(length.saturating_sub(start));
                chunks.more_data = chunks.more_data.saturating_add(present);
            }
            _ => {}
        }
        let end = start.saturating_add(size);
        if end >= length {
            break;
        }
        at = next_chunk(file, end, size)?;
    }
    Ok(RiffFile::Wave(chunks))
}

/// Returns the offset of the chunk after one that ends at `end`. A chunk of odd size is followed by
/// a pad byte, but some programs omit it: if only the data without the pad byte starts with a valid
/// identifier, the byte is missing.
fn next_chunk(file: &mut (impl Read + Seek), end: u64, size: u64) -> io::Result<u64> {
    if size.is_multiple_of(2) {
        return Ok(end);
    }
    let padded = chunk_at(file, end + 1)?;
    let unpadded = chunk_at(file, end)?;
    let unpadded_follows = match (padded, unpadded) {
        (_, Some((id, _))) if &id == b"data" || &id == b"fmt " => true,
        (None, Some(_)) => true,
        _ => false,
    };
    Ok(if unpadded_follows { end } else { end + 1 })
}

/// Reads up to `max_bytes` bytes at an offset, fewer at the end of the file. All callers pass
/// constants, so the memory is bounded.
fn read(file: &mut (impl Read + Seek), at: u64, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(max_bytes).read_to_end(&mut out)?;
    Ok(out)
}

/// Fills `out` from an offset, as far as the file extends. Returns the number of bytes read.
fn read_into(file: &mut (impl Read + Seek), at: u64, out: &mut [u8]) -> io::Result<usize> {
    file.seek(SeekFrom::Start(at))?;
    let mut done = 0;
    while let Some(rest) = out.get_mut(done..).filter(|r| !r.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

/// 64-bit sizes of an RF64 or BW64 file.
#[derive(Debug)]
struct Ds64 {
    riff: u64,
    data: u64,
    table: Vec<([u8; 4], u64)>,
}

impl Ds64 {
    /// Decodes the body of a `ds64` chunk; missing fields are 0.
    fn decode(body: &[u8]) -> Self {
        let u64_at = |at: usize| {
            body.get(at..)
                .and_then(|b| b.first_chunk())
                .map_or(0, |b| u64::from_le_bytes(*b))
        };
        let entry = |e: &[u8; 12]| {
            let [a, b, c, d, size @ ..] = *e;
            ([a, b, c, d], u64::from_le_bytes(size))
        };
        let entries = body.get(28..).unwrap_or_default().as_chunks().0;
        Self {
            riff: u64_at(0),
            data: u64_at(8),
            table: entries.iter().map(entry).collect(),
        }
    }

    fn size_of(&self, id: [u8; 4]) -> Option<u64> {
        if &id == b"data" {
            return Some(self.data);
        }
        self.table
            .iter()
            .find(|(name, _)| *name == id)
            .map(|(_, size)| *size)
    }
}
