//! Decodes subframes (RFC 9639, 9.2): one channel of a frame.
//!
//! A sample is what the ones before it predict, plus a residual. Residuals are read and added in one loop, so that the
//! processor works on both at once. The loop is compiled for each order of the predictor. With AVX2 it is faster to read the
//! residuals of two channels first, and then to restore both channels at once ([`pair`]).

#![expect(
    clippy::cast_possible_truncation,
    reason = "numbers of known width, and sums that wrap around on purpose"
)]

#[cfg(all(feature = "simd", target_arch = "x86_64"))]
pub(super) mod pair;

use super::{
    FrameCheck,
    bits::{BitReader, MAX_FAST_PARAMETER, RiceCode},
};

/// Maximum order of a predictor.
const MAX_ORDER: usize = 32;

/// Coefficients of the fixed predictors (RFC 9639, 9.2.5), for the sample before first.
const FIXED: [&[i32]; 5] = [&[], &[1], &[2, -1], &[3, -3, 1], &[4, -6, 4, -1]];

/// A decoded sample. Higher bits, which only invalid data has, are dropped.
pub(super) trait Sample: Copy + Into<i64> {
    fn wrap(wide: i64) -> Self;

    /// Returns whether all samples fit a number of bits, which their type has at least.
    fn all_fit(samples: &[Self], bits: u32) -> bool;
}

impl Sample for i32 {
    #[inline(always)]
    fn wrap(wide: i64) -> Self {
        wide as Self
    }

    #[inline(always)]
    fn all_fit(samples: &[Self], bits: u32) -> bool {
        let unused = Self::BITS - bits;
        // Without an early exit, so that the loop is vectorised.
        let excess = |x: Self| x ^ x << unused >> unused;
        samples.iter().fold(0, |all, x| all | excess(*x)) == 0
    }
}

/// Holds the 33 bits that the difference of two channels of 32 bits needs.
impl Sample for i64 {
    #[inline(always)]
    fn wrap(wide: i64) -> Self {
        wide
    }

    fn all_fit(samples: &[Self], bits: u32) -> bool {
        let unused = Self::BITS - bits;
        samples.iter().all(|x| *x == *x << unused >> unused)
    }
}

/// A linear predictor.
struct Predictor {
    /// Coefficients, for the sample before first.
    coefficients: [i32; MAX_ORDER],
    order: usize,
    /// Right shift of the sum.
    shift: u32,
}

impl Predictor {
    fn fixed(order: usize) -> Self {
        let mut coefficients = [0; MAX_ORDER];
        let fixed = FIXED.get(order).copied().unwrap_or_default();
        coefficients
            .iter_mut()
            .zip(fixed)
            .for_each(|(c, f)| *c = *f);
        Self {
            coefficients,
            order,
            shift: 0,
        }
    }

    /// Returns whether no sum of products with samples of `bits` bits needs more than 32 bits.
    fn fits_32_bits(&self, bits: u32) -> bool {
        let sum: u64 = self
            .coefficients
            .iter()
            .map(|c| u64::from(c.unsigned_abs()))
            .sum();
        bits <= 32 && sum << (bits - 1) < 1 << 31
    }
}

/// A subframe up to its residual.
struct Subframe {
    /// Of order 0 if all samples are stored.
    predictor: Predictor,
    /// Whether a residual follows.
    has_residual: bool,
    /// Bits of a sample without the wasted ones.
    bits: u32,
    /// Bits of zeros that every sample ends with, and that are not stored.
    wasted: u32,
}

/// Decodes a subframe of samples of `bits` bits, at most 33, into `out`. Returns whether they fit that number of bits.
pub(super) fn decode<S: Sample>(
    reader: &mut BitReader<'_>,
    bits: u32,
    out: &mut [S],
) -> Result<bool, FrameCheck> {
    let subframe = read_start(reader, bits, out)?;
    if subframe.has_residual {
        let predictor = &subframe.predictor;
        restore_all(reader, subframe.bits, predictor, out, predictor.order)?;
    }
    Ok(restore_wasted(&subframe, out))
}

