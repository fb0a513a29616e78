//! Null test of complete files: reads stems and mix as they were written, adds the stems and measures
//! the difference.
//!
//! Each file may differ from its exact signal by the error of its format: half a quantisation step of
//! rounding, and with dither one step more. The errors of all files add up to the limit of the test.

use super::null_test::Residue;
use crate::{
    dsp::{
        peak::{Peak, largest},
        quantise::rounding,
    },
    encode::{Format, Shaping},
    error::{Error, Result},
    media::{
        Damage, Input,
        chunk_reader::{ChunkReader, WINDOW},
        stem::Stem,
    },
    units::SampleRate,
};
use std::path::Path;

/// Complete file to read.
pub(super) struct FileToRead<'a> {
    pub path: &'a Path,
    /// Name of the finished file, for messages.
    pub name: &'a str,
    pub format: Format,
    /// Dither of the file.
    pub shaping: Option<Shaping>,
}

impl FileToRead<'_> {
    fn open(&self, rate: SampleRate) -> Result<ChunkReader> {
        let stem = Stem::probe(&Input::file(self.path), rate, Damage::Refuse);
        stem.and_then(|stem| ChunkReader::open(&stem))
            .map_err(|e| self.unreadable(&e))
    }

    fn unreadable(&self, e: &Error) -> Error {
        let what = format!("{}: cannot be read back after writing: {e}", self.name);
        Error::new(e.kind(), what)
    }

    /// Returns the largest error of a sample of the file, given the largest sample.
    fn largest_error(&self, peak: f64) -> f64 {
        let half_step = rounding(self.format.width(), peak);
        let steps = self.shaping.map_or(0.5, Shaping::largest_error);
        2.0 * half_step * steps
    }
}

/// Reads stems and mix in step and measures how far the sum of the stems is from the mix.
///
/// # Errors
/// Errors of reading the files.
pub(super) fn residue(
    stems: &[FileToRead<'_>],
    mix: &FileToRead<'_>,
    rate: SampleRate,
) -> Result<Residue> {
    let files: Vec<&FileToRead<'_>> = stems.iter().chain([mix]).collect();
    let mut readers = Vec::with_capacity(files.len());
    for file in &files {
        readers.push(file.open(rate)?);
    }
    let mut residue = Residue {
        worst: Peak::default(),
        rounding_limit: 0.0,
    };
    let (mut position, mut sum) = (0, Vec::new());
    loop {
        let mut frames = 0;
        for (reader, file) in readers.iter_mut().zip(&files) {
            frames = frames.max(reader.fill(WINDOW).map_err(|e| file.unreadable(&e))?);
        }
        if frames == 0 {
            return Ok(residue);
        }
        let channels = readers.iter().map(|reader| reader.channels.len()).max();
        for ch in 0..channels.unwrap_or_default() {
            sum.clear();
            sum.resize(frames, 0.0);
            let mut limit = 0.0;
            for (index, (reader, file)) in readers.iter().zip(&files).enumerate() {
                let sign = if index < stems.len() { 1.0 } else { -1.0 };
                let samples = reader.channels.get(ch).map_or(&[][..], Vec::as_slice);
                for (sum, sample) in sum.iter_mut().zip(samples) {
                    *sum += sign * sample;
                }
                limit += file.largest_error(largest(samples));
            }
            residue.rounding_limit = residue.rounding_limit.max(limit);
            residue.worst.take(&sum, position);
        }
        position += frames as u64;
    }
}
