//! A list of all packets of a stem with their places: for formats whose frames this crate finds by itself.
//!
//! Reading goes through the list in order, seeking looks the position up. Packets of 0 bytes stand for what was lost.

use super::{codec_fault::Fault, symphonia_adapter::Packet};
use crate::storage::InputFile;
use std::io::{self, Read, Seek, SeekFrom};

/// The longest packet that is read. AAC has at most 768 bytes a channel, lossless codecs a few hundred thousand.
const LONGEST: u32 = 16 << 20;

/// One packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Position of its first frame.
    pub(crate) at: u64,
    /// Its first byte.
    pub(crate) offset: u64,
    /// Its bytes; 0 for a packet that was lost.
    pub(crate) size: u32,
    /// Its frames.
    pub(crate) frames: u32,
}

/// All packets of a stem.
pub(crate) struct PacketTable {
    file: InputFile,
    entries: Vec<Entry>,
    next: usize,
}

impl PacketTable {
    pub(crate) fn new(file: InputFile, entries: Vec<Entry>) -> Self {
        Self { file, entries, next: 0 }
    }

    /// The next packet that was not lost; `None` at the end. What overlaps is not joined over a lost one: a jump to
    /// behind it could not join it either.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, Fault> {
        let rest = self.entries.get(self.next..).unwrap_or_default();
        let Some((i, entry)) = rest.iter().enumerate().find(|(_, e)| e.size > 0) else { return Ok(None) };
        let fresh = (self.next + i).checked_sub(1).and_then(|b| self.entries.get(b)).is_some_and(|e| e.size == 0);
        self.next += i + 1;
        let at = i64::try_from(entry.at).unwrap_or(i64::MAX);
        let number = u64::try_from(self.next).unwrap_or(u64::MAX);
        if entry.size > LONGEST {
            return Err(Fault::Damaged(format!("packet {number} claims {} bytes", entry.size)));
        }
        let mut data = vec![0; usize::try_from(entry.size).unwrap_or(0)];
        self.file.seek(SeekFrom::Start(entry.offset)).map_err(Fault::Io)?;
        self.file.read_exact(&mut data).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => Fault::Cut,
            _ => Fault::Io(e),
        })?;
        let mut packet = Packet::new(at, u64::from(entry.frames), number, data);
        packet.fresh = fresh;
        Ok(Some(packet))
    }

    /// The bytes of the first packets, at most `most` of them, as far as they can be read.
    pub(crate) fn peek(&self, most: usize) -> Vec<Vec<u8>> {
        let whole = self.entries.iter().filter(|e| e.size > 0 && e.size <= LONGEST).take(most);
        let read = |e: &Entry| {
            let mut data = Vec::new();
            (&self.file).seek(SeekFrom::Start(e.offset)).ok()?;
            (&self.file).take(u64::from(e.size)).read_to_end(&mut data).ok()?;
            Some(data)
        };
        whole.filter_map(read).collect()
    }

    /// Makes the packet that holds position `to` the next one.
    pub(crate) fn seek(&mut self, to: u64) {
        self.next = self.entries.partition_point(|e| e.at + u64::from(e.frames) <= to);
    }
}
