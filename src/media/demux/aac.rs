//! Recognises the AAC that the decoder cannot decode: everything but AAC-LC in mono and stereo.
//!
//! HE-AAC is AAC-LC of half the rate plus spectral band replication (SBR), which restores the upper half of the
//! spectrum. `symphonia` ignores SBR without an error: the result is dull and has the wrong rate. So HE-AAC has to be
//! recognised before decoding: by the configuration if it declares SBR, otherwise by the packets.

use super::StemFile;
use crate::{error::Result, media::packet_table::PacketTable};

/// Audio object types (ISO/IEC 14496-3, 1.5.1.1).
const SBR: u32 = 5;
const PARAMETRIC_STEREO: u32 = 29;

/// Marks an extension after the configuration (ISO/IEC 14496-3, 1.6.2.1).
const SYNC_EXTENSION_TYPE: u32 = 0x2B7;

/// Syntactic elements of a packet (ISO/IEC 14496-3, subpart 4).
const FILL_ELEMENT: u32 = 6;
const END_ELEMENT: u32 = 7;

/// Types of the payload of a fill element (ISO/IEC 14496-3, subpart 4).
const EXT_SBR_DATA: u32 = 13;
const EXT_SBR_DATA_CRC: u32 = 14;

/// Packets that are searched for SBR.
const SBR_TRIAL_PACKETS: usize = 24;

impl StemFile<'_> {
    /// Refuses HE-AAC whose configuration does not declare it: streams of four packets or more, of whose first ones at
    /// least 80 % contain SBR.
    pub(super) fn refuse_undeclared_sbr(&self, table: &PacketTable, container: &str) -> Result<()> {
        let packets = table.read_first(SBR_TRIAL_PACKETS);
        let with_sbr = packets.iter().filter(|p| has_sbr_element(p)).count();
        if packets.len() >= 4 && with_sbr * 10 >= packets.len() * 8 {
            return Err(self.unsupported(format!("HE-AAC in {container}")));
        }
        Ok(())
    }
}

/// An AudioSpecificConfig, as far as it decides whether the stream can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AacConfig {
    /// Audio object type of the core codec, 2 for AAC-LC (ISO/IEC 14496-3, 1.5.1.1).
    object_type: u32,
    /// Sample rate of the core codec in Hz.
    pub(super) rate: u32,
    /// Channel configuration; 0 if the AAC data states it.
    pub(super) channels: u32,
    /// Whether spectral band replication is declared.
    has_sbr: bool,
    has_parametric_stereo: bool,
    /// Whether packets have 960 frames instead of 1024.
    short_packets: bool,
}

impl AacConfig {
    /// Parses an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).
    pub(super) fn parse(data: &[u8]) -> Option<Self> {
        let mut bits = BitReader { data, at: 0 };
        let mut object_type = read_object_type(&mut bits)?;
        let rate = read_sample_rate(&mut bits)?;
        let channels = bits.take(4)?;
        let (mut has_sbr, mut has_parametric_stereo) = (false, false);
        if matches!(object_type, SBR | PARAMETRIC_STEREO) {
            has_sbr = true;
            has_parametric_stereo = object_type == PARAMETRIC_STEREO;
            read_sample_rate(&mut bits)?;
            object_type = read_object_type(&mut bits)?;
        }
        let short_packets = bits.take(1) == Some(1);
        let depends_on_core_coder = bits.take(1) == Some(1);
        if depends_on_core_coder {
            bits.take(14);
        }
        let _extension_flag = bits.take(1);
        // The backward compatible way to declare SBR: a sync word after the end of a plain configuration.
        if !has_sbr
            && channels != 0
            && bits.take(11) == Some(SYNC_EXTENSION_TYPE)
            && read_object_type(&mut bits) == Some(SBR)
        {
            has_sbr = bits.take(1) == Some(1);
        }
        Some(Self {
            object_type,
            rate,
            channels,
            has_sbr,
            has_parametric_stereo,
            short_packets,
        })
    }

    /// Returns the configuration that an ADTS header implies.
    pub(super) fn from_adts(object_type: u8, rate: u32, channels: u8) -> Self {
        Self {
            object_type: object_type.into(),
            rate,
            channels: channels.into(),
            has_sbr: false,
            has_parametric_stereo: false,
            short_packets: false,
        }
    }

    /// Encodes it without extensions, as AAC-LC. `None` for a rate that is not in [`SAMPLE_RATES`].
    pub(super) fn to_plain_bytes(self) -> Option<Box<[u8]>> {
        let rate = SAMPLE_RATES
            .iter()
            .position(|r| *r == self.rate)
            .and_then(|i| u16::try_from(i).ok())?;
        let channels = u16::try_from(self.channels).ok()?;
        Some(
            (2u16 << 11 | rate << 7 | channels << 3)
                .to_be_bytes()
                .into(),
        )
    }

