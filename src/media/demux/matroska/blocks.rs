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
    use super::{super::ebml::element, *};

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

    /// States a result of a reader, without the first bytes of packets.
    #[derive(Debug, PartialEq)]
    enum Seen {
        /// Timestamp, offsets and sizes of the packets, padding, and whether it is doubtful.
        Block(i64, Vec<(u64, u32)>, i64, bool),
        Damage,
        Cut,
        OtherSegment,
        End,
    }

    fn block(track: u8, relative: i16, data: &[u8]) -> Vec<u8> {
        let [high, low] = relative.to_be_bytes();
        [&[0x80 | track, high, low, 0], data].concat()
    }

    fn simple(relative: i16) -> Vec<u8> {
        element(id::SIMPLE_BLOCK, &block(1, relative, &[7; 4]))
    }

    fn cluster(parts: &[Vec<u8>]) -> Vec<u8> {
        element(id::CLUSTER, &parts.concat())
    }

    /// Returns all that a reader finds of track 1 in a segment that begins with the file.
    fn seen(bytes: &[u8], segment_end: Option<u64>) -> Vec<Seen> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        io::Write::write_all(&mut file, bytes).unwrap();
        let file = InputFile::open(file.path()).unwrap();
        let header = Header {
            segment: 0,
            segment_end,
            scale: 1,
            duration: 0.0,
            tracks: Vec::new(),
            all_tracks: 1,
            is_damaged: false,
        };
        let track = MatroskaTrack {
            number: 1,
            ..MatroskaTrack::default()
        };
        let mut reader = BlockReader::new(&file, &header, &track);
        let mut all = Vec::new();
        loop {
            let last = match reader.next().unwrap() {
                Found::Block(block) => {
                    let packets = block.packets.iter().map(|p| (p.0, p.1)).collect();
                    let (padding, doubtful) = (block.discard_padding, block.is_doubtful);
                    all.push(Seen::Block(block.timestamp, packets, padding, doubtful));
                    continue;
                }
                Found::Damage => {
                    all.push(Seen::Damage);
                    continue;
                }
                Found::Cut => Seen::Cut,
                Found::OtherSegment => Seen::OtherSegment,
                Found::End => Seen::End,
            };
            all.push(last);
            return all;
        }
    }

    /// A block of one packet of four bytes at a file offset.
    fn at(timestamp: i64, offset: u64) -> Seen {
        Seen::Block(timestamp, vec![(offset, 4)], 0, false)
    }

    #[test]
    fn blocks_have_the_time_of_their_cluster_and_their_own() {
        let group = [
            element(id::BLOCK, &block(1, -3, &[7; 6])),
            element(id::DISCARD_PADDING, &[0xF9]),
        ];
        let laced = [&[0x81, 0, 9, 4, 1][..], &[7; 6]].concat();
        let bytes = cluster(&[
            element(id::TIMESTAMP, &[1, 0]),
            simple(5),
            element(id::SIMPLE_BLOCK, &block(2, 0, &[7; 4])),
            element(id::VOID, &[0; 3]),
            element(id::BLOCK_GROUP, &group.concat()),
            element(id::SIMPLE_BLOCK, &laced),
        ]);
        let found = [
            at(261, 18),
            Seen::Block(253, vec![(49, 6)], -7, false),
            Seen::Block(265, vec![(68, 3), (71, 3)], 0, false),
            Seen::End,
        ];
        assert_eq!(seen(&bytes, None), found);
        assert_eq!(seen(&bytes, Some(bytes.len() as u64)), found);
        // Clusters of unknown size end where another begins.
        let open = [&[0x1F, 0x43, 0xB6, 0x75, 0xFF][..], &simple(1)].concat();
        let both = [open.clone(), open].concat();
        assert_eq!(seen(&both, None), [at(1, 12), at(1, 28), Seen::End]);
    }

    #[test]
    fn a_cluster_with_a_wrong_checksum_is_doubtful() {
        let rest = simple(1);
        let crc = CRC_32.checksum(&rest);
        for (stated, is_doubtful) in [(crc, false), (crc ^ 1, true)] {
            let crc = element(id::CRC_32, &stated.to_le_bytes());
            let bytes = [cluster(&[crc, rest.clone()]), cluster(&[simple(2)])].concat();
            let first = Seen::Block(1, vec![(20, 4)], 0, is_doubtful);
            assert_eq!(seen(&bytes, None), [first, at(2, 37), Seen::End]);
        }
    }

    #[test]
    fn the_end_is_that_of_the_segment_or_a_cut() {
        let one = cluster(&[simple(1), simple(2)]);
        let len = one.len() as u64;
        let [first, second] = [at(1, 13), at(2, 24)];
        let all = |last| vec![at(1, 13), at(2, 24), last];
        assert_eq!(seen(&one, Some(len + 1)), all(Seen::Cut));
        let junk = [&one[..], &[0; 20]].concat();
        assert_eq!(seen(&junk, Some(len)), all(Seen::End));
        let other = [&one[..], &element(id::EBML, &[0; 9])].concat();
        assert_eq!(seen(&other, Some(len)), all(Seen::OtherSegment));
        assert_eq!(seen(&other, None), all(Seen::OtherSegment));
        // In a block, behind one, and in its header.
        assert_eq!(seen(&one[..27], None), [first, Seen::Cut]);
        assert_eq!(seen(&one[..17], None), [at(1, 13), Seen::Cut]);
        assert_eq!(seen(&one[..18], None), [at(1, 13), Seen::Cut]);
        assert_eq!(second, at(2, 24));
        // In what holds no audio.
        let cues = [&one[..], &element(id::CUES, &[0; 50])].concat();
        assert_eq!(seen(&cues[..cues.len() - 9], None), all(Seen::End));
        assert_eq!(seen(&cues, None), all(Seen::End));
    }

    #[test]
    fn what_cannot_be_read_is_skipped_to_the_next_block() {
        let damaged = |bad: Vec<u8>| {
            let bytes = cluster(&[simple(1), bad.clone(), simple(2), simple(3)]);
            let behind = 17 + bad.len() as u64;
            let blocks = [
                at(1, 13),
                Seen::Damage,
                at(2, behind + 7),
                at(3, behind + 18),
                Seen::End,
            ];
            assert_eq!(seen(&bytes, None), blocks, "{bad:?}");
        };
        // A track number of zeros, a block without its flags, and one that ends behind its cluster.
        damaged(element(id::SIMPLE_BLOCK, &[0; 8]));
        damaged(element(id::SIMPLE_BLOCK, &[0x81, 0, 0]));
        damaged(vec![0xA3, 0x4F, 0xFF, 0x81, 0, 0, 0]);
        // Lacing that does not divide, and a block that ends behind its group.
        damaged(element(id::SIMPLE_BLOCK, &[0x81, 0, 0, 4, 1, 7, 7, 7]));
        damaged(element(id::BLOCK_GROUP, &[0xA1, 0x50, 0, 0x81, 0, 0, 0]));
        damaged(vec![0; 16]);
    }

    #[test]
    fn a_checksum_of_many_pieces_is_that_of_the_whole() {
        let bytes: Vec<u8> = (0..200_000u32).map(|n| (n * 7 % 251) as u8).collect();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        io::Write::write_all(&mut file, &bytes).unwrap();
        let header = Header {
            segment: 0,
            segment_end: None,
            scale: 1,
            duration: 0.0,
            tracks: Vec::new(),
            all_tracks: 1,
            is_damaged: false,
        };
        let file = InputFile::open(file.path()).unwrap();
        let mut reader = BlockReader::new(&file, &header, &MatroskaTrack::default());
        for (from, to) in [(5, 150_000), (5, 9), (0, 200_000)] {
            let expected = CRC_32.checksum(&bytes[from..to]);
            assert_eq!(reader.checksum(from as u64, to as u64).unwrap(), expected);
        }
    }
}
