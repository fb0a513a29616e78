//! Two stems read side by side, one of them later than the other.

use crate::{
    block::Block,
    error::Result,
    media::{Source, stem::Stem},
    units::Frames,
};

/// Frames that are compared at a time.
pub(super) const WINDOW: usize = 8192;

/// Two sources of as many channels, in step.
pub(super) struct Pair {
    a: Tape,
    b: Tape,
    at: u64,
}

/// A source that gives as many frames as are wanted, unless it ends.
struct Tape {
    source: Box<dyn Source>,
    block: Block,
    channels: Vec<Vec<f64>>,
}

/// The frame of the first that a stretch starts with, and the channels of both.
pub(super) type Stretch<'a> = (u64, &'a [Vec<f64>], &'a [Vec<f64>]);

/// Returns the first frames of two stems that lie beside each other when the second is `lag` frames late, and of which
/// neither is before frame `from`.
pub(super) fn starts(lag: i64, from: u64) -> [u64; 2] {
    let later = from.saturating_add(lag.unsigned_abs());
    match lag {
        0.. => [from, later],
        _ => [later, from],
    }
}

impl Pair {
    /// Both from their first frames on that lie beside each other when the second is `lag` frames late, and of which
    /// neither is before frame `from` of its stem.
    pub(super) fn open(a: &Stem, b: &Stem, lag: i64, from: u64) -> Result<Self> {
        let (mut a, mut b) = (Tape::open(a)?, Tape::open(b)?);
        let [start_a, start_b] = starts(lag, from);
        for (tape, start) in [(&mut a, start_a), (&mut b, start_b)] {
            if start > 0 {
                tape.source.seek(Frames(start))?;
            }
        }
        Ok(Self { a, b, at: start_a })
    }

    /// The next stretch that both have, [`WINDOW`] frames but for the last.
    pub(super) fn next(&mut self) -> Result<Option<Stretch<'_>>> {
        let frames = self.a.fill(WINDOW)?.min(self.b.fill(WINDOW)?);
        self.a.cut(frames);
        self.b.cut(frames);
        let at = self.at;
        self.at += frames as u64;
        Ok((frames > 0).then_some((at, &self.a.channels, &self.b.channels)))
    }
}

impl Tape {
    fn open(stem: &Stem) -> Result<Self> {
        let source = stem.open()?;
        let layout = source.spec().layout;
        Ok(Self {
            source,
            block: Block::new(layout, WINDOW),
            channels: vec![Vec::new(); layout.channels()],
        })
    }

    /// Reads the next frames; how many there were.
    fn fill(&mut self, want: usize) -> Result<usize> {
        self.cut(0);
        let mut done = 0;
        while done < want {
            // The last piece must not read further than is wanted.
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

    fn cut(&mut self, frames: usize) {
        self.channels.iter_mut().for_each(|c| c.truncate(frames));
    }
}

/// Frames `from` to `from + frames` of a stem, all channels; silence before its start and behind its end.
pub(super) fn stretch(stem: &Stem, from: i64, frames: usize) -> Result<Vec<Vec<f64>>> {
    let mut tape = Tape::open(stem)?;
    let before = usize::try_from(from.min(0).unsigned_abs())
        .unwrap_or(usize::MAX)
        .min(frames);
    if from > 0 {
        tape.source.seek(Frames(from.unsigned_abs()))?;
    }
    tape.fill(frames - before)?;
    for channel in &mut tape.channels {
        channel.splice(0..0, std::iter::repeat_n(0.0, before));
        channel.resize(frames, 0.0);
    }
    Ok(tape.channels)
}
