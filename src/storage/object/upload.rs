//! An object that is there completely or not at all.
//!
//! Up to [`PART`] bytes it is one request; beyond that it is sent in parts while it is made, at most two at a time, and
//! appears when all are there. Dropped before, what was sent is taken back; a program that was killed leaves parts that no
//! reader sees, and that a rule of the bucket should remove.
//!
//! An object that exists is refused when writing starts unless overwriting was asked for. One that came meanwhile is
//! refused by the store itself where the whole is one request; of one in parts the store is asked just before the end,
//! and one that appears in that moment is replaced.

use super::backend::{self, Parts, Pending};
use crate::error::{Error, ErrorKind, Result};
use crate::storage::location::Url;
use std::{
    collections::VecDeque,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The least size of a part, in bytes: the least that stores take, so that little is held.
const PART: u64 = 5 << 20;
/// Parts that an object may have, with some to spare.
const MOST_PARTS: u64 = 9_000;
/// Parts on their way.
const SENDING: usize = 2;
const EXISTS: &str = "exists already: choose another name, or ask to overwrite it";

/// An object that is being written.
#[derive(Debug)]
pub(crate) struct Upload {
    path: PathBuf,
    url: Url,
    overwrite: bool,
    existed: bool,
    part: usize,
    held: Vec<u8>,
    parts: Option<Parts>,
    sending: VecDeque<Pending<()>>,
    bytes: u64,
}

impl Upload {
    /// Starts an object of so many bytes. What can be refused is refused here.
    pub(crate) fn create(path: &Path, url: Url, overwrite: bool, needs: u64) -> Result<Self> {
        let mut new = Self {
            path: path.to_owned(),
            url,
            overwrite,
            existed: false,
            part: usize::try_from(needs.div_ceil(MOST_PARTS).max(PART)).unwrap_or(usize::MAX),
            held: Vec::new(),
            parts: None,
            sending: VecDeque::new(),
            bytes: 0,
        };
        new.existed = new.exists()?;
        if new.existed && !overwrite {
            return Err(new.taken());
        }
        if needs > new.part as u64 {
            new.parts = Some(Parts::begin(&new.url).wait().map_err(|e| new.failed(e))?);
        }
        Ok(new)
    }

    /// Its name.
    pub(crate) fn target(&self) -> &Path {
        &self.path
    }

    /// Whether there was one of its name when it was started.
    pub(crate) fn existed(&self) -> bool {
        self.existed
    }

    /// The error of a failed write, in words.
    pub(crate) fn failed(&self, e: io::Error) -> Error {
        if e.kind() == io::ErrorKind::AlreadyExists {
            return self.taken();
        }
        self.refused(&format!("cannot be written: {e}")).because(e)
    }

    /// The error of an object that is there already, told apart by [`Error::io_kind`].
    fn taken(&self) -> Error {
        self.refused(EXISTS)
            .because(io::Error::from(io::ErrorKind::AlreadyExists))
    }

    /// Has the store take all that is left. Nothing is visible yet.
    pub(crate) fn complete(mut self) -> Result<Self> {
        if self.parts.is_some() {
            let rest = std::mem::take(&mut self.held);
            self.send(rest, 0).map_err(|e| self.failed(e))?;
        }
        Ok(self)
    }

    /// Makes it visible; its size in bytes.
    pub(crate) fn publish(mut self) -> Result<u64> {
        if self.parts.is_some() && !self.overwrite && self.exists()? {
            return Err(self.taken());
        }
        let done = match self.parts.take() {
            Some(parts) => parts.complete().wait(),
            None => backend::put(&self.url, std::mem::take(&mut self.held), !self.overwrite).wait(),
        };
        done.map_err(|e| self.failed(e))?;
        Ok(self.bytes)
    }

    /// Whether there is an object of its name.
    fn exists(&self) -> Result<bool> {
        Ok(backend::head(&self.url)
            .wait()
            .map_err(|e| self.failed(e))?
            .is_some())
    }

    /// Sends a part, if there is anything in it, and waits until at most so many are on their way.
    fn send(&mut self, bytes: Vec<u8>, at_once: usize) -> io::Result<()> {
        if !bytes.is_empty() {
            let parts = match &mut self.parts {
                Some(parts) => parts,
                none => none.insert(Parts::begin(&self.url).wait()?),
            };
            self.sending.push_back(parts.send(bytes));
        }
        while self.sending.len() > at_once {
            self.sending.pop_front().map_or(Ok(()), Pending::wait)?;
        }
        Ok(())
    }

    fn refused(&self, what: &str) -> Error {
        Error::new(ErrorKind::Output, format!("{}: {what}", self.url))
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.held.len() >= self.part {
            let full = std::mem::take(&mut self.held);
            self.send(full, SENDING)?;
        }
        let (now, _) = bytes.split_at(bytes.len().min(self.part - self.held.len()));
        self.held.extend_from_slice(now);
        self.bytes += now.len() as u64;
        Ok(now.len())
    }

    /// Parts are sent when they are full, and the last with [`complete`](Self::complete).
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.sending.clear();
        if let Some(parts) = self.parts.take() {
            // Where the store does not answer either, its own rule removes them.
            let _ = parts.abort().wait();
        }
    }
}
