//! f64 to the samples of a file: rounding, clamping, counting, interleaving.
//!
//! An integer sample of n bits is `x * 2^(n-1)` rounded half to even, then clamped to `-2^(n-1) ..= 2^(n-1) - 1`: the
//! scale is a power of two, so what was read from a file of n bits is written back bit for bit. A sample that the clamp
//! changes is counted as clipped. NaN and infinities become 0 and are counted. Float files get the nearest f32, -0.0
//! stays -0.0, and what is beyond f32 counts as not finite. Nothing is dithered here.

/// What a stretch of samples had that a file cannot hold.
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

/// Frames converted at once: small enough for the nearest cache, long enough for wide instructions.
const STRETCH: usize = 512;

/// Writes all frames of some channels into `out`, interleaved. The channels are equally long.
pub(crate) fn interleave<'a>(
    width: Width,
    channels: impl ExactSizeIterator<Item = &'a [f64]>,
    out: &mut Vec<u8>,
    tally: &mut Tally,
) {
    let count = channels.len();
    let mut frames = 0;
    for (ch, samples) in channels.enumerate() {
        if ch == 0 {
            frames = samples.len();
            out.resize(frames * count * width.bytes(), 0);
        }
        let samples = samples.get(..frames).unwrap_or(samples);
        match width {
            Width::I16 => spread::<2>(out, ch, count, samples, |s| integers(s, 32_768.0, tally)),
            Width::I24 => spread::<3>(out, ch, count, samples, |s| integers(s, 8_388_608.0, tally)),
            Width::I32 => spread::<4>(out, ch, count, samples, |s| integers(s, 2_147_483_648.0, tally)),
            Width::F32 => spread::<4>(out, ch, count, samples, |s| floats(s, tally)),
        }
    }
}

/// The lowest bytes of a word.
#[inline(always)]
fn low<const W: usize>(word: u32) -> [u8; W] {
    word.to_le_bytes().first_chunk().copied().unwrap_or([0; W])
}

/// Puts one channel into its places among the others. Mono and stereo have a fixed stride.
#[inline(always)]
fn spread<const W: usize>(
    out: &mut [u8],
    ch: usize,
    count: usize,
    samples: &[f64],
    mut convert: impl FnMut(&[f64]) -> [u32; STRETCH],
) {
    let frames = out.as_chunks_mut::<W>().0;
    for (to, from) in frames.chunks_mut(STRETCH * count.max(1)).zip(samples.chunks(STRETCH)) {
        let words = convert(from);
        match (count, ch) {
            (1, _) => to.iter_mut().zip(words).for_each(|(t, w)| *t = low(w)),
            (2, 0) => to.as_chunks_mut::<2>().0.iter_mut().zip(words).for_each(|([t, _], w)| *t = low(w)),
            (2, _) => to.as_chunks_mut::<2>().0.iter_mut().zip(words).for_each(|([_, t], w)| *t = low(w)),
            _ => to.iter_mut().skip(ch).step_by(count.max(1)).zip(words).for_each(|(t, w)| *t = low(w)),
        }
    }
}

/// Up to [`STRETCH`] samples as two's-complement integers in the low bits.
///
/// Adding 1.5 * 2^52 leaves no bit below one: the sum is rounded half to even by the addition itself, and its low 32
/// bits are the integer. Unlike a call to round, this compiles to wide instructions on every machine.
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
        #[expect(clippy::cast_possible_truncation, reason = "the integer is in the low 32 bits")]
        let low = (fits + SHIFT).to_bits() as u32;
        *word = low;
    }
    tally.clipped += clipped;
    tally.non_finite += non_finite;
    words
}

/// Up to [`STRETCH`] samples as the bits of f32.
#[inline(always)]
fn floats(samples: &[f64], tally: &mut Tally) -> [u32; STRETCH] {
    let mut words = [0; STRETCH];
    let mut non_finite = 0;
    for (word, &x) in words.iter_mut().zip(samples) {
        #[expect(clippy::cast_possible_truncation, reason = "the nearest f32 is what a float file holds")]
        let y = x as f32;
        non_finite += u64::from(!y.is_finite());
        *word = if y.is_finite() { y.to_bits() } else { 0 };
    }
    tally.non_finite += non_finite;
    words
}
