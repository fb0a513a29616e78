//! Finds the blocks of one track, one after another, over damaged and truncated data.

use super::{
    Header, MatroskaTrack,
    ebml::{CRC_32, EbmlReader, Element, id, parse_number, signed_value, unsigned_value},
};
use crate::{
    media::demux::{coded_stream::PACKET_HEAD_BYTES, signed},
    storage::InputFile,
};
use std::io;

/// Bytes at the start of a block that hold its header, the lacing aside.
const BLOCK_HEADER_BYTES: usize = 12;

/// Reads the blocks of a file, one after another.
pub(super) struct BlockReader<'a> {
    reader: EbmlReader,
    header: &'a Header,
    at: u64,
    /// End of the cluster that is read; `None` outside, and where its size is unknown.
    cluster_end: Option<u64>,
    cluster_timestamp: u64,
    /// Whether the CRC-32 of the cluster that is read is wrong.
    cluster_is_damaged: bool,
    /// Number of the wanted track.
    track: u64,
}

/// Item that a [`BlockReader`] returns.
pub(super) enum Found {
    Block(Block),
    /// Data that cannot be parsed was skipped.
    Damage,
    /// The file ends inside an element; of a block, what there is of its header.
    Cut,
    /// Another EBML header begins.
    OtherSegment,
    End,
}

/// A block of the wanted track.
pub(super) struct Block {
    /// In ticks.
    pub(super) timestamp: i64,
    /// File offset, size and first bytes of each packet.
    pub(super) packets: Vec<(u64, u32, Vec<u8>)>,
    /// In nanoseconds.
    pub(super) discard_padding: i64,
    /// Whether it is in a cluster whose CRC-32 is wrong.
    pub(super) is_doubtful: bool,
}

impl<'a> BlockReader<'a> {
    pub(super) fn new(file: &InputFile, header: &'a Header, track: &MatroskaTrack) -> Self {
        Self {
            reader: EbmlReader::new(file),
            header,
            at: header.segment,
            cluster_end: None,
            cluster_timestamp: 0,
            cluster_is_damaged: false,
            track: track.number,
        }
    }

    /// Finds the next block of the track.
    pub(super) fn next(&mut self) -> io::Result<Found> {
        loop {
            let len = self.reader.len;
            let segment_end = self.header.segment_end.unwrap_or(u64::MAX);
            if self.cluster_end.is_some_and(|end| self.at >= end) && self.at < len {
                self.cluster_end = None;
            }
            if self.at >= len.min(segment_end) {
                return self.end();
            }
            let Some(element) = self.reader.element(self.at)? else {
                let is_cut = len - self.at < 12;
                return if is_cut {
                    Ok(Found::Cut)
                } else {
                    self.skip_damage()
                };
            };
            let is_known = is_known(element.id);
            let limit = self.cluster_end.unwrap_or(segment_end).min(segment_end);
            let starts_cluster = element.id == id::CLUSTER;
            match element.end() {
                // A master element of unknown size is entered, all others have a size.
                None if starts_cluster => {}
                None => return self.skip_damage(),
                Some(end) if end > limit && !starts_cluster => return self.skip_damage(),
                Some(end) if end > len && is_known && !starts_cluster => {
                    let holds_audio = matches!(element.id, id::SIMPLE_BLOCK | id::BLOCK_GROUP);
                    self.at = len;
                    return Ok(if holds_audio { Found::Cut } else { Found::End });
                }
                Some(end) if end > len && !starts_cluster => return self.skip_damage(),
                Some(_) => {}
            }
            match element.id {
                id::EBML => return Ok(Found::OtherSegment),
                id::CLUSTER => self.enter_cluster(&element)?,
                id::TIMESTAMP => {
                    let body = self.reader.body(&element)?.unwrap_or_default();
                    self.cluster_timestamp = unsigned_value(&body);
                    self.skip(&element);
                }
                id::SIMPLE_BLOCK | id::BLOCK_GROUP => {
                    let parsed = if element.id == id::BLOCK_GROUP {
                        self.block_group(&element)?
                    } else {
                        self.block(&element)?
                    };
                    self.skip(&element);
                    match parsed {
                        ParsedBlock::Wanted(block) => return Ok(Found::Block(block)),
                        ParsedBlock::OtherTrack => {}
                        ParsedBlock::Unreadable => return Ok(Found::Damage),
                    }
                }
                _ => self.skip(&element),
            }
        }
    }