    /// Returns the name of a stream that cannot be decoded; `None` for AAC-LC in mono or stereo.
    pub(super) fn unsupported_name(&self) -> Option<String> {
        let name = match (self.object_type, self.has_sbr) {
            (_, true) if self.has_parametric_stereo => "HE-AAC v2",
            (_, true) => "HE-AAC",
            (1, _) => "AAC Main",
            (2, _) => "AAC-LC",
            (3, _) => "AAC SSR",
            (4, _) => "AAC LTP",
            (17 | 20 | 23, _) => "error resilient AAC",
            (32..=34, _) => "MPEG audio described as AAC",
            (36, _) => "MPEG-4 ALS",
            (39, _) => "AAC-ELD",
            (42, _) => "xHE-AAC (USAC)",
            (other, _) => return Some(format!("MPEG-4 audio object type {other}")),
        };
        match (name, self.channels) {
            ("AAC-LC", _) if self.short_packets => Some("AAC-LC with 960 frames a packet".into()),
            ("AAC-LC", 1 | 2) => None,
            ("AAC-LC", 0) => Some("AAC-LC with a program configuration".into()),
            ("AAC-LC", n) => Some(format!(
                "AAC-LC with {} channels",
                if n == 7 { 8 } else { n }
            )),
            (other, _) => Some(other.into()),
        }
    }
}

fn read_object_type(bits: &mut BitReader<'_>) -> Option<u32> {
    match bits.take(5)? {
        31 => bits.take(6).map(|t| t + 32),
        t => Some(t),
    }
}

/// Sample rates in Hz by their index (ISO/IEC 14496-3, 1.6.3.4).
pub(super) const SAMPLE_RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

fn read_sample_rate(bits: &mut BitReader<'_>) -> Option<u32> {
    match bits.take(4)? {
        15 => bits.take(24),
        i => SAMPLE_RATES.get(usize::try_from(i).ok()?).copied(),
    }
}

/// Returns whether a packet ends with a fill element that contains spectral band replication.
///
/// The element comes last, followed by the end mark and padding, so it is recognised from the end of the packet without
/// decoding what precedes it. Fewer than one packet in a hundred matches by chance: lengths, types and end mark would
/// all have to be right.
fn has_sbr_element(packet: &[u8]) -> bool {
    let end = packet.len() * 8;
    (0..end).any(|at| {
        let mut bits = BitReader { data: packet, at };
        let mut first = true;
        loop {
            match bits.take(3) {
                Some(FILL_ELEMENT) => {}
                Some(END_ELEMENT) => return !first && end - bits.at < 8 && bits.rest_is_zero(),
                _ => return false,
            }
            let len = match bits.take(4) {
                Some(15) => bits.take(8).map(|more| 14 + more),
                other => other,
            };
            let Some(len) = len.and_then(|l| usize::try_from(l).ok()) else {
                return false;
            };
            let body = bits.at;
            if first && (len == 0 || !matches!(bits.take(4), Some(EXT_SBR_DATA | EXT_SBR_DATA_CRC)))
            {
                return false;
            }
            first = false;
            bits.at = body + len * 8;
        }
    })
}

/// Reads bits, most significant first.
struct BitReader<'a> {
    data: &'a [u8],
    /// Index of the next bit.
    at: usize,
}

impl BitReader<'_> {
    /// Returns the next `n` bits; `None` at the end.
    fn take(&mut self, n: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..n {
            let byte = self.data.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    fn rest_is_zero(&mut self) -> bool {
        std::iter::from_fn(|| self.take(1)).all(|b| b == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn he_aac_and_lc_are_distinguished() {
        // AAC-LC, 44 100 Hz, stereo.
        let lc = AacConfig::parse(&[0x12, 0x10]).unwrap();
        assert_eq!(
            (lc.rate, lc.channels, lc.unsupported_name()),
            (44_100, 2, None)
        );
        // The same with the extension that announces SBR.
        assert_eq!(
            AacConfig::parse(&[0x13, 0x88, 0x56, 0xE5, 0xA5, 0x48, 0x80])
                .unwrap()
                .unsupported_name()
                .unwrap(),
            "HE-AAC"
        );
        // HE-AAC stated outright.
        assert_eq!(
            AacConfig::parse(&[0x2B, 0x09, 0x88, 0x00])
                .unwrap()
                .unsupported_name()
                .unwrap(),
            "HE-AAC"
        );
        assert_eq!(
            AacConfig::parse(&[0x12, 0x30])
                .unwrap()
                .unsupported_name()
                .unwrap(),
            "AAC-LC with 6 channels"
        );
        assert_eq!(AacConfig::parse(&[]), None);
    }

    #[test]
    fn object_types_from_32_on_take_six_more_bits() {
        // 31, then 10; 48 000 Hz, stereo.
        let usac = AacConfig::parse(&[0b1111_1001, 0b0100_0110, 0b0100_0000]).unwrap();
        let name = usac.unsupported_name().unwrap();
        assert_eq!(
            (usac.rate, usac.channels, name.as_str()),
            (48_000, 2, "xHE-AAC (USAC)")
        );
    }

    #[test]
    fn a_fill_element_is_sbr_by_the_type_of_its_payload() {
        // A fill element of one byte, which begins with the type of the payload, and the end mark.
        let packet = |kind: u32| (0b110_0001 << 25 | kind << 21 | 0b111 << 14u32).to_be_bytes();
        let found = |kind: &u32| has_sbr_element(&packet(*kind)[..3]);
        let kinds: Vec<u32> = (0..16).filter(found).collect();
        assert_eq!(kinds, [EXT_SBR_DATA, EXT_SBR_DATA_CRC]);
    }
}
