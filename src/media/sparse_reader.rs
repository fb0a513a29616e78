//! Presents selected byte ranges of a stem file to a demuxer as one contiguous, seekable file.
//!
//! A [`FileView`] can start after a tag, leave out damaged ranges, continue with zeros where the file is truncated (so
//! that a container whose last chunk is incomplete still opens), and replace single header bytes that the demuxer
//! mishandles. The bytes are not interpreted here.
//!
//! The reader also counts the bytes read since the last packet and fails after [`MAX_BYTES_BETWEEN_PACKETS`], which
//! bounds the time that damaged input can take.

use crate::storage::InputFile;
use std::{
    io::{Error, ErrorKind, Read, Result, Seek, SeekFrom},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// Maximum number of bytes that a demuxer may read without finding a packet.
pub(crate) const MAX_BYTES_BETWEEN_PACKETS: u64 = 64 << 20;

/// Number of bytes read since the last packet. The reader adds to it; the demuxer resets it at every packet.
pub(crate) type BytesSincePacket = Arc<AtomicU64>;

/// A range of bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ByteRange {
    pub(crate) start: u64,
    pub(crate) len: u64,
}

/// A byte to put in place of the one at an offset of the view.
pub(crate) type BytePatch = (u64, u8);

/// The bytes of a file that a demuxer sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileView {
    /// Ranges of the file, concatenated.
    pub(crate) ranges: Vec<ByteRange>,
    /// Length of the view. Zeros follow the ranges where it is longer than they are.
    pub(crate) len: u64,
    pub(crate) patches: Vec<BytePatch>,
}

impl FileView {
    /// Returns a view of `header`, which takes the place of as many bytes of the file, and a range of sound after it,
    /// padded with zeros to `sound_len`.
    pub(crate) fn with_header(header: &[u8], sound: ByteRange, sound_len: u64) -> Self {
        let header_len = header.len() as u64;
        // Byte 0 again and again, so that the file may be shorter than the header.
        let mut ranges = vec![ByteRange { start: 0, len: 1 }; header.len()];
        ranges.push(sound);
        Self {
            ranges,
            len: header_len.saturating_add(sound_len),
            patches: (0..).zip(header.iter().copied()).collect(),
        }
    }
}

/// Reads a [`FileView`].
pub(crate) struct SparseReader {
    file: InputFile,
    segments: Vec<Segment>,
    len: u64,
    position: u64,
    patches: Vec<BytePatch>,
    bytes_since_packet: BytesSincePacket,
}

/// One range of the file and its offset in the view.
struct Segment {
    view_offset: u64,
    range: ByteRange,
}

impl SparseReader {
    pub(crate) fn new(file: &InputFile, view: &FileView) -> Self {
        let file_len = file.len();
        let mut view_offset = 0;
        let mut segments = Vec::with_capacity(view.ranges.len());
        for range in &view.ranges {
            let range = ByteRange {
                len: range.len.min(file_len.saturating_sub(range.start)),
                ..*range
            };
            segments.push(Segment { view_offset, range });
            view_offset += range.len;
        }
        Self {
            file: file.clone(),
            segments,
            len: view.len.max(view_offset),
            position: 0,
            patches: view.patches.clone(),
            bytes_since_packet: BytesSincePacket::default(),
        }
    }

    /// Returns the counter that this reader adds to.
    pub(crate) fn bytes_since_packet(&self) -> BytesSincePacket {
        Arc::clone(&self.bytes_since_packet)
    }

    /// Returns the length of the view in bytes, padding included.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    fn apply_patches(&self, bytes: &mut [u8]) {
        for (offset, byte) in &self.patches {
            let index = offset
                .checked_sub(self.position)
                .and_then(|i| usize::try_from(i).ok());
            if let Some(target) = index.and_then(|i| bytes.get_mut(i)) {
                *target = *byte;
            }
        }
    }
}

impl Read for SparseReader {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let following = self
            .segments
            .partition_point(|s| s.view_offset <= self.position);
        let segment = following.checked_sub(1).and_then(|i| self.segments.get(i));
        let n = match segment {
            Some(Segment { view_offset, range }) if self.position - view_offset < range.len => {
                let within = self.position - view_offset;
                self.file
                    .seek(SeekFrom::Start(range.start.saturating_add(within)))?;
                self.file.read(at_most(buf, range.len - within))?
            }
            _ => {
                let zeros = at_most(buf, self.len.saturating_sub(self.position));
                zeros.fill(0);
                zeros.len()
            }
        };
        self.apply_patches(buf.get_mut(..n).unwrap_or_default());
        let n_bytes = n as u64;
        self.position = self.position.saturating_add(n_bytes);
        if self.bytes_since_packet.fetch_add(n_bytes, Relaxed) > MAX_BYTES_BETWEEN_PACKETS {
            let what = format!(
                "no audio in {} MiB of data",
                MAX_BYTES_BETWEEN_PACKETS >> 20
            );
            return Err(Error::new(ErrorKind::InvalidData, what));
        }
        Ok(n)
    }
}

/// Returns the first `len` bytes of a buffer, or all of it where it is shorter.
fn at_most(buf: &mut [u8], len: u64) -> &mut [u8] {
    // A length beyond the address space is longer than any buffer.
    let len = usize::try_from(len).unwrap_or(usize::MAX).min(buf.len());
    buf.split_at_mut(len).0
}

impl Seek for SparseReader {
    fn seek(&mut self, pos: SeekFrom) -> Result<u64> {
        let to = match pos {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position =
            to.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "seek before the start"))?;
        Ok(self.position)
    }
}