/// Reads a subframe up to its residual: its header, and the samples that nothing predicts.
#[inline(always)]
fn read_start<S: Sample>(
    reader: &mut BitReader<'_>,
    bits: u32,
    out: &mut [S],
) -> Result<Subframe, FrameCheck> {
    let header = reader.read(8);
    let wasted = if header & 1 == 1 {
        reader.read_unary().saturating_add(1)
    } else {
        0
    };
    // At least one bit is left, and the first one of the header is zero.
    if wasted >= bits || header & 0x80 != 0 {
        return Err(FrameCheck::Reserved);
    }
    let bits = bits - wasted;
    let mut predictor = Predictor::fixed(0);
    match header >> 1 {
        0 => out.fill(S::wrap(reader.read_signed(bits))),
        1 => read_samples(reader, bits, out),
        kind @ 8..=12 => {
            predictor = Predictor::fixed(kind as usize - 8);
            warm_up(reader, bits, predictor.order, out)?;
        }
        kind @ 32.. => {
            predictor.order = kind as usize - 31;
            warm_up(reader, bits, predictor.order, out)?;
            let precision = reader.read(4) as u32 + 1;
            let shift = reader.read_signed(5);
            // A precision of 16 is reserved; a negative shift is not allowed (RFC 9639, 9.2.6).
            predictor.shift = u32::try_from(shift).map_err(|_| FrameCheck::Reserved)?;
            if precision == 16 {
                return Err(FrameCheck::Reserved);
            }
            for c in predictor.coefficients.iter_mut().take(predictor.order) {
                *c = i32::wrap(reader.read_signed(precision));
            }
        }
        _ => return Err(FrameCheck::Reserved),
    }
    Ok(Subframe {
        predictor,
        has_residual: header >> 1 > 1,
        bits,
        wasted,
    })
}

/// Appends the zeros that every sample ends with. Returns whether the samples before them fit their number of bits: the shift
/// drops what they have in excess.
#[inline(always)]
fn restore_wasted<S: Sample>(subframe: &Subframe, out: &mut [S]) -> bool {
    let in_range = S::all_fit(out, subframe.bits);
    if subframe.wasted > 0 {
        out.iter_mut()
            .for_each(|s| *s = S::wrap((*s).into() << subframe.wasted));
    }
    in_range
}

fn read_samples<S: Sample>(reader: &mut BitReader<'_>, bits: u32, out: &mut [S]) {
    for sample in out {
        *sample = S::wrap(reader.read_signed(bits));
    }
}

/// Reads the samples that nothing predicts.
fn warm_up<S: Sample>(
    reader: &mut BitReader<'_>,
    bits: u32,
    order: usize,
    out: &mut [S],
) -> Result<(), FrameCheck> {
    let first = out.get_mut(..order).ok_or(FrameCheck::Reserved)?;
    read_samples(reader, bits, first);
    Ok(())
}

/// Reads the residual (RFC 9639, 9.2.7) of all samples but the first `order`, and restores them. With a predictor of order 0
/// the residual is left in their place.
#[inline(always)]
fn restore_all<S: Sample>(
    reader: &mut BitReader<'_>,
    bits: u32,
    predictor: &Predictor,
    out: &mut [S],
    order: usize,
) -> Result<(), FrameCheck> {
    // 4 or 5 bits for each Rice parameter, of which the highest means plain numbers.
    let parameter_bits = match reader.read(2) {
        0 => 4,
        1 => 5,
        _ => return Err(FrameCheck::Reserved),
    };
    let escape = (1 << parameter_bits) - 1;
    let partitions = 1usize << reader.read(4);
    let frames = out.len() / partitions;
    if frames * partitions != out.len() || frames < order {
        return Err(FrameCheck::Reserved);
    }
    let is_narrow = predictor.fits_32_bits(bits);
    let mut from = order;
    for end in (1..=partitions).map(|n| n * frames) {
        let parameter = reader.read(parameter_bits) as u32;
        let part = out.get_mut(..end).unwrap_or_default();
        if parameter == escape {
            let width = reader.read(5) as u32;
            restore_any(predictor, part, from, |_| {
                i32::wrap(reader.read_signed(width))
            });
        } else if parameter > MAX_FAST_PARAMETER {
            restore_any(predictor, part, from, |_| {
                let (next, code) = reader.read_any_rice(parameter);
                *reader = next;
                code.residual(parameter)
            });
        } else if predictor.order == 0 {
            read_residual(reader, parameter, part.get_mut(from..).unwrap_or_default());
        } else {
            restore_rice(reader, parameter, predictor, is_narrow, part, from);
        }
        // A partition that reads beyond the end is the last, so that damage takes no time.
        if reader.remaining().is_none() {
            return Err(FrameCheck::Length);
        }
        from = end;
    }
    Ok(())
}

