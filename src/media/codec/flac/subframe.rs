//! Decodes subframes (RFC 9639, 9.2): one channel of a frame.
//!
//! A sample is what the ones before it predict, plus a residual. Residuals are read and added in one loop, in which the
//! processor works on both at once. The loop is compiled for each order, so that coefficients and the samples before stay
//! in registers; predictions are sums of 32 bits wherever they cannot overflow.

#![expect(
    clippy::cast_possible_truncation,
    reason = "numbers of known width, and sums that wrap around on purpose"
)]

use super::{FrameCheck, bits::BitReader};

/// Maximum order of a predictor.
const MAX_ORDER: usize = 32;

/// Coefficients of the fixed predictors (RFC 9639, 9.2.5), for the sample before first.
const FIXED: [&[i32]; 5] = [&[], &[1], &[2, -1], &[3, -3, 1], &[4, -6, 4, -1]];

/// A decoded sample, and what predictions are summed up in. Sums wrap around where data is invalid.
pub(super) trait Word: Copy {
    /// Converts, and drops higher bits.
    fn wrap(wide: i64) -> Self;
    fn widen(self) -> i64;
    /// Returns `self + a * b`.
    fn add_product(self, a: Self, b: Self) -> Self;
    /// Returns `(self >> shift) + residual`.
    fn predict(self, shift: u32, residual: i32) -> Self;
}

impl Word for i32 {
    #[inline(always)]
    fn wrap(wide: i64) -> Self {
        wide as Self
    }
    #[inline(always)]
    fn widen(self) -> i64 {
        self.into()
    }
    #[inline(always)]
    fn add_product(self, a: Self, b: Self) -> Self {
        self.wrapping_add(a.wrapping_mul(b))
    }
    #[inline(always)]
    fn predict(self, shift: u32, residual: i32) -> Self {
        (self >> shift).wrapping_add(residual)
    }
}

