//! Pure kernels: numbers in, numbers out, no files and no state that outlives a call.

pub(crate) mod dither;
pub(crate) mod extent;
pub(crate) mod gain;
pub(crate) mod limiter;
pub(crate) mod pan;
pub(crate) mod peak;
pub(crate) mod quantise;
pub(crate) mod true_peak;
