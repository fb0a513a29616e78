//! An object as its readers see it: bytes at places, fetched in pieces, the next one before it is asked for.
//!
//! A piece is 128 KiB where reading starts or jumps, and twice the one before where it goes on, up to 1 MiB; then the next
//! is fetched in the background. At most [`KEPT`] pieces are kept, and one is on its way: 4 MiB an object at most. All are
//! of one version of the object. The first that cannot be had ends reading for good: nothing stands in for it.

use super::backend::{self, About, Got, Pending};
use crate::storage::location::Url;
use std::{
    io::{Error, ErrorKind, Result},
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The size of a piece after a jump, in bytes.
const FIRST: u64 = 128 << 10;
/// The largest.
const LARGEST: u64 = 1 << 20;
/// Pieces that are kept.
const KEPT: usize = 3;

/// An object that is read.
#[derive(Debug)]
pub(crate) struct Remote {
    url: Url,
    about: About,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The one that was read last is the last.
    pieces: Vec<Piece>,
    /// The piece that is on its way.
    ahead: Option<(Range<u64>, Pending<Got>)>,
    /// Where the piece ends that was fetched last, and its length.
    end: u64,
    len: u64,
    /// Why nothing can be read any more.
    failed: Option<(ErrorKind, String)>,
}

#[derive(Debug)]
struct Piece {
    at: u64,
    bytes: Vec<u8>,
}

impl Piece {
    /// What it holds from a place on; `None` outside.
    fn from(&self, at: u64) -> Option<&[u8]> {
        let skip = usize::try_from(at.checked_sub(self.at)?).ok()?;
        self.bytes.get(skip..).filter(|rest| !rest.is_empty())
    }
}

impl Remote {
    /// Asks for an object, and for its beginning in the same request.
    pub(crate) fn open(url: Url) -> Result<Self> {
        let got = backend::get(&url, 0..FIRST, None).wait()?;
        let len = got.bytes.len() as u64;
        let pieces = vec![Piece {
            at: 0,
            bytes: got.bytes,
        }];
        Ok(Self {
            url,
            about: got.about,
            state: Mutex::new(State {
                pieces,
                end: len,
                len,
                ..State::default()
            }),
        })
    }

    /// Its size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.about.size
    }

    /// What differs when its content does.
    pub(crate) fn tag(&self) -> &str {
        &self.about.tag
    }

    /// Why it can be read no more.
    pub(crate) fn trouble(&self) -> Option<Error> {
        self.state()
            .failed
            .as_ref()
            .map(|(kind, what)| Error::new(*kind, what.clone()))
    }

    /// Reads what is at a place: at least a byte before its end.
    pub(crate) fn read_at(&self, buf: &mut [u8], at: u64) -> Result<usize> {
        if at >= self.size() || buf.is_empty() {
            return Ok(0);
        }
        let mut state = self.state();
        if let Some((kind, what)) = &state.failed {
            return Err(Error::new(*kind, what.clone()));
        }
        match state
            .pieces
            .iter()
            .position(|piece| piece.from(at).is_some())
        {
            // The one that was used last goes to the end of the row.
            Some(i) => state.pieces.get_mut(i..).unwrap_or_default().rotate_left(1),
            None => {
                if let Err(e) = self.fetch(&mut state, at) {
                    state.failed = Some((e.kind(), e.to_string()));
                    return Err(e);
                }
            }
        }
        let from = state
            .pieces
            .last()
            .and_then(|piece| piece.from(at))
            .unwrap_or_default();
        let n = from.len().min(buf.len());
        buf.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        Ok(n)
    }

    /// Fetches the piece that holds a place, and where reading goes on starts fetching the one behind it.
    fn fetch(&self, state: &mut State, at: u64) -> Result<()> {
        let going_on = at == state.end;
        let (start, got) = match state.ahead.take() {
            Some((range, coming)) if range.contains(&at) => (range.start, coming.wait()?),
            _ => {
                state.len = if going_on {
                    (state.len * 2).clamp(FIRST, LARGEST)
                } else {
                    FIRST
                };
                (at, self.ask(at, state.len).1.wait()?)
            }
        };
        if state.pieces.len() >= KEPT {
            state.pieces.remove(0);
        }
        state.end = start + got.bytes.len() as u64;
        state.pieces.push(Piece {
            at: start,
            bytes: got.bytes,
        });
        if going_on && state.end < self.size() {
            state.len = (state.len * 2).min(LARGEST);
            state.ahead = Some(self.ask(state.end, state.len));
        }
        Ok(())
    }

    fn ask(&self, at: u64, len: u64) -> (Range<u64>, Pending<Got>) {
        let range = at..at.saturating_add(len).min(self.size());
        (
            range.clone(),
            backend::get(&self.url, range, Some(&self.about.tag)),
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done where a reader may panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