impl Word for i64 {
    #[inline(always)]
    fn wrap(wide: i64) -> Self {
        wide
    }
    #[inline(always)]
    fn widen(self) -> i64 {
        self
    }
    #[inline(always)]
    fn add_product(self, a: Self, b: Self) -> Self {
        self.wrapping_add(a.wrapping_mul(b))
    }
    #[inline(always)]
    fn predict(self, shift: u32, residual: i32) -> Self {
        (self >> shift).wrapping_add(residual.into())
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

/// Decodes a subframe of samples of `bits` bits, at most 33, into `out`.
pub(super) fn decode<S: Word>(
    reader: &mut BitReader<'_>,
    bits: u32,
    out: &mut [S],
) -> Result<(), FrameCheck> {
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
    match header >> 1 {
        0 => out.fill(S::wrap(reader.read_signed(bits))),
        1 => read_samples(reader, bits, out),
        kind @ 8..=12 => {
            let predictor = Predictor::fixed(kind as usize - 8);
            let order = warm_up(reader, bits, predictor.order, out)?;
            restore_all(reader, bits, &predictor, out, order)?;
        }
        kind @ 32.. => {
            let order = warm_up(reader, bits, kind as usize - 31, out)?;
            let precision = reader.read(4) as u32 + 1;
            let shift = reader.read_signed(5);
            // A precision of 16 is reserved; a negative shift is not allowed (RFC 9639, 9.2.6).
            let shift = u32::try_from(shift).map_err(|_| FrameCheck::Reserved)?;
            if precision == 16 {
                return Err(FrameCheck::Reserved);
            }
            let mut coefficients = [0; MAX_ORDER];
            for c in coefficients.iter_mut().take(order) {
                *c = i32::wrap(reader.read_signed(precision));
            }
            let predictor = Predictor {
                coefficients,
                order,
                shift,
            };
            restore_all(reader, bits, &predictor, out, order)?;
        }
        _ => return Err(FrameCheck::Reserved),
    }
    if wasted > 0 {
        out.iter_mut()
            .for_each(|s| *s = S::wrap(s.widen() << wasted));
    }
    Ok(())
}

fn read_samples<S: Word>(reader: &mut BitReader<'_>, bits: u32, out: &mut [S]) {
    for sample in out {
        *sample = S::wrap(reader.read_signed(bits));
    }
}

/// Reads the samples that nothing predicts, and returns how many.
fn warm_up<S: Word>(
    reader: &mut BitReader<'_>,
    bits: u32,
    order: usize,
    out: &mut [S],
) -> Result<usize, FrameCheck> {
    let first = out.get_mut(..order).ok_or(FrameCheck::Reserved)?;
    read_samples(reader, bits, first);
    Ok(order)
}

/// Reads the residual (RFC 9639, 9.2.7) of all samples but the first `order`, and restores them.
fn restore_all<S: Word>(
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
    let narrow = predictor.fits_32_bits(bits);
    let mut from = order;
    for end in (1..=partitions).map(|n| n * frames) {
        let parameter = reader.read(parameter_bits) as u32;
        let part = out.get_mut(..end).unwrap_or_default();
        if parameter == escape {
            let width = reader.read(5) as u32;
            restore_plain(reader, width, predictor, part, from);
        } else if narrow {
            restore_rice::<i32, S>(reader, parameter, predictor, part, from);
        } else {
            restore_rice::<i64, S>(reader, parameter, predictor, part, from);
        }
        // A partition that reads beyond the end is the last, so that damage takes no time.
        if reader.overran() {
            return Err(FrameCheck::Length);
        }
        from = end;
    }
    if reader.overflowed() {
        return Err(FrameCheck::Residual);
    }
    Ok(())
}

/// Restores samples from `from` on whose residuals are plain numbers.
fn restore_plain<S: Word>(
    reader: &mut BitReader<'_>,
    width: u32,
    predictor: &Predictor,
    out: &mut [S],
    from: usize,
) {
    for at in from..out.len() {
        let (before, after) = out.split_at_mut(at);
        let products = before.iter().rev().zip(&predictor.coefficients);
        let sum = products.fold(0i64, |sum, (s, c)| sum.add_product(s.widen(), (*c).into()));
        let residual = i32::wrap(reader.read_signed(width));
        if let Some(sample) = after.first_mut() {
            *sample = S::wrap(sum.predict(predictor.shift, residual));
        }
    }
}

/// Restores samples from `from` on whose residuals are Rice codes.
fn restore_rice<W: Word, S: Word>(
    reader: &mut BitReader<'_>,
    parameter: u32,
    predictor: &Predictor,
    out: &mut [S],
    from: usize,
) {
    macro_rules! for_order {
        ($($order:literal)*) => {
            match predictor.order {
                $(..=$order => restore::<W, S, $order>(reader, parameter, predictor, out, from),)*
                _ => {}
            }
        };
    }
    // Between these the next higher order has coefficients of zero.
    for_order!(0 1 2 3 4 5 6 7 8 9 10 11 12 16 24 32);
}

fn restore<W: Word, S: Word, const ORDER: usize>(
    reader: &mut BitReader<'_>,
    parameter: u32,
    predictor: &Predictor,
    out: &mut [S],
    from: usize,
) {
    let (before, out) = out.split_at_mut(from);
    // The latest first.
    let mut history = [W::wrap(0); ORDER];
    for (h, sample) in history.iter_mut().zip(before.iter().rev()) {
        *h = W::wrap(sample.widen());
    }
    let mut coefficients = [W::wrap(0); ORDER];
    for (c, coefficient) in coefficients.iter_mut().zip(predictor.coefficients) {
        *c = W::wrap(coefficient.into());
    }
    let shift = predictor.shift;
    let mut next = |residual: i32| {
        // The latest sample is added last: all other products are ready before it is.
        let products = history.iter().zip(&coefficients).rev();
        let sum = products.fold(W::wrap(0), |sum, (h, c)| sum.add_product(*h, *c));
        let sample = sum.predict(shift, residual);
        if ORDER > 0 {
            history.copy_within(..ORDER - 1, 1);
            history[0] = sample;
        }
        S::wrap(sample.widen())
    };
    // A copy stays in registers.
    let mut bits = *reader;
    let (pairs, rest) = out.as_chunks_mut::<2>();
    for pair in pairs {
        let [a, b] = bits.read_rice_pair(parameter);
        *pair = [next(a), next(b)];
    }
    for sample in rest {
        *sample = next(bits.read_rice(parameter));
    }
    *reader = bits;
}
