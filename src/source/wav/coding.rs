//! How samples are stored in a WAVE file, and their conversion to f64.
//!
//! Every conversion is exact: an integer of n bits is `v / 2^(n-1)`, a power of two, and f64 holds 53 bits. A-law and
//! mu-law go through the 13- and 14-bit values of ITU-T G.711, left-justified in 16 bits.

use crate::riff::Fmt;

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;

/// How a sample is stored. All little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// One byte, 128 is zero.
    U8,
    I16,
    I24,
    /// The low three of four bytes.
    I24Of32,
    I32,
    F32,
    F64,
    ALaw,
    MuLaw,
}

impl Coding {
    /// How the samples of a file are stored; `None` where that is not known here.
    pub(super) fn of(fmt: &Fmt) -> Option<Self> {
        let width = match fmt.block_align.checked_div(fmt.channels) {
            Some(w) if fmt.block_align.is_multiple_of(fmt.channels) && w * 8 >= fmt.bits => w,
            // A block size that cannot be: the width is that of the bits. Whether it is right, the byte rate tells.
            _ => fmt.bits.div_ceil(8),
        };
        match (fmt.tag, width, fmt.bits) {
            (PCM, 1, 1..=8) => Some(Self::U8),
            (PCM, 2, 9..=16) => Some(Self::I16),
            (PCM, 3, 17..=24) => Some(Self::I24),
            // A container of 24 bits in four bytes: not left-justified, unlike 24 valid bits in a container of 32.
            (PCM, 4, 24) => Some(Self::I24Of32),
            (PCM, 4, 25..=32) => Some(Self::I32),
            (FLOAT, 4, 32) => Some(Self::F32),
            (FLOAT, 8, 64) => Some(Self::F64),
            (A_LAW, 1, _) => Some(Self::ALaw),
            (MU_LAW, 1, _) => Some(Self::MuLaw),
            _ => None,
        }
    }

    /// Bytes of a sample.
    pub(super) fn width(self) -> usize {
        match self {
            Self::U8 | Self::ALaw | Self::MuLaw => 1,
            Self::I16 => 2,
            Self::I24 => 3,
            Self::I24Of32 | Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// Converts one channel of interleaved frames. `raw` holds as many frames as `out` samples.
    pub(super) fn unpack(self, raw: &[u8], ch: usize, channels: usize, out: &mut [f64]) {
        const TO_8: f64 = 1.0 / 128.0;
        const TO_16: f64 = 1.0 / 32_768.0;
        const TO_32: f64 = 1.0 / 2_147_483_648.0;
        match self {
            Self::U8 => each(raw, ch, channels, out, |[b]| (f64::from(b) - 128.0) * TO_8),
            Self::I16 => each(raw, ch, channels, out, |b| f64::from(i16::from_le_bytes(b)) * TO_16),
            // The three bytes are the high ones of an i32: its sign is right without a further step.
            Self::I24 => each(raw, ch, channels, out, |[a, b, c]| f64::from(i32::from_le_bytes([0, a, b, c])) * TO_32),
            Self::I24Of32 => {
                each(raw, ch, channels, out, |[a, b, c, _]| f64::from(i32::from_le_bytes([0, a, b, c])) * TO_32);
            }
            Self::I32 => each(raw, ch, channels, out, |b| f64::from(i32::from_le_bytes(b)) * TO_32),
            Self::F32 => each(raw, ch, channels, out, |b| f64::from(f32::from_le_bytes(b))),
            Self::F64 => each(raw, ch, channels, out, f64::from_le_bytes),
            Self::ALaw => each(raw, ch, channels, out, |[b]| f64::from(a_law(b)) * TO_16),
            Self::MuLaw => each(raw, ch, channels, out, |[b]| f64::from(mu_law(b)) * TO_16),
        }
    }
}

/// The loop of all conversions. Mono and stereo have a fixed stride, which the compiler turns into tight code.
#[inline(always)]
fn each<const W: usize>(raw: &[u8], ch: usize, channels: usize, out: &mut [f64], f: impl Fn([u8; W]) -> f64) {
    let samples = raw.as_chunks::<W>().0;
    match (channels, ch) {
        (1, _) => samples.iter().zip(out).for_each(|(s, o)| *o = f(*s)),
        (2, 0) => samples.as_chunks::<2>().0.iter().zip(out).for_each(|([s, _], o)| *o = f(*s)),
        (2, _) => samples.as_chunks::<2>().0.iter().zip(out).for_each(|([_, s], o)| *o = f(*s)),
        _ => samples.iter().skip(ch).step_by(channels.max(1)).zip(out).for_each(|(s, o)| *o = f(*s)),
    }
}

/// ITU-T G.711 table 1: 13 bits, times 8.
fn a_law(code: u8) -> i16 {
    let code = code ^ 0x55;
    let (exponent, mantissa) = ((code >> 4) & 7, i16::from(code & 15));
    let size = match exponent {
        0 => (mantissa << 4) + 8,
        e => ((mantissa << 4) + 0x108) << (e - 1),
    };
    if code & 0x80 == 0 { -size } else { size }
}

/// ITU-T G.711 table 2: 14 bits, times 4.
fn mu_law(code: u8) -> i16 {
    let code = !code;
    let size = (((i16::from(code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
    if code & 0x80 == 0 { size } else { -size }
}
