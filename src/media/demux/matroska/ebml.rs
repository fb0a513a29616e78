//! Reads EBML, the element structure of Matroska (RFC 8794): every element has an identifier and a size, which is unknown
//! for a segment or cluster that was written to a pipe.

use crate::{media::demux::MAX_JUNK_BYTES, storage::InputFile};
use crc::{CRC_32_ISO_HDLC, Crc, Table};
use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// Size limit in bytes of the elements that are read as a whole: headers, and laced blocks.
const MAX_ELEMENT_BYTES: u64 = 16 << 20;

/// The checksum of elements.
pub(super) static CRC_32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);

/// Number of elements that have to follow one another for the reader to trust them after damage.
const RESYNC_ELEMENTS: usize = 3;

/// Identifiers of elements.
pub(super) mod id {
    pub(in super::super) const EBML: u32 = 0x1A45_DFA3;
    pub(in super::super) const VOID: u32 = 0xEC;
    pub(in super::super) const CRC_32: u32 = 0xBF;
    pub(in super::super) const SEGMENT: u32 = 0x1853_8067;
    pub(in super::super) const SEEK_HEAD: u32 = 0x114D_9B74;
    pub(in super::super) const INFO: u32 = 0x1549_A966;
    pub(in super::super) const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
    pub(in super::super) const DURATION: u32 = 0x4489;
    pub(in super::super) const TRACKS: u32 = 0x1654_AE6B;
    pub(in super::super) const TRACK_ENTRY: u32 = 0xAE;
    pub(in super::super) const TRACK_NUMBER: u32 = 0xD7;
    pub(in super::super) const TRACK_TYPE: u32 = 0x83;
    pub(in super::super) const NAME: u32 = 0x536E;
    pub(in super::super) const CODEC_ID: u32 = 0x86;
    pub(in super::super) const CODEC_PRIVATE: u32 = 0x63A2;
    pub(in super::super) const CODEC_DELAY: u32 = 0x56AA;
    pub(in super::super) const AUDIO: u32 = 0xE1;
    pub(in super::super) const SAMPLING_FREQUENCY: u32 = 0xB5;
    pub(in super::super) const CHANNELS: u32 = 0x9F;
    pub(in super::super) const BIT_DEPTH: u32 = 0x6264;
    pub(in super::super) const CONTENT_ENCODINGS: u32 = 0x6D80;
    pub(in super::super) const CONTENT_ENCODING: u32 = 0x6240;
    pub(in super::super) const CONTENT_ENCRYPTION: u32 = 0x5035;
    pub(in super::super) const CONTENT_COMPRESSION: u32 = 0x5034;
    pub(in super::super) const COMPRESSION_ALGORITHM: u32 = 0x4254;
    pub(in super::super) const COMPRESSION_SETTINGS: u32 = 0x4255;
    pub(in super::super) const CLUSTER: u32 = 0x1F43_B675;
    pub(in super::super) const TIMESTAMP: u32 = 0xE7;
    pub(in super::super) const POSITION: u32 = 0xA7;
    pub(in super::super) const PREV_SIZE: u32 = 0xAB;
    pub(in super::super) const SILENT_TRACKS: u32 = 0x5854;
    pub(in super::super) const SIMPLE_BLOCK: u32 = 0xA3;
    pub(in super::super) const BLOCK_GROUP: u32 = 0xA0;
    pub(in super::super) const BLOCK: u32 = 0xA1;
    pub(in super::super) const DISCARD_PADDING: u32 = 0x75A2;
    pub(in super::super) const CUES: u32 = 0x1C53_BB6B;
    pub(in super::super) const CHAPTERS: u32 = 0x1043_A770;
    pub(in super::super) const TAGS: u32 = 0x1254_C367;
    pub(in super::super) const ATTACHMENTS: u32 = 0x1941_A469;
}

/// The head of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) id: u32,
    /// File offset of its body.
    pub(super) body: u64,
    /// Size of its body in bytes; `None` if unknown.
    pub(super) size: Option<u64>,
}

impl Element {
    pub(super) fn end(&self) -> Option<u64> {
        self.size.map(|size| self.body.saturating_add(size))
    }
}

/// Reads elements of a file.
pub(super) struct EbmlReader {
    file: BufReader<InputFile>,
    position: u64,
    pub(super) len: u64,
}

