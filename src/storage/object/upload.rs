//! Atomic upload of an object.
//!
//! An object of up to [`PART`] bytes is sent in one request. A larger one is sent in parts while it
//! is produced, at most two at a time, and becomes visible when all parts are there. Dropping the
//! upload deletes the parts; a killed program leaves invisible parts, which a lifecycle rule of the
//! bucket should remove.
//!
//! Unless overwriting is allowed, an existing object is refused at the start. If one appears later,
//! the store itself refuses a single request; a multipart upload checks again just before its end,
//! and replaces an object that appears after that check.

use super::backend::{self, Parts, Pending};
use crate::error::{Error, ErrorKind, Result};
use crate::{storage::location::ObjectUrl, units::saturating_usize};
use std::{
    collections::VecDeque,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Minimum size of a part in bytes, also required by the stores; small, to bound the memory used.
const PART: u64 = 5 << 20;
/// Maximum number of parts, below the 10,000 that stores allow.
const MAX_PARTS: u64 = 9_000;
/// Maximum number of parts in flight.
const MAX_IN_FLIGHT: usize = 2;
const EXISTS: &str = "exists already";

/// Object being written.
#[derive(Debug)]
pub(crate) struct Upload {
    path: PathBuf,
    url: ObjectUrl,
    overwrite: bool,
    existed: bool,
    part_bytes: usize,
    buffer: Vec<u8>,
    parts: Option<Parts>,
    in_flight: VecDeque<Pending<()>>,
    bytes: u64,
}

impl Upload {
    /// Starts an object of `needs` bytes. Everything that can be refused is refused here.
    pub(crate) fn create(path: &Path, url: ObjectUrl, overwrite: bool, needs: u64) -> Result<Self> {
        let mut new = Self {
            path: path.to_owned(),
            url,
            overwrite,
            existed: false,
            part_bytes: saturating_usize(needs.div_ceil(MAX_PARTS).max(PART)),
            buffer: Vec::new(),
            parts: None,
            in_flight: VecDeque::new(),
            bytes: 0,
        };
        new.existed = new.exists()?;
        if new.existed && !overwrite {
            return Err(new.exists_error());
        }
        if needs > new.part_bytes as u64 {
            new.parts = Some(Parts::begin(&new.url).wait().map_err(|e| new.failed(e))?);
        }
        Ok(new)
    }

    /// Returns the name of the object.
    pub(crate) fn target(&self) -> &Path {
        &self.path
    }

    /// Returns true if the object existed when the upload started.
    pub(crate) fn existed(&self) -> bool {
        self.existed
    }

    /// Converts the error of a failed write and adds the name.
    pub(crate) fn failed(&self, e: io::Error) -> Error {
        if e.kind() == io::ErrorKind::AlreadyExists {
            return self.exists_error();
        }
        self.refused(&format!("cannot be written: {e}")).because(e)
    }

    /// Returns the error about an existing object. [`Error::io_kind`] of it is `AlreadyExists`.
    fn exists_error(&self) -> Error {
        self.refused(EXISTS)
            .because(io::Error::from(io::ErrorKind::AlreadyExists))
    }

    /// Sends everything that is left. Nothing becomes visible.
    pub(crate) fn complete(mut self) -> Result<Self> {
        if self.parts.is_some() {
            let rest = std::mem::take(&mut self.buffer);
            self.send(rest, 0).map_err(|e| self.failed(e))?;
        }
        Ok(self)
    }

    /// Makes the object visible. Returns its size in bytes.
    pub(crate) fn publish(mut self) -> Result<u64> {
        if self.parts.is_some() && !self.overwrite && self.exists()? {
            return Err(self.exists_error());
        }
        let done = match self.parts.take() {
            Some(parts) => parts.complete().wait(),
            None => {
                backend::put(&self.url, std::mem::take(&mut self.buffer), !self.overwrite).wait()
            }
        };
        done.map_err(|e| self.failed(e))?;
        Ok(self.bytes)
    }

    /// Returns true if the object exists.
    fn exists(&self) -> Result<bool> {
        Ok(backend::head(&self.url)
            .wait()
            .map_err(|e| self.failed(e))?
            .is_some())
    }

    /// Sends a part unless it is empty, then waits until at most `max_in_flight` parts are in flight.
    fn send(&mut self, bytes: Vec<u8>, max_in_flight: usize) -> io::Result<()> {
        if !bytes.is_empty() {
            let parts = match &mut self.parts {
                Some(parts) => parts,
                none => none.insert(Parts::begin(&self.url).wait()?),
            };
            self.in_flight.push_back(parts.send(bytes));
        }
        while self.in_flight.len() > max_in_flight {
            self.in_flight.pop_front().map_or(Ok(()), Pending::wait)?;
        }
        Ok(())
    }

    fn refused(&self, what: &str) -> Error {
        Error::new(ErrorKind::Output, format!("{}: {what}", self.url))
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() >= self.part_bytes {
            let full = std::mem::take(&mut self.buffer);
            self.send(full, MAX_IN_FLIGHT)?;
        }
        let (now, _) = bytes.split_at(bytes.len().min(self.part_bytes - self.buffer.len()));
        self.buffer.extend_from_slice(now);
        self.bytes += now.len() as u64;
        Ok(now.len())
    }

    /// Parts are sent when full, and the last one by [`complete`](Self::complete).
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.in_flight.clear();
        if let Some(parts) = self.parts.take() {
            // If the store does not answer, its lifecycle rule removes the parts.
            let _ = parts.abort().wait();
        }
    }
}
