//! Which AAC it is: the decoder reads AAC-LC in mono and stereo and nothing more.
//!
//! HE-AAC is AAC-LC of half the rate with a second layer that makes the rest. Decoded without that layer it would be
//! dull and of the wrong rate, without any error, so it has to be found out beforehand: in the configuration where it
//! is stated, in the packets where it is not.

/// What a configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// The audio object type, 2 for LC.
    object: u32,
    /// Frames per second of the core.
    pub(crate) rate: u32,
    /// 0 where the data says it.
    pub(crate) channels: u32,
    /// Whether there is spectral band replication, and parametric stereo.
    sbr: bool,
    stereo: bool,
    /// 960 instead of 1024 frames a packet.
    short: bool,
}

/// Reads an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).
pub(crate) fn config(data: &[u8]) -> Option<Config> {
    let mut bits = Bits { data, at: 0 };
    let mut object = object_type(&mut bits)?;
    let rate = sample_rate(&mut bits)?;
    let channels = bits.take(4)?;
    let (mut sbr, mut stereo) = (false, false);
    if object == 5 || object == 29 {
        sbr = true;
        stereo = object == 29;
        sample_rate(&mut bits)?;
        object = object_type(&mut bits)?;
    }
    let short = bits.take(1) == Some(1);
    if bits.take(1) == Some(1) {
        bits.take(14);
    }
    bits.take(1);
    // A backward compatible extension follows where an old decoder stops.
    if !sbr && channels != 0 && bits.take(11) == Some(0x2B7) && object_type(&mut bits) == Some(5) {
        sbr = bits.take(1) == Some(1);
    }
    Some(Config { object, rate, channels, sbr, stereo, short })
}

impl Config {
    /// The configuration that ADTS implies.
    pub(crate) fn adts(object: u8, rate: u32, channels: u8) -> Self {
        Self { object: object.into(), rate, channels: channels.into(), sbr: false, stereo: false, short: false }
    }

    /// The shortest form of it, for AAC-LC of a usual rate.
    pub(crate) fn plain(&self) -> Option<Box<[u8]>> {
        let rate = RATES.iter().position(|r| *r == self.rate).and_then(|i| u16::try_from(i).ok())?;
        let channels = u16::try_from(self.channels).ok()?;
        Some((2u16 << 11 | rate << 7 | channels << 3).to_be_bytes().into())
    }

    /// The name of what is not decoded; `None` for AAC-LC in mono or stereo.
    pub(crate) fn refused(&self) -> Option<String> {
        let name = match (self.object, self.sbr) {
            (_, true) if self.stereo => "HE-AAC v2",
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
            ("AAC-LC", _) if self.short => Some("AAC-LC with 960 frames a packet".into()),
            ("AAC-LC", 1 | 2) => None,
            ("AAC-LC", 0) => Some("AAC-LC with a program configuration".into()),
            ("AAC-LC", n) => Some(format!("AAC-LC with {} channels", if n == 7 { 8 } else { n })),
            (other, _) => Some(other.into()),
        }
    }
}

fn object_type(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.take(5)? {
        31 => bits.take(6).map(|t| t + 32),
        t => Some(t),
    }
}

const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

fn sample_rate(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.take(4)? {
        15 => bits.take(24),
        i => RATES.get(usize::try_from(i).ok()?).copied(),
    }
}

/// Whether a packet ends with a fill element that holds spectral band replication.
///
/// Such an element comes last, with nothing but padding and the end mark behind it, so that its place follows from its
/// length: a match by chance takes the right lengths, types and end mark at once, less than one packet in a hundred.
pub(crate) fn has_sbr(packet: &[u8]) -> bool {
    let end = packet.len() * 8;
    (0..end).any(|at| {
        let mut bits = Bits { data: packet, at };
        let mut first = true;
        loop {
            match bits.take(3) {
                Some(6) => {}
                Some(7) => return !first && end - bits.at < 8 && bits.rest_is_zero(),
                _ => return false,
            }
            let len = match bits.take(4) {
                Some(15) => bits.take(8).map(|more| 14 + more),
                other => other,
            };
            let Some(len) = len.and_then(|l| usize::try_from(l).ok()) else { return false };
            let body = bits.at;
            if first && (len == 0 || !matches!(bits.take(4), Some(13 | 14))) {
                return false;
            }
            first = false;
            bits.at = body + len * 8;
        }
    })
}

/// Bits, most significant first.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
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
    fn configurations_are_told_apart() {
        // AAC-LC, 44 100 Hz, stereo.
        let lc = config(&[0x12, 0x10]).unwrap();
        assert_eq!((lc.rate, lc.channels, lc.refused()), (44_100, 2, None));
        // The same with the extension that announces SBR.
        assert_eq!(config(&[0x13, 0x88, 0x56, 0xE5, 0xA5, 0x48, 0x80]).unwrap().refused().unwrap(), "HE-AAC");
        // HE-AAC stated outright.
        assert_eq!(config(&[0x2B, 0x09, 0x88, 0x00]).unwrap().refused().unwrap(), "HE-AAC");
        assert_eq!(config(&[0x12, 0x30]).unwrap().refused().unwrap(), "AAC-LC with 6 channels");
        assert_eq!(config(&[]), None);
    }
}
