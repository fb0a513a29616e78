//! Converts `f64` to the samples of a file: rounds, clamps, counts and interleaves.
//!
//! An integer sample of n bits is `x * 2^(n-1)` rounded half to even, then clamped to `-2^(n-1) ..= 2^(n-1) - 1`: the
//! scale is a power of two, so samples read from a file of n bits are written back bit for bit. A sample that the clamp
//! changes is counted as clipped. NaN and infinities become 0 and are counted. Float files get the nearest f32, -0.0
//! stays -0.0, and a value beyond the range of f32 counts as not finite. Nothing is dithered here.

use crate::block::Block;

/// Counts the samples that a file cannot hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub clipped: u64,
    pub non_finite: u64,
}

/// A sample of a file, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    I16,
    I24,
    I32,
    F32,
}

impl Width {
    /// Bytes of a sample.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::I16 => 2,
            Self::I24 => 3,
            Self::I32 | Self::F32 => 4,
        }
    }
}

/// Frames converted at once: few enough for the L1 cache, enough for vector instructions.
const STRETCH: usize = 512;

/// Writes all frames of a block into `out`, interleaved.
pub(crate) fn interleave(width: Width, block: &Block, out: &mut Vec<u8>, tally: &mut Tally) {
    let count = block.layout().channels();
    out.resize(block.frames() * count * width.bytes(), 0);
    if count == 0 {
        return;
    }
    if let (Width::I24, Some((left, right))) = (width, pair(block)) {
        let stretches = left.chunks(STRETCH).zip(right.chunks(STRETCH));
        for (to, (left, right)) in out.chunks_mut(STRETCH * 6).zip(stretches) {
            let left = integers(left, 8_388_608.0, tally);
            let right = integers(right, 8_388_608.0, tally);
            write_stereo_24(to, &left, &right);
        }
        return;
    }
    // All channels of a stretch before the next stretch, so that the output stays in the L1 cache.
    for (i, to) in out.chunks_mut(STRETCH * count * width.bytes()).enumerate() {
        for (ch, samples) in block.channels().enumerate() {
            let from = samples.chunks(STRETCH).nth(i).unwrap_or_default();
            match width {
                Width::I16 => spread::<2>(to, ch, count, integers(from, 32_768.0, tally)),
                Width::I24 => spread::<3>(to, ch, count, integers(from, 8_388_608.0, tally)),
                Width::I32 => spread::<4>(to, ch, count, integers(from, 2_147_483_648.0, tally)),
                Width::F32 => spread::<4>(to, ch, count, floats(from, tally)),
            }
        }
    }
}

/// Returns the channels of a block that has two.
fn pair(block: &Block) -> Option<(&[f64], &[f64])> {
    let mut channels = block.channels();
    let pair = channels.next().zip(channels.next())?;
    channels.next().is_none().then_some(pair)
}

/// Writes stereo with 24 bits, four frames at a time in three words of 64 bits, which is faster than single bytes.
fn write_stereo_24(out: &mut [u8], left: &[u32; STRETCH], right: &[u32; STRETCH]) {
    let (left, right) = (left.as_chunks::<4>().0, right.as_chunks::<4>().0);
    let (whole, rest) = out.as_chunks_mut::<24>();
    let mut frames = left.iter().zip(right);
    for (to, (left, right)) in whole.iter_mut().zip(frames.by_ref()) {
        *to = packed_24(left, right);
    }
    if let Some((left, right)) = frames.next() {
        let bytes = packed_24(left, right);
        rest.iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte);
    }
}

/// Returns the bytes of four frames of stereo with 24 bits.
#[inline(always)]
fn packed_24(left: &[u32; 4], right: &[u32; 4]) -> [u8; 24] {
    let sample = |word: u32| u64::from(word & 0xFF_FFFF);
    let ([a, c, e, g], [b, d, f, h]) = (left.map(sample), right.map(sample));
    let words = [
        a | b << 24 | c << 48,
        c >> 16 | d << 8 | e << 32 | f << 56,
        f >> 8 | g << 16 | h << 40,
    ];
    let mut bytes = [0; 24];
    for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *to = word.to_le_bytes();
    }
    bytes
}

/// Returns the lowest bytes of a word.
#[inline(always)]
fn low<const W: usize>(word: u32) -> [u8; W] {
    word.to_le_bytes().first_chunk().copied().unwrap_or([0; W])
}

/// Writes one channel between the others. Mono and stereo have a constant stride, which compiles to faster code.
#[inline(always)]
fn spread<const W: usize>(out: &mut [u8], ch: usize, count: usize, words: [u32; STRETCH]) {
    let places = out.as_chunks_mut::<W>().0;
    match (count, ch) {
        (1, _) => places.iter_mut().zip(words).for_each(|(p, w)| *p = low(w)),
        (2, 0) => places
            .as_chunks_mut::<2>()
            .0
            .iter_mut()
            .zip(words)
            .for_each(|([p, _], w)| *p = low(w)),
        (2, _) => places
            .as_chunks_mut::<2>()
            .0
            .iter_mut()
            .zip(words)
            .for_each(|([_, p], w)| *p = low(w)),
        _ => places
            .iter_mut()
            .skip(ch)
            .step_by(count)
            .zip(words)
            .for_each(|(p, w)| *p = low(w)),
    }
}

