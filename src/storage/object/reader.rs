//! Sequential reading of large objects, such as job lists.

use super::remote::RemoteObject;
use crate::error::{Error, ErrorKind, Result};
use crate::storage::location::Location;
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Reads an object or a `file://` file sequentially, in pieces of up to 1 MiB with the next one
/// fetched in the background. All data belongs to one version of the object.
#[derive(Debug)]
pub struct Reader(Bytes);

#[derive(Debug)]
enum Bytes {
    File(File),
    Object { remote: Box<RemoteObject>, at: u64 },
}

/// Opens an object or a `file://` file for sequential reading.
///
/// ```
/// use soundtrack::storage;
/// # if cfg!(not(feature = "cloud")) { return Ok(()); }
/// use std::io::Read;
/// storage::write("memory://lists/two", "one\ntwo\n")?;
/// let mut text = String::new();
/// storage::open("memory://lists/two")?.read_to_string(&mut text)?;
/// assert_eq!(text, "one\ntwo\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// See [`read`](super::read). The reader itself fails, and keeps failing, if the object changes or
/// the store becomes unreachable.
pub fn open(link: &str) -> Result<Reader> {
    let unreadable =
        |e: io::Error| Error::new(ErrorKind::NotFound, format!("{link}: {e}")).because(e);
    Ok(Reader(match Location::parse(Path::new(link))? {
        Location::Local(path) => Bytes::File(File::open(path).map_err(unreadable)?),
        Location::Object(url) => Bytes::Object {
            remote: Box::new(RemoteObject::open(url).map_err(unreadable)?),
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