impl EbmlReader {
    pub(super) fn new(file: &InputFile) -> Self {
        Self {
            file: BufReader::with_capacity(1 << 16, file.clone()),
            // Not 0, so that the first seek is done.
            position: u64::MAX,
            len: file.len(),
        }
    }

    /// Reads up to `n` bytes from file offset `at`, fewer at the end of the file.
    pub(super) fn bytes(&mut self, at: u64, n: u64) -> io::Result<Vec<u8>> {
        if self.position == u64::MAX {
            self.file.seek(SeekFrom::Start(at))?;
        } else if at != self.position {
            let distance = i128::from(at) - i128::from(self.position);
            match i64::try_from(distance) {
                Ok(distance) => self.file.seek_relative(distance)?,
                Err(_) => {
                    self.file.seek(SeekFrom::Start(at))?;
                }
            }
        }
        let mut data = Vec::new();
        (&mut self.file).take(n).read_to_end(&mut data)?;
        self.position = at + data.len() as u64;
        Ok(data)
    }

    /// Reads the head of the element at file offset `at`; `None` if there is none, or only a part of one.
    pub(super) fn element(&mut self, at: u64) -> io::Result<Option<Element>> {
        let head = self.bytes(at, 12)?;
        Ok(parse_element(&head).map(|(id, size, width)| Element {
            id,
            body: at + width,
            size,
        }))
    }

    /// Reads the body of an element that is in the file as a whole and not too large.
    pub(super) fn body(&mut self, element: &Element) -> io::Result<Option<Vec<u8>>> {
        let Some(size) = element.size.filter(|size| *size <= MAX_ELEMENT_BYTES) else {
            return Ok(None);
        };
        let data = self.bytes(element.body, size)?;
        Ok((data.len() as u64 == size).then_some(data))
    }

    /// Returns the offset of the next cluster or block at or after `at`; the end of the file if there is none nearby.
    pub(super) fn find_block(&mut self, mut at: u64, limit: u64) -> io::Result<u64> {
        const PIECE: u64 = 1 << 12;
        let search_end = self.len.min(at.saturating_add(MAX_JUNK_BYTES));
        while at < search_end {
            let data = self.bytes(at, PIECE)?;
            for (offset, byte) in (at..).zip(&data) {
                let is_candidate = [0xA3, 0xA0, 0x1F].contains(byte);
                if is_candidate && self.is_block_chain(offset, limit)? {
                    return Ok(offset);
                }
            }
            if (data.len() as u64) < PIECE {
                break;
            }
            at += PIECE;
        }
        Ok(self.len)
    }

