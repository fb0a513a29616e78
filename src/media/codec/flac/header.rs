//! The stream information and the headers of frames (RFC 9639, 8.2 and 9.1).

use crc::{CRC_8_SMBUS, Crc};

/// Checksum of a frame header (RFC 9639, 9.1.8).
const CRC_8: Crc<u8> = Crc::<u8>::new(&CRC_8_SMBUS);

/// Longest frame header in bytes.
pub(crate) const MAX_HEADER_BYTES: usize = 16;

/// Minimum number of bits per sample.
const MIN_BITS: u8 = 4;

/// The STREAMINFO metadata block (RFC 9639, 8.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamInfo {
    /// Minimum block size in frames; in a stream of fixed block size that of all frames but the last.
    pub(crate) block_frames: u32,
    /// Maximum block size in frames.
    pub(crate) max_block_frames: u16,
    /// Sample rate in Hz.
    pub(crate) rate: u32,
    pub(crate) channels: u8,
    /// Bits per sample.
    pub(crate) bits: u8,
    /// Number of audio frames; 0 if unknown.
    pub(crate) frames: u64,
    /// MD5 of the audio; zeros if unknown.
    pub(crate) md5: [u8; 16],
}

impl StreamInfo {
    /// Parses the 34 bytes of the block.
    pub(crate) fn parse(data: &[u8]) -> Option<Self> {
        let &[block_0, block_1, max_0, max_1, ..] = data.first_chunk::<34>()?;
        let word = u64::from_be_bytes(*data.get(10..18)?.first_chunk::<8>()?);
        let field = |shift: u32, bits: u32| word >> shift & ((1 << bits) - 1);
        Some(Self {
            block_frames: u16::from_be_bytes([block_0, block_1]).into(),
            max_block_frames: u16::from_be_bytes([max_0, max_1]),
            frames: field(0, 36),
            rate: u32::try_from(field(44, 20)).ok()?,
            channels: u8::try_from(field(41, 3)).ok()? + 1,
            bits: u8::try_from(field(36, 5) + 1)
                .ok()
                .filter(|bits| *bits >= MIN_BITS)?,
            md5: *data.get(18..)?.first_chunk()?,
        })
    }
}

impl StreamInfo {
    /// Corrects the block size of a stream of fixed block size, whose first frame is given.
    ///
    /// Some encoders state the size of the last block as the minimum, though RFC 9639 (8.2) excludes it; and 65,536 does
    /// not fit the field.
    pub(crate) fn set_block_frames(&mut self, first: &FrameHeader) {
        let max = u32::from(self.max_block_frames);
        let is_stated = self.block_frames == max && first.frames <= max;
        if first.counts_blocks && !is_stated {
            self.block_frames = first.frames;
        }
    }
}

/// How the channels of a frame are coded (RFC 9639, 9.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channels {
    /// Each by itself.
    Independent(u8),
    /// Left, and left minus right.
    LeftSide,
    /// Left minus right, and right.
    SideRight,
    /// Half of the sum, rounded down, and left minus right.
    MidSide,
}

impl Channels {
    pub(crate) fn count(self) -> u8 {
        match self {
            Self::Independent(count) => count,
            Self::LeftSide | Self::SideRight | Self::MidSide => 2,
        }
    }

    /// Returns the channel that holds the difference, which has one bit more; `None` if none does.
    pub(crate) fn side(self) -> Option<usize> {
        match self {
            Self::Independent(_) => None,
            Self::SideRight => Some(0),
            Self::LeftSide | Self::MidSide => Some(1),
        }
    }
}

/// A frame header (RFC 9639, 9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    /// Whether `number` counts blocks of a fixed size; otherwise it counts frames.
    counts_blocks: bool,
    number: u64,
    /// Block size: the number of audio frames.
    pub(crate) frames: u32,
    /// Sample rate in Hz.
    pub(crate) rate: u32,
    pub(crate) channels: Channels,
    /// Bits per sample.
    pub(crate) bits: u8,
    /// Size of the header in bytes, its checksum included.
    pub(crate) size: usize,
}

