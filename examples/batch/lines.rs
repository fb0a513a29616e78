//! The list of jobs, line by line: only the lines of a shard are kept, one at a time, however long the list is.

use super::{place, shard::Shard};
use soundtrack::{Error, ErrorKind, Result};
use std::{
    io::{BufRead, BufReader, Read},
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
        let reader = BufReader::with_capacity(1 << 16, place::open(&path)?);
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
