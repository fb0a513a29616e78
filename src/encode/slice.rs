//! Chunk that marks a file as a slice of a longer file and holds the header of the longer file.
//!
//! The chunk contains the header of the longer file byte for byte, so joining slices needs no
//! interpretation of it. Layout, little-endian: version (4 bytes), first frame, length of the
//! longer file in frames, mix identifier (8 bytes each), header up to and including the first eight
//! bytes of its `data` chunk.

use crate::units::Frames;

const VERSION: u32 = 1;

/// Position of a file within a longer file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// First frame of the slice within the longer file.
    pub start: Frames,
    /// Length of the longer file.
    pub whole: Frames,
    /// Identifier shared by all slices of one mix.
    pub mix: u64,
}

impl Slice {
    /// Returns the body of the chunk, given the header of the longer file.
    pub(super) fn chunk_body(&self, header: &[u8]) -> Vec<u8> {
        let mut chunk_body = Vec::from(VERSION.to_le_bytes());
        [self.start.0, self.whole.0, self.mix]
            .iter()
            .for_each(|n| chunk_body.extend(n.to_le_bytes()));
        chunk_body.extend(header);
        chunk_body
    }

    /// Parses the body of the chunk: the slice, and the header of the longer file. `None` for
    /// another version.
    pub(crate) fn parse(chunk: &[u8]) -> Option<(Self, &[u8])> {
        let (version, rest) = chunk.split_first_chunk()?;
        let (start, rest) = rest.split_first_chunk()?;
        let (whole, rest) = rest.split_first_chunk()?;
        let (mix, header) = rest.split_first_chunk()?;
        let [start, whole, mix] = [start, whole, mix].map(|bytes| u64::from_le_bytes(*bytes));
        let known = u32::from_le_bytes(*version) == VERSION;
        known.then_some((
            Self {
                start: Frames(start),
                whole: Frames(whole),
                mix,
            },
            header,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_holds_its_fields_in_order_and_is_read_back() {
        let slice = Slice {
            start: Frames(0x0102),
            whole: Frames(1 << 40),
            mix: 0xFEDC_BA98_7654_3210,
        };
        let body = slice.chunk_body(b"header");
        let fields = b"\x01\0\0\0\x02\x01\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\x10\x32\x54\x76\x98\xBA\xDC\xFEheader";
        assert_eq!(body, fields);
        assert_eq!(Slice::parse(&body), Some((slice, &b"header"[..])));
        assert_eq!(Slice::parse(&body[..27]), None);
        let other_version = [&[2][..], &body[1..]].concat();
        assert_eq!(Slice::parse(&other_version), None);
    }
}