impl FrameHeader {
    /// Parses a header whose checksum is right. STREAMINFO supplies what the header leaves to it.
    pub(crate) fn parse(data: &[u8], info: &StreamInfo) -> Option<Self> {
        let &[0xFF, b1 @ (0xF8 | 0xF9), b2, b3, ..] = data else {
            return None;
        };
        let channels = match b3 >> 4 {
            n @ 0..=7 => Channels::Independent(n + 1),
            8 => Channels::LeftSide,
            9 => Channels::SideRight,
            10 => Channels::MidSide,
            _ => return None,
        };
        let bits = match b3 >> 1 & 7 {
            0 => info.bits,
            1 => 8,
            2 => 12,
            4 => 16,
            5 => 20,
            6 => 24,
            7 => 32,
            _ => return None,
        };
        // The number is coded like a UTF-8 character of up to seven bytes.
        let lead = *data.get(4)?;
        let more = match lead.leading_ones() {
            0 => 0,
            n @ 2..=7 => usize::try_from(n).ok()? - 1,
            _ => return None,
        };
        let mut number = u64::from(lead & (0x7Fu8 >> more));
        for b in data.get(5..5 + more)? {
            number = number << 6 | u64::from(b & 0x3F);
        }
        let mut at = 5 + more;
        let byte = |at: usize| data.get(at).copied().map(u32::from);
        let (frames, size_bytes) = match b2 >> 4 {
            1 => (192, 0),
            n @ 2..=5 => (576 << (n - 2), 0),
            6 => (byte(at)? + 1, 1),
            7 => ((byte(at)? << 8 | byte(at + 1)?) + 1, 2),
            n @ 8.. => (256 << (n - 8), 0),
            _ => return None,
        };
        at += size_bytes;
        let (rate, rate_bytes) = match b2 & 15 {
            0 => (info.rate, 0),
            12 => (byte(at)? * 1000, 1),
            13 => (byte(at)? << 8 | byte(at + 1)?, 2),
            14 => ((byte(at)? << 8 | byte(at + 1)?) * 10, 2),
            // 15 is invalid.
            i => {
                let rates = [
                    88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100,
                    48_000, 96_000,
                ];
                (*rates.get(usize::from(i) - 1)?, 0)
            }
        };
        at += rate_bytes;
        let crc = CRC_8.checksum(data.get(..at)?);
        (data.get(at) == Some(&crc)).then_some(Self {
            counts_blocks: b1 & 1 == 0,
            number,
            frames,
            rate,
            channels,
            bits,
            size: at + 1,
        })
    }

    /// Returns whether its format is that of the stream.
    pub(crate) fn agrees(&self, info: &StreamInfo) -> bool {
        (self.rate, self.channels.count(), self.bits) == (info.rate, info.channels, info.bits)
    }

    /// Returns the position of the frame in the stream, in audio frames.
    pub(crate) fn position(&self, info: &StreamInfo) -> u64 {
        if self.counts_blocks {
            self.number.saturating_mul(info.block_frames.into())
        } else {
            self.number
        }
    }

