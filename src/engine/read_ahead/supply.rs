//! The decoded pieces of one clip, in the order of a path.

use super::path::{Path, Place, Window};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    media::{Flaw, reader::Reader, stem::Stem},
    plan::PlannedClip,
};
use std::{
    collections::VecDeque,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many frames are decoded at a time.
const PIECE: usize = 4096;

pub(crate) struct Supply {
    stem: Arc<Stem>,
    /// For messages.
    track: String,
    /// Where the clip sounds on the timeline.
    range: Range<u64>,
    /// How many frames of its start are left out.
    lead: u64,
    /// The first frame of the stretch, in the stem.
    from: u64,
    /// The length of one pass.
    pass: u64,
    heard: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Piece>,
    /// The end of what is decoded, or being decoded.
    next: Place,
    /// Changes with the path: what was begun for another is thrown away.
    path: u64,
    busy: bool,
    reader: Option<Reader>,
    error: Option<Error>,
    flaws: Vec<Flaw>,
}

struct Piece {
    /// On the timeline.
    at: u64,
    /// In the stem.
    stem: u64,
    block: Block,
    used: usize,
}

impl Piece {
    fn left(&self) -> u64 {
        (self.block.frames() - self.used) as u64
    }

    fn end(&self) -> u64 {
        self.at + self.block.frames() as u64
    }
}

/// A piece to decode.
pub(super) struct Job {
    at: u64,
    stem: u64,
    most: usize,
    path: u64,
    along: Path,
    reader: Option<Reader>,
}

impl Supply {
    pub(super) fn new(clip: &PlannedClip, track: &str) -> Self {
        Self {
            stem: Arc::clone(&clip.stem),
            track: track.to_owned(),
            range: clip.range.clone(),
            lead: clip.lead,
            from: clip.from,
            pass: clip.pass.max(1),
            heard: clip.gain != 0.0 && !clip.range.is_empty(),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the clip is ever read.
    pub(super) fn is_heard(&self) -> bool {
        self.heard
    }

    /// How many frames of the path lie before the next piece, where one should be decoded now. Closes the stem where the
    /// path has left it.
    pub(super) fn due(&self, path: &Path, window: Window) -> Option<u64> {
        let mut state = self.state();
        if state.busy || state.error.is_some() {
            return None;
        }
        let next = path.next(&self.range, state.next);
        let due = next.map(|(place, _)| place.count).filter(|count| *count < window.from + window.depth);
        if due.is_none() && next.is_none_or(|(place, _)| place.at != state.next.at) {
            state.reader = None;
        }
        due
    }

    /// Takes the next piece to decode.
    pub(super) fn take_job(&self, path: &Path) -> Option<Job> {
        let mut state = self.state();
        let (place, end) = path.next(&self.range, state.next)?;
        let within = (place.at - self.range.start + self.lead) % self.pass;
        let most = (end - place.at).min(self.pass - within).min(PIECE as u64);
        state.busy = true;
        state.next = place;
        Some(Job {
            at: place.at,
            stem: self.from + within,
            most: usize::try_from(most).unwrap_or(PIECE),
            path: state.path,
            along: path.clone(),
            reader: state.reader.take(),
        })
    }

    /// Decodes a piece and queues it.
    pub(super) fn decode(&self, mut job: Job) {
        let done = self.piece(&mut job);
        let mut state = self.state();
        state.busy = false;
        if let Some(reader) = &mut job.reader {
            state.flaws.extend(reader.flaws());
        }
        state.reader = job.reader;
        if state.path != job.path {
            return;
        }
        match done {
            Ok(piece) => {
                let frames = piece.left();
                state.next = job.along.after(state.next, frames);
                state.queue.push_back(piece);
            }
            Err(e) => {
                state.reader = None;
                state.error = Some(e.in_track(&self.track));
            }
        }
    }

    fn piece(&self, job: &mut Job) -> Result<Piece> {
        let reader = Reader::opened(&mut job.reader, &self.stem)?;
        let (from, range) = reader.read(job.stem, job.most, usize::MAX)?;
        let mut block = Block::new(from.layout(), range.len());
        block.set_frames(range.len());
        for (to, from) in block.channels_mut().zip(from.channels()) {
            if let Some(samples) = from.get(range.clone()) {
                to.copy_from_slice(samples);
            }
        }
        Ok(Piece { at: job.at, stem: job.stem, block, used: 0 })
    }

    /// Goes on along another path, and keeps what lies on it.
    pub(super) fn reroute(&self, path: &Path) {
        let mut state = self.state();
        state.path += 1;
        state.error = None;
        let mut place = Place { count: 0, at: path.at };
        let queue = std::mem::take(&mut state.queue);
        for mut piece in queue {
            let Some((next, end)) = path.next(&self.range, place) else { break };
            if piece.end() <= next.at {
                continue;
            }
            if next.at < piece.at || piece.end() > end {
                break;
            }
            piece.used = usize::try_from(next.at - piece.at).unwrap_or(0);
            place = path.after(next, piece.left());
            state.queue.push_back(piece);
        }
        state.next = place;
    }

    /// Whether the next `frames` frames of a path are there, as many of them as the clip sounds in. The path starts where
    /// the queue does.
    pub(super) fn ready(&self, path: &Path, frames: u64) -> Result<bool> {
        let (mut needed, mut place) = (0, Place { count: 0, at: path.at });
        while let Some((next, end)) = path.next(&self.range, place).filter(|(next, _)| next.count < frames) {
            let n = (end - next.at).min(frames - next.count);
            needed += n;
            place = path.after(next, n);
        }
        if needed == 0 {
            return Ok(true);
        }
        let mut state = self.state();
        let mut there = 0;
        for piece in &state.queue {
            if there >= needed {
                break;
            }
            there += piece.left();
        }
        if there >= needed {
            return Ok(true);
        }
        state.error.take().map_or(Ok(false), Err)
    }

    /// Takes up to `most` frames of the stem from `at` on into the block; how many.
    ///
    /// # Errors
    /// `Corrupt` where they were not read yet: [`ready`](Self::ready) tells.
    pub(crate) fn take(&self, at: u64, most: usize, out: &mut Block) -> Result<usize> {
        let mut state = self.state();
        let Some(piece) = state.queue.front_mut().filter(|p| p.stem + p.used as u64 == at) else {
            let what = format!("{}: frame {at} was not read ahead", self.stem.name);
            return Err(Error::new(ErrorKind::Corrupt, what));
        };
        let n = (piece.block.frames() - piece.used).min(most).min(out.capacity());
        out.set_frames(n);
        for (to, from) in out.channels_mut().zip(piece.block.channels()) {
            if let Some(samples) = from.get(piece.used..piece.used + n) {
                to.copy_from_slice(samples);
            }
        }
        piece.used += n;
        if piece.left() == 0 {
            state.queue.pop_front();
        }
        Ok(n)
    }

    /// The layout of its frames.
    pub(crate) fn layout(&self) -> crate::layout::Layout {
        self.stem.spec.layout
    }

    /// Takes the flaws met since the last call.
    pub(crate) fn flaws(&self) -> Vec<Flaw> {
        std::mem::take(&mut self.state().flaws)
    }
}