    /// Finds out how the file ends: where its segment does, before, or with more behind it.
    fn end(&mut self) -> io::Result<Found> {
        let len = self.reader.len;
        match self.header.segment_end {
            Some(end) if end > len => Ok(Found::Cut),
            Some(end) if end < len => {
                let next = self.reader.element(end)?;
                Ok(match next {
                    Some(next) if next.id == id::EBML => Found::OtherSegment,
                    _ => Found::End,
                })
            }
            _ if self.cluster_end.is_some_and(|end| end > len) => Ok(Found::Cut),
            _ => Ok(Found::End),
        }
    }

    fn skip(&mut self, element: &Element) {
        self.at = element.end().unwrap_or(self.reader.len);
    }

    /// Goes on with the next block or cluster.
    fn skip_damage(&mut self) -> io::Result<Found> {
        let limit = self
            .cluster_end
            .or(self.header.segment_end)
            .unwrap_or(u64::MAX)
            .min(self.reader.len);
        self.at = self.reader.find_block(self.at + 1, limit)?;
        if self.at >= limit {
            self.cluster_end = None;
        }
        Ok(Found::Damage)
    }

    /// Goes on in a cluster, whose CRC-32 is checked if it has one.
    fn enter_cluster(&mut self, cluster: &Element) -> io::Result<()> {
        self.at = cluster.body;
        self.cluster_end = cluster.end();
        self.cluster_is_damaged = false;
        let Some(end) = cluster.end().filter(|end| *end <= self.reader.len) else {
            return Ok(());
        };
        let first = self.reader.element(cluster.body)?;
        if let Some(crc) = first.filter(|e| e.id == id::CRC_32 && e.size == Some(4)) {
            let stated = self.reader.bytes(crc.body, 4)?;
            let actual = self.checksum(crc.body + 4, end)?;
            self.cluster_is_damaged = stated != actual.to_le_bytes();
        }
        Ok(())
    }

    /// Computes the CRC-32 of a range of the file (RFC 8794, 11.3.1).
    fn checksum(&mut self, mut at: u64, end: u64) -> io::Result<u32> {
        let mut digest = CRC_32.digest();
        while at < end {
            let piece = self.reader.bytes(at, (end - at).min(1 << 16))?;
            if piece.is_empty() {
                break;
            }
            digest.update(&piece);
            at += piece.len() as u64;
        }
        Ok(digest.finalize())
    }

    /// Reads the block in a block group.
    fn block_group(&mut self, group: &Element) -> io::Result<ParsedBlock> {
        let Some(end) = group.end() else {
            return Ok(ParsedBlock::Unreadable);
        };
        let mut at = group.body;
        let (mut block, mut padding) = (ParsedBlock::OtherTrack, 0);
        while at < end {
            let Some(element) = self.reader.element(at)? else {
                return Ok(ParsedBlock::Unreadable);
            };
            let Some(next) = element.end().filter(|next| *next <= end) else {
                return Ok(ParsedBlock::Unreadable);
            };
            match element.id {
                id::BLOCK => block = self.block(&element)?,
                id::DISCARD_PADDING => {
                    padding = signed_value(&self.reader.body(&element)?.unwrap_or_default());
                }
                _ => {}
            }
            at = next;
        }
        if let ParsedBlock::Wanted(block) = &mut block {
            block.discard_padding = padding;
        }
        Ok(block)
    }

    /// Reads a block.
    fn block(&mut self, element: &Element) -> io::Result<ParsedBlock> {
        let size = element.size.unwrap_or(0);
        let head = self.reader.bytes(
            element.body,
            size.min((BLOCK_HEADER_BYTES + PACKET_HEAD_BYTES) as u64),
        )?;
        let Some((track, width)) = parse_number(&head) else {
            return Ok(ParsedBlock::Unreadable);
        };
        let Some(&[high, low, flags]) = head.get(width..).and_then(|h| h.first_chunk::<3>()) else {
            return Ok(ParsedBlock::Unreadable);
        };
        if track != self.track {
            return Ok(ParsedBlock::OtherTrack);
        }
        let header_len = width as u64 + 3;
        let relative = i16::from_be_bytes([high, low]);
        let timestamp = signed(self.cluster_timestamp).saturating_add(relative.into());
        let packets = if flags & 0x06 == 0 {
            let Ok(bytes) = u32::try_from(size - header_len) else {
                return Ok(ParsedBlock::Unreadable);
            };
            let start = head.get(width + 3..).unwrap_or_default().to_vec();
            vec![(element.body + header_len, bytes, start)]
        } else {
            let Some(body) = self.reader.body(element)? else {
                return Ok(ParsedBlock::Unreadable);
            };
            let Some(laced) = unlace(flags, body.get(width + 3..).unwrap_or_default()) else {
                return Ok(ParsedBlock::Unreadable);
            };
            let mut offset = element.body + header_len + laced.offset as u64;
            let mut packets = Vec::with_capacity(laced.sizes.len());
            for size in laced.sizes {
                let start = usize::try_from(offset - element.body).unwrap_or(usize::MAX);
                let rest = body.get(start..).unwrap_or_default();
                let head = rest.get(..size.min(PACKET_HEAD_BYTES)).unwrap_or_default();
                let bytes = u32::try_from(size).unwrap_or(u32::MAX);
                packets.push((offset, bytes, head.to_vec()));
                offset += size as u64;
            }
            packets
        };
        Ok(ParsedBlock::Wanted(Block {
            timestamp,
            packets,
            discard_padding: 0,
            is_doubtful: self.cluster_is_damaged,
        }))
    }
}

