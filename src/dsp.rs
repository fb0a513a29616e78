//! Pure kernels: numbers in, numbers out, no files and no state that outlives a call.

pub(crate) mod quantise;