    /// Returns the position of the frame behind it, in audio frames.
    pub(crate) fn end(&self, info: &StreamInfo) -> u64 {
        self.position(info).saturating_add(self.frames.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: StreamInfo = StreamInfo {
        block_frames: 4096,
        max_block_frames: 4096,
        rate: 44_100,
        channels: 2,
        bits: 16,
        frames: 0,
        md5: [0; 16],
    };

    /// Returns a header with its checksum.
    fn with_crc(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.push(CRC_8.checksum(&bytes));
        bytes
    }

    #[test]
    fn the_example_of_the_standard_is_parsed() {
        // RFC 9639, appendix D.1.3: one frame of 16-bit stereo, block size 1.
        let bytes = [0xFF, 0xF8, 0x69, 0x18, 0x00, 0x00, 0xBF];
        let header = FrameHeader::parse(&bytes, &INFO).unwrap();
        assert_eq!((header.frames, header.rate, header.bits), (1, 44_100, 16));
        assert_eq!(header.channels, Channels::Independent(2));
        assert_eq!((header.position(&INFO), header.size), (0, 7));
        assert!(header.agrees(&INFO));
    }

    #[test]
    fn numbers_of_up_to_36_bits_are_read() {
        let bytes = with_crc(vec![
            0xFF, 0xF9, 0xC9, 0xA8, 0xFE, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF,
        ]);
        let header = FrameHeader::parse(&bytes, &INFO).unwrap();
        assert_eq!(header.position(&INFO), (1 << 36) - 1);
        assert_eq!(header.end(&INFO), (1 << 36) + 4095);
        let bytes = with_crc(vec![0xFF, 0xF8, 0xC9, 0xA8, 0xC4, 0x80]);
        let header = FrameHeader::parse(&bytes, &INFO).unwrap();
        assert_eq!(header.position(&INFO), 256 * 4096);
    }

    #[test]
    fn any_changed_bit_of_a_header_is_noticed() {
        let bytes = with_crc(vec![
            0xFF, 0xF8, 0x7E, 0x9A, 0xC4, 0x80, 0x0F, 0xFF, 0xAC, 0x44,
        ]);
        let header = FrameHeader::parse(&bytes, &INFO).unwrap();
        assert_eq!((header.frames, header.rate), (4096, 441_000));
        for bit in 0..8 * bytes.len() {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FrameHeader::parse(&changed, &INFO), None, "bit {bit}");
        }
    }

    /// Parses a header of the block size code and rate code `b2`, and the channel and sample size codes `b3`.
    fn parsed(b2: u8, b3: u8, rest: &[u8]) -> Option<FrameHeader> {
        let bytes = with_crc([&[0xFF, 0xF8, b2, b3, 3], rest].concat());
        let header = FrameHeader::parse(&bytes, &INFO)?;
        assert_eq!(
            (header.size, header.position(&INFO)),
            (bytes.len(), 3 * 4096)
        );
        Some(header)
    }

    #[test]
    fn codes_of_block_sizes_and_rates_are_those_of_the_standard() {
        // RFC 9639, tables 14 and 15.
        let sizes = [192, 576, 1152, 2304, 4608];
        let powers = [256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768];
        let frames = |code: u8, rest: &[u8]| parsed(code << 4, 0, rest).map(|h| h.frames);
        for (code, size) in (1..).zip(sizes).chain((8..).zip(powers)) {
            assert_eq!(frames(code, &[]), Some(size));
        }
        assert_eq!(frames(0, &[]), None);
        assert_eq!(frames(6, &[200]), Some(201));
        assert_eq!(frames(7, &[200, 100]), Some(51_301));

        let rates = [
            44_100, 88_200, 176_400, 192_000, 8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
            96_000,
        ];
        let rate = |code: u8, rest: &[u8]| parsed(0x10 | code, 0, rest).map(|h| h.rate);
        for (code, hz) in (0..).zip(rates) {
            assert_eq!(rate(code, &[]), Some(hz));
        }
        assert_eq!(rate(12, &[200]), Some(200_000));
        assert_eq!(rate(13, &[200, 100]), Some(51_300));
        assert_eq!(rate(14, &[200, 100]), Some(513_000));
        assert_eq!(rate(15, &[]), None);
        let both = parsed(0x7D, 0, &[0, 9, 200, 100]).unwrap();
        assert_eq!((both.frames, both.rate), (10, 51_300));
    }

    #[test]
    fn codes_of_channels_and_widths_are_those_of_the_standard() {
        // RFC 9639, tables 16 and 17.
        let channels = |code: u8| parsed(0x10, code << 4, &[]).map(|h| h.channels);
        for code in 0..8 {
            assert_eq!(channels(code), Some(Channels::Independent(code + 1)));
        }
        let pairs = [Channels::LeftSide, Channels::SideRight, Channels::MidSide];
        for (code, pair) in (8..).zip(pairs) {
            assert_eq!(channels(code), Some(pair));
            assert_eq!(pair.count(), 2);
        }
        assert_eq!(pairs.map(Channels::side), [Some(1), Some(0), Some(1)]);
        let five = Channels::Independent(5);
        assert_eq!((five.count(), five.side()), (5, None));
        assert!((11..16).all(|code| channels(code).is_none()));
        let widths = [16, 8, 12, 0, 16, 20, 24, 32].map(|bits| Some(bits).filter(|b| *b > 0));
        let found = [0, 1, 2, 3, 4, 5, 6, 7].map(|code| parsed(0x10, code << 1, &[]));
        assert_eq!(found.map(|header| header.map(|h| h.bits)), widths);
    }

    #[test]
    fn numbers_have_as_many_bytes_as_the_first_one_says() {
        let number = |b1, bytes: &[u8]| {
            let bytes = with_crc([&[0xFF, b1, 0x10, 0], bytes].concat());
            let header = FrameHeader::parse(&bytes, &INFO)?;
            assert_eq!(header.end(&INFO), header.position(&INFO) + 192);
            Some(header.position(&INFO))
        };
        assert_eq!(number(0xF9, &[0x7F]), Some(127));
        assert_eq!(number(0xF9, &[0xC2, 0x81]), Some(129));
        assert_eq!(number(0xF9, &[0xE1, 0x82, 0x83]), Some(4096 + 2 * 64 + 3));
        assert_eq!(number(0xF9, &[0xFC, 0x81, 0, 0, 0, 0x80]), Some(1 << 24));
        assert_eq!(number(0xF8, &[0xC2, 0x81]), Some(129 * 4096));
        assert_eq!(number(0xF9, &[0x80]), None);
        assert_eq!(number(0xF9, &[0xFF]), None);
        assert_eq!(number(0xFA, &[0]), None);
    }
}
