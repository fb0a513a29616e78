//! The decoded pieces of one clip, queued in playback order.
//!
//! The worker threads of [`ReadAhead`](super::ReadAhead) ask each queue for its next piece ([`ClipQueue::due`],
//! [`ClipQueue::take_job`]) and decode it without holding the queue's lock; the playback thread takes frames from the front.

use super::playback_order::{OrderPosition, PlaybackOrder};
use crate::{
    block::Block,
    error::{Error, ErrorKind, Result},
    layout::Layout,
    media::{Flaw, reader::Reader, stem::Stem},
    plan::{Passes, PlannedClip},
    sync::locked,
    units::saturating_usize,
};
use std::{
    collections::VecDeque,
    ops::Range,
    sync::{Arc, Mutex},
};

/// Frames that are decoded at a time, at most.
const PIECE: usize = 4096;

/// A clip's decoded frames that have not been played yet.
pub(crate) struct ClipQueue {
    stem: Arc<Stem>,
    /// The track's name, for errors.
    track: String,
    /// The frames of the timeline in which the clip sounds.
    range: Range<u64>,
    /// Frames left out at its start.
    lead: u64,
    /// The first frame of the clip's source, in the stem.
    from: u64,
    /// Frames of the stem from there on.
    available: u64,
    passes: Passes,
    heard: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Piece>,
    /// The end of the frames that are decoded; while a job runs, its start.
    next: OrderPosition,
    /// Counts changes of the playback order. The result of a job for an earlier order is discarded.
    order_version: u64,
    /// A job runs. A queue has one at a time, since its reader cannot be shared.
    busy: bool,
    reader: Option<Reader>,
    error: Option<Error>,
    flaws: Vec<Flaw>,
}

struct Piece {
    /// Its first frame on the timeline.
    frame: u64,
    /// Its first frame in the stem.
    stem_frame: u64,
    block: Block,
    /// Frames taken from its start.
    taken: usize,
}

impl Piece {
    fn remaining(&self) -> u64 {
        (self.block.frames() - self.taken) as u64
    }

    fn end(&self) -> u64 {
        self.frame + self.block.frames() as u64
    }
}

/// A piece to decode.
pub(super) struct Job {
    /// Its first frame on the timeline.
    frame: u64,
    /// Its first frame in the stem.
    stem_frame: u64,
    /// Frames to decode, at most.
    most: usize,
    /// The piece lies after the end of the stem.
    is_silent: bool,
    order: PlaybackOrder,
    order_version: u64,
    reader: Option<Reader>,
}

impl ClipQueue {
    pub(super) fn new(clip: &PlannedClip, track: &str) -> Self {
        Self {
            stem: Arc::clone(&clip.stem),
            track: track.to_owned(),
            range: clip.range.clone(),
            lead: clip.lead,
            from: clip.from,
            available: clip.available,
            passes: clip.passes,
            heard: clip.gain != 0.0 && !clip.range.is_empty(),
            state: Mutex::default(),
        }
    }

    /// Reports whether the clip is ever read.
    pub(super) fn is_heard(&self) -> bool {
        self.heard
    }

    /// Returns the clip's layout.
    pub(crate) fn layout(&self) -> Layout {
        self.stem.spec.layout
    }

    /// Returns the number of frames of the order that are played before the next piece is needed, if it is needed within the
    /// first `limit` frames and can be decoded now. Closes the stem if the order does not continue it.
    pub(super) fn due(&self, order: &PlaybackOrder, limit: u64) -> Option<u64> {
        let mut state = locked(&self.state);
        if state.busy || state.error.is_some() {
            return None;
        }
        let next = order
            .next_part(&self.range, state.next)
            .map(|(position, _)| position);
        let due = next
            .map(|position| position.elapsed)
            .filter(|elapsed| *elapsed < limit);
        if due.is_none() && next.is_none_or(|position| position.frame != state.next.frame) {
            state.reader = None;
        }
        due
    }

    /// Takes the next piece to decode.
    pub(super) fn take_job(&self, order: &PlaybackOrder) -> Option<Job> {
        let mut state = locked(&self.state);
        let (position, end) = order.next_part(&self.range, state.next)?;
        let offset = position.frame - self.range.start + self.lead;
        let (in_pass, left) = self.passes.locate(offset);
        let available = self.available.saturating_sub(in_pass);
        let is_silent = available == 0;
        let most = (end - position.frame)
            .min(left)
            .min(if is_silent { u64::MAX } else { available })
            .min(PIECE as u64);
        state.busy = true;
        state.next = position;
        Some(Job {
            frame: position.frame,
            stem_frame: self.from + in_pass,
            most: saturating_usize(most),
            is_silent,
            order: order.clone(),
            order_version: state.order_version,
            reader: state.reader.take(),
        })
    }

