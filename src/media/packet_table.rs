//! Reads packets through a table of their file offsets, for containers whose packets this crate finds itself: MPEG
//! audio, ADTS, MP4, Matroska and Ogg.
//!
//! Entries are in order. Time between two of them is silence that the container states; a lost packet is an entry of
//! its own.

use super::{
    codec_fault::CodecFault, demux::signed, sparse_reader::ByteRange, symphonia_adapter::Packet,
};
use crate::storage::InputFile;
use std::{
    collections::HashMap,
    io::{self, Read, Seek, SeekFrom},
};

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

    /// Returns the stream position of its exclusive end.
    pub(crate) fn end(&self) -> u64 {
        self.at.saturating_add(self.frames.into())
    }
}

/// All packets of a stream, with a read position.
pub(crate) struct PacketTable {
    file: InputFile,
    entries: Vec<PacketEntry>,
    next: usize,
    /// Bytes that every packet begins with and the file leaves out.
    prefix: Vec<u8>,
    /// The ranges of packets that are in several places, by the file offset of the first.
    parts: HashMap<u64, Vec<ByteRange>>,
}

impl PacketTable {
    pub(crate) fn new(file: InputFile, entries: Vec<PacketEntry>) -> Self {
        Self {
            file,
            entries,
            next: 0,
            prefix: Vec::new(),
            parts: HashMap::new(),
        }
    }

    /// Puts `prefix` in front of every packet.
    pub(crate) fn with_prefix(mut self, prefix: Vec<u8>) -> Self {
        self.prefix = prefix;
        self
    }

    /// Sets the ranges of packets that are in several places, by the file offset of the first range.
    pub(crate) fn with_parts(mut self, parts: HashMap<u64, Vec<ByteRange>>) -> Self {
        self.parts = parts;
        self
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
        let follows_loss = before.is_some_and(PacketEntry::is_lost);
        let follows_silence = !follows_loss && before.is_some_and(|b| b.end() < entry.at);
        self.next += skipped + 1;
        let number = self.next as u64;
        if entry.size > MAX_PACKET_BYTES {
            return Err(CodecFault::Damaged(format!(
                "packet {number} claims {} bytes",
                entry.size
            )));
        }
        let data = self.read_whole(entry)?;
        let mut packet = Packet::new(signed(entry.at), u64::from(entry.frames), number, data);
        (packet.follows_loss, packet.follows_silence) = (follows_loss, follows_silence);
        Ok(Some(packet))
    }

    /// Reads the bytes of a packet.
    fn read_whole(&self, entry: &PacketEntry) -> Result<Vec<u8>, CodecFault> {
        let data = self.read_available(entry).map_err(CodecFault::Io)?;
        if data.len() < self.prefix.len() + entry.size as usize {
            return Err(CodecFault::Truncated);
        }
        Ok(data)
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

    /// Reads the bytes of a packet as far as they are in the file.
    fn read_available(&self, entry: &PacketEntry) -> io::Result<Vec<u8>> {
        let mut data = Vec::with_capacity(self.prefix.len() + entry.size as usize);
        data.extend_from_slice(&self.prefix);
        let whole = [ByteRange {
            start: entry.offset,
            len: entry.size.into(),
        }];
        let parts = self.parts.get(&entry.offset);
        for part in parts.map_or(&whole[..], Vec::as_slice) {
            let mut file = &self.file;
            file.seek(SeekFrom::Start(part.start))?;
            file.take(part.len).read_to_end(&mut data)?;
        }
        Ok(data)
    }

    /// Makes the packet that contains stream position `to` the next one.
    pub(crate) fn seek(&mut self, to: u64) {
        // A packet that decodes to nothing belongs to the one behind it.
        let is_before = |e: &PacketEntry| e.end() < to || e.end() == to && e.frames > 0;
        self.next = self.entries.partition_point(is_before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of a file with the bytes 0 to 9: two bytes, a lost one, one that decodes to nothing, and one that is cut.
    fn table() -> PacketTable {
        let entry = |at, offset, size, frames| PacketEntry {
            at,
            offset,
            size,
            frames,
        };
        let entries = vec![
            entry(0, 2, 2, 10),
            entry(10, 0, 0, 10),
            entry(20, 4, 2, 0),
            entry(20, 6, 2, 10),
            entry(30, 8, 4, 10),
        ];
        PacketTable::new(InputFile::in_memory((0..10).collect()), entries)
    }

    #[test]
    fn the_first_packets_are_those_that_are_there() {
        assert_eq!(table().read_first(0), Vec::<Vec<u8>>::new());
        assert_eq!(table().read_first(2), [[2, 3], [4, 5]]);
        assert_eq!(table().read_first(9), [[2, 3], [4, 5], [6, 7], [8, 9]]);
        let prefixed = table().with_prefix(vec![77]);
        assert_eq!(prefixed.read_first(1), [[77, 2, 3]]);
        let mut huge = table();
        huge.entries[0].size = MAX_PACKET_BYTES + 1;
        assert_eq!(huge.read_first(1), [[4, 5]]);
    }

    #[test]
    fn a_seek_finds_the_packet_with_the_position() {
        let mut table = table();
        for (to, next) in [
            (0, 0),
            (9, 0),
            (10, 1),
            (19, 1),
            (20, 2),
            (21, 3),
            (29, 3),
            (30, 4),
            (39, 4),
            (40, 5),
        ] {
            table.seek(to);
            assert_eq!(table.next, next, "{to}");
        }
    }
}