/// A block as far as it could be parsed.
enum ParsedBlock {
    Wanted(Block),
    /// It belongs to another track.
    OtherTrack,
    Unreadable,
}

/// Returns whether an element belongs into a segment or a cluster.
fn is_known(id: u32) -> bool {
    matches!(
        id,
        id::EBML
            | id::VOID
            | id::CRC_32
            | id::SEEK_HEAD
            | id::INFO
            | id::TRACKS
            | id::CLUSTER
            | id::TIMESTAMP
            | id::POSITION
            | id::PREV_SIZE
            | id::SILENT_TRACKS
            | id::SIMPLE_BLOCK
            | id::BLOCK_GROUP
            | id::CUES
            | id::CHAPTERS
            | id::TAGS
            | id::ATTACHMENTS
    )
}

/// Sizes of the packets in a laced block, and the offset of the first one.
struct Laced {
    sizes: Vec<usize>,
    offset: usize,
}

/// Parses the lacing of a block (RFC 9559, 10.3).
fn unlace(flags: u8, data: &[u8]) -> Option<Laced> {
    const XIPH: u8 = 0x02;
    const FIXED_SIZE: u8 = 0x04;
    let (&count, mut rest) = data.split_first()?;
    let count = usize::from(count) + 1;
    let mut sizes = Vec::with_capacity(count);
    match flags & 0x06 {
        FIXED_SIZE => {
            (rest.len() % count == 0).then_some(())?;
            sizes.resize(count, rest.len() / count);
        }
        XIPH => {
            for _ in 1..count {
                let mut size = 0;
                loop {
                    let (&byte, tail) = rest.split_first()?;
                    rest = tail;
                    size += usize::from(byte);
                    if byte < 255 {
                        break;
                    }
                }
                sizes.push(size);
            }
        }
        _ => {
            let mut size = 0i64;
            for packet in 1..count {
                let (number, width) = parse_number(rest)?;
                rest = rest.get(width..)?;
                let number = i64::try_from(number).ok()?;
                // All but the first are differences, stored with half of their range added.
                size = if packet == 1 {
                    number
                } else {
                    size + number - ((1 << (7 * width - 1)) - 1)
                };
                sizes.push(usize::try_from(size).ok()?);
            }
        }
    }
    if sizes.len() < count {
        let used: usize = sizes.iter().sum();
        sizes.push(rest.len().checked_sub(used)?);
    }
    let offset = data.len() - rest.len();
    Some(Laced { sizes, offset })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lacing_of_each_kind() {
        let sizes = |flags, data: &[u8]| unlace(flags, data).map(|l| (l.sizes, l.offset));
        let data = [&[1, 255, 3][..], &[0; 300]].concat();
        assert_eq!(sizes(0x02, &data), Some((vec![258, 42], 3)));
        assert_eq!(
            sizes(0x04, &[2, 0, 0, 0, 0, 0, 0]),
            Some((vec![2, 2, 2], 1))
        );
        // 800, then 500 less, then the rest (RFC 9559, 10.3.3).
        let data = [&[2, 0x43, 0x20, 0x5E, 0x0B][..], &[0; 2100]].concat();
        assert_eq!(sizes(0x06, &data), Some((vec![800, 300, 1000], 5)));
        assert_eq!(sizes(0x02, &[1, 9, 0]), None);
        assert_eq!(sizes(0x04, &[1, 0, 0, 0]), None);
    }
}