/// Restores samples from `from` on with any predictor and residuals. `residual` is given what is in the place of the sample.
#[inline(always)]
fn restore_any<S: Sample>(
    predictor: &Predictor,
    out: &mut [S],
    from: usize,
    mut residual: impl FnMut(S) -> i32,
) {
    for at in from..out.len() {
        let (before, after) = out.split_at_mut(at);
        let used = before.iter().rev().take(predictor.order);
        let sum = used
            .zip(&predictor.coefficients)
            .map(|(s, c)| (*s).into().wrapping_mul((*c).into()))
            .fold(0, i64::wrapping_add);
        if let Some(sample) = after.first_mut() {
            *sample = S::wrap((sum >> predictor.shift).wrapping_add(residual(*sample).into()));
        }
    }
}

/// Restores samples from `from` on whose residuals are Rice codes with a parameter of at most [`MAX_FAST_PARAMETER`].
/// `is_narrow` says that sums fit 32 bits.
fn restore_rice<S: Sample>(
    reader: &mut BitReader<'_>,
    parameter: u32,
    predictor: &Predictor,
    is_narrow: bool,
    out: &mut [S],
    from: usize,
) {
    macro_rules! restore_with_order {
        ($($order:literal)*) => {
            match predictor.order {
                $($order if is_narrow => {
                    restore_narrow::<S, $order>(reader, parameter, predictor, out, from);
                })*
                $($order => restore_wide::<S, $order>(reader, parameter, predictor, out, from),)*
                _ => restore_any(predictor, out, from, |_| reader.read_rice(parameter).residual(parameter)),
            }
        };
    }
    // Higher orders are rare: up to 48 kHz they are outside the streamable subset (RFC 9639, 7).
    restore_with_order!(1 2 3 4 5 6 7 8 9 10 11 12);
}

/// Reads residuals that are Rice codes with a parameter of at most [`MAX_FAST_PARAMETER`].
#[inline(always)]
fn read_residual<S: Sample>(reader: &mut BitReader<'_>, parameter: u32, out: &mut [S]) {
    // A code is most often up to three bits longer than its parameter.
    match parameter {
        0..=5 => read_codes::<S, 5>(reader, parameter, out),
        6..=9 => read_codes::<S, 4>(reader, parameter, out),
        10..=14 => read_codes::<S, 3>(reader, parameter, out),
        _ => read_codes::<S, 2>(reader, parameter, out),
    }
    // In a loop of its own, which is vectorised.
    for sample in out {
        let code = RiceCode::unpack(i32::wrap((*sample).into()));
        *sample = S::wrap(code.residual(parameter).into());
    }
}

/// Reads Rice codes, `N` at a time.
#[inline(always)]
fn read_codes<S: Sample, const N: usize>(
    reader: &mut BitReader<'_>,
    parameter: u32,
    out: &mut [S],
) {
    // A copy stays in registers.
    let mut bits = *reader;
    let (groups, last) = out.as_chunks_mut();
    for group in groups {
        *group = bits
            .read_rice_codes::<N>(parameter)
            .map(|code| S::wrap(code.pack().into()));
    }
    for sample in last {
        *sample = S::wrap(bits.read_rice(parameter).pack().into());
    }
    *reader = bits;
}

