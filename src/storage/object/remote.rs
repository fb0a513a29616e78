//! Random access to an object, with read-ahead.
//!
//! Data is fetched in pieces: 128 KiB at the start and after a seek, then twice the size of the
//! previous piece up to 1 MiB, with the next piece fetched in the background. At most
//! [`MAX_PIECES`] pieces are cached and one is in flight, 4 MiB per object in all. All pieces
//! belong to one version of the object. After the first failure every further read fails: missing
//! data is never replaced.

use super::{
    About, ObjectPart,
    backend::{self, Pending},
};
use crate::storage::{file_version::FileVersion, location::ObjectUrl};
use std::{
    io::{Error, ErrorKind, Result},
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Size of the first piece and of a piece after a seek, in bytes.
const FIRST_PIECE_BYTES: u64 = 128 << 10;
/// Maximum size of a piece in bytes.
const MAX_PIECE_BYTES: u64 = 1 << 20;
/// Maximum number of cached pieces.
const MAX_PIECES: usize = 3;

/// Object open for reading.
#[derive(Debug)]
pub(crate) struct RemoteObject {
    url: ObjectUrl,
    about: About,
    version: FileVersion,
    state: Mutex<ReadState>,
}

#[derive(Debug, Default)]
struct ReadState {
    /// Cached pieces, the most recently used last.
    pieces: Vec<CachedPiece>,
    /// Piece in flight.
    ahead: Option<(Range<u64>, Pending<ObjectPart>)>,
    /// End and length of the most recently fetched piece.
    end: u64,
    len: u64,
    /// Error of the first failed read.
    failed: Option<(ErrorKind, String)>,
}

#[derive(Debug)]
struct CachedPiece {
    at: u64,
    bytes: Vec<u8>,
}

impl CachedPiece {
    /// Returns the bytes from an offset of the object to the end of the piece; `None` if the offset
    /// lies outside.
    fn bytes_from(&self, at: u64) -> Option<&[u8]> {
        let skip = usize::try_from(at.checked_sub(self.at)?).ok()?;
        self.bytes.get(skip..).filter(|rest| !rest.is_empty())
    }
}

impl RemoteObject {
    /// Opens an object and fetches its first piece with one request.
    pub(crate) fn open(url: ObjectUrl) -> Result<Self> {
        let got = backend::get(&url, 0..FIRST_PIECE_BYTES, None).wait()?;
        let len = got.bytes.len() as u64;
        let pieces = vec![CachedPiece {
            at: 0,
            bytes: got.bytes,
        }];
        Ok(Self {
            url,
            version: FileVersion::object(got.about.size, &got.about.tag),
            about: got.about,
            state: Mutex::new(ReadState {
                pieces,
                end: len,
                len,
                ..ReadState::default()
            }),
        })
    }

    /// Returns the size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.about.size
    }

    /// Returns the version of the object that is read.
    pub(crate) fn version(&self) -> &FileVersion {
        &self.version
    }

    /// Returns the error after which every read fails, if there is one.
    pub(crate) fn integrity_error(&self) -> Option<Error> {
        self.state()
            .failed
            .as_ref()
            .map(|(kind, what)| Error::new(*kind, what.clone()))
    }

    /// Reads bytes at an offset: at least one byte before the end of the object.
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
            .position(|piece| piece.bytes_from(at).is_some())
        {
            // The most recently used piece moves to the end.
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
            .and_then(|piece| piece.bytes_from(at))
            .unwrap_or_default();
        let n = from.len().min(buf.len());
        buf.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        Ok(n)
    }

    /// Fetches the piece at an offset. For sequential reading, also starts fetching the next one.
    fn fetch(&self, state: &mut ReadState, at: u64) -> Result<()> {
        let sequential = at == state.end;
        let (start, got) = match state.ahead.take() {
            Some((range, coming)) if range.contains(&at) => (range.start, coming.wait()?),
            _ => {
                state.len = if sequential {
                    (state.len * 2).clamp(FIRST_PIECE_BYTES, MAX_PIECE_BYTES)
                } else {
                    FIRST_PIECE_BYTES
                };
                (at, self.request(at, state.len).1.wait()?)
            }
        };
        if state.pieces.len() >= MAX_PIECES {
            state.pieces.remove(0);
        }
        state.end = start + got.bytes.len() as u64;
        state.pieces.push(CachedPiece {
            at: start,
            bytes: got.bytes,
        });
        if sequential && state.end < self.size() {
            state.len = (state.len * 2).min(MAX_PIECE_BYTES);
            state.ahead = Some(self.request(state.end, state.len));
        }
        Ok(())
    }

    fn request(&self, at: u64, len: u64) -> (Range<u64>, Pending<ObjectPart>) {
        let range = at..at.saturating_add(len).min(self.size());
        (
            range.clone(),
            backend::get(&self.url, range, Some(&self.about.tag)),
        )
    }

    fn state(&self) -> MutexGuard<'_, ReadState> {
        // A panic leaves the state consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
