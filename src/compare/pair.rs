//! Reads two stems in parallel, one of them with a lag.

use crate::{
    error::Result,
    media::{
        chunk_reader::{ChunkReader, WINDOW},
        stem::Stem,
    },
    units::{Frames, saturating_usize},
};

/// Two sources with equal numbers of channels, read in step.
pub(super) struct StemPair {
    a: ChunkReader,
    b: ChunkReader,
    at: u64,
}

/// Frame of the first stem at which a chunk starts, and the channels of both stems.
pub(super) type Chunk<'a> = (u64, &'a [Vec<f64>], &'a [Vec<f64>]);

/// Returns the first frame of each stem if the second one is delayed by `lag` frames. Neither lies
/// before `from`.
pub(super) fn start_frames(lag: i64, from: u64) -> [u64; 2] {
    let later = from.saturating_add(lag.unsigned_abs());
    match lag {
        0.. => [from, later],
        _ => [later, from],
    }
}

impl StemPair {
    /// Opens both stems, the second one delayed by `lag` frames. Neither starts before frame
    /// `from`.
    pub(super) fn open(a: &Stem, b: &Stem, lag: i64, from: u64) -> Result<Self> {
        let (mut a, mut b) = (ChunkReader::open(a)?, ChunkReader::open(b)?);
        let [start_a, start_b] = start_frames(lag, from);
        for (reader, start) in [(&mut a, start_a), (&mut b, start_b)] {
            if start > 0 {
                reader.source.seek(Frames(start))?;
            }
        }
        Ok(Self { a, b, at: start_a })
    }

    /// Returns the next frames present in both stems: [`WINDOW`] frames, fewer at the end.
    pub(super) fn next(&mut self) -> Result<Option<Chunk<'_>>> {
        let frames = self.a.fill(WINDOW)?.min(self.b.fill(WINDOW)?);
        self.a.truncate(frames);
        self.b.truncate(frames);
        let at = self.at;
        self.at += frames as u64;
        Ok((frames > 0).then_some((at, &self.a.channels, &self.b.channels)))
    }
}

/// Returns the frames `from` to `from + frames` of a stem, all channels, padded with silence before
/// its start and after its end.
pub(super) fn read_padded(stem: &Stem, from: i64, frames: usize) -> Result<Vec<Vec<f64>>> {
    let mut reader = ChunkReader::open(stem)?;
    let before = saturating_usize(from.min(0).unsigned_abs()).min(frames);
    if from > 0 {
        reader.source.seek(Frames(from.unsigned_abs()))?;
    }
    reader.fill(frames - before)?;
    for channel in &mut reader.channels {
        channel.splice(0..0, std::iter::repeat_n(0.0, before));
        channel.resize(frames, 0.0);
    }
    Ok(reader.channels)
}
