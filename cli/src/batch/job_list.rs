//! Reads the list of jobs line by line. Only the lines of a shard are kept, one at a time, however long the list is.

use super::{
    job::{Job, LineError},
    shard::Shard,
};
use crate::file_store;
use soundtrack::{Error, ErrorKind, Load, Result};
use std::{
    io::{self, BufRead, BufReader, Cursor, Read},
    path::{Path, PathBuf},
};

/// Maximum length of a line in bytes.
const MAX_LINE: usize = 1 << 20;

/// A line of the list.
pub struct JobLine {
    /// Number of the line, counted from 0.
    pub index: u64,
    /// Text of the line, or why it has none.
    text: Result<String, String>,
}

impl JobLine {
    /// Parses the line.
    ///
    /// # Errors
    /// The first error of the line with its column.
    pub fn job(&self) -> Result<Job, LineError> {
        match &self.text {
            Ok(text) => Job::parse(text),
            Err(text) => Err(LineError::of_line(text)),
        }
    }
}

/// Reads the lines of a shard.
pub struct JobList {
    reader: BufReader<Box<dyn Read + Send>>,
    path: PathBuf,
    shard: Shard,
    /// Number of the line that is read next, counted from 0.
    next: u64,
}

impl JobList {
    /// Opens a list, which may be an object of a store.
    ///
    /// # Errors
    /// `NotFound` for a list that cannot be read; `Session` for one in another encoding than UTF-8.
    pub fn open(path: &Path, shard: Shard) -> Result<Self> {
        let path = file_store::resolve(path)?;
        let text = skip_byte_order_mark(file_store::open(&path)?, &path)?;
        let reader = BufReader::with_capacity(1 << 16, text);
        Ok(Self {
            reader,
            path,
            shard,
            next: 0,
        })
    }

    /// Reads the next line of the shard; `None` at the end of the list.
    ///
    /// # Errors
    /// `NotFound` if the list cannot be read on.
    pub fn next_line(&mut self) -> Result<Option<JobLine>> {
        self.read().map_err(|e| {
            let text = format!(
                "{}: cannot be read after line {}: {e}",
                self.path.display(),
                self.next
            );
            Error::new(ErrorKind::NotFound, text).because(e)
        })
    }

    fn read(&mut self) -> io::Result<Option<JobLine>> {
        while self.next % self.shard.count != self.shard.index {
            if self.reader.skip_until(b'\n')? == 0 {
                return Ok(None);
            }
            self.next += 1;
        }
        let mut bytes = Vec::new();
        let read = (&mut self.reader)
            .take(MAX_LINE as u64 + 1)
            .read_until(b'\n', &mut bytes)?;
        if read == 0 {
            return Ok(None);
        }
        let index = self.next;
        self.next += 1;
        if bytes.len() > MAX_LINE {
            if bytes.last() != Some(&b'\n') {
                self.reader.skip_until(b'\n')?;
            }
            let text = Err(format!("is longer than {MAX_LINE} bytes, so it is no job"));
            return Ok(Some(JobLine { index, text }));
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
            Err(e) => Err(format!("is not UTF-8 text: {e}")),
        };
        Ok(Some(JobLine { index, text }))
    }
}

/// Skips a UTF-8 byte order mark.
///
/// # Errors
/// `Session` for a list in another encoding of Unicode, whose lines would otherwise be reported one by one as damaged.
fn skip_byte_order_mark(
    mut list: Box<dyn Read + Send>,
    path: &Path,
) -> Result<Box<dyn Read + Send>> {
    let mut start = Vec::new();
    list.by_ref().take(4).read_to_end(&mut start).map_err(|e| {
        let text = format!("{}: cannot be read: {e}", path.display());
        Error::new(ErrorKind::NotFound, text).because(e)
    })?;
    if let Some(encoding) = Load::foreign_encoding(&start) {
        let text = format!(
            "{}: is {encoding}, not UTF-8 text: save it as UTF-8",
            path.display()
        );
        return Err(Error::new(ErrorKind::Session, text));
    }
    if start.starts_with(b"\xEF\xBB\xBF") {
        start.drain(..3);
    }
    Ok(Box::new(Cursor::new(start).chain(list)))
}
