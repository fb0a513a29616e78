//! Rewrites MP2 frames with a pair of bit rate and mode that ISO/IEC 11172-3, 2.4.2.3 forbids, which the decoder of
//! `symphonia` refuses and every other decoder plays.
//!
//! The pairs are stereo at 32, 48, 56 and 80 kbit/s, which MPEG-2 allows again, and mono at 224 kbit/s and more. The bit
//! rate decides how the rest is read, by the tables of annex B, and how long a frame is:
//!
//! - a stereo frame becomes one of 96 kbit/s, for which the same table holds, padded with zeros;
//! - a mono frame does not fit into any allowed one. It becomes two stereo frames of 384 kbit/s whose second channel is
//!   silent, the first with the lower subbands and the second with the upper ones. The decoded signals add up to that of
//!   the mono frame, since the synthesis filter is linear. The rate of 32 kHz in their headers makes them long enough;
//!   it selects table B.2b, and table B.2a is the same without its upper three subbands.

/// Indices of the bit rates that are forbidden in stereo, 32, 48, 56 and 80 kbit/s, and of 96 kbit/s: in MPEG-1 and in
/// MPEG-2.
const STEREO_INDICES: [([u8; 4], u8); 2] = [([1, 2, 3, 5], 6), ([4, 6, 7, 9], 10)];
/// Mode bits of mono.
const MONO: u8 = 0xC0;
/// Subbands of table B.2b.
const SUBBANDS: usize = 30;
/// Subbands in the first of the two frames.
const LOWER_SUBBANDS: usize = 15;
/// Header of MPEG-1 layer II without checksum at 384 kbit/s, 32 kHz, two channels.
const STEREO_HEADER: [u8; 4] = [0xFF, 0xFD, 0xE8, 0x80];
/// Size of such a frame.
const STEREO_BYTES: usize = 1728;

/// Frames that stand for a forbidden one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Replacement {
    /// A frame to decode in its place.
    Stereo(Vec<u8>),
    /// Two stereo frames whose first channels add up to the signal.
    Mono([Vec<u8>; 2]),
}

/// Returns whether a frame of layer II has a forbidden pair of bit rate and mode. `kbit` is its bit rate in kbit/s.
pub(crate) fn is_forbidden(kbit: u32, channels: u8) -> bool {
    match channels {
        1 => kbit > 192,
        _ => matches!(kbit, 32 | 48 | 56 | 80),
    }
}

/// Rewrites a frame of layer II: a forbidden stereo frame as one of 96 kbit/s, any mono frame as two stereo frames. `None`
/// for a frame that is too short, and for mono of less than 56 kbit/s, which has other tables.
pub(crate) fn rewrite(frame: &[u8]) -> Option<Replacement> {
    let &[sync, version, rate, mode, ..] = frame else {
        return None;
    };
    if mode & MONO == MONO {
        return split_mono(frame).map(Replacement::Mono);
    }
    let is_mpeg_1 = version >> 3 & 3 == 3;
    let [mpeg_1, mpeg_2] = STEREO_INDICES;
    let (forbidden, index) = if is_mpeg_1 { mpeg_1 } else { mpeg_2 };
    if !forbidden.contains(&(rate >> 4)) {
        return Some(Replacement::Stereo(frame.to_vec()));
    }
    let hz = [44_100, 48_000, 32_000].get(usize::from(rate >> 2 & 3))?;
    let hz = match version >> 3 & 3 {
        3 => *hz,
        2 => hz / 2,
        _ => hz / 4,
    };
    let padding = usize::from(rate >> 1 & 1);
    let mut longer = frame.to_vec();
    longer.resize(144 * 96_000 / hz + padding, 0);
    longer
        .get_mut(..4)?
        .copy_from_slice(&[sync, version, index << 4 | rate & 0x0F, mode]);
    Some(Replacement::Stereo(longer))
}

/// Returns the number of bits of the allocation of a subband, and of three samples by allocation (table B.2b; the classes
/// of table B.4).
fn subband_bits(subband: usize) -> (u32, &'static [u32]) {
    match subband {
        0..3 => (
            4,
            &[0, 5, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45, 48],
        ),
        3..11 => (
            4,
            &[0, 5, 7, 9, 10, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 48],
        ),
        11..23 => (3, &[0, 5, 7, 9, 10, 12, 15, 48]),
        _ => (2, &[0, 5, 7, 48]),
    }
}

