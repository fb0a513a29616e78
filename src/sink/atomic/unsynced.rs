//! Making a file visible without waiting for the disk.

use super::{AtomicFile, EXISTS, error, output};
use crate::error::Result;
use std::io;

impl AtomicFile {
    /// Makes the file visible, whole for everyone who looks; its size in bytes. After a power loss it may be gone, or empty.
    pub(crate) fn appear(self) -> Result<u64> {
        let Self { out, target, overwrite, needs, .. } = self;
        let failed = |e: io::Error| error(&target, needs, e);
        let temporary = out.into_inner().map_err(|e| failed(e.into_error()))?;
        let bytes = temporary.as_file().metadata().map_err(failed)?.len();
        let renamed = if overwrite { temporary.persist(&target) } else { temporary.persist_noclobber(&target) };
        renamed.map_err(|e| match e.error.kind() {
            io::ErrorKind::AlreadyExists => output(&target, EXISTS).because(e.error),
            _ => failed(e.error),
        })?;
        Ok(bytes)
    }
}
