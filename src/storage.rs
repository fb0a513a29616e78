//! Reads stems from, and writes outputs to, local files and object stores.
//!
//! A path that begins with `s3://`, `gs://`, `az://` or `memory://` names an object; every other
//! path names a local file. Object stores need the feature `cloud`: without it, object names are
//! refused with [`ErrorKind::Unsupported`](crate::ErrorKind). Outputs are written atomically: to a
//! temporary file beside the target, then fsync, rename, and fsync of the folder.

mod atomic_file;
mod confine;
mod early_sync;
mod file_set;
pub(crate) mod file_version;
pub(crate) mod glob;
mod input_file;
mod local_file;
mod location;
mod object;
mod same_file;

pub use atomic_file::AtomicFile;
pub(crate) use atomic_file::{CompleteFile, publish};
pub use confine::confined;
pub(crate) use confine::{files_of, is_inside};
pub(crate) use file_set::FileSet;
pub(crate) use input_file::{InputFile, ReadSeek};
pub(crate) use local_file::check_room;
pub(crate) use location::{Location, is_link, joined};
pub(crate) use object::list_folder;
pub use object::{
    About, FIRST_CONTACT_TIMEOUT_S, RETRY_TIMEOUT_S, Reader, about, create, delete, list, local,
    open, read, write,
};
pub use same_file::same_file;
