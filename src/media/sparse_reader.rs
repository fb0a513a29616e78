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

#[cfg(test)]
mod tests {
    use super::*;

    /// A view of a file of the bytes 0, 1, 2, … 19.
    fn view(ranges: &[(u64, u64)], len: u64, patches: &[BytePatch]) -> SparseReader {
        let bytes: Vec<u8> = (0..20).collect();
        let ranges = ranges.iter().map(|&(start, len)| ByteRange { start, len });
        let view = FileView {
            ranges: ranges.collect(),
            len,
            patches: patches.to_vec(),
        };
        SparseReader::new(&InputFile::in_memory(bytes.into()), &view)
    }

    fn all(reader: &mut SparseReader) -> Vec<u8> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn ranges_follow_each_other_and_zeros_follow_them() {
        let mut reader = view(&[(2, 3), (10, 2), (18, 9)], 10, &[]);
        assert_eq!(reader.len(), 10);
        assert_eq!(all(&mut reader), [2, 3, 4, 10, 11, 18, 19, 0, 0, 0]);
        for (at, rest) in [
            (0, &[2u8, 3][..]),
            (3, &[10, 11]),
            (4, &[11, 18]),
            (6, &[19, 0]),
        ] {
            reader.seek(SeekFrom::Start(at)).unwrap();
            let mut two = [9; 2];
            reader.read_exact(&mut two).unwrap();
            assert_eq!(two, rest, "{at}");
        }
        assert_eq!(reader.seek(SeekFrom::End(-1)).unwrap(), 9);
        assert_eq!(all(&mut reader), [0]);
        assert!(reader.seek(SeekFrom::End(-11)).is_err());
        // Ranges that are longer than the view are read to their end.
        assert_eq!(all(&mut view(&[(5, 4)], 1, &[])), [5, 6, 7, 8]);
    }

    #[test]
    fn patched_bytes_replace_those_of_the_file_wherever_reading_begins() {
        let mut reader = view(&[(4, 6)], 6, &[(0, 100), (3, 103), (9, 109)]);
        assert_eq!(all(&mut reader), [100, 5, 6, 103, 8, 9]);
        reader.seek(SeekFrom::Start(2)).unwrap();
        assert_eq!(all(&mut reader), [6, 103, 8, 9]);
        let header = FileView::with_header(&[1, 2, 3], ByteRange { start: 8, len: 2 }, 3);
        let mut reader = SparseReader::new(&InputFile::in_memory((0..20).collect()), &header);
        assert_eq!(all(&mut reader), [1, 2, 3, 8, 9, 0]);
    }

    #[test]
    fn reading_without_a_packet_ends_after_64_mebibytes() {
        let mut reader = view(&[], 80 << 20, &[]);
        let counter = reader.bytes_since_packet();
        let mut piece = vec![0; 1 << 20];
        for _ in 0..65 {
            reader.read_exact(&mut piece).unwrap();
        }
        let error = reader.read_exact(&mut piece).unwrap_err();
        assert_eq!(error.to_string(), "no audio in 64 MiB of data");
        counter.store(0, Relaxed);
        reader.read_exact(&mut piece).unwrap();
    }
}
