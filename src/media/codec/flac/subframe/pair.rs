//! Decodes the subframes of two channels at once, on processors with AVX2.
//!
//! A prediction takes as many multiplications as its order, and each needs the result of the one before. Here one
//! instruction multiplies for both channels. The loops that read residuals are translated for BMI2 and LZCNT.

use super::{
    super::{FrameCheck, bits::BitReader},
    MAX_ORDER, Predictor, Subframe, read_start, restore_all, restore_any, restore_wasted,
};
use crate::simd::with_avx2;
use core::arch::x86_64::__m128i;
use pulp::{NullaryFnOnce, cast, x86::V3};

/// Number of frames after which the history is moved to the start of its buffer.
const BLOCK_FRAMES: usize = 256;

/// Decodes the subframes of two channels of `bits` bits, at most 32, into planes of the same length. Returns whether all
/// samples fit those bits.
pub(in super::super) fn decode(
    simd: V3,
    reader: &mut BitReader<'_>,
    bits: [u32; 2],
    planes: [&mut [i32]; 2],
) -> Result<bool, FrameCheck> {
    let [first, second] = planes;
    let a = read_residual(simd, reader, bits[0], first)?;
    let b = read_residual(simd, reader, bits[1], second)?;
    // Both channels begin where the longer of the two predictors does.
    let from = a.predictor.order.max(b.predictor.order);
    restore_to(from, &a.predictor, first);
    restore_to(from, &b.predictor, second);
    restore(simd, [&a.predictor, &b.predictor], [first, second], from);
    Ok(with_avx2!(
        restore_wasted(&a, first) & restore_wasted(&b, second)
    ))
}

fn read_residual(
    simd: V3,
    reader: &mut BitReader<'_>,
    bits: u32,
    out: &mut [i32],
) -> Result<Subframe, FrameCheck> {
    simd.vectorize(ReadResidual { reader, bits, out })
}

/// Reads a subframe, and leaves the residual in the place of the samples.
struct ReadResidual<'a, 'b> {
    reader: &'a mut BitReader<'b>,
    bits: u32,
    out: &'a mut [i32],
}

impl NullaryFnOnce for ReadResidual<'_, '_> {
    type Output = Result<Subframe, FrameCheck>;

    #[inline(always)]
    fn call(self) -> Self::Output {
        let Self { reader, bits, out } = self;
        let subframe = read_start(reader, bits, out)?;
        if subframe.has_residual {
            let order = subframe.predictor.order;
            restore_all(reader, subframe.bits, &Predictor::fixed(0), out, order)?;
        }
        Ok(subframe)
    }
}

/// Restores the samples before `end`.
fn restore_to(end: usize, predictor: &Predictor, out: &mut [i32]) {
    if let Some(part) = out.get_mut(..end) {
        restore_any(predictor, part, predictor.order, |residual| residual);
    }
}

/// Restores the samples of both channels from `from` on, which is the order of the longer predictor.
fn restore(simd: V3, predictors: [&Predictor; 2], planes: [&mut [i32]; 2], from: usize) {
    macro_rules! restore_with_order {
        ($($order:literal)*) => {
            match from {
                0 => {}
                $(..=$order => {
                    simd.vectorize(Restore::<$order> { simd, predictors, planes, from });
                })*
                _ => simd.vectorize(Restore::<MAX_ORDER> { simd, predictors, planes, from }),
            }
        };
    }
    restore_with_order!(2 4 6 8 10 12 16);
}

/// Restores both channels with predictors of up to `ORDER` coefficients.
struct Restore<'a, const ORDER: usize> {
    simd: V3,
    predictors: [&'a Predictor; 2],
    planes: [&'a mut [i32]; 2],
    from: usize,
}

impl<const ORDER: usize> NullaryFnOnce for Restore<'_, ORDER> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            simd,
            predictors: [a, b],
            planes: [first, second],
            from,
        } = self;
        // For the oldest sample first; zeros where a predictor is shorter.
        let mut factors = [cast::<[i64; 2], __m128i>([0; 2]); ORDER];
        let coefficients = a.coefficients.iter().zip(&b.coefficients);
        for (factor, (a, b)) in factors.iter_mut().rev().zip(coefficients) {
            *factor = cast([i64::from(*a), i64::from(*b)]);
        }
        // The compiler would see that a factor has 32 bits, forget it before the loop, and multiply numbers of 64 bits.
        let factors = std::hint::black_box(factors);
        let shifts: __m128i = cast([u64::from(a.shift), u64::from(b.shift)]);
        // Samples of both channels; only their lower halves matter.
        let mut history = [[0i64; 2]; MAX_ORDER + BLOCK_FRAMES];
        let before = first.iter().zip(second.iter()).take(from).rev();
        for (sample, (a, b)) in history.iter_mut().take(MAX_ORDER).rev().zip(before) {
            *sample = [(*a).into(), (*b).into()];
        }
        // In a register: what has just been stored is slow to load.
        let mut newest: __m128i = cast(history[MAX_ORDER - 1]);
        let first = first.get_mut(from..).unwrap_or_default();
        let second = second.get_mut(from..).unwrap_or_default();
        let blocks = first
            .chunks_mut(BLOCK_FRAMES)
            .zip(second.chunks_mut(BLOCK_FRAMES));
        for (first, second) in blocks {
            let frames = first.len();
            for (i, (a, b)) in first.iter_mut().zip(second).enumerate() {
                let Some((samples, [current, ..])) = history
                    .get_mut(MAX_ORDER - ORDER + i..)
                    .and_then(|h| h.split_first_chunk_mut::<ORDER>())
                else {
                    return;
                };
                let mut sum: __m128i = cast([0i64; 2]);
                for (n, (sample, factor)) in samples.iter().zip(&factors).enumerate() {
                    let is_newest = n + 1 == ORDER;
                    let sample = if is_newest { newest } else { cast(*sample) };
                    let product = simd.sse4_1._mm_mul_epi32(sample, *factor);
                    sum = simd.sse2._mm_add_epi64(sum, product);
                }
                // AVX2 shifts in zeros in place of the sign. They stay above the 32 bits that count, since the shift is at most 15.
                let prediction = simd.avx2._mm_srlv_epi64(sum, shifts);
                let residual: __m128i = cast([*a, *b].map(|r| u64::from(r.cast_unsigned())));
                newest = simd.sse2._mm_add_epi32(prediction, residual);
                *current = cast(newest);
                [*a, *b] = current.map(|sample| sample as i32);
            }
            history.copy_within(frames..frames + MAX_ORDER, 0);
        }
    }
}
