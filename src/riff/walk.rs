//! The chunks of a RIFF file, one after the other.
//!
//! Reads the ids and sizes, and of a few bodies a bounded number of bytes. Stops at the first thing that is no chunk.

use std::io::{self, Read, Seek, SeekFrom};

/// More chunks than any recorder writes; a file of zero-length chunks is not walked for minutes.
const MOST_CHUNKS: usize = 65_536;
/// The longest `fmt ` body that is of use: EXTENSIBLE has 40 bytes.
const FMT_BYTES: u64 = 1024;
/// The fixed part of `bext`.
const BEXT_BYTES: u64 = 602;
/// The chunk that says which part of a longer file this is; not a standard one.
pub(super) const SLICE: [u8; 4] = *b"slic";
/// A longer one is none of ours: it holds the header of the whole file.
const SLICE_BYTES: u64 = 1 << 20;
/// `ds64` with 64 entries of its table.
const DS64_BYTES: u64 = 28 + 64 * 12;

/// Which container a WAVE file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Riff,
    Rf64,
    Bw64,
}

/// What lies at the start of a file.
#[derive(Debug)]
pub(super) enum Walk {
    Foreign,
    BigEndian,
    Other(String),
    Wave(Chunks),
}

/// The chunks that matter.
#[derive(Debug)]
pub(super) struct Chunks {
    pub form: Form,
    /// Size of the file in bytes.
    pub file: u64,
    /// Where the RIFF chunk says that it ends.
    pub riff_end: u64,
    pub fmt: Option<Vec<u8>>,
    /// Where the body of `fmt ` starts, and how long it says to be.
    pub fmt_range: (u64, u64),
    pub bext: Option<Vec<u8>>,
    pub slice: Option<Vec<u8>>,
    pub data: Option<Data>,
    /// Bytes in further `data` chunks.
    pub more_data: u64,
}

/// The first `data` chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Data {
    /// Where its body starts.
    pub at: u64,
    /// How long it says to be.
    pub size: u64,
    /// Whether that figure comes from `ds64`.
    pub from_ds64: bool,
}

/// The id and the size of the chunk at a position; `None` where there is none.
pub(super) fn chunk_at(
    file: &mut (impl Read + Seek),
    at: u64,
) -> io::Result<Option<([u8; 4], u32)>> {
    let mut head = [0; 8];
    if body(file, at, &mut head)? < head.len() {
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

/// Walks a file from its start.
pub(super) fn walk(file: &mut (impl Read + Seek)) -> io::Result<Walk> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut head = [0; 12];
    if body(file, 0, &mut head)? < head.len() {
        return Ok(Walk::Foreign);
    }
    let [a, b, c, d, s0, s1, s2, s3, kind @ ..] = head;
    let form = match &[a, b, c, d] {
        b"RIFF" => Form::Riff,
        b"RF64" => Form::Rf64,
        b"BW64" => Form::Bw64,
        b"RIFX" => return Ok(Walk::BigEndian),
        _ => return Ok(Walk::Foreign),
    };
    if &kind != b"WAVE" {
        return Ok(Walk::Other(
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
    for _ in 0..MOST_CHUNKS {
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
                let found = Ds64::decode(&read(file, start, size.min(DS64_BYTES))?);
                if chunks.riff_end == u64::from(u32::MAX) + 8 {
                    chunks.riff_end = found.riff.saturating_add(8);
                }
                ds64 = Some(found);
            }
            b"fmt " if chunks.fmt.is_none() => {
                chunks.fmt = Some(read(file, start, size.min(FMT_BYTES))?);
                chunks.fmt_range = (start, size);
            }
            b"bext" if chunks.bext.is_none() => {
                chunks.bext = Some(read(file, start, size.min(BEXT_BYTES))?)
            }
            id if *id == SLICE && chunks.slice.is_none() => {
                chunks.slice = Some(read(file, start, size.min(SLICE_BYTES))?);
            }
            b"data" if chunks.data.is_none() => {
                chunks.data = Some(Data {
                    at: start,
                    size,
                    from_ds64,
                })
            }
            b"data" => {
                let there = size.min(length.saturating_sub(start));
                chunks.more_data = chunks.more_data.saturating_add(there);
            }
            _ => {}
        }
        let end = start.saturating_add(size);
        if end >= length {
            break;
        }
        at = next(file, end, size)?;
    }
    Ok(Walk::Wave(chunks))
}

/// Where the chunk after one that ends at `end` starts. An odd chunk is followed by a pad byte, but not every program
/// writes it: where what stands there reads as an id only without one, there is none.
fn next(file: &mut (impl Read + Seek), end: u64, size: u64) -> io::Result<u64> {
    if size.is_multiple_of(2) {
        return Ok(end);
    }
    let padded = chunk_at(file, end + 1)?;
    let unpadded = chunk_at(file, end)?;
    let bare = match (padded, unpadded) {
        (_, Some((id, _))) if &id == b"data" || &id == b"fmt " => true,
        (None, Some(_)) => true,
        _ => false,
    };
    Ok(if bare { end } else { end + 1 })
}

/// Reads up to `most` bytes at a position, fewer at the end of the file. `most` is a constant of this file at most.
fn read(file: &mut (impl Read + Seek), at: u64, most: u64) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(most).read_to_end(&mut out)?;
    Ok(out)
}

/// Fills `out` from a position as far as the file goes; how many bytes.
fn body(file: &mut (impl Read + Seek), at: u64, out: &mut [u8]) -> io::Result<usize> {
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

/// The 64-bit sizes of an RF64 or BW64 file.
#[derive(Debug)]
struct Ds64 {
    riff: u64,
    data: u64,
    table: Vec<([u8; 4], u64)>,
}

impl Ds64 {
    /// Fields that are not there are 0.
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
