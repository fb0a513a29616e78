//! Reads packets through a table of their file offsets, for containers whose packets this crate finds itself: MPEG
//! audio, ADTS and unfragmented MP4.

use super::{codec_fault::CodecFault, demux::signed, symphonia_adapter::Packet};
use crate::storage::InputFile;
use std::io::{self, Read, Seek, SeekFrom};

/// Size limit of one packet in bytes. AAC has at most 768 bytes per channel, lossless codecs a few hundred thousand.
const MAX_PACKET_BYTES: u32 = 16 << 20;

/// Location of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PacketEntry {
    /// Stream position of its first frame.
    pub(crate) at: u64,
    /// File offset of its first byte.
    pub(crate) offset: u64,
    /// Size in bytes; 0 for a lost packet, which only takes up time.
    pub(crate) size: u32,
    /// Duration in frames.
    pub(crate) frames: u32,
}

impl PacketEntry {
    pub(crate) fn is_lost(&self) -> bool {
        self.size == 0
    }
}

/// All packets of a stream, with a read position.
pub(crate) struct PacketTable {
    file: InputFile,
    entries: Vec<PacketEntry>,
    next: usize,
}

impl PacketTable {
    pub(crate) fn new(file: InputFile, entries: Vec<PacketEntry>) -> Self {
        Self {
            file,
            entries,
            next: 0,
        }
    }

    /// Returns the next packet that is not lost; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, CodecFault> {
        let rest = self.entries.get(self.next..).unwrap_or_default();
        let Some((skipped, entry)) = rest.iter().enumerate().find(|(_, e)| !e.is_lost()) else {
            return Ok(None);
        };
        // The decoder must not overlap-add across a lost packet: after a seek to here it could not either, and both
        // ways have to give the same samples.
        let before = (self.next + skipped)
            .checked_sub(1)
            .and_then(|i| self.entries.get(i));
        let follows_gap = before.is_some_and(PacketEntry::is_lost);
        self.next += skipped + 1;
        let number = self.next as u64;
        if entry.size > MAX_PACKET_BYTES {
            return Err(CodecFault::Damaged(format!(
                "packet {number} claims {} bytes",
                entry.size
            )));
        }
        let mut data = vec![0; entry.size as usize];
        self.file
            .seek(SeekFrom::Start(entry.offset))
            .map_err(CodecFault::Io)?;
        self.file
            .read_exact(&mut data)
            .map_err(|e| match e.kind() {
                io::ErrorKind::UnexpectedEof => CodecFault::Truncated,
                _ => CodecFault::Io(e),
            })?;
        let mut packet = Packet::new(signed(entry.at), u64::from(entry.frames), number, data);
        packet.follows_gap = follows_gap;
        Ok(Some(packet))
    }

    /// Returns the bytes of up to `count` packets from the start of the stream. Lost and unreadable ones are left out,
    /// one at the end of a truncated file is shorter than its entry.
    pub(crate) fn read_first(&self, count: usize) -> Vec<Vec<u8>> {
        let present = self
            .entries
            .iter()
            .filter(|e| !e.is_lost() && e.size <= MAX_PACKET_BYTES)
            .take(count);
        present
            .filter_map(|e| self.read_available(e).ok())
            .collect()
    }

    fn read_available(&self, entry: &PacketEntry) -> io::Result<Vec<u8>> {
        let mut file = &self.file;
        let mut data = Vec::new();
        file.seek(SeekFrom::Start(entry.offset))?;
        file.take(u64::from(entry.size)).read_to_end(&mut data)?;
        Ok(data)
    }

    /// Makes the packet that contains stream position `to` the next one.
    pub(crate) fn seek(&mut self, to: u64) {
        self.next = self
            .entries
            .partition_point(|e| e.at + u64::from(e.frames) <= to);
    }
}
