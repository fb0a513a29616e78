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