/// Restores samples whose predictions are sums of 64 bits.
fn restore_wide<S: Sample, const ORDER: usize>(
    reader: &mut BitReader<'_>,
    parameter: u32,
    predictor: &Predictor,
    out: &mut [S],
    from: usize,
) {
    let mut coefficients = [0; ORDER];
    for (c, coefficient) in coefficients.iter_mut().rev().zip(predictor.coefficients) {
        *c = coefficient.into();
    }
    let newest = coefficients.last().copied().unwrap_or(0);
    let shift = predictor.shift;
    // A copy stays in registers.
    let mut bits = *reader;
    let mut start = from.saturating_sub(ORDER);
    while let Some((history, [first, second, ..])) = split_history(out, start) {
        let codes = bits.read_rice_codes(parameter);
        let [residual, next_residual] = codes.map(|c| c.residual(parameter));
        let sum = sum_of_products(history, &coefficients);
        // All of the second sum but the product of the first sample, so that both can be computed at once.
        let (_, recent) = history.split_at(1);
        let older = recent.iter().zip(&coefficients);
        let older = older
            .map(|(s, c)| (*s).into().wrapping_mul(*c))
            .fold(0, i64::wrapping_add);
        let sample = S::wrap((sum >> shift).wrapping_add(residual.into()));
        *first = sample;
        let sum = older.wrapping_add(sample.into().wrapping_mul(newest));
        *second = S::wrap((sum >> shift).wrapping_add(next_residual.into()));
        start += 2;
    }
    if let Some((history, [last])) = split_history(out, start) {
        let sum = sum_of_products(history, &coefficients);
        let residual = bits.read_rice(parameter).residual(parameter);
        *last = S::wrap((sum >> shift).wrapping_add(residual.into()));
    }
    *reader = bits;
}

/// Restores samples whose predictions are sums of 32 bits.
///
/// Two samples are predicted at once. A coefficient and the next one, 2³² times as large, are one factor: the products with
/// the samples before add up to the prediction of the first sample, and above it that of the second, which lacks only the
/// product of the first sample.
fn restore_narrow<S: Sample, const ORDER: usize>(
    reader: &mut BitReader<'_>,
    parameter: u32,
    predictor: &Predictor,
    out: &mut [S],
    from: usize,
) {
    let [newest, others @ ..] = predictor.coefficients;
    let mut pairs = [0; ORDER];
    let next = others.into_iter().chain([0]);
    let coefficients = predictor.coefficients.into_iter().zip(next);
    for (pair, (low, high)) in pairs.iter_mut().rev().zip(coefficients) {
        *pair = i64::from(low).wrapping_add(i64::from(high) << 32);
    }
    let shift = predictor.shift;
    // A copy stays in registers.
    let mut bits = *reader;
    let mut start = from.saturating_sub(ORDER);
    while let Some((history, [first, second, ..])) = split_history(out, start) {
        let codes = bits.read_rice_codes(parameter);
        let [residual, next_residual] = codes.map(|c| c.residual(parameter));
        let both = sum_of_products(history, &pairs);
        let low = both as i32;
        // A negative low half has borrowed from the high one.
        let high = (both.wrapping_sub(low.into()) >> 32) as i32;
        let sample = (low >> shift).wrapping_add(residual);
        *first = S::wrap(sample.into());
        let sum = high.wrapping_add(newest.wrapping_mul(sample));
        *second = S::wrap((sum >> shift).wrapping_add(next_residual).into());
        start += 2;
    }
    if let Some((history, [last])) = split_history(out, start) {
        let low = sum_of_products(history, &pairs) as i32;
        let residual = bits.read_rice(parameter).residual(parameter);
        *last = S::wrap((low >> shift).wrapping_add(residual).into());
    }
    *reader = bits;
}

/// Splits samples from `start` on into as many as a predictor needs, and those behind them.
#[inline(always)]
fn split_history<S, const ORDER: usize>(
    out: &mut [S],
    start: usize,
) -> Option<(&[S; ORDER], &mut [S])> {
    let (history, rest) = out.get_mut(start..)?.split_first_chunk_mut()?;
    Some((history, rest))
}

#[inline(always)]
fn sum_of_products<S: Sample, const ORDER: usize>(a: &[S; ORDER], b: &[i64; ORDER]) -> i64 {
    let products = a.iter().zip(b).map(|(a, b)| (*a).into().wrapping_mul(*b));
    products.fold(0, i64::wrapping_add)
}
