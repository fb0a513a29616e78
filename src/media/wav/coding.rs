//! Converts the sample encodings of WAVE files to f64.
//!
//! Every conversion is exact: an integer of n bits becomes `v / 2^(n-1)`, a division by a power of two, and f64 has 53
//! bits of precision. A-law and mu-law go through the 13- and 14-bit values of ITU-T G.711, left-justified in 16 bits.

#[cfg(all(feature = "simd", target_arch = "x86_64"))]
mod avx2;

use crate::riff::Fmt;

const PCM: u16 = 1;
const FLOAT: u16 = 3;
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;

/// Encoding of a sample. All are little-endian.
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
    /// Returns the encoding that a `fmt ` chunk describes; `None` for other codecs.
    pub(super) fn of(fmt: &Fmt) -> Option<Self> {
        // Some writers state the 16 bits that these decode to.
        let companded = matches!(fmt.tag, A_LAW | MU_LAW);
        let width = match fmt.block_align.checked_div(fmt.channels) {
            Some(w)
                if fmt.block_align.is_multiple_of(fmt.channels)
                    && (w >= fmt.bits.div_ceil(8) || companded) =>
            {
                w
            }
            // An impossible block size: the bits decide. The caller checks the result against the byte rate.
            _ => fmt.bits.div_ceil(8),
        };
        match (fmt.tag, width, fmt.bits) {
            (PCM, 1, 1..=8) => Some(Self::U8),
            (PCM, 2, 9..=16) => Some(Self::I16),
            (PCM, 3, 17..=24) => Some(Self::I24),
            // 24 bits in four bytes are not left-justified, unlike 24 valid bits of 32.
            (PCM, 4, 24) => Some(Self::I24Of32),
            (PCM, 4, 25..=32) => Some(Self::I32),
            (FLOAT, 4, 32) => Some(Self::F32),
            (FLOAT, 8, 64) => Some(Self::F64),
            (A_LAW, 1, _) => Some(Self::ALaw),
            (MU_LAW, 1, _) => Some(Self::MuLaw),
            _ => None,
        }
    }

    /// Returns the size of a sample in bytes.
    pub(super) fn width(self) -> usize {
        match self {
            Self::U8 | Self::ALaw | Self::MuLaw => 1,
            Self::I16 => 2,
            Self::I24 => 3,
            Self::I24Of32 | Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// Converts channel `ch` of interleaved frames. `raw` holds as many frames as `out` has samples.
    pub(super) fn unpack(self, raw: &[u8], ch: usize, channels: usize, out: &mut [f64]) {
        const TO_8: f64 = 1.0 / 128.0;
        const TO_16: f64 = 1.0 / 32_768.0;
        const TO_32: f64 = 1.0 / 2_147_483_648.0;
        match self {
            Self::U8 => each(raw, ch, channels, out, |[b]| (f64::from(b) - 128.0) * TO_8),
            Self::I16 => each(raw, ch, channels, out, |b| {
                f64::from(i16::from_le_bytes(b)) * TO_16
            }),
            // As the high bytes of an i32, which extends the sign.
            Self::I24 => each(raw, ch, channels, out, |[a, b, c]| {
                f64::from(i32::from_le_bytes([0, a, b, c])) * TO_32
            }),
            Self::I24Of32 => {
                each(raw, ch, channels, out, |[a, b, c, _]| {
                    f64::from(i32::from_le_bytes([0, a, b, c])) * TO_32
                });
            }
            Self::I32 => each(raw, ch, channels, out, |b| {
                f64::from(i32::from_le_bytes(b)) * TO_32
            }),
            Self::F32 => each(raw, ch, channels, out, |b| f64::from(f32::from_le_bytes(b))),
            Self::F64 => each(raw, ch, channels, out, f64::from_le_bytes),
            Self::ALaw => each(raw, ch, channels, out, |[b]| f64::from(a_law(b)) * TO_16),
            Self::MuLaw => each(raw, ch, channels, out, |[b]| f64::from(mu_law(b)) * TO_16),
        }
    }
}

/// Converts 24-bit stereo, the usual stem, in one pass. `raw` holds as many frames as `left` and `right` have samples.
pub(super) fn stereo_24(raw: &[u8], left: &mut [f64], right: &mut [f64]) {
    let (blocks, rest) = raw.as_chunks::<24>();
    let (lefts, left_rest) = left.as_chunks_mut::<4>();
    let (rights, right_rest) = right.as_chunks_mut::<4>();
    convert_blocks(blocks, lefts, rights);
    Coding::I24.unpack(rest, 0, 2, left_rest);
    Coding::I24.unpack(rest, 1, 2, right_rest);
}

/// Converts blocks of four frames of 24-bit stereo.
fn convert_blocks(blocks: &[[u8; 24]], left: &mut [[f64; 4]], right: &mut [[f64; 4]]) {
    #[cfg(all(feature = "simd", target_arch = "x86_64"))]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return simd.vectorize(avx2::Unpack {
            simd,
            blocks,
            left,
            right,
        });
    }
    blocks_in_words(blocks, left, right);
}