    /// Returns whether elements of blocks follow one another from file offset `at` on.
    fn is_block_chain(&mut self, mut at: u64, limit: u64) -> io::Result<bool> {
        for _ in 0..RESYNC_ELEMENTS {
            if at == limit {
                break;
            }
            let Some(element) = self.element(at)? else {
                return Ok(false);
            };
            match (element.id, element.end()) {
                (id::CLUSTER, _) => break,
                (id::SIMPLE_BLOCK | id::BLOCK_GROUP, Some(end)) if end <= limit => at = end,
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// Parses the head of an element: identifier, size of the body (`None` if unknown), bytes that the head takes.
fn parse_element(data: &[u8]) -> Option<(u32, Option<u64>, u64)> {
    let id_width = data.first()?.leading_zeros() as usize + 1;
    let id = data.get(..id_width).filter(|_| id_width <= 4)?;
    let id = id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
    let (size, size_width) = parse_number(data.get(id_width..)?)?;
    let unknown = (1u64 << (7 * size_width)) - 1;
    Some((
        id,
        Some(size).filter(|size| *size != unknown),
        (id_width + size_width) as u64,
    ))
}

/// Parses a number of variable width without its length marker; returns how many bytes it takes, too.
pub(super) fn parse_number(data: &[u8]) -> Option<(u64, usize)> {
    let width = data.first()?.leading_zeros() as usize + 1;
    let bytes = data.get(..width).filter(|_| width <= 8)?;
    let number = bytes
        .iter()
        .fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    Some((number & ((1 << (7 * width)) - 1), width))
}

/// Iterates over the elements in the body of another one.
pub(super) fn elements(mut data: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let (id, size, width) = parse_element(data)?;
        let body = data.get(usize::try_from(width).ok()?..)?;
        let size = usize::try_from(size?).ok()?.min(body.len());
        let (body, rest) = body.split_at_checked(size)?;
        data = rest;
        Some((id, body))
    })
}

/// Returns whether the CRC-32 at the start of an element's body is right (RFC 8794, 11.3.1); also if there is none.
pub(super) fn is_intact(body: &[u8]) -> bool {
    const CRC_ELEMENT_BYTES: usize = 6;
    let stated = elements(body)
        .next()
        .filter(|(id, crc)| *id == id::CRC_32 && crc.len() == 4);
    let rest = body.get(CRC_ELEMENT_BYTES..).unwrap_or_default();
    stated.is_none_or(|(_, crc)| crc == CRC_32.checksum(rest).to_le_bytes())
}

/// Parses the body of an unsigned integer element.
pub(super) fn unsigned_value(body: &[u8]) -> u64 {
    body.iter()
        .take(8)
        .fold(0, |n, byte| n << 8 | u64::from(*byte))
}

/// Parses the body of a signed integer element.
pub(super) fn signed_value(body: &[u8]) -> i64 {
    let bits = 8 * u32::try_from(body.len().min(8)).unwrap_or(8);
    let value = unsigned_value(body).cast_signed();
    // Extends the sign.
    value
        .checked_shl(64 - bits)
        .map_or(0, |shifted| shifted >> (64 - bits))
}

/// Parses the body of a floating point element.
pub(super) fn float_value(body: &[u8]) -> f64 {
    match body.len() {
        4 => body
            .first_chunk::<4>()
            .map_or(0.0, |b| f32::from_be_bytes(*b).into()),
        8 => body
            .first_chunk::<8>()
            .map_or(0.0, |b| f64::from_be_bytes(*b)),
        _ => 0.0,
    }
}

/// Makes an element with a size of two bytes.
#[cfg(test)]
pub(super) fn element(id: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = id
        .to_be_bytes()
        .into_iter()
        .skip_while(|b| *b == 0)
        .collect();
    let size = u16::try_from(body.len()).unwrap() | 0x4000;
    bytes.extend(size.to_be_bytes());
    bytes.extend(body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn element_heads_are_parsed_and_unknown_sizes_recognised() {
        assert_eq!(parse_element(&[0xA3, 0x85]), Some((0xA3, Some(5), 2)));
        assert_eq!(
            parse_element(&[
                0x1F, 0x43, 0xB6, 0x75, 0x01, 255, 255, 255, 255, 255, 255, 255
            ]),
            Some((id::CLUSTER, None, 12))
        );
        assert_eq!(parse_element(&[0xA3, 0xFF]), Some((0xA3, None, 2)));
        assert_eq!(parse_element(&[0xA3, 0x40, 0x02]), Some((0xA3, Some(2), 3)));
        assert_eq!(parse_element(&[0x00, 0x81]), None);
        assert_eq!(parse_element(&[0x1F, 0x43]), None);
    }

    #[test]
    fn a_cluster_is_found_behind_junk_longer_than_what_is_read_at_a_time() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let bytes = [&[0x55; 10_000][..], &element(id::CLUSTER, &[])].concat();
        io::Write::write_all(&mut file, &bytes).unwrap();
        let mut reader = EbmlReader::new(&InputFile::open(file.path()).unwrap());
        let limit = bytes.len() as u64;
        assert_eq!(reader.find_block(3, limit).unwrap(), 10_000);
        assert_eq!(reader.find_block(10_001, limit).unwrap(), limit);
    }

    #[test]
    fn a_checksum_at_the_start_covers_the_rest() {
        let rest = [0xE7, 0x81, 5];
        let crc = CRC_32.checksum(&rest).to_le_bytes();
        let mut body = [&[0xBF, 0x84][..], &crc, &rest].concat();
        assert!(is_intact(&body) && is_intact(&rest));
        body[8] ^= 1;
        assert!(!is_intact(&body));
    }

    #[test]
    fn numbers_of_each_kind() {
        assert_eq!(signed_value(&[0xFF, 0x38]), -200);
        assert_eq!(signed_value(&[0x14, 0x58, 0x55]), 1_333_333);
        assert_eq!(signed_value(&[]), 0);
        assert_eq!(unsigned_value(&[1, 0]), 256);
        assert_eq!(float_value(&44_100f32.to_be_bytes()), 44_100.0);
        assert_eq!(float_value(&0.5f64.to_be_bytes()), 0.5);
    }
}