    /// Decodes a piece and queues it, or keeps the error for [`ready`](Self::ready).
    pub(super) fn decode(&self, mut job: Job) {
        let decoded = self.read_piece(&mut job);
        let mut state = locked(&self.state);
        state.busy = false;
        if let Some(reader) = &mut job.reader {
            state.flaws.extend(reader.flaws());
        }
        state.reader = job.reader;
        if state.order_version != job.order_version {
            return;
        }
        match decoded {
            Ok(piece) => {
                state.next = job.order.after(state.next, piece.remaining());
                state.pieces.push_back(piece);
            }
            Err(e) => {
                state.reader = None;
                state.error = Some(e.in_track(&self.track));
            }
        }
    }

    fn read_piece(&self, job: &mut Job) -> Result<Piece> {
        if job.is_silent {
            let mut block = Block::new(self.layout(), job.most);
            block.set_frames(job.most);
            for channel in block.channels_mut() {
                channel.fill(0.0);
            }
            return Ok(Piece {
                frame: job.frame,
                stem_frame: job.stem_frame,
                block,
                taken: 0,
            });
        }
        let reader = Reader::get_or_open(&mut job.reader, &self.stem)?;
        let (from, range) = reader.read(job.stem_frame, job.most, usize::MAX)?;
        let mut block = Block::new(from.layout(), range.len());
        block.set_frames(range.len());
        for (to, from) in block.channels_mut().zip(from.channels()) {
            if let Some(samples) = from.get(range.clone()) {
                to.copy_from_slice(samples);
            }
        }
        Ok(Piece {
            frame: job.frame,
            stem_frame: job.stem_frame,
            block,
            taken: 0,
        })
    }

    /// Switches to another playback order. Keeps the queued pieces that the new order plays first, and forgets errors.
    pub(super) fn set_order(&self, order: &PlaybackOrder) {
        let mut state = locked(&self.state);
        state.order_version += 1;
        state.error = None;
        let mut position = order.first();
        for mut piece in std::mem::take(&mut state.pieces) {
            let Some((next, end)) = order.next_part(&self.range, position) else {
                break;
            };
            if piece.end() <= next.frame {
                continue;
            }
            if next.frame < piece.frame || piece.end() > end {
                break;
            }
            piece.taken = saturating_usize(next.frame - piece.frame);
            position = order.after(next, piece.remaining());
            state.pieces.push_back(piece);
        }
        state.next = position;
    }

    /// Reports whether all frames of the clip are decoded that sound within the first `frames` frames of an order. The
    /// order must start where the queue does.
    ///
    /// # Errors
    /// The decoder's, once, if frames are missing because of it.
    pub(super) fn ready(&self, order: &PlaybackOrder, frames: u64) -> Result<bool> {
        let needed = self.frames_within(order, frames);
        if needed == 0 {
            return Ok(true);
        }
        let mut state = locked(&self.state);
        let mut queued = 0;
        for piece in &state.pieces {
            queued += piece.remaining();
            // Stops early: a deep queue has thousands of pieces, and this runs before every block.
            if queued >= needed {
                return Ok(true);
            }
        }
        state.error.take().map_or(Ok(false), Err)
    }

    /// Counts the frames of the clip that sound within the first `frames` frames of an order.
    fn frames_within(&self, order: &PlaybackOrder, frames: u64) -> u64 {
        let (mut count, mut position) = (0, order.first());
        while let Some((next, end)) = order
            .next_part(&self.range, position)
            .filter(|(p, _)| p.elapsed < frames)
        {
            let n = (end - next.frame).min(frames - next.elapsed);
            count += n;
            position = order.after(next, n);
        }
        count
    }

    /// Takes up to `most` frames, of which the first must be frame `at` of the stem, into a block. Returns how many.
    ///
    /// # Errors
    /// `Corrupt` if the frames are not decoded yet; see [`ready`](Self::ready).
    pub(crate) fn take(&self, at: u64, most: usize, out: &mut Block) -> Result<usize> {
        let mut state = locked(&self.state);
        let Some(piece) = state
            .pieces
            .front_mut()
            .filter(|p| p.stem_frame + p.taken as u64 == at)
        else {
            let what = format!("{}: frame {at} was not read ahead", self.stem.name);
            return Err(Error::new(ErrorKind::Corrupt, what));
        };
        let n = (piece.block.frames() - piece.taken)
            .min(most)
            .min(out.capacity());
        out.set_frames(n);
        for (to, from) in out.channels_mut().zip(piece.block.channels()) {
            if let Some(samples) = from.get(piece.taken..piece.taken + n) {
                to.copy_from_slice(samples);
            }
        }
        piece.taken += n;
        if piece.remaining() == 0 {
            state.pieces.pop_front();
        }
        Ok(n)
    }

    /// Takes the flaws found since the last call.
    pub(crate) fn flaws(&self) -> Vec<Flaw> {
        std::mem::take(&mut locked(&self.state).flaws)
    }
}