/// Does the same on any processor.
fn blocks_in_words(blocks: &[[u8; 24]], left: &mut [[f64; 4]], right: &mut [[f64; 4]]) {
    for ((block, l), r) in blocks.iter().zip(left).zip(right) {
        let [a, b, c, d, e, f, g, h] = eight_24(block);
        *l = [a, c, e, g];
        *r = [b, d, f, h];
    }
}

/// Converts eight 24-bit samples with three loads instead of twenty-four.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "takes 24 bits out of 64, sign and all"
)]
fn eight_24(bytes: &[u8; 24]) -> [f64; 8] {
    let [x, y, z] = std::array::from_fn(|i| {
        let mut word = [0; 8];
        word.iter_mut()
            .zip(bytes.iter().skip(8 * i))
            .for_each(|(w, b)| *w = *b);
        u64::from_le_bytes(word)
    });
    // Each sample moves to the high bits of an i32, as in `unpack`.
    let high = [
        x << 8,
        x >> 16,
        (x >> 40) & 0xFF_FF00 | y << 24,
        y,
        y >> 24,
        (y >> 48) & 0xFF00 | z << 16,
        z >> 8,
        z >> 32,
    ];
    high.map(|bits| f64::from((bits as u32 & 0xFFFF_FF00) as i32) * (1.0 / 2_147_483_648.0))
}

/// Applies `f` to every sample of channel `ch`. Mono and stereo have a constant stride, which lets the compiler
/// vectorise.
#[inline(always)]
fn each<const W: usize>(
    raw: &[u8],
    ch: usize,
    channels: usize,
    out: &mut [f64],
    f: impl Fn([u8; W]) -> f64,
) {
    let samples = raw.as_chunks::<W>().0;
    match (channels, ch) {
        (1, _) => samples.iter().zip(out).for_each(|(s, o)| *o = f(*s)),
        (2, 0) => samples
            .as_chunks::<2>()
            .0
            .iter()
            .zip(out)
            .for_each(|([s, _], o)| *o = f(*s)),
        (2, _) => samples
            .as_chunks::<2>()
            .0
            .iter()
            .zip(out)
            .for_each(|([_, s], o)| *o = f(*s)),
        _ => samples
            .iter()
            .skip(ch)
            .step_by(channels.max(1))
            .zip(out)
            .for_each(|(s, o)| *o = f(*s)),
    }
}

/// Decodes A-law (ITU-T G.711, table 1) to 13 bits, times 8.
fn a_law(code: u8) -> i16 {
    let code = code ^ 0x55;
    let (exponent, mantissa) = ((code >> 4) & 7, i16::from(code & 15));
    let size = match exponent {
        0 => (mantissa << 4) + 8,
        e => ((mantissa << 4) + 0x108) << (e - 1),
    };
    if code & 0x80 == 0 { -size } else { size }
}