/// Converts up to [`STRETCH`] samples to two's-complement integers in the low bits.
///
/// Adding 1.5 * 2^52 leaves no bit below one: the addition itself rounds half to even, and the low 32 bits of the sum are the
/// integer. Unlike a call to round, this compiles to vector instructions on every machine.
#[inline(always)]
fn integers(samples: &[f64], scale: f64, tally: &mut Tally) -> [u32; STRETCH] {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    let mut words = [0; STRETCH];
    let (mut clipped, mut non_finite) = (0, 0);
    for (word, &x) in words.iter_mut().zip(samples) {
        let finite = x.is_finite();
        let x = if finite { x } else { 0.0 };
        let rounded = (x * scale + SHIFT) - SHIFT;
        let fits = rounded.clamp(-scale, scale - 1.0);
        clipped += u64::from(fits != rounded);
        non_finite += u64::from(!finite);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the integer is in the low 32 bits"
        )]
        let low = (fits + SHIFT).to_bits() as u32;
        *word = low;
    }
    tally.clipped += clipped;
    tally.non_finite += non_finite;
    words
}

/// Converts up to [`STRETCH`] samples to the bits of f32.
#[inline(always)]
fn floats(samples: &[f64], tally: &mut Tally) -> [u32; STRETCH] {
    let mut words = [0; STRETCH];
    let mut non_finite = 0;
    for (word, &x) in words.iter_mut().zip(samples) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the nearest f32 is what a float file holds"
        )]
        let y = x as f32;
        non_finite += u64::from(!y.is_finite());
        *word = if y.is_finite() { y.to_bits() } else { 0 };
    }
    tally.non_finite += non_finite;
    words
}

/// Returns a sample as it is read back from a file.
pub(crate) fn held(width: Width, x: f64) -> f64 {
    let integer = |scale: f64| {
        let x = if x.is_finite() { x } else { 0.0 };
        (x * scale).round_ties_even().clamp(-scale, scale - 1.0) / scale
    };
    match width {
        Width::I16 => integer(32_768.0),
        Width::I24 => integer(8_388_608.0),
        Width::I32 => integer(2_147_483_648.0),
        Width::F32 => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the nearest f32 is what a float file holds"
            )]
            let y = x as f32;
            if y.is_finite() { f64::from(y) } else { 0.0 }
        }
    }
}

