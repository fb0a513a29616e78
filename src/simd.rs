//! Runs loops with the wide instructions of the processor, where it has them.

/// Evaluates an expression, translated for AVX2 where the processor has it. The bits of the result are the same: a product and
/// a sum stay two steps, each rounded.
///
/// Only what becomes part of the expression is translated anew, so the functions that it calls must be `#[inline(always)]`.
macro_rules! with_avx2 {
    ($work:expr) => {
        $crate::simd::run(
            #[inline(always)]
            || $work,
        )
    };
}
pub(crate) use with_avx2;

/// Calls what [`with_avx2`] translates.
#[inline(always)]
pub(crate) fn run<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(all(feature = "simd", target_arch = "x86_64"))]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return simd.vectorize(work);
    }
    work()
}