/// Decodes mu-law (ITU-T G.711, table 2) to 14 bits, times 4.
fn mu_law(code: u8) -> i16 {
    let code = !code;
    let size = (((i16::from(code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84;
    if code & 0x80 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fmt(tag: u16, channels: u16, block_align: u16, bits: u16) -> Fmt {
        Fmt {
            tag,
            channels,
            rate: 1,
            byte_rate: 0,
            block_align,
            bits,
            valid_bits: None,
            mask: 0,
        }
    }

    fn one(coding: Coding, raw: &[u8]) -> f64 {
        let mut out = [f64::NAN];
        coding.unpack(raw, 0, 1, &mut out);
        out[0]
    }

    #[test]
    fn the_ends_and_the_middle_of_every_coding() {
        assert_eq!(
            [0, 127, 128, 255].map(|b| one(Coding::U8, &[b])),
            [-1.0, -1.0 / 128.0, 0.0, 127.0 / 128.0]
        );
        assert_eq!(one(Coding::I16, &[0x00, 0x80]), -1.0);
        assert_eq!(one(Coding::I16, &[0xFF, 0xFF]), -1.0 / 32_768.0);
        assert_eq!(one(Coding::I24, &[0, 0, 0x80]), -1.0);
        assert_eq!(
            one(Coding::I24, &[0xFF, 0xFF, 0x7F]),
            8_388_607.0 / 8_388_608.0
        );
        assert_eq!(
            one(Coding::I24Of32, &[0xA0, 0xFF, 0xFF, 0x00]),
            -96.0 / 8_388_608.0
        );
        assert_eq!(one(Coding::I32, &[1, 0, 0, 0]), 2f64.powi(-31));
        assert_eq!(
            one(Coding::F32, &f32::MIN_POSITIVE.to_le_bytes()),
            f64::from(f32::MIN_POSITIVE)
        );
        assert!(one(Coding::F32, &f32::NAN.to_le_bytes()).is_nan());
        assert_eq!(one(Coding::F64, &1e300f64.to_le_bytes()), 1e300);
    }

    /// The decision values of ITU-T G.711, tables 1a and 2a: the ends of every segment.
    #[test]
    fn companded_codes_have_the_values_of_the_standard() {
        let a = [
            (0x80, 4032),
            (0x8F, 2112),
            (0x9F, 1056),
            (0xAF, 528),
            (0xBF, 264),
            (0xCF, 132),
            (0xDF, 66),
            (0xFF, 1),
        ];
        for (code, value) in a {
            // G.711 numbers the loudest code 1 1 1 1 1 1 1 1; the line carries every second bit inverted.
            let line = (code ^ 0x7F) ^ 0x55;
            assert_eq!(
                (a_law(line), a_law(line ^ 0x80)),
                (value * 8, -value * 8),
                "{code:02X}"
            );
        }
        let mu = [
            (0x80, 8031),
            (0x8F, 4191),
            (0x9F, 2079),
            (0xAF, 1023),
            (0xBF, 495),
            (0xCF, 231),
            (0xDF, 99),
            (0xEF, 33),
            (0xFF, 0),
        ];
        for (code, value) in mu {
            assert_eq!(
                (mu_law(code), mu_law(code & 0x7F)),
                (value * 4, -value * 4),
                "{code:02X}"
            );
        }
    }

    #[test]
    fn widths_follow_the_bits_and_other_codecs_are_unknown() {
        let known = [
            (fmt(PCM, 2, 4, 12), Coding::I16),
            (fmt(PCM, 1, 3, 20), Coding::I24),
            (fmt(PCM, 2, 8, 24), Coding::I24Of32),
            (fmt(PCM, 3, 4, 24), Coding::I24),
            (fmt(FLOAT, 1, 8, 64), Coding::F64),
            (fmt(MU_LAW, 2, 2, 16), Coding::MuLaw),
        ];
        for (fmt, coding) in known {
            assert_eq!(Coding::of(&fmt), Some(coding), "{fmt:?}");
        }
        for other in [
            fmt(0x55, 2, 1, 0),
            fmt(0x11, 1, 1024, 4),
            fmt(PCM, 3, 18, 45),
            fmt(PCM, 1, 8, 64),
            fmt(PCM, 1, 0, 0),
        ] {
            assert_eq!(Coding::of(&other), None, "{other:?}");
        }
        assert_eq!(
            Coding::of(&fmt(PCM, 0, 0, 16)).map(Coding::width),
            Some(2),
            "0 channels are judged elsewhere"
        );
    }

    #[test]
    fn stereo_of_24_bits_in_one_pass_is_the_same() {
        for frames in 0..23 {
            let raw: Vec<u8> = (0..frames * 6u32)
                .map(|i| (i * 89 + i / 7 + 0x7F) as u8)
                .collect();
            let mut both = [vec![0.0; frames as usize], vec![0.0; frames as usize]];
            let [left, right] = &mut both;
            stereo_24(&raw, left, right);
            for (ch, got) in both.iter().enumerate() {
                let mut want = vec![0.0; frames as usize];
                Coding::I24.unpack(&raw, ch, 2, &mut want);
                assert_eq!(*got, want, "{frames} frames");
            }
            // That of every processor, and the one that this processor has.
            let blocks = raw.as_chunks::<24>().0;
            let mut ways = [vec![[0.0; 4]; blocks.len()], vec![[0.0; 4]; blocks.len()]];
            let [left, right] = &mut ways;
            blocks_in_words(blocks, left, right);
            let whole = blocks.len() * 4;
            for (got, want) in ways.iter().zip(&both) {
                assert_eq!(*got.as_flattened(), want[..whole], "{frames} frames");
            }
        }
    }

    #[test]
    fn channels_are_taken_apart_whatever_their_number() {
        for channels in [1, 2, 3, 7] {
            let raw: Vec<u8> = (0..35i16)
                .take(channels * 5)
                .flat_map(i16::to_le_bytes)
                .collect();
            for ch in 0..channels {
                let mut out = [0.0; 5];
                Coding::I16.unpack(&raw, ch, channels, &mut out);
                let wanted: Vec<f64> = (0..35)
                    .skip(ch)
                    .step_by(channels)
                    .take(5)
                    .map(|v| f64::from(v) / 32_768.0)
                    .collect();
                assert_eq!(out[..], wanted);
            }
        }
    }
}
