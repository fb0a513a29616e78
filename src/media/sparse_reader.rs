//! The bytes of a stem file as its readers see them.
//!
//! A tape is a window on an open file: it can start behind a tag, leave out damaged stretches, or go on with zeros
//! where the file was cut off, so that a container whose tail is missing can still be opened. Single bytes of it can be
//! replaced, so that a reader passes over what it would stumble on. It also counts what is read
//! between two packets: a reader that finds nothing for [`PATIENCE`] bytes is stopped with an error, which bounds the
//! time that damaged or endless input can take. It does not interpret anything.

use crate::storage::InputFile;
use std::{
    io::{Error, ErrorKind, Read, Result, Seek, SeekFrom},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// Bytes that may be read without finding a packet.
pub(crate) const PATIENCE: u64 = 64 << 20;

/// How many bytes were read since the last packet. Shared between a tape and who counts the packets.
pub(crate) type Meter = Arc<AtomicU64>;

/// A part of a file: its first byte and its length.
pub(crate) type Part = (u64, u64);

/// A window on a file.
pub(crate) struct SparseReader {
    file: InputFile,
    /// Where each part begins on the tape, and in the file, and its length.
    parts: Vec<(u64, u64, u64)>,
    len: u64,
    at: u64,
    patches: Vec<(u64, u8)>,
    meter: Meter,
}

impl SparseReader {
    /// Parts of a file one behind the other, then zeros up to `len` bytes. `patches` puts other bytes at some places.
    pub(crate) fn new(file: &InputFile, parts: &[Part], len: u64, patches: Vec<(u64, u8)>) -> Result<Self> {
        let file = file.clone();
        let end = file.len();
        let mut at = 0;
        let place = |(from, n): &Part| {
            let start = at;
            let n = (*n).min(end.saturating_sub(*from));
            at += n;
            (start, *from, n)
        };
        let parts = parts.iter().map(place).collect();
        Ok(Self { file, parts, len: len.max(at), at: 0, patches, meter: Meter::default() })
    }

    /// The counter of this tape.
    pub(crate) fn meter(&self) -> Meter {
        Arc::clone(&self.meter)
    }

    /// How long it is, with the zeros.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }
}

impl Read for SparseReader {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let room = u64::try_from(buf.len()).unwrap_or(u64::MAX);
        let before = self.parts.partition_point(|(start, ..)| *start <= self.at);
        let part = before.checked_sub(1).and_then(|i| self.parts.get(i));
        let n = match part {
            Some((start, from, len)) if self.at - start < *len => {
                self.file.seek(SeekFrom::Start(from.saturating_add(self.at - start)))?;
                let most = usize::try_from(room.min(len - (self.at - start))).unwrap_or(usize::MAX);
                self.file.read(buf.get_mut(..most).unwrap_or_default())?
            }
            _ => {
                let most = usize::try_from(room.min(self.len.saturating_sub(self.at))).unwrap_or(usize::MAX);
                let part = buf.get_mut(..most).unwrap_or_default();
                part.fill(0);
                part.len()
            }
        };
        let n64 = u64::try_from(n).unwrap_or(u64::MAX);
        for (at, byte) in &self.patches {
            let place = at.checked_sub(self.at).filter(|i| *i < n64).and_then(|i| usize::try_from(i).ok());
            if let Some(target) = place.and_then(|i| buf.get_mut(i)) {
                *target = *byte;
            }
        }
        self.at = self.at.saturating_add(n64);
        if self.meter.fetch_add(n64, Relaxed) > PATIENCE {
            return Err(Error::new(ErrorKind::InvalidData, format!("no audio in {} MiB of data", PATIENCE >> 20)));
        }
        Ok(n)
    }
}

impl Seek for SparseReader {
    fn seek(&mut self, pos: SeekFrom) -> Result<u64> {
        let to = match pos {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = to.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "seek before the start"))?;
        Ok(self.at)
    }
}
