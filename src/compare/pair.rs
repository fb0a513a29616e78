//! Reads two stems in parallel, one of them with a lag.

use crate::{
    block::Block,
    error::Result,
    media::{Source, stem::Stem},
    units::{Frames, saturating_usize},
};

/// Number of frames compared at a time.
pub(super) const WINDOW: usize = 8192;

/// Two sources with equal numbers of channels, read in step.
pub(super) struct StemPair {
    a: ChunkReader,
    b: ChunkReader,
    at: u64,
}

/// Source that is read in chunks of a given length.
struct ChunkReader {
    source: Box<dyn Source>,
    block: Block,
    channels: Vec<Vec<f64>>,
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

impl ChunkReader {
    fn open(stem: &Stem) -> Result<Self> {
        let source = stem.open()?;
        let layout = source.spec().layout;
        Ok(Self {
            source,
            block: Block::new(layout, WINDOW),
            channels: vec![Vec::new(); layout.channels()],
        })
    }

    /// Reads the next frames. Returns their number.
    fn fill(&mut self, want: usize) -> Result<usize> {
        self.truncate(0);
        let mut done = 0;
        while done < want {
            // The last read must not exceed the number of frames wanted.
            if want - done < self.block.capacity() {
                self.block = Block::new(self.block.layout(), want - done);
            }
            let n = self.source.read(&mut self.block)?;
            if n == 0 {
                break;
            }
            self.channels
                .iter_mut()
                .zip(self.block.channels())
                .for_each(|(to, from)| to.extend_from_slice(from));
            done += n;
        }
        if self.block.capacity() < WINDOW {
            self.block = Block::new(self.block.layout(), WINDOW);
        }
        Ok(done)
    }

    fn truncate(&mut self, frames: usize) {
        self.channels.iter_mut().for_each(|c| c.truncate(frames));
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
