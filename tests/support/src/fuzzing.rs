//! Checks and seeds of fuzzing, for the fuzz targets and for the short run on any compiler.

pub mod check;
pub mod seeds;
