//! What fuzzing checks and what it starts from, for the fuzz targets and for the short run on any compiler.

pub mod check;
pub mod seeds;
