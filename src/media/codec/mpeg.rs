//! Frames of MPEG audio, layers I to III (ISO/IEC 11172-3 and ISO/IEC 13818-3), and of the MPEG-2.5 extension, which has
//! layer III only.

#[cfg(feature = "codecs-mp3")]
mod decoder;

#[cfg(feature = "codecs-mp3")]
pub(crate) use decoder::MpegDecoder;

/// Size of a frame header in bytes.
const HEADER_BYTES: usize = 4;

/// Version of MPEG audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Mpeg1,
    Mpeg2,
    Mpeg25,
}

/// A frame header (ISO/IEC 11172-3, 2.4.2.3; ISO/IEC 13818-3, 2.4.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MpegHeader {
    pub(crate) version: Version,
    /// 1 to 3.
    pub(crate) layer: u8,
    /// Sample rate in Hz.
    pub(crate) rate: u32,
    pub(crate) channels: u8,
    /// Duration in audio frames.
    pub(crate) frames: u32,
    /// Size of the frame in bytes, header included.
    pub(crate) size: u32,
    /// Whether a checksum of 16 bits follows the header.
    #[cfg(feature = "codecs-mp3")]
    has_checksum: bool,
}

impl MpegHeader {
    /// Parses the header that `data` begins with. Free format, which states no bit rate, is not supported.
    pub(crate) fn parse(data: &[u8]) -> Option<Self> {
        const KBIT_MPEG1: [[u32; 15]; 3] = [
            [
                0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448,
            ],
            [
                0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
            ],
            [
                0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
            ],
        ];
        const KBIT_MPEG2: [[u32; 15]; 2] = [
            [
                0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256,
            ],
            [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        ];
        const RATES_MPEG1: [u32; 3] = [44_100, 48_000, 32_000];
        let &[0xFF, b1, b2, b3] = data.first_chunk::<HEADER_BYTES>()? else {
            return None;
        };
        if b1 & 0xE0 != 0xE0 {
            return None;
        }
        let layer = match b1 >> 1 & 3 {
            0 => return None,
            code => 4 - code,
        };
        let (version, rate_divisor) = match (b1 >> 3 & 3, layer) {
            (3, _) => (Version::Mpeg1, 1),
            (2, _) => (Version::Mpeg2, 2),
            (0, 3) => (Version::Mpeg25, 4),
            _ => return None,
        };
        let kbit_row = match (version, layer) {
            (Version::Mpeg1, _) => KBIT_MPEG1.get(usize::from(layer) - 1),
            (_, 1) => KBIT_MPEG2.first(),
            (_, _) => KBIT_MPEG2.last(),
        };
        let kbit = kbit_row
            .and_then(|row| row.get(usize::from(b2 >> 4)))
            .copied()
            .filter(|kbit| *kbit > 0)?;
        let rate = RATES_MPEG1.get(usize::from(b2 >> 2 & 3))? / rate_divisor;
        let padding = u32::from(b2 >> 1 & 1);
        let (frames, size) = match (layer, version) {
            (1, _) => (384, (12 * kbit * 1000 / rate + padding) * 4),
            (3, Version::Mpeg2 | Version::Mpeg25) => (576, 72 * kbit * 1000 / rate + padding),
            _ => (1152, 144 * kbit * 1000 / rate + padding),
        };
        Some(Self {
            version,
            layer,
            rate,
            channels: if b3 >> 6 == 3 { 1 } else { 2 },
            frames,
            size,
            #[cfg(feature = "codecs-mp3")]
            has_checksum: b1 & 1 == 0,
        })
    }

    /// Returns the size in bytes of the side information of layer III (ISO/IEC 11172-3, 2.4.1.7; ISO/IEC 13818-3, 2.4.1.7).
    pub(crate) fn side_info_bytes(&self) -> usize {
        match (self.version, self.channels) {
            (Version::Mpeg1, 1) => 17,
            (Version::Mpeg1, _) => 32,
            (_, 1) => 9,
            (_, _) => 17,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_all_layers_and_versions() {
        use Version::{Mpeg1, Mpeg2, Mpeg25};
        // The size is that of the duration at the bit rate, in slots of four bytes in layer I and of one in the others.
        let rows = [
            ([0xFF, 0xFF, 0xC4, 0], (Mpeg1, 1, 48_000, 384, 384)),
            ([0xFF, 0xFF, 0xC6, 0], (Mpeg1, 1, 48_000, 384, 388)),
            ([0xFF, 0xFF, 0xE8, 0], (Mpeg1, 1, 32_000, 384, 672)),
            ([0xFF, 0xFD, 0xE4, 0], (Mpeg1, 2, 48_000, 1152, 1152)),
            ([0xFF, 0xFB, 0x90, 0], (Mpeg1, 3, 44_100, 1152, 417)),
            ([0xFF, 0xFB, 0xE2, 0], (Mpeg1, 3, 44_100, 1152, 1045)),
            ([0xFF, 0xF7, 0x14, 0], (Mpeg2, 1, 24_000, 384, 64)),
            ([0xFF, 0xF5, 0x80, 0], (Mpeg2, 2, 22_050, 1152, 417)),
            ([0xFF, 0xF3, 0xE8, 0], (Mpeg2, 3, 16_000, 576, 720)),
            ([0xFF, 0xF3, 0xEA, 0], (Mpeg2, 3, 16_000, 576, 721)),
            ([0xFF, 0xE3, 0x10, 0], (Mpeg25, 3, 11_025, 576, 52)),
            ([0xFF, 0xE3, 0x18, 0], (Mpeg25, 3, 8000, 576, 72)),
        ];
        for (bytes, expected) in rows {
            let h = MpegHeader::parse(&bytes).unwrap();
            let found = (h.version, h.layer, h.rate, h.frames, h.size);
            assert_eq!(found, expected, "{bytes:X?}");
            assert!(!h.has_checksum);
            let with_checksum = [0xFF, bytes[1] & 0xFE, bytes[2], 0];
            assert!(MpegHeader::parse(&with_checksum).unwrap().has_checksum);
        }
        for bytes in [
            [0xFE, 0xFB, 0x90, 0],
            [0xFF, 0xDB, 0x90, 0],
            // Layer, version, bit rate and sample rate that are reserved, free format, and layers of MPEG-2.5.
            [0xFF, 0xF9, 0x90, 0],
            [0xFF, 0xEB, 0x90, 0],
            [0xFF, 0xFB, 0xF0, 0],
            [0xFF, 0xFB, 0x9C, 0],
            [0xFF, 0xFB, 0x00, 0],
            [0xFF, 0xE7, 0x90, 0],
            [0xFF, 0xE5, 0x90, 0],
        ] {
            assert_eq!(MpegHeader::parse(&bytes), None, "{bytes:X?}");
        }
        assert_eq!(MpegHeader::parse(&[0xFF, 0xFB, 0x90]), None);
    }

    #[test]
    fn side_information_depends_on_version_and_channels() {
        let of = |b1, mode| {
            let header = MpegHeader::parse(&[0xFF, b1, 0x90, mode]).unwrap();
            (header.channels, header.side_info_bytes())
        };
        let modes = [0x00, 0x40, 0x80, 0xC0];
        assert_eq!(
            modes.map(|mode| of(0xFB, mode)),
            [(2, 32), (2, 32), (2, 32), (1, 17)]
        );
        for lower in [0xF3, 0xE3] {
            assert_eq!(
                modes.map(|mode| of(lower, mode)),
                [(2, 17), (2, 17), (2, 17), (1, 9)]
            );
        }
    }
}
