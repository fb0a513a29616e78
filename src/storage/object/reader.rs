//! Long objects that are read from start to end: lists of jobs.

use super::remote::Remote;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::location::Location;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// An object, or a file that is named by a link, being read: pieces of up to 1 MiB, the next one ahead, all of one version
/// of the object.
#[derive(Debug)]
pub struct Reader(Bytes);

#[derive(Debug)]
enum Bytes {
    File(File),
    Object { remote: Box<Remote>, at: u64 },
}

/// Opens an object, or with `file://` a file, to be read from its start.
///
/// ```
/// use soundtrack::store;
/// use std::io::Read;
/// storage::write("memory://lists/two", "one\ntwo\n")?;
/// let mut text = String::new();
/// storage::open("memory://lists/two")?.read_to_string(&mut text)?;
/// assert_eq!(text, "one\ntwo\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`read`](super::read). Reading itself fails where the object changes meanwhile or the store is lost, and then for good.
pub fn open(link: &str) -> Result<Reader> {
    let unreadable =
        |e: io::Error| Error::new(ErrorKind::NotFound, format!("{link}: {e}")).because(e);
    Ok(Reader(match Location::of(Path::new(link))? {
        Location::Local(path) => Bytes::File(File::open(path).map_err(unreadable)?),
        Location::Object(url) => Bytes::Object {
            remote: Box::new(Remote::open(url).map_err(unreadable)?),
            at: 0,
        },
    }))
}

impl Read for Reader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Bytes::File(file) => file.read(buf),
            Bytes::Object { remote, at } => {
                let n = remote.read_at(buf, *at)?;
                *at += n as u64;
                Ok(n)
            }
        }
    }
}