fn split_mono(frame: &[u8]) -> Option<[Vec<u8>; 2]> {
    let &[_, version, rate, _, ..] = frame else {
        return None;
    };
    let is_mpeg_1 = version >> 3 & 3 == 3;
    // The bit rates below 56 kbit/s are the first two.
    if !is_mpeg_1 || rate >> 4 < 3 {
        return None;
    }
    let is_56_to_80 = rate >> 4 < 6;
    let is_48_khz = rate >> 2 & 3 == 1;
    let coded = if is_48_khz || is_56_to_80 {
        27
    } else {
        SUBBANDS
    };
    let has_checksum = version & 1 == 0;
    let mut input = BitReader {
        bytes: frame,
        at: if has_checksum { 48 } else { 32 },
    };
    let mut parts = [BitWriter::new(), BitWriter::new()];
    let part_of = |subband| usize::from(subband >= LOWER_SUBBANDS);
    // Copies bits of a subband into its frame.
    let copy = |input: &mut BitReader<'_>, parts: &mut [BitWriter; 2], subband, count| {
        let value = input.read(count)?;
        parts.get_mut(part_of(subband))?.write(value, count);
        Some(value)
    };
    let mut allocation = [0u64; SUBBANDS];
    for (subband, allocated) in allocation.iter_mut().enumerate() {
        let (bits, _) = subband_bits(subband);
        *allocated = if subband < coded {
            input.read(bits)?
        } else {
            0
        };
        // Both channels of both frames; nothing is allocated but in one channel of one.
        for (index, part) in parts.iter_mut().enumerate() {
            let own = index == part_of(subband);
            part.write(if own { *allocated } else { 0 }, bits);
            part.write(0, bits);
        }
    }
    let audible: Vec<_> = (0..SUBBANDS)
        .zip(allocation)
        .filter(|(_, allocated)| *allocated > 0)
        .collect();
    let mut selections = Vec::new();
    for (subband, _) in &audible {
        selections.push(copy(&mut input, &mut parts, *subband, 2)?);
    }
    for ((subband, _), selection) in audible.iter().zip(selections) {
        // Scale factors of six bits: three, two or one (2.4.2.6).
        let count = match selection {
            0 => 18,
            2 => 6,
            _ => 12,
        };
        copy(&mut input, &mut parts, *subband, count)?;
    }
    for _ in 0..12 {
        for (subband, allocated) in &audible {
            let (_, bits) = subband_bits(*subband);
            let count = *bits.get(usize::try_from(*allocated).ok()?)?;
            copy(&mut input, &mut parts, *subband, count)?;
        }
    }
    let [lower, upper] = parts;
    Some([lower.finish()?, upper.finish()?])
}

struct BitReader<'a> {
    bytes: &'a [u8],
    /// Position in bits.
    at: usize,
}

impl BitReader<'_> {
    /// Reads up to 64 bits; `None` past the end.
    fn read(&mut self, count: u32) -> Option<u64> {
        let mut value = 0;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            value = value << 1 | u64::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }
}

/// Writes a stereo frame after its header.
struct BitWriter {
    bytes: Vec<u8>,
    /// Position in bits.
    at: usize,
}

impl BitWriter {
    fn new() -> Self {
        let mut bytes = STEREO_HEADER.to_vec();
        bytes.resize(STEREO_BYTES, 0);
        Self { bytes, at: 32 }
    }

    fn write(&mut self, value: u64, count: u32) {
        for bit in (0..count).rev() {
            if value >> bit & 1 == 1
                && let Some(byte) = self.bytes.get_mut(self.at / 8)
            {
                *byte |= 0x80 >> (self.at % 8);
            }
            self.at += 1;
        }
    }

    /// Returns the frame; `None` if more was written than it holds.
    fn finish(self) -> Option<Vec<u8>> {
        (self.at <= 8 * STEREO_BYTES).then_some(self.bytes)
    }
}