/// Returns the largest rounding error of a sample inside the range of a format: half a step, or for floats half the distance to
/// the next value.
pub(crate) fn rounding(width: Width, x: f64) -> f64 {
    match width {
        Width::I16 => 1.0 / 65_536.0,
        Width::I24 => 1.0 / 16_777_216.0,
        Width::I32 => 1.0 / 4_294_967_296.0,
        Width::F32 => x.abs() / 16_777_216.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;
    use proptest::prelude::*;

    /// `x * 2^shift` rounded half to even, from the bits of `x` and integers alone; saturates far outside any format.
    fn rounded(x: f64, shift: i32) -> i128 {
        let bits = x.to_bits();
        let exponent = i32::try_from(bits >> 52 & 0x7FF).unwrap();
        let fraction = i128::from(bits & ((1 << 52) - 1));
        let (mantissa, exponent) = if exponent == 0 {
            (fraction, -1074)
        } else {
            (fraction | 1 << 52, exponent - 1075)
        };
        let e = exponent + shift;
        let size = match e {
            60.. => i128::MAX,
            0.. => mantissa << e,
            -60..0 => {
                let (whole, rest, half) =
                    (mantissa >> -e, mantissa & ((1 << -e) - 1), 1 << (-e - 1));
                whole + i128::from(rest > half || (rest == half && whole % 2 == 1))
            }
            _ => 0,
        };
        if bits >> 63 == 1 { -size } else { size }
    }

    /// Returns the expected bytes and counts, computed one sample at a time.
    fn reference(width: Width, x: f64) -> (Vec<u8>, Tally) {
        let bits = match width {
            Width::F32 => {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "the nearest f32 by the compiler's own rule"
                )]
                let y = x as f32;
                let keep = if y.is_finite() { y } else { 0.0 };
                let tally = Tally {
                    clipped: 0,
                    non_finite: u64::from(!y.is_finite()),
                };
                return (keep.to_le_bytes().to_vec(), tally);
            }
            other => i32::try_from(other.bytes()).unwrap() * 8,
        };
        let wanted = if x.is_finite() {
            rounded(x, bits - 1)
        } else {
            0
        };
        let full = 1i128 << (bits - 1);
        let held = wanted.clamp(-full, full - 1);
        let tally = Tally {
            clipped: u64::from(held != wanted),
            non_finite: u64::from(!x.is_finite()),
        };
        (held.to_le_bytes()[..width.bytes()].to_vec(), tally)
    }

    fn check(width: Width, channels: &[Vec<f64>]) {
        let (mut out, mut tally) = (vec![0xAA; 7], Tally::default());
        let frames = channels.first().map_or(0, Vec::len);
        let mut block = Block::new(
            Layout::Discrete(u8::try_from(channels.len()).unwrap()),
            frames + 3,
        );
        block.set_frames(frames);
        block
            .channels_mut()
            .zip(channels)
            .for_each(|(to, from)| to.copy_from_slice(from));
        interleave(width, &block, &mut out, &mut tally);
        let (mut wanted, mut count) = (Vec::new(), Tally::default());
        for i in 0..frames {
            for c in channels {
                let (bytes, t) = reference(width, c[i]);
                wanted.extend(bytes);
                count.clipped += t.clipped;
                count.non_finite += t.non_finite;
            }
        }
        assert_eq!((out, tally), (wanted, count), "{width:?} of {channels:?}");
    }

    const WIDTHS: [Width; 4] = [Width::I16, Width::I24, Width::I32, Width::F32];

    /// Any bits, levels near full scale, and exact halves of a step of every width.
    fn sample() -> impl Strategy<Value = f64> {
        let halves =
            (any::<i32>(), prop::sample::select(vec![15, 23, 31])).prop_map(|(v, shift)| {
                let v = v >> (31 - shift);
                (f64::from(v) + 0.5) / 2f64.powi(shift)
            });
        prop_oneof![
            any::<u64>().prop_map(f64::from_bits),
            -1.01..1.01f64,
            halves
        ]
    }

    #[test]
    fn what_is_held_is_what_is_written() {
        let samples = [
            0.0,
            0.1,
            -0.7,
            1.0,
            -1.0,
            1.5,
            -3.0,
            0.5 / 32_768.0,
            1.5 / 32_768.0,
            f64::NAN,
            1e300,
            -1e-9,
        ];
        let mut block = Block::new(Layout::Mono, samples.len());
        block.set_frames(samples.len());
        block.channel_mut(0).copy_from_slice(&samples);
        for width in [Width::I16, Width::I24, Width::I32, Width::F32] {
            let mut bytes = Vec::new();
            interleave(width, &block, &mut bytes, &mut Tally::default());
            for (x, bytes) in samples.iter().zip(bytes.chunks(width.bytes())) {
                let mut word = [0; 4];
                word[4 - bytes.len()..].copy_from_slice(bytes);
                let read = match width {
                    Width::F32 => f64::from(f32::from_le_bytes(word)),
                    _ => f64::from(i32::from_le_bytes(word)) / 2_147_483_648.0,
                };
                assert_eq!(held(width, *x), read, "{width:?} {x}");
                assert!(
                    x.abs() >= 1.0 || !x.is_finite() || (read - x).abs() <= rounding(width, *x)
                );
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_exact_arithmetic(x in prop::collection::vec(sample(), 6), count in 1usize..=3) {
            let channels: Vec<Vec<f64>> = x.chunks_exact(6 / count).map(<[f64]>::to_vec).take(count).collect();
            for width in WIDTHS {
                check(width, &channels);
            }
        }
    }

    #[test]
    fn edges_are_exact() {
        let mut edges = vec![
            0.0,
            -0.0,
            f64::NAN,
            -f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
        ];
        edges.extend([
            f64::MIN_POSITIVE,
            5e-324,
            f64::from(f32::MAX),
            3.402_823_5e38,
            3.5e38,
            1e300,
        ]);
        for bits in [15, 23, 31] {
            let step = 2f64.powi(-bits);
            for centre in [1.0, -1.0, 0.0, 0.5] {
                for steps in [-2.0, -1.5, -1.0, -0.75, -0.5, -0.25, 0.25, 0.5, 1.0, 1.5] {
                    let x = centre + steps * step;
                    edges.extend([x, x.next_up(), x.next_down()]);
                }
            }
        }
        for width in WIDTHS {
            check(width, std::slice::from_ref(&edges));
        }
    }

    #[test]
    fn any_number_of_frames_and_channels_lands_in_its_place() {
        for count in [0, 1, 2, 3, 8, 64] {
            for frames in [0, 1, STRETCH - 1, STRETCH, STRETCH + 1, 2 * STRETCH + 3] {
                let value =
                    |ch: i32, i: i32| f64::from((i * 67 + ch * 5) % 65_536) / 32_768.0 - 1.0;
                let x = |ch| (0..).take(frames).map(|i| value(ch, i)).collect();
                check(Width::I24, &(0..count).map(x).collect::<Vec<_>>());
            }
        }
    }
}
