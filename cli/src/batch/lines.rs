//! The list of jobs, line by line: only the lines of a shard are kept, one at a time, however long the list is.

use super::{place, shard::Shard};
use soundtrack::{Error, ErrorKind, Load, Result};
use std::{
    io::{BufRead, BufReader, Cursor, Read},
    path::{Path, PathBuf},
};

/// A longer line is no job.
const LONGEST: usize = 1 << 20;

/// The lines of a shard.
pub struct Lines {
    reader: BufReader<Box<dyn Read + Send>>,
    path: PathBuf,
    shard: Shard,
    /// The line that is read next, counted from 0.
    next: u64,
}

/// A line: its number, counted from 0, and its text, or why there is none.
pub type Line = (u64, Result<String, String>);

impl Lines {
    pub fn open(path: &Path, shard: Shard) -> Result<Self> {
        let path = place::resolved(path)?;
        let text = without_mark(place::open(&path)?, &path)?;
        let reader = BufReader::with_capacity(1 << 16, text);
        Ok(Self {
            reader,
            path,
            shard,
            next: 0,
        })
    }

    /// The next line of the shard.
    pub fn line(&mut self) -> Result<Option<Line>> {
        self.read().map_err(|e| {
            let what = format!(
                "{}: cannot be read after line {}: {e}",
                self.path.display(),
                self.next
            );
            Error::new(ErrorKind::NotFound, what).because(e)
        })
    }

    fn read(&mut self) -> std::io::Result<Option<Line>> {
        while self.next % self.shard.count != self.shard.index {
            if self.reader.skip_until(b'\n')? == 0 {
                return Ok(None);
            }
            self.next += 1;
        }
        let mut bytes = Vec::new();
        if (&mut self.reader)
            .take(LONGEST as u64 + 1)
            .read_until(b'\n', &mut bytes)?
            == 0
        {
            return Ok(None);
        }
        let number = self.next;
        self.next += 1;
        if bytes.len() > LONGEST {
            if bytes.last() != Some(&b'\n') {
                self.reader.skip_until(b'\n')?;
            }
            return Ok(Some((
                number,
                Err(format!("is longer than {LONGEST} bytes: no job")),
            )));
        }
        let text = String::from_utf8(bytes).map_err(|e| format!("is no UTF-8 text: {e}"));
        Ok(Some((
            number,
            text.map(|t| t.trim_end_matches(['\r', '\n']).to_owned()),
        )))
    }
}

/// Skips a UTF-8 byte order mark.
///
/// # Errors
/// `Session` for a list in another encoding of Unicode, whose lines would be read one by one as damaged.
fn without_mark(mut list: Box<dyn Read + Send>, path: &Path) -> Result<Box<dyn Read + Send>> {
    let mut start = Vec::new();
    list.by_ref().take(4).read_to_end(&mut start).map_err(|e| {
        let what = format!("{}: cannot be read: {e}", path.display());
        Error::new(ErrorKind::NotFound, what).because(e)
    })?;
    if let Some(encoding) = Load::foreign_encoding(&start) {
        let what = format!(
            "{}: is {encoding} and no UTF-8 text: save it as UTF-8",
            path.display()
        );
        return Err(Error::new(ErrorKind::Session, what));
    }
    if start.starts_with(b"\xEF\xBB\xBF") {
        start.drain(..3);
    }
    Ok(Box::new(Cursor::new(start).chain(list)))
}
